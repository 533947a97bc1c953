//! `scalelaw corpus` and `scalelaw tokenizer`, by their program.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn scalelaw() -> Command {
    Command::new(env!("CARGO_BIN_EXE_scalelaw"))
}

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = scalelaw()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// 300 documents of some English, no two alike.
fn write_documents(path: &Path) {
    let mut lines = String::new();
    for i in 0..300 {
        let words: Vec<String> =
            (0..80).map(|j| format!("word{}", (i * i + 7 * i * j + j * j) % 997)).collect();
        lines +=
            &format!("{}\n", serde_json::json!({ "text": format!("Document {i}: {}.", words.join(" ")) }));
    }
    std::fs::write(path, lines).unwrap();
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in [dir.to_path_buf(), dir.join("documents"), dir.join("tokens")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                files.insert(
                    path.strip_prefix(dir).unwrap().display().to_string(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    files
}

#[test]
fn tokenizer_encode_and_decode_give_every_byte_back() {
    let dir = tempfile::tempdir().unwrap();
    let trained = dir.path().join("tokenizer.json");
    let input = dir.path().join("in.jsonl");
    write_documents(&input);
    let status =
        scalelaw().args(["tokenizer", "train", "--vocab", "400", "--out"]).arg(&trained).arg(&input).status();
    assert!(status.unwrap().success());
    let encoded = with_input(&["tokenizer", "encode", "--tokenizer", "gpt2"], b"hello world");
    assert_eq!(String::from_utf8(encoded.stdout).unwrap(), "31373 995\n");
    for tokenizer in ["gpt2", trained.to_str().unwrap()] {
        for text in [
            "",
            "\n",
            "  Na\u{ef}ve \u{6f22}\u{5b57}\r\n\r\n it's <|endoftext|> 12\u{a0}3 \t",
            "word12 word13\n\n",
        ] {
            let ids = with_input(&["tokenizer", "encode", "--tokenizer", tokenizer], text.as_bytes());
            assert!(ids.status.success());
            let back = with_input(&["tokenizer", "decode", "--tokenizer", tokenizer], &ids.stdout);
            assert_eq!(back.stdout, text.as_bytes(), "{tokenizer}");
        }
    }
    let refused = with_input(&["tokenizer", "encode", "--tokenizer", "gpt2"], b"ab\xff");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("byte 2 is not UTF-8"));
    let refused = with_input(&["tokenizer", "decode", "--tokenizer", "gpt2"], b"1 50257");
    assert!(String::from_utf8(refused.stderr).unwrap().contains("id number 2 is \"50257\""));
}

#[test]
fn corpus_killed_again_and_again_has_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    write_documents(&input);
    let build = |out: &Path, threads: &str| {
        let mut command = scalelaw();
        command.args([
            "corpus",
            "build",
            "--rules",
            "none",
            "--tokenizer",
            "300",
            "--threads",
            threads,
            "--out",
        ]);
        command.arg(out).arg(&input).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    let output = build(&whole, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("WebText2") && text.contains("20300000") && text.contains("300 documents"),
        "{text}"
    );
    for wait in 1..200 {
        let mut child = build(&killed, "2").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 * wait));
        child.kill().unwrap();
        if child.wait().unwrap().success() || killed.join("manifest.json").exists() {
            break;
        }
    }
    assert!(build(&killed, "2").status().unwrap().success());
    assert!(files(&killed) == files(&whole));

    let stats = scalelaw().args(["corpus", "stats", "--json"]).arg(&killed).output().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert_eq!(manifest["read"]["documents"], 300);
    let subsets = dir.path().join("subsets");
    let output = scalelaw()
        .args(["corpus", "subset", "--halvings", "1..2", "--out"])
        .arg(&subsets)
        .arg(&killed)
        .output();
    assert!(output.unwrap().status.success());
    assert!(subsets.join("d2/manifest.json").exists());
}

#[test]
fn corpus_settings_with_a_wrong_key_are_refused_with_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("corpus.toml");
    for (text, expected) in [
        ("[input]\npaths = [\"x\"]\n[filter]\nmin_word = 3\n", "min_word"),
        ("[input]\npaths = [\"x\"]\nfolder = 1\n", "folder"),
        ("[input]\npaths = [\"x\"]\n[split]\nvalid = 0.7\ntest = 0.7\n", "valid + test below 1"),
        ("[input]\npaths = [\"missing\"]\n", "missing"),
    ] {
        std::fs::write(&config, text).unwrap();
        let output = scalelaw()
            .args(["corpus", "build", "--config"])
            .arg(&config)
            .arg("--out")
            .arg(dir.path().join("out"))
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && error.contains(expected), "{error}");
    }
}

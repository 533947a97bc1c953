//! Reading files and folders: what is read, what is skipped and counted, what is an error.

#![allow(clippy::unwrap_used)]

use scalelaw_corpus::{CorpusError, ReadLimits, Skipped, read_paths};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn read_with(path: &Path, limits: ReadLimits) -> Result<(Vec<String>, Skipped), CorpusError> {
    let mut texts = vec![];
    let skipped = read_paths(&[path.to_path_buf()], limits, &mut |document| {
        texts.push(document.text);
        ControlFlow::Continue(())
    })?;
    Ok((texts, skipped))
}

fn read(path: &Path) -> Result<(Vec<String>, Skipped), CorpusError> {
    read_with(path, ReadLimits::default())
}

/// Reads one file of these bytes.
fn read_file(name: &str, bytes: &[u8]) -> Result<(Vec<String>, Skipped), CorpusError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

#[test]
fn folder_is_read_recursively_in_sorted_order() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("b/deep")).unwrap();
    let jsonl = "{\"text\": \"json one\"}\n{\"text\": \"json two\"}\n";
    for (name, bytes) in [
        ("c.md", b"markdown".to_vec()),
        ("a.txt", b"text".to_vec()),
        ("b/deep/x.rs.gz", gz(b"rust")),
        ("b/y.py.zst", zst(b"python")),
        ("d.jsonl", jsonl.into()),
        ("e.jsonl.gz", gz(jsonl.as_bytes())),
        ("f.jsonl.zst", zst(jsonl.as_bytes())),
        ("g.html", b"<p>as it is</p>".to_vec()),
        ("h.bin", vec![1, 2, 3]),
        ("LICENSE", b"no ending".to_vec()),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let (texts, skipped) = read(dir.path()).unwrap();
    let json = ["json one", "json two"];
    let expected =
        [&["text", "rust", "python", "markdown"][..], &json, &json, &json, &["<p>as it is</p>"]].concat();
    assert_eq!(texts, expected);
    assert_eq!(skipped, Skipped { other_kind: 2, ..Skipped::default() });
}

#[test]
fn compressed_files_of_several_members_are_read_whole() {
    for (name, parts) in [("a.txt.gz", [gz(b"one "), gz(b"two")]), ("a.txt.zst", [zst(b"one "), zst(b"two")])]
    {
        assert_eq!(read_file(name, &parts.concat()).unwrap().0, ["one two"], "{name}");
    }
}

#[test]
fn documents_that_are_no_text_are_skipped_and_counted() {
    let count = |name: &str, bytes: &[u8]| {
        let (texts, skipped) = read_file(name, bytes).unwrap();
        assert!(texts.is_empty(), "{texts:?}");
        skipped
    };
    let none = Skipped::default();
    assert_eq!(count("a.txt", b""), Skipped { empty: 1, ..none });
    assert_eq!(count("a.txt", b" \n\t "), Skipped { empty: 1, ..none });
    assert_eq!(count("a.txt", b"a\0b"), Skipped { binary: 1, ..none });
    assert_eq!(count("a.txt", b"\0\xff"), Skipped { binary: 1, ..none });
    assert_eq!(count("a.txt", b"a\xffb"), Skipped { invalid_utf8: 1, ..none });
    assert_eq!(count("a.txt", "é".as_bytes().split_at(1).0), Skipped { invalid_utf8: 1, ..none });
    assert_eq!(count("a.jsonl", b""), none);
}

#[test]
fn json_lines_that_hold_no_text_are_skipped_and_counted() {
    let lines: &[&[u8]] = &[
        b"{\"text\": \"good\", \"other\": [1, {\"x\": null}]}",
        b"",
        b"{\"text\": \"unended",
        b"[\"not an object\"]",
        b"nonsense",
        b"{\"text\": \"lone surrogate \\ud800\"}",
        b"{\"title\": \"no text\"}",
        b"{\"text\": 3}",
        b"{\"text\": null}",
        b"{\"text\": \"\"}",
        b"{\"text\": \"nul \\u0000\"}",
        b"{\"text\": \"\xff\"}",
        b"  {\"other\": 1, \"text\": \"escaped \\\"\\u00e9\\n\\ud83d\\ude00\"}\r",
        b"{\"text\": \"no newline at the end\"}",
    ];
    let (texts, skipped) = read_file("a.jsonl", &lines.join(&b'\n')).unwrap();
    assert_eq!(texts, ["good", "escaped \"é\n\u{1F600}", "no newline at the end"]);
    let expected =
        Skipped { broken_json: 4, no_text: 3, empty: 1, binary: 1, invalid_utf8: 1, ..Skipped::default() };
    assert_eq!(skipped, expected);
    assert_eq!(skipped.to_string(), "1 binary, 1 not UTF-8, 1 empty, 4 broken JSON, 3 no `text`");
}

#[test]
fn json_of_endless_depth_is_skipped() {
    let bomb = format!("{{\"x\": {}, \"text\": \"hidden\"}}", "[".repeat(1_000_000));
    let (texts, skipped) = read_file("a.jsonl", bomb.as_bytes()).unwrap();
    assert!(texts.is_empty());
    assert_eq!(skipped.broken_json, 1);
}

#[test]
fn json_line_longer_than_the_limit_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let long = "x".repeat(1000);
    std::fs::write(&path, format!("{{\"text\": \"{long}\"}}\n{{\"text\": \"short\"}}\n")).unwrap();
    let limits = ReadLimits { line_bytes: 100, ..ReadLimits::default() };
    let (texts, skipped) = read_with(&path, limits).unwrap();
    assert_eq!(texts, ["short"]);
    assert_eq!(skipped.too_long, 1);
}

#[test]
fn text_file_longer_than_the_limit_is_cut_between_paragraphs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.txt");
    for text in ["Une phrase à part.\n\n".repeat(100), "é".repeat(1000), "a".repeat(200), "a".repeat(201)] {
        std::fs::write(&path, &text).unwrap();
        let limits = ReadLimits { file_bytes: 200, ..ReadLimits::default() };
        let (texts, skipped) = read_with(&path, limits).unwrap();
        assert_eq!(texts.concat(), text);
        assert!(texts.iter().all(|piece| piece.len() <= 200));
        assert_eq!(skipped, Skipped::default());
        assert_eq!(texts.len(), text.len().div_ceil(200), "full pieces");
    }
}

#[test]
fn reading_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt", "c.txt"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let mut texts = vec![];
    read_paths(&[dir.path().into(), "/does/not/exist".into()], ReadLimits::default(), &mut |document| {
        texts.push(document.text);
        if texts.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(texts, ["a.txt", "b.txt"]);
}

#[test]
fn path_that_cannot_be_read_is_named() {
    let error = read(Path::new("no/such/file.txt")).unwrap_err();
    assert!(error.to_string().contains("no/such/file.txt"), "{error}");
    let error = read_file("picture.png", b"..").unwrap_err().to_string();
    assert!(error.contains("picture.png") && error.contains(".jsonl"), "{error}");
    // A broken archive is an error: part of it would be a corpus that nobody asked for.
    let archive = gz(&b"some text ".repeat(1000));
    for (name, bytes) in
        [("a.txt.gz", &archive[..archive.len() - 20]), ("a.txt.gz", b"no"), ("a.jsonl.zst", b"no zstd")]
    {
        let error = read_file(name, bytes).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("cannot read"), "{error}");
    }
}

#[test]
fn folder_with_a_link_to_itself_ends() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "text").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
    assert_eq!(read(dir.path()).unwrap().0, ["text"]);
}

#[test]
fn shared_wikipedia_sample_is_read_whole() {
    let shared = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = shared.join("text/quick");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no shared data at {}", folder.display());
        return;
    }
    let (texts, skipped) = read(&folder).unwrap();
    // The folder's ORIGIN.md: documents and bytes of its three files; it is itself the fourth document.
    let origin = std::fs::metadata(folder.join("ORIGIN.md")).unwrap().len() as usize;
    assert_eq!(texts.len(), 1 + 254 + 18 + 1);
    assert_eq!(texts.iter().map(String::len).sum::<usize>(), 1_115_394 + 4_008_774 + 337_090 + origin);
    assert_eq!(skipped, Skipped::default());
}

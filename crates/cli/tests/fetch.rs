//! `scalelaw corpus fetch`, by its program, from real servers on loopback.

#![cfg(feature = "fetch")]
#![allow(clippy::unwrap_used)]

#[path = "../../fetch/tests/server/mod.rs"]
mod server;

use server::{Act, Server, not_found, redirect, reply, robots};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// In a hurry, on loopback.
fn fetch(links: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scalelaw"));
    command.args(["corpus", "fetch"]).arg(links).arg("--out").arg(out);
    command.args(["--allow-private", "--delay", "0.01s", "--contact", "mailto:me@example.org"]).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn write_links(dir: &Path, urls: &[String]) -> PathBuf {
    let path = dir.join("links.txt");
    std::fs::write(&path, urls.join("\n")).unwrap();
    path
}

/// Links with a whole line in the log, with their outcomes.
fn finished(out: &Path) -> BTreeMap<String, String> {
    let log = std::fs::read_to_string(out.join("fetch-log.ndjson")).unwrap_or_default();
    let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
    let lines = whole.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    lines.map(|line| (text(&line["link"]), text(&line["outcome"]))).collect()
}

/// A page of words that no other page has; over 2 kB, packed too.
fn story(path: &str) -> Vec<Act> {
    let mut state = path.bytes().fold(7u64, |state, b| state.wrapping_mul(31).wrapping_add(u64::from(b)));
    let words: Vec<String> = (0..400)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("w{:x}", state >> 40)
        })
        .collect();
    let text = format!(
        "<html><title>{path}</title><body><article><p>{}.</p></article></body></html>",
        words.join(" ")
    );
    reply("200 OK", &["Content-Type: text/html"], text.as_bytes())
}

fn stories() -> Server {
    Server::start("127.0.0.1", |path, _| if path == "/robots.txt" { not_found() } else { story(path) })
}

/// Waits until the server was asked for so many pages more.
fn wait_for(server: &Server, pages: usize, child: &mut Child) {
    let before = server.pages().len();
    while server.pages().len() < before + pages && child.try_wait().unwrap().is_none() {
        std::thread::sleep(MS);
    }
}

#[test]
fn fetch_killed_again_and_again_asks_for_no_finished_link_twice() {
    let server = stories();
    let other = server.base.replace("127.0.0.1", "localhost");
    let urls: Vec<String> =
        (0..30).flat_map(|i| [server.url(&format!("/a{i}")), format!("{other}/b{i}")]).collect();
    let dir = tempfile::tempdir().unwrap();
    let (links, out) = (write_links(dir.path(), &urls), dir.path().join("pages"));
    let path = |link: &str| link[link.rfind('/').unwrap()..].to_owned();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..8 {
        let mut child = fetch(&links, &out, &[]).spawn().unwrap();
        wait_for(&server, 3 + round, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        for (path, before) in &asked {
            assert_eq!(server.count(path), *before, "{path}");
        }
        for link in finished(&out).keys() {
            asked.insert(path(link), server.count(&path(link)));
        }
    }
    assert!(!asked.is_empty() && asked.len() < urls.len(), "{} of {}", asked.len(), urls.len());
    let output = fetch(&links, &out, &["--json"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    for (path, before) in &asked {
        assert_eq!(server.count(path), *before, "{path}");
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["wanted"].as_u64(), report["left"].as_u64()), (Some(60), Some(0)));
    assert_eq!(report["outcomes"], serde_json::json!([{ "outcome": "fetched", "links": 60 }]));
    assert!(finished(&out).values().all(|outcome| outcome == "fetched"));
    // The archive is whole: every page is in it once.
    let mut pages = BTreeSet::new();
    let options = scalelaw_archive::ReadOptions { page_bytes: 1 << 26, wants: &|_| true };
    let archive = std::fs::read(out.join("pages-00000.warc.gz")).unwrap();
    let read = scalelaw_archive::read(&*archive, options, &mut |item| {
        if let scalelaw_archive::Item::Page(page) = item {
            assert!(pages.insert(page.url.unwrap()), "twice");
        }
        std::ops::ControlFlow::Continue(())
    });
    let _ = read.unwrap();
    assert_eq!(pages, urls.into_iter().collect());
}

#[test]
#[cfg(unix)]
fn fetch_stopped_with_ctrl_c_says_how_to_go_on() {
    let server = Server::start("127.0.0.1", |path, before| match (path, before) {
        ("/robots.txt", _) => not_found(),
        ("/2", 0) => vec![Act::Wait(Duration::from_secs(30))],
        _ => story(path),
    });
    let dir = tempfile::tempdir().unwrap();
    let links = write_links(dir.path(), &[server.url("/1"), server.url("/2"), server.url("/3")]);
    let out = dir.path().join("pages");
    let mut child = fetch(&links, &out, &[]).spawn().unwrap();
    wait_for(&server, 2, &mut child);
    std::thread::sleep(50 * MS);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("run the same command to resume"));
    assert!(stdout(&output).contains("2  to do"), "{}", stdout(&output));
    let output = fetch(&links, &out, &[]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("3  links, 1 of them done before"), "{}", stdout(&output));
    assert_eq!(server.count("/1"), 1);
}

#[test]
#[cfg(unix)]
fn fetch_on_a_full_disk_names_the_file_and_goes_on_later() {
    let server = stories();
    let urls: Vec<String> = (0..30).map(|i| server.url(&format!("/{i}"))).collect();
    let dir = tempfile::tempdir().unwrap();
    let (links, out) = (write_links(dir.path(), &urls), dir.path().join("pages"));
    // No file may grow beyond some 16 or 32 kB, by whose blocks the shell counts.
    let whole = fetch(&links, &out, &[]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "sh"])
        .arg(whole.get_program())
        .args(whole.get_args());
    let output = limited.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("pages-00000.warc.gz: cannot write"), "{}", stderr(&output));
    let before = finished(&out);
    assert!(!before.is_empty() && before.len() < 30);
    let output = fetch(&links, &out, &[]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(finished(&out).len(), 30);
    assert!(before.keys().all(|link| server.count(&link[server.base.len()..]) == 1));
}

#[test]
fn links_to_pages_to_corpus() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => robots("User-agent: *\nDisallow: /closed"),
        "/moved" => redirect("/there"),
        "/missing" => not_found(),
        _ => story(path),
    });
    let dir = tempfile::tempdir().unwrap();
    let links = dir.path().join("submissions.jsonl");
    let mut dump = String::new();
    let mut submit = |path: &str, score: i64| {
        dump +=
            &format!("{}\n", serde_json::json!({ "url": server.url(path), "score": score, "title": "x" }));
    };
    (0..40).for_each(|i| submit(&format!("/{i}"), 5));
    submit("/twice?utm_source=feed", 2);
    submit("/twice", 2);
    submit("/poor", 2);
    ["/moved", "/missing", "/closed/door"].iter().for_each(|path| submit(path, 9));
    std::fs::write(&links, dump).unwrap();
    let pages = dir.path().join("pages");
    let output = fetch(&links, &pages, &[]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let table = stdout(&output);
    for line in
        ["42  fetched (", "1  status 404", "1  robots.txt disallows", "44  links, 0 of them done before"]
    {
        assert!(table.contains(line), "{line:?} in {table}");
    }
    assert!(
        stderr(&output).contains("44 links from 46 lines")
            && stderr(&output).contains("1 links below a score of 3")
    );
    assert_eq!(server.count("/poor"), 0);

    let corpus = dir.path().join("corpus");
    let output = Command::new(env!("CARGO_BIN_EXE_scalelaw"))
        .args([
            "corpus",
            "build",
            "--rules",
            "none",
            "--languages",
            "any",
            "--tokenizer",
            "gpt2",
            "--json",
            "--links",
        ])
        .arg(&links)
        .arg("--out")
        .arg(&corpus)
        .arg(&pages)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let manifest: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (manifest["links"]["wanted"].as_u64(), manifest["links"]["missing"].as_u64()),
        (Some(44), Some(2))
    );
    assert_eq!(manifest["read"]["documents"], 42);
    let missing = std::fs::read_to_string(corpus.join("links-missing.jsonl")).unwrap();
    assert!(missing.contains("/missing") && missing.contains("/closed/door"), "{missing}");
}

#[test]
fn fetch_without_a_link_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let links = dir.path().join("links.jsonl");
    std::fs::write(&links, "{\"url\": \"http://a.example\", \"score\": 1}\n").unwrap();
    let out = dir.path().join("pages");
    let output = fetch(&links, &out, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("1 links below a score of 3"), "{}", stderr(&output));
    assert!(!out.exists());
    let output = fetch(&links, &out, &["--hosts", "many"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

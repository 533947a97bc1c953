//! What is fuzzed of the readers of texts: each function takes any bytes, and has to come back. `tables.rs` has the
//! readers of tables, logs and laws.
//!
//!     cargo +nightly fuzz run archive        (or http, links, page; needs cargo-fuzz)
//!     cargo run --release -p scalelaw-corpus --example mutate -- SEEDS MINUTES      (stable, no tools)

use scalelaw_archive::{Item, ReadOptions, read};
use scalelaw_links::{LinkOptions, Links, normalise_url};
use scalelaw_page::page_to_text;
use std::ops::ControlFlow;

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Target); 4] =
    [("archive", archive), ("http", http), ("links", links), ("page", page)];

/// WARC and ARC in any packing, with the pages in them.
pub fn archive(bytes: &[u8]) {
    let options = ReadOptions { page_bytes: 1 << 20, wants: &|_| true };
    let _ = read(bytes, options, &mut |item| {
        if let Item::Page(page) = item {
            assert!(page.bytes.len() <= 1 << 20);
            let _ = page_to_text(&page.bytes, page.charset.as_deref());
        }
        ControlFlow::Continue(())
    });
}

/// A server's answer, in a record that is as it should be.
pub fn http(bytes: &[u8]) {
    let head = format!("WARC/1.0\nWARC-Type: response\nContent-Length: {}\n\n", bytes.len());
    archive(&[head.as_bytes(), bytes].concat());
}

/// A dump of submissions, and each of its lines as a URL.
pub fn links(bytes: &[u8]) {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("a temporary file");
    let options = LinkOptions { min_score: i64::MIN, ..LinkOptions::default() };
    let (links, counts) = Links::read(&[file.path().to_path_buf()], &options).expect("no line is fatal");
    assert_eq!(links.missing().count() as u64, counts.kept);
    assert!(links.missing().all(|(url, _)| links.wants(url)));
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(page) = normalise_url(line) {
            assert_eq!(normalise_url(&format!("http://{page}")), Some(page));
        }
    }
}

/// A web page of unknown encoding.
pub fn page(bytes: &[u8]) {
    let text = page_to_text(bytes, None).extracted.text;
    assert!(text.trim_end() == text && !text.contains('\0'));
}

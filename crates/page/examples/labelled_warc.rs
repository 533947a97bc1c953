//! Makes a WARC and a dump of links of labelled web pages, to try the whole chain from links to laws.
//!
//! ```text
//! cargo run -p scalelaw-page --example labelled_warc -- OUT PAGES.jsonl.zst…
//! ```
//! PAGES have `html` (or `html_base64`) and `url` or `id`. OUT gets `pages.warc.gz` (one member per record) and
//! `links.jsonl`: of each page two submissions that together have a score of 3 to 12, every tenth page one of a score
//! of 2, and ten links whose pages are nowhere.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/labelled/mod.rs"]
mod labelled;

use labelled::from_base64;
use scalelaw_archive::page_records;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

fn main() {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let out = arguments.next().expect("the first argument is a folder to write to");
    std::fs::create_dir_all(&out).unwrap();
    let mut warc = BufWriter::new(File::create(out.join("pages.warc.gz")).unwrap());
    let mut links = BufWriter::new(File::create(out.join("links.jsonl")).unwrap());
    let mut pages = 0;
    for path in arguments {
        let reader = BufReader::new(zstd::Decoder::new(File::open(path).unwrap()).unwrap());
        for line in reader.lines() {
            let page: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            let html = match (page["html"].as_str(), page["html_base64"].as_str()) {
                (Some(html), _) => html.as_bytes().to_vec(),
                (None, Some(base64)) => from_base64(base64),
                (None, None) => continue,
            };
            let id = || format!("https://pages.example/{}", page["id"].as_str().unwrap_or("unnamed"));
            let url = page["url"].as_str().map_or_else(id, str::to_owned);
            warc.write_all(&records(&url, &html)).unwrap();
            let scores: &[u64] = if pages % 10 == 9 { &[2] } else { &[1 + pages % 5, 2 + pages % 6] };
            for score in scores {
                writeln!(links, "{}", serde_json::json!({ "url": url, "score": score })).unwrap();
            }
            pages += 1;
        }
    }
    for i in 0..10 {
        let url = format!("https://nowhere.example/{i}");
        writeln!(links, "{}", serde_json::json!({ "url": url, "score": 5 })).unwrap();
    }
    warc.flush().unwrap();
    links.flush().unwrap();
    println!("{pages} pages in {}", out.display());
}

/// The records of a page that a server answered with.
fn records(url: &str, html: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", html.len());
    page_records(
        url,
        None,
        "2026-11-22T00:00:00Z",
        b"GET / HTTP/1.1\r\n\r\n",
        &[head.as_bytes(), html].concat(),
    )
}

//! Makes a WARC and a dump of links of labelled web pages, to try the whole chain from links to laws.
//!
//! ```text
//! cargo run -p scalelaw-corpus --example labelled_warc -- OUT PAGES.jsonl.zst…
//! ```
//! PAGES have `html` (or `html_base64`) and `url` or `id`. OUT gets `pages.warc.gz` (one member a record) and
//! `links.jsonl`: of each page two submissions that together have a score of 3 to 12, every tenth page one of a score
//! of 2, and ten links whose pages are nowhere.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use flate2::Compression;
use flate2::write::GzEncoder;
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
            warc.write_all(&record(&url, pages, &html)).unwrap();
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

/// A response record as a gzip member of its own.
fn record(url: &str, number: u64, html: &[u8]) -> Vec<u8> {
    let http =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", html.len());
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-11-22T00:00:00Z\r\n\
         WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012}>\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
        http.len() + html.len()
    );
    let mut member = GzEncoder::new(Vec::new(), Compression::default());
    for piece in [head.as_bytes(), http.as_bytes(), html, b"\r\n\r\n"] {
        member.write_all(piece).unwrap();
    }
    member.finish().unwrap()
}

fn from_base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut n) = (Vec::new(), 0u32, 0);
    for value in text.bytes().filter_map(|c| alphabet.iter().position(|&a| a == c)) {
        bits = bits << 6 | value as u32;
        n += 6;
        if n >= 8 {
            n -= 8;
            bytes.push((bits >> n) as u8);
        }
    }
    bytes
}

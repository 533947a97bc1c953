//! Fuzzes the parsers for a while without any tools: seeds, mutated at random, into each target of `fuzz/targets.rs`.
//!
//!     cargo run --release -p scalelaw-corpus --example mutate -- SEEDS MINUTES [SEED]
//!
//! SEEDS is a folder of files, taken as they are; pages in `.jsonl.zst` (key `html`) become seeds of their own. Ends
//! with 1 and the input in `mutate-failure` if a target panics, or takes longer than 10 seconds.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::exit)]

#[path = "../../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/targets.rs"]
mod targets;

use mutate::MAX_INPUT;
use std::io::{BufRead, BufReader};
use std::path::Path;

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(folder) = args.next().filter(|folder| Path::new(folder).is_dir()) else {
        eprintln!("SKIPPED: name a folder of seeds");
        return;
    };
    let minutes: f64 = args.next().and_then(|minutes| minutes.parse().ok()).unwrap_or(1.0);
    let seed = args.next().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut seeds = vec![];
    mutate::files(Path::new(&folder), &mut |path| collect(path, &mut seeds));
    seeds.push(b"{\"url\": \"http://www.a.example:80/b/../c?utm_x=1&y=%41#z\", \"score\": 3}\n".repeat(3));
    mutate::fuzz(&targets::TARGETS, &WORDS, &seeds, minutes, seed);
}

fn collect(path: &Path, seeds: &mut Vec<Vec<u8>>) {
    if !path.to_string_lossy().ends_with(".jsonl.zst") {
        seeds.push(mutate::seed_of(path));
        return;
    }
    let reader = BufReader::new(zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap());
    for line in reader.lines().step_by(5) {
        let value: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(html) = value["html"].as_str() {
            seeds.push(html.as_bytes()[..html.len().min(MAX_INPUT)].to_vec());
        }
    }
}

/// Pieces that mean something to one of the parsers.
const WORDS: [&[u8]; 28] = [
    b"WARC/1.0\r\n",
    b"WARC-Type: response\r\n",
    b"Content-Length: 18446744073709551615\r\n",
    b"Content-Length: 0\r\n",
    b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip, br, deflate\r\n",
    b"ffffffffffffffff\r\n",
    b"filedesc://x 1 20140301000000 text/plain 1\n",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"<div>",
    b"</div>",
    b"<p>",
    b"<table><tr><td>",
    b"<a href=x>",
    b"<script>",
    b"</script>",
    b"<!--",
    b"<svg><title/>",
    b"<plaintext>",
    b"<meta charset=utf-16>",
    b"&#x10FFFF;",
    b"\0",
    b"\xff\xfe",
    b"http://[::1]:99999/%",
    b"\"score\": 1e999",
];

//! Fuzzes the parsers for a while without any tools: seeds, mutated at random, into each target of `fuzz/targets.rs`.
//!
//!     cargo run --release -p scalelaw-corpus --example mutate -- SEEDS MINUTES [SEED]
//!
//! SEEDS is a folder of files, taken as they are; pages in `.jsonl.zst` (key `html`) become seeds of their own. Ends
//! with 1 and the input in `mutate-failure` if a target panics, or takes longer than 10 seconds.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::exit)]

#[path = "../../../fuzz/targets.rs"]
mod targets;

use scalelaw_random::{Generator, Rng, generator};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

/// Inputs larger than this say little more.
const MAX_INPUT: usize = 64 << 10;

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(folder) = args.next().filter(|folder| Path::new(folder).is_dir()) else {
        eprintln!("SKIPPED: name a folder of seeds");
        return;
    };
    let minutes: f64 = args.next().and_then(|minutes| minutes.parse().ok()).unwrap_or(1.0);
    let seed = args.next().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut seeds = vec![];
    collect(Path::new(&folder), &mut seeds);
    seeds.push(b"{\"url\": \"http://www.a.example:80/b/../c?utm_x=1&y=%41#z\", \"score\": 3}\n".repeat(3));
    println!("{} seeds", seeds.len());
    let mut rng = generator(seed);
    let (begun, mut said) = (Instant::now(), Instant::now());
    let mut executions = [0u64; targets::TARGETS.len()];
    let mut slowest = Duration::ZERO;
    while begun.elapsed().as_secs_f64() < minutes * 60.0 {
        let input = mutated(&seeds, &mut rng);
        for (i, (name, target)) in targets::TARGETS.into_iter().enumerate() {
            let started = Instant::now();
            let outcome = std::panic::catch_unwind(|| target(&input));
            let took = started.elapsed();
            slowest = slowest.max(took);
            executions[i] += 1;
            if outcome.is_err() || took > Duration::from_secs(10) {
                std::fs::write("mutate-failure", &input).unwrap();
                println!(
                    "{name}: failed or too slow ({took:.1?}) on {} bytes, kept in mutate-failure",
                    input.len()
                );
                std::process::exit(1);
            }
        }
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!("{:.0?}: {executions:?} executions, slowest {slowest:.1?}", begun.elapsed());
        }
    }
    for ((name, _), n) in targets::TARGETS.into_iter().zip(executions) {
        println!("{name}: {n} executions, no failure");
    }
    println!("slowest execution {slowest:.1?}");
}

fn collect(folder: &Path, seeds: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, seeds);
        } else if path.to_string_lossy().ends_with(".jsonl.zst") {
            let reader = BufReader::new(zstd::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap());
            for line in reader.lines().step_by(5) {
                let value: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                if let Some(html) = value["html"].as_str() {
                    seeds.push(html.as_bytes()[..html.len().min(MAX_INPUT)].to_vec());
                }
            }
        } else {
            let bytes = std::fs::read(&path).unwrap();
            seeds.push(bytes[..bytes.len().min(4 * MAX_INPUT)].to_vec());
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

fn mutated(seeds: &[Vec<u8>], rng: &mut Generator) -> Vec<u8> {
    let below = |rng: &mut Generator, n: usize| (rng.next_u64() % n.max(1) as u64) as usize;
    let mut input = seeds[below(rng, seeds.len())].clone();
    for _ in 0..=below(rng, 8) {
        let at = below(rng, input.len() + 1);
        let most = 1 << below(rng, 13);
        let length = below(rng, most).min(input.len() - at);
        match below(rng, 7) {
            0 if at < input.len() => input[at] ^= 1 << below(rng, 8),
            1 if at < input.len() => input[at] = rng.next_u64() as u8,
            2 => drop(input.drain(at..at + length)),
            3 => {
                let copy = input[at..at + length].repeat(1 + below(rng, 4));
                input.splice(at..at, copy);
            }
            4 => input
                .splice(at..at, WORDS[below(rng, WORDS.len())].repeat(1 << below(rng, 10)))
                .for_each(drop),
            5 => {
                let other = &seeds[below(rng, seeds.len())];
                let from = below(rng, other.len());
                let piece = other[from..other.len().min(from + 4096)].to_vec();
                input.splice(at..at, piece);
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(MAX_INPUT * 8);
    input
}

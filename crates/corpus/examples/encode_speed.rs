//! Speed of GPT-2 encoding on one thread: this program, tiktoken-rs and the tokenizers library in turns.
//!
//! ```text
//! cargo run --release -p scalelaw-corpus --example encode_speed -- TEXT [ENCODER…]
//! ```
//! TEXT is JSONL(.zst) or any other file that is read as documents. Each round takes the next 5 MB of it, and
//! every encoder starts it with empty caches; the ids must be the same. With ENCODER (`scalelaw`, `tiktoken-rs`,
//! `tokenizers`) only those; a line a round and encoder, then medians.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use scalelaw_corpus::{ReadLimits, Tokenizer, read_paths};
use std::ops::ControlFlow;
use std::path::PathBuf;

const ROUND_BYTES: usize = 5_000_000;
const ROUNDS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().expect("the first argument is a file of text"));
    let wanted: Vec<String> = arguments.collect();
    let rounds = rounds(path);
    let mut speeds = vec![Vec::new(); ENCODERS.len()];
    for (number, texts) in rounds.iter().enumerate() {
        let bytes: usize = texts.iter().map(String::len).sum();
        let mut digests = Vec::new();
        for (which, (name, make)) in ENCODERS.iter().enumerate() {
            if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {
                continue;
            }
            let encode = make();
            let mut ids: Vec<Vec<u32>> = Vec::with_capacity(texts.len());
            let started = cpu_seconds();
            ids.extend(texts.iter().map(|text| encode(text)));
            let speed = bytes as f64 / 1e6 / (cpu_seconds() - started);
            println!(
                "round {number} {name} {speed:.2} MB/s {} tokens",
                ids.iter().map(Vec::len).sum::<usize>()
            );
            speeds[which].push(speed);
            let raw: Vec<u8> = ids.iter().flatten().flat_map(|id| id.to_le_bytes()).collect();
            digests.push(blake3::hash(&raw));
        }
        assert!(digests.windows(2).all(|two| two[0] == two[1]), "the encoders differ in round {number}");
    }
    for ((name, _), speeds) in ENCODERS.iter().zip(&mut speeds) {
        speeds.sort_by(f64::total_cmp);
        if let Some(median) = speeds.get(speeds.len() / 2) {
            println!("median {name} {median:.2} MB/s");
        }
    }
}

/// Time of this thread on a processor, so that other processes on the machine count for little.
fn cpu_seconds() -> f64 {
    let stat =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says how long a thread ran");
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

type Encode = Box<dyn Fn(&str) -> Vec<u32>>;
type Make = fn() -> Encode;

/// Each encoder and how to make one that has seen no text.
const ENCODERS: [(&str, Make); 3] = [
    ("scalelaw", || {
        let tokenizer = Tokenizer::gpt2().unwrap();
        Box::new(move |text| tokenizer.encode(text).unwrap())
    }),
    ("tiktoken-rs", || {
        let tokenizer = tiktoken_rs::r50k_base().unwrap();
        Box::new(move |text| tokenizer.encode_ordinary(text))
    }),
    ("tokenizers", || {
        let tokenizer = tokenizers::Tokenizer::from_bytes(Tokenizer::gpt2().unwrap().json()).unwrap();
        Box::new(move |text| tokenizer.encode_fast(text, false).unwrap().get_ids().to_vec())
    }),
];

/// Consecutive pieces of the text: whole documents of 5 MB together.
fn rounds(path: PathBuf) -> Vec<Vec<String>> {
    let mut rounds = vec![Vec::new()];
    let mut bytes = 0;
    read_paths(&[path], ReadLimits::default(), &mut |document| {
        bytes += document.text.len();
        rounds.last_mut().unwrap().push(document.text);
        if bytes < ROUND_BYTES {
            return ControlFlow::Continue(());
        }
        if rounds.len() == ROUNDS {
            return ControlFlow::Break(());
        }
        rounds.push(Vec::new());
        bytes = 0;
        ControlFlow::Continue(())
    })
    .unwrap();
    rounds.retain(|texts| !texts.is_empty());
    rounds
}

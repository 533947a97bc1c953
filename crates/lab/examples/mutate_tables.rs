//! Fuzzes a reader of tables, logs or laws without any tools: seeds, mutated at random, into a target of `fuzz/tables.rs`.
//!
//!     cargo run --release -p scalelaw-lab --example mutate_tables -- TARGET MINUTES [SEED]
//!
//! The seeds are the fixtures of `crates/table` and files written here. Ends with 1 and the input in `mutate-failure`
//! if the target panics, or takes longer than 10 seconds.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::exit)]

#[path = "../../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/tables.rs"]
mod tables;

use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::{Dataset, FitOptions, fit};
use scalelaw_table::{Format, RunRow, write_rows};
use std::path::Path;

/// Pieces that mean something to one of the readers.
const WORDS: [&[u8]; 20] = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"18446744073709551615",
    b"-1",
    b"null",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\"step\": 1",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\0\0\0\0\0\0\0\0",
    b"PAR1",
    b"\x15\xfe\xff\xff\xff\x0f",
    b"\n",
    b"\r",
    b",",
    b"\"",
    b"step 1: val loss ",
    b" iteration 1/ 2 | lm loss: ",
    b"\x1b[",
];

fn main() {
    let mut args = std::env::args().skip(1);
    let named = args.next().and_then(|name| tables::TARGETS.into_iter().find(|(target, _)| *target == name));
    let Some(target) = named else {
        let names: Vec<&str> = tables::TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("SKIPPED: name a target: {}", names.join(", "));
        return;
    };
    let minutes: f64 = args.next().and_then(|minutes| minutes.parse().ok()).unwrap_or(1.0);
    let seed = args.next().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    mutate::fuzz(&[target], &WORDS, &seeds(target.0), minutes, seed);
}

/// Valid files of the kind that the target reads.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../table/tests/fixtures");
    mutate::files(&fixtures, &mut |path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let wanted = match target {
            "csv" => name.ends_with(".csv"),
            "parquet" => name.ends_with(".parquet"),
            "tensorboard" => name.contains("tfevents"),
            "huggingface" => name.ends_with(".json"),
            _ => false,
        };
        seeds.extend(wanted.then(|| mutate::seed_of(path)));
    });
    let rows: Vec<RunRow> = (1..40)
        .map(|i| RunRow {
            run_id: format!("run-{i}"),
            n_nonembed: Some(i * 1_000_000),
            tokens: Some(i * i * 1_000_000),
            loss: Some(2.0 + 3.0 / i as f64),
            dataset: (i % 3 > 0).then(|| "text".repeat(i as usize)),
            ..RunRow::default()
        })
        .collect();
    let format = match target {
        "jsonl" => Some(Format::Jsonl),
        "csv" | "gzip" => Some(Format::CSV),
        "parquet" => Some(Format::Parquet),
        _ => None,
    };
    if let Some(format) = format {
        let mut table = Vec::new();
        write_rows(&rows, format, &mut table).unwrap();
        seeds.push(table);
    }
    match target {
        "jsonl" => seeds.push(b"{\"_step\": 1, \"a\": {\"b\": [1, {}]}, \"val_loss\": NaN}\n".repeat(5)),
        "csv" => seeds.push(
            b"run,tag,step,value\na,loss,1,3.5\na,val_loss,1,\"3.6\"\na,loss,2,3.4\na,loss,1,9\n".to_vec(),
        ),
        "gzip" => seeds.push(gzipped(&seeds[0])),
        "printed" => seeds.push(PRINTED.to_vec()),
        "law" => seeds.push(serde_json::to_vec(&law()).unwrap()),
        _ => {}
    }
    seeds
}

/// Lines of every trainer that is read.
const PRINTED: &[u8] = b"tokens per iteration will be: 491,520\nstep 0: train loss 10.9, val loss 10.9\n\
    iter 10: loss 9.8, time 2ms, lr 3e-4\ns:0 tel:11.0\ns:0 trl:11.0 lr:0.01 norm:1.5\nval loss 11.0\n\
    step    1/19560 | loss 11.0 (+nanz)| norm 15.7 (+nanz)| lr 8.57e-07 | 3 ms\n  seq_length ..... 2048\n\
    iteration   1/  5 | consumed samples:  8 | lm loss: 5.0E+00 |\n validation loss at iteration 1 | lm loss value: 5.1E+00 |\n\
    \x1b[31mstep: 1  loss: 12.2  grad_norm: 1.0\nvalidate step: 1  loss: 12.3\n\
    Epoch 1 | iter 16 step 1 | loss train: 10.9, val: n/a | (step)\niter 16: val loss 9.8, val time: 1 ms\n\
    [step=10/73,epoch=0]\n    train/CrossEntropyLoss=9.8\n    throughput/total_tokens=41,943\n";

/// A file of one stored block, as RFC 1951 and 1952 have it; its checksum is wrong, as most mutations would make it.
fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len().min(60_000) as u16).to_le_bytes();
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, length[0], length[1], !length[0], !length[1]];
    [&head[..], &bytes[..bytes.len().min(60_000)], &[0; 8]].concat()
}

fn law() -> scalelaw_fit::FittedLaw {
    let (mut n, mut d, mut loss) = (vec![], vec![], vec![]);
    for i in 0..25 {
        let (size, tokens) = (1e7 * 4f64.powi(i % 5), 1e9 * 4f64.powi(i / 5));
        n.push(size);
        d.push(tokens);
        loss.push(1.8 + 482.0 / size.powf(0.35) + 2085.0 / tokens.powf(0.36) + 0.001 * f64::from(i % 3));
    }
    fit(&Chinchilla, &Dataset::new(loss).with("N", n).with("D", d), &FitOptions::default()).unwrap()
}

//! Speed of a full Adam step: `step_speed LAYERS D HEADS VOCABULARY SECONDS [WORD…]` with the words `threads=N`,
//! `micro=N`, `chunk=N`, `context=N`, `batch=N`, and `lstm` or `reuse=N` for the other architectures.
//!
//! Context 128, batch 32, untied head, as in `bench/step`. Prints the median and the fastest step, GFLOP/s
//! (head and attention counted) and their share of the best matrix product measured in the same process.
//!
//! With the word `serve` it measures when it is told to, as `bench/peer` wants it: every line of standard input,
//! `train SECONDS`, `evaluate SECONDS` or `peak SECONDS`, is answered by a line: median milliseconds of a batch, or
//! GFLOP/s.
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use scalelaw_core::{FlopConvention, Head, ModelShape};
use scalelaw_device_cpu::gemm::{Left, Right, Size, Start, gemm};
use scalelaw_device_cpu::pack::{Layout, Packed};
use scalelaw_device_cpu::{CpuDevice, Isa};
use scalelaw_graph::{Adam, Batch, Device, DropoutKey, Rule, Session, SessionOptions, State, Update};
use scalelaw_train::model;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::time::Instant;

const RULE: Rule = Rule::Adam(Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 });

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sizes: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let &[n_layer, d_model, n_head, n_vocab, seconds] = &sizes[..] else {
        println!(
            "usage: step_speed LAYERS D HEADS VOCABULARY SECONDS [threads=N micro=N chunk=N context=N batch=N lstm reuse=N serve]"
        );
        return;
    };
    let word = |name: &str| {
        arguments.iter().find_map(|a| a.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
    };
    let says = |word: &str| arguments.iter().any(|argument| argument == word);
    let threads = word("threads").unwrap_or(1);
    let sequences = word("batch").unwrap_or(32);
    let micro_sequences = word("micro").unwrap_or(sequences / threads);
    let [layers, width, heads, words, context] =
        [n_layer, d_model, n_head, n_vocab, word("context").unwrap_or(128)].map(|size| size as u32);
    let mut shape = ModelShape::standard(layers, width, heads, context, words, Head::Untied);
    if says("lstm") {
        shape = ModelShape::lstm(layers, width, context, words, Head::Untied);
    }
    if let Some(blocks) = shape.transformer_mut() {
        blocks.reuse = word("reuse").unwrap_or(1) as u32;
    }

    let options = SessionOptions { threads, chunk: word("chunk") };
    let mut bench = Bench::new(&shape, sequences, micro_sequences, options);
    if says("serve") {
        println!("ready footprint {} flops {}", bench.footprint, bench.flops);
        serve(&mut bench);
        return;
    }
    for _ in 0..3 {
        bench.step();
    }
    let (median, fastest) = median_and_min(&repeat(seconds as f64, || bench.step()));
    let (_, evaluation) = median_and_min(&repeat(0.1, || bench.evaluate()));
    let gflops = bench.flops / fastest / 1e9;
    let peak = best_gemm();
    println!(
        "ours nt{threads} {} L{n_layer} x{} d{d_model} V{n_vocab} tok/s {:.0} med_ms {:.2} min_ms {:.2} steps {} GFLOP/s {gflops:.1} \
         of {peak:.1} = {:.0}% eval_x {:.2} MB {:.1}",
        shape.architecture.name(),
        shape.reuse(),
        (sequences * context as usize) as f64 / median,
        median * 1e3,
        fastest * 1e3,
        bench.steps,
        100.0 * gflops / peak / threads as f64,
        fastest / evaluation,
        bench.footprint as f64 / 1e6,
    );
}

fn serve(bench: &mut Bench) {
    for line in stdin().lock().lines().map_while(Result::ok) {
        let (what, seconds) = line.split_once(' ').unwrap_or((&line, "0"));
        let seconds = seconds.parse().unwrap_or(0.0);
        let answer = match what {
            "train" => median_and_min(&repeat(seconds, || bench.step())).0 * 1e3,
            "evaluate" => median_and_min(&repeat(seconds, || bench.evaluate())).0 * 1e3,
            "peak" => repeat(seconds, best_gemm).into_iter().fold(0.0, f64::max),
            _ => f64::NAN,
        };
        println!("{answer}");
        stdout().flush().expect("whoever asked reads the answer");
    }
}

/// A model in training on tokens that look random.
struct Bench {
    session: Box<dyn Session>,
    n_vocab: u64,
    tokens: Vec<u32>,
    micro_sequences: usize,
    steps: u64,
    random: u64,
    /// Bytes that the session says it holds.
    footprint: usize,
    /// FLOPs of a step.
    flops: f64,
}

impl Bench {
    fn new(shape: &ModelShape, sequences: usize, micro_sequences: usize, options: SessionOptions) -> Self {
        let plan = Arc::new(model::plan(shape, 0.0));
        let device = CpuDevice::new();
        let tokens = sequences * shape.n_ctx as usize;
        let mut bench = Self {
            footprint: device.footprint(&plan, &RULE, options).bytes(),
            session: device.open(Arc::clone(&plan), options),
            n_vocab: u64::from(shape.n_vocab),
            tokens: vec![0; tokens + sequences],
            micro_sequences,
            steps: 0,
            random: 1,
            flops: tokens as f64 * shape.train_flops_per_token(FlopConvention::Full),
        };
        let parameters = (0..plan.n_parameters())
            .map(|_| (bench.random() as f32 / (1u64 << 31) as f32 - 0.5) * 0.1)
            .collect();
        bench.session.restore(State::new(&plan, &RULE, parameters)).expect("the plan's own length");
        bench
    }

    fn random(&mut self) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// Seconds of a step on another batch.
    fn step(&mut self) -> f64 {
        self.steps += 1;
        for i in 0..self.tokens.len() {
            self.tokens[i] = (self.random() % (self.n_vocab / 4)) as u32;
        }
        let update = Update { rule: RULE, lr: 1e-3, step: self.steps, clip_norm: None };
        let dropout = DropoutKey { seed: 0, step: 0 };
        let began = Instant::now();
        let batch = Batch { tokens: &self.tokens, micro_sequences: self.micro_sequences, dropout };
        self.session.step(batch, &update).expect("tokens of the vocabulary");
        began.elapsed().as_secs_f64()
    }

    /// Seconds of an evaluation of a batch.
    fn evaluate(&mut self) -> f64 {
        let began = Instant::now();
        self.session.evaluate(&self.tokens).expect("tokens of the vocabulary");
        began.elapsed().as_secs_f64()
    }
}

/// What `measure` says, again and again for so many seconds, at least once.
fn repeat(seconds: f64, mut measure: impl FnMut() -> f64) -> Vec<f64> {
    let began = Instant::now();
    let mut all = vec![measure()];
    while began.elapsed().as_secs_f64() < seconds {
        all.push(measure());
    }
    all
}

fn median_and_min(times: &[f64]) -> (f64, f64) {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

/// GFLOP/s of the fastest of a few products that fit the caches.
fn best_gemm() -> f64 {
    let isa = Isa::best();
    let mut best = 0f64;
    for (m, n, k) in [(96, 64, 128), (96, 96, 256), (120, 128, 256)] {
        let (a, b) = (vec![0.5; m * (k + 16)], vec![0.25; k * n]);
        let mut c = vec![0.0; m * (n + 16)];
        let mut packed = Packed::default();
        packed.pack(isa, k, n, &b, n, Layout::Rows);
        for _ in 0..10 {
            let repeats = 20;
            let began = Instant::now();
            for _ in 0..repeats {
                let left = Left::Rows { data: &a, row: k + 16 };
                gemm(isa, Size { m, n, k }, left, Right::Panels(packed.whole()), Start::Zero, &mut c, n + 16);
            }
            let flops = (2 * m * n * k * repeats) as f64;
            best = best.max(flops / began.elapsed().as_secs_f64() / 1e9);
        }
    }
    best
}

//! Speed of a full Adam step: `step_speed LAYERS D HEADS VOCABULARY SECONDS [THREADS [MICRO [CHUNK]]]`, with the
//! word `lstm` or `reuse=4` anywhere for the other architectures.
//!
//! Context 128, batch 32, untied head, as in `bench/step`. Prints the median and the fastest step, GFLOP/s
//! (head and attention counted) and their share of the best matrix product measured in the same process.
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use scalelaw_core::{FlopConvention, Head, ModelShape};
use scalelaw_kernels::gemm::{Left, Right, Size, Start, gemm};
use scalelaw_kernels::pack::{Layout, Packed};
use scalelaw_kernels::{
    Adam, Batch, CpuDevice, Device, DropoutKey, Isa, Rule, Session, SessionOptions, State, Update,
};
use scalelaw_train::model;
use std::sync::Arc;
use std::time::Instant;

const N_CTX: u32 = 128;
const SEQUENCES: usize = 32;

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let &[n_layer, d_model, n_head, n_vocab, seconds, ref rest @ ..] = &arguments[..] else {
        println!(
            "usage: step_speed LAYERS D HEADS VOCABULARY SECONDS [THREADS [MICRO [CHUNK]]] [lstm|reuse=N]"
        );
        return;
    };
    let threads = rest.first().copied().unwrap_or(1);
    let micro_sequences = rest.get(1).copied().unwrap_or(SEQUENCES / threads);
    let chunk = rest.get(2).copied();
    let [layers, width, heads, words] = [n_layer, d_model, n_head, n_vocab].map(|size| size as u32);
    let mut shape = ModelShape::standard(layers, width, heads, N_CTX, words, Head::Untied);
    for word in std::env::args() {
        if word == "lstm" {
            shape = ModelShape::lstm(layers, width, N_CTX, words, Head::Untied);
        } else if let Some(reuse) = word.strip_prefix("reuse=").and_then(|n| n.parse().ok()) {
            shape.reuse = reuse;
        }
    }
    let plan = Arc::new(model::plan(&shape, 0.0));
    let device = CpuDevice::new();
    let options = SessionOptions { threads, chunk };
    let rule = Rule::Adam(Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 });
    let bytes = device.footprint(&plan, &rule, options).bytes();
    let mut session = device.open(Arc::clone(&plan), options);
    let mut x = 1u64;
    let mut random = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        x >> 33
    };
    let parameters: Vec<f32> =
        (0..plan.n_parameters()).map(|_| (random() as f32 / (1u64 << 31) as f32 - 0.5) * 0.1).collect();
    session.restore(State::new(&plan, &rule, parameters)).expect("the plan's own length");

    let dropout = DropoutKey { seed: 0, step: 0 };
    let mut times = vec![];
    let started = Instant::now();
    let mut step = 0;
    while step < 6 || started.elapsed().as_secs() < seconds as u64 {
        step += 1;
        let tokens: Vec<u32> =
            (0..SEQUENCES * (N_CTX as usize + 1)).map(|_| (random() % (n_vocab as u64 / 4)) as u32).collect();
        let update = Update { rule, lr: 1e-3, step, clip_norm: None };
        let began = Instant::now();
        session
            .step(Batch { tokens: &tokens, micro_sequences, dropout }, &update)
            .expect("tokens of the vocabulary");
        times.push(began.elapsed().as_secs_f64());
    }
    let tokens = vec![0; SEQUENCES * (N_CTX as usize + 1)];
    let mut evaluations = vec![];
    for _ in 0..5 {
        let began = Instant::now();
        session.evaluate(&tokens).expect("tokens of the vocabulary");
        evaluations.push(began.elapsed().as_secs_f64());
    }
    let (median, fastest) = median_and_min(&mut times[2..]);
    let (_, evaluation) = median_and_min(&mut evaluations);
    let batch = (SEQUENCES * N_CTX as usize) as f64;
    let gflops = batch * shape.train_flops_per_token(FlopConvention::Full) / fastest / 1e9;
    let peak = best_gemm();
    println!(
        "ours nt{threads} {} L{n_layer} x{} d{d_model} V{n_vocab} tok/s {:.0} med_ms {:.2} min_ms {:.2} steps {step} GFLOP/s {gflops:.1} \
         of {peak:.1} = {:.0}% eval_x {:.2} MB {:.1}",
        shape.architecture.name(),
        shape.reuse,
        batch / median,
        median * 1e3,
        fastest * 1e3,
        100.0 * gflops / peak / threads as f64,
        fastest / evaluation,
        bytes as f64 / 1e6,
    );
}

fn median_and_min(times: &mut [f64]) -> (f64, f64) {
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
                gemm(isa, Size { m, n, k }, left, Right::Panels(&packed), Start::Zero, &mut c, n + 16);
            }
            let flops = (2 * m * n * k * repeats) as f64;
            best = best.max(flops / began.elapsed().as_secs_f64() / 1e9);
        }
    }
    best
}

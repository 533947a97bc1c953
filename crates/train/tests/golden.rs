//! Losses and gradients against PyTorch; `golden/make.py` made the numbers and states the rules repeated here.
#![allow(clippy::unwrap_used, reason = "a test")]

use scalelaw_core::ModelShape;
use scalelaw_kernels::{Adam, Batch, CpuDevice, Device, Plan, Session, SessionOptions, State};
use scalelaw_train::transformer;
use serde_json::Value;
use std::sync::Arc;

const SEQUENCES: usize = 8;

fn scramble(i: u64) -> f64 {
    (i.wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64
}

fn initial(plan: &Plan) -> State {
    let mut parameters: Vec<f32> =
        (0..plan.n_parameters() as u64).map(|i| ((scramble(i) - 0.5) / 4.0) as f32).collect();
    for tensor in plan.tensors() {
        if tensor.name.contains("ln_") && tensor.name.ends_with("weight") {
            parameters[tensor.range.clone()].iter_mut().for_each(|x| *x += 1.0);
        }
    }
    let zeros = vec![0.0; parameters.len()];
    State { parameters, first: zeros.clone(), second: zeros }
}

fn batch(shape: &ModelShape, step: u64) -> Vec<u32> {
    let v = u64::from(shape.n_vocab);
    (0..SEQUENCES as u64 * u64::from(shape.n_ctx + 1))
        .map(|j| {
            let token = if scramble(j + 1000 * step) < 0.8 {
                (j * j + 3 * j) % v
            } else {
                (scramble(7 * j + step) * v as f64) as u64
            };
            token as u32
        })
        .collect()
}

#[test]
fn training_follows_pytorch_for_two_hundred_steps() {
    let golden: Value = serde_json::from_str(include_str!("golden/transformer.json")).unwrap();
    for model in golden["models"].as_array().unwrap() {
        let shape: ModelShape = serde_json::from_value(model["shape"].clone()).unwrap();
        let plan = Arc::new(transformer::plan(&shape));
        let options = SessionOptions { threads: 1, chunk: None };
        let mut session = CpuDevice::new().open(Arc::clone(&plan), options);
        session.restore(initial(&plan)).unwrap();
        let first = batch(&shape, 0);
        let (_, gradient) = session.gradient(Batch { tokens: &first, micro_sequences: 4 }).unwrap();
        for tensor in plan.tensors() {
            let want = model["gradient_norms"][&tensor.name].as_f64().unwrap();
            let square: f64 = gradient[tensor.range.clone()].iter().map(|&g| f64::from(g).powi(2)).sum();
            let got = square.sqrt();
            assert!((got / want - 1.0).abs() < 1e-5, "{}: |gradient| {got}, PyTorch {want}", tensor.name);
        }
        let losses = model["losses"].as_array().unwrap();
        for (step, want) in (0..).zip(losses) {
            let update = Adam { lr: 3e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, step: step + 1 };
            let tokens = batch(&shape, step);
            let got = session.step(Batch { tokens: &tokens, micro_sequences: 4 }, &update).unwrap().loss;
            let want = want.as_f64().unwrap();
            assert!((got / want - 1.0).abs() < 1e-4, "{shape:?} step {step}: loss {got}, PyTorch {want}");
        }
        let (first, last) = (losses[0].as_f64().unwrap(), losses[losses.len() - 1].as_f64().unwrap());
        assert!(last < 0.6 * first, "the golden run learns: {first} to {last}");
    }
}

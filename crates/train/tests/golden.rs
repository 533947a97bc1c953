//! Losses and gradients against PyTorch; the scripts in `golden` made the numbers and state the rules repeated
//! here.
#![allow(clippy::unwrap_used, reason = "a test")]

use scalelaw_core::ModelShape;
use scalelaw_core::spec::Optimizer;
use scalelaw_device_cpu::CpuDevice;
use scalelaw_graph::{Batch, Device, DropoutKey, Plan, Rule, Session, SessionOptions, State, Update};
use scalelaw_train::{model, rule};
use serde_json::Value;
use std::sync::Arc;

const SEQUENCES: usize = 8;

fn scramble(i: u64) -> f64 {
    (i.wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64
}

const KEY: DropoutKey = DropoutKey { seed: 0, step: 0 };
const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 };

fn initial(plan: &Plan, rule: &Rule) -> State {
    let mut parameters: Vec<f32> =
        (0..plan.n_parameters() as u64).map(|i| ((scramble(i) - 0.5) / 4.0) as f32).collect();
    for tensor in plan.tensors() {
        if ["ln_", "_norm"].iter().any(|part| tensor.name.contains(part)) && tensor.name.ends_with("weight") {
            parameters[tensor.range.clone()].iter_mut().for_each(|x| *x += 1.0);
        }
    }
    State::new(plan, rule, parameters)
}

fn open(plan: &Arc<Plan>, rule: &Rule) -> Box<dyn Session> {
    let options = SessionOptions { threads: 1, chunk: None };
    let mut session = CpuDevice::new().open(Arc::clone(plan), options);
    session.restore(initial(plan, rule)).unwrap();
    session
}

/// Trains as the script did and compares the loss of every step.
fn follow(shape: &ModelShape, session: &mut dyn Session, update: Update, losses: &Value) {
    let losses: Vec<f64> = serde_json::from_value(losses.clone()).unwrap();
    for (step, want) in (0..).zip(&losses) {
        let tokens = batch(shape, step);
        let update = Update { step: step + 1, ..update };
        let got =
            session.step(Batch { tokens: &tokens, micro_sequences: 4, dropout: KEY }, &update).unwrap().loss;
        assert!((got / want - 1.0).abs() < 1e-4, "{:?} step {step}: loss {got}, PyTorch {want}", update.rule);
    }
    // What four layers of LSTM learn in this time.
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < 0.75 * first, "the golden run learns: {first} to {last}");
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

/// Gradients of the first step and losses of all steps of Adam.
fn compare(golden: &str) {
    let golden: Value = serde_json::from_str(golden).unwrap();
    let lr = golden["lr"].as_f64().unwrap_or(3e-3);
    for of_shape in golden["models"].as_array().unwrap() {
        let shape: ModelShape = serde_json::from_value(of_shape["shape"].clone()).unwrap();
        let plan = Arc::new(model::plan(&shape, 0.0));
        let rule = rule(&ADAM);
        let mut session = open(&plan, &rule);
        let first = batch(&shape, 0);
        let (_, gradient) =
            session.gradient(Batch { tokens: &first, micro_sequences: 4, dropout: KEY }).unwrap();
        for tensor in plan.tensors() {
            let want = of_shape["gradient_norms"][&tensor.name].as_f64().unwrap();
            let square: f64 = gradient[tensor.range.clone()].iter().map(|&g| f64::from(g).powi(2)).sum();
            let got = square.sqrt();
            assert!((got / want - 1.0).abs() < 1e-5, "{}: |gradient| {got}, PyTorch {want}", tensor.name);
        }
        let update = Update { rule, lr, step: 0, clip_norm: None };
        follow(&shape, &mut *session, update, &of_shape["losses"]);
    }
}

#[test]
fn training_a_transformer_follows_pytorch_for_two_hundred_steps() {
    compare(include_str!("golden/transformer.json"));
}

#[test]
fn training_a_recurrent_transformer_follows_pytorch_for_two_hundred_steps() {
    compare(include_str!("golden/recurrent.json"));
}

#[test]
fn training_with_every_setting_of_blocks_follows_pytorch_for_two_hundred_steps() {
    compare(include_str!("golden/modern.json"));
}

#[test]
fn training_with_other_norms_and_activations_follows_pytorch_for_two_hundred_steps() {
    compare(include_str!("golden/settings.json"));
}

#[test]
fn training_an_lstm_follows_pytorch_for_two_hundred_steps() {
    compare(include_str!("golden/lstm.json"));
}

#[test]
fn every_optimizer_follows_pytorch_for_three_hundred_steps() {
    let golden: Value = serde_json::from_str(include_str!("golden/optimizers.json")).unwrap();
    let shape: ModelShape = serde_json::from_value(golden["shape"].clone()).unwrap();
    let plan = Arc::new(model::plan(&shape, 0.0));
    for run in golden["runs"].as_array().unwrap() {
        let rule = rule(&serde_json::from_value(run["optimizer"].clone()).unwrap());
        let (lr, clip_norm) = (run["lr"].as_f64().unwrap(), run["clip_norm"].as_f64());
        let update = Update { rule, lr, step: 0, clip_norm };
        follow(&shape, &mut *open(&plan, &rule), update, &run["losses"]);
    }
}

//! What a session is said to hold against what it allocates.

use scalelaw_kernels::graph::Heads;
use scalelaw_kernels::ops::activation::Activation;
use scalelaw_kernels::ops::norm::Kind;
use scalelaw_kernels::{
    Adam, Batch, CpuDevice, Device, DropoutKey, Graph, Plan, Rule, Session, SessionOptions, State, Update,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counting.
struct Counting;

/// Bytes that are allocated now.
static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on as it came; the default `realloc` and `alloc_zeroed` come back to these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CONTEXT: usize = 32;
const VOCABULARY: usize = 500;

fn transformer(width: usize) -> Plan {
    let mut graph = Graph::new(CONTEXT);
    let tokens = graph.table("tokens", VOCABULARY, width);
    let mut x = graph.embed(tokens, None);
    let heads = Heads { n_head: 2, n_kv_head: 2, d_head: width / 2 };
    let norm = graph.norm_parameters("norm", Kind::Layer, width);
    let qkv = graph.linear_parameters("qkv", width, heads.qkv_width());
    let project = graph.linear_parameters("project", width, width);
    let up = graph.linear_parameters("up", width, 4 * width);
    let down = graph.linear_parameters("down", 4 * width, width);
    // Twice through one block: uses after the first have gradients of their own.
    for _ in 0..2 {
        let normed = graph.norm(&x, norm);
        let rows = graph.linear(&normed, qkv);
        let attended = graph.attention(&rows, heads);
        x = graph.linear_residual(&attended, project, x);
        let hidden = graph.linear_activation(&x, up, Activation::GeluTanh);
        let y = graph.copy(&x);
        x = graph.linear_residual(&hidden, down, y);
    }
    graph.head(&x, tokens)
}

fn recurrent(width: usize) -> Plan {
    let mut graph = Graph::new(CONTEXT);
    let tokens = graph.table("tokens", VOCABULARY, width);
    let x = graph.embed(tokens, None);
    let input = graph.linear_parameters("input", width, 4 * width);
    let weight = graph.table("recurrent", width, 4 * width);
    let gates = graph.linear(&x, input);
    let y = graph.lstm(gates, weight);
    let head = graph.table("head", VOCABULARY, width);
    graph.head(&y, head)
}

/// Bytes that a session allocates until it has made a step and an evaluation.
fn held(plan: &Arc<Plan>, rule: &Rule, options: SessionOptions, tokens: &[u32]) -> usize {
    let before = HELD.load(Relaxed);
    let mut session = CpuDevice::new().open(Arc::clone(plan), options);
    let parameters = vec![0.01; plan.n_parameters()];
    session.restore(State::new(plan, rule, parameters)).expect("a state of this plan");
    let update = Update { rule: *rule, lr: 1e-3, step: 1, clip_norm: None };
    let dropout = DropoutKey { seed: 0, step: 0 };
    session.step(Batch { tokens, micro_sequences: 4, dropout }, &update).expect("tokens of the vocabulary");
    drop(session.evaluate(tokens).expect("tokens of the vocabulary"));
    HELD.load(Relaxed) - before
}

#[test]
fn footprint_of_any_plan_and_options_is_what_a_session_allocates() {
    let rule = Rule::Adam(Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 });
    let tokens: Vec<u32> = (0..16 * (CONTEXT as u32 + 1)).map(|i| i % VOCABULARY as u32).collect();
    for plan in [transformer(16), transformer(64), transformer(192), recurrent(48)].map(Arc::new) {
        for (threads, chunk) in [(1, None), (1, Some(1)), (2, Some(4)), (3, None)] {
            let options = SessionOptions { threads, chunk };
            let said = CpuDevice::new().footprint(&plan, &rule, options).bytes() as f64;
            let held = held(&plan, &rule, options, &tokens) as f64;
            let off = (said / held - 1.0).abs();
            assert!(off < 0.02, "{} parameters, {options:?}: {said} said, {held} held", plan.n_parameters());
        }
    }
}

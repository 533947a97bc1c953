//! What a session is said to hold against what it allocates.

use scalelaw_device_cpu::CpuDevice;
use scalelaw_graph::ops::norm::Kind;
use scalelaw_graph::ops::{Activation, Attention, Embed, Epilogue, Head, Heads, Linear, Lstm, Norm, Rotary};
use scalelaw_graph::{
    Adam, Batch, Device, DropoutKey, Graph, Plan, Role, Rule, SessionOptions, State, Update,
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

const ROLES: [Role; 2] = [Role::Matrix, Role::Bias];

fn transformer(width: usize) -> Plan {
    let mut graph = Graph::new(CONTEXT);
    let tokens = graph.matrix("tokens", Role::Embedding, VOCABULARY, width);
    let mut x = graph.apply(Embed { tokens, positions: None });
    let heads = Heads { n_head: 2, n_kv_head: 2, d_head: width / 2 };
    let parameters = graph.norm("norm", Kind::Layer, width);
    let qkv = graph.affine("qkv", ROLES, width, heads.qkv_width());
    let project = graph.affine("project", ROLES, width, width);
    let up = graph.affine("up", ROLES, width, 4 * width);
    let down = graph.affine("down", ROLES, 4 * width, width);
    // Twice through one block: uses after the first have gradients of their own.
    for _ in 0..2 {
        let normed = graph.apply(Norm { x, parameters });
        let qkv = graph.apply(Linear { x: normed, affine: qkv, epilogue: Epilogue::None });
        let qkv = graph.apply(Rotary { qkv, heads });
        let attended = graph.apply(Attention { qkv, heads });
        x = graph.apply(Linear { x: attended, affine: project, epilogue: Epilogue::Residual(x) });
        let epilogue = Epilogue::Activation(Activation::GeluTanh);
        let hidden = graph.apply(Linear { x, affine: up, epilogue });
        // The backward pass wants x, so that the sum is made beside it.
        x = graph.apply(Linear { x: hidden, affine: down, epilogue: Epilogue::Residual(x) });
    }
    graph.apply(Head { x, table: tokens });
    graph.finish()
}

fn recurrent(width: usize) -> Plan {
    let mut graph = Graph::new(CONTEXT);
    let tokens = graph.matrix("tokens", Role::Embedding, VOCABULARY, width);
    let x = graph.apply(Embed { tokens, positions: None });
    let affine = graph.affine("input", ROLES, width, 4 * width);
    let weight = graph.matrix("recurrent", Role::Matrix, width, 4 * width);
    let gates = graph.apply(Linear { x, affine, epilogue: Epilogue::None });
    let x = graph.apply(Lstm { gates, weight });
    let table = graph.matrix("head", Role::Head, VOCABULARY, width);
    graph.apply(Head { x, table });
    graph.finish()
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

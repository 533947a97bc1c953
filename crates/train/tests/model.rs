//! Whole models against the f64 reference and against central differences, for awkward shapes.
#![allow(clippy::unwrap_used, reason = "a test")]

use scalelaw_core::block::{Block, FeedForward, Norm, NormPlacement, Positions, QkNorm};
use scalelaw_core::{Architecture, Head, ModelShape, ParamConvention, Transformer};
use scalelaw_device_cpu::{CpuDevice, Isa};
use scalelaw_graph::{
    Adafactor, Adam, Batch, Device, DropoutKey, Plan, ReferenceDevice, Rule, SessionOptions, State, StepSize,
    Update, reference,
};
use scalelaw_train::model;
use std::sync::Arc;

/// Every setting of blocks that is usual today at once; one head of keys and values.
const MODERN: Block = Block {
    norm: Norm::Rms,
    norm_placement: NormPlacement::Pre,
    positions: Positions::Rotary,
    feed_forward: FeedForward::Swiglu,
    qk_norm: QkNorm::Rms,
    n_kv_head: 1,
};

/// The Transformer with other settings of its blocks, which are used `reuse` times.
fn with_blocks(mut shape: ModelShape, reuse: u32, block: Block) -> ModelShape {
    let transformer = shape.transformer_mut().unwrap();
    (transformer.reuse, transformer.block) = (reuse, block);
    shape
}

/// Small and awkward: widths that are no multiple of a register, one token, two words, no layer, tied.
fn shapes() -> Vec<ModelShape> {
    let shape = |n_layer, d_model, d_ff, d_attn, n_head, n_ctx, n_vocab, head| ModelShape {
        architecture: Architecture::Transformer(Transformer {
            reuse: 1,
            d_ff,
            d_attn,
            n_head,
            block: Block::default(),
        }),
        n_layer,
        d_model,
        n_ctx,
        n_vocab,
        head,
    };
    let block = Block::default();
    let with = |block: Block| with_blocks(shape(1, 8, 12, 16, 4, 9, 11, Head::Untied), 1, block);
    vec![
        shape(1, 8, 32, 8, 1, 9, 11, Head::Untied),
        shape(2, 8, 24, 12, 3, 7, 17, Head::Tied),
        shape(1, 5, 7, 6, 2, 4, 3, Head::Untied),
        shape(1, 17, 33, 10, 2, 35, 20, Head::Tied),
        shape(1, 16, 16, 32, 2, 40, 32, Head::Untied),
        shape(0, 8, 32, 8, 1, 6, 13, Head::Untied),
        shape(0, 6, 1, 1, 1, 3, 5, Head::Tied),
        shape(2, 4, 5, 4, 4, 1, 2, Head::Tied),
        shape(1, 1, 1, 1, 1, 2, 2, Head::Untied),
        shape(3, 12, 48, 12, 2, 8, 33, Head::Untied),
        with_blocks(shape(1, 8, 16, 8, 2, 9, 11, Head::Untied), 4, block),
        with_blocks(shape(2, 5, 7, 6, 3, 5, 13, Head::Tied), 2, block),
        with(Block { norm: Norm::Rms, ..block }),
        with(Block { positions: Positions::Rotary, ..block }),
        with(Block { feed_forward: FeedForward::Swiglu, ..block }),
        with(Block { qk_norm: QkNorm::Rms, ..block }),
        with(Block { n_kv_head: 2, ..block }),
        with(Block { norm_placement: NormPlacement::Post, ..block }),
        with(Block { feed_forward: FeedForward::GeluExact, ..block }),
        with(Block { feed_forward: FeedForward::Relu, ..block }),
        with(Block { feed_forward: FeedForward::Silu, ..block }),
        with_blocks(
            shape(2, 8, 12, 18, 3, 9, 11, Head::Tied),
            2,
            Block { norm_placement: NormPlacement::Post, ..MODERN },
        ),
        with_blocks(shape(1, 8, 12, 18, 3, 9, 11, Head::Tied), 2, MODERN),
        with_blocks(shape(2, 17, 9, 4, 1, 35, 20, Head::Untied), 1, MODERN),
        ModelShape::lstm(1, 8, 9, 11, Head::Untied),
        ModelShape::lstm(2, 5, 7, 17, Head::Tied),
        ModelShape::lstm(4, 17, 3, 20, Head::Tied),
        ModelShape::lstm(1, 16, 40, 32, Head::Untied),
        ModelShape::lstm(2, 1, 1, 2, Head::Tied),
    ]
}

/// Numbers in (-1, 1) that look random.
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn tokens(shape: &ModelShape, sequences: usize, seed: u64) -> Vec<u32> {
    let n = sequences * (shape.n_ctx as usize + 1);
    numbers(n, seed).iter().map(|x| ((x + 1.0) / 2.0 * shape.n_vocab as f32) as u32 % shape.n_vocab).collect()
}

/// Parameters large enough for every part of the model to matter.
fn parameters(n: usize) -> Vec<f32> {
    numbers(n, 7).iter().map(|x| 0.7 * x).collect()
}

const ADAM: Rule = Rule::Adam(Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.0 });

fn state(plan: &Plan, parameters: Vec<f32>) -> State {
    State::new(plan, &ADAM, parameters)
}

const KEY: DropoutKey = DropoutKey { seed: 5, step: 2 };
const ONE_THREAD: SessionOptions = SessionOptions { threads: 1, chunk: None };

#[test]
fn parameter_counts_of_all_conventions_match_the_tensors() {
    for mut shape in shapes() {
        for head in [Head::Tied, Head::Untied] {
            shape.head = head;
            let plan = model::plan(&shape, 0.0);
            let count = |wanted: &dyn Fn(&str) -> bool| -> u64 {
                plan.tensors().iter().filter(|t| wanted(&t.name)).map(|t| t.range.len() as u64).sum()
            };
            let matrix = |name: &str| {
                let transformer = name.starts_with("h.") && name.contains(".c_");
                (transformer || name.starts_with("lstm.")) && name.ends_with("weight")
            };
            let head_matrix = match head {
                Head::Tied => "wte.weight",
                Head::Untied => "lm_head.weight",
            };
            assert_eq!(shape.n_params(ParamConvention::NonEmbedding), count(&matrix), "{shape:?}");
            assert_eq!(
                shape.n_params(ParamConvention::Matmul),
                count(&|name| matrix(name) || name == head_matrix),
                "{shape:?}"
            );
            assert_eq!(shape.n_params(ParamConvention::Total), count(&|_| true), "{shape:?}");
            assert_eq!(plan.n_parameters() as u64, count(&|_| true));
        }
    }
}

#[test]
fn shapes_that_the_paper_names_have_its_counts_in_their_tensors() {
    for named in scalelaw_core::kaplan::KAPLAN {
        let shape = named.of_the_paper();
        let plan = model::plan(&shape, 0.0);
        assert_eq!(plan.n_parameters() as u64, shape.n_params(ParamConvention::Total), "{}", named.name);
        let matrices = plan.tensors().iter().filter(|t| t.name.starts_with("h.") && t.shape.len() == 2);
        let n: usize = matrices.map(|t| t.range.len()).sum();
        assert_eq!(n as u64, shape.n_params(ParamConvention::NonEmbedding), "{}", named.name);
    }
}

#[test]
fn flops_of_the_plan_match_the_paper_with_head_and_attention() {
    for shape in shapes() {
        let cost = model::plan(&shape, 0.0).cost();
        let full = scalelaw_core::FlopConvention::Full;
        let n_ctx = f64::from(shape.n_ctx);
        assert_eq!(cost.forward_flops, n_ctx * shape.forward_flops_per_token(full), "{shape:?}");
        assert_eq!(cost.forward_flops + cost.backward_flops, n_ctx * shape.train_flops_per_token(full));
    }
}

#[test]
fn losses_of_every_token_match_the_f64_reference() {
    for shape in shapes() {
        let plan = Arc::new(model::plan(&shape, 0.0));
        let values = parameters(plan.n_parameters());
        let tokens = tokens(&shape, 3, 1);
        let mut session = CpuDevice::new().open(Arc::clone(&plan), ONE_THREAD);
        session.restore(state(&plan, values.clone())).unwrap();
        let wide: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
        let want = reference::losses(&plan, &wide, &tokens, None).unwrap();
        for (i, (got, want)) in session.evaluate(&tokens).unwrap().iter().zip(&want).enumerate() {
            assert!(
                (f64::from(*got) - want).abs() < 2e-5 * (1.0 + want),
                "{shape:?} token {i}: {got} {want}"
            );
        }
    }
}

#[test]
fn gradient_of_every_tensor_matches_the_f64_reference_and_its_central_differences() {
    for shape in shapes() {
        // A single sequence, several in micro-batches, and with dropout.
        for (sequences, micro_sequences, rate) in [(1, 1, 0.0), (4, 2, 0.0), (4, 2, 0.3)] {
            let plan = Arc::new(model::plan(&shape, rate));
            let values = parameters(plan.n_parameters());
            let tokens = tokens(&shape, sequences, 2);
            let mut session = CpuDevice::new().open(Arc::clone(&plan), ONE_THREAD);
            session.restore(state(&plan, values.clone())).unwrap();
            let (statistics, gradient) =
                session.gradient(Batch { tokens: &tokens, micro_sequences, dropout: KEY }).unwrap();
            let mut wide: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            let batch = Batch { tokens: &tokens, micro_sequences, dropout: KEY };
            let (of_reference, exact) = reference::gradient(&plan, &wide, batch).unwrap();
            let want = of_reference.loss;
            assert!((statistics.loss - want).abs() < 1e-5 * (1.0 + want), "{shape:?}");
            let mut square = 0.0;
            for tensor in plan.tensors() {
                let (mut worst, mut off) = (0f64, 0f64);
                let mut scale = 1e-4;
                // Every element of small tensors, a spread of them in large ones.
                let stride = tensor.range.len().div_ceil(12);
                for i in tensor.range.clone().step_by(stride) {
                    let (h, old) = (1e-5, wide[i]);
                    let mut at = |x: f64| {
                        wide[i] = x;
                        let losses = reference::losses(&plan, &wide, &tokens, Some(KEY)).unwrap();
                        losses.iter().sum::<f64>() / losses.len() as f64
                    };
                    let slope = (at(old + h) - at(old - h)) / (2.0 * h);
                    at(old);
                    off = off.max((exact[i] - slope).abs());
                    scale = f64::max(scale, slope.abs());
                }
                for (got, want) in gradient[tensor.range.clone()].iter().zip(&exact[tensor.range.clone()]) {
                    worst = worst.max((f64::from(*got) - want).abs());
                    scale = f64::max(scale, want.abs());
                }
                assert!(
                    off < 5e-5 * (scale + 0.02),
                    "{shape:?} {}: reference {off:e} of {scale:e}",
                    tensor.name
                );
                assert!(worst < 5e-5 * (scale + 0.02), "{shape:?} {}: {worst:e} of {scale:e}", tensor.name);
                square += gradient[tensor.range.clone()].iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
            }
            assert!((statistics.grad_sq_big / square - 1.0).abs() < 1e-5);
            if sequences == micro_sequences {
                assert_eq!(statistics.grad_sq_big, statistics.grad_sq_small);
            }
        }
    }
}

#[test]
fn steps_of_every_rule_follow_the_reference_device() {
    // Adafactor's ε is large: the bias of the keys has no gradient but rounding, which would be scaled up to 1.
    let adafactor = |step_size| {
        Rule::Adafactor(Adafactor { decay_exponent: 0.8, eps: 1e-6, clip_threshold: 1.0, step_size })
    };
    let rules = [
        Rule::Adam(Adam { beta1: 0.9, beta2: 0.99, eps: 1e-3, weight_decay: 0.0 }),
        Rule::Adam(Adam { beta1: 0.9, beta2: 0.99, eps: 1e-3, weight_decay: 0.2 }),
        adafactor(StepSize::Absolute),
        adafactor(StepSize::Relative { floor: 0.1 }),
    ];
    let plain = ModelShape::standard(2, 12, 3, 7, 17, Head::Tied);
    let shapes = [
        plain,
        with_blocks(plain, 2, Block { n_kv_head: 3, ..MODERN }),
        ModelShape::lstm(2, 9, 6, 17, Head::Untied),
    ];
    for (shape, rate) in shapes.into_iter().zip([0.2, 0.0, 0.1]) {
        for (rule, clip_norm) in rules.into_iter().flat_map(|rule| [(rule, None), (rule, Some(0.5))]) {
            let plan = Arc::new(model::plan(&shape, rate));
            let tokens = tokens(&shape, 4, 6);
            let start = State::new(&plan, &rule, parameters(plan.n_parameters()));
            let devices: [&dyn Device; 2] = [&CpuDevice::new(), &ReferenceDevice];
            let [cpu, reference] = devices.map(|device| {
                let mut session = device.open(Arc::clone(&plan), ONE_THREAD);
                session.restore(start.clone()).unwrap();
                // Queued, and drained together.
                for step in 1..=5 {
                    let dropout = DropoutKey { seed: 5, step };
                    let batch = Batch { tokens: &tokens, micro_sequences: 2, dropout };
                    session.submit(batch, &Update { rule, lr: 0.01, step, clip_norm }).unwrap();
                }
                (session.drain(), session.snapshot(), session.evaluate(&tokens).unwrap())
            });
            assert_eq!((cpu.0.len(), reference.0.len()), (5, 5));
            for (got, want) in cpu.0.iter().zip(&reference.0) {
                let close = |got: f64, want: f64| (got / want - 1.0).abs() < 1e-4;
                assert!(close(got.loss, want.loss), "{shape:?} {rule:?}: {got:?}, reference {want:?}");
                assert!(
                    close(got.grad_sq_small, want.grad_sq_small),
                    "{rule:?}: {got:?}, reference {want:?}"
                );
                assert!(close(got.grad_sq_big, want.grad_sq_big), "{rule:?}: {got:?}, reference {want:?}");
            }
            let parts = [
                (&cpu.1.parameters, &reference.1.parameters),
                (&cpu.1.moments, &reference.1.moments),
                (&cpu.2, &reference.2),
            ];
            for (part, (got, want)) in parts.into_iter().enumerate() {
                let scale = want.iter().fold(1e-6f32, |scale, x| scale.max(x.abs()));
                let worst = got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 2e-4 * scale, "{shape:?} {rule:?} part {part}: {worst:e} of {scale:e}");
            }
        }
    }
}

#[test]
fn step_gives_the_same_bits_on_every_path_thread_count_and_chunk() {
    // Every other shape with dropout.
    for (shape, rate) in shapes().into_iter().zip([0.0, 0.2].into_iter().cycle()) {
        let plan = Arc::new(model::plan(&shape, rate));
        let tokens = tokens(&shape, 12, 3);
        let run = |isa: Isa, options: SessionOptions| {
            let mut session = CpuDevice::with_isa(isa).open(Arc::clone(&plan), options);
            session.restore(state(&plan, parameters(plan.n_parameters()))).unwrap();
            let mut statistics = vec![];
            for step in 1..=3 {
                let update = Update { rule: ADAM, lr: 0.01, step, clip_norm: None };
                let s = session
                    .step(Batch { tokens: &tokens, micro_sequences: 3, dropout: KEY }, &update)
                    .unwrap();
                statistics.push([s.loss, s.grad_sq_small, s.grad_sq_big].map(f64::to_bits));
            }
            let state = session.snapshot();
            let bits: Vec<u32> = state.parameters.iter().map(|x| x.to_bits()).collect();
            let losses: Vec<u32> = session.evaluate(&tokens).unwrap().iter().map(|x| x.to_bits()).collect();
            (statistics, bits, losses)
        };
        let want = run(Isa::best(), ONE_THREAD);
        // A fused multiply-add without the instruction is slow, so the portable path runs once.
        let portable = [(Isa::portable(), 1, 2)];
        let fast = Isa::available().into_iter().skip(1);
        let fast = fast.flat_map(|isa| [(isa, 1, 1), (isa, 1, 2), (isa, 2, 3), (isa, 3, 1)]);
        for (isa, threads, chunk) in fast.chain(portable) {
            let got = run(isa, SessionOptions { threads, chunk: Some(chunk) });
            assert!(got == want, "{shape:?} on {} with {threads} threads, chunk {chunk}", isa.name());
        }
    }
}

#[test]
fn one_batch_is_learnt_by_heart() {
    let plain = ModelShape::standard(2, 32, 2, 16, 50, Head::Untied);
    learn_by_heart(plain, 300);
    learn_by_heart(with_blocks(plain, 1, MODERN), 300);
    let post =
        Block { norm_placement: NormPlacement::Post, feed_forward: FeedForward::Relu, ..Block::default() };
    learn_by_heart(with_blocks(plain, 1, post), 300);
    learn_by_heart(with_blocks(plain, 3, Block::default()), 300);
    learn_by_heart(ModelShape::lstm(2, 32, 16, 50, Head::Untied), 1000);
}

fn learn_by_heart(shape: ModelShape, steps: u64) {
    let plan = Arc::new(model::plan(&shape, 0.0));
    let tokens = tokens(&shape, 4, 4);
    let mut session = CpuDevice::new().open(Arc::clone(&plan), ONE_THREAD);
    let start = numbers(plan.n_parameters(), 5).iter().map(|x| 0.1 * x).collect();
    session.restore(state(&plan, start)).unwrap();
    let mut loss = f64::INFINITY;
    for step in 1..=steps {
        let update = Update { rule: ADAM, lr: 0.003, step, clip_norm: None };
        loss =
            session.step(Batch { tokens: &tokens, micro_sequences: 4, dropout: KEY }, &update).unwrap().loss;
    }
    assert!(loss < 0.01, "{shape:?}: loss {loss} after {steps} steps on one batch");
}

#[test]
fn footprint_of_a_model_counts_copies_threads_and_chunks() {
    // Counted by hand for one layer: 4 copies of the parameters, two packed forms of each matrix, one
    // gradient a thread, activations.
    let shape = ModelShape::standard(2, 64, 4, 128, 1024, Head::Untied);
    let plan = model::plan(&shape, 0.0);
    let footprint = |threads, chunk| {
        CpuDevice::new().footprint(&plan, &ADAM, SessionOptions { threads, chunk: Some(chunk) })
    };
    let n = plan.n_parameters();
    assert!(footprint(1, 1).parameters >= 16 * n && footprint(1, 1).parameters < 26 * n);
    let one = footprint(1, 1).workspace;
    assert_eq!(footprint(2, 1).workspace, 2 * one);
    let least: usize = plan.operations().iter().map(|(_, out)| 4 * plan.n_ctx() * out.width).max().unwrap();
    assert!(footprint(1, 2).workspace > one + least);
}

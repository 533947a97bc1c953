//! Models of any shape: what the plan computes is what the f64 reference computes, and its counts are the shape's.
#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scalelaw_core::block::{Block, FeedForward, Norm, NormPlacement, Positions, QkNorm};
use scalelaw_core::{Architecture, FlopConvention, Head, ModelShape, ParamConvention, Transformer};
use scalelaw_device_cpu::CpuDevice;
use scalelaw_graph::{Adam, Batch, Device, DropoutKey, Rule, SessionOptions, State, reference};
use scalelaw_train::model;
use std::sync::Arc;

const KEY: DropoutKey = DropoutKey { seed: 1, step: 1 };

fn blocks() -> impl Strategy<Value = Block> {
    let norm = prop_oneof![Just(Norm::Layer), Just(Norm::Rms)];
    let placement = prop_oneof![Just(NormPlacement::Pre), Just(NormPlacement::Post)];
    let positions = prop_oneof![Just(Positions::Learned), Just(Positions::Rotary)];
    let feed_forward = prop_oneof![
        Just(FeedForward::Gelu),
        Just(FeedForward::GeluExact),
        Just(FeedForward::Silu),
        Just(FeedForward::Swiglu)
    ];
    let qk_norm = prop_oneof![Just(QkNorm::None), Just(QkNorm::Rms)];
    let settings = (norm, placement, positions, feed_forward, qk_norm);
    settings.prop_map(|(norm, norm_placement, positions, feed_forward, qk_norm)| Block {
        norm,
        norm_placement,
        positions,
        feed_forward,
        qk_norm,
        n_kv_head: 0,
    })
}

/// Every architecture and setting but ReLU, whose bends no difference crosses (`model.rs` has it); heads of two columns, one position, two words. Layer norms of fewer than four
/// columns are nearly steps, whose slope no difference finds; `model.rs` has some that are not.
fn shapes() -> impl Strategy<Value = ModelShape> {
    let sizes = (0u32..3, 1u32..3, 4u32..20, 1u32..30, 1u32..4, 1u32..3, 1u32..5, 1u32..20, 2u32..40);
    let head = prop_oneof![Just(Head::Tied), Just(Head::Untied)];
    (sizes, head, blocks(), 0..4).prop_map(|(sizes, head, mut block, kind)| {
        let (n_layer, reuse, d_model, d_ff, n_kv_head, group, half_head, n_ctx, n_vocab) = sizes;
        if kind == 0 {
            return ModelShape::lstm(n_layer, d_model, n_ctx, n_vocab, head);
        }
        block.n_kv_head = n_kv_head;
        let n_head = n_kv_head * group;
        let d_attn = n_head * 2 * half_head;
        let architecture = Architecture::Transformer(Transformer { reuse, d_ff, d_attn, n_head, block });
        ModelShape { architecture, n_layer, d_model, n_ctx, n_vocab, head }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn model_of_any_shape_matches_its_reference_and_its_counts(
        shape in shapes(),
        rate in prop_oneof![Just(0.0), Just(0.25)],
        seed in 1u64..1 << 40,
    ) {
        prop_assert_eq!(shape.validate(), Ok(()));
        let plan = Arc::new(model::plan(&shape, rate));
        prop_assert_eq!(plan.n_parameters() as u64, shape.n_params(ParamConvention::Total));
        let flops = plan.cost().forward_flops / f64::from(shape.n_ctx);
        prop_assert!((flops / shape.forward_flops_per_token(FlopConvention::Full) - 1.0).abs() < 1e-12);

        let mut x = seed;
        let mut number = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 40) as f32 / (1u64 << 24) as f32
        };
        let values: Vec<f32> = (0..plan.n_parameters()).map(|_| number() - 0.5).collect();
        let sequences = 2;
        let tokens: Vec<u32> = (0..sequences * (shape.n_ctx as usize + 1))
            .map(|_| (number() * shape.n_vocab as f32) as u32 % shape.n_vocab)
            .collect();
        let wide: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
        let rule = Rule::Adam(Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.0 });
        let options = SessionOptions { threads: 1, chunk: Some(1) };
        let mut session = CpuDevice::new().open(Arc::clone(&plan), options);
        session.restore(State::new(&plan, &rule, values)).unwrap();
        let want = reference::losses(&plan, &wide, &tokens, None).unwrap();
        for (got, want) in session.evaluate(&tokens).unwrap().iter().zip(&want) {
            prop_assert!((f64::from(*got) - want).abs() < 2e-5 * (1.0 + want), "{got} {want}");
        }

        // The reference's gradient is the slope of its loss, and the device's is the reference's.
        let batch = Batch { tokens: &tokens, micro_sequences: 1, dropout: KEY };
        let (statistics, gradient) = session.gradient(batch).unwrap();
        let (of_reference, want) = reference::gradient(&plan, &wide, batch).unwrap();
        prop_assert!((statistics.loss - of_reference.loss).abs() < 1e-5 * (1.0 + of_reference.loss));
        let norm = of_reference.grad_sq_big.sqrt();
        prop_assume!(norm > 1e-4);
        let square: f64 = gradient.iter().zip(&want).map(|(g, want)| (f64::from(*g) - want).powi(2)).sum();
        prop_assert!(square.sqrt() < 1e-3 * norm, "differs by {} of {norm}", square.sqrt());
        let along = |step: f64| {
            let moved: Vec<f64> = wide.iter().zip(&want).map(|(x, g)| x + step * g / norm).collect();
            let losses = reference::losses(&plan, &moved, &tokens, Some(KEY)).unwrap();
            losses.iter().sum::<f64>() / losses.len() as f64
        };
        let h = 1e-5;
        let slope = (along(h) - along(-h)) / (2.0 * h);
        prop_assert!((slope / norm - 1.0).abs() < 1e-3, "slope {slope}, norm {norm}");
    }
}

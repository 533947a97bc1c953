//! A study whose answers are known: the runs that the published laws would give, at sizes that a test can list. What is
//! fitted, judged or drawn of it can be held against [`TRUTH`].

use super::figures::{Trained, loss_of_run};
use super::runs::{PaperRun, PaperRuns};
use scalelaw_core::shape::{Head, ModelShape};
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_fit::laws::KaplanNd;
use scalelaw_fit::presets::KaplanConstants;
use scalelaw_fit::presets::kaplan2020::{Joint, L_N, L_N_D, TRAINING};
use scalelaw_table::{CurveRow, PositionRow, RunRow};

const BATCH: f64 = 4096.0;
const STEPS: u64 = 2500;
const WARMUP: u64 = 50 * 4096;
/// The laws behind the runs.
pub const TRUTH: KaplanConstants =
    KaplanConstants { alpha_n: L_N.exponent, s_c: 40.0, b_star: 3.4e6, ..TRAINING };
const SHAPES: [(u32, u32); 9] =
    [(1, 8), (1, 16), (2, 16), (2, 32), (3, 32), (2, 64), (3, 64), (6, 64), (2, 128)];

/// A relative error that depends on nothing but its number: uniform with a standard deviation of 0.2%.
fn jitter(k: usize) -> f64 {
    1.0 + 0.007 * ((k as f64 * 0.618_034).fract() - 0.5)
}

fn row(set: &str, k: usize, (layers, width): (u32, u32), tokens: f64) -> PaperRun {
    let shape = ModelShape::standard(layers, width, 1, 64, 512, Head::Untied);
    let flops = |c| Some(shape.train_flops_per_token(c) * tokens);
    PaperRun {
        sets: vec![set.into()],
        row: RunRow {
            run_id: format!("{set}-{k}"),
            n_layer: Some(layers),
            d_model: Some(width),
            d_ff: Some(4 * width),
            n_head: Some(1),
            n_ctx: Some(64),
            n_vocab: Some(512),
            reuse: Some(1),
            n_nonembed: Some(shape.n_params(ParamConvention::NonEmbedding)),
            n_total: Some(shape.n_params(ParamConvention::Total)),
            n_matmul: Some(shape.n_params(ParamConvention::Matmul)),
            tokens: Some(tokens as u64),
            d_unique: Some(tokens as u64),
            steps: Some(STEPS),
            batch_tokens: Some(BATCH as u64),
            warmup_tokens: Some(WARMUP),
            flops_6n: flops(FlopConvention::SixN),
            flops_matmul: flops(FlopConvention::Matmul),
            flops_full: flops(FlopConvention::Full),
            lr: Some(0.01),
            status: Some("completed".into()),
            ..RunRow::default()
        },
        rates: vec![(1.0, 0.01), (STEPS as f64, 0.0)],
        rate_sum: 12.5,
        ..PaperRun::default()
    }
}

/// A run of constant rate with its whole curve.
fn trunk(set: &str, k: usize, shape: (u32, u32), batch: f64, steps: u64) -> PaperRun {
    let mut run = row(set, k, shape, steps as f64 * batch);
    let trained = Trained { batch, vocabulary: 1e9 };
    run.row.batch_tokens = Some(batch as u64);
    run.row.warmup_tokens = Some(0);
    run.row.schedule = Some("constant".into());
    let n = run.n();
    run.curve = (0..60)
        .map(|i| (20.0 * libm::pow(steps as f64 / 20.0, f64::from(i) / 59.0)).round() as u64)
        .map(|step| {
            let loss = loss_of_run(&TRUTH, n, step as f64, trained) * jitter(k * 7);
            CurveRow {
                run_id: run.row.run_id.clone(),
                step: Some(step),
                tokens: Some(step * batch as u64),
                train_loss: Some(loss),
                test_loss: Some(loss),
                loss_evalsets: [("books".to_owned(), loss + 0.4)].into(),
                noise_scale: Some(TRUTH.b_crit(loss)),
                ..CurveRow::default()
            }
        })
        .collect();
    run.row.loss = run.curve.last().and_then(|c| c.test_loss);
    run
}

/// The study: all ten run sets, small enough to fit in a second.
pub fn study() -> PaperRuns {
    let mut runs = Vec::new();
    for (k, shape) in SHAPES.into_iter().enumerate() {
        let parent = trunk("A", 10 * k, shape, BATCH, STEPS);
        for (i, part) in [4, 2, 1].into_iter().enumerate() {
            let mut branch = row("A", 10 * k + i + 1, shape, (STEPS / part) as f64 * BATCH);
            branch.row.steps = Some(STEPS / part);
            branch.row.parent_run = Some(parent.row.run_id.clone());
            let loss = TRUTH.converged(branch.n()) * jitter(k) * [1.1, 1.04, 1.0][i];
            branch.row.loss = Some(loss);
            positions(&mut branch, 64, loss);
            branch.row.loss_evalsets = [("books".to_owned(), loss + 0.4)].into();
            runs.push(branch);
        }
        runs.push(parent);
    }
    for (s, shape) in [(0, (1, 16)), (1, (3, 32))] {
        for k in 0..7 {
            let batch = libm::pow(2.0, f64::from(9 + k));
            let steps = (600.0 * (1.0 + 4096.0 / batch)) as u64;
            runs.push(trunk("C", 200 + 20 * s + k as usize, shape, batch, steps));
        }
    }
    for (i, shape) in [(1, 16), (2, 32), (2, 64), (6, 64)].into_iter().enumerate() {
        for k in 0..5 {
            let d = 1e7 / libm::pow(4.0, f64::from(k));
            let mut run = row("B", 300 + 10 * i + k as usize, shape, d);
            let Joint { n_c, d_c, alpha_n, alpha_d } = L_N_D;
            let p = [n_c, d_c, alpha_n, alpha_d];
            let loss = scalelaw_fit::value(&KaplanNd, &[run.n(), d], &p) * jitter(300 + 7 * i + k as usize);
            (run.row.loss, run.row.loss_min, run.row.best_step) = (Some(loss), Some(loss), Some(STEPS / 2));
            runs.push(run);
        }
    }
    for (i, shape) in [(2, 32), (2, 64)].into_iter().enumerate() {
        for k in 0..3 {
            let mut run = row("I", 400 + 10 * i + k, shape, STEPS as f64 * BATCH);
            run.row.loss = Some(TRUTH.converged(run.n()) * jitter(40 + 10 * i + k));
            runs.push(run);
        }
    }
    runs.extend(others());
    PaperRuns { runs, missing: vec![], facts: vec![] }
}

/// Losses along the context that have the mean `loss` and fall by a power of the position.
fn positions(run: &mut PaperRun, context: u64, loss: f64) {
    let shape = |t: u64| libm::pow(t as f64, -0.5);
    let mean = (1..=context).map(shape).sum::<f64>() / context as f64;
    run.positions = (1..=context)
        .map(|t| PositionRow {
            run_id: run.row.run_id.clone(),
            step: STEPS,
            position: t,
            loss: loss - 1.2 * mean + 1.2 * shape(t),
            ..PositionRow::default()
        })
        .collect();
}

/// Sets D to H and J, whose losses follow L(N) with a known difference.
fn others() -> Vec<PaperRun> {
    let mut runs = Vec::new();
    let tokens = STEPS as f64 * BATCH;
    let aspects = [(14, 24), (8, 32), (4, 48), (2, 64), (1, 96)];
    let named = aspects.map(|shape| ("D-aspect", shape, 4, 1)).into_iter();
    let wider = [(2, 96, 1), (2, 80, 2), (2, 48, 8)].map(|(l, d, ff)| ("D-ff", (l, d), ff, 1));
    let heads = [1, 16].map(|heads| ("D-heads", (2, 64), 4, heads));
    for (k, (set, shape, ff, heads)) in named.chain(wider).chain(heads).enumerate() {
        let mut run = row(set, 500 + k, shape, tokens / 2.0);
        run.row.d_ff = Some(ff * shape.1);
        run.row.n_head = Some(heads);
        run.row.n_nonembed = Some(98_304);
        let loss = TRUTH.converged(98_304.0) * jitter(500 + k);
        (run.row.loss, run.row.train_loss) = (Some(loss), Some(loss));
        run.row.loss_evalsets = [("books".to_owned(), loss + 0.4)].into();
        runs.push(run);
    }
    for (k, shape) in [(1, 16), (2, 32), (2, 64), (6, 64)].into_iter().enumerate() {
        let mut run = row("E", 600 + k, shape, tokens);
        let loss = TRUTH.converged(run.n()) * 1.05;
        run.row.n_ctx = Some(8);
        run.row.loss = Some(loss);
        positions(&mut run, 8, loss);
        runs.push(run);
    }
    for (k, width) in [16u32, 32, 64].into_iter().enumerate() {
        for (i, layers) in [1u32, 2, 4].into_iter().enumerate() {
            let mut run = row("F", 700 + 10 * k + i, (layers, width), tokens);
            run.row.n_nonembed = Some(u64::from(8 * layers * width * width));
            // Behind from the ninth token on.
            let loss = TRUTH.converged(run.n()) + 0.1;
            run.row.loss = Some(loss);
            positions(&mut run, 64, loss);
            for p in run.positions.iter_mut().filter(|p| p.position < 9) {
                p.loss -= 0.1;
            }
            runs.push(run);
            let mut run = row("G", 800 + 10 * k + i, (1, width), tokens);
            run.row.reuse = Some(2 << i);
            run.row.loss = Some(TRUTH.converged(run.n()) * 0.99);
            runs.push(run);
        }
    }
    for (k, end) in [1.0, 0.0, 0.1, 0.0, 0.5, 0.1, 0.0, 0.02].into_iter().enumerate() {
        let mut run = row("H", 900 + k, (2, 32), tokens);
        run.row.schedule = Some(["constant", "cosine", "linear"][k % 3].into());
        let late = if end > 0.2 { 0.1 } else { 0.0 };
        run.row.loss = Some(TRUTH.converged(run.n()) * jitter(900 + k) + late);
        run.rates = (0..=50)
            .map(|i| f64::from(i) / 50.0)
            .map(|x| (x * STEPS as f64 + 1.0, 0.01 * (1.0 - (1.0 - end) * x)))
            .collect();
        run.rate_sum = 12.5 * (1.0 + end);
        runs.push(run);
    }
    for (k, budget) in [1.0, 2.0, 4.0, 8.0].into_iter().enumerate() {
        for (i, shape) in [(2, 16), (2, 32), (3, 32), (2, 64), (6, 64), (2, 128)].into_iter().enumerate() {
            let per_token = row("J", 0, shape, 1.0).row.flops_full.unwrap_or(f64::NAN);
            let mut run = row("J", 1000 + 10 * k + i, shape, 4e12 * budget / per_token);
            // The valley's bottom moves as the square root of the budget.
            let off = libm::log(run.n_total() / (6e4 * libm::sqrt(budget)));
            run.row.loss = Some(3.5 * libm::pow(budget, -0.05) + 0.05 * off * off);
            runs.push(run);
        }
    }
    runs
}

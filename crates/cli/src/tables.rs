//! Finished runs as tables: one row a run, one row an evaluation.

use scalelaw_core::noise::b_simple;
use scalelaw_core::schedule::Decay;
use scalelaw_core::shape::ShapeColumns;
use scalelaw_runs::{FinishedRun, Outcome, TimingRecord};
use scalelaw_table::{CurveRow, PositionRow, RunRow, TimingRow};
use scalelaw_tokens::EvalSet;

/// The run table's row; with the test text at hand also in bits per byte.
pub fn run_row(run: &FinishedRun, test: Option<&EvalSet>) -> RunRow {
    let (spec, result) = (&run.spec, &run.result);
    let model = ShapeColumns::from(spec.model);
    RunRow {
        run_id: run.key.clone(),
        parent_run: spec.training.parent_run.clone(),
        recipe: Some(spec.recipe.clone()),
        arch: Some(spec.model.architecture.name().into()),
        n_layer: Some(model.n_layer),
        d_model: Some(model.d_model),
        d_ff: model.d_ff,
        d_attn: model.d_attn,
        n_head: model.n_head,
        n_ctx: Some(model.n_ctx),
        n_vocab: Some(model.n_vocab),
        reuse: Some(model.reuse),
        dropout: Some(spec.training.dropout),
        n_nonembed: Some(result.n_nonembed),
        n_total: Some(result.n_total),
        n_matmul: Some(result.n_matmul),
        d_unique: Some(spec.data.train_tokens.min(result.tokens)),
        tokens: Some(result.tokens),
        steps: Some(result.steps),
        batch_tokens: Some(spec.batch_tokens()),
        micro_batch_tokens: Some(u64::from(spec.batch.micro_sequences) * u64::from(model.n_ctx)),
        warmup_tokens: Some(spec.schedule.warmup_steps * spec.batch_tokens()),
        flops_6n: Some(result.flops_6n),
        flops_matmul: Some(result.flops_matmul),
        flops_full: Some(result.flops_full),
        lr: Some(spec.schedule.lr),
        schedule: Some(
            match spec.schedule.decay {
                Decay::Constant { cooldown_steps: 0, .. } => "constant",
                Decay::Constant { .. } => "constant_cooldown",
                Decay::Cosine { .. } => "cosine",
                Decay::CosineCycle { .. } => "cosine_cycle",
                Decay::Linear { .. } => "linear",
            }
            .into(),
        ),
        seed: Some(spec.seed),
        dataset: Some(spec.data.name.clone()),
        loss: result.loss,
        loss_se: result.loss_se,
        loss_bits_per_byte: result.loss.zip(test).map(|(loss, test)| test.bits_per_byte(loss)),
        loss_min: result.loss_min,
        best_step: result.best_step,
        train_loss: result.train_loss,
        loss_evalsets: result.set_losses.clone(),
        status: Some(match &result.outcome {
            Outcome::Completed => "completed".into(),
            Outcome::Diverged { step } => format!("diverged at step {step}"),
            Outcome::Stopped { reason } => format!("stopped: {reason}"),
        }),
    }
}

/// The learning curve of a run.
pub fn curve_rows(run: &FinishedRun) -> Vec<CurveRow> {
    let batch = run.spec.batch_tokens() as f64;
    let micro = f64::from(run.spec.batch.micro_sequences) * f64::from(run.spec.model.n_ctx);
    let mut from = 0;
    run.evals
        .iter()
        .map(|eval| {
            let to = (eval.step as usize).min(run.steps.len());
            // Means over the steps since the evaluation before, as for the train loss.
            let steps = &run.steps[from.min(to)..to];
            from = to;
            let mean = |f: fn(&scalelaw_runs::StepRecord) -> f64| {
                (!steps.is_empty()).then(|| steps.iter().map(f).sum::<f64>() / steps.len() as f64)
            };
            let (small, big) = (mean(|s| s.grad_sq_small), mean(|s| s.grad_sq_big));
            CurveRow {
                run_id: run.key.clone(),
                step: eval.step,
                tokens: Some(eval.tokens),
                lr: Some(run.spec.schedule.lr_at(eval.step.saturating_sub(1), run.spec.steps)),
                train_loss: eval.train_loss,
                test_loss: Some(eval.test_loss),
                loss_evalsets: eval.set_losses.clone(),
                grad_sq_small: small,
                grad_sq_big: big,
                noise_scale: small.zip(big).and_then(|(s, b)| b_simple(s, b, micro, batch)),
            }
        })
        .collect()
}

/// The test loss of a run at every position of its context, at every evaluation that kept them.
pub fn position_rows(run: &FinishedRun) -> Vec<PositionRow> {
    let of_eval = |eval: &scalelaw_runs::EvalRecord| {
        let row = |(i, loss): (usize, &f64)| PositionRow {
            run_id: run.key.clone(),
            step: eval.step,
            position: i as u64 + 1,
            loss: *loss,
            ..PositionRow::default()
        };
        eval.position_losses.iter().enumerate().map(row).collect::<Vec<_>>()
    };
    run.evals.iter().flat_map(of_eval).collect()
}

/// The sessions of a run: what depends on the clock and the host.
pub fn timing_rows(run: &str, sessions: &[TimingRecord]) -> Vec<TimingRow> {
    let row = |session: &TimingRecord| TimingRow {
        run_id: run.to_owned(),
        from_step: session.from_step,
        to_step: session.to_step,
        wall_s: session.wall_s,
        eval_s: session.eval_s,
        load_s: session.load_s,
        threads: session.threads as u64,
        gflops: session.gflops,
        ..TimingRow::default()
    };
    sessions.iter().map(row).collect()
}

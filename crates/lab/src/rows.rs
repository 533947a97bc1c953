//! Finished runs as tables: one row a run, one row an evaluation.

use scalelaw_core::RunSpec;
use scalelaw_core::noise::b_simple;
use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::shape::ShapeColumns;
use scalelaw_core::spec::{Batch, DataSpec, Training};
use scalelaw_runs::{EvalRecord, FinishedRun, Outcome, RunResult, TimingRecord};
use scalelaw_table::{CurveRow, PositionRow, RunRow, TimingRow};
use scalelaw_tokens::EvalSet;

/// The run table's row; with the test text at hand also in bits per byte.
pub fn run_row(run: &FinishedRun, test: Option<&EvalSet>) -> RunRow {
    let FinishedRun { key, spec, result, evals: _, steps: _ } = run;
    let RunResult {
        outcome,
        steps,
        tokens,
        loss,
        loss_se,
        loss_min,
        best_step,
        train_loss,
        set_losses,
        n_nonembed,
        n_total,
        n_matmul,
        flops_6n,
        flops_matmul,
        flops_full,
    } = result;
    let RunSpec {
        recipe,
        seed,
        steps: _, // those that were done are the result's
        init_std: _,
        trainer: _,
        device: _,
        precision: _,
        numerics: _,
        model,
        data,
        batch,
        schedule,
        optimizer: _,
        evaluation: _,
        training,
        measure: _,
    } = spec;
    let DataSpec { name: dataset, digest: _, train_tokens, test_tokens: _ } = data;
    let Batch { sequences: _, micro_sequences } = *batch;
    let Schedule { lr, warmup_steps, decay } = *schedule;
    let Training { clip_norm: _, init: _, dropout, repeats: _, branch_steps: _, parent_run } = training;
    let arch = model.architecture.name();
    let ShapeColumns {
        architecture: _, // by its name
        n_layer,
        reuse,
        d_model,
        d_ff,
        d_attn,
        n_head,
        n_ctx,
        n_vocab,
        head: _,
        block: _,
    } = ShapeColumns::from(*model);
    let batch_tokens = spec.batch_tokens();
    RunRow {
        run_id: key.clone(),
        parent_run: parent_run.clone(),
        recipe: Some(recipe.clone()),
        arch: Some(arch.into()),
        n_layer: Some(n_layer),
        d_model: Some(d_model),
        d_ff,
        d_attn,
        n_head,
        n_ctx: Some(n_ctx),
        n_vocab: Some(n_vocab),
        reuse: Some(reuse),
        dropout: Some(*dropout),
        n_nonembed: Some(*n_nonembed),
        n_total: Some(*n_total),
        n_matmul: Some(*n_matmul),
        d_unique: Some((*train_tokens).min(*tokens)),
        tokens: Some(*tokens),
        steps: Some(*steps),
        batch_tokens: Some(batch_tokens),
        micro_batch_tokens: Some(u64::from(micro_sequences) * u64::from(n_ctx)),
        warmup_tokens: Some(warmup_steps * batch_tokens),
        flops_6n: Some(*flops_6n),
        flops_matmul: Some(*flops_matmul),
        flops_full: Some(*flops_full),
        lr: Some(lr),
        schedule: Some(
            match decay {
                Decay::Constant { cooldown_steps: 0, .. } => "constant",
                Decay::Constant { .. } => "constant_cooldown",
                Decay::Cosine { .. } => "cosine",
                Decay::CosineCycle { .. } => "cosine_cycle",
                Decay::Linear { .. } => "linear",
            }
            .into(),
        ),
        seed: Some(*seed),
        dataset: Some(dataset.clone()),
        loss: *loss,
        loss_se: *loss_se,
        loss_bits_per_byte: loss.zip(test).map(|(loss, test)| test.bits_per_byte(loss)),
        loss_min: *loss_min,
        best_step: *best_step,
        train_loss: *train_loss,
        loss_evalsets: set_losses.clone(),
        status: Some(match outcome {
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
            let EvalRecord {
                step,
                tokens,
                train_loss,
                test_loss,
                test_loss_se: _,
                set_losses,
                position_losses: _,
            } = eval;
            let to = (*step as usize).min(run.steps.len());
            // Means over the steps since the evaluation before, as for the train loss.
            let steps = &run.steps[from.min(to)..to];
            from = to;
            let mean = |f: fn(&scalelaw_runs::StepRecord) -> f64| {
                (!steps.is_empty()).then(|| steps.iter().map(f).sum::<f64>() / steps.len() as f64)
            };
            let (small, big) = (mean(|s| s.grad_sq_small), mean(|s| s.grad_sq_big));
            CurveRow {
                run_id: run.key.clone(),
                step: Some(*step),
                tokens: Some(*tokens),
                lr: Some(run.spec.schedule.lr_at(step.saturating_sub(1), run.spec.steps)),
                train_loss: *train_loss,
                test_loss: Some(*test_loss),
                loss_evalsets: set_losses.clone(),
                grad_sq_small: small,
                grad_sq_big: big,
                noise_scale: small.zip(big).and_then(|(s, b)| b_simple(s, b, micro, batch)),
            }
        })
        .collect()
}

/// The test loss of a run at every position of its context, at every evaluation that kept them.
pub fn position_rows(run: &FinishedRun) -> Vec<PositionRow> {
    let of_eval = |eval: &EvalRecord| {
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
    let row = |session: &TimingRecord| {
        let TimingRecord { from_step, to_step, wall_s, eval_s, load_s, threads, gflops } = *session;
        let (run_id, threads) = (run.to_owned(), threads as u64);
        TimingRow {
            run_id,
            from_step,
            to_step,
            wall_s,
            eval_s,
            load_s,
            threads,
            gflops,
            ..TimingRow::default()
        }
    };
    sessions.iter().map(row).collect()
}

//! What trainers print: lines as their sources write them, with values of our own.

use crate::{curve, import_text, said};
use scalelaw_table::{CurveRow, Imported};

fn test(row: &CurveRow) -> Option<f64> {
    row.test_loss
}

fn train(row: &CurveRow) -> Option<f64> {
    row.train_loss
}

fn printed(log: &str) -> Imported {
    let imported = import_text("slurm-1234.out", log, &[]).unwrap();
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    imported
}

#[test]
fn nanogpt_prints_steps_and_iterations() {
    let imported = printed(
        "tokens per iteration will be: 491,520\nnumber of parameters: 123.59M\n\
         step 0: train loss 10.9897, val loss 10.9880\niter 0: loss 10.9920, time 64345.12ms, mfu -100.00%\n\
         iter 10: loss 9.8301, time 250.33ms, mfu 40.11%\nstep 2000: train loss 3.4920, val loss 3.5032\n\
         saving checkpoint to out\n",
    );
    assert!(said(&imported, "what nanoGPT prints; 5 of its lines"), "{:?}", imported.notes);
    assert_eq!(curve(&imported, "r", test), [(0, 10.9880), (2000, 3.5032)]);
    assert_eq!(curve(&imported, "r", train), [(0, 10.9897), (2000, 3.4920)]);
    assert_eq!((imported.runs[0].steps, imported.runs[0].tokens), (Some(2000), Some(2000 * 491_520)));
}

#[test]
fn nanogpt_run_whose_loss_is_nan_to_the_end_diverged() {
    // https://github.com/karpathy/nanoGPT/issues/215
    let log = "iter 2990: loss 3.8853, time 1096.65ms, mfu 15.34%\nstep 3000: train loss 4.0390, val loss 4.0427\n\
        iter 3000: loss 4.2490, time 35392.33ms, mfu 13.85%\niter 3010: loss nan, time 1019.95ms, mfu 14.12%\n\
        iter 3020: loss nan, time 1015.95ms, mfu 14.36%\n";
    let imported = import_text("train.log", log, &[]).unwrap();
    let run = &imported.runs[0];
    assert_eq!((run.status.as_deref(), run.steps, run.train_loss), (Some("diverged"), Some(3020), None));
    assert_eq!(run.loss, Some(4.0427));
    assert!(
        imported.problems[0].contains("loss is not a finite number from step 3010"),
        "{:?}",
        imported.problems
    );
    let recovered = printed(&format!("{log}step 3030: train loss 4.0, val loss 4.1\n"));
    assert_eq!((recovered.runs[0].status.as_deref(), recovered.runs[0].train_loss), (None, Some(4.0)));
}

#[test]
fn llmc_logs_and_prints_the_same_steps() {
    let log = "s:0 tel:11.0091\ns:0 trl:11.0105 lr:0.000001 norm:15.72\ns:249 trl:6.4120 lr:0.000214 norm:1.21\n\
        s:250 eval:0.2442\ns:250 tel:6.4703\n";
    let imported = printed(log);
    assert_eq!(curve(&imported, "r", test), [(0, 11.0091), (250, 6.4703)]);
    assert_eq!(curve(&imported, "r", train), [(0, 11.0105), (249, 6.4120)]);
    assert_eq!(imported.runs[0].lr, Some(0.000214));
    let said = "val loss 11.009100\n\
        step    1/19560 | loss 11.010500 (+nanz)| norm 15.7200 (+nanz)| lr 8.57e-07 | 3056.36 ms | 42.6% bf16 MFU | 171538 tok/s\n\
        step  250/19560 | loss 6.412000 (-0.41z)| norm 1.2100 (-0.55z)| lr 2.14e-04 | 3060.01 ms | 42.5% bf16 MFU | 171400 tok/s\n\
        val loss 6.470300\nHellaSwag: 2452/10042 = 0.244174\n";
    let printed = printed(said);
    assert_eq!(curve(&printed, "r", test), curve(&imported, "r", test));
    assert_eq!(curve(&printed, "r", train), curve(&imported, "r", train));
}

#[test]
fn steps_of_another_trainer_are_not_those_of_llmc() {
    let imported = printed(
        "[EVAL] step 0: train loss 4.5790, val loss 4.5614, mem 0.23GB\nstep 0/3000 | loss 4.5175 | 10380.2ms | 3.2k tok/s\n\
         step 10/3000 | loss 4.2903 | lr 6e-4 | 53.7k tok/s\n\n[EVAL] step 20: train loss 3.9, val loss 4.1, mem 1.20GB\n\n\
         step 20/3000 | loss 3.7719 | 614.2ms | 53.3k tok/s\nTraining finished. Best Val Loss: 3.60\n",
    );
    assert!(said(&imported, "printed lines of steps and losses; 5 of its lines"), "{:?}", imported.notes);
    assert_eq!(curve(&imported, "r", test), [(0, 4.5614), (20, 4.1)]);
    assert_eq!(curve(&imported, "r", train), [(0, 4.579), (20, 3.9)]);
    assert_eq!((imported.runs[0].steps, imported.runs[0].lr), (Some(20), Some(6e-4)));
    let imported = printed("Step 1, loss: 4.5\nStep 2, loss: 4.25, acc: 0.5\n");
    assert_eq!(curve(&imported, "r", train), [(1, 4.5), (2, 4.25)]);
}

/// The lines of a training of `all` steps, every tenth of them until `to`.
fn training(all: u64, to: u64, loss: f64) -> String {
    (0..=to)
        .step_by(10)
        .map(|step| format!("step {step}/{all} | loss {}\n", loss - step as f64 / 100.0))
        .collect()
}

#[test]
fn trainings_one_after_the_other_in_a_file_are_runs_of_their_own() {
    let ends = |log: &str| {
        let imported = printed(log);
        imported.runs.iter().map(|run| (run.run_id.clone(), run.steps, run.train_loss)).collect::<Vec<_>>()
    };
    let two = [("r-1".into(), Some(20), Some(4.3)), ("r-2".into(), Some(20), Some(3.8))];
    let (first, second) = (training(30, 20, 4.5), training(30, 20, 4.0));
    assert_eq!(ends(&format!("{first}{second}")), two, "the first came to its end");
    let (first, second) = (training(300, 20, 4.5), training(400, 20, 4.0));
    assert_eq!(ends(&format!("{first}{second}")), two, "another number of steps");
    let second = training(300, 20, 4.0);
    for before in ["", "Model Parameters: 1.10M\n"] {
        let log = format!("{before}{first}number of parameters: 6.00M\n{second}");
        assert_eq!(ends(&log), two, "another model");
        let bare = log.replace("/300", "");
        assert_eq!(ends(&bare), two, "another model");
    }
    // Started anew before it had a checkpoint.
    let model = "number of parameters: 6.00M\n";
    let one = [("r".to_string(), Some(20), Some(3.8))];
    assert_eq!(ends(&format!("{model}{first}{model}{second}")), one);
    let imported = printed(&format!("{first}{second}"));
    assert!(said(&imported, "began again at step 0: 3 values"), "{:?}", imported.notes);
    // Resumed at a checkpoint by another program.
    let resumed = format!("{first}number of parameters: 6.00M\nstep 10/300 | loss 4.4\n");
    assert_eq!(ends(&resumed), [("r".to_string(), Some(10), Some(4.4))]);
}

#[test]
fn two_runs_of_llmc_in_a_file_keep_their_losses_before_and_after() {
    let line = |step: u64, loss: f64| {
        format!("step {step:4}/2 | loss {loss:.6} (+nanz)| norm 1.2000 (+nanz)| lr 8.57e-07 | 3056.36 ms\n")
    };
    let run = |of: f64| {
        format!("val loss {}\n{}{}val loss {}\n", of + 0.9, line(1, of + 0.8), line(2, of + 0.7), of + 0.6)
    };
    let imported = printed(&(run(5.0) + &run(3.0)));
    assert_eq!(curve(&imported, "r-1", test), [(0, 5.9), (2, 5.6)]);
    assert_eq!(curve(&imported, "r-2", test), [(0, 3.9), (2, 3.6)]);
}

#[test]
fn megatron_prints_iterations_tokens_and_validation() {
    let line = |i: u64, loss: &str| {
        format!(
            " [2026-05-01 03:56:11] iteration {i:8}/  500000 | consumed samples: {:12} | elapsed time per iteration (ms): \
             4247.9 | learning rate: 2.999000E-04 | global batch size:     8 | lm loss: {loss} | loss scale: 1.0 | grad \
             norm: 1.234 | number of skipped iterations:   0 | number of nan iterations:   0 |\n",
            i * 8
        )
    };
    let imported = printed(
        &("  seq_length ...................................... 2048\n".to_string()
            + &line(100, "5.084419E+00")
            + " validation loss at iteration 100 on validation set | lm loss value: 5.100000E+00 | lm loss PPL: 1.640219E+02 |\n"
            + " validation loss at iteration 100 on test set | lm loss value: 9.900000E+00 | lm loss PPL: 1.9E+04 |\n"
            + "[default7]:"
            + &line(200, "4.615627E+00")
            + " validation loss at the end of training for val data | lm loss value: 4.700000E+00 | lm loss PPL: 1.1E+02 |\n"),
    );
    assert_eq!(curve(&imported, "r", train), [(100, 5.084419), (200, 4.615627)]);
    assert_eq!(curve(&imported, "r", test), [(100, 5.1), (200, 4.7)]);
    assert_eq!((imported.runs[0].tokens, imported.runs[0].lr), (Some(200 * 8 * 2048), Some(2.999e-4)));
    // Megatron-DeepSpeed counts the tokens itself, GPT-NeoX has names of its own.
    let imported = printed(
        " iteration      100/  250000 | consumed samples:          800 | consumed tokens:        1638400 | lm loss: 5.08E+00 | grad norm: nan |\n",
    );
    assert_eq!((imported.runs[0].tokens, imported.runs[0].train_loss), (Some(1_638_400), Some(5.08)));
    let imported = printed(
        " samples/sec: 51.234 | iteration       10/      50 | elapsed time per iteration (ms): 19987.6 | learning rate: \
         1.234E-04 | approx flops per GPU: 150.3TFLOPS | lm_loss: 7.123456E+00 | number of skipped iterations:   0 |\n \
         validation results at iteration 10 | lm_loss value: 6.912345E+00 | lm_loss_ppl value: 1.004E+03 |\n",
    );
    assert_eq!((imported.runs[0].train_loss, imported.runs[0].loss), (Some(7.123456), Some(6.912345)));
}

#[test]
fn nemo_repeats_its_evaluations_and_counts_updates_across_epochs() {
    // Lines as in NVIDIA-BioNeMo/bionemo-recipes, pull request 740.
    let line = |epoch: u64, i: u64, val: f64| {
        format!(
            "Training epoch {epoch}, iteration {i}/2 | lr: 3e-05 | consumed_samples: {0} | global_batch_size: 1 | global_step: \
             {0} | reduced_train_loss: {1:.1} | train_step_timing in s: 0.03146 | val_loss: {val}\n",
            3 * epoch + i,
            9.0 - 3.0 * epoch as f64 - i as f64
        )
    };
    let log: String = (0..3)
        .flat_map(|e| (0..3).map(move |i| (e, i)))
        .map(|(e, i)| line(e, i, 4.5 - 0.5 * e as f64))
        .collect();
    let imported = printed(&log);
    assert_eq!(curve(&imported, "r", test), [(0, 4.5), (3, 4.0), (6, 3.5)]);
    assert_eq!(curve(&imported, "r", train).len(), 9);
    let run = &imported.runs[0];
    assert_eq!((run.steps, run.best_step, run.train_loss), (Some(8), Some(6), Some(1.0)));
    assert!(
        said(&imported, "val_loss: 6 of 9 values repeat the one before; evaluations counted: 3"),
        "{:?}",
        imported.notes
    );
}

#[test]
fn torchtitan_prints_in_colours() {
    let imported = printed(
        "[titan] 2026-05-01 10:00:00,123 - root - INFO - \u{1b}[31mstep:  1  \u{1b}[32mloss: 12.26001  \u{1b}[38;2;180;60;0m\
         grad_norm:  1.6789  \u{1b}[36mmemory: 40.12GiB(42.2%)  tps: 1,234\u{1b}[0m\n\
         [titan] - root - INFO - validate step:  1  loss: 12.3000  memory: 40.12GiB(42.2%)  tps: 1,234\n\
         [titan] - root - INFO - step: 10  loss:  9.12345  grad_norm:  1.2  memory: 40.12GiB(42.2%)  tps: 5,678\n",
    );
    assert_eq!(curve(&imported, "r", train), [(1, 12.26001), (10, 9.12345)]);
    assert_eq!(curve(&imported, "r", test), [(1, 12.3)]);
}

#[test]
fn litgpts_iterations_become_updates() {
    let imported = printed(
        "Epoch 1 | iter 16 step 1 | loss train: 10.978, val: n/a | iter time: 380.29 ms (step) remaining time: 3 days\n\
         iter 32: val loss 9.8123, val time: 1200.00 ms\n\
         Epoch 1 | iter 48 step 3 | loss train: 9.700, val: 9.812 | iter time: 380.29 ms (step) remaining time: 3 days\n",
    );
    assert_eq!(curve(&imported, "r", train), [(1, 10.978), (3, 9.7)]);
    assert_eq!(curve(&imported, "r", test), [(2, 9.8123)]);
    let unknown = import_text(
        "a.log",
        "Epoch 1 | iter 16 step 1 | loss train: 10.9, val: n/a |\niter 32: val loss 9.8\n",
        &[],
    );
    let problems = unknown.unwrap().problems;
    assert!(problems[0].contains("1 validation losses are of iterations"), "{problems:?}");
}

#[test]
fn olmo_prints_a_block_a_step() {
    let imported = printed(
        "2026-05-01 10:00:00.123\thost:0\tolmo.train:958\tINFO\t[step=10/739328,epoch=0]\n    optim/total_grad_norm=3.2\n    \
         train/CrossEntropyLoss=9.876\n    train/Perplexity=19,476\n    throughput/total_tokens=41,943,040\n\
         2026-05-01 10:00:09.123\thost:0\tolmo.train:958\tINFO\t[step=10/739328,epoch=0]\n    \
         eval/c4_en-validation/CrossEntropyLoss=9.9\n",
    );
    let run = &imported.runs[0];
    assert_eq!((run.train_loss, run.tokens), (Some(9.876), Some(41_943_040)));
    assert_eq!((run.loss, run.loss_evalsets.get("c4_en_validation")), (Some(9.9), Some(&9.9)));
}

#[test]
fn json_lines_are_read_under_any_name() {
    let imported = printed("{\"step\": 1, \"val_loss\": 3.5}\n{\"step\": 2, \"val_loss\": 3.0}\n");
    assert_eq!(curve(&imported, "r", test), [(1, 3.5), (2, 3.0)]);
}

#[test]
fn file_that_is_no_log_says_what_it_looks_like() {
    let refused = |name: &str, content: &str, expected: &str| {
        let error = import_text(name, content, &[]).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    };
    refused("run.wandb", ":W&B\u{1}", "W&B's own record of a run");
    refused("model.pt", "PK\u{3}\u{4}rest", "a zip archive");
    refused("notes.txt", "\n  Dear diary\n", "it begins with \"Dear diary\"");
    refused("empty.log", "\n \n", "it is empty");
    refused("page.txt", "<!DOCTYPE html><p>", "a web page");
}

//! Logs written by the trainers' own writers (`fixtures/make_logs.py`) come in with the numbers that were logged.

#![allow(clippy::unwrap_used)]

mod axes;
mod long;
mod printed;
mod resumed;

use proptest::prelude::*;
use scalelaw_table::{About, CurveRow, Imported, Importer, LogKind, Mapping, TableError};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// What `make_logs.py` recorded beside the writers.
fn logged() -> Value {
    serde_json::from_slice(&fs::read(fixture("logged.json")).unwrap()).unwrap()
}

fn import(name: &str, run: Option<&str>, map: &[&str]) -> (LogKind, Imported) {
    let entries: Vec<String> = map.iter().map(ToString::to_string).collect();
    let mut importer = Importer::new(Mapping::parse(&entries).unwrap());
    let kind = importer.add(&fixture(name), run).unwrap();
    (kind, importer.finish())
}

/// The values of a metric that were logged: (step, value), by step.
fn series(entries: &Value, metric: &str) -> Vec<(u64, f64)> {
    let mut series: Vec<(u64, f64)> = entries
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| Some((e["step"].as_u64().unwrap(), e.get(metric)?.as_f64()?)))
        .collect();
    series.sort_by_key(|(step, _)| *step);
    assert!(!series.is_empty(), "{metric} was not logged");
    series
}

fn curve(imported: &Imported, run: &str, of: fn(&CurveRow) -> Option<f64>) -> Vec<(u64, f64)> {
    imported
        .curves
        .iter()
        .filter(|row| row.run_id == run)
        .filter_map(|row| Some((row.step?, of(row)?)))
        .collect()
}

fn said(imported: &Imported, text: &str) -> bool {
    imported.notes.iter().any(|note| note.contains(text))
}

/// Event files hold single precision.
fn single(series: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    series.into_iter().map(|(step, x)| (step, f64::from(x as f32))).collect()
}

#[test]
fn hugging_face_state_has_the_losses_that_the_trainer_logged() {
    let (kind, imported) = import("trainer_state.json", Some("toy"), &[]);
    assert_eq!(kind, LogKind::HuggingFace);
    let log = &logged()["hugging_face"];
    assert_eq!(curve(&imported, "toy", |r| r.train_loss), series(log, "loss"));
    assert_eq!(curve(&imported, "toy", |r| r.test_loss), series(log, "eval_loss"));
    assert_eq!(curve(&imported, "toy", |r| r.lr), series(log, "learning_rate"));
    let run = &imported.runs[0];
    assert_eq!((run.steps, run.loss), (Some(12), series(log, "eval_loss").last().map(|e| e.1)));
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    assert!(said(&imported, "test_loss = eval_loss, lr = learning_rate"), "{:?}", imported.notes);
    assert!(said(&imported, "left") && said(&imported, "grad_norm"), "{:?}", imported.notes);
}

#[test]
fn lightning_metrics_have_the_losses_that_the_module_logged() {
    let (kind, imported) = import("metrics.csv", Some("toy"), &[]);
    assert_eq!(kind, LogKind::Steps);
    let log = &logged()["lightning"];
    assert_eq!(curve(&imported, "toy", |r| r.train_loss), series(log, "train_loss"));
    assert_eq!(curve(&imported, "toy", |r| r.test_loss), series(log, "val_loss"));
    assert_eq!(imported.runs[0].best_step, Some(8));
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
}

#[test]
fn tensorboard_events_have_scalars_of_all_three_layouts() {
    let map = ["loss_other=eval/other"];
    let (kind, imported) = import("events.out.tfevents.0.host", Some("toy"), &map);
    assert_eq!(kind, LogKind::TensorBoard);
    let log = &logged()["tensorboard"];
    assert_eq!(curve(&imported, "toy", |r| r.train_loss), single(series(log, "train/loss")));
    assert_eq!(curve(&imported, "toy", |r| r.lr), single(series(log, "train/learning_rate")));
    assert_eq!(curve(&imported, "toy", |r| r.test_loss), single(series(log, "eval/loss")));
    let other = curve(&imported, "toy", |r| r.loss_evalsets.get("other").copied());
    assert_eq!(other, single(series(log, "eval/other")));
    assert!(said(&imported, "left config/text_summary, weights"), "{:?}", imported.notes);
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
}

#[test]
fn wandb_history_is_the_same_from_csv_and_parquet() {
    let log = &logged()["wandb"]["small"];
    for name in ["wandb-history.csv", "wandb-history.parquet"] {
        let (kind, imported) = import(name, Some("small"), &[]);
        assert_eq!(kind, LogKind::Wandb, "{name}");
        assert_eq!(curve(&imported, "small", |r| r.train_loss), series(log, "train/loss"), "{name}");
        assert_eq!(curve(&imported, "small", |r| r.test_loss), series(log, "eval/loss"), "{name}");
        let tokens = series(log, "throughput/total_tokens");
        assert_eq!(curve(&imported, "small", |r| r.tokens.map(|t| t as f64)), tokens, "{name}");
        assert_eq!(imported.runs[0].tokens, Some(24576), "{name}");
        assert!(imported.problems.is_empty(), "{name}: {:?}", imported.problems);
        assert!(said(&imported, "no value in column grad/norm"), "{name}: {:?}", imported.notes);
    }
}

#[test]
fn wandb_chart_has_every_run_under_its_own_name() {
    let (kind, imported) = import("wandb-chart.csv", None, &[]);
    assert_eq!(kind, LogKind::Wandb);
    for run in ["small", "large - wide"] {
        let log = &logged()["wandb"][run];
        assert_eq!(curve(&imported, run, |r| r.test_loss), series(log, "eval/loss"), "{run}");
    }
    assert_eq!(imported.runs.len(), 2);
    assert!(said(&imported, "small - eval/loss__MIN"), "{:?}", imported.notes);
}

#[test]
fn nanochat_results_have_the_counts_and_losses_of_every_run() {
    let (kind, imported) = import("results.csv", None, &[]);
    assert_eq!((kind, imported.runs.len()), (LogKind::Nanochat, 28));
    let law = &logged()["nanochat"];
    let constant = |name: &str| law[name].as_f64().unwrap();
    for run in &imported.runs {
        let (depth, width) = (u64::from(run.n_layer.unwrap()), u64::from(run.d_model.unwrap()));
        let (n, tokens) = (12 * depth * width * width, run.tokens.unwrap());
        assert_eq!((width, run.n_nonembed), (64 * depth, Some(n)));
        assert_eq!(run.n_matmul, Some(n + 32768 * width));
        assert_eq!(run.batch_tokens, Some(524_288));
        let loss = constant("E")
            + constant("A") * (n as f64).powf(-constant("alpha"))
            + constant("B") * (tokens as f64).powf(-constant("beta"));
        // The log prints six decimals.
        assert!((run.loss_bits_per_byte.unwrap() - loss).abs() < 5.1e-7, "{}", run.run_id);
    }
    assert_eq!(imported.runs[0].run_id, "1e18_d8");
    assert_eq!(imported.runs[0].flops_full, Some(1e18));
    assert!(said(&imported, "left columns core_score, params_bigram_embed"), "{:?}", imported.notes);
}

fn written(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    (dir, path)
}

fn import_text(name: &str, content: &str, map: &[&str]) -> Result<Imported, TableError> {
    let (_dir, path) = written(name, content);
    let entries: Vec<String> = map.iter().map(ToString::to_string).collect();
    let mut importer = Importer::new(Mapping::parse(&entries).unwrap());
    importer.add(&path, Some("r")).map(|_| importer.finish())
}

#[test]
fn every_fixture_that_is_empty_or_cut_off_is_refused_or_said() {
    let names = [
        "trainer_state.json",
        "metrics.csv",
        "events.out.tfevents.0.host",
        "wandb-history.csv",
        "wandb-history.parquet",
        "wandb-chart.csv",
        "results.csv",
    ];
    for name in names {
        let bytes = fs::read(fixture(name)).unwrap();
        for keep in [0, 5, bytes.len() / 2, bytes.len() - 20] {
            let (_dir, path) = written(name, &bytes[..keep]);
            let mut importer = Importer::new(Mapping::default());
            match importer.add(&path, None) {
                Ok(_) => {
                    let imported = importer.finish();
                    let cut =
                        imported.problems.iter().chain(&imported.notes).any(|said| said.contains("cut off"));
                    assert!(cut, "{name} cut to {keep} bytes: not said: {imported:?}");
                }
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains(&path.display().to_string()), "{name} cut to {keep} bytes: {said}");
                }
            }
        }
    }
}

#[test]
fn files_that_are_no_logs_are_refused_with_what_was_expected() {
    let refused = |name, content, expected: &str| {
        let error = import_text(name, content, &[]).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    };
    refused("model.bin", "abc", "trainer_state.json");
    refused(
        "config.json",
        "{\"vocab\": 7}",
        "`log_history`, as a trainer_state.json has; its keys are: vocab",
    );
    refused("list.json", "[1, 2", "Hugging Face trainer state");
    refused("notes.csv", "a,b\n1,2\n", "no column is the step (step, global_step");
    refused("run.tfevents.1", "not an event file at all", "TensorBoard events");
    refused("history.csv", "_step,loss\n", "no whole row");
    refused("history.parquet", "PAR1 and nothing else", "Parquet");
}

#[test]
fn values_that_cannot_be_used_are_counted_and_named() {
    let csv = "_step,loss,note\n0,3.5,x\n1,NaN,y\n2,inf,\n3,oops,\n,3.1,\n4,3.0,z\n5";
    let imported = import_text("h.csv", csv, &[]).unwrap();
    assert_eq!(curve(&imported, "r", |r| r.train_loss), [(0, 3.5), (4, 3.0)]);
    assert!(said(&imported, "left note"));
    let problems = imported.problems.join("\n");
    assert!(problems.contains("row 5, column _step: the step is missing"), "{problems}");
    assert!(problems.contains("row 7: 1 of 3 fields"), "{problems}");
    assert!(
        problems.contains("loss: 3 of 5 values are not usable numbers, the first at step 1"),
        "{problems}"
    );
}

#[test]
fn hugging_face_nan_is_a_problem_and_not_an_error() {
    let state = r#"{"log_history": [{"loss": 2.5, "grad_norm": NaN, "step": 1}, {"loss": NaN, "step": 2}, {"loss": 2.25}]}"#;
    let imported = import_text("trainer_state.json", state, &[]).unwrap();
    assert_eq!(curve(&imported, "r", |r| r.train_loss), [(1, 2.5)]);
    let problems = imported.problems.join("\n");
    assert!(problems.contains("loss: 1 of 2 values"), "{problems}");
    assert!(problems.contains("log_history[2]: no whole number `step`"), "{problems}");
}

#[test]
fn a_mapped_metric_that_is_not_there_is_a_problem_and_takes_no_other() {
    let imported = import_text("h.csv", "_step,val_loss,loss\n1,3.0,2.9\n", &["test_loss=evl/loss"]).unwrap();
    assert_eq!(imported.runs[0].loss, None);
    assert_eq!(imported.runs[0].train_loss, Some(2.9));
    let problem = &imported.problems[0];
    assert!(problem.contains("test_loss=evl/loss") && problem.contains("val_loss"), "{problem}");
}

#[test]
fn a_run_without_any_loss_is_a_problem_that_lists_its_metrics() {
    let imported = import_text("h.csv", "_step,acc,lr\n1,0.5,0.1\n", &[]).unwrap();
    assert!(imported.runs.is_empty() && imported.curves.is_empty());
    assert!(imported.problems[0].contains("acc, lr"), "{:?}", imported.problems);
}

#[test]
fn files_of_one_run_are_joined_only_by_name_or_folder() {
    let mut importer = Importer::new(Mapping::default());
    importer.add(&fixture("metrics.csv"), None).unwrap();
    let again = importer.add(&fixture("trainer_state.json"), None).unwrap_err().to_string();
    assert!(again.contains("fixtures") && again.contains("metrics.csv"), "{again}");

    let mut importer = Importer::new(Mapping::default());
    importer.add(&fixture("metrics.csv"), Some("both")).unwrap();
    importer.add(&fixture("trainer_state.json"), Some("both")).unwrap();
    let both = importer.finish();
    assert_eq!((both.runs.len(), both.runs[0].steps), (1, Some(12)));

    let dir = tempfile::tempdir().unwrap();
    let mut importer = Importer::new(Mapping::default());
    for part in ["events.out.tfevents.1.host", "events.out.tfevents.2.host"] {
        let path = dir.path().join(part);
        fs::copy(fixture("events.out.tfevents.0.host"), &path).unwrap();
        importer.add(&path, None).unwrap();
    }
    let resumed = importer.finish();
    assert_eq!(resumed.runs.len(), 1);
    assert_eq!(resumed.curves, {
        let mut importer = Importer::new(Mapping::default());
        importer.add(&dir.path().join("events.out.tfevents.1.host"), None).unwrap();
        importer.finish().curves
    });
}

#[test]
fn facts_fill_what_logs_leave_open_and_nothing_else() {
    let (_dir, path) =
        written("about.csv", "run_id,n_nonembed,batch_tokens,lr\ntoy,1200,64,9\nother,1,1,1\n");
    let (_, mut imported) = import("trainer_state.json", Some("toy"), &[]);
    let lr = imported.runs[0].lr;
    About::read(&path).unwrap().complete(&mut imported).unwrap();
    let run = &imported.runs[0];
    assert_eq!((run.n_nonembed, run.batch_tokens, run.tokens), (Some(1200), Some(64), Some(12 * 64)));
    assert_eq!(run.lr, lr);
    assert!(imported.curves.iter().all(|row| row.tokens == row.step.map(|step| step * 64)));
    assert!(imported.problems[0].contains("\"other\""), "{:?}", imported.problems);

    let (_dir, path) = written("about.csv", "run_id,params\ntoy,1200\n");
    let unknown = About::read(&path).unwrap_err().to_string();
    assert!(unknown.contains("\"params\"") && unknown.contains("n_nonembed"), "{unknown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_under_any_name_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in ["trainer_state.json", "h.csv", "h.jsonl", "h.parquet", "a.tfevents"] {
            let (_dir, path) = written(name, &bytes);
            let mut importer = Importer::new(Mapping::default());
            if importer.add(&path, None).is_ok() {
                let _ = importer.finish();
            }
        }
    }

    #[test]
    fn every_finite_number_of_a_table_comes_back(losses in proptest::collection::vec(proptest::num::f64::NORMAL, 1..20)) {
        let rows: String = losses.iter().enumerate().map(|(step, loss)| format!("{step},{loss:?}\n")).collect();
        let imported = import_text("h.csv", &format!("_step,val_loss\n{rows}"), &[]).unwrap();
        let expected: Vec<(u64, f64)> = losses.into_iter().enumerate().map(|(s, l)| (s as u64, l)).collect();
        prop_assert_eq!(curve(&imported, "r", |r| r.test_loss), expected);
    }
}

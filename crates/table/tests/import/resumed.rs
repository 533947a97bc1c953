//! Runs that were interrupted and resumed: what counts is the life that was kept, whatever the kind of log.

use crate::{curve, import_text, said};
use scalelaw_table::{About, CurveRow, Imported, Importer, LogKind, Mapping, logs_in};
use std::fs;
use std::path::Path;

type Points = Vec<(u64, f64)>;

/// Four evaluations, then the steps from 250 on once more, with other losses.
const FIRST: [(u64, f64); 4] = [(100, 4.5), (200, 4.0), (300, 3.5), (400, 3.0)];
const SECOND: [(u64, f64); 3] = [(275, 7.75), (325, 7.25), (500, 6.5)];
const KEPT: [(u64, f64); 5] = [(100, 4.5), (200, 4.0), (275, 7.75), (325, 7.25), (500, 6.5)];

fn both() -> impl Iterator<Item = (u64, f64)> {
    FIRST.into_iter().chain(SECOND)
}

fn test_curve(imported: &Imported) -> Points {
    curve(imported, &imported.runs[0].run_id, |r: &CurveRow| r.test_loss)
}

fn is_the_kept_life(imported: &Imported) {
    assert_eq!(test_curve(imported), KEPT);
    let run = &imported.runs[0];
    assert_eq!((run.steps, run.loss, run.loss_min), (Some(500), Some(6.5), Some(4.0)));
    assert!(said(imported, "began again at step 275: 2 values"), "{:?}", imported.notes);
}

#[test]
fn table_of_steps_that_goes_back_is_its_last_life() {
    let csv: String = both().map(|(step, loss)| format!("{step},{loss}\n")).collect();
    is_the_kept_life(&import_text("h.csv", &format!("step,val_loss\n{csv}"), &[]).unwrap());
    let lines: String = both().map(|(s, l)| format!("{{\"_step\": {s}, \"val/loss\": {l}}}\n")).collect();
    is_the_kept_life(&import_text("h.jsonl", &lines, &[]).unwrap());
}

#[test]
fn run_that_ends_before_its_dead_life_did_ends_there() {
    let csv = "step,val_loss\n100,4.5\n200,4.0\n300,3.5\n400,3.0\n500,2.5\n200,8.0\n300,7.5\n";
    let imported = import_text("short.csv", csv, &[]).unwrap();
    assert_eq!((imported.runs[0].steps, imported.runs[0].loss), (Some(300), Some(7.5)));
}

#[test]
fn hugging_face_history_that_goes_back_is_its_last_life() {
    let entries: Vec<String> = both()
        .flat_map(|(s, l)| {
            [format!("{{\"step\": {s}, \"loss\": 1}}"), format!("{{\"step\": {s}, \"eval_loss\": {l}}}")]
        })
        .collect();
    let state = format!("{{\"log_history\": [{}]}}", entries.join(","));
    let imported = import_text("trainer_state.json", &state, &[]).unwrap();
    assert_eq!(test_curve(&imported), KEPT);
    assert!(said(&imported, "began again at step 275: 4 values"), "{:?}", imported.notes);
}

#[test]
fn wandb_history_of_the_users_axis_goes_by_the_order_of_logging() {
    let rows: Vec<String> =
        both().enumerate().map(|(call, (step, loss))| format!("{call},{step},{loss}\n")).collect();
    // Exported in another order; the logger's count has the order of logging.
    let csv = rows.iter().rev().cloned().collect::<String>();
    is_the_kept_life(&import_text("h.csv", &format!("_step,global_step,val_loss\n{csv}"), &[]).unwrap());
}

#[test]
fn printed_log_that_goes_back_is_its_last_life() {
    let log: String =
        both().map(|(step, loss)| format!("step {step}: train loss 1.0, val loss {loss}\n")).collect();
    let imported = import_text("out.log", &log, &[]).unwrap();
    assert_eq!(test_curve(&imported), KEPT);
}

fn states(folder: &Path, states: &[(&str, &[(u64, f64)])]) -> Vec<std::path::PathBuf> {
    let state = |(name, entries): &(&str, &[(u64, f64)])| {
        let path = folder.join(name).join("trainer_state.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let entries: Vec<String> =
            entries.iter().map(|(s, l)| format!("{{\"step\": {s}, \"eval_loss\": {l}}}")).collect();
        fs::write(&path, format!("{{\"log_history\": [{}]}}", entries.join(","))).unwrap();
        path
    };
    states.iter().map(state).collect()
}

#[test]
fn longest_state_of_a_hugging_face_run_counts_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let paths = states(dir.path(), &[("run/checkpoint-200", &FIRST[..2]), ("run/checkpoint-400", &FIRST)]);
    for order in [[0, 1], [1, 0]] {
        let mut importer = Importer::new(Mapping::default());
        for i in order {
            assert_eq!(importer.add(&paths[i], None).unwrap(), LogKind::HuggingFace);
        }
        let imported = importer.finish();
        assert_eq!((imported.runs.len(), &*imported.runs[0].run_id), (1, "run"));
        assert_eq!((imported.runs[0].steps, imported.runs[0].loss), (Some(400), Some(3.0)));
        assert!(said(&imported, "is an earlier state of the run"), "{:?}", imported.notes);
    }
}

#[test]
fn folder_of_runs_has_the_logs_that_are_known_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut paths = states(
        dir.path(),
        &[("a/checkpoint-200", &FIRST[..2]), ("a/checkpoint-400", &FIRST), ("b", &FIRST[..3])],
    );
    let events = dir.path().join("b/runs/events.out.tfevents.0.host");
    fs::create_dir(events.parent().unwrap()).unwrap();
    fs::write(&events, "").unwrap();
    fs::write(dir.path().join("b/config.json"), "{}").unwrap();
    paths.insert(2, events);
    paths.sort();
    assert_eq!(logs_in(dir.path()).unwrap(), paths);
    fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(logs_in(&dir.path().join("empty")).unwrap().is_empty());
    assert!(logs_in(&dir.path().join("none")).is_err());
}

#[test]
fn parts_of_a_run_are_joined_in_the_order_of_their_steps() {
    let dir = tempfile::tempdir().unwrap();
    let part = |name: &str, steps: std::ops::Range<u64>| {
        let rows: String = steps.map(|s| format!("{s},{}\n", 10 + s)).collect();
        fs::write(dir.path().join(name), format!("step,val_loss\n{rows}")).unwrap();
    };
    part("late.csv", 5..9);
    part("early.csv", 1..5);
    let mut importer = Importer::new(Mapping::default());
    for name in ["late.csv", "early.csv"] {
        importer.add(&dir.path().join(name), Some("r")).unwrap();
    }
    assert_eq!(test_curve(&importer.finish()), (1..9).map(|s| (s, 10.0 + s as f64)).collect::<Points>());
}

#[test]
fn run_that_diverged_has_no_final_loss() {
    let state = r#"{"log_history": [{"step": 100, "eval_loss": 4.0}, {"step": 200, "eval_loss": NaN},
        {"step": 300, "eval_loss": NaN, "loss": 0.0, "grad_norm": NaN}]}"#;
    let imported = import_text("trainer_state.json", state, &[]).unwrap();
    let run = &imported.runs[0];
    assert_eq!((run.loss, run.train_loss, run.steps), (None, None, Some(300)));
    assert_eq!((run.loss_min, run.status.as_deref()), (Some(4.0), Some("diverged")));
    assert!(
        imported.problems.iter().any(|p| p.contains("from step 200 to the end")),
        "{:?}",
        imported.problems
    );
}

#[test]
fn numbers_with_suffixes_are_facts_too() {
    let dir = tempfile::tempdir().unwrap();
    let about = dir.path().join("about.csv");
    fs::write(&about, "run_id,n_nonembed,batch_tokens,dataset\nr,12M,0.5M,1M-articles\n").unwrap();
    let mut imported = import_text("h.csv", "step,val_loss\n10,3.0\n", &[]).unwrap();
    About::read(&about).unwrap().complete(&mut imported).unwrap();
    let run = &imported.runs[0];
    assert_eq!(
        (run.n_nonembed, run.batch_tokens, run.tokens),
        (Some(12_000_000), Some(500_000), Some(5_000_000))
    );
    assert_eq!(run.dataset.as_deref(), Some("1M-articles"));
}

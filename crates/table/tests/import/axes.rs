//! Charts and histories by an axis of the user's choice.

use crate::{curve, import_text, said};
use scalelaw_table::CurveRow;

fn test(row: &CurveRow) -> Option<f64> {
    row.test_loss
}

#[test]
fn chart_by_the_trainers_step_is_not_by_the_calls_of_log() {
    let chart = "\"trainer/global_step\",\"a - _step\",\"a - eval/loss\",\"a - eval/loss__MIN\",\"b - _step\",\"b - eval/loss\"\n\
        100,2,3.5,3.5,2,3.8\n200,4,3.0,3.0,4,3.3\n";
    let imported = import_text("chart.csv", chart, &[]).unwrap();
    assert_eq!(curve(&imported, "a", test), [(100, 3.5), (200, 3.0)]);
    assert_eq!(curve(&imported, "b", test), [(100, 3.8), (200, 3.3)]);
    assert!(said(&imported, "step = trainer/global_step"), "{:?}", imported.notes);
    assert_eq!(imported.runs[0].steps, Some(200));
}

#[test]
fn chart_by_any_axis_of_the_user_goes_by_it_and_one_by_time_does_not() {
    let chart = "\"my axis\",\"a - _step\",\"a - val_loss\"\n7,1,3.5\n9,2,3.0\n";
    assert_eq!(curve(&import_text("c.csv", chart, &[]).unwrap(), "a", test), [(7, 3.5), (9, 3.0)]);
    let chart = "\"Relative Time (Process)\",\"a - _step\",\"a - val_loss\"\n0.5,1,3.5\n1.5,2,3.0\n";
    assert_eq!(curve(&import_text("c.csv", chart, &[]).unwrap(), "a", test), [(1, 3.5), (2, 3.0)]);
}

#[test]
fn chart_by_tokens_has_tokens() {
    let chart =
        "\"throughput/total_tokens\",\"a - _step\",\"a - eval/loss\"\n52428800,100,3.5\n104857600,200,3.0\n";
    let imported = import_text("c.csv", chart, &[]).unwrap();
    assert_eq!(
        curve(&imported, "a", |r| r.tokens.map(|t| t as f64)),
        [(100, 52428800.0), (200, 104857600.0)]
    );
    assert_eq!((imported.runs[0].tokens, imported.runs[0].loss), (Some(104857600), Some(3.0)));

    // Without any count of steps the tokens alone say where the run was.
    let chart = "\"throughput/total_tokens\",\"a - eval/loss\"\n52428800,3.5\n104857600,3.0\n";
    let imported = import_text("c.csv", chart, &[]).unwrap();
    let rows: Vec<_> = imported.curves.iter().map(|r| (r.step, r.tokens, r.test_loss)).collect();
    assert_eq!(rows, [(None, Some(52428800), Some(3.5)), (None, Some(104857600), Some(3.0))]);
    let run = &imported.runs[0];
    assert_eq!((run.steps, run.tokens, run.loss), (None, Some(104857600), Some(3.0)));
    let table = import_text("t.csv", "tokens_seen,loss\n40960,5.0\n81920,4.6\n", &[]).unwrap();
    assert_eq!((table.runs[0].tokens, table.runs[0].train_loss), (Some(81920), Some(4.6)));
}

#[test]
fn history_goes_by_the_trainers_step_of_each_metric() {
    let lines = "{\"_step\": 1, \"trainer/global_step\": 100, \"val_loss\": 3.5}\n\
        {\"_step\": 2, \"trainer/global_step\": 200, \"val_loss\": 3.0}\n";
    assert_eq!(curve(&import_text("h.jsonl", lines, &[]).unwrap(), "r", test), [(100, 3.5), (200, 3.0)]);
    let lines = "{\"_step\": 1, \"train/step\": 100, \"train/loss\": 3.5}\n\
        {\"_step\": 2, \"eval/step\": 90, \"eval/loss\": 3.6}\n{\"_step\": 3, \"train/step\": 200, \"train/loss\": 3.0}\n";
    let imported = import_text("h.jsonl", lines, &[]).unwrap();
    assert_eq!(curve(&imported, "r", test), [(90, 3.6)]);
    assert_eq!(curve(&imported, "r", |r| r.train_loss), [(100, 3.5), (200, 3.0)]);
}

#[test]
fn steps_of_lightnings_metrics_are_no_axes() {
    let csv = "epoch,step,train_loss_step,val_loss\n0,10,3.5,\n0,20,3.0,\n0,20,,3.1\n";
    let imported = import_text("metrics.csv", csv, &[]).unwrap();
    assert_eq!(curve(&imported, "r", |r| r.train_loss), [(10, 3.5), (20, 3.0)]);
    assert_eq!(curve(&imported, "r", test), [(20, 3.1)]);
}

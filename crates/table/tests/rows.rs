//! Rows survive a round trip through every format.

#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use scalelaw_table::{CurveRow, Format, PositionRow, Row, RunRow, read_rows, write_rows};
use std::collections::BTreeMap;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("NaN is not equal to itself", |x| !x.is_nan()),
        Just(0.1 + 0.2),
        Just(1e21)
    ]
}

fn run() -> impl Strategy<Value = RunRow> {
    (
        "[ -~é]{1,12}",
        proptest::option::of("[a-z,\"\n]{1,8}"),
        proptest::option::of(any::<u64>()),
        proptest::option::of(number()),
        proptest::option::of(any::<u32>()),
        proptest::collection::btree_map("[a-z]{2,6}", number(), 0..3),
    )
        .prop_map(|(run_id, recipe, seed, loss, n_layer, evals)| RunRow {
            run_id,
            recipe,
            seed,
            loss,
            n_layer,
            // `loss_se` and `loss_min` are columns of their own, never evaluation sets.
            loss_evalsets: evals.into_iter().filter(|(k, _)| k != "se" && k != "min").collect(),
            ..RunRow::default()
        })
}

fn round_trip<R: Row>(rows: &[R], format: Format, name: &str) -> Vec<R> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    write_rows(rows, format, std::fs::File::create(&path).unwrap()).unwrap();
    read_rows(&path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn runs_written_and_read_in_every_format_are_equal(mut rows in proptest::collection::vec(run(), 0..6)) {
        for (format, name) in [(Format::CSV, "r.csv"), (Format::Jsonl, "r.jsonl"), (Format::Parquet, "r.parquet")] {
            let back = round_trip(&rows, format, name);
            rows.sort_by_cached_key(|r| r.run_id.clone());
            prop_assert_eq!(&back, &rows, "{}", name);
        }
    }
}

#[test]
fn runs_as_csv_have_the_stable_columns_in_order() {
    let rows = [RunRow {
        run_id: "b".into(),
        loss: Some(3.25),
        loss_evalsets: BTreeMap::from([("wiki".to_string(), 3.5)]),
        status: Some("completed".into()),
        ..RunRow::default()
    }];
    let mut out = Vec::new();
    write_rows(&rows, Format::CSV, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text.lines().next().unwrap(),
        "run_id,parent_run,recipe,arch,n_layer,d_model,d_ff,d_attn,n_head,n_ctx,n_vocab,reuse,dropout,n_nonembed,\
         n_total,n_matmul,d_unique,tokens,steps,batch_tokens,micro_batch_tokens,warmup_tokens,flops_6n,flops_matmul,\
         flops_full,lr,schedule,seed,dataset,loss,loss_se,loss_bits_per_byte,loss_min,best_step,train_loss,loss_wiki,\
         status"
    );
    assert!(text.lines().nth(1).unwrap().starts_with("b,,,"));
}

#[test]
fn curves_are_sorted_by_run_then_step() {
    let row =
        |run_id: &str, step| CurveRow { run_id: run_id.into(), step: Some(step), ..CurveRow::default() };
    let back = round_trip(&[row("b", 1), row("a", 20), row("a", 3)], Format::Jsonl, "c.jsonl");
    assert_eq!(back, [row("a", 3), row("a", 20), row("b", 1)]);
}

#[test]
fn positions_round_trip_through_parquet() {
    let row =
        |position| PositionRow { run_id: "a".into(), step: 9, position, loss: 4.0, ..PositionRow::default() };
    let rows = [row(1), row(2), row(64)];
    assert_eq!(round_trip(&rows, Format::Parquet, "p.parquet"), rows);
}

#[test]
fn reading_a_run_with_an_unreadable_cell_names_file_row_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("runs.csv");
    std::fs::write(&path, "run_id,loss\na,3.2\nb,oops\n").unwrap();
    let error = read_rows::<RunRow>(&path).unwrap_err().to_string();
    let expected = format!("{}: row 2, column loss: expected a number, got \"oops\"", path.display());
    assert_eq!(error, expected);
}

//! Files that were made to do harm, or that a disk damaged: an error, or a table, and always an end.

#![allow(clippy::unwrap_used)]
use scalelaw_table::{Format, Importer, Mapping, RunRow, Table, write_rows};
use std::fs;

fn rows() -> Vec<RunRow> {
    let row = |i: u64| RunRow {
        run_id: format!("run-{i}"),
        n_nonembed: Some(i * 1000),
        tokens: Some(i * 1_000_000),
        loss: Some(3.0 + i as f64),
        ..RunRow::default()
    };
    (1..5).map(row).collect()
}

#[test]
fn parquet_with_any_byte_changed_is_an_error_or_a_table() {
    let mut whole = Vec::new();
    write_rows(&rows(), Format::Parquet, &mut whole).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x81;
        fs::write(&path, &bytes).unwrap();
        match Table::load(&path) {
            Ok(table) => assert!(table.len() <= 1 << 20),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("t.parquet") && !error.contains('\n'), "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > whole.len() / 2, "{refused} of {} changes were seen", whole.len());
}

#[test]
fn lines_of_ever_new_keys_are_refused_before_they_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    let lines: String = (0..20_000).map(|i| format!("{{\"k{i}\": 1}}\n")).collect();
    fs::write(&path, lines).unwrap();
    let error = Table::load(&path).unwrap_err().to_string();
    assert!(error.contains("20000 rows of 20000 columns are more than"), "{error}");
}

#[test]
fn json_nested_without_end_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("trainer_state.json", "{\"log_history\": ".to_string() + &"[".repeat(1 << 20)),
        ("t.jsonl", "{\"a\":".repeat(1 << 18)),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let error = Importer::new(Mapping::default()).add(&path, None).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

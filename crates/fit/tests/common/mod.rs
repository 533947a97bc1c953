//! Public run tables, when they are there.

#![allow(clippy::print_stderr)] // a skipped test says so

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Columns of a plain CSV of the shared data, or `None` with a loud note when the data are absent.
pub fn shared(path: &str) -> Option<BTreeMap<String, Vec<f64>>> {
    let root = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = root.join(path);
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("SKIPPED: {} is not there; set SCALELAW_SHARED_DATA", file.display());
        return None;
    };
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in lines {
        for (name, cell) in names.iter().zip(line.split(',')) {
            columns.entry((*name).to_string()).or_default().push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    Some(columns)
}

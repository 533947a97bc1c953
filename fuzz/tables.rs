//! What is fuzzed of the readers of tables, logs and laws: each function takes any bytes, and has to come back.
//!
//!     cargo +nightly fuzz run parquet        (or another of these; needs cargo-fuzz)
//!     cargo run --release -p scalelaw-lab --example mutate_tables -- parquet MINUTES      (stable, no tools)

use scalelaw_fit::FittedLaw;
use scalelaw_table::{About, Importer, Mapping, RunRow, Table, read_rows};
use std::path::Path;

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("csv", csv),
    ("jsonl", jsonl),
    ("parquet", parquet),
    ("gzip", gzip),
    ("tensorboard", tensorboard),
    ("huggingface", huggingface),
    ("printed", printed),
    ("law", law),
];

pub fn csv(bytes: &[u8]) {
    table("t.csv", bytes);
}

pub fn jsonl(bytes: &[u8]) {
    table("t.jsonl", bytes);
}

pub fn parquet(bytes: &[u8]) {
    table("t.parquet", bytes);
}

pub fn gzip(bytes: &[u8]) {
    table("t.csv.gz", bytes);
}

pub fn tensorboard(bytes: &[u8]) {
    named("events.out.tfevents.1.host", bytes, import);
}

pub fn huggingface(bytes: &[u8]) {
    named("trainer_state.json", bytes, import);
}

pub fn printed(bytes: &[u8]) {
    named("slurm.out", bytes, import);
}

/// A law file, and a prediction of what it holds.
pub fn law(bytes: &[u8]) {
    let Ok(law) = FittedLaw::from_json(&String::from_utf8_lossy(bytes)) else { return };
    let point = [("N", 1e9), ("D", 2e10), ("C", 1e20)];
    let _ = law.predict(&point);
    let _ = law.equation_with_values();
}

/// A table as a fit reads it, as a log and as facts about runs.
fn table(name: &str, bytes: &[u8]) {
    named(name, bytes, |path| {
        if let Ok(table) = Table::load(path) {
            let names = table.names();
            let used: Vec<&str> = names.iter().map(String::as_str).take(3).collect();
            let _ = table.usable(&used);
        }
        let _ = read_rows::<RunRow>(path);
        let _ = About::read(path);
        import(path);
    });
}

fn import(path: &Path) {
    let mut importer = Importer::new(Mapping::default());
    if importer.add(path, None).is_ok() {
        let _ = importer.finish();
    }
}

/// Writes the bytes to a file of that name, and reads it.
fn named(name: &str, bytes: &[u8], read: impl Fn(&Path)) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    FOLDER.with(|folder| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        read(&path);
    });
}

//! Which rows and columns of anybody's table become a law's points, and what is said about them.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

mod columns;
mod doubts;

use scalelaw_fit::Law;
use scalelaw_lab::observations::{Points, Wanted};
use scalelaw_lab::{LabError, Observations, TableRequest};
use std::path::PathBuf;

/// A table in a folder of its own.
struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let name = "runs.csv";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    File { _dir: dir, path }
}

impl File {
    fn mapped(&self, map: &[(&str, &str)]) -> TableRequest {
        let map = map.iter().map(|(symbol, column)| (symbol.to_string(), column.to_string())).collect();
        TableRequest { map, ..TableRequest::new(&self.path) }
    }

    fn request(&self) -> TableRequest {
        TableRequest::new(&self.path)
    }
}

fn points(request: &TableRequest, law: &dyn Law) -> Result<Points, LabError> {
    Observations::open(request)?.points(&Wanted::law(law))
}

/// The column that a variable is read from.
fn column(points: &Points, variable: &str) -> String {
    let assigned = points.reading.assigned.iter().find(|a| a.variable == variable).unwrap();
    assigned.source.columns().join(" ")
}

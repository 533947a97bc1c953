//! The logs of other trainers as a run table and learning curves.

use crate::error::LabError;
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_table::{About, Imported, Importer, Mapping, TableError, logs_in};
use std::path::PathBuf;

/// Which logs, and what they do not say.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// Log files; [`logs`] finds those of folders.
    pub files: Vec<PathBuf>,
    /// Name of the run where its log has none; all such files are one run.
    pub run: Option<String>,
    /// Which metric is what.
    pub mapping: Mapping,
    /// A table with `run_id` and whatever the logs do not say.
    pub about: Option<PathBuf>,
}

/// Runs and curves, and the files that could not be read.
#[derive(Debug)]
pub struct ImportReport {
    /// Runs and curves; there is at least one run.
    pub imported: Imported,
    /// Why a file was left out.
    pub failed: Vec<TableError>,
}

/// The files among `paths`, and of each folder the logs in it; a folder without any stays, and is an error when it is
/// read.
///
/// # Errors
/// A folder cannot be listed.
pub fn logs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, LabError> {
    let mut files = Vec::new();
    for path in paths {
        let below = if path.is_dir() { logs_in(path)? } else { vec![] };
        if below.is_empty() { files.push(path.clone()) } else { files.extend(below) }
    }
    Ok(files)
}

/// Imports the logs.
///
/// # Errors
/// The only file cannot be read, no run is in any of them, or the table about the runs is wrong.
pub fn run(request: &ImportRequest, observer: &dyn Observer) -> Result<ImportReport, LabError> {
    let about = request.about.as_deref().map(About::read).transpose()?;
    let mut importer = Importer::new(request.mapping.clone());
    let mut failed = Vec::new();
    let total = request.files.len() as u64;
    let stage = |done| Progress::Stage { name: "reading logs", done, total, unit: "files" };
    for (done, file) in request.files.iter().enumerate() {
        observer.progress(stage(done as u64));
        match importer.add(file, request.run.as_deref()) {
            // The error of a single file is the request's.
            Err(error) if request.files.len() == 1 => return Err(error.into()),
            Err(error) => failed.push(error),
            Ok(_) => {}
        }
    }
    observer.progress(stage(total));
    let mut imported = importer.finish();
    if let Some(about) = about {
        about.complete(&mut imported)?;
    }
    Ok(ImportReport { imported, failed })
}

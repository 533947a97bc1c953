//! Other people's logs as runs and curves: W&B, TensorBoard, Hugging Face, nanochat, Lightning.
//!
//! A log has metrics under names of its own; [`Mapping`] says which of them is what, and [`Imported`] says which
//! were taken, which were left, and which values could not be used.

mod about;
mod history;
mod huggingface;
mod mapping;
mod nanochat;
mod protobuf;
mod steps;
mod tensorboard;

pub use about::About;
pub use mapping::Mapping;

use crate::error::TableError;
use crate::format::{self, Format};
use crate::rows::{CurveRow, RunRow};
use history::History;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A kind of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// W&B history: `run.history()` as CSV, JSON lines or Parquet, or the CSV of a chart on the page.
    Wandb,
    /// TensorBoard event file.
    TensorBoard,
    /// Hugging Face `trainer_state.json`.
    HuggingFace,
    /// nanochat `results.csv`.
    Nanochat,
    /// A table with a step column, such as Lightning's `metrics.csv`.
    Steps,
}

impl std::fmt::Display for LogKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wandb => "W&B history",
            Self::TensorBoard => "TensorBoard events",
            Self::HuggingFace => "Hugging Face trainer state",
            Self::Nanochat => "nanochat results",
            Self::Steps => "table of steps (Lightning's metrics.csv is one)",
        })
    }
}

impl LogKind {
    fn wrong(self, path: &Path, message: impl Into<String>) -> TableError {
        TableError::Log { path: path.to_path_buf(), expected: self, message: message.into() }
    }
}

/// What a file held, before metrics are given a meaning.
struct Log {
    kind: LogKind,
    /// By run; `None` is the run that the log does not name.
    histories: BTreeMap<Option<String>, History>,
    /// Rows of a log that has a row a run.
    rows: Vec<RunRow>,
    notes: Vec<String>,
    problems: Vec<String>,
}

impl Log {
    fn new(kind: LogKind) -> Self {
        Self { kind, histories: BTreeMap::new(), rows: vec![], notes: vec![], problems: vec![] }
    }
}

/// Runs and curves from logs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// One row a run; what its log does not know is absent.
    pub runs: Vec<RunRow>,
    /// One row a step at which something that we know was logged.
    pub curves: Vec<CurveRow>,
    /// Which metric was taken as what, and what was left.
    pub notes: Vec<String>,
    /// What should have been usable and was not.
    pub problems: Vec<String>,
}

/// Where a run came from.
struct Source {
    path: PathBuf,
    kind: LogKind,
}

/// Gathers logs, several of which may belong to one run.
pub struct Importer {
    mapping: Mapping,
    histories: BTreeMap<String, History>,
    sources: BTreeMap<String, Source>,
    imported: Imported,
}

impl Importer {
    /// An importer that gives metrics their meaning by `mapping`.
    pub fn new(mapping: Mapping) -> Self {
        Self { mapping, histories: BTreeMap::new(), sources: BTreeMap::new(), imported: Imported::default() }
    }

    /// Reads a log; its name and contents say what it is. `run` names the run where the log does not (the
    /// default is the name of the folder or file); files of one such name are one run, the later file counting
    /// where both have a value. Without `run`, only event files of one folder are.
    ///
    /// # Errors
    /// The file is none of the known logs, is not readable as the one it is, or has a run that another file had.
    /// Nothing of it is taken then.
    pub fn add(&mut self, path: &Path, run: Option<&str>) -> Result<LogKind, TableError> {
        let log = read(path, &self.mapping)?;
        let kind = log.kind;
        let name = |own: Option<&String>| {
            own.cloned().or_else(|| run.map(String::from)).unwrap_or_else(|| default_run(path))
        };
        let runs = log
            .histories
            .keys()
            .map(|own| name(own.as_ref()))
            .chain(log.rows.iter().map(|r| r.run_id.clone()));
        for id in runs {
            let Some(source) = self.sources.get(&id) else { continue };
            let one_folder = source.kind == LogKind::TensorBoard
                && kind == LogKind::TensorBoard
                && source.path.parent() == path.parent();
            if !one_folder && run != Some(id.as_str()) {
                let message = format!(
                    "its run {id:?} was read from {} already; import one of them, or give both one name if they are one run",
                    source.path.display()
                );
                return Err(kind.wrong(path, message));
            }
        }
        self.imported.notes.extend(log.notes.into_iter().map(|n| format!("{}: {n}", path.display())));
        self.imported.problems.extend(log.problems.into_iter().map(|p| format!("{}: {p}", path.display())));
        let source = || Source { path: path.to_path_buf(), kind };
        for (own, history) in log.histories {
            let id = name(own.as_ref());
            self.histories.entry(id.clone()).or_default().absorb(history);
            self.sources.insert(id, source());
        }
        for row in log.rows {
            self.sources.insert(row.run_id.clone(), source());
            self.imported.runs.push(row);
        }
        Ok(kind)
    }

    /// Gives the metrics their meaning. A run without any loss is a problem and no row.
    pub fn finish(mut self) -> Imported {
        for (run, history) in self.histories {
            history.finish(&run, &self.mapping, &mut self.imported);
        }
        self.imported
    }
}

fn read(path: &Path, mapping: &Mapping) -> Result<Log, TableError> {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    if name.contains("tfevents") {
        return tensorboard::read(path);
    }
    if name.ends_with(".json") {
        return huggingface::read(path);
    }
    let (format, compression) =
        Format::of(path).map_err(|_| TableError::UnknownLog { path: path.to_path_buf() })?;
    let bytes = scalelaw_files::read(path, compression)?;
    let (mut notes, mut problems) = (Vec::new(), Vec::new());
    let text = matches!(format, Format::Csv { .. });
    let unfinished = text && !bytes.ends_with(b"\n");
    let inside_quotes = unfinished && bytes.iter().filter(|b| **b == b'"').count() % 2 == 1;
    let mut rows = format::cells(path, format, bytes)?;
    if inside_quotes {
        rows.pop();
        problems.push("the last row ends inside quotes: cut off, not used".to_string());
    } else if unfinished {
        notes.push(
            "the file does not end with a line end: if it was cut off, its last number may be short"
                .to_string(),
        );
    }
    if text {
        // Elsewhere an absent cell is an absent value.
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        for (i, row) in rows.iter_mut().enumerate().filter(|(_, row)| row.len() < width) {
            problems.push(format!("row {}: {} of {width} fields: cut off, not used", i + 1, row.len()));
            // Emptied, so that the rows after it keep their numbers.
            row.clear();
        }
    }
    if rows.iter().all(Vec::is_empty) {
        return Err(TableError::NoWholeRow { path: path.to_path_buf() });
    }
    let has = |column: &str| rows.iter().any(|row| row.iter().any(|(name, _)| name == column));
    let mut log = if has("flops_budget") && has("depth") && has("val_bpb") {
        nanochat::read(path, &rows)?
    } else {
        steps::read(path, &rows, mapping)?
    };
    log.notes.extend(notes);
    log.problems.extend(problems);
    Ok(log)
}

/// The name of a run whose log has none: the folder's where every run's file is called the same, else the file's.
fn default_run(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut folders = absolute.parent().into_iter().flat_map(Path::ancestors).filter_map(Path::file_name);
    let mut folder = folders.next().map(|n| n.to_string_lossy().into_owned());
    // Hugging Face keeps a copy of the state in every checkpoint.
    if folder.as_ref().is_some_and(|f| f.starts_with("checkpoint-")) {
        folder = folders.next().map(|n| n.to_string_lossy().into_owned());
    }
    let file = absolute.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let common =
        ["trainer_state", "metrics", "history", "events"].contains(&stem) || file.contains("tfevents");
    folder.filter(|_| common || stem.is_empty()).unwrap_or_else(|| stem.to_string())
}

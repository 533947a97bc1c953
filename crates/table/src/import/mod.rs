//! Other people's logs as runs and curves: W&B, TensorBoard, Hugging Face, nanochat, Lightning.
//!
//! A log has metrics under names of its own; [`Mapping`] says which of them is what, and [`Imported`] says which
//! were taken, which were left, and which values could not be used. Of a run that was resumed, the lives that were
//! kept count, whatever the kind of log.

mod about;
mod axes;
mod contents;
mod curve;
mod grid;
mod history;
mod huggingface;
mod lives;
mod long;
mod mapping;
mod nanochat;
mod printed;
mod protobuf;
mod steps;
mod tensorboard;

pub use about::About;
pub use contents::Contents;
pub use mapping::Mapping;

use crate::error::TableError;
use crate::format::{self, Format};
use crate::rows::{CurveRow, RunRow};
use history::History;
use scalelaw_files::{Compression, FileError};
use std::collections::BTreeMap;
use std::io::Read;
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
    /// What nanoGPT prints.
    NanoGpt,
    /// llm.c's `main.log`, or what it prints.
    LlmC,
    /// What Megatron-LM, Megatron-DeepSpeed and GPT-NeoX print.
    Megatron,
    /// What torchtitan prints.
    Torchtitan,
    /// What LitGPT prints.
    LitGpt,
    /// What OLMo and OLMo-core print.
    Olmo,
    /// Lines of a step and its losses that any other trainer prints.
    Printed,
}

impl std::fmt::Display for LogKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wandb => "W&B history",
            Self::TensorBoard => "TensorBoard events",
            Self::HuggingFace => "Hugging Face trainer state",
            Self::Nanochat => "nanochat results",
            Self::Steps => "table of steps (Lightning's metrics.csv is one)",
            Self::NanoGpt => "what nanoGPT prints",
            Self::LlmC => "what llm.c prints",
            Self::Megatron => "what Megatron prints",
            Self::Torchtitan => "what torchtitan prints",
            Self::LitGpt => "what LitGPT prints",
            Self::Olmo => "what OLMo prints",
            Self::Printed => "printed lines of steps and losses",
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
    /// Whether the log names no run and holds several, which its keys number.
    numbered: bool,
    /// Rows of a log that has a row a run.
    rows: Vec<RunRow>,
    notes: Vec<String>,
    problems: Vec<String>,
}

impl Log {
    fn new(kind: LogKind) -> Self {
        Self {
            kind,
            histories: BTreeMap::new(),
            numbered: false,
            rows: vec![],
            notes: vec![],
            problems: vec![],
        }
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

/// A part of a run's log.
struct Part {
    path: PathBuf,
    kind: LogKind,
    /// Absent for a log that has a row a run.
    history: Option<History>,
}

/// Gathers logs, several of which may belong to one run.
pub struct Importer {
    mapping: Mapping,
    runs: BTreeMap<String, Vec<Part>>,
    imported: Imported,
}

impl Importer {
    /// An importer that gives metrics their meaning by `mapping`.
    pub fn new(mapping: Mapping) -> Self {
        Self { mapping, runs: BTreeMap::new(), imported: Imported::default() }
    }

    /// Reads a log; its name and contents say what it is. `run` names the run where the log does not (the
    /// default is the name of the folder or file, with a number behind it where a file holds several); files of one such name are one run, a later file taking back
    /// what earlier ones have from its steps on. Without `run`, only event files of one folder are, and the
    /// states of a Hugging Face run, of which the longest counts.
    ///
    /// # Errors
    /// The file is none of the known logs, is not readable as the one it is, or has a run that another file had.
    /// Nothing of it is taken then.
    pub fn add(&mut self, path: &Path, run: Option<&str>) -> Result<LogKind, TableError> {
        let log = read(path, &self.mapping)?;
        let kind = log.kind;
        let name = |own: Option<&String>| {
            let of_file = || run.map_or_else(|| default_run(path), String::from);
            match own {
                Some(number) if log.numbered => format!("{}-{number}", of_file()),
                Some(own) => own.clone(),
                None => of_file(),
            }
        };
        let runs = log
            .histories
            .keys()
            .map(|own| name(own.as_ref()))
            .chain(log.rows.iter().map(|r| r.run_id.clone()));
        for id in runs {
            let Some(part) = self.runs.get(&id).and_then(|parts| parts.first()) else { continue };
            let of_one_run = part.kind == kind
                && match kind {
                    LogKind::TensorBoard => part.path.parent() == path.parent(),
                    LogKind::HuggingFace => run_folder(&part.path) == run_folder(path),
                    _ => false,
                };
            if !of_one_run && run != Some(id.as_str()) {
                let message = format!(
                    "its run {id:?} was read from {} already; import one of them, or give both one name if they are one run",
                    part.path.display()
                );
                return Err(kind.wrong(path, message));
            }
        }
        self.imported.notes.extend(log.notes.into_iter().map(|n| format!("{}: {n}", path.display())));
        self.imported.problems.extend(log.problems.into_iter().map(|p| format!("{}: {p}", path.display())));
        let part = |history| Part { path: path.to_path_buf(), kind, history };
        for (own, history) in log.histories {
            self.runs.entry(name(own.as_ref())).or_default().push(part(Some(history)));
        }
        for row in log.rows {
            self.runs.entry(row.run_id.clone()).or_default().push(part(None));
            self.imported.runs.push(row);
        }
        Ok(kind)
    }

    /// Gives the metrics their meaning. A run without any loss is a problem and no row.
    pub fn finish(mut self) -> Imported {
        for (run, parts) in self.runs {
            if let Some(history) = joined(parts, &run, &mut self.imported) {
                curve::finish(&history, &run, &self.mapping, &mut self.imported);
            }
        }
        self.imported
    }
}

/// The parts of a run as one history, in the order in which they were logged.
fn joined(parts: Vec<Part>, run: &str, imported: &mut Imported) -> Option<History> {
    let end = |part: &Part| part.history.as_ref().and_then(History::span).map(|(_, last)| last);
    let states = || parts.iter().enumerate().filter(|(_, part)| part.kind == LogKind::HuggingFace);
    // Each state of a Hugging Face run repeats the log from the start.
    let longest = states().max_by_key(|(_, part)| end(part)).map(|(i, _)| i);
    let mut ordered: Vec<(PathBuf, History)> = Vec::new();
    for (i, part) in parts.into_iter().enumerate() {
        if part.kind == LogKind::HuggingFace && Some(i) != longest {
            imported
                .notes
                .push(format!("{run}: {} is an earlier state of the run, not used", part.path.display()));
            continue;
        }
        let Some(history) = part.history else { continue };
        // By the clock where both have one; a file that ends before another begins comes before it.
        let before = |other: &History| match (history.began, other.began) {
            (Some(mine), Some(other)) => mine < other,
            _ => history.span().zip(other.span()).is_some_and(|(mine, other)| mine.1 < other.0),
        };
        let at = ordered.iter().position(|(_, other)| before(other)).unwrap_or(ordered.len());
        ordered.insert(at, (part.path, history));
    }
    let mut ordered = ordered.into_iter();
    let (_, mut whole) = ordered.next()?;
    for (path, history) in ordered {
        if history.axis == whole.axis {
            whole.absorb(history);
        } else {
            imported.problems.push(format!(
                "{run}: {} is by {}, the others are by {}: not used",
                path.display(),
                history.axis,
                whole.axis
            ));
        }
    }
    Some(whole)
}

/// Folders below a run's that are looked into for its logs.
const DEEPEST: usize = 4;

/// The logs in a folder and below it that are known by their names, sorted: TensorBoard's event files, Hugging Face's
/// `trainer_state.json` and Lightning's `metrics.csv`. Links to folders are not followed.
///
/// # Errors
/// A folder cannot be listed.
pub fn logs_in(folder: &Path) -> Result<Vec<PathBuf>, TableError> {
    fn visit(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), TableError> {
        for entry in std::fs::read_dir(folder).map_err(FileError::new(folder, "list"))? {
            let entry = entry.map_err(FileError::new(folder, "list"))?;
            let kind = entry.file_type().map_err(FileError::new(folder, "list"))?;
            let name = entry.file_name().to_string_lossy().to_lowercase();
            if kind.is_dir() {
                if depth < DEEPEST {
                    visit(&entry.path(), depth + 1, found)?;
                }
            } else if name.contains("tfevents") || ["trainer_state.json", "metrics.csv"].contains(&&*name) {
                found.push(entry.path());
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    visit(folder, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn read(path: &Path, mapping: &Mapping) -> Result<Log, TableError> {
    if path.is_dir() {
        return Err(TableError::UnknownLog { path: path.to_path_buf(), contents: Contents::Directory });
    }
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    if name.contains("tfevents") {
        return tensorboard::read(path);
    }
    if name.ends_with(".json") {
        return huggingface::read(path);
    }
    let (format, bytes) = if Format::of(path).is_ok() {
        format::bytes(path)?
    } else {
        let compression = Compression::of_name(&name).1;
        if !begins_with_an_object(path, compression)? {
            return printed::read(path, compression);
        }
        (Format::Jsonl, format::bytes_of(path, Format::Jsonl, compression)?)
    };
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

/// Whether the first thing in a file is a JSON object.
fn begins_with_an_object(path: &Path, compression: Compression) -> Result<bool, TableError> {
    let mut first = [0];
    let mut reader = scalelaw_files::open(path, compression)?;
    while reader.read(&mut first).map_err(FileError::new(path, "read"))? == 1 {
        if !first[0].is_ascii_whitespace() {
            return Ok(first[0] == b'{');
        }
    }
    Ok(false)
}

/// The folder of a run; Hugging Face keeps a copy of the state in every checkpoint below it.
fn run_folder(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = absolute.parent()?;
    let checkpoint = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("checkpoint-"));
    Some(if checkpoint { folder.parent()?.to_path_buf() } else { folder.to_path_buf() })
}

/// The name of a run whose log has none: the folder's where every run's file is called the same, else the file's.
fn default_run(path: &Path) -> String {
    let folder = run_folder(path).and_then(|f| f.file_name().map(|n| n.to_string_lossy().into_owned()));
    let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let common =
        ["trainer_state", "metrics", "history", "events"].contains(&stem) || file.contains("tfevents");
    folder.filter(|_| common || stem.is_empty()).unwrap_or_else(|| stem.to_string())
}

use crate::checkpoint::{self, BEST, CHECKPOINT, Checkpoint, NamedTensor};
use crate::record::{EvalRecord, RunResult, StepRecord, TimingRecord};
use crate::{Outcome, RunsError};
use scalelaw_core::RunSpec;
use scalelaw_core::spec::TRAINER;
use scalelaw_files::{write_atomically, write_once};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Checkpoints kept: one to resume from and one in case that is damaged.
const CHECKPOINTS_KEPT: usize = 2;

/// The directory of one run, open for writing.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    steps: File,
    events: File,
    events_bytes: u64,
}

impl RunDir {
    /// Opens or creates the directory of `spec` at `path`.
    ///
    /// # Errors
    /// When the directory cannot be written or holds another run.
    pub fn open(path: &Path, spec: &RunSpec) -> Result<Self, RunsError> {
        fs::create_dir_all(path).map_err(|e| RunsError::io("create", path, e))?;
        let spec_path = path.join("spec.toml");
        if spec_path.exists() {
            let found = read_spec(path)?;
            if found.key() != spec.key() {
                return Err(RunsError::OtherRun {
                    path: path.to_owned(),
                    found: found.key(),
                    expected: spec.key(),
                });
            }
        } else {
            let text = spec.to_toml().map_err(RunsError::spec(&spec_path))?;
            write_atomically(&spec_path, text.as_bytes())?;
        }
        let open = |name: &str| {
            let path = path.join(name);
            OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&path)
                .map_err(|e| RunsError::io("open", &path, e))
        };
        let (steps, events) = (open("steps.bin")?, open("events.jsonl")?);
        Ok(Self { path: path.to_owned(), steps, events, events_bytes: 0 })
    }

    /// Where the run lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The result, if the run is finished.
    ///
    /// # Errors
    /// When the file is there but does not hold a result.
    pub fn result(&self) -> Result<Option<RunResult>, RunsError> {
        read_result(&self.path)
    }

    /// Returns to the newest whole checkpoint, with its evaluations. `None` means from the start.
    ///
    /// What the logs hold beyond it is kept and overwritten by the same bytes at the same offsets: truncating
    /// would leave a hole under another writer that is further on. A damaged checkpoint, or one whose logs are
    /// shorter than it says, is skipped.
    ///
    /// # Errors
    /// When the logs cannot be read.
    pub fn resume(&mut self) -> Result<Option<(Checkpoint, Vec<EvalRecord>)>, RunsError> {
        for step in checkpoint::steps_in(&self.path, CHECKPOINT)? {
            let path = checkpoint::path_of(&self.path, step);
            let Ok(checkpoint) = checkpoint::load(&path, step) else { continue };
            let wanted_steps = step * StepRecord::BYTES as u64;
            if file_len(&self.steps, &self.path)? < wanted_steps
                || file_len(&self.events, &self.path)? < checkpoint.events_bytes
            {
                continue;
            }
            let Ok(evals) = read_evals(&self.path, checkpoint.events_bytes) else { continue };
            self.events_bytes = checkpoint.events_bytes;
            return Ok(Some((checkpoint, evals)));
        }
        self.events_bytes = 0;
        Ok(None)
    }

    /// Writes the records of consecutive steps, the first being step `first` (from 0), at their offset.
    ///
    /// # Errors
    /// When the file cannot be written (a full disk): the run must stop.
    pub fn write_steps(&mut self, first: u64, records: &[StepRecord]) -> Result<(), RunsError> {
        let bytes: Vec<u8> = records.iter().flat_map(|r| r.to_bytes()).collect();
        self.steps
            .seek(SeekFrom::Start(first * StepRecord::BYTES as u64))
            .and_then(|_| self.steps.write_all(&bytes))
            .map_err(|e| RunsError::io("write", &self.path.join("steps.bin"), e))
    }

    /// Appends an evaluation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_eval(&mut self, record: &EvalRecord) -> Result<(), RunsError> {
        let path = self.path.join("events.jsonl");
        let mut line = serde_json::to_vec(record).map_err(RunsError::json(&path, "an evaluation"))?;
        line.push(b'\n');
        self.events
            .seek(SeekFrom::Start(self.events_bytes))
            .and_then(|_| self.events.write_all(&line))
            .map_err(|e| RunsError::io("write", &path, e))?;
        self.events_bytes += line.len() as u64;
        Ok(())
    }

    /// Appends what depends on the clock.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_timing(&self, record: &TimingRecord) -> Result<(), RunsError> {
        let path = self.path.join("timing.jsonl");
        let mut line = serde_json::to_vec(record).map_err(RunsError::json(&path, "a session"))?;
        line.push(b'\n');
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut f| f.write_all(&line))
            .map_err(|e| RunsError::io("write", &path, e))
    }

    /// Saves the state after `step` steps; the logs reach the disk before it does. Older checkpoints than
    /// the newest two are removed.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save_checkpoint(&mut self, step: u64, tensors: &[NamedTensor<'_>]) -> Result<(), RunsError> {
        self.sync_logs()?;
        checkpoint::save(&checkpoint::path_of(&self.path, step), step, self.events_bytes, tensors)?;
        for old in checkpoint::steps_in(&self.path, CHECKPOINT)?.into_iter().skip(CHECKPOINTS_KEPT) {
            let path = checkpoint::path_of(&self.path, old);
            fs::remove_file(&path).map_err(|e| RunsError::io("remove", &path, e))?;
        }
        Ok(())
    }

    /// Saves the state after `step` steps for runs that branch off there; it is never removed.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save_branch(&mut self, step: u64, tensors: &[NamedTensor<'_>]) -> Result<(), RunsError> {
        self.sync_logs()?;
        checkpoint::save(&checkpoint::branch_path_of(&self.path, step), step, self.events_bytes, tensors)
    }

    /// Saves the state after `step` steps as the best so far and removes those of earlier steps only: a late
    /// writer that is behind cannot replace a better state.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save_best(&mut self, step: u64, tensors: &[NamedTensor<'_>]) -> Result<(), RunsError> {
        checkpoint::save(&checkpoint::best_path_of(&self.path, step), step, self.events_bytes, tensors)?;
        for old in checkpoint::steps_in(&self.path, BEST)?.into_iter().filter(|old| *old < step) {
            let path = checkpoint::best_path_of(&self.path, old);
            fs::remove_file(&path).map_err(|e| RunsError::io("remove", &path, e))?;
        }
        Ok(())
    }

    /// Writes the result: the run is finished. The logs are cut to what belongs to it; a result that is there
    /// already stays.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(self, result: &RunResult) -> Result<(), RunsError> {
        let cut = |file: &File, name: &str, bytes| {
            let longer = file_len(file, &self.path)? > bytes;
            let cut = if longer { file.set_len(bytes) } else { Ok(()) };
            cut.map_err(|e| RunsError::io("cut", &self.path.join(name), e))
        };
        cut(&self.steps, "steps.bin", result.steps * StepRecord::BYTES as u64)?;
        cut(&self.events, "events.jsonl", self.events_bytes)?;
        self.sync_logs()?;
        let path = self.path.join("result.json");
        let mut text = serde_json::to_vec_pretty(result).map_err(RunsError::json(&path, "a result"))?;
        text.push(b'\n');
        Ok(write_once(&path, &text)?)
    }

    fn sync_logs(&self) -> Result<(), RunsError> {
        self.steps.sync_data().map_err(|e| RunsError::io("sync", &self.path.join("steps.bin"), e))?;
        self.events.sync_data().map_err(|e| RunsError::io("sync", &self.path.join("events.jsonl"), e))
    }
}

fn file_len(file: &File, dir: &Path) -> Result<u64, RunsError> {
    Ok(file.metadata().map_err(|e| RunsError::io("examine the logs in", dir, e))?.len())
}

fn read_spec(dir: &Path) -> Result<RunSpec, RunsError> {
    let path = dir.join("spec.toml");
    let text = fs::read_to_string(&path).map_err(|e| RunsError::io("read", &path, e))?;
    RunSpec::from_toml(&text).map_err(RunsError::spec(&path))
}

fn read_result(dir: &Path) -> Result<Option<RunResult>, RunsError> {
    let path = dir.join("result.json");
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(RunsError::json(&path, "a result")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(RunsError::io("read", &path, e)),
    }
}

/// Reads the first `bytes` of `events.jsonl`.
fn read_evals(dir: &Path, bytes: u64) -> Result<Vec<EvalRecord>, RunsError> {
    let path = dir.join("events.jsonl");
    let mut text = String::new();
    File::open(&path)
        .and_then(|f| f.take(bytes).read_to_string(&mut text))
        .map_err(|e| RunsError::io("read", &path, e))?;
    text.lines()
        .enumerate()
        .map(|(i, line)| {
            serde_json::from_str(line).map_err(|source| {
                let (path, line, expected) = (path.clone(), i + 1, "an evaluation");
                RunsError::Line { path, line, expected, source }
            })
        })
        .collect()
}

/// The state after `step` steps that the run in `dir` keeps for runs that branch off.
///
/// # Errors
/// When there is no such state, or it is damaged.
pub fn branch_state(dir: &Path, step: u64) -> Result<Checkpoint, RunsError> {
    checkpoint::load(&checkpoint::branch_path_of(dir, step), step)
}

/// The state with the lowest test loss of a run that may stop early; `step` is the result's `best_step`.
///
/// # Errors
/// When there is no such state, or it is damaged.
pub fn best_state(dir: &Path, step: u64) -> Result<Checkpoint, RunsError> {
    checkpoint::load(&checkpoint::best_path_of(dir, step), step)
}

/// A finished run as it is read back.
#[derive(Clone, Debug)]
pub struct FinishedRun {
    /// The run's key.
    pub key: String,
    /// What was run.
    pub spec: RunSpec,
    /// What it gave.
    pub result: RunResult,
    /// Its evaluations.
    pub evals: Vec<EvalRecord>,
    /// Its dense step records; none from a trainer of the user's own.
    pub steps: Vec<StepRecord>,
}

/// The sessions of a run, as far as they were written down; a killed one is not among them.
///
/// # Errors
/// When the file cannot be read.
pub fn timings(dir: &Path) -> Result<Vec<TimingRecord>, RunsError> {
    let path = dir.join("timing.jsonl");
    match fs::read(&path) {
        Ok(bytes) => {
            Ok(bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(e) => Err(RunsError::io("read", &path, e)),
    }
}

/// Reads the run in `dir` if it is finished.
///
/// # Errors
/// When a file of a finished run is missing or damaged.
pub fn finished_run(dir: &Path) -> Result<Option<FinishedRun>, RunsError> {
    let Some(result) = read_result(dir)? else { return Ok(None) };
    let spec = read_spec(dir)?;
    let evals = read_evals(dir, u64::MAX)?;
    let path = dir.join("steps.bin");
    let bytes = fs::read(&path).map_err(|e| RunsError::io("read", &path, e))?;
    let steps: Vec<StepRecord> = bytes.as_chunks().0.iter().map(StepRecord::from_bytes).collect();
    // Only this program's trainer logs every step.
    if spec.trainer == TRAINER && steps.len() as u64 != result.steps {
        return Err(RunsError::StepCount { path, found: steps.len() as u64, expected: result.steps });
    }
    Ok(Some(FinishedRun { key: spec.key(), spec, result, evals, steps }))
}

/// All finished runs below `dir`, in the order of their keys.
///
/// # Errors
/// When the directory cannot be listed, or a finished run is damaged.
pub fn finished_runs(dir: &Path) -> Result<Vec<FinishedRun>, RunsError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| RunsError::io("list", dir, e))? {
        paths.push(entry.map_err(|e| RunsError::io("list", dir, e))?.path());
    }
    paths.sort();
    let mut runs = Vec::new();
    for path in paths.into_iter().filter(|p| p.is_dir()) {
        runs.extend(finished_run(&path)?);
    }
    Ok(runs)
}

impl FinishedRun {
    /// Whether the run did all its steps.
    pub fn is_complete(&self) -> bool {
        self.result.outcome == Outcome::Completed
    }
}

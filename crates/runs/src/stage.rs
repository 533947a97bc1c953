//! How far a run is, seen from outside, and what a scheduler writes into its directory.

use crate::RunsError;
use crate::record::EvalRecord;
use scalelaw_core::RunSpec;
use scalelaw_files::write_atomically;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of the end of `events.jsonl` in which its last line is looked for first.
const LAST_LINE: u64 = 1024;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStage {
    /// Nothing is there.
    New,
    /// It was begun.
    Begun,
    /// It was given up; `failed.json` says why. The next call of a scheduler tries it again.
    Failed,
    /// `result.json` is there.
    Finished,
}

/// `failed.json`: why a run was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRecord {
    /// Times it was tried.
    pub attempts: u32,
    /// What the last attempt said.
    pub reason: String,
}

/// How far the run in `dir` is.
///
/// # Errors
/// When the directory cannot be examined.
pub fn stage(dir: &Path) -> Result<RunStage, RunsError> {
    let exists = |name: &str| {
        let path = dir.join(name);
        path.try_exists().map_err(|e| RunsError::io("examine", &path, e))
    };
    Ok(if exists("result.json")? {
        RunStage::Finished
    } else if exists("failed.json")? {
        RunStage::Failed
    } else if exists("spec.toml")? {
        RunStage::Begun
    } else {
        RunStage::New
    })
}

/// What a [`prepare`] found to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing.
    Sound,
    /// The spec was damaged and was written again.
    SpecRepaired,
}

/// Makes the directory of a run ready for a trainer: its spec is there and whole, and no earlier failure.
///
/// # Errors
/// When the directory cannot be written or holds another run.
pub fn prepare(dir: &Path, spec: &RunSpec) -> Result<Prepared, RunsError> {
    let path = dir.join("spec.toml");
    let mut prepared = Prepared::Sound;
    let found = match fs::read_to_string(&path) {
        Ok(text) => RunSpec::from_toml(&text).ok(),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        // Bytes that are no text.
        Err(e) if e.kind() == ErrorKind::InvalidData => None,
        Err(e) => return Err(RunsError::io("read", &path, e)),
    };
    match found {
        Some(found) if found.key() == spec.key() => {}
        Some(found) => {
            return Err(RunsError::OtherRun {
                path: dir.to_owned(),
                found: found.key(),
                expected: spec.key(),
            });
        }
        None => {
            if path.exists() {
                prepared = Prepared::SpecRepaired;
            }
            let text = spec.to_toml().map_err(RunsError::spec(&path))?;
            write_atomically(&path, text.as_bytes())?;
        }
    }
    let failed = dir.join("failed.json");
    match fs::remove_file(&failed) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(RunsError::io("remove", &failed, e)),
        _ => Ok(prepared),
    }
}

/// Records that a run was given up.
///
/// # Errors
/// When the file cannot be written.
pub fn record_failure(dir: &Path, attempts: u32, reason: &str) -> Result<(), RunsError> {
    let path = dir.join("failed.json");
    fs::create_dir_all(dir).map_err(|e| RunsError::io("create", dir, e))?;
    let record = FailureRecord { attempts, reason: reason.to_owned() };
    let text = serde_json::to_vec_pretty(&record).map_err(RunsError::json(&path, "a failure"))?;
    Ok(write_atomically(&path, &text)?)
}

/// Why the run in `dir` was given up, if it was.
pub fn failure(dir: &Path) -> Option<FailureRecord> {
    serde_json::from_slice(&fs::read(dir.join("failed.json")).ok()?).ok()
}

/// The last whole evaluation of a run, while it may be running.
pub fn last_eval(dir: &Path) -> Option<EvalRecord> {
    let mut file = File::open(dir.join("events.jsonl")).ok()?;
    let length = file.metadata().ok()?.len();
    let mut tail = LAST_LINE;
    loop {
        file.seek(SeekFrom::Start(length.saturating_sub(tail))).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let found = bytes.split(|b| *b == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok());
        if found.is_some() || tail >= length {
            return found;
        }
        // A line with the loss of every position is long.
        tail *= 16;
    }
}

/// Every whole evaluation of a run, while it may be running.
pub fn evals_so_far(dir: &Path) -> Vec<EvalRecord> {
    let bytes = fs::read(dir.join("events.jsonl")).unwrap_or_default();
    bytes.split(|b| *b == b'\n').map_while(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_eval_of_a_torn_log_is_the_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(last_eval(dir.path()), None);
        let line = |step| {
            format!(
                "{{\"step\":{step},\"tokens\":1,\"train_loss\":2.0,\"test_loss\":1.0,\"test_loss_se\":0.1}}\n"
            )
        };
        let log = (1..40).map(line).collect::<String>() + "{\"step\":40,";
        fs::write(dir.path().join("events.jsonl"), log).unwrap();
        assert_eq!(last_eval(dir.path()).map(|e| e.step), Some(39));
        assert_eq!(evals_so_far(dir.path()).len(), 39);
        let mut long: EvalRecord = serde_json::from_str(&line(1)).unwrap();
        long.position_losses = vec![1.0 / 3.0; 1000];
        let log = serde_json::to_string(&long).unwrap() + "\n{\"step\":40,";
        fs::write(dir.path().join("events.jsonl"), log).unwrap();
        assert_eq!(last_eval(dir.path()), Some(long));
    }

    #[test]
    fn failure_is_recorded_and_taken_back_by_the_next_attempt() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(stage(dir.path()).unwrap(), RunStage::New);
        record_failure(dir.path(), 3, "no data").unwrap();
        assert_eq!(stage(dir.path()).unwrap(), RunStage::Failed);
        assert_eq!(failure(dir.path()).unwrap().reason, "no data");
        fs::remove_file(dir.path().join("failed.json")).unwrap();
        fs::write(dir.path().join("result.json"), "{}").unwrap();
        assert_eq!(stage(dir.path()).unwrap(), RunStage::Finished);
    }
}

//! Runs of a trainer of the user's own: what it writes, read, checked and made a finished run like any other.
//!
//! The contract: the trainer appends a line of JSON to `curve.jsonl` for every evaluation and writes
//! `trained.json` when it is done. Started again after a kill, it resumes or starts over: a line whose step
//! does not come after the one before withdraws every line from that step on.

use crate::record::{EvalRecord, Outcome, RunResult};
use crate::{ContractViolation, RunDir, RunsError};
use scalelaw_core::RunSpec;
use scalelaw_files::write_atomically;
use serde::Deserialize;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// File that the trainer appends evaluations to.
pub const CURVE: &str = "curve.jsonl";
/// File that the trainer writes at the end.
pub const TRAINED: &str = "trained.json";

/// A line of `curve.jsonl`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurveLine {
    step: u64,
    test_loss: f64,
    #[serde(default)]
    test_loss_se: Option<f64>,
    #[serde(default)]
    train_loss: Option<f64>,
}

/// `trained.json`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trained {
    steps: u64,
    #[serde(default)]
    outcome: TrainedOutcome,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TrainedOutcome {
    #[default]
    Completed,
    Diverged,
}

/// Makes what a trainer left in `dir` a finished run.
///
/// # Errors
/// A file that is missing, or a line that is not as the contract says, by number.
pub fn finish(dir: &Path, spec: &RunSpec) -> Result<RunResult, RunsError> {
    let path = dir.join(TRAINED);
    let text = fs::read(&path).map_err(|e| RunsError::io("read", &path, e))?;
    let trained: Trained = serde_json::from_slice(&text)
        .map_err(|source| RunsError::contract(&path, ContractViolation::End(source)))?;
    let lines = read_curve(dir)?;
    let path = dir.join(CURVE);
    let Some(last) = lines.last() else {
        return Err(RunsError::contract(&path, ContractViolation::NoEvaluation));
    };
    if last.step > trained.steps {
        let violation = ContractViolation::BeyondTheEnd { step: last.step, steps: trained.steps };
        return Err(RunsError::contract(&path, violation));
    }
    let mut run = RunDir::open(dir, spec)?;
    let mut evals = Vec::with_capacity(lines.len());
    for line in lines {
        let record = EvalRecord {
            step: line.step,
            tokens: line.step * spec.batch_tokens(),
            train_loss: line.train_loss,
            test_loss: line.test_loss,
            test_loss_se: line.test_loss_se,
            ..EvalRecord::default()
        };
        run.write_eval(&record)?;
        evals.push(record);
    }
    let outcome = match trained.outcome {
        TrainedOutcome::Completed => Outcome::Completed,
        TrainedOutcome::Diverged => Outcome::Diverged { step: trained.steps },
    };
    let tokens = trained.steps * spec.batch_tokens();
    let result = RunResult::new(outcome, &spec.model, trained.steps, tokens, &evals);
    run.finish(&result)?;
    Ok(result)
}

/// Makes `dir` ready for a trainer that is started again: drops the lines of its curve that are no evaluation,
/// such as an incomplete last one, and returns how many there were.
///
/// # Errors
/// When the file cannot be read or written.
pub fn repair(dir: &Path) -> Result<usize, RunsError> {
    let path = dir.join(CURVE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(RunsError::io("read", &path, e)),
    };
    let lines = bytes.split_inclusive(|b| *b == b'\n');
    let is_evaluation =
        |line: &&[u8]| line.ends_with(b"\n") && serde_json::from_slice::<CurveLine>(line).is_ok();
    let (good, bad): (Vec<&[u8]>, Vec<&[u8]>) = lines.partition(is_evaluation);
    if !bad.is_empty() {
        write_atomically(&path, &good.concat())?;
    }
    Ok(bad.len())
}

/// The last whole evaluation so far.
pub fn last_line(dir: &Path) -> Option<(u64, f64)> {
    let bytes = fs::read(dir.join(CURVE)).ok()?;
    let lines = bytes.split(|b| *b == b'\n').rev();
    lines
        .filter_map(|line| serde_json::from_slice::<CurveLine>(line).ok())
        .map(|l| (l.step, l.test_loss))
        .next()
}

fn read_curve(dir: &Path) -> Result<Vec<CurveLine>, RunsError> {
    let path = dir.join(CURVE);
    let text = fs::read_to_string(&path).map_err(|e| RunsError::io("read", &path, e))?;
    let mut lines: Vec<CurveLine> = Vec::new();
    for (i, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let number = i + 1;
        let line: CurveLine = serde_json::from_str(text)
            .map_err(|source| RunsError::contract(&path, ContractViolation::Line { line: number, source }))?;
        if !line.test_loss.is_finite() {
            return Err(RunsError::contract(&path, ContractViolation::NotFinite { line: number }));
        }
        lines.retain(|earlier| earlier.step < line.step);
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curve_of_a_trainer_that_started_over_is_its_last_life() {
        let dir = tempfile::tempdir().unwrap();
        let line = |step: u64, loss: f64| format!("{{\"step\": {step}, \"test_loss\": {loss}}}\n");
        let text = [line(10, 5.0), line(20, 4.0), line(30, 3.5), line(20, 4.1), line(30, 3.6)].concat();
        fs::write(dir.path().join(CURVE), text + "{\"step\": 40, \"te").unwrap();
        assert!(read_curve(dir.path()).unwrap_err().to_string().contains("line 6"));
        assert_eq!(repair(dir.path()).unwrap(), 1);
        assert_eq!(repair(dir.path()).unwrap(), 0);
        let steps: Vec<_> = read_curve(dir.path()).unwrap().iter().map(|l| (l.step, l.test_loss)).collect();
        assert_eq!(steps, [(10, 5.0), (20, 4.1), (30, 3.6)]);
        assert_eq!(last_line(dir.path()), Some((30, 3.6)));
    }
}

//! What is not finished of the paper's run sets, the experiment that makes it, and what that costs.

use super::{RunSet, SetCost};
use crate::execute::cost;
use crate::sweep::PlannedLine;
use scalelaw_experiment::{ExperimentError, ExperimentFile, Facts};
use scalelaw_runs::{FinishedRun, TimingRecord};
use std::path::Path;

/// The experiments of the nano tier, one a run set.
macro_rules! experiments {
    ($($set:ident: $file:literal,)*) => {
        [$((RunSet::$set, $file, include_str!(concat!("../../experiments/paper/nano/", $file)))),*]
    };
}

const EXPERIMENTS: [(RunSet, &str, &str); 10] = experiments! {
    Sizes: "a-sizes.toml",
    Data: "b-sizes-by-data.toml",
    Batches: "c-batches.toml",
    Shapes: "d-shapes.toml",
    Context: "e-context.toml",
    Lstm: "f-lstm.toml",
    Recurrent: "g-recurrent.toml",
    Schedules: "h-schedules.toml",
    Seeds: "i-seeds.toml",
    IsoFlop: "j-isoflop.toml",
};

/// The sets of which runs are missing. A set that was planned here costs what its own experiment file says; one
/// that was not, what the nano tier's does. So many `cores` would do them.
///
/// # Errors
/// When an experiment cannot be read or resolved.
pub fn sets(
    dir: &Path,
    planned: &[PlannedLine],
    finished: &[FinishedRun],
    cores: usize,
) -> Result<Vec<SetCost>, ExperimentError> {
    let rate = rate(dir, finished);
    let mut missing = Vec::new();
    for (set, name, embedded) in EXPERIMENTS {
        let of_set = |sets: &[String]| sets.iter().any(|s| s.starts_with(set.letter()));
        let is_finished = |key: &str| finished.iter().any(|run| run.key == key);
        let here: Vec<&PlannedLine> = planned.iter().filter(|line| of_set(&line.sets)).collect();
        if !here.is_empty() && here.iter().all(|line| is_finished(&line.run)) {
            continue;
        }
        let kept = dir.join("experiments").join(name);
        let own = std::fs::read_to_string(&kept).ok().filter(|_| !here.is_empty());
        let (shown, text) = match &own {
            Some(text) => (kept.display().to_string(), text.as_str()),
            None => (format!("experiments/paper/nano/{name}"), embedded),
        };
        let file = ExperimentFile::parse(&shown, text)?;
        let of_here = finished.iter().find(|run| here.iter().any(|line| line.run == run.key));
        let runs = file.runs(&facts(finished, of_here))?;
        let left: Vec<f64> =
            runs.iter().filter(|run| !is_finished(&run.key)).map(|run| cost(&run.spec)).collect();
        let flops: f64 = left.iter().sum();
        missing.push(SetCost {
            set,
            file: shown,
            runs: if here.is_empty() {
                left.len()
            } else {
                here.iter().filter(|line| !is_finished(&line.run)).count()
            },
            of: if here.is_empty() { runs.len() } else { here.len() },
            flops,
            seconds: rate.map(|rate| flops / rate / cores as f64),
        });
    }
    Ok(missing)
}

/// The dataset of the finished runs, as far as their specs tell, with the further sets that `like` is evaluated on.
fn facts(finished: &[FinishedRun], like: Option<&FinishedRun>) -> Facts {
    let largest = finished.iter().max_by_key(|run| run.spec.data.train_tokens);
    largest.map_or_else(Facts::default, |run| {
        let data = &run.spec.data;
        Facts {
            name: data.name.clone(),
            digest: data.digest.clone(),
            n_vocab: run.spec.model.n_vocab,
            train_tokens: data.train_tokens,
            test_tokens: data.test_tokens,
            evals: like.map_or_else(Vec::new, |run| run.spec.measure.sets.clone()),
        }
    })
}

/// FLOP/s of one core over everything that finished runs did, evaluations included; none without their timing.
fn rate(dir: &Path, finished: &[FinishedRun]) -> Option<f64> {
    let (mut flops, mut seconds) = (0.0, 0.0);
    for run in finished {
        let path = dir.join("runs").join(&run.key).join("timing.jsonl");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for session in text.lines().filter_map(|line| serde_json::from_str::<TimingRecord>(line).ok()) {
            flops += session.gflops * 1e9 * (session.wall_s - session.eval_s);
            seconds += session.wall_s * session.threads as f64;
        }
    }
    (flops > 0.0 && seconds > 0.0).then(|| flops / seconds)
}

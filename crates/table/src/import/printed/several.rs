//! Trainings that were printed into one file, one after the other.
//!
//! Steps that go back to the beginning are a run of its own where the one before came to its end, where the last step is
//! another one, or where a model of another size was announced; else they are a life of the same run.

use super::scan::{behind, whole};
use crate::import::history::History;

#[derive(Default)]
pub(super) struct Runs {
    ended: Vec<History>,
    current: Current,
    /// What the last line said that counts the parameters of a model.
    parameters: Option<String>,
}

/// The run in hand.
#[derive(Default)]
struct Current {
    history: History,
    first: u64,
    last: u64,
    /// The last step, where lines say it: `step 10/3000`.
    all: Option<u64>,
    /// Whether the next line would be of the last step, or was.
    complete: bool,
    /// Whether another model was announced after its first line.
    over: bool,
}

impl Runs {
    /// Takes note of what a line says besides its values.
    pub fn note(&mut self, line: &str) {
        let Some(parameters) = parameters(line) else { return };
        if self.parameters.as_deref() != Some(parameters) {
            self.current.over |= !self.current.history.is_empty();
            self.parameters = Some(parameters.to_string());
        }
    }

    /// Adds the values of a line.
    pub fn add(&mut self, line: &str, values: History) {
        let Some((at, _)) = values.span() else { return };
        let all = of_all(line);
        let begun = !self.current.history.is_empty();
        let run = &self.current;
        let again = begun && at < run.last && at <= run.first;
        let other_length = all.zip(run.all).is_some_and(|((_, now), before)| now != before);
        if again && (run.over || run.complete || other_length) {
            self.ended.push(std::mem::take(&mut self.current).history);
        }
        let run = &mut self.current;
        if run.history.is_empty() {
            (run.first, run.last) = (at, at);
        }
        if let Some((step, all)) = all {
            run.complete |= step + step.saturating_sub(run.last) >= all;
            run.all = Some(all);
        }
        run.complete |= run.all.is_some_and(|all| at >= all);
        run.last = at;
        run.history.absorb(values);
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.current.history.is_empty()
    }

    /// The run in hand.
    pub fn current(&mut self) -> &mut History {
        &mut self.current.history
    }

    /// Every run, in the order of the file.
    pub fn all(mut self) -> Vec<History> {
        self.ended.push(self.current.history);
        self.ended
    }
}

/// What a line says that counts the parameters of a model: `number of parameters: 6.00M`.
fn parameters(line: &str) -> Option<&str> {
    let lower = line.to_lowercase();
    let keys = ["number of parameters:", "model parameters:", "total parameters:", "num parameters:"];
    let at = keys.iter().find_map(|key| lower.find(key).map(|at| at + key.len()))?;
    // Case may change the length of a letter.
    line.get(at..).map(str::trim).filter(|count| !count.is_empty())
}

/// The step and the last step of a line: 10 and 3000 of `step 10/3000`.
fn of_all(line: &str) -> Option<(u64, u64)> {
    let lower = line.to_lowercase();
    ["step", "iteration", "iter"].iter().find_map(|word| {
        let rest = behind(&lower, word)?.trim_start_matches([' ', ':', '=', '[']);
        let (step, rest) = whole(rest)?;
        let (all, _) = whole(rest.trim_start().strip_prefix('/')?)?;
        Some((step, all))
    })
}

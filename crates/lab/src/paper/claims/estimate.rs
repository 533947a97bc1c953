//! A quantity as the runs give it.

use crate::paper::Refusal;
use scalelaw_fit::{FittedLaw, Measured};

/// A value with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Value.
    pub value: f64,
    /// 95% interval.
    pub ci95: [f64; 2],
    /// What it rests on, and what else a reader should know.
    pub note: String,
}

impl Estimate {
    /// A value with a standard error.
    pub(super) fn measured(m: Measured, note: impl Into<String>) -> Self {
        Self { value: m.value, ci95: m.ci95(), note: note.into() }
    }

    /// The mean of runs.
    pub(super) fn mean(values: &[f64], what: &str) -> Result<Self, Refusal> {
        let mean = Measured::mean(values).ok_or_else(|| Refusal::too_few(values.len(), what, 2))?;
        Ok(Self::measured(mean, format!("{} {what}", values.len())))
    }

    /// A constant of a fitted law.
    ///
    /// # Errors
    /// The law has no such constant, or no interval.
    pub fn constant(law: &FittedLaw, name: &str, what: &str) -> Result<Self, Refusal> {
        let (_, estimate) = law
            .params
            .iter()
            .find(|(n, _)| n == name)
            .ok_or_else(|| Refusal::without(format!("the law {}", law.law), name))?;
        let ends = estimate.ci95.ok_or_else(|| Refusal::without("the fit", "interval"))?;
        let ci95 = [ends[0].unwrap_or(f64::NEG_INFINITY), ends[1].unwrap_or(f64::INFINITY)];
        let doubts: String = law.warnings.iter().map(|w| format!("; {}", w.message)).collect();
        Ok(Self { value: estimate.value, ci95, note: format!("{} {what}{doubts}", law.n_points) })
    }

    /// The same in other units, for a rising `f`.
    pub(super) fn mapped(self, f: impl Fn(f64) -> f64) -> Self {
        Self { value: f(self.value), ci95: self.ci95.map(f), note: self.note }
    }

    /// With its ends the other way round, for a falling map.
    pub(super) fn turned(self) -> Self {
        Self { ci95: [self.ci95[1], self.ci95[0]], ..self }
    }

    /// With more to know.
    pub(super) fn noting(mut self, more: &str) -> Self {
        if !more.is_empty() {
            self.note += "; ";
            self.note += more;
        }
        self
    }
}

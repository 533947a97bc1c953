//! Published constants, each with its source, what its N, C and D count, and the runs it was fitted to.
//!
//! A preset plans like a law of the user's own. What nobody here has read in a primary source says so: see
//! [`Mark`] and [`Preset::warnings`].

pub mod kaplan2020;
pub mod muennighoff2023;
pub mod pearce2024;
pub mod porian2024;
mod rule;
mod table;

pub use rule::{Answer, Frontier, HyperParameters, KaplanConstants, LearningRate, Monomial, Rule};
pub use table::PRESETS;

use crate::plan::PlanError;
use scalelaw_core::Conventions;
use scalelaw_core::number::short;
use serde::Serialize;

/// How well a constant is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Read in a primary source: the paper's text, its author's code or data.
    Stated,
    /// Recomputed from the author's data, and equal.
    Recomputed,
    /// Taken from somebody who quotes it.
    SecondHand,
}

/// The runs that constants were fitted to; `None` where the source at hand does not say.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
pub struct FitRange {
    /// Smallest and largest model, in parameters as the preset counts them.
    pub params: Option<[f64; 2]>,
    /// Fewest and most training tokens.
    pub tokens: Option<[f64; 2]>,
    /// Smallest and largest budget in FLOPs.
    pub flops: Option<[f64; 2]>,
}

impl FitRange {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { params: None, tokens: None, flops: None };
}

/// Published constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Preset {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for a list.
    pub title: &'static str,
    /// Paper and place in it.
    pub source: &'static str,
    /// How well the constants are known.
    pub mark: Mark,
    /// What N, C and D count.
    pub conventions: Conventions,
    /// What the constants were fitted to.
    pub range: FitRange,
    /// What a user must know; empty when nothing.
    pub note: &'static str,
    /// The constants.
    pub rule: Rule,
}

impl Preset {
    /// The preset called `name`.
    ///
    /// # Errors
    /// [`PlanError::UnknownPreset`] lists the names there are.
    pub fn by_name(name: &str) -> Result<&'static Self, PlanError> {
        let wanted = name.to_lowercase().replace('_', "-");
        PRESETS.iter().find(|p| p.name == wanted).ok_or_else(|| PlanError::UnknownPreset {
            name: name.to_string(),
            known: PRESETS.iter().map(|p| p.name).collect(),
        })
    }

    /// A constant of the preset's law by name; `None` where it has none of that name, or is no law.
    pub fn constant(&self, name: &str) -> Option<f64> {
        match self.rule {
            Rule::Law { constants, .. } => constants.iter().find(|(n, _)| *n == name).map(|(_, v)| *v),
            _ => None,
        }
    }

    /// Everything a user should see before relying on this preset at a point; each value that is known.
    pub fn warnings(&self, n: Option<f64>, d: Option<f64>, flops: Option<f64>) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.mark == Mark::SecondHand {
            warnings.push(format!("{}: second-hand constants, not checked in a primary source", self.name));
        }
        if !self.note.is_empty() {
            warnings.push(format!("{}: {}", self.name, self.note));
        }
        let outside = [
            ("N", "parameters", n, self.range.params),
            ("D", "tokens", d, self.range.tokens),
            ("C", "FLOPs", flops, self.range.flops),
        ];
        for (symbol, unit, value, range) in outside {
            let (Some(value), Some([lo, hi])) = (value, range) else { continue };
            let decades = libm::log10(lo / value).max(libm::log10(value / hi));
            // A hair outside is the printed range's rounding.
            if decades > 0.02 {
                warnings.push(format!(
                    "{}: {symbol} = {} lies {decades:.1} decades outside the runs fitted ({} to {} {unit}): an extrapolation",
                    self.name,
                    short(value),
                    short(lo),
                    short(hi)
                ));
            }
        }
        if self.range == FitRange::UNKNOWN {
            warnings.push(format!("{}: the range of the runs fitted is not known here", self.name));
        }
        warnings
    }
}

#[cfg(test)]
pub(crate) mod tests;

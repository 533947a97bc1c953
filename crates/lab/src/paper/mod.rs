//! Kaplan et al. 2020: what its published constants give ([`constants_only`]), and what the runs of a study give
//! beside it ([`study`]): every fit, every verdict on its claims, and the points and lines of its figures.

mod claims;
mod compare;
mod figures;
mod fits;
mod missing;
mod published;
mod runs;
pub mod simulated;
mod swept;
mod tables;
mod worked;

use scalelaw_fit::FitError;

pub use scalelaw_fit::chain::{Level, Section};
pub use scalelaw_fit::presets::kaplan2020;

pub use claims::{Claim, Claims, Estimate, Estimators, Judged, Verdict};
pub use figures::*;
pub use fits::Fits;
pub use runs::{PaperRun, PaperRuns, RunSet, SetCost};
pub use swept::{SweptError, read_sweeps};
pub use tables::{TablesError, are_in, read, write};
pub use worked::{Operation, Worked};

/// Why runs do not give a quantity.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Too few of something.
    #[error("{found} {what}; {needed} are needed{why}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// Of what.
        what: String,
        /// How many it takes.
        needed: usize,
        /// What became of the others, empty or after a semicolon.
        why: String,
    },
    /// Something that it rests on is not there.
    #[error("no {0}")]
    Nothing(String),
    /// A fit without a part that was asked for.
    #[error("{of} has no {part}")]
    Without {
        /// The fit.
        of: String,
        /// The part: a constant, an interval, a covariance.
        part: String,
    },
    /// A part of the chain was not fitted, for this reason.
    #[error("{0}")]
    Chain(String),
    /// A fit failed.
    #[error(transparent)]
    Fit(#[from] FitError),
}

impl Refusal {
    fn too_few(found: usize, what: impl Into<String>, needed: usize) -> Self {
        Self::TooFew { found, what: what.into(), needed, why: String::new() }
    }

    fn without(of: impl Into<String>, part: impl Into<String>) -> Self {
        Self::Without { of: of.into(), part: part.into() }
    }
}

/// Everything that the runs of a study say about the paper.
#[derive(Clone, Debug)]
pub struct PaperStudy {
    /// The runs.
    pub runs: PaperRuns,
    /// Everything fitted.
    pub fits: Fits,
    /// The claims, judged, in the order of their file.
    pub claims: Vec<Judged>,
    /// What the figures show beside the runs themselves.
    pub figures: Figures,
    /// What the published constants give.
    pub published: ConstantsStudy,
}

/// Fits, judges, and works out every figure from the runs of a study.
pub fn study(runs: PaperRuns) -> PaperStudy {
    let claims = Claims::of_the_paper();
    let fits = Fits::new(&runs, &claims.estimators);
    let judged = claims::judge(&claims, &runs, &fits);
    let figures = Figures::new(&runs, &fits, &claims.estimators);
    PaperStudy { runs, fits, claims: judged, figures, published: constants_only() }
}

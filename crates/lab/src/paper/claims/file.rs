//! `claims.toml`: the claims and the settings of their estimators.

use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_fit::chain::ChainOptions;
use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Settings that several estimators share.
    pub estimators: Estimators,
    /// The claims, in the order of the report.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
}

/// Settings of the estimators.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimators {
    /// Kaplan et al.'s chain.
    pub chain: ChainSettings,
    /// Which sizes L(N) is fitted to.
    pub size: SizeRule,
    /// Which amounts of data L(N, D) is fitted to.
    pub data: DataRule,
    /// Straightness in logarithms.
    pub straight: Straight,
    /// What other architectures are compared with.
    pub transformers: Between,
}

/// Settings of the chain.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSettings {
    /// Updates left out at the start of each curve.
    pub skip_steps: f64,
    /// Half width of the smoothing in ln step.
    pub smoothing: f64,
    /// Ratio of neighbouring loss levels.
    pub level_ratio: f64,
    /// Points of a curve that L(N, S_min) is fitted to.
    pub points_per_curve: usize,
    /// Resamples.
    pub bootstrap: usize,
    /// Their seed.
    pub seed: u64,
}

impl ChainSettings {
    /// As the chain takes them.
    pub fn options(self) -> ChainOptions {
        ChainOptions {
            skip_steps: self.skip_steps,
            smoothing: self.smoothing,
            level_ratio: self.level_ratio,
            points_per_curve: self.points_per_curve,
            bootstrap: self.bootstrap,
            seed: self.seed,
            conventions: Conventions {
                params: ParamConvention::NonEmbedding,
                flops: FlopConvention::SixN,
                data: DataConvention::Processed,
            },
        }
    }
}

/// Which sizes L(N) is fitted to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeRule {
    /// Fewest layers.
    pub layers_at_least: u32,
    /// Fewest tokens processed for each parameter.
    pub tokens_per_parameter_at_least: f64,
}

/// Which amounts of data L(N, D) is fitted to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRule {
    /// How many of the smallest are left out.
    pub smallest_left_out: usize,
}

/// Straightness in logarithms.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Straight {
    /// Largest change of the exponent, as a share of it.
    pub share: f64,
}

/// How Transformers of other sizes than were run are read.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// Interpolated in this.
    pub between: Interpolated,
    /// Beyond the smallest and the largest.
    pub at_ends: Ends,
}

/// What an interpolation is straight in.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Interpolated {
    /// Logarithm of N.
    #[serde(rename = "ln N")]
    LnN,
}

/// What happens beyond the data.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Ends {
    /// Nothing is compared there.
    #[serde(rename = "left out")]
    LeftOut,
}

/// One claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Name.
    pub id: String,
    /// The paper's statement in our words.
    pub says: String,
    /// Its number, where it prints one.
    pub published: Option<f64>,
    /// Section or figure.
    #[serde(rename = "where")]
    pub place: String,
    /// Run sets that enter.
    pub runs: String,
    /// How it is estimated.
    pub estimator: String,
    /// What is estimated.
    pub quantity: String,
    /// Lower end of the margin; open where missing.
    pub lo: Option<f64>,
    /// Upper end of the margin; open where missing.
    pub hi: Option<f64>,
    /// Why this margin.
    pub why: String,
    /// What it is judged for, one by one.
    pub each: Option<String>,
}

impl Claim {
    /// The margin.
    pub fn margin(&self) -> (f64, f64) {
        (self.lo.unwrap_or(f64::NEG_INFINITY), self.hi.unwrap_or(f64::INFINITY))
    }
}

const FILE: &str = include_str!("../../../assets/claims.toml");

impl Claims {
    /// The claims that were written before the runs.
    pub fn of_the_paper() -> Self {
        toml::from_str(FILE).expect("claims.toml is read by a test")
    }
}

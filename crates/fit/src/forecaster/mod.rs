//! A forecast of the loss beyond the runs that takes no form of the law for true.
//!
//! Beyond the data every form is wrong somewhere, and least squares over all runs let the many cheap ones decide what
//! the few expensive ones will do. So several forms are fitted by several objectives, each run weighted by the square
//! root of its compute; each member is scored by what it would have said of the dearer runs from the cheaper ones
//! (rolling origin); and the forecast is their weighted mean in ln loss. Its variance has three parts: the scatter of
//! single runs, the same scatter growing with the decades of compute extrapolated, and the disagreement of the members.
//! `docs/studies/forecast.md` has the contest that decided the constants below.

mod members;
mod suggest;
#[cfg(test)]
mod tests;

use crate::data::Dataset;
use crate::design::Design;
use crate::error::FitError;
use crate::fitted::{FitStatus, Prediction, Warning};
use crate::hull;
use crate::law::value;
use crate::laws::{self, Chinchilla};
use crate::objective::Objective;
use crate::plan::{Allocation, PlanError, compute_optimal};
use crate::statistics::student_t;
use members::{Fitted, constants_of, fits};
use serde::{Deserialize, Serialize};

/// The version of forecaster files.
pub const FORECASTER_FORMAT: &str = "scalelaw-forecaster-1";

/// Fewer runs than this are not extrapolated.
const FEWEST: usize = 8;
/// More degrees of freedom than this do not make the tails thinner: the forms are not the truth.
const MOST_FREEDOM: f64 = 30.0;

/// What is taken for given: chosen on public tables, which `docs/studies/forecast.md` names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Each run is weighted by its compute to this power.
    pub recency: f64,
    /// Weight of Skaling's form before anything was scored, where the others have 1: it bends as they do and in between.
    pub skaling: f64,
    /// Growth of the scatter: standard deviations a decade of compute.
    pub drift: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { recency: 0.5, skaling: 8.0, drift: 0.75 }
    }
}

/// Several laws that speak with the weight of how well they extrapolate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecaster {
    /// [`FORECASTER_FORMAT`].
    pub format: String,
    /// The members, the weightiest first.
    pub members: Vec<Member>,
    /// What the members would have said from the cheaper runs, the shortest extrapolation first.
    pub origins: Vec<Origin>,
    /// Runs.
    pub n_runs: usize,
    /// Scatter of single runs about the forecast near the dearest ones: a standard deviation in ln loss.
    pub sigma: f64,
    /// Its degrees of freedom.
    pub freedom: f64,
    /// Smallest and largest compute of the runs, C = 6·N·D.
    pub flops: [f64; 2],
    /// Corners of the runs in N and D.
    pub hull: Vec<[f64; 2]>,
    /// What N and D count, where that is known.
    pub conventions: Option<scalelaw_core::Conventions>,
    /// What the loss is measured in, where that is not nats per token.
    pub unit: Option<String>,
    /// Digest of the data.
    pub data_digest: Option<String>,
    /// What was taken for given; not in files of before.
    #[serde(default)]
    pub rules: Rules,
    /// Whether the runs show how a budget is best divided: N and D do not move together, and both range widely.
    #[serde(default = "yes")]
    pub divides: bool,
    /// What is doubtful about the runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Warning>,
}

fn yes() -> bool {
    true
}

/// A law fitted by one objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The law.
    pub law: String,
    /// How it was fitted, each run weighted by the square root of its compute.
    pub objective: Objective,
    /// Its constants by name.
    pub constants: Vec<(String, f64)>,
    /// Its share of the forecast.
    pub weight: f64,
    /// Root mean square error in ln loss of what it said of runs that it had not seen: the dearer ones, or each one by
    /// the others where the table is too small to be cut.
    pub held_out: f64,
    /// Constants that have come to a bound, so that their term has vanished.
    pub at_bound: Vec<String>,
}

/// A forecast made from the cheaper runs alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Dearest compute fitted.
    pub flops: f64,
    /// Runs fitted.
    pub n_fitted: usize,
    /// Runs scored: all that are dearer.
    pub n_scored: usize,
    /// Decades from there to the dearest run.
    pub decades: f64,
    /// Root mean square error of the weighted forecast in ln loss.
    pub rms_log: f64,
    /// Mean of ln forecast − ln loss: above 0 the forecast was pessimistic.
    pub bias_log: f64,
    /// Constants of each member from these runs, in the order of [`Forecaster::members`].
    constants: Vec<Vec<f64>>,
}

/// A distribution of the loss of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// Median.
    pub loss: f64,
    /// Central 95%: the loss of one run there.
    pub interval95: [f64; 2],
    /// The same of the mean of many runs there.
    pub mean95: [f64; 2],
    /// Smallest and largest forecast of a member that has at least a hundredth of the weight.
    pub members: [f64; 2],
    /// Decades beyond the runs, in compute or outside their hull.
    pub decades: f64,
    /// What that means.
    pub reach: Reach,
}

/// How far a forecast goes beyond what was tried inside the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Between the runs.
    Inside,
    /// No further than forecasts from the cheaper runs were scored.
    Scored,
    /// Up to twice as far.
    Beyond,
    /// Further: the interval is a rule, not an experience.
    Far,
}

/// The division of a budget with the lowest forecast.
#[derive(Clone, Debug, Serialize)]
pub struct BestDivision {
    /// The budget: C = 6·N·D.
    pub flops: f64,
    /// N, D and the loss.
    pub optimum: Allocation,
    /// Central 95% of N, over members and origins.
    pub n95: [f64; 2],
    /// The same of D = C/(6·N).
    pub d95: [f64; 2],
    /// The loss of one run there.
    pub outlook: Outlook,
}

/// Makes a forecaster from runs with columns `N` and `D`. `progress` is told how many of how many fits are done, from
/// any thread.
///
/// # Errors
/// Fewer than eight runs, no N or D, or no law can be fitted.
///
/// # Source
/// Rolling-origin evaluation: Tashman 2000. The weights are those of forecast combination by inverse mean squared error:
/// Bates & Granger 1969.
pub fn forecaster(
    dataset: &Dataset,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Forecaster, FitError> {
    forecaster_by(Rules::default(), dataset, progress)
}

/// The same by other rules: for the study that chose them.
///
/// # Errors
/// As [`forecaster`].
pub fn forecaster_by(
    rules: Rules,
    dataset: &Dataset,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Forecaster, FitError> {
    let missing = |variable: &str| FitError::MissingVariable {
        law: "a forecast".into(),
        variable: variable.into(),
        have: dataset.names(),
    };
    let n = dataset.column("N").ok_or_else(|| missing("N"))?;
    let d = dataset.column("D").ok_or_else(|| missing("D"))?;
    if dataset.len() < FEWEST {
        return Err(FitError::TooFewPoints {
            law: "a forecast".into(),
            n_points: dataset.len(),
            n_free: FEWEST,
        });
    }
    let log10_flops: Vec<f64> = n.iter().zip(d).map(|(n, d)| libm::log10(6.0 * n * d)).collect();
    let Fitted { members, origins } = fits(rules, dataset, &log10_flops, progress)?;
    let [lo, hi] = ends(&log10_flops);
    // Constants that the members have on average: degrees of freedom that the scatter loses.
    let constants: f64 = members.iter().map(|m| m.weight * m.constants.len() as f64).sum();
    // Points of one run err together: what there is to know of the scatter comes from runs.
    let points = dataset.len() as f64;
    let runs: f64 = dataset.points_of_run().iter().map(|points| 1.0 / points).sum::<f64>().round();
    let freedom = if runs < points { runs - 1.0 } else { points - constants };
    let (divides, doubts) = design(dataset)?;
    let mut made = Forecaster {
        format: FORECASTER_FORMAT.into(),
        members,
        origins: vec![],
        n_runs: runs as usize,
        sigma: 0.0,
        freedom: freedom.clamp(1.0, MOST_FREEDOM),
        flops: [lo, hi].map(|log10| libm::pow(10.0, log10)),
        hull: hull::corners(n.iter().zip(d).map(|(n, d)| [*n, *d])),
        conventions: dataset.conventions,
        unit: dataset.unit.clone(),
        data_digest: dataset.digest.clone(),
        rules,
        divides,
        doubts,
    };
    let error = |constants: &[Vec<f64>], i: usize| {
        made.combined(constants, n[i], d[i]).0 - libm::log(dataset.response()[i])
    };
    let own = made.constants();
    let weights = members::weights(rules, dataset, &log10_flops);
    let squares: f64 = weights.iter().enumerate().map(|(i, w)| w * error(&own, i).powi(2)).sum();
    let correction = points / (points - constants).max(1.0);
    let correction = if runs < points { correction * runs / (runs - 1.0).max(1.0) } else { correction };
    let sigma = (squares / weights.iter().sum::<f64>() * correction).sqrt();
    let origins = origins
        .into_iter()
        .map(|origin| {
            let scored: Vec<usize> = (0..dataset.len()).filter(|i| log10_flops[*i] > origin.cut).collect();
            let fitted = log10_flops.iter().copied().filter(|c| *c <= origin.cut);
            let dearest = fitted.fold(f64::NEG_INFINITY, f64::max);
            let errors: Vec<f64> = scored.iter().map(|i| error(&origin.constants, *i)).collect();
            let mean =
                |f: &dyn Fn(f64) -> f64| errors.iter().map(|e| f(*e)).sum::<f64>() / errors.len() as f64;
            Origin {
                flops: libm::pow(10.0, dearest),
                n_fitted: dataset.len() - scored.len(),
                n_scored: scored.len(),
                decades: hi - dearest,
                rms_log: mean(&|e| e * e).sqrt(),
                bias_log: mean(&|e| e),
                constants: origin.constants,
            }
        })
        .collect();
    (made.sigma, made.origins) = (sigma, origins);
    Ok(made)
}

/// Whether the runs show how a budget is best divided, and why not.
fn design(dataset: &Dataset) -> Result<(bool, Vec<Warning>), FitError> {
    let data = dataset.for_law(&Chinchilla)?;
    let design = Design::of(&data);
    let doubt = |code: &str, message: String| Warning { code: code.into(), message };
    let tied = design.tied.iter().map(|tied| {
        let message = if tied.slope > 0.0 {
            "N and D of the runs rise together: which of them the loss depends on is not identifiable, and a forecast holds \
             along the runs only"
        } else {
            "the runs have one budget: what another one brings is not identifiable from them"
        };
        doubt("tied_variables", message.into())
    });
    let narrow = design.narrow.iter().map(|variable| {
        let (lo, hi) = data.range(*variable);
        let name = &data.variables[*variable];
        doubt(
            "narrow_range",
            format!("{name} spans a factor of {:.2} only: what it does is not identifiable", hi / lo),
        )
    });
    let doubts: Vec<Warning> = tied.chain(narrow).collect();
    Ok((doubts.is_empty(), doubts))
}

fn ends(values: &[f64]) -> [f64; 2] {
    values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[lo, hi], v| [lo.min(*v), hi.max(*v)])
}

impl Forecaster {
    /// Reads a forecast file.
    ///
    /// # Errors
    /// The text is not one, or a member is not a law with these constants.
    pub fn from_json(text: &str) -> Result<Self, FitError> {
        let made: Self =
            serde_json::from_str(text).map_err(|error| FitError::LawFile(std::sync::Arc::new(error)))?;
        for member in &made.members {
            let law = laws::by_name(&member.law)?;
            constants_of(law.as_ref(), &member.constants)?;
        }
        Ok(made)
    }

    /// Decades of compute that forecasts from the cheaper runs were scored over; 0 where there were too few.
    pub fn tried(&self) -> f64 {
        self.origins.iter().map(|o| o.decades).fold(0.0, f64::max)
    }

    /// Smallest and largest N (0) or D (1) of the runs.
    pub fn range(&self, variable: usize) -> Option<[f64; 2]> {
        let values: Vec<f64> = self.hull.iter().map(|corner| corner[variable]).collect();
        (!values.is_empty()).then(|| ends(&values))
    }

    /// Weight of each law, over its objectives, the weightiest first.
    pub fn weights_by_law(&self) -> Vec<(String, f64)> {
        let mut by_law: Vec<(String, f64)> = vec![];
        for member in &self.members {
            match by_law.iter_mut().find(|(law, _)| *law == member.law) {
                Some((_, weight)) => *weight += member.weight,
                None => by_law.push((member.law.clone(), member.weight)),
            }
        }
        by_law.sort_by(|a, b| b.1.total_cmp(&a.1));
        by_law
    }

    /// The median of [`Self::at`] alone.
    pub fn loss(&self, n: f64, d: f64) -> f64 {
        libm::exp(self.combined(&self.constants(), n, d).0)
    }

    /// The loss of a run of `n` parameters and `d` tokens.
    ///
    /// # Units
    /// As the runs count them; the loss in the runs' own unit.
    pub fn at(&self, n: f64, d: f64) -> Outlook {
        let (center, spread) = self.combined(&self.constants(), n, d);
        let beyond = libm::log10(6.0 * n * d / self.flops[1]);
        let decades = beyond.max(hull::decades_outside(&self.hull, [n, d])).max(0.0);
        // A place that was written down in few digits is no extrapolation.
        let decades = if decades > 1e-6 { decades } else { 0.0 };
        let drift = self.sigma * self.rules.drift * decades;
        let of_mean = (drift * drift + spread * spread).sqrt();
        let of_run = (of_mean * of_mean + self.sigma * self.sigma).sqrt();
        let t = student_t(0.975, self.freedom);
        let around = |sd: f64| [libm::exp(center - t * sd), libm::exp(center + t * sd)];
        let heavy = self.members.iter().filter(|m| m.weight >= 0.01);
        let of_members: Vec<f64> = heavy.map(|m| m.loss(n, d)).filter(|l| l.is_finite()).collect();
        let tried = self.tried();
        let reach = if decades == 0.0 {
            Reach::Inside
        } else if decades <= tried {
            Reach::Scored
        } else if decades <= 2.0 * tried {
            Reach::Beyond
        } else {
            Reach::Far
        };
        Outlook {
            loss: libm::exp(center),
            interval95: around(of_run),
            mean95: around(of_mean),
            members: ends(&of_members),
            decades,
            reach,
        }
    }

    /// The same for a place given by name, as a law predicts it.
    ///
    /// # Errors
    /// `N` or `D` is missing.
    pub fn predict(&self, at: &[(&str, f64)]) -> Result<Prediction, FitError> {
        let value = |variable: &str| {
            let found = at.iter().find(|(name, _)| *name == variable);
            found.map(|(_, value)| *value).ok_or_else(|| FitError::MissingVariable {
                law: "a forecast".into(),
                variable: variable.into(),
                have: at.iter().map(|(name, _)| (*name).into()).collect(),
            })
        };
        let (n, d) = (value("N")?, value("D")?);
        for value in [n, d] {
            if !(value.is_finite() && value > 0.0) {
                let point = vec![("N".to_string(), n), ("D".to_string(), d)];
                return Err(FitError::NoValue { law: "a forecast".into(), point });
            }
        }
        let outlook = self.at(n, d);
        Ok(Prediction {
            mean: outlook.loss,
            ci95: Some(outlook.mean95),
            pi95: Some(outlook.interval95),
            extrapolation_decades: outlook.decades,
            status: self.status(outlook.decades),
        })
    }

    /// What is to be said behind a number that lies so many decades outside the runs.
    pub fn status(&self, decades: f64) -> FitStatus {
        if !self.divides && decades > 0.0 {
            FitStatus::Unidentified
        } else if self.doubts.is_empty() {
            FitStatus::Ok
        } else {
            FitStatus::Remarks
        }
    }

    /// # Errors
    /// The runs do not show how a budget is best divided.
    pub(crate) fn check_divides(&self, name: &str) -> Result<(), PlanError> {
        match self
            .doubts
            .iter()
            .find(|doubt| ["tied_variables", "narrow_range"].contains(&doubt.code.as_str()))
        {
            Some(doubt) if !self.divides => {
                Err(PlanError::OneDirection { name: name.into(), doubt: doubt.message.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The best division of a budget of C = 6·N·D.
    ///
    /// # Errors
    /// The runs do not show it, or the forecast has no lowest place within the search.
    pub fn best_division(&self, flops: f64) -> Result<BestDivision, PlanError> {
        self.check_divides("the forecast")?;
        let of = |constants: &[Vec<f64>]| {
            compute_optimal(&|n, d| libm::exp(self.combined(constants, n, d).0), &|n| 6.0 * n, flops)
        };
        let optimum = of(&self.constants())?;
        // Each member by itself, and the whole from the cheaper runs.
        let (mut variance, mut weight) = (0.0, 0.0);
        for member in &self.members {
            let alone = compute_optimal(&|n, d| member.loss(n, d), &|n| 6.0 * n, flops);
            if let Ok(alone) = alone {
                variance += member.weight * libm::log(alone.n / optimum.n).powi(2);
                weight += member.weight;
            }
        }
        let mut variance = if weight > 0.0 { variance / weight } else { 0.0 };
        let moved: Vec<f64> = self
            .origins
            .iter()
            .filter_map(|origin| of(&origin.constants).ok())
            .map(|then| libm::log(then.n / optimum.n).powi(2))
            .collect();
        if !moved.is_empty() {
            variance += moved.iter().sum::<f64>() / moved.len() as f64;
        }
        let stretch = libm::exp(student_t(0.975, self.freedom) * variance.sqrt());
        let outlook = self.at(optimum.n, optimum.d);
        let around = |value: f64| [value / stretch, value * stretch];
        Ok(BestDivision { flops, n95: around(optimum.n), d95: around(optimum.d), optimum, outlook })
    }

    /// Constants of each member, in the order of its law.
    fn constants(&self) -> Vec<Vec<f64>> {
        self.members.iter().map(|m| m.constants.iter().map(|(_, value)| *value).collect()).collect()
    }

    /// Weighted mean and spread of the members' ln loss. A member without a value there is left out.
    fn combined(&self, constants: &[Vec<f64>], n: f64, d: f64) -> (f64, f64) {
        let said: Vec<(f64, f64)> = self
            .members
            .iter()
            .zip(constants)
            .map(|(member, constants)| (member.weight, libm::log(of_law(&member.law, constants, n, d))))
            .filter(|(_, ln)| ln.is_finite())
            .collect();
        let total: f64 = said.iter().map(|(weight, _)| weight).sum();
        let center = said.iter().map(|(weight, ln)| weight * ln).sum::<f64>() / total;
        let spread = said.iter().map(|(weight, ln)| weight * (ln - center).powi(2)).sum::<f64>() / total;
        (center, spread.sqrt())
    }
}

impl Member {
    /// Its own forecast.
    pub fn loss(&self, n: f64, d: f64) -> f64 {
        let constants: Vec<f64> = self.constants.iter().map(|(_, value)| *value).collect();
        of_law(&self.law, &constants, n, d)
    }
}

fn of_law(law: &str, constants: &[f64], n: f64, d: f64) -> f64 {
    members::form(law).map_or(f64::NAN, |law| value(law, &[n, d], constants))
}

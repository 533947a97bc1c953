//! A fitted law as a value and as a versioned JSON file that later commands read.

use crate::error::FitError;
use crate::forecaster::Forecaster;
use crate::law::{Domain, Law, Response};
use crate::laws;
use crate::objective::Objective;
use scalelaw_core::Conventions;
use scalelaw_core::number::constant;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Format written by this version.
pub const FORMAT: &str = "scalelaw-law/1";

/// A law with its constants, their intervals, and their origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedLaw {
    /// File format: [`FORMAT`].
    pub format: String,
    /// Name of the law.
    pub law: String,
    /// Its equation as text; for a user's own law this is what is evaluated.
    pub equation: String,
    /// Paper and equation.
    pub source: String,
    /// Constants in the law's order.
    #[serde(with = "in_order")]
    pub params: Vec<(String, Estimate)>,
    /// What was minimised, and its value at the minimum.
    pub objective: ObjectiveValue,
    /// Worst of what is doubtful.
    pub status: FitStatus,
    /// Every warning about the fit.
    pub warnings: Vec<Warning>,
    /// How many starts agree, and the rival minima.
    pub starts: Starts,
    /// Points fitted.
    pub n_points: usize,
    /// Runs (groups of points) fitted.
    pub n_runs: usize,
    /// What N, C and D count.
    pub conventions: Option<Conventions>,
    /// Digest of the data fitted.
    pub data_digest: Option<String>,
    /// What the response is measured in, where that is not nats per token; not in files of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Smallest and largest value of each variable in the data.
    #[serde(with = "in_order")]
    pub ranges: Vec<(String, [f64; 2])>,
    /// Corners of the convex hull of the data in the law's first two variables, in logarithms. Empty for a law of one
    /// variable, and in files of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hull: Vec<[f64; 2]>,
    /// Where `ci95` comes from.
    pub intervals: Intervals,
    /// Residuals and conditioning.
    pub diagnostics: Diagnostics,
    /// What the same runs say without taking the form of this law for true; only in files of laws of N and D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecaster: Option<Box<Forecaster>>,
}

/// One constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Value at the best minimum.
    pub value: f64,
    /// Standard error; none for a fixed parameter.
    pub se: Option<f64>,
    /// 95% interval; `null` at an end the data leave open.
    pub ci95: Option<[Option<f64>; 2]>,
    /// Whether the data identify it.
    pub state: ParamState,
    /// Where it may be, for a parameter of a user's own law; the registry knows it of all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
}

/// Whether the data identify a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamState {
    /// Determined.
    Identified,
    /// The term it belongs to has vanished.
    AtBound,
    /// The interval is open, or rival minima the data cannot reject disagree on it.
    Unidentified,
    /// Given, not fitted.
    Fixed,
}

/// What was minimised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveValue {
    /// Penalty and space.
    #[serde(flatten)]
    pub objective: Objective,
    /// Sum over the points at the minimum.
    pub value: f64,
}

/// The worst doubt about a usable fit, from harmless to serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitStatus {
    /// Nothing doubtful.
    Ok,
    /// Usable with the remarks in `warnings`.
    Remarks,
    /// A rival minimum is within a few per cent.
    Rivals,
    /// A parameter is at its bound: a simpler law fits as well.
    AtBound,
    /// A parameter is not determined by these data.
    Unidentified,
    /// The minimiser did not converge.
    NotConverged,
}

/// Something doubtful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable name.
    pub code: String,
    /// What is doubtful, and what to do about it.
    pub message: String,
}

/// What the starts found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starts {
    /// Grid points whose objective was computed.
    pub screened: usize,
    /// Starts polished to a minimum.
    pub tried: usize,
    /// Polished starts that led to the best minimum.
    pub agreeing: usize,
    /// Other minima within a few per cent of the best.
    pub rivals: Vec<Rival>,
}

/// Another minimum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Its constants.
    #[serde(with = "in_order")]
    pub params: Vec<(String, f64)>,
    /// Its objective.
    pub objective: f64,
    /// Its objective over the best, minus 1.
    pub excess: f64,
    /// Largest difference of its predictions from the best's over the data, in the objective's space.
    pub prediction_gap: f64,
    /// Whether the data cannot reject it at 95%.
    pub within_interval: bool,
    /// Polished starts that led to it.
    pub agreeing: usize,
}

/// Where intervals come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// How `ci95` was found.
    pub method: IntervalMethod,
    /// Bootstrap over runs, when it was made.
    pub bootstrap: Option<BootstrapSummary>,
}

/// How an interval was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Where the profiled objective has risen by t²·κ/2.
    Profile,
    /// Percentiles of refits to resampled runs.
    Bootstrap,
    /// Value ± t·standard error, in the fitting coordinate.
    Covariance,
    /// Not asked for.
    None,
}

/// Percentiles of refits to resampled runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapSummary {
    /// Refits.
    pub replicates: usize,
    /// Refits that did not converge; they are kept in the percentiles.
    pub failed: usize,
    /// Seed of the resampling.
    pub seed: u64,
    /// What was resampled: points or runs.
    pub unit: String,
    /// Standard deviation, 2.5% and 97.5% percentile of each free parameter; none where it is not finite.
    #[serde(with = "in_order")]
    pub params: Vec<(String, [Option<f64>; 3])>,
    /// Monte-Carlo standard errors of those percentiles: how far other seeds would move them.
    #[serde(with = "in_order")]
    pub percentile_errors: Vec<(String, [Option<f64>; 2])>,
}

/// Residuals and conditioning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Root mean square of ln prediction − ln observation.
    #[serde(deserialize_with = "nan_if_null")]
    pub rms_log: f64,
    /// Root mean square of prediction − observation.
    #[serde(deserialize_with = "nan_if_null")]
    pub rms_loss: f64,
    /// Largest |residual| in the objective's space.
    #[serde(deserialize_with = "nan_if_null")]
    pub max_residual: f64,
    /// Standard deviation of the residuals in the objective's space, n − p in the denominator.
    #[serde(deserialize_with = "nan_if_null")]
    pub sigma: f64,
    /// Points minus free parameters.
    pub degrees_of_freedom: f64,
    /// Akaike's criterion corrected for few points, from the residual sum of squares in the objective's space.
    pub aicc: Option<f64>,
    /// Condition number of the information matrix scaled to unit diagonal.
    pub condition_number: Option<f64>,
    /// Correlation of each pair of free parameters in fitting coordinates.
    pub correlations: Vec<Correlation>,
    /// Covariance of the free parameters in fitting coordinates, row-major.
    pub covariance: Option<Vec<f64>>,
}

impl Diagnostics {
    /// 97.5% quantile of Student's t at the fit's degrees of freedom: standard errors in half a 95% interval.
    pub fn t95(&self) -> f64 {
        crate::statistics::student_t(0.975, self.degrees_of_freedom)
    }
}

/// Correlation of two estimates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// One parameter.
    pub a: String,
    /// The other.
    pub b: String,
    /// Correlation.
    pub r: f64,
}

/// A law's prediction at one point, with its intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Value of the law.
    pub mean: f64,
    /// 95% confidence interval of the law's value, the form being true.
    pub ci95: Option<[f64; 2]>,
    /// 95% prediction interval of one new run: the law's uncertainty and the scatter of the residuals.
    pub pi95: Option<[f64; 2]>,
    /// How far outside the data the point lies, in decades: the larger of its distance from the hull of the runs and
    /// that of its compute from theirs; 0 inside.
    pub extrapolation_decades: f64,
    /// The worst doubt about the law.
    pub status: FitStatus,
}

impl FittedLaw {
    /// Reads a law file. Constants are put in the law's order, whatever order the file has them in: a tool that
    /// sorts keys changes nothing.
    ///
    /// # Errors
    /// It is no law file, or its constants are not the law's.
    pub fn from_json(text: &str) -> Result<Self, FitError> {
        let mut fitted: Self = serde_json::from_str(text).map_err(|e| FitError::LawFile(Arc::new(e)))?;
        let law = fitted.law()?;
        let mut params = Vec::new();
        for param in law.params() {
            let at = fitted.params.iter().position(|(n, _)| *n == param.name).ok_or_else(|| {
                FitError::MissingConstant { law: fitted.law.clone(), name: param.name.to_string() }
            })?;
            params.push(fitted.params.swap_remove(at));
        }
        fitted.params = params;
        let free = fitted.params.iter().filter(|(_, e)| e.state != ParamState::Fixed).count();
        if let Some(covariance) = &fitted.diagnostics.covariance
            && covariance.len() != free * free
        {
            return Err(FitError::CovarianceSize { law: fitted.law, n_free: free, got: covariance.len() });
        }
        Ok(fitted)
    }

    /// The law itself.
    ///
    /// # Errors
    /// The file names a law that this version does not know.
    pub fn law(&self) -> Result<Box<dyn Law>, FitError> {
        laws::from_file(&self.law, &self.equation, &self.params)
    }

    /// A constant by name.
    pub fn param(&self, name: &str) -> Option<f64> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, e)| e.value)
    }

    /// Values of all constants, in the law's order.
    pub fn values(&self) -> Vec<f64> {
        self.params.iter().map(|(_, e)| e.value).collect()
    }

    /// The law's value at a point given by variable name.
    ///
    /// # Errors
    /// A variable is missing or not positive.
    ///
    /// # Source
    /// Intervals by the delta method in fitting coordinates with Student's t.
    pub fn predict(&self, point: &[(&str, f64)]) -> Result<Prediction, FitError> {
        let law = self.law()?;
        let mut at: Vec<(&str, f64)> = Vec::new();
        for variable in law.variables() {
            let given = point.iter().find(|(name, _)| *name == variable.as_ref());
            at.push(*given.ok_or_else(|| FitError::MissingVariable {
                law: self.law.clone(),
                variable: variable.to_string(),
                have: point.iter().map(|(n, _)| (*n).to_string()).collect(),
            })?);
        }
        let x: Vec<f64> = at.iter().map(|(_, value)| *value).collect();
        let (mean, gradient) = crate::law::value_and_gradient(law.as_ref(), &x, &self.values());
        if !mean.is_finite() {
            let point = point.iter().map(|(n, v)| ((*n).to_string(), *v)).collect();
            return Err(FitError::NoValue { law: self.law.clone(), point });
        }
        let mut prediction = Prediction {
            mean,
            ci95: None,
            pi95: None,
            extrapolation_decades: self.decades_outside(&at),
            status: self.status,
        };
        let Some(covariance) = &self.diagnostics.covariance else { return Ok(prediction) };
        // Gradient of the residual's space by the free coordinates.
        let log = self.objective.objective.space == crate::Space::Log;
        let direction: Vec<f64> = law
            .params()
            .iter()
            .zip(&self.params)
            .zip(&gradient)
            .filter(|((_, (_, e)), _)| e.state != ParamState::Fixed)
            .map(|((p, (_, e)), g)| {
                let slope = p.domain.from_internal(p.domain.to_internal(e.value)).1;
                if log { g * slope / mean } else { g * slope }
            })
            .collect();
        let m = direction.len();
        let variance: f64 =
            (0..m * m).map(|i| direction[i / m] * direction[i % m] * covariance[i]).sum::<f64>().max(0.0);
        let t = self.diagnostics.t95();
        let around = |variance: f64| {
            let half = t * variance.sqrt();
            if log { [mean * libm::exp(-half), mean * libm::exp(half)] } else { [mean - half, mean + half] }
        };
        prediction.ci95 = Some(around(variance));
        prediction.pi95 = Some(around(variance + self.diagnostics.sigma * self.diagnostics.sigma));
        Ok(prediction)
    }

    /// The equation with its constants put in, as plain text.
    pub fn equation_with_values(&self) -> String {
        let values: Vec<String> =
            self.params.iter().map(|(n, e)| format!("{n} = {}", constant(e.value))).collect();
        format!("{}  with  {}", self.equation, values.join(", "))
    }

    /// The equation in LaTeX, and the constants.
    ///
    /// # Errors
    /// The file names a law that this version does not know.
    pub fn latex(&self) -> Result<String, FitError> {
        let law = self.law()?;
        let values: Vec<String> = law
            .params()
            .iter()
            .zip(&self.params)
            .map(|(p, (_, e))| format!("{} = {}", p.latex, latex_number(e.value)))
            .collect();
        Ok(format!("{},\\quad {}", law.latex(), values.join(",\\; ")))
    }

    /// What the law predicts.
    ///
    /// # Errors
    /// The file names a law that this version does not know.
    pub fn response(&self) -> Result<Response, FitError> {
        Ok(self.law()?.response())
    }
}

fn latex_number(value: f64) -> String {
    let text = constant(value);
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{digits}\\times 10^{{{exponent}}}"),
        None => text,
    }
}

/// A number that JSON cannot write is `null` in a file.
fn nan_if_null<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Named values as a JSON object that keeps their order.
pub(crate) mod in_order {
    use serde::de::{MapAccess, Visitor};
    use serde::ser::SerializeMap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::marker::PhantomData;

    pub fn serialize<S: Serializer, T: Serialize>(
        entries: &[(String, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (name, value) in entries {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, T)>, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Vec<(String, T)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of named values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

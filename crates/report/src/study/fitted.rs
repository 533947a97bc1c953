//! From results of the fit library to what a report draws.

use super::law::{FittedCurve, JointFit, JointLine, LawPoint, Parameter, Published, Sample};
use crate::number::significant;
use scalelaw_fit::presets::{Preset, Rule};
use scalelaw_fit::{FitError, FittedLaw};

/// Places on a sampled line.
const SAMPLES: u32 = 64;
const INTERVAL_OF: &str = "95% confidence interval of the law's value, its form being true";

/// A run as a law sees it, before the law has an opinion.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Run it comes from.
    pub run_id: String,
    /// Its N, D or C.
    pub x: f64,
    /// Its loss, nats per token.
    pub loss: f64,
    /// Standard error of its loss, where known.
    pub loss_se: Option<f64>,
}

impl FittedCurve {
    /// A fitted law of one variable, sampled from `reach.0` to `reach.1`.
    ///
    /// # Errors
    /// The law has more than one variable, is unknown to this version, or has no value where it is sampled.
    pub fn of(
        law: &FittedLaw,
        reach: (f64, f64),
        points: &[Observed],
        published: Option<Published>,
    ) -> Result<Self, FitError> {
        let form = law.law()?;
        let variable = form.variables().first().map_or("", |name| name.as_ref()).to_owned();
        let at = |x: f64| law.predict(&[(variable.as_str(), x)]);
        let params: Vec<Parameter> = law.params.iter().map(|(name, e)| parameter(name, e)).collect();
        let named = form.params().iter().position(|param| param.exponent_of.is_some());
        let exponent = match named {
            Some(i) if params.len() == 2 => params[i].clone(),
            _ => local_exponent(&at, points)?,
        };
        let points = points
            .iter()
            .map(|point| {
                Ok(LawPoint {
                    run_id: point.run_id.clone(),
                    x: point.x,
                    loss: point.loss,
                    loss_se: point.loss_se,
                    fitted: at(point.x)?.mean,
                })
            })
            .collect::<Result<_, FitError>>()?;
        Ok(Self {
            equation: symbols(&law.equation),
            params,
            exponent,
            samples: samples(reach, at)?,
            points,
            interval_of: INTERVAL_OF.to_owned(),
            doubts: doubts(law),
            published,
        })
    }
}

impl JointFit {
    /// A fitted law of N and D with the runs of each N, sampled from `reach.0` to `reach.1` tokens.
    ///
    /// # Errors
    /// As [`FittedCurve::of`].
    pub fn of(
        law: &FittedLaw,
        reach: (f64, f64),
        runs: &[(f64, Vec<Observed>)],
        published: Option<String>,
    ) -> Result<Self, FitError> {
        let lines = runs
            .iter()
            .map(|(n, observed)| {
                let at = |d: f64| law.predict(&[("N", *n), ("D", d)]);
                let points = observed
                    .iter()
                    .map(|point| {
                        Ok(LawPoint {
                            run_id: point.run_id.clone(),
                            x: point.x,
                            loss: point.loss,
                            loss_se: point.loss_se,
                            fitted: at(point.x)?.mean,
                        })
                    })
                    .collect::<Result<_, FitError>>()?;
                Ok(JointLine { n_params: *n, samples: samples(reach, at)?, points })
            })
            .collect::<Result<_, FitError>>()?;
        Ok(Self {
            equation: symbols(&law.equation),
            params: law.params.iter().map(|(name, e)| parameter(name, e)).collect(),
            lines,
            doubts: doubts(law),
            published,
        })
    }
}

impl Published {
    /// The published law of a preset whose rule is a power law of one variable; `None` for any other.
    pub fn of_preset(name: &str) -> Option<Self> {
        let preset = Preset::by_name(name).ok()?;
        let Rule::Law { constants: [(scale, scale_value), (_, exponent)], .. } = preset.rule else {
            return None;
        };
        let variable = scale.split('_').next().unwrap_or("x");
        Some(Self {
            source: preset.title.split(':').next().unwrap_or(preset.title).to_owned(),
            equation: format!("L = ({}/{variable})^{{{exponent}}}", significant(*scale_value, 2)),
            exponent: *exponent,
        })
    }
}

/// The constants of a preset's law as markup; `None` where its rule is no law.
pub fn published_constants(name: &str) -> Option<String> {
    let preset = Preset::by_name(name).ok()?;
    let Rule::Law { constants, .. } = preset.rule else { return None };
    let list: Vec<String> = constants
        .iter()
        .map(|(name, value)| format!("{} {}", symbols(name), significant(*value, 3)))
        .collect();
    Some(format!("{} ({})", list.join(", "), preset.title.split(':').next().unwrap_or(preset.title)))
}

fn parameter(name: &str, estimate: &scalelaw_fit::Estimate) -> Parameter {
    Parameter {
        symbol: symbols(name),
        value: estimate.value,
        interval: estimate
            .ci95
            .map(|[lo, hi]| (lo.unwrap_or(f64::NEG_INFINITY), hi.unwrap_or(f64::INFINITY))),
    }
}

fn doubts(law: &FittedLaw) -> Vec<String> {
    law.warnings.iter().map(|warning| warning.message.clone()).collect()
}

fn samples(
    (lo, hi): (f64, f64),
    at: impl Fn(f64) -> Result<scalelaw_fit::Prediction, FitError>,
) -> Result<Vec<Sample>, FitError> {
    let step = libm::log(hi / lo) / f64::from(SAMPLES);
    (0..=SAMPLES)
        .map(|i| {
            let x = lo * libm::exp(step * f64::from(i));
            let prediction = at(x)?;
            Ok(Sample { x, loss: prediction.mean, interval: prediction.ci95.map(|[lo, hi]| (lo, hi)) })
        })
        .collect()
}

/// −d ln L/d ln x at the geometric middle of the points, for laws that are no pure power.
fn local_exponent(
    at: &impl Fn(f64) -> Result<scalelaw_fit::Prediction, FitError>,
    points: &[Observed],
) -> Result<Parameter, FitError> {
    let middle = libm::exp(points.iter().map(|p| libm::log(p.x)).sum::<f64>() / points.len().max(1) as f64);
    let step = 1e-4;
    let (below, above) = (at(middle * (1.0 - step))?.mean, at(middle * (1.0 + step))?.mean);
    let value = -libm::log(above / below) / libm::log((1.0 + step) / (1.0 - step));
    Ok(Parameter { symbol: "slope at the middle of the data".to_owned(), value, interval: None })
}

/// `(N_c/N)^alpha_N` as markup: `(N_{c}/N)^{αN}`.
pub(crate) fn symbols(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut raised = false;
    while let Some(character) = rest.chars().next() {
        if character.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (base, index) = rest[..end].split_once('_').unwrap_or((&rest[..end], ""));
            let base = greek(base);
            let index = index.replace('_', " ");
            out += &match (raised, index.is_empty()) {
                (false, true) => base.to_owned(),
                (false, false) => format!("{base}_{{{index}}}"),
                (true, _) => format!("^{{{base}{index}}}"),
            };
            rest = &rest[end..];
            raised = false;
        } else if character == '^' && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            raised = true;
            rest = &rest[1..];
        } else {
            out.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    out
}

fn greek(name: &str) -> &str {
    match name {
        "alpha" => "α",
        "beta" => "β",
        "gamma" => "γ",
        "delta" => "δ",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_law_equations_become_markup() {
        assert_eq!(symbols("L(N) = (N_c/N)^alpha_N"), "L(N) = (N_{c}/N)^{αN}");
        assert_eq!(symbols("E + A/N^alpha"), "E + A/N^{α}");
        assert_eq!(symbols("alpha_C_min"), "α_{C min}");
        assert_eq!(symbols("a^(1/2)"), "a^(1/2)");
    }

    #[test]
    fn published_kaplan_is_read_from_the_presets() {
        let published = Published::of_preset("kaplan2020-n").unwrap();
        assert_eq!(published.equation, "L = (8.8×10^{13}/N)^{0.076}");
        assert_eq!(published.source, "Kaplan et al. 2020");
        assert!(Published::of_preset("kaplan2020-nd").is_none());
        assert_eq!(
            published_constants("kaplan2020-nd").unwrap(),
            "N_{c} 6.40×10^{13}, D_{c} 1.80×10^{13}, α_{N} 0.0760, α_{D} 0.103 (Kaplan et al. 2020)"
        );
    }
}

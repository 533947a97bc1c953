//! From fitted laws to what is drawn of them.

use super::law::{FittedCurve, JointFit, JointLine, LawPoint, Parameter, Published, PublishedConstants};
use crate::laws::{Fitted, Observation, sample};
use crate::lines::range;
use scalelaw_fit::presets::{Preset, Rule};
use scalelaw_fit::{FitError, FittedLaw};

/// Places on a sampled line.
const SAMPLES: u32 = 65;

impl FittedCurve {
    /// A fitted law of one variable, sampled over its points and to `beyond` times the last of them.
    ///
    /// # Errors
    /// The law is unknown to this version, or has no value where it is sampled.
    pub fn of(fitted: &Fitted, beyond: f64, published: Option<Published>) -> Result<Self, FitError> {
        let Fitted { law, points } = fitted;
        let form = law.law()?;
        let variable = form.variables().first().map_or("", |name| name.as_ref()).to_owned();
        let at = |x: f64| law.predict(&[(variable.as_str(), x)]);
        let params: Vec<Parameter> = law.params.iter().map(|(name, e)| parameter(name, e)).collect();
        let named = form.params().iter().position(|param| param.exponent_of.is_some());
        let exponent = match named {
            Some(i) if params.len() == 2 => params[i].clone(),
            _ => local_exponent(&at, points)?,
        };
        let (lo, hi) = range(points.iter().map(|p| p.at[0])).unwrap_or((f64::NAN, f64::NAN));
        Ok(Self {
            equation: law.equation.clone(),
            params,
            exponent,
            samples: sample(law, &[], &variable, (lo, hi * beyond), SAMPLES)?,
            points: points.iter().map(|p| point(p, p.at[0], law)).collect::<Result<_, _>>()?,
            doubts: doubts(law),
            published,
        })
    }
}

impl JointFit {
    /// A fitted law of N and D, one line an N, sampled over all D of its points.
    ///
    /// # Errors
    /// As [`FittedCurve::of`].
    pub fn of(fitted: &Fitted, published: Option<PublishedConstants>) -> Result<Self, FitError> {
        let Fitted { law, points } = fitted;
        let mut sizes: Vec<f64> = points.iter().map(|p| p.at[0]).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let reach = range(points.iter().map(|p| p.at[1])).unwrap_or((f64::NAN, f64::NAN));
        let line = |n: f64| {
            let of = points.iter().filter(|p| p.at[0] == n);
            Ok(JointLine {
                n_params: n,
                samples: sample(law, &[("N", n)], "D", reach, SAMPLES)?,
                points: of.map(|p| point(p, p.at[1], law)).collect::<Result<_, FitError>>()?,
            })
        };
        Ok(Self {
            equation: law.equation.clone(),
            params: law.params.iter().map(|(name, e)| parameter(name, e)).collect(),
            lines: sizes.into_iter().map(line).collect::<Result<_, FitError>>()?,
            doubts: doubts(law),
            published,
        })
    }
}

/// A point with what the law gives there.
fn point(observed: &Observation, x: f64, law: &FittedLaw) -> Result<LawPoint, FitError> {
    let form = law.law()?;
    let at: Vec<(&str, f64)> =
        form.variables().iter().map(|name| name.as_ref()).zip(observed.at.iter().copied()).collect();
    Ok(LawPoint {
        run_id: observed.run_id.clone(),
        x,
        loss: observed.loss,
        loss_se: observed.loss_se,
        fitted: law.predict(&at)?.mean,
    })
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
            variable: variable.to_owned(),
            scale: *scale_value,
            exponent: *exponent,
        })
    }
}

impl PublishedConstants {
    /// The constants of a preset's law; `None` where its rule is no law.
    pub fn of_preset(name: &str) -> Option<Self> {
        let preset = Preset::by_name(name).ok()?;
        let Rule::Law { constants, .. } = preset.rule else { return None };
        Some(Self {
            source: preset.title.split(':').next().unwrap_or(preset.title).to_owned(),
            constants: constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        })
    }
}

fn parameter(name: &str, estimate: &scalelaw_fit::Estimate) -> Parameter {
    Parameter {
        name: name.to_owned(),
        value: estimate.value,
        interval: estimate
            .ci95
            .map(|[lo, hi]| (lo.unwrap_or(f64::NEG_INFINITY), hi.unwrap_or(f64::INFINITY))),
    }
}

fn doubts(law: &FittedLaw) -> Vec<String> {
    law.warnings.iter().map(|warning| warning.message.clone()).collect()
}

/// −d ln L/d ln x at the geometric middle of the points, for laws that are no pure power.
fn local_exponent(
    at: &impl Fn(f64) -> Result<scalelaw_fit::Prediction, FitError>,
    points: &[Observation],
) -> Result<Parameter, FitError> {
    let middle =
        libm::exp(points.iter().map(|p| libm::log(p.at[0])).sum::<f64>() / points.len().max(1) as f64);
    let step = 1e-4;
    let (below, above) = (at(middle * (1.0 - step))?.mean, at(middle * (1.0 + step))?.mean);
    let value = -libm::log(above / below) / libm::log((1.0 + step) / (1.0 - step));
    Ok(Parameter { name: "slope".to_owned(), value, interval: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_kaplan_is_read_from_the_presets() {
        let published = Published::of_preset("kaplan2020-n").unwrap();
        assert_eq!((published.variable.as_str(), published.scale, published.exponent), ("N", 8.8e13, 0.076));
        assert_eq!(published.source, "Kaplan et al. 2020");
        assert!(Published::of_preset("kaplan2020-nd").is_none());
        let joint = PublishedConstants::of_preset("kaplan2020-nd").unwrap();
        assert_eq!(joint.constants[0], ("N_c".to_owned(), 6.4e13));
    }
}

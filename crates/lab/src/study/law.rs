//! Fitted laws as lines, points and constants.

use crate::laws::Sample;

/// A law of one variable.
#[derive(Clone, Debug)]
pub struct FittedCurve {
    /// The fitted form: `L(N) = (N_c/N)^alpha_N`.
    pub equation: String,
    /// The constants, the exponent among them.
    pub params: Vec<Parameter>,
    /// How many per cent the loss changes per per cent of x, at the middle of the data: the exponent of a pure
    /// power law. Positive when the loss falls.
    pub exponent: Parameter,
    /// The fitted line with its interval, x rising; it may reach beyond the data.
    pub samples: Vec<Sample>,
    /// What was fitted.
    pub points: Vec<LawPoint>,
    /// Doubts about the fit in words; empty when there are none.
    pub doubts: Vec<String>,
    /// What was published for the same law.
    pub published: Option<Published>,
}

/// A constant with its interval.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name: `alpha_N`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its 95% interval; an end may be infinite.
    pub interval: Option<(f64, f64)>,
}

/// One point that a law was fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct LawPoint {
    /// Run it comes from.
    pub run_id: String,
    /// Its N, D or C.
    pub x: f64,
    /// Its loss, nats per token.
    pub loss: f64,
    /// Standard error of its loss, where known.
    pub loss_se: Option<f64>,
    /// What the law gives at x.
    pub fitted: f64,
}

/// A published law to hold beside ours.
#[derive(Clone, Debug)]
pub struct Published {
    /// Who: "Kaplan et al. 2020".
    pub source: String,
    /// Its variable.
    pub variable: String,
    /// Where it gives one nat.
    pub scale: f64,
    /// Its exponent.
    pub exponent: f64,
}

/// The constants of a published law.
#[derive(Clone, Debug)]
pub struct PublishedConstants {
    /// Who: "Kaplan et al. 2020".
    pub source: String,
    /// Name and value.
    pub constants: Vec<(String, f64)>,
}

/// The law of N and D together.
#[derive(Clone, Debug)]
pub struct JointFit {
    /// The fitted form.
    pub equation: String,
    /// The constants.
    pub params: Vec<Parameter>,
    /// The law at each N that was trained on subsets.
    pub lines: Vec<JointLine>,
    /// Doubts about the fit in words.
    pub doubts: Vec<String>,
    /// What was published for the same law.
    pub published: Option<PublishedConstants>,
}

/// The joint law at one N.
#[derive(Clone, Debug)]
pub struct JointLine {
    /// N by the study's convention.
    pub n_params: f64,
    /// The law against D.
    pub samples: Vec<Sample>,
    /// Runs of this N; x is D.
    pub points: Vec<LawPoint>,
}

impl FittedCurve {
    /// Smallest and largest x of the points fitted.
    pub fn data_range(&self) -> Option<(f64, f64)> {
        let xs = || self.points.iter().map(|point| point.x).filter(|x| x.is_finite());
        let range = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
        (range.0 <= range.1).then_some(range)
    }

    /// Root mean square of loss/fitted − 1 over the points.
    pub fn residual_rms(&self) -> Option<f64> {
        let squares: Vec<f64> = self
            .points
            .iter()
            .map(|point| (point.loss / point.fitted - 1.0).powi(2))
            .filter(|square| square.is_finite())
            .collect();
        (!squares.is_empty()).then(|| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
    }
}

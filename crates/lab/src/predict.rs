//! A fitted law at a place, and the rest of learning curves from their beginnings.

use crate::error::LabError;
use crate::forecasts::{self, Forecast};
use crate::law_source::LawSource;
use crate::observations::{Observations, RULES, Reading, TableRequest, Wanted};
use crate::places::Places;
use crate::schedules::{Schedules, schedules};
use scalelaw_fit::laws::KaplanNs;
use scalelaw_fit::{CurveStudy, FitError, FitOptions, Law, Prediction, forecast_curves};
use scalelaw_table::Problem;
use serde::Serialize;
use std::borrow::Cow;
use std::path::PathBuf;

/// A law and a place.
#[derive(Clone, Debug)]
pub struct PlaceRequest {
    /// The law file.
    pub law: String,
    /// Values of the law's variables.
    pub at: Vec<(String, f64)>,
    /// Where the forecast is written down.
    pub register: Option<PathBuf>,
}

/// The law's value at a place, and the forecast written down if that was asked for.
///
/// # Errors
/// The law cannot be read or lacks a variable, or the forecast's file exists.
pub fn at(request: &PlaceRequest) -> Result<PlaceReport, LabError> {
    let source = LawSource::open(&request.law)?;
    let (data_digest, unit) = (source.data_digest(), source.unit());
    if let Some((name, _)) = request
        .at
        .iter()
        .enumerate()
        .find_map(|(i, at)| request.at[..i].iter().find(|before| before.0 == at.0))
    {
        return Err(LabError::GivenTwice { name: name.clone() });
    }
    let (prediction, of_any_form, derived) = if let LawSource::Forecaster(_, made) = source {
        check_used("a forecast", &["N", "D"], &request.at)?;
        (made.predict(&named(&request.at))?, OfAnyForm::This, vec![])
    } else {
        let fitted = source.fitted()?;
        let law = fitted.law()?;
        let (at, derived) = completed(law.as_ref(), &request.at);
        let mut used: Vec<&str> = law.variables().iter().map(AsRef::as_ref).collect();
        for rule in RULES.iter().filter(|rule| derived.contains(&rule.equation)) {
            used.extend(rule.inputs);
        }
        if fitted.forecaster.is_some() {
            used.extend(["N", "D"]);
        }
        check_used(&fitted.law, &used, &request.at)?;
        // A place that says no N or no D is one of the law alone.
        let beside = fitted.forecaster.as_ref().and_then(|made| made.predict(&named(&at)).ok());
        (fitted.predict(&named(&at))?, beside.map_or(OfAnyForm::NotKnown, OfAnyForm::Beside), derived)
    };
    if let Some(path) = &request.register {
        let made = Forecast {
            data_digest,
            loss_pi95: prediction.pi95,
            unit: unit.clone(),
            status: Some(prediction.status),
            extrapolation_decades: Some(prediction.extrapolation_decades),
            ..Forecast::now(&request.law, &request.at, prediction.mean)
        };
        forecasts::register(path, &made)?;
    }
    Ok(PlaceReport { prediction, of_any_form, derived, unit })
}

/// A prediction. Serialises without the equations.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceReport {
    /// The prediction.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// The prediction that does not take the form of the law for true.
    #[serde(rename = "forecast", skip_serializing_if = "OfAnyForm::is_not_beside")]
    pub of_any_form: OfAnyForm,
    /// How variables were computed that were not given.
    #[serde(skip)]
    pub derived: Vec<&'static str>,
    /// What the loss is measured in, where that is not nats per token.
    #[serde(skip)]
    pub unit: Option<String>,
}

/// # Errors
/// Something is given that is not `used`.
fn check_used(law: &str, used: &[&str], at: &[(String, f64)]) -> Result<(), LabError> {
    let Some((name, _)) = at.iter().find(|(name, _)| !used.contains(&name.as_str())) else { return Ok(()) };
    let variables = used.iter().map(ToString::to_string).collect();
    Err(LabError::UnusedAt { law: law.into(), name: name.clone(), variables })
}

/// The prediction that does not take the form of a law for true.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum OfAnyForm {
    /// The law file has none: the interval is conditional on the form.
    NotKnown,
    /// It is the prediction itself.
    This,
    /// It stands beside the law in its file.
    Beside(Prediction),
}

impl OfAnyForm {
    fn is_not_beside(&self) -> bool {
        !matches!(self, Self::Beside(_))
    }
}

fn named(at: &[(String, f64)]) -> Vec<(&str, f64)> {
    at.iter().map(|(name, value)| (name.as_str(), *value)).collect()
}

/// `at` with the variables of the law that follow from it, and by which equations.
fn completed(law: &dyn Law, at: &[(String, f64)]) -> (Vec<(String, f64)>, Vec<&'static str>) {
    let (mut at, mut derived) = (at.to_vec(), Vec::new());
    let value = |at: &[(String, f64)], name: &str| at.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    for variable in law.variables() {
        if value(&at, variable).is_some() {
            continue;
        }
        let rule = RULES.iter().find_map(|rule| {
            let [a, b] = rule.inputs.map(|input| value(&at, input));
            (rule.variable == variable.as_ref()).then_some((rule, a?, b?))
        });
        if let Some((rule, a, b)) = rule {
            at.push((variable.to_string(), (rule.value)(a, b)));
            derived.push(rule.equation);
        }
    }
    (at, derived)
}

/// A law and a table of places.
#[derive(Clone, Debug)]
pub struct PlacesRequest {
    /// The law file.
    pub law: String,
    /// The table: a row a place.
    pub table: TableRequest,
}

/// The law at one row of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// Row of the table.
    pub row: u64,
    /// The law's variables, in its order.
    pub at: Vec<(String, f64)>,
    /// The prediction.
    #[serde(flatten)]
    pub prediction: Prediction,
}

/// The law at every row. Serialises without what was not used.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct PlacesReport {
    /// In the order of the table.
    pub places: Vec<Placed>,
    /// Cells that could not be used; their rows are left out.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

/// What a law or a forecaster says of a place.
type Predict = Box<dyn Fn(&[(&str, f64)]) -> Result<Prediction, FitError>>;

/// The law's value at every row of a table.
///
/// # Errors
/// The law or the table cannot be read, or the table lacks a variable of the law.
pub fn places(request: &PlacesRequest) -> Result<PlacesReport, LabError> {
    let source = LawSource::open(&request.law)?;
    let (name, variables, predict): (String, Vec<Cow<'static, str>>, Predict) =
        if let LawSource::Forecaster(name, made) = source {
            (name, [Cow::Borrowed("N"), Cow::Borrowed("D")].to_vec(), Box::new(move |at| made.predict(at)))
        } else {
            let fitted = source.fitted()?;
            let variables = fitted.law()?.variables().to_vec();
            (fitted.law.clone(), variables, Box::new(move |at| fitted.predict(at)))
        };
    let Places { at, rows, problems } = Places::of(&name, &variables, &Observations::open(&request.table)?)?;
    let place = |(at, row): (Vec<f64>, u64)| {
        let names = variables.iter().map(ToString::to_string);
        let at: Vec<(String, f64)> = names.zip(at).collect();
        let prediction = predict(&named(&at))?;
        Ok(Placed { row, prediction, at })
    };
    let places = at.into_iter().zip(rows).map(place).collect::<Result<_, LabError>>()?;
    Ok(PlacesReport { places, problems })
}

/// Which curves, and how much of each is seen.
#[derive(Clone, Debug)]
pub struct CurvesRequest {
    /// Learning curves: a row an evaluation.
    pub table: TableRequest,
    /// Share of each run's updates that is seen.
    pub from: f64,
}

/// The study of the curves.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct CurvesReport {
    /// Forecasts and how they compare with what came.
    pub study: CurveStudy,
    /// Run and row of the table of each forecast, in their order.
    #[serde(skip)]
    pub places: Vec<(String, u64)>,
    /// Whether the runs' learning rates went the same way.
    #[serde(skip)]
    pub schedules: Schedules,
    /// How the table was read.
    #[serde(skip)]
    pub reading: Reading,
}

/// Fits L(N, S) to the beginnings and extrapolates each curve.
///
/// # Errors
/// The table has no curves, or too little is seen of them.
pub fn curves(request: &CurvesRequest) -> Result<CurvesReport, LabError> {
    let observations = Observations::open(&request.table)?;
    let points = observations.points(&Wanted::law(&KaplanNs))?;
    let run = observations.needed("run")?;
    let run = points.table.column(&run)?;
    let groups = run.groups();
    let study = forecast_curves(&points.dataset, &groups, request.from, &FitOptions::default())?;
    let places = study.forecasts.iter().map(|f| (run.text(f.point), points.table.row(f.point))).collect();
    let schedules = schedules(&observations, &points, &groups)?;
    Ok(CurvesReport { study, places, schedules, reading: points.reading })
}

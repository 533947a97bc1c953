//! A fitted law at a place, and the rest of learning curves from their beginnings.

use crate::error::LabError;
use crate::forecasts;
use crate::law_source::LawSource;
use crate::observations::{Observations, RULES, Reading, TableRequest, Wanted};
use crate::places::Places;
use crate::schedules::{Schedules, schedules};
use scalelaw_fit::laws::KaplanNs;
use scalelaw_fit::{CurveStudy, FitOptions, Law, Prediction, forecast_curves};
use scalelaw_table::Problem;
use serde::Serialize;
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
    let data_digest = source.data_digest();
    let (prediction, derived) = if let LawSource::Forecaster(_, made) = source {
        (made.predict(&named(&request.at))?, vec![])
    } else {
        let fitted = source.fitted()?;
        let (at, derived) = completed(fitted.law()?.as_ref(), &request.at);
        (fitted.predict(&named(&at))?, derived)
    };
    if let Some(path) = &request.register {
        let (loss, interval) = (prediction.mean, prediction.pi95);
        forecasts::register(path, &request.law, data_digest, &request.at, loss, interval)?;
    }
    Ok(PlaceReport { prediction, derived })
}

/// A prediction. Serialises without the equations.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct PlaceReport {
    /// The prediction.
    pub prediction: Prediction,
    /// How variables were computed that were not given.
    #[serde(skip)]
    pub derived: Vec<&'static str>,
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

/// The law's value at every row of a table.
///
/// # Errors
/// The law or the table cannot be read, or the table lacks a variable of the law.
pub fn places(request: &PlacesRequest) -> Result<PlacesReport, LabError> {
    let fitted = LawSource::open(&request.law)?.fitted()?;
    let law = fitted.law()?;
    let Places { at, rows, problems } = Places::of(law.as_ref(), &Observations::open(&request.table)?)?;
    let place = |(at, row): (Vec<f64>, u64)| {
        let names = law.variables().iter().map(ToString::to_string);
        let at: Vec<(String, f64)> = names.zip(at).collect();
        let point: Vec<(&str, f64)> = at.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Ok(Placed { row, prediction: fitted.predict(&point)?, at })
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

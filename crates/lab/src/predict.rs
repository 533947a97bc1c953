//! A fitted law at a place, and the rest of learning curves from their beginnings.

use crate::error::LabError;
use crate::forecasts;
use crate::law_source::LawSource;
use crate::observations::{Observations, Reading, TableRequest};
use scalelaw_fit::laws::KaplanNs;
use scalelaw_fit::{CurveStudy, FitOptions, Prediction, forecast_curves};
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
pub fn at(request: &PlaceRequest) -> Result<Prediction, LabError> {
    let source = LawSource::open(&request.law)?;
    let data_digest = source.data_digest();
    let at: Vec<(&str, f64)> = request.at.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let prediction = source.fitted()?.predict(&at)?;
    if let Some(path) = &request.register {
        let (loss, interval) = (prediction.mean, prediction.pi95);
        forecasts::register(path, &request.law, data_digest, &request.at, loss, interval)?;
    }
    Ok(prediction)
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
    let points = observations.points(&KaplanNs)?;
    let run = observations.needed("run")?;
    let run = points.table.column(&run)?;
    let study = forecast_curves(&points.dataset, &run.groups(), request.from, &FitOptions::default())?;
    let places = study.forecasts.iter().map(|f| (run.text(f.point), points.table.row(f.point))).collect();
    Ok(CurvesReport { study, places, reading: points.reading })
}

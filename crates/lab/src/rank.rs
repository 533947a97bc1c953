//! Every law that a table can determine, ranked by how well it extrapolates from the cheap runs to the expensive ones, and
//! a forecast that takes none of them for true.

use crate::error::LabError;
use crate::observations::{Observations, Reading, TableRequest, Wanted};
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_fit::{
    Dataset, FitError, FitOptions, FitStatus, Forecaster, Law, Ranked, Warning, forecaster, laws, rank,
};
use serde::Serialize;

/// Share of the points, the cheapest ones, that laws are fitted to; the others score them.
const FITTED_SHARE: f64 = 0.7;

/// Which table, and how to fit.
#[derive(Clone, Debug)]
pub struct RankRequest {
    /// The table.
    pub table: TableRequest,
    /// How to fit.
    pub options: FitOptions,
}

/// The forecast and the ranking.
#[derive(Clone, Debug, Serialize)]
pub struct RankReport {
    /// A forecast of the loss from N and D; none where the table lacks one of them, or has too few runs.
    pub forecast: Option<Forecaster>,
    /// Why there is none, where the table has both.
    #[serde(skip)]
    pub no_forecast: Option<FitError>,
    /// Laws with their held-out errors, best first; never empty.
    pub ranked: Vec<Ranked>,
    /// Laws that the table has columns for and that have no fit.
    #[serde(skip)]
    pub not_fitted: Vec<NotFitted>,
    /// How the table was read for the law of the most variables.
    #[serde(skip)]
    pub reading: Reading,
}

/// A law without a fit.
#[derive(Clone, Debug)]
pub struct NotFitted {
    /// The law.
    pub law: String,
    /// Why.
    pub reason: Reason,
}

/// Why a law has no fit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// These variables have the same value in every row.
    Constant(Vec<String>),
    /// The fit failed.
    Failed(FitError),
}

/// Fits and ranks the laws.
///
/// # Errors
/// The table cannot be read, or no law can be fitted to it.
pub fn run(request: &RankRequest, observer: &dyn Observer) -> Result<RankReport, LabError> {
    let observations = Observations::open(&request.table)?;
    let served: Vec<Box<dyn Law>> =
        laws::all().into_iter().filter(|law| observations.serves(law.as_ref())).collect();
    // The doubts about a table are about its N and D: of two laws with as many variables, the one that reads them.
    let reads_both =
        |law: &dyn Law| ["N", "D"].iter().all(|v| law.variables().iter().any(|variable| variable == v));
    let widest = served.iter().max_by_key(|law| (law.variables().len(), reads_both(law.as_ref())));
    let widest = widest.ok_or_else(|| {
        let (table, columns) = (observations.table.source.clone(), observations.table.names());
        LabError::NothingToFit { table, columns }
    })?;
    let beside: Vec<&str> = served.iter().flat_map(|law| law.variables()).map(AsRef::as_ref).collect();
    let space = request.options.objective.space;
    let points = observations.points(&Wanted { law: widest.as_ref(), space, beside: &beside })?;
    let mut dataset = points.dataset;
    for variable in served.iter().flat_map(|law| law.variables()) {
        if dataset.column(variable).is_none()
            && let Some(values) = observations.also(variable, &points.table)
        {
            dataset = dataset.with(variable, values);
        }
    }
    // A law of a variable that never changes is not identifiable.
    let constant = |v: &str| dataset.column(v).is_some_and(|c| !varies(c));
    let (laws, flat): (Vec<_>, Vec<_>) =
        served.into_iter().partition(|law| !law.variables().iter().any(|v| constant(v)));
    let mut not_fitted: Vec<NotFitted> = flat
        .iter()
        .map(|law| {
            let variables = law.variables().iter().filter(|v| constant(v)).map(ToString::to_string);
            NotFitted { law: law.name().into(), reason: Reason::Constant(variables.collect()) }
        })
        .collect();
    let cost: Vec<f64> = match (dataset.column("C"), dataset.column("N"), dataset.column("D")) {
        (Some(c), ..) => c.to_vec(),
        (None, Some(n), Some(d)) => n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect(),
        (None, Some(one), None) | (None, None, Some(one)) => one.to_vec(),
        (None, None, None) => dataset.column("S").map(<[f64]>::to_vec).unwrap_or_default(),
    };
    let total = laws.len() as u64;
    let stage = |done| Progress::Stage { name: "fitting", done, total, unit: "laws" };
    observer.progress(stage(0));
    let (mut ranked, failed) = rank(&laws, &dataset, &cost, FITTED_SHARE, &request.options)?;
    observer.progress(stage(total));
    not_fitted
        .extend(failed.into_iter().map(|(law, error)| NotFitted { law, reason: Reason::Failed(error) }));
    let doubtful = points.reading.doubtful().into_iter();
    let doubts: Vec<Warning> =
        doubtful.map(|(code, message)| Warning { code: code.into(), message }).collect();
    for law in ranked.iter_mut().map(|ranked| &mut ranked.law).filter(|_| !doubts.is_empty()) {
        law.warnings.extend(doubts.iter().cloned());
        law.status = law.status.max(FitStatus::Remarks);
    }
    if ranked.is_empty() {
        let (table, n_points) = (observations.table.source, dataset.len());
        return Err(LabError::NoLawFitted { table, laws: laws.len(), n_points });
    }
    let (forecast, no_forecast) = if of_size_and_data(&dataset) {
        let done = |done, total| {
            let (done, total) = (done as u64, total as u64);
            observer.progress(Progress::Stage { name: "forecasting", done, total, unit: "fits" });
        };
        match forecaster(&dataset, &done) {
            Ok(mut forecast) => {
                forecast.doubts.extend(doubts.iter().cloned());
                (Some(forecast), None)
            }
            Err(error) => (None, Some(error)),
        }
    } else {
        (None, None)
    };
    Ok(RankReport { forecast, no_forecast, ranked, not_fitted, reading: points.reading })
}

/// Whether both N and D are known and change, so that a loss can be forecast from them.
pub(crate) fn of_size_and_data(dataset: &Dataset) -> bool {
    ["N", "D"].iter().all(|variable| dataset.column(variable).is_some_and(varies))
}

/// Whether a column has more than one value.
fn varies(column: &[f64]) -> bool {
    column.iter().any(|x| *x != column[0])
}

//! One law fitted to one table.

use crate::assumed::{self, Assumption, Floor, Under};
use crate::error::LabError;
use crate::leave_out::{self, LeftOut};
use crate::observations::{Observations, Reading, TableRequest, Wanted};
use crate::offsets::{self, Offset};
use crate::rank;
use crate::valley::{self, Valley};
use scalelaw_fit::{
    FitOptions, FitStatus, FittedLaw, LackOfFit, ResidualBin, Response, Space, Warning, fit, forecaster,
    lack_of_fit, residuals_by,
};
use serde::Serialize;

/// Most stretches of a variable that residuals are gathered in.
const MOST_BINS: usize = 25;

/// Which law, to which table, and how.
#[derive(Clone, Debug)]
pub struct FitRequest {
    /// The table.
    pub table: TableRequest,
    /// A law's name, or an expression over columns such as `E + A/N^alpha`.
    pub law: String,
    /// Bounds of an expression's parameters; they are positive otherwise.
    pub bounds: Vec<(String, f64, f64)>,
    /// How to fit.
    pub options: FitOptions,
    /// A variable of the law along which residuals are wanted.
    pub residuals_by: Option<String>,
    /// A parameter whose valley is wanted.
    pub valley: Option<String>,
    /// A parameter over whose assumed values the forecast is wanted.
    pub assumed: Option<Assumption>,
    /// A variable each of whose values is left out in turn.
    pub leave_out: Option<String>,
    /// Whether a law of N and D is to have beside it what the same runs say without taking its form for true.
    pub forecaster: bool,
}

/// The fitted law. Serialises to the law file.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct FitReport {
    /// The law with its constants, intervals and doubts.
    pub law: FittedLaw,
    /// The law's misfit against the scatter of repeated runs, where runs repeat.
    #[serde(skip)]
    pub lack_of_fit: Option<LackOfFit>,
    /// Residuals along the variable asked for.
    #[serde(skip)]
    pub residuals: Option<Vec<ResidualBin>>,
    /// The valley asked for.
    #[serde(skip)]
    pub valley: Option<Valley>,
    /// The law under each assumed value asked for.
    #[serde(skip)]
    pub assumed: Option<Vec<Under>>,
    /// The law without each value of the variable asked for.
    #[serde(skip)]
    pub left_out: Option<Vec<LeftOut>>,
    /// The law's floor, where its form decides it.
    #[serde(skip)]
    pub floor: Option<Floor>,
    /// Columns whose groups have laws of their own, by the residuals.
    #[serde(skip)]
    pub offsets: Vec<Offset>,
    /// How the table was read.
    #[serde(skip)]
    pub reading: Reading,
}

/// Fits the law.
///
/// # Errors
/// The table cannot be read, lacks a variable of the law or has too few usable rows, or the request names a law, a
/// parameter or a variable that does not exist.
pub fn run(request: &FitRequest) -> Result<FitReport, LabError> {
    let observations = Observations::open(&request.table)?;
    let law = observations.law(&request.law, &request.bounds)?;
    let space = request.options.objective.space;
    let points = observations.points(&Wanted { space, ..Wanted::law(law.as_ref()) })?;
    let mut fitted = fit(law.as_ref(), &points.dataset, &request.options)
        .map_err(|error| LabError::Unfitted { reading: Box::new(points.reading.clone()), error })?;
    let offsets = match space {
        Space::Log => offsets::found(law.as_ref(), &fitted, &points, observations.judged())?,
        Space::Linear => vec![],
    };
    let recipes = offsets.iter().map(|offset| ("recipes", offset.to_string()));
    let of_sizes = match space {
        Space::Log => offsets::of_sizes(law.as_ref(), &fitted, &points.dataset),
        Space::Linear => None,
    };
    let of_sizes = of_sizes.map(|found| ("checkpoints", found.to_string()));
    for (code, message) in points.reading.doubtful().into_iter().chain(recipes).chain(of_sizes) {
        fitted.warnings.push(Warning { code: code.into(), message });
        fitted.status = fitted.status.max(FitStatus::Remarks);
    }
    if request.forecaster && law.response() == Response::Loss && rank::of_size_and_data(&points.dataset) {
        // Too few runs for one: the law stands alone.
        let made = forecaster(&points.dataset, &|_, _| {}).ok();
        let doubts = points.reading.doubtful().into_iter();
        let doubts = doubts.map(|(code, message)| Warning { code: code.into(), message });
        fitted.forecaster = made.map(|mut made| {
            made.doubts.extend(doubts);
            Box::new(made)
        });
    }
    let residuals = request.residuals_by.as_deref();
    let residuals = residuals.map(|by| residuals_by(&fitted, &points.dataset, by, MOST_BINS)).transpose()?;
    let valley = request.valley.as_deref();
    let valley =
        valley.map(|of| valley::around(law.as_ref(), &fitted, &points.dataset, &request.options, of));
    let (law, data, options) = (law.as_ref(), &points.dataset, &request.options);
    let assumed = request.assumed.as_ref();
    let assumed = assumed.map(|assumed| assumed::curve(law, &fitted, data, options, assumed)).transpose()?;
    let left_out = request.leave_out.as_deref();
    let left_out =
        left_out.map(|variable| leave_out::each(law, &fitted, data, options, variable)).transpose()?;
    Ok(FitReport {
        assumed,
        left_out,
        floor: assumed::floor(law, &fitted, data),
        offsets,
        lack_of_fit: lack_of_fit(&fitted, &points.dataset)?,
        residuals,
        valley: valley.transpose()?,
        law: fitted,
        reading: points.reading,
    })
}

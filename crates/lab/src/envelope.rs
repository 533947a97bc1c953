//! The compute frontier under learning curves, and the laws along it.

use crate::error::LabError;
use crate::observations::{Observations, Points, Reading, TableRequest, Wanted};
use scalelaw_fit::isoflop::{LogLineFit, log_line};
use scalelaw_fit::laws::{KaplanNs, PowerFloor, PowerLaw};
use scalelaw_fit::{
    Curve, Dataset, Envelope, FitOptions, FittedLaw, IntervalChoice, envelope, fit, readings,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Which curves, and how the frontier is drawn.
#[derive(Clone, Debug)]
pub struct EnvelopeRequest {
    /// Learning curves: a row an evaluation.
    pub table: TableRequest,
    /// Tokens per update, where the table has only steps.
    pub batch_tokens: Option<f64>,
    /// How the frontier is drawn.
    pub kind: Envelope,
    /// Readings of the frontier per decade of cost that the laws are fitted to.
    pub per_decade: usize,
}

/// The frontier and its laws.
#[derive(Clone, Debug, Serialize)]
pub struct EnvelopeReport {
    /// Readings along the frontier.
    pub frontier: Vec<Place>,
    /// L(C) with and without an irreducible loss.
    pub laws: Vec<FittedLaw>,
    /// N_opt ∝ C^exponent along the frontier (approach 1).
    pub n_opt: Option<LogLineFit>,
    /// How the table was read.
    #[serde(skip)]
    pub reading: Reading,
}

/// A reading of the frontier.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// Training FLOPs.
    pub cost: f64,
    /// Loss, nats per token.
    pub loss: f64,
    /// Parameters of the run that is lowest there.
    pub n: f64,
    /// That run.
    pub run: String,
}

/// Draws the frontier and fits its laws.
///
/// # Errors
/// The table has no curves or no cost, or no law can be fitted along the frontier.
pub fn run(request: &EnvelopeRequest) -> Result<EnvelopeReport, LabError> {
    let observations = Observations::open(&request.table)?;
    let points = observations.points(&Wanted { beside: &["C", "D"], ..Wanted::law(&KaplanNs) })?;
    let data = &points.dataset;
    let n = points.variable("N")?;
    let cost = cost(request, &observations, &points)?;
    let run = observations.needed("run")?;
    let run = points.table.column(&run)?;
    let mut curves: BTreeMap<u32, Curve> = BTreeMap::new();
    let mut sizes: BTreeMap<u32, f64> = BTreeMap::new();
    for (i, group) in run.groups().into_iter().enumerate() {
        let curve = curves.entry(group).or_insert_with(|| Curve { run: run.text(i), points: vec![] });
        curve.points.push((cost[i], data.response()[i]));
        sizes.insert(group, n[i]);
    }
    let sizes: Vec<f64> = sizes.into_values().collect();
    let frontier = envelope(&curves.into_values().collect::<Vec<_>>(), request.kind)?;
    let read = readings(&frontier, request.per_decade);
    let costs: Vec<f64> = read.iter().map(|p| p.cost).collect();
    let mut along = Dataset::new(read.iter().map(|p| p.loss).collect())
        .with("C", costs.clone())
        .grouped(read.iter().map(|p| p.curve as u32).collect());
    along.conventions = data.conventions;
    along.digest.clone_from(&data.digest);
    let options = FitOptions { intervals: IntervalChoice::Profile, ..FitOptions::default() };
    let mut laws = vec![fit(&PowerLaw::C, &along, &options)?];
    laws.extend(fit(&PowerFloor::C, &along, &options).ok());
    let n: Vec<f64> = read.iter().map(|p| sizes[p.curve]).collect();
    let place = |p: &scalelaw_fit::FrontierPoint| Place {
        cost: p.cost,
        loss: p.loss,
        n: sizes[p.curve],
        run: p.run.clone(),
    };
    Ok(EnvelopeReport {
        n_opt: log_line(&costs, &n, &vec![1.0; n.len()]).ok(),
        frontier: read.iter().map(place).collect(),
        laws,
        reading: points.reading,
    })
}

/// FLOPs of each row: its C column, else 6·N·D, else 6·N·B·S.
fn cost(
    request: &EnvelopeRequest,
    observations: &Observations,
    points: &Points,
) -> Result<Vec<f64>, LabError> {
    let (n, s) = (points.variable("N")?, points.variable("S")?);
    if let Some(c) = observations.values("C", &points.table)? {
        Ok(c)
    } else if let Some(d) = observations.values("D", &points.table)? {
        Ok(n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect())
    } else if let Some(b) = request.batch_tokens {
        Ok(n.iter().zip(s).map(|(n, s)| 6.0 * n * b * s).collect())
    } else {
        Err(LabError::NoCost { table: observations.table.source.clone() })
    }
}

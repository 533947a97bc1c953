//! All the minima that a dense grid of starts leads to, not the first one met.

use crate::error::FitError;
use crate::minimise::{Limits, Optimum, polish_rounded, polish_within, refine_within, sharpen};
use crate::objective::Penalty;
use crate::problem::Problem;
use crate::starts;

/// How many starts are polished, and on how many points starts are screened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Starts polished to their local minimum: the best of the screened grid.
    pub polished: usize,
    /// Larger data sets are thinned to this many points while starts are screened and polished;
    /// the distinct minima are then polished again on all points.
    pub screening_points: usize,
    /// Steps of one walk at most: along a flat valley there may be no end, and no lower place either.
    pub steps: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { polished: 10, screening_points: 2000, steps: Limits::NONE.steps }
    }
}

impl Effort {
    /// The same with few steps a walk: enough for one that converges.
    pub(crate) fn hurried(self) -> Self {
        Self { steps: self.steps.min(FEW_STEPS), ..self }
    }
}

/// Steps of a walk that converges; most take a tenth of them.
const FEW_STEPS: usize = 100;
/// Evaluations of the objective after which starts get no more steps than that: the first ones led along valleys
/// without end.
const PATIENCE: usize = 5000;

/// Points on which the start grid is ranked.
pub(crate) const SCREENING: usize = 32;

/// Two starts whose places differ by less than this in every fitting coordinate (mostly logarithms) go on as one.
const SAME_PLACE: f64 = 1e-6;

/// How a start is walked down. A sharp penalty has corners with minima of their own: some starts walk round them,
/// some over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Rounded,
}

impl Style {
    fn of(penalty: Penalty, rank: usize) -> Self {
        match penalty {
            Penalty::LeastSquares => Self::Plain,
            Penalty::LeastAbsolute => Self::Rounded,
            Penalty::Huber { .. } | Penalty::Asymmetric { .. } if rank % 3 == 1 => Self::Rounded,
            Penalty::Huber { .. } | Penalty::Asymmetric { .. } => Self::Plain,
        }
    }

    fn approach(self, problem: &Problem<'_>, start: &[f64], limits: Limits) -> Vec<f64> {
        match self {
            Self::Plain => polish_within(problem, start, limits).theta,
            Self::Rounded => polish_rounded(problem, start, limits),
        }
    }

    fn walk(self, problem: &Problem<'_>, start: &[f64], limits: Limits) -> Optimum {
        self.arrive(problem, &self.approach(problem, start, limits), limits)
    }

    fn arrive(self, problem: &Problem<'_>, near: &[f64], limits: Limits) -> Optimum {
        match self {
            Self::Plain => polish_within(problem, near, limits),
            Self::Rounded => sharpen(problem, near, limits),
        }
    }
}

/// The better of two optima: the converged one, else the lower.
fn lower(a: Optimum, b: Optimum) -> Optimum {
    let evaluations = a.evaluations + b.evaluations;
    let worse = (b.converged, -b.value) < (a.converged, -a.value);
    Optimum { evaluations, ..if worse { a } else { b } }
}

/// A place that a start was walked to, and the minimum from there.
struct Way {
    style: Style,
    near: Vec<f64>,
    optimum: Optimum,
}

/// A minimum and how many polished starts led to it.
#[derive(Clone, Debug)]
pub(crate) struct Minimum {
    pub optimum: Optimum,
    pub residuals: Vec<f64>,
    pub agreeing: usize,
}

/// Distinct minima, best first.
#[derive(Clone, Debug)]
pub(crate) struct Minima {
    pub minima: Vec<Minimum>,
    /// Grid points whose objective was computed.
    pub screened: usize,
    /// Starts polished.
    pub tried: usize,
    /// The starts on the law's grid with their objective on a few points, best first.
    pub grid: Vec<(f64, Vec<f64>)>,
}

/// Finds the minima of `problem` from its law's grid, or from `starts` when given (natural parameters).
pub(crate) fn find(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    effort: Effort,
    starts: Option<&[Vec<f64>]>,
) -> Result<Minima, FitError> {
    let thinned;
    let small = if problem.data.len() > effort.screening_points {
        thinned = problem.data.thinned(effort.screening_points);
        Problem::new(problem.law, &thinned, problem.objective, fixed)
    } else {
        Problem::new(problem.law, problem.data, problem.objective, fixed)
    };
    // The grid is only ranked: a fraction of the points separates good starts from bad ones.
    let few = small.data.thinned(SCREENING.max(4 * problem.free.len()));
    let rough = Problem::new(problem.law, &few, problem.objective, fixed);
    let grid = starts.map_or_else(|| starts::grid(problem.law, &few, fixed), <[_]>::to_vec);
    let screened = grid.len();
    let mut scored: Vec<(f64, Vec<f64>)> = grid
        .iter()
        .map(|p| rough.to_internal(p))
        .map(|theta| (rough.objective_at(&theta), theta))
        .filter(|(value, _)| value.is_finite())
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let chosen = spread(&scored, effort.polished);
    let tried = chosen.len();
    let mut minima = Vec::new();
    let mut ways: Vec<Way> = Vec::new();
    let mut evaluations = 0;
    let mut limits = Limits::steps(effort.steps);
    for (rank, start) in chosen.iter().enumerate() {
        if evaluations > PATIENCE {
            limits = Limits::steps(effort.hurried().steps);
        }
        let style = Style::of(problem.objective.penalty, rank);
        // From the grid a start is walked on few points first, if that improves it on all of them too; a caller's
        // own starts are walked on all points.
        let far = if starts.is_some() { &small } else { &rough };
        let mut near = style.approach(far, start, limits);
        if small.objective_at(&near) > small.objective_at(start) {
            near = style.approach(&small, start, limits);
        }
        // Starts that reached the same place share the rest of the walk.
        let known = ways.iter().find(|w| w.style == style && widest_gap(&w.near, &near) <= SAME_PLACE);
        let optimum = known.map_or_else(
            || {
                let optimum = style.arrive(&small, &near, limits);
                // Screening points can mislead a start that would converge on all of them.
                if optimum.converged { optimum } else { lower(optimum, style.walk(&small, start, limits)) }
            },
            |w| w.optimum.clone(),
        );
        if known.is_none() {
            evaluations += optimum.evaluations;
            ways.push(Way { style, near, optimum: optimum.clone() });
        }
        collect(&mut minima, &small, optimum, 1);
    }
    if small.data.len() < problem.data.len() {
        let rough = std::mem::take(&mut minima);
        // Minima that are far worse on the thinned points are not polished again.
        let bar = rough.first().map_or(f64::INFINITY, |m| 1.5 * m.optimum.value);
        for m in rough.into_iter().filter(|m| m.optimum.value <= bar) {
            collect(&mut minima, problem, refine_within(problem, &m.optimum.theta, limits), m.agreeing);
        }
    }
    if minima.is_empty() {
        return Err(FitError::NoStart {
            law: problem.law.name().into(),
            tried: screened,
            positive_response: problem.data.y.iter().all(|y| *y > 0.0),
        });
    }
    let grid = if starts.is_some() { vec![] } else { scored };
    Ok(Minima { minima, screened, tried, grid })
}

/// Adds an optimum, or counts it for the minimum it agrees with: in its predictions and in its parameters. Where
/// the data do not separate two terms of a law, two answers predict alike.
pub(crate) fn collect(minima: &mut Vec<Minimum>, problem: &Problem<'_>, optimum: Optimum, agreeing: usize) {
    if !optimum.value.is_finite() {
        return;
    }
    let residuals = problem.residuals(&optimum.theta);
    let rms = (residuals.iter().map(|r| r * r).sum::<f64>() / residuals.len().max(1) as f64).sqrt();
    let same = |m: &&mut Minimum| {
        (m.optimum.value - optimum.value).abs() <= 1e-6 * optimum.value.abs() + 1e-24
            && widest_gap(&m.residuals, &residuals) <= 2e-3 * rms + 1e-9
            && !problem.apart(&m.optimum.theta, &optimum.theta)
    };
    if let Some(m) = minima.iter_mut().find(same) {
        m.agreeing += agreeing;
        if optimum.value < m.optimum.value {
            (m.optimum, m.residuals) = (optimum, residuals);
        }
    } else {
        minima.push(Minimum { optimum, residuals, agreeing });
    }
    minima.sort_by(|a, b| a.optimum.value.total_cmp(&b.optimum.value));
}

/// Largest difference of two residual vectors: of predictions, in the objective's space.
pub(crate) fn widest_gap(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// Two thirds of the places for the best starts, the rest spread evenly over the ranking,
/// so that a basin which starts badly is still seen.
fn spread(scored: &[(f64, Vec<f64>)], places: usize) -> Vec<Vec<f64>> {
    let total = scored.len();
    if total <= places {
        return scored.iter().map(|(_, theta)| theta.clone()).collect();
    }
    let best = places - places / 3;
    let rest = places - best;
    scored
        .iter()
        .enumerate()
        .filter(|(rank, _)| {
            *rank < best
                || (*rank - best) * rest / (total - best) != (*rank + 1 - best) * rest / (total - best)
        })
        .map(|(_, (_, theta))| theta.clone())
        .collect()
}

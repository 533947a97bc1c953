//! The numbers of the paper's figures: points read from curves, fitted lines over the range of their runs, published
//! slopes. Figures that show the runs as they are need nothing from here.

mod batches;
mod budgets;
mod constants;
mod curves;
mod data;
mod frontier;
mod power_laws;
mod shapes;

use super::claims::{Estimators, in_course, transfer_line, transfer_pairs};
use super::fits::Fits;
use super::runs::PaperRuns;
use scalelaw_fit::laws::PerPosition;
use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, fit, value};

pub use batches::{BatchScans, Contour, ToLoss};
pub use budgets::{Budgets, Cut, FrontierLine, StepsLine};
pub use constants::{BudgetRise, ConstantsStudy, Contradiction, WrongSizes, constants_only};
pub(super) use constants::{Trained, loss_of_run};
pub use curves::{LearningCurves, StepsCurve, Stop};
pub use data::{Excess, OverFitting};
pub use power_laws::{FittedLine, PowerLaws};
pub use shapes::{Shape, Shapes};

/// Places (x, y) in order of x.
pub type Places = Vec<(f64, f64)>;

/// A curve, and the N, D, loss or budget that it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its N, D, loss or budget.
    pub of: f64,
    /// Its places.
    pub points: Places,
}

/// One evaluation set beside the own test text (Figure 8).
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Name of the set.
    pub set: String,
    /// (loss on the own test text, loss on the set) of A's finished branches.
    pub pairs: Places,
    /// Slope of the second on the first; `None` where it could not be fitted.
    pub slope: Option<f64>,
    /// The same pairs of the largest trunk in training, after its warm-up.
    pub in_training: Option<Places>,
}

/// The loss along the context of one run: a + b·T^(−c) (Figure 20).
#[derive(Clone, Debug)]
pub struct ContextFit {
    /// The run.
    pub run_id: String,
    /// a, b and c.
    pub constants: [f64; 3],
    /// The fitted loss at each position.
    pub line: Places,
}

/// What the figures of a study show beside its runs.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Figures 1 and 23.
    pub power_laws: PowerLaws,
    /// Figures 2 and 4.
    pub curves: LearningCurves,
    /// Figure 3, with the exponents of these runs; `None` without an adjusted frontier.
    pub budget_rise: Option<BudgetRise>,
    /// Figure 5.
    pub shapes: Shapes,
    /// Figure 8.
    pub transfer: Vec<Transfer>,
    /// Figures 9 and 16.
    pub over_fitting: OverFitting,
    /// Figures 10, 18 and 19.
    pub batches: BatchScans,
    /// Figures 11, 13 and 14.
    pub budgets: Budgets,
    /// Figure 12, with the constants of these runs; `None` without L(N, S_min).
    pub wrong_size: Option<WrongSizes>,
    /// Figure 15, with the laws of these runs; `None` where one of them is not fitted.
    pub contradiction: Option<Contradiction>,
    /// Figure 20, for the longest runs of A that logged positions.
    pub context: Vec<ContextFit>,
}

/// What the numbers of a figure are worked out from.
struct View<'a> {
    runs: &'a PaperRuns,
    fits: &'a Fits,
    estimators: &'a Estimators,
}

impl Figures {
    /// Works out every figure.
    pub fn new(runs: &PaperRuns, fits: &Fits, estimators: &Estimators) -> Self {
        let view = View { runs, fits, estimators };
        Self {
            power_laws: PowerLaws::new(&view),
            curves: LearningCurves::new(&view),
            budget_rise: frontier::budget_rise(fits),
            shapes: Shapes::new(&view),
            transfer: transfer(&view),
            over_fitting: OverFitting::new(&view),
            batches: BatchScans::new(&view),
            budgets: Budgets::new(&view),
            wrong_size: fits.constants().map(|k| WrongSizes::new(&k)),
            contradiction: frontier::contradiction(fits),
            context: context(runs),
        }
    }
}

fn transfer(view: &View<'_>) -> Vec<Transfer> {
    let branches = view.runs.branches();
    let skip = view.estimators.chain.skip_steps;
    let trunks = view.runs.trunks();
    let of_set = |set: String| {
        let pairs = transfer_pairs(&branches, &set);
        let slope = transfer_line(&pairs).ok().map(|law| law.param("b").unwrap_or(f64::NAN));
        let in_training = trunks.last().map(|largest| {
            let course = in_course(largest, &set).into_iter().filter(|(step, ..)| *step >= skip);
            course.map(|(_, own, other)| (own, other)).collect()
        });
        Transfer { set, pairs: pairs.iter().map(|p| (p.0, p.1)).collect(), slope, in_training }
    };
    view.runs.evalsets().into_iter().map(of_set).collect()
}

fn context(runs: &PaperRuns) -> Vec<ContextFit> {
    let fitted = |run: &super::PaperRun| {
        let points = run.along_context();
        if points.len() < 4 {
            return None;
        }
        let data = Dataset::new(points.iter().map(|p| p.1).collect())
            .with("T", points.iter().map(|p| p.0).collect());
        let options = FitOptions { intervals: IntervalChoice::None, ..FitOptions::default() };
        let law = fit(&PerPosition, &data, &options).ok()?;
        let p = law.values();
        let line = points.iter().map(|(t, _)| (*t, value(&PerPosition, &[*t], &p))).collect();
        let constants = ["a", "b", "c"].map(|name| law.param(name).unwrap_or(f64::NAN));
        Some(ContextFit { run_id: run.row.run_id.clone(), constants, line })
    };
    runs.longest().into_iter().filter_map(fitted).collect()
}

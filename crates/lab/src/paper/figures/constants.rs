//! What the published constants alone give: Figures 3, 4, 9, 11, 12 and 15.

use super::{Line, Places};
use crate::lines::log_spaced;
use crate::paper::published::{BATCH, SIZES, SUBSETS, loss_c_min, loss_d, loss_n_d};
use crate::paper::worked::Worked;
use scalelaw_core::PF_DAY;
use scalelaw_fit::plan::batch::steps_min;
use scalelaw_fit::plan::contradiction::{Claims, Crossing, sensitivity};
use scalelaw_fit::plan::{WrongSize, overfit};
use scalelaw_fit::presets::kaplan2020::{self, L_N_D, N_OPT, STEPS, TRAINING};
use scalelaw_fit::presets::{KaplanConstants, Monomial};

/// Everything that follows from the published constants.
#[derive(Clone, Debug)]
pub struct ConstantsStudy {
    /// Figure 3.
    pub budget_rise: BudgetRise,
    /// Figure 4, left: equation 1.5 against D, one line an N.
    pub loss_by_data: Vec<Line>,
    /// Figure 4, right: equation 1.6 against S_min, one line an N.
    pub learning: Vec<Line>,
    /// Figure 9, left: equation 1.5 against N, one line a D.
    pub loss_by_size: Vec<Line>,
    /// Figure 9, right: equation 4.3 against N^(α_N/α_D)/D.
    pub excess: Places,
    /// Figure 11, left: loss against N, one line a budget in PF-days.
    pub fixed_compute: Vec<Line>,
    /// Figure 11, right: loss against N, one line a number of updates.
    pub fixed_steps: Vec<Line>,
    /// Figure 12.
    pub wrong_size: WrongSizes,
    /// Figure 15.
    pub contradiction: Contradiction,
    /// The numbers of the tables.
    pub worked: Worked,
}

/// Works out every figure that follows from the published constants.
pub fn constants_only() -> ConstantsStudy {
    let k = TRAINING;
    let exponents = [STEPS, kaplan2020::BATCH, N_OPT].map(|optimum| optimum.c);
    let lines = |of: &[f64], points: &dyn Fn(f64) -> Places| -> Vec<Line> {
        of.iter().map(|of| Line { of: *of, points: points(*of) }).collect()
    };
    let finite = |n: f64, steps: f64| Some((n, loss_of_run(&k, n, steps, RUN))).filter(|p| p.1.is_finite());
    let budgets: Vec<f64> = (-5..=0).map(|exponent| libm::exp10(f64::from(exponent))).collect();
    let steps: Vec<f64> = log_spaced(1e4, 1e5, 5).collect();
    ConstantsStudy {
        budget_rise: BudgetRise::new(exponents),
        loss_by_data: lines(&SIZES, &|n| log_spaced(1e7, 3e10, 60).map(|d| (d, loss_n_d(n, d))).collect()),
        learning: lines(&SIZES, &|n| log_spaced(2e3, 1.7e5, 60).map(|s| (s, k.loss(n, s))).collect()),
        loss_by_size: lines(&SUBSETS, &|d| log_spaced(1e5, 2e9, 60).map(|n| (n, loss_n_d(n, d))).collect()),
        excess: excess(),
        fixed_compute: lines(&budgets, &|c| {
            log_spaced(1e4, 1e9, 90).filter_map(|n| finite(n, c * PF_DAY / (6.0 * n * BATCH))).collect()
        }),
        fixed_steps: lines(&steps, &|s| log_spaced(1e6, 1e9, 60).filter_map(|n| finite(n, s)).collect()),
        wrong_size: WrongSizes::new(&k),
        contradiction: contradiction(),
        worked: Worked::new(),
    }
}

/// N^(α_N/α_D)/D is all that the excess depends on: one N stands for every N.
fn excess() -> Places {
    let ratio = L_N_D.alpha_n / L_N_D.alpha_d;
    let n = 1e8;
    let at = |x: f64| (x, overfit(&loss_n_d, n, libm::pow(n, ratio) / x));
    log_spaced(1e-4, 1e-1, 60).map(at).collect()
}

/// Where a billion times more compute goes: the rise divided by exponents of S, B and N, stacked as factors (Figure 3).
#[derive(Clone, Debug)]
pub struct BudgetRise {
    /// Exponents of C_min of steps, batch and model size.
    pub exponents: [f64; 3],
    /// By what each of them grows over the whole rise.
    pub factors: [f64; 3],
    /// PF-days, and the factors of steps, of steps and batch, of all three.
    pub places: Vec<(f64, [f64; 3])>,
}

impl BudgetRise {
    /// PF-days where the rise begins.
    pub const START: f64 = 1e-8;
    /// By how much compute rises.
    pub const RISE: f64 = 1e9;

    /// Divides the rise by exponents of steps, batch and model size.
    pub fn new(exponents: [f64; 3]) -> Self {
        let stacked = |pf_days: f64| {
            let rise = |exponent: f64| libm::pow(pf_days / Self::START, exponent);
            let s = rise(exponents[0]);
            let b = s * rise(exponents[1]);
            (pf_days, [s, b, b * rise(exponents[2])])
        };
        Self {
            exponents,
            factors: exponents.map(|exponent| libm::pow(Self::RISE, exponent)),
            places: log_spaced(Self::START, Self::START * Self::RISE, 46).map(stacked).collect(),
        }
    }
}

/// What a model beside the optimal size costs (Figure 12): equations B.16 and B.17.
#[derive(Clone, Debug)]
pub struct WrongSizes {
    /// Sizes from the smallest that reaches the loss to 20 times the optimal one.
    pub curve: Vec<WrongSize>,
    /// Share of the optimal size below which the loss is never reached.
    pub smallest: f64,
    /// The sizes that 20% more compute pays for.
    pub for_a_fifth: Option<[f64; 2]>,
}

impl WrongSizes {
    /// Sizes by the constants of L(N, S_min).
    pub fn new(k: &KaplanConstants) -> Self {
        let smallest = k.smallest_size();
        Self {
            curve: log_spaced(smallest * 1.001, 20.0, 200).filter_map(|x| k.wrong_size(x)).collect(),
            smallest,
            for_a_fifth: k.sizes_costing(1.2),
        }
    }
}

/// Where L(C_min) falls below what its own data allow (Figure 15).
#[derive(Clone, Debug)]
pub struct Contradiction {
    /// The constants.
    pub claims: Claims,
    /// L(C_min) against PF-days.
    pub compute: Places,
    /// L(D) of the data that efficient training uses, against PF-days.
    pub data: Places,
    /// Exponent of the second in compute.
    pub slope: f64,
    /// Where the two cross, once for each variant of the constants.
    pub crossings: Vec<Crossing>,
}

impl Contradiction {
    /// Both lines from `lo` to `hi` PF-days; `tokens` are those of efficient training.
    pub(super) fn new(
        claims: &Claims,
        (lo, hi): (f64, f64),
        tokens: impl Fn(f64) -> f64,
        crossings: Vec<Crossing>,
    ) -> Self {
        let places = || log_spaced(lo, hi, 60);
        Self {
            claims: claims.clone(),
            compute: places().map(|c| (c, loss_c_min(c, claims.c_c, claims.alpha_c))).collect(),
            data: places().map(|c| (c, loss_d(tokens(c), claims.d_c, claims.alpha_d))).collect(),
            slope: claims.p * claims.alpha_d,
            crossings,
        }
    }
}

fn contradiction() -> Contradiction {
    let claims = Claims::paper();
    let tokens = |c: f64| Monomial::of_pf_days(claims.d_0, claims.p).at(1.0, 1.0, c * PF_DAY);
    Contradiction::new(&claims, (1e-8, 1e7), tokens, sensitivity())
}

/// How a run is trained and what it can say without training.
#[derive(Clone, Copy)]
pub(in crate::paper) struct Trained {
    /// Tokens an update.
    pub batch: f64,
    /// Vocabulary: a model that knows nothing has the loss of guessing one of it.
    pub vocabulary: f64,
}

const RUN: Trained = Trained { batch: BATCH, vocabulary: 50_257.0 };

/// L of a run of so many updates: L = L(N, S_min) with S_min = S/(1 + B_crit(L)/B). The right side
/// falls as L rises, so halving finds the one solution. NaN for less than one update or a loss above guessing.
pub(in crate::paper) fn loss_of_run(constants: &KaplanConstants, n: f64, steps: f64, run: Trained) -> f64 {
    if steps < 1.0 {
        return f64::NAN;
    }
    let guessing = libm::log(run.vocabulary);
    let excess = |l: f64| l - constants.loss(n, steps_min(steps, run.batch, constants.b_crit(l)));
    if excess(guessing) < 0.0 {
        return f64::NAN;
    }
    let (mut lo, mut hi) = (constants.converged(n), guessing);
    for _ in 0..80 {
        let middle = (lo + hi) / 2.0;
        if excess(middle) < 0.0 { lo = middle } else { hi = middle }
    }
    (lo + hi) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_of_the_paper_s_full_run_has_its_s_min() {
        // Reference sheet: S = 2.5e5 at L ≈ 2.45 is S_min ≈ 3.8e4.
        let constants = TRAINING;
        let l = loss_of_run(&constants, 708e6, 2.5e5, RUN);
        let s = steps_min(2.5e5, BATCH, constants.b_crit(l));
        assert!((l - 2.45).abs() < 0.1, "{l}");
        assert!((s / 3.8e4 - 1.0).abs() < 0.15, "{s}");
    }

    #[test]
    fn loss_without_an_update_or_above_guessing_is_none() {
        let constants = TRAINING;
        assert!(loss_of_run(&constants, 1e6, 0.5, RUN).is_nan());
        assert!(loss_of_run(&constants, 768.0, 1.0, RUN).is_nan());
    }
}

//! One walk down the chain, every trunk weighted: called once for the values and once for each resample.

use super::curve::Curve;
use super::frontier::{Best, Costed, frontier, line};
use super::scan;
use super::{ChainOptions, GridRun};
use crate::error::FitError;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::law::{Law, value};
use crate::laws::{CriticalBatch, KaplanNd, KaplanNs};
use crate::plan::batch::{compute_min, steps_min};
use crate::presets::KaplanConstants;
use crate::{Dataset, Effort};
use scalelaw_core::PF_DAY;
use serde::{Deserialize, Serialize};

/// A part of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// B_crit(L): Table 5, equation 1.4.
    CriticalBatch,
    /// L(N, S_min): Table 3.
    StepsLaw,
    /// L(C) and N_opt at the batch used: Table 5, Figure 14.
    NaiveFrontier,
    /// L(C_min) and N, B, S, D of C_min: Tables 5 and 6.
    AdjustedFrontier,
    /// What equations 1.7, 1.8 and B.5 make of Table 3 and B_crit(L).
    Predicted,
    /// L(N, D): Table 2.
    DataLaw,
}

/// Constants of a section by the paper's symbols, or why there are none.
pub(super) type Outcome = Result<Constants, Refusal>;

/// Where the values of a constant can lie: what its interval is widened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// Above 0: a scale, or an exponent of a law. Widened by factors.
    Positive,
    /// Anywhere: an exponent of a frontier. Widened by differences.
    Any,
}

/// A constant by the paper's symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub name: &'static str,
    pub value: f64,
    pub range: Range,
}

fn positive(name: &'static str, value: f64) -> Named {
    Named { name, value, range: Range::Positive }
}

fn exponent(name: &'static str, value: f64) -> Named {
    Named { name, value, range: Range::Any }
}

/// Constants of a section.
#[derive(Clone, Debug)]
pub(super) struct Constants(pub Vec<Named>);

impl Constants {
    /// # Panics
    /// No constant has this name: sections name their own.
    pub fn get(&self, name: &str) -> f64 {
        self.0.iter().find(|c| c.name == name).expect("a section has the constants that its law names").value
    }

    /// Values of a law by the names of its parameters.
    fn of(law: &dyn Law, values: Vec<f64>, names: &[&'static str]) -> Self {
        let at = |name: &str| law.params().iter().position(|p| p.name == *name);
        Self(names.iter().filter_map(|name| Some(positive(name, values[at(name)?]))).collect())
    }
}

/// Why a section of the chain has no constants.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no model was trained at two batch sizes or more")]
    NoScan,
    #[error("{got} of {levels} loss levels give a critical batch; 3 are needed")]
    TooFewLevels { got: usize, levels: usize },
    #[error("{sizes} model sizes; 3 are needed")]
    TooFewSizes { sizes: usize },
    #[error("{sizes} model sizes at a batch of {batch:.3e} tokens; 3 are needed")]
    TooFewSizesAtBatch { sizes: usize, batch: f64 },
    #[error("the grid has {sizes} sizes and {amounts} amounts of data; 3 of each are needed")]
    SmallGrid { sizes: usize, amounts: usize },
    #[error("no curve")]
    NoCurve,
    #[error("C_min needs B_crit(L)")]
    NeedsCriticalBatch,
    #[error("needs both B_crit(L) and L(N, S_min)")]
    NeedsBoth,
    #[error(
        "the curves cross too little: {places} places where the best size lies between two others, spanning a factor of \
         {span:.1} in N; run smaller models longer and larger ones too"
    )]
    FewCrossings { places: usize, span: f64 },
    #[error("the frontier has no extent")]
    NoExtent,
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// Everything one walk gives.
pub(super) struct Estimate {
    pub levels: Vec<scan::Level>,
    pub frontiers: Vec<(Section, Vec<Best>)>,
    pub sections: Vec<(Section, Outcome)>,
}

/// The input of a walk, prepared once.
pub(super) struct Prepared<'a> {
    pub curves: Vec<Curve>,
    pub scans: Vec<Vec<usize>>,
    /// (scan, ln loss) of every level.
    pub levels: Vec<(usize, f64)>,
    pub grid: &'a [GridRun],
    pub options: &'a ChainOptions,
}

/// Values to start refits from.
#[derive(Default)]
pub(super) struct Starts {
    pub steps_law: Option<Vec<f64>>,
    pub data_law: Option<Vec<f64>>,
}

impl Prepared<'_> {
    pub fn estimate(&self, weights: &[f64], grid_weights: &[f64], starts: &Starts) -> Estimate {
        let (levels, information): (Vec<scan::Level>, Vec<f64>) = self
            .levels
            .iter()
            .map(|(s, ln_loss)| scan::level(&self.curves, &self.scans[*s], *ln_loss, weights))
            .unzip();
        let critical = self.critical(&levels, &information);
        let b_crit = critical.as_ref().ok().map(|c| [c.get("B_star"), c.get("alpha_B")]);
        let steps_law = self.steps_law(weights, b_crit, starts);
        let predicted = match (&critical, &steps_law) {
            (Ok(b), Ok(s)) => Ok(predicted(b, s)),
            _ => Err(Refusal::NeedsBoth),
        };
        let naive = self.places(weights, None);
        let adjusted = match b_crit {
            Some(b) => self.places(weights, Some(b)),
            None => Err(Refusal::NeedsCriticalBatch),
        };
        let sections = vec![
            (Section::NaiveFrontier, self.frontier(&naive, None)),
            (Section::AdjustedFrontier, self.frontier(&adjusted, b_crit)),
            (Section::Predicted, predicted),
            (Section::DataLaw, self.data_law(grid_weights, starts)),
            (Section::StepsLaw, steps_law),
            (Section::CriticalBatch, critical),
        ];
        let frontiers = vec![
            (Section::NaiveFrontier, naive.unwrap_or_default()),
            (Section::AdjustedFrontier, adjusted.unwrap_or_default()),
        ];
        Estimate { levels, frontiers, sections }
    }

    fn critical(&self, levels: &[scan::Level], information: &[f64]) -> Outcome {
        let used: Vec<((f64, f64), f64)> =
            levels.iter().zip(information).filter_map(|(l, w)| Some(((l.loss, l.b_crit?), *w))).collect();
        if self.scans.is_empty() {
            return Err(Refusal::NoScan);
        }
        if used.len() < 3 {
            return Err(Refusal::TooFewLevels { got: used.len(), levels: levels.len() });
        }
        let (points, weights): (Vec<(f64, f64)>, Vec<f64>) = used.into_iter().unzip();
        let (loss, batch) = points.into_iter().unzip();
        let data = Dataset::new(batch).with("L", loss).weighted(weights);
        let fitted = quick(&CriticalBatch, &data, None)?;
        Ok(Constants::of(&CriticalBatch, fitted, &["B_star", "alpha_B"]))
    }

    /// S and B to S_min: S itself where B_crit(L) is not known.
    fn steps_law(&self, weights: &[f64], b_crit: Option<[f64; 2]>, starts: &Starts) -> Outcome {
        let sizes = distinct(self.curves.iter().map(|c| c.n));
        if sizes < 3 {
            return Err(Refusal::TooFewSizes { sizes });
        }
        let (mut n, mut s, mut loss, mut weight) = (vec![], vec![], vec![], vec![]);
        for (curve, w) in self.curves.iter().zip(weights) {
            let points = curve.sampled(self.options.points_per_curve);
            let each = w / points.len() as f64;
            for (ln_step, ln_loss) in points {
                let (step, l) = (libm::exp(ln_step), libm::exp(ln_loss));
                n.push(curve.n);
                s.push(
                    b_crit.map_or(step, |b| steps_min(step, curve.batch, value(&CriticalBatch, &[l], &b))),
                );
                loss.push(l);
                weight.push(each);
            }
        }
        let data = Dataset::new(loss).with("N", n).with("S", s).weighted(weight);
        let p = quick(&KaplanNs, &data, starts.steps_law.as_ref())?;
        Ok(Constants::of(&KaplanNs, p, &["N_c", "S_c", "alpha_N", "alpha_S"]))
    }

    fn data_law(&self, weights: &[f64], starts: &Starts) -> Outcome {
        let (sizes, amounts) =
            (distinct(self.grid.iter().map(|g| g.n)), distinct(self.grid.iter().map(|g| g.d)));
        if sizes < 3 || amounts < 3 {
            return Err(Refusal::SmallGrid { sizes, amounts });
        }
        let column = |f: fn(&GridRun) -> f64| self.grid.iter().map(f).collect::<Vec<f64>>();
        let data = Dataset::new(column(|g| g.loss))
            .with("N", column(|g| g.n))
            .with("D", column(|g| g.d))
            .weighted(weights.to_vec());
        let p = quick(&KaplanNd, &data, starts.data_law.as_ref())?;
        Ok(Constants::of(&KaplanNd, p, &["N_c", "D_c", "alpha_N", "alpha_D"]))
    }

    /// The frontier of the curves at the batch most of them share, in C or adjusted to C_min.
    fn places(&self, weights: &[f64], b_crit: Option<[f64; 2]>) -> Result<Vec<Best>, Refusal> {
        let Some(batch) = self.usual_batch() else { return Err(Refusal::NoCurve) };
        let costed: Vec<Costed> = self
            .curves
            .iter()
            .zip(weights)
            .filter(|(c, _)| b_crit.is_some() || (c.batch / batch - 1.0).abs() < 1e-6)
            .map(|(c, weight)| {
                let cost = |(ln_step, ln_loss): (f64, f64)| {
                    let flops = 6.0 * c.n * c.batch * libm::exp(ln_step);
                    let adjusted = b_crit.map_or(flops, |b| {
                        compute_min(flops, c.batch, value(&CriticalBatch, &[libm::exp(ln_loss)], &b))
                    });
                    (libm::log(adjusted), ln_loss)
                };
                let mut points: Vec<(f64, f64)> = c.smooth.iter().copied().map(cost).collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                points.dedup_by(|a, b| a.0 == b.0);
                Costed { n: c.n, weight: *weight, points }
            })
            .collect();
        let sizes = distinct(costed.iter().map(|c| c.n));
        if sizes < 3 {
            return Err(Refusal::TooFewSizesAtBatch { sizes, batch });
        }
        let best = frontier(&costed);
        let span = best
            .iter()
            .map(|b| b.ln_n)
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[lo, hi], v| [lo.min(v), hi.max(v)]);
        // Less than a factor of three in N and the slope is the ladder's, not the frontier's.
        if best.len() < 4 || span[1] - span[0] < libm::log(3.0) {
            let factor = if best.is_empty() { 1.0 } else { libm::exp(span[1] - span[0]) };
            return Err(Refusal::FewCrossings { places: best.len(), span: factor });
        }
        Ok(best)
    }

    /// Power laws along the places of a frontier.
    fn frontier(&self, places: &Result<Vec<Best>, Refusal>, b_crit: Option<[f64; 2]>) -> Outcome {
        let best = places.as_ref().map_err(Refusal::clone)?;
        let ln_pfd = libm::log(PF_DAY);
        let of = |y: &dyn Fn(&Best) -> f64| {
            line(best.iter().map(|b| (b.ln_cost - ln_pfd, y(b), b.weight))).ok_or(Refusal::NoExtent)
        };
        let (loss_0, slope) = of(&|b| b.ln_loss)?;
        let (n_0, p_n) = of(&|b| b.ln_n)?;
        let scale = libm::exp(-loss_0 / slope);
        let Some(b) = b_crit else {
            let n_e = libm::exp(n_0);
            return Ok(Constants(vec![
                positive("alpha_C", -slope),
                positive("C_c", scale),
                exponent("p_N", p_n),
                positive("N_e", n_e),
            ]));
        };
        let ln_b = |best: &Best| libm::log(value(&CriticalBatch, &[libm::exp(best.ln_loss)], &b));
        let six = libm::log(6.0);
        let (b_0, p_b) = of(&ln_b)?;
        let (s_0, p_s) = of(&|best| best.ln_cost - six - best.ln_n - ln_b(best))?;
        // Equation 6.7: a run at the critical batch sees 2·C_min/6N tokens.
        let (d_0, p_d) = of(&|best| libm::log(2.0) + best.ln_cost - six - best.ln_n)?;
        Ok(Constants(vec![
            positive("alpha_C_min", -slope),
            positive("C_c_min", scale),
            exponent("p_N", p_n),
            positive("N_e", libm::exp(n_0)),
            exponent("p_B", p_b),
            positive("B_e", libm::exp(b_0)),
            exponent("p_S", p_s),
            positive("S_e", libm::exp(s_0)),
            exponent("p_D", p_d),
            positive("D_e", libm::exp(d_0)),
        ]))
    }

    fn usual_batch(&self) -> Option<f64> {
        let sizes_at = |batch: f64| distinct(self.curves.iter().filter(|c| c.batch == batch).map(|c| c.n));
        self.curves
            .iter()
            .map(|c| c.batch)
            .max_by(|a, b| sizes_at(*a).cmp(&sizes_at(*b)).then(b.total_cmp(a)))
    }
}

fn predicted(b: &Constants, s: &Constants) -> Constants {
    let k = KaplanConstants {
        n_c: s.get("N_c"),
        s_c: s.get("S_c"),
        alpha_n: s.get("alpha_N"),
        alpha_s: s.get("alpha_S"),
        b_star: b.get("B_star"),
        alpha_b: b.get("alpha_B"),
    };
    let alpha_c = k.alpha_c();
    Constants(vec![
        positive("alpha_C_min", alpha_c),
        positive("C_c_min", k.c_c() / PF_DAY),
        exponent("p_N", alpha_c / k.alpha_n),
        exponent("p_B", alpha_c / k.alpha_b),
        exponent("p_S", alpha_c / k.alpha_s),
        exponent("p_D", alpha_c / k.alpha_b + alpha_c / k.alpha_s),
        positive("f", k.efficient_f()),
    ])
}

fn distinct(values: impl Iterator<Item = f64>) -> usize {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup_by(|a, b| (*a / *b - 1.0).abs() < 1e-6);
    values.len()
}

/// The minimum only: from `start` when there is one, else from the law's grid.
fn quick(law: &dyn Law, data: &Dataset, start: Option<&Vec<f64>>) -> Result<Vec<f64>, FitError> {
    let options = FitOptions {
        intervals: IntervalChoice::None,
        starts: start.map(|s| vec![s.clone()]),
        effort: Effort { polished: 4, ..Effort::default() },
        ..FitOptions::default()
    };
    fit(law, data, &options).map(|f| f.values())
}

//! The 24 figures of the paper from the runs of a study, with what was published beside it.

mod analytic;
mod batches;
mod budgets;
mod curves;
mod data;
mod lstm;
mod parts;
mod positions;
mod power_laws;
mod recurrent;
mod schedules;
mod shapes;
mod sizes;
mod transfer;

use super::claims::Estimators;
use super::fits::Fits;
use super::runs::{PaperRuns, RunSet};
use crate::figure::Figure;

/// What figures are drawn from.
pub(super) struct Study<'a> {
    pub runs: &'a PaperRuns,
    pub fits: &'a Fits,
    pub estimators: &'a Estimators,
}

/// Figures 1 to 24.
pub(super) fn all(study: &Study<'_>) -> Vec<Figure> {
    vec![
        power_laws::figure_1(study),
        curves::figure_2(study),
        analytic::figure_3(study),
        curves::figure_4(study),
        shapes::figure_5(study),
        sizes::figure_6(study),
        lstm::figure_7(study),
        transfer::figure_8(study),
        data::figure_9(study),
        batches::figure_10(study),
        budgets::figure_11(study),
        analytic::figure_12(study),
        budgets::figure_13(study),
        budgets::figure_14(study),
        analytic::figure_15(study),
        data::figure_16(study),
        recurrent::figure_17(study),
        batches::figure_18(study),
        batches::figure_19(study),
        positions::figure_20(study),
        positions::figure_21(study),
        schedules::figure_22(study),
        power_laws::figure_23(study),
        transfer::figure_24(study),
    ]
}

impl Study<'_> {
    /// The same for figures in S_min or C_min, after where they can be trusted.
    fn adjusted(&self, sets: &[RunSet]) -> String {
        self.fits.measured_range() + &self.missing(sets)
    }

    /// What is not finished of the sets that a figure is made of, as the end of its caption.
    fn missing(&self, sets: &[RunSet]) -> String {
        let wanted = |set: &RunSet| self.runs.missing.iter().find(|m| m.set == *set);
        sets.iter().filter_map(wanted).map(|m| format!(" {}", m.sentence())).collect()
    }
}

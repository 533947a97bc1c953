//! The 24 figures of the paper from the runs of a study, with what was published beside it.

mod analytic;
mod batches;
mod budgets;
mod curves;
mod data;
mod lstm;
mod positions;
mod power_laws;
mod recurrent;
mod schedules;
mod shapes;
mod sizes;
mod transfer;

use super::missing_sentence;
use crate::figure::Figure;
use scalelaw_lab::paper::{PaperStudy, RunSet};

/// Figures 1 to 24.
pub(super) fn all(study: &PaperStudy) -> Vec<Figure> {
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

/// What is not finished of the sets that a figure is made of, as the end of its caption.
fn missing(study: &PaperStudy, sets: &[RunSet]) -> String {
    let wanted = |set: &RunSet| study.runs.missing.iter().find(|m| m.set == *set);
    sets.iter().filter_map(wanted).map(|m| format!(" {}", missing_sentence(m))).collect()
}

/// The same for figures in S_min or C_min, after where they can be trusted.
fn adjusted(study: &PaperStudy, sets: &[RunSet]) -> String {
    let range = study.fits.measured_losses().map_or_else(String::new, |(lo, hi)| {
        format!(
            " B_{{crit}}(L) was measured for losses of {lo:.2} to {hi:.2}; outside S_{{min}} and C_{{min}} rest on its \
             continuation."
        )
    });
    range + &missing(study, sets)
}

//! The figures of a study, one file each.

mod joint;
mod learning_curves;
mod next_run;
mod parts;
mod power_laws;
mod residuals;

use crate::figure::Figure;
use scalelaw_lab::study::Study;

/// All figures that the study has numbers for, in the order of the page.
pub fn all(study: &Study) -> Vec<Figure> {
    [
        power_laws::figure(study),
        learning_curves::figure(study),
        joint::figure(study),
        next_run::figure(study),
        residuals::figure(study),
    ]
    .into_iter()
    .flatten()
    .collect()
}

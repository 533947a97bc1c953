//! The notes of a study in words.

use crate::study::symbols::symbols;
use scalelaw_core::units::Conventions;
use scalelaw_lab::study::Note;

pub(super) fn sentence(note: &Note, conventions: &Conventions) -> String {
    match note {
        Note::HeadShare(smallest, largest) => format!(
            "N is {}, C is {}, D is {}. At this scale the convention decides the answer: the head takes {:.0}% of \
             the smallest model's FLOPs and {:.0}% of the largest's.",
            conventions.params,
            conventions.flops,
            conventions.data,
            100.0 * smallest,
            100.0 * largest
        ),
        Note::Exponent { name, convention, value, interval } => {
            let interval = interval.map_or(String::new(), |(l, h)| format!(" ({l:.4} to {h:.4})"));
            format!("{} over {convention}: {value:.4}{interval}.", symbols(name))
        }
        Note::Repeats(times) => format!(
            "The text is short: a full run sees it {times:.1} times, so the larger models' losses are a \
             little higher than on fresh text."
        ),
        Note::NotFitted { law, reason } => format!("{law} could not be fitted: {reason}."),
        Note::NoPlan(reason) => format!("No plan: {reason}."),
        Note::BelowFloor { loss, floor } => format!(
            "The loss predicted for the next run, {loss:.3}, is below the true source's {floor:.3}: a power law has no \
             floor, and this text has one that near."
        ),
        Note::Failed { run, reason } => format!("Run {run} failed: {reason}."),
        Note::MadeUp => "Every number on this page is made up: it shows the layout and no result.".into(),
    }
}

//! LitGPT: `Epoch 1 | iter 64 step 4 | loss train: 9.876, val: n/a | iter time: … (step)` and
//! `iter 64: val loss 9.8, val time: …`. An iteration is a micro-batch; a line with `(step)` says how many make an update.

use super::Printer;
use super::scan::{behind, line_of, number, number_behind, whole};
use crate::import::history::History;

#[derive(Default)]
pub(super) struct Lines {
    /// Micro-batches of an update.
    micro_batches: Option<u64>,
    /// Validation losses by iteration.
    validation: Vec<(u64, f64)>,
}

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        if let Some((iteration, rest)) = line_of(line, "iter")
            && let Some(loss) = rest.strip_prefix(": val loss ").and_then(number)
        {
            self.validation.push((iteration, loss));
            self.place(history);
            return true;
        }
        let Some((iteration, rest)) = behind(line, "| iter ").and_then(whole) else { return false };
        let Some((step, rest)) = rest.strip_prefix(" step ").and_then(whole) else { return false };
        let Some(loss) = number_behind(rest, "loss train:") else { return false };
        history.push(step, "train loss", loss);
        if rest.contains("(step)") && step > 0 && iteration.is_multiple_of(step) {
            self.micro_batches = Some(iteration / step);
        }
        self.place(history);
        true
    }

    fn end(&mut self, history: &mut History) -> Option<String> {
        self.place(history);
        (!self.validation.is_empty()).then(|| {
            format!(
                "{} validation losses are of iterations, and no line with (step) says how many iterations make an \
                 update: not used",
                self.validation.len()
            )
        })
    }
}

impl Lines {
    /// Logs the validation losses that are waiting, once it is known of which updates they are.
    fn place(&mut self, history: &mut History) {
        let Some(micro_batches) = self.micro_batches else { return };
        for (iteration, loss) in self.validation.drain(..) {
            history.push(iteration / micro_batches, "val loss", loss);
        }
    }
}

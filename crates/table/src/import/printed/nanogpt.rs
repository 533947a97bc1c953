//! nanoGPT's `train.py`: `step 100: train loss 4.1, val loss 4.2` and `iter 100: loss 4.1, time 120.1ms, mfu 30.1%`.

use super::Printer;
use super::scan::{behind, line_of, number, number_behind};
use crate::import::history::History;

#[derive(Default)]
pub(super) struct Lines {
    /// Of `tokens per iteration will be: 491,520`.
    batch_tokens: Option<f64>,
}

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        if let Some(batch) = behind(line, "tokens per iteration will be:") {
            self.batch_tokens = batch.trim().replace(',', "").parse().ok();
            return self.batch_tokens.is_some();
        }
        let (step, values) = if let Some((step, rest)) = line_of(line, "step") {
            let losses = [
                ("train loss", number_behind(rest, "train loss")),
                ("val loss", number_behind(rest, "val loss")),
            ];
            (step, losses.to_vec())
        } else if let Some((step, rest)) = line_of(line, "iter") {
            let loss =
                rest.strip_prefix(':').and_then(|rest| number(rest.trim_start().strip_prefix("loss ")?));
            (step, vec![("loss", loss), ("lr", loss.and_then(|_| number_behind(rest, ", lr ")))])
        } else {
            return false;
        };
        let mut any = false;
        for (metric, value) in values {
            let Some(value) = value else { continue };
            history.push(step, metric, value);
            any = true;
        }
        if let (true, Some(batch)) = (any, self.batch_tokens) {
            history.push(step, "tokens", step as f64 * batch);
        }
        any
    }
}

//! Megatron-LM, Megatron-DeepSpeed and GPT-NeoX: ` iteration 100/ 5000 | consumed samples: 800 | … | lm loss: 5.08E+00 |`
//! and ` validation loss at iteration 1000 on validation set | lm loss value: 4.1E+00 | lm loss PPL: 6.0E+01 |`.
//! NeMo's `Training epoch 0, iteration 120/149 | lr: 3e-05 | global_step: 120 | reduced_train_loss: 1.233 | val_loss: 4.1`
//! counts iterations anew in every epoch, and updates in `global_step`.

use super::Printer;
use super::scan::{behind, number, number_behind, whole};
use crate::import::history::History;

#[derive(Default)]
pub(super) struct Lines {
    /// Of the list of arguments: `seq_length ........ 2048`.
    context: Option<u64>,
    /// The last iteration printed.
    iteration: Option<u64>,
}

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        if let Some(rest) = line.trim_start().strip_prefix("seq_length ") {
            self.context = whole(rest.trim_start_matches(['.', ' '])).map(|(context, _)| context);
            return self.context.is_some();
        }
        let validation = ["validation loss at ", "valid loss at ", "validation results at "]
            .iter()
            .find_map(|key| behind(line, key));
        if let Some(rest) = validation {
            return self.validation(rest, history);
        }
        let Some((step, rest)) = behind(line, "iteration ").and_then(whole) else { return false };
        let Some((_, fields)) = rest.trim_start().strip_prefix('/').and_then(whole) else { return false };
        if !fields.trim_start().starts_with('|') {
            return false;
        }
        let step = number_behind(fields, "global_step:").map_or(step, |step| step as u64);
        self.iteration = Some(step);
        let mut samples = None;
        let mut tokens = false;
        for (key, value) in fields.split('|').filter_map(|field| field.rsplit_once(':')) {
            let (key, Some(value)) = (key.trim(), number(value)) else { continue };
            history.push(step, key, value);
            tokens |= key == "consumed tokens";
            samples = samples.or((key == "consumed samples").then_some(value));
        }
        if let (false, Some(samples), Some(context)) = (tokens, samples, self.context) {
            history.push(step, "consumed tokens", samples * context as f64);
        }
        true
    }
}

impl Lines {
    /// The values of `iteration 1000 on validation set | lm loss value: 4.1E+00 | …`; what is measured at the end of
    /// training belongs to the last iteration.
    fn validation(&self, rest: &str, history: &mut History) -> bool {
        let (place, fields) = rest.split_once('|').unwrap_or((rest, ""));
        let step = place.trim_start().strip_prefix("iteration").and_then(whole).map(|(step, _)| step);
        let set = if place.contains("test") { "test set" } else { "validation" };
        let Some(step) = step.or(self.iteration) else { return false };
        let mut any = false;
        for (key, value) in fields.split('|').filter_map(|field| field.rsplit_once(':')) {
            let (Some(key), Some(value)) = (key.trim().strip_suffix(" value"), number(value)) else {
                continue;
            };
            history.push(step, &format!("{key} {set}"), value);
            any = true;
        }
        any
    }
}

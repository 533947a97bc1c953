//! OLMo and OLMo-core: `[step=100/739328,epoch=0]` and, in the lines below it, `    train/CrossEntropyLoss=9.876`.

use super::Printer;
use super::scan::{behind, whole};
use crate::import::history::History;

#[derive(Default)]
pub(super) struct Lines {
    /// Of the last line that named a step, while its metrics follow.
    step: Option<u64>,
}

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        if let Some((step, rest)) = behind(line, "[step=").and_then(whole) {
            self.step = rest.starts_with(['/', ',', ']']).then_some(step);
            return self.step.is_some();
        }
        let metric = line.strip_prefix("    ").and_then(|line| line.split_once('='));
        let (Some(step), Some((name, value))) = (self.step, metric) else {
            self.step = None;
            return false;
        };
        match value.trim().replace(',', "").parse() {
            Ok(value) => history.push(step, name.trim(), value),
            Err(_) => history.leave(step, name.trim()),
        }
        true
    }
}

//! llm.c: `main.log` (`s:250 tel:6.5`, `s:250 trl:6.4 lr:0.0006 norm:1.2`), and what it prints
//! (`step  251/19560 | loss 6.4 (+0.1z)| norm 1.2 (-0.2z)| lr 6.0e-04 | …` and `val loss 6.5`).
//!
//! The log counts the updates before the loss, what is printed those after it; here, both are updates before.

use super::Printer;
use super::scan::{behind, line_of, number, whole};
use crate::import::history::History;

#[derive(Default)]
pub(super) struct Lines {
    /// Updates done, once a line has said so.
    done: Option<u64>,
    /// Whether they are all.
    all: bool,
    /// A validation loss before that.
    waiting: Option<f64>,
}

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        if let Some((step, rest)) = line.trim_start().strip_prefix("s:").and_then(whole) {
            let mut any = false;
            for (key, value) in rest.split_whitespace().filter_map(|field| field.split_once(':')) {
                if let Ok(value) = value.parse() {
                    history.push(step, key, value);
                    any = true;
                }
            }
            return any;
        }
        if let Some(loss) = line.trim_start().strip_prefix("val loss ").and_then(number) {
            // What is measured after the last of all is followed by another run, if by anything.
            match if self.all { self.done.take() } else { self.done } {
                Some(done) => history.push(done, "val loss", loss),
                None => self.waiting = Some(loss),
            }
            return true;
        }
        let Some((done, rest)) = line_of(line, "step") else { return false };
        let Some((all, rest)) = rest.strip_prefix('/').and_then(whole) else { return false };
        // Other trainers print steps and losses too, but not how far a loss is from the last ones.
        let own = behind(rest, "| loss ").filter(|rest| rest.contains("z)") && rest.contains("| norm "));
        let Some((before, loss)) = done.checked_sub(1).zip(own.and_then(number)) else { return false };
        if let Some(loss) = self.waiting.take() {
            history.push(before, "val loss", loss);
        }
        history.push(before, "loss", loss);
        if let Some(lr) = behind(rest, "| lr ").and_then(number) {
            history.push(before, "lr", lr);
        }
        (self.done, self.all) = (Some(done), done >= all);
        true
    }

    fn end(&mut self, history: &mut History) -> Option<String> {
        if let Some(loss) = self.waiting.take() {
            history.push(0, "val loss", loss);
        }
        None
    }
}

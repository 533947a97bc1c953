//! torchtitan: `step: 10  loss:  8.12345  grad_norm:  1.2345  memory: …` and `validate step: 10  loss:  8.2345  …`.

use super::Printer;
use super::scan::{behind, number, number_behind, whole};
use crate::import::history::History;

pub(super) struct Lines;

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        let Some((step, rest)) = behind(line, "step:").and_then(whole) else { return false };
        let Some(loss) = rest.trim_start().strip_prefix("loss:").and_then(number) else { return false };
        let validation = line.contains("validate step:");
        history.push(step, if validation { "val loss" } else { "loss" }, loss);
        if let Some(norm) = number_behind(rest, "grad_norm:") {
            history.push(step, "grad_norm", norm);
        }
        true
    }
}

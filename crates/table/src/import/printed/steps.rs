//! Any trainer's lines of a step and its losses: `step 10/3000 | loss 4.2903 | 609.8ms | 53.7k tok/s`,
//! `[EVAL] step 250: train loss 0.7488, val loss 1.6228, mem 1.20GB`. Steps are taken as printed.

use super::Printer;
use super::scan::{line_of, number, whole};
use crate::import::history::History;

pub(super) struct Lines;

impl Printer for Lines {
    fn line(&mut self, line: &str, history: &mut History) -> bool {
        let Some((step, rest)) = line_of(without_tags(line), "step") else { return false };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('/').and_then(whole).map_or(rest, |(_, rest)| rest.trim_start());
        let Some(rest) = rest.strip_prefix(['|', ':', ',']) else { return false };
        let fields: Vec<(&str, f64)> = rest.split(['|', ',']).filter_map(field).collect();
        if !fields.iter().any(|(name, _)| name.to_lowercase().contains("loss")) {
            return false;
        }
        for (name, value) in fields {
            history.push(step, name, value);
        }
        true
    }
}

/// A line without the words in brackets before it: `[EVAL] step 20: …`.
fn without_tags(line: &str) -> &str {
    let mut line = line.trim_start();
    while let Some((_, rest)) = line.strip_prefix('[').and_then(|tag| tag.split_once(']')) {
        line = rest.trim_start();
    }
    line
}

/// The name and the number of `val loss 4.1`; nothing where a unit follows (`mem 1.20GB`).
fn field(text: &str) -> Option<(&str, f64)> {
    const BETWEEN: [char; 3] = [' ', ':', '='];
    let (name, value) = text.trim().rsplit_once(BETWEEN)?;
    let name = name.trim_end_matches(BETWEEN);
    name.starts_with(|c: char| c.is_alphabetic()).then_some((name, number(value)?))
}

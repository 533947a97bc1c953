//! What trainers print: every trainer's lines are looked for, and the trainer with the most of them is taken.

mod litgpt;
mod llmc;
mod megatron;
mod nanogpt;
mod olmo;
mod scan;
mod several;
mod steps;
mod torchtitan;

use super::contents::Contents;
use super::history::History;
use super::{Log, LogKind};
use crate::error::TableError;
use scalelaw_files::{Compression, FileError, Line, next_line, open};
use std::path::Path;

/// Longer lines are no trainer's.
const LONGEST_LINE: usize = 1 << 20;
/// The beginning of a file, by which it is told what it is.
const BEGINNING: usize = 4096;

/// The lines of one trainer.
trait Printer {
    /// Takes the values of a line; whether it is one of the trainer's. `line` has neither colours nor a line end.
    fn line(&mut self, line: &str, history: &mut History) -> bool;

    /// The log is at its end. Returns what a reader has to know of values that could not be placed.
    fn end(&mut self, _history: &mut History) -> Option<String> {
        None
    }
}

struct Candidate {
    kind: LogKind,
    printer: Box<dyn Printer>,
    runs: several::Runs,
    lines: u64,
}

pub(super) fn read(path: &Path, compression: Compression) -> Result<Log, TableError> {
    let mut reader = open(path, compression)?;
    let candidate = |kind, printer| Candidate { kind, printer, runs: several::Runs::default(), lines: 0 };
    // Of those with as many lines, the last is taken: the one that knows no trainer comes first.
    let mut candidates = [
        candidate(LogKind::Printed, Box::new(steps::Lines) as Box<dyn Printer>),
        candidate(LogKind::NanoGpt, Box::<nanogpt::Lines>::default()),
        candidate(LogKind::LlmC, Box::<llmc::Lines>::default()),
        candidate(LogKind::Megatron, Box::<megatron::Lines>::default()),
        candidate(LogKind::Torchtitan, Box::new(torchtitan::Lines)),
        candidate(LogKind::LitGpt, Box::<litgpt::Lines>::default()),
        candidate(LogKind::Olmo, Box::<olmo::Lines>::default()),
    ];
    let (mut buffer, mut beginning) = (Vec::new(), Vec::new());
    loop {
        match next_line(&mut *reader, &mut buffer, LONGEST_LINE).map_err(FileError::new(path, "read"))? {
            Line::Whole => {}
            Line::TooLong => continue,
            Line::End => break,
        }
        if beginning.len() < BEGINNING {
            beginning.extend_from_slice(&buffer[..buffer.len().min(BEGINNING)]);
            beginning.push(b'\n');
        }
        let line = scan::without_colours(&String::from_utf8_lossy(&buffer));
        // A progress bar returns to the beginning of its line.
        for line in line.split('\r') {
            for candidate in &mut candidates {
                let mut values = History::default();
                candidate.runs.note(line);
                if candidate.printer.line(line, &mut values) {
                    candidate.lines += 1;
                    candidate.runs.add(line, values);
                }
            }
        }
    }
    let best = candidates.into_iter().filter(|c| !c.runs.is_empty()).max_by_key(|c| c.lines);
    let Some(mut best) = best else {
        return Err(TableError::UnknownLog { path: path.to_path_buf(), contents: Contents::of(&beginning) });
    };
    let mut log = Log::new(best.kind);
    log.notes.push(format!("{}; {} of its lines", best.kind, best.lines));
    log.problems.extend(best.printer.end(best.runs.current()));
    let runs = best.runs.all();
    if let [_, _, ..] = runs[..] {
        log.numbered = true;
        log.notes.push(format!("{} runs, one after the other: numbered in their order", runs.len()));
    }
    for (i, history) in runs.into_iter().enumerate() {
        log.histories.insert(log.numbered.then(|| (i + 1).to_string()), history);
    }
    Ok(log)
}

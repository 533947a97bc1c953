//! What trainers print: every trainer's lines are looked for, and the trainer with the most of them is taken.

mod litgpt;
mod llmc;
mod megatron;
mod nanogpt;
mod olmo;
mod scan;
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
    history: History,
    lines: u64,
}

pub(super) fn read(path: &Path, compression: Compression) -> Result<Log, TableError> {
    let mut reader = open(path, compression)?;
    let candidate = |kind, printer| Candidate { kind, printer, history: History::default(), lines: 0 };
    let mut candidates = [
        candidate(LogKind::NanoGpt, Box::<nanogpt::Lines>::default() as Box<dyn Printer>),
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
                candidate.lines += u64::from(candidate.printer.line(line, &mut candidate.history));
            }
        }
    }
    let best = candidates.into_iter().filter(|c| !c.history.is_empty()).max_by_key(|c| c.lines);
    let Some(mut best) = best else {
        return Err(TableError::UnknownLog { path: path.to_path_buf(), contents: Contents::of(&beginning) });
    };
    let mut log = Log::new(best.kind);
    log.notes.push(format!("{}; {} of its lines", best.kind, best.lines));
    log.problems.extend(best.printer.end(&mut best.history));
    log.histories.insert(None, best.history);
    Ok(log)
}

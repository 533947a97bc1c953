//! Rows of a file to typed columns.

use crate::cell::Cell;
use crate::column::{Column, Fault, Values};
use crate::error::TableError;
use crate::format::csv::reader;
use crate::format::{check_size, text};
use crate::names::Role;
use crate::number::{Decimal, cell_number, is_missing, read_number};
use std::collections::HashMap;
use std::path::Path;

/// A column is text when most of these first cells that hold something are no numbers.
const SAMPLE: usize = 1000;

/// A column while it grows.
enum Builder {
    Numbers { values: Vec<f64>, oddities: HashMap<usize, Fault>, decimal: Decimal },
    Texts { codes: Vec<u32>, words: Vec<String>, index: HashMap<String, u32> },
}

impl Builder {
    fn new(Holds { texts, decimal }: Holds, capacity: usize) -> Self {
        if texts {
            Self::Texts { codes: Vec::with_capacity(capacity), words: vec![], index: HashMap::new() }
        } else {
            Self::Numbers { values: Vec::with_capacity(capacity), oddities: HashMap::new(), decimal }
        }
    }

    fn push_text(&mut self, text: &str) {
        match self {
            Self::Numbers { decimal, .. } => {
                let decimal = *decimal;
                self.push_number(read_number(text, decimal));
            }
            Self::Texts { codes, words, index } => codes.push(if is_missing(text) {
                u32::MAX
            } else if let Some(code) = index.get(text) {
                *code
            } else {
                let code = words.len() as u32;
                words.push(text.to_string());
                index.insert(text.to_string(), code);
                code
            }),
        }
    }

    fn push_number(&mut self, number: Result<f64, Fault>) {
        if let Self::Numbers { values, oddities, .. } = self {
            match number {
                Ok(x) => values.push(x),
                Err(fault) => {
                    oddities.insert(values.len(), fault);
                    values.push(f64::NAN);
                }
            }
        }
    }

    fn finish(self, name: String) -> Column {
        match self {
            Self::Numbers { values, oddities, .. } => Column::new(name, Values::Numbers(values), oddities),
            Self::Texts { codes, words, .. } => {
                Column::new(name, Values::Texts { codes, words }, HashMap::new())
            }
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Default)]
struct Holds {
    texts: bool,
    decimal: Decimal,
}

/// Whether a column whose sample reads like this holds texts.
fn holds_texts<'a>(sample: impl Iterator<Item = Result<f64, &'a Fault>>) -> bool {
    let (mut numbers, mut texts) = (0usize, 0usize);
    for cell in sample {
        match cell {
            Ok(_) => numbers += 1,
            Err(Fault::Unreadable(_)) => texts += 1,
            Err(_) => {}
        }
    }
    texts > numbers
}

/// Digits that a number keeps.
const DIGITS: usize = 15;

/// Whether a column names runs, or their trunks, by numbers that are longer than what a number keeps: read as numbers,
/// several runs would have one name.
fn names_runs_by_long_numbers(name: &str, sample: &[String]) -> bool {
    let digits = |cell: &String| cell.bytes().filter(u8::is_ascii_digit).count();
    [Role::Run, Role::Trunk].iter().any(|role| role.named(name).is_some())
        && sample.iter().any(|cell| digits(cell) > DIGITS)
}

pub(crate) fn from_csv(path: &Path, bytes: &[u8], delimiter: u8) -> Result<Vec<Column>, TableError> {
    let fail = |message: String| TableError::Format { path: path.to_path_buf(), format: "CSV", message };
    let utf8 = text::utf8(bytes);
    let found = text::delimited(&utf8, delimiter);
    let (bytes, delimiter) = (&*found.bytes, found.delimiter);
    let header = reader(bytes, delimiter).byte_headers().map_err(|e| fail(e.to_string()))?.clone();
    let rows = bytes.iter().filter(|b| **b == b'\n').count() as u64;
    check_size(path, rows, header.len())?;
    let names = named(header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect());
    let mut sample: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for record in reader(bytes, delimiter).byte_records().take(SAMPLE) {
        let record = record.map_err(|e| fail(e.to_string()))?;
        for (column, cell) in sample.iter_mut().zip(record.iter()) {
            column.push(String::from_utf8_lossy(cell).into_owned());
        }
    }
    let decimals = decimals(&sample, delimiter);
    let mut holds: Vec<Holds> = sample
        .iter()
        .zip(decimals)
        .zip(&names)
        .map(|((column, decimal), name)| {
            let read: Vec<_> = column.iter().map(|cell| read_number(cell, decimal)).collect();
            let texts = holds_texts(read.iter().map(|r| r.as_ref().copied()));
            Holds { texts: texts || names_runs_by_long_numbers(name, column), decimal }
        })
        .collect();
    drop(sample);
    loop {
        let builders = fill(bytes, delimiter, &holds).map_err(fail)?;
        // A column that starts empty may turn out to be text further down: read it again as such.
        let mistaken: Vec<usize> = builders
            .iter()
            .enumerate()
            .filter(|(_, b)| match b {
                Builder::Numbers { values, oddities, .. } => {
                    values.iter().all(|v| v.is_nan())
                        && oddities.values().any(|f| matches!(f, Fault::Unreadable(_)))
                }
                Builder::Texts { .. } => false,
            })
            .map(|(j, _)| j)
            .collect();
        if mistaken.is_empty() {
            let columns = builders.into_iter().zip(names).map(|(b, name)| b.finish(name)).collect();
            return Ok(told_apart(columns));
        }
        for j in mistaken {
            holds[j].texts = true;
        }
    }
}

/// The decimal mark of each column: what its own cells say, else what all others say. Where cells are parted by
/// semicolons and no cell says it, it is the comma that then could not part them.
fn decimals(sample: &[Vec<String>], delimiter: u8) -> Vec<Decimal> {
    let own: Vec<Option<Decimal>> = sample
        .iter()
        .map(|column| {
            let said = |decimal| column.iter().any(|cell| Decimal::of(cell) == Some(decimal));
            match (said(Decimal::Comma), said(Decimal::Point)) {
                (true, false) => Some(Decimal::Comma),
                (false, true) => Some(Decimal::Point),
                _ => None,
            }
        })
        .collect();
    let said = |decimal| own.contains(&Some(decimal));
    let comma = said(Decimal::Comma) || delimiter == b';';
    let rest = if comma && !said(Decimal::Point) { Decimal::Comma } else { Decimal::Point };
    own.into_iter().map(|decimal| decimal.unwrap_or(rest)).collect()
}

fn fill(bytes: &[u8], delimiter: u8, holds: &[Holds]) -> Result<Vec<Builder>, String> {
    let guess = bytes.len() / (8 * holds.len().max(1));
    let mut builders: Vec<Builder> = holds.iter().map(|holds| Builder::new(*holds, guess)).collect();
    let mut reader = reader(bytes, delimiter);
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|e| e.to_string())? {
        if record.len() > builders.len() {
            let line = record.position().map_or(0, csv::Position::line);
            return Err(format!("line {line} has {} fields, the header {}", record.len(), builders.len()));
        }
        for (j, builder) in builders.iter_mut().enumerate() {
            // A short line lacks its last cells.
            let cell = record.get(j).unwrap_or(b"");
            match std::str::from_utf8(cell) {
                Ok(text) => builder.push_text(text),
                Err(_) => builder.push_text(&String::from_utf8_lossy(cell)),
            }
        }
    }
    Ok(builders)
}

/// Names with blanks trimmed; nameless columns get their number.
fn named(names: Vec<String>) -> Vec<String> {
    names
        .into_iter()
        .enumerate()
        .map(
            |(j, name)| {
                if name.trim().is_empty() { format!("column_{}", j + 1) } else { name.trim().to_string() }
            },
        )
        .collect()
}

/// Columns of one header get names of their own: `loss`, `loss.2`.
fn told_apart(mut columns: Vec<Column>) -> Vec<Column> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for column in &mut columns {
        let before = seen.entry(column.header.clone()).or_default();
        *before += 1;
        if *before > 1 {
            column.name = format!("{}.{before}", column.header);
        }
    }
    columns
}

pub(crate) fn from_rows(path: &Path, rows: &[Vec<(String, Cell)>]) -> Result<Vec<Column>, TableError> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        order.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() - 1
        });
    }
    check_size(path, rows.len() as u64, names.len())?;
    let mut cells: Vec<Vec<&Cell>> = vec![vec![&Cell::Missing; rows.len()]; names.len()];
    for (i, row) in rows.iter().enumerate() {
        for (name, cell) in row {
            cells[order[name.as_str()]][i] = cell;
        }
    }
    let columns = names.into_iter().zip(cells);
    let columns = columns
        .map(|(name, cells)| {
            let numbers: Vec<Result<f64, Fault>> = cells.iter().map(|c| cell_number(c)).collect();
            let texts = holds_texts(numbers.iter().map(|r| r.as_ref().copied()));
            let mut builder = Builder::new(Holds { texts, ..Holds::default() }, cells.len());
            for (cell, number) in cells.iter().zip(numbers) {
                match (texts, cell) {
                    (false, _) => builder.push_number(number),
                    (true, Cell::Text(t)) => builder.push_text(t),
                    (true, Cell::Missing) => builder.push_text(""),
                    (true, Cell::Integer(i)) => builder.push_text(&i.to_string()),
                    (true, Cell::Number(x)) => builder.push_text(&x.to_string()),
                }
            }
            builder.finish(name.to_string())
        })
        .collect();
    Ok(columns)
}

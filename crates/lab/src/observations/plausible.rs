//! Counts and losses that cannot be what their columns are taken for: doubted before anything is fitted.
//!
//! What a user computes (`--map 'N=1e6*params'`) is taken at the user's word.

use super::source::{Assigned, Source};
use crate::error::LabError;
use scalelaw_core::number::significant;
use scalelaw_fit::{Dataset, Law, Response};
use scalelaw_table::{Column, LossUnit, Role, Table, loss_unit};

/// Something about a table that makes a number fitted to it doubtful.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// A small number that is not whole, where parameters, tokens or FLOPs are counted.
    NotACount {
        /// The variable: N, D or C.
        variable: String,
        /// Its column.
        column: String,
        /// First such row.
        row: u64,
        /// What it holds.
        value: f64,
    },
    /// No model, corpus or training has this size.
    Size {
        /// The variable: N, D or C.
        variable: String,
        /// Its column.
        column: String,
        /// First such row.
        row: u64,
        /// What it holds.
        value: f64,
    },
    /// Tokens and parameters that do not belong together.
    TokensPerParameter {
        /// Columns of N and D.
        columns: [String; 2],
        /// First such row.
        row: u64,
        /// Its tokens per parameter.
        ratio: f64,
        /// How many rows are like it.
        rows: usize,
        /// Rows there are.
        of: usize,
    },
    /// Some rows of a column are in another unit than the others.
    MixedUnits {
        /// The variable: N or D.
        variable: String,
        /// Its column.
        column: String,
        /// First row of the smaller numbers.
        row: u64,
        /// What it holds.
        value: f64,
        /// Rows of the smaller numbers.
        rows: usize,
        /// Rows there are.
        of: usize,
        /// By what power of ten the others are larger, in the middle.
        decades: i32,
    },
    /// C is far from 6ND.
    Compute {
        /// Column of C.
        column: String,
        /// Median of C/(6ND).
        ratio: f64,
        /// Whether the law is one of C.
        used: bool,
    },
    /// Losses that are higher than any in nats per token.
    HighLoss {
        /// The column.
        column: String,
        /// First such row.
        row: u64,
        /// Its loss.
        loss: f64,
        /// What a model reaches by guessing: ln of the vocabulary, or of any vocabulary.
        guessing: f64,
        /// How many rows are like it.
        rows: usize,
        /// Rows there are.
        of: usize,
    },
    /// Losses of a sweep so far below the others that they are taken for no losses of such runs, and are left out where
    /// the lowest counts.
    LowLoss {
        /// The column.
        column: String,
        /// Each row and its loss.
        rows: Vec<(u64, f64)>,
    },
    /// A column that is by its name the exponential of a loss.
    Perplexity {
        /// The column.
        column: String,
    },
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotACount { variable, column, row, value } => {
                write!(f, "column {column}, row {row}: {value} is no count of {}", what(variable))
            }
            Self::Size { variable, column, row, value } => {
                write!(f, "column {column}, row {row}: nothing has {value:e} {}", what(variable))
            }
            Self::TokensPerParameter { columns: [n, d], row, ratio, rows, of } => write!(
                f,
                "columns {n} and {d}, row {row}: {ratio:.1e} tokens per parameter ({rows} of {of} rows are like it)"
            ),
            Self::MixedUnits { column, row, value, rows, of, decades, .. } => write!(
                f,
                "column {column}: {rows} of {of} rows are in another unit than the others, about 1e{decades} times smaller; \
                 row {row} holds {value}"
            ),
            Self::Compute { column, ratio, used: _ } => {
                write!(f, "column {column}: its FLOPs are {ratio:.1e} times 6ND")
            }
            Self::HighLoss { column, row, loss, guessing, rows, of } => write!(
                f,
                "column {column}, row {row}: a loss of {loss} is above the {guessing:.1} nats of guessing ({rows} of {of} \
                 rows are)"
            ),
            Self::LowLoss { column, rows } => {
                const MOST: usize = 10;
                let said: Vec<String> = rows
                    .iter()
                    .take(MOST)
                    .map(|(row, loss)| format!("{} in row {row}", significant(*loss, 3)))
                    .collect();
                let more = if rows.len() > MOST {
                    format!(" and {} more", rows.len() - MOST)
                } else {
                    String::new()
                };
                write!(
                    f,
                    "column {column}: too far below the other losses of the sweep to be true, and left out: {}{more}",
                    said.join(", ")
                )
            }
            Self::Perplexity { column } => {
                write!(f, "column {column} is a perplexity by its name, not a loss")
            }
        }
    }
}

fn what(variable: &str) -> &'static str {
    match variable {
        "N" => "parameters",
        "C" => "FLOPs",
        _ => "tokens",
    }
}

impl Doubt {
    /// What it is about, as a stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LowLoss { .. } => "low_loss",
            _ => "units",
        }
    }

    /// Whether a fit would be of something else than what it says.
    fn is_grave(&self) -> bool {
        match self {
            Self::NotACount { .. }
            | Self::Size { .. }
            | Self::MixedUnits { .. }
            | Self::Perplexity { .. } => true,
            Self::TokensPerParameter { rows, of, .. } | Self::HighLoss { rows, of, .. } => 2 * rows > *of,
            Self::LowLoss { .. } => false,
            Self::Compute { ratio, used, .. } => *used && !(1.0 / 30.0..300.0).contains(ratio),
        }
    }
}

/// ln of a vocabulary that no tokenizer has: no model that learnt anything has such a loss.
const HIGHEST_LOSS: f64 = 20.0;

/// What is doubtful about the columns that a law's variables are read from.
///
/// # Errors
/// [`LabError::Implausible`] when a fit to them would be of something else than what it says; for a user's own law,
/// whose names mean what the user means, it is a doubt.
pub(super) fn doubts(
    law: &dyn Law,
    assigned: &[Assigned],
    dataset: &Dataset,
    table: &Table,
) -> Result<Vec<Doubt>, LabError> {
    let mut doubts = counts(assigned, dataset, table);
    if law.response() == Response::Loss {
        doubts.extend(loss(assigned, dataset, table));
    }
    let own = law.name() == "expression";
    match doubts.iter().position(|doubt| doubt.is_grave() && !own) {
        Some(grave) => {
            let source = |variable: &str| {
                let found = assigned.iter().find(|a| a.variable == variable);
                found.and_then(|a| column(&a.source)).map(String::from)
            };
            let median = |variable: &str| dataset.column(variable).map(median);
            Err(LabError::Implausible {
                table: table.source.clone(),
                doubt: Box::new(doubts.swap_remove(grave)),
                units: likely_units((source("N"), median("N")), (source("D"), median("D"))),
            })
        }
        None => Ok(doubts),
    }
}

/// The column of a source whose numbers nobody has judged.
fn column(source: &Source) -> Option<&str> {
    match source {
        Source::Column { name, .. } => Some(name),
        Source::Computed { .. } | Source::Derived { .. } => None,
    }
}

/// A count of one variable.
struct Count<'a> {
    variable: &'a str,
    column: &'a str,
    values: &'a [f64],
}

/// Sizes of models, corpora and trainings that there may be.
fn possible(variable: &str) -> std::ops::Range<f64> {
    match variable {
        "N" => 100.0..1e16,
        "C" => 1e3..1e32,
        _ => 1e3..1e18,
    }
}

fn counts(assigned: &[Assigned], dataset: &Dataset, table: &Table) -> Vec<Doubt> {
    let count = |variable: &'static str| {
        let of = assigned.iter().find(|a| a.variable == variable)?;
        Some(Count { variable, column: column(&of.source)?, values: dataset.column(variable)? })
    };
    let mut doubts = Vec::new();
    let (n, d, c) = (count("N"), count("D"), count("C"));
    for count in [&n, &d, &c].into_iter().flatten() {
        let range = possible(count.variable);
        let bad = |v: f64| (v < 1e5 && v.fract() != 0.0) || !range.contains(&v);
        let rows: Vec<usize> = (0..count.values.len()).filter(|i| bad(count.values[*i])).collect();
        let Some(first) = rows.first().copied() else { continue };
        let (variable, column) = (count.variable.to_string(), count.column.to_string());
        let (row, value) = (table.row(first), count.values[first]);
        doubts.push(if splits(count.values, &rows) && value < range.end {
            mixed(count, &rows, table)
        } else if value < range.end {
            Doubt::NotACount { variable, column, row, value }
        } else {
            Doubt::Size { variable, column, row, value }
        });
    }
    if !doubts.is_empty() {
        return doubts;
    }
    let (all_n, all_d) = (dataset.column("N"), dataset.column("D"));
    if let (Some(all_n), Some(all_d)) = (all_n, all_d)
        && (n.is_some() || d.is_some())
    {
        let apart = |i: &usize| {
            let (n, d) = (all_n[*i], all_d[*i]);
            n < 100.0 || d / n < 1e-3 || (d / n > 1e6 && !(500.0..1e5).contains(&n))
        };
        let rows: Vec<usize> = (0..all_n.len()).filter(apart).collect();
        if let Some(first) = rows.first().copied() {
            let split = [&n, &d].into_iter().flatten().find(|count| splits(count.values, &rows));
            doubts.push(match split {
                Some(count) => mixed(count, &rows, table),
                None => Doubt::TokensPerParameter {
                    columns: ["N", "D"].map(|v| columns_of(assigned, v)),
                    row: table.row(first),
                    ratio: all_d[first] / all_n[first],
                    rows: rows.len(),
                    of: all_n.len(),
                },
            });
        }
        let read = |c: &Column| {
            let unit = Role::C.unit(&c.header);
            Some(c.numbers()?.iter().map(|x| unit.value(*x)).collect::<Vec<f64>>())
        };
        let is_used = |c: &Column| assigned.iter().any(|a| a.source.columns().contains(&c.name.as_str()));
        let unused = || table.recognise(Role::C).filter(|c| !is_used(c));
        let flops = match &c {
            Some(c) => Some((c.column, c.values.to_vec())),
            None => unused().and_then(|column| Some((column.name.as_str(), read(column)?))),
        };
        if let Some((column, flops)) = flops {
            let ratios = flops.iter().zip(all_n.iter().zip(all_d)).map(|(c, (n, d))| c / (6.0 * n * d));
            let ratio = median(&ratios.filter(|ratio| ratio.is_finite()).collect::<Vec<_>>());
            if ratio.is_finite() && !(0.25..=30.0).contains(&ratio) {
                doubts.push(Doubt::Compute { column: column.to_string(), ratio, used: c.is_some() });
            }
        }
    }
    doubts
}

/// Whether the values at `rows` are some decades below or above all others.
fn splits(values: &[f64], rows: &[usize]) -> bool {
    let (inside, outside): (Vec<usize>, Vec<usize>) =
        (0..values.len()).partition(|i| rows.binary_search(i).is_ok());
    let ends = |of: &[usize]| {
        of.iter().fold((f64::INFINITY, 0.0f64), |(lo, hi), i| (lo.min(values[*i]), hi.max(values[*i])))
    };
    let ((lo, hi), (other_lo, other_hi)) = (ends(&inside), ends(&outside));
    !outside.is_empty() && (hi * 100.0 < other_lo || other_hi * 100.0 < lo)
}

fn mixed(count: &Count<'_>, rows: &[usize], table: &Table) -> Doubt {
    let of = count.values.len();
    let (inside, outside): (Vec<usize>, Vec<usize>) = (0..of).partition(|i| rows.binary_search(i).is_ok());
    let middle = |of: &[usize]| median(&of.iter().map(|i| count.values[*i]).collect::<Vec<_>>());
    let (small, large) =
        if middle(&inside) < middle(&outside) { (inside, outside) } else { (outside, inside) };
    let first = small.first().copied().unwrap_or_default();
    Doubt::MixedUnits {
        variable: count.variable.to_string(),
        column: count.column.to_string(),
        row: table.row(first),
        value: count.values[first],
        rows: small.len(),
        of,
        // Units are powers of a thousand.
        decades: 3 * ((middle(&large) / middle(&small)).log10() / 3.0).round() as i32,
    }
}

fn columns_of(assigned: &[Assigned], variable: &str) -> String {
    let found = assigned.iter().find(|a| a.variable == variable);
    found.map(|a| a.source.columns().join(", ")).unwrap_or_default()
}

fn loss(assigned: &[Assigned], dataset: &Dataset, table: &Table) -> Option<Doubt> {
    let name = assigned.iter().find(|a| a.variable == "loss").and_then(|a| column(&a.source))?;
    match loss_unit(name) {
        Some(LossUnit::Perplexity) => return Some(Doubt::Perplexity { column: name.to_string() }),
        Some(_) => return None,
        None => {}
    }
    let vocabulary =
        table.column("n_vocab").or_else(|_| table.column("vocab_size")).ok().and_then(|c| c.numbers());
    let guessing = |i: usize| {
        let of = vocabulary.map(|v| v[i]).filter(|v| *v > 1.0 && v.is_finite());
        of.map_or(HIGHEST_LOSS, |v| libm::log(v) + 0.5)
    };
    let losses = dataset.response();
    let rows: Vec<usize> = (0..losses.len()).filter(|i| losses[*i] > guessing(*i)).collect();
    let first = rows.first().copied()?;
    Some(Doubt::HighLoss {
        column: name.to_string(),
        row: table.row(first),
        loss: losses[first],
        guessing: guessing(first),
        rows: rows.len(),
        of: losses.len(),
    })
}

/// Units of parameters and tokens in which both are of a usual size, as expressions to assign: `1e6*params`.
fn likely_units(
    n: (Option<String>, Option<f64>),
    d: (Option<String>, Option<f64>),
) -> Vec<(&'static str, String)> {
    const UNITS: [f64; 5] = [1.0, 1e3, 1e6, 1e9, 1e12];
    let (Some(n_median), Some(d_median)) = (n.1, d.1) else { return vec![] };
    let usual = |(a, b): &(f64, f64)| {
        let (n, d) = (a * n_median, b * d_median);
        (1e5..1e13).contains(&n) && (1e6..1e15).contains(&d)
    };
    // Twenty tokens a parameter are the middle of what people train, and they write millions and billions: two pairs of
    // units with the same ratio differ in the second only.
    let rare = |unit: f64| f64::from(u8::from(unit == 1e3 || unit == 1e12));
    let odd = |(a, b): &(f64, f64)| {
        let away = libm::fabs(libm::log(b * d_median / (a * n_median) / 20.0));
        // Of two pairs with the same ratio, the one whose models are nearer to a billion parameters.
        let size = libm::fabs(libm::log(a * n_median / 1e9));
        away + 1e-2 * size + 1e-3 * (rare(*a) + rare(*b))
    };
    let pairs = UNITS.iter().flat_map(|a| UNITS.iter().map(|b| (*a, *b)));
    let best = pairs.filter(usual).min_by(|x, y| odd(x).total_cmp(&odd(y)));
    let Some((a, b)) = best.filter(|pair| *pair != (1.0, 1.0)) else { return vec![] };
    let entry = |name: Option<String>, factor: f64| {
        let name = name.filter(|_| factor != 1.0)?;
        Some(format!("{factor:e}*{}", scalelaw_table::quoted(&name)))
    };
    let entries = [("N", entry(n.0, a)), ("D", entry(d.0, b))];
    entries.into_iter().filter_map(|(variable, entry)| Some((variable, entry?))).collect()
}

/// The rows of a sweep whose losses are too far below the others to be true; `cells` are the rows among which the lowest
/// counts.
///
/// Within a cell that is a gap of many times the scale of the losses above it and of the gaps in the other cells, as
/// long as what lies above the gap is no worse than the best of another cell: else these are the runs that failed. The
/// lowest of a whole cell is compared with those of the other cells, of which it lies farther than they spread.
pub(super) fn too_low(cells: &[Vec<usize>], loss: &[f64]) -> Vec<usize> {
    // Fewer losses show no scale.
    const FEWEST: usize = 4;
    let ln = |i: &usize| if loss[*i] > 0.0 { libm::log(loss[*i]) } else { f64::NEG_INFINITY };
    let known = |rows: &Vec<usize>| {
        let mut rows: Vec<usize> = rows.iter().copied().filter(|i| loss[*i].is_finite()).collect();
        rows.sort_by(|a, b| loss[*a].total_cmp(&loss[*b]));
        rows
    };
    let mut cells: Vec<Vec<usize>> = cells.iter().map(known).collect();
    let gaps: Vec<f64> = cells.iter().filter(|c| c.len() > 1).map(|c| ln(&c[1]) - ln(&c[0])).collect();
    let usual = if gaps.is_empty() { 0.0 } else { median(&gaps) };
    let mut low = Vec::new();
    let first: Vec<f64> = cells.iter().map(|c| c.first().map_or(f64::NEG_INFINITY, ln)).collect();
    for (at, cell) in cells.iter_mut().enumerate() {
        let others = first.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, best)| *best);
        let worst = others.fold(f64::NEG_INFINITY, f64::max);
        let values: Vec<f64> = cell.iter().map(ln).collect();
        let apart = |k: &usize| {
            let above = &values[*k..];
            let gap = above[0] - values[k - 1];
            let scale = above[above.len() / 2] - above[0];
            above.len() >= FEWEST
                && gap > (10.0 * scale).max(5.0 * usual).max(0.05)
                && above[0] <= worst + 0.05
        };
        if let Some(k) = (1..=values.len() / 2).rev().find(apart) {
            low.extend(cell.drain(..k));
        }
    }
    loop {
        let mut bests: Vec<f64> = cells.iter().filter_map(|c| c.first()).map(ln).collect();
        bests.sort_by(f64::total_cmp);
        let apart = |k: &usize| {
            let above = &bests[*k..];
            let spread = above[above.len() - 1] - above[0];
            above.len() >= FEWEST && above[0] - bests[k - 1] > spread.max(std::f64::consts::LN_2)
        };
        let Some(k) = (1..=bests.len() / 2).rev().find(apart) else { break };
        for cell in cells.iter_mut().filter(|c| c.first().is_some_and(|i| ln(i) < bests[k])) {
            low.push(cell.remove(0));
        }
    }
    low.sort_unstable();
    low
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

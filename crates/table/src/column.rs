//! One column of anybody's table, and what can be wrong with a cell.

use scalelaw_expr::Value;
use std::collections::HashMap;

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name: the header, or `loss.2` for the second column of the header `loss`.
    pub name: String,
    /// What the file calls it.
    pub header: String,
    /// Values.
    pub values: Values,
    /// Cells that are not what the column holds, by index of the row.
    oddities: HashMap<usize, Fault>,
}

/// Values of a column.
#[derive(Clone, Debug)]
pub enum Values {
    /// Numbers; NaN where missing or unreadable.
    Numbers(Vec<f64>),
    /// Texts as indices into the distinct words; `u32::MAX` where missing.
    Texts {
        /// Index of each row's word.
        codes: Vec<u32>,
        /// Distinct words in order of appearance.
        words: Vec<String>,
    },
}

/// Why a cell is unusable.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Nothing there.
    Missing,
    /// Not a number.
    Unreadable(String),
    /// NaN.
    NotANumber,
    /// Infinite.
    Infinite,
    /// Zero or below where only positive values have a meaning.
    NotPositive(f64),
    /// The whole row is the same as an earlier one.
    Duplicate {
        /// That earlier row.
        of: u64,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Unreadable(text) => write!(f, "{text:?} is not a number"),
            Self::NotANumber => f.write_str("NaN"),
            Self::Infinite => f.write_str("infinite"),
            Self::NotPositive(x) => write!(f, "{x} is not positive"),
            Self::Duplicate { of } => write!(f, "the same as row {of} in every column"),
        }
    }
}

impl Column {
    pub(crate) fn new(name: String, values: Values, oddities: HashMap<usize, Fault>) -> Self {
        Self { header: name.clone(), name, values, oddities }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Numbers(v) => v.len(),
            Values::Texts { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, when the column holds numbers.
    pub fn numbers(&self) -> Option<&[f64]> {
        match &self.values {
            Values::Numbers(v) => Some(v),
            Values::Texts { .. } => None,
        }
    }

    /// How many cells hold something: a finite number, or a text.
    pub fn filled(&self) -> usize {
        match &self.values {
            Values::Numbers(v) => v.iter().filter(|x| x.is_finite()).count(),
            Values::Texts { codes, words } => codes.iter().filter(|c| (**c as usize) < words.len()).count(),
        }
    }

    /// What the column holds, in a few words: its range, or its first words.
    pub(crate) fn summary(&self) -> String {
        const MOST_WORDS: usize = 6;
        match &self.values {
            Values::Numbers(v) => {
                let known = || v.iter().copied().filter(|x| !x.is_nan());
                match (known().min_by(f64::total_cmp), known().max_by(f64::total_cmp)) {
                    (Some(lo), Some(hi)) => format!("{lo} to {hi}"),
                    _ => "no number".into(),
                }
            }
            Values::Texts { words, .. } => {
                let first: Vec<String> = words.iter().take(MOST_WORDS).map(|w| format!("{w:?}")).collect();
                let more = if words.len() > MOST_WORDS { ", …" } else { "" };
                format!("{}{more}", first.join(", "))
            }
        }
    }

    /// Cell `i` as text, for labels and messages; empty where it is missing.
    pub fn text(&self, i: usize) -> String {
        match &self.values {
            Values::Numbers(v) if v[i].is_nan() => String::new(),
            Values::Numbers(v) => v[i].to_string(),
            Values::Texts { codes, words } => words.get(codes[i] as usize).cloned().unwrap_or_default(),
        }
    }

    /// A number for each row that is the same exactly where the cell is the same, counted from 0.
    pub fn groups(&self) -> Vec<u32> {
        let mut index: HashMap<u64, u32> = HashMap::new();
        let mut group = |bits: u64| {
            let next = index.len() as u32;
            *index.entry(bits).or_insert(next)
        };
        match &self.values {
            Values::Numbers(v) => v.iter().map(|x| group(x.to_bits())).collect(),
            Values::Texts { codes, .. } => codes.iter().map(|c| group(u64::from(*c))).collect(),
        }
    }

    pub(crate) fn value(&self, i: usize) -> Value<'_> {
        match &self.values {
            Values::Numbers(v) => Value::Number(v[i]),
            Values::Texts { codes, words } => {
                Value::Text(words.get(codes[i] as usize).map_or("", String::as_str))
            }
        }
    }

    pub(crate) fn same(&self, i: usize, j: usize) -> bool {
        match &self.values {
            Values::Numbers(v) => {
                v[i].to_bits() == v[j].to_bits() && self.oddities.get(&i) == self.oddities.get(&j)
            }
            Values::Texts { codes, .. } => codes[i] == codes[j],
        }
    }

    /// Whether every cell is that of `other`.
    pub fn equals(&self, other: &Self) -> bool {
        if let (Values::Numbers(mine), Values::Numbers(theirs)) = (&self.values, &other.values) {
            let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            return mine.len() == theirs.len() && mine.iter().zip(theirs).all(same);
        }
        self.len() == other.len() && (0..self.len()).all(|i| self.text(i) == other.text(i))
    }

    /// What keeps cell `i` from having a value, if anything.
    pub(crate) fn fault(&self, i: usize) -> Option<Fault> {
        match &self.values {
            Values::Numbers(v) if v[i].is_finite() => None,
            Values::Numbers(v) => Some(match self.oddities.get(&i) {
                Some(fault) => fault.clone(),
                None if v[i].is_nan() => Fault::NotANumber,
                None => Fault::Infinite,
            }),
            Values::Texts { codes, words } => {
                words.get(codes[i] as usize).is_none().then_some(Fault::Missing)
            }
        }
    }

    pub(crate) fn rows_at(&self, keep: &[usize]) -> Self {
        let values = match &self.values {
            Values::Numbers(v) => Values::Numbers(keep.iter().map(|i| v[*i]).collect()),
            Values::Texts { codes, words } => {
                Values::Texts { codes: keep.iter().map(|i| codes[*i]).collect(), words: words.clone() }
            }
        };
        let oddities = if self.oddities.is_empty() {
            HashMap::new()
        } else {
            keep.iter()
                .enumerate()
                .filter_map(|(new, old)| Some((new, self.oddities.get(old)?.clone())))
                .collect()
        };
        Self { name: self.name.clone(), header: self.header.clone(), values, oddities }
    }
}

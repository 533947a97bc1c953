//! Runs of one size that differ in something else than their seed: sweeps, recipes, and the best of a sweep.
//!
//! A setting is a column whose values repeat (a metric's do not, but for few digits), and whose name is none of an outcome.
//! It is swept where it varies among rows that are alike
//! in every variable of the law.

use crate::error::LabError;
use scalelaw_fit::Dataset;
use scalelaw_table::{Column, Role, Table, is_outcome, is_seed};
use std::collections::HashMap;

/// A setting that varies among rows alike in every variable of the law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The column.
    pub column: String,
    /// Most values that it has in one place.
    pub most: usize,
    /// Places in which it varies.
    pub places: usize,
    /// Places of several rows.
    pub of: usize,
    /// Its words in order of appearance, if it holds words.
    pub words: Vec<String>,
    /// Whether its words are recipes: one of them has the higher loss in nearly every place.
    pub parts_recipes: bool,
}

impl std::fmt::Display for Swept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { column, most, places, of, words: _, parts_recipes: _ } = self;
        write!(
            f,
            "column {column} has up to {most} values among runs alike in every variable of the law (in {places} of {of} such \
             places): they are no repeats, and the law is one of their mean; select one, or take the best of each place"
        )
    }
}

/// Most words of a column that are recipes, whose runs have laws of their own.
const MOST_RECIPES: usize = 12;

/// Places in which two words must be compared before they are called recipes.
const FEWEST_PLACES: usize = 3;

/// The best of each place of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct BestOf {
    /// Columns that the best was chosen from.
    pub columns: Vec<String>,
    /// Rows before.
    pub of: usize,
    /// Most rows of one place.
    pub most: usize,
    /// Places whose best is the smallest or largest value tried.
    pub at_end: usize,
    /// By how many standard deviations of the noise the lowest of so many equal losses is too low.
    pub too_low: f64,
}

impl std::fmt::Display for BestOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { columns, of, most, at_end, too_low } = self;
        write!(
            f,
            "the lowest loss over {} counts, of up to {most} runs each ({of} in all); the lowest of {most} losses that differ \
             by noise alone is too low by {too_low:.1} of its standard deviations",
            columns.join(", ")
        )?;
        match at_end {
            0 => Ok(()),
            _ => write!(
                f,
                "; in {at_end} places the best value is the smallest or largest tried, so better ones may lie beyond"
            ),
        }
    }
}

/// Rows of a table by place: alike in every variable of the law, and in what else is asked for.
pub(super) struct Places<'a> {
    table: &'a Table,
    /// The place of each row.
    place: Vec<u32>,
    /// The response of each row.
    response: Vec<f64>,
    /// Settings that vary within a place.
    settings: Vec<&'a Column>,
    /// Columns that count parameters, tokens, FLOPs or steps.
    counts: Vec<&'a str>,
}

impl<'a> Places<'a> {
    /// The places of a law's variables. `used` are the columns of the points, which are no settings.
    pub(super) fn of(table: &'a Table, dataset: &Dataset, used: &[&str]) -> Self {
        let place = places(dataset);
        // Where every row is a place of its own, as in curves, nothing varies within one.
        if all_different(&place) {
            return Self { table, place, response: vec![], settings: vec![], counts: vec![] };
        }
        let identities = named(
            table,
            &[Role::Run, Role::Trunk, Role::Status, Role::Loss, Role::LossError, Role::NoiseScale],
        );
        let counts = named(table, &[Role::N, Role::D, Role::C, Role::S, Role::U, Role::T]);
        let is_setting = |column: &&Column| {
            let name = column.name.as_str();
            !used.contains(&name)
                && !identities.contains(&name)
                && !is_outcome(name)
                && (repeats(column) || counts.contains(&name))
        };
        let mut settings: Vec<&Column> = table.columns().iter().filter(is_setting).collect();
        settings.retain(|column| !varies(&place, &column.groups()).is_empty());
        Self { table, place, response: dataset.response().to_vec(), settings, counts }
    }

    /// What is swept, without what follows from another swept column, and without counts and seeds.
    pub(super) fn swept(&self) -> Vec<Swept> {
        if self.settings.is_empty() {
            return vec![];
        }
        let rates = named(self.table, &[Role::LearningRate]);
        let is_own = |c: &&Column| !is_seed(&c.name) && !self.counts.contains(&c.name.as_str());
        let mut settings: Vec<&Column> = self.settings.iter().copied().filter(is_own).collect();
        settings.sort_by_key(|c| (!rates.contains(&c.name.as_str()), c.numbers().is_none()));
        let mut told: Vec<&Column> = Vec::new();
        for column in settings {
            if !told.iter().any(|other| self.follows(column, other)) {
                told.push(column);
            }
        }
        let several = varies(&self.place, &(0..self.place.len() as u32).collect::<Vec<_>>()).len();
        let describe = |column: &Column| {
            let at = varies(&self.place, &column.groups());
            Swept {
                column: column.name.clone(),
                most: at.iter().map(|(_, values)| *values).max().unwrap_or(0),
                places: at.len(),
                of: several,
                words: words(column),
                parts_recipes: self.parts_recipes(column, at.len(), several),
            }
        };
        told.into_iter().map(describe).collect()
    }

    /// Whether a column's few words differ in most places, and in nearly all of them the same one of the first two has
    /// the higher loss; the hosts that runs were on do not.
    fn parts_recipes(&self, column: &Column, places: usize, of: usize) -> bool {
        let words = words(column);
        if !(2..=MOST_RECIPES).contains(&words.len()) || 2 * places < of {
            return false;
        }
        let (mut above, mut below) = (0, 0);
        for rows in gathered(&self.place) {
            let mean = |word: &String| {
                let of: Vec<f64> =
                    rows.iter().filter(|i| column.text(**i) == *word).map(|i| self.response[*i]).collect();
                (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64)
            };
            if let (Some(a), Some(b)) = (mean(&words[0]), mean(&words[1])) {
                above += usize::from(a > b);
                below += usize::from(a < b);
            }
        }
        above + below >= FEWEST_PLACES && 10 * above.min(below) <= above + below
    }

    /// A number for each row that is the same where rows are repeats: alike in all but their seed.
    pub(super) fn repeats(&self) -> Vec<u32> {
        let settings: Vec<Vec<u32>> =
            self.settings.iter().filter(|c| !is_seed(&c.name)).map(|c| c.groups()).collect();
        if settings.is_empty() {
            return self.place.clone();
        }
        numbered((0..self.place.len()).map(|i| {
            let mut key = vec![self.place[i]];
            key.extend(settings.iter().map(|groups| groups[i]));
            key
        }))
    }

    /// The different row that each row is or is a copy of; `None` when hardly any is a copy.
    pub(super) fn copies(&self) -> Option<(Vec<u32>, Copies)> {
        if all_different(&self.place) { None } else { copies(&self.place, &self.response) }
    }

    /// The rows among which the one of lowest loss counts: those of each place and each value of the settings that do
    /// not follow from `columns`.
    ///
    /// # Errors
    /// A column does not exist.
    pub(super) fn cells(&self, columns: &[String]) -> Result<Vec<Vec<usize>>, LabError> {
        let chosen = columns.iter().map(|name| self.table.column(name)).collect::<Result<Vec<_>, _>>()?;
        let all: Vec<Vec<u32>> = chosen.iter().map(|c| c.groups()).collect();
        let together = numbered((0..self.place.len()).map(|i| all.iter().map(|g| g[i]).collect::<Vec<_>>()));
        let others: Vec<Vec<u32>> = self
            .settings
            .iter()
            .filter(|c| !chosen.iter().any(|of| of.name == c.name))
            .map(|c| c.groups())
            .filter(|groups| !follows(&self.place, groups, &together))
            .collect();
        let cell = numbered((0..self.place.len()).map(|i| {
            let mut key = vec![self.place[i]];
            key.extend(others.iter().map(|groups| groups[i]));
            key
        }));
        Ok(gathered(&cell))
    }

    /// The indices of the rows of lowest loss, one for each of the `cells`, and what was chosen; a row whose loss is not
    /// finite is none of its cell.
    ///
    /// # Errors
    /// A column does not exist.
    pub(super) fn best_of(
        &self,
        columns: &[String],
        cells: &[Vec<usize>],
        loss: &[f64],
    ) -> Result<(Vec<usize>, BestOf), LabError> {
        let chosen = columns.iter().map(|name| self.table.column(name)).collect::<Result<Vec<_>, _>>()?;
        let mut keep = Vec::new();
        let (mut most, mut at_end) = (0, 0);
        for rows in cells {
            let rows: Vec<usize> = rows.iter().copied().filter(|i| loss[*i].is_finite()).collect();
            let Some(best) = rows.iter().copied().min_by(|a, b| loss[*a].total_cmp(&loss[*b])) else {
                continue;
            };
            keep.push(best);
            most = most.max(rows.len());
            let at_an_end = |column: &&Column| {
                column.numbers().is_some_and(|v| {
                    let (lo, hi) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), i| {
                        (lo.min(v[*i]), hi.max(v[*i]))
                    });
                    lo < hi && (v[best] == lo || v[best] == hi)
                })
            };
            at_end += usize::from(chosen.iter().any(at_an_end));
        }
        keep.sort_unstable();
        let columns = chosen.iter().map(|c| c.name.clone()).collect();
        Ok((keep, BestOf { columns, of: self.table.len(), most, at_end, too_low: lowest_of(most) }))
    }

    fn follows(&self, column: &Column, other: &Column) -> bool {
        follows(&self.place, &column.groups(), &other.groups())
    }
}

/// Columns of few words that come back, which may be those of recipes, with their words in order of appearance. `used` are
/// the columns of the points.
pub(crate) fn recipes<'a>(table: &'a Table, used: &[&str]) -> Vec<(&'a Column, Vec<String>)> {
    let identities = named(table, &[Role::Run, Role::Trunk, Role::Status]);
    let is_free = |c: &&Column| {
        let name = c.name.as_str();
        !used.contains(&name) && !identities.contains(&name) && !is_seed(name) && repeats(c)
    };
    let columns = table.columns().iter().filter(is_free).map(|column| (column, words(column)));
    columns.filter(|(_, words)| (2..=MOST_RECIPES).contains(&words.len())).collect()
}

/// Names of the columns that are recognised as one of `roles`.
fn named<'a>(table: &'a Table, roles: &[Role]) -> Vec<&'a str> {
    roles.iter().flat_map(|role| table.candidates(*role)).map(|c| c.name.as_str()).collect()
}

/// Most values that the response has among rows alike in every variable.
pub(super) fn most_values(dataset: &Dataset) -> usize {
    let values = numbered(dataset.response().iter().map(|y| y.to_bits()));
    varies(&places(dataset), &values).into_iter().map(|(_, values)| values).max().unwrap_or(1)
}

/// The place of each point: a number that is the same where all variables are.
fn places(dataset: &Dataset) -> Vec<u32> {
    let names = dataset.names();
    let variables = names.iter().filter_map(|name| dataset.column(name));
    variables.fold(vec![0; dataset.len()], |place, values| {
        numbered(place.into_iter().zip(values.iter().map(|value| value.to_bits())))
    })
}

/// Whether no two rows are of one place.
fn all_different(place: &[u32]) -> bool {
    place.iter().max().is_none_or(|last| *last as usize + 1 == place.len())
}

/// Rows whose variables are the same and whose responses are all but the same, as copies of one run are and repeats are
/// not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// Rows.
    pub rows: usize,
    /// Different ones among them.
    pub different: usize,
}

impl std::fmt::Display for Copies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, different } = self;
        write!(
            f,
            "{rows} rows are {different} different ones and copies of them that differ by less than a millionth: copies are \
             no independent runs, and are taken to go together"
        )
    }
}

/// The different row that each row is or is a copy of, by the place of each; `None` when hardly any is a copy.
fn copies(place: &[u32], response: &[f64]) -> Option<(Vec<u32>, Copies)> {
    const ALIKE: f64 = 1e-6;
    let mut original = vec![0u32; place.len()];
    let mut different = 0;
    for mut rows in gathered(place) {
        rows.sort_by(|a, b| response[*a].total_cmp(&response[*b]));
        let alike = |a: &usize, b: &usize| response[*b] - response[*a] <= ALIKE * response[*a].abs();
        for same in rows.chunk_by(alike) {
            for row in same {
                original[*row] = different;
            }
            different += 1;
        }
    }
    let (rows, different) = (place.len(), different as usize);
    (10 * different < 9 * rows).then_some((original, Copies { rows, different }))
}

/// Whether a column's values come back in several rows, as settings do and measurements do not.
fn repeats(column: &Column) -> bool {
    let distinct = column.groups().into_iter().max().map_or(0, |last| last as usize + 1);
    distinct > 1 && 2 * distinct <= column.len() + 1
}

/// The words of a column of words.
fn words(column: &Column) -> Vec<String> {
    if column.numbers().is_some() {
        return vec![];
    }
    let mut words: Vec<String> = Vec::new();
    for word in (0..column.len()).map(|i| column.text(i)) {
        if !words.contains(&word) && words.len() <= MOST_RECIPES {
            words.push(word);
        }
    }
    words
}

/// The places in which a column has several values, and how many.
fn varies(place: &[u32], values: &[u32]) -> Vec<(u32, usize)> {
    let mut pairs: Vec<(u32, u32)> = place.iter().copied().zip(values.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let counted = pairs.chunk_by(|a, b| a.0 == b.0).map(|chunk| (chunk[0].0, chunk.len()));
    counted.filter(|(_, values)| *values > 1).collect()
}

/// Whether in every place a column's value follows from another's.
fn follows(place: &[u32], column: &[u32], other: &[u32]) -> bool {
    let mut of: HashMap<(u32, u32), u32> = HashMap::new();
    (0..place.len()).all(|i| *of.entry((place[i], other[i])).or_insert(column[i]) == column[i])
}

/// A number for each key, the same where keys are the same, counted from 0.
fn numbered<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let mut index: HashMap<K, u32> = HashMap::new();
    keys.map(|key| {
        let next = index.len() as u32;
        *index.entry(key).or_insert(next)
    })
    .collect()
}

/// The rows of each number, in its order.
fn gathered(numbers: &[u32]) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); numbers.iter().max().map_or(0, |last| *last as usize + 1)];
    for (i, number) in numbers.iter().enumerate() {
        rows[*number as usize].push(i);
    }
    rows
}

/// How many standard deviations the lowest of `count` normal values lies below their mean, on average.
///
/// # Source
/// The mean of the first order statistic, `n ∫ x φ(x) (1 - Φ(x))^(n-1) dx`, by trapezoids.
fn lowest_of(count: usize) -> f64 {
    const STEP: f64 = 0.01;
    const FARTHEST: i32 = 1000;
    if count < 2 {
        return 0.0;
    }
    let n = count as f64;
    let term = |i: i32| {
        let x = STEP * f64::from(i);
        let density = libm::exp(-0.5 * x * x) / libm::sqrt(2.0 * std::f64::consts::PI);
        let above = 0.5 * libm::erfc(x / std::f64::consts::SQRT_2);
        -x * n * density * libm::pow(above, n - 1.0)
    };
    STEP * (-FARTHEST..=FARTHEST).map(term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_of_normal_values_is_the_first_order_statistic() {
        // Harter 1961, Biometrika 48, table 1.
        let known = [
            (1, 0.0),
            (2, 0.56419),
            (3, 0.84628),
            (10, 1.53875),
            (12, 1.62923),
            (50, 2.24907),
            (100, 2.50759),
        ];
        for (count, expected) in known {
            assert!((lowest_of(count) - expected).abs() < 1e-5, "{count}: {}", lowest_of(count));
        }
        assert!(lowest_of(1_000_000) > 4.8 && lowest_of(0) == 0.0);
    }
}

//! Recipes pooled in one fit: groups of runs that lie above or below the fitted law, by a column of few words.
//!
//! Runs alike in every variable are compared before the fit. Where no two runs are alike, the residuals tell.

use crate::error::LabError;
use crate::observations::{Points, recipes};
use scalelaw_fit::{Dataset, FittedLaw, Law, Response, value_and_gradient};
use scalelaw_table::quoted;
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

/// Above this the groups are taken for one.
const LEVEL: f64 = 0.01;

/// Where groups explain so much of the variance of a variable's logarithm, an offset cannot be told from the law's own
/// shape along it.
const OF_A_VARIABLE: f64 = 0.9;

/// A column whose words differ in the residuals of a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Offset {
    /// The column.
    pub column: String,
    /// Its words in order of appearance, and how far the runs of each lie above the law, in ln loss.
    pub words: Vec<(String, f64)>,
    /// How probable so different groups are by chance.
    pub p_value: f64,
}

impl std::fmt::Display for Offset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { column, words, p_value } = self;
        let ends = words
            .iter()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .zip(words.iter().max_by(|a, b| a.1.total_cmp(&b.1)));
        write!(
            f,
            "the groups of column {column} have laws of their own (p = {p_value:.1e} by their offsets in ln loss)"
        )?;
        if let Some(((low, below), (high, above))) = ends {
            write!(
                f,
                ": those of {high:?} lie {:.1}% above those of {low:?}",
                100.0 * libm::expm1(above - below)
            )?;
        }
        let first = words.first().map_or("", |(word, _)| word);
        write!(f, "; select one, such as {} == {first:?}", quoted(column))
    }
}

/// The columns of few words whose groups lie apart from each other in the residuals of `fitted`, without those that a
/// filter names, which are the user's to judge.
///
/// # Source
/// Draper & Smith 1998, section 14.1: dummy variables beside the law's derivatives by its free parameters, and the F-test
/// of what they explain.
///
/// # Errors
/// A column cannot be read.
pub(crate) fn found(
    law: &dyn Law,
    fitted: &FittedLaw,
    points: &Points,
    judged: &[String],
) -> Result<Vec<Offset>, LabError> {
    let (data, n) = (&points.dataset, points.dataset.len());
    let Some(misfit) = Misfit::of(law, fitted, data) else { return Ok(vec![]) };
    let variables: Vec<&[f64]> = law.variables().iter().filter_map(|v| data.column(v)).collect();
    let used: Vec<&str> = points.reading.assigned.iter().flat_map(|a| a.source.columns()).collect();
    let said = |name: &str| {
        judged.iter().any(|j| j == name) || points.reading.swept.iter().any(|s| s.column == name)
    };
    let mut found: Vec<(Offset, Vec<u32>)> = Vec::new();
    for (column, words) in recipes(&points.table, &used) {
        let groups = column.groups();
        if said(&column.name) || found.iter().any(|(_, other)| *other == groups) {
            continue;
        }
        let mean_of = |values: &[f64], group: u32| {
            let of = || values.iter().zip(&groups).filter(|(_, g)| **g == group).map(|(v, _)| *v);
            of().sum::<f64>() / of().count() as f64
        };
        let numbers: Vec<u32> = (0..words.len() as u32).collect();
        let explained = |values: &[f64]| {
            let logs: Vec<f64> = values.iter().map(|v| libm::log(*v)).collect();
            let mean = logs.iter().sum::<f64>() / n as f64;
            let means: Vec<f64> = numbers.iter().map(|g| mean_of(&logs, *g)).collect();
            let between: f64 = groups.iter().map(|g| (means[*g as usize] - mean).powi(2)).sum();
            between / logs.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        };
        if variables.iter().any(|values| explained(values) > OF_A_VARIABLE) {
            continue;
        }
        if let Some(p_value) = misfit.by_chance(&groups).filter(|p| *p < LEVEL) {
            let words =
                words.into_iter().zip(&numbers).map(|(w, g)| (w, mean_of(&misfit.residuals, *g))).collect();
            found.push((Offset { column: column.name.clone(), words, p_value }, groups));
        }
    }
    Ok(found.into_iter().map(|(offset, _)| offset).collect())
}

/// Rows of one size that lie above or below the law together.
#[derive(Clone, Debug, PartialEq)]
pub struct OfSizes {
    /// Sizes.
    pub sizes: usize,
    /// Rows.
    pub rows: usize,
    /// How probable so different sizes are by chance.
    pub p_value: f64,
}

impl std::fmt::Display for OfSizes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sizes, rows, p_value } = self;
        write!(
            f,
            "the {rows} rows of {sizes} sizes err together by size (p = {p_value:.1e}): if the rows of a size are checkpoints \
             of one run, they are not runs of their own, and the intervals are too narrow: name the column of runs; otherwise \
             this law misses what N does"
        )
    }
}

/// Rows of one size, on average, from which they may be checkpoints of one run.
const ROWS_OF_A_SIZE: usize = 8;
/// A law that is nearly right is not to be suspected.
const LEVEL_OF_SIZES: f64 = 1e-6;

/// Whether rows of one N err together, where N is one of several variables of the law and no column of runs says which rows
/// belong together.
///
/// # Source
/// As [`found`].
pub(crate) fn of_sizes(law: &dyn Law, fitted: &FittedLaw, data: &Dataset) -> Option<OfSizes> {
    let sizes = data.column("N").filter(|_| law.variables().len() > 1)?;
    let mut distinct = sizes.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 2 || data.len() < ROWS_OF_A_SIZE * distinct.len() {
        return None;
    }
    let groups: Vec<u32> = sizes.iter().map(|n| distinct.partition_point(|other| other < n) as u32).collect();
    let p_value = Misfit::of(law, fitted, data)?.by_chance(&groups).filter(|p| *p < LEVEL_OF_SIZES)?;
    Some(OfSizes { sizes: distinct.len(), rows: data.len(), p_value })
}

/// What a law leaves of the runs, and what it could have explained.
struct Misfit {
    residuals: Vec<f64>,
    /// Spanned by the law's derivatives by its free parameters.
    basis: Basis,
}

impl Misfit {
    /// `None` where rows go together, which are no witnesses of their own, and of laws of something else than the loss.
    fn of(law: &dyn Law, fitted: &FittedLaw, data: &Dataset) -> Option<Self> {
        let n = data.len();
        if law.response() != Response::Loss || fitted.n_runs < n || data.response().iter().any(|y| *y <= 0.0)
        {
            return None;
        }
        let variables: Vec<&[f64]> = law.variables().iter().filter_map(|v| data.column(v)).collect();
        let free: Vec<bool> = fitted.params.iter().map(|(_, estimate)| estimate.se.is_some()).collect();
        let (mut residuals, mut slopes) = (Vec::with_capacity(n), vec![Vec::with_capacity(n); free.len()]);
        for i in 0..n {
            let x: Vec<f64> = variables.iter().map(|v| v[i]).collect();
            let (value, gradient) = value_and_gradient(law, &x, &fitted.values());
            residuals.push(libm::log(data.response()[i] / value));
            for (slope, by) in slopes.iter_mut().zip(gradient) {
                slope.push(by / value);
            }
        }
        let mut basis = Basis::default();
        for (slope, _) in slopes.into_iter().zip(free).filter(|(_, free)| *free) {
            basis.add(slope);
        }
        Some(Self { residuals, basis })
    }

    /// How probable it is by chance that groups, numbered from 0, lie so far apart in the residuals; `None` where too few
    /// rows say it, or the residuals are rounding.
    fn by_chance(&self, groups: &[u32]) -> Option<f64> {
        let n = self.residuals.len() as f64;
        let mut with = self.basis.clone();
        for group in 1..=groups.iter().copied().max()? {
            with.add(groups.iter().map(|g| f64::from(u8::from(*g == group))).collect());
        }
        let (pooled, apart) = (self.basis.unexplained(&self.residuals), with.unexplained(&self.residuals));
        let (d1, d2) = (with.len() as f64 - self.basis.len() as f64, n - with.len() as f64);
        if d1 < 1.0 || d2 < 2.0 || pooled < 1e-20 * n {
            return None;
        }
        if apart <= 0.0 {
            return Some(0.0);
        }
        let f = (pooled - apart) / d1 / (apart / d2);
        FisherSnedecor::new(d1, d2).ok().map(|distribution| distribution.sf(f))
    }
}

/// Orthonormal vectors, by the modified Gram-Schmidt process.
#[derive(Clone, Default)]
struct Basis(Vec<Vec<f64>>);

impl Basis {
    fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the direction of a vector, unless it is one of the others'.
    fn add(&mut self, vector: Vec<f64>) {
        const SAME: f64 = 1e-7;
        let norm = |v: &[f64]| libm::sqrt(v.iter().map(|x| x * x).sum::<f64>());
        let before = norm(&vector);
        // Twice, for what rounding leaves.
        let rest = self.without(self.without(vector));
        let after = norm(&rest);
        if after > SAME * before {
            self.0.push(rest.into_iter().map(|x| x / after).collect());
        }
    }

    fn without(&self, mut vector: Vec<f64>) -> Vec<f64> {
        for direction in &self.0 {
            let along: f64 = vector.iter().zip(direction).map(|(v, d)| v * d).sum();
            vector.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
        }
        vector
    }

    /// The sum of squares of what no vector explains.
    fn unexplained(&self, vector: &[f64]) -> f64 {
        self.without(vector.to_vec()).iter().map(|x| x * x).sum()
    }
}

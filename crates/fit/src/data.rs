//! The points a law is fitted to, in the law's own order of variables.

use crate::error::FitError;
use crate::law::{Law, Vars};
use scalelaw_core::Conventions;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Named columns of observations: what a caller builds from a table.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    columns: Vec<(String, Vec<f64>)>,
    response: Vec<f64>,
    weights: Option<Vec<f64>>,
    groups: Option<Vec<u32>>,
    repeats: Option<Vec<u32>>,
    /// What N, C and D count, where that is known.
    pub conventions: Option<Conventions>,
    /// Digest of the source, kept with the law.
    pub digest: Option<String>,
    /// What the response is measured in, where that is not nats per token.
    pub unit: Option<String>,
}

impl Dataset {
    /// Observations of `response` (a loss in nats per token for most laws).
    pub fn new(response: Vec<f64>) -> Self {
        Self { response, ..Self::default() }
    }

    /// Adds a variable: `N`, `D`, `C`, `S`, `B`, `L`, `U`, `T` or any name a user's expression uses.
    #[must_use]
    pub fn with(mut self, name: &str, values: Vec<f64>) -> Self {
        self.columns.retain(|(n, _)| n != name);
        self.columns.push((name.to_string(), values));
        self
    }

    /// Multiplies each point's term of the objective.
    #[must_use]
    pub fn weighted(mut self, weights: Vec<f64>) -> Self {
        self.weights = Some(weights);
        self
    }

    /// Multiplies each point's term of the objective once more.
    pub(crate) fn times(mut self, factors: Vec<f64>) -> Self {
        self.weights = Some(match self.weights {
            Some(weights) => weights.iter().zip(&factors).map(|(w, f)| w * f).collect(),
            None => factors,
        });
        self
    }

    /// Which points belong together (one run, or one trunk): the bootstrap resamples whole groups.
    #[must_use]
    pub fn grouped(mut self, groups: Vec<u32>) -> Self {
        self.groups = Some(groups);
        self
    }

    /// Which points are repeats of one run, alike in everything but the seed: the same number. Without this, points
    /// alike in every variable are taken for repeats.
    #[must_use]
    pub fn repeated(mut self, repeats: Vec<u32>) -> Self {
        self.repeats = Some(repeats);
        self
    }

    /// States what N, C and D count.
    #[must_use]
    pub fn counted(mut self, conventions: Conventions) -> Self {
        self.conventions = Some(conventions);
        self
    }

    /// How many observations the run of each has.
    pub(crate) fn points_of_run(&self) -> Vec<f64> {
        let Some(groups) = &self.groups else { return vec![1.0; self.len()] };
        let mut count: BTreeMap<u32, f64> = BTreeMap::new();
        groups.iter().for_each(|group| *count.entry(*group).or_default() += 1.0);
        groups.iter().map(|group| count[group]).collect()
    }

    /// Number of observations.
    pub fn len(&self) -> usize {
        self.response.len()
    }

    /// Whether there is no observation.
    pub fn is_empty(&self) -> bool {
        self.response.is_empty()
    }

    /// The response.
    pub fn response(&self) -> &[f64] {
        &self.response
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice())
    }

    /// Names of the variables.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(n, _)| n.clone()).collect()
    }

    /// The observations whose index satisfies `keep`.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(usize) -> bool) -> Self {
        fn pick<T: Copy>(values: &[T], keep: &impl Fn(usize) -> bool) -> Vec<T> {
            values.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, v)| *v).collect()
        }
        Self {
            columns: self.columns.iter().map(|(n, v)| (n.clone(), pick(v, &keep))).collect(),
            response: pick(&self.response, &keep),
            weights: self.weights.as_ref().map(|v| pick(v, &keep)),
            groups: self.groups.as_ref().map(|v| pick(v, &keep)),
            repeats: self.repeats.as_ref().map(|v| pick(v, &keep)),
            conventions: self.conventions,
            digest: self.digest.clone(),
            unit: self.unit.clone(),
        }
    }

    /// The same observations with another response.
    #[must_use]
    pub fn with_response(&self, response: Vec<f64>) -> Self {
        Self { response, ..self.clone() }
    }

    /// The points in the order of the law's variables.
    ///
    /// # Errors
    /// A variable is missing, a column has another length, or a value is not finite and positive.
    pub fn for_law(&self, law: &dyn Law) -> Result<Data, FitError> {
        let n = self.len();
        let mut columns = Vec::new();
        for name in law.variables() {
            let column = self.column(name).ok_or_else(|| FitError::MissingVariable {
                law: law.name().to_string(),
                variable: name.to_string(),
                have: self.names(),
            })?;
            columns.push((name.clone(), column));
        }
        for (column, got) in columns
            .iter()
            .map(|(n, c)| (n.as_ref(), c.len()))
            .chain(self.weights.iter().map(|w| ("weights", w.len())))
            .chain(self.groups.iter().map(|g| ("groups", g.len())))
            .chain(self.repeats.iter().map(|r| ("repeats", r.len())))
        {
            if got != n {
                return Err(FitError::Length { column: column.to_string(), got, expected: n });
            }
        }
        let width = columns.len();
        let mut data = Data {
            variables: law.variables().to_vec(),
            x: Vec::with_capacity(n * width),
            ln_x: Vec::with_capacity(n * width),
            y: self.response.clone(),
            ln_y: self.response.iter().map(|y| libm::log(*y)).collect(),
            weight: self.weights.clone().unwrap_or_else(|| vec![1.0; n]),
            group: self.groups.clone().unwrap_or_else(|| (0..n as u32).collect()),
            repeat: self.repeats.clone().unwrap_or_else(|| vec![0; n]),
            places: Places::default(),
        };
        for i in 0..n {
            if !data.y[i].is_finite() {
                let (row, value) = (i + 1, data.y[i]);
                return Err(FitError::Value {
                    row,
                    column: "response".into(),
                    value,
                    expected: "a finite number",
                });
            }
            if !(data.weight[i].is_finite() && data.weight[i] >= 0.0) {
                let (row, value) = (i + 1, data.weight[i]);
                return Err(FitError::Value { row, column: "weight".into(), value, expected: "0 or above" });
            }
            for (name, column) in &columns {
                let value = column[i];
                if !value.is_finite() {
                    let column = name.to_string();
                    return Err(FitError::Value { row: i + 1, column, value, expected: "a finite number" });
                }
                data.x.push(value);
                data.ln_x.push(libm::log(value));
            }
        }
        data.places = Places::of(&data);
        Ok(data)
    }
}

/// Points in a law's order of variables.
#[derive(Clone, Debug)]
pub struct Data {
    pub(crate) variables: Vec<Cow<'static, str>>,
    pub(crate) x: Vec<f64>,
    pub(crate) ln_x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    pub(crate) ln_y: Vec<f64>,
    pub(crate) weight: Vec<f64>,
    pub(crate) group: Vec<u32>,
    /// Points alike in every variable are repeats where this is the same too.
    pub(crate) repeat: Vec<u32>,
    pub(crate) places: Places,
}

/// The points by place: those alike in every variable, for which a law is evaluated once. A sweep of learning rates or
/// of seeds has many points and few places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// For each point a number that those at the same place share.
    label: Vec<u32>,
    /// The points, place after place in the order of their first ones.
    points: Vec<u32>,
    /// Where each place ends in `points`.
    ends: Vec<u32>,
}

impl Places {
    fn of(data: &Data) -> Self {
        // FNV-1a over the bits of a point's variables.
        let fingerprint = |i: usize| {
            data.vars(i).value.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, x| {
                (hash ^ x.to_bits()).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
            })
        };
        let mut alike: Vec<(u64, u32)> = (0..data.len()).map(|i| (fingerprint(i), i as u32)).collect();
        alike.sort_unstable();
        let mut label: Vec<u32> = (0..data.len() as u32).collect();
        for points in alike.chunk_by(|a, b| a.0 == b.0) {
            let first = points[0].1;
            for (_, point) in &points[1..] {
                if data.vars(*point as usize).value == data.vars(first as usize).value {
                    label[*point as usize] = first;
                }
            }
        }
        Self::gathered(label)
    }

    fn gathered(label: Vec<u32>) -> Self {
        let n = label.len() as u32;
        if label.is_sorted_by(|a, b| a < b) {
            return Self { label, points: (0..n).collect(), ends: (1..=n).collect() };
        }
        let mut place_of = vec![u32::MAX; label.iter().max().map_or(0, |most| *most as usize + 1)];
        let mut ends: Vec<u32> = vec![];
        for l in &label {
            let place = &mut place_of[*l as usize];
            if *place == u32::MAX {
                *place = ends.len() as u32;
                ends.push(0);
            }
            ends[*place as usize] += 1;
        }
        let mut end = 0;
        for e in &mut ends {
            end += *e;
            *e = end;
        }
        let mut next: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).collect();
        let mut points = vec![0; label.len()];
        for (i, l) in label.iter().enumerate() {
            let at = &mut next[place_of[*l as usize] as usize];
            points[*at as usize] = i as u32;
            *at += 1;
        }
        Self { label, points, ends }
    }

    /// Number of places.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The points at a place, never none.
    pub fn points(&self, place: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let first = if place == 0 { 0 } else { self.ends[place - 1] as usize };
        self.points[first..self.ends[place] as usize].iter().map(|i| *i as usize)
    }

    /// One of the points at a place.
    pub fn first(&self, place: usize) -> usize {
        self.points[if place == 0 { 0 } else { self.ends[place - 1] as usize }] as usize
    }
}

impl Data {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// Variables of point `i`.
    pub fn vars(&self, i: usize) -> Vars<'_> {
        let width = self.variables.len();
        Vars { value: &self.x[i * width..(i + 1) * width], ln: &self.ln_x[i * width..(i + 1) * width] }
    }

    /// Observations.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// Smallest and largest value of variable `j`.
    pub fn range(&self, j: usize) -> (f64, f64) {
        let values = self.x.iter().skip(j).step_by(self.variables.len().max(1));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(*v), hi.max(*v)))
    }

    /// Corners of the convex hull of the points in the first two variables; empty for one variable.
    pub(crate) fn hull(&self) -> Vec<[f64; 2]> {
        if self.variables.len() < 2 {
            return vec![];
        }
        crate::hull::corners((0..self.len()).map(|i| [self.vars(i).value[0], self.vars(i).value[1]]))
    }

    /// The same points with the response transformed.
    pub(crate) fn transformed(&self, f: impl Fn(f64) -> f64) -> Self {
        let mut data = self.clone();
        data.y.iter_mut().for_each(|y| *y = f(*y));
        data.ln_y = data.y.iter().map(|y| libm::log(*y)).collect();
        data
    }

    /// Every `stride`-th point, at most about `limit` of them: screens starts on large tables.
    pub(crate) fn thinned(&self, limit: usize) -> Self {
        let stride = self.len().div_ceil(limit).max(1);
        self.select((0..self.len()).step_by(stride).map(|i| (i, self.weight[i])))
    }

    /// The points listed, with the weights listed.
    pub(crate) fn select(&self, points: impl Iterator<Item = (usize, f64)>) -> Self {
        let mut data = Self {
            variables: self.variables.clone(),
            x: vec![],
            ln_x: vec![],
            y: vec![],
            ln_y: vec![],
            weight: vec![],
            group: vec![],
            repeat: vec![],
            places: Places::default(),
        };
        let mut label = vec![];
        for (i, weight) in points {
            label.push(self.places.label[i]);
            let at = self.vars(i);
            data.x.extend_from_slice(at.value);
            data.ln_x.extend_from_slice(at.ln);
            data.y.push(self.y[i]);
            data.ln_y.push(self.ln_y[i]);
            data.weight.push(weight);
            data.group.push(self.group[i]);
            data.repeat.push(self.repeat[i]);
        }
        data.places = Places::gathered(label);
        data
    }
}

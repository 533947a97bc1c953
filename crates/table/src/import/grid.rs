//! Rows of named cells with their columns numbered.

use crate::cell::{Cell, Field};
use std::collections::HashMap;

/// A table of named cells; rows hold the cells that are there.
pub(super) struct Grid<'a> {
    names: Vec<&'a str>,
    /// By row, in order of the columns.
    rows: Vec<Vec<(usize, &'a Cell)>>,
    /// Number of each row in the file, from 1.
    numbers: Vec<usize>,
}

impl<'a> Grid<'a> {
    pub fn of(rows: &'a [Vec<(String, Cell)>]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        let mut index: HashMap<&str, usize> = HashMap::new();
        let rows = rows
            .iter()
            .map(|row| {
                let mut cells: Vec<(usize, &Cell)> = row
                    .iter()
                    .map(|(name, cell)| {
                        let column = *index.entry(name).or_insert_with(|| {
                            names.push(name);
                            names.len() - 1
                        });
                        (column, cell)
                    })
                    .collect();
                // The first of two columns of one name.
                cells.sort_by_key(|(column, _)| *column);
                cells.dedup_by_key(|(column, _)| *column);
                cells
            })
            .collect::<Vec<_>>();
        let numbers = (1..=rows.len()).collect();
        Self { names, rows, numbers }
    }

    /// Names of the columns, in the order in which they appear.
    pub fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| *n == name)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of a row in the file, the first data row being 1.
    pub fn number(&self, row: usize) -> usize {
        self.numbers[row]
    }

    /// The cells that are there, with their columns.
    pub fn row(&self, row: usize) -> &[(usize, &'a Cell)] {
        &self.rows[row]
    }

    pub fn cell(&self, row: usize, column: usize) -> &'a Cell {
        let cells = &self.rows[row];
        cells.binary_search_by_key(&column, |(c, _)| *c).map_or(&Cell::Missing, |i| cells[i].1)
    }

    /// A cell as text, if something is there.
    pub fn text(&self, row: usize, column: usize) -> Option<String> {
        String::from_cell(self.cell(row, column).clone()).filter(|text| !text.trim().is_empty())
    }

    /// Puts the rows into the order of the numbers in a column, if every row that is not empty has one; returns
    /// whether it did.
    pub fn sort_by(&mut self, column: usize) -> bool {
        let key = |row: usize| match self.rows[row].is_empty() {
            true => Some(f64::INFINITY),
            false => f64::from_cell(self.cell(row, column).clone()).filter(|x| x.is_finite()),
        };
        let Some(keys) = (0..self.len()).map(key).collect::<Option<Vec<f64>>>() else { return false };
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
        self.rows = order.iter().map(|row| std::mem::take(&mut self.rows[*row])).collect();
        self.numbers = order.iter().map(|row| self.numbers[*row]).collect();
        true
    }
}

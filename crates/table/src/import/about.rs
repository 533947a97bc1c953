//! What logs do not say of their runs: sizes, batches, data, from a small table.

use super::Imported;
use crate::cell::{Cell, Kind};
use crate::error::TableError;
use crate::rows::{Row, RunRow};
use scalelaw_core::number;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Facts about runs: columns of the run table, by run id.
#[derive(Clone, Debug)]
pub struct About {
    path: PathBuf,
    facts: BTreeMap<String, Vec<(String, Cell)>>,
}

impl About {
    /// Reads a table with `run_id` and any other columns of the run table, such as `n_nonembed` and `batch_tokens`.
    ///
    /// # Errors
    /// The file is no such table, has a column that the run table has not, or a run twice.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let wrong = |message: String| TableError::Format {
            path: path.to_path_buf(),
            format: "a table about runs",
            message,
        };
        let columns = RunRow::columns(&[]);
        let known: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let is_text = |name: &str| columns.iter().any(|(n, kind)| n == name && *kind == Kind::Text);
        let mut facts = BTreeMap::new();
        for (i, mut cells) in crate::format::read_cells(path)?.into_iter().enumerate() {
            if let Some((name, _)) = cells.iter().find(|(n, _)| !known.contains(n) && !n.starts_with("loss_"))
            {
                return Err(wrong(format!(
                    "column {name:?} is not one of the run table: {}",
                    known.join(", ")
                )));
            }
            for (name, cell) in &mut cells {
                if let (Cell::Text(text), false) = (&*cell, is_text(name))
                    && let Ok(number) = number::parse(text)
                {
                    *cell = Cell::Number(number);
                }
            }
            let row = RunRow::from_cells(path, i as u64 + 1, cells.clone())?;
            if facts.insert(row.run_id.clone(), cells).is_some() {
                return Err(wrong(format!("row {}: run {:?} is there already", i + 1, row.run_id)));
            }
        }
        Ok(Self { path: path.to_path_buf(), facts })
    }

    /// Fills what the logs left open; what a log says stays. Then `tokens` = steps × `batch_tokens` where only
    /// the batch is known, in runs and curves.
    ///
    /// # Errors
    /// A cell of the table does not fit its column.
    pub fn complete(mut self, imported: &mut Imported) -> Result<(), TableError> {
        let mut batches = BTreeMap::new();
        for (i, run) in imported.runs.iter_mut().enumerate() {
            if let Some(facts) = self.facts.remove(&run.run_id) {
                let evalsets = run.evalsets();
                let mut cells: BTreeMap<String, Cell> = RunRow::columns(&evalsets)
                    .into_iter()
                    .map(|(name, _): (String, Kind)| name)
                    .zip(run.to_cells(&evalsets))
                    .filter(|(_, cell)| *cell != Cell::Missing)
                    .collect();
                for (name, cell) in facts {
                    cells.entry(name).or_insert(cell);
                }
                *run = RunRow::from_cells(&self.path, i as u64 + 1, cells.into_iter().collect())?;
            } else {
                imported.notes.push(format!("{}: nothing about run {}", self.path.display(), run.run_id));
            }
            if let Some(batch) = run.batch_tokens {
                run.tokens = run.tokens.or_else(|| run.steps.and_then(|steps| steps.checked_mul(batch)));
                batches.insert(run.run_id.clone(), batch);
            }
        }
        for row in &mut imported.curves {
            let batch = batches.get(&row.run_id);
            row.tokens = row.tokens.or_else(|| row.step?.checked_mul(*batch?));
        }
        for run in self.facts.keys() {
            imported
                .problems
                .push(format!("{}: run {run:?} is not among those imported", self.path.display()));
        }
        Ok(())
    }
}

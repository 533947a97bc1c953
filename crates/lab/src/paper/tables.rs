//! The runs of the paper's figures as tables, written beside the page and read back: a study that can be drawn again
//! without its run directories.

use super::{PaperRun, PaperRuns, RunSet, SetCost};
use scalelaw_table::{CurveRow, Format, PositionRow, Row, RunRow, Table, TableError, read_rows, write_rows};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// Why the tables of a study cannot be written or read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A table of runs, curves or positions cannot be written or read.
    #[error("the table {}", path.display())]
    Table {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: TableError,
    },
    /// A table lacks a column, or is none.
    #[error(transparent)]
    Column(#[from] TableError),
    /// A run without a line in the table of sets.
    #[error("{}: run {run} of runs.csv is not in it", path.display())]
    Unlisted {
        /// The table of sets.
        path: PathBuf,
        /// The run.
        run: String,
    },
    /// A run set that does not exist.
    #[error("{}: no run set is called {name:?}", path.display())]
    UnknownSet {
        /// The table of what is missing.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A cell that holds no finite number.
    #[error("{table}: row {row}, column {column}: expected a number")]
    NotANumber {
        /// Its table.
        table: String,
        /// Its row in the file.
        row: u64,
        /// Its column.
        column: String,
    },
}

/// Which sets a run is of, and the sum of its rates.
const SETS: &str = "sets.csv";
/// Rates of the runs of set H.
const SCHEDULES: &str = "schedules.csv";
/// Facts about the study: name and value.
const FACTS: &str = "facts.csv";
/// Sets of which runs were missing, and what they cost.
const MISSING: &str = "missing.csv";

/// Whether a directory holds such tables.
pub fn are_in(dir: &Path) -> bool {
    dir.join(SETS).is_file()
}

/// Writes the tables.
///
/// # Errors
/// When a file cannot be written.
pub fn write(runs: &PaperRuns, dir: &Path) -> Result<(), TablesError> {
    std::fs::create_dir_all(dir).map_err(|source| cannot_write(dir, source))?;
    let all = &runs.runs;
    rows(&dir.join("runs.csv"), &all.iter().map(|run| run.row.clone()).collect::<Vec<RunRow>>())?;
    rows(&dir.join("curves.csv"), &all.iter().flat_map(|run| run.curve.clone()).collect::<Vec<CurveRow>>())?;
    // Every evaluation of the largest trunk, which is drawn in training, and the last one of all others.
    let largest = runs.trunks().into_iter().rfind(|run| !run.positions.is_empty());
    let largest = largest.map(|run| run.row.run_id.clone());
    let positions = all.iter().flat_map(|run| {
        let last = run.positions.iter().map(|p| p.step).max();
        let whole = largest.as_ref() == Some(&run.row.run_id);
        run.positions.iter().filter(move |p| whole || Some(p.step) == last).cloned()
    });
    rows(&dir.join("positions.csv"), &positions.collect::<Vec<PositionRow>>())?;
    let (mut sets, mut schedules) =
        (String::from("run_id,sets,rate_sum\n"), String::from("run_id,update,rate\n"));
    let mut sorted: Vec<&PaperRun> = all.iter().collect();
    sorted.sort_by(|a, b| a.row.run_id.cmp(&b.row.run_id));
    for run in sorted {
        let id = &run.row.run_id;
        let _ = writeln!(sets, "{id},{},{}", run.sets.join(" "), run.rate_sum);
        if run.is_of(RunSet::Schedules) {
            for (update, rate) in &run.rates {
                let _ = writeln!(schedules, "{id},{update},{rate}");
            }
        }
    }
    let mut facts = String::from("name,value\n");
    for (name, value) in &runs.facts {
        let _ = writeln!(facts, "\"{}\",\"{}\"", name.replace('"', "\"\""), value.replace('"', "\"\""));
    }
    let mut missing = String::from("set,file,runs,of,flops,seconds\n");
    for m in &runs.missing {
        let seconds = m.seconds.map_or_else(String::new, |s| s.to_string());
        let _ = writeln!(
            missing,
            "{},\"{}\",{},{},{},{seconds}",
            m.set.letter(),
            m.file.replace('"', "\"\""),
            m.runs,
            m.of,
            m.flops
        );
    }
    for (name, text) in [(SETS, sets), (SCHEDULES, schedules), (FACTS, facts), (MISSING, missing)] {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|source| cannot_write(&path, source))?;
    }
    Ok(())
}

/// A table that may have a head and no rows.
fn optional(path: &Path) -> Result<Option<Table>, TablesError> {
    match Table::load(path) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::Empty { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn cannot_write(path: &Path, source: io::Error) -> TablesError {
    TablesError::Write { path: path.to_owned(), source }
}

fn rows<R: Row>(path: &Path, rows: &[R]) -> Result<(), TablesError> {
    let file = std::fs::File::create(path).map_err(|source| cannot_write(path, source))?;
    write_rows(rows, Format::CSV, file).map_err(|source| TablesError::Table { path: path.to_owned(), source })
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// When a table is missing or damaged.
pub fn read(dir: &Path) -> Result<PaperRuns, TablesError> {
    let mut curves: BTreeMap<String, Vec<CurveRow>> = BTreeMap::new();
    for row in load::<CurveRow>(&dir.join("curves.csv"))? {
        curves.entry(row.run_id.clone()).or_default().push(row);
    }
    let mut positions: BTreeMap<String, Vec<PositionRow>> = BTreeMap::new();
    for row in load::<PositionRow>(&dir.join("positions.csv"))? {
        positions.entry(row.run_id.clone()).or_default().push(row);
    }
    let mut rates: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    if let Some(schedules) = optional(&dir.join(SCHEDULES))? {
        for i in 0..schedules.len() {
            let point = (number(&schedules, "update", i)?, number(&schedules, "rate", i)?);
            rates.entry(text(&schedules, "run_id", i)?).or_default().push(point);
        }
    }
    let mut of: BTreeMap<String, (Vec<String>, f64)> = BTreeMap::new();
    let sets = Table::load(&dir.join(SETS))?;
    for i in 0..sets.len() {
        let names = text(&sets, "sets", i)?.split_whitespace().map(str::to_owned).collect();
        of.insert(text(&sets, "run_id", i)?, (names, number(&sets, "rate_sum", i)?));
    }
    let mut runs = Vec::new();
    for row in load::<RunRow>(&dir.join("runs.csv"))? {
        let id = row.run_id.clone();
        let Some((sets, rate_sum)) = of.remove(&id) else {
            return Err(TablesError::Unlisted { path: dir.join(SETS), run: id });
        };
        runs.push(PaperRun {
            sets,
            row,
            curve: curves.remove(&id).unwrap_or_default(),
            positions: positions.remove(&id).unwrap_or_default(),
            rates: rates.remove(&id).unwrap_or_default(),
            rate_sum,
        });
    }
    let facts = Table::load(&dir.join(FACTS))?;
    let facts: Result<Vec<(String, String)>, TablesError> =
        (0..facts.len()).map(|i| Ok((text(&facts, "name", i)?, text(&facts, "value", i)?))).collect();
    Ok(PaperRuns { runs, missing: missing(dir)?, facts: facts? })
}

fn missing(dir: &Path) -> Result<Vec<SetCost>, TablesError> {
    let Some(table) = optional(&dir.join(MISSING))? else { return Ok(vec![]) };
    let mut missing = Vec::new();
    for i in 0..table.len() {
        let letter = text(&table, "set", i)?;
        let set = RunSet::ALL.into_iter().find(|set| letter == set.letter().to_string());
        missing.push(SetCost {
            set: set.ok_or_else(|| TablesError::UnknownSet { path: dir.join(MISSING), name: letter })?,
            file: text(&table, "file", i)?,
            runs: number(&table, "runs", i)? as usize,
            of: number(&table, "of", i)? as usize,
            flops: number(&table, "flops", i)?,
            seconds: text(&table, "seconds", i)?.parse().ok(), // empty where no rate is known
        });
    }
    Ok(missing)
}

fn text(table: &Table, column: &str, row: usize) -> Result<String, TablesError> {
    Ok(table.column(column)?.text(row))
}

fn number(table: &Table, column: &str, row: usize) -> Result<f64, TablesError> {
    let value = table.column(column)?.numbers().map(|numbers| numbers[row]);
    value.filter(|value| value.is_finite()).ok_or_else(|| TablesError::NotANumber {
        table: table.source.clone(),
        row: table.row(row),
        column: column.to_owned(),
    })
}

fn load<R: Row>(path: &Path) -> Result<Vec<R>, TablesError> {
    read_rows(path).map_err(|source| TablesError::Table { path: path.to_owned(), source })
}

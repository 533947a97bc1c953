//! The runs of the paper's figures as tables, written beside the page and read back: a study that can be drawn again
//! without its run directories.

use anyhow::{Context, bail};
use scalelaw_report::paper::{PaperRun, PaperRuns, RunSet, SetCost};
use scalelaw_table::{CurveRow, Format, PositionRow, Row, RunRow, Table, TableError, read_rows, write_rows};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

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
pub fn write(runs: &PaperRuns, dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
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
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A table that may have a head and no rows.
fn optional(path: &Path) -> anyhow::Result<Option<Table>> {
    match Table::load(path) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::Empty { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn rows<R: Row>(path: &Path, rows: &[R]) -> anyhow::Result<()> {
    let file = std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    write_rows(rows, Format::CSV, file).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// When a table is missing or damaged.
pub fn read(dir: &Path) -> anyhow::Result<PaperRuns> {
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
            bail!("{}: run {id} of runs.csv is not in it", dir.join(SETS).display())
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
    let facts: anyhow::Result<Vec<(String, String)>> =
        (0..facts.len()).map(|i| Ok((text(&facts, "name", i)?, text(&facts, "value", i)?))).collect();
    Ok(PaperRuns { runs, missing: missing(dir)?, facts: facts? })
}

fn missing(dir: &Path) -> anyhow::Result<Vec<SetCost>> {
    let Some(table) = optional(&dir.join(MISSING))? else { return Ok(vec![]) };
    let mut missing = Vec::new();
    for i in 0..table.len() {
        let letter = text(&table, "set", i)?;
        let set = RunSet::ALL.into_iter().find(|set| letter == set.letter().to_string());
        missing.push(SetCost {
            set: set.with_context(|| format!("{}: no run set is called {letter:?}", table.source))?,
            file: text(&table, "file", i)?,
            runs: number(&table, "runs", i)? as usize,
            of: number(&table, "of", i)? as usize,
            flops: number(&table, "flops", i)?,
            seconds: text(&table, "seconds", i)?.parse().ok(), // empty where no rate is known
        });
    }
    Ok(missing)
}

fn text(table: &Table, column: &str, row: usize) -> anyhow::Result<String> {
    Ok(table.column(column)?.text(row))
}

fn number(table: &Table, column: &str, row: usize) -> anyhow::Result<f64> {
    let numbers = table.column(column)?.numbers();
    let value = numbers.with_context(|| format!("{}: column {column} holds text", table.source))?[row];
    if !value.is_finite() {
        bail!("{}: row {}, column {column}: expected a number", table.source, table.row(row));
    }
    Ok(value)
}

fn load<R: Row>(path: &Path) -> anyhow::Result<Vec<R>> {
    read_rows(path).with_context(|| format!("cannot read {}", path.display()))
}

//! Kaplan et al.'s whole chain from one table of learning curves.

use crate::error::LabError;
use crate::observations::{Observations, TableRequest, unfinished};
use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_fit::chain::{ChainOptions, ChainReport, GridRun, Point, Trunk, chain};
use scalelaw_table::{RunRow, read_rows};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which curves, and how the chain is estimated.
#[derive(Clone, Debug)]
pub struct ChainRequest {
    /// Learning curves; its `runs` give N and the batch where the curves have none.
    pub curves: TableRequest,
    /// Tokens per update, when no column says it.
    pub batch_tokens: Option<f64>,
    /// Early-stopped runs of an (N, D) grid with columns N, D and loss, for Table 2.
    pub grid: Option<PathBuf>,
    /// Steps at the start of every curve that are left out.
    pub skip_steps: f64,
    /// Half width, in ln step, of the window that curves are averaged over.
    pub smoothing: f64,
    /// Resamples of trunks.
    pub bootstrap: usize,
    /// Seed of the resampling.
    pub seed: u64,
}

/// Estimates the chain.
///
/// # Errors
/// The tables cannot be used, or no curve has enough points.
pub fn run(request: &ChainRequest) -> Result<ChainReport, LabError> {
    let (trunks, left_out) = trunks(request)?;
    let grid = request.grid.as_deref().map(grid_runs).transpose()?.unwrap_or_default();
    let options = ChainOptions {
        skip_steps: request.skip_steps,
        smoothing: request.smoothing,
        level_ratio: 1.03,
        points_per_curve: 30,
        bootstrap: request.bootstrap,
        seed: request.seed,
        conventions: Conventions {
            params: request.curves.params.unwrap_or(ParamConvention::NonEmbedding),
            flops: FlopConvention::SixN,
            data: DataConvention::Processed,
        },
    };
    let mut report = chain(&trunks, &grid, &options)?;
    report.left_out.splice(0..0, left_out);
    Ok(report)
}

/// The curves by run, each with its size and batch, and what was left out because it did not come to its end.
fn trunks(request: &ChainRequest) -> Result<(Vec<Trunk>, Vec<String>), LabError> {
    // Sizes are taken from the runs one by one: a curve's own column comes first.
    let curves = TableRequest { runs: None, ..request.curves.clone() };
    let observations = Observations::open(&curves)?;
    observations.check_assigned("the chain", &["run", "S", "loss", "response", "noise_scale", "N", "B"])?;
    let table = &observations.table;
    let numbers = |symbol: &str| observations.values(symbol, table);
    let needed = |symbol: &str| numbers(symbol)?.ok_or_else(|| observations.missing(symbol));
    let (run, step) = (observations.needed("run")?, needed("S")?);
    let loss = numbers("response")?.map_or_else(|| needed("loss"), Ok)?;
    let noise = numbers("noise_scale")?;
    let (n, batch) = (numbers("N")?, numbers("B")?);
    let rows: BTreeMap<String, RunRow> = match &request.curves.runs {
        Some(path) => read_rows::<RunRow>(path)?.into_iter().map(|r| (r.run_id.clone(), r)).collect(),
        None => BTreeMap::new(),
    };
    let ids = table.column(&run)?;
    let mut left_out: Vec<String> = Vec::new();
    if observations.left_out.rows() > 0 {
        left_out.push(observations.left_out.to_string());
    }
    let mut trunks: BTreeMap<String, Trunk> = BTreeMap::new();
    for i in 0..table.len() {
        let id = ids.text(i);
        let row = rows.get(&id);
        if let Some(word) = row.and_then(|row| unfinished(row.status.as_deref()?)) {
            let said = format!("{id}: {word}");
            if !left_out.contains(&said) {
                left_out.push(said);
            }
            continue;
        }
        let size = n.as_ref().map(|n| n[i]).or_else(|| row?.n_nonembed.map(|n| n as f64));
        let tokens = batch.as_ref().map(|b| b[i]).or_else(|| row?.batch_tokens.map(|b| b as f64));
        let missing = |what| LabError::NoFact { table: table.source.clone(), run: id.clone(), what };
        let n = size.ok_or_else(|| missing("N"))?;
        let batch = tokens.or(request.batch_tokens).ok_or_else(|| missing("batch"))?;
        let noise_scale = noise.as_ref().map(|v| v[i]).filter(|v| v.is_finite());
        let point = Point { step: step[i], loss: loss[i], noise_scale };
        let trunk = trunks.entry(id.clone()).or_insert_with(|| Trunk { run: id, n, batch, points: vec![] });
        trunk.points.push(point);
    }
    Ok((trunks.into_values().collect(), left_out))
}

fn grid_runs(path: &Path) -> Result<Vec<GridRun>, LabError> {
    let observations = Observations::open(&TableRequest::new(path))?;
    let values = |symbol: &str| observations.values(symbol, &observations.table);
    let numbers = |symbol: &str| values(symbol)?.ok_or_else(|| observations.missing(symbol));
    let (n, d, loss) = (numbers("N")?, numbers("D")?, numbers("loss")?);
    Ok((0..n.len()).map(|i| GridRun { n: n[i], d: d[i], loss: loss[i] }).collect())
}

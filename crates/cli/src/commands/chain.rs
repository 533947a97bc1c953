//! `scalelaw chain`: Kaplan et al.'s whole chain from one table of learning curves.

use super::observations::{Observations, TableArgs};
use crate::output;
use anyhow::{Context, bail};
use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention, number};
use scalelaw_fit::chain::{ChainOptions, ChainReport, GridRun, Point, Trunk, chain};
use scalelaw_table::{RunRow, Table, read_rows};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw chain`.
#[derive(clap::Args)]
#[command(
    after_help = "CURVES has a row an evaluation: run, step, loss, N and the batch in tokens; N and the batch may come \
    from --runs instead.\n\nExamples:\n  scalelaw chain curves.csv --runs runs.csv --out chain.json\n  scalelaw chain \
    curves.csv.gz --map run=hyper_id,loss=loss_validation,N=dense_parameter_count --batch 524288 --where 'step > 0'"
)]
pub struct Arguments {
    /// Learning curves
    curves: PathBuf,
    #[command(flatten)]
    table: TableArgs,
    /// The run table, when the curves have no N or batch
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    /// Tokens per update, when no column says it
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    batch: Option<f64>,
    /// Early-stopped runs of an (N, D) grid with columns N, D and loss, for Table 2
    #[arg(long, value_name = "TABLE")]
    grid: Option<PathBuf>,
    /// Steps at the start of every curve that are left out
    #[arg(long, value_name = "STEPS", default_value_t = 0.0)]
    skip: f64,
    /// Half width, in ln step, of the window that curves are averaged over
    #[arg(long, default_value_t = 0.15)]
    smoothing: f64,
    /// Resamples of trunks
    #[arg(long, value_name = "N", default_value_t = 200)]
    bootstrap: usize,
    /// Seed of the resampling
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the chain here, for scalelaw plan --law
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Walks the chain.
///
/// # Errors
/// The tables cannot be used, or no curve has enough points.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let observations = Observations::open(&arguments.curves, &arguments.table)?;
    for line in &observations.said {
        eprintln!("{line}");
    }
    let trunks = trunks(&observations, arguments)?;
    let grid = arguments.grid.as_deref().map(grid_runs).transpose()?.unwrap_or_default();
    let params = arguments.table.params.map_or(ParamConvention::NonEmbedding, Into::into);
    let report = chain(
        &trunks,
        &grid,
        &ChainOptions {
            skip_steps: arguments.skip,
            smoothing: arguments.smoothing,
            level_ratio: 1.03,
            points_per_curve: 30,
            bootstrap: arguments.bootstrap,
            seed: arguments.seed,
            conventions: Conventions { params, flops: FlopConvention::SixN, data: DataConvention::Processed },
        },
    )?;
    let json = serde_json::to_string_pretty(&report)?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, format!("{json}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("chain: {}", path.display());
    }
    if arguments.json {
        output::print(&json)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn trunks(observations: &Observations, arguments: &Arguments) -> anyhow::Result<Vec<Trunk>> {
    let table = &observations.table;
    let column = |role: &str| {
        observations.column_for(role).with_context(|| {
            format!("{}: no column is recognised as {role}; name it with --map {role}=COLUMN", table.source)
        })
    };
    let run = column("run")?;
    let numbers = |name: &str| -> anyhow::Result<Vec<f64>> {
        let found = table.column(name)?.numbers();
        Ok(found.with_context(|| format!("{}: column {name} holds text", table.source))?.to_vec())
    };
    let step = numbers(
        &observations
            .column_for("S")
            .or_else(|| table.names().into_iter().find(|n| n == "step"))
            .with_context(|| {
                format!("{}: no column is recognised as the step; name it with --map S=COLUMN", table.source)
            })?,
    )?;
    let loss = numbers(
        &observations
            .column_for("loss")
            .or_else(|| table.names().into_iter().find(|n| n == "test_loss"))
            .with_context(|| {
                format!(
                    "{}: no column is recognised as the loss; name it with --map loss=COLUMN",
                    table.source
                )
            })?,
    )?;
    let noise =
        table.names().iter().any(|n| n == "noise_scale").then(|| numbers("noise_scale")).transpose()?;
    let rows: BTreeMap<String, RunRow> = match &arguments.runs {
        Some(path) => read_rows::<RunRow>(path)?.into_iter().map(|r| (r.run_id.clone(), r)).collect(),
        None => BTreeMap::new(),
    };
    let n = observations.column_for("N").map(|c| numbers(&c)).transpose()?;
    let batch = observations.column_for("B").map(|c| numbers(&c)).transpose()?;
    let ids = table.column(&run)?;
    let mut trunks: BTreeMap<String, Trunk> = BTreeMap::new();
    for i in 0..table.len() {
        let id = ids.text(i);
        let row = rows.get(id.as_ref() as &str);
        let size = n.as_ref().map(|n| n[i]).or_else(|| row?.n_nonembed.map(|n| n as f64));
        let tokens =
            batch.as_ref().map(|b| b[i]).or_else(|| row?.batch_tokens.map(|b| b as f64)).or(arguments.batch);
        let Some(n) = size else { bail!("{}: run {id}: no N in the curves or in --runs", table.source) };
        let Some(batch) = tokens else {
            bail!("{}: run {id}: no batch in the curves or in --runs; give --batch TOKENS", table.source)
        };
        let point = Point {
            step: step[i],
            loss: loss[i],
            noise_scale: noise.as_ref().map(|v| v[i]).filter(|v| v.is_finite()),
        };
        trunks
            .entry(id.to_string())
            .or_insert_with(|| Trunk { run: id.to_string(), n, batch, points: vec![] })
            .points
            .push(point);
    }
    Ok(trunks.into_values().collect())
}

fn grid_runs(path: &Path) -> anyhow::Result<Vec<GridRun>> {
    let table = Table::load(path)?;
    let observations = Observations::open(path, &TableArgs { map: vec![], filter: None, params: None })?;
    let numbers = |role: &str| -> anyhow::Result<Vec<f64>> {
        let name = observations
            .column_for(role)
            .with_context(|| format!("{}: no column is recognised as {role}", table.source))?;
        Ok(table.column(&name)?.numbers().with_context(|| format!("column {name} holds text"))?.to_vec())
    };
    let (n, d, loss) = (numbers("N")?, numbers("D")?, numbers("loss")?);
    Ok((0..table.len()).map(|i| GridRun { n: n[i], d: d[i], loss: loss[i] }).collect())
}

fn text(report: &ChainReport) -> String {
    let mut out = String::new();
    let w = &mut out;
    let _ =
        writeln!(w, "{} curves; intervals from {} resamples of trunks", report.n_curves, report.bootstrap);
    for left in &report.left_out {
        let _ = writeln!(w, "left out: {left}");
    }
    for doubt in &report.doubts {
        let _ = writeln!(w, "warning: {doubt}");
    }
    for part in &report.parts {
        let name = serde_json::to_string(&part.section).unwrap_or_default();
        let _ = writeln!(w, "\n{}", name.trim_matches('"'));
        if let Some(reason) = &part.refused {
            let _ = writeln!(w, "  refused: {reason}");
        }
        for c in &part.constants {
            let interval = c.ci95.map_or("open".into(), |[lo, hi]| format!("{lo:.4e} to {hi:.4e}"));
            let _ = writeln!(w, "  {:<12} {:.4e}  [{interval}]", c.name, c.value);
        }
    }
    if !report.levels.is_empty() {
        let _ = writeln!(w, "\n         N   loss  batches      S_min      E_min     B_crit  noise scale");
    }
    for l in &report.levels {
        let show = |v: Option<f64>| v.map_or("-".into(), number::short);
        let _ = writeln!(
            w,
            "{:>10} {:>6.3} {:>8} {:>10} {:>10} {:>10} {:>12}  {}",
            number::short(l.n),
            l.loss,
            l.batches.len(),
            show(l.steps_min),
            show(l.tokens_min),
            show(l.b_crit),
            show(l.noise_scale),
            l.refused.as_deref().unwrap_or("")
        );
    }
    out
}

//! nanochat's `results.csv` (`runs/scaling_laws.sh`): a row a run, parameters in kinds, loss in bits per byte.

use super::steps::missing;
use super::{Log, LogKind};
use crate::cell::{Cell, Field};
use crate::error::TableError;
use crate::rows::RunRow;
use std::collections::BTreeSet;
use std::path::Path;

/// Columns used; the rest is left, and said.
const USED: [&str; 9] = [
    "flops_budget",
    "depth",
    "model_dim",
    "params_lm_head",
    "params_transformer",
    "params_total",
    "num_iterations",
    "tokens_trained",
    "val_bpb",
];

pub(super) fn read(path: &Path, rows: &[Vec<(String, Cell)>]) -> Result<Log, TableError> {
    let mut log = Log::new(LogKind::Nanochat);
    let mut ids = BTreeSet::new();
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        match run(row) {
            Ok(run) if !ids.insert(run.run_id.clone()) => {
                log.problems.push(format!("row {}: {} is there already, not used", i + 1, run.run_id));
            }
            Ok(run) => log.rows.push(run),
            Err(message) => log.problems.push(format!("row {}: {message}, not used", i + 1)),
        }
    }
    if log.rows.is_empty() {
        let first = log.problems.first().map_or("", String::as_str);
        return Err(LogKind::Nanochat.wrong(path, format!("no row is usable; the first: {first}")));
    }
    log.notes.push(format!("{}; {} runs", LogKind::Nanochat, log.rows.len()));
    log.notes.push(
        "n_nonembed = params_transformer, n_matmul = params_transformer + params_lm_head, n_total = params_total, \
         flops_full = flops_budget, loss_bits_per_byte = val_bpb (there is no loss in nats per token; \
         a law can be fitted to loss_bits_per_byte)"
            .into(),
    );
    let left: BTreeSet<&str> =
        rows.iter().flatten().map(|(n, _)| n.as_str()).filter(|n| !USED.contains(n)).collect();
    if !left.is_empty() {
        log.notes.push(format!("left columns {}", left.into_iter().collect::<Vec<_>>().join(", ")));
    }
    Ok(log)
}

fn run(row: &[(String, Cell)]) -> Result<RunRow, String> {
    let get =
        |name: &str| row.iter().find(|(n, _)| n == name).map(|(_, cell)| cell).filter(|cell| !missing(cell));
    let number = |name: &str| match get(name) {
        None => Ok(None),
        Some(cell) => match f64::from_cell(cell.clone()) {
            Some(x) if x.is_finite() && x > 0.0 => Ok(Some(x)),
            _ => Err(format!("column {name} is not a positive number")),
        },
    };
    let whole = |name: &str| match get(name) {
        None => Ok(None),
        Some(cell) => u64::from_cell(cell.clone())
            .map(Some)
            .ok_or_else(|| format!("column {name} is not a whole number")),
    };
    let small = |name: &str| -> Result<Option<u32>, String> {
        whole(name)?.map(u32::try_from).transpose().map_err(|_| format!("column {name} is too large"))
    };
    // A run that failed leaves a row with empty fields.
    let required = |name: &str| number(name)?.ok_or_else(|| format!("column {name} is empty"));
    let (budget, loss) = (required("flops_budget")?, required("val_bpb")?);
    let depth = small("depth")?.ok_or("column depth is empty")?;
    let name = get("flops_budget").and_then(|cell| String::from_cell(cell.clone())).unwrap_or_default();
    let (blocks, head) = (whole("params_transformer")?, whole("params_lm_head")?);
    let (steps, tokens) = (whole("num_iterations")?, whole("tokens_trained")?);
    Ok(RunRow {
        // The tag that the script gives its runs, without "scaling_".
        run_id: format!("{name}_d{depth}"),
        arch: Some("nanochat".into()),
        n_layer: Some(depth),
        d_model: small("model_dim")?,
        n_nonembed: blocks,
        n_total: whole("params_total")?,
        n_matmul: blocks.zip(head).and_then(|(blocks, head)| blocks.checked_add(head)),
        steps,
        tokens,
        batch_tokens: tokens.zip(steps).filter(|(t, s)| *s > 0 && t % s == 0).map(|(t, s)| t / s),
        flops_full: Some(budget),
        loss_bits_per_byte: Some(loss),
        status: Some("completed".into()),
        ..RunRow::default()
    })
}

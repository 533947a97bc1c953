//! `scalelaw isoflop`: the loss-optimal size at each budget, beside the parametric answer.

use super::observations::{Observations, TableArgs, say_problems};
use crate::output;
use anyhow::bail;
use scalelaw_fit::isoflop::{LogLineFit, Optimum, Profile, Refused, Valley, log_line, noise_study, optima};
use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, Objective, fit, short};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw isoflop`.
#[derive(clap::Args)]
#[command(
    after_help = "A budget without an interior minimum is refused, never extrapolated. The parabola is biased where \
    the valley is lopsided (Czech et al. 2026): compare the cubic's and Akima's answers.\n\nExample:\n  scalelaw isoflop \
    isoflop_points.csv --where \"dataset == 'rw' and decay == 'const' and param_count == 'standard'\" --noise 0.002"
)]
pub struct Arguments {
    /// Finished runs with loss and two of C, N, D
    table_file: PathBuf,
    #[command(flatten)]
    table: TableArgs,
    /// Budgets within this factor are one budget
    #[arg(long, default_value_t = 1.1)]
    within: f64,
    /// Relative seed noise of a loss: intervals by moving every loss that much
    #[arg(long, value_name = "SHARE")]
    noise: Option<f64>,
    /// Noise replicates
    #[arg(long, default_value_t = 1000)]
    replicates: usize,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize)]
struct Report {
    n_points: usize,
    /// Approach 2, by the way the valley is drawn.
    valleys: Vec<ByValley>,
    /// Approach 3: exponents β/(α+β) and α/(α+β) of the parametric law, with 95% intervals.
    parametric: Option<Parametric>,
}

#[derive(Serialize)]
struct ByValley {
    valley: Valley,
    optima: Vec<Optimum>,
    refused: Vec<Refused>,
    /// N_opt = coefficient·C^exponent; with seed noise, optima weighted by 1/spread² under it.
    n_opt: Option<LogLineFit>,
    /// D_opt = C/(6·N_opt), where C = 6ND.
    d_opt: Option<LogLineFit>,
    /// 95% interval of the exponent under seed noise.
    noise_ci95: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Parametric {
    n_opt_exponent: f64,
    ci95: Option<[f64; 2]>,
    alpha: f64,
    beta: f64,
    e: f64,
}

/// Runs the command.
///
/// # Errors
/// The table has no budgets with several sizes.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let observations = Observations::open(&arguments.table_file, &arguments.table)?;
    for line in &observations.said {
        eprintln!("{line}");
    }
    let points = observations.points(&Chinchilla)?;
    eprintln!("{}; {} points", points.said.join("; "), points.dataset.len());
    say_problems(&points.problems, 10);
    let data = &points.dataset;
    let (Some(n), Some(d)) = (data.column("N"), data.column("D")) else { bail!("N and D are needed") };
    let budgets: Vec<f64> = match observations.column_for("C") {
        Some(c) => points.table.column(&c)?.numbers().map(<[f64]>::to_vec).unwrap_or_default(),
        None => n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect(),
    };
    let profiles = profiles(&budgets, n, data.response(), arguments.within);
    if profiles.is_empty() {
        bail!(
            "{}: no budget has four sizes (budgets within a factor {} count as one; see --within)",
            observations.table.source,
            arguments.within
        );
    }
    let report = Report {
        n_points: data.len(),
        valleys: [Valley::Parabola, Valley::Cubic, Valley::Akima]
            .into_iter()
            .map(|valley| by_valley(&profiles, valley, arguments))
            .collect(),
        parametric: parametric(data),
    };
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(if points.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Points by budget: sorted budgets closer than `within` are one, at their geometric mean.
fn profiles(budgets: &[f64], n: &[f64], loss: &[f64], within: f64) -> Vec<Profile> {
    let mut order: Vec<usize> = (0..budgets.len()).collect();
    order.sort_by(|a, b| budgets[*a].total_cmp(&budgets[*b]));
    order
        .chunk_by(|a, b| budgets[*b] <= within * budgets[*a])
        .filter(|chunk| chunk.len() >= 4)
        .map(|chunk| Profile {
            budget: (chunk.iter().map(|i| budgets[*i].ln()).sum::<f64>() / chunk.len() as f64).exp(),
            points: chunk.iter().map(|i| (n[*i], loss[*i])).collect(),
        })
        .collect()
}

fn by_valley(profiles: &[Profile], valley: Valley, arguments: &Arguments) -> ByValley {
    let (optima, refused) = optima(profiles, valley);
    let c: Vec<f64> = optima.iter().map(|o| o.budget).collect();
    let n: Vec<f64> = optima.iter().map(|o| o.n).collect();
    let d: Vec<f64> = optima.iter().map(|o| o.budget / (6.0 * o.n)).collect();
    let even = vec![1.0; c.len()];
    // Under noise a budget counts by how well it tells its optimum; without it all budgets count alike.
    let study = arguments.noise.and_then(|noise| {
        noise_study(profiles, valley, &|_| noise, arguments.replicates, arguments.seed).ok()
    });
    ByValley {
        n_opt: study.as_ref().map(|s| s.line).or_else(|| log_line(&c, &n, &even).ok()),
        d_opt: log_line(&c, &d, &even).ok(),
        noise_ci95: study.map(|s| s.exponent_ci95),
        valley,
        optima,
        refused,
    }
}

fn parametric(data: &Dataset) -> Option<Parametric> {
    let options = FitOptions {
        objective: Objective::CHINCHILLA,
        intervals: IntervalChoice::Covariance,
        ..FitOptions::default()
    };
    let law = fit(&Chinchilla, data, &options).ok()?;
    let (alpha, beta) = (law.param("alpha")?, law.param("beta")?);
    let a = beta / (alpha + beta);
    // Delta method in ln alpha, ln beta: da = a(1 − a)·(d ln beta − d ln alpha).
    let ci95 = law.diagnostics.covariance.as_ref().map(|c| {
        let variance = c[3 * 5 + 3] + c[4 * 5 + 4] - 2.0 * c[3 * 5 + 4];
        let half = 1.96 * a * (1.0 - a) * variance.max(0.0).sqrt();
        [a - half, a + half]
    });
    Some(Parametric { n_opt_exponent: a, ci95, alpha, beta, e: law.param("E")? })
}

fn text(report: &Report) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for v in &report.valleys {
        let _ = writeln!(out, "{:?}:", v.valley);
        for o in &v.optima {
            let _ = writeln!(out, "  C {:<12} N_opt {:<12} loss {:.4}", short(o.budget), short(o.n), o.loss);
        }
        for r in &v.refused {
            let _ = writeln!(out, "  C {:<12} refused: {}", short(r.budget), r.reason);
        }
    }
    let _ =
        writeln!(out, "\n{:<34}{:>8}  {:<20}{:<20}", "N_opt ∝ C^a", "a", "95% (scatter)", "95% (seed noise)");
    for v in &report.valleys {
        let Some(line) = v.n_opt else { continue };
        let noise = v.noise_ci95.map_or_else(String::new, |[lo, hi]| format!("{lo:.3} … {hi:.3}"));
        let _ = writeln!(
            out,
            "{:<34}{:>8.4}  {:<20}{noise}",
            format!("isoFLOP, {:?} ({} budgets)", v.valley, line.n),
            line.exponent,
            format!("{:.3} … {:.3}", line.ci95[0], line.ci95[1])
        );
    }
    if let Some(p) = &report.parametric {
        let interval = p.ci95.map_or_else(String::new, |[lo, hi]| format!("{lo:.3} … {hi:.3}"));
        let _ =
            writeln!(out, "{:<34}{:>8.4}  {interval}", "parametric, beta/(alpha + beta)", p.n_opt_exponent);
    }
    let _ = writeln!(
        out,
        "\nA parabola is biased where the valley is lopsided (Czech et al. 2026): prefer the answer on which the cubic \
         and Akima agree. The envelope of learning curves is a third approach: scalelaw envelope CURVES."
    );
    out
}

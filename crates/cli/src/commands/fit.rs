//! `scalelaw fit`: one law, or those that the table can identify, ranked.

use super::observations::{Observations, TableArgs, say_problems};
use super::{fit_text, valley};
use crate::output;
use anyhow::{Context, bail};
use scalelaw_fit::laws::{self, Expression};
use scalelaw_fit::{
    Dataset, Effort, FitOptions, FittedLaw, IntervalChoice, Law, Objective, Penalty, Ranked, Space, fit,
    lack_of_fit, rank, residuals_by,
};
use scalelaw_report::figure::{Ink, Marker, Point, Series};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw fit`.
#[derive(clap::Args)]
#[command(
    after_help = "Laws: n d c c-min log nd ns b-crit steps-for-examples position transfer n-floor d-floor c-floor \
    chinchilla chinchilla-tied multiplicative shifted skaling data-constrained over-training broken m4 hyper-nd \
    hyper-n hyper-d hyper-c, or an expression over columns such as 'E + A/N^alpha' (other names are parameters).\n\n\
    Examples:\n  scalelaw fit runs.csv                                  rank the laws that this table can identify\n  \
    scalelaw fit chinchilla runs.csv --objective huber     Hoffmann et al. 2022, approach 3\n  \
    scalelaw fit nd runs.csv --map N=params --where 'tokens > 3e7' --json > law.json"
)]
pub struct Arguments {
    /// [LAW] TABLE: a law by name or an expression, then a .csv, .tsv, .jsonl or .parquet file (.gz, .zst too)
    #[arg(num_args = 1..=2, required = true, value_names = ["LAW", "TABLE"])]
    what: Vec<String>,
    /// A run table whose columns the rows take over by run, when TABLE holds curves without N
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    how: How,
    /// Fit under every counting convention the table has columns for, and show how the answer moves
    #[arg(long)]
    conventions: bool,
    /// Show the residuals along a variable of the law, e.g. S
    #[arg(long, value_name = "VARIABLE")]
    residuals_by: Option<String>,
    /// Show the lowest objective at each value of a parameter: flat where the data do not determine it
    #[arg(long, value_name = "PARAMETER")]
    valley: Option<String>,
    /// Draw the valley in this folder (SVG, PNG, CSV)
    #[arg(long, value_name = "DIR", requires = "valley")]
    figures: Option<PathBuf>,
    /// Write the law file here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the law file (JSON) on stdout instead of a table
    #[arg(long)]
    json: bool,
    /// Print the equation with its constants in LaTeX
    #[arg(long)]
    latex: bool,
}

/// How to fit.
#[derive(clap::Args, Clone, Debug)]
pub struct How {
    /// What to minimise (always a sum over points)
    #[arg(long, value_enum, default_value_t = ObjectiveArg::Lsq)]
    objective: ObjectiveArg,
    /// Where Huber's penalty turns linear, in the units of the residual
    #[arg(long, default_value_t = 1e-3)]
    delta: f64,
    /// Factor on over-estimates, for --objective asymmetric
    #[arg(long, default_value_t = 10.0)]
    over: f64,
    /// Residuals of log loss or of loss
    #[arg(long, value_enum, default_value_t = SpaceArg::Log)]
    space: SpaceArg,
    /// Refits to resampled runs, shown beside the interval (and the interval itself from 50 runs)
    #[arg(long, value_name = "N", default_value_t = 0)]
    bootstrap: usize,
    /// Where 95% intervals come from
    #[arg(long, value_enum, default_value_t = IntervalArg::Auto)]
    interval: IntervalArg,
    /// Hold a parameter at a value, e.g. alpha=0.34
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    fix: Vec<String>,
    /// Bounds of a parameter of an expression, e.g. alpha=0..2 (parameters are positive unless bounded)
    #[arg(long, value_name = "NAME=LO..HI", value_delimiter = ',')]
    bound: Vec<String>,
    /// Starts polished to their minimum
    #[arg(long, default_value_t = Effort::default().polished)]
    starts: usize,
    /// Seed of the resampling
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum ObjectiveArg {
    Huber,
    Lsq,
    Lad,
    Asymmetric,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum SpaceArg {
    Log,
    Linear,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum IntervalArg {
    /// Profile below 50 independent runs, bootstrap above
    Auto,
    Profile,
    Bootstrap,
    Covariance,
    None,
}

impl How {
    /// The library's options.
    ///
    /// # Errors
    /// `--fix` is not NAME=VALUE.
    pub fn options(&self) -> anyhow::Result<FitOptions> {
        let penalty = match self.objective {
            ObjectiveArg::Huber => Penalty::Huber { delta: self.delta },
            ObjectiveArg::Lsq => Penalty::LeastSquares,
            ObjectiveArg::Lad => Penalty::LeastAbsolute,
            ObjectiveArg::Asymmetric => Penalty::Asymmetric { delta: self.delta, over: self.over },
        };
        let space = match self.space {
            SpaceArg::Log => Space::Log,
            SpaceArg::Linear => Space::Linear,
        };
        let intervals = match self.interval {
            IntervalArg::Auto => IntervalChoice::Auto,
            IntervalArg::Profile => IntervalChoice::Profile,
            IntervalArg::Bootstrap => {
                IntervalChoice::Bootstrap(if self.bootstrap > 0 { self.bootstrap } else { 1000 })
            }
            IntervalArg::Covariance => IntervalChoice::Covariance,
            IntervalArg::None => IntervalChoice::None,
        };
        let fixed = self
            .fix
            .iter()
            .map(|entry| {
                let (name, value) =
                    entry.split_once('=').with_context(|| format!("--fix {entry:?}: expected NAME=VALUE"))?;
                Ok((name.trim().to_string(), scalelaw_core::number::parse(value)?))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(FitOptions {
            objective: Objective { penalty, space },
            fixed,
            effort: Effort { polished: self.starts.max(1), ..Effort::default() },
            intervals,
            bootstrap_beside: self.bootstrap,
            seed: self.seed,
            ..FitOptions::default()
        })
    }

    fn bounds(&self) -> anyhow::Result<Vec<(String, f64, f64)>> {
        self.bound
            .iter()
            .map(|entry| {
                let parsed = entry.split_once('=').and_then(|(name, range)| {
                    let (lo, hi) = range.split_once("..")?;
                    let end = |text: &str, open: f64| {
                        let text = text.trim();
                        if text.is_empty() { Some(open) } else { text.parse().ok() }
                    };
                    Some((name.trim().to_string(), end(lo, f64::NEG_INFINITY)?, end(hi, f64::INFINITY)?))
                });
                parsed.with_context(|| format!("--bound {entry:?}: expected NAME=LO..HI, such as alpha=0..2"))
            })
            .collect()
    }
}

/// Stretches of a variable that residuals are shown by.
const MOST_BINS: usize = 25;

/// Runs the command.
///
/// # Errors
/// The table or the law cannot be used.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (law, table) = match arguments.what.as_slice() {
        [table] => (None, table),
        [law, table] => (Some(law.as_str()), table),
        _ => bail!("expected [LAW] TABLE"),
    };
    if law.is_none() && laws::by_name(table).is_ok() {
        bail!("fit {table}: the law needs a table; try: scalelaw fit {table} runs.csv");
    }
    let observations =
        Observations::open_curves(table.as_ref(), arguments.runs.as_deref(), &arguments.table)?;
    for line in &observations.said {
        eprintln!("{line}");
    }
    match law {
        Some(name) => one(named(name, &observations, &arguments.how)?.as_ref(), &observations, arguments),
        None => all(&observations, arguments),
    }
}

/// A law by name, or the user's expression over the table's columns.
fn named(name: &str, observations: &Observations, how: &How) -> anyhow::Result<Box<dyn Law>> {
    if !name.contains(['+', '*', '/', '^', '(', ' ']) {
        return Ok(laws::by_name(name)?);
    }
    let names = observations.table.names();
    let roles =
        ["N", "D", "C", "S", "B", "U", "T"].into_iter().filter(|v| observations.column_for(v).is_some());
    let columns: Vec<&str> = names.iter().map(String::as_str).chain(roles).collect();
    Ok(Box::new(Expression::new(name, &columns, &how.bounds()?)?))
}

fn one(law: &dyn Law, observations: &Observations, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.conventions {
        return conventions(law, arguments);
    }
    let points = observations.points(law)?;
    eprintln!("{}; {} points", points.said.join("; "), points.dataset.len());
    say_problems(&points.problems, 10);
    let fitted = fit(law, &points.dataset, &arguments.how.options()?)?;
    let json = serde_json::to_string_pretty(&fitted)?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, format!("{json}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("law file: {}", path.display());
    }
    if arguments.json {
        output::print(&json)?;
        for warning in &fitted.warnings {
            eprintln!("warning: {}", warning.message);
        }
    } else if arguments.latex {
        output::print(&fitted.latex()?)?;
    } else {
        output::print(&fit_text::law(&fitted, lack_of_fit(&fitted, &points.dataset)?.as_ref()))?;
    }
    if let Some(name) = &arguments.valley {
        show_valley(law, &fitted, &points.dataset, name, arguments)?;
    }
    if let Some(variable) = &arguments.residuals_by {
        let bins = residuals_by(&fitted, &points.dataset, variable, MOST_BINS)?;
        // Beside a law file on stdout the table is talk.
        if arguments.json || arguments.latex {
            eprint!("{}", fit_text::residuals(variable, &bins));
        } else {
            output::print(&fit_text::residuals(variable, &bins))?;
        }
    }
    Ok(if points.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// The valley of a parameter, from a third below its interval and rivals to a third above.
fn show_valley(
    law: &dyn Law,
    fitted: &FittedLaw,
    data: &Dataset,
    name: &str,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let known: Vec<&str> = fitted.params.iter().map(|(n, _)| n.as_str()).collect();
    let Some((_, estimate)) = fitted.params.iter().find(|(n, _)| n == name) else {
        bail!("--valley {name}: the law {} has {}", fitted.law, known.join(", "));
    };
    let of_rivals = fitted.starts.rivals.iter().filter_map(|r| r.params.iter().find(|(n, _)| n == name));
    let ends = estimate.ci95.into_iter().flatten().flatten();
    let seen: Vec<f64> =
        std::iter::once(estimate.value).chain(of_rivals.map(|(_, v)| *v)).chain(ends).collect();
    let (lo, hi) =
        seen.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
    let grid = if lo > 0.0 {
        valley::grid(lo / 1.33, hi * 1.33, VALLEY_POINTS)
    } else {
        let margin = 0.33 * (hi - lo).max(estimate.value.abs());
        valley::grid(lo - margin, hi + margin, VALLEY_POINTS)
    };
    let floor = scalelaw_fit::valley(law, data, &arguments.how.options()?, name, &grid)?;
    let text = format!("\n{}", valley::text(name, &floor, 2));
    // Beside a law file on stdout it is talk.
    if arguments.json || arguments.latex {
        eprint!("{text}")
    } else {
        output::print(&text)?
    }
    if let Some(dir) = &arguments.figures {
        let best = vec![Point::at(estimate.value, fitted.objective.value)];
        let title = format!("How well the data determine {name}");
        let caption = format!(
            "Lowest objective of {} at each {name}; {}.",
            fitted.equation, fitted.objective.objective
        );
        let upon = vec![Series::points("the fit", Marker::Disc, Ink::Data, best)];
        let files = valley::draw(
            dir,
            &format!("valley-{name}"),
            [title.as_str(), caption.as_str()],
            name,
            &floor,
            upon,
        )?;
        for file in files {
            eprintln!("wrote {}", file.display());
        }
    }
    Ok(())
}

/// Places that a valley is sounded at.
const VALLEY_POINTS: usize = 41;

/// Every law the table can serve, ranked by extrapolation above a cut in compute.
fn all(observations: &Observations, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let served: Vec<Box<dyn Law>> =
        laws::all().into_iter().filter(|l| observations.serves(l.as_ref())).collect();
    let Some(widest) = served.iter().max_by_key(|l| l.variables().len()) else {
        bail!(
            "{}: no law can be fitted: a loss and one of N, D or C are needed; name them with --map \
             loss=COLUMN,N=COLUMN. Columns: {}",
            observations.table.source,
            observations.table.names().join(", ")
        );
    };
    let points = observations.points(widest.as_ref())?;
    say_problems(&points.problems, 10);
    let mut dataset = points.dataset.clone();
    for law in &served {
        let own = observations.points(law.as_ref())?.dataset;
        for variable in law.variables() {
            if let Some(column) = own.column(variable).filter(|c| c.len() == dataset.len()) {
                dataset = dataset.with(variable, column.to_vec());
            }
        }
    }
    // Laws of a variable that never changes say nothing.
    let varies = |v: &str| dataset.column(v).is_some_and(|c| c.iter().any(|x| *x != c[0]));
    let (laws, flat): (Vec<_>, Vec<_>) =
        served.into_iter().partition(|l| l.variables().iter().all(|v| varies(v)));
    let cost: Vec<f64> = match (dataset.column("C"), dataset.column("N"), dataset.column("D")) {
        (Some(c), ..) => c.to_vec(),
        (None, Some(n), Some(d)) => n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect(),
        (None, Some(one), None) | (None, None, Some(one)) => one.to_vec(),
        (None, None, None) => dataset.column("S").map(<[f64]>::to_vec).unwrap_or_default(),
    };
    eprintln!("fitting {} laws, each twice…", laws.len());
    let (ranked, refused) = rank(&laws, &dataset, &cost, 0.7, &arguments.how.options()?)?;
    for law in flat {
        eprintln!("not fitted: {} ({} does not vary)", law.name(), law.variables().join(", "));
    }
    for (name, error) in refused {
        eprintln!("not fitted: {name} ({error})");
    }
    if ranked.is_empty() {
        bail!("no law could be fitted to {} points", dataset.len());
    }
    if arguments.json {
        output::json(&ranked)?;
    } else {
        output::print(&fit_text::ranking(&ranked, dataset.len()))?;
    }
    if let Some(path) = &arguments.out {
        let best: &Ranked = &ranked[0];
        std::fs::write(path, serde_json::to_string_pretty(&best.law)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if points.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// The same law under every counting convention that the table has columns for.
fn conventions(law: &dyn Law, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let table = PathBuf::from(&arguments.what[1]);
    let whole = Observations::open(&table, &arguments.table)?.table;
    let of = |variable: &str, names: &[&'static str]| -> Vec<Option<&'static str>> {
        let used = law.variables().iter().any(|v| v == variable);
        let there: Vec<_> =
            names.iter().copied().filter(|n| used && whole.column(n).is_ok()).map(Some).collect();
        if there.is_empty() { vec![None] } else { there }
    };
    let mut fits = Vec::new();
    for n in of("N", &["n_nonembed", "n_matmul", "n_total"]) {
        for c in of("C", &["flops_6n", "flops_matmul", "flops_full"]) {
            for d in of("D", &["tokens", "d_unique"]) {
                let mut args = arguments.table.clone();
                args.map.extend(
                    [("N", n), ("C", c), ("D", d)].iter().filter_map(|(v, c)| Some(format!("{v}={}", (*c)?))),
                );
                let points = Observations::open(&table, &args)?.points(law)?;
                let label: Vec<&str> = [n, c, d].into_iter().flatten().collect();
                fits.push((label.join(" "), fit(law, &points.dataset, &arguments.how.options()?)?));
            }
        }
    }
    if fits.len() < 2 {
        bail!(
            "{}: only one convention can be told; the columns n_nonembed, n_matmul, n_total, flops_6n, flops_matmul, \
             flops_full, tokens and d_unique say what they count",
            table.display()
        );
    }
    if arguments.json {
        output::json(&fits)?;
    } else {
        output::print(&fit_text::conventions(&fits))?;
    }
    Ok(ExitCode::SUCCESS)
}

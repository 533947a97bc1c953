//! `scalelaw fit`: one law, or every law that the table can determine, ranked.

mod moved;
mod ranking;

use self::moved::{assumed_text, floor_text, left_out_text};
use self::ranking::{forecast_text, ranking_text};
use super::doubt::status;
use super::table::{TableArgs, doubt, exit, pair, say};
use crate::hints::{self, Usage};
use crate::output;
use crate::progress::Display;
use scalelaw_core::number::{constant, significant};
use scalelaw_fit::laws;
use scalelaw_fit::{
    Effort, FitOptions, FittedLaw, IntervalChoice, IntervalMethod, LackOfFit, Objective, ParamState, Penalty,
    ResidualBin, Space, best,
};
use scalelaw_lab::assumed::Assumption;
use scalelaw_lab::conventions;
use scalelaw_lab::fit::{self, FitReport, FitRequest};
use scalelaw_lab::rank::{self, NotFitted, RankRequest, Reason};
use scalelaw_lab::valley::Valley;
use scalelaw_lab::{LabError, TableRequest};
use scalelaw_report::figure::{Ink, Marker, Point, Series};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw fit`.
#[derive(clap::Args)]
#[command(allow_missing_positional = true, after_help = after_help())]
pub struct Arguments {
    /// A law by name, or an expression over columns such as 'E + A/N^alpha' (other names are parameters);
    /// without it, every law that the table can determine is fitted and ranked
    law: Option<String>,
    /// Runs or learning curves: .csv, .tsv, .json, .jsonl or .parquet (.gz, .zst too)
    #[arg(required = true)]
    table: PathBuf,
    /// A run table whose columns the rows take over by run, when TABLE holds curves without N
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    reading: TableArgs,
    /// Of a swept setting, such as lr, take the value with the lowest loss in each place
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    best_of: Vec<String>,
    #[command(flatten)]
    how: How,
    /// Fit under every counting convention the table has columns for, and show how the answer moves
    #[arg(long, requires = "law")]
    conventions: bool,
    /// Show the residuals along a variable of the law, e.g. S
    #[arg(long, value_name = "VARIABLE", requires = "law")]
    residuals_by: Option<String>,
    /// Show the lowest objective at each value of a parameter: flat where the data do not determine it
    #[arg(long, value_name = "PARAMETER", requires = "law")]
    valley: Option<String>,
    /// Refit without the runs of each value of a variable, e.g. N: how far the answer moves
    #[arg(long, value_name = "VARIABLE", requires = "law")]
    leave_out: Option<String>,
    /// Draw the valley in this folder (SVG, PNG, CSV)
    #[arg(long, value_name = "DIR", requires = "valley")]
    figures: Option<PathBuf>,
    /// Write the law file here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Without a law: write the forecaster here, which `scalelaw predict FILE --at N=…,D=…` reads
    #[arg(long, value_name = "FILE", conflicts_with = "law")]
    forecast: Option<PathBuf>,
    /// Print the law file (JSON) on stdout instead of a table
    #[arg(long)]
    json: bool,
    /// Print the equation with its constants in LaTeX
    #[arg(long, requires = "law")]
    latex: bool,
}

/// The laws of the registry, and examples.
fn after_help() -> String {
    let mut text = String::from("Laws:\n");
    for law in laws::all() {
        let _ = writeln!(text, "  {:<18} {}", law.name(), law.equation());
    }
    text + "\nExamples:\n  scalelaw fit runs.csv                                  rank the laws that this table can \
            determine\n  scalelaw fit chinchilla runs.csv --objective huber     Hoffmann et al. 2022, approach 3\n  \
            scalelaw fit nd runs.csv --map N=params --where 'tokens > 3e7' --json > law.json"
}

/// How to fit.
#[derive(clap::Args, Clone, Debug)]
struct How {
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
    /// Hold a parameter at a value, e.g. alpha=0.34; over a range, e.g. E=1.4..1.8, show the forecast under each value
    #[arg(long, value_name = "NAME=VALUE|LO..HI", value_delimiter = ',', value_parser = held)]
    fix: Vec<Held>,
    /// Bounds of a parameter of an expression, e.g. alpha=0..2 (parameters are positive unless bounded)
    #[arg(long, value_name = "NAME=LO..HI", value_delimiter = ',', value_parser = bound)]
    bound: Vec<(String, f64, f64)>,
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
    fn options(&self) -> FitOptions {
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
        FitOptions {
            objective: Objective { penalty, space },
            fixed: self.fix.iter().filter_map(Held::value).collect(),
            effort: Effort { polished: self.starts.max(1), ..Effort::default() },
            intervals,
            bootstrap_beside: self.bootstrap,
            seed: self.seed,
            ..FitOptions::default()
        }
    }
}

/// A parameter held at a value, or assumed to lie in a range.
#[derive(Clone, Debug)]
enum Held {
    At(String, f64),
    Within(Assumption),
}

impl Held {
    fn value(&self) -> Option<(String, f64)> {
        match self {
            Self::At(name, value) => Some((name.clone(), *value)),
            Self::Within(_) => None,
        }
    }

    fn range(&self) -> Option<&Assumption> {
        match self {
            Self::At(..) => None,
            Self::Within(assumption) => Some(assumption),
        }
    }
}

/// NAME=VALUE or NAME=LO..HI.
fn held(text: &str) -> Result<Held, String> {
    let (parameter, value) = pair(text)?;
    let number = |text: &str| scalelaw_core::number::parse(text).map_err(|error| error.to_string());
    let Some((lo, hi)) = value.split_once("..") else { return Ok(Held::At(parameter, number(&value)?)) };
    let (lo, hi) = (number(lo)?, number(hi)?);
    if lo < hi {
        Ok(Held::Within(Assumption { parameter, lo, hi }))
    } else {
        Err("expected NAME=LO..HI with LO below HI, such as E=1.4..1.8".into())
    }
}

/// NAME=LO..HI, either end of which may be left out.
fn bound(text: &str) -> Result<(String, f64, f64), String> {
    let end = |text: &str, open: f64| match text.trim() {
        "" => Some(open),
        number => number.parse().ok(),
    };
    let (name, range) = pair(text)?;
    let ends = range.split_once("..");
    let ends = ends.and_then(|(lo, hi)| Some((end(lo, f64::NEG_INFINITY)?, end(hi, f64::INFINITY)?)));
    let (lo, hi) = ends.ok_or("expected NAME=LO..HI, such as alpha=0..2")?;
    Ok((name, lo, hi))
}

/// Runs the command.
///
/// # Errors
/// The table or the law cannot be used, or a file cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let table = arguments.reading.request(&arguments.table, arguments.runs.as_deref());
    let table = TableRequest { best_of: arguments.best_of.clone(), ..table };
    let options = arguments.how.options();
    let Some(law) = &arguments.law else {
        if arguments.how.fix.iter().any(|held| held.range().is_some()) {
            return Err(Usage::error("a range of --fix needs a law", "name the law: scalelaw fit LAW TABLE"));
        }
        return rank(arguments, &RankRequest { table, options });
    };
    let request = FitRequest {
        table,
        law: law.clone(),
        bounds: arguments.how.bound.clone(),
        options,
        residuals_by: arguments.residuals_by.clone(),
        valley: arguments.valley.clone(),
        assumed: arguments.how.fix.iter().find_map(Held::range).cloned(),
        leave_out: arguments.leave_out.clone(),
        forecaster: arguments.out.is_some(),
    };
    if arguments.conventions { compare_conventions(arguments, &request) } else { one(arguments, &request) }
}

fn one(arguments: &Arguments, request: &FitRequest) -> anyhow::Result<ExitCode> {
    let report = fit::run(request).inspect_err(|error| {
        // Rows that could not be used are often why there is no fit.
        if let LabError::Unfitted { reading, .. } = error {
            say(reading);
        }
    })?;
    say(&report.reading);
    if let Some(path) = &arguments.out {
        output::json_file(path, &report)?;
        eprintln!("law file: {}", path.display());
    }
    if arguments.json {
        output::json(&report)?;
        for warning in &report.law.warnings {
            eprintln!("warning: {}", warning.message);
        }
    } else if arguments.latex {
        doubt(&report.reading);
        output::print(&report.law.latex()?)?;
    } else {
        output::print(&law_text(&report.law, report.lack_of_fit.as_ref()))?;
    }
    for offset in &report.offsets {
        let first = offset.words.first().map_or("", |(word, _)| word);
        eprintln!("hint: {}", hints::one_recipe(&offset.column, first));
    }
    let more = further_text(&report, arguments.residuals_by.as_deref());
    // When the law file or LaTeX goes to stdout, the other tables go to stderr.
    if arguments.json || arguments.latex {
        eprint!("{more}");
    } else if !more.is_empty() {
        output::print(&more)?;
    }
    if let (Some(dir), Some(valley)) = (&arguments.figures, &report.valley) {
        draw_valley(dir, &report.law, valley)?;
    }
    Ok(exit(&report.reading))
}

fn draw_valley(dir: &Path, law: &FittedLaw, valley: &Valley) -> anyhow::Result<()> {
    let parameter = &valley.parameter;
    let (value, objective) = valley.fitted;
    let title = format!("How well the data determine {parameter}");
    let caption =
        format!("Lowest objective of {} at each {parameter}; {}.", law.equation, law.objective.objective);
    let fitted = Series::points("the fit", Marker::Disc, Ink::Data, vec![Point::at(value, objective)]);
    let name = format!("valley-{parameter}");
    let figure = scalelaw_report::valley::figure(&name, [title, caption], parameter, valley, vec![fitted]);
    scalelaw_report::write_figures(&[figure], dir)?;
    for extension in ["svg", "png", "csv"] {
        eprintln!("wrote {}", dir.join(format!("{name}.{extension}")).display());
    }
    Ok(())
}

fn rank(arguments: &Arguments, request: &RankRequest) -> anyhow::Result<ExitCode> {
    let display = Display::new();
    let report = rank::run(request, &display);
    display.finish();
    let report = report?;
    say(&report.reading);
    doubt(&report.reading);
    for NotFitted { law, reason } in &report.not_fitted {
        match reason {
            Reason::Constant(variables) => {
                eprintln!("not fitted: {law} ({} does not vary)", variables.join(", "))
            }
            Reason::Failed(error) => eprintln!("not fitted: {law} ({error})"),
            _ => eprintln!("not fitted: {law}"),
        }
    }
    if let Some(error) = &report.no_forecast {
        eprintln!("no forecast: {error}");
    }
    if let Some(path) = &arguments.out {
        output::json_file(path, &best(&report.ranked).unwrap_or(&report.ranked[0]).law)?;
        eprintln!("law file: {}", path.display());
    }
    if let Some(path) = &arguments.forecast {
        let Some(forecast) = &report.forecast else {
            return Err(Usage::error(
                "there is no forecast to write",
                "a forecast needs eight runs with N and D",
            ));
        };
        output::json_file(path, forecast)?;
        eprintln!("forecaster: {}", path.display());
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        let ranking = ranking_text(&report.ranked, report.reading.n_points);
        let forecast = report.forecast.as_ref().map(|made| forecast_text(made, &report.ranked));
        output::print(&(ranking + &forecast.unwrap_or_default()))?;
    }
    Ok(exit(&report.reading))
}

fn compare_conventions(arguments: &Arguments, request: &FitRequest) -> anyhow::Result<ExitCode> {
    let report = conventions::run(request)?;
    for reading in &report.readings {
        say(reading);
        doubt(reading);
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&conventions_text(&report.fits))?;
    }
    Ok(if report.readings.iter().all(|r| r.problems.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}

/// What was asked for beside the law: its valley, its residuals.
fn further_text(report: &FitReport, residuals_by: Option<&str>) -> String {
    let valley =
        report.valley.as_ref().map_or_else(String::new, |valley| format!("\n{}", valley_text(valley, 2)));
    let floor = report.floor.as_ref().map_or_else(String::new, floor_text);
    let assumed = report.assumed.as_deref().map_or_else(String::new, assumed_text);
    let left_out =
        report.left_out.as_deref().map_or_else(String::new, |rows| left_out_text(&report.law, rows));
    let residuals = residuals_by.zip(report.residuals.as_deref());
    floor
        + &valley
        + &assumed
        + &left_out
        + &residuals.map_or_else(String::new, |(by, bins)| residuals_text(by, bins))
}

/// One law, everything it has to say.
pub fn law_text(f: &FittedLaw, lack: Option<&LackOfFit>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}    {}", f.equation, f.source);
    let has = |variables: [&str; 2]| f.ranges.iter().any(|(name, _)| variables.contains(&name.as_str()));
    let mut counted: Vec<String> = match f.conventions {
        Some(c) => [
            has(["N", "N"]).then(|| c.params.to_string()),
            has(["C", "C"]).then(|| c.flops.to_string()),
            has(["D", "U"]).then(|| c.data.to_string()),
        ]
        .into_iter()
        .flatten()
        .collect(),
        None => vec!["counting convention not known".to_string()],
    };
    counted.extend(f.unit.as_ref().map(|unit| format!("response in {unit}")));
    let counted = if counted.is_empty() { String::new() } else { format!("; {}", counted.join(", ")) };
    let _ = writeln!(out, "{} points of {} runs{counted}", f.n_points, f.n_runs);
    let method = match f.intervals.method {
        IntervalMethod::Profile => "95% profile interval",
        IntervalMethod::Bootstrap => "95% bootstrap interval",
        IntervalMethod::Covariance => "95% interval (covariance)",
        IntervalMethod::None => "",
    };
    let beside = f.intervals.bootstrap.as_ref().filter(|_| f.intervals.method != IntervalMethod::Bootstrap);
    let heading = if beside.is_some() { "bootstrap 95%" } else { "" };
    let _ = writeln!(out, "\n{:<12}{:>14}{:>13}   {method:<27}{heading}", "", "value", "± s.e.");
    for (name, e) in &f.params {
        let se = e.se.map_or_else(String::new, constant);
        let interval = e.ci95.map_or_else(String::new, ends);
        let boot = beside
            .and_then(|b| b.params.iter().find(|(n, _)| n == name))
            .map_or_else(String::new, |(_, [_, lo, hi])| ends([*lo, *hi]));
        let state = match e.state {
            ParamState::Identified => "",
            ParamState::AtBound => "AT BOUND, interval one-sided",
            ParamState::Unidentified => "UNIDENTIFIED",
            ParamState::Fixed => "fixed",
        };
        let _ = writeln!(
            out,
            "{name:<12}{:>14}{se:>13}   {interval:<27}{boot:<25}{state}",
            significant(e.value, 6)
        );
    }
    let _ = writeln!(out, "\n{}: {:.12} (sum over points)", f.objective.objective, f.objective.value);
    let _ = writeln!(
        out,
        "residuals: rms {} in ln loss, {:.4} in loss, largest {:.4}; condition number {}",
        // A response of 0 or below has no logarithm.
        if f.diagnostics.rms_log.is_finite() {
            format!("{:.4}", f.diagnostics.rms_log)
        } else {
            "–".into()
        },
        f.diagnostics.rms_loss,
        f.diagnostics.max_residual,
        f.diagnostics.condition_number.map_or("∞".into(), |c| format!("{c:.0}")),
    );
    if let Some(l) = lack {
        let verdict = if l.p_value < 0.05 {
            "the law misses more than seed noise explains"
        } else if l.p_value > 0.999 {
            "the repeats scatter so much more than the law misses that they must differ in more than the seed"
        } else {
            "no lack of fit seen"
        };
        let _ = writeln!(
            out,
            "lack of fit against seed noise ({:.4} in ln loss): F({:.0}, {:.0}) = {:.2}, p = {:.3}: {verdict}",
            l.noise_log, l.freedom.0, l.freedom.1, l.f, l.p_value
        );
    }
    let _ = writeln!(
        out,
        "starts: {} of {} polished agree ({} screened); {} rival minima within 5%",
        f.starts.agreeing,
        f.starts.tried,
        f.starts.screened,
        f.starts.rivals.len()
    );
    for r in f.starts.rivals.iter().take(6) {
        let values: Vec<String> = r.params.iter().map(|(n, v)| format!("{n} {}", constant(*v))).collect();
        let rejected = if r.within_interval { "not rejected by the data" } else { "rejected at 95%" };
        let _ = writeln!(
            out,
            "  rival {:+.3}%: {}; predictions up to {:.1e} apart; {rejected}",
            100.0 * r.excess,
            values.join(" "),
            r.prediction_gap
        );
    }
    let _ = writeln!(out, "status: {}", status(f.status));
    for w in &f.warnings {
        let _ = writeln!(out, "  {}: {}", w.code, w.message);
    }
    out
}

/// Both ends of an interval.
fn ends([lo, hi]: [Option<f64>; 2]) -> String {
    let end = |v: Option<f64>| v.map_or_else(|| "open".into(), constant);
    format!("{} … {}", end(lo), end(hi))
}

/// Where a law misses.
fn residuals_text(variable: &str, bins: &[ResidualBin]) -> String {
    let mut out = format!("\n{variable:<27}{:>8}{:>14}{:>12}\n", "points", "mean residual", "rms");
    for b in bins {
        let stretch = if b.from == b.to {
            constant(b.from)
        } else {
            format!("{} … {}", constant(b.from), constant(b.to))
        };
        let _ = writeln!(out, "{stretch:<27}{:>8}{:>+14.4}{:>12.4}", b.n, b.mean_log, b.rms_log);
    }
    let _ = writeln!(out, "(ln prediction − ln observation: above 0 the law is too high)");
    out
}

/// The same law under several conventions.
fn conventions_text(fits: &[(String, FittedLaw)]) -> String {
    let mut out = String::new();
    if let Some((_, first)) = fits.first() {
        let _ = write!(out, "{:<34}", "columns");
        for (name, _) in &first.params {
            let _ = write!(out, "{name:>14}");
        }
        let _ = writeln!(out, "{:>12}", "rms ln loss");
    }
    for (label, f) in fits {
        let _ = write!(out, "{label:<34}");
        for (_, e) in &f.params {
            let _ = write!(out, "{:>14}", constant(e.value));
        }
        let _ = writeln!(out, "{:>12.4}  {}", f.diagnostics.rms_log, status(f.status));
    }
    out
}

/// One line for every `step`-th point: the parameters and how far the objective lies above its lowest.
pub fn valley_text(valley: &Valley, step: usize) -> String {
    const LONGEST: f64 = 60.0;
    let (name, lowest) = (&valley.parameter, valley.lowest());
    let excess = |p: &scalelaw_fit::ValleyPoint| p.objective / lowest - 1.0;
    let highest = valley.floor.iter().map(excess).fold(f64::MIN_POSITIVE, f64::max);
    // A bar of 60 is the highest point, or a rise of 1.2% where the valley is flatter or steeper than that.
    let unit = highest.min(0.012) / LONGEST;
    let mut out =
        format!("the valley of {name}: the lowest objective at each value, above the lowest of all\n");
    for p in valley.floor.iter().step_by(step) {
        let others: Vec<String> = p.others.iter().map(|(n, v)| format!("{n} {:>9}", constant(*v))).collect();
        let bar = "#".repeat((excess(p) / unit).round().min(LONGEST) as usize);
        out += &format!(
            "  {name} {:>9}  {}  {:+.3}% {bar}\n",
            constant(p.value),
            others.join("  "),
            100.0 * excess(p)
        );
    }
    out
}

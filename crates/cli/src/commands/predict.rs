//! `scalelaw predict`: partial learning curves extrapolated, or a fitted law at a place.

use super::doubt::behind;
use super::table::{TableArgs, doubt, exit, named_number, say, say_problems};
use crate::hints::Usage;
use crate::output;
use anyhow::bail;
use scalelaw_core::number::constant;
use scalelaw_fit::{FitError, Prediction};
use scalelaw_lab::LabError;
use scalelaw_lab::predict::{
    self, CurvesReport, CurvesRequest, OfAnyForm, PlaceReport, PlaceRequest, Placed, PlacesRequest,
};
use scalelaw_lab::schedules::Schedules;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw predict`.
#[derive(clap::Args)]
#[command(
    after_help = "Of curves it fits L(N, S) to the first part of each and forecasts the rest with 95% intervals \
    calibrated on the other runs. Of a law file (scalelaw fit --out) it gives the value at a place, which --register \
    writes down for scalelaw score; variables that follow from others, such as C = 6ND, may be left out.\n\nExamples:\n  scalelaw predict curves.csv --from 0.2 --map loss=test_loss \
    --where \"step > 0 and router == 'Dense'\"\n  scalelaw predict law.json --at N=1e9,D=20e9 --register next-run.json"
)]
pub struct Arguments {
    /// Learning curves (a row an evaluation, with run, N, step and loss), or a law file (.json)
    what: PathBuf,
    /// Of a law: where, by the law's variables, e.g. N=1e9,D=20e9
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = named_number)]
    at: Vec<(String, f64)>,
    /// Of a law: at every row of a table with its variables, or with what they follow from
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["at", "register"])]
    points: Option<PathBuf>,
    /// Of a law: write the forecast, its data's digest and the date here; a file that exists is refused
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// The share of each run's updates that is seen
    #[arg(long, default_value_t = 0.2)]
    from: f64,
    /// The run table of the curves, when they have no N of their own
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
    /// Write every forecast loss here as CSV
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the study as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The table has no curves, or too little is seen of them; the law cannot be read.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.what.extension().is_some_and(|e| e == "json") {
        return of_law(arguments);
    }
    if !arguments.at.is_empty() || arguments.register.is_some() || arguments.points.is_some() {
        bail!(
            "{}: --at, --points and --register go with a law file (.json), which `scalelaw fit --out` writes",
            arguments.what.display()
        );
    }
    of_curves(arguments)
}

fn of_law(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(points) = &arguments.points {
        return at_points(arguments, points);
    }
    let report = predict::at(&PlaceRequest {
        law: arguments.what.display().to_string(),
        at: arguments.at.clone(),
        register: arguments.register.clone(),
    })
    .map_err(|error| match error {
        LabError::Fit(FitError::MissingVariable { law, variable, .. }) => Usage::error(
            format!("the law {law} needs {variable}, which --at does not give"),
            format!("add it: --at …,{variable}=VALUE"),
        ),
        other => other.into(),
    })?;
    for equation in &report.derived {
        eprintln!("{equation}");
    }
    if let Some(path) = &arguments.register {
        eprintln!("forecast: {}", path.display());
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&place_text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn at_points(arguments: &Arguments, points: &Path) -> anyhow::Result<ExitCode> {
    let report = predict::places(&PlacesRequest {
        law: arguments.what.display().to_string(),
        table: arguments.table.request(points, None),
    })?;
    say_problems(&report.problems);
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&places_text(&report.places))?;
    }
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// A line a place.
fn places_text(places: &[Placed]) -> String {
    let mut out = format!("{:>5}", "row");
    for (name, _) in places.iter().take(1).flat_map(|place| &place.at) {
        out += &format!("{name:>12}");
    }
    out += &format!("{:>10}   {:<19}95% interval of one run\n", "value", "95% of the law");
    for Placed { row, at, prediction: p } in places {
        out += &format!("{row:>5}");
        for (_, value) in at {
            out += &format!("{:>12}", constant(*value));
        }
        out += &format!(
            "{:>10.4}   {:<19}{}{}\n",
            p.mean,
            output::interval(p.ci95, 4),
            output::interval(p.pi95, 4),
            behind(Some(p.status), Some(p.extrapolation_decades))
        );
    }
    out
}

fn place_text(report: &PlaceReport) -> String {
    let PlaceReport { prediction, of_any_form, unit, .. } = report;
    let unit = unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    let interval =
        |i: Option<[f64; 2]>| i.map_or_else(|| "not known".into(), |[lo, hi]| format!("{lo:.4} to {hi:.4}"));
    let behind = |p: &Prediction| behind(Some(p.status), Some(p.extrapolation_decades));
    let doubt = behind(prediction);
    let (of, form) = match of_any_form {
        OfAnyForm::This => ("the mean", ""),
        OfAnyForm::NotKnown | OfAnyForm::Beside(_) => ("the law", ", if its form is true"),
    };
    let mut out = format!(
        "{:.4}{unit}{doubt}\n  95% interval of {of:<9} {}{form}{doubt}\n  95% interval of one run   {}{form}{doubt}",
        prediction.mean,
        interval(prediction.ci95),
        interval(prediction.pi95)
    );
    if let OfAnyForm::Beside(over) = of_any_form {
        out += &format!(
            "\nover several forms: {:.4}; 95% interval of one run {}{}",
            over.mean,
            interval(over.pi95),
            behind(over)
        );
    }
    out
}

fn of_curves(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = predict::curves(&CurvesRequest {
        table: arguments.table.request(&arguments.what, arguments.runs.as_deref()),
        from: arguments.from,
    })?;
    say(&report.reading);
    doubt(&report.reading);
    if let Some(warning) = schedules_text(&report.schedules) {
        eprintln!("warning: {warning}");
    }
    if let Some(path) = &arguments.out {
        output::file(path, &csv(&report))?;
        eprintln!("wrote {}", path.display());
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report, arguments.from))?;
    }
    Ok(exit(&report.reading))
}

/// What differing schedules do to the forecasts.
fn schedules_text(schedules: &Schedules) -> Option<String> {
    let differ = match schedules {
        Schedules::Same => return None,
        Schedules::Named { column, names } => format!("column {column} has {}", names.join(", ")),
        Schedules::Apart { column, step, shares: [lo, hi] } => format!(
            "at step {} the rates in column {column} are at {:.0}% to {:.0}% of their runs' peaks",
            constant(*step),
            100.0 * lo,
            100.0 * hi
        ),
        Schedules::Unknown { ends: [first, last] } => {
            return Some(format!(
                "the table says no schedule and no learning rate, and the runs end between step {} and step {}: if their \
                 rates came down, a step does not mean the same in every run",
                constant(*first),
                constant(*last)
            ));
        }
    };
    Some(format!(
        "the runs' schedules differ: {differ}. L(N, S) takes a step to mean the same in every run; choose runs of one \
         schedule with --where"
    ))
}

/// Every forecast as a row.
fn csv(report: &CurvesReport) -> String {
    let mut csv = String::from("run,row,horizon,predicted,lo95,hi95,observed\n");
    for (f, (run, row)) in report.study.forecasts.iter().zip(&report.places) {
        let [lo, hi] = f.pi95.map_or([String::new(), String::new()], |ends| ends.map(|v| v.to_string()));
        csv += &format!("{run},{row},{},{},{lo},{hi},{}\n", f.horizon, f.predicted, f.observed);
    }
    csv
}

/// Up to this many runs, the 95% quantile of the other runs' errors does not exist.
const SMALLEST_CONFORMAL: usize = 19;

fn text(report: &CurvesReport, from: f64) -> String {
    use std::fmt::Write;
    let study = &report.study;
    let differ = match report.schedules {
        Schedules::Same => "",
        Schedules::Unknown { .. } => "  [schedules not known]",
        Schedules::Named { .. } | Schedules::Apart { .. } => "  [SCHEDULES DIFFER]",
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} runs; L(N, S) fitted to the first {}% of each: {} points, rms {:.4} in ln loss",
        study.n_runs,
        100.0 * from,
        study.n_seen,
        study.law.diagnostics.rms_log
    );
    for (name, e) in &study.law.params {
        let _ = writeln!(out, "  {name:<8} {}", constant(e.value));
    }
    let share = |c: Option<f64>| c.map_or_else(|| "—".into(), |c| format!("{:.1}%", 100.0 * c));
    let _ = writeln!(
        out,
        "\nforecast: {} points, rms error {:.4} in ln loss; inside their 95% intervals: {}{differ}",
        study.n_scored,
        study.rms_log,
        share(study.coverage)
    );
    if study.n_runs <= SMALLEST_CONFORMAL {
        let _ = writeln!(
            out,
            "{} runs are too few for distribution-free intervals ({} are needed): errors taken as normal",
            study.n_runs,
            SMALLEST_CONFORMAL + 1
        );
    }
    let _ = writeln!(
        out,
        "{:>22}{:>8}{:>12}{:>12}{:>14}",
        "times the steps seen", "points", "rms error", "coverage", "half-width"
    );
    for h in &study.by_horizon {
        let _ = writeln!(
            out,
            "{:>22}{:>8}{:>12.4}{:>12}{:>14}",
            format!("{:.2} … {:.2}", h.from, h.to),
            h.n,
            h.rms_log,
            share(h.coverage),
            h.half_width.map_or_else(|| "—".into(), |w| format!("{w:.4}"))
        );
    }
    out
}

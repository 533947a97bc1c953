//! The table that a command starts from: its arguments, and in words how it was read.

use scalelaw_core::ParamConvention;
use scalelaw_lab::observations::{Assigned, Source};
use scalelaw_lab::{Reading, TableRequest};
use scalelaw_table::{Problem, Unit};
use std::path::Path;
use std::process::ExitCode;

/// How to read a table.
#[derive(clap::Args, Clone, Debug)]
pub struct TableArgs {
    /// Which column is what, e.g. N=parameter_count,loss=val_loss; keys are the law's variables, loss,
    /// response (or y: what the law predicts), run, trunk and weight; a value may be computed: 'N=1e6*params,loss=ln(ppl)'
    #[arg(long, value_name = "NAME=COLUMN", value_parser = pairs)]
    map: Vec<Pairs>,
    /// Keep only rows for which this is true, e.g. 'tokens > 3e7 and arch == "transformer"'; rows of runs that crashed,
    /// diverged or still run are left out unless it names the column that says so
    #[arg(long = "where", value_name = "EXPRESSION")]
    filter: Option<String>,
    /// What N counts, when the column's name does not say it
    #[arg(long, value_enum, value_name = "CONVENTION")]
    params: Option<ParamArg>,
}

/// [`ParamConvention`] on the command line.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum ParamArg {
    /// No embeddings, positions, biases or norms (Kaplan)
    NonEmbedding,
    /// Every trained number (Chinchilla)
    Total,
    /// Non-embedding and the head (Porian)
    Matmul,
}

impl TableArgs {
    /// The request for the table at `path`, its rows taking over columns of `runs`.
    pub fn request(&self, path: &Path, runs: Option<&Path>) -> TableRequest {
        TableRequest {
            path: path.to_owned(),
            runs: runs.map(Path::to_owned),
            map: flat(&self.map),
            filter: self.filter.clone(),
            params: self.params(),
            best_of: vec![],
        }
    }

    /// What N counts, if that was given.
    pub fn params(&self) -> Option<ParamConvention> {
        self.params.map(|params| match params {
            ParamArg::NonEmbedding => ParamConvention::NonEmbedding,
            ParamArg::Total => ParamConvention::Total,
            ParamArg::Matmul => ParamConvention::Matmul,
        })
    }
}

/// Several NAME=VALUE.
#[derive(Clone, Debug)]
pub struct Pairs(Vec<(String, String)>);

/// NAME=VALUE,NAME=VALUE; a comma that no NAME= follows belongs to the value.
///
/// # Errors
/// There is no `=`.
pub fn pairs(text: &str) -> Result<Pairs, String> {
    let is_name =
        |name: &str| !name.trim().is_empty() && name.trim().chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(',') {
        let begins = part.split_once('=').is_some_and(|(name, _)| is_name(name));
        match parts.last_mut().filter(|_| !begins) {
            Some(before) => *before += &format!(",{part}"),
            None => parts.push(part.to_string()),
        }
    }
    Ok(Pairs(parts.iter().map(|part| pair(part)).collect::<Result<_, _>>()?))
}

/// All pairs of an option that may be given several times.
pub fn flat(given: &[Pairs]) -> Vec<(String, String)> {
    given.iter().flat_map(|Pairs(pairs)| pairs.clone()).collect()
}

/// NAME=VALUE as two texts.
///
/// # Errors
/// There is no `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

/// NAME=VALUE with a number such as `1.5B`.
///
/// # Errors
/// There is no `=`, or the value is no number.
pub fn named_number(text: &str) -> Result<(String, f64), String> {
    let (name, value) = pair(text)?;
    Ok((name, scalelaw_core::number::parse(&value).map_err(|error| error.to_string())?))
}

/// Says on stderr which column was taken as what, and which cells were not used.
pub fn say(reading: &Reading) {
    if reading.left_out.rows() > 0 {
        eprintln!("left out: {}", reading.left_out);
    }
    if let Some(s) = &reading.selected {
        eprintln!("{} of {} rows satisfy {}", s.kept, s.of, s.filter);
    }
    let mut said: Vec<String> = reading
        .assigned
        .iter()
        .map(|Assigned { variable, source }| match source {
            Source::Derived { rule, inputs } => {
                let [a, b] = inputs.as_ref();
                format!("{} (columns {}, {})", rule.equation, column_text(a), column_text(b))
            }
            Source::Column { .. } => format!("{variable} = column {}", column_text(source)),
            Source::Computed { expression, .. } => format!("{variable} = {expression}"),
        })
        .collect();
    for (symbol, others) in [("loss", &reading.passed_over), ("N", &reading.other_sizes)] {
        let at = reading.assigned.iter().position(|assigned| assigned.variable == symbol);
        if let Some(at) = at.filter(|_| !others.is_empty()) {
            said[at] += &format!(" (not {}; choose with --map {symbol}=COLUMN)", others.join(", "));
        }
    }
    if let Some(trunk) = &reading.trunk {
        said.push(format!("runs that share a trunk (column {trunk}) are resampled together"));
    }
    eprintln!("{}; {} points", said.join("; "), reading.n_points);
    if reading.conventions.is_none() {
        eprintln!("what N counts is not known; say it with --params non-embedding|total|matmul");
    }
    say_problems(&reading.problems);
}

/// A column and the unit of its numbers.
fn column_text(source: &Source) -> String {
    match source {
        Source::Column { name, unit: Unit::One } => name.clone(),
        Source::Column { name, unit: Unit::Times(factor) } => format!("{name} × {factor:e}"),
        Source::Column { name, unit: Unit::PowerOf(base) } => format!("{name} as a power of {base:.4}"),
        Source::Computed { expression, .. } => expression.clone(),
        Source::Derived { rule, .. } => rule.equation.to_string(),
    }
}

/// Says on stderr what is doubtful about the points.
pub fn doubt(reading: &Reading) {
    for (_, message) in reading.doubtful() {
        eprintln!("warning: {message}");
    }
}

/// Cells that are named one by one.
const MOST_PROBLEMS: usize = 10;

/// Says on stderr which cells were not used.
pub fn say_problems(problems: &[Problem]) {
    for problem in problems.iter().take(MOST_PROBLEMS) {
        eprintln!("not used: {problem}");
    }
    if problems.len() > MOST_PROBLEMS {
        eprintln!("not used: {} more cells", problems.len() - MOST_PROBLEMS);
    }
}

/// 0 when every cell was used, 3 when some were not.
pub fn exit(reading: &Reading) -> ExitCode {
    if reading.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

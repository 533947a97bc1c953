//! The table that a command starts from: its arguments, and in words how it was read.

use scalelaw_core::ParamConvention;
use scalelaw_lab::observations::Source;
use scalelaw_lab::{Reading, TableRequest};
use scalelaw_table::Problem;
use std::path::Path;
use std::process::ExitCode;

/// How to read a table.
#[derive(clap::Args, Clone, Debug)]
pub struct TableArgs {
    /// Which column is what, e.g. N=parameter_count,loss=val_loss; keys are the law's variables, loss (or y),
    /// response, run, trunk and weight
    #[arg(long, value_name = "NAME=COLUMN", value_delimiter = ',', value_parser = pair)]
    map: Vec<(String, String)>,
    /// Keep only rows for which this is true, e.g. 'tokens > 3e7 and arch == "transformer"'
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
            map: self.map.clone(),
            filter: self.filter.clone(),
            params: self.params(),
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
    if let Some(s) = &reading.selected {
        eprintln!("{} of {} rows satisfy {}", s.kept, s.of, s.filter);
    }
    let mut said: Vec<String> = reading
        .assigned
        .iter()
        .map(|assigned| match &assigned.source {
            Source::Column(column) => format!("{} = column {column}", assigned.variable),
            Source::Derived { rule, columns } => {
                format!("{} (columns {})", rule.equation, columns.join(", "))
            }
        })
        .collect();
    if let Some(trunk) = &reading.trunk {
        said.push(format!("runs that share a trunk (column {trunk}) are resampled together"));
    }
    eprintln!("{}; {} points", said.join("; "), reading.n_points);
    if reading.conventions.is_none() {
        eprintln!("what N counts is not known; say it with --params non-embedding|total|matmul");
    }
    say_problems(&reading.problems);
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

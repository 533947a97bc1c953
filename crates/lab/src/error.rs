//! What can keep a request from having a report.

use crate::observations::Reading;
use scalelaw_core::ParamConvention;
use scalelaw_experiment::ExperimentError;
use scalelaw_files::FileError;
use scalelaw_fit::FitError;
use scalelaw_fit::plan::PlanError;
use scalelaw_runs::RunsError;
use scalelaw_table::TableError;
use scalelaw_tokens::TokensError;
use std::path::PathBuf;

/// Bad input, or no usable result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A table cannot be read, selected from or written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A law cannot be found, fitted or evaluated.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A law cannot be fitted to the rows that a table has for it.
    #[error("{error}")]
    Unfitted {
        /// How the table was read: which column is what, and which rows were left out.
        reading: Box<Reading>,
        /// Why there is no fit.
        error: FitError,
    },
    /// A law cannot answer a question.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A run directory cannot be read.
    #[error(transparent)]
    Run(#[from] RunsError),
    /// A dataset cannot be read.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// An experiment file is wrong.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// No column of the table is assigned to a variable, and none is recognised as it.
    #[error(
        "{table}: no column is recognised as {symbol}{}; the columns are: {}",
        law.as_ref().map_or_else(String::new, |law| format!(", which the law {law} needs")),
        columns.join(", ")
    )]
    NoColumn {
        /// The table.
        table: String,
        /// The variable or role: `N`, `loss`, `run`.
        symbol: String,
        /// The law that needs it, if a law does.
        law: Option<String>,
        /// Columns there are.
        columns: Vec<String>,
    },
    /// A name is assigned that the law or the command does not use.
    #[error("{symbol} is assigned, and {by} uses no {symbol}; it uses {}", used.join(", "))]
    UnusedMap {
        /// The name.
        symbol: String,
        /// The law or the command.
        by: String,
        /// The names that it uses.
        used: Vec<String>,
    },
    /// Two columns of one header hold different things.
    #[error("{table}: two columns have the header of {column}, and they differ: {column} and {twin}")]
    Twins {
        /// The table.
        table: String,
        /// The first of them.
        column: String,
        /// The other one.
        twin: String,
    },
    /// A column's numbers cannot be what they are taken for.
    #[error("{table}: {doubt}")]
    Implausible {
        /// The table.
        table: String,
        /// What is wrong.
        doubt: Box<crate::observations::Doubt>,
        /// Variables and expressions that would make sense of the columns.
        units: Vec<(&'static str, String)>,
    },
    /// Runs of several recipes, each of which has a law of its own.
    #[error(
        "{table}: runs alike in every variable of the law differ in {}, which is one of {}",
        swept.column,
        swept.words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
    )]
    Recipes {
        /// The table.
        table: String,
        /// The column that tells them apart.
        swept: Box<crate::observations::Swept>,
    },
    /// Every value of a swept setting, where a law is of the best one.
    #[error("{table}: {law} is a law of the best value, and the table has up to {most} values in one place")]
    NotTheBest {
        /// The table.
        table: String,
        /// The law.
        law: String,
        /// Most values in one place.
        most: usize,
        /// The settings that differ within places, the one that the law predicts first.
        settings: Vec<String>,
    },
    /// The column whose best values are wanted is also the loss that says which are the best.
    #[error(
        "{table}: column {column} is the loss, and cannot be the setting whose best value is chosen by it"
    )]
    BestByItself {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// No run of the table came to its end.
    #[error("{table}: no row is left: {left_out}")]
    NoneEnded {
        /// The table.
        table: String,
        /// Why its rows are left out.
        left_out: crate::observations::LeftOut,
    },
    /// The table has no loss, or none of N, D and C.
    #[error(
        "{table}: no law can be fitted: a loss and one of N, D or C are needed; the columns are: {}",
        columns.join(", ")
    )]
    NothingToFit {
        /// The table.
        table: String,
        /// Columns there are.
        columns: Vec<String>,
    },
    /// Every law that the table has columns for failed.
    #[error("{table}: none of {laws} laws could be fitted to {n_points} points")]
    NoLawFitted {
        /// The table.
        table: String,
        /// Laws tried.
        laws: usize,
        /// Points there were.
        n_points: usize,
    },
    /// A column's name says that it counts something else than what was asked for.
    #[error("{table}: column {column} holds {said}, and no column holds {asked}")]
    OtherConvention {
        /// The table.
        table: String,
        /// The column that N would be read from.
        column: String,
        /// What it counts.
        said: ParamConvention,
        /// What was asked for.
        asked: ParamConvention,
    },
    /// The losses of two tables are measured in different units.
    #[error("{} has losses in {}, {} in {}: they cannot be compared", tables[0], unit(&units[0]), tables[1], unit(&units[1]))]
    OtherUnits {
        /// The tables.
        tables: [String; 2],
        /// Their units; `None` for nats per token.
        units: [Option<String>; 2],
    },
    /// A place names something that the law does not use.
    #[error("{law} does not use {name}: it needs {}", variables.join(", "))]
    UnusedAt {
        /// The law.
        law: String,
        /// What was given.
        name: String,
        /// The law's variables.
        variables: Vec<String>,
    },
    /// A place names a variable twice.
    #[error("{name} is given twice")]
    GivenTwice {
        /// The variable.
        name: String,
    },
    /// The table counts N, C and D in one way only.
    #[error("{table}: it has one counting convention; to compare, it needs several of {}", columns.join(", "))]
    OneConvention {
        /// The table.
        table: String,
        /// Columns that name what they count.
        columns: Vec<&'static str>,
    },
    /// No budget has enough sizes for a valley.
    #[error("{table}: no budget has {sizes} sizes (budgets within a factor of {within} count as one)")]
    NoIsoflopBudget {
        /// The table.
        table: String,
        /// Sizes needed.
        sizes: usize,
        /// The factor.
        within: f64,
    },
    /// Curves whose rows have no FLOPs, no tokens and no batch.
    #[error("{table}: the curves have no cost: neither FLOPs nor tokens, nor a batch for their steps")]
    NoCost {
        /// The table.
        table: String,
    },
    /// A run of which neither the curves nor the run table say something.
    #[error("{table}: run {run}: neither the curves nor the run table have its {what}")]
    NoFact {
        /// The curves.
        table: String,
        /// The run.
        run: String,
        /// What is missing: `N` or `batch`.
        what: &'static str,
    },
    /// No run has every count.
    #[error("{}: no row has all of {}", path.display(), needed.join(", "))]
    NoCountedRun {
        /// The run table.
        path: PathBuf,
        /// Columns needed.
        needed: &'static [&'static str],
    },
    /// Neither a preset nor a file has the name.
    #[error("{name} is neither a preset nor a file; the presets are: {}", presets.join(", "))]
    UnknownLawSource {
        /// The name.
        name: String,
        /// Presets there are.
        presets: Vec<&'static str>,
    },
    /// A file is not the JSON expected.
    #[error("{}: not {expected}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
        /// The reader's words.
        #[source]
        source: serde_json::Error,
    },
    /// A JSON file is neither a fitted law nor a chain.
    #[error(
        "{}: its format is {}, expected {} or {}",
        path.display(),
        format.as_deref().unwrap_or("not given"),
        scalelaw_fit::FORMAT,
        scalelaw_fit::chain::FORMAT
    )]
    LawFormat {
        /// The file.
        path: PathBuf,
        /// Its format, if it names one.
        format: Option<String>,
    },
    /// A law without the uncertainty of a fit.
    #[error("{name} is a {kind}, not one law with a covariance; a fitted law is needed")]
    NotFitted {
        /// Preset or file.
        name: String,
        /// `preset`, `chain` or `forecaster`.
        kind: &'static str,
    },
    /// A law that predicts no loss for the planned run.
    #[error("{law} predicts no loss: there is nothing to register")]
    NoForecast {
        /// The law.
        law: String,
    },
    /// A law that gives no batch or learning rate for the planned run.
    #[error("{law} gives no {setting} for this run")]
    NoSetting {
        /// The law.
        law: String,
        /// `batch` or `lr`.
        setting: &'static str,
    },
    /// A forecast is not revised.
    #[error("{}: the file exists, and a forecast is not overwritten", path.display())]
    ForecastExists {
        /// The forecast.
        path: PathBuf,
    },
    /// A forecast is graded once.
    #[error("{}: graded already, by a loss of {loss}; a forecast is graded once", path.display())]
    GradedAlready {
        /// The forecast.
        path: PathBuf,
        /// The loss it was graded by.
        loss: f64,
    },
    /// A loss that is not a positive number.
    #[error("a loss of {loss}: expected nats per token, above 0")]
    NotALoss {
        /// The loss.
        loss: f64,
    },
    /// A run without a result.
    #[error("{}: there is no result.json: the run is not finished", path.display())]
    NotFinished {
        /// The run directory.
        path: PathBuf,
    },
    /// A finished run without a loss.
    #[error("{}: the run ended without a loss", path.display())]
    NoLoss {
        /// The run directory.
        path: PathBuf,
    },
    /// The data of a published fit are not there.
    #[error("{}: not there; it is published at {repository} (commit {commit}). {notes}", path.display())]
    NoPublishedData {
        /// The file.
        path: PathBuf,
        /// Where it is published.
        repository: &'static str,
        /// Commit or version.
        commit: &'static str,
        /// What the files hold.
        notes: &'static str,
    },
}

fn unit(unit: &Option<String>) -> &str {
    unit.as_deref().unwrap_or("nats per token")
}

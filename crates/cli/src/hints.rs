//! What a person can do about an error: the libraries say what is wrong, this page says what to type.

use scalelaw_core::spelling::{meant, nearest};
use scalelaw_corpus::CorpusError;
#[cfg(feature = "fetch")]
use scalelaw_fetch::FetchError;
use scalelaw_fit::FitError;
use scalelaw_fit::plan::{Missing, PlanError};
use scalelaw_lab::LabError;
use scalelaw_lab::observations::Doubt;
use scalelaw_lab::paper::SweptError;
use scalelaw_lab::quickstart::QuickstartError;
use scalelaw_lab::runs::ExportError;
use scalelaw_lab::sweep::SweepError;
use scalelaw_runs::RunsError;
use scalelaw_table::{Fault, LossUnit, TableError, loss_unit, quoted};
use scalelaw_tokens::TokensError;
use scalelaw_train::TrainError;
use std::path::Path;

/// What may help, most likely first; empty when the message already says everything.
pub fn hints(error: &anyhow::Error) -> Vec<String> {
    error.chain().filter_map(hint).collect()
}

/// The hint of one error in the chain. Each library error that has one has a line here.
fn hint(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(usage) = cause.downcast_ref::<Usage>() {
        return Some(usage.hint.clone());
    }
    if let Some(error) = cause.downcast_ref::<LabError>() {
        return lab(error);
    }
    if let Some(error) = cause.downcast_ref::<SweepError>() {
        return sweep(error);
    }
    if let Some(error) = cause.downcast_ref::<QuickstartError>() {
        return quickstart(error);
    }
    if let Some(error) = cause.downcast_ref::<SweptError>() {
        return swept(error);
    }
    if let Some(error) = cause.downcast_ref::<FitError>() {
        return fit(error);
    }
    if let Some(error) = cause.downcast_ref::<PlanError>() {
        return plan(error);
    }
    if let Some(error) = cause.downcast_ref::<TableError>() {
        return table(error);
    }
    if let Some(error) = cause.downcast_ref::<CorpusError>() {
        return corpus(error);
    }
    #[cfg(feature = "fetch")]
    if let Some(error) = cause.downcast_ref::<FetchError>() {
        return fetch(error);
    }
    if let Some(error) = cause.downcast_ref::<TokensError>() {
        return tokens(error);
    }
    if let Some(error) = cause.downcast_ref::<RunsError>() {
        return runs(error);
    }
    if let Some(error) = cause.downcast_ref::<TrainError>() {
        return train(error);
    }
    if let Some(error) = cause.downcast_ref::<ExportError>() {
        return export(error);
    }
    None
}

fn runs(error: &RunsError) -> Option<String> {
    matches!(error, RunsError::OtherRun { .. }).then(|| "give another directory: --out DIR".into())
}

fn train(error: &TrainError) -> Option<String> {
    match error {
        TrainError::Tokens(error) => tokens(error),
        TrainError::Run(error) => runs(error),
        _ => None,
    }
}

fn export(error: &ExportError) -> Option<String> {
    match error {
        ExportError::Runs(error) => runs(error),
        ExportError::Tokens(error) => tokens(error),
        ExportError::Data(error) => train(error),
        ExportError::Table(error) => table(error),
        _ => None,
    }
}

fn corpus(error: &CorpusError) -> Option<String> {
    Some(
        match error {
            CorpusError::NotACorpus { .. } => "make one with `scalelaw corpus build`",
            CorpusError::OtherCorpus { .. } => "give another folder: --out DIR, or delete this one",
            CorpusError::DamagedWork { .. } => "delete this file and run the same command again",
            CorpusError::TooLittleText { .. } => "use more text",
            CorpusError::UnknownTokenizer { name, known } => return did_you_mean(name, *known),
            CorpusError::Settings { source, .. } => {
                return meant(source.message()).map(|near| format!("did you mean `{near}`?"));
            }
            CorpusError::Tokens(error) => return tokens(error),
            _ => return None,
        }
        .into(),
    )
}

#[cfg(feature = "fetch")]
fn fetch(error: &FetchError) -> Option<String> {
    Some(
        match error {
            FetchError::ForeignArchive { .. } => "give another folder: --out DIR",
            FetchError::LogLine { .. } => "repair the line, or give another folder: --out DIR",
            FetchError::LostPages { .. } => "put the archive back, or give another folder: --out DIR",
            FetchError::InUse { .. } => "wait for the other process, or give another folder: --out DIR",
            _ => return None,
        }
        .into(),
    )
}

fn lab(error: &LabError) -> Option<String> {
    match error {
        LabError::Table(error) => table(error),
        LabError::Fit(error) | LabError::Unfitted { error, .. } => fit(error),
        LabError::OtherConvention { .. } => {
            Some("name the column that N is read from: --map N=COLUMN; or leave --params out".into())
        }
        LabError::NoColumn { symbol, columns, .. } => {
            let perplexity = columns.iter().find(|column| loss_unit(column) == Some(LossUnit::Perplexity));
            Some(match perplexity.filter(|_| symbol == "loss") {
                Some(column) => {
                    format!("the loss is a perplexity's logarithm: --map 'loss=ln({})'", quoted(column))
                }
                None => format!("name the column: --map {symbol}=COLUMN"),
            })
        }
        LabError::Plan(error) => plan(error),
        LabError::Tokens(error) => tokens(error),
        LabError::NoIsoflopBudget { .. } => Some("--within FACTOR says which budgets count as one".into()),
        LabError::NoCost { .. } => {
            Some("--map C=COLUMN or D=COLUMN, or the tokens of an update: --batch TOKENS".into())
        }
        LabError::NoFact { what: "batch", .. } => Some("give the tokens of an update: --batch TOKENS".into()),
        LabError::NoFact { .. } => Some("give the run table of the curves: --runs TABLE".into()),
        LabError::UnknownLawSource { name, presets } => did_you_mean(name, presets),
        LabError::LawFormat { .. } | LabError::NotFitted { .. } => {
            Some("`scalelaw fit --out FILE` writes a law file".into())
        }
        LabError::NoSetting { setting, .. } => Some(format!("give it: --{setting} NUMBER")),
        LabError::UnusedMap { .. } => Some(
            "leave it out, or fit an expression that uses the name, such as 'E + A/N^alpha + F/X^gamma'"
                .into(),
        ),
        LabError::Twins { column, twin, .. } => {
            Some(format!("say which is meant: --map NAME={column} or --map NAME={twin}"))
        }
        LabError::Implausible { doubt, units, .. } => Some(implausible(doubt, units)),
        LabError::Recipes { swept, .. } => {
            Some(one_recipe(&swept.column, swept.words.first().map_or("", String::as_str)))
        }
        LabError::NotTheBest { settings, .. } => {
            Some(format!("take the values with the lowest loss: --best-of {}", settings.join(",")))
        }
        LabError::BestByItself { column, .. } => Some(format!(
            "name the loss, and the column that the law predicts: --map 'loss=COLUMN,response={}'",
            quoted(column)
        )),
        LabError::NoneEnded { left_out, .. } => left_out.by.first().map(|(column, ..)| {
            format!("to use them, name the column in --where, such as --where '{} != \"\"'", quoted(column))
        }),
        LabError::NothingToFit { .. } => Some("name the columns: --map loss=COLUMN,N=COLUMN".into()),
        _ => None,
    }
}

/// What can be done about runs of several recipes.
pub fn one_recipe(column: &str, word: &str) -> String {
    format!(
        "fit one at a time: --where '{} == \"{word}\"'; a --where that names the column decides",
        quoted(column)
    )
}

fn implausible(doubt: &Doubt, units: &[(&'static str, String)]) -> String {
    match doubt {
        Doubt::Perplexity { column } => {
            format!("fit its logarithm: --map 'loss=ln({0})'; or itself: --map 'loss=1*{0}'", quoted(column))
        }
        Doubt::HighLoss { column, .. } => format!(
            "say what it is: --map 'loss=ln({0})' of perplexities, or 'loss=1*{0}' to take it as it is",
            quoted(column)
        ),
        Doubt::MixedUnits { column, value, decades, .. } => format!(
            "mend the cells, or leave those rows out: --where '{} > 1e{}'",
            quoted(column),
            (value.log10() + 0.5 * f64::from(*decades)).round()
        ),
        _ => {
            let such: Vec<String> =
                units.iter().map(|(variable, unit)| format!("{variable}={unit}")).collect();
            let such = if such.is_empty() { "N=1e6*COLUMN,D=1e9*COLUMN".to_string() } else { such.join(",") };
            format!("say the units: --map '{such}'; a factor of 1 takes a column as it is")
        }
    }
}

fn fit(error: &FitError) -> Option<String> {
    match error {
        FitError::UnknownLaw { name, known } => did_you_mean(name, known),
        FitError::UnknownParameter { name, known, .. } => did_you_mean(name, known),
        FitError::MissingVariable { variable, .. } => {
            Some(format!("name the column: --map {variable}=COLUMN"))
        }
        FitError::LogOfResponse { .. } => {
            Some("fit the response itself: --space linear; or select other rows: --where".into())
        }
        FitError::NoStart { positive_response: false, .. } => {
            Some("not every response is above 0: check the column, or fit it itself: --space linear".into())
        }
        FitError::TooFewPoints { .. } => {
            Some("add runs, choose a law with fewer parameters, or fix some: --fix NAME=VALUE".into())
        }
        FitError::NoCovariance { .. } => Some("fit a law with fewer parameters, or add runs".into()),
        FitError::ShortCurves { .. } => Some("leave out fewer steps: --skip".into()),
        _ => None,
    }
}

fn plan(error: &PlanError) -> Option<String> {
    match error {
        PlanError::UnknownPreset { name, known } | PlanError::UnknownShapeRule { name, known } => {
            did_you_mean(name, known)
        }
        PlanError::CannotPlan { missing: Missing::OnlyHyperParameters, .. } => {
            Some("give it beside a law: --hyper PRESET".into())
        }
        PlanError::CannotPlan { missing: Missing::SizeAndData { .. }, .. } => Some(
            "write the law over N and D and name their columns: scalelaw fit 'E + A/N^alpha + B/D^beta' TABLE --map \
             N=COLUMN,D=COLUMN"
                .into(),
        ),
        PlanError::Undecided { constant: Some(variable), parameters, .. } => {
            Some(format!("add runs of another {variable}{}", or_fix(parameters)))
        }
        PlanError::Undecided { together: true, parameters, .. } => Some(format!(
            "add runs of the largest and the smallest N with a quarter and with four times the tokens{}",
            or_fix(parameters)
        )),
        PlanError::Undecided { parameters, .. } => {
            Some(format!("add runs that vary N and D independently{}", or_fix(parameters)))
        }
        PlanError::Fit(error) => fit(error),
        _ => None,
    }
}

/// What to do about parameters that more runs would determine.
fn or_fix(parameters: &[String]) -> String {
    parameters.first().map_or_else(String::new, |name| {
        format!("; or hold what you know of other runs: scalelaw fit --fix {name}=VALUE")
    })
}

fn tokens(error: &TokensError) -> Option<String> {
    let TokensError::NoManifest { .. } = error else { return None };
    Some("`scalelaw corpus build` makes a dataset in CORPUS/tokens, `scalelaw sweep` in OUT/data".into())
}

fn table(error: &TableError) -> Option<String> {
    match error {
        TableError::NoColumn { column, columns, .. } => did_you_mean(column, columns),
        TableError::TooLarge { .. } | TableError::TooManyCells { .. } => {
            Some("keep fewer rows or columns: a law needs runs, and few points of each curve".into())
        }
        TableError::Unquoted { column, .. } => Some(format!("write it in back quotes: {}", quoted(column))),
        TableError::NoneUsable { first: Some(problem), .. } if matches!(problem.fault, Fault::NotPositive(_)) => {
            Some("a response that is not above 0 is fitted itself: --space linear".into())
        }
        TableError::NoStep { .. } => Some(
            "name the column: --map step=COLUMN; a table with a row a run needs no import: `scalelaw fit` reads it"
                .into(),
        ),
        TableError::Directory { path } => Some(table_of(path)),
        TableError::UnknownLog { path, .. } if path.is_dir() => Some("name the logs in this directory".into()),
        TableError::UnknownFormat { path } => {
            let law = path.to_str().filter(|name| scalelaw_fit::laws::by_name(name).is_ok())?;
            Some(format!("`{law}` is a law; name a table too: scalelaw fit {law} runs.csv"))
        }
        _ => None,
    }
}

/// Which table is meant by a directory.
fn table_of(dir: &Path) -> String {
    let (table, runs) = (dir.join("tables/runs.csv"), dir.join("runs"));
    if table.is_file() {
        format!("its table of runs is {}", table.display())
    } else if runs.is_dir() {
        format!("write a table of its runs: scalelaw runs export {} --format csv > runs.csv", runs.display())
    } else {
        "name a table, such as runs.csv".into()
    }
}

fn sweep(error: &SweepError) -> Option<String> {
    Some(match error {
        SweepError::NoData { .. } => "give the text with --text PATH, or a dataset with --data DIR".into(),
        SweepError::NoQueue { dir } => {
            format!("`scalelaw sweep queue EXPERIMENT.toml --out {}` makes one", dir.display())
        }
        SweepError::NoSweep { .. } => {
            "name the folder that was given to --out, such as scalelaw-sweep".into()
        }
        SweepError::DamagedList { .. } | SweepError::ListWithoutSpecs { .. } => {
            "`scalelaw sweep queue EXPERIMENT.toml --out DIR` writes it again".into()
        }
        SweepError::NoLaw { .. } | SweepError::NoInterval { .. } => {
            "give the experiment more sizes and lengths to begin with".into()
        }
        SweepError::Corpus(error) => return corpus(error),
        SweepError::Tokens(error) => return tokens(error),
        SweepError::Train(error) => return train(error),
        SweepError::Runs(error) => return runs(error),
        SweepError::Table(error) => return table(error),
        SweepError::Fit(error) => return fit(error),
        SweepError::Plan(error) => return plan(error),
        _ => return None,
    })
}

fn quickstart(error: &QuickstartError) -> Option<String> {
    match error {
        QuickstartError::OtherStudy { .. } => Some("give another folder: --out DIR".into()),
        QuickstartError::BudgetTooSmall { .. } => Some("give a longer --budget".into()),
        QuickstartError::Sweep(error) => sweep(error),
        QuickstartError::Forecasts(error) => lab(error),
        _ => None,
    }
}

fn swept(error: &SweptError) -> Option<String> {
    match error {
        SweptError::Sweep(error) => sweep(error),
        SweptError::Runs(error) => runs(error),
        SweptError::NoneFinished { dir, .. } => {
            Some(format!("`scalelaw sweep run EXPERIMENT --out {}` goes on with them", dir.display()))
        }
        _ => None,
    }
}

/// The known name that was most likely meant, as a question.
pub fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a)>,
) -> Option<String> {
    let near = nearest(name, known.into_iter().map(AsRef::as_ref))?;
    Some(format!("did you mean `{near}`?"))
}

/// A command line that cannot be meant as it stands, though every argument of it is well formed: exit code 2.
#[derive(Debug)]
pub struct Usage {
    problem: String,
    hint: String,
}

impl Usage {
    /// What is wrong with the command line, and what to write instead.
    pub fn error(problem: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { problem: problem.into(), hint: hint.into() })
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Usage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_you_mean_names_the_nearest_name_and_nothing_when_all_are_far() {
        let laws = ["kaplan-nd", "chinchilla", "power"];
        assert_eq!(did_you_mean("Chincilla", &laws).as_deref(), Some("did you mean `chinchilla`?"));
        assert_eq!(did_you_mean("logistic", &laws), None);
    }

    #[test]
    fn hint_of_an_unknown_column_is_the_nearest_one() {
        let error = LabError::Table(TableError::NoColumn {
            source_name: "runs.csv".into(),
            column: "token".into(),
            columns: vec!["tokens".into(), "loss".into()],
        });
        assert_eq!(hints(&error.into()), ["did you mean `tokens`?"]);
    }
}

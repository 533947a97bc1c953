use scalelaw_corpus::CorpusError;
use scalelaw_experiment::ExperimentError;
use scalelaw_files::FileError;
use scalelaw_fit::FitError;
use scalelaw_fit::plan::PlanError;
use scalelaw_runs::RunsError;
use scalelaw_table::TableError;
use scalelaw_tokens::TokensError;
use scalelaw_train::TrainError;
use std::path::PathBuf;

/// Why a sweep cannot be planned, run or examined. A run that fails is not an error: it is in the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The experiment is not right.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The text cannot be read or is too little.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The dataset cannot be read.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The data are not those of the runs.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The files of a run cannot be read or written.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A table cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A law cannot be evaluated.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The optimum of a budget cannot be found.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The experiment says no data, none were given, and none lie in the output directory.
    #[error("{} names no data", experiment.display())]
    NoData {
        /// The experiment file.
        experiment: PathBuf,
        /// Why there is no dataset in the output directory.
        #[source]
        source: TokensError,
    },
    /// A synthetic language has no end.
    #[error("[data] synthetic needs max_train_tokens: a language has no end")]
    EndlessLanguage,
    /// A tokenizer is to be trained, but its size is a formula.
    #[error("to train a tokenizer the recipe must say n_vocab as a plain number")]
    NoVocabulary,
    /// The dataset is another than the experiment's.
    #[error("{} has digest {found}, but the experiment is about {expected}", dataset.display())]
    OtherDataset {
        /// Its folder.
        dataset: PathBuf,
        /// Its digest.
        found: String,
        /// The digest in the experiment.
        expected: String,
    },
    /// Further evaluation sets are prepared with the dataset's tokenizer, which cannot be read.
    #[error("further evaluation sets need the dataset's own tokenizer")]
    NoTokenizer(#[source] CorpusError),
    /// A further evaluation set cannot be prepared.
    #[error("evaluation set {name}")]
    EvaluationSet {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Box<Self>,
    },
    /// The directory is not the output of a sweep or a quickstart.
    #[error("{} is not the output directory of a sweep or a quickstart", dir.display())]
    NoSweep {
        /// The directory.
        dir: PathBuf,
        /// Why its runs cannot be listed.
        #[source]
        source: FileError,
    },
    /// No sweep was run or queued here, so there is nothing for a worker.
    #[error("{} has no list of runs for a worker", dir.display())]
    NoQueue {
        /// The directory.
        dir: PathBuf,
    },
    /// A list of runs, or what belongs to it, is damaged; running the sweep again writes it again.
    #[error("{} is damaged", path.display())]
    DamagedList {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// A list of runs was written by a version that did not keep what a worker needs.
    #[error("{} does not hold the specs of its runs", path.display())]
    ListWithoutSpecs {
        /// The list.
        path: PathBuf,
    },
    /// The result of a run is damaged.
    #[error("{} is damaged", path.display())]
    DamagedResult {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// The finished runs on fresh text determine no law: the experiment needs more sizes and lengths to begin with.
    #[error("{runs} finished runs on fresh text determine no law of N and D")]
    NoLaw {
        /// How many there are.
        runs: usize,
        /// Why not.
        #[source]
        source: FitError,
    },
    /// The law has no interval: the experiment needs more sizes and lengths to begin with.
    #[error("{runs} finished runs do not determine the interval of L(N, D)")]
    NoInterval {
        /// How many there are.
        runs: usize,
    },
}

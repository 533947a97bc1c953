//! Column names people use, and what they mean.

use crate::units::{self, Unit};
use scalelaw_core::{DataConvention, FlopConvention, ParamConvention};

/// What a column is to a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Parameters.
    N,
    /// Training tokens.
    D,
    /// Training FLOPs.
    C,
    /// Loss in nats per token.
    Loss,
    /// Updates.
    S,
    /// Tokens per update.
    B,
    /// Distinct tokens.
    U,
    /// Position in the context.
    T,
    /// Learning rate.
    LearningRate,
    /// Run a row belongs to.
    Run,
    /// Trunk that a run branched from.
    Trunk,
    /// Random seed.
    Seed,
    /// How a run ended.
    Status,
    /// Standard error of the loss.
    LossError,
    /// Gradient noise scale, tokens.
    NoiseScale,
    /// Test or validation loss in a training log, nats per token.
    TestLoss,
    /// Training loss in a training log, nats per token: there, a bare `loss` is this one.
    TrainLoss,
    /// Tokens processed so far in a training log.
    TokensSoFar,
}

/// What a column's name says it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Parameters.
    Params(ParamConvention),
    /// FLOPs.
    Flops(FlopConvention),
    /// Tokens.
    Data(DataConvention),
}

/// A name without case and punctuation: `Training FLOP` and `training_flop` are the same.
pub(crate) fn normalised(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Role {
    /// Names recognised (without case and punctuation), best first.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::N => &[
                "n",
                "nnonembed",
                "nnonembedparams",
                "nonembeddingparams",
                "nparams",
                "params",
                "nparameters",
                "parameters",
                "parametercount",
                "modelsize",
                "ntotal",
                "totalparameters",
                "totalparametercount",
                "totalparams",
                "denseparametercount",
                "numparams",
                "nonembedparams",
                "nmatmul",
                "modelparams",
                "modelparameters",
                "nparam",
                "nonembparams",
                "paramsnoembed",
                "nonvocabparameters",
            ],
            Self::D => &[
                "d",
                "tokens",
                "datasettokens",
                "ntokens",
                "trainingtokens",
                "traintokens",
                "totaltokens",
                "datasize",
                "datasetsize",
                "throughputtotaltokens",
                "numtokens",
                "tokensseen",
                "tokenstrained",
                "ntraintokens",
                "numtraintokens",
                "totaltrainingtokens",
                "tokencount",
                "dtokens",
                "datasettokencount",
                "dunique",
            ],
            Self::C => &[
                "c",
                "flops",
                "flops6n",
                "trainingflop",
                "trainingflops",
                "totalflops",
                "compute",
                "flopsmatmul",
                "flopsfull",
                "trainflops",
                "traincompute",
                "trainingcompute",
                "totalcompute",
                "throughputtotalflops",
                "totalflop",
                "flop",
                "budget",
                "flopsbudget",
                "flopbudget",
                "computebudget",
            ],
            Self::Loss => &[
                "testloss",
                "testlossnats",
                "valloss",
                "validationloss",
                "validloss",
                "evalloss",
                "vallossc4",
                "lossvalidation",
                "finaltestloss",
                "finalvalloss",
                "finalevalloss",
                HELD_OUT,
                "loss",
                "l",
                "finalloss",
                "lossnats",
                "lossmin",
                "lossval",
                "losstest",
                "losseval",
                "valbpb",
                "evalbpb",
                "testbpb",
                "bpb",
                "lossbitsperbyte",
                "bitsperbyte",
                SOME_LOSS,
                "trainloss",
                "trainingloss",
            ],
            Self::S => &["s", "step", "steps", "nsteps", "updates", "iterations", "iteration", "numsteps"],
            Self::B => &["b", "batchtokens", "batchsizeintokens", "batchsizetokens", "batchsize", "batch"],
            Self::U => &["u", "dunique", "uniquetokens", "uniquedata"],
            Self::T => &["position", "tokenposition", "tokenindex"],
            Self::LearningRate => &[
                "lr",
                "learningrate",
                "trainlr",
                "trainlearningrate",
                "optimlearningrate",
                "lradamw",
                "lradam",
                "lrsgd",
                "peaklr",
                "learningratepeak",
            ],
            Self::Run => &["runid", "run", "runname", "hyperid", "trainingrunid", "experimentid", "name"],
            Self::Trunk => &["parentrun", "trunk"],
            Self::Seed => &["seed", "randomseed", "trainseed", "torchseed", "rngseed"],
            Self::Status => &["status", "state", "runstatus", "runstate", "jobstatus", "jobstate", "outcome"],
            Self::LossError => &["lossse", "lossstderr", "lossstd"],
            Self::NoiseScale => &["noisescale"],
            Self::TestLoss => &[
                "testloss",
                "valloss",
                "evalloss",
                "validationloss",
                "validloss",
                "lossval",
                "losstest",
                "losseval",
                "lossvalidation",
                "lmlossvalidation",
                "tel",
            ],
            Self::TrainLoss => &[
                "trainloss",
                "trainlossstep",
                "trainingloss",
                "losstrain",
                "traincrossentropyloss",
                "lossmetricsglobalavgloss",
                "lmloss",
                "trainceloss",
                "reducedtrainloss",
                "trl",
                "loss",
            ],
            Self::TokensSoFar => &[
                "tokens",
                "totaltokens",
                "throughputtotaltokens",
                "numinputtokensseen",
                "trainnuminputtokensseen",
                "traintokens",
                "tokensseen",
                "consumedtokens",
            ],
        }
    }

    /// How good a name for the role a column's is, 0 being best, and the unit that it states; `None` when it is none.
    pub(crate) fn named(self, column: &str) -> Option<(usize, Unit)> {
        let names = self.names();
        let place = |name: &str| names.iter().position(|known| *known == name);
        if let Some(place) = place(&normalised(column)) {
            return Some((place, Unit::One));
        }
        if self == Self::Loss {
            let kind = if held_out_loss(column) { HELD_OUT } else { SOME_LOSS };
            return place(kind).filter(|_| some_loss(column)).map(|place| (place, Unit::One));
        }
        let header = units::header(column).filter(|_| self.is_count())?;
        Some((place(&header.name)?, header.unit))
    }

    /// The unit in which a column holds the role: as its name states it.
    pub fn unit(self, column: &str) -> Unit {
        let plain = || units::header(column).filter(|header| header.plain && self.is_count());
        self.named(column).map(|(_, unit)| unit).or_else(|| plain().map(|h| h.unit)).unwrap_or(Unit::One)
    }

    /// Whether the role counts something that people write in millions.
    fn is_count(self) -> bool {
        matches!(self, Self::N | Self::D | Self::C | Self::S | Self::B | Self::U)
    }

    /// The letter laws use, or the plain word.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::N => "N",
            Self::D => "D",
            Self::C => "C",
            Self::Loss => "loss",
            Self::S => "S",
            Self::B => "B",
            Self::U => "U",
            Self::T => "T",
            Self::LearningRate => "lr",
            Self::Run => "run",
            Self::Trunk => "trunk",
            Self::Seed => "seed",
            Self::Status => "status",
            Self::LossError => "loss_se",
            Self::NoiseScale => "noise_scale",
            Self::TestLoss => "test_loss",
            Self::TrainLoss => "train_loss",
            Self::TokensSoFar => "tokens",
        }
    }

    /// The run table's own columns of a count, one for each counting convention; empty for what is not counted.
    pub fn counted_columns(self) -> &'static [&'static str] {
        match self {
            Self::N => &["n_nonembed", "n_matmul", "n_total"],
            Self::C => &["flops_6n", "flops_matmul", "flops_full"],
            Self::D => &["tokens", "d_unique"],
            _ => &[],
        }
    }

    /// The role of a law's variable, or of a word such as `run` that a user assigns a column to.
    pub fn of(symbol: &str) -> Option<Self> {
        [
            Self::N,
            Self::D,
            Self::C,
            Self::Loss,
            Self::S,
            Self::B,
            Self::U,
            Self::T,
            Self::LearningRate,
            Self::Run,
            Self::Trunk,
            Self::Seed,
            Self::Status,
            Self::LossError,
            Self::NoiseScale,
        ]
        .into_iter()
        .find(|role| role.symbol() == symbol || (*role == Self::Loss && symbol == "L"))
    }
}

/// Stands in [`Role::names`] where losses on held-out text belong whose names are not listed: `c4_val_loss`.
const HELD_OUT: &str = "(a loss on held-out text)";

/// Stands in [`Role::names`] where other losses belong whose names are not listed: `loss_c4`.
const SOME_LOSS: &str = "(a loss)";

/// Whether a column is by its name a loss of a language model: no spread of one, no part of an objective beside it.
fn some_loss(column: &str) -> bool {
    const NONE: [&str; 26] = [
        "train",
        "training",
        "ppl",
        "perplexity",
        "acc",
        "accuracy",
        "std",
        "se",
        "stderr",
        "err",
        "var",
        "diff",
        "gap",
        "delta",
        "scale",
        "ratio",
        "weight",
        "coef",
        "aux",
        "z",
        "router",
        "balance",
        "moe",
        "bits",
        "max",
        "count",
    ];
    let words: Vec<String> = units::words(column).into_iter().map(|w| w.to_lowercase()).collect();
    let has = |of: &[&str]| words.iter().any(|w| of.contains(&w.as_str()));
    has(&["loss", "nll", "ce", "xent"]) && !has(&NONE)
}

/// Whether a column of losses is by its name one on text that was not trained on.
fn held_out_loss(column: &str) -> bool {
    let words: Vec<String> = units::words(column).into_iter().map(|w| w.to_lowercase()).collect();
    let held_out = ["val", "valid", "validation", "test", "eval", "evaluation", "heldout", "holdout"];
    words.iter().any(|w| held_out.contains(&w.as_str()))
}

/// Whether a column is by its name what tells repeats of one run apart; a number of passes (`repeats`) does not.
pub fn is_seed(column: &str) -> bool {
    const NAMES: [&str; 9] =
        ["seed", "seeds", "rep", "replicate", "replica", "repeat", "repetition", "trial", "fold"];
    units::words(column).iter().any(|w| NAMES.contains(&w.to_lowercase().as_str()))
}

/// Whether a column is by its name what came of a run, no setting of it: a score, an accuracy, a speed, a time.
pub fn is_outcome(column: &str) -> bool {
    const WORDS: [&str; 34] = [
        "throughput",
        "tps",
        "sps",
        "mfu",
        "hfu",
        "accuracy",
        "acc",
        "score",
        "scores",
        "elo",
        "f1",
        "auc",
        "bleu",
        "rouge",
        "ppl",
        "perplexity",
        "perplexities",
        "entropy",
        "rmse",
        "mse",
        "best",
        "elapsed",
        "duration",
        "runtime",
        "walltime",
        "sec",
        "seconds",
        "minutes",
        "hours",
        "vram",
        "benchmark",
        "bench",
        "arc",
        "bbh",
    ];
    const LAST: [&str; 6] = ["time", "memory", "mb", "gb", "gib", "hard"];
    // Parts of names without case and punctuation.
    const BENCHMARKS: [&str; 23] = [
        "hellaswag",
        "mmlu",
        "gpqa",
        "gsm8k",
        "humaneval",
        "winograd",
        "winogrande",
        "truthfulqa",
        "ifeval",
        "musr",
        "mtbench",
        "hendryckstest",
        "lambada",
        "openbookqa",
        "piqa",
        "siqa",
        "boolq",
        "sciq",
        "triviaqa",
        "naturalquestions",
        "mbpp",
        "mathlvl",
        "commonsenseqa",
    ];
    const NO_LOSS: [&str; 7] = ["weight", "coef", "coefficient", "scale", "type", "function", "fn"];
    let words: Vec<String> = units::words(column).into_iter().map(|w| w.to_lowercase()).collect();
    let has = |of: &[&str]| words.iter().any(|w| of.contains(&w.as_str()));
    let last = words.last().map_or("", String::as_str);
    let name = normalised(column);
    has(&WORDS)
        || LAST.contains(&last)
        || BENCHMARKS.iter().any(|part| name.contains(part))
        // `tok/s`, `tokens_per_second`
        || (words.len() > 1 && ["s", "second"].contains(&last))
        || (has(&["grad", "gradient"]) && last == "norm")
        || (has(&["loss", "nll"]) && !has(&NO_LOSS))
}

/// What a column's name says it counts, when it says so.
pub fn counts(column: &str) -> Option<Counts> {
    let name = units::header(column).map_or_else(|| normalised(column), |header| header.name);
    let contains = |part: &str| name.contains(part);
    if contains("flop") {
        return Some(Counts::Flops(match name.as_str() {
            "flops6n" => FlopConvention::SixN,
            "flopsmatmul" => FlopConvention::Matmul,
            "flopsfull" => FlopConvention::Full,
            _ => return None,
        }));
    }
    if contains("token") || name == "dunique" {
        let unique = contains("unique") || contains("dataset");
        return Some(Counts::Data(if unique { DataConvention::Unique } else { DataConvention::Processed }));
    }
    if contains("nonemb") || contains("noemb") || contains("nonvocab") {
        return Some(Counts::Params(ParamConvention::NonEmbedding));
    }
    if name == "nmatmul" {
        return Some(Counts::Params(ParamConvention::Matmul));
    }
    (name == "ntotal" || name.starts_with("totalparam")).then_some(Counts::Params(ParamConvention::Total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_from_settings_by_their_names() {
        for name in [
            "throughput_sps",
            "tokens_per_sec",
            "tok/s",
            "mfu",
            "val_accuracy",
            "GSM8K",
            "MMLU-PRO",
            "ARC",
            "HellaSwag",
            "bbh_navigate",
            "hendrycksTest-anatomy",
            "MATH Lvl 5",
            "math_algebra_hard",
            "wall_time_hours",
            "gpu_memory_mb",
            "grad_norm",
            "final_train_loss",
            "attention_entropy",
            "best_val_step",
        ] {
            assert!(is_outcome(name), "{name}");
        }
        for name in [
            "lr",
            "batch_size",
            "warmup",
            "weight_decay",
            "arch",
            "norm",
            "n_heads",
            "depth",
            "loss_weight",
            "time_steps",
            "model_type",
            "memory_tokens",
            "total_samples",
            "dropout",
            "beta2",
            "init_std",
        ] {
            assert!(!is_outcome(name), "{name}");
        }
    }
}

//! Column names people use, and what they mean.

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
                "denseparametercount",
                "numparams",
                "nonembedparams",
                "nmatmul",
                "modelparams",
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
                "t",
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
            ],
            Self::Loss => &[
                "loss",
                "l",
                "testloss",
                "testlossnats",
                "valloss",
                "validationloss",
                "evalloss",
                "finalloss",
                "lossnats",
                "vallossc4",
                "lossvalidation",
                "lossmin",
                "finalvalloss",
                "trainloss",
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
            Self::Seed => &["seed"],
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
            ],
            Self::TrainLoss => &[
                "trainloss",
                "trainlossstep",
                "trainingloss",
                "losstrain",
                "traincrossentropyloss",
                "lossmetricsglobalavgloss",
                "lmloss",
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
            ],
        }
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
            Self::LossError,
            Self::NoiseScale,
        ]
        .into_iter()
        .find(|role| role.symbol() == symbol || (*role == Self::Loss && symbol == "L"))
    }
}

/// What a column's name says it counts, when it says so.
pub fn counts(column: &str) -> Option<Counts> {
    let name = normalised(column);
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
    if contains("nonembed") {
        return Some(Counts::Params(ParamConvention::NonEmbedding));
    }
    if name == "nmatmul" {
        return Some(Counts::Params(ParamConvention::Matmul));
    }
    (name == "ntotal" || name.starts_with("totalparam")).then_some(Counts::Params(ParamConvention::Total))
}

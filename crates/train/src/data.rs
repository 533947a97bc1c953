use crate::TrainError;
use scalelaw_core::RunSpec;
use scalelaw_tokens::{Dataset, EvalSet, Loader, Split};

/// The data of a run: training sequences by number and fixed test windows.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Training sequences.
    pub train: Loader,
    /// Test windows.
    pub test: EvalSet,
}

impl RunData {
    /// The part of a dataset that a spec asks for: the first `train_tokens` of the training split, and test
    /// windows of `test_tokens`.
    ///
    /// # Errors
    /// When the dataset is another than the spec's, or too small for it.
    pub fn open(dataset: &Dataset, spec: &RunSpec) -> Result<Self, TrainError> {
        let other = |what, found: String, expected: String| TrainError::OtherData { what, found, expected };
        let n_vocab = dataset.manifest().n_vocab;
        if n_vocab != spec.model.n_vocab {
            return Err(other("n_vocab", n_vocab.to_string(), spec.model.n_vocab.to_string()));
        }
        if dataset.digest() != spec.data.digest {
            return Err(other("digest", dataset.digest(), spec.data.digest.clone()));
        }
        let n_ctx = spec.model.n_ctx as usize;
        let train = Loader::new(dataset.train().prefix(spec.data.train_tokens)?, n_ctx, spec.seed)?;
        let test = EvalSet::new(dataset, Split::Test, n_ctx, spec.data.test_tokens)?;
        Ok(Self { train, test })
    }

    pub(crate) fn check(&self, spec: &RunSpec) -> Result<(), TrainError> {
        let expected = spec.model.n_ctx as usize;
        for (what, found) in [("context", self.train.n_ctx()), ("test context", self.test.n_ctx())] {
            if found != expected {
                return Err(TrainError::OtherData {
                    what,
                    found: found.to_string(),
                    expected: expected.to_string(),
                });
            }
        }
        Ok(())
    }
}

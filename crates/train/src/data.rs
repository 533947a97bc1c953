use crate::TrainError;
use scalelaw_core::RunSpec;
use scalelaw_tokens::{Dataset, EvalSet, Loader, Split};

/// The data of a run: training sequences by number, fixed test windows, and those of the spec's further sets.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Training sequences.
    pub train: Loader,
    /// Test windows.
    pub test: EvalSet,
    /// Windows of the further sets, in the order of the spec: see [`Self::add_set`].
    pub sets: Vec<EvalSet>,
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
        Ok(Self { train, test, sets: vec![] })
    }

    /// Adds the next of the further sets that the spec asks for: windows of the test split of `dataset`.
    ///
    /// # Errors
    /// When the spec has no further set, or `dataset` is another than it says or too small.
    pub fn add_set(&mut self, dataset: &Dataset, spec: &RunSpec) -> Result<(), TrainError> {
        let other = |what, found: String, expected: String| TrainError::OtherData { what, found, expected };
        let Some(set) = spec.measure.sets.get(self.sets.len()) else {
            let (found, expected) = (self.sets.len() + 1, self.sets.len());
            return Err(other("evaluation sets", found.to_string(), expected.to_string()));
        };
        if dataset.digest() != set.digest {
            return Err(other("evaluation set digest", dataset.digest(), set.digest.clone()));
        }
        self.sets.push(EvalSet::new(dataset, Split::Test, spec.model.n_ctx as usize, set.tokens)?);
        Ok(())
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
        let (found, expected) = (self.sets.len(), spec.measure.sets.len());
        if found != expected {
            return Err(TrainError::OtherData {
                what: "evaluation sets",
                found: found.to_string(),
                expected: expected.to_string(),
            });
        }
        Ok(())
    }
}

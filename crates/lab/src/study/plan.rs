//! The next run, as the study's laws see it.

/// What to train with a given compute. Every number of it is an extrapolation.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many times the compute of the whole study.
    pub factor: f64,
    /// Training compute in FLOPs, by the study's convention.
    pub compute: f64,
    /// Parameters, by the study's convention.
    pub n_params: f64,
    /// Tokens to process.
    pub tokens: f64,
    /// Updates.
    pub steps: f64,
    /// Tokens an update.
    pub batch_tokens: f64,
    /// Expected test loss, nats per token.
    pub loss: f64,
    /// Its 95% interval of one new run, if L(N, D) holds there.
    pub loss_interval: Option<(f64, f64)>,
    /// The same loss and interval over several forms of L(N, D), none of them taken for true.
    pub of_any_form: Option<(f64, (f64, f64))>,
    /// How often the run would see the text.
    pub epochs: f64,
    /// The largest compute of one run in this study, FLOPs by the same convention.
    pub largest_run: f64,
}

impl Plan {
    /// Whether it sees text more than once, which a law of fresh text does not price.
    pub fn is_repeating(&self) -> bool {
        self.epochs > 1.05
    }

    /// How far beyond the study's largest run it lies, in decades of compute.
    pub fn decades_beyond(&self) -> f64 {
        libm::log10(self.compute / self.largest_run)
    }
}

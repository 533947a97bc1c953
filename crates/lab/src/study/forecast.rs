//! A forecast and what came of it.

/// A loss that was forecast before its run was made.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// When, UTC.
    pub made: String,
    /// By which law.
    pub law: String,
    /// Where: the law's variables by name.
    pub at: Vec<(String, f64)>,
    /// The loss forecast, nats per token.
    pub loss: f64,
    /// 95% interval of one run.
    pub interval: Option<(f64, f64)>,
    /// The loss that came, once the run is done.
    pub came: Option<f64>,
}

impl Forecast {
    /// Whether the interval holds what came; absent without either.
    pub fn is_inside(&self) -> Option<bool> {
        self.came.zip(self.interval).map(|(came, (low, high))| low <= came && came <= high)
    }
}

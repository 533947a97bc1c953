//! A registered forecast against the run it was about.

use crate::error::LabError;
use crate::forecasts::{self, Score};
use scalelaw_runs::finished_run;
use std::path::PathBuf;

/// What the run reached.
#[derive(Clone, Debug)]
pub enum Reached {
    /// This loss, nats per token.
    Loss(f64),
    /// The loss of the finished run in this directory.
    Run(PathBuf),
}

/// A forecast and what came.
#[derive(Clone, Debug)]
pub struct ScoreRequest {
    /// The forecast's file.
    pub forecast: PathBuf,
    /// What the run reached.
    pub reached: Reached,
}

/// Grades the forecast and keeps the grade beside it.
///
/// # Errors
/// The file is not a forecast, the run is not finished, the loss is not above 0, or the forecast has another grade.
pub fn run(request: &ScoreRequest) -> Result<Score, LabError> {
    let forecast = forecasts::read(&request.forecast)?;
    let loss = match &request.reached {
        Reached::Loss(loss) => *loss,
        Reached::Run(dir) => {
            let run = finished_run(dir)?.ok_or_else(|| LabError::NotFinished { path: dir.clone() })?;
            run.result.loss.ok_or_else(|| LabError::NoLoss { path: dir.clone() })?
        }
    };
    if !(loss.is_finite() && loss > 0.0) {
        return Err(LabError::NotALoss { loss });
    }
    let score = Score::new(forecast, loss);
    forecasts::keep(&request.forecast, &score)?;
    Ok(score)
}

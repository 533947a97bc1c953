//! Forecasts written down before the run (what, by which law, from which data, when), and how they fared.

use crate::error::LabError;
use scalelaw_core::date::utc;
use scalelaw_files::{FileError, write_atomically};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// File format.
    pub format: String,
    /// When it was made, UTC.
    pub made: String,
    /// Law file or preset.
    pub law: String,
    /// Digest of the data that the law was fitted to.
    pub data_digest: Option<String>,
    /// Where: the law's variables, such as N and D, by name.
    pub at: BTreeMap<String, f64>,
    /// Forecast loss, nats per token.
    pub loss: f64,
    /// 95% interval of one run.
    pub loss_pi95: Option<[f64; 2]>,
}

/// Writes a forecast down. A file that exists is never overwritten: a forecast is not revised.
///
/// # Errors
/// The file exists or cannot be written.
pub fn register(
    path: &Path,
    law: &str,
    data_digest: Option<String>,
    at: &[(String, f64)],
    loss: f64,
    loss_pi95: Option<[f64; 2]>,
) -> Result<(), LabError> {
    let forecast = Forecast {
        format: "scalelaw-forecast/1".into(),
        made: utc(SystemTime::now()),
        law: law.into(),
        data_digest,
        at: at.iter().cloned().collect(),
        loss,
        loss_pi95,
    };
    if path.exists() {
        return Err(LabError::ForecastExists { path: path.to_owned() });
    }
    write(path, &forecast)
}

/// How a forecast fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The forecast.
    pub forecast: Forecast,
    /// What came.
    pub loss: f64,
    /// Forecast minus loss, nats per token.
    pub error: f64,
    /// Whether the 95% interval of one run holds it; absent when the forecast had none.
    pub inside_pi95: Option<bool>,
    /// Interval score (Gneiting & Raftery 2007, equation 43): width, plus 40 times any miss. Lower is better.
    pub interval_score: Option<f64>,
}

impl Score {
    /// Grades a forecast by the loss that came.
    pub fn new(forecast: Forecast, loss: f64) -> Self {
        let interval = forecast.loss_pi95;
        Self {
            error: forecast.loss - loss,
            inside_pi95: interval.map(|[lo, hi]| lo <= loss && loss <= hi),
            interval_score: interval
                .map(|[lo, hi]| hi - lo + 40.0 * ((lo - loss).max(0.0) + (loss - hi).max(0.0))),
            forecast,
            loss,
        }
    }
}

/// Where the grade of a forecast is kept: beside it.
pub fn grade_of(forecast: &Path) -> PathBuf {
    forecast.with_extension("score.json")
}

/// Keeps a grade beside its forecast; a forecast is graded once.
///
/// # Errors
/// When another loss is kept there, or it cannot be written.
pub fn keep(path: &Path, score: &Score) -> Result<(), LabError> {
    let beside = grade_of(path);
    if beside.exists() {
        let kept: Score = read(&beside)?;
        if kept != *score {
            return Err(LabError::GradedAlready { path: path.to_owned(), loss: kept.loss });
        }
        return Ok(());
    }
    write(&beside, score)
}

/// The forecasts in a folder, in the order of their dates, each with its grade if it has one.
///
/// # Errors
/// When a file there is no forecast.
pub fn record(folder: &Path) -> Result<Vec<(Forecast, Option<Score>)>, LabError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(vec![]) };
    let mut record = Vec::new();
    for entry in entries {
        let path = entry.map_err(FileError::new(folder, "read"))?.path();
        let name = path.to_string_lossy();
        if !name.ends_with(".json") || name.ends_with(".score.json") {
            continue;
        }
        let beside = grade_of(&path);
        record.push((read(&path)?, if beside.exists() { Some(read(&beside)?) } else { None }));
    }
    record.sort_by(|(a, _): &(Forecast, _), (b, _)| (&a.made, &a.law).cmp(&(&b.made, &b.law)));
    Ok(record)
}

/// Reads a forecast or a grade.
///
/// # Errors
/// When the file cannot be read or is something else.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, LabError> {
    let text = std::fs::read_to_string(path).map_err(FileError::new(path, "read"))?;
    let expected = "a forecast";
    serde_json::from_str(&text).map_err(|source| LabError::NotJson {
        path: path.to_owned(),
        expected,
        source,
    })
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), LabError> {
    let json = serde_json::to_string_pretty(value).expect("numbers and texts are JSON");
    Ok(write_atomically(path, (json + "\n").as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grade_of_a_hit_is_the_width_and_of_a_miss_pays_forty_times() {
        let forecast = Forecast {
            format: "scalelaw-forecast/1".into(),
            made: "2026-01-01T00:00:00Z".into(),
            law: "law.json".into(),
            data_digest: None,
            at: [("N".to_string(), 1e9), ("D".to_string(), 2e10)].into(),
            loss: 3.0,
            loss_pi95: Some([2.9, 3.1]),
        };
        let hit = Score::new(forecast.clone(), 3.05);
        assert!(hit.inside_pi95 == Some(true) && (hit.interval_score.unwrap() - 0.2).abs() < 1e-12);
        let miss = Score::new(forecast, 3.2);
        assert!(miss.inside_pi95 == Some(false) && (miss.interval_score.unwrap() - 4.2).abs() < 1e-9);
    }

    #[test]
    fn record_lists_forecasts_with_their_grades_and_a_second_grade_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let at = [("N".to_string(), 1e6)];
        register(&path("b.json"), "law.json", None, &at, 3.0, Some([2.9, 3.1])).unwrap();
        assert!(register(&path("b.json"), "law.json", None, &[], 2.0, None).is_err());
        let forecast: Forecast = read(&path("b.json")).unwrap();
        assert_eq!(record(dir.path()).unwrap(), [(forecast.clone(), None)]);
        let score = Score::new(forecast.clone(), 3.05);
        keep(&path("b.json"), &score).unwrap();
        keep(&path("b.json"), &score).unwrap();
        assert_eq!(record(dir.path()).unwrap(), [(forecast.clone(), Some(score))]);
        let error = keep(&path("b.json"), &Score::new(forecast, 3.5)).unwrap_err().to_string();
        assert!(error.contains("graded already"), "{error}");
        assert!(record(&path("nothing")).unwrap().is_empty());
    }
}

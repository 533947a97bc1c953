//! Forecasts written down before the run (what, by which law, from which data, when), and how they fared.

use crate::error::LabError;
use scalelaw_core::date::utc;
use scalelaw_files::{FileError, write_atomically};
use scalelaw_fit::FitStatus;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The version of forecast files.
const FORMAT: &str = "scalelaw-forecast/1";

/// What every file says first.
#[derive(Deserialize)]
struct Head {
    format: Option<String>,
}

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
    /// Forecast loss, nats per token where `unit` says nothing else.
    pub loss: f64,
    /// 95% interval of one run.
    pub loss_pi95: Option<[f64; 2]>,
    /// What the loss is measured in, where that is not nats per token; not in files of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What was doubtful about the law; not in files of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<FitStatus>,
    /// How far beyond the law's runs it is, in decades; not in files of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extrapolation_decades: Option<f64>,
}

impl Forecast {
    /// A forecast made now, without an interval.
    pub fn now(law: &str, at: &[(String, f64)], loss: f64) -> Self {
        Self {
            format: FORMAT.into(),
            made: utc(SystemTime::now()),
            law: law.into(),
            data_digest: None,
            at: at.iter().cloned().collect(),
            loss,
            loss_pi95: None,
            unit: None,
            status: None,
            extrapolation_decades: None,
        }
    }
}

/// Writes a forecast down. A file that exists is never overwritten: a forecast is not revised.
///
/// # Errors
/// The file exists or cannot be written.
pub fn register(path: &Path, forecast: &Forecast) -> Result<(), LabError> {
    if path.exists() {
        return Err(LabError::ForecastExists { path: path.to_owned() });
    }
    write(path, forecast)
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
    /// How far the loss lies from the forecast in ln loss, in the standard deviations that its 95% interval has on that
    /// side; `None` where it has none.
    pub fn deviation(&self) -> Option<f64> {
        let [lo, hi] = self.forecast.loss_pi95?;
        let end = if self.loss < self.forecast.loss { lo } else { hi };
        let width = (end / self.forecast.loss).ln().abs() / normal_quantile(0.975);
        let deviation = (self.loss / self.forecast.loss).ln() / width;
        deviation.is_finite().then_some(deviation)
    }

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

/// The forecasts of some folders and how they fared together.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// In the order of their dates, each with its grade if it has one.
    pub forecasts: Vec<(Forecast, Option<Score>)>,
    /// How often intervals of each probability held what came; empty where no graded forecast has an interval.
    pub reliability: Vec<Reliability>,
}

/// How often intervals of one probability held what came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// The intervals' probability.
    pub nominal: f64,
    /// Graded forecasts whose interval held what came.
    pub held: usize,
    /// Graded forecasts with an interval.
    pub of: usize,
    /// Fewest and most that would be held in 95% of such histories, were every interval right.
    pub usual: [usize; 2],
}

/// Probabilities of intervals that a history is judged by.
const NOMINAL: [f64; 5] = [0.5, 0.7, 0.8, 0.9, 0.95];

impl History {
    /// The forecasts in these folders. The intervals within the 95% interval are those of a normal distribution of ln loss
    /// with that one, on each side.
    ///
    /// # Errors
    /// A folder cannot be read, or a file there that calls itself a forecast is none.
    pub fn of(folders: &[PathBuf]) -> Result<Self, LabError> {
        let mut forecasts = Vec::new();
        for folder in folders {
            std::fs::read_dir(folder).map_err(FileError::new(folder, "read"))?;
            forecasts.extend(record(folder)?);
        }
        forecasts.sort_by(|(a, _), (b, _)| a.made.cmp(&b.made));
        let graded = forecasts.iter().filter_map(|(_, score)| score.as_ref());
        let sizes: Vec<f64> = graded.filter_map(Score::deviation).map(f64::abs).collect();
        let reliability = if sizes.is_empty() { vec![] } else { NOMINAL.map(|p| held(&sizes, p)).to_vec() };
        Ok(Self { forecasts, reliability })
    }

    /// The grades.
    pub fn scores(&self) -> impl Iterator<Item = &Score> {
        self.forecasts.iter().filter_map(|(_, score)| score.as_ref())
    }
}

fn held(sizes: &[f64], nominal: f64) -> Reliability {
    let reach = normal_quantile(0.5 + 0.5 * nominal);
    let of = sizes.len();
    let inside = sizes.iter().filter(|size| **size <= reach).count();
    let binomial = Binomial::new(nominal, of as u64).expect("a probability");
    let usual = [0.025, 0.975].map(|p| binomial.inverse_cdf(p) as usize);
    Reliability { nominal, held: inside, of, usual }
}

fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
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

/// The forecasts in a folder, in the order of their dates, each with its grade if it has one. Files there that say that they
/// are something else, such as the law that made a forecast, are none of them.
///
/// # Errors
/// When a file there is not JSON, or calls itself a forecast and is none.
pub fn record(folder: &Path) -> Result<Vec<(Forecast, Option<Score>)>, LabError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(vec![]) };
    let mut record = Vec::new();
    for entry in entries {
        let path = entry.map_err(FileError::new(folder, "read"))?.path();
        let name = path.to_string_lossy();
        if !name.ends_with(".json") || name.ends_with(".score.json") {
            continue;
        }
        let head: Head = read(&path)?;
        if head.format.is_some_and(|format| format != FORMAT) {
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
        let at = [("N".to_string(), 1e9), ("D".to_string(), 2e10)];
        let forecast = Forecast { loss_pi95: Some([2.9, 3.1]), ..Forecast::now("law.json", &at, 3.0) };
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
        let made = Forecast { loss_pi95: Some([2.9, 3.1]), ..Forecast::now("law.json", &at, 3.0) };
        register(&path("b.json"), &made).unwrap();
        assert!(register(&path("b.json"), &Forecast::now("law.json", &[], 2.0)).is_err());
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

    #[test]
    fn history_counts_what_each_interval_held_and_passes_over_the_law_beside() {
        let dir = tempfile::tempdir().unwrap();
        // Deviations of 0.5, 1.0, 1.5 and 3 standard deviations, and one that has not come.
        let sd = (3.1f64 / 3.0).ln() / 1.96;
        for (i, deviation) in [Some(0.5), Some(-1.0), Some(1.5), Some(3.0), None].into_iter().enumerate() {
            let path = dir.path().join(format!("{i}.json"));
            let at = [("N".to_string(), 1e6)];
            let made = Forecast { loss_pi95: Some([9.0 / 3.1, 3.1]), ..Forecast::now("law.json", &at, 3.0) };
            register(&path, &made).unwrap();
            if let Some(deviation) = deviation {
                let loss = 3.0 * f64::exp(deviation * sd);
                keep(&path, &Score::new(read(&path).unwrap(), loss)).unwrap();
            }
        }
        std::fs::write(dir.path().join("law.json"), "{\"format\": \"scalelaw-law/1\"}").unwrap();
        let history = History::of(&[dir.path().to_owned()]).unwrap();
        assert_eq!((history.forecasts.len(), history.scores().count()), (5, 4));
        let held: Vec<usize> = history.reliability.iter().map(|r| r.held).collect();
        assert_eq!(held, [1, 2, 2, 3, 3]);
        // Of four, an interval of 95% holds three or four in nearly every history.
        assert_eq!(history.reliability[4].usual, [3, 4]);
        assert!(History::of(&[dir.path().join("nothing")]).is_err());
    }
}

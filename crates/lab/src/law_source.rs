//! A law by name: a preset, a file that a fit wrote, or a file that a chain wrote.

use crate::error::LabError;
use scalelaw_files::FileError;
use scalelaw_fit::chain::ChainReport;
use scalelaw_fit::plan::Basis;
use scalelaw_fit::presets::{PRESETS, Preset};
use scalelaw_fit::{FittedLaw, Forecaster};
use std::path::Path;

/// Where constants come from.
pub enum LawSource {
    /// Published constants.
    Preset(&'static Preset),
    /// A fitted law, and the name of its file.
    Fitted(String, Box<FittedLaw>),
    /// Kaplan's chain, and the name of its file.
    Chain(String, Box<ChainReport>),
    /// A forecaster, and the name of its file.
    Forecaster(String, Box<Forecaster>),
}

/// What every law file says first.
#[derive(serde::Deserialize)]
struct Head {
    format: Option<String>,
}

impl LawSource {
    /// The preset of that name, or the file.
    ///
    /// # Errors
    /// Neither exists, or the file is not a law.
    pub fn open(name: &str) -> Result<Self, LabError> {
        if let Ok(preset) = Preset::by_name(name) {
            return Ok(Self::Preset(preset));
        }
        let path = Path::new(name);
        if !path.exists() {
            let presets = PRESETS.iter().map(|p| p.name).collect();
            return Err(LabError::UnknownLawSource { name: name.to_string(), presets });
        }
        let text = std::fs::read_to_string(path).map_err(FileError::new(path, "read"))?;
        let unreadable = |source| LabError::NotJson { path: path.to_owned(), expected: "a law file", source };
        let head: Head = serde_json::from_str(&text).map_err(unreadable)?;
        match head.format {
            Some(format) if format == scalelaw_fit::FORMAT => {
                Ok(Self::Fitted(name.into(), Box::new(FittedLaw::from_json(&text)?)))
            }
            Some(format) if format == scalelaw_fit::chain::FORMAT => {
                let chain = serde_json::from_str(&text).map_err(unreadable)?;
                Ok(Self::Chain(name.into(), Box::new(chain)))
            }
            Some(format) if format == scalelaw_fit::FORECASTER_FORMAT => {
                Ok(Self::Forecaster(name.into(), Box::new(Forecaster::from_json(&text)?)))
            }
            format => Err(LabError::LawFormat { path: path.to_owned(), format }),
        }
    }

    /// Digest of the data fitted, where the file says it.
    pub fn data_digest(&self) -> Option<String> {
        match self {
            Self::Fitted(_, fitted) => fitted.data_digest.clone(),
            Self::Forecaster(_, made) => made.data_digest.clone(),
            Self::Preset(_) | Self::Chain(..) => None,
        }
    }

    /// What a fitted law's response is measured in, where that is not nats per token.
    pub fn unit(&self) -> Option<String> {
        match self {
            Self::Fitted(_, fitted) => fitted.unit.clone(),
            Self::Forecaster(_, made) => made.unit.clone(),
            Self::Preset(_) | Self::Chain(..) => None,
        }
    }

    /// What a plan follows.
    ///
    /// # Errors
    /// The law cannot divide a budget, or its runs leave open what decides how.
    pub fn basis(self) -> Result<Basis, LabError> {
        Ok(match self {
            Self::Preset(preset) => Basis::preset(preset)?,
            Self::Fitted(name, fitted) => Basis::fitted(&name, *fitted)?.decided()?,
            Self::Chain(name, chain) => chain.basis(&name)?,
            Self::Forecaster(name, made) => Basis::forecaster(&name, *made).decided()?,
        })
    }

    /// A fitted law; published constants have no uncertainty to work with.
    ///
    /// # Errors
    /// It is a preset or a chain.
    pub fn fitted(self) -> Result<FittedLaw, LabError> {
        match self {
            Self::Fitted(_, fitted) => Ok(*fitted),
            Self::Preset(preset) => Err(LabError::NotFitted { name: preset.name.into(), kind: "preset" }),
            Self::Chain(name, _) => Err(LabError::NotFitted { name, kind: "chain" }),
            Self::Forecaster(name, _) => Err(LabError::NotFitted { name, kind: "forecaster" }),
        }
    }
}

//! A law by name: a preset, a file that `fit` wrote, or a file that `chain` wrote.

use anyhow::{Context, bail};
use scalelaw_fit::FittedLaw;
use scalelaw_fit::chain::ChainReport;
use scalelaw_fit::plan::Basis;
use scalelaw_fit::presets::Preset;
use std::path::Path;

/// Where constants come from.
pub enum LawSource {
    /// Published constants.
    Preset(&'static Preset),
    /// A fitted law, and the name of its file.
    Fitted(String, Box<FittedLaw>),
    /// Kaplan's chain, and the name of its file.
    Chain(String, Box<ChainReport>),
}

impl LawSource {
    /// The preset of that name, or the file.
    ///
    /// # Errors
    /// Neither exists (the message lists the presets), or the file is not a law.
    pub fn open(name: &str) -> anyhow::Result<Self> {
        let preset = match Preset::by_name(name) {
            Ok(preset) => return Ok(Self::Preset(preset)),
            Err(error) => error,
        };
        let path = Path::new(name);
        if !path.exists() {
            bail!("{preset}; and there is no file {name}");
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        #[derive(serde::Deserialize)]
        struct Head {
            format: Option<String>,
        }
        let head: Head =
            serde_json::from_str(&text).with_context(|| format!("{name}: expected a law file (JSON)"))?;
        match head.format.as_deref() {
            Some(scalelaw_fit::FORMAT) => Ok(Self::Fitted(
                name.into(),
                Box::new(FittedLaw::from_json(&text).with_context(|| name.to_string())?),
            )),
            Some(scalelaw_fit::chain::FORMAT) => Ok(Self::Chain(
                name.into(),
                Box::new(serde_json::from_str(&text).with_context(|| name.to_string())?),
            )),
            other => bail!(
                "{name}: its format is {}, expected {} (scalelaw fit --out) or {} (scalelaw chain --out)",
                other.unwrap_or("not said"),
                scalelaw_fit::FORMAT,
                scalelaw_fit::chain::FORMAT
            ),
        }
    }

    /// Digest of the data fitted, where the file says it.
    pub fn data_digest(&self) -> Option<String> {
        match self {
            Self::Fitted(_, fitted) => fitted.data_digest.clone(),
            Self::Preset(_) | Self::Chain(..) => None,
        }
    }

    /// What a plan follows.
    ///
    /// # Errors
    /// The law cannot divide a budget.
    pub fn basis(self) -> anyhow::Result<Basis> {
        Ok(match self {
            Self::Preset(preset) => Basis::preset(preset)?,
            Self::Fitted(name, fitted) => Basis::fitted(&name, *fitted)?,
            Self::Chain(name, chain) => chain.basis(&name)?,
        })
    }

    /// A fitted law; published constants have no uncertainty to work with.
    ///
    /// # Errors
    /// It is a preset or a chain.
    pub fn fitted(self) -> anyhow::Result<FittedLaw> {
        match self {
            Self::Fitted(_, fitted) => Ok(*fitted),
            Self::Preset(p) => bail!(
                "{} is a preset: its constants have no covariance here; give a law file of scalelaw fit",
                p.name
            ),
            Self::Chain(name, _) => bail!("{name} is a chain; give a law file of scalelaw fit"),
        }
    }
}

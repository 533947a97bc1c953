//! A published fit reproduced from its data and checked against the published values.

mod epoch;
mod kaplan;
mod muennighoff;
mod porian;

use crate::error::LabError;
use crate::valley::Valley;
use scalelaw_table::Table;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The published fits that can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Study {
    /// Besiroglu et al. 2024: Chinchilla's parametric law from 240 digitised runs
    Epoch,
    /// Kaplan et al. 2020, Table 2: L(N, D) from the digitised Figure 1
    Kaplan,
    /// Porian et al. 2024: why Kaplan's and Chinchilla's exponents differ, 15 exponents
    Porian,
    /// Muennighoff et al. 2023: repeated data, R_D* and R_N*
    Muennighoff,
}

/// Where a study's data are.
pub struct Origin {
    /// The study and its law.
    pub title: &'static str,
    /// Where the data are published.
    pub repository: &'static str,
    /// Commit or version of the publication.
    pub commit: &'static str,
    /// File, and the BLAKE3 digest of the bytes this reproduction was checked on.
    pub files: &'static [(&'static str, &'static str)],
    /// What the files hold.
    pub notes: &'static str,
}

impl Study {
    /// Where the data are published, and what they are.
    pub fn origin(self) -> &'static Origin {
        match self {
            Self::Epoch => &epoch::ORIGIN,
            Self::Kaplan => &kaplan::ORIGIN,
            Self::Porian => &porian::ORIGIN,
            Self::Muennighoff => &muennighoff::ORIGIN,
        }
    }
}

/// Which study, and its data.
#[derive(Clone, Debug)]
pub struct ReproduceRequest {
    /// The study.
    pub study: Study,
    /// The folder (or file) with the published data.
    pub data: PathBuf,
    /// Bootstrap or noise replicates, of studies that have them; the study's own number otherwise.
    pub replicates: Option<usize>,
}

/// What a reproduction found.
#[derive(Debug, Default, Serialize)]
pub struct ReproduceReport {
    /// Study.
    pub title: String,
    /// Number by number.
    pub checks: Vec<Check>,
    /// Findings, in words.
    pub notes: Vec<String>,
    /// Whether every check passed.
    pub pass: bool,
    /// Files written.
    pub files: Vec<PathBuf>,
    /// Data files that are not those that this reproduction was checked on.
    #[serde(skip)]
    pub other_data: Vec<OtherData>,
    /// The minima found and the valley between them, of a study that has one.
    #[serde(skip)]
    pub valley: Option<(Vec<Minimum>, Valley)>,
}

/// A data file with another digest than the one that the reproduction was checked on.
#[derive(Clone, Debug)]
pub struct OtherData {
    /// The file.
    pub path: PathBuf,
    /// Its BLAKE3 digest.
    pub digest: String,
    /// The digest of the file checked.
    pub expected: &'static str,
}

/// A minimum of the objective of Muennighoff et al. 2023.
#[derive(Clone, Copy, Debug)]
pub struct Minimum {
    /// R_D*.
    pub r_d: f64,
    /// R_N*.
    pub r_n: f64,
    /// Objective, a sum over runs.
    pub objective: f64,
    /// Starts that lead there.
    pub agreeing: usize,
}

/// One published number and ours.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What it is.
    pub quantity: String,
    /// As published.
    pub published: f64,
    /// As found here.
    pub ours: f64,
    /// Largest absolute difference that passes.
    pub tolerance: f64,
    /// Our 95% interval.
    pub ci95: Option<[f64; 2]>,
    /// The published interval.
    pub published_ci95: Option<[f64; 2]>,
    /// Verdict.
    pub pass: bool,
}

impl ReproduceReport {
    fn check(
        &mut self,
        quantity: impl Into<String>,
        published: f64,
        ours: f64,
        tolerance: f64,
    ) -> &mut Check {
        let pass = (ours - published).abs() <= tolerance;
        self.checks.push(Check {
            quantity: quantity.into(),
            published,
            ours,
            tolerance,
            ci95: None,
            published_ci95: None,
            pass,
        });
        let last = self.checks.len() - 1;
        &mut self.checks[last]
    }

    /// Reads the file `name` in `data`, which may be the file itself.
    fn table(&mut self, data: &Path, origin: &Origin, name: &str) -> Result<Table, LabError> {
        let path = if data.is_dir() { data.join(name) } else { data.with_file_name(name) };
        if !path.exists() {
            return Err(LabError::NoPublishedData {
                path,
                repository: origin.repository,
                commit: origin.commit,
                notes: origin.notes,
            });
        }
        let table = Table::load(&path)?;
        let expected = origin.files.iter().find(|(file, _)| *file == name).map_or("", |(_, digest)| *digest);
        if table.digest != expected {
            self.other_data.push(OtherData { path, digest: table.digest.clone(), expected });
        }
        Ok(table)
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// Reproduces the study.
///
/// # Errors
/// The data are not there, cannot be read, or cannot be fitted.
pub fn run(request: &ReproduceRequest) -> Result<ReproduceReport, LabError> {
    let (data, replicates) = (request.data.as_path(), request.replicates);
    let mut report = match request.study {
        Study::Epoch => epoch::reproduce(data, replicates.unwrap_or(epoch::REPLICATES))?,
        Study::Kaplan => kaplan::reproduce(data)?,
        Study::Porian => porian::reproduce(data, replicates.unwrap_or(porian::REPLICATES))?,
        Study::Muennighoff => muennighoff::reproduce(data)?,
    };
    report.title = request.study.origin().title.into();
    report.pass = report.checks.iter().all(|c| c.pass);
    Ok(report)
}

//! The settings of a corpus: one TOML file, unknown keys are errors.

use super::leaks::MOST_EVALS;
use crate::dedup::NearDuplicates;
use crate::error::CorpusError;
use crate::filter::FilterSettings;
use crate::split::SplitFractions;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How a corpus is built; recorded in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusSettings {
    /// What is read.
    pub input: InputSettings,
    /// Only the pages of these links are read; without links, every page is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<LinkSettings>,
    /// The filter that documents must pass.
    #[serde(default, deserialize_with = "filter_from_table")]
    pub filter: FilterSettings,
    /// What counts as a near-duplicate.
    #[serde(default)]
    pub near_duplicates: NearDuplicates,
    /// Shares of documents that are held out.
    #[serde(default)]
    pub split: SplitFractions,
    /// What counts as a leak from held-out documents into training.
    #[serde(default)]
    pub leaks: LeakSettings,
    /// How text becomes tokens.
    #[serde(default)]
    pub tokenizer: TokenizerSettings,
    /// How the documents are written.
    #[serde(default)]
    pub output: OutputSettings,
    /// Further held-out texts, tokenized with the same tokenizer but neither filtered nor deduplicated; at most 29.
    #[serde(default, rename = "eval")]
    pub evals: Vec<EvalSettings>,
}

/// What is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSettings {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The key of JSON lines and the column of Parquet files that hold the text.
    #[serde(default = "text_key")]
    pub text_key: String,
}

fn text_key() -> String {
    "text".into()
}

/// Dumps of links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// JSON lines with `url` and `score`.
    pub paths: Vec<PathBuf>,
    /// Smallest sum of the scores of a link.
    #[serde(default = "min_score")]
    pub min_score: i64,
    /// Excluded domains, with all of their subdomains.
    #[serde(default)]
    pub excluded_domains: Vec<String>,
}

impl LinkSettings {
    /// Dumps with the default settings.
    pub fn of_paths(paths: Vec<PathBuf>) -> Self {
        Self { paths, min_score: min_score(), excluded_domains: Vec::new() }
    }
}

fn min_score() -> i64 {
    3
}

/// Runs of words that a training document shares with held-out ones, those of the further sets included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeakSettings {
    /// Words in a run.
    pub words: usize,
    /// Training documents with more than this share of their runs in a held-out document are dropped; 1 drops none.
    pub drop_above: f64,
}

impl Default for LeakSettings {
    /// Runs of 13 words, as in GPT-3 (Brown et al. 2020, appendix C); nothing is dropped.
    fn default() -> Self {
        Self { words: 13, drop_above: 1.0 }
    }
}

/// Which tokenizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum TokenizerSettings {
    /// `"gpt2"`, or the path of a `tokenizer.json`.
    Named(String),
    /// One trained on the first training documents.
    Train {
        /// Size of the vocabulary.
        train: u32,
        /// Most bytes of text to train on.
        #[serde(default = "sample_bytes")]
        sample_bytes: u64,
    },
}

fn sample_bytes() -> u64 {
    64 << 20
}

impl TokenizerSettings {
    /// One of this many tokens, trained on the corpus.
    pub fn trained(n_vocab: u32) -> Self {
        Self::Train { train: n_vocab, sample_bytes: sample_bytes() }
    }
}

impl Default for TokenizerSettings {
    fn default() -> Self {
        Self::Named("gpt2".into())
    }
}

/// How the documents are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSettings {
    /// The format of the documents' files.
    #[serde(default)]
    pub documents: DocumentFormat,
}

/// A format for documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentFormat {
    /// One JSON object per line, in Zstandard.
    #[default]
    #[serde(rename = "jsonl.zst")]
    JsonLines,
    /// Parquet, in Zstandard.
    #[serde(rename = "parquet")]
    Parquet,
}

/// A further held-out text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalSettings {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Its files and folders.
    pub paths: Vec<PathBuf>,
}

fn filter_from_table<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<FilterSettings, D::Error> {
    let table = toml::Table::deserialize(deserializer)?;
    FilterSettings::from_table(table).map_err(serde::de::Error::custom)
}

impl CorpusSettings {
    /// These inputs with every other setting at its default.
    pub fn of_paths(paths: Vec<PathBuf>) -> Self {
        Self {
            input: InputSettings { paths, text_key: text_key() },
            links: None,
            filter: FilterSettings::default(),
            near_duplicates: NearDuplicates::default(),
            split: SplitFractions::default(),
            leaks: LeakSettings::default(),
            tokenizer: TokenizerSettings::default(),
            output: OutputSettings::default(),
            evals: Vec::new(),
        }
    }

    /// Reads settings; relative paths in them start from the file's folder.
    ///
    /// # Errors
    /// With line and column of what is wrong.
    pub fn from_file(path: &Path) -> Result<Self, CorpusError> {
        let text = std::fs::read_to_string(path).map_err(CorpusError::io(path, "read"))?;
        let mut settings: Self = toml::from_str(&text)
            .map_err(|error| CorpusError::Settings { path: path.to_owned(), source: Box::new(error) })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let rebase = |paths: &mut Vec<PathBuf>| {
            for path in paths {
                *path = folder.join(&path);
            }
        };
        rebase(&mut settings.input.paths);
        settings.evals.iter_mut().for_each(|eval| rebase(&mut eval.paths));
        if let Some(links) = &mut settings.links {
            rebase(&mut links.paths);
        }
        if let TokenizerSettings::Named(name) = &mut settings.tokenizer
            && name != "gpt2"
        {
            *name = folder.join(&name).to_string_lossy().into_owned();
        }
        Ok(settings)
    }

    /// Checks the ranges of all settings.
    ///
    /// # Errors
    /// Names the option, its value and what was expected.
    pub fn validate(&self) -> Result<(), CorpusError> {
        self.split.validate()?;
        self.near_duplicates.validate()?;
        let bad = |option, value: String, expected| Err(CorpusError::Option { option, value, expected });
        if self.input.paths.is_empty() {
            return bad("input.paths", "empty".into(), "at least one file or folder");
        }
        if !(1..=1000).contains(&self.leaks.words) {
            return bad("leaks.words", self.leaks.words.to_string(), "1 to 1000");
        }
        if !(0.0..=1.0).contains(&self.leaks.drop_above) {
            return bad("leaks.drop_above", self.leaks.drop_above.to_string(), "0 to 1");
        }
        if self.evals.len() > MOST_EVALS {
            return bad("eval", format!("{} sets", self.evals.len()), "at most 29 sets");
        }
        let mut names: Vec<&str> = self.evals.iter().map(|eval| eval.name.as_str()).collect();
        names.sort_unstable();
        for (i, name) in names.iter().enumerate() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                return bad("eval.name", format!("{name:?}"), "letters, digits, `-`, `_` and `.`");
            }
            if i > 0 && names[i - 1] == *name {
                return bad("eval.name", format!("{name:?} twice"), "each name once");
            }
        }
        Ok(())
    }
}

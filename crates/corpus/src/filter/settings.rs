//! The limits of the rules: named sets that never change, and the changes a user makes to one.

use serde::{Deserialize, Serialize};

/// Limits of the rules, in the order in which they are tried.
///
/// # Source
/// Gopher: Rae et al. 2021 (arXiv 2112.11446), appendix A.1.1 and Table A1. Lines: Penedo et al. 2024 (FineWeb,
/// arXiv 2406.17557), section 3.6. Lorem ipsum: Raffel et al. 2020 (C4, arXiv 1910.10683), section 2.2.
/// Words are divided by white space, as `wc` does it; shares of repeated text are of the bytes of words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSettings {
    /// The named set that these settings started from.
    pub rules: String,
    /// Fewest words.
    pub min_words: u64,
    /// Most words.
    pub max_words: u64,
    /// Shortest mean length of a word, in characters.
    pub min_mean_word_chars: f64,
    /// Longest mean length of a word, in characters.
    pub max_mean_word_chars: f64,
    /// Most hash signs and most ellipses per word.
    pub max_symbols_per_word: f64,
    /// Smallest share of words with a letter.
    pub min_alphabetic_words: f64,
    /// Largest share of lines that start with a bullet.
    pub max_bullet_lines: f64,
    /// Largest share of lines that end with an ellipsis.
    pub max_ellipsis_lines: f64,
    /// Smallest share of lines that end with punctuation.
    pub min_punctuated_lines: f64,
    /// Largest share of lines of at most 30 characters.
    pub max_short_lines: f64,
    /// Whether pages with "lorem ipsum" are kept.
    pub keep_lorem_ipsum: bool,
    /// ISO 639-3 codes of the languages that are kept; empty for all.
    pub languages: Vec<String>,
    /// Fewest of the eight words the, be, to, of, and, that, have, with in an English text.
    pub min_stop_words: u64,
    /// Largest share of lines that repeat an earlier line.
    pub max_repeated_lines: f64,
    /// Largest share of paragraphs that repeat an earlier paragraph.
    pub max_repeated_paragraphs: f64,
    /// Largest share of bytes in such lines.
    pub max_repeated_line_bytes: f64,
    /// Largest share of bytes in such paragraphs.
    pub max_repeated_paragraph_bytes: f64,
    /// Largest share of bytes in the most frequent run of 2, 3 and 4 words.
    pub max_top_ngram: [f64; 3],
    /// Largest share of bytes in runs of 5 to 10 words that occurred earlier.
    pub max_repeated_ngrams: [f64; 6],
}

/// A name that no set of rules has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules = {name:?}: expected {}", NAMES.join(", "), name = .0)]
pub struct UnknownRules(pub String);

const NAMES: [&str; 3] = ["\"webtext-1\"", "\"gopher-1\"", "\"none\""];

impl FilterSettings {
    /// A set of rules by its name; a set never changes under its name.
    ///
    /// `webtext-1` (the default): English, Gopher's rules, FineWeb's lines, no lorem ipsum. `gopher-1`: Gopher's
    /// rules for any language. `none`: everything is kept.
    ///
    /// # Errors
    /// When there is no set of this name.
    pub fn named(name: &str) -> Result<Self, UnknownRules> {
        match name {
            "none" => Ok(Self::none()),
            "gopher-1" => Ok(Self::gopher()),
            "webtext-1" => Ok(Self {
                rules: "webtext-1".into(),
                min_punctuated_lines: 0.12,
                max_short_lines: 0.67,
                keep_lorem_ipsum: false,
                languages: vec!["eng".into()],
                ..Self::gopher()
            }),
            _ => Err(UnknownRules(name.into())),
        }
    }

    fn none() -> Self {
        Self {
            rules: "none".into(),
            min_words: 0,
            max_words: u64::MAX >> 1, // the largest number that TOML has
            min_mean_word_chars: 0.0,
            max_mean_word_chars: f64::MAX,
            max_symbols_per_word: f64::MAX,
            min_alphabetic_words: 0.0,
            max_bullet_lines: 1.0,
            max_ellipsis_lines: 1.0,
            min_punctuated_lines: 0.0,
            max_short_lines: 1.0,
            keep_lorem_ipsum: true,
            languages: Vec::new(),
            min_stop_words: 0,
            max_repeated_lines: 1.0,
            max_repeated_paragraphs: 1.0,
            max_repeated_line_bytes: 1.0,
            max_repeated_paragraph_bytes: 1.0,
            max_top_ngram: [1.0; 3],
            max_repeated_ngrams: [1.0; 6],
        }
    }

    fn gopher() -> Self {
        Self {
            rules: "gopher-1".into(),
            min_words: 50,
            max_words: 100_000,
            min_mean_word_chars: 3.0,
            max_mean_word_chars: 10.0,
            max_symbols_per_word: 0.1,
            min_alphabetic_words: 0.8,
            max_bullet_lines: 0.9,
            max_ellipsis_lines: 0.3,
            min_stop_words: 2,
            max_repeated_lines: 0.3,
            max_repeated_paragraphs: 0.3,
            max_repeated_line_bytes: 0.2,
            max_repeated_paragraph_bytes: 0.2,
            max_top_ngram: [0.20, 0.18, 0.16],
            max_repeated_ngrams: [0.15, 0.14, 0.13, 0.12, 0.11, 0.10],
            ..Self::none()
        }
    }

    /// The named set in `rules` (without one, the default) with the other keys in place of its own.
    ///
    /// # Errors
    /// Says which key or name is unknown, or what a value should have been.
    pub fn from_table(changes: toml::Table) -> Result<Self, String> {
        let name = match changes.get("rules") {
            None => "webtext-1",
            Some(toml::Value::String(name)) => name,
            Some(other) => return Err(UnknownRules(other.to_string()).to_string()),
        };
        let named = Self::named(name).map_err(|error| error.to_string())?;
        let mut table = toml::Table::try_from(named).map_err(|error| error.to_string())?;
        for (key, value) in changes {
            // A limit may be written as a whole number.
            let value = match (table.get(&key), value) {
                (Some(toml::Value::Float(_)), toml::Value::Integer(whole)) => {
                    toml::Value::Float(whole as f64)
                }
                (_, value) => value,
            };
            table.insert(key, value);
        }
        table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

impl Default for FilterSettings {
    fn default() -> Self {
        Self::named("webtext-1").expect("the default set exists")
    }
}

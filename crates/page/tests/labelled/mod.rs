//! Pages with labels and the measures that go with them.

#![allow(dead_code, reason = "no test or example uses all of it")]

use html5gum::{Token, Tokenizer};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What trafilatura's project says of a page.
#[derive(serde::Deserialize)]
pub struct Segments {
    pub id: String,
    pub html: Option<String>,
    pub html_base64: Option<String>,
    pub with: Vec<String>,
    pub without: Vec<String>,
}

/// What Mozilla's project says of a page.
#[derive(serde::Deserialize)]
pub struct Expected {
    pub id: String,
    pub html: String,
    pub expected_html: String,
}

/// The records of a `.jsonl.zst`.
pub fn records<T: serde::de::DeserializeOwned>(path: &Path) -> impl Iterator<Item = T> {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(zstd::Decoder::new(file).unwrap()).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// The bytes that a string in base 64 stands for.
pub fn from_base64(text: &str) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> =
        text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0u32, |bits, &d| bits << 6 | u32::from(d)) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bytes.collect()
}

/// Segments found and not found, as trafilatura's project counts them.
#[derive(Debug, Default)]
pub struct SegmentScore {
    pub pages: usize,
    true_positives: usize,
    false_negatives: usize,
    false_positives: usize,
}

impl SegmentScore {
    pub fn add(&mut self, page: &Segments, text: &str) {
        let text = normalised(text);
        let found = |segments: &[String]| segments.iter().filter(|s| text.contains(&normalised(s))).count();
        let with = found(&page.with);
        self.pages += 1;
        self.true_positives += with;
        self.false_negatives += page.with.len() - with;
        self.false_positives += found(&page.without);
    }

    /// Precision, recall and F1 over the segments of all pages.
    pub fn precision_recall_f1(&self) -> (f64, f64, f64) {
        let tp = self.true_positives as f64;
        let precision = tp / (tp + self.false_positives as f64).max(1.0);
        let recall = tp / (tp + self.false_negatives as f64).max(1.0);
        (precision, recall, harmonic(precision, recall))
    }
}

fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn harmonic(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

/// Shares of 4-grams of words that two texts have in common.
#[derive(Debug, Default)]
pub struct ShingleScore {
    pub pages: usize,
    precision: f64,
    recall: f64,
    f1: f64,
    common: usize,
    found: usize,
    expected: usize,
}

impl ShingleScore {
    pub fn add(&mut self, expected: &str, text: &str) {
        let (expected, found) = (shingles(expected), shingles(text));
        let common: usize =
            expected.iter().map(|(shingle, n)| (*n).min(*found.get(shingle).unwrap_or(&0))).sum();
        let (n_expected, n_found): (usize, usize) = (expected.values().sum(), found.values().sum());
        let share = |of: usize, other: usize| match (of, other) {
            (0, 0) => 1.0,
            (0, _) => 0.0,
            _ => common as f64 / of as f64,
        };
        let (precision, recall) = (share(n_found, n_expected), share(n_expected, n_found));
        self.pages += 1;
        self.precision += precision;
        self.recall += recall;
        self.f1 += harmonic(precision, recall);
        self.common += common;
        self.found += n_found;
        self.expected += n_expected;
    }

    /// F1 of the means of precision and recall over pages (as the article extraction benchmark has it).
    pub fn f1_of_means(&self) -> f64 {
        let n = self.pages.max(1) as f64;
        harmonic(self.precision / n, self.recall / n)
    }

    /// Mean of the F1 of pages.
    pub fn mean_f1(&self) -> f64 {
        self.f1 / self.pages.max(1) as f64
    }

    /// F1 over the shingles of all pages.
    pub fn pooled_f1(&self) -> f64 {
        2.0 * self.common as f64 / (self.found + self.expected).max(1) as f64
    }
}

fn shingles(text: &str) -> HashMap<Vec<&str>, usize> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let mut shingles = HashMap::new();
    for i in 0..(words.len() + 1).saturating_sub(4).max(usize::from(!words.is_empty())) {
        *shingles.entry(words[i..words.len().min(i + 4)].to_vec()).or_insert(0) += 1;
    }
    shingles
}

/// The text of an HTML fragment, all of it.
pub fn plain_text(html: &str) -> String {
    const INLINE: [&[u8]; 20] = [
        b"a", b"b", b"i", b"em", b"strong", b"span", b"code", b"sup", b"sub", b"small", b"u", b"s", b"font",
        b"abbr", b"cite", b"q", b"kbd", b"mark", b"del", b"ins",
    ];
    let (mut text, mut silent) = (String::new(), false);
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::String(string) if !silent => text.push_str(&String::from_utf8_lossy(&string)),
            Token::StartTag(tag) => {
                silent = matches!(&**tag.name, b"script" | b"style" | b"noscript");
                if !INLINE.contains(&&**tag.name) {
                    text.push('\n');
                }
            }
            Token::EndTag(tag) => {
                silent = false;
                if !INLINE.contains(&&**tag.name) {
                    text.push('\n');
                }
            }
            _ => {}
        }
    }
    text
}

//! Counts over the lines and paragraphs of a text.

use std::collections::HashSet;

/// Lines of at most this many characters are short (FineWeb).
const SHORT: usize = 30;
const BULLETS: [char; 9] = ['•', '‣', '▪', '▶', '●', '○', '◦', '-', '*'];
/// Ends of sentences, also in scripts that do not use Latin punctuation.
const STOPS: [char; 15] = ['.', '!', '?', '"', '”', '’', '\'', ':', ';', '…', '。', '！', '？', '」', '।'];

/// What the rules measure of lines; lines and paragraphs of white space alone do not count.
pub(super) struct Lines<'a> {
    text: &'a str,
    lines: u64,
    pub(super) bullets: u64,
    pub(super) ellipses: u64,
    pub(super) punctuated: u64,
    pub(super) short: u64,
    pub(super) lorem_ipsum: bool,
}

/// How much of a text repeats earlier parts of it.
pub(super) struct Repeated {
    /// Of lines or paragraphs.
    pub(super) share: f64,
    /// Of their bytes.
    pub(super) byte_share: f64,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut this =
            Self { text, lines: 0, bullets: 0, ellipses: 0, punctuated: 0, short: 0, lorem_ipsum: false };
        for line in this.each() {
            this.lines += 1;
            this.bullets += u64::from(line.starts_with(BULLETS));
            this.ellipses += u64::from(line.ends_with("...") || line.ends_with('…'));
            this.punctuated += u64::from(line.ends_with(STOPS));
            this.short += u64::from(line.chars().nth(SHORT).is_none());
            this.lorem_ipsum |= has_lorem_ipsum(line);
        }
        this
    }

    fn each(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text.lines().map(str::trim).filter(|line| !line.is_empty())
    }

    /// A count per line; 0 of no lines.
    pub(super) fn share(&self, count: u64) -> f64 {
        count as f64 / self.lines.max(1) as f64
    }

    pub(super) fn repeated_lines(&self) -> Repeated {
        repeated(self.each())
    }

    pub(super) fn repeated_paragraphs(&self) -> Repeated {
        repeated(self.text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()))
    }
}

fn has_lorem_ipsum(line: &str) -> bool {
    line.as_bytes().windows(11).any(|window| window.eq_ignore_ascii_case(b"lorem ipsum"))
}

fn repeated<'a>(parts: impl Iterator<Item = &'a str>) -> Repeated {
    let mut seen = HashSet::new();
    let (mut all, mut again, mut bytes, mut bytes_again) = (0u64, 0u64, 0, 0);
    for part in parts {
        all += 1;
        bytes += part.len();
        if !seen.insert(part) {
            again += 1;
            bytes_again += part.len();
        }
    }
    Repeated { share: again as f64 / all.max(1) as f64, byte_share: bytes_again as f64 / bytes.max(1) as f64 }
}

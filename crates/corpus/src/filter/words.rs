//! Counts over the words of a text.

/// Gopher's stop words.
const STOP_WORDS: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];

/// What the rules measure of words.
pub(super) struct WordFacts {
    pub(super) words: u64,
    chars: u64,
    /// Hash signs or ellipses, whichever are more.
    pub(super) symbols: u64,
    /// Words with a letter.
    pub(super) alphabetic: u64,
    /// How many of Gopher's eight stop words occur in the text.
    pub(super) stop_words: u64,
}

impl WordFacts {
    pub(super) fn of(words: &[&str]) -> Self {
        let (mut chars, mut hashes, mut ellipses, mut alphabetic) = (0, 0, 0, 0);
        let mut seen = [false; STOP_WORDS.len()];
        for word in words {
            chars += word.chars().count() as u64;
            hashes += word.matches('#').count() as u64;
            ellipses += (word.matches("...").count() + word.matches('…').count()) as u64;
            alphabetic += u64::from(word.chars().any(char::is_alphabetic));
            let stop = STOP_WORDS.iter().position(|stop| word.eq_ignore_ascii_case(stop));
            if let Some(stop) = stop {
                seen[stop] = true;
            }
        }
        let stop_words = seen.into_iter().filter(|&seen| seen).count() as u64;
        Self { words: words.len() as u64, chars, symbols: hashes.max(ellipses), alphabetic, stop_words }
    }

    pub(super) fn mean_chars(&self) -> f64 {
        self.share(self.chars)
    }

    /// A count per word; 0 of no words.
    pub(super) fn share(&self, count: u64) -> f64 {
        count as f64 / self.words.max(1) as f64
    }
}

//! Spelling: every word form has a different string of lower-case letters.

use super::Sizes;
use super::draw::below;
use scalelaw_random::Rng;
use std::collections::{HashMap, HashSet};

/// What a word form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// First word of a sentence.
    Subject { stem: usize, feature: usize },
    /// A word between subject and verb.
    Middle { class: usize, word: usize },
    /// Last word of a sentence.
    Verb { stem: usize, feature: usize },
}

/// The spellings of all word forms.
#[derive(Clone, Debug)]
pub(super) struct Lexicon {
    /// `[stem][feature]`
    pub(super) subjects: Vec<Vec<String>>,
    /// `[class][word]`
    pub(super) words: Vec<Vec<String>>,
    /// `[stem][feature]`
    pub(super) verbs: Vec<Vec<String>>,
    by_spelling: HashMap<String, Word>,
}

impl Lexicon {
    pub(super) fn new(rng: &mut impl Rng, sizes: &Sizes) -> Self {
        let mut taken = HashSet::new();
        let subject_endings: Vec<String> = fresh(rng, &mut HashSet::new(), 1, sizes.features);
        let verb_endings: Vec<String> = fresh(rng, &mut HashSet::new(), 1, sizes.features);
        let subjects = inflected(rng, &mut taken, sizes.subjects, &subject_endings);
        let words = (0..sizes.classes).map(|_| fresh(rng, &mut taken, 2, sizes.words)).collect();
        let verbs = inflected(rng, &mut taken, sizes.verbs, &verb_endings);
        let mut lexicon = Self { subjects, words, verbs, by_spelling: HashMap::new() };
        lexicon.by_spelling = lexicon.all().map(|(word, spelling)| (spelling.to_string(), word)).collect();
        lexicon
    }

    /// The word of a spelling.
    pub(super) fn word(&self, spelling: &str) -> Option<Word> {
        self.by_spelling.get(spelling).copied()
    }

    /// The spelling of a word.
    pub(super) fn spelling(&self, word: Word) -> &str {
        match word {
            Word::Subject { stem, feature } => &self.subjects[stem][feature],
            Word::Middle { class, word } => &self.words[class][word],
            Word::Verb { stem, feature } => &self.verbs[stem][feature],
        }
    }

    /// All words and their spellings, in a fixed order.
    pub(super) fn all(&self) -> impl Iterator<Item = (Word, &str)> {
        let forms = |table: &'_ Vec<Vec<String>>| -> Vec<(usize, usize)> {
            table.iter().enumerate().flat_map(|(i, row)| (0..row.len()).map(move |j| (i, j))).collect()
        };
        let subjects =
            forms(&self.subjects).into_iter().map(|(stem, feature)| Word::Subject { stem, feature });
        let middles = forms(&self.words).into_iter().map(|(class, word)| Word::Middle { class, word });
        let verbs = forms(&self.verbs).into_iter().map(|(stem, feature)| Word::Verb { stem, feature });
        subjects.chain(middles).chain(verbs).map(|word| (word, self.spelling(word)))
    }
}

/// `n` different words with the given number of syllables, none of them in `taken`.
fn fresh(rng: &mut impl Rng, taken: &mut HashSet<String>, syllables: usize, n: usize) -> Vec<String> {
    let mut words = Vec::with_capacity(n);
    while words.len() < n {
        let word = syllables_of(rng, syllables);
        if taken.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

/// Stems with all endings; a stem is redrawn if one of its forms is taken.
fn inflected(
    rng: &mut impl Rng,
    taken: &mut HashSet<String>,
    n: usize,
    endings: &[String],
) -> Vec<Vec<String>> {
    let mut stems = Vec::with_capacity(n);
    while stems.len() < n {
        let stem = syllables_of(rng, 1);
        let forms: Vec<String> = endings.iter().map(|ending| format!("{stem}{ending}")).collect();
        if forms.iter().all(|form| !taken.contains(form)) {
            taken.extend(forms.iter().cloned());
            stems.push(forms);
        }
    }
    stems
}

/// Open syllables, such as "ka" or "to". There are 75 of them, so two syllables make thousands of words.
fn syllables_of(rng: &mut impl Rng, n: usize) -> String {
    const CONSONANTS: &[u8] = b"bdfghklmnprstvz";
    const VOWELS: &[u8] = b"aeiou";
    let mut word = String::new();
    for _ in 0..n {
        word.push(CONSONANTS[below(rng, CONSONANTS.len())] as char);
        word.push(VOWELS[below(rng, VOWELS.len())] as char);
    }
    word
}

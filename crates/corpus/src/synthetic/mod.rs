//! A synthetic language whose probability of any text can be computed exactly.
//!
//! A document is a few sentences about a drifting topic. A sentence is a subject, some words whose classes
//! form a Markov chain, and a verb; subject and verb agree in one of several features, across all words
//! between them. The topic is never written down; it only changes how often words are used. So a model can learn three
//! kinds of structure, which lower the loss in this order: the Zipfian words and their spelling, the order of the classes
//! (a bigram), and what reaches further: agreement across a sentence and the topic across sentences.
//!
//! Every word has one class and one spelling, so only the topic is hidden, and the forward algorithm sums
//! over it exactly.

mod draw;
mod floor;
mod lexicon;
mod score;
mod text;

pub use floor::{Floor, true_floor};
pub use text::SyntheticText;

use draw::Weights;
use lexicon::Lexicon;
use scalelaw_random::generator;

/// The sizes of a synthetic language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Hidden topics.
    topics: usize,
    /// Features that subject and verb agree in.
    features: usize,
    /// Stems of subjects; each has a form for each feature.
    subjects: usize,
    /// Stems of verbs; each has a form for each feature.
    verbs: usize,
    /// Classes of the words between them.
    classes: usize,
    /// Words of a class.
    words: usize,
    /// Fewest and most words between subject and verb.
    middle: (usize, usize),
    /// Fewest and most sentences of a document.
    sentences: (usize, usize),
}

/// 640 word forms, sentences of 9 words and documents of 7 sentences on average.
const SIZES: Sizes = Sizes {
    topics: 6,
    features: 6,
    subjects: 32,
    verbs: 16,
    classes: 8,
    words: 44,
    middle: (3, 24),
    sentences: (3, 60),
};

/// Probability that a sentence keeps the topic of the sentence before.
const KEEP_TOPIC: f64 = 0.9;
/// Probability that a word is drawn from the frequencies of its topic instead of the common ones.
const TOPICAL: f64 = 0.7;
/// Probability that the verb comes next, once the sentence is long enough.
const END_SENTENCE: f64 = 0.2;
/// Probability that the document ends, once it is long enough.
const END_DOCUMENT: f64 = 0.2;

/// A synthetic language: a probability law over documents, fixed by its seed.
#[derive(Clone, Debug)]
pub struct Language {
    seed: u64,
    sizes: Sizes,
    lexicon: Lexicon,
    /// Features of sentences.
    features: Weights,
    /// Class of the first word after the subject.
    first_class: Weights,
    /// Class after each class.
    next_class: Vec<Weights>,
    /// Stems of subjects, by topic.
    subjects: Vec<Weights>,
    /// Stems of verbs, by topic.
    verbs: Vec<Weights>,
    /// Words of each class, by topic: `[class][topic]`.
    words: Vec<Vec<Weights>>,
}

impl Language {
    /// The language of this seed.
    pub fn new(seed: u64) -> Self {
        Self::with_sizes(seed, SIZES)
    }

    pub(crate) fn with_sizes(seed: u64, sizes: Sizes) -> Self {
        let rng = &mut generator(seed);
        let lexicon = Lexicon::new(rng, &sizes);
        let steep = |rng: &mut _, n| Weights::new(&draw::shuffled(rng, &draw::zipf(n, draw::Slope::Square)));
        let features = Weights::new(&draw::zipf(sizes.features, draw::Slope::One));
        let first_class = steep(rng, sizes.classes);
        let next_class = (0..sizes.classes).map(|_| steep(rng, sizes.classes)).collect();
        let by_topic = |rng: &mut _, n| -> Vec<Weights> {
            let law = draw::zipf(n, draw::Slope::One);
            let common = draw::shuffled(rng, &law);
            let mix = |own: Vec<f64>| -> Vec<f64> {
                common.iter().zip(own).map(|(c, t)| (1.0 - TOPICAL) * c + TOPICAL * t).collect()
            };
            (0..sizes.topics).map(|_| Weights::new(&mix(draw::shuffled(rng, &law)))).collect()
        };
        let subjects = by_topic(rng, sizes.subjects);
        let verbs = by_topic(rng, sizes.verbs);
        let words = (0..sizes.classes).map(|_| by_topic(rng, sizes.words)).collect();
        Self { seed, sizes, lexicon, features, first_class, next_class, subjects, verbs, words }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Probability of the verb after `middle` words between it and the subject.
    fn verb_chance(&self, middle: usize) -> f64 {
        chance(middle, self.sizes.middle, END_SENTENCE)
    }

    /// Probability that the document ends after `sentences` sentences.
    fn end_chance(&self, sentences: usize) -> f64 {
        chance(sentences, self.sizes.sentences, END_DOCUMENT)
    }

    /// Probability that one topic follows another, or itself.
    fn topic_chance(&self, from: usize, to: usize) -> f64 {
        let n = self.sizes.topics;
        match (n, from == to) {
            (1, _) => 1.0,
            (_, true) => KEEP_TOPIC,
            (_, false) => (1.0 - KEEP_TOPIC) / (n - 1) as f64,
        }
    }
}

/// A probability that is 0 below a range and 1 at its end.
fn chance(n: usize, (least, most): (usize, usize), between: f64) -> f64 {
    if n < least {
        0.0
    } else if n >= most {
        1.0
    } else {
        between
    }
}

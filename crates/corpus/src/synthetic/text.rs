//! Documents drawn from a synthetic language.

use super::Language;
use super::draw::below;
use super::lexicon::Word;
use crate::document::Document;
use crate::error::CorpusError;
use crate::read::Skipped;
use crate::source::DocumentSource;
use scalelaw_random::{GOLDEN, Generator, generator, unit};
use scalelaw_tokens::Source;
use std::ops::ControlFlow;

impl Language {
    /// Document number `index`. Documents are independent draws, and each is the same at every call.
    pub fn document(&self, index: u64) -> String {
        // The streams of one seed differ in the odd multiple, and the seeding mixes its bits.
        let seed = self.seed ^ index.wrapping_add(1).wrapping_mul(GOLDEN);
        let rng = &mut generator(seed);
        let mut text = String::new();
        let mut topic = below(rng, self.sizes.topics);
        let mut sentences = 0;
        while unit(rng) >= self.end_chance(sentences) {
            if sentences > 0 {
                text.push(' ');
                topic = self.draw_next_topic(rng, topic);
            }
            self.push_sentence(rng, topic, &mut text);
            sentences += 1;
        }
        text
    }

    fn draw_next_topic(&self, rng: &mut Generator, topic: usize) -> usize {
        let u = unit(rng);
        let mut sum = 0.0;
        for next in 0..self.sizes.topics {
            sum += self.topic_chance(topic, next);
            if u < sum {
                return next;
            }
        }
        topic
    }

    fn push_sentence(&self, rng: &mut Generator, topic: usize, text: &mut String) {
        let feature = self.features.draw(rng);
        let stem = self.subjects[topic].draw(rng);
        text.push_str(self.lexicon.spelling(Word::Subject { stem, feature }));
        let (mut middle, mut class) = (0, None);
        while unit(rng) >= self.verb_chance(middle) {
            let next = class.map_or(&self.first_class, |class: usize| &self.next_class[class]).draw(rng);
            let word = self.words[next][topic].draw(rng);
            text.push(' ');
            text.push_str(self.lexicon.spelling(Word::Middle { class: next, word }));
            class = Some(next);
            middle += 1;
        }
        let stem = self.verbs[topic].draw(rng);
        text.push(' ');
        text.push_str(self.lexicon.spelling(Word::Verb { stem, feature }));
        text.push('.');
    }
}

/// Documents of a synthetic language, up to an amount of text.
#[derive(Clone, Debug)]
pub struct SyntheticText {
    language: Language,
    bytes: u64,
}

impl SyntheticText {
    /// The first documents of a language that together have at least `bytes` bytes.
    pub fn new(language: Language, bytes: u64) -> Self {
        Self { language, bytes }
    }

    /// The language.
    pub fn language(&self) -> &Language {
        &self.language
    }
}

impl DocumentSource for SyntheticText {
    fn sources(&self) -> Result<Vec<Source>, CorpusError> {
        // The first document represents the language: its text changes when the generator does.
        let digest = blake3::hash(self.language.document(0).as_bytes()).to_hex();
        let name = format!("synthetic language, seed {}", self.language.seed);
        Ok(vec![Source { name, bytes: self.bytes, digest: format!("blake3-of-first-document:{digest}") }])
    }

    fn visit(&self, visit: &mut dyn FnMut(Document) -> ControlFlow<()>) -> Result<Skipped, CorpusError> {
        let mut bytes = 0;
        for index in 0.. {
            let text = self.language.document(index);
            bytes += text.len() as u64;
            if visit(Document::new(text)).is_break() || bytes >= self.bytes {
                break;
            }
        }
        Ok(Skipped::default())
    }
}

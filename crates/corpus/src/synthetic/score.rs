//! The exact probability of a text, and that of all documents that begin with it.

use super::Language;
use super::lexicon::Word;

/// How to interpret a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// A whole document.
    Document,
    /// The beginning of a document, cut anywhere.
    Beginning,
}

/// The position within a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before its subject.
    Start,
    /// After the subject and this number of words, the last of which has this class.
    Inside { feature: usize, middle: usize, class: Option<usize> },
    /// After its verb.
    Verb,
}

/// The forward algorithm: the joint probability of the text so far and each topic of the current sentence.
struct Forward<'a> {
    language: &'a Language,
    /// Rescaled to a sum of 1 after every word.
    alpha: Vec<f64>,
    /// Natural logarithm of the scale.
    log_scale: f64,
    sentences: usize,
    place: Place,
}

impl Language {
    /// Natural logarithm of the probability that a document is this text, its end included; −∞ when the
    /// language cannot produce it.
    pub fn log_prob(&self, text: &str) -> f64 {
        self.score(text, Scope::Document)
    }

    /// Natural logarithm of the probability that a document begins with this text, wherever it is cut; 0 for
    /// the empty text.
    pub fn log_prob_prefix(&self, text: &str) -> f64 {
        self.score(text, Scope::Beginning)
    }

    fn score(&self, text: &str, scope: Scope) -> f64 {
        let mut forward = Forward::new(self);
        let mut rest = text;
        // A sentence consists of words; a space follows each word, and a full stop follows the verb.
        while let Some(end) = rest.find([' ', '.']) {
            let (spelling, after) = rest.split_at(end);
            let Some(word) = self.lexicon.word(spelling) else { return f64::NEG_INFINITY };
            let verb = matches!(word, Word::Verb { .. });
            if !forward.read(word) || verb != after.starts_with('.') {
                return f64::NEG_INFINITY;
            }
            rest = &after[1..];
            if verb && !rest.is_empty() {
                let Some(next) = rest.strip_prefix(' ') else { return f64::NEG_INFINITY };
                forward.start_sentence();
                rest = next;
            }
            if verb && rest.is_empty() {
                // The text ends with the full stop or with the space after it.
                let ended = text.ends_with('.');
                return match scope {
                    Scope::Document if ended => forward.log_scale + ln(self.end_chance(forward.sentences)),
                    Scope::Document => f64::NEG_INFINITY,
                    Scope::Beginning => forward.log_scale,
                };
            }
        }
        match scope {
            Scope::Document => f64::NEG_INFINITY,
            Scope::Beginning => forward.log_scale + ln(forward.chance_of_beginning(rest)),
        }
    }
}

impl<'a> Forward<'a> {
    fn new(language: &'a Language) -> Self {
        let topics = language.sizes.topics;
        let alpha = vec![1.0 / topics as f64; topics];
        let mut forward = Self { language, alpha, log_scale: 0.0, sentences: 0, place: Place::Start };
        // There is no empty document.
        forward.log_scale += ln(1.0 - language.end_chance(0));
        forward
    }

    /// Probability of a word here, given a topic.
    fn chance(&self, word: Word, topic: usize) -> f64 {
        let language = self.language;
        match (self.place, word) {
            (Place::Start, Word::Subject { stem, feature }) => {
                language.features.p(feature) * language.subjects[topic].p(stem)
            }
            (Place::Inside { middle, class, .. }, Word::Middle { class: next, word }) => {
                let order = class.map_or(&language.first_class, |class| &language.next_class[class]);
                (1.0 - language.verb_chance(middle)) * order.p(next) * language.words[next][topic].p(word)
            }
            (Place::Inside { feature: subject, middle, .. }, Word::Verb { stem, feature })
                if subject == feature =>
            {
                language.verb_chance(middle) * language.verbs[topic].p(stem)
            }
            _ => 0.0,
        }
    }

    /// Reads a word; returns false when it cannot occur here.
    fn read(&mut self, word: Word) -> bool {
        for topic in 0..self.alpha.len() {
            self.alpha[topic] *= self.chance(word, topic);
        }
        let sum: f64 = self.alpha.iter().sum();
        if sum <= 0.0 {
            return false;
        }
        self.alpha.iter_mut().for_each(|a| *a /= sum);
        self.log_scale += ln(sum);
        self.place = match (self.place, word) {
            (_, Word::Subject { feature, .. }) => Place::Inside { feature, middle: 0, class: None },
            (Place::Inside { feature, middle, .. }, Word::Middle { class, .. }) => {
                Place::Inside { feature, middle: middle + 1, class: Some(class) }
            }
            _ => {
                self.sentences += 1;
                Place::Verb
            }
        };
        true
    }

    /// Continues the document after a sentence.
    fn start_sentence(&mut self) {
        let topics = self.alpha.len();
        let next = |to| (0..topics).map(|from| self.alpha[from] * self.language.topic_chance(from, to)).sum();
        self.alpha = (0..topics).map(next).collect();
        self.log_scale += ln(1.0 - self.language.end_chance(self.sentences));
        self.place = Place::Start;
    }

    /// Probability that the next word begins with these letters.
    fn chance_of_beginning(&self, letters: &str) -> f64 {
        if letters.is_empty() {
            return 1.0;
        }
        let words = self.language.lexicon.all().filter(|(_, spelling)| spelling.starts_with(letters));
        words
            .map(|(word, _)| {
                (0..self.alpha.len()).map(|topic| self.alpha[topic] * self.chance(word, topic)).sum::<f64>()
            })
            .sum()
    }
}

fn ln(p: f64) -> f64 {
    libm::log(p)
}

#[cfg(test)]
mod tests {
    use super::super::{SIZES, Sizes};
    use super::*;
    use std::collections::BTreeMap;

    /// A language that is small enough to list every document.
    const TINY: Sizes = Sizes {
        topics: 2,
        features: 2,
        subjects: 1,
        verbs: 1,
        classes: 2,
        words: 2,
        middle: (0, 2),
        sentences: (1, 2),
    };

    /// Every sentence, enumerated over all words of the right kind in any number.
    fn sentences(language: &Language) -> Vec<String> {
        let lexicon = &language.lexicon;
        let middles: Vec<&String> = lexicon.words.iter().flatten().collect();
        let mut sentences = vec![];
        for subject in lexicon.subjects.iter().flatten() {
            for verb in lexicon.verbs.iter().flatten() {
                sentences.push(format!("{subject} {verb}."));
                for a in &middles {
                    sentences.push(format!("{subject} {a} {verb}."));
                    for b in &middles {
                        sentences.push(format!("{subject} {a} {b} {verb}."));
                        sentences.push(format!("{subject} {a} {b} {a} {verb}."));
                    }
                }
            }
        }
        sentences
    }

    fn documents(language: &Language) -> Vec<String> {
        let sentences = sentences(language);
        let pairs = sentences.iter().flat_map(|a| sentences.iter().map(move |b| format!("{a} {b}")));
        pairs.chain(sentences.iter().cloned()).collect()
    }

    #[test]
    fn language_probabilities_of_all_documents_sum_to_one() {
        for seed in 0..5 {
            let language = Language::with_sizes(seed, TINY);
            let total: f64 = documents(&language).iter().map(|text| language.log_prob(text).exp()).sum();
            assert!((total - 1.0).abs() < 1e-12, "seed {seed}: {total}");
        }
    }

    #[test]
    fn language_probability_equals_the_sum_over_topics_written_out() {
        // An independent sum over every sequence of topics, by definition.
        let language = Language::with_sizes(3, TINY);
        let given_topic = |sentence: &str, topic: usize| -> f64 {
            let mut p = 1.0;
            let (mut class, mut subject, mut middle) = (None, None, 0);
            for spelling in sentence.trim_end_matches('.').split(' ') {
                match language.lexicon.word(spelling).unwrap() {
                    Word::Subject { stem, feature } => {
                        subject = Some(feature);
                        p *= language.features.p(feature) * language.subjects[topic].p(stem);
                    }
                    Word::Middle { class: next, word } => {
                        p *= match middle {
                            0 | 1 => 0.8,
                            _ => 0.0,
                        };
                        p *= class
                            .map_or(language.first_class.p(next), |c: usize| language.next_class[c].p(next));
                        p *= language.words[next][topic].p(word);
                        class = Some(next);
                        middle += 1;
                    }
                    Word::Verb { stem, feature } => {
                        p *= match middle {
                            0 | 1 => 0.2,
                            _ => 1.0,
                        };
                        p *= f64::from(u8::from(subject == Some(feature))) * language.verbs[topic].p(stem);
                    }
                }
            }
            p
        };
        let all = sentences(&language);
        for (i, first) in all.iter().enumerate().filter(|(i, _)| i % 7 == 0) {
            let alone: f64 = (0..2).map(|z| 0.5 * given_topic(first, z)).sum::<f64>() * 0.2;
            assert!((language.log_prob(first).exp() - alone).abs() < 1e-14, "{first}");
            let second = &all[(i * 5) % all.len()];
            let mut both = 0.0;
            for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                both += 0.5
                    * given_topic(first, a)
                    * 0.8
                    * if a == b { 0.9 } else { 0.1 }
                    * given_topic(second, b);
            }
            let text = format!("{first} {second}");
            assert!((language.log_prob(&text).exp() - both).abs() < 1e-14, "{text}");
        }
    }

    #[test]
    fn language_prefix_probability_is_the_sum_over_its_documents() {
        let language = Language::with_sizes(1, TINY);
        let mut by_prefix: BTreeMap<String, f64> = BTreeMap::new();
        for text in documents(&language) {
            let p = language.log_prob(&text).exp();
            for end in (0..=text.len()).take_while(|end| *end < 30) {
                *by_prefix.entry(text[..end].to_string()).or_default() += p;
            }
        }
        assert!(by_prefix.len() > 500);
        for (prefix, expected) in by_prefix {
            let p = language.log_prob_prefix(&prefix).exp();
            assert!((p - expected).abs() < 1e-12, "{prefix:?}: {p} {expected}");
        }
    }

    #[test]
    fn language_sampled_entropy_is_the_entropy_of_all_documents() {
        let language = Language::with_sizes(4, TINY);
        let surprise: Vec<(f64, f64)> = documents(&language)
            .iter()
            .map(|text| language.log_prob(text))
            .filter(|log_p| log_p.is_finite())
            .map(|log_p| (log_p.exp(), -log_p))
            .collect();
        let entropy: f64 = surprise.iter().map(|(p, nats)| p * nats).sum();
        let variance: f64 = surprise.iter().map(|(p, nats)| p * (nats - entropy).powi(2)).sum();
        let n = 50_000;
        let mean = (0..n).map(|index| -language.log_prob(&language.document(index))).sum::<f64>() / n as f64;
        let se = (variance / n as f64).sqrt();
        assert!((mean - entropy).abs() < 4.0 * se, "{mean} {entropy} ± {se}");
    }

    #[test]
    fn language_sampled_documents_have_their_probability() {
        let language = Language::with_sizes(2, TINY);
        let n = 200_000;
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        for index in 0..n {
            *counts.entry(language.document(index)).or_default() += 1.0;
        }
        let mut frequent = 0;
        for (text, count) in &counts {
            let expected = language.log_prob(text).exp() * n as f64;
            assert!(expected > 0.0, "{text}");
            if expected > 200.0 {
                frequent += 1;
                assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{text}: {count} {expected}");
            }
        }
        assert!(frequent > 20);
    }

    #[test]
    fn language_impossible_text_has_probability_zero() {
        let language = Language::new(0);
        let good = language.document(5);
        assert!(language.log_prob(&good).is_finite());
        let without_stop = good.trim_end_matches('.');
        let verb = good.rsplit(' ').next().unwrap();
        for bad in [
            "",
            ".",
            " ",
            "xyzzy.",
            without_stop,
            &format!("{good} "),
            &format!(" {good}"),
            &format!("{good}."),
            &good.replacen(' ', "  ", 1),
            &good.to_uppercase(),
            verb,
            &format!("{good} {verb}"),
        ] {
            assert_eq!(language.log_prob(bad), f64::NEG_INFINITY, "{bad:?}");
        }
        // Another form of the last verb does not agree with its subject.
        let Some(Word::Verb { stem, feature }) = language.lexicon.word(verb.trim_end_matches('.')) else {
            panic!()
        };
        let other = &language.lexicon.verbs[stem][(feature + 1) % SIZES.features];
        let wrong = format!("{}{other}.", good.strip_suffix(verb).unwrap());
        assert_eq!(language.log_prob(&wrong), f64::NEG_INFINITY);
    }

    #[test]
    fn language_beginning_is_at_least_as_probable_as_what_follows() {
        let language = Language::new(9);
        let text = language.document(1);
        assert_eq!(language.log_prob_prefix(""), 0.0);
        let chain: Vec<f64> = (0..=text.len()).map(|end| language.log_prob_prefix(&text[..end])).collect();
        assert!(chain.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9 && pair[1].is_finite()));
        assert!(language.log_prob(&text) < chain[text.len()]);
    }
}

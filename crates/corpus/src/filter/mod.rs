//! Which documents are worth training on: language, length, quality and repetition, each rule with its count.

mod language;
mod lines;
mod ngrams;
mod settings;
mod words;

pub use settings::{FilterSettings, UnknownRules};

use language::is_english;
use lines::Lines;
use words::WordFacts;

/// Why a document was dropped: the first rule that it broke, and the value found.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The rule: the name of its setting.
    pub rule: &'static str,
    /// What was found, as the setting counts it.
    pub found: String,
}

impl FilterSettings {
    /// Whether a text passes all rules, in the order of the settings; cheap rules come first.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, text: &str) -> Result<(), Broken> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let facts = WordFacts::of(&words);
        self.check_words(&facts)?;
        let lines = Lines::of(text);
        self.check_lines(&lines)?;
        if !self.languages.is_empty() {
            let found = language::of(text);
            if !found.is_some_and(|code| self.languages.iter().any(|wanted| wanted == code)) {
                return broken("languages", found.unwrap_or("none"));
            }
        }
        // The list is English, so it says nothing about a text in another language.
        if facts.stop_words < self.min_stop_words && is_english(text) {
            return broken("min_stop_words", facts.stop_words);
        }
        self.check_repetition(&words, &lines)
    }

    fn check_words(&self, facts: &WordFacts) -> Result<(), Broken> {
        at_least("min_words", facts.words, self.min_words)?;
        at_most("max_words", facts.words, self.max_words)?;
        at_least("min_mean_word_chars", facts.mean_chars(), self.min_mean_word_chars)?;
        at_most("max_mean_word_chars", facts.mean_chars(), self.max_mean_word_chars)?;
        at_most("max_symbols_per_word", facts.share(facts.symbols), self.max_symbols_per_word)?;
        at_least("min_alphabetic_words", facts.share(facts.alphabetic), self.min_alphabetic_words)
    }

    fn check_lines(&self, lines: &Lines<'_>) -> Result<(), Broken> {
        at_most("max_bullet_lines", lines.share(lines.bullets), self.max_bullet_lines)?;
        at_most("max_ellipsis_lines", lines.share(lines.ellipses), self.max_ellipsis_lines)?;
        at_least("min_punctuated_lines", lines.share(lines.punctuated), self.min_punctuated_lines)?;
        at_most("max_short_lines", lines.share(lines.short), self.max_short_lines)?;
        if !self.keep_lorem_ipsum && lines.lorem_ipsum {
            return broken("keep_lorem_ipsum", "lorem ipsum");
        }
        Ok(())
    }

    fn check_repetition(&self, words: &[&str], lines: &Lines<'_>) -> Result<(), Broken> {
        let (by_line, by_paragraph) = (lines.repeated_lines(), lines.repeated_paragraphs());
        at_most("max_repeated_lines", by_line.share, self.max_repeated_lines)?;
        at_most("max_repeated_paragraphs", by_paragraph.share, self.max_repeated_paragraphs)?;
        at_most("max_repeated_line_bytes", by_line.byte_share, self.max_repeated_line_bytes)?;
        at_most("max_repeated_paragraph_bytes", by_paragraph.byte_share, self.max_repeated_paragraph_bytes)?;
        let mut ngrams = ngrams::Ngrams::of(words);
        for (n, limit) in (2..).zip(self.max_top_ngram) {
            if limit < 1.0 {
                at_most(TOP_NGRAM[n - 2], ngrams.top_share(n), limit)?;
            }
        }
        for (n, limit) in (5..).zip(self.max_repeated_ngrams) {
            if limit < 1.0 {
                at_most(REPEATED_NGRAMS[n - 5], ngrams.repeated_share(n), limit)?;
            }
        }
        Ok(())
    }
}

const TOP_NGRAM: [&str; 3] =
    ["max_top_ngram (2 words)", "max_top_ngram (3 words)", "max_top_ngram (4 words)"];
const REPEATED_NGRAMS: [&str; 6] = [
    "max_repeated_ngrams (5 words)",
    "max_repeated_ngrams (6 words)",
    "max_repeated_ngrams (7 words)",
    "max_repeated_ngrams (8 words)",
    "max_repeated_ngrams (9 words)",
    "max_repeated_ngrams (10 words)",
];

fn broken(rule: &'static str, found: impl std::fmt::Display) -> Result<(), Broken> {
    Err(Broken { rule, found: found.to_string() })
}

fn at_most<T: PartialOrd + std::fmt::Display>(rule: &'static str, found: T, limit: T) -> Result<(), Broken> {
    if found > limit { broken(rule, format!("{found:.4}")) } else { Ok(()) }
}

fn at_least<T: PartialOrd + std::fmt::Display>(rule: &'static str, found: T, limit: T) -> Result<(), Broken> {
    if found < limit { broken(rule, format!("{found:.4}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Option<&'static str> {
        FilterSettings::named("webtext-1").unwrap().check(text).err().map(|broken| broken.rule)
    }

    /// English, no two lines alike.
    const PROSE: &str = "\
The old bridge across the river had been closed for most of the winter, and nobody in the village knew why.
Every morning the teacher walked to the water, looked at the broken railing, and went home without a word.
In March a man from the county office came with two boxes of papers and a very small dog.
He measured the arches twice, wrote down what he saw, and asked for a cup of coffee that he did not drink.
People said that the stones were older than the church, which may have been true of some of them.
The harbour master remembered a flood when he was a child, with boats tied to the trees of the orchard.
By the end of April the work had begun, slowly at first, then with more noise than anybody liked.
Children stood on the hill after school and watched how the masons lifted each block with ropes.
One of the masons lost a ring there and found it again a week later in a bucket of sand.
When the bridge was opened in June, the mayor spoke for so long that the band went home early.
";

    #[test]
    fn filter_keeps_ordinary_prose() {
        assert_eq!(rule(PROSE), None);
    }

    #[test]
    fn filter_names_the_rule_that_is_broken() {
        let cases = [
            ("too short".to_string(), "min_words"),
            ("a b c d ".repeat(50), "min_mean_word_chars"),
            ("incomprehensibilities ".repeat(60), "max_mean_word_chars"),
            (PROSE.replace("e ", "e # "), "max_symbols_per_word"),
            (PROSE.replace(" the ", " 12 34 5 6 "), "min_alphabetic_words"),
            (PROSE.lines().map(|line| format!("- {line}\n")).collect(), "max_bullet_lines"),
            (PROSE.replace(".\n", " and so on...\n"), "max_ellipsis_lines"),
            (PROSE.replace(".\n", "\n"), "min_punctuated_lines"),
            (PROSE.replace(". ", ".").replace(' ', "\n").replace("\n", ".\n"), "max_short_lines"),
            (PROSE.replace("In March", "Lorem ipsum"), "keep_lorem_ipsum"),
            (
                "Der Fluss trug das Dorf, und die Maschine beschrieb, was der Winter gewesen war.\n"
                    .repeat(6),
                "languages",
            ),
            (
                PROSE.to_owned() + &"The harbour closed that evening for ever.\n".repeat(9),
                "max_repeated_lines",
            ),
            (
                PROSE.to_owned() + &"The harbour was closed for ever that evening ".repeat(6) + "again.",
                "max_repeated_ngrams (5 words)",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(rule(&text), Some(expected), "{text}");
        }
    }

    #[test]
    fn filter_without_rules_keeps_everything() {
        let none = FilterSettings::named("none").unwrap();
        for text in ["x", "", "- - -", &"a a a a ".repeat(100), "\u{0} \n\n\n漢字"] {
            assert_eq!(none.check(text), Ok(()));
        }
    }

    #[test]
    fn filter_settings_overlay_a_named_set() {
        let table: toml::Table = toml::from_str("rules = \"gopher-1\"\nmin_words = 10").unwrap();
        let settings = FilterSettings::from_table(table).unwrap();
        assert_eq!(settings.min_words, 10);
        assert_eq!(settings.max_words, FilterSettings::named("gopher-1").unwrap().max_words);
        for (toml, expected) in [("rules = \"best\"", "webtext-1"), ("min_word = 1", "min_word")] {
            let error = FilterSettings::from_table(toml::from_str(toml).unwrap()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}

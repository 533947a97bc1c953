//! How wide text is, and where it breaks.

use super::font;
use crate::text::{RichText, Script};

/// Size of a superscript or subscript as a share of the text's.
pub(super) const SCRIPT_SIZE: f64 = 0.72;
/// Distance between the baselines of two lines, as a share of the font size.
pub(super) const LINE_HEIGHT: f64 = 1.25;

/// Width of a line of text at a font size, in the size's unit.
pub(super) fn width(text: &RichText, size: f64) -> f64 {
    text.runs
        .iter()
        .map(|run| {
            let em: f64 = run.text.chars().map(font::advance).sum();
            em * size * script_size(run.script)
        })
        .sum()
}

pub(super) fn script_size(script: Script) -> f64 {
    match script {
        Script::Normal => 1.0,
        Script::Super | Script::Sub => SCRIPT_SIZE,
    }
}

/// Breaks text at spaces into lines no wider than `limit`; a single word that is wider is cut between characters.
pub(super) fn wrap(text: &RichText, size: f64, limit: f64) -> Vec<RichText> {
    let mut lines = Vec::new();
    let mut line = RichText::default();
    for word in words(text) {
        let mut longer = line.clone();
        if !line.is_empty() {
            longer.push(Script::Normal, " ");
        }
        append(&mut longer, &word);
        if width(&longer, size) <= limit {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = cut_long_word(word, size, limit, &mut lines);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn append(line: &mut RichText, word: &RichText) {
    for run in &word.runs {
        line.push(run.script, &run.text);
    }
}

/// Splits at spaces on the line; a superscript stays with what it stands on.
fn words(text: &RichText) -> Vec<RichText> {
    let mut words = vec![RichText::default()];
    for run in &text.runs {
        if run.script != Script::Normal {
            words.last_mut().expect("never empty").push(run.script, &run.text);
            continue;
        }
        for (i, piece) in run.text.split([' ', '\n', '\t']).enumerate() {
            if i > 0 {
                words.push(RichText::default());
            }
            words.last_mut().expect("never empty").push(Script::Normal, piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn cut_long_word(word: RichText, size: f64, limit: f64, lines: &mut Vec<RichText>) -> RichText {
    if width(&word, size) <= limit {
        return word;
    }
    let mut line = RichText::default();
    for run in &word.runs {
        for character in run.text.chars() {
            let mut longer = line.clone();
            longer.push(run.script, character.encode_utf8(&mut [0; 4]));
            if width(&longer, size) > limit && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                line.push(run.script, character.encode_utf8(&mut [0; 4]));
            } else {
                line = longer;
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_superscript_is_narrower_than_the_same_digits_on_the_line() {
        assert!(width(&"10^{12}".into(), 10.0) < width(&"1012".into(), 10.0));
    }

    #[test]
    fn wrap_long_title_keeps_every_word_within_the_limit() {
        let title =
            RichText::markup("Loss against N_{c} parameters, for every run that ended, in nats per token");
        let lines = wrap(&title, 12.0, 120.0);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| width(line, 12.0) <= 120.0));
        let joined: Vec<String> = lines.iter().map(RichText::to_plain).collect();
        assert_eq!(joined.join(" "), title.to_plain());
    }

    #[test]
    fn wrap_word_wider_than_the_limit_is_cut() {
        let lines = wrap(&"abcdefghijklmnopqrstuvwxyz".into(), 12.0, 40.0);
        assert!(lines.iter().all(|line| width(line, 12.0) <= 40.0));
        let joined: String = lines.iter().map(RichText::to_plain).collect();
        assert_eq!(joined, "abcdefghijklmnopqrstuvwxyz");
    }
}

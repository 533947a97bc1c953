//! Finding numbers in printed lines.

/// A line without the escape sequences of colours.
pub(super) fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |i| i + 1);
        out += &part[end..];
    }
    out
}

/// The whole number at the beginning of `text`, blanks before it ignored, and what follows it.
pub(super) fn whole(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The number at the beginning of `text`, blanks and a colon before it ignored; `nan` and `inf` are numbers.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim_start_matches([' ', '\t', ':']);
    let end = text.find(|c: char| c.is_whitespace() || ",|;)(".contains(c)).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The number behind the first `key` in `text`.
pub(super) fn number_behind(text: &str, key: &str) -> Option<f64> {
    number(behind(text, key)?)
}

/// What follows the first `key` in `text`.
pub(super) fn behind<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.find(key).map(|at| &text[at + key.len()..])
}

/// The number of a step in a line that begins with `word`, and what follows it: `step 100: …`.
pub(super) fn line_of<'a>(line: &'a str, word: &str) -> Option<(u64, &'a str)> {
    let line = line.trim_start();
    let head = line.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
    whole(line[head.len()..].strip_prefix(' ')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_behind_their_names() {
        assert_eq!(without_colours("\u{1b}[31mstep:  1\u{1b}[0m  loss"), "step:  1  loss");
        assert_eq!(number_behind("loss 4.5, time 3ms", "loss"), Some(4.5));
        assert!(number_behind("| lm loss: nan |", "lm loss").is_some_and(f64::is_nan));
        assert_eq!(number_behind("loss: | x", "loss"), None);
        assert_eq!(line_of("  Step 12: x", "step"), Some((12, ": x")));
        assert_eq!(line_of("steps 12", "step"), None);
    }
}

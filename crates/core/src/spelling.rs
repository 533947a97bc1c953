//! What somebody may have meant: the nearest known name, and a text without its quotes.

/// The known name nearest to `name`, if it is near enough to have been meant: one edit, and one more for every three
/// characters, but fewer than the name has characters. Edits are insertions, deletions, replacements and swaps of neighbours
/// (Damerau 1964); upper and lower case are the same.
///
/// # Example
/// ```
/// use scalelaw_core::spelling::nearest;
/// assert_eq!(nearest("n_layers", ["n_layer", "n_head"]), Some("n_layer"));
/// assert_eq!(nearest("temperature", ["n_layer", "n_head"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let near = (1 + length / 3).min(length.saturating_sub(1));
    let name = name.to_lowercase();
    let distance = |known: &'a str| (strsim::damerau_levenshtein(&name, &known.to_lowercase()), known);
    known.into_iter().map(distance).min().filter(|(edits, _)| *edits <= near).map(|(_, known)| known)
}

/// The name that may have been meant where a message of serde says `` unknown field `x`, expected one of `y`, `z` ``.
pub fn meant(message: &str) -> Option<&str> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let name = quoted.next().filter(|_| message.contains("unknown "))?;
    nearest(name, quoted)
}

/// The line of a TOML text at byte `at` with quotes around its value, if the value is a word without them:
/// `recipe = "nano-1"` for `recipe = nano-1`.
pub fn unquoted(text: &str, at: usize) -> Option<String> {
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    let end = at + after.find('\n').unwrap_or(after.len());
    let line = text[start..end].split('#').next()?;
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let word = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !["true", "false", "inf", "nan"].contains(&value);
    word.then(|| format!("{key} = \"{value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_the_one_a_slip_away_and_none_when_far() {
        let known = ["n_layer", "n_head", "d_model", "lr", "αD"];
        for (name, wanted) in [
            ("n_layers", Some("n_layer")),
            ("N_Layer", Some("n_layer")),
            ("dmodel", Some("d_model")),
            ("αN", Some("αD")),
            ("temperature", None),
            ("l", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), wanted, "{name}");
        }
    }

    #[test]
    fn meant_name_of_a_message_is_the_nearest_of_those_expected() {
        assert_eq!(meant("unknown variant `tide`, expected `tied` or `untied`"), Some("tied"));
        assert_eq!(meant("missing field `tide`"), None);
    }

    #[test]
    fn unquoted_word_gets_its_quotes_and_any_other_line_none() {
        let text = "steps = 3\nrecipe = nano-1 # which\nlr = nan\ntied = [a]\nname = \"a\"\nend";
        for (at, wanted) in [
            (text.find("nano").unwrap(), Some("recipe = \"nano-1\"")),
            (text.find("steps").unwrap(), None),
            (text.find("nan\n").unwrap(), None),
            (text.find("[a]").unwrap(), None),
            (text.find("\"a\"").unwrap(), None),
            (text.len(), None),
            (text.len() + 1, None),
        ] {
            assert_eq!(unquoted(text, at).as_deref(), wanted, "byte {at}");
        }
    }
}

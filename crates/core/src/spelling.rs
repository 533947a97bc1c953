//! The known name that somebody may have meant, for "did you mean".

/// The known name nearest to `name`, if it is near enough to have been meant: one edit, and one more for every three
/// characters. Edits are insertions, deletions, replacements and swaps of neighbours (Damerau 1964), whatever the case.
///
/// # Example
/// ```
/// use scalelaw_core::spelling::nearest;
/// assert_eq!(nearest("n_layers", ["n_layer", "n_head"]), Some("n_layer"));
/// assert_eq!(nearest("temperature", ["n_layer", "n_head"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = 1 + name.chars().count() / 3;
    let name = name.to_lowercase();
    let distance = |known: &'a str| (strsim::damerau_levenshtein(&name, &known.to_lowercase()), known);
    known.into_iter().map(distance).min().filter(|(edits, _)| *edits <= near).map(|(_, known)| known)
}

/// What may have been meant where a message of serde's says `` unknown field `x`, expected one of `y`, `z` ``.
pub fn meant(message: &str) -> Option<&str> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let name = quoted.next().filter(|_| message.contains("unknown "))?;
    nearest(name, quoted)
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
}

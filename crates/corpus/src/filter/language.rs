//! Which language a text is in.

/// Bytes of text examined: more would not change a clear verdict.
const LOOKED_AT: usize = 4096;

/// The ISO 639-3 code of the language, or `None` where there are no letters.
pub(super) fn of(text: &str) -> Option<&'static str> {
    whatlang::detect_lang(middle(text)).map(|language| language.code())
}

/// Whether a text is in English.
pub(super) fn is_english(text: &str) -> bool {
    of(text) == Some("eng")
}

/// A piece from the middle, where there are fewer headings and names than at the beginning.
fn middle(text: &str) -> &str {
    if text.len() <= LOOKED_AT {
        return text;
    }
    let start = text.ceil_char_boundary((text.len() - LOOKED_AT) / 2);
    &text[start..text.floor_char_boundary(start + LOOKED_AT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_of_plain_sentences_is_found() {
        for (text, code) in [
            ("The quick brown fox jumps over the lazy dog, and nobody knows why it does that.", "eng"),
            ("Der schnelle braune Fuchs springt über den faulen Hund, und niemand weiß warum.", "deu"),
            (
                "Le renard brun et rapide saute par-dessus le chien paresseux, personne ne sait pourquoi.",
                "fra",
            ),
            ("Быстрая коричневая лиса прыгает через ленивую собаку, и никто не знает почему.", "rus"),
        ] {
            assert_eq!(of(text), Some(code));
            assert_eq!(of(&text.repeat(200)), Some(code));
        }
        assert_eq!(of("1234 5678"), None);
    }
}

//! A document: text and the digest that is its identity.

/// One document: the unit that is deduplicated, ordered and split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The text; never empty.
    pub text: String,
}

impl Document {
    /// The document's identity: blake3 of its text.
    pub fn id(&self) -> [u8; 32] {
        blake3::hash(self.text.as_bytes()).into()
    }
}

/// Words as `wc -w` counts them: runs of characters that are not ASCII white space.
///
/// (In a UTF-8 locale `wc` also splits at the rare spaces beyond ASCII, such as the ideographic one.)
pub fn count_words(text: &str) -> u64 {
    text.as_bytes().split(|b| matches!(b, b' ' | b'\t'..=b'\r')).filter(|word| !word.is_empty()).count()
        as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn count_words_agrees_with_wc() {
        let texts = ["", " ", "one", " one\ttwo\u{b}three\r\n four\u{c}five ", "naïve 漢字 e\u{301}"];
        let expected = [0, 0, 1, 5, 3];
        for (text, expected) in texts.into_iter().zip(expected) {
            assert_eq!(count_words(text), expected, "{text:?}");
            let mut wc = Command::new("wc");
            wc.arg("-w").env("LC_ALL", "C.UTF-8").stdin(Stdio::piped()).stdout(Stdio::piped());
            let Ok(mut child) = wc.spawn() else {
                eprintln!("SKIPPED: no wc on this machine");
                return;
            };
            child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
            assert_eq!(output.trim(), expected.to_string(), "{text:?}");
        }
    }
}

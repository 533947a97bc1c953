//! A document: text, where it comes from, and the digest that is its identity.

use serde::{Deserialize, Serialize};

/// One document: the unit that is deduplicated, ordered and split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The text; never empty.
    pub text: String,
    /// Where it comes from, if known.
    pub origin: Option<Box<Origin>>,
}

/// Where a document comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Origin {
    /// The file as it was named, or relative to the folder that was, with `/` between the parts.
    pub file: String,
    /// The byte offset of the record in an archive (of its compressed member, if it has one), the number of
    /// the line in a file of lines, the number of the row in a table; 0 where the file is the document.
    pub record: u64,
    /// The address of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the page was fetched, according to the archive: `2014-01-03T03:03:21Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The title of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The language that the page declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The encoding of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
}

impl Document {
    /// A text of unknown origin.
    pub fn new(text: String) -> Self {
        Self { text, origin: None }
    }

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

//! Text of any length to token ids, in bounded memory.

use super::Tokenizer;
use super::words::last_break;
use crate::error::CorpusError;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// The longest stretch of a text that GPT-2's words may leave uncut.
const LONGEST_UNCUT: usize = 16 << 20;
/// The longest text for a tokenizer that may look at all of it.
const LONGEST_WHOLE: usize = 64 << 20;

/// The ids of a text, a piece of it at a time; together they are those of [`Tokenizer::encode`] for all of it.
///
/// GPT-2's words are never divided by a place where white space begins, and none depends on what is beyond such a
/// place: so the text is cut there, and memory is that of a few MB. A tokenizer that does anything else than merge within
/// these words may let any character change any id: for it the text is one piece, of at most 64 MiB.
#[derive(Debug)]
pub struct Encoding<'t, R> {
    tokenizer: &'t Tokenizer,
    name: PathBuf,
    reader: R,
    piece: usize,
    /// What was read and not encoded yet.
    held: Vec<u8>,
    /// Bytes encoded before.
    before: u64,
    ended: bool,
}

impl Tokenizer {
    /// Encodes what a reader holds; `name` is what errors say. After an error there is nothing more.
    pub fn encode_reader<R: Read>(&self, name: &str, reader: R) -> Encoding<'_, R> {
        let name = PathBuf::from(name);
        Encoding { tokenizer: self, name, reader, piece: PIECE, held: Vec::new(), before: 0, ended: false }
    }
}

impl<R: Read> Encoding<'_, R> {
    /// Reads on until there is a place to cut; returns the bytes up to it.
    fn next_piece(&mut self) -> Result<usize, CorpusError> {
        loop {
            // At least as much as is held, so that looking through it anew costs no more than reading it.
            let wanted = self.piece.max(self.held.len());
            let read = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.held);
            self.ended = read.map_err(CorpusError::io(&self.name, "read"))? < wanted;
            let text = match std::str::from_utf8(&self.held) {
                Ok(text) => text,
                // A character may straddle the end of a piece, but not the end of the text.
                Err(error) if error.error_len().is_none() && !self.ended => {
                    std::str::from_utf8(&self.held[..error.valid_up_to()]).expect("valid up to there")
                }
                Err(error) => return Err(self.not_utf8(error.valid_up_to())),
            };
            if self.ended {
                return Ok(text.len());
            }
            let longest = if self.tokenizer.words.is_some() {
                if let Some(end) = last_break(text) {
                    return Ok(end);
                }
                LONGEST_UNCUT
            } else {
                LONGEST_WHOLE
            };
            if self.held.len() > longest {
                return Err(self.too_long(longest));
            }
        }
    }

    fn not_utf8(&self, at: usize) -> CorpusError {
        let reason = format!(
            "byte {} is not UTF-8: tokenizers encode text; convert it first (iconv -t UTF-8)",
            self.before + at as u64
        );
        CorpusError::io(&self.name, "encode")(std::io::Error::new(ErrorKind::InvalidData, reason))
    }

    fn too_long(&self, longest: usize) -> CorpusError {
        let reason = if self.tokenizer.words.is_some() {
            format!("from byte {}: a stretch of more than {longest} bytes without white space", self.before)
        } else {
            format!(
                "more than {longest} bytes: this tokenizer does more than merge bytes within GPT-2's words, so a text \
                 cannot be cut without changing its ids; encode smaller texts, or documents with `corpus build`"
            )
        };
        CorpusError::io(&self.name, "encode")(std::io::Error::new(ErrorKind::InvalidData, reason))
    }
}

impl<R: Read> Iterator for Encoding<'_, R> {
    type Item = Result<Vec<u32>, CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let ids = self.next_piece().and_then(|end| {
            let text = std::str::from_utf8(&self.held[..end]).expect("checked when it was read");
            let ids = self.tokenizer.encode(text)?;
            self.held.drain(..end);
            self.before += end as u64;
            Ok(ids)
        });
        self.ended |= ids.is_err();
        Some(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static GPT2: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::gpt2().unwrap());
    /// The same tokens, by the library: it does not know that its words are GPT-2's.
    static OTHER: LazyLock<Tokenizer> = LazyLock::new(|| {
        let mut tokenizer = Tokenizer::gpt2().unwrap();
        tokenizer.words = None;
        tokenizer
    });

    /// Gives at most so many bytes at a time.
    struct Slow<'b>(&'b [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(buffer.len()).min(self.0.len());
            let (now, later) = self.0.split_at(n);
            buffer[..n].copy_from_slice(now);
            self.0 = later;
            Ok(n)
        }
    }

    fn in_pieces(tokenizer: &Tokenizer, text: &[u8], piece: usize) -> Result<Vec<u32>, CorpusError> {
        let encoding = Encoding { piece, ..tokenizer.encode_reader("text", Slow(text, 3)) };
        Ok(encoding.collect::<Result<Vec<_>, _>>()?.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn encoding_in_pieces_is_that_of_the_whole(
            text in prop_oneof![
                "[a-c '’\n\t\r\u{a0}\u{2028}\u{3000}\u{85}0-9é漢½!?_\u{300}]{0,60}",
                "( ?(it's|we'll|they're|'|'r|'l|end|  |\n\n|\r\n|<\\|endoftext\\|>|12|--|🦀)){0,20}",
                any::<String>(),
            ],
            piece in 1usize..24,
        ) {
            prop_assert_eq!(in_pieces(&GPT2, text.as_bytes(), piece).unwrap(), GPT2.encode(&text).unwrap());
            prop_assert_eq!(in_pieces(&OTHER, text.as_bytes(), piece).unwrap(), GPT2.encode(&text).unwrap());
        }
    }

    #[test]
    fn encoding_holds_no_more_than_a_few_pieces() {
        let text = "A line of a book that is read as it comes.\r\n".repeat(10_000);
        let mut encoding = Encoding { piece: 1 << 12, ..GPT2.encode_reader("text", text.as_bytes()) };
        let mut ids = Vec::new();
        while let Some(more) = encoding.next() {
            ids.extend(more.unwrap());
            assert!(encoding.held.capacity() <= 4 << 12);
        }
        assert_eq!(ids, GPT2.encode(&text).unwrap());
    }

    #[test]
    fn encoding_of_bytes_that_are_no_text_says_where() {
        for (bytes, at) in [(&b"one two \xff"[..], 8), (b"one two t\xe6\xbc", 9), (b"\x80", 0)] {
            for piece in [1, 4, 100] {
                let error = in_pieces(&GPT2, bytes, piece).unwrap_err();
                let source = std::error::Error::source(&error).unwrap().to_string();
                assert!(source.contains(&format!("byte {at} is not UTF-8")), "{source}");
            }
        }
    }

    #[test]
    fn encoding_without_a_place_to_cut_is_refused() {
        let word = std::io::repeat(b'x');
        let refused = |tokenizer: &Tokenizer, text: &mut dyn Read| {
            let error = tokenizer.encode_reader("text", text).find_map(Result::err).unwrap();
            std::error::Error::source(&error).unwrap().to_string()
        };
        let message = refused(&GPT2, &mut "one two".as_bytes().chain(word));
        assert!(message.contains("from byte 3: a stretch of more than 16777216 bytes"), "{message}");
        let message = refused(&OTHER, &mut std::io::repeat(b' '));
        assert!(message.contains("more than 67108864 bytes"), "{message}");
    }
}

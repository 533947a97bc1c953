//! Words as near-duplicates and leaks compare them: without case, punctuation and white space.

use twox_hash::XxHash64;

/// A word of a text: its hash, and its length in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) hash: u64,
    pub(crate) chars: u32,
}

/// Characters of scripts that put no spaces between words are terms of their own, as long as this.
const UNSPACED_CHARS: u32 = 4;

/// The terms of a text, in order: runs of letters and digits in lower case.
pub(crate) fn terms(text: &str) -> Vec<Term> {
    let mut terms = Vec::with_capacity(text.len() / 6);
    let mut word = Vec::new();
    let mut chars = 0;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase() as u8);
            chars += 1;
            continue;
        }
        if !c.is_ascii() && c.is_alphanumeric() {
            if is_unspaced(c) {
                end_word(&mut terms, &mut word, &mut chars);
                push_char(&mut word, c);
                chars = UNSPACED_CHARS;
                end_word(&mut terms, &mut word, &mut chars);
            } else {
                c.to_lowercase().for_each(|c| push_char(&mut word, c));
                chars += 1;
            }
            continue;
        }
        end_word(&mut terms, &mut word, &mut chars);
    }
    end_word(&mut terms, &mut word, &mut chars);
    terms
}

fn push_char(word: &mut Vec<u8>, c: char) {
    word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn end_word(terms: &mut Vec<Term>, word: &mut Vec<u8>, chars: &mut u32) {
    if !word.is_empty() {
        terms.push(Term { hash: XxHash64::oneshot(0, word), chars: *chars });
        word.clear();
        *chars = 0;
    }
}

/// Thai, Lao, Burmese, Khmer, kana and ideographs.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

/// A bijection of 64 bits that mixes all of them (the finaliser of MurmurHash3, Austin Appleby).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    z = (z ^ (z >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    z ^ (z >> 33)
}

/// The hashes of all runs of `n` terms.
pub(crate) fn ngram_hashes(terms: &[Term], n: usize) -> impl Iterator<Item = u64> + '_ {
    terms.windows(n).map(|run| run.iter().fold(0, |hash: u64, term| mix(hash.rotate_left(7) ^ term.hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_do_not_see_case_punctuation_or_space() {
        let hashes = |text| terms(text).iter().map(|term| term.hash).collect::<Vec<_>>();
        assert_eq!(hashes("Hello, WORLD!\n\n“Naïve” Ünï"), hashes("hello world naïve ünï"));
        assert_eq!(terms("don't x1").len(), 3);
        assert_eq!(terms("漢字 kana かな").len(), 5);
        assert_eq!(terms(" .,- ").len(), 0);
        assert_ne!(hashes("ab c"), hashes("a bc"));
        assert_eq!(terms("naïve")[0].chars, 5);
    }

    #[test]
    fn ngram_hashes_depend_on_order() {
        let ngrams = |text, n| ngram_hashes(&terms(text), n).collect::<Vec<_>>();
        assert_eq!(ngrams("a b c d", 3).len(), 2);
        assert_eq!(ngrams("a b", 3).len(), 0);
        assert_ne!(ngrams("a b", 2), ngrams("b a", 2));
        assert_eq!(ngrams("x a b y", 2)[1], ngrams("a b", 2)[0]);
    }
}

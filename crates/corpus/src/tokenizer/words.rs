//! GPT-2's division of text into the words that byte pairs are merged within.

use std::sync::LazyLock;

/// What a character counts as in GPT-2's pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    /// Neither of the others.
    Other,
    /// `\p{L}`
    Letter,
    /// `\p{N}`
    Number,
    /// `\s`
    Space,
}

/// The class of every code point below 2^17; beyond there are only letters (ideographs) and others.
static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let mut classes = vec![Class::Other; char::MAX as usize + 1];
    for (pattern, class) in [(r"\p{L}", Class::Letter), (r"\p{N}", Class::Number), (r"\s", Class::Space)] {
        let hir = regex_syntax::parse(pattern).expect("a fixed pattern");
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(set)) = hir.kind() else {
            unreachable!("these patterns are Unicode classes");
        };
        for range in set.ranges() {
            classes[range.start() as usize..=range.end() as usize].fill(class);
        }
    }
    classes
});

/// The words of a text, in order; together they are the text.
///
/// # Source
/// Radford et al. 2019 (GPT-2), encoder.py:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    rest: &'a str,
    classes: &'static [Class],
}

impl<'a> Words<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text, classes: &CLASSES }
    }

    /// Bytes of the leading characters of one class.
    fn run(&self, text: &str, class: Class) -> usize {
        let bytes = text.as_bytes();
        let mut end = 0;
        while end < bytes.len() && bytes[end] < 0x80 {
            if self.classes[usize::from(bytes[end])] != class {
                return end;
            }
            end += 1;
        }
        let tail = &text[end..];
        end + tail.find(|c| self.classes[c as usize] != class).unwrap_or(tail.len())
    }

    /// Bytes of the next word of a text that is not empty.
    fn next_len(&self) -> usize {
        let text = self.rest;
        let mut chars = text.chars();
        let first = chars.next().expect("not empty");
        if first == '\'' {
            let after = &text[1..];
            for ending in ["s", "t", "re", "ve", "m", "ll", "d"] {
                if after.starts_with(ending) {
                    return 1 + ending.len();
                }
            }
        }
        let class = self.classes[first as usize];
        if class != Class::Space {
            return self.run(text, class);
        }
        // One space belongs to the word after it.
        if first == ' '
            && let Some(second) = chars.next()
        {
            let class = self.classes[second as usize];
            if class != Class::Space {
                return 1 + self.run(&text[1..], class);
            }
        }
        // White space leaves its last character to the word after it, unless that is all it has.
        let end = self.run(text, Class::Space);
        let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
        if end == text.len() || end == last { end } else { end - last }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (word, rest) = self.rest.split_at(self.next_len());
        self.rest = rest;
        Some(word)
    }
}

/// The last place in a text where white space begins behind something else. No word goes over it, and none on either side
/// depends on what is on the other: only a word's first character may be white space before something else, and what
/// follows a word matters no more once it is white space.
pub(crate) fn last_break(text: &str) -> Option<usize> {
    let (mut at, mut is_space) = (text.len(), false);
    for (before, c) in text.char_indices().rev() {
        let was_space = std::mem::replace(&mut is_space, CLASSES[c as usize] == Class::Space);
        if was_space && !is_space {
            return Some(at);
        }
        at = before;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_gpt2s_pattern() {
        let words = |text| Words::new(text).collect::<Vec<_>>();
        assert_eq!(words("Hello world's  end"), ["Hello", " world", "'s", " ", " end"]);
        assert_eq!(words("a\n\n\tb  "), ["a", "\n\n", "\t", "b", "  "]);
        assert_eq!(words("x=12.5 !!'s 's"), ["x", "=", "12", ".", "5", " !!'", "s", " '", "s"]);
        assert_eq!(words("they'll 'LL"), ["they", "'ll", " '", "LL"]);
        assert_eq!(words("naïve½漢\u{a0}\u{3000}x"), ["naïve", "½", "漢", "\u{a0}", "\u{3000}", "x"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn last_break_is_where_white_space_begins() {
        let cases =
            [("a b  c", Some(3)), ("a \n", Some(1)), (" a", None), ("漢\u{3000}x", Some(3)), ("", None)];
        cases.into_iter().for_each(|(text, place)| assert_eq!(last_break(text), place, "{text:?}"));
    }
}

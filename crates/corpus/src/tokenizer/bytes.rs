//! The alphabet of byte-level tokenizers: every byte as a printable character.

use std::sync::LazyLock;

/// The character that stands for each byte.
///
/// # Source
/// Radford et al. 2019 (GPT-2), encoder.py, `bytes_to_unicode`: printable Latin-1 stands for itself, the rest
/// for U+0100 and up.
pub(crate) static CHAR_OF_BYTE: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut next = 0x100u32;
    std::array::from_fn(|byte| match byte as u8 {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => byte as u8 as char,
        _ => {
            next += 1;
            char::from_u32(next - 1).expect("68 code points from U+0100 are characters")
        }
    })
});

/// The text with each byte as its character.
pub(crate) fn to_chars(text: &str) -> String {
    from_bytes(text.as_bytes())
}

/// The same for any bytes.
pub(crate) fn from_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| CHAR_OF_BYTE[usize::from(byte)]).collect()
}

/// The bytes that a token of such characters stands for, or `None` when it has any other.
pub(crate) fn to_bytes(token: &str) -> Option<Vec<u8>> {
    token.chars().map(|c| CHAR_OF_BYTE.iter().position(|&b| b == c).map(|byte| byte as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabet_is_gpt2s() {
        let library: std::collections::BTreeSet<char> =
            tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().into_iter().collect();
        assert_eq!(CHAR_OF_BYTE.iter().copied().collect::<std::collections::BTreeSet<_>>(), library);
        assert_eq!(to_chars(" a\n\u{e9}\u{ad}"), "ĠaĊÃ©ÂŃ");
        assert_eq!(to_bytes("ĠaĊÃ©ÂŃ").unwrap(), " a\n\u{e9}\u{ad}".as_bytes());
        assert_eq!(to_bytes("漢"), None);
    }
}

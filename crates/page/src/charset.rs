//! Which encoding the bytes of a page are in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// Bytes at the start of a page that may declare its encoding, as in browsers.
const PRESCAN: usize = 4096;

/// The text of a page, or of plain text, and the name of its encoding in the Encoding Standard.
///
/// A byte order mark decides. Otherwise text that is valid UTF-8 and not ASCII is UTF-8 whatever is declared, because
/// text in another encoding is practically never valid UTF-8 by chance. Then come the encoding that the server
/// declared, the one that the page declares, and a guess from the bytes. A declared encoding that does not decode is
/// skipped if the next one does; undecodable bytes become U+FFFD.
pub fn decode<'b>(bytes: &'b [u8], declared: Option<&str>) -> (Cow<'b, str>, &'static str) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (text, encoding.name());
    }
    let valid = std::str::from_utf8(bytes);
    if let (Ok(text), false) = (valid, bytes.is_ascii()) {
        return (Cow::Borrowed(text), UTF_8.name());
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let claims = [declared, in_page(bytes)];
    for encoding in claims.into_iter().flatten() {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            return (text, encoding.name());
        }
    }
    if let Ok(text) = valid {
        return (Cow::Borrowed(text), UTF_8.name());
    }
    let encoding = claims.into_iter().flatten().next().unwrap_or_else(|| guess(bytes));
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    (text, encoding.name())
}

/// The encoding that the bytes suggest.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(1 << 20)], true);
    detector.guess(None, Utf8Detection::Allow)
}

/// What the page declares in `<meta charset=…>`, `<meta … content="…; charset=…">` or `<?xml encoding=…?>`.
fn in_page(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(PRESCAN)].to_ascii_lowercase();
    let mut rest = &head[..];
    while let Some(at) = rest.iter().position(|&b| b == b'<') {
        rest = &rest[at + 1..];
        let end = rest.iter().position(|&b| b == b'>').unwrap_or(rest.len());
        let tag = &rest[..end];
        let label = if tag.starts_with(b"meta") {
            value_after(tag, b"charset")
        } else if tag.starts_with(b"?xml") {
            value_after(tag, b"encoding")
        } else {
            None
        };
        if let Some(encoding) = label.and_then(Encoding::for_label) {
            // A page that says so in ASCII is not in UTF-16; the standard has these two exchanged.
            return Some(match encoding.name() {
                "UTF-16LE" | "UTF-16BE" => UTF_8,
                "x-user-defined" => WINDOWS_1252,
                _ => encoding,
            });
        }
    }
    None
}

/// `value` of `name = "value"` in a tag.
fn value_after<'t>(tag: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let at = tag.windows(name.len()).position(|window| window == name)?;
    let rest = tag[at + name.len()..].trim_ascii_start().strip_prefix(b"=")?;
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end =
        rest.iter().position(|b| matches!(b, b'"' | b'\'' | b';' | b'/' | b' ' | b'\t' | b'\n' | b'\r'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(bytes: &[u8], declared: Option<&str>) -> (String, &'static str) {
        let (text, charset) = decode(bytes, declared);
        (text.into_owned(), charset)
    }

    #[test]
    fn decode_byte_order_mark_decides() {
        assert_eq!(case(b"\xff\xfeh\0i\0", Some("utf-8")), ("hi".into(), "UTF-16LE"));
        assert_eq!(case(b"\xef\xbb\xbfh\xc3\xa9", Some("latin1")), ("hé".into(), "UTF-8"));
    }

    #[test]
    fn decode_valid_utf8_is_utf8_whatever_it_claims() {
        let page = "<meta charset=iso-8859-1>é".as_bytes();
        assert_eq!(case(page, Some("windows-1252")).1, "UTF-8");
    }

    #[test]
    fn decode_declared_encoding_is_believed_before_the_page() {
        assert_eq!(case(b"\xe9", Some("latin1")), ("é".into(), "windows-1252"));
        assert_eq!(case(b"<meta charset='koi8-r'>\xc1", None).0, "<meta charset='koi8-r'>а");
        let page = b"<META http-equiv=content-type content=\"text/html; charset=windows-1251\">\xe0";
        assert!(case(page, Some("no such encoding")).0.ends_with('а'));
        assert!(case(page, Some("latin1")).0.ends_with('à'));
        assert!(case(b"<?xml version=\"1.0\" encoding=\"iso-8859-2\"?>\xb1", None).0.ends_with('ą'));
    }

    #[test]
    fn decode_claim_that_does_not_decode_is_passed_over() {
        assert_eq!(case(b"<meta charset=windows-1252>caf\xe9", Some("utf-8")).1, "windows-1252");
    }

    #[test]
    fn decode_unlabelled_bytes_are_guessed() {
        let text = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний.";
        let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(text);
        assert_eq!(case(&bytes, None), (text.to_owned(), "windows-1251"));
    }

    #[test]
    fn decode_garbage_never_fails() {
        for bytes in
            [&b"\xff"[..], b"", b"\x80\x81\x82", b"<meta charset=", b"<meta charset=utf-16>\xfe", b"<"]
        {
            let (text, _) = decode(bytes, Some("utf-8"));
            assert!(text.len() <= 3 * bytes.len());
        }
    }
}

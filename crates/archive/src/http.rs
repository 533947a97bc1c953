//! HTTP responses as archives hold them, the malformed ones included.

use crate::error::Mismatch;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;

/// A response of which the body is still as the server sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response<'b> {
    /// The status.
    pub status: u16,
    /// The `Content-Type` that the server declared.
    pub content_type: Option<String>,
    content_encoding: String,
    chunked: bool,
    body: &'b [u8],
}

impl<'b> Response<'b> {
    /// Reads status and headers; lines may end in `\r\n`, `\n`, or worse.
    ///
    /// # Errors
    /// When there is no status line.
    pub fn parse(block: &'b [u8]) -> Result<Self, Mismatch> {
        let mut rest = block;
        let first = take_line(&mut rest);
        let status = first
            .strip_prefix(b"HTTP/")
            .and_then(|version| {
                version.split(|b| b.is_ascii_whitespace()).skip(1).find(|part| !part.is_empty())
            })
            .and_then(|status| std::str::from_utf8(status).ok()?.parse().ok())
            .filter(|status| (100..1000).contains(status));
        let Some(status) = status else {
            return Err(Mismatch::new("a status line as `HTTP/1.1 200 OK`", excerpt(first)));
        };
        let mut response = Self { status, ..Self::default() };
        while !rest.is_empty() {
            let line = take_line(&mut rest);
            if line.is_empty() {
                break;
            }
            let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
            let name = line[..colon].trim_ascii().to_ascii_lowercase();
            let value = String::from_utf8_lossy(line[colon + 1..].trim_ascii());
            match &*name {
                b"content-type" if response.content_type.is_none() => {
                    response.content_type = Some(value.into_owned());
                }
                b"content-encoding" => {
                    if !response.content_encoding.is_empty() {
                        response.content_encoding.push(',');
                    }
                    response.content_encoding.push_str(&value);
                }
                b"transfer-encoding" => response.chunked |= value.to_ascii_lowercase().contains("chunked"),
                _ => {}
            }
        }
        response.body = rest;
        Ok(response)
    }

    /// The body as the page's author wrote it, or `None` if it is longer than `limit`.
    ///
    /// Archives hold bodies that were decompressed although the headers still say otherwise: what does not decompress
    /// is taken as it is, and what breaks off in the middle is taken up to there.
    pub fn body(&self, limit: usize) -> Option<Cow<'b, [u8]>> {
        let mut body = Cow::Borrowed(self.body);
        if self.chunked
            && let Some(whole) = dechunk(&body)
        {
            body = Cow::Owned(whole);
        }
        for coding in
            self.content_encoding.rsplit(',').map(|coding| coding.trim().to_ascii_lowercase()).take(4)
        {
            if let Some(unpacked) = unpack(&coding, &body, limit) {
                body = Cow::Owned(unpacked);
            }
        }
        (body.len() <= limit).then_some(body)
    }
}

/// The next line, without its end.
fn take_line<'b>(rest: &mut &'b [u8]) -> &'b [u8] {
    let end = rest.iter().position(|&b| b == b'\n');
    let mut line = &rest[..end.unwrap_or(rest.len())];
    *rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
    while let [start @ .., b'\r'] = line {
        line = start;
    }
    line
}

/// The start of what was found, for messages.
pub(crate) fn excerpt(found: &[u8]) -> String {
    if found.is_empty() {
        return "nothing".to_owned();
    }
    format!("{:?}", String::from_utf8_lossy(&found[..found.len().min(40)]))
}

/// Chunks put together; `None` if there is not even one.
fn dechunk(body: &[u8]) -> Option<Vec<u8>> {
    let (mut whole, mut rest) = (Vec::new(), body);
    let mut chunks = 0;
    while !rest.is_empty() {
        let line = take_line(&mut rest);
        let size = line.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(size).ok().filter(|size| !size.starts_with('+'));
        let Some(size) = size.and_then(|size| usize::from_str_radix(size, 16).ok()) else {
            return (chunks > 0).then_some(whole);
        };
        chunks += 1;
        if size == 0 {
            break;
        }
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        whole.extend_from_slice(chunk);
        rest = after;
        take_line(&mut rest);
    }
    (chunks > 0).then_some(whole)
}

/// What the body unpacks to, up to a byte beyond `limit`; `None` if it is not packed so.
fn unpack(coding: &str, body: &[u8], limit: usize) -> Option<Vec<u8>> {
    let up_to = limit as u64 + 1;
    let read = |decoder: &mut dyn Read| {
        let mut unpacked = Vec::new();
        let ended = decoder.take(up_to).read_to_end(&mut unpacked);
        (ended.is_ok() || !unpacked.is_empty()).then_some(unpacked)
    };
    if body.is_empty() {
        return None;
    }
    match coding {
        "gzip" | "x-gzip" => read(&mut MultiGzDecoder::new(body)),
        // Servers differ on what the word means.
        "deflate" => read(&mut ZlibDecoder::new(body)).or_else(|| read(&mut DeflateDecoder::new(body))),
        "br" => read(&mut brotli_decompressor::Decompressor::new(body, 4096)),
        "zstd" => read(&mut zstd::Decoder::new(body).ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn body(head: &str, body: &[u8]) -> Vec<u8> {
        let block = [head.as_bytes(), b"\r\n\r\n", body].concat();
        Response::parse(&block).unwrap().body(1 << 20).unwrap().into_owned()
    }

    #[test]
    fn parse_status_and_headers_of_any_spelling() {
        let block =
            b"HTTP/1.0 302 \r\r\nCONTENT-TYPE : text/html; charset=x\r\r\nno colon\nServer: a:b\n\nbody";
        let response = Response::parse(block).unwrap();
        assert_eq!((response.status, response.content_type.as_deref()), (302, Some("text/html; charset=x")));
        assert_eq!(response.body, b"body");
        for bad in [&b""[..], b"HTTP/1.1", b"HTTP/1.1 abc", b"HTTP/1.1 7", b"GET / HTTP/1.1", b"<html>"] {
            assert!(Response::parse(bad).unwrap_err().to_string().contains("HTTP/1.1 200 OK"));
        }
    }

    #[test]
    fn body_chunked_is_put_together() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked";
        assert_eq!(body(head, b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), b"hello world");
        assert_eq!(body(head, b"5\r\nhello\r\nff\r\n wor"), b"hello wor", "cut off");
        assert_eq!(body(head, b"5\r\nhello\r\nzz\r\n"), b"hello", "broken in the middle");
        assert_eq!(body(head, b"<html> no chunks"), b"<html> no chunks");
        assert_eq!(body(head, b"ffffffffffffffff\r\nx"), b"x");
    }

    #[test]
    fn body_packed_is_unpacked_or_taken_as_it_is() {
        let text = b"<p>some text, some text, some text".repeat(20);
        let mut gzip = GzEncoder::new(vec![], Compression::default());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = ZlibEncoder::new(vec![], Compression::default());
        zlib.write_all(&text).unwrap();
        let mut raw = DeflateEncoder::new(vec![], Compression::default());
        raw.write_all(&text).unwrap();
        // Made by Google's own packer from the text below.
        let brotli = [
            0x1b, 0x4d, 0x00, 0x00, 0x04, 0x26, 0x72, 0xa4, 0xcd, 0x03, 0x6c, 0x47, 0x7e, 0x6f, 0x02, 0x8c,
            0x31, 0xd1, 0xe8, 0xa4, 0xf2, 0x56, 0xf4, 0x65, 0x3d, 0x41, 0x3b, 0xf3, 0xb5, 0x05,
        ];
        let head = |coding: &str| format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}");
        assert_eq!(body(&head("br"), &brotli), b"<p>hello, hello, hello</p>".repeat(3));
        assert_eq!(body(&head("gzip"), &gzip), text);
        assert_eq!(body(&head("deflate"), &zlib.finish().unwrap()), text);
        assert_eq!(body(&head("deflate"), &raw.finish().unwrap()), text);
        assert_eq!(body(&head("zstd"), &zstd::encode_all(&text[..], 1).unwrap()), text);
        assert_eq!(body(&head("gzip"), &text), text, "unpacked already");
        assert_eq!(body(&head("br"), &text), text, "unpacked already");
        assert!(text.starts_with(&body(&head("gzip"), &gzip[..gzip.len() - 12])), "cut off");
        assert_eq!(body(&head("identity"), &text), text);
    }

    #[test]
    fn body_longer_than_the_limit_is_refused() {
        let mut gzip = GzEncoder::new(vec![], Compression::default());
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
        let block = [&b"HTTP/1.1 200 OK\nContent-Encoding: gzip\n\n"[..], &gzip.finish().unwrap()].concat();
        let response = Response::parse(&block).unwrap();
        assert!(response.body((1 << 20) - 1).is_none());
        assert_eq!(response.body(1 << 20).unwrap().len(), 1 << 20);
    }

    proptest! {
        #[test]
        fn parse_any_bytes_never_panics(block in prop::collection::vec(any::<u8>(), 0..300)) {
            let block = [b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Encoding: br, gzip\n\n", &block[..]].concat();
            let _ = Response::parse(&block[3..]);
            let _ = Response::parse(&block).unwrap().body(1000);
        }

        #[test]
        fn dechunk_inverts_chunks(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 1..8)) {
            let mut chunked = vec![];
            for part in &parts {
                write!(chunked, "{:x}\r\n", part.len()).unwrap();
                chunked.extend_from_slice(part);
                chunked.extend_from_slice(b"\r\n");
            }
            chunked.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(dechunk(&chunked).unwrap(), parts.concat());
        }
    }
}

//! WARC records to write: each a gzip member of its own, so that a reader can start at any of them.

use crate::record::LINK_HEADER;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The response and the request of a page, compressed, as they were on the wire; `link` led there by redirections,
/// if it is given. `date` is as in `2026-11-22T00:00:00Z`.
pub fn page_records(url: &str, link: Option<&str>, date: &str, request: &[u8], response: &[u8]) -> Vec<u8> {
    let mut more = vec![("WARC-Target-URI", url)];
    let link_header = String::from_utf8_lossy(LINK_HEADER);
    more.extend(link.map(|link| (&*link_header, link)));
    let (of_response, of_request) = ("application/http;msgtype=response", "application/http;msgtype=request");
    let (id, response) = record("response", date, of_response, &more, final_response(response));
    more.truncate(1);
    more.push(("WARC-Concurrent-To", &id));
    let (_, request) = record("request", date, of_request, &more, request);
    [response, request].concat()
}

/// The record that an archive begins with, compressed: `fields` say who made it and how.
pub fn info_record(date: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let text: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    record("warcinfo", date, "application/warc-fields", &[], text.as_bytes()).1
}

/// A record's name and its compressed bytes.
fn record(
    kind: &str,
    date: &str,
    content_type: &str,
    more: &[(&str, &str)],
    block: &[u8],
) -> (String, Vec<u8>) {
    let id = record_id();
    let mut head = format!("WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: {id}\r\nWARC-Date: {date}\r\n");
    for (name, value) in more {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", block.len());
    let mut encoder = GzEncoder::new(Vec::with_capacity(block.len() / 3), Compression::default());
    let written = [head.as_bytes(), block, b"\r\n\r\n"].iter().try_for_each(|part| encoder.write_all(part));
    let member = written.and_then(|()| encoder.finish());
    (id, member.expect("memory takes every byte"))
}

/// A name that no other record has: a UUID (version 8) of the time, the process and a count.
fn record_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hash = blake3::Hasher::new();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    hash.update(&time.to_le_bytes());
    hash.update(&std::process::id().to_le_bytes());
    hash.update(&COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x80, bytes[8] & 0x3f | 0x80);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<urn:uuid:{}-{}-{}-{}-{}>", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// An answer without the interim ones (`103 Early Hints`) before it.
fn final_response(mut response: &[u8]) -> &[u8] {
    while response.strip_prefix(b"HTTP/1.1 1").is_some() {
        let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else { break };
        response = &response[end + 4..];
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_ids_differ() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(|_| record_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == "<urn:uuid:>".len() + 36 && id.as_bytes()[24] == b'8'));
    }
}

//! WARC files of fetched pages: every record a gzip member of its own.

use super::wire::Exchange;
use crate::error::CorpusError;
use crate::warc::LINK_HEADER;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the records of a page are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) offset: u64,
    /// Compressed.
    pub(super) bytes: u64,
}

impl Place {
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// The archive being written: `pages-00000.warc.gz` and so on.
#[derive(Debug)]
pub(super) struct Archive {
    dir: PathBuf,
    number: u32,
    file: Option<File>,
    end: u64,
    /// A file is followed by the next once it is as long.
    file_bytes: u64,
}

/// The name of an archive by its number.
fn name(number: u32) -> String {
    format!("pages-{number:05}.warc.gz")
}

/// The number of an archive by its name.
fn number(name: &str) -> Option<u32> {
    name.strip_prefix("pages-")?
        .strip_suffix(".warc.gz")?
        .parse()
        .ok()
        .filter(|number| self::name(*number) == name)
}

/// The archives in a folder, in order.
pub(super) fn archives(dir: &Path) -> Result<Vec<String>, CorpusError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(CorpusError::io(dir, "list"))? {
        let entry = entry.map_err(CorpusError::io(dir, "list"))?;
        numbers.extend(entry.file_name().to_str().and_then(number));
    }
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(name).collect())
}

impl Archive {
    /// Goes on behind the last page that is known; what was written later is taken away.
    pub(super) fn open(dir: &Path, last: Option<&Place>, file_bytes: u64) -> Result<Self, CorpusError> {
        let known = last.and_then(|last| number(&last.file));
        for later in archives(dir)?.iter().filter(|file| number(file) > known) {
            let path = dir.join(later);
            std::fs::remove_file(&path).map_err(CorpusError::io(&path, "remove"))?;
        }
        let mut archive =
            Self { dir: dir.to_path_buf(), number: known.unwrap_or(0), file: None, end: 0, file_bytes };
        if let Some(last) = last {
            archive.end = last.end();
            let path = dir.join(&last.file);
            let file = OpenOptions::new().write(true).open(&path).map_err(CorpusError::io(&path, "open"))?;
            file.set_len(archive.end).map_err(CorpusError::io(&path, "shorten"))?;
            archive.file = Some(file);
        }
        Ok(archive)
    }

    /// Writes the records of a page. If that fails, the archive is as before.
    pub(super) fn append(&mut self, records: &[u8]) -> Result<Place, CorpusError> {
        if self.file.is_some() && self.end >= self.file_bytes {
            self.sync()?;
            (self.file, self.end, self.number) = (None, 0, self.number + 1);
        }
        let path = self.dir.join(name(self.number));
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = File::create(&path).map_err(CorpusError::io(&path, "create"))?;
                let info = info();
                let file = self.file.insert(file);
                write_at(file, 0, &info).map_err(CorpusError::io(&path, "write"))?;
                self.end = info.len() as u64;
                file
            }
        };
        write_at(file, self.end, records).map_err(CorpusError::io(&path, "write"))?;
        let place = Place { file: name(self.number), offset: self.end, bytes: records.len() as u64 };
        self.end = place.end();
        Ok(place)
    }

    /// Sees to it that what was written survives a loss of power.
    pub(super) fn sync(&self) -> Result<(), CorpusError> {
        let path = self.dir.join(name(self.number));
        self.file.as_ref().map_or(Ok(()), File::sync_all).map_err(CorpusError::io(&path, "write"))
    }
}

fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> std::io::Result<()> {
    let written = file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes));
    if written.is_err() {
        // No half record stays; resuming would take it away too.
        let _ = file.set_len(at);
    }
    written
}

/// The response and the request of a page, both compressed. `link` led there by redirections, if it is given.
pub(super) fn records(url: &str, link: Option<&str>, date: &str, exchange: &Exchange) -> Vec<u8> {
    let mut more = vec![("WARC-Target-URI", url)];
    let link_header = String::from_utf8_lossy(LINK_HEADER);
    more.extend(link.map(|link| (&*link_header, link)));
    let (of_response, of_request) = ("application/http;msgtype=response", "application/http;msgtype=request");
    let (id, response) = record("response", date, of_response, &more, final_response(&exchange.response));
    more.truncate(1);
    more.push(("WARC-Concurrent-To", &id));
    let (_, request) = record("request", date, of_request, &more, &exchange.request);
    [response, request].concat()
}

/// What an archive begins with.
fn info() -> Vec<u8> {
    let date = scalelaw_core::date::utc(SystemTime::now());
    let text = format!(
        "software: scalelaw/{}\r\nformat: WARC File Format 1.1\r\nrobots: obeyed (RFC 9309)\r\n",
        env!("CARGO_PKG_VERSION")
    );
    record("warcinfo", &date, "application/warc-fields", &[], text.as_bytes()).1
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
    use crate::read::{Found, RawBody, ReadOptions};
    use std::ops::ControlFlow;

    fn page(text: &str) -> Vec<u8> {
        let response = format!(
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{text}"
        );
        let exchange =
            Exchange { request: b"GET / HTTP/1.1\r\n\r\n".to_vec(), response: response.into_bytes() };
        records("http://a.example/", Some("http://link.example/"), "2026-11-22T00:00:00Z", &exchange)
    }

    /// URL and text of each page.
    fn read(dir: &Path) -> Vec<(String, String)> {
        let mut pages = Vec::new();
        for file in archives(dir).unwrap() {
            let bytes = std::fs::read(dir.join(&file)).unwrap();
            let found = crate::read_archive(&*bytes, &file, &ReadOptions::default(), &mut |found| {
                if let Found::Raw(raw) = found {
                    let RawBody::Page { bytes, .. } = raw.body else { panic!() };
                    pages.push((raw.origin.url.unwrap(), String::from_utf8(bytes).unwrap()));
                }
                ControlFlow::Continue(())
            });
            let _ = found.unwrap();
        }
        pages
    }

    fn texts(texts: &[&str]) -> Vec<(String, String)> {
        texts.iter().map(|text| ("http://link.example/".to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn archive_goes_on_behind_the_last_known_page() {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(dir.path(), None, 1 << 20).unwrap();
        let first = archive.append(&page("<p>1")).unwrap();
        archive.append(&page("<p>2")).unwrap();
        assert_eq!(read(dir.path()), texts(&["<p>1", "<p>2"]));
        // The second was not logged; half of a third was written, and a file behind it begun.
        let file = dir.path().join(&first.file);
        let bytes = [std::fs::read(&file).unwrap(), page("<p>3")[..50].to_vec()].concat();
        std::fs::write(&file, bytes).unwrap();
        std::fs::write(dir.path().join("pages-00001.warc.gz"), b"x").unwrap();
        let mut archive = Archive::open(dir.path(), Some(&first), 1 << 20).unwrap();
        assert_eq!(read(dir.path()), texts(&["<p>1"]));
        let fourth = archive.append(&page("<p>4")).unwrap();
        assert_eq!((fourth.offset, &fourth.file), (first.end(), &first.file));
        assert_eq!(read(dir.path()), texts(&["<p>1", "<p>4"]));
    }

    #[test]
    fn archive_files_follow_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(dir.path(), None, 1).unwrap();
        let files: Vec<String> =
            (0..3).map(|i| archive.append(&page(&format!("<p>{i}"))).unwrap().file).collect();
        assert_eq!(files, ["pages-00000.warc.gz", "pages-00001.warc.gz", "pages-00002.warc.gz"]);
        assert_eq!(archives(dir.path()).unwrap(), files);
        assert_eq!(read(dir.path()), texts(&["<p>0", "<p>1", "<p>2"]));
        for other in ["pages-0.warc.gz", "pages-00001.warc", "pages-000001.warc.gz", "x.warc.gz"] {
            assert_eq!(number(other), None);
        }
    }

    #[test]
    fn record_ids_differ() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(|_| record_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == "<urn:uuid:>".len() + 36 && id.as_bytes()[24] == b'8'));
    }
}

//! The records of WARC 1.0 and 1.1 and of ARC 1 and 2: their places, kinds and addresses.

use crate::error::Mismatch;
use crate::http::excerpt;
use crate::members::Stream;
use scalelaw_files::{Line, next_line};
use std::io::{BufRead, Result};

/// Longer lines are not headers.
const MAX_LINE: usize = 64 << 10;
/// A header that our own archives have in addition: the link that led to the page, where that is not its URL.
pub(crate) const LINK_HEADER: &[u8] = b"x-link-uri";
/// Most headers of a record.
const MAX_HEADERS: usize = 1000;
/// What a record has between its headers and its contents.
const END_OF_HEADERS: &str = "an empty line behind the headers";

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An answer of a server.
    Response,
    /// A file as such.
    Resource,
    /// A page as text already.
    Conversion,
    /// A page that is the same as one recorded before.
    Revisit,
    /// Requests, notes of the crawler.
    Other,
}

/// What is known of a record before its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) offset: u64,
    pub(crate) kind: Kind,
    pub(crate) url: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) length: u64,
}

/// The next thing in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A record; the stream is at its contents.
    Record(Record),
    /// Something that is not a record; the stream is after it, at the next one that looks like a record.
    Broken {
        offset: u64,
        detail: Mismatch,
    },
    End,
}

/// How an archive is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Warc,
    /// With this many fields in the line that begins a record.
    Arc {
        fields: usize,
    },
}

/// Reads an archive record by record.
pub(crate) struct Records<R: BufRead> {
    pub(crate) stream: Stream<R>,
    format: Format,
    line: Vec<u8>,
    /// The current line begins a record that was not read yet.
    ahead: Option<u64>,
}

impl<R: BufRead> Records<R> {
    /// Looks at the first line; `Ok(Err(…))` says why this is not an archive.
    pub(crate) fn open(file: R) -> Result<std::result::Result<Self, Mismatch>> {
        let mut records = Self { stream: Stream::new(file), format: Format::Warc, line: vec![], ahead: None };
        let Some(offset) = records.next_text_line()? else { return Ok(Ok(records)) };
        records.ahead = Some(offset);
        if records.line.starts_with(b"filedesc:") {
            records.format = Format::Arc { fields: 5 };
            if let Err(detail) = records.arc_preamble()? {
                return Ok(Err(detail));
            }
        } else if !records.line.starts_with(b"WARC/") {
            let found = excerpt(&records.line);
            return Ok(Err(Mismatch::new("`WARC/1.0`, `WARC/1.1` or the `filedesc:` of an ARC", found)));
        }
        Ok(Ok(records))
    }

    /// The next record. The contents of the last one must have been consumed.
    pub(crate) fn next(&mut self) -> Result<Next> {
        let offset = match self.ahead.take() {
            Some(offset) => offset,
            None => match self.next_text_line()? {
                Some(offset) => offset,
                None => return Ok(Next::End),
            },
        };
        match self.format {
            Format::Warc => self.warc(offset),
            Format::Arc { fields } => self.arc(offset, fields),
        }
    }

    /// Reads the next line into `self.line`, without its end.
    fn read_line(&mut self) -> Result<Line> {
        let found = next_line(&mut self.stream, &mut self.line, MAX_LINE)?;
        while self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(found)
    }

    /// Reads on to a line that is not empty; returns where it begins.
    fn next_text_line(&mut self) -> Result<Option<u64>> {
        loop {
            // The place of a line at the start of a member is known once it is decompressed.
            self.stream.fill_buf()?;
            let offset = self.stream.offset();
            match self.read_line()? {
                Line::End => return Ok(None),
                Line::Whole if self.line.iter().all(|b| b.is_ascii_whitespace() || *b == 0) => {}
                _ => return Ok(Some(offset)),
            }
        }
    }

    /// Reads on to a line that begins a record.
    fn broken(&mut self, offset: u64, detail: Mismatch) -> Result<Next> {
        while let Some(at) = self.next_text_line()? {
            let begins = match self.format {
                Format::Warc => self.line.starts_with(b"WARC/"),
                Format::Arc { fields } => arc_fields(&self.line, fields).is_some(),
            };
            if begins {
                self.ahead = Some(at);
                break;
            }
        }
        Ok(Next::Broken { offset, detail })
    }

    fn warc(&mut self, offset: u64) -> Result<Next> {
        let version = self.line.strip_prefix(b"WARC/").filter(|version| {
            matches!(version, [b'0' | b'1', b'.', rest @ ..] if !rest.is_empty() && rest.iter().all(u8::is_ascii_digit))
        });
        if version.is_none() {
            return self.broken(offset, Mismatch::new("`WARC/1.0` or `WARC/1.1`", excerpt(&self.line)));
        }
        let mut record =
            Record { offset, kind: Kind::Other, url: None, date: None, content_type: None, length: 0 };
        let (mut length, mut link) = (None, None);
        for _ in 0..MAX_HEADERS {
            let at = self.stream.offset();
            match self.read_line()? {
                Line::End => {
                    return self.broken(offset, Mismatch::new(END_OF_HEADERS, "the end"));
                }
                Line::TooLong => continue,
                Line::Whole if self.line.is_empty() => break,
                Line::Whole => {}
            }
            if self.line.starts_with(b"WARC/") {
                self.ahead = Some(at);
                let detail = Mismatch::new(END_OF_HEADERS, "another record");
                return Ok(Next::Broken { offset, detail });
            }
            let Some(colon) = self.line.iter().position(|&b| b == b':') else { continue };
            let name = self.line[..colon].trim_ascii().to_ascii_lowercase();
            let value = String::from_utf8_lossy(self.line[colon + 1..].trim_ascii()).into_owned();
            match &*name {
                b"warc-type" => {
                    record.kind = match &*value.to_ascii_lowercase() {
                        "response" => Kind::Response,
                        "resource" => Kind::Resource,
                        "conversion" => Kind::Conversion,
                        "revisit" => Kind::Revisit,
                        _ => Kind::Other,
                    };
                }
                // The standard's own grammar led some writers to add the angle brackets.
                b"warc-target-uri" => {
                    let bare = value.strip_prefix('<').and_then(|value| value.strip_suffix('>'));
                    record.url = Some(bare.unwrap_or(&value).to_owned());
                }
                LINK_HEADER => link = Some(value),
                b"warc-date" => record.date = Some(value),
                b"content-type" => record.content_type = Some(value),
                b"content-length" => length = Some(value),
                _ => {}
            }
        }
        // A page that a link led to by redirections goes by that link.
        record.url = link.or(record.url);
        match length.as_deref().map(str::parse) {
            Some(Ok(length)) => {
                record.length = length;
                Ok(Next::Record(record))
            }
            _ => {
                let found = length.map_or("none".to_owned(), |length| excerpt(length.as_bytes()));
                self.broken(offset, Mismatch::new("a Content-Length in bytes", found))
            }
        }
    }

    /// The record that begins an ARC and says how the others are written.
    fn arc_preamble(&mut self) -> Result<std::result::Result<(), Mismatch>> {
        let declared = self.line.rsplit(|&b| b == b' ').next().map(<[u8]>::to_vec);
        if self.line.split(|&b| b == b' ').count() < 5 {
            return Ok(Err(Mismatch::new("`filedesc:` and four fields more", excerpt(&self.line))));
        }
        self.ahead = None;
        // Its length is often wrong; it ends with an empty line whatever it says.
        let mut lines = 0;
        while self.read_line()? != Line::End && !self.line.is_empty() && lines < MAX_HEADERS {
            if lines == 0 && self.line.starts_with(b"2 ") {
                self.format = Format::Arc { fields: 10 };
            }
            lines += 1;
        }
        if lines == 0 {
            let found = excerpt(&declared.unwrap_or_default());
            let expected = format!("the version of the ARC after its first line of length {found}");
            return Ok(Err(Mismatch::missing(expected)));
        }
        Ok(Ok(()))
    }

    fn arc(&mut self, offset: u64, fields: usize) -> Result<Next> {
        let Some((url, values)) = arc_fields(&self.line, fields) else {
            let expected = format!(
                "the {fields} fields of an ARC record (address, IP, date of 14 digits, type, …, length)"
            );
            return self.broken(offset, Mismatch::new(expected, excerpt(&self.line)));
        };
        let last = values.last().copied().unwrap_or_default();
        let Ok(length) = last.parse() else {
            let detail = Mismatch::new("the record's length in bytes", excerpt(last.as_bytes()));
            return self.broken(offset, detail);
        };
        Ok(Next::Record(Record {
            offset,
            kind: if url.starts_with("http") { Kind::Response } else { Kind::Other },
            url: Some(url.to_owned()),
            date: Some(arc_date(values[1])),
            content_type: None,
            length,
        }))
    }
}

/// The address, which may have spaces in it, and the fields behind it: IP, date, type, …, length.
fn arc_fields(line: &[u8], fields: usize) -> Option<(&str, Vec<&str>)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut values: Vec<&str> = line.trim_end().rsplitn(fields, ' ').collect();
    if values.len() != fields {
        return None;
    }
    let url = values.pop()?;
    values.reverse();
    let date = values.get(1)?;
    let is_date = date.len() >= 14 && date.bytes().all(|b| b.is_ascii_digit());
    (is_date && url.contains(':')).then_some((url, values))
}

/// `20140102030405` as `2014-01-02T03:04:05Z`.
fn arc_date(date: &str) -> String {
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    let [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
    format!("{year}-{month}-{day}T{}:{}:{}Z", part(8, 10), part(10, 12), part(12, 14))
}

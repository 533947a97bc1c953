//! Archives made here: each way to pack them, each way to break them.

use super::*;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write;

const PAGE: &str = "<html><head><title>T</title></head><body><p>Some words.</p></body></html>";

fn response(url: &str, http: &str) -> Vec<u8> {
    format!(
        "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n\
         Content-Type: application/http\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
        http.len()
    )
    .into_bytes()
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=\"UTF-8\"\r\n\r\n";

fn page(url: &str) -> Vec<u8> {
    response(url, &format!("{HEAD}{PAGE}"))
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read_with(bytes: &[u8], options: ReadOptions<'_>) -> Result<Vec<Item>, ArchiveError> {
    let mut all = vec![];
    let _ = crate::read(bytes, options, &mut |item| {
        all.push(item);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

const ALL: ReadOptions<'_> = ReadOptions { page_bytes: 1 << 20, wants: &|_| true };

/// Place and URL of each page, place, reason and detail of each other record.
fn read(bytes: &[u8]) -> Vec<(u64, String)> {
    let found = read_with(bytes, ALL).unwrap().into_iter().map(|item| match item {
        Item::Page(page) => (page.offset, page.url.unwrap()),
        Item::LeftOut(left) => (left.offset, format!("{:?}: {}", left.reason, left.detail)),
    });
    found.collect()
}

/// An error and its cause.
fn refusal(bytes: &[u8]) -> String {
    let error = read_with(bytes, ALL).unwrap_err();
    let cause = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", cause.unwrap_or_default())
}

#[test]
fn archive_is_read_however_it_is_packed() {
    let records = [page("http://a.example/"), page("<http://b.example/>"), page("http://c.example/")];
    let urls = ["http://a.example/", "http://b.example/", "http://c.example/"];
    let starts = |parts: &[Vec<u8>]| {
        let mut at = 0;
        parts
            .iter()
            .map(|part| {
                let start = at;
                at += part.len() as u64;
                start
            })
            .collect::<Vec<u64>>()
    };
    let expected = |starts: Vec<u64>| starts.into_iter().zip(urls.map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(read(&records.concat()), expected(starts(&records)), "plain");
    let members = records.clone().map(|record| gz(&record));
    assert_eq!(read(&members.concat()), expected(starts(&members)), "a gzip member a record");
    assert_eq!(read(&gz(&records.concat())), expected(vec![0; 3]), "gzipped as a whole");
    let padded = [members.concat(), vec![0; 1000]].concat();
    assert_eq!(read(&padded), expected(starts(&members)), "filled up with zeros");
    let frames = records.clone().map(|record| zstd::encode_all(&record[..], 3).unwrap());
    assert_eq!(read(&frames.concat()), expected(starts(&frames)), "a zstd frame a record");
    // A member may end in the middle of a record.
    let whole = records.concat();
    let split = [gz(&whole[..300]), gz(&whole[300..310]), gz(&whole[310..])];
    assert_eq!(read(&split.concat()).into_iter().map(|(_, url)| url).collect::<Vec<_>>(), urls);
}

#[test]
fn archive_in_zstd_with_a_dictionary_is_read() {
    let record = page("http://a.example/");
    let dictionary = record.repeat(4);
    let mut frame = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
    let frame = frame.compress(&record).unwrap();
    for stored in [dictionary.clone(), zstd::encode_all(&dictionary[..], 3).unwrap()] {
        let head = [&[0x5d, 0x2a, 0x4d, 0x18][..], &(stored.len() as u32).to_le_bytes(), &stored].concat();
        let archive = [&head[..], &frame, &frame].concat();
        let expected = [head.len(), head.len() + frame.len()];
        let expected = expected.map(|at| (at as u64, "http://a.example/".to_owned()));
        assert_eq!(read(&archive), expected);
    }
}

#[test]
fn archive_broken_record_is_left_out_and_the_next_is_read() {
    let good = page("http://a.example/");
    let n = good.len() as u64;
    let case = |broken: &[u8]| {
        let found = read(&[&good[..], broken, &good].concat());
        assert_eq!(
            (&found[0].1, &found.last().unwrap().1),
            (&"http://a.example/".into(), &"http://a.example/".into())
        );
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1].0, n);
        found[1].1.clone()
    };
    assert_eq!(
        case(b"garbage\r\nand more\r\n\r\n"),
        "Malformed: expected `WARC/1.0` or `WARC/1.1`, found \"garbage\""
    );
    assert!(case(b"WARC/9.9\r\nContent-Length: 3\r\n\r\nabc\r\n").contains("found \"WARC/9.9\""));
    assert!(
        case(b"WARC/1.0\r\nWARC-Type: response\r\n\r\n")
            .contains("expected a Content-Length in bytes, found none")
    );
    assert!(case(b"WARC/1.0\nContent-Length: -1\n\n").contains("found \"-1\""));
    assert!(
        case(b"WARC/1.0\nContent-Length: 99999999999999999999\n\n").contains("expected a Content-Length")
    );
    assert!(case(b"WARC/1.0\nWARC-Type: response\n").contains("found another record"));
    assert!(case(&response("http://x.example/", "no HTTP")).contains("expected a status line"));
    assert!(case(&response("http://x.example/", "HTTP/1.1 404 Not Found\n\n")).starts_with("HttpStatus"));
    let picture = response("http://x.example/", "HTTP/1.1 200 OK\nContent-Type: image/png\n\n...");
    assert!(
        case(&picture).starts_with("OtherContent: expected text/html or text/plain, found \"image/png\"")
    );
    let revisit = b"WARC/1.0\nWARC-Type: revisit\nContent-Length: 2\n\nab\n\n";
    assert!(case(revisit).starts_with("Revisit"));
}

#[test]
fn archive_cut_off_says_where() {
    let archive = [page("http://a.example/"), page("http://b.example/")];
    let (whole, second) = (archive.concat(), archive[0].len() as u64);
    let found = read(&whole[..whole.len() - 20]);
    assert_eq!((found.len(), found[1].0), (2, second));
    let length = HEAD.len() + PAGE.len();
    let expected = format!("Malformed: expected {length} bytes of contents, found {}", length - 16);
    assert!(found[1].1.starts_with(&expected), "{found:?}");
    let found = read(&whole[..second as usize + 30]);
    assert!(found[1].1.contains("expected an empty line behind the headers, found the end"), "{found:?}");

    let members = archive.map(|record| gz(&record));
    let packed = members.concat();
    let error = refusal(&packed[..packed.len() - 20]);
    let at = format!("at byte {}: the archive cannot be decompressed any further", members[0].len());
    assert!(error.starts_with(&at), "{error}");
    let error = refusal(&[&members[0][..], b"rubbish"].concat());
    assert!(error.contains("expected another compressed member"), "{error}");
}

#[test]
fn archive_that_is_none_is_refused() {
    assert!(read(b"").is_empty());
    assert!(read(b"\r\n\n").is_empty());
    for bytes in [&b"PK\x03\x04"[..], b"<html>", &gz(b"hello"), b"filedesc://x"] {
        let error = refusal(bytes);
        assert!(error.starts_with("not a web archive: expected"), "{error}");
    }
}

#[test]
fn archive_page_longer_than_the_limit_is_left_out() {
    let options = ReadOptions { page_bytes: 100, ..ALL };
    let found = read_with(&[page("http://a.example/"), page("http://b.example/")].concat(), options).unwrap();
    assert!(found.iter().all(|item| matches!(item, Item::LeftOut(left) if left.reason == Reason::TooLong)));
    assert_eq!(found.len(), 2);
}

#[test]
fn archive_pages_that_are_not_wanted_are_left_out() {
    let options = ReadOptions { wants: &|url| url == "http://b.example/", ..ALL };
    let found = read_with(&[page("http://a.example/"), page("http://b.example/")].concat(), options).unwrap();
    assert!(matches!(&found[0], Item::LeftOut(left) if left.reason == Reason::NotWanted));
    assert!(matches!(&found[1], Item::Page(page) if page.url.as_deref() == Some("http://b.example/")));
}

#[test]
fn arc_records_are_read_and_broken_ones_left_out() {
    let http = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{PAGE}");
    let head = "filedesc://x.arc 127.0.0.1 20140301000000 text/plain 75\n1 0 Somebody\nURL IP-address Archive-date Content-type Archive-length\n\n";
    let record =
        |url: &str, length: &str| format!("{url} 10.0.0.1 20140102030405 text/html {length}\n{http}\n");
    let length = http.len().to_string();
    let good = record("http://a.example/with a space", &length);
    let arc = format!(
        "{head}{good}{}{good}dns:x.example 10.0.0.1 20140102030405 text/dns 3\nabc\n",
        record("http://b.example/", "-1")
    );
    let found = read(arc.as_bytes());
    let url = "http://a.example/with a space".to_owned();
    let second = (head.len() + good.len()) as u64;
    assert_eq!(found[0], (head.len() as u64, url.clone()));
    assert_eq!(found[1], (second, "Malformed: expected the record's length in bytes, found \"-1\"".into()));
    assert_eq!(found[2].1, url);
    assert!(found[3].1.starts_with("NotAPage"));
    let Item::Page(page) = &read_with(arc.as_bytes(), ALL).unwrap()[0] else { panic!() };
    assert_eq!(page.date.as_deref(), Some("2014-01-02T03:04:05Z"));
}

proptest! {
    #[test]
    fn archive_any_bytes_never_panic(
        start in prop::sample::select(vec!["WARC/1.0\r\n", "filedesc://a 1 20140301000000 t 9\n1 0 x\n\n", ""]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        let _ = read_with(&bytes, ALL);
    }

    #[test]
    fn archive_damaged_anywhere_never_panics(at in 0usize..900, byte: u8, packed: bool) {
        let whole = [page("http://a.example/"), page("http://b.example/"), page("http://c.example/")].concat();
        let mut bytes = if packed { gz(&whole) } else { whole };
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read_with(&bytes, ALL);
    }
}

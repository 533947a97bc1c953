//! WARC files of fetched pages: every record a gzip member of its own.

use crate::error::FetchError;
use scalelaw_archive::info_record;
use scalelaw_core::date::utc;
use scalelaw_files::FileError;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the records of a page are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) offset: u64,
    /// Compressed.
    pub(crate) bytes: u64,
}

impl Place {
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// The archive being written: `pages-00000.warc.gz` and so on.
#[derive(Debug)]
pub(crate) struct Archive {
    dir: PathBuf,
    number: u32,
    file: Option<File>,
    end: u64,
    /// Length at which a file is followed by the next.
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
pub(crate) fn archives(dir: &Path) -> Result<Vec<String>, FetchError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(FileError::new(dir, "list"))? {
        let entry = entry.map_err(FileError::new(dir, "list"))?;
        numbers.extend(entry.file_name().to_str().and_then(number));
    }
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(name).collect())
}

impl Archive {
    /// Continues after the last known page; anything written later is removed.
    pub(crate) fn open(dir: &Path, last: Option<&Place>, file_bytes: u64) -> Result<Self, FetchError> {
        let known = last.and_then(|last| number(&last.file));
        for later in archives(dir)?.iter().filter(|file| number(file) > known) {
            let path = dir.join(later);
            std::fs::remove_file(&path).map_err(FileError::new(&path, "remove"))?;
        }
        let mut archive =
            Self { dir: dir.to_path_buf(), number: known.unwrap_or(0), file: None, end: 0, file_bytes };
        if let Some(last) = last {
            archive.end = last.end();
            let path = dir.join(&last.file);
            let file = OpenOptions::new().write(true).open(&path).map_err(FileError::new(&path, "open"))?;
            file.set_len(archive.end).map_err(FileError::new(&path, "shorten"))?;
            archive.file = Some(file);
        }
        Ok(archive)
    }

    /// Writes the records of a page. If that fails, the archive is as before.
    pub(crate) fn append(&mut self, records: &[u8]) -> Result<Place, FetchError> {
        if self.file.is_some() && self.end >= self.file_bytes {
            self.sync()?;
            (self.file, self.end, self.number) = (None, 0, self.number + 1);
        }
        let path = self.dir.join(name(self.number));
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = File::create(&path).map_err(FileError::new(&path, "create"))?;
                let info = info();
                let file = self.file.insert(file);
                write_at(file, 0, &info).map_err(FileError::new(&path, "write"))?;
                self.end = info.len() as u64;
                file
            }
        };
        write_at(file, self.end, records).map_err(FileError::new(&path, "write"))?;
        let place = Place { file: name(self.number), offset: self.end, bytes: records.len() as u64 };
        self.end = place.end();
        Ok(place)
    }

    /// Makes what was written survive a power loss.
    pub(crate) fn sync(&self) -> Result<(), FetchError> {
        let path = self.dir.join(name(self.number));
        Ok(self.file.as_ref().map_or(Ok(()), File::sync_all).map_err(FileError::new(&path, "write"))?)
    }
}

fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> std::io::Result<()> {
    let written = file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes));
    if written.is_err() {
        // Leave no half record; resuming would remove it too.
        let _ = file.set_len(at);
    }
    written
}

/// What an archive begins with.
fn info() -> Vec<u8> {
    let software = format!("scalelaw/{}", env!("CARGO_PKG_VERSION"));
    let fields =
        [("software", &*software), ("format", "WARC File Format 1.1"), ("robots", "obeyed (RFC 9309)")];
    info_record(&utc(SystemTime::now()), &fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_archive::{Item, ReadOptions, page_records};
    use std::ops::ControlFlow;

    fn page(text: &str) -> Vec<u8> {
        let response = format!(
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{text}"
        );
        let (url, link, date) = ("http://a.example/", "http://link.example/", "2026-11-22T00:00:00Z");
        page_records(url, Some(link), date, b"GET / HTTP/1.1\r\n\r\n", response.as_bytes())
    }

    /// URL and text of each page.
    fn read(dir: &Path) -> Vec<(String, String)> {
        let mut pages = Vec::new();
        for file in archives(dir).unwrap() {
            let bytes = std::fs::read(dir.join(&file)).unwrap();
            let options = ReadOptions { page_bytes: 1 << 20, wants: &|_| true };
            let found = scalelaw_archive::read(&*bytes, options, &mut |item| {
                if let Item::Page(page) = item {
                    pages.push((page.url.unwrap(), String::from_utf8(page.bytes).unwrap()));
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
}

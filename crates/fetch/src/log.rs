//! What became of each link, one line each: what resuming relies on.

use crate::archive::{Archive, Place, archives};
use crate::error::FetchError;
use crate::outcome::Outcome;
use scalelaw_files::{FileError, Line, next_line};
use scalelaw_links::Links;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The log beside the archives. Because of its ending it is not read as documents.
pub(crate) const LOG: &str = "fetch-log.ndjson";
/// Longer lines are not lines of a log.
const MAX_LINE: usize = 16 << 20;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// As the link was first spelled.
    pub(crate) link: String,
    pub(crate) score: i64,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    /// Where it redirected to, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) redirects: Vec<String>,
    pub(crate) date: String,
    /// Where the page is, if it was fetched.
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
}

/// What an earlier call did.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What became of each link, by its place in the list.
    pub(crate) ended: Vec<Option<Outcome>>,
    /// Pages that links redirected to, with the place of the link.
    pub(crate) redirects: Vec<(String, u32)>,
    last: Option<Place>,
}

/// Log and archive, which agree: a page is logged once it is in the archive, and what is not logged is not there.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    log: File,
    archive: Archive,
}

impl Store {
    /// Opens a folder that is new or from an earlier call.
    ///
    /// # Errors
    /// Names the file that is in the way, missing or damaged.
    pub(crate) fn open(dir: &Path, links: &Links, file_bytes: u64) -> Result<(Self, Known), FetchError> {
        std::fs::create_dir_all(dir).map_err(FileError::new(dir, "create the directory"))?;
        let path = dir.join(LOG);
        if !path.exists()
            && let Some(archive) = archives(dir)?.first()
        {
            return Err(FetchError::ForeignArchive { archive: dir.join(archive), log: LOG });
        }
        let log = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let log = log.map_err(FileError::new(&path, "open"))?;
        log.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => FetchError::InUse { path: path.clone() },
            TryLockError::Error(error) => FileError::new(&path, "lock")(error).into(),
        })?;
        let mut read = read_log(&path, &log, links)?;
        if let Some(end) = read.first_without_page(dir)? {
            // The power went before its page was on the disk.
            log.set_len(end).map_err(FileError::new(&path, "shorten"))?;
            read = read_log(&path, &log, links)?;
        }
        log.set_len(read.end).map_err(FileError::new(&path, "shorten"))?;
        let archive = Archive::open(dir, read.known.last.as_ref(), file_bytes)?;
        Ok((Self { path, log, archive }, read.known))
    }

    /// Appends the records of a page to the archive and logs it.
    pub(crate) fn page(&mut self, mut entry: Entry, records: &[u8]) -> Result<(), FetchError> {
        entry.place = Some(self.archive.append(records)?);
        self.note(&entry)
    }

    /// Logs what became of a link.
    pub(crate) fn note(&mut self, entry: &Entry) -> Result<(), FetchError> {
        let mut line = serde_json::to_vec(entry).expect("strings and numbers are JSON");
        line.push(b'\n');
        Ok(self.log.write_all(&line).map_err(FileError::new(&self.path, "write"))?)
    }

    /// Makes everything survive a power loss.
    pub(crate) fn sync(&self) -> Result<(), FetchError> {
        self.archive.sync()?;
        Ok(self.log.sync_all().map_err(FileError::new(&self.path, "write"))?)
    }
}

/// A log as it was read.
#[derive(Debug, Default)]
struct Read {
    known: Known,
    /// Behind the last whole line.
    end: u64,
    /// The ends of each archive's pages, with the starts of their lines.
    pages: HashMap<String, Vec<(u64, u64)>>,
}

fn read_log(path: &Path, log: &File, links: &Links) -> Result<Read, FetchError> {
    let io = FileError::new(path, "read");
    let length = log.metadata().map_err(&io)?.len();
    let mut reader = BufReader::with_capacity(1 << 16, log);
    reader.seek(SeekFrom::Start(0)).map_err(&io)?;
    let mut read = Read::default();
    read.known.ended.resize(links.len(), None);
    let mut line = Vec::new();
    for number in 1.. {
        let found = next_line(&mut reader, &mut line, MAX_LINE).map_err(&io)?;
        let end = reader.stream_position().map_err(&io)?;
        // A line that breaks off at the end was being written.
        if found == Line::End || end == read.end + line.len() as u64 && end == length {
            break;
        }
        let entry: Entry = serde_json::from_slice(&line).map_err(|source| FetchError::LogLine {
            path: path.to_path_buf(),
            line: number,
            source,
        })?;
        let link = links.place(&entry.link);
        if let Some(link) = link {
            read.known.ended[link as usize] = Some(entry.outcome);
            read.known.redirects.extend(entry.redirects.into_iter().map(|url| (url, link)));
        }
        if let Some(place) = entry.place {
            read.pages.entry(place.file.clone()).or_default().push((place.end(), read.end));
            read.known.last = Some(place);
        }
        read.end = end;
    }
    Ok(read)
}

impl Read {
    /// Where the log ends before the first page that is not in its archive. Only the last archive may lack some.
    fn first_without_page(&self, dir: &Path) -> Result<Option<u64>, FetchError> {
        for (file, pages) in &self.pages {
            let path = dir.join(file);
            let length = match std::fs::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                Err(error) => return Err(FileError::new(&path, "read")(error).into()),
            };
            let Some((_, line)) = pages.iter().find(|(end, _)| *end > length) else { continue };
            if self.known.last.as_ref().is_some_and(|last| last.file == *file) {
                return Ok(Some(*line));
            }
            return Err(FetchError::LostPages { archive: path, pages: pages.len() });
        }
        Ok(None)
    }
}

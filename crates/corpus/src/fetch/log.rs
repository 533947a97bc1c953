//! What became of each link, a line each; what resuming goes by.

use super::archive::{Archive, Place, archives};
use super::outcome::Outcome;
use crate::error::CorpusError;
use crate::links::Links;
use scalelaw_files::{Line, next_line};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The log beside the archives. Its ending keeps it from being taken for documents.
pub(super) const LOG: &str = "fetch-log.ndjson";
/// A longer line is none of ours.
const MAX_LINE: usize = 16 << 20;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// As the link was first spelled.
    pub(super) link: String,
    pub(super) score: i64,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) detail: String,
    /// Where it redirected to, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) redirects: Vec<String>,
    pub(super) date: String,
    /// Where the page is, if it was fetched.
    #[serde(flatten)]
    pub(super) place: Option<Place>,
}

/// What an earlier call brought about.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What became of each link, by its place in the list.
    pub(super) ended: Vec<Option<Outcome>>,
    /// Pages that links redirected to, with the place of the link.
    pub(super) redirects: Vec<(String, u32)>,
    last: Option<Place>,
}

/// Log and archive, which agree: a page is logged once it is in the archive, and what is not logged is not there.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    log: File,
    archive: Archive,
}

impl Store {
    /// Opens a folder that is new or from an earlier call.
    ///
    /// # Errors
    /// Names the file that is in the way, missing or damaged.
    pub(super) fn open(dir: &Path, links: &Links, file_bytes: u64) -> Result<(Self, Known), CorpusError> {
        std::fs::create_dir_all(dir).map_err(CorpusError::io(dir, "create the directory"))?;
        let path = dir.join(LOG);
        if !path.exists()
            && let Some(archive) = archives(dir)?.first()
        {
            let reason = format!("not fetched into this folder: {LOG} is missing: take another folder");
            return Err(CorpusError::Settings { path: dir.join(archive), reason });
        }
        let log = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let log = log.map_err(CorpusError::io(&path, "open"))?;
        log.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => CorpusError::InUse { path: path.clone() },
            TryLockError::Error(error) => CorpusError::io(&path, "lock")(error),
        })?;
        let mut read = read_log(&path, &log, links)?;
        if let Some(end) = read.first_without_page(dir)? {
            // The power went before its page was on the disk.
            log.set_len(end).map_err(CorpusError::io(&path, "shorten"))?;
            read = read_log(&path, &log, links)?;
        }
        log.set_len(read.end).map_err(CorpusError::io(&path, "shorten"))?;
        let archive = Archive::open(dir, read.known.last.as_ref(), file_bytes)?;
        Ok((Self { path, log, archive }, read.known))
    }

    /// Writes a page down; `records` are those of its archive. Returns how many bytes they take.
    pub(super) fn page(&mut self, mut entry: Entry, records: &[u8]) -> Result<(), CorpusError> {
        entry.place = Some(self.archive.append(records)?);
        self.note(&entry)
    }

    /// Writes down what became of a link.
    pub(super) fn note(&mut self, entry: &Entry) -> Result<(), CorpusError> {
        let mut line = serde_json::to_vec(entry).expect("strings and numbers are JSON");
        line.push(b'\n');
        self.log.write_all(&line).map_err(CorpusError::io(&self.path, "write"))
    }

    /// Sees to it that everything survives a loss of power.
    pub(super) fn sync(&self) -> Result<(), CorpusError> {
        self.archive.sync()?;
        self.log.sync_all().map_err(CorpusError::io(&self.path, "write"))
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

fn read_log(path: &Path, log: &File, links: &Links) -> Result<Read, CorpusError> {
    let io = || CorpusError::io(path, "read");
    let length = log.metadata().map_err(io())?.len();
    let mut reader = BufReader::with_capacity(1 << 16, log);
    reader.seek(SeekFrom::Start(0)).map_err(io())?;
    let mut read = Read::default();
    read.known.ended.resize(links.len(), None);
    let mut line = Vec::new();
    for number in 1.. {
        let found = next_line(&mut reader, &mut line, MAX_LINE).map_err(io())?;
        let end = reader.stream_position().map_err(io())?;
        // A line that breaks off at the end was being written.
        if found == Line::End || end == read.end + line.len() as u64 && end == length {
            break;
        }
        let entry: Entry = serde_json::from_slice(&line).map_err(|error| CorpusError::Settings {
            path: path.to_path_buf(),
            reason: format!(
                "line {number} is none of this log ({error}): take another folder, or mend the line"
            ),
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
    fn first_without_page(&self, dir: &Path) -> Result<Option<u64>, CorpusError> {
        for (file, pages) in &self.pages {
            let path = dir.join(file);
            let length = match std::fs::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                Err(error) => return Err(CorpusError::io(&path, "read")(error)),
            };
            let Some((_, line)) = pages.iter().find(|(end, _)| *end > length) else { continue };
            if self.known.last.as_ref().is_some_and(|last| last.file == *file) {
                return Ok(Some(*line));
            }
            let n = pages.len();
            let reason =
                format!("missing or shortened, with {n} pages of {LOG}: put it back, or take another folder");
            return Err(CorpusError::Settings { path, reason });
        }
        Ok(None)
    }
}

//! Which web pages are worth reading: links with the scores that people gave them, and when two URLs are the same page.

mod normal;
#[cfg(test)]
mod tests;

pub use normal::normalise_url;

use scalelaw_files::{Compression, FileError, Line, next_line, open};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Longer lines are not submissions.
const MAX_LINE: usize = 4 << 20;

/// Links that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinksError {
    /// A file could not be opened or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The name of a file is not that of a dump or a list.
    #[error("{}: not a list of links: expected a file ending in .jsonl or .txt, each also with .gz or .zst", path.display())]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
}

/// Which links are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkOptions {
    /// Smallest combined score of a link that is kept.
    pub min_score: i64,
    /// Excluded domains with all their subdomains: `wikipedia.org` excludes `de.wikipedia.org` too.
    pub excluded_domains: Vec<String>,
}

impl Default for LinkOptions {
    /// A score of 3, as WebText has it; no domain excluded.
    fn default() -> Self {
        Self { min_score: 3, excluded_domains: Vec::new() }
    }
}

/// What became of the lines of link dumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkCounts {
    /// Lines that are not empty.
    pub lines: u64,
    /// Lines of JSON that are not an object with a string `url` and a number `score`.
    pub broken: u64,
    /// Lines whose `url` is not an HTTP address.
    pub not_web: u64,
    /// Lines whose host is excluded.
    pub excluded: u64,
    /// Different pages among the others.
    pub distinct: u64,
    /// Pages whose combined score is too low.
    pub below: u64,
    /// Pages that are kept.
    pub kept: u64,
}

/// A page that is kept.
#[derive(Debug)]
struct Link {
    /// As it was first spelled.
    url: String,
    score: i64,
    found: AtomicBool,
}

/// The pages worth reading, and which of them have been found.
#[derive(Debug, Default)]
pub struct Links {
    /// Sorted by URL.
    links: Vec<Link>,
    /// Where the link of a page is.
    by_page: HashMap<Key, u32>,
}

/// A digest of a normalised URL: there may be very many.
type Key = [u8; 16];

fn key(page: &str) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(page.as_bytes()).as_bytes()[..16]);
    key
}

impl Links {
    /// Reads dumps of submissions: JSON lines (`.jsonl`, also `.gz` and `.zst`) with `url` and `score`. The scores
    /// of one page add up, however its URL is spelled (see [`normalise_url`]). A plain list (`.txt`) has one URL per line,
    /// each with the smallest score that is kept.
    ///
    /// The dumps are read twice, so that only the URLs that are kept are held in memory; of each different page
    /// there is a digest and a score, some 40 bytes.
    ///
    /// # Errors
    /// Names the file that is missing, unreadable or not of this kind.
    pub fn read(paths: &[PathBuf], options: &LinkOptions) -> Result<(Self, LinkCounts), LinksError> {
        let mut counts = LinkCounts::default();
        let mut scores: HashMap<Key, i64> = HashMap::new();
        for path in paths {
            visit_submissions(path, options, &mut |submission| {
                counts.lines += 1;
                match submission.ok_or(&mut counts.broken).and_then(|(url, score)| {
                    let page = normalise_url(&url).ok_or(&mut counts.not_web)?;
                    if options.excludes(&page) { Err(&mut counts.excluded) } else { Ok((page, score)) }
                }) {
                    Err(counter) => *counter += 1,
                    Ok((page, score)) => {
                        let sum = scores.entry(key(&page)).or_insert(0);
                        *sum = sum.saturating_add(score);
                    }
                }
            })?;
        }
        counts.distinct = scores.len() as u64;
        scores.retain(|_, score| *score >= options.min_score);
        counts.kept = scores.len() as u64;
        counts.below = counts.distinct - counts.kept;
        let mut links = Vec::with_capacity(scores.len());
        for path in paths {
            visit_submissions(path, options, &mut |submission| {
                let page = submission.and_then(|(url, _)| Some((normalise_url(&url)?, url)));
                let Some((page, url)) = page.filter(|(page, _)| !options.excludes(page)) else { return };
                let key = key(&page);
                if let Some(score) = scores.remove(&key) {
                    links.push((
                        key,
                        Link { url: url.trim().to_owned(), score, found: AtomicBool::new(false) },
                    ));
                }
            })?;
        }
        links.sort_by(|(_, a), (_, b)| a.url.cmp(&b.url));
        let by_page = links.iter().enumerate().map(|(i, (key, _))| (*key, i as u32)).collect();
        Ok((Self { links: links.into_iter().map(|(_, link)| link).collect(), by_page }, counts))
    }

    fn of(&self, url: &str) -> Option<&Link> {
        self.links.get(self.place(url)? as usize)
    }

    /// Whether a link leads to this page.
    pub fn wants(&self, url: &str) -> bool {
        self.of(url).is_some()
    }

    /// Notes that a page has been found; true the first time for a page that is wanted.
    pub fn mark_found(&self, url: &str) -> bool {
        self.of(url).is_some_and(|link| !link.found.swap(true, Ordering::Relaxed))
    }

    /// The pages that have not been found, as they were first spelled, with their scores; sorted.
    pub fn missing(&self) -> impl Iterator<Item = (&str, i64)> {
        let missing = self.links.iter().filter(|link| !link.found.load(Ordering::Relaxed));
        missing.map(|link| (&*link.url, link.score))
    }

    /// The pages that are wanted, as they were first spelled, with their scores; sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.links.iter().map(|link| (&*link.url, link.score))
    }

    /// The page at this place of [`Self::iter`].
    pub fn at(&self, place: u32) -> Option<(&str, i64)> {
        self.links.get(place as usize).map(|link| (&*link.url, link.score))
    }

    /// The place of the page that a URL leads to, if it is wanted.
    pub fn place(&self, url: &str) -> Option<u32> {
        self.by_page.get(&key(&normalise_url(url)?)).copied()
    }

    /// How many pages are wanted.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether no page is wanted.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }
}

impl LinkOptions {
    fn excludes(&self, page: &str) -> bool {
        let host = normal::host(page);
        self.excluded_domains.iter().any(|domain| {
            let domain = domain.trim_start_matches("www.").trim_matches('.').to_ascii_lowercase();
            !domain.is_empty()
                && host.strip_suffix(&*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

/// Calls `visit` with URL and score of each line that is not empty, `None` if it has none.
fn visit_submissions(
    path: &Path,
    options: &LinkOptions,
    visit: &mut dyn FnMut(Option<(String, i64)>),
) -> Result<(), LinksError> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let (inner, compression) = Compression::of_name(&name);
    let is_json = inner.ends_with(".jsonl");
    if !is_json && !inner.ends_with(".txt") {
        return Err(LinksError::UnknownKind { path: path.to_path_buf() });
    }
    let mut reader = open(path, compression)?;
    let mut line = Vec::new();
    loop {
        match next_line(&mut *reader, &mut line, MAX_LINE).map_err(FileError::new(path, "read"))? {
            Line::End => return Ok(()),
            Line::TooLong => visit(None),
            Line::Whole if line.trim_ascii().is_empty() => {}
            Line::Whole if is_json => visit(submission(line.trim_ascii())),
            Line::Whole => {
                let url = String::from_utf8_lossy(line.trim_ascii()).into_owned();
                visit(Some((url, options.min_score.max(0))));
            }
        }
    }
}

/// What is read of a submission; other keys are ignored.
#[derive(Deserialize)]
struct Submission {
    url: String,
    score: Value,
}

fn submission(line: &[u8]) -> Option<(String, i64)> {
    if !line.starts_with(b"{") {
        return None;
    }
    let Submission { url, score } = serde_json::from_slice(line).ok()?;
    let score = match score {
        Value::Number(score) => score.as_i64().or_else(|| score.as_f64().map(|score| score as i64))?,
        // Old dumps have numbers as strings.
        Value::String(score) => score.trim().parse().ok()?,
        _ => return None,
    };
    Some((url, score))
}

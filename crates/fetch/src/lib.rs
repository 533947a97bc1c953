//! A polite crawler: it fetches the pages of links into web archives. One request at a time per host with a delay after
//! each, robots.txt is obeyed, only public internet addresses are contacted. Interrupted, the same call resumes.
//!
//! ```text
//! links ─▶ hosts (which request is next) ─▶ client (one request) ─▶ crawl (what follows) ─▶ log and archive
//! ```

mod address;
mod archive;
mod client;
mod crawl;
mod error;
mod hosts;
mod log;
mod outcome;
mod robots;
mod wire;

pub use error::FetchError;
pub use outcome::Outcome;

use client::Client;
use crawl::Crawl;
use log::Store;
use robots::{MAX_PAUSE, ROBOT};
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_files::FileError;
use scalelaw_links::Links;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::tls::{PemItem, RootCerts, parse_pem};

/// How often progress is reported and `stop` is called.
const TICK: Duration = Duration::from_millis(50);
/// Longest time limit of a request.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A host that will take longer is announced beforehand.
const LONG: Duration = Duration::from_secs(600);

/// How pages are fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSettings {
    /// How server owners can reach you: a mail address or a URL, sent with every request.
    pub contact: Option<String>,
    /// Minimum delay between requests to one host; its robots.txt may lengthen it.
    pub delay: Duration,
    /// Hosts contacted at the same time.
    pub hosts: usize,
    /// Longest page in bytes as sent, headers included; longer ones are left out.
    pub page_bytes: u64,
    /// Time limit of a request.
    pub timeout: Duration,
    /// Most redirections followed for one link.
    pub redirects: u32,
    /// Retries after a temporary failure (timeout, 429, 5xx).
    pub retries: u32,
    /// Delay before the first retry where the server names none; it doubles each time.
    pub backoff: Duration,
    /// Whether addresses outside the public internet may be contacted.
    pub allow_private: bool,
    /// Which links that ended in earlier calls are fetched again.
    pub again: Again,
    /// Certificates (PEM) to trust instead of those of Mozilla's list.
    pub certificates: Option<PathBuf>,
    /// Length in bytes at which an archive is followed by the next.
    pub archive_bytes: u64,
}

impl Default for FetchSettings {
    /// One request a second to a host, 16 hosts at once, pages of 10 MB in 60 s, 5 redirections, 2 retries.
    fn default() -> Self {
        Self {
            contact: None,
            delay: Duration::from_secs(1),
            hosts: 16,
            page_bytes: 10_000_000,
            timeout: Duration::from_secs(60),
            redirects: 5,
            retries: 2,
            backoff: Duration::from_secs(5),
            allow_private: false,
            again: Again::Never,
            certificates: None,
            archive_bytes: 1_000_000_000,
        }
    }
}

/// Which links that have ended are fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// None.
    Never,
    /// Those whose failure may be temporary: see [`Outcome::is_temporary`].
    IfTemporary,
}

/// What became of the links, earlier calls included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FetchReport {
    /// Pages that are wanted.
    pub wanted: u64,
    /// Of these, ended before this call.
    pub before: u64,
    /// Links by outcome, the most frequent first.
    pub outcomes: Vec<OutcomeCount>,
    /// Links still to do: none, unless the crawl was stopped.
    pub left: u64,
    /// Bytes that this call added to the archives.
    pub bytes: u64,
}

/// How many links had one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How many.
    pub links: u64,
}

impl FetchSettings {
    /// The `User-Agent` of every request.
    fn user_agent(&self) -> String {
        let program = format!("{ROBOT}/{}", env!("CARGO_PKG_VERSION"));
        self.contact.as_ref().map_or(program.clone(), |contact| format!("{program} (+{contact})"))
    }

    /// The delay of a host whose robots.txt asks for this one.
    fn rest(&self, crawl_delay: Option<Duration>) -> Duration {
        self.delay.max(crawl_delay.unwrap_or_default())
    }

    fn validate(&self) -> Result<(), FetchError> {
        let refuse = |setting, value: String, expected| Err(FetchError::Setting { setting, value, expected });
        let printable =
            |contact: &str| contact.bytes().all(|b| b.is_ascii_graphic() && !b"()\\".contains(&b));
        match &self.contact {
            Some(contact) if contact.is_empty() || !printable(contact) => {
                return refuse("contact", format!("{contact:?}"), "a mail address or a URL, without spaces");
            }
            _ => {}
        }
        if self.hosts == 0 || self.hosts > 1000 {
            return refuse("hosts", self.hosts.to_string(), "1 to 1000");
        }
        if self.delay > MAX_PAUSE {
            return refuse("delay", format!("{:?}", self.delay), "at most 5 minutes");
        }
        if self.timeout.is_zero() || self.timeout > DAY {
            return refuse("timeout", format!("{:?}", self.timeout), "more than 0 seconds and at most a day");
        }
        if self.page_bytes == 0 {
            return refuse("page size", self.page_bytes.to_string(), "more than 0 bytes");
        }
        Ok(())
    }

    /// The certificates to trust.
    fn roots(&self) -> Result<RootCerts, FetchError> {
        let Some(path) = &self.certificates else { return Ok(RootCerts::WebPki) };
        let pem = std::fs::read(path).map_err(FileError::new(path, "read"))?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(FetchError::NoCertificates { path: path.clone() });
        }
        Ok(RootCerts::from(certificates))
    }
}

/// Fetches the pages of links into archives (`pages-00000.warc.gz` and so on) in the folder `out`, and logs the outcome
/// of each in `fetch-log.ndjson`. What an earlier call finished there is not requested again.
///
/// Once `stop` returns true, requests in flight are aborted; the same call resumes later.
///
/// # Errors
/// When a setting is outside its range, the folder cannot be written or was not made by this function, or another
/// process is writing to it. A link that cannot be fetched is an [`Outcome`], not an error.
pub fn fetch_links(
    links: &Links,
    settings: &FetchSettings,
    out: &Path,
    observer: &dyn Observer,
    stop: &dyn Fn() -> bool,
) -> Result<FetchReport, FetchError> {
    settings.validate()?;
    let roots = settings.roots()?;
    let (store, mut known) = Store::open(out, links, settings.archive_bytes)?;
    if settings.again == Again::IfTemporary {
        known.ended.iter_mut().for_each(|ended| *ended = ended.filter(|outcome| !outcome.is_temporary()));
    }
    let before = known.ended.iter().flatten().count() as u64;
    let wanted = links.len() as u64;
    let crawl = Crawl::new(settings, links, store, known);
    announce_longest(&crawl, settings, observer);
    let clients: Vec<Client> = (0..settings.hosts).map(|_| Client::new(settings, &roots)).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = clients.iter().map(|client| scope.spawn(|| crawl.work(client))).collect();
        let mut interrupted = false;
        while !threads.iter().all(|thread| thread.is_finished()) {
            std::thread::sleep(TICK);
            let done = crawl.counts().values().sum();
            observer.progress(Progress::Stage { name: "fetching", done, total: wanted, unit: "links" });
            if stop() && !crawl.is_stopping() {
                crawl.stop();
            }
            if crawl.is_stopping() && !interrupted {
                interrupted = true;
                clients.iter().for_each(|client| client.interrupt());
            }
        }
    });
    let mut outcomes: Vec<OutcomeCount> =
        crawl.counts().into_iter().map(|(outcome, links)| OutcomeCount { outcome, links }).collect();
    outcomes.sort_by_key(|count| std::cmp::Reverse(count.links));
    let left = wanted - outcomes.iter().map(|count| count.links).sum::<u64>();
    let report = FetchReport { wanted, before, outcomes, left, bytes: crawl.bytes() };
    crawl.finish()?;
    Ok(report)
}

/// Announces the host that will take longest, if it takes long.
fn announce_longest(crawl: &Crawl<'_>, settings: &FetchSettings, observer: &dyn Observer) {
    let Some((host, links)) = crawl.longest() else { return };
    let needed = settings.delay.saturating_mul(u32::try_from(links).unwrap_or(u32::MAX));
    if needed > LONG {
        let hours = needed.as_secs_f64() / 3600.0;
        observer.progress(Progress::Note(&format!(
            "{host} has {links} of the links: at least {hours:.1} hours at one request every {} s",
            settings.delay.as_secs_f64()
        )));
    }
}

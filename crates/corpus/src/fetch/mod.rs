//! The pages of links, fetched politely into web archives: one request at a time to a host and a rest after each, what
//! robots.txt asks for is done, nothing but the public internet is asked. Killed, it goes on.
//!
//! ```text
//! links ─▶ hosts (whose turn is it) ─▶ client (one request) ─▶ crawl (what follows) ─▶ log and archive
//! ```

mod address;
mod archive;
mod client;
mod crawl;
mod hosts;
mod log;
mod outcome;
mod robots;
mod wire;

pub use outcome::Outcome;

use crate::error::CorpusError;
use crate::links::Links;
use client::Client;
use crawl::Crawl;
use log::Store;
use robots::{MAX_PAUSE, ROBOT};
use scalelaw_core::observer::{Observer, Progress};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::tls::{PemItem, RootCerts, parse_pem};

/// How often progress is told and the wish to stop looked for.
const TICK: Duration = Duration::from_millis(50);
/// No request takes longer, whatever its limit.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A host that takes longer is worth a word beforehand.
const LONG: Duration = Duration::from_secs(600);

/// How pages are fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSettings {
    /// Who asks, for the servers' owners: a mail address or a page.
    pub contact: Option<String>,
    /// The rest of a host after each request; its robots.txt may ask for a longer one.
    pub delay: Duration,
    /// How many hosts are asked at once.
    pub hosts: usize,
    /// A page longer than this many bytes as sent, headers included, is left out.
    pub page_bytes: u64,
    /// A request that takes longer is given up.
    pub timeout: Duration,
    /// How many redirections are followed.
    pub redirects: u32,
    /// How often a request is made again that failed for the moment.
    pub retries: u32,
    /// The pause before it is, where the server names none; it doubles each time.
    pub backoff: Duration,
    /// Whether addresses that are not of the public internet are asked too.
    pub allow_private: bool,
    /// Which links of earlier calls are fetched again.
    pub again: Again,
    /// Certificates (PEM) to trust instead of those of Mozilla's list.
    pub certificates: Option<PathBuf>,
    /// An archive is followed by the next once it is as long.
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
    /// Those that another day may bring: see [`Outcome::is_temporary`].
    IfTemporary,
}

/// What became of the links, earlier calls included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FetchReport {
    /// Pages that are wanted.
    pub wanted: u64,
    /// How many of them had ended before this call.
    pub before: u64,
    /// How many have ended each way, the most frequent first.
    pub outcomes: Vec<OutcomeCount>,
    /// How many have not ended: none, unless it was stopped.
    pub left: u64,
    /// Bytes that the pages of this call take in the archives.
    pub bytes: u64,
}

/// How many links have ended in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    /// The way.
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

    /// The rest of a host that asks for one of this length.
    fn rest(&self, crawl_delay: Option<Duration>) -> Duration {
        self.delay.max(crawl_delay.unwrap_or_default())
    }

    fn check(&self) -> Result<(), CorpusError> {
        let refuse = |option, value: String, expected| Err(CorpusError::Option { option, value, expected });
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

    /// Whom to trust.
    fn roots(&self) -> Result<RootCerts, CorpusError> {
        let Some(path) = &self.certificates else { return Ok(RootCerts::WebPki) };
        let pem = std::fs::read(path).map_err(CorpusError::io(path, "read"))?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            let reason = "expected certificates in PEM, found none".to_owned();
            return Err(CorpusError::Settings { path: path.clone(), reason });
        }
        Ok(RootCerts::from(certificates))
    }
}

/// Fetches the pages of links into archives (`pages-00000.warc.gz` and so on) in the folder `out`, and writes down in
/// `fetch-log.ndjson` what became of each. What an earlier call finished there is not asked for again.
///
/// `stop` is asked often; when it says so, requests in hand are given up, and the same call goes on later.
///
/// # Errors
/// Settings out of their range; a folder that cannot be written or is not of this kind; another process in it. A link
/// that cannot be fetched is no error.
pub fn fetch_links(
    links: &Links,
    settings: &FetchSettings,
    out: &Path,
    observer: &dyn Observer,
    stop: &dyn Fn() -> bool,
) -> Result<FetchReport, CorpusError> {
    settings.check()?;
    let roots = settings.roots()?;
    let (store, mut known) = Store::open(out, links, settings.archive_bytes)?;
    if settings.again == Again::IfTemporary {
        known.ended.iter_mut().for_each(|ended| *ended = ended.filter(|outcome| !outcome.is_temporary()));
    }
    let before = known.ended.iter().flatten().count() as u64;
    let wanted = links.len() as u64;
    let crawl = Crawl::new(settings, links, store, known);
    foretell(&crawl, settings, observer);
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

/// Says which host will take long.
fn foretell(crawl: &Crawl<'_>, settings: &FetchSettings, observer: &dyn Observer) {
    let Some((host, links)) = crawl.longest() else { return };
    let needed = settings.delay.saturating_mul(u32::try_from(links).unwrap_or(u32::MAX));
    if needed > LONG {
        let hours = needed.as_secs_f64() / 3600.0;
        observer.progress(Progress::Note(&format!(
            "{host} has {links} of the links: {hours:.1} hours at least, resting {} s after each",
            settings.delay.as_secs_f64()
        )));
    }
}

//! What each answer leads to: the page is stored, the redirection followed, the host retried later or given up.

use crate::FetchSettings;
use crate::client::{Answer, Client, Trouble, Want};
use crate::error::FetchError;
use crate::hosts::{Hosts, Turn};
use crate::log::{Entry, Known, Store};
use crate::outcome::Outcome;
use crate::robots::{Admission, MAX_PAUSE, MAX_REDIRECTS, Origins, Verdict};
use crate::wire::Exchange;
use scalelaw_archive::{is_page_status, may_be_page, page_records};
use scalelaw_core::date::utc;
use scalelaw_links::{Links, normalise_url};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use url::Url;

/// Consecutive failures after which a host is given up.
const MAX_FAILURES: u32 = 5;

/// A request to make.
#[derive(Debug)]
pub(crate) enum Job {
    /// The link at this place, not begun.
    Link(u32),
    Page(Box<Page>),
    Robots(Box<RobotsFile>),
}

/// A link on its way to its page.
#[derive(Debug)]
pub(crate) struct Page {
    link: u32,
    url: Url,
    redirects: Vec<String>,
    tries: u32,
}

/// The robots.txt of an origin, which may be elsewhere.
#[derive(Debug)]
pub(crate) struct RobotsFile {
    origin: String,
    url: Url,
    redirects: u32,
    tries: u32,
}

/// The work that all threads share.
pub(crate) struct Crawl<'a> {
    settings: &'a FetchSettings,
    links: &'a Links,
    hosts: Hosts<Job>,
    origins: Origins<Box<Page>>,
    /// Pages that links redirected to (normalised), with the link.
    redirected: Mutex<HashMap<String, u32>>,
    store: Mutex<Store>,
    counts: Mutex<BTreeMap<Outcome, u64>>,
    bytes: AtomicU64,
    stopping: AtomicBool,
    failure: Mutex<Option<FetchError>>,
}

/// Locks even when the last holder panicked: that panic ends the program when its thread is joined.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Result<T> = std::result::Result<T, FetchError>;
/// Delay before the next request to the host; `None` if no request was made.
type Rest = Option<Duration>;

impl<'a> Crawl<'a> {
    /// Queues every link that has not ended.
    pub(crate) fn new(settings: &'a FetchSettings, links: &'a Links, store: Store, known: Known) -> Self {
        let hosts = Hosts::new();
        let mut counts = BTreeMap::new();
        for (place, (link, _)) in (0..).zip(links.iter()) {
            match known.ended.get(place as usize).copied().flatten() {
                Some(outcome) => *counts.entry(outcome).or_default() += 1,
                None => hosts.add(
                    &Url::parse(link).map_or_else(|_| String::new(), |url| host(&url)),
                    Job::Link(place),
                ),
            }
        }
        let redirected =
            known.redirects.into_iter().filter_map(|(url, link)| Some((normalise_url(&url)?, link)));
        Self {
            settings,
            links,
            hosts,
            origins: Origins::new(),
            redirected: Mutex::new(redirected.collect()),
            store: Mutex::new(store),
            counts: Mutex::new(counts),
            bytes: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    /// Serves queued requests until there are none.
    pub(crate) fn work(&self, client: &Client) {
        while let Some(Turn { host, job }) = self.hosts.next_turn() {
            let rest = self.take_turn(client, host, job).unwrap_or_else(|error| {
                lock(&self.failure).get_or_insert(error);
                self.stop();
                None
            });
            self.hosts.end_turn(host, rest);
        }
    }

    /// Ends the work; links in flight stay unfinished.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.hosts.close();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// How many links have ended each way, those of earlier calls among them.
    pub(crate) fn counts(&self) -> BTreeMap<Outcome, u64> {
        lock(&self.counts).clone()
    }

    /// Bytes that this call added to the archive.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The host with the most links that have not ended, and how many.
    pub(crate) fn longest(&self) -> Option<(String, usize)> {
        self.hosts.longest()
    }

    /// Flushes log and archive to the disk, or returns the failure that ended the crawl.
    pub(crate) fn finish(self) -> Result<()> {
        match lock(&self.failure).take() {
            Some(error) => Err(error),
            None => lock(&self.store).sync(),
        }
    }

    fn take_turn(&self, client: &Client, host: u32, job: Job) -> Result<Rest> {
        let page = match job {
            Job::Robots(file) => return self.ask_for_robots(client, host, file),
            Job::Page(page) => page,
            Job::Link(link) => {
                let url = self.links.at(link).and_then(|(url, _)| web(Url::parse(url).ok()?));
                match url {
                    Some(url) => Box::new(Page { link, url, redirects: Vec::new(), tries: 0 }),
                    None => {
                        self.end(link, Vec::new(), Outcome::NotWeb, String::new())?;
                        return Ok(None);
                    }
                }
            }
        };
        let origin = origin(&page.url);
        let mut robots_txt = page.url.clone();
        robots_txt.set_path("/robots.txt");
        robots_txt.set_query(None);
        match self.origins.admit(&origin, page) {
            Admission::Waits => Ok(None),
            Admission::AskFirst => {
                let file = RobotsFile { url: robots_txt, origin, redirects: 0, tries: 0 };
                self.ask_for_robots(client, host, Box::new(file))
            }
            Admission::Verdict(page, verdict) => match verdict.forbids(&page.url) {
                Some(why) => self.end_page(*page, why.outcome, why.detail).map(|()| None),
                None => self.ask_for_page(client, host, page, self.settings.rest(verdict.rest())),
            },
        }
    }

    fn ask_for_page(&self, client: &Client, host: u32, page: Box<Page>, rest: Duration) -> Result<Rest> {
        let answer = client.get(&page.url, Want::Page);
        if answer.is_err() && self.is_stopping() {
            return Ok(None);
        }
        let (trouble, pause) = match answer {
            Ok(answer) if is_page_status(answer.status) => {
                self.hosts.succeeded(host);
                self.store(*page, &answer)?;
                return Ok(Some(rest));
            }
            Ok(Answer { location: Some(location), .. }) => {
                self.hosts.succeeded(host);
                self.redirect(page, &location)?;
                return Ok(Some(rest));
            }
            Ok(Answer { status, pause, .. }) => {
                (Trouble { outcome: Outcome::Status { status }, detail: String::new() }, pause)
            }
            Err(trouble) => (trouble, None),
        };
        match self.after(&trouble, host, page.tries, pause) {
            After::Again(pause) => {
                let name = self::host(&page.url);
                self.hosts.put_first(&name, Job::Page(Box::new(Page { tries: page.tries + 1, ..*page })));
                Ok(Some(rest.max(pause)))
            }
            After::Later(why) => {
                self.end_page(*page, trouble.outcome, trouble.detail)?;
                for job in self.hosts.take_all(host) {
                    self.give_up(job, &why)?;
                }
                Ok(Some(rest))
            }
            After::No => self.end_page(*page, trouble.outcome, trouble.detail).map(|()| Some(rest)),
        }
    }

    /// Whether a failed request is retried, and whether the host is given up.
    fn after(&self, trouble: &Trouble, host: u32, tries: u32, pause: Option<Duration>) -> After {
        let Trouble { outcome, detail } = trouble;
        if !outcome.is_worth_a_retry() {
            // A server that says "not found" is a server that works.
            if matches!(outcome, Outcome::Status { .. }) {
                self.hosts.succeeded(host);
            }
            return After::No;
        }
        if let Some(pause) = pause.filter(|pause| *pause > MAX_PAUSE) {
            return After::Later(format!("{outcome}: asked for a pause of {} s", pause.as_secs()));
        }
        if tries < self.settings.retries {
            let backoff = self.settings.backoff.saturating_mul(2u32.saturating_pow(tries));
            return After::Again(pause.unwrap_or(backoff).min(MAX_PAUSE));
        }
        if self.hosts.failed(host) >= MAX_FAILURES {
            return After::Later(format!(
                "{MAX_FAILURES} links in a row failed, the last: {outcome} {detail}"
            ));
        }
        After::No
    }

    /// Ends a job that was not begun.
    fn give_up(&self, job: Job, why: &str) -> Result<()> {
        match job {
            Job::Link(link) => self.end(link, Vec::new(), Outcome::HostGivenUp, why.to_owned()),
            Job::Page(page) => self.end_page(*page, Outcome::HostGivenUp, why.to_owned()),
            Job::Robots(file) => {
                let why = Trouble { outcome: Outcome::RobotsUnavailable, detail: why.to_owned() };
                self.settle(&file.origin, Verdict::Closed(why));
                Ok(())
            }
        }
    }

    /// Follows a redirection, unless it leads in a circle, too far, or to the page of another link.
    fn redirect(&self, mut page: Box<Page>, location: &str) -> Result<()> {
        let Some(target) = page.url.join(location).ok().and_then(web) else {
            return self.end_page(*page, Outcome::NotWeb, location.to_owned());
        };
        if page.redirects.len() >= self.settings.redirects as usize
            || target == page.url
            || page.redirects.iter().any(|passed| *passed == target.as_str())
        {
            return self.end_page(*page, Outcome::TooManyRedirects, target.into());
        }
        let owner = self.links.place(target.as_str()).or_else(|| {
            let normal = normalise_url(target.as_str())?;
            Some(*lock(&self.redirected).entry(normal).or_insert(page.link))
        });
        if owner.is_some_and(|owner| owner != page.link) {
            return self.end_page(*page, Outcome::SamePage, target.into());
        }
        page.redirects.push(target.to_string());
        let name = host(&target);
        (page.url, page.tries) = (target, 0);
        self.hosts.put_first(&name, Job::Page(page));
        Ok(())
    }

    fn ask_for_robots(&self, client: &Client, host: u32, mut file: Box<RobotsFile>) -> Result<Rest> {
        let answer = client.get(&file.url, Want::Robots);
        if answer.is_err() && self.is_stopping() {
            return Ok(None);
        }
        let rest = self.settings.delay;
        let (trouble, pause) = match answer {
            Ok(Answer { location: Some(location), .. }) => {
                self.hosts.succeeded(host);
                let target = file.url.join(&location).ok().and_then(web);
                match target.filter(|_| file.redirects < MAX_REDIRECTS) {
                    Some(target) => {
                        let name = self::host(&target);
                        (file.url, file.redirects, file.tries) = (target, file.redirects + 1, 0);
                        self.hosts.put_first(&name, Job::Robots(file));
                    }
                    None => self.settle(&file.origin, Verdict::open()),
                }
                return Ok(Some(rest));
            }
            Ok(answer) if (200..300).contains(&answer.status) => {
                self.hosts.succeeded(host);
                let verdict = Verdict::of_answer(&answer.exchange.response);
                let rest = self.settings.rest(verdict.rest());
                self.settle(&file.origin, verdict);
                return Ok(Some(rest));
            }
            // There is none. (429 says something else.)
            Ok(Answer { status, .. }) if status < 500 && status != 429 => {
                self.hosts.succeeded(host);
                self.settle(&file.origin, Verdict::open());
                return Ok(Some(rest));
            }
            Ok(Answer { status, pause, .. }) => {
                (Trouble { outcome: Outcome::Status { status }, detail: String::new() }, pause)
            }
            Err(trouble) => (trouble, None),
        };
        if let After::Again(pause) = self.after(&trouble, host, file.tries, pause) {
            let name = self::host(&file.url);
            file.tries += 1;
            self.hosts.put_first(&name, Job::Robots(file));
            return Ok(Some(rest.max(pause)));
        }
        let Trouble { outcome, detail } = trouble;
        let why = match outcome {
            Outcome::Status { status } => {
                Trouble { outcome: Outcome::RobotsUnavailable, detail: format!("status {status}") }
            }
            // The host is there: it is its robots.txt that fails.
            outcome if outcome.is_worth_a_retry() => {
                Trouble { outcome, detail: format!("robots.txt: {detail}") }
            }
            outcome => Trouble { outcome, detail },
        };
        self.settle(&file.origin, Verdict::Closed(why));
        Ok(Some(rest))
    }

    /// Records what an origin allows and queues the pages that waited for it.
    fn settle(&self, origin: &str, verdict: Verdict) {
        for page in self.origins.settle(origin, verdict).into_iter().rev() {
            self.hosts.put_first(&host(&page.url), Job::Page(page));
        }
    }

    /// Writes a page to the archive, if it is one.
    fn store(&self, page: Page, answer: &Answer) -> Result<()> {
        if !may_be_page(&answer.content_type) {
            return self.end_page(page, Outcome::OtherContent, answer.content_type.clone());
        }
        let link = self.links.at(page.link).and_then(|(url, _)| web(Url::parse(url).ok()?));
        let link = link.filter(|link| *link != page.url);
        let date = utc(SystemTime::now());
        let Exchange { request, response } = &answer.exchange;
        let records =
            page_records(page.url.as_str(), link.as_ref().map(Url::as_str), &date, request, response);
        let entry = self.entry(page.link, page.redirects, Outcome::Fetched, String::new(), date);
        lock(&self.store).page(entry, &records)?;
        self.bytes.fetch_add(records.len() as u64, Ordering::Relaxed);
        self.count(Outcome::Fetched);
        Ok(())
    }

    fn end_page(&self, page: Page, outcome: Outcome, detail: String) -> Result<()> {
        self.end(page.link, page.redirects, outcome, detail)
    }

    /// Logs what became of a link that was not fetched.
    fn end(&self, link: u32, redirects: Vec<String>, outcome: Outcome, detail: String) -> Result<()> {
        let entry = self.entry(link, redirects, outcome, detail, utc(SystemTime::now()));
        lock(&self.store).note(&entry)?;
        self.count(outcome);
        Ok(())
    }

    fn entry(
        &self,
        link: u32,
        redirects: Vec<String>,
        outcome: Outcome,
        detail: String,
        date: String,
    ) -> Entry {
        let (url, score) = self.links.at(link).unwrap_or_default();
        Entry { link: url.to_owned(), score, outcome, detail, redirects, date, place: None }
    }

    fn count(&self, outcome: Outcome) {
        *lock(&self.counts).entry(outcome).or_default() += 1;
        self.hosts.end_one();
    }
}

/// What follows from a failure.
enum After {
    /// The request is retried after a pause.
    Again(Duration),
    /// The host is given up, for this reason.
    Later(String),
    /// The link has failed.
    No,
}

/// An HTTP URL as it is requested: without fragment, user name and password.
fn web(mut url: Url) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    url.set_fragment(None);
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    Some(url)
}

/// The host whose requests are spaced: its name, whatever the scheme and port.
fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The origin that one robots.txt applies to.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

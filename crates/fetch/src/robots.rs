//! What the robots.txt of each origin allows, asked for once a day.

use crate::client::Trouble;
use crate::outcome::Outcome;
use robotxt::{AccessResult, Robots};
use scalelaw_archive::Response;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// The name that sites know this program by in their robots.txt.
pub(crate) const ROBOT: &str = "scalelaw";
/// A site that asks for a longer delay is given up.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(300);
/// Most redirections of a robots.txt (RFC 9309, section 2.3.1.2).
pub(crate) const MAX_REDIRECTS: u32 = 5;
/// How long a robots.txt is cached (section 2.4).
const GOOD_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Most bytes that a compressed one is decompressed to.
const UNPACKED: usize = 16 << 20;

/// What an origin allows.
#[derive(Debug)]
pub(crate) enum Verdict {
    Rules(Robots),
    /// Nothing, and why.
    Closed(Trouble),
}

impl Verdict {
    /// There is none, or none was reached by the redirections that are followed: everything is allowed.
    pub(crate) fn open() -> Self {
        Self::of(AccessResult::Unavailable)
    }

    /// What the file in this answer says; the answer with its head, as it came.
    pub(crate) fn of_answer(answer: &[u8]) -> Self {
        match Response::parse(answer).ok().as_ref().and_then(|response| response.body(UNPACKED)) {
            Some(text) => Self::of(AccessResult::Successful(&text)),
            None => {
                let detail = "robots.txt: not an answer that can be read".to_owned();
                Self::Closed(Trouble { outcome: Outcome::RobotsUnavailable, detail })
            }
        }
    }

    fn of(access: AccessResult<'_>) -> Self {
        let rules = Robots::from_access(access, ROBOT);
        match rules.crawl_delay().filter(|delay| *delay > MAX_PAUSE) {
            Some(delay) => {
                let (asked, most) = (delay.as_secs(), MAX_PAUSE.as_secs());
                let detail = format!("robots.txt asks for {asked} s between requests, more than {most} s");
                Self::Closed(Trouble { outcome: Outcome::Robots, detail })
            }
            None => Self::Rules(rules),
        }
    }

    /// The delay between requests that it asks for.
    pub(crate) fn rest(&self) -> Option<Duration> {
        match self {
            Self::Rules(rules) => rules.crawl_delay(),
            Self::Closed(_) => None,
        }
    }

    /// Why this page may not be requested, if it may not.
    pub(crate) fn forbids(&self, url: &Url) -> Option<Trouble> {
        match self {
            Self::Rules(rules) if rules.is_url_allowed(url) => None,
            Self::Rules(_) => Some(Trouble { outcome: Outcome::Robots, detail: url.to_string() }),
            Self::Closed(why) => Some(why.clone()),
        }
    }
}

/// The origins seen so far, with the pages that wait for their verdicts.
#[derive(Debug)]
pub(crate) struct Origins<P>(Mutex<HashMap<String, Origin<P>>>);

#[derive(Debug)]
enum Origin<P> {
    Asked(Vec<P>),
    Known { verdict: Arc<Verdict>, since: Instant },
}

/// What to do with a page.
#[derive(Debug)]
pub(crate) enum Admission<P> {
    /// Its origin says this.
    Verdict(P, Arc<Verdict>),
    /// It waits for the verdict.
    Waits,
    /// It waits too, and the robots.txt must be requested first.
    AskFirst,
}

impl<P> Origins<P> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Admits a page, or queues it until its origin's verdict is known.
    pub(crate) fn admit(&self, origin: &str, page: P) -> Admission<P> {
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match origins.get_mut(origin) {
            Some(Origin::Asked(waiting)) => {
                waiting.push(page);
                Admission::Waits
            }
            Some(Origin::Known { verdict, since }) if since.elapsed() < GOOD_FOR => {
                Admission::Verdict(page, Arc::clone(verdict))
            }
            _ => {
                origins.insert(origin.to_owned(), Origin::Asked(vec![page]));
                Admission::AskFirst
            }
        }
    }

    /// Records a verdict; returns the pages that waited for it.
    pub(crate) fn settle(&self, origin: &str, verdict: Verdict) -> Vec<P> {
        let known = Origin::Known { verdict: Arc::new(verdict), since: Instant::now() };
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match origins.insert(origin.to_owned(), known) {
            Some(Origin::Asked(waiting)) => waiting,
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pages_wait_for_the_verdict_of_their_origin() {
        let origins = Origins::new();
        assert!(matches!(origins.admit("http://a.example", 1), Admission::AskFirst));
        assert!(matches!(origins.admit("http://a.example", 2), Admission::Waits));
        assert!(matches!(origins.admit("https://a.example", 3), Admission::AskFirst), "another origin");
        assert_eq!(origins.settle("http://a.example", Verdict::open()), [1, 2]);
        assert!(matches!(origins.admit("http://a.example", 4), Admission::Verdict(4, _)));
        assert!(origins.settle("http://a.example", Verdict::open()).is_empty());
    }

    #[test]
    fn verdict_of_a_file_forbids_what_it_says() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\n\xef\xbb\xbfUSER-AGENT: * # all\rDisallow: /*.pdf$\r\nDisallow: /b%C3%BC\nAllow: /b\xc3\xbcr\n";
        let verdict = Verdict::of_answer(answer);
        let forbids = |url: &str| verdict.forbids(&Url::parse(url).unwrap()).map(|why| why.outcome);
        assert_eq!(forbids("http://a.example/x.pdf"), Some(Outcome::Robots));
        assert_eq!(forbids("http://a.example/x.pdf?page=1"), None);
        assert_eq!(forbids("http://a.example/b\u{fc}"), Some(Outcome::Robots));
        assert_eq!(forbids("http://a.example/b%c3%bcro"), None, "the longer rule");
        assert_eq!(verdict.rest(), None);
    }

    proptest! {
        #[test]
        fn verdict_of_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "(?s)[ -~\n:*$%]{0,100}") {
            let url = Url::parse("http://a.example/some/page?x=y").unwrap();
            let _ = Verdict::of_answer(&bytes).forbids(&url);
            let rules = format!("HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: {text}\nCrawl-delay: {text}\n");
            let _ = Verdict::of_answer(rules.as_bytes()).forbids(&url);
        }
    }
}

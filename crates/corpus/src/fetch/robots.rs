//! What the robots.txt of each origin allows, asked for once a day.

use super::client::Trouble;
use super::outcome::Outcome;
use crate::warc::Response;
use robotxt::{AccessResult, Robots};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// The name that sites know this program by in their robots.txt.
pub(super) const ROBOT: &str = "scalelaw";
/// A site that asks for a longer pause is not waited for.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(300);
/// A robots.txt may be redirected as often (RFC 9309, section 2.3.1.2).
pub(super) const MAX_REDIRECTS: u32 = 5;
/// It is asked for again after a day (section 2.4).
const GOOD_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// One that came packed is unpacked so far.
const UNPACKED: usize = 16 << 20;

/// What an origin allows.
#[derive(Debug)]
pub(super) enum Verdict {
    Rules(Robots),
    /// Nothing, and why.
    Closed(Trouble),
}

impl Verdict {
    /// There is none, or none was reached by the redirections that are followed: everything is allowed.
    pub(super) fn open() -> Self {
        Self::of(AccessResult::Unavailable)
    }

    /// What the file in this answer says; the answer with its head, as it came.
    pub(super) fn of_answer(answer: &[u8]) -> Self {
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

    /// The rest between requests that it asks for.
    pub(super) fn rest(&self) -> Option<Duration> {
        match self {
            Self::Rules(rules) => rules.crawl_delay(),
            Self::Closed(_) => None,
        }
    }

    /// Why this page is not asked for, if it is not.
    pub(super) fn forbids(&self, url: &Url) -> Option<Trouble> {
        match self {
            Self::Rules(rules) if rules.is_url_allowed(url) => None,
            Self::Rules(_) => Some(Trouble { outcome: Outcome::Robots, detail: url.to_string() }),
            Self::Closed(why) => Some(why.clone()),
        }
    }
}

/// The origins that were met, with the pages that wait for their verdicts.
#[derive(Debug)]
pub(super) struct Origins<P>(Mutex<HashMap<String, Origin<P>>>);

#[derive(Debug)]
enum Origin<P> {
    Asked(Vec<P>),
    Known { verdict: Arc<Verdict>, since: Instant },
}

/// What is to be done with a page.
#[derive(Debug)]
pub(super) enum Admission<P> {
    /// Its origin says this.
    Verdict(P, Arc<Verdict>),
    /// It waits for the verdict.
    Waits,
    /// It waits too, and the robots.txt is to be asked for.
    AskFirst,
}

impl<P> Origins<P> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Asks on behalf of a page.
    pub(super) fn admit(&self, origin: &str, page: P) -> Admission<P> {
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

    /// Takes down a verdict; returns the pages that waited for it.
    pub(super) fn settle(&self, origin: &str, verdict: Verdict) -> Vec<P> {
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

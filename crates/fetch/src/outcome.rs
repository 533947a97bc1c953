//! What can become of a link.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of a link. Every link ends in one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Its page is in the archive.
    Fetched,
    /// It redirects to the page of another link.
    SamePage,
    /// The site's robots.txt disallows it.
    Robots,
    /// The site's robots.txt is temporarily unavailable, which counts as disallowed.
    RobotsUnavailable,
    /// Its host is not on the public internet.
    PrivateAddress,
    /// The server answered with another status than 200 or 203.
    Status {
        /// The status.
        status: u16,
    },
    /// Not a page: a picture, a film.
    OtherContent,
    /// Longer than the limit.
    TooLarge,
    /// Redirected too often.
    TooManyRedirects,
    /// Redirected to something other than an HTTP address.
    NotWeb,
    /// The host's name has no address.
    Dns,
    /// It took longer than the limit.
    Timeout,
    /// The connection failed, or what came is not HTTP.
    Connection,
    /// TLS failed: an invalid certificate, for example.
    Tls,
    /// Not tried: its host failed too often in a row, or asked for too long a delay.
    HostGivenUp,
}

impl Outcome {
    /// Whether the page may be available on another day.
    pub fn is_temporary(self) -> bool {
        match self {
            Self::RobotsUnavailable | Self::Dns | Self::Tls | Self::HostGivenUp => true,
            _ => self.is_worth_a_retry(),
        }
    }

    /// Whether the page may be available in a minute.
    pub(crate) fn is_worth_a_retry(self) -> bool {
        match self {
            Self::Timeout | Self::Connection => true,
            Self::Status { status } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fetched => "fetched",
            Self::SamePage => "redirects to the page of another link",
            Self::Robots => "robots.txt disallows",
            Self::RobotsUnavailable => "robots.txt unavailable",
            Self::PrivateAddress => "not on the public internet",
            Self::Status { status } => return write!(f, "status {status}"),
            Self::OtherContent => "not a web page",
            Self::TooLarge => "too large",
            Self::TooManyRedirects => "too many redirects",
            Self::NotWeb => "redirects to another scheme",
            Self::Dns => "host not found",
            Self::Timeout => "timeout",
            Self::Connection => "connection failed",
            Self::Tls => "TLS failed",
            Self::HostGivenUp => "host given up",
        })
    }
}

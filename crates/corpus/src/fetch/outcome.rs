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
    /// The site's robots.txt asks to stay away.
    Robots,
    /// The site's robots.txt cannot be had for now, which asks to stay away too.
    RobotsUnavailable,
    /// Its host is not on the public internet.
    PrivateAddress,
    /// The server answered with another status than 200 or 203.
    Status {
        /// The status.
        status: u16,
    },
    /// No page: a picture, a film.
    OtherContent,
    /// Longer than the limit.
    TooLarge,
    /// Redirected too often.
    TooManyRedirects,
    /// Redirected to something that is not of the web.
    NotWeb,
    /// The host's name has no address.
    Dns,
    /// It took longer than the limit.
    Timeout,
    /// The connection failed, or what came is not HTTP.
    Connection,
    /// The connection cannot be trusted: its certificate, for one.
    Tls,
    /// Not tried: its host failed too often in a row, or asked for too long a pause.
    HostGivenUp,
}

impl Outcome {
    /// Whether another day may bring the page.
    pub fn is_temporary(self) -> bool {
        match self {
            Self::RobotsUnavailable | Self::Dns | Self::Tls | Self::HostGivenUp => true,
            _ => self.is_worth_another_try(),
        }
    }

    /// Whether the next minute may bring the page.
    pub(super) fn is_worth_another_try(self) -> bool {
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
            Self::RobotsUnavailable => "robots.txt cannot be had",
            Self::PrivateAddress => "not on the public internet",
            Self::Status { status } => return write!(f, "status {status}"),
            Self::OtherContent => "no web page",
            Self::TooLarge => "too large",
            Self::TooManyRedirects => "too many redirects",
            Self::NotWeb => "redirects out of the web",
            Self::Dns => "host not found",
            Self::Timeout => "timeout",
            Self::Connection => "connection failed",
            Self::Tls => "TLS failed",
            Self::HostGivenUp => "host given up",
        })
    }
}

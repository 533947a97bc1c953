//! One request and its answer, within limits of time and size.

use crate::FetchSettings;
use crate::outcome::Outcome;
use crate::wire::{Addresses, Exchange, NotPublic, Wire};
use scalelaw_archive::{is_page_status, may_be_page};
use std::io::{ErrorKind, Read};
use std::time::{Duration, SystemTime};
use ureq::http::{HeaderMap, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::{Connector, RustlsConnector, TcpConnector};
use ureq::{Agent, Error};
use url::Url;

/// Limit on resolving a host name, and on connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// How much of a robots.txt is read: its parser takes 500 KiB, as RFC 9309 has it.
const ROBOTS_BYTES: u64 = robotxt::BYTE_LIMIT as u64 + 1;
/// Longest status line and headers together.
const HEAD_BYTES: usize = 64 << 10;

/// What is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// A page, whole or not at all.
    Page,
    /// A robots.txt, or its beginning.
    Robots,
}

/// A server's answer, with its body if that is what was requested.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// Of a redirection.
    pub(crate) location: Option<String>,
    /// How long the server asks clients to wait (`Retry-After`).
    pub(crate) pause: Option<Duration>,
    pub(crate) exchange: Exchange,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

/// Makes one request at a time.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    wire: Wire,
    page_bytes: u64,
}

impl Client {
    pub(crate) fn new(settings: &FetchSettings, roots: &RootCerts) -> Self {
        let config = Agent::config_builder()
            .user_agent(settings.user_agent())
            .accept("text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1")
            .accept_encoding("gzip, br")
            .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
            .http_status_as_error(false)
            .max_redirects(0)
            // The addresses that a proxy contacts cannot be checked.
            .proxy(None)
            // One connection per request: seconds pass between them.
            .max_idle_connections(0)
            .max_response_header_size(HEAD_BYTES)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(settings.timeout))
            .build();
        let wire = Wire::default();
        let connector =
            ().chain(TcpConnector::default()).chain(RustlsConnector::default()).chain(wire.clone());
        let agent = Agent::with_parts(config, connector, Addresses::new(settings.allow_private));
        Self { agent, wire, page_bytes: settings.page_bytes }
    }

    /// Aborts the request in flight and refuses any later one; called from another thread.
    pub(crate) fn interrupt(&self) {
        self.agent.clone().shutdown();
    }

    /// Requests a URL without following redirections.
    pub(crate) fn get(&self, url: &Url, want: Want) -> Result<Answer, Trouble> {
        let limit = match want {
            Want::Page => self.page_bytes,
            Want::Robots => 2 * ROBOTS_BYTES + HEAD_BYTES as u64,
        };
        self.wire.begin(limit);
        let mut request = self.agent.get(url.as_str()).header(header::CONNECTION, "close");
        if want == Want::Robots {
            let accept = "text/plain,*/*;q=0.5";
            request = request.header(header::ACCEPT, accept).header(header::ACCEPT_ENCODING, "identity");
        }
        let response = request.call().map_err(trouble)?;
        let status = response.status().as_u16();
        let headers = response.headers();
        let content_type = text(headers, header::CONTENT_TYPE).unwrap_or_default();
        let location =
            text(headers, header::LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        let pause =
            text(headers, header::RETRY_AFTER).and_then(|value| retry_after(&value, SystemTime::now()));
        let declared = text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let wanted = match want {
            Want::Page if !is_page_status(status) || !may_be_page(&content_type) => 0,
            Want::Page if declared.is_some_and(|length| length > limit) => {
                return Err(trouble(Error::BodyExceedsLimit(limit)));
            }
            Want::Page => u64::MAX,
            Want::Robots if (200..300).contains(&status) => ROBOTS_BYTES,
            Want::Robots => 0,
        };
        // The wire records the bytes.
        let read = std::io::copy(&mut response.into_body().into_reader().take(wanted), &mut std::io::sink());
        read.map_err(|error| trouble(error.into()))?;
        Ok(Answer { status, content_type, location, pause, exchange: self.wire.take() })
    }
}

/// The last header of this name.
fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get_all(name).into_iter().next_back()?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Seconds or a date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            httpdate::parse_http_date(value).ok().map(|date| date.duration_since(now).unwrap_or_default())
        }
    }
}

fn trouble(error: Error) -> Trouble {
    let outcome = match &error {
        Error::Timeout(_) => Outcome::Timeout,
        Error::HostNotFound => Outcome::Dns,
        Error::Other(inner) if inner.is::<NotPublic>() => Outcome::PrivateAddress,
        Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => Outcome::Tls,
        // TLS reports its failures as errors of the stream.
        Error::Io(inner) if inner.kind() == ErrorKind::InvalidData => Outcome::Tls,
        Error::BodyExceedsLimit(_) => Outcome::TooLarge,
        _ => Outcome::Connection,
    };
    let detail = match error {
        Error::Other(inner) => inner.to_string(),
        Error::Io(inner) => inner.to_string(),
        Error::BodyExceedsLimit(limit) => format!("expected at most {limit} bytes with its headers"),
        error => error.to_string(),
    };
    Trouble { outcome, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let case = |value| retry_after(value, now);
        assert_eq!(case(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(case("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(case("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO), "in the past");
        assert_eq!(case("soon"), None);
        assert_eq!(case("-5"), None);
    }
}

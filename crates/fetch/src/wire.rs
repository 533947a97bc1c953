//! Connections that record what is sent and received, to the public internet only.

use crate::address::is_public;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// One exchange of request and response, byte by byte as they were sent (inside the encryption).
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
}

/// The connection of one client, which has one at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    exchange: Exchange,
    /// Longest answer.
    limit: u64,
}

impl Wire {
    /// Begins another exchange, with this limit on the length of the answer.
    pub(crate) fn begin(&self, limit: u64) {
        *self.state() = State { exchange: Exchange::default(), limit };
    }

    /// What was sent and received since.
    pub(crate) fn take(&self) -> Exchange {
        std::mem::take(&mut self.state().exchange)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Bytes are appended at once: there is no half-done state to protect.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last link of the chain that makes a connection.
impl<In: Transport> Connector<In> for Wire {
    type Out = Recorded<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, inner: Option<In>) -> Result<Option<Recorded<In>>, Error> {
        Ok(inner.map(|inner| Recorded { inner, wire: self.clone() }))
    }
}

/// A connection that records every byte.
#[derive(Debug)]
pub(crate) struct Recorded<T> {
    inner: T,
    wire: Wire,
}

impl<T: Transport> Transport for Recorded<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let sent = &self.inner.buffers().output()[..amount];
        self.wire.state().exchange.request.extend_from_slice(sent);
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let known = self.inner.buffers().input().len();
        let more = self.inner.await_input(timeout)?;
        let received = &self.inner.buffers().input()[known..];
        let mut state = self.wire.state();
        state.exchange.response.extend_from_slice(received);
        if state.exchange.response.len() as u64 > state.limit {
            return Err(Error::BodyExceedsLimit(state.limit));
        }
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// Resolves host names and drops addresses that are not public. The connection is made to one of the remaining
/// addresses, without a second look-up.
#[derive(Debug)]
pub(crate) struct Addresses {
    allow_private: bool,
    inner: DefaultResolver,
}

impl Addresses {
    pub(crate) fn new(allow_private: bool) -> Self {
        Self { allow_private, inner: DefaultResolver::default() }
    }
}

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout).map_err(|error| match error {
            // The system's words for an unknown name differ.
            Error::Io(_) => Error::HostNotFound,
            error => error,
        })?;
        if self.allow_private {
            return Ok(found);
        }
        let mut public = self.empty();
        found.iter().filter(|address| is_public(address.ip())).for_each(|address| public.push(*address));
        match found.first() {
            Some(first) if public.is_empty() => Err(Error::Other(Box::new(NotPublic(first.ip())))),
            _ => Ok(public),
        }
    }
}

/// A host has only addresses that are not public.
#[derive(Debug)]
pub(crate) struct NotPublic(IpAddr);

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not an address of the public internet", self.0)
    }
}

impl std::error::Error for NotPublic {}

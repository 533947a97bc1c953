//! Pages fetched from real servers on loopback.

#![allow(clippy::unwrap_used)]

mod answers;
mod politeness;
mod resuming;
#[path = "../server/mod.rs"]
mod server;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use scalelaw_archive::{Item, ReadOptions, Reason};
use scalelaw_core::observer::Silent;
use scalelaw_fetch::{Again, FetchError, FetchReport, FetchSettings, Outcome, fetch_links};
use scalelaw_links::{LinkOptions, Links};
use server::{Act, Server, html, not_found, page, redirect, reply, robots};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);

/// As a user has them, but in a hurry, and on loopback.
fn settings() -> FetchSettings {
    FetchSettings {
        delay: 5 * MS,
        timeout: Duration::from_secs(10),
        backoff: 5 * MS,
        allow_private: true,
        ..FetchSettings::default()
    }
}

fn links(urls: &[String]) -> Links {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("links.txt");
    std::fs::write(&path, urls.join("\n")).unwrap();
    Links::read(&[path], &LinkOptions::default()).unwrap().0
}

fn fetch(urls: &[String], settings: &FetchSettings, out: &Path) -> Result<FetchReport, FetchError> {
    fetch_links(&links(urls), settings, out, &Silent, &|| false)
}

/// The lines of the log, by link.
fn log(out: &Path) -> BTreeMap<String, serde_json::Value> {
    let text = std::fs::read_to_string(out.join("fetch-log.ndjson")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| (line["link"].as_str().unwrap().to_owned(), line)).collect()
}

/// The outcome of each link, in the order of the links.
fn outcomes(urls: &[String], out: &Path) -> Vec<String> {
    let log = log(out);
    let outcome = |url: &String| {
        let line = &log[url];
        let status = line["status"].as_u64().map_or(String::new(), |status| format!(" {status}"));
        line["outcome"].as_str().unwrap().to_owned() + &status
    };
    urls.iter().map(outcome).collect()
}

/// URL and bytes of the pages in the archives.
fn pages(out: &Path) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let options = ReadOptions { page_bytes: 1 << 26, wants: &|_| true };
    for entry in std::fs::read_dir(out).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "gz") {
            continue;
        }
        let archive = std::fs::read(path).unwrap();
        let read = scalelaw_archive::read(&*archive, options, &mut |item| {
            match item {
                Item::Page(page) => {
                    pages.insert(page.url.unwrap(), String::from_utf8(page.bytes).unwrap());
                }
                Item::LeftOut(left) => assert_eq!(left.reason, Reason::NotAPage, "{left:?}"),
            }
            ControlFlow::Continue(())
        });
        let _ = read.unwrap();
    }
    pages
}

/// One link, one server that answers with this and has no robots.txt: the outcome, how often it was asked, and the line.
fn one(settings: &FetchSettings, acts: Vec<Act>) -> (String, usize, serde_json::Value) {
    let server =
        Server::start("127.0.0.1", move |path, _| if path == "/p" { acts.clone() } else { not_found() });
    let dir = tempfile::tempdir().unwrap();
    let urls = [server.url("/p")];
    fetch(&urls, settings, dir.path()).unwrap();
    (outcomes(&urls, dir.path()).remove(0), server.count("/p"), log(dir.path())[&urls[0]].clone())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

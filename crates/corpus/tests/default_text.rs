//! The default text, from the home of the cargo that runs these tests.

#![allow(clippy::unwrap_used)]

use scalelaw_corpus::default_text::CRATES;
use scalelaw_corpus::{DocumentSource, NoDefaultText, cargo_sources};
use std::ops::ControlFlow;
use std::path::PathBuf;

const LOCK: &str = include_str!("../Cargo.lock");

fn cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    )
}

#[test]
fn default_text_is_large_and_is_text() {
    let sources = match cargo_sources(LOCK, &cargo_home()) {
        Ok(sources) => sources,
        // A vendored build has no archives; a wrong list or lock is this project's fault.
        Err(NoDefaultText::Missing(file)) => {
            eprintln!("SKIPPED: cargo's home has no {file}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let (mut documents, mut bytes) = (0, 0);
    let skipped = sources
        .visit(&mut |document| {
            documents += 1;
            bytes += document.text.len();
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(bytes > 15_000_000, "{bytes} bytes of default text");
    eprintln!("{documents} documents, {bytes} bytes; skipped {skipped}");
    assert!(documents > 1000, "{documents} documents");
    assert!(skipped.not_prose > 10 && skipped.not_prose < 200, "{skipped}");
    assert_eq!(sources.sources().unwrap().len(), CRATES.len());
}

#[test]
fn default_text_is_all_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    assert!(
        matches!(cargo_sources(LOCK, home.path()), Err(NoDefaultText::Missing(file)) if file.starts_with("aho"))
    );
    assert!(matches!(cargo_sources("", home.path()), Err(NoDefaultText::NotLocked("aho-corasick"))));
    assert!(matches!(cargo_sources("not toml", home.path()), Err(NoDefaultText::Lock(_))));

    // Every archive is there under the right name, but they are not what the lock file says.
    let folder = home.path().join("registry/cache/somewhere");
    std::fs::create_dir_all(&folder).unwrap();
    let lock: toml::Value = toml::from_str(LOCK).unwrap();
    for package in lock["package"].as_array().unwrap() {
        let (name, version) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        std::fs::write(folder.join(format!("{name}-{version}.crate")), "another file").unwrap();
    }
    let error = cargo_sources(LOCK, home.path()).unwrap_err();
    assert!(matches!(&error, NoDefaultText::Different(file) if file.starts_with("aho-corasick")), "{error}");
}

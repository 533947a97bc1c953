//! Real web archives, the malformed ones included.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use scalelaw_corpus::{CorpusError, Found, LeftOut, RawDocument, ReadOptions, Skipped, units};
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The archives outside the repository, or `None` with a loud word.
fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join("text/warc-samples");
    if !path.exists() {
        eprintln!("SKIPPED: no shared data at {}", path.display());
        return None;
    }
    Some(path)
}

fn read(path: &Path) -> Result<(Vec<RawDocument>, Vec<LeftOut>), CorpusError> {
    let (mut raw, mut left) = (vec![], vec![]);
    for unit in units(&[path.to_path_buf()])?.units {
        let _ = unit.visit(&ReadOptions::default(), &mut |found| {
            match found {
                Found::Raw(document) => raw.push(document),
                Found::Left(out) => left.push(out),
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok((raw, left))
}

/// A line a sample: how many pages, their bytes, and what was left out; or why it cannot be read.
#[test]
fn archive_samples_are_read_or_refused_with_a_clear_message() {
    let Some(folder) = shared() else { return };
    let mut samples: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.retain(|path| path.extension().is_none_or(|ending| ending != "md"));
    samples.sort();
    let mut summary = String::new();
    for path in &samples {
        let name = path.file_name().unwrap().to_string_lossy();
        match read(path) {
            Ok((raw, left)) => {
                let mut skipped = Skipped::default();
                left.iter().for_each(|left| skipped.count(left.reason));
                let bytes: usize = raw.iter().map(RawDocument::bytes).sum();
                writeln!(summary, "{name}: {} pages of {bytes} bytes; left out: {skipped}", raw.len())
                    .unwrap();
                for left in left.iter().filter(|left| left.reason == scalelaw_corpus::Reason::BrokenRecord) {
                    assert_eq!(left.file, name);
                    writeln!(summary, "    at {}: {}", left.record, left.detail).unwrap();
                }
            }
            Err(error) => {
                let message = error.to_string();
                assert!(message.starts_with(&*path.to_string_lossy()), "{message}");
                writeln!(summary, "{name}: refused: {}", &message[path.to_string_lossy().len()..]).unwrap();
            }
        }
    }
    assert_eq!(samples.len(), 39);
    assert_eq!(summary, include_str!("archives.txt"), "\n{summary}");
}

/// One page as Common Crawl took it, as a response and as the text that Common Crawl made of it.
#[test]
fn archive_page_comes_with_its_provenance_and_text() {
    let Some(folder) = shared() else { return };
    let (raw, _) = read(&folder.join("whirlwind-python__whirlwind.warc.gz")).unwrap();
    let [page] = <[RawDocument; 1]>::try_from(raw).unwrap();
    let document = page.into_document().unwrap();
    let origin = document.origin.unwrap();
    assert_eq!(origin.url.as_deref(), Some("https://an.wikipedia.org/wiki/Escopete"));
    assert_eq!(origin.date.as_deref(), Some("2024-05-18T01:58:10Z"));
    assert_eq!((origin.charset.as_deref(), origin.language.as_deref()), (Some("UTF-8"), Some("an")));
    assert!(origin.title.unwrap().starts_with("Escopete") && origin.record > 0);
    assert!(document.text.contains("\n\nEscopete ye un municipio d'a provincia"), "{}", document.text);
    let (text, _) = read(&folder.join("whirlwind-python__whirlwind.warc.wet.gz")).unwrap();
    assert!(text[0].clone().into_document().unwrap().text.contains("Escopete ye un municipio"));
}

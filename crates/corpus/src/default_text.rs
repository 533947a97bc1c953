//! The default text: source code and documentation of permissively licensed Rust crates. Every machine that built this
//! program has them in cargo's home.

use crate::document::Document;
use crate::error::CorpusError;
use crate::read::Skipped;
use crate::source::DocumentSource;
use scalelaw_tokens::Source;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

/// The crates: dependencies of this program on every target, with much documentation, under MIT, Apache-2.0,
/// BSD-2-Clause or Unlicense (each checked; most are "MIT OR Apache-2.0").
pub const CRATES: [&str; 20] = [
    "aho-corasick",
    "chrono",
    "clap_builder",
    "fancy-regex",
    "flate2",
    "itertools",
    "memchr",
    "num-bigint",
    "parquet",
    "rayon",
    "regex",
    "regex-automata",
    "regex-syntax",
    "serde",
    "serde_json",
    "statrs",
    "syn",
    "tokenizers",
    "winnow",
    "zerocopy",
];

/// Files with a larger share of characters that are neither letters nor white space are skipped: they are Unicode tables,
/// tables of numbers or test vectors.
const MAX_NON_LETTERS: f64 = 0.40;

/// The default text, with every archive found and checked.
#[derive(Clone, Debug)]
pub struct CrateSources {
    crates: Vec<CheckedCrate>,
}

#[derive(Clone, Debug)]
struct CheckedCrate {
    name: String,
    sha256: String,
    archive: Vec<u8>,
}

/// Why there is no default text on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDefaultText {
    /// The lock file cannot be read.
    #[error("the lock file is not valid TOML: {0}")]
    Lock(String),
    /// The lock file has no such crate with a checksum.
    #[error("the lock file names no checksum for `{0}`")]
    NotLocked(&'static str),
    /// Cargo's home does not have it.
    #[error("cargo's home has no {0}")]
    Missing(String),
    /// Cargo's home has another file under its name.
    #[error("{0} in cargo's home is not the file that the lock file names")]
    Different(String),
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// Finds the default text of a lock file in cargo's home: all of it, or the reason why it is not there.
///
/// `lock` is the text of the `Cargo.lock` that the program was built with; every archive's SHA-256 is
/// compared with it, so the text is the same wherever the lock file is.
///
/// # Errors
/// The first crate that is missing or differs.
pub fn cargo_sources(lock: &str, cargo_home: &Path) -> Result<CrateSources, NoDefaultText> {
    let lock: Lock = toml::from_str(lock).map_err(|error| NoDefaultText::Lock(error.to_string()))?;
    let cache = cargo_home.join("registry").join("cache");
    let mut folders: Vec<_> =
        std::fs::read_dir(cache).into_iter().flatten().flatten().map(|e| e.path()).collect();
    folders.sort();
    let crates = CRATES.iter().map(|name| {
        // Lock files are sorted, so the last of several versions is the newest.
        let package = lock.package.iter().rfind(|package| package.name == *name);
        let Some((package, Some(checksum))) = package.map(|p| (p, &p.checksum)) else {
            return Err(NoDefaultText::NotLocked(name));
        };
        let file = format!("{name}-{}.crate", package.version);
        let mut archives =
            folders.iter().filter_map(|folder| std::fs::read(folder.join(&file)).ok()).peekable();
        if archives.peek().is_none() {
            return Err(NoDefaultText::Missing(file));
        }
        match archives.find(|archive| hex(&Sha256::digest(archive)) == *checksum) {
            Some(archive) => Ok(CheckedCrate {
                name: format!("{name} {}", package.version),
                sha256: checksum.clone(),
                archive,
            }),
            None => Err(NoDefaultText::Different(file)),
        }
    });
    Ok(CrateSources { crates: crates.collect::<Result<_, _>>()? })
}

impl DocumentSource for CrateSources {
    fn sources(&self) -> Result<Vec<Source>, CorpusError> {
        let describe = |checked: &CheckedCrate| Source {
            name: checked.name.clone(),
            bytes: checked.archive.len() as u64,
            digest: format!("sha256:{}", checked.sha256),
        };
        Ok(self.crates.iter().map(describe).collect())
    }

    fn visit(&self, visit: &mut dyn FnMut(Document) -> ControlFlow<()>) -> Result<Skipped, CorpusError> {
        let mut skipped = Skipped::default();
        for checked in &self.crates {
            let flow = visit_archive(&checked.archive, &mut skipped, visit)
                .map_err(CorpusError::io(Path::new(&checked.name), "unpack"))?;
            if flow.is_break() {
                break;
            }
        }
        Ok(skipped)
    }
}

/// The `.rs` and `.md` files of a crate's archive, in the order of the archive.
fn visit_archive(
    archive: &[u8],
    skipped: &mut Skipped,
    visit: &mut dyn FnMut(Document) -> ControlFlow<()>,
) -> std::io::Result<ControlFlow<()>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if !matches!(path.extension().and_then(|e| e.to_str()), Some("rs" | "md")) {
            skipped.other_kind += 1;
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let Ok(text) = String::from_utf8(bytes) else {
            skipped.invalid_utf8 += 1;
            continue;
        };
        if is_not_prose(&text) {
            skipped.not_prose += 1;
        } else if let Some(reason) = crate::read::problem(&text) {
            skipped.count(reason);
        } else if visit(Document::new(text)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn is_not_prose(text: &str) -> bool {
    let (mut letters, mut others) = (0u64, 0u64);
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if c.is_alphabetic() { letters += 1 } else { others += 1 }
    }
    others as f64 > MAX_NON_LETTERS * (letters + others) as f64
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! A finished dataset, opened for reading.

use crate::error::TokensError;
use crate::manifest::{FORMAT_VERSION, Manifest, Split};
use crate::tokens::{Tokens, Width};
use scalelaw_files::FileError;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Token files up to this size have their digest checked by [`Dataset::open`] (about 0.3 s of one core for
/// the largest); larger ones only their size: [`Dataset::verify`] reads them whole.
const DIGEST_AT_OPEN: u64 = 1 << 30;

/// A dataset directory whose manifest and files agree.
#[derive(Clone, Debug)]
pub struct Dataset {
    dir: PathBuf,
    manifest: Manifest,
    splits: [Tokens; 3],
    token_bytes: Arc<[u16]>,
}

impl Dataset {
    /// Opens a dataset and checks every file's size, and its digest where the file is below 1 GiB.
    ///
    /// # Errors
    /// Names the file that is missing, damaged or of another format.
    pub fn open(dir: &Path) -> Result<Self, TokensError> {
        let manifest = read_manifest(dir)?;
        let width = Width::of(manifest.n_vocab);
        let open = |split: Split| -> Result<Tokens, TokensError> {
            let path = dir.join(split.file_name());
            let tokens = Tokens::open(&path, width, split.name())?;
            let expected = manifest.splits.get(split).tokens.saturating_mul(width.bytes());
            check_size(&path, tokens.mapped(), expected)?;
            if expected <= DIGEST_AT_OPEN {
                check_digest(&path, tokens.mapped(), &manifest.splits.get(split).blake3)?;
            }
            Ok(tokens)
        };
        let splits = [open(Split::Train)?, open(Split::Valid)?, open(Split::Test)?];
        let token_bytes = read_token_bytes(dir, &manifest)?;
        Ok(Self { dir: dir.to_path_buf(), manifest, splits, token_bytes })
    }

    /// Reads every token: digests of all files, and every id inside the vocabulary.
    ///
    /// # Errors
    /// Names the damaged file.
    pub fn verify(&self) -> Result<(), TokensError> {
        for split in Split::ALL {
            let tokens = self.tokens(split);
            let path = self.dir.join(split.file_name());
            check_digest(&path, tokens.mapped(), &self.manifest.splits.get(split).blake3)?;
            if let Some(&token) = tokens.to_vec().iter().find(|&&t| t >= self.manifest.n_vocab) {
                return Err(TokensError::TokenOutOfRange { token, n_vocab: self.manifest.n_vocab });
            }
        }
        Ok(())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Identity of the dataset for a run key; see [`Manifest::digest`].
    pub fn digest(&self) -> String {
        self.manifest.digest()
    }

    /// The tokens of a split.
    pub fn tokens(&self, split: Split) -> Tokens {
        self.splits[split as usize].clone()
    }

    /// The training tokens.
    pub fn train(&self) -> Tokens {
        self.tokens(Split::Train)
    }

    /// The nested training subset D/2^k: a prefix of the training tokens, half of subset k − 1.
    ///
    /// Documents lie in a fixed random order, so every prefix is an unbiased sample.
    pub fn subset(&self, k: u32) -> Tokens {
        let n_tokens = self.train().len().checked_shr(k).unwrap_or(0);
        self.train().prefix(n_tokens).expect("a right shift never exceeds the length")
    }

    /// Bytes of text behind each token id; 0 for the end-of-text token.
    pub fn token_bytes(&self) -> &[u16] {
        &self.token_bytes
    }
}

/// Name of the manifest's file.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Name of the file of byte lengths.
pub(crate) const TOKEN_BYTES: &str = "token_bytes.bin";

fn read_manifest(dir: &Path) -> Result<Manifest, TokensError> {
    let path = dir.join(MANIFEST);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(TokensError::NoManifest { dir: dir.to_path_buf() });
        }
        Err(error) => return Err(FileError::new(&path, "read")(error).into()),
    };
    let broken = |source| TokensError::Manifest { path: path.clone(), source };
    // The version first: a manifest of another format need not parse as ours.
    let any: serde_json::Value = serde_json::from_slice(&text).map_err(broken)?;
    let format = &any["format"];
    if *format != FORMAT_VERSION {
        return Err(TokensError::ManifestValue {
            path,
            key: "format",
            found: format.to_string(),
            expected: FORMAT_VERSION.to_string(),
        });
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(broken)?;
    if manifest.n_vocab < 2 || manifest.end_of_text >= manifest.n_vocab {
        return Err(TokensError::ManifestValue {
            path,
            key: "end_of_text",
            found: manifest.end_of_text.to_string(),
            expected: format!("an id below n_vocab = {}", manifest.n_vocab),
        });
    }
    Ok(manifest)
}

fn read_token_bytes(dir: &Path, manifest: &Manifest) -> Result<Arc<[u16]>, TokensError> {
    let path = dir.join(TOKEN_BYTES);
    let raw = std::fs::read(&path).map_err(FileError::new(&path, "read"))?;
    check_size(&path, &raw, u64::from(manifest.n_vocab) * 2)?;
    check_digest(&path, &raw, &manifest.token_bytes_blake3)?;
    Ok(raw.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
}

fn check_size(path: &Path, contents: &[u8], expected: u64) -> Result<(), TokensError> {
    let found = contents.len() as u64;
    if found == expected {
        return Ok(());
    }
    Err(TokensError::Size { path: path.to_path_buf(), expected, found })
}

fn check_digest(path: &Path, contents: &[u8], expected: &str) -> Result<(), TokensError> {
    let found = blake3::hash(contents).to_hex().to_string();
    if found == expected {
        return Ok(());
    }
    Err(TokensError::Digest { path: path.to_path_buf(), expected: expected.to_string(), found })
}

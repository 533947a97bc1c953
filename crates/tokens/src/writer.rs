//! Writing a dataset: complete or absent, never half.

use crate::dataset::{MANIFEST, TOKEN_BYTES};
use crate::error::TokensError;
use crate::manifest::{FORMAT_VERSION, Manifest, Source, Split, Splits};
use crate::tokens::Width;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What the writer must know of a tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Bytes of text behind each id (0 for the end-of-text token); its length is n_vocab.
    pub token_bytes: Vec<u16>,
    /// The token after every document.
    pub end_of_text: u32,
    /// blake3 of the tokenizer's file, in hex.
    pub blake3: String,
}

/// One document on its way to disk.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its tokens, without an end-of-text token.
    pub tokens: &'a [u32],
    /// Bytes of its text.
    pub bytes: u64,
    /// Words of its text, as `wc -w` counts them.
    pub words: u64,
}

/// Writes the files of a dataset under temporary names; [`DatasetWriter::finish`] renames them and writes
/// the manifest last. Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct DatasetWriter {
    dir: PathBuf,
    vocabulary: Vocabulary,
    width: Width,
    splits: Splits,
    files: [TokenFile; 3],
}

impl DatasetWriter {
    /// Starts a dataset in `dir`, which is made if missing. A finished dataset there stays valid until
    /// [`DatasetWriter::finish`].
    ///
    /// # Errors
    /// When the vocabulary is impossible or the directory cannot be written.
    pub fn create(dir: &Path, vocabulary: Vocabulary) -> Result<Self, TokensError> {
        let n_vocab = vocabulary.token_bytes.len();
        let bad = || TokensError::Vocabulary { n_vocab, end_of_text: vocabulary.end_of_text };
        let size = u32::try_from(n_vocab).map_err(|_| bad())?;
        if size < 2 || vocabulary.end_of_text >= size {
            return Err(bad());
        }
        std::fs::create_dir_all(dir).map_err(TokensError::io(dir, "create the directory"))?;
        let file = |split: Split| TokenFile::create(dir.join(split.file_name()));
        let files = [file(Split::Train)?, file(Split::Valid)?, file(Split::Test)?];
        Ok(Self {
            dir: dir.to_path_buf(),
            vocabulary,
            width: Width::of(size),
            splits: Splits::default(),
            files,
        })
    }

    /// Appends a document and its end-of-text token to a split.
    ///
    /// # Errors
    /// When a token is outside the vocabulary or the disk refuses.
    pub fn push(&mut self, split: Split, document: Document<'_>) -> Result<(), TokensError> {
        let n_vocab = self.vocabulary.token_bytes.len() as u32;
        if let Some(&token) = document.tokens.iter().find(|&&t| t >= n_vocab) {
            return Err(TokensError::TokenOutOfRange { token, n_vocab });
        }
        let end = [self.vocabulary.end_of_text];
        let raw: Vec<u8> = match self.width {
            Width::U16 => {
                document.tokens.iter().chain(&end).flat_map(|&t| (t as u16).to_le_bytes()).collect()
            }
            Width::U32 => document.tokens.iter().chain(&end).flat_map(|t| t.to_le_bytes()).collect(),
        };
        self.files[split as usize].write(&raw)?;
        let counts = self.splits.get_mut(split);
        counts.documents += 1;
        counts.bytes += document.bytes;
        counts.words += document.words;
        counts.tokens += document.tokens.len() as u64 + 1;
        Ok(())
    }

    /// Tokens written to a split so far.
    pub fn n_tokens(&self, split: Split) -> u64 {
        self.splits.get(split).tokens
    }

    /// Makes the dataset visible: files first, manifest last.
    ///
    /// # Errors
    /// When the disk refuses; then there is no manifest, so no dataset.
    pub fn finish(mut self, sources: Vec<Source>, build: serde_json::Value) -> Result<Manifest, TokensError> {
        let manifest_path = self.dir.join(MANIFEST);
        match std::fs::remove_file(&manifest_path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(TokensError::io(&manifest_path, "replace")(error));
            }
            _ => {}
        }
        for split in Split::ALL {
            self.splits.get_mut(split).blake3 = self.files[split as usize].publish()?;
        }
        let lengths: Vec<u8> = self.vocabulary.token_bytes.iter().flat_map(|n| n.to_le_bytes()).collect();
        write_atomically(&self.dir.join(TOKEN_BYTES), &lengths)?;
        let manifest = Manifest {
            format: FORMAT_VERSION,
            n_vocab: self.vocabulary.token_bytes.len() as u32,
            end_of_text: self.vocabulary.end_of_text,
            tokenizer_blake3: self.vocabulary.blake3.clone(),
            token_bytes_blake3: blake3::hash(&lengths).to_hex().to_string(),
            splits: self.splits.clone(),
            sources,
            build,
        };
        let mut text = serde_json::to_vec_pretty(&manifest).expect("a manifest has only string keys");
        text.push(b'\n');
        write_atomically(&manifest_path, &text)?;
        Ok(manifest)
    }
}

/// A file under a temporary name, hashed while it is written.
#[derive(Debug)]
struct TokenFile {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl TokenFile {
    fn create(path: PathBuf) -> Result<Self, TokensError> {
        let temporary = temporary_name(&path);
        let file = File::create(&temporary).map_err(TokensError::io(&temporary, "create"))?;
        Ok(Self {
            path,
            temporary,
            file: BufWriter::with_capacity(1 << 20, file),
            hasher: blake3::Hasher::new(),
        })
    }

    fn write(&mut self, raw: &[u8]) -> Result<(), TokensError> {
        self.hasher.update(raw);
        self.file.write_all(raw).map_err(TokensError::io(&self.temporary, "write"))
    }

    /// Flushes to the disk, renames, and returns the digest.
    fn publish(&mut self) -> Result<String, TokensError> {
        self.file.flush().map_err(TokensError::io(&self.temporary, "write"))?;
        self.file.get_ref().sync_all().map_err(TokensError::io(&self.temporary, "write"))?;
        std::fs::rename(&self.temporary, &self.path)
            .map_err(TokensError::io(&self.path, "rename into place"))?;
        Ok(self.hasher.finalize().to_hex().to_string())
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        // After `publish` the name is gone already; before it the half-written file is worth nothing.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

/// Writes a small file so that readers see the old contents or the new, never a part.
///
/// # Errors
/// When the disk refuses; the error names the file.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), TokensError> {
    let mut file = TokenFile::create(path.to_path_buf())?;
    file.write(contents)?;
    file.publish().map(drop)
}

/// A name beside `path` that no other writer, in this process or another, uses at the same time.
fn temporary_name(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().expect("a dataset file has a name").to_os_string();
    name.push(format!(".tmp-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

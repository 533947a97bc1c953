//! Writing a dataset: complete or absent, never partial.

use crate::dataset::{MANIFEST, TOKEN_BYTES};
use crate::error::TokensError;
use crate::manifest::{FORMAT_VERSION, Manifest, Source, Split, Splits};
use crate::tokens::Width;
use scalelaw_files::{AtomicFile, FileError, write_atomically};
use std::path::{Path, PathBuf};

/// What the writer needs to know about a tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Bytes of text behind each id (0 for the end-of-text token); its length is n_vocab.
    pub token_bytes: Vec<u16>,
    /// The token after every document.
    pub end_of_text: u32,
    /// blake3 of the tokenizer's file, in hex.
    pub blake3: String,
}

/// One document to be written.
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
        std::fs::create_dir_all(dir).map_err(FileError::new(dir, "create the directory"))?;
        let file = |split: Split| TokenFile::create(&dir.join(split.file_name()));
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
                return Err(FileError::new(&manifest_path, "replace")(error).into());
            }
            _ => {}
        }
        for (split, file) in Split::ALL.into_iter().zip(self.files) {
            self.splits.get_mut(split).blake3 = file.publish()?;
        }
        let lengths: Vec<u8> = self.vocabulary.token_bytes.iter().flat_map(|n| n.to_le_bytes()).collect();
        write_atomically(&self.dir.join(TOKEN_BYTES), &lengths)?;
        let manifest = Manifest {
            format: FORMAT_VERSION,
            n_vocab: self.vocabulary.token_bytes.len() as u32,
            end_of_text: self.vocabulary.end_of_text,
            tokenizer_blake3: self.vocabulary.blake3,
            token_bytes_blake3: blake3::hash(&lengths).to_hex().to_string(),
            splits: self.splits,
            sources,
            build,
        };
        let mut text = serde_json::to_vec_pretty(&manifest).expect("a manifest has only string keys");
        text.push(b'\n');
        write_atomically(&manifest_path, &text)?;
        Ok(manifest)
    }
}

/// A file that is hashed while it is written.
#[derive(Debug)]
struct TokenFile {
    file: AtomicFile,
    hasher: blake3::Hasher,
}

impl TokenFile {
    fn create(path: &Path) -> Result<Self, FileError> {
        Ok(Self { file: AtomicFile::create(path)?, hasher: blake3::Hasher::new() })
    }

    fn write(&mut self, raw: &[u8]) -> Result<(), FileError> {
        self.hasher.update(raw);
        self.file.write(raw)
    }

    /// Gives the file its name and returns the digest.
    fn publish(self) -> Result<String, FileError> {
        self.file.publish()?;
        Ok(self.hasher.finalize().to_hex().to_string())
    }
}

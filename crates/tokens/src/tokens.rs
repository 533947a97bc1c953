//! A memory-mapped sequence of token ids, and prefixes of it.

use crate::error::TokensError;
use memmap2::Mmap;
use scalelaw_files::FileError;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// How an id is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    U16,
    U32,
}

impl Width {
    /// The narrowest width that holds every id of a vocabulary.
    pub(crate) fn of(n_vocab: u32) -> Self {
        if n_vocab <= 1 << 16 { Self::U16 } else { Self::U32 }
    }

    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::U16 => 2,
            Self::U32 => 4,
        }
    }
}

/// Token ids of a split, or of a prefix of one; a cheap handle on a memory-mapped file.
#[derive(Clone, Debug)]
pub struct Tokens {
    map: Option<Arc<Mmap>>,
    width: Width,
    len: u64,
    name: Arc<str>,
}

impl Tokens {
    /// Maps a whole file of `width` ids; `name` appears in error messages.
    pub(crate) fn open(path: &Path, width: Width, name: &str) -> Result<Self, TokensError> {
        let file = File::open(path).map_err(FileError::new(path, "open"))?;
        let size = file.metadata().map_err(FileError::new(path, "read the size"))?.len();
        let map = if size == 0 {
            None
        } else {
            // SAFETY: the map is read-only, and dataset files are never modified in place: writers make a
            // new file and rename it over the old name, which leaves the mapped file as it was.
            let map = unsafe { Mmap::map(&file) }.map_err(FileError::new(path, "map"))?;
            Some(Arc::new(map))
        };
        Ok(Self { map, width, len: size / width.bytes(), name: name.into() })
    }

    /// Number of tokens.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The name of the tokens in messages ("train", "train/4").
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first `n_tokens` tokens.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn prefix(&self, n_tokens: u64) -> Result<Self, TokensError> {
        if n_tokens > self.len {
            return Err(TokensError::TooFewTokens {
                what: self.name.to_string(),
                available: self.len,
                needed: n_tokens,
            });
        }
        let name = format!("{} (first {n_tokens} tokens)", self.name).into();
        Ok(Self { len: n_tokens, name, ..self.clone() })
    }

    /// Copies the tokens from `start` on into `out`.
    ///
    /// # Panics
    /// When `start + out.len()` is beyond the end.
    pub fn copy_to(&self, start: u64, out: &mut [u32]) {
        let end = start + out.len() as u64;
        assert!(end <= self.len, "tokens {start}..{end} of {}", self.len);
        let width = self.width.bytes();
        let bytes = &self.mapped()[(start * width) as usize..(end * width) as usize];
        match self.width {
            Width::U16 => {
                for (token, raw) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *token = u32::from(u16::from_le_bytes(*raw));
                }
            }
            Width::U32 => {
                for (token, raw) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *token = u32::from_le_bytes(*raw);
                }
            }
        }
    }

    /// All tokens as a vector.
    pub fn to_vec(&self) -> Vec<u32> {
        let mut tokens = vec![0; self.len as usize];
        self.copy_to(0, &mut tokens);
        tokens
    }

    /// The whole mapped file, whatever the prefix.
    pub(crate) fn mapped(&self) -> &[u8] {
        self.map.as_deref().map_or(&[], |map| &map[..])
    }
}

//! Byte-level byte-pair tokenizers in the `tokenizer.json` format: trained here or read from a file.

mod bytes;
mod encode;
mod gpt2;
mod merges;
mod stream;
mod table;
mod train;
mod words;

pub use train::TrainedOnFiles;

use crate::error::{CorpusError, TokenizerProblem};
use encode::WordEncoder;
use scalelaw_tokens::Vocabulary;
use std::path::Path;
use std::sync::Mutex;
pub use stream::Encoding;
use table::Cache;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::{AddedToken, DecoderWrapper, ModelWrapper};

/// The token after every document.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// A byte-level BPE tokenizer: lossless, every text has tokens, every token stands for bytes.
///
/// Special tokens written out in a text are ordinary text.
#[derive(Debug)]
pub struct Tokenizer {
    json: Vec<u8>,
    library: tokenizers::Tokenizer,
    /// GPT-2's words and plain merges go word by word: the same ids as the library's at many times its speed.
    /// Anything else is encoded by the library.
    words: Option<WordEncoder>,
    /// Bytes behind each id; none behind special tokens.
    bytes: Vec<Box<[u8]>>,
    end_of_text: u32,
    /// Words already encoded; one cache a thread, kept between calls.
    caches: Mutex<Vec<Cache>>,
}

impl Tokenizer {
    /// Names of the tokenizers that the program has.
    pub const KNOWN: &[&str] = &["gpt2"];

    /// The tokenizer of this name: one of [`Self::KNOWN`], or the path of a `tokenizer.json`.
    ///
    /// # Errors
    /// When there is neither, and as [`Tokenizer::from_file`].
    pub fn named(name: &str) -> Result<Self, CorpusError> {
        let path = Path::new(name);
        match name {
            "gpt2" => Self::gpt2(),
            _ if path.exists() => Self::from_file(path),
            _ => Err(CorpusError::UnknownTokenizer { name: name.to_owned(), known: Self::KNOWN }),
        }
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file cannot be read or is not a byte-level tokenizer with an end-of-text token.
    pub fn from_file(path: &Path) -> Result<Self, CorpusError> {
        let json = std::fs::read(path).map_err(CorpusError::io(path, "read"))?;
        Self::from_json(json)
            .map_err(|problem| CorpusError::TokenizerFile { path: path.to_path_buf(), problem })
    }

    /// The tokenizer that a `tokenizer.json` describes, or the reason why it cannot be used.
    fn from_json(json: Vec<u8>) -> Result<Self, TokenizerProblem> {
        let mut library = tokenizers::Tokenizer::from_bytes(&json).map_err(TokenizerProblem::Unreadable)?;
        library.set_encode_special_tokens(true);
        if !is_byte_level(library.get_decoder()) {
            return Err(TokenizerProblem::NotByteLevel);
        }
        let end_of_text = [END_OF_TEXT, "<|end_of_text|>", "</s>"]
            .into_iter()
            .find_map(|token| library.token_to_id(token))
            .ok_or(TokenizerProblem::NoEndOfText { expected: END_OF_TEXT })?;
        let vocabulary = library.get_vocab(true);
        let n_vocab = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        if n_vocab > 1 << 24 {
            return Err(TokenizerProblem::TooManyTokens { n_vocab });
        }
        let mut bytes = vec![Box::default(); n_vocab];
        let added = library.get_added_vocabulary();
        for (token, id) in &vocabulary {
            if added.get_added_tokens_decoder().contains_key(id) {
                continue;
            }
            let raw = bytes::to_bytes(token)
                .ok_or_else(|| TokenizerProblem::Spelling { id: *id, token: token.clone() })?;
            if raw.len() > usize::from(u16::MAX) {
                return Err(TokenizerProblem::TokenTooLong { id: *id, bytes: raw.len() });
            }
            bytes[*id as usize] = raw.into();
        }
        let words = plain_gpt2(&library).and_then(|bpe| WordEncoder::new(&json, &bytes, bpe));
        Ok(Self { json, library, words, bytes, end_of_text, caches: Mutex::default() })
    }

    /// GPT-2's words and byte alphabet around a model.
    fn byte_level(model: BPE, special: Vec<AddedToken>) -> Result<Self, CorpusError> {
        let mut library = tokenizers::Tokenizer::new(model);
        let byte_level = ByteLevel::new(false, true, true);
        library.with_pre_tokenizer(Some(byte_level)).with_decoder(Some(byte_level));
        library.add_special_tokens(special).map_err(CorpusError::Tokenizer)?;
        let json = library.to_string(true).map_err(CorpusError::Tokenizer)?;
        Self::from_json(json.into_bytes()).map_err(|problem| CorpusError::Tokenizer(problem.into()))
    }

    /// The contents of `tokenizer.json`.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// blake3 of `tokenizer.json`, in hex.
    pub fn digest(&self) -> String {
        blake3::hash(&self.json).to_hex().to_string()
    }

    /// Size of the vocabulary, special tokens included.
    pub fn n_vocab(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// The token after every document.
    pub fn end_of_text(&self) -> u32 {
        self.end_of_text
    }

    /// What a dataset must know of this tokenizer.
    pub fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            token_bytes: self.bytes.iter().map(|bytes| bytes.len() as u16).collect(),
            end_of_text: self.end_of_text,
            blake3: self.digest(),
        }
    }

    /// The bytes that tokens stand for; special tokens and unknown ids stand for none.
    pub fn decode(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter()
            .flat_map(|&id| self.bytes.get(id as usize).map_or(&[][..], |bytes| bytes))
            .copied()
            .collect()
    }
}

fn is_byte_level(decoder: Option<&DecoderWrapper>) -> bool {
    match decoder {
        Some(DecoderWrapper::ByteLevel(_)) => true,
        // Some exporters wrap it in a sequence of one.
        Some(other) => serde_json::to_value(other).is_ok_and(|value| {
            let parts = value["decoders"].as_array();
            parts.is_some_and(|parts| parts.len() == 1 && parts[0]["type"] == "ByteLevel")
        }),
        None => false,
    }
}

/// The model of a tokenizer that cuts text into GPT-2's words and does nothing but merge within them.
fn plain_gpt2(library: &tokenizers::Tokenizer) -> Option<&BPE> {
    let gpt2_words = match library.get_pre_tokenizer() {
        Some(PreTokenizerWrapper::ByteLevel(level)) => level.use_regex && !level.add_prefix_space,
        _ => false,
    };
    let mut added = library.get_added_vocabulary().get_added_tokens_decoder().values();
    let ModelWrapper::BPE(bpe) = library.get_model() else { return None };
    let plain = gpt2_words
        && added.all(|token| token.special)
        && library.get_normalizer().is_none()
        && library.get_truncation().is_none()
        && library.get_padding().is_none()
        && bpe.dropout.is_none_or(|p| p == 0.0)
        && bpe.unk_token.is_none()
        && bpe.continuing_subword_prefix.is_none()
        && bpe.end_of_word_suffix.is_none()
        && !bpe.ignore_merges;
    plain.then_some(bpe)
}

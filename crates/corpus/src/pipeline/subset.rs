//! Nested subsets of a dataset as datasets of their own.

use super::CORPUS_TOKENS;
use crate::dataset::{TOKENIZER_FILE, TokenWriter};
use crate::document::count_words;
use crate::error::CorpusError;
use crate::tokenizer::Tokenizer;
use scalelaw_tokens::{Dataset, Document as TokenDocument, Split, SplitCounts};
use std::path::Path;

/// Opens the token dataset of a corpus, or of a folder that is a dataset itself.
///
/// # Errors
/// As [`Dataset::open`].
pub fn open_tokens(dir: &Path) -> Result<Dataset, CorpusError> {
    let tokens = dir.join(CORPUS_TOKENS);
    Ok(Dataset::open(if tokens.is_dir() { &tokens } else { dir })?)
}

/// A subset that was written.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Subset {
    /// Times that the training tokens were halved.
    pub halvings: u32,
    /// What training is left with.
    pub train: SplitCounts,
    /// Digest of the dataset.
    pub dataset: String,
}

/// Writes the dataset whose training documents are the first of `dataset`'s, as many whole ones as fit in
/// D/2^`halvings` tokens; validation and test stay whole. So each subset is a beginning of the one before it.
///
/// # Errors
/// When not one document fits, or a file cannot be read or written.
pub fn write_subset(dataset: &Dataset, halvings: u32, dir: &Path) -> Result<Subset, CorpusError> {
    let tokenizer_file = dataset.dir().join(TOKENIZER_FILE);
    let tokenizer = Tokenizer::from_file(&tokenizer_file)?;
    let mut writer = TokenWriter::create(dir, &tokenizer)?;
    for split in Split::ALL {
        let limit = match split {
            Split::Train => dataset.subset(halvings).len(),
            Split::Valid | Split::Test => u64::MAX,
        };
        copy(dataset, split, limit, &mut writer)?;
    }
    if writer.n_tokens(Split::Train) == 0 {
        return Err(CorpusError::TooLittleText {
            what: "tokens of the subset",
            found: format!("{} of {}", dataset.subset(halvings).len(), dataset.train().len()),
            needed: "those of the first document: take fewer halvings".into(),
        });
    }
    let build = serde_json::json!({ "subset_of": dataset.digest(), "halvings": halvings });
    let subset = writer.finish(dataset.manifest().sources.clone(), build)?;
    Ok(Subset { halvings, train: subset.manifest().splits.train.clone(), dataset: subset.digest() })
}

/// Copies whole documents while they fit.
fn copy(
    dataset: &Dataset,
    split: Split,
    limit: u64,
    writer: &mut TokenWriter<'_>,
) -> Result<(), CorpusError> {
    const CHUNK: usize = 1 << 20;
    let tokens = dataset.tokens(split);
    let end = dataset.manifest().end_of_text;
    let (mut at, mut document) = (0, Vec::new());
    while at < tokens.len() {
        let mut chunk = vec![0; CHUNK.min((tokens.len() - at) as usize)];
        tokens.copy_to(at, &mut chunk);
        at += chunk.len() as u64;
        for token in chunk {
            if token != end {
                document.push(token);
                continue;
            }
            if writer.n_tokens(split) + document.len() as u64 + 1 > limit {
                return Ok(());
            }
            let text = writer.tokenizer().decode(&document);
            let (bytes, words) = (text.len() as u64, count_words(&String::from_utf8_lossy(&text)));
            writer.push(split, TokenDocument { tokens: &document, bytes, words })?;
            document.clear();
        }
    }
    Ok(())
}

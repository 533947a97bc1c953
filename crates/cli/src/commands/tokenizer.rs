//! `scalelaw tokenizer`: train a tokenizer, encode text, decode ids.

use crate::output;
use anyhow::{Context, bail};
use scalelaw_corpus::Tokenizer;
use scalelaw_files::write_atomically;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw tokenizer`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Train a byte-level BPE tokenizer; the same text gives the same file
    Train {
        /// Files and folders of text to train on
        #[arg(required = true)]
        text: Vec<PathBuf>,
        /// Size of the vocabulary, the end-of-text token included
        #[arg(long)]
        vocab: u32,
        /// Bytes of text to train on, from the beginning
        #[arg(long, default_value_t = 64 << 20)]
        sample_bytes: u64,
        /// The tokenizer.json to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Encode text from stdin as ids separated by spaces
    Encode(Which),
    /// Decode ids from stdin to text
    Decode(Which),
}

#[derive(clap::Args)]
struct Which {
    /// `gpt2`, or a tokenizer.json
    #[arg(long)]
    tokenizer: String,
}

/// Runs the subcommand.
///
/// # Errors
/// When text, ids or a tokenizer cannot be read.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Train { text, vocab, sample_bytes, out } => train(text, *vocab, *sample_bytes, out)?,
        Action::Encode(which) => encode(&Tokenizer::named(&which.tokenizer)?)?,
        Action::Decode(which) => decode(&Tokenizer::named(&which.tokenizer)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn train(paths: &[PathBuf], vocab: u32, sample_bytes: u64, out: &Path) -> anyhow::Result<()> {
    let trained = Tokenizer::train_on_files(paths, vocab, sample_bytes)?;
    write_atomically(out, trained.tokenizer.json())?;
    eprintln!(
        "{}: {vocab} tokens from {} documents, {} bytes (skipped: {})",
        out.display(),
        trained.documents,
        trained.bytes,
        trained.skipped
    );
    Ok(())
}

fn encode(tokenizer: &Tokenizer) -> anyhow::Result<()> {
    let mut separator = "";
    let ids = tokenizer.encode_reader("stdin", std::io::stdin().lock()).map(|ids| {
        let mut line = String::new();
        for id in ids? {
            write!(line, "{separator}{id}").expect("a string can be written");
            separator = " ";
        }
        Ok(line)
    });
    output::pieces(ids.chain([Ok("\n".into())]))
}

fn decode(tokenizer: &Tokenizer) -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("cannot read stdin")?;
    let mut ids = Vec::new();
    for (place, word) in (1..).zip(text.split_whitespace()) {
        match word.parse() {
            Ok(id) if id < tokenizer.n_vocab() => ids.push(id),
            _ => bail!(
                "stdin: id number {place} is {word:?}: expected a whole number below {}, the size of the vocabulary",
                tokenizer.n_vocab()
            ),
        }
    }
    output::write(&tokenizer.decode(&ids))
}

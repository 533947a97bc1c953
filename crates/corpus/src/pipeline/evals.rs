//! Further held-out sets, made into tokens by the corpus's own tokenizer.

use super::manifest::{CorpusCounts, EvalSummary};
use super::settings::CorpusSettings;
use super::{Interrupted, Run};
use crate::build::TOKENIZER_FILE;
use crate::document::count_words;
use crate::error::CorpusError;
use crate::read::{Found, ReadLimits, ReadOptions, units};
use crate::tokenizer::Tokenizer;
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use scalelaw_tokens::{Dataset, DatasetWriter, Document as TokenDocument, Split, write_atomically};
use std::ops::ControlFlow;
use std::path::Path;

/// Raw records that are worked on at a time, in bytes.
const BATCH_BYTES: usize = 16 << 20;

/// Writes the sets that are not written yet: every document of the input, in its order, as the test split of a
/// dataset in `eval/<name>/`.
pub(super) fn write(
    run: &Run<'_>,
    settings: &CorpusSettings,
    tokenizer: &Tokenizer,
    out: &Path,
) -> Result<Vec<EvalSummary>, Interrupted> {
    let mut summaries = Vec::new();
    for eval in &settings.evals {
        run.check()?;
        let dir = out.join("eval").join(&eval.name);
        let dataset = match Dataset::open(&dir) {
            Ok(dataset) => dataset,
            Err(_) => {
                let units = units(&eval.paths)?;
                let mut writer = DatasetWriter::create(&dir, tokenizer.vocabulary())?;
                let mut sources = Vec::new();
                let options = ReadOptions {
                    limits: ReadLimits::default(),
                    text_key: settings.input.text_key.clone(),
                    wanted: None,
                };
                let total: u64 = units.units.iter().map(|unit| unit.bytes).sum();
                let mut done = 0;
                for unit in &units.units {
                    run.observer.progress(Progress::Stage {
                        name: "evaluation sets",
                        done,
                        total,
                        unit: "bytes",
                    });
                    let (mut batch, mut bytes, mut failed) = (Vec::new(), 0, Ok(()));
                    let _ = unit.visit(&options, &mut |found| {
                        bytes += if let Found::Raw(raw) = &found { raw.bytes() } else { 0 };
                        batch.push(found);
                        if bytes >= BATCH_BYTES {
                            bytes = 0;
                            failed = push(&mut writer, tokenizer, std::mem::take(&mut batch));
                        }
                        if failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                    })?;
                    failed?;
                    push(&mut writer, tokenizer, batch)?;
                    sources.push(unit.source()?);
                    done += unit.bytes;
                }
                if writer.n_tokens(Split::Test) == 0 {
                    let error = CorpusError::TooLittleText {
                        what: "documents of an evaluation set",
                        found: format!("none in {}", eval.name),
                        needed: "one".into(),
                    };
                    return Err(error.into());
                }
                write_atomically(&dir.join(TOKENIZER_FILE), tokenizer.json())?;
                writer.finish(super::few(sources), serde_json::json!({ "evaluation": eval.name }))?;
                Dataset::open(&dir)?
            }
        };
        let test = dataset.manifest().splits.get(Split::Test);
        let counts = CorpusCounts {
            documents: test.documents,
            bytes: test.bytes,
            words: test.words,
            tokens: test.tokens - test.documents,
        };
        summaries.push(EvalSummary { name: eval.name.clone(), counts, dataset: dataset.digest() });
    }
    Ok(summaries)
}

fn push(writer: &mut DatasetWriter, tokenizer: &Tokenizer, batch: Vec<Found>) -> Result<(), CorpusError> {
    let encoded: Vec<Option<(String, Vec<u32>)>> = batch
        .into_par_iter()
        .map(|found| {
            let Found::Raw(raw) = found else { return Ok(None) };
            let Ok(document) = raw.into_document() else { return Ok(None) };
            let ids = tokenizer.encode(&document.text)?;
            Ok(Some((document.text, ids)))
        })
        .collect::<Result<_, CorpusError>>()?;
    for (text, tokens) in encoded.into_iter().flatten() {
        let (bytes, words) = (text.len() as u64, count_words(&text));
        writer.push(Split::Test, TokenDocument { tokens: &tokens, bytes, words })?;
    }
    Ok(())
}

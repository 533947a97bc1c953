//! Further held-out sets, made into tokens by the corpus's own tokenizer.

use super::manifest::{CorpusCounts, EvalSummary, HeldOutLeaks};
use super::settings::{CorpusSettings, EvalSettings};
use super::{Interrupted, Run};
use crate::dataset::TokenWriter;
use crate::document::Document;
use crate::error::CorpusError;
use crate::read::{Found, ReadLimits, ReadOptions, Unit, units};
use crate::tokenizer::Tokenizer;
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use scalelaw_tokens::{Dataset, Source, Split};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Raw records processed at a time, in bytes.
const BATCH_BYTES: usize = 16 << 20;

/// Calls `visit` with the documents of a set, all of them in their order.
///
/// # Errors
/// Names a set without documents.
pub(super) fn each_batch(
    run: &Run<'_>,
    settings: &CorpusSettings,
    eval: &EvalSettings,
    visit: &mut dyn FnMut(Vec<Document>) -> Result<(), Interrupted>,
) -> Result<(), Interrupted> {
    let options = ReadOptions {
        limits: ReadLimits::default(),
        text_key: settings.input.text_key.clone(),
        wanted: None,
    };
    let units = units(&eval.paths)?.units;
    let total: u64 = units.iter().map(|unit| unit.bytes).sum();
    let (mut done, mut documents) = (0, 0);
    let mut work = |batch: Vec<Found>, done: u64| {
        run.check()?;
        run.observer.progress(Progress::Stage { name: "evaluation sets", done, total, unit: "bytes" });
        let batch: Vec<Document> = batch
            .into_par_iter()
            .filter_map(|found| match found {
                Found::Raw(raw) => raw.into_document().ok(),
                Found::Left(_) => None,
            })
            .collect();
        documents += batch.len();
        visit(batch)
    };
    for unit in &units {
        let (mut batch, mut bytes, mut worked) = (Vec::new(), 0, Ok(()));
        let place = AtomicU64::new(0);
        let _ = unit.visit_from(&options, &place, &mut |found| {
            bytes += if let Found::Raw(raw) = &found { raw.bytes() } else { 0 };
            batch.push(found);
            if bytes >= BATCH_BYTES {
                bytes = 0;
                worked = work(std::mem::take(&mut batch), done + place.load(Ordering::Relaxed));
            }
            if worked.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        worked?;
        done += unit.bytes;
        work(batch, done)?;
    }
    if documents == 0 {
        let error = CorpusError::TooLittleText {
            what: "documents of an evaluation set",
            found: format!("none in {}", eval.name),
            needed: "one".into(),
        };
        return Err(error.into());
    }
    Ok(())
}

/// Writes the sets that are not written yet: every document of the input, in its order, as the test split of a
/// dataset in `eval/<name>/`.
pub(super) fn write(
    run: &Run<'_>,
    settings: &CorpusSettings,
    tokenizer: &Tokenizer,
    leaks: &[HeldOutLeaks],
    out: &Path,
) -> Result<Vec<EvalSummary>, Interrupted> {
    let mut summaries = Vec::new();
    for (eval, leaks) in settings.evals.iter().zip(leaks) {
        let dir = out.join("eval").join(&eval.name);
        let dataset = match Dataset::open(&dir) {
            Ok(dataset) => dataset,
            Err(_) => {
                let mut writer = TokenWriter::create(&dir, tokenizer)?;
                each_batch(run, settings, eval, &mut |batch| {
                    let texts: Vec<&str> = batch.iter().map(|document| document.text.as_str()).collect();
                    Ok(writer.push_texts(Split::Test, &texts, u64::MAX)?)
                })?;
                let sources: Result<Vec<Source>, CorpusError> =
                    units(&eval.paths)?.units.iter().map(Unit::source).collect();
                writer.finish(super::few(sources?), serde_json::json!({ "evaluation": eval.name }))?
            }
        };
        let test = dataset.manifest().splits.get(Split::Test);
        let counts = CorpusCounts {
            documents: test.documents,
            bytes: test.bytes,
            words: test.words,
            tokens: test.tokens - test.documents,
        };
        let (name, dataset) = (eval.name.clone(), dataset.digest());
        summaries.push(EvalSummary { name, counts, dataset, leaks: *leaks });
    }
    Ok(summaries)
}

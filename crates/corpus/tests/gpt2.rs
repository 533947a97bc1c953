//! GPT-2's tokenizer gives GPT-2's ids.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use scalelaw_corpus::{ReadLimits, Tokenizer, read_paths};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;

static GPT2: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::gpt2().unwrap());

/// The folder of texts outside the repository, or `None` with a loud word.
fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join("text").join(folder);
    if !path.exists() {
        eprintln!("SKIPPED: no shared data at {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn gpt2_known_sentences_have_their_published_ids() {
    assert_eq!((GPT2.n_vocab(), GPT2.end_of_text()), (50_257, 50_256));
    assert_eq!(GPT2.encode("hello world").unwrap(), [31373, 995]);
    let ids = [15496, 11, 314, 1101, 257, 3303, 2746, 11];
    assert_eq!(GPT2.encode("Hello, I'm a language model,").unwrap(), ids);
    assert_eq!(GPT2.decode(&ids), b"Hello, I'm a language model,");
}

#[test]
fn gpt2_ids_are_those_of_the_crate_that_carries_it() {
    let published = tiktoken_rs::r50k_base_singleton();
    let text = include_str!("gpt2.rs").to_string()
        + "  naïve 漢字 \t\n\n 1234567 🦀🦀 don't DON'T\u{a0}x----------   ";
    assert_eq!(GPT2.encode(&text).unwrap(), published.encode_ordinary(&text));
}

#[test]
fn gpt2_shared_test_vectors_are_met() {
    let Some(path) = shared("gpt2-bpe/test-vectors.json") else { return };
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = value.as_array().cloned().unwrap_or_else(|| value["vectors"].as_array().unwrap().clone());
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let text = vector["text"].as_str().unwrap();
        let ids: Vec<u32> = serde_json::from_value(vector["ids"].clone()).unwrap();
        assert_eq!(GPT2.encode(text).unwrap(), ids, "{text:?}");
    }
}

#[test]
fn gpt2_shared_wikipedia_has_its_recorded_number_of_tokens() {
    let Some(path) = shared("main-wikipedia-en/valid.jsonl.zst") else { return };
    let mut texts = vec![];
    read_paths(&[path], ReadLimits::default(), &mut |document| {
        texts.push(document.text);
        ControlFlow::Continue(())
    })
    .unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let started = std::time::Instant::now();
    let ids = GPT2.encode_all(&texts).unwrap();
    eprintln!(
        "{:.1} MB in {:.2?}",
        texts.iter().map(|t| t.len()).sum::<usize>() as f64 / 1e6,
        started.elapsed()
    );
    assert_eq!(ids.iter().map(Vec::len).sum::<usize>(), 1_088_280);
    let published = tiktoken_rs::r50k_base_singleton();
    let started = std::time::Instant::now();
    for (text, ids) in texts.iter().zip(&ids) {
        assert_eq!(*ids, published.encode_ordinary(text));
    }
    eprintln!("tiktoken-rs, one thread: {:.2?}", started.elapsed());
}

//! The synthetic language as models meet it.

#![allow(clippy::unwrap_used)]

use scalelaw_core::observer::Silent;
use scalelaw_corpus::{
    BuildOptions, Language, SyntheticText, TOKENIZER_FILE, Tokenizer, TokenizerChoice, build_dataset,
    true_floor,
};
use scalelaw_tokens::{EvalSet, Split};
use std::collections::{BTreeMap, BTreeSet};

/// Nats per word of the true law and of the best bigram over words, on the same documents.
///
/// The bigram's frequencies are those of the documents themselves, so it is flattered.
fn true_and_bigram(language: &Language, documents: u64) -> (f64, f64) {
    let mut pairs: BTreeMap<(String, String), f64> = BTreeMap::new();
    let mut firsts: BTreeMap<String, f64> = BTreeMap::new();
    let (mut nats, mut words) = (0.0, 0.0);
    for index in 0..documents {
        let text = language.document(index);
        nats -= language.log_prob(&text);
        let mut before = "<end>".to_string();
        for word in text.split(' ').chain(["<end>"]) {
            words += 1.0;
            *pairs.entry((before.clone(), word.to_string())).or_default() += 1.0;
            *firsts.entry(before).or_default() += 1.0;
            before = word.to_string();
        }
    }
    let bigram: f64 = pairs.iter().map(|((before, _), n)| -n * (n / firsts[before]).ln()).sum();
    (nats / words, bigram / words)
}

#[test]
fn language_has_structure_longer_than_a_bigram() {
    let (true_nats, bigram) = true_and_bigram(&Language::new(0), 20_000);
    assert!(bigram > 1.05 * true_nats, "bigram {bigram:.3}, true {true_nats:.3} nats/word");
}

#[test]
fn language_is_a_function_of_its_seed() {
    let (a, b) = (Language::new(7), Language::new(7));
    assert!((0..20).all(|i| a.document(i) == b.document(i)));
    let other = Language::new(8);
    assert!((0..20).all(|i| a.document(i) != other.document(i)));
    let distinct: BTreeSet<String> = (0..2000).map(|i| a.document(i)).collect();
    assert_eq!(distinct.len(), 2000);
    // Recorded runs name a seed: if this moves, they meant another language.
    let digest = blake3::hash((0..100).map(|i| a.document(i)).collect::<String>().as_bytes());
    assert_eq!(&digest.to_hex()[..16], "9ec004c78eee3f52");
}

#[test]
fn floor_of_a_test_set_is_the_true_loss_on_its_bytes() {
    let language = Language::new(1);
    let dir = tempfile::tempdir().unwrap();
    let source = SyntheticText::new(language.clone(), 600_000);
    let choice = TokenizerChoice::Train { n_vocab: 512, sample_bytes: 1 << 20 };
    let (dataset, _) = build_dataset(&source, choice, &BuildOptions::default(), dir.path(), &Silent).unwrap();
    let tokenizer = Tokenizer::from_file(&dir.path().join(TOKENIZER_FILE)).unwrap();
    let eval = EvalSet::new(&dataset, Split::Test, 64, u64::MAX).unwrap();
    let floor = true_floor(&language, &tokenizer, &eval).unwrap();
    assert_eq!(floor.bytes, eval.n_bytes());
    assert!((floor.nats_per_byte * floor.bytes as f64 - floor.nats).abs() < 1e-6);

    // The mean over fresh documents, within their and the test set's standard errors.
    let (mut nats, mut bytes) = (0.0, 0.0);
    for index in 1_000_000..1_004_000 {
        let text = language.document(index);
        nats -= language.log_prob(&text);
        bytes += text.len() as f64;
    }
    assert!(floor.se > 0.0 && floor.se < 0.01 * floor.nats_per_byte, "{floor:?}");
    assert!((floor.nats_per_byte - nats / bytes).abs() < 4.5 * floor.se, "{floor:?} {}", nats / bytes);

    // Text of another language has no floor here.
    assert!(true_floor(&Language::new(2), &tokenizer, &eval).is_none());
}

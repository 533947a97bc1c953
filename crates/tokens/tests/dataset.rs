//! Datasets on disk: round trips, nested subsets, and damage that must be noticed.

#![allow(clippy::unwrap_used)]

use scalelaw_tokens::{Dataset, DatasetWriter, Document, EvalSet, Split, TokensError, Vocabulary};
use std::path::Path;

/// A dataset whose training tokens count upwards, so that every token names its position.
fn write_counting(dir: &Path, n_vocab: usize, train: u32, test: u32) {
    let token_bytes = (0..n_vocab).map(|id| (id % 5) as u16).collect();
    let vocabulary = Vocabulary { token_bytes, end_of_text: 0, blake3: "tokenizer".into() };
    let mut writer = DatasetWriter::create(dir, vocabulary).unwrap();
    let ids = |n: u32| (0..n).map(|i| 1 + i % (n_vocab as u32 - 1)).collect::<Vec<_>>();
    for (split, n) in [(Split::Train, train), (Split::Valid, 3), (Split::Test, test)] {
        writer.push(split, Document { tokens: &ids(n), bytes: 10, words: 2 }).unwrap();
    }
    writer.finish(vec![], serde_json::json!({"note": "test"})).unwrap();
}

#[test]
fn dataset_round_trip_keeps_tokens_and_counts() {
    for n_vocab in [512, 65_536, 65_537, 70_000] {
        let dir = tempfile::tempdir().unwrap();
        write_counting(dir.path(), n_vocab, 70_000, 100);
        let dataset = Dataset::open(dir.path()).unwrap();
        dataset.verify().unwrap();
        let train = dataset.train().to_vec();
        assert_eq!(train.len(), 70_001);
        assert!(train[..70_000].iter().enumerate().all(|(i, &t)| t as usize == 1 + i % (n_vocab - 1)));
        assert_eq!(train[70_000], 0, "end of text");
        let counts = &dataset.manifest().splits.test;
        assert_eq!((counts.documents, counts.bytes, counts.words, counts.tokens), (1, 10, 2, 101));
        let width = if n_vocab > 65_536 { 4 } else { 2 };
        assert_eq!(std::fs::metadata(dir.path().join("train.bin")).unwrap().len(), 70_001 * width);
    }
}

#[test]
fn dataset_subset_is_half_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    write_counting(dir.path(), 600, 1000, 100);
    let dataset = Dataset::open(dir.path()).unwrap();
    let whole = dataset.train().to_vec();
    for (k, n) in [(0, 1001), (1, 500), (2, 250), (9, 1), (63, 0), (64, 0), (900, 0)] {
        assert_eq!(dataset.subset(k).to_vec(), whole[..n], "k = {k}");
    }
    let error = dataset.train().prefix(1002).unwrap_err().to_string();
    assert!(error.contains("train has 1001 tokens, needs at least 1002"), "{error}");
}

#[test]
fn dataset_written_twice_has_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_counting(a.path(), 600, 1000, 100);
    write_counting(b.path(), 600, 1000, 100);
    for name in ["train.bin", "valid.bin", "test.bin", "token_bytes.bin", "manifest.json"] {
        assert_eq!(std::fs::read(a.path().join(name)).unwrap(), std::fs::read(b.path().join(name)).unwrap());
    }
    let mut names: Vec<_> = std::fs::read_dir(a.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["manifest.json", "test.bin", "token_bytes.bin", "train.bin", "valid.bin"]);
}

#[test]
fn dataset_identity_follows_tokens_not_provenance() {
    let dir = tempfile::tempdir().unwrap();
    write_counting(dir.path(), 600, 1000, 100);
    let dataset = Dataset::open(dir.path()).unwrap();
    let mut manifest = dataset.manifest().clone();
    manifest.build = serde_json::json!("another note");
    assert_eq!(manifest.digest(), dataset.digest());
    manifest.splits.test.blake3 = "other".into();
    assert_ne!(manifest.digest(), dataset.digest());
}

#[test]
fn dataset_damaged_file_is_named() {
    for name in ["train.bin", "test.bin", "token_bytes.bin"] {
        let dir = tempfile::tempdir().unwrap();
        write_counting(dir.path(), 600, 1000, 100);
        let path = dir.path().join(name);
        let good = std::fs::read(&path).unwrap();

        let mut flipped = good.clone();
        flipped[10] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        let error = Dataset::open(dir.path()).unwrap_err();
        assert!(matches!(error, TokensError::Digest { .. }) && error.to_string().contains(name), "{error}");

        std::fs::write(&path, &good[..good.len() - 2]).unwrap();
        let error = Dataset::open(dir.path()).unwrap_err();
        assert!(matches!(error, TokensError::Size { .. }) && error.to_string().contains(name), "{error}");

        std::fs::remove_file(&path).unwrap();
        let error = Dataset::open(dir.path()).unwrap_err();
        assert!(matches!(error, TokensError::File(_)) && error.to_string().contains(name), "{error}");
    }
}

#[test]
fn dataset_without_manifest_or_of_another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Dataset::open(dir.path()), Err(TokensError::NoManifest { .. })));
    let path = dir.path().join("manifest.json");
    for (text, expected) in [
        (r#"{"format": 2}"#, "`format` is 2, expected 1"),
        (r#"{}"#, "`format` is null, expected 1"),
        (r#"{"format": 1}"#, "not a dataset manifest"),
        ("nonsense", "not a dataset manifest"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Dataset::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("manifest.json"), "{error}");
    }
}

#[test]
fn writer_dropped_early_leaves_the_old_dataset() {
    let dir = tempfile::tempdir().unwrap();
    write_counting(dir.path(), 600, 1000, 100);
    let before = Dataset::open(dir.path()).unwrap().digest();
    let vocabulary = Vocabulary { token_bytes: vec![1; 9], end_of_text: 8, blake3: "other".into() };
    let mut writer = DatasetWriter::create(dir.path(), vocabulary).unwrap();
    writer.push(Split::Train, Document { tokens: &[1, 2], bytes: 2, words: 1 }).unwrap();
    drop(writer);
    assert_eq!(Dataset::open(dir.path()).unwrap().digest(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5, "no temporary files");
}

#[test]
fn writer_token_or_vocabulary_out_of_range_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let vocabulary = |end_of_text| Vocabulary { token_bytes: vec![1; 9], end_of_text, blake3: String::new() };
    assert!(matches!(DatasetWriter::create(dir.path(), vocabulary(9)), Err(TokensError::Vocabulary { .. })));
    let mut writer = DatasetWriter::create(dir.path(), vocabulary(8)).unwrap();
    let error = writer.push(Split::Train, Document { tokens: &[9], bytes: 1, words: 1 }).unwrap_err();
    assert_eq!(error.to_string(), "token 9 is outside the vocabulary of 9");
}

#[test]
fn eval_set_counts_the_bytes_of_its_targets() {
    let dir = tempfile::tempdir().unwrap();
    write_counting(dir.path(), 600, 1000, 100);
    let dataset = Dataset::open(dir.path()).unwrap();
    let eval = EvalSet::new(&dataset, Split::Test, 8, u64::MAX).unwrap();
    assert_eq!((eval.n_windows(), eval.n_tokens()), (12, 96));
    // Targets are ids 2..=97; id i stands for i mod 5 bytes.
    assert_eq!(eval.n_bytes(), (2..=97).map(|i| i % 5).sum::<u64>());
    let mut window = [0; 9];
    eval.window(11, &mut window);
    assert_eq!(window, [89, 90, 91, 92, 93, 94, 95, 96, 97]);
    assert_eq!(eval.covered(), (1..=97).collect::<Vec<_>>());
    let nats_per_byte = eval.bits_per_byte(2.0) * std::f64::consts::LN_2;
    assert!((nats_per_byte * eval.n_bytes() as f64 - 2.0 * 96.0).abs() < 1e-9);

    assert_eq!(EvalSet::new(&dataset, Split::Test, 8, 50).unwrap().n_windows(), 6);
    assert_eq!(EvalSet::new(&dataset, Split::Test, 8, 0).unwrap().n_windows(), 1);
    let error = EvalSet::new(&dataset, Split::Valid, 8, 50).unwrap_err().to_string();
    assert!(error.contains("valid has 4 tokens, needs at least 9"), "{error}");
}

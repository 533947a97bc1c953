//! The loader never repeats and never skips.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use scalelaw_tokens::{Dataset, DatasetWriter, Document, Loader, Split, Tokens, TokensError, Vocabulary};

/// Training tokens 0, 1, 2, … of a given number; the last is the end-of-text token.
fn counting(n_tokens: u64) -> Tokens {
    let dir = tempfile::tempdir().unwrap();
    let vocabulary = Vocabulary { token_bytes: vec![1; 100_000], end_of_text: 99_999, blake3: String::new() };
    let mut writer = DatasetWriter::create(dir.path(), vocabulary).unwrap();
    let ids: Vec<u32> = (0..n_tokens as u32 - 1).collect();
    writer.push(Split::Train, Document { tokens: &ids, bytes: 0, words: 0 }).unwrap();
    writer.finish(vec![], serde_json::Value::Null).unwrap();
    Dataset::open(dir.path()).unwrap().train()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn loader_each_epoch_visits_every_target_once(
        n_tokens in 10u64..2000, n_ctx in 1usize..9, seed: u64, epoch in 0u64..1 << 40,
    ) {
        let tokens = counting(n_tokens);
        let loader = Loader::new(tokens.clone(), n_ctx, seed).unwrap();
        let mut seen = vec![0u32; n_tokens as usize];
        let mut out = vec![0; n_ctx + 1];
        let first = epoch * loader.n_windows();
        for index in first..first + loader.n_windows() {
            let window = loader.sequence(index, &mut out);
            let start = window as usize * n_ctx;
            for (i, &token) in out.iter().enumerate() {
                let id = if start + i + 1 == n_tokens as usize { 99_999 } else { (start + i) as u32 };
                prop_assert_eq!(token, id);
                if i > 0 { seen[start + i] += 1; }
            }
        }
        let targets = loader.unique_tokens() as usize;
        prop_assert!(n_tokens as usize - 1 - targets < n_ctx, "the rest is shorter than a window");
        prop_assert_eq!(seen[0], 0);
        prop_assert!(seen[1..=targets].iter().all(|&n| n == 1));
        prop_assert!(seen[targets + 1..].iter().all(|&n| n == 0));
    }

    #[test]
    fn loader_sequence_depends_only_on_its_number(index: u64, seed: u64) {
        let tokens = counting(500);
        let (a, b) = (Loader::new(tokens.clone(), 4, seed).unwrap(), Loader::new(tokens, 4, seed).unwrap());
        a.sequence(index / 2, &mut [0; 5]); // whatever was read before
        prop_assert_eq!(a.window_of(index), b.window_of(index));
    }
}

#[test]
fn loader_order_changes_with_epoch_and_seed() {
    let tokens = counting(4001);
    let order = |seed, epoch: u64| {
        let loader = Loader::new(tokens.clone(), 4, seed).unwrap();
        (0..1000).map(|i| loader.window_of(epoch * 1000 + i)).collect::<Vec<_>>()
    };
    let orders = [order(1, 0), order(1, 1), order(2, 0), order(2, 1), (0..1000).collect()];
    for (i, a) in orders.iter().enumerate() {
        for b in &orders[..i] {
            // Two random orders agree at about one place of a thousand.
            assert!(a.iter().zip(b).filter(|(x, y)| x == y).count() < 10);
        }
    }
}

#[test]
fn loader_on_a_prefix_reads_only_the_prefix() {
    let prefix = counting(1000).prefix(100).unwrap();
    let loader = Loader::new(prefix, 8, 3).unwrap();
    assert_eq!(loader.n_windows(), 12);
    let mut out = [0; 9];
    for index in 0..50 {
        loader.sequence(index, &mut out);
        assert!(out.iter().all(|&t| t < 100));
    }
}

#[test]
fn loader_with_less_than_one_window_is_an_error() {
    let tokens = counting(64);
    let error = Loader::new(tokens.clone(), 64, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "train has 64 tokens, needs at least 65: use more text or a shorter context"
    );
    assert!(matches!(Loader::new(tokens.clone(), 0, 0), Err(TokensError::TooFewTokens { .. })));
    assert_eq!(Loader::new(tokens, 63, 0).unwrap().n_windows(), 1);
}

//! Tokenizers: lossless, the same everywhere, and the same as the library's own encoder.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use scalelaw_corpus::{CorpusError, END_OF_TEXT, Tokenizer};
use std::sync::LazyLock;

const TEXT: &str = include_str!("../src/tokenizer/words.rs");

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::train(&[TEXT], 400).unwrap());
static LIBRARY: LazyLock<tokenizers::Tokenizer> = LazyLock::new(|| {
    let mut library = tokenizers::Tokenizer::from_bytes(TOKENIZER.json()).unwrap();
    library.set_encode_special_tokens(true);
    library
});

/// Texts that look for trouble: contractions, runs of white space, all of Unicode, real words.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-c '’\n\t\r\u{a0}\u{3000}0-9é漢½!?_\u{300}]{0,40}",
        "( ?(fn|let|it's|we'll|'LL|end|  |\n\n|<\\|endoftext\\|>|12|--|🦀)){0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn tokenizer_of_any_text_is_lossless(text in any_text()) {
        let ids = TOKENIZER.encode(&text).unwrap();
        prop_assert_eq!(TOKENIZER.decode(&ids), text.as_bytes());
        let lengths = TOKENIZER.vocabulary().token_bytes;
        prop_assert_eq!(ids.iter().map(|&id| usize::from(lengths[id as usize])).sum::<usize>(), text.len());
        prop_assert!(!ids.contains(&TOKENIZER.end_of_text()), "special tokens written out are text");
    }

    #[test]
    fn tokenizer_gives_the_librarys_ids(text in any_text()) {
        let library = LIBRARY.encode(text.as_str(), false).unwrap();
        prop_assert_eq!(TOKENIZER.encode(&text).unwrap(), library.get_ids());
    }
}

#[test]
fn tokenizer_trained_again_has_the_same_bytes() {
    // Runs of one character are where overlapping pairs make ties.
    let mut runs = String::new();
    for i in 0..4000u32 {
        let mixed = i.wrapping_mul(2_654_435_761) >> 16;
        let character = char::from(b'a' + (mixed % 3) as u8);
        runs.extend(std::iter::repeat_n(character, 1 + (mixed / 3 % 7) as usize));
        if mixed.is_multiple_of(5) {
            runs.push(' ');
        }
    }
    for (texts, n_vocab) in [([TEXT, "x"], 700), ([&runs[..], "x"], 450)] {
        let first = Tokenizer::train(&texts, n_vocab).unwrap();
        assert_eq!(first.n_vocab(), n_vocab);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for order in [[texts[0], texts[1]], [texts[1], texts[0]]] {
                let again = pool.install(|| Tokenizer::train(&order, n_vocab).unwrap());
                assert!(again.json() == first.json(), "{threads} threads");
                assert_eq!(
                    pool.install(|| again.encode_all(&texts).unwrap()),
                    first.encode_all(&texts).unwrap()
                );
            }
        }
    }
}

#[test]
fn tokenizer_file_round_trip_keeps_identity() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    std::fs::write(&path, TOKENIZER.json()).unwrap();
    let read = Tokenizer::from_file(&path).unwrap();
    assert_eq!(read.digest(), TOKENIZER.digest());
    assert_eq!(read.vocabulary(), TOKENIZER.vocabulary());
    assert_eq!(read.encode(TEXT).unwrap(), TOKENIZER.encode(TEXT).unwrap());
}

#[test]
fn tokenizer_has_every_byte_and_one_special_token() {
    let lengths = TOKENIZER.vocabulary().token_bytes;
    assert_eq!(lengths.len(), 400);
    assert_eq!(lengths.iter().filter(|&&n| n == 1).count(), 256);
    let special: Vec<usize> = (0..400).filter(|&id| lengths[id] == 0).collect();
    assert_eq!(special, [TOKENIZER.end_of_text() as usize]);
    assert_eq!(LIBRARY.token_to_id(END_OF_TEXT), Some(TOKENIZER.end_of_text()));
}

#[test]
fn tokenizer_that_text_cannot_fill_is_refused() {
    let error = Tokenizer::train(&["abab"], 1000).unwrap_err();
    assert!(matches!(error, CorpusError::TooLittleText { .. }), "{error}");
    for n_vocab in [0, 256, u32::MAX] {
        assert!(matches!(
            Tokenizer::train(&[TEXT], n_vocab),
            Err(CorpusError::Option { option: "n_vocab", .. })
        ));
    }
    assert_eq!(Tokenizer::train(&[TEXT], 257).unwrap().encode("ab").unwrap().len(), 2, "bytes alone");
}

#[test]
fn tokenizer_file_of_another_kind_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let json = String::from_utf8(TOKENIZER.json().to_vec()).unwrap();
    let broken = [
        ("nonsense", "nonsense".to_string(), "not a tokenizer.json"),
        ("decoder", json.replacen("\"ByteLevel\"", "\"Fuse\"", 9), "not a"),
        ("special", json.replace(END_OF_TEXT, "<|other|>"), "no end-of-text token"),
    ];
    for (name, text, expected) in broken {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = Tokenizer::from_file(&path).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    }
    assert!(Tokenizer::from_file(&dir.path().join("missing")).unwrap_err().to_string().contains("missing"));
}

#[test]
fn tokenizer_of_other_words_is_encoded_by_the_library() {
    // A pattern that is not GPT-2's: digits one by one, as newer vocabularies have it.
    let mut value: serde_json::Value = serde_json::from_slice(TOKENIZER.json()).unwrap();
    value["pre_tokenizer"] = serde_json::json!({"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": true},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    ]});
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    std::fs::write(&path, value.to_string()).unwrap();
    let tokenizer = Tokenizer::from_file(&path).unwrap();
    let text = format!("years 2024 and 1999 {END_OF_TEXT}");
    let ids = tokenizer.encode(&text).unwrap();
    assert_eq!(tokenizer.decode(&ids), text.as_bytes());
    let library = tokenizers::Tokenizer::from_file(&path).unwrap();
    assert_eq!(
        tokenizer.encode("years 2024").unwrap(),
        library.encode("years 2024", false).unwrap().get_ids()
    );
}

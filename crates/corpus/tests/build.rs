//! Whole datasets from text.

#![allow(clippy::unwrap_used)]

use scalelaw_core::observer::Silent;
use scalelaw_corpus::{
    BuildOptions, BuildRecord, Built, CorpusError, ReadLimits, TOKENIZER_FILE, TextPaths, Tokenizer,
    TokenizerChoice, build_dataset, count_words,
};
use scalelaw_tokens::{Dataset, Split};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TRAIN_512: TokenizerChoice<'_> = TokenizerChoice::Train { n_vocab: 300, sample_bytes: 1 << 20 };

/// 400 short documents, ten of them twice, one empty.
fn documents() -> Vec<String> {
    let words = ["alpha", "beta", "gamma", "delta", "omega", "naïve", "漢字", "it's"];
    let mut texts: Vec<String> = (0..400usize)
        .map(|i| {
            let text: Vec<_> = (0..5 + i % 40).map(|j| words[(i * 7 + j * j) % 8]).collect();
            format!("Document {i}.\n\n{}", text.join(" "))
        })
        .collect();
    texts.extend_from_within(..10);
    texts.push("  ".into());
    texts
}

fn write_jsonl(path: &Path, texts: &[String]) {
    let lines: String =
        texts.iter().map(|text| format!("{}\n", serde_json::json!({ "text": text }))).collect();
    std::fs::write(path, lines).unwrap();
}

fn source(paths: &[&Path]) -> TextPaths {
    TextPaths::new(paths.iter().map(|path| path.to_path_buf()).collect(), ReadLimits::default())
}

/// The documents of a split, decoded.
fn decoded(dataset: &Dataset, split: Split) -> Vec<String> {
    let tokenizer = Tokenizer::from_file(&dataset.dir().join(TOKENIZER_FILE)).unwrap();
    let tokens = dataset.tokens(split).to_vec();
    let mut texts: Vec<String> = tokens
        .split(|&id| id == tokenizer.end_of_text())
        .map(|ids| String::from_utf8(tokenizer.decode(ids)).unwrap())
        .collect();
    assert_eq!(texts.pop().as_deref(), Some(""), "a split ends with the end-of-text token");
    texts
}

#[test]
fn dataset_holds_every_document_once_in_hash_order() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    write_jsonl(&input, &documents());
    let out = dir.path().join("out");
    let (dataset, built) =
        build_dataset(&source(&[&input]), TRAIN_512, &BuildOptions::default(), &out, &Silent).unwrap();
    assert_eq!(built, Built::New);

    let mut all = BTreeSet::new();
    for split in Split::ALL {
        let texts = decoded(&dataset, split);
        let ids: Vec<_> = texts.iter().map(|text| *blake3::hash(text.as_bytes()).as_bytes()).collect();
        assert!(ids.is_sorted());
        let fractions = BuildOptions::default().split;
        assert!(ids.iter().all(|id| fractions.split_of(id) == split));
        let counts = dataset.manifest().splits.get(split);
        assert_eq!(counts.documents, texts.len() as u64);
        assert_eq!(counts.bytes, texts.iter().map(|text| text.len() as u64).sum::<u64>());
        assert_eq!(counts.words, texts.iter().map(|text| count_words(text)).sum::<u64>());
        assert_eq!(counts.tokens, dataset.tokens(split).len());
        assert!(texts.into_iter().all(|text| all.insert(text)), "no document twice");
    }
    assert_eq!(all, documents()[..400].iter().cloned().collect());
    let record = BuildRecord::from_json(&dataset.manifest().build).unwrap();
    assert_eq!((record.skipped.duplicate, record.skipped.empty), (10, 1));
    assert_eq!((record.read.documents, record.read.complete, record.cut.documents), (410, true, 0));
    dataset.verify().unwrap();
}

#[test]
fn dataset_does_not_depend_on_order_files_or_threads() {
    let dir = tempfile::tempdir().unwrap();
    let (texts, mut reversed) = (documents(), documents());
    reversed.reverse();
    let (one, folder) = (dir.path().join("one.jsonl"), dir.path().join("many"));
    write_jsonl(&one, &texts);
    std::fs::create_dir(&folder).unwrap();
    for (i, half) in reversed.chunks(200).enumerate() {
        write_jsonl(&folder.join(format!("{i}.jsonl")), half);
    }
    let digests: BTreeSet<String> = [(&one, 1), (&one, 3), (&folder, 2)]
        .into_iter()
        .enumerate()
        .map(|(i, (input, threads))| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let out = dir.path().join(format!("out-{i}"));
            let build = || {
                build_dataset(&source(&[input]), TRAIN_512, &BuildOptions::default(), &out, &Silent).unwrap()
            };
            pool.install(build).0.digest()
        })
        .collect();
    assert_eq!(digests.len(), 1);
}

#[test]
fn dataset_of_the_same_inputs_is_reused_and_of_others_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("in.jsonl"), dir.path().join("out"));
    write_jsonl(&input, &documents());
    let build = |options: &BuildOptions| {
        build_dataset(&source(&[&input]), TRAIN_512, options, &out, &Silent).unwrap().1
    };
    let options = BuildOptions::default();
    assert_eq!(build(&options), Built::New);
    assert_eq!(build(&options), Built::Reused);
    // A damaged dataset is not reused.
    std::fs::remove_file(out.join("valid.bin")).unwrap();
    assert_eq!(build(&options), Built::New);
    std::fs::write(out.join(TOKENIZER_FILE), "{}").unwrap();
    assert_eq!(build(&options), Built::New);
    assert_eq!(build(&options), Built::Reused);
    // Neither is one of other options or text.
    assert_eq!(build(&BuildOptions { max_train_tokens: 500, ..options.clone() }), Built::New);
    assert_eq!(build(&options), Built::New);
    write_jsonl(&input, &documents()[1..]);
    assert_eq!(build(&options), Built::New);
}

#[test]
fn dataset_with_a_token_budget_is_a_prefix_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    write_jsonl(&input, &documents());
    let tokenizer = Tokenizer::train(&[documents().concat().as_str()], 300).unwrap();
    let build = |name: &str, options: BuildOptions| {
        let given = TokenizerChoice::Given(&tokenizer);
        build_dataset(&source(&[&input]), given, &options, &dir.path().join(name), &Silent).unwrap().0
    };
    let whole = build("whole", BuildOptions::default()).train().to_vec();
    let options = BuildOptions { max_train_tokens: 2000, max_eval_tokens: 100, ..BuildOptions::default() };
    let part = build("part", options);
    let tokens = part.train().to_vec();
    assert_eq!(tokens, whole[..tokens.len()]);
    assert!((2000..2000 + 200).contains(&tokens.len()), "{}", tokens.len());
    assert!((100..300).contains(&part.tokens(Split::Test).len()));

    let part = build("held", BuildOptions { max_held_bytes: 20_000, ..BuildOptions::default() });
    let tokens = part.train().to_vec();
    assert_eq!(tokens, whole[..tokens.len()]);
    assert!(tokens.len() < whole.len());

    let part = build("read", BuildOptions { max_read_bytes: 20_000, ..BuildOptions::default() });
    let read = BuildRecord::from_json(&part.manifest().build).unwrap().read;
    assert!(!read.complete && (20_000..20_500).contains(&read.bytes), "{read:?}");
}

#[test]
fn dataset_of_one_giant_document_is_cut_into_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("giant.txt");
    let text: String =
        (0..4000).map(|i| format!("Scene {i}. They speak, and it is {}.\n\n", i * i)).collect();
    std::fs::write(&input, &text).unwrap();
    let (dataset, _) = build_dataset(
        &source(&[&input]),
        TRAIN_512,
        &BuildOptions::default(),
        &dir.path().join("out"),
        &Silent,
    )
    .unwrap();
    let record = BuildRecord::from_json(&dataset.manifest().build).unwrap();
    assert_eq!((record.cut.documents, record.read.documents), (1, 1));
    let pieces: Vec<_> = Split::ALL.into_iter().flat_map(|split| decoded(&dataset, split)).collect();
    assert_eq!(pieces.len() as u64, record.cut.pieces);
    assert_eq!(pieces.iter().map(String::len).sum::<usize>(), text.len());
    assert!(pieces.iter().all(|piece| piece.starts_with("Scene ") && piece.ends_with("\n\n")));
}

#[test]
fn dataset_of_too_little_text_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    for texts in [vec![], vec![" ".to_string()], vec!["one".to_string(), "two".to_string()]] {
        write_jsonl(&input, &texts);
        let out = dir.path().join("out");
        let error = build_dataset(&source(&[&input]), TRAIN_512, &BuildOptions::default(), &out, &Silent)
            .unwrap_err();
        assert!(matches!(error, CorpusError::TooLittleText { .. }), "{error}");
        assert!(Dataset::open(&out).is_err());
    }
}

#[test]
fn dataset_of_tiny_shakespeare_has_all_three_splits() {
    let shared = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let input = shared.join("text/quick/tiny-shakespeare.jsonl.zst");
    if !input.is_file() {
        eprintln!("SKIPPED: no shared data at {}", input.display());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let choice = TokenizerChoice::Train { n_vocab: 512, sample_bytes: 20 << 20 };
    let (dataset, _) =
        build_dataset(&source(&[&input]), choice, &BuildOptions::default(), dir.path(), &Silent).unwrap();
    let splits = &dataset.manifest().splits;
    assert_eq!(splits.train.bytes + splits.valid.bytes + splits.test.bytes, 1_115_394);
    assert!(splits.valid.tokens > 10_000 && splits.test.tokens > 10_000, "{splits:?}");
}

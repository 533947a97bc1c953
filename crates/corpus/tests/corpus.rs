//! Whole corpora from raw material.

#![allow(clippy::unwrap_used)]

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use scalelaw_core::observer::{Observer, Progress, Silent};
use scalelaw_corpus::{
    CORPUS_TOKENS, CorpusBuild, CorpusError, CorpusManifest, CorpusSettings, DocumentFormat, FilterSettings,
    HeldOutLeaks, ReadLimits, SplitFractions, TokenizerSettings, build_corpus, read_paths, write_subset,
};
use scalelaw_random::{Generator, Rng, generator, unit};
use scalelaw_tokens::{Dataset, Split};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Texts whose words follow Zipf's law, so that unlike texts share their frequent words.
struct Author {
    random: Generator,
}

impl Author {
    fn new(seed: u64) -> Self {
        Self { random: generator(seed) }
    }

    fn below(&mut self, n: usize) -> usize {
        (self.random.next_u64() % n as u64) as usize
    }

    fn word(&mut self) -> String {
        // Rank r with a chance of about 1/r among 20,000.
        let uniform = unit(&mut self.random);
        let rank = 20_000f64.powf(uniform) as usize;
        let (mut word, mut rest) = (String::new(), rank * 7 + 3);
        while rest > 0 {
            word.push_str(["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "za", "s", "n"][rest % 12]);
            rest /= 12;
        }
        word
    }

    fn text(&mut self, words: usize) -> Vec<String> {
        (0..words).map(|_| self.word()).collect()
    }

    /// A copy of a text with this share of its words, in places drawn at random, changed.
    fn copy(&mut self, text: &[String], changed: f64) -> Vec<String> {
        let mut copy = text.to_vec();
        let mut places: Vec<usize> = (0..text.len()).collect();
        for i in 0..(changed * text.len() as f64).round() as usize {
            let other = i + self.below(places.len() - i);
            places.swap(i, other);
            copy[places[i]] = self.word();
        }
        copy
    }
}

fn write_jsonl<'a>(path: &Path, texts: impl IntoIterator<Item = &'a String>) {
    let lines: String =
        texts.into_iter().map(|text| format!("{}\n", serde_json::json!({ "text": text }))).collect();
    std::fs::write(path, lines).unwrap();
}

/// Settings without rules, and a small tokenizer.
fn settings(paths: &[&Path]) -> CorpusSettings {
    CorpusSettings {
        filter: FilterSettings::named("none").unwrap(),
        tokenizer: TokenizerSettings::Train { train: 300, sample_bytes: 1 << 16 },
        split: SplitFractions { valid: 0.1, test: 0.1 },
        ..CorpusSettings::of_paths(paths.iter().map(|path| path.to_path_buf()).collect())
    }
}

fn build(settings: &CorpusSettings, out: &Path) -> CorpusManifest {
    match build_corpus(settings, out, &Silent, &|| false).unwrap() {
        CorpusBuild::Built(manifest) => *manifest,
        other => panic!("{other:?}"),
    }
}

/// Every file below a folder, with its contents.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

/// The same without what depends on where and in which order the input lies.
fn output(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    contents(dir)
        .into_iter()
        .filter(|(name, _)| name.starts_with("tokens/") && name.ends_with(".bin"))
        .collect()
}

fn texts(out: &Path) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    read_paths(&[out.join("documents")], ReadLimits::default(), &mut |document| {
        assert!(texts.insert(document.text), "no text twice");
        ControlFlow::Continue(())
    })
    .unwrap();
    texts
}

#[test]
fn corpus_drops_planted_near_duplicates_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut author = Author::new(1);
    let (mut originals, mut copies, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..1500 {
        let n_words = [40, 120, 400, 1500][i % 4];
        let text = author.text(n_words);
        if i % 3 == 0 {
            let changed = 0.05 + 0.15 * (i % 16) as f64 / 15.0;
            copies.push((originals.len(), author.copy(&text, changed).join(" ")));
        }
        originals.push(text.join(" "));
    }
    all.extend(originals.iter().cloned());
    all.extend(copies.iter().map(|(_, text)| text.clone()));
    let input = dir.path().join("in.jsonl");
    write_jsonl(&input, &all);
    let manifest = build(&settings(&[&input]), &dir.path().join("out"));
    let kept = texts(&dir.path().join("out"));
    // Of each pair exactly one goes.
    let found =
        copies.iter().filter(|(i, copy)| kept.contains(copy) != kept.contains(&originals[*i])).count();
    let dropped = all.len() - kept.len();
    let (recall, precision) = (found as f64 / copies.len() as f64, found as f64 / dropped as f64);
    eprintln!(
        "recall {recall:.4}, precision {precision:.4}, {} pairs compared",
        manifest.duplicates.compared
    );
    assert!(recall >= 0.97 && precision >= 0.99, "recall {recall}, precision {precision}");
    assert_eq!(manifest.duplicates.near.documents as usize, dropped);
    assert!(manifest.duplicates.compared < 20_000, "{}", manifest.duplicates.compared);
    let sample = &manifest.duplicates.near.samples[0];
    assert!(sample.found.contains("of the words of"), "{sample:?}");
}

/// 700 texts: some twice, some nearly; some of the test split copied in part.
fn mixed() -> Vec<String> {
    let mut author = Author::new(2);
    let mut texts: Vec<Vec<String>> = (0..500).map(|i| author.text(30 + i % 200)).collect();
    for i in 0..100 {
        let copy = author.copy(&texts[i].clone(), 0.1);
        texts.push(copy);
        let mut part = author.text(200);
        part.extend_from_slice(&texts[400 + i][..30]);
        texts.push(part);
    }
    let mut texts: Vec<String> = texts.iter().map(|words| words.join(" ")).collect();
    texts.extend_from_within(200..250);
    texts
}

#[test]
fn corpus_does_not_depend_on_threads_order_or_interruptions() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = mixed();
    let one = dir.path().join("one.jsonl");
    write_jsonl(&one, &all);
    let first = dir.path().join("first");
    build(&settings(&[&one]), &first);
    let expected = contents(&first);
    assert!(expected.contains_key("manifest.json") && !expected.keys().any(|name| name.starts_with("work")));

    // Threads, and a stop at every place where one is looked at.
    for threads in [1, 3] {
        let out = dir.path().join(format!("threads-{threads}"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut stops = 0;
        loop {
            let looks = AtomicUsize::new(0);
            let stop = || looks.fetch_add(1, Ordering::Relaxed) >= stops;
            match pool.install(|| build_corpus(&settings(&[&one]), &out, &Silent, &stop)).unwrap() {
                CorpusBuild::Stopped => stops += 1,
                CorpusBuild::Built(_) => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(stops >= 4, "{stops}");
        assert!(contents(&out) == expected, "{threads} threads, {stops} stops");
    }
    let again = build_corpus(&settings(&[&one]), &first, &Silent, &|| false).unwrap();
    assert!(matches!(again, CorpusBuild::Found(_)));

    // Another order in other files: other origins, the same tokens.
    all.reverse();
    let many = dir.path().join("many");
    std::fs::create_dir(&many).unwrap();
    for (i, texts) in all.chunks(111).enumerate() {
        write_jsonl(&many.join(format!("{i}.jsonl")), texts);
    }
    let out = dir.path().join("reversed");
    build(&settings(&[&many]), &out);
    assert!(output(&out) == output(&first) && texts(&out) == texts(&first));
}

#[test]
fn corpus_killed_with_files_half_written_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    write_jsonl(&input, &mixed());
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    build(&settings(&[&input]), &whole);
    let looks = AtomicUsize::new(0);
    let stop = || looks.fetch_add(1, Ordering::Relaxed) >= 5;
    assert_eq!(build_corpus(&settings(&[&input]), &killed, &Silent, &stop).unwrap(), CorpusBuild::Stopped);
    // What a kill leaves: temporary files.
    let stages: Vec<_> =
        std::fs::read_dir(killed.join("work")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for stage in stages.iter().filter(|path| path.is_dir()) {
        std::fs::write(stage.join("0000.tmp"), b"half").unwrap();
    }
    for folder in ["", "documents", "tokens"] {
        std::fs::create_dir_all(killed.join(folder)).unwrap();
        std::fs::write(killed.join(folder).join("train.bin.tmp-1-2"), b"half").unwrap();
    }
    build(&settings(&[&input]), &killed);
    assert!(contents(&killed) == contents(&whole));
}

#[test]
fn corpus_manifest_counts_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    let texts_in = mixed();
    write_jsonl(&input, &texts_in);
    let out = dir.path().join("out");
    let eval = dir.path().join("eval.txt");
    std::fs::write(&eval, "a held-out text of seven words").unwrap();
    let mut wanted = settings(&[&input]);
    wanted.evals = vec![scalelaw_corpus::EvalSettings { name: "other".into(), paths: vec![eval.clone()] }];
    let manifest = build(&wanted, &out);
    assert_eq!(manifest, CorpusManifest::open(&out).unwrap());
    let kept = texts(&out);
    assert_eq!((manifest.read.documents, manifest.duplicates.exact), (750, 50));
    assert_eq!(kept.len() as u64, 700 - manifest.duplicates.near.documents);
    let total = manifest.total();
    assert_eq!(total.documents, kept.len() as u64);
    assert_eq!(total.bytes, kept.iter().map(|text| text.len() as u64).sum::<u64>());
    assert_eq!(total.words, kept.iter().map(|text| text.split(' ').count() as u64).sum::<u64>());
    let dataset = Dataset::open(&out.join(CORPUS_TOKENS)).unwrap();
    dataset.verify().unwrap();
    assert_eq!(dataset.digest(), manifest.dataset);
    for split in Split::ALL {
        let counts = manifest.splits[split as usize];
        assert_eq!(dataset.tokens(split).len(), counts.tokens + counts.documents);
        let files = manifest.files.iter().filter(|file| file.split == split);
        assert_eq!(files.map(|file| file.documents).sum::<u64>(), counts.documents);
    }
    for file in &manifest.files {
        let bytes = std::fs::read(out.join(&file.path)).unwrap();
        assert_eq!((bytes.len() as u64, &*blake3::hash(&bytes).to_hex()), (file.bytes, file.blake3.as_str()));
    }
    let other = Dataset::open(&out.join("eval/other")).unwrap();
    assert_eq!(manifest.evals[0].counts.words, 6);
    assert_eq!(other.manifest().tokenizer_blake3, dataset.manifest().tokenizer_blake3);

    // A subset is a beginning.
    let half = dir.path().join("half");
    let subset = write_subset(&dataset, 1, &half).unwrap();
    let half = Dataset::open(&half).unwrap();
    let tokens = half.train().to_vec();
    assert_eq!(tokens, dataset.train().to_vec()[..tokens.len()]);
    assert!(
        tokens.len() as u64 <= dataset.train().len() / 2 && tokens.len() as u64 > dataset.train().len() / 3
    );
    assert_eq!(
        (half.tokens(Split::Test).len(), subset.train.tokens),
        (dataset.tokens(Split::Test).len(), tokens.len() as u64)
    );
    assert!(write_subset(&dataset, 40, &dir.path().join("none")).is_err());
}

#[test]
fn corpus_leaks_are_counted_and_dropped_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    write_jsonl(&input, &mixed());
    let counted = build(&settings(&[&input]), &dir.path().join("counted"));
    let leaks = &counted.leaks;
    // A fifth of 100 planted beginnings are of held-out documents, and most of their copies are for training.
    assert!((8..40).contains(&leaks.train_documents), "{}", leaks.train_documents);
    assert_eq!((leaks.looked_at, leaks.dropped.documents), (1.0, 0));
    assert!(leaks.test.runs_in_train > 0 && leaks.test.runs_in_train < leaks.test.runs / 2);
    assert_eq!(leaks.test.documents, counted.splits[2].documents);

    let mut strict = settings(&[&input]);
    strict.leaks.drop_above = 0.0;
    let dropped = build(&strict, &dir.path().join("dropped"));
    assert_eq!(dropped.leaks.dropped.documents, leaks.train_documents);
    assert_eq!((dropped.leaks.test.runs_in_train, dropped.leaks.valid.runs_in_train), (0, 0));
    assert_eq!(dropped.splits[0].documents + leaks.train_documents, counted.splits[0].documents);
    assert!(dropped.leaks.dropped.samples[0].found.contains("of its runs of 13 words"));
}

#[test]
fn corpus_leaks_of_evaluation_sets_are_counted_set_by_set() {
    let dir = tempfile::tempdir().unwrap();
    let (input, quoting, other) =
        (dir.path().join("in.jsonl"), dir.path().join("quoting.jsonl"), dir.path().join("other.jsonl"));
    let documents = mixed();
    write_jsonl(&input, &documents);
    // Texts of 50 words, of which 30 stand in a document each: 18 of 38 runs of 13 words.
    let mut author = Author::new(3);
    let quoted = &documents[300..310];
    let of = |text: &str, author: &mut Author| {
        let words: Vec<&str> = text.split(' ').take(30).collect();
        format!("{} {}", author.text(20).join(" "), words.join(" "))
    };
    write_jsonl(&quoting, &quoted.iter().map(|text| of(text, &mut author)).collect::<Vec<_>>());
    write_jsonl(&other, &[author.text(100).join(" ")]);
    let mut wanted = settings(&[&input]);
    let eval = |name: &str, path: &Path| scalelaw_corpus::EvalSettings {
        name: name.into(),
        paths: vec![path.to_path_buf()],
    };
    wanted.evals = vec![eval("quoting", &quoting), eval("other", &other)];
    let out = dir.path().join("counted");
    let counted = build(&wanted, &out);
    let train: Vec<_> = counted.files.iter().filter(|file| file.split == Split::Train).collect();
    let mut in_train = 0;
    read_paths(
        &train.iter().map(|file| out.join(&file.path)).collect::<Vec<_>>(),
        ReadLimits::default(),
        &mut |document| {
            in_train += u64::from(quoted.contains(&document.text));
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert!(in_train > 0);
    let expected = HeldOutLeaks {
        documents: 10,
        documents_above_tenth: in_train,
        runs: 380,
        runs_in_train: 18 * in_train,
        train_documents: in_train,
    };
    assert_eq!(counted.evals[0].leaks, expected);
    let none = HeldOutLeaks { documents: 1, runs: 88, ..HeldOutLeaks::default() };
    assert_eq!(counted.evals[1].leaks, none);
    let leaks = &counted.leaks;
    assert!(leaks.train_documents <= leaks.valid.train_documents + leaks.test.train_documents + in_train);

    wanted.leaks.drop_above = 0.0;
    let dropped = build(&wanted, &dir.path().join("dropped"));
    assert_eq!(dropped.evals[0].leaks.runs_in_train, 0);
    assert_eq!(dropped.evals[0].leaks.train_documents, in_train);
    assert_eq!(dropped.leaks.dropped.documents, leaks.train_documents);

    // A set without a document is named before anything is written.
    std::fs::write(&other, "").unwrap();
    let error = build_corpus(&wanted, &dir.path().join("none"), &Silent, &|| false).unwrap_err().to_string();
    assert!(error.contains("none in other"), "{error}");
}

/// Remembers how far reading was.
struct Reading(Mutex<Vec<(u64, u64)>>);

impl Observer for Reading {
    fn progress(&self, progress: Progress<'_>) {
        if let Progress::Stage { name: "reading", done, total, .. } = progress {
            self.0.lock().unwrap().push((done, total));
        }
    }
}

#[test]
fn corpus_progress_goes_through_a_large_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut author = Author::new(4);
    let texts: Vec<String> = (0..13_000).map(|_| author.text(12).join(" ")).collect();
    let plain = dir.path().join("in.jsonl");
    write_jsonl(&plain, &texts);
    let packed = dir.path().join("in.jsonl.zst");
    std::fs::write(&packed, zstd::encode_all(&*std::fs::read(&plain).unwrap(), 1).unwrap()).unwrap();
    let mut wanted = settings(&[&plain]);
    wanted.near_duplicates.same_words = 2.0;
    wanted.output.documents = DocumentFormat::Parquet;
    let table = dir.path().join("plain/documents/train-0000-of-0001.parquet");
    // A document for training stays one, so larger shares are held out of the table of those.
    for (name, path, share) in [("plain", &plain, 0.01), ("packed", &packed, 0.01), ("table", &table, 0.1)] {
        wanted.input.paths = vec![path.clone()];
        wanted.split = SplitFractions { valid: share, test: share };
        let reading = Reading(Mutex::default());
        build_corpus(&wanted, &dir.path().join(name), &reading, &|| false).unwrap();
        let seen = reading.0.into_inner().unwrap();
        let size = std::fs::metadata(path).unwrap().len();
        assert!(seen.is_sorted() && seen.iter().all(|&(done, total)| done <= total && total == size));
        let within = seen.iter().filter(|(done, total)| (1..*total).contains(done)).count();
        assert!(within >= 2, "{name}: {seen:?}");
        assert_eq!(seen.last(), Some(&(size, size)));
    }
}

#[test]
fn corpus_as_parquet_holds_the_same_documents() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    write_jsonl(&input, &mixed()[..300]);
    let mut wanted = settings(&[&input]);
    wanted.output.documents = DocumentFormat::Parquet;
    let manifest = build(&wanted, &dir.path().join("out"));
    let mut found = BTreeSet::new();
    for file in &manifest.files {
        assert!(file.path.ends_with(".parquet"));
        let reader =
            SerializedFileReader::new(std::fs::File::open(dir.path().join("out").join(&file.path)).unwrap())
                .unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            assert_eq!(row.get_string(3).unwrap(), "in.jsonl");
            found.insert(row.get_string(0).unwrap().clone());
        }
    }
    wanted.output.documents = DocumentFormat::JsonLines;
    build(&wanted, &dir.path().join("lines"));
    assert_eq!(found, texts(&dir.path().join("lines")));
}

#[test]
fn corpus_that_cannot_be_built_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    let refused = |settings: &CorpusSettings, out: &str| {
        build_corpus(settings, &dir.path().join(out), &Silent, &|| false).unwrap_err()
    };
    write_jsonl(&input, &[]);
    assert!(matches!(refused(&settings(&[&input]), "empty"), CorpusError::TooLittleText { .. }));
    write_jsonl(&input, &["one".into(), "two".into()]);
    assert!(matches!(refused(&settings(&[&input]), "two"), CorpusError::TooLittleText { .. }));
    write_jsonl(&input, &mixed());
    let mut strict = settings(&[&input]);
    strict.filter = FilterSettings::default();
    assert!(refused(&strict, "strict").to_string().contains("rules = \"none\""));
    assert!(refused(&settings(&[]), "none").to_string().contains("input.paths"));
    assert!(refused(&settings(&[&dir.path().join("missing")]), "missing").to_string().contains("missing"));
    build(&settings(&[&input]), &dir.path().join("out"));
    let mut other = settings(&[&input]);
    other.leaks.words = 12;
    assert!(matches!(refused(&other, "out"), CorpusError::OtherCorpus { .. }));
}

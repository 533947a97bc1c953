//! Link dumps.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn read(dumps: &[&str], options: &LinkOptions) -> (Links, LinkCounts) {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = dumps
        .iter()
        .enumerate()
        .map(|(i, dump)| {
            let path = dir.path().join(format!("{i}.jsonl.zst"));
            std::fs::write(&path, zstd::encode_all(dump.as_bytes(), 1).unwrap()).unwrap();
            path
        })
        .collect();
    Links::read(&paths, options).unwrap()
}

#[test]
fn links_scores_of_one_page_add_up() {
    let one = r#"
        {"url": "http://www.a.example/x?utm_source=y", "score": 2, "title": "t"}
        {"url": "https://b.example/", "score": 2}
        {"url": "https://c.example/", "score": "7"}"#;
    let two = r#"{"score": 1, "url": "https://a.example/x/"}
{"url": "https://c.example#top", "score": -5.0}
{"url": "http://d.example/é", "score": 3}"#;
    let (links, counts) = read(&[one, two], &LinkOptions::default());
    assert_eq!(
        counts,
        LinkCounts { lines: 6, broken: 0, not_web: 0, excluded: 0, distinct: 4, below: 2, kept: 2 }
    );
    assert!(links.wants("http://a.example/x") && links.wants("http://d.example/%c3%a9"));
    assert!(!links.wants("http://b.example/") && !links.wants("nonsense"));
    let missing: Vec<_> = links.missing().collect();
    assert_eq!(missing, [("http://d.example/é", 3), ("http://www.a.example/x?utm_source=y", 3)]);
    assert!(links.mark_found("https://www.d.example/é") && !links.mark_found("http://d.example/é"));
    assert!(!links.mark_found("http://b.example/"));
    assert_eq!(links.missing().count(), 1);
    assert_eq!((links.len(), links.is_empty()), (2, false));
}

#[test]
fn links_broken_lines_and_excluded_domains_are_counted() {
    let dump = r#"not json
["http://a.example", 5]
{"url": "http://a.example"}
{"url": 5, "score": 5}
{"url": "http://a.example", "score": null}

{"url": "/r/self/post", "score": 50}
{"url": "https://de.Wikipedia.org/wiki/X", "score": 50}
{"url": "https://wikipedia.org/", "score": 50}
{"url": "https://notwikipedia.org/", "score": 50}"#;
    let options = LinkOptions {
        excluded_domains: vec!["wikipedia.org".into(), String::new()],
        ..LinkOptions::default()
    };
    let (links, counts) = read(&[dump], &options);
    let expected =
        LinkCounts { lines: 9, broken: 5, not_web: 1, excluded: 2, distinct: 1, below: 0, kept: 1 };
    assert_eq!(counts, expected);
    assert_eq!(links.missing().next(), Some(("https://notwikipedia.org/", 50)));
}

#[test]
fn links_plain_list_is_kept_whatever_the_least_score() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("links.txt");
    std::fs::write(&path, "http://b.example/\n\n  https://a.example/x \r\nhttp://www.b.example\nno link\n")
        .unwrap();
    let (links, counts) =
        Links::read(&[path], &LinkOptions { min_score: 7, ..LinkOptions::default() }).unwrap();
    assert_eq!((counts.lines, counts.not_web, counts.kept), (4, 1, 2));
    assert_eq!(links.iter().collect::<Vec<_>>(), [("http://b.example/", 14), ("https://a.example/x", 7)]);
    assert_eq!((links.place("http://a.example/x/"), links.place("http://c.example")), (Some(1), None));
    assert_eq!((links.at(1), links.at(2)), (Some(("https://a.example/x", 7)), None));
}

#[test]
fn links_file_of_another_kind_is_refused() {
    let error = Links::read(&["links.csv".into()], &LinkOptions::default()).unwrap_err().to_string();
    assert!(error.contains("links.csv") && error.contains(".txt"), "{error}");
}

proptest! {
    #[test]
    fn links_agree_with_a_plain_sum(submissions in prop::collection::vec((0..6u8, -3..6i64), 0..40), min_score in -2..8i64) {
        let dump: String =
            submissions.iter().map(|(page, score)| format!("{{\"url\":\"http://{page}.example\",\"score\":{score}}}\n")).collect();
        let mut sums = BTreeMap::new();
        submissions.iter().for_each(|(page, score)| *sums.entry(format!("http://{page}.example")).or_insert(0) += score);
        sums.retain(|_, score| *score >= min_score);
        let (links, counts) = read(&[&dump], &LinkOptions { min_score, ..LinkOptions::default() });
        prop_assert_eq!(counts.kept as usize, sums.len());
        prop_assert!(links.missing().eq(sums.iter().map(|(url, score)| (&**url, *score))));
    }

    #[test]
    fn submission_any_line_never_panics(line in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = submission(&line);
    }
}

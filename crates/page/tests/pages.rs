//! Main texts of labelled pages.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod labelled;

use labelled::{Expected, SegmentScore, Segments, ShingleScore, from_base64, plain_text, records};
use scalelaw_page::{extract, page_to_text};
use std::path::PathBuf;

/// The labelled pages outside the repository, or `None` with a loud word.
fn shared(file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join("text/html-extraction").join(file);
    if !path.exists() {
        eprintln!("SKIPPED: no shared data at {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn extract_trafilaturas_pages_at_least_as_well_as_trafilatura() {
    let Some(path) = shared("trafilatura-eval.jsonl.zst") else { return };
    let mut score = SegmentScore::default();
    for page in records::<Segments>(&path) {
        if let Some(html) = &page.html {
            score.add(&page, &extract(html).text);
        }
    }
    let (precision, recall, f1) = score.precision_recall_f1();
    eprintln!("{} pages: P {precision:.4} R {recall:.4} F1 {f1:.4}", score.pages);
    // Python's trafilatura 2.3.1 without comments: .9279.
    assert!(score.pages == 963 && f1 >= 0.93, "{f1}");
}

#[test]
fn extract_mozillas_pages_as_its_own_tool_does() {
    let Some(path) = shared("mozilla-readability.jsonl.zst") else { return };
    let mut score = ShingleScore::default();
    for page in records::<Expected>(&path) {
        score.add(&plain_text(&page.expected_html), &extract(&page.html).text);
    }
    let (f1, mean, pooled) = (score.f1_of_means(), score.mean_f1(), score.pooled_f1());
    eprintln!("{} pages: F1 of means {f1:.4}, mean F1 {mean:.4}, pooled {pooled:.4}", score.pages);
    assert!(score.pages == 130 && f1 >= 0.93 && mean >= 0.93 && pooled >= 0.93);
}

#[test]
fn page_to_text_of_other_encodings_finds_the_labelled_segments() {
    let Some(path) = shared("trafilatura-eval.jsonl.zst") else { return };
    let (mut score, mut broken) = (SegmentScore::default(), 0);
    for page in records::<Segments>(&path) {
        if let Some(base64) = &page.html_base64 {
            let found = page_to_text(&from_base64(base64), None);
            broken += usize::from(found.extracted.text.contains('\u{fffd}'));
            score.add(&page, &found.extracted.text);
        }
    }
    let (precision, recall, f1) = score.precision_recall_f1();
    eprintln!(
        "{} pages: P {precision:.4} R {recall:.4} F1 {f1:.4}, {broken} with replacement characters",
        score.pages
    );
    // Python's trafilatura 2.3.1 without comments: .8639; what is hard about these pages is not their encoding.
    assert!(score.pages == 27 && f1 >= 0.87 && broken == 0, "{f1}, {broken}");
}

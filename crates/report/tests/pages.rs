//! Whole pages: the report of a made-up study and the page of the paper's constants are complete, self-contained, the same
//! bytes twice, and what is committed.

#[allow(dead_code, reason = "its main is not called here")]
#[path = "../examples/demo.rs"]
mod demo;

use scalelaw_lab::study::Laws;
use std::collections::BTreeMap;
use std::path::Path;

#[allow(clippy::unwrap_used, reason = "a helper of tests, outside #[test]")]
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            );
        }
    }
    found
}

#[test]
fn study_report_written_twice_is_complete_and_the_same_bytes() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let page = scalelaw_report::study(&demo::demo()).write(first.path()).unwrap();
    scalelaw_report::study(&demo::demo()).write(second.path()).unwrap();
    assert_eq!(page, first.path().join("index.html"));
    let written = files(first.path());
    assert_eq!(written, files(second.path()));
    for name in ["power-laws", "learning-curves", "loss-by-data-and-size", "plan", "residuals"] {
        for kind in ["svg", "png", "csv"] {
            assert!(written.contains_key(&format!("{name}.{kind}")), "{name}.{kind}");
        }
    }
}

#[test]
fn study_page_asks_the_network_for_nothing() {
    let html = scalelaw_report::study(&demo::demo()).html;
    let outside = html.replace("http://www.w3.org/2000/svg", "");
    for forbidden in ["http:", "https:", "<script", "<img", "<link", "@import", "url("] {
        assert!(!outside.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn study_page_says_conventions_intervals_failures_and_caveats() {
    let html = scalelaw_report::study(&demo::demo()).html;
    for said in [
        "N, non-embedding parameters",
        "FLOPs with head and attention",
        "95% interval",
        "Kaplan et al. 2020",
        "diverged at step 212",
        "No theory says",
        "demonstration &lt;not real&gt;",
        "Extrapolation: 0.97 decades",
    ] {
        assert!(html.contains(said), "{said}");
    }
}

#[test]
fn study_without_any_law_says_so_and_still_lists_its_runs() {
    let mut study = demo::demo();
    study.laws = Laws::default();
    study.plan = None;
    let report = scalelaw_report::study(&study);
    assert!(report.html.contains("No law could be fitted"));
    assert!(report.html.contains("quickstart-d128"));
    assert_eq!(report.figures.len(), 1); // the learning curves need no law
}

/// A page to be read in a diff: without its style and its figures.
fn readable(html: &str) -> String {
    let without = |html: &str, tag: &str| {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let mut parts = html.split(&open);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            kept += &format!("{open}/>");
            kept += part.split_once(&close).map_or("", |(_, behind)| behind);
        }
        kept
    };
    without(&without(html, "style"), "svg")
}

#[test]
fn readable_page_keeps_everything_but_style_and_figures() {
    let html = "<style>a</style><p>x<svg a=\"1\"><g/></svg>y</p><svg></svg>z";
    assert_eq!(readable(html), "<style/><p>x<svg/>y</p><svg/>z");
}

#[test]
fn study_page_of_a_made_up_study_is_the_committed_one() {
    insta::assert_snapshot!(readable(&scalelaw_report::study(&demo::demo()).html));
}

#[test]
fn paper_page_of_the_published_constants_is_the_committed_one() {
    let report = scalelaw_report::paper::constants_only(&scalelaw_lab::paper::constants_only());
    insta::assert_snapshot!(readable(&report.html()));
}

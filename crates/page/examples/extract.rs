//! How well and how fast main texts are found, on labelled pages.
//!
//!     cargo run --release -p scalelaw-page --example extract -- FOLDER [OUTPUTS.jsonl…]
//!
//! FOLDER has `trafilatura-eval.jsonl.zst` and `mozilla-readability.jsonl.zst`; each file of OUTPUTS has what another
//! extractor made of the same pages, a line `{"set": "trafilatura"|"mozilla", "id": …, "text": …}` a page (see
//! `bench/extract`). With `--dump FILE` our own texts are written so too.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/labelled/mod.rs"]
mod labelled;

use labelled::{Expected, SegmentScore, Segments, ShingleScore, plain_text, records};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

fn main() {
    let mut args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let dump = args.iter().position(|arg| arg.as_os_str() == "--dump").map(|at| {
        args.remove(at);
        std::fs::File::create(args.remove(at)).unwrap()
    });
    let Some(folder) = args.first().filter(|folder| folder.join("trafilatura-eval.jsonl.zst").exists())
    else {
        eprintln!("SKIPPED: name the folder of labelled pages");
        return;
    };
    let trafilatura: Vec<Segments> = records(&folder.join("trafilatura-eval.jsonl.zst"))
        .filter(|page: &Segments| page.html.is_some())
        .collect();
    let mozilla: Vec<Expected> = records(&folder.join("mozilla-readability.jsonl.zst")).collect();
    let expected: Vec<String> = mozilla.iter().map(|page| plain_text(&page.expected_html)).collect();

    let mut texts = HashMap::new();
    let pages = trafilatura.iter().map(|page| ("trafilatura", &page.id, page.html.as_deref().unwrap()));
    let pages = pages.chain(mozilla.iter().map(|page| ("mozilla", &page.id, &*page.html)));
    let mut seconds: HashMap<&str, f64> = HashMap::new();
    for (set, id, html) in pages {
        let begun = cpu_seconds();
        let text = scalelaw_page::extract(html).text;
        *seconds.entry(set).or_default() += cpu_seconds() - begun;
        texts.insert((set.to_owned(), id.clone()), text);
    }
    if let Some(mut dump) = dump {
        for ((set, id), text) in &texts {
            writeln!(dump, "{}", serde_json::json!({"set": set, "id": id, "text": text})).unwrap();
        }
    }
    let score = |name: &str, texts: &HashMap<(String, String), String>| {
        let text = |set: &str, id: &String| texts.get(&(set.to_owned(), id.clone())).map_or("", |text| text);
        let (mut segments, mut shingles) = (SegmentScore::default(), ShingleScore::default());
        trafilatura.iter().for_each(|page| segments.add(page, text("trafilatura", &page.id)));
        mozilla
            .iter()
            .zip(&expected)
            .for_each(|(page, expected)| shingles.add(expected, text("mozilla", &page.id)));
        let (precision, recall, f1) = segments.precision_recall_f1();
        println!(
            "{name}: trafilatura's {} pages P {precision:.4} R {recall:.4} F1 {f1:.4}; Mozilla's {} pages, 4-grams: \
             F1 of means {:.4}, mean F1 {:.4}, pooled F1 {:.4}",
            segments.pages,
            shingles.pages,
            shingles.f1_of_means(),
            shingles.mean_f1(),
            shingles.pooled_f1()
        );
    };
    score("scalelaw", &texts);
    for (set, n) in [("trafilatura", trafilatura.len()), ("mozilla", mozilla.len())] {
        println!("scalelaw: {set}'s pages, {:.0} pages a second of one core", n as f64 / seconds[set]);
    }
    for path in &args[1..] {
        score(&path.display().to_string(), &outputs(path));
    }
}

fn outputs(path: &Path) -> HashMap<(String, String), String> {
    let file = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            ((field("set"), field("id")), field("text"))
        })
        .collect()
}

/// What this thread has used of a processor.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
    nanoseconds / 1e9
}

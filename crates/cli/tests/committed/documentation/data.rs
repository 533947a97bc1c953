//! Small data under the names that the pages use: what a reader would have, in miniature.

use crate::{root, scalelaw};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// An experiment whose runs are over in a fraction of a second.
const EXPERIMENT: &str = r#"
question = "Does every command of the documentation run?"
[recipe]
name = "small-test-1"
base = "nano-1"
batch_tokens = 1024
steps = 60
[data]
synthetic = 0
max_train_tokens = 40000
test_tokens = 1024
[[set]]
name = "A"
models = [{ n_layer = 1, d_model = 8 }, { n_layer = 2, d_model = 8 }]
"#;

/// Writes all of them into a folder, and what only this page needs.
pub fn write(dir: &Path, page: &str) {
    for folder in ["experiments", "my-folder", "crawl", "pages"] {
        fs::create_dir(dir.join(folder)).unwrap();
    }
    for experiment in ["experiments/smoke.toml", "experiment.toml"] {
        fs::write(dir.join(experiment), EXPERIMENT).unwrap();
    }
    tables(dir);
    texts(dir);
    if page.contains("--runs nano") {
        let swept = scalelaw(dir).args(["sweep", "experiment.toml", "--out", "nano"]).output().unwrap();
        assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
    }
    let mut blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    if let Some(settings) = blocks.find(|block| block.contains("[input]")) {
        fs::write(dir.join("corpus.toml"), settings).unwrap();
    }
}

/// Tables of runs and curves, and logs of other trainers.
fn tables(dir: &Path) {
    let runs = fs::read_to_string(root().join("docs/results/quickstart/runs.csv")).unwrap();
    fs::write(dir.join("curves.csv"), curves(&runs)).unwrap();
    fs::write(dir.join("runs.csv"), runs).unwrap();
    fs::write(dir.join("budgets.csv"), budgets()).unwrap();
    for (run, log) in [("one", "trainer_state.json"), ("two", "metrics.csv")] {
        fs::create_dir(dir.join(run)).unwrap();
        fs::copy(root().join("crates/table/tests/fixtures").join(log), dir.join(run).join(log)).unwrap();
    }
}

/// Learning curves of the runs of a table, by a law of N and the step.
fn curves(runs: &str) -> String {
    let mut rows = runs.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (run, n, steps) = (column("run_id"), column("n_nonembed"), column("steps"));
    let mut curves = String::from("run_id,n_nonembed,step,tokens,test_loss\n");
    for row in rows {
        let (n, steps): (f64, f64) = (row[n].parse().unwrap(), row[steps].parse().unwrap());
        for i in 1..=20 {
            let step = (10.0 * (steps / 10.0).powf(f64::from(i) / 20.0)).round();
            let loss = (2e7 / n).powf(0.14) + (300.0 / step).powf(0.7);
            let _ = writeln!(curves, "{},{n},{step},{},{loss:.5}", row[run], step * 2048.0);
        }
    }
    curves
}

/// Runs of five sizes at each of four budgets, by Chinchilla's law.
fn budgets() -> String {
    let mut runs = String::from("N,D,C,loss\n");
    for budget in [1e17, 1e18, 1e19, 1e20] {
        for i in -2..=2 {
            let n = (budget / 120.0f64).sqrt() * 2f64.powi(i);
            let d = budget / (6.0 * n);
            let loss = 1.8172 + 482.01 / n.powf(0.3478) + 2085.43 / d.powf(0.3658);
            let _ = writeln!(runs, "{n},{d},{budget:e},{loss:.5}");
        }
    }
    runs
}

/// Plain prose as pages on the web, in files and as records, with links to the pages.
fn texts(dir: &Path) {
    let texts = prose();
    let (mut archive, mut links, mut records) = (Vec::new(), String::new(), String::new());
    for (i, text) in texts.iter().enumerate() {
        let url = format!("https://example.org/{i}");
        let html = format!("<html><title>{i}</title><body><article><p>{text}</p></article></body></html>");
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{html}",
            html.len()
        );
        let request = format!("GET /{i} HTTP/1.1\r\nHost: example.org\r\n\r\n");
        archive.extend(scalelaw_archive::page_records(
            &url,
            None,
            "2026-11-22T00:00:00Z",
            request.as_bytes(),
            response.as_bytes(),
        ));
        let _ = writeln!(links, "{}", serde_json::json!({ "url": url, "score": 3 + i }));
        let _ = writeln!(records, "{}", serde_json::json!({ "text": text }));
        fs::write(dir.join(format!("my-folder/{i}.txt")), text).unwrap();
    }
    for folder in ["crawl", "pages"] {
        fs::write(dir.join(folder).join("pages-00000.warc.gz"), &archive).unwrap();
    }
    for (name, lines) in [("submissions", &links), ("more", &records), ("books", &records)] {
        let packed = zstd::encode_all(lines.as_bytes(), 0).unwrap();
        fs::write(dir.join(format!("{name}.jsonl.zst")), packed).unwrap();
    }
    fs::write(dir.join("text.txt"), &texts[0]).unwrap();
}

/// Parts of sentences: who, does what, to what, where, and when.
const PARTS: [[&str; 9]; 5] = [
    [
        "The old gardener from the next village",
        "A teacher who had come by the early train",
        "The youngest of the three sisters",
        "My neighbour with the green bicycle",
        "The captain of the small ferry",
        "A doctor on her way home",
        "The baker and his two sons",
        "An engineer from the water works",
        "The woman who keeps the library",
    ],
    [
        "carried",
        "looked for",
        "has forgotten",
        "wanted to sell",
        "was asked about",
        "found",
        "talked of",
        "had painted",
        "will bring back",
    ],
    [
        "a basket of late apples",
        "the letters that nobody had answered",
        "two maps of the northern coast",
        "an umbrella with a broken handle",
        "the key to the upper rooms",
        "a loaf of dark bread",
        "some photographs of the harbour",
        "the clock that always ran slow",
        "a box of coloured glass",
    ],
    [
        "behind the station",
        "in the long street by the river",
        "at the edge of the forest",
        "under the stone bridge",
        "between the church and the market",
        "on the hill above the town",
        "near the last house of the road",
        "in the yard of the school",
        "beside the empty mill",
    ],
    [
        "before it began to rain",
        "while the others were still asleep",
        "when the lamps had been lit",
        "after a very long winter",
        "on the first warm day of the year",
        "although it was much too late",
        "because the shops had closed",
        "as the bells rang for noon",
        "until the snow was gone",
    ],
];

/// Syllables of made-up names: a tokenizer needs more than a few hundred words.
const SYLLABLES: [&str; 13] =
    ["ka", "re", "mo", "lin", "tas", "vo", "per", "ny", "shu", "dal", "ero", "fin", "gu"];

/// Documents of five plain sentences, no two with the same ones.
fn prose() -> Vec<String> {
    let name = |index: usize| {
        let syllable = |place: u32| SYLLABLES[index / SYLLABLES.len().pow(place) % SYLLABLES.len()];
        [0, 1, 2].map(syllable).concat()
    };
    let sentence = |index: usize| {
        // A step without common factor goes through all sentences before one comes again.
        let mut rest = index * 20_011 % PARTS[0].len().pow(5);
        let [who, does, what, place, when] = PARTS.map(|choices| {
            let words = choices[rest % choices.len()];
            rest /= choices.len();
            words
        });
        let [one, other] = [7 * index, 7 * index + 3].map(name);
        format!("{who} {does} {what} of {one} {place} in {other} {when}.")
    };
    let document = |i: usize| (5 * i..5 * i + 5).map(sentence).collect::<Vec<_>>().join(" ");
    (0..600).map(document).collect()
}

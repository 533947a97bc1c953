//! `peers FOLDER CRATE > OUT.jsonl`: texts on stdout, pages a second on stderr.

use std::io::{BufRead, BufReader};

fn extract(with: &str, html: &str) -> String {
    match with {
        "rs_trafilatura" => rs_trafilatura::extract(html).map(|found| found.content_text).unwrap_or_default(),
        "trafilatura" | "trafilatura_fast" => {
            let options = trafilatura::Options::default().with_fallback(with == "trafilatura").with_exclude_comments(true);
            trafilatura::extract(html, &options).map(|found| found.content_text).unwrap_or_default()
        }
        "dom_smoothie" => {
            let config = dom_smoothie::Config { text_mode: dom_smoothie::TextMode::Formatted, ..Default::default() };
            let article = dom_smoothie::Readability::new(html, None, Some(config)).and_then(|mut page| page.parse());
            article.map(|article| article.text_content.to_string()).unwrap_or_default()
        }
        _ => panic!("expected rs_trafilatura, trafilatura, trafilatura_fast or dom_smoothie, found {with}"),
    }
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|n| n.parse::<f64>().ok()).expect("a number") / 1e9
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for (set, file) in [("trafilatura", "trafilatura-eval"), ("mozilla", "mozilla-readability")] {
        let file = std::fs::File::open(format!("{}/{file}.jsonl.zst", args[1])).expect("the folder of labelled pages");
        let (mut pages, mut seconds) = (0, 0.0);
        for line in BufReader::new(zstd::Decoder::new(file).expect("zstd")).lines() {
            let page: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("JSON");
            let Some(html) = page["html"].as_str() else { continue };
            let begun = cpu_seconds();
            let text = std::panic::catch_unwind(|| extract(&args[2], html)).unwrap_or_default();
            seconds += cpu_seconds() - begun;
            pages += 1;
            println!("{}", serde_json::json!({"set": set, "id": page["id"], "text": text}));
        }
        eprintln!("{}: {set}'s {pages} pages, {:.1} a second of one core", args[2], f64::from(pages) / seconds);
    }
}

//! What a corpus build costs, stage by stage: seconds, seconds of processors, and the most memory held.
//!
//! ```text
//! cargo run --release -p scalelaw-corpus --example corpus_stages -- OUT RULES TEXT…
//! ```
//! TEXT are files and folders as `scalelaw corpus build` takes them, RULES a named set of rules; tokens are GPT-2's.
//! Prints a line a stage, with MB of the kept text a second of one processor, then the speed of the rules by themselves
//! on the first 20 MB. Linux only.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use scalelaw_core::observer::{Observer, Progress};
use scalelaw_corpus::{CorpusBuild, CorpusSettings, FilterSettings, ReadLimits, build_corpus, read_paths};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

/// Text that the rules are timed on.
const RULES_BYTES: usize = 20_000_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().expect("the first argument is the folder of the corpus"));
    let rules = arguments.next().expect("the second argument is a set of rules: webtext-1, gopher-1, none");
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let settings = CorpusSettings {
        filter: FilterSettings::named(&rules).unwrap(),
        ..CorpusSettings::of_paths(paths.clone())
    };
    let stages = Stages(Mutex::new(vec![Mark::now("start")]));
    let CorpusBuild::Built(manifest) = build_corpus(&settings, &out, &stages, &|| false).unwrap() else {
        panic!("{}: a corpus is there already", out.display());
    };
    let mut marks = stages.0.into_inner().unwrap();
    marks.push(Mark::now("end"));
    let (documents, megabytes) = (manifest.read.kept, manifest.read.kept_bytes as f64 / 1e6);
    println!("{documents} documents, {megabytes:.1} MB; {} tokens", manifest.total().tokens);
    println!("{:<24}{:>9}{:>11}{:>11}{:>13}", "stage", "seconds", "processor", "peak MB", "MB/s a core");
    for two in marks.windows(2) {
        let (begun, ended) = (&two[0], &two[1]);
        println!(
            "{:<24}{:>9.1}{:>11.1}{:>11.0}{:>13.1}",
            begun.name,
            (ended.at - begun.at).as_secs_f64(),
            ended.processor - begun.processor,
            ended.peak_before,
            megabytes / (ended.processor - begun.processor)
        );
    }
    let (first, last) = (&marks[0], &marks[marks.len() - 1]);
    let seconds = (last.at - first.at).as_secs_f64();
    println!(
        "all: {seconds:.1} s, {:.0} documents/s, {:.1} MB/s a core, peak {:.0} MB",
        documents as f64 / seconds,
        megabytes / (last.processor - first.processor),
        marks.iter().map(|mark| mark.peak_before).fold(0.0, f64::max)
    );
    time_rules(&paths);
}

/// The moment when a stage begins.
struct Mark {
    name: String,
    at: Instant,
    /// Seconds that all threads have had of processors.
    processor: f64,
    /// The most memory held since the mark before, in MB.
    peak_before: f64,
}

impl Mark {
    fn now(name: &str) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        // The kernel starts the peak anew.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let name = name.to_owned();
        Self { name, at: Instant::now(), processor: processor_seconds(), peak_before: peak * 1024.0 / 1e6 }
    }
}

/// User and system time of the process, in ticks of 10 ms.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// Remembers when each stage began.
struct Stages(Mutex<Vec<Mark>>);

impl Observer for Stages {
    fn progress(&self, progress: Progress<'_>) {
        let Progress::Stage { name, .. } = progress else { return };
        let mut marks = self.0.lock().unwrap();
        if marks.last().is_some_and(|mark| mark.name != name) {
            marks.push(Mark::now(name));
        }
    }
}

fn time_rules(paths: &[PathBuf]) {
    let (mut texts, mut bytes) = (Vec::new(), 0);
    read_paths(paths, ReadLimits::default(), &mut |document| {
        bytes += document.text.len();
        texts.push(document.text);
        if bytes < RULES_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .unwrap();
    for rules in ["webtext-1", "gopher-1"] {
        let settings = FilterSettings::named(rules).unwrap();
        let before = processor_seconds();
        let kept = texts.iter().filter(|text| settings.check(text).is_ok()).count();
        let megabytes = bytes as f64 / 1e6;
        println!(
            "{rules}: {kept} of {} documents, {megabytes:.1} MB, {:.1} MB/s",
            texts.len(),
            megabytes / (processor_seconds() - before)
        );
    }
}

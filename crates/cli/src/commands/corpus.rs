//! `scalelaw corpus`: fetch its pages, build one, see its figures, take subsets.

mod fetch;

use crate::commands::train::available_threads;
use crate::output;
use crate::progress::Display;
use crate::signals;
use anyhow::{Context, bail};
use scalelaw_corpus::{
    CORPUS_TOKENS, CorpusBuild, CorpusCounts, CorpusManifest, CorpusSettings, FilterSettings, LinkSettings,
    TokenizerSettings, build_corpus, write_subset,
};
use scalelaw_tokens::{Dataset, Split};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Arguments of `scalelaw corpus`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// The pages of links into web archives, politely; killed, the same command goes on
    Fetch(fetch::Arguments),
    /// From raw pages and texts to clean documents and tokens; killed, the same command goes on
    Build(Build),
    /// The figures of a corpus beside WebText2's
    Stats {
        /// The folder of a corpus
        dir: PathBuf,
        /// Print the manifest as JSON
        #[arg(long)]
        json: bool,
    },
    /// Nested subsets D/2^k of the training tokens, as datasets of their own
    Subset {
        /// The folder of a corpus, or of a token dataset
        dir: PathBuf,
        /// How often the training tokens are halved: 1, 1,3,5 or 1..10
        #[arg(long)]
        halvings: String,
        /// Where the folders d1, d2, … go
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(clap::Args)]
struct Build {
    /// Files and folders: WARC, ARC, HTML, JSONL, Parquet, plain text
    paths: Vec<PathBuf>,
    /// All settings in one TOML; the other options change single ones
    #[arg(long)]
    config: Option<PathBuf>,
    /// Dumps of links (JSONL with `url` and `score`) or lists (.txt, a URL a line): only their pages are read
    #[arg(long)]
    links: Vec<PathBuf>,
    /// A named set of rules: webtext-1, gopher-1 or none
    #[arg(long)]
    rules: Option<String>,
    /// Languages to keep, as ISO 639-3 codes such as eng; `any` for all
    #[arg(long, value_delimiter = ',')]
    languages: Vec<String>,
    /// `gpt2`, a tokenizer.json, or a number: train one of that size
    #[arg(long)]
    tokenizer: Option<String>,
    /// The folder of the corpus
    #[arg(long)]
    out: PathBuf,
    /// Threads; any number gives the same bytes
    #[arg(long, default_value_t = available_threads())]
    threads: usize,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

/// Does what the arguments ask.
///
/// # Errors
/// When settings, inputs or the output folder are not usable.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Fetch(arguments) => fetch::run(arguments),
        Action::Build(arguments) => build(arguments),
        Action::Stats { dir, json } => show(&CorpusManifest::open(dir)?, *json),
        Action::Subset { dir, halvings, out } => subset(dir, halvings, out),
    }
}

fn settings(arguments: &Build) -> anyhow::Result<CorpusSettings> {
    let mut settings = match &arguments.config {
        Some(path) => CorpusSettings::from_file(path)?,
        None => CorpusSettings::of_paths(Vec::new()),
    };
    settings.input.paths.extend(arguments.paths.iter().cloned());
    if settings.input.paths.is_empty() {
        bail!("nothing to read: give files or folders, or --config FILE with [input] paths = […]");
    }
    if !arguments.links.is_empty() {
        match &mut settings.links {
            Some(links) => links.paths.extend(arguments.links.iter().cloned()),
            None => settings.links = Some(LinkSettings::of_paths(arguments.links.clone())),
        }
    }
    if let Some(rules) = &arguments.rules {
        settings.filter = FilterSettings::named(rules)?;
    }
    if !arguments.languages.is_empty() {
        let any = arguments.languages == ["any"];
        settings.filter.languages = if any { Vec::new() } else { arguments.languages.clone() };
    }
    if let Some(tokenizer) = &arguments.tokenizer {
        settings.tokenizer = match tokenizer.parse() {
            Ok(n_vocab) => TokenizerSettings::trained(n_vocab),
            Err(_) => TokenizerSettings::Named(tokenizer.clone()),
        };
    }
    Ok(settings)
}

fn build(arguments: &Build) -> anyhow::Result<ExitCode> {
    let settings = settings(arguments)?;
    let display = Display::new();
    let flag = signals::stop_flag()?;
    let stop = || flag.load(Ordering::Relaxed);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.max(1))
        .build()
        .context("cannot start threads")?;
    let built = pool.install(|| build_corpus(&settings, &arguments.out, &display, &stop))?;
    display.finish();
    match built {
        CorpusBuild::Built(manifest) => show(&manifest, arguments.json),
        CorpusBuild::Found(manifest) => {
            eprintln!("{}: built before from the same input", arguments.out.display());
            show(&manifest, arguments.json)
        }
        CorpusBuild::Stopped => {
            eprintln!("stopped; the same command goes on from here");
            Ok(ExitCode::from(3))
        }
    }
}

fn show(manifest: &CorpusManifest, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(manifest)?;
    } else {
        output::print(&text(manifest))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// WebText2 as Kaplan et al. 2020 describe it, section 2.3.
const WEBTEXT2: CorpusCounts = CorpusCounts {
    documents: 20_300_000,
    bytes: 96_000_000_000,
    words: 16_200_000_000,
    tokens: 22_900_000_000,
};

/// The figures for a person.
fn text(manifest: &CorpusManifest) -> String {
    let mut text = String::new();
    let mut line = |name: &str, counts: CorpusCounts| {
        let CorpusCounts { documents, bytes, words, tokens } = counts;
        let [bytes, words, tokens] = [bytes, words, tokens].map(|n| n as f64);
        let per = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        let _ = writeln!(
            text,
            "{name:<14}{documents:>12} {:>10} {words:>10.3e} {tokens:>10.3e} {:>12.2} {:>11.2}",
            size(bytes),
            per(tokens, words),
            per(bytes, tokens),
        );
    };
    line("this corpus", manifest.total());
    for split in Split::ALL {
        line(&format!("  {split}"), manifest.splits[split as usize]);
    }
    for eval in &manifest.evals {
        line(&format!("  {}", eval.name), eval.counts);
    }
    line("WebText2", WEBTEXT2);
    let header = format!(
        "{:<14}{:>12} {:>10} {:>10} {:>10} {:>12} {:>11}\n",
        "", "documents", "bytes", "words", "tokens", "tokens/word", "bytes/token"
    );
    text.insert_str(0, &header);
    text + "\n" + &losses(manifest)
}

/// What became of the records, stage by stage.
fn losses(manifest: &CorpusManifest) -> String {
    let read = &manifest.read;
    let mut text = format!("{:>10} records read\n", read.records);
    for (reason, n) in read.skipped.by_reason() {
        if n > 0 {
            let _ = writeln!(text, "{:>10}   {reason}", format!("-{n}"));
        }
    }
    let mut minus = |n: u64, what: &str| {
        if n > 0 {
            let _ = writeln!(text, "{:>10}   {what}", format!("-{n}"));
        }
    };
    for (rule, dropped) in &read.filtered {
        minus(dropped.documents, rule);
    }
    minus(manifest.duplicates.exact, "duplicates");
    minus(manifest.duplicates.near.documents, "near-duplicates");
    minus(manifest.leaks.dropped.documents, "leaks of held-out text");
    let _ = writeln!(text, "{:>10} documents", manifest.total().documents);
    if let Some(links) = &manifest.links {
        let _ = writeln!(
            text,
            "{} links wanted, {} without a page in the input (links-missing.jsonl)",
            links.wanted, links.missing
        );
    }
    let leaks = &manifest.leaks;
    for (name, held_out) in [("valid", leaks.valid), ("test", leaks.test)] {
        let share = 100.0 * held_out.runs_in_train as f64 / held_out.runs.max(1) as f64;
        let _ = writeln!(
            text,
            "{name}: {share:.2}% of its runs of {} words are in train; above 10% in {} of {} documents",
            manifest.settings.leaks.words, held_out.documents_above_tenth, held_out.documents
        );
    }
    text
}

fn size(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{:.2} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.2} MB", b / 1e6),
        b => format!("{:.2} kB", b / 1e3),
    }
}

fn subset(dir: &std::path::Path, halvings: &str, out: &std::path::Path) -> anyhow::Result<ExitCode> {
    let tokens = dir.join(CORPUS_TOKENS);
    let dataset = Dataset::open(if tokens.is_dir() { &tokens } else { dir })?;
    for halvings in numbers(halvings)? {
        let subset = write_subset(&dataset, halvings, &out.join(format!("d{halvings}")))?;
        output::print(&format!(
            "{}: {} documents, {} tokens (D/{} = {})",
            out.join(format!("d{halvings}")).display(),
            subset.train.documents,
            subset.train.tokens,
            2u64.saturating_pow(halvings),
            dataset.subset(halvings).len(),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `3`, `1,3,5` or `1..10` (both ends included).
fn numbers(text: &str) -> anyhow::Result<Vec<u32>> {
    let number = |text: &str| -> anyhow::Result<u32> {
        match text.trim().parse() {
            Ok(n) if n < 64 => Ok(n),
            _ => bail!("--halvings: {text:?}: expected whole numbers below 64, such as 1, 1,3,5 or 1..10"),
        }
    };
    match text.split_once("..") {
        Some((from, to)) => Ok((number(from)?..=number(to)?).collect()),
        None => text.split(',').map(number).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_lists_or_ranges() {
        assert_eq!(numbers("3").unwrap(), [3]);
        assert_eq!(numbers("1, 3").unwrap(), [1, 3]);
        assert_eq!(numbers("1..4").unwrap(), [1, 2, 3, 4]);
        assert!(numbers("x").is_err() && numbers("64").is_err() && numbers("1..x").is_err());
    }
}

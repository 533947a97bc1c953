//! `scalelaw corpus`: fetch web pages, build a corpus, show its figures, write subsets.

#[cfg(feature = "fetch")]
mod fetch;

use crate::commands::train::available_threads;
use crate::hints::Usage;
use crate::output;
use crate::progress::Display;
use crate::signals;
use anyhow::{Context, bail};
use scalelaw_corpus::{
    CorpusBuild, CorpusCounts, CorpusManifest, CorpusSettings, FilterSettings, LinkSettings, Sample,
    TokenizerSettings, build_corpus, open_tokens, write_subset,
};
use scalelaw_tokens::Split;
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
    /// Fetch the pages of links into web archives, politely; resumable with the same command
    #[cfg(feature = "fetch")]
    Fetch(fetch::Arguments),
    /// Turn raw pages and texts into clean documents and tokens; resumable with the same command
    Build(Build),
    /// Show the figures of a corpus next to those of WebText2
    Stats {
        /// The folder of a corpus
        dir: PathBuf,
        /// Print the manifest as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write nested subsets D/2^k of the training tokens as datasets
    Subset {
        /// The folder of a corpus, or of a token dataset
        dir: PathBuf,
        /// How often to halve the training tokens: a number (1), a list (1,3,5) or a range (1..10)
        #[arg(long)]
        halvings: String,
        /// Folder for the subsets d1, d2, …
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(clap::Args)]
struct Build {
    /// Files and folders to read: WARC, ARC, HTML, JSONL, Parquet, plain text
    paths: Vec<PathBuf>,
    /// Settings as TOML; the other options override single settings
    #[arg(long)]
    config: Option<PathBuf>,
    /// Read only the pages of these links: JSONL with `url` and `score`, or .txt with one URL per line
    #[arg(long)]
    links: Vec<PathBuf>,
    /// Filter rules: webtext-1, gopher-1 or none
    #[arg(long)]
    rules: Option<String>,
    /// Languages to keep, as ISO 639-3 codes such as eng; `any` keeps all
    #[arg(long, value_delimiter = ',')]
    languages: Vec<String>,
    /// `gpt2`, a tokenizer.json, or a number: train a tokenizer with that vocabulary size
    #[arg(long)]
    tokenizer: Option<String>,
    /// Folder to write the corpus to
    #[arg(long)]
    out: PathBuf,
    /// Number of threads; does not change the output
    #[arg(long, default_value_t = available_threads(), hide_default_value = true)]
    threads: usize,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// When settings, inputs or the output folder are not usable.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        #[cfg(feature = "fetch")]
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
        return Err(Usage::error(
            "no files or folders to read",
            "name them: scalelaw corpus build PATH… --out DIR; or in a file of settings: --config FILE, with \
             paths = [\"PATH\", …] in [input]",
        ));
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
            eprintln!("{}: already built from the same input", arguments.out.display());
            show(&manifest, arguments.json)
        }
        CorpusBuild::Stopped => {
            eprintln!("stopped; run the same command to resume");
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

/// The figures as text, 80 columns wide.
fn text(manifest: &CorpusManifest) -> String {
    let mut text = format!(
        "{:<14}{:>10}{:>11}{:>10}{:>10}{:>12}{:>12}\n",
        "", "documents", "bytes", "words", "tokens", "tokens/word", "bytes/token"
    );
    let mut line = |name: &str, counts: CorpusCounts| {
        let CorpusCounts { documents, bytes, words, tokens } = counts;
        let [bytes, words, tokens] = [bytes, words, tokens].map(|n| n as f64);
        let per = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        let _ = writeln!(
            text,
            "{name:<14}{documents:>10}{:>11}{words:>10.3e}{tokens:>10.3e}{:>12.2}{:>12.2}",
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
    line("WebText2", CorpusCounts::WEBTEXT2);
    text + "\n" + &losses(manifest) + "\n" + &leaks(manifest)
}

/// Width of a line.
const COLUMNS: usize = 80;

/// How many records each stage dropped and why, with the beginning of one of them.
fn losses(manifest: &CorpusManifest) -> String {
    let read = &manifest.read;
    let mut text = format!("{:>10} records read\n", read.records);
    let mut minus = |n: u64, what: &str, sample: Option<&Sample>| {
        if n > 0 {
            let line = format!("{:>10}  {what:<32}", format!("-{n}"));
            let sample = sample.map(|sample| shown(sample, COLUMNS.saturating_sub(line.chars().count())));
            let _ = writeln!(text, "{}", (line + &sample.unwrap_or_default()).trim_end());
        }
    };
    for (reason, n) in read.skipped.by_reason() {
        minus(n, reason, None);
    }
    for (rule, dropped) in &read.filtered {
        minus(dropped.documents, rule, dropped.samples.first());
    }
    minus(manifest.duplicates.exact, "duplicates", None);
    let near = &manifest.duplicates.near;
    minus(near.documents, "near-duplicates", near.samples.first());
    let leaks = &manifest.leaks.dropped;
    minus(leaks.documents, "leaks of held-out text", leaks.samples.first());
    let _ = writeln!(text, "{:>10} documents", manifest.total().documents);
    if let Some(links) = &manifest.links {
        let _ = writeln!(
            text,
            "{:>10} links wanted, {} without a page in the input (links-missing.jsonl)",
            links.wanted, links.missing
        );
    }
    text
}

/// What a rule found in a document and how the document begins, in at most `columns` characters.
fn shown(sample: &Sample, columns: usize) -> String {
    let found = sample.found.split(" of ").next().unwrap_or_default();
    let words: Vec<&str> = sample.excerpt.split_whitespace().collect();
    let whole = format!("{found}: {}", words.join(" "));
    if whole.chars().count() <= columns {
        return whole;
    }
    whole.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// How much of each held-out set also occurs in training documents.
fn leaks(manifest: &CorpusManifest) -> String {
    let words = manifest.settings.leaks.words;
    let mut text = format!(
        "Runs of {words} words of held-out documents that also occur in training documents\n\
         {:<14}{:>10}{:>14}{:>12}{:>10}{:>20}\n",
        "", "documents", "above a tenth", "runs", "in train", "training documents"
    );
    let splits = [("valid", &manifest.leaks.valid), ("test", &manifest.leaks.test)];
    let evals = manifest.evals.iter().map(|eval| (eval.name.as_str(), &eval.leaks));
    for (name, set) in splits.into_iter().chain(evals) {
        let share = 100.0 * set.runs_in_train as f64 / set.runs.max(1) as f64;
        let _ = writeln!(
            text,
            "{:<14}{:>10}{:>14}{:>12}{:>10}{:>20}",
            format!("  {name}"),
            set.documents,
            set.documents_above_tenth,
            set.runs,
            format!("{share:.2}%"),
            set.train_documents
        );
    }
    if manifest.leaks.looked_at < 1.0 {
        let _ = writeln!(text, "  {:.2}% of all runs were checked", 100.0 * manifest.leaks.looked_at);
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
    let dataset = open_tokens(dir)?;
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

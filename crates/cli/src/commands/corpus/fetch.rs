//! `scalelaw corpus fetch`: fetch the pages of links into web archives.

use crate::output;
use crate::progress::Display;
use crate::signals;
use anyhow::bail;
use scalelaw_core::number;
use scalelaw_fetch::{Again, FetchReport, FetchSettings, Outcome, OutcomeCount, fetch_links};
use scalelaw_links::{LinkCounts, LinkOptions, Links};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Arguments {
    /// Links: JSONL with `url` and `score`, or .txt with one URL per line; also .gz and .zst
    #[arg(required = true)]
    links: Vec<PathBuf>,
    /// Folder to write the archives to
    #[arg(long)]
    out: PathBuf,
    /// Smallest combined score of a link
    #[arg(long, default_value_t = 3, allow_negative_numbers = true)]
    min_score: i64,
    /// Domains to exclude, with their subdomains
    #[arg(long, value_delimiter = ',')]
    exclude_domains: Vec<String>,
    /// How server owners can reach you: a mail address or URL, sent with every request
    #[arg(long)]
    contact: Option<String>,
    /// Minimum delay between requests to one host (robots.txt may lengthen it)
    #[arg(long, default_value = "1s", value_parser = number::parse_duration)]
    delay: Duration,
    /// Hosts contacted at the same time
    #[arg(long, default_value_t = 16)]
    hosts: usize,
    /// Time limit of a request
    #[arg(long, default_value = "60s", value_parser = number::parse_duration)]
    timeout: Duration,
    /// Longest page in bytes, as sent
    #[arg(long, default_value = "10M", value_parser = number::parse)]
    max_page: f64,
    /// Redirections to follow
    #[arg(long, default_value_t = 5)]
    max_redirects: u32,
    /// Retries after a temporary failure (timeout, 429, 5xx)
    #[arg(long, default_value_t = 2)]
    retries: u32,
    /// Also retry links whose earlier failure may have been temporary
    #[arg(long)]
    retry_failed: bool,
    /// Allow addresses outside the public internet
    #[arg(long)]
    allow_private: bool,
    /// Certificates (PEM) to trust instead of Mozilla's list
    #[arg(long)]
    certificates: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn settings(&self) -> FetchSettings {
        FetchSettings {
            contact: self.contact.clone(),
            delay: self.delay,
            hosts: self.hosts,
            page_bytes: self.max_page as u64,
            timeout: self.timeout,
            redirects: self.max_redirects,
            retries: self.retries,
            allow_private: self.allow_private,
            again: if self.retry_failed { Again::IfTemporary } else { Again::Never },
            certificates: self.certificates.clone(),
            ..FetchSettings::default()
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When links or settings are not usable, or the folder cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let options =
        LinkOptions { min_score: arguments.min_score, excluded_domains: arguments.exclude_domains.clone() };
    let (links, counts) = Links::read(&arguments.links, &options)?;
    let display = Display::new();
    display.say(&summary(counts, arguments.min_score));
    if links.is_empty() {
        bail!("no link is left: see the counts above, and --min-score");
    }
    if arguments.contact.is_none() {
        display.say("without --contact, a server's owner cannot ask you to stop, only block you");
    }
    let flag = signals::stop_flag()?;
    let stop = || flag.load(Ordering::Relaxed);
    let report = fetch_links(&links, &arguments.settings(), &arguments.out, &display, &stop)?;
    display.finish();
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report, &arguments.out))?;
    }
    if report.left > 0 {
        eprintln!("stopped; run the same command to resume");
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

/// What became of the lines of the links.
fn summary(counts: LinkCounts, min_score: i64) -> String {
    let LinkCounts { lines, broken, not_web, excluded, distinct: _, below, kept } = counts;
    format!(
        "{kept} links from {lines} lines: {broken} broken lines, {not_web} not HTTP, {excluded} in excluded domains, \
         {below} links below a score of {min_score}"
    )
}

/// The figures as text.
fn text(report: &FetchReport, out: &Path) -> String {
    let FetchReport { wanted, before, outcomes, left, bytes } = report;
    let mut text = String::new();
    for OutcomeCount { outcome, links } in outcomes {
        let _ = write!(text, "{links:>10}  {outcome}");
        if *outcome == Outcome::Fetched {
            let _ = write!(text, " ({} in the archives from this call)", super::size(*bytes as f64));
        }
        text.push('\n');
    }
    if *left > 0 {
        let _ = writeln!(text, "{left:>10}  to do");
    }
    let _ = writeln!(
        text,
        "{wanted:>10}  links, {before} of them done before; outcomes in {}",
        out.join("fetch-log.ndjson").display()
    );
    text
}

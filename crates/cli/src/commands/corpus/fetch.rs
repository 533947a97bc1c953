//! `scalelaw corpus fetch`: the pages of links, politely, into web archives.

use crate::output;
use crate::progress::Display;
use crate::signals;
use anyhow::bail;
use scalelaw_core::number;
use scalelaw_corpus::{
    Again, FetchReport, FetchSettings, LinkCounts, LinkOptions, Links, Outcome, OutcomeCount, fetch_links,
};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Arguments {
    /// Dumps of links (JSONL with `url` and `score`) or plain lists (.txt, a URL a line); also .gz and .zst
    #[arg(required = true)]
    links: Vec<PathBuf>,
    /// The folder of the archives
    #[arg(long)]
    out: PathBuf,
    /// Least combined score of a link
    #[arg(long, default_value_t = 3, allow_negative_numbers = true)]
    min_score: i64,
    /// Domains to leave out, with all below them
    #[arg(long, value_delimiter = ',')]
    exclude_domains: Vec<String>,
    /// Who asks, for the servers' owners: a mail address or a URL, sent with every request
    #[arg(long)]
    contact: Option<String>,
    /// Rest of a host after each request; its robots.txt may ask for a longer one
    #[arg(long, default_value = "1s", value_parser = number::parse_duration)]
    delay: Duration,
    /// Hosts asked at once
    #[arg(long, default_value_t = 16)]
    hosts: usize,
    /// Longest time of a request
    #[arg(long, default_value = "60s", value_parser = number::parse_duration)]
    timeout: Duration,
    /// Longest page, in bytes as sent
    #[arg(long, default_value = "10M", value_parser = number::parse)]
    max_page: f64,
    /// Redirections that are followed
    #[arg(long, default_value_t = 5)]
    max_redirects: u32,
    /// How often a request that failed for the moment is made again
    #[arg(long, default_value_t = 2)]
    retries: u32,
    /// Try the links again that failed in an earlier call for reasons that may have passed
    #[arg(long)]
    retry_failed: bool,
    /// Ask addresses that are not of the public internet too
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

/// Does what the arguments ask.
///
/// # Errors
/// When links or settings are not usable, or the folder cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let options =
        LinkOptions { min_score: arguments.min_score, excluded_domains: arguments.exclude_domains.clone() };
    let (links, counts) = Links::read(&arguments.links, &options)?;
    let display = Display::new();
    display.say(&said(counts, arguments.min_score));
    if links.is_empty() {
        bail!("no link is left: see the counts above, and --min-score");
    }
    if arguments.contact.is_none() {
        display.say("--contact is not given: a server's owner cannot ask you to stop, only block you");
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
        eprintln!("stopped; the same command goes on from here");
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

/// What was read.
fn said(counts: LinkCounts, min_score: i64) -> String {
    let LinkCounts { lines, broken, not_web, excluded, distinct: _, below, kept } = counts;
    format!(
        "{kept} links of {lines} lines: {broken} lines broken, {not_web} not of the web, {excluded} of excluded domains, \
         {below} links below a score of {min_score}"
    )
}

/// The figures for a person.
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
        "{wanted:>10}  links, {before} of them done before; each with its reason in {}",
        out.join("fetch-log.ndjson").display()
    );
    text
}

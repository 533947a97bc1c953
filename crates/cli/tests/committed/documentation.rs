//! The commands of README.md and docs/*.md, executed.
//!
//! Commands stand in blocks marked `sh`, and those whose output is shown in blocks marked `console`, after a `$`. They run
//! in the order of their page in a folder with the small data of [`data`]; all must succeed, and the output must be what
//! the page shows. Commands that need a network, a cluster or hours are named in [`NOT_RUN`].

mod data;

use crate::{assert_committed, root, scalelaw};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Commands that this test does not run, each with the reason. The command line must still accept them.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo run --release -- quickstart", "trains for five minutes"),
    (
        "cargo run --release -- quickstart --text my-folder more.jsonl.zst --budget 20m",
        "trains for twenty minutes",
    ),
    ("cargo xtask check", "runs this test"),
    ("cargo install --locked --path crates/cli", "compiles everything again"),
    (
        "scalelaw sweep experiment.toml --until 'ci95(loss@1e14) < 0.05' --spend 1e13",
        "trains for up to 1e13 FLOPs",
    ),
    (
        "for set in experiments/paper/nano/*.toml; do\n  \
         scalelaw sweep \"$set\" --text my-folder --eval books=novels --out nano\ndone",
        "trains for two hours",
    ),
    ("scalelaw reproduce epoch --data epoch", "needs the published data"),
    ("scalelaw corpus fetch submissions.jsonl.zst --out crawl", "needs a network"),
    ("scalelaw corpus fetch submissions.jsonl.zst --out pages", "needs a network"),
    (
        "scalelaw corpus fetch submissions.jsonl.zst --contact https://example.org/crawl --out pages",
        "needs a network",
    ),
    ("scalelaw quickstart --text corpus/documents", "trains for five minutes"),
    (
        "cargo run -p scalelaw-page --example labelled_warc -- labelled trafilatura-eval.jsonl.zst \
         mozilla-readability.jsonl.zst",
        "needs the published pages",
    ),
    (
        "scalelaw corpus build labelled/pages.warc.gz --links labelled/links.jsonl --languages any --tokenizer 2048 \
         --out chain",
        "needs the published pages",
    ),
    (
        "scalelaw sweep experiment.toml --until 'ci95(loss@1e20) < 0.02' --spend 1e17",
        "trains for up to 1e17 FLOPs",
    ),
    (
        "sbatch --array=1-8 --cpus-per-task=4 --signal=B:TERM@60 --wrap 'exec scalelaw worker out --workers 4'",
        "needs a cluster",
    ),
    ("for host in a b c; do ssh $host scalelaw worker out & done; wait", "needs a cluster"),
    ("scalelaw sweep examples/torch/experiment.toml", "needs PyTorch"),
];

/// A part of a page: a line of text, or a command without the output that is shown below it.
struct Part {
    /// As it stands on the page.
    text: String,
    /// The command, if it is one.
    command: Option<Shown>,
}

/// A command of a page.
struct Shown {
    /// What is typed.
    line: String,
    /// Whether its output is shown.
    output: bool,
}

/// The pages, but for the reference of the commands: `reference.rs` checks that.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .filter(|path| path.file_name().is_some_and(|name| name != "commands.md"))
        .collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap().replace("\r\n", "\n")
}

/// A page in parts.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut block = None;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let mut part = Part { text: line.to_owned(), command: None };
        match (block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (Some("sh"), None) if !line.is_empty() => {
                while part.text.starts_with("for ") && !part.text.contains("done") {
                    part.text += &format!("\n{}", lines.next().expect("a loop ends in its block"));
                }
                let typed: Vec<&str> = part.text.lines().map(without_comment).collect();
                part.command = Some(Shown { line: typed.join("\n"), output: false });
            }
            (Some("console"), None) => {
                let line = line.strip_prefix("$ ").expect("a console block begins with a command").to_owned();
                part.command = Some(Shown { line, output: true });
                while lines.peek().is_some_and(|l| !l.starts_with("```") && !l.starts_with("$ ")) {
                    lines.next();
                }
            }
            _ => {
                let first = line.trim_start_matches([' ', '$']).split(' ').next().unwrap_or_default();
                let stray = ["scalelaw", "cargo", "sbatch"].contains(&first);
                assert!(!stray, "commands stand in blocks marked sh or console: {line}");
            }
        }
        parts.push(part);
    }
    parts
}

/// A command of a shell without the comment behind it.
fn without_comment(line: &str) -> &str {
    line.split(" # ").next().unwrap_or(line).trim_end()
}

/// Arguments as a shell splits them: quotes keep words together.
pub fn split(command: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = String::new();
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[test]
fn split_keeps_quoted_words_together() {
    assert_eq!(split("fit --where 'N > 3' a.csv"), ["fit", "--where", "N > 3", "a.csv"]);
}

/// What a command prints, stdout before stderr; or why it failed.
fn run(command: &str, dir: &Path) -> Result<String, String> {
    let arguments =
        command.strip_prefix("scalelaw ").ok_or("is not run: name it in NOT_RUN with the reason")?;
    let (arguments, input) = match arguments.split_once(" < ") {
        Some((arguments, input)) => (arguments, Some(dir.join(input))),
        None => (arguments, None),
    };
    let mut program = scalelaw(dir);
    if let Some(input) = input {
        program.stdin(std::fs::File::open(input).unwrap());
    }
    let output = program.args(split(arguments)).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    if output.status.success() { Ok(stdout + &stderr) } else { Err(format!("{}\n{stderr}", output.status)) }
}

#[test]
fn documented_commands_run_and_print_what_their_page_shows() {
    let mut absent: BTreeSet<&str> = NOT_RUN.iter().map(|(command, _)| *command).collect();
    let mut failed = Vec::new();
    for page in pages() {
        let text = read(&page);
        let dir = tempfile::tempdir().unwrap();
        data::write(dir.path(), &text);
        let mut printed = String::new();
        for Part { text, command } in parts(&text) {
            printed += &format!("{text}\n");
            let Some(Shown { line, output }) = command else { continue };
            if let Some((command, _)) = NOT_RUN.iter().find(|(command, _)| *command == line) {
                absent.remove(command);
                assert!(!output, "the output of {command} is not checked");
                continue;
            }
            match run(&line, dir.path()) {
                Ok(said) if output => {
                    printed.extend(said.lines().map(|line| format!("{}\n", line.trim_end())));
                }
                Ok(_) => {}
                Err(why) => failed.push(format!("{}: {line}\n{why}", page.display())),
            }
        }
        if failed.is_empty() {
            assert_committed(&page, &printed);
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(absent.is_empty(), "no page has the commands {absent:#?}");
}

#[test]
fn documented_commands_that_are_not_run_are_accepted() {
    let mut commands: Vec<String> = NOT_RUN.iter().map(|(command, _)| (*command).to_owned()).collect();
    for page in pages() {
        let text = read(&page);
        let mut fenced = false;
        let prose = text.lines().filter(|line| {
            fenced ^= line.starts_with("```");
            !fenced && !line.starts_with("```") && !line.starts_with("    ")
        });
        let prose = prose.collect::<Vec<_>>().join(" ");
        commands.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let mut accepted = 0;
    for command in commands.iter().filter(|command| !command.contains("COMMAND")) {
        let Some(arguments) = command.strip_prefix("scalelaw ") else { continue };
        // With --help the arguments before it are parsed and nothing is run.
        let output = scalelaw(&root()).args(split(arguments)).arg("--help").output().unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        accepted += 1;
    }
    assert!(accepted >= 10, "only {accepted} commands were found");
}

#[test]
fn every_decision_is_in_the_index() {
    let folder = root().join("docs/decisions");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "{name} is not in the index");
    }
}

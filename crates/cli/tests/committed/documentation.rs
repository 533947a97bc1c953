//! The commands of README.md and docs/*.md.
//!
//! A block that begins with `$ scalelaw …` is run on the small data below, and what it prints must be what the page shows.
//! Every other line that begins with `scalelaw` must be accepted by the command line, placeholders included.

use crate::{assert_committed, root, scalelaw};
use std::path::{Path, PathBuf};

/// The pages.
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

/// Small tables: the runs and curves behind the pictures of the documentation.
fn data(dir: &Path) {
    let results = root().join("docs/results");
    std::fs::copy(results.join("quickstart/runs.csv"), dir.join("runs.csv")).unwrap();
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

#[test]
fn documented_commands_are_accepted() {
    let mut accepted = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let commands = text.lines().filter_map(|line| line.trim_start().strip_prefix("scalelaw "));
        for line in commands {
            // What follows two spaces is the page's comment; a redirection is the shell's.
            let command = line.split("  ").next().unwrap_or(line);
            let words = split(command).into_iter().take_while(|word| word != "<");
            // With --help the arguments before it are parsed and nothing is run: most of these commands train for
            // minutes, need a network, or name files of the reader.
            let output = scalelaw(&root()).args(words).arg("--help").output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: scalelaw {command}\n{stderr}", page.display());
            accepted += 1;
        }
    }
    assert!(accepted >= 20, "only {accepted} commands were found");
}

#[test]
fn documented_output_is_what_the_commands_print() {
    let mut run = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap().replace("\r\n", "\n");
        let dir = tempfile::tempdir().unwrap();
        data(dir.path());
        let mut printed = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            printed += &format!("{line}\n");
            let Some(command) = line.strip_prefix("    $ scalelaw ") else { continue };
            while lines.peek().is_some_and(|l| l.starts_with("    ") && !l.starts_with("    $ ")) {
                lines.next();
            }
            let output = scalelaw(dir.path()).args(split(command)).output().unwrap();
            for bytes in [&output.stdout, &output.stderr] {
                for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.trim().is_empty()) {
                    printed += &format!("    {}\n", line.trim_end());
                }
            }
            run += 1;
        }
        assert_committed(&page, &printed);
    }
    assert!(run >= 2, "only {run} commands were run");
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

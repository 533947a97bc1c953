//! `scalelaw paper` with the real program: from run directories, from the tables that it wrote, and from nothing.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Two sizes of set A with a branch each and one LSTM: a study that has hardly begun.
const EXPERIMENT: &str = r#"
question = "What is there after five runs?"
[recipe]
name = "test-1"
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
branches = ["steps"]
position_losses = true
[[set]]
name = "F"
architecture = "lstm"
n_head = 1
n_layer = 1
d_model = 8
"#;

fn scalelaw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scalelaw")).args(arguments).output().unwrap()
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn paper_from_runs_draws_all_figures_and_the_same_bytes_from_its_tables() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(at("a-sizes.toml"), EXPERIMENT).unwrap();
    let swept = scalelaw(&["sweep", &at("a-sizes.toml"), "--workers", "2", "--out", &at("out")]);
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));

    let drawn = scalelaw(&["paper", "--runs", &at("out"), "--out", &at("paper"), "--json"]);
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let written: serde_json::Value = serde_json::from_slice(&drawn.stdout).unwrap();
    assert_eq!(written["figures"].as_array().unwrap().len(), 24);
    assert!(written["claims"].as_array().unwrap().iter().all(|claim| claim["verdict"] == "inconclusive"));
    let page = fs::read_to_string(dir.path().join("paper/index.html")).unwrap();
    assert!(
        page.contains("run set B, 20 of its 20 runs are missing"),
        "a missing set is named with its cost"
    );
    assert!(!page.contains("<script") && !page.contains("href=\"http") && !page.contains(" src="));

    let again = scalelaw(&["paper", "--runs", &at("paper/runs"), "--out", &at("again")]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let (first, second) = (files(&dir.path().join("paper")), files(&dir.path().join("again")));
    assert_eq!(first.len(), second.len());
    for ((name, bytes), (_, same)) in first.iter().zip(&second) {
        assert!(bytes == same, "{name} differs");
    }
}

#[test]
fn paper_of_a_directory_without_runs_says_what_it_expected() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = scalelaw(&["paper", "--runs", &dir.path().display().to_string()]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("is not the output directory of a sweep"));
    let neither = scalelaw(&["paper"]);
    assert_eq!(neither.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&neither.stderr).contains("--runs"));
}

//! From a CSV to a law file, a plan, a forecast and its score, with the real program.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// 25 runs on Besiroglu et al.'s law, without noise.
fn runs(path: &Path) {
    let mut csv = String::from("N,D,loss\n");
    for i in 0..5 {
        for j in 0..5 {
            let (n, d) = (1e7 * 4f64.powi(i), 1e9 * 4f64.powi(j));
            let loss = 1.8172 + 482.01 / n.powf(0.3478) + 2085.43 / d.powf(0.3658);
            csv += &format!("{n},{d},{loss}\n");
        }
    }
    fs::write(path, csv).unwrap();
}

fn scalelaw(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scalelaw")).args(arguments).current_dir(dir).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn law_file_leads_to_a_plan_a_forecast_and_a_score() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    runs(&dir.join("runs.csv"));
    stdout(&scalelaw(dir, &["fit", "chinchilla", "runs.csv", "--out", "law.json"]));

    let plan = stdout(&scalelaw(dir, &["plan", "--law", "law.json", "--compute", "1e21", "--json"]));
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    // The same constants as a preset: N 2.78e9.
    let n = plan["n"].as_f64().unwrap();
    assert!((n / 2.778e9 - 1.0).abs() < 0.01, "{n:e}");

    let at = ["predict", "law.json", "--at", "N=7e10,D=1.4e12", "--register", "next.json"];
    let predicted = stdout(&scalelaw(dir, &at));
    let truth = 1.8172 + 482.01 / 7e10f64.powf(0.3478) + 2085.43 / 1.4e12f64.powf(0.3658);
    assert!(predicted.starts_with(&format!("{truth:.4}")), "{predicted}, expected {truth}");
    let again = scalelaw(dir, &at);
    assert!(!again.status.success(), "a forecast is not overwritten");
    assert!(String::from_utf8_lossy(&again.stderr).contains("next.json"));

    let score = stdout(&scalelaw(dir, &["score", "next.json", "--loss", "2.5"]));
    assert!(score.contains("OUTSIDE") && score.contains("D 1.40e12"), "{score}");
}

#[test]
fn doubt_about_a_law_stands_in_the_line_of_every_number_that_comes_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    runs(&dir.join("runs.csv"));
    stdout(&scalelaw(dir, &["fit", "chinchilla", "runs.csv", "--out", "law.json"]));
    let mut law: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("law.json")).unwrap()).unwrap();
    law["status"] = "unidentified".into();
    fs::write(dir.join("law.json"), law.to_string()).unwrap();
    fs::write(dir.join("places.csv"), "N,D\n1e8,2e10\n1e10,1e12\n").unwrap();
    for (arguments, numbers) in [
        ("plan --law law.json --compute 1e23", vec!["  N ", "  D ", "  loss "]),
        ("predict law.json --at N=1e10,D=1e12", vec!["1.", "2.", "  95%"]),
        ("predict law.json --points places.csv", vec!["    1", "    2"]),
        ("suggest --law law.json --budget 1e21 --target 1e23", vec!["95% interval"]),
    ] {
        let said = stdout(&scalelaw(dir, &arguments.split(' ').collect::<Vec<_>>()));
        let of_numbers = said.lines().filter(|line| numbers.iter().any(|number| line.starts_with(number)));
        let lines: Vec<&str> = of_numbers.collect();
        assert!(!lines.is_empty(), "{said}");
        assert!(lines.iter().all(|line| line.contains("law UNIDENTIFIED")), "{said}");
    }
    // Two decades beyond in N, in D, and more in compute.
    let far = stdout(&scalelaw(dir, &["predict", "law.json", "--at", "N=2.5e10,D=2.5e13"]));
    assert!(far.contains("decades outside the runs"), "{far}");
}

#[test]
fn predict_at_a_place_without_a_law_file_is_told_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    runs(&folder.path().join("runs.csv"));
    let wrong = scalelaw(folder.path(), &["predict", "runs.csv", "--at", "N=1e9,D=1e10"]);
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("runs.csv") && said.contains("fit --out"), "{said}");
}

#[test]
fn fit_of_a_run_table_without_trunks_counts_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = String::from("run_id,parent_run,n_nonembed,loss\n");
    for (i, n) in [1e4, 4e4, 1.6e5, 6.4e5, 2.56e6].iter().enumerate() {
        csv += &format!("run{i},,{n},{}\n", f64::powf(8.8e13 / n, 0.076) * [1.0, 1.01][i % 2]);
    }
    fs::write(folder.path().join("runs.csv"), csv).unwrap();
    let fitted = stdout(&scalelaw(folder.path(), &["fit", "n", "runs.csv", "--json"]));
    let law: serde_json::Value = serde_json::from_str(&fitted).unwrap();
    assert_eq!(law["n_runs"], 5);
    assert!(law["params"]["alpha_N"]["ci95"][0].is_number(), "{}", law["params"]);
}

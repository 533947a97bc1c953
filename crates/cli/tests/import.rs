//! Other trainers' logs, from the file to a law.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A log that a trainer's own writer wrote: `crates/table/tests/fixtures/make_logs.py`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../table/tests/fixtures").join(name)
}

fn scalelaw(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scalelaw")).current_dir(folder).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn nanochat_results_become_the_law_that_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let results = fixture("results.csv");
    let imported = scalelaw(folder.path(), &["runs", "import", results.to_str().unwrap()]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    fs::write(folder.path().join("runs.csv"), &imported.stdout).unwrap();
    let map = "loss=loss_bits_per_byte";
    let fitted = scalelaw(folder.path(), &["fit", "chinchilla", "runs.csv", "--map", map, "--json"]);
    assert_eq!(fitted.status.code(), Some(0), "{}", stderr(&fitted));
    let law: Value = serde_json::from_slice(&fitted.stdout).unwrap();
    // The constants of the stand-in's losses, which are printed with six decimals.
    for (name, truth) in [("E", 0.4), ("alpha", 0.34), ("beta", 0.28)] {
        let value = law["params"][name]["value"].as_f64().unwrap();
        assert!((value / truth - 1.0).abs() < 1e-3, "{name}: {value}, truth {truth}");
    }
}

#[test]
fn several_logs_become_one_table_and_curves_that_a_law_is_fitted_to() {
    let folder = tempfile::tempdir().unwrap();
    for (run, log) in [("a", "trainer_state.json"), ("b", "metrics.csv"), ("c", "events.out.tfevents.0.host")]
    {
        fs::create_dir(folder.path().join(run)).unwrap();
        fs::copy(fixture(log), folder.path().join(run).join(log)).unwrap();
    }
    fs::write(
        folder.path().join("about.csv"),
        "run_id,n_nonembed,batch_tokens\na,49,40\nb,49,40\nc,490,64\n",
    )
    .unwrap();
    let arguments = [
        "runs",
        "import",
        "a/trainer_state.json",
        "b/metrics.csv",
        "c/events.out.tfevents.0.host",
        "--about",
        "about.csv",
        "--out-runs",
        "runs.csv",
        "--out-curves",
        "curves.parquet",
    ];
    let imported = scalelaw(folder.path(), &arguments);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    assert!(imported.stdout.is_empty());
    let said = stderr(&imported);
    assert!(said.contains("a: train_loss = loss, test_loss = eval_loss, lr = learning_rate"), "{said}");
    assert!(said.contains("c: left config/text_summary, eval/other, weights"), "{said}");
    let runs = fs::read_to_string(folder.path().join("runs.csv")).unwrap();
    let ids: Vec<&str> = runs.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    // c logged 3·step^-1/4: that is what comes out.
    let fitted = scalelaw(
        folder.path(),
        &[
            "fit",
            "A/step^alpha",
            "curves.parquet",
            "--map",
            "loss=train_loss",
            "--where",
            "run_id == \"c\"",
            "--json",
        ],
    );
    assert!(matches!(fitted.status.code(), Some(0 | 3)), "{}", stderr(&fitted));
    let law: Value = serde_json::from_slice(&fitted.stdout).unwrap();
    for (name, truth) in [("A", 3.0), ("alpha", 0.25)] {
        let value = law["params"][name]["value"].as_f64().unwrap();
        assert!((value / truth - 1.0).abs() < 1e-5, "{name}: {value}, truth {truth}");
    }
}

#[test]
fn exit_codes_tell_nothing_from_a_part() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trainer_state.json"), "{\"log_history\": [{\"loss\":").unwrap();
    let nothing = scalelaw(folder.path(), &["runs", "import", "trainer_state.json"]);
    assert_eq!(nothing.status.code(), Some(1));
    let said = stderr(&nothing);
    assert!(said.contains("trainer_state.json: expected Hugging Face trainer state"), "{said}");

    fs::write(folder.path().join("h.csv"), "_step,val_loss\n1,3.5\n2,NaN\n").unwrap();
    let part = scalelaw(folder.path(), &["runs", "import", "h.csv", "trainer_state.json"]);
    assert_eq!(part.status.code(), Some(3));
    let said = stderr(&part);
    assert!(said.contains("not imported: trainer_state.json"), "{said}");
    assert!(said.contains("val_loss: 1 of 2 values are not usable numbers, the first at step 2"), "{said}");
    assert!(String::from_utf8_lossy(&part.stdout).contains("\nh,"), "the run that could be read");

    let wrong = scalelaw(folder.path(), &["runs", "import", "h.csv", "--map", "N=params"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("KEY=METRIC"));
}

/// Six sizes, three seeds and lengths: Hugging Face states of runs with the losses of a known law.
fn hugging_face_runs(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut about = "run_id,n_nonembed,batch_tokens\n".to_string();
    for (size, n) in [2e6f64, 5e6, 12e6, 30e6, 80e6, 200e6].into_iter().enumerate() {
        for (length, steps) in [1000u32, 3000, 9000].into_iter().enumerate() {
            let run = format!("m{size}s{length}");
            fs::create_dir(folder.join(&run)).unwrap();
            let loss = 1.7 + 400.0 / n.powf(0.34) + 410.0 / (65536.0 * f64::from(steps)).powf(0.28);
            let log = format!("{{\"log_history\": [{{\"step\": {steps}, \"eval_loss\": {loss}}}]}}");
            fs::write(folder.join(&run).join("trainer_state.json"), log).unwrap();
            about += &format!("{run},{n},65536\n");
            files.push(format!("{run}/trainer_state.json"));
        }
    }
    fs::write(folder.join("about.csv"), about).unwrap();
    files
}

#[test]
fn own_import_is_fitted_alike_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let files = hugging_face_runs(folder.path());
    let mut laws = Vec::new();
    for table in ["r.csv", "r.jsonl", "r.parquet"] {
        let mut arguments = vec!["runs", "import", "--about", "about.csv", "--out-runs", table];
        arguments.extend(files.iter().map(String::as_str));
        let imported = scalelaw(folder.path(), &arguments);
        assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
        let fitted = scalelaw(folder.path(), &["fit", "chinchilla", table, "--json"]);
        assert_eq!(fitted.status.code(), Some(0), "{table}: {}", stderr(&fitted));
        let law: Value = serde_json::from_slice(&fitted.stdout).unwrap();
        assert_eq!(law["n_points"], 18, "{table}");
        laws.push(law["params"].clone());
    }
    assert!(laws.iter().all(|law| *law == laws[0]), "{laws:?}");
    let header = fs::read_to_string(folder.path().join("r.csv")).unwrap();
    assert_eq!(
        header.lines().next().unwrap(),
        "run_id,n_nonembed,tokens,steps,batch_tokens,loss,loss_min,best_step"
    );
}

#[test]
fn nanochat_results_have_valleys_at_their_budgets() {
    let folder = tempfile::tempdir().unwrap();
    let results = fixture("results.csv");
    let out = ["runs", "import", results.to_str().unwrap(), "--out-runs", "r.csv"];
    assert_eq!(scalelaw(folder.path(), &out).status.code(), Some(0));
    let map = "loss=loss_bits_per_byte";
    let valleys = scalelaw(folder.path(), &["isoflop", "r.csv", "--map", map, "--json"]);
    assert!(matches!(valleys.status.code(), Some(0 | 3)), "{}", stderr(&valleys));
    let report: Value = serde_json::from_slice(&valleys.stdout).unwrap();
    let parabola = &report["valleys"][0];
    let budgets =
        parabola["optima"].as_array().unwrap().len() + parabola["refused"].as_array().unwrap().len();
    assert_eq!(budgets, 4, "{report}");
}

#[test]
fn import_never_overwrites_what_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let log = "step,val_loss\n1,3.5\n";
    fs::write(folder.path().join("h.csv"), log).unwrap();
    for arguments in [
        &["runs", "import", "h.csv", "--out-runs", "./h.csv"][..],
        &["runs", "import", "h.csv", "--out-curves", "h.csv"],
        &["runs", "import", "h.csv", "--out-runs", "o.csv", "--out-curves", "o.csv"],
    ] {
        let refused = scalelaw(folder.path(), arguments);
        assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("name "), "{}", stderr(&refused));
    }
    assert_eq!(fs::read_to_string(folder.path().join("h.csv")).unwrap(), log);
}

//! The main job with the real program: from nothing to a report, killed and resumed, misused.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use toml::{Table, Value};

fn scalelaw() -> Command {
    Command::new(env!("CARGO_BIN_EXE_scalelaw"))
}

fn quickstart(out: &Path) -> Command {
    let mut command = scalelaw();
    command.args(["quickstart", "--synthetic", "--budget", "4m", "--workers", "2", "--out"]).arg(out);
    command
}

fn interrupt(pid: u32) {
    assert!(Command::new("sh").arg("-c").arg(format!("kill -s INT {pid}")).status().unwrap().success());
}

/// Starts a study, interrupts it once its experiment is chosen, and makes that experiment a small one: the runs
/// of a machine of any speed are then over in seconds.
fn small_study(out: &Path) {
    let mut child = quickstart(out).spawn().unwrap();
    let patience = Instant::now();
    while !out.join("experiment.toml").exists() {
        assert!(patience.elapsed() < Duration::from_secs(200), "no experiment is chosen");
        assert!(child.try_wait().unwrap().is_none(), "over before it chose an experiment");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Ctrl-C, which leaves no process of a run behind.
    interrupt(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let path = out.join("experiment.toml");
    let mut experiment: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    experiment["data"]["test_tokens"] = Value::Integer(2048);
    for set in experiment["set"].as_array_mut().unwrap() {
        for data in set["data"].as_array_mut().unwrap() {
            let steps = data["steps"].as_integer().unwrap();
            data["steps"] = Value::Integer(steps.min(60));
        }
    }
    fs::write(&path, experiment.to_string()).unwrap();
    let _ = fs::remove_dir_all(out.join("runs"));
}

fn assert_success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

/// Everything below `dir` that must not depend on the clock.
fn results(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in ["tables", "laws"] {
        for entry in fs::read_dir(dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
        }
    }
    files
}

fn finished(runs: &Path) -> usize {
    let Ok(entries) = fs::read_dir(runs) else { return 0 };
    entries.filter(|e| e.as_ref().unwrap().path().join("result.json").exists()).count()
}

/// Lines of each finished run's timing log: one a session.
fn sessions(runs: &Path) -> BTreeMap<String, usize> {
    let mut sessions = BTreeMap::new();
    for entry in fs::read_dir(runs).unwrap() {
        let path = entry.unwrap().path();
        if path.join("result.json").exists() {
            let lines = fs::read_to_string(path.join("timing.jsonl")).unwrap().lines().count();
            sessions.insert(path.file_name().unwrap().to_string_lossy().into_owned(), lines);
        }
    }
    sessions
}

/// Ctrl-C once a run is finished: the study says that it resumes, writes no report and exits with 3.
fn interrupt_after_the_first_run(out: &Path) {
    let child = quickstart(out).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let patience = Instant::now();
    while finished(&out.join("runs")) < 1 {
        assert!(patience.elapsed() < Duration::from_secs(300), "no run finishes");
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(child.id());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the same command resumes there"), "{said}");
    assert!(!out.join("report").exists(), "a report of a part");
}

#[test]
fn quickstart_killed_in_the_middle_ends_with_the_bytes_of_an_undisturbed_one() {
    let root = tempfile::tempdir().unwrap();
    let (calm, stormy) = (root.path().join("calm"), root.path().join("stormy"));
    small_study(&calm);
    let output = quickstart(&calm).output().unwrap();
    assert_success(&output);
    let page = fs::read_to_string(calm.join("report/index.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("NaN"), "the report has figures and no holes");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "the report needs no network");
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(summary.contains("L(N)") && summary.trim_end().ends_with("index.html"), "{summary}");
    let total = sessions(&calm.join("runs")).len();

    // The forecast of the next run stays as it is; once graded, the page says how it fared.
    let forecast = calm.join("forecasts/next-run.json");
    let kept = fs::read(&forecast).unwrap();
    assert!(page.contains("Forecasts and what came") && page.contains("not yet"));
    assert_success(&scalelaw().arg("score").arg(&forecast).args(["--loss", "0.5"]).output().unwrap());
    let second = scalelaw().arg("score").arg(&forecast).args(["--loss", "0.6"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "a forecast is graded once");
    assert_success(&quickstart(&calm).output().unwrap());
    assert_eq!(fs::read(&forecast).unwrap(), kept);
    let page = fs::read_to_string(calm.join("report/index.html")).unwrap();
    // After so few steps the interval may be as wide as can be, or missing; the grade is shown all the same.
    assert!(page.contains("<p>1 graded. Of ") && page.contains("0.5000") && !page.contains("not yet"));

    // The same experiment elsewhere, killed without warning once some runs are finished.
    fs::create_dir(&stormy).unwrap();
    fs::copy(calm.join("experiment.toml"), stormy.join("experiment.toml")).unwrap();
    fs::create_dir(stormy.join("data")).unwrap();
    for entry in fs::read_dir(calm.join("data")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, stormy.join("data").join(path.file_name().unwrap())).unwrap();
    }
    interrupt_after_the_first_run(&stormy);
    let mut child = quickstart(&stormy).spawn().unwrap();
    let patience = Instant::now();
    while finished(&stormy.join("runs")) < 3 {
        assert!(patience.elapsed() < Duration::from_secs(300), "no run finishes");
        assert!(child.try_wait().unwrap().is_none(), "over before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = sessions(&stormy.join("runs"));
    assert!(before.len() >= 3 && before.len() < total, "{} of {total} finished", before.len());

    let output = quickstart(&stormy).output().unwrap();
    assert_success(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("finished already"));
    let after = sessions(&stormy.join("runs"));
    assert_eq!(after.len(), total);
    for (run, lines) in before {
        assert_eq!(after[&run], lines, "{run} was finished and ran again");
    }
    assert_eq!(results(&calm), results(&stormy));
}

#[test]
fn quickstart_on_missing_text_names_the_path_and_fails() {
    let root = tempfile::tempdir().unwrap();
    let output = scalelaw()
        .args(["quickstart", "--text", "no-such-file.txt", "--out"])
        .arg(root.path().join("out"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-file.txt"));
}

#[test]
fn quickstart_on_too_little_text_says_how_much_it_needs() {
    let root = tempfile::tempdir().unwrap();
    let text = root.path().join("tiny.txt");
    fs::write(&text, "Hardly anything.\n\n".repeat(50)).unwrap();
    let output = scalelaw()
        .args(["quickstart", "--out"])
        .arg(root.path().join("out"))
        .arg("--text")
        .arg(&text)
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("error:") && stderr.contains("use more text"), "{stderr}");
}

#[test]
fn quickstart_with_a_nonsense_budget_is_a_usage_error() {
    let output = scalelaw().args(["quickstart", "--budget", "soon"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("soon"));
}

#[test]
fn quickstart_in_the_directory_of_another_study_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("experiment.toml"), "question = \"mine\"\n").unwrap();
    let output = quickstart(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("experiment.toml"));
}

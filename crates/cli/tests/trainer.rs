//! Trainers that are not this program's, driven by the same sweep.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A trainer in a few lines of shell: steps, width, directory.
const SHELL_TRAINER: &str = r#"
echo started >> "$3/starts"
if [ -n "$NAP" ]; then sleep "$NAP"; fi
if [ "$2" = "$BROKEN" ]; then echo "no such width" >&2; exit 4; fi
i=1
while [ "$i" -le "$1" ]; do
  echo "{\"step\": $i, \"train_loss\": 4.$((900 / (i + $2))), \"test_loss\": 4.$((980 / (i + $2)))}" >> "$3/curve.jsonl"
  i=$((i * 2))
done
if [ "$2" = "$TORN" ]; then echo "{\"step\": 99, oops" >> "$3/curve.jsonl"; fi
echo "{\"steps\": $1}" > "$3/trained.json"
"#;

fn experiment(root: &Path) -> PathBuf {
    fs::write(root.join("trainer.sh"), SHELL_TRAINER).unwrap();
    let text = format!(
        "question = \"Does any trainer do?\"\n\
         [trainer]\nname = \"shell-1\"\ncommand = \"sh {}/trainer.sh {{steps}} {{d_model}} {{run_dir}}\"\n\
         [recipe]\nname = \"test-1\"\nbase = \"nano-1\"\nsteps = 16\n\
         [data]\ntrain_tokens = 100000\ntest_tokens = 1000\n\
         [[set]]\nname = \"A\"\nn_layer = 1\nd_model = [8, 16, 32]\n",
        root.display()
    );
    let path = root.join("e.toml");
    fs::write(&path, text).unwrap();
    path
}

fn sweep(file: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scalelaw"));
    command.arg("sweep").arg(file).args(["--workers", "2", "--out"]).arg(out);
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn table(out: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(out.join("tables/runs.csv")).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn runs_of_a_shell_trainer_end_in_the_same_tables() {
    let root = tempfile::tempdir().unwrap();
    let (file, out) = (experiment(root.path()), root.path().join("out"));
    let output = sweep(&file, &out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let rows = table(&out);
    assert_eq!(rows.len(), 4);
    let column = |name: &str| rows[0].iter().position(|found| found == name).unwrap();
    for row in &rows[1..] {
        let width: u32 = row[column("d_model")].parse().unwrap();
        // As the script says after step 16.
        let said: f64 = format!("4.{}", 980 / (16 + width)).parse().unwrap();
        assert_eq!(row[column("loss")].parse(), Ok(said));
        assert_eq!(row[column("steps")], "16");
    }
    let curves = fs::read_to_string(out.join("tables/curves.csv")).unwrap();
    assert_eq!(curves.lines().count(), 1 + 3 * 5, "five evaluations a run");
    let before = fs::read(out.join("tables/runs.csv")).unwrap();
    let again = sweep(&file, &out).output().unwrap();
    assert!(stderr(&again).contains("3 of them finished already"), "{}", stderr(&again));
    assert_eq!(fs::read(out.join("tables/runs.csv")).unwrap(), before);
}

#[test]
fn failing_trainer_is_tried_three_times_and_its_words_are_the_reason() {
    let root = tempfile::tempdir().unwrap();
    let (file, out) = (experiment(root.path()), root.path().join("out"));
    let output = sweep(&file, &out).env("BROKEN", "16").env("TORN", "32").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("no such width"), "{}", stderr(&output));
    assert!(stderr(&output).contains("curve.jsonl: line 6"), "{}", stderr(&output));
    assert_eq!(table(&out).len(), 2);
    // What was wrong has passed: the same command finishes the rest.
    let output = sweep(&file, &out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(table(&out).len(), 4);
}

#[test]
fn trainer_that_outlives_its_scheduler_is_waited_for_and_not_started_again() {
    let root = tempfile::tempdir().unwrap();
    let (file, out) = (experiment(root.path()), root.path().join("out"));
    let mut scheduler = sweep(&file, &out).env("NAP", "1").stderr(Stdio::null()).spawn().unwrap();
    let patience = Instant::now();
    let starts = || -> Vec<usize> {
        let Ok(runs) = fs::read_dir(out.join("runs")) else { return vec![] };
        let texts = runs.filter_map(|run| fs::read_to_string(run.unwrap().path().join("starts")).ok());
        texts.map(|text| text.lines().count()).collect()
    };
    while starts().len() < 2 {
        assert!(patience.elapsed() < Duration::from_secs(60), "no trainer starts");
        std::thread::sleep(Duration::from_millis(5));
    }
    scheduler.kill().unwrap();
    scheduler.wait().unwrap();
    let output = sweep(&file, &out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(starts(), [1, 1, 1]);
    assert_eq!(table(&out).len(), 4);
}

#[test]
fn mistake_in_the_command_shows_before_anything_runs() {
    let root = tempfile::tempdir().unwrap();
    let file = experiment(root.path());
    let text = fs::read_to_string(&file).unwrap().replace("{d_model}", "{d_modl}");
    fs::write(&file, text).unwrap();
    let output = sweep(&file, &root.path().join("out")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("did you mean `d_model`?"), "{}", stderr(&output));
    assert!(!root.path().join("out/runs").exists());
}

#[test]
fn torch_example_is_driven_by_the_same_sweep() {
    let Some(python) = std::env::var_os("SCALELAW_TEST_PYTHON") else {
        eprintln!("SKIPPED: SCALELAW_TEST_PYTHON names no Python with torch");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = tempfile::tempdir().unwrap();
    let output = sweep(Path::new("examples/torch/experiment.toml"), out.path())
        .current_dir(root)
        .env("PYTHON", python)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(table(out.path()).len(), 3);
}

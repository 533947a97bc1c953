//! Sweeps with the real program: planned, run, killed in every way, shared, failing.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

#[cfg(target_os = "linux")]
mod power;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// A recipe whose runs are over in a fraction of a second.
const HEAD: &str = r#"
question = "Does every run finish?"
[recipe]
name = "test-1"
base = "nano-1"
batch_tokens = 1024
steps = 60
[data]
synthetic = 0
max_train_tokens = 40000
test_tokens = 1024
"#;

fn sweep(words: &[&str], file: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scalelaw"));
    command.arg("sweep").args(words).arg(file).args(["--workers", "2", "--out"]).arg(out);
    command
}

fn write(path: &Path, sets: &str) -> PathBuf {
    fs::write(path, format!("{HEAD}{sets}")).unwrap();
    path.to_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What every run directory must hold whatever happened to it, and the tables.
fn results(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in ["runs.csv", "curves.csv"] {
        files.insert(name.to_owned(), fs::read(out.join("tables").join(name)).unwrap());
    }
    for run in run_dirs(out) {
        for entry in fs::read_dir(&run).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let kept = ["spec.toml", "steps.bin", "events.jsonl", "result.json"];
            if kept.contains(&name.as_str()) {
                let key = run.file_name().unwrap().to_string_lossy().into_owned();
                files.insert(format!("{key}/{name}"), fs::read(&path).unwrap());
            }
        }
        let newest = newest_checkpoint(&run).unwrap();
        files.insert(
            newest.display().to_string().split("runs/").last().unwrap().into(),
            fs::read(&newest).unwrap(),
        );
    }
    files
}

fn run_dirs(out: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(out.join("runs")) else { return vec![] };
    let mut dirs: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    dirs.sort();
    dirs
}

fn newest_checkpoint(run: &Path) -> Option<PathBuf> {
    let step = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix("checkpoint-")?.strip_suffix(".safetensors")?.parse().ok()
    };
    let paths = fs::read_dir(run).ok()?.filter_map(|e| Some(e.ok()?.path()));
    paths.filter(|path| step(path).is_some()).max_by_key(|path| step(path))
}

/// When each finished run was finished, and how many sessions it had.
fn finished(out: &Path) -> BTreeMap<PathBuf, (SystemTime, usize)> {
    let mut finished = BTreeMap::new();
    for run in run_dirs(out) {
        if let Ok(found) = fs::metadata(run.join("result.json")) {
            let timing = fs::read_to_string(run.join("timing.jsonl")).unwrap_or_default();
            finished.insert(run, (found.modified().unwrap(), timing.lines().count()));
        }
    }
    finished
}

/// A generator of chances: the same storm every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Processes that train a run below `out`.
#[cfg(target_os = "linux")]
fn trainers(out: &Path) -> Vec<u32> {
    let below = out.join("runs").display().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        if words.contains("\0train\0") && words.contains(&below) {
            found.push(pid);
        }
    }
    found
}

#[cfg(target_os = "linux")]
fn signal(name: &str, pid: u32) {
    // The process may have ended by itself a moment ago.
    let _ = Command::new("sh").arg("-c").arg(format!("kill -s {name} {pid}")).stderr(Stdio::null()).status();
}

/// Cuts a file of an unfinished run anywhere, as a power cut does to what was not synced.
#[cfg(target_os = "linux")]
fn tear(out: &Path, chance: &mut Chance) {
    for run in run_dirs(out).into_iter().filter(|run| !run.join("result.json").exists()) {
        let mut files: Vec<PathBuf> = ["steps.bin", "events.jsonl"].map(|name| run.join(name)).to_vec();
        files.extend(newest_checkpoint(&run));
        let path = &files[chance.below(files.len() as u64) as usize];
        if let Ok(file) = fs::OpenOptions::new().write(true).open(path) {
            let length = file.metadata().unwrap().len();
            file.set_len(chance.below(length + 1)).unwrap();
        }
    }
}

/// Sweeps `file` under `kills` kills of runs, the scheduler or both, some with torn files; then calmly to the
/// end. Nothing that was finished may be finished again.
#[cfg(target_os = "linux")]
fn storm(file: &Path, out: &Path, kills: u64, seed: u64, longest_ms: u64) {
    let mut chance = Chance(seed);
    let mut once: BTreeMap<PathBuf, (SystemTime, usize)> = BTreeMap::new();
    let start =
        || -> Child { sweep(&[], file, out).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap() };
    let mut scheduler = start();
    let mut done = 0;
    while done < kills {
        std::thread::sleep(Duration::from_millis(1 + chance.below(longest_ms)));
        if scheduler.try_wait().unwrap().is_some() {
            scheduler = start();
            continue;
        }
        let runs = trainers(out);
        match chance.below(4) {
            0 if !runs.is_empty() => signal("KILL", runs[chance.below(runs.len() as u64) as usize]),
            1 => {
                // Only the scheduler: its orphans go on.
                scheduler.kill().unwrap();
                scheduler.wait().unwrap();
            }
            2 => {
                signal("TERM", scheduler.id());
                scheduler.wait().unwrap();
            }
            _ => {
                scheduler.kill().unwrap();
                scheduler.wait().unwrap();
                let patience = Instant::now();
                while !trainers(out).is_empty() && patience.elapsed() < Duration::from_secs(20) {
                    trainers(out).into_iter().for_each(|pid| signal("KILL", pid));
                    std::thread::sleep(Duration::from_millis(5));
                }
                tear(out, &mut chance);
            }
        }
        done += 1;
        for (run, now) in finished(out) {
            let first = once.entry(run.clone()).or_insert(now);
            assert_eq!(*first, now, "{} was finished and ran again", run.display());
        }
    }
    let _ = scheduler.kill();
    scheduler.wait().unwrap();
    let output = sweep(&[], file, out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    for (run, now) in finished(out) {
        assert_eq!(*once.get(&run).unwrap_or(&now), now, "{} was finished and ran again", run.display());
    }
}

#[cfg(target_os = "linux")]
fn storm_and_compare(sets: &str, runs: usize, kills: u64, longest_ms: u64) {
    let root = tempfile::tempdir().unwrap();
    let file = write(&root.path().join("e.toml"), sets);
    let (calm, stormy) = (root.path().join("calm"), root.path().join("stormy"));
    let output = sweep(&[], &file, &calm).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(run_dirs(&calm).len(), runs);
    storm(&file, &stormy, kills, 1, longest_ms);
    let (calm, stormy) = (results(&calm), results(&stormy));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&calm), names(&stormy));
    for (name, bytes) in &calm {
        assert!(bytes == &stormy[name], "{name} differs");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn sweep_under_kills_and_torn_files_ends_with_the_bytes_of_an_undisturbed_one() {
    storm_and_compare("[[set]]\nname = \"A\"\nn_layer = 1\nd_model = [8, 16]\nseeds = [0, 1]\n", 4, 16, 300);
}

/// Minutes long: `cargo test -p scalelaw --test sweep -- --ignored`.
#[test]
#[ignore = "minutes long"]
#[cfg(target_os = "linux")]
fn sweep_of_24_runs_under_200_kills_ends_with_the_bytes_of_an_undisturbed_one() {
    let sets =
        "[[set]]\nname = \"A\"\nsteps = 300\nn_layer = [1, 2]\nd_model = [8, 16, 32]\nseeds = [0, 1, 2, 3]\n";
    storm_and_compare(sets, 24, 200, 700);
}

#[test]
fn branches_of_a_trunk_have_the_bytes_of_runs_of_their_own() {
    let root = tempfile::tempdir().unwrap();
    let set = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = 8\nwarmup_steps = 5\n";
    let (family, alone) = (root.path().join("family"), root.path().join("alone"));
    for (out, lengths) in [(&family, "branches = [30, 60]\n"), (&alone, "steps = [30, 60]\n")] {
        let file = write(&root.path().join("e.toml"), &format!("{set}{lengths}"));
        let output = sweep(&[], &file, out).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!((run_dirs(&family).len(), run_dirs(&alone).len()), (3, 2));
    for run in run_dirs(&alone) {
        let branch = family.join("runs").join(run.file_name().unwrap());
        for name in ["steps.bin", "events.jsonl", "result.json"] {
            assert_eq!(fs::read(run.join(name)).unwrap(), fs::read(branch.join(name)).unwrap(), "{name}");
        }
    }
}

#[test]
fn run_that_fails_three_times_is_recorded_and_the_rest_finish() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = 8\ntrain_tokens = [\"D\", \"3 * D\"]\n";
    let (file, out) = (write(&root.path().join("e.toml"), sets), root.path().join("out"));
    let output = sweep(&[], &file, &out).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("failed 3 times"), "{}", stderr(&output));
    let failed: Vec<PathBuf> =
        run_dirs(&out).into_iter().filter(|run| run.join("failed.json").exists()).collect();
    assert_eq!(failed.len(), 1);
    let record = fs::read_to_string(failed[0].join("failed.json")).unwrap();
    assert!(record.contains("\"attempts\": 3") && record.contains("tokens"), "{record}");
    let status =
        Command::new(env!("CARGO_BIN_EXE_scalelaw")).args(["sweep", "status"]).arg(&out).output().unwrap();
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(text.contains("1 failed") && text.contains("1 finished"), "{text}");
}

#[test]
#[cfg(unix)]
fn disk_that_takes_no_checkpoint_fails_the_runs_and_the_same_command_finishes_them() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = [8, 16]\n";
    let file = write(&root.path().join("e.toml"), sets);
    let (calm, full) = (root.path().join("calm"), root.path().join("full"));
    assert!(sweep(&[], &file, &calm).output().unwrap().status.success());
    assert!(sweep(&["plan"], &file, &full).output().unwrap().status.success());
    // Files of 20 KB at most: enough for logs and tables, not for a checkpoint; a write beyond is an error.
    let limited = sweep(&[], &file, &full);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$@\"", "sh"]);
    let output = shell.arg(limited.get_program()).args(limited.get_args()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cannot write") && stderr(&output).contains("checkpoint"),
        "{}",
        stderr(&output)
    );
    let output = sweep(&[], &file, &full).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(results(&calm), results(&full));
}

#[test]
fn two_schedulers_on_one_directory_share_the_work_and_finish_each_run_once() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = [8, 16]\nseeds = [0, 1, 2]\n";
    let (file, out) = (write(&root.path().join("e.toml"), sets), root.path().join("out"));
    let mut both: Vec<Child> = (0..2)
        .map(|_| sweep(&[], &file, &out).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let finished = finished(&out);
    assert_eq!(finished.len(), 6);
    assert!(finished.values().all(|(_, sessions)| *sessions == 1), "{finished:?}");
    let plan = sweep(&["plan"], &file, &out).output().unwrap();
    let text = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(text.contains("0 new, 0 begun, 6 finished") && text.contains("every run is finished"), "{text}");
}

fn worker(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scalelaw"));
    command.arg("worker").arg(out).args(["--workers", "2"]);
    command
}

#[test]
fn two_workers_on_one_queue_finish_each_run_once_with_the_bytes_of_a_sweep() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = [8, 16]\nseeds = [0, 1, 2]\n";
    let file = write(&root.path().join("e.toml"), sets);
    let (alone, shared) = (root.path().join("alone"), root.path().join("shared"));
    assert!(sweep(&[], &file, &alone).output().unwrap().status.success());

    let nothing = worker(&shared).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1), "{}", stderr(&nothing));
    let queued = sweep(&["queue", "--json"], &file, &shared).output().unwrap();
    assert!(queued.status.success(), "{}", stderr(&queued));
    let queued: serde_json::Value = serde_json::from_slice(&queued.stdout).unwrap();
    assert_eq!((queued["runs"].as_u64(), queued["finished"].as_u64()), (Some(6), Some(0)));
    assert!(run_dirs(&shared).is_empty(), "a queue trains nothing");
    // The directory is all that a worker needs, wherever it lies then.
    let moved = root.path().join("moved");
    fs::rename(&shared, &moved).unwrap();

    let mut both: Vec<Child> =
        (0..2).map(|_| worker(&moved).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()).collect();
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let finished = finished(&moved);
    assert_eq!(finished.len(), 6);
    assert!(finished.values().all(|(_, sessions)| *sessions == 1), "{finished:?}");
    let tables = sweep(&[], &file, &moved).output().unwrap();
    assert!(stderr(&tables).contains("6 of them finished already"), "{}", stderr(&tables));
    assert_eq!(results(&alone), results(&moved));
}

#[test]
#[cfg(target_os = "linux")]
fn runs_of_a_killed_worker_are_taken_over_by_the_next() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nsteps = 400\nn_layer = 1\nd_model = 16\nseeds = [0, 1, 2]\n";
    let (file, out) = (write(&root.path().join("e.toml"), sets), root.path().join("out"));
    assert!(sweep(&["queue"], &file, &out).output().unwrap().status.success());
    let mut killed = worker(&out).stderr(Stdio::null()).spawn().unwrap();
    let patience = Instant::now();
    while trainers(&out).is_empty() {
        assert!(patience.elapsed() < Duration::from_secs(60), "no trainer starts");
        std::thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    while !trainers(&out).is_empty() {
        trainers(&out).into_iter().for_each(|pid| signal("KILL", pid));
    }
    assert!(finished(&out).len() < 3, "it was killed too late to be a test");
    let next = worker(&out).output().unwrap();
    assert!(next.status.success(), "{}", stderr(&next));
    assert_eq!(finished(&out).len(), 3);
    let second_claims = run_dirs(&out).into_iter().filter(|run| run.join("claim.1").exists()).count();
    assert!(second_claims > 0, "nothing was taken over");
}

#[test]
#[cfg(target_os = "linux")]
fn interrupted_sweep_and_worker_say_that_they_resume_and_do() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nsteps = 800\nn_layer = 1\nd_model = 16\nseeds = [0, 1]\n";
    let (file, out) = (write(&root.path().join("e.toml"), sets), root.path().join("out"));
    for mut command in [sweep(&[], &file, &out), worker(&out)] {
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let patience = Instant::now();
        let begun = || run_dirs(&out).iter().any(|run| run.join("steps.bin").exists());
        while trainers(&out).is_empty() || !begun() {
            assert!(patience.elapsed() < Duration::from_secs(60), "no trainer starts");
            std::thread::sleep(Duration::from_millis(2));
        }
        signal("INT", child.id());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains("the same command resumes there"), "{}", stderr(&output));
        assert!(trainers(&out).is_empty(), "a trainer outlives the interrupt");
        assert!(run_dirs(&out).iter().any(|run| newest_checkpoint(run).is_some()), "no checkpoint is left");
    }
    let output = worker(&out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(finished(&out).len(), 2);
}

#[test]
fn run_of_a_host_that_is_gone_is_taken_over_when_its_lease_is_up() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = 8\n";
    let (file, out) = (write(&root.path().join("e.toml"), sets), root.path().join("out"));
    let planned = sweep(&["plan", "--json"], &file, &out).output().unwrap();
    assert!(planned.status.success(), "{}", stderr(&planned));
    let plan: serde_json::Value = serde_json::from_slice(&planned.stdout).unwrap();
    let key = plan["list"][0]["run"].as_str().unwrap();
    let dir = out.join("runs").join(key);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("claim.0"), "{\"host\":\"a-host-that-is-gone\",\"pid\":1}").unwrap();
    let began = Instant::now();
    let output = sweep(&[], &file, &out).args(["--lease", "1s"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(began.elapsed() >= Duration::from_secs(1), "it waited");
    assert!(stderr(&output).contains("no sign of life"), "{}", stderr(&output));
    assert!(dir.join("claim.1").exists() && dir.join("result.json").exists());
}

#[test]
fn plan_says_what_a_sweep_costs_and_trains_nothing() {
    let root = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"A\"\nn_layer = 1\nd_model = [8, 16]\n";
    let (file, out) = (write(&root.path().join("e.toml"), sets), root.path().join("out"));
    let output = sweep(&["plan"], &file, &out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in ["2 runs: 2 new, 0 begun, 0 finished", "as 6N", "with head and attention", "memory:", "disk:"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(run_dirs(&out).is_empty());
}

#[test]
fn plan_of_a_changed_experiment_leaves_the_list_of_what_was_run_and_a_run_says_what_it_drops() {
    let root = tempfile::tempdir().unwrap();
    let sets = |widths| format!("[[set]]\nname = \"A\"\nn_layer = 1\nd_model = {widths}\n");
    let (path, out) = (root.path().join("e.toml"), root.path().join("out"));
    let file = write(&path, &sets("[8, 16]"));
    assert!(sweep(&["run"], &file, &out).output().unwrap().status.success());
    let list = || fs::read_to_string(out.join("experiments/e.runs.jsonl")).unwrap();
    let listed = list();
    assert_eq!(listed.lines().count(), 2);
    write(&path, &sets("[8]"));
    assert!(sweep(&["plan"], &file, &out).output().unwrap().status.success());
    assert_eq!(list(), listed);
    let output = sweep(&["run"], &file, &out).output().unwrap();
    assert!(stderr(&output).contains("1 runs that"), "{}", stderr(&output));
    assert_eq!((list().lines().count(), run_dirs(&out).len()), (1, 2));
}

#[test]
fn mistake_in_an_experiment_is_shown_where_it_is() {
    let root = tempfile::tempdir().unwrap();
    let file = write(&root.path().join("e.toml"), "[[set]]\nname = \"A\"\nn_layers = 2\n");
    let output = sweep(&[], &file, &root.path().join("out")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("e.toml:14:1: unknown key `n_layers`"), "{text}");
    assert!(text.contains("^^^^^^^^ did you mean `n_layer`?"), "{text}");
    let output = Command::new(env!("CARGO_BIN_EXE_scalelaw")).arg("sweep").output().unwrap();
    assert!(!output.status.success());
}

#[test]
fn further_evaluation_sets_are_measured_all_along_the_curve() {
    let dir = tempfile::tempdir().unwrap();
    let words = |names: &[&str]| -> String {
        (0..4000)
            .map(|i| format!("{} {}. ", names[i * 7 % names.len()], names[i * i % names.len()]))
            .collect()
    };
    fs::write(dir.path().join("near.txt"), words(&["the cat", "a dog", "runs", "sees"])).unwrap();
    fs::write(dir.path().join("far.txt"), words(&["漢字", "かな", "文書", "𝛼𝛽"])).unwrap();
    let sets = "eval_tokens = 2048\n[evals]\nnear = \"near.txt\"\n[[set]]\nname = \"A\"\nn_layer = 1\nd_model = 8\nposition_losses = true\n";
    let file = write(&dir.path().join("e.toml"), sets);
    let out = dir.path().join("out");
    let far = format!("far={}", dir.path().join("far.txt").display());
    let output = sweep(&["run", "--eval", &far], &file, &out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    for table in ["runs.csv", "curves.csv"] {
        let text = fs::read_to_string(out.join("tables").join(table)).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let column = |name: &str| header.iter().position(|h| *h == name).unwrap();
        let (near, far) = (column("loss_near"), column("loss_far"));
        let mut rows = 0;
        for row in lines {
            let (near, far): (f64, f64) = (row[near].parse().unwrap(), row[far].parse().unwrap());
            assert!(near > 0.0 && far > 0.0 && near != far, "{row:?}");
            rows += 1;
        }
        assert!(rows > 0);
    }
    // The losses of the positions of an evaluation have its test loss as their mean.
    let export = |table: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_scalelaw"))
            .args(["runs", "export", table, "--format", "jsonl"])
            .arg(out.join("runs"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let (curves, positions) = (export("--curves"), export("--positions"));
    assert_eq!(positions.len(), 64 * curves.len());
    for curve in &curves {
        let of_step = positions.iter().filter(|row| row["step"] == curve["step"]);
        let mean = of_step.map(|row| row["loss"].as_f64().unwrap()).sum::<f64>() / 64.0;
        assert!((mean - curve["test_loss"].as_f64().unwrap()).abs() < 1e-9, "{curve}");
    }
    let sessions = export("--timing");
    assert!(sessions.len() == 1 && sessions[0]["wall_s"].as_f64().unwrap() > 0.0, "{sessions:?}");

    let wrong = sweep(&["run", "--eval", "far"], &file, &out).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
}

#[test]
fn sweep_until_goes_on_with_rounds_of_its_own_and_takes_them_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let sets = "[[set]]\nname = \"grid\"\nmodels = [{ n_layer = 1, d_model = 8 }, { n_layer = 1, d_model = 16 }, \
                { n_layer = 2, d_model = 24 }]\nsteps = [12, 24, 36]\n";
    let file = write(&dir.path().join("e.toml"), sets);
    let out = dir.path().join("out");
    let until = |goal: &str, spend: &str| {
        let output = sweep(&["--json", "--until", goal, "--spend", spend], &file, &out).output().unwrap();
        let summary: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (output.status.code(), summary)
    };
    let (code, wide) = until("ci95(loss@1e11) < 1e6", "1e9");
    assert_eq!(
        (code, wide["until"]["reached"].as_bool(), wide["runs"].as_u64()),
        (Some(0), Some(true), Some(9))
    );

    let (code, narrow) = until("ci95(loss@1e11) < 1e-6", "2e10");
    let standing = &narrow["until"];
    assert_eq!((code, standing["reached"].as_bool()), (Some(3), Some(false)));
    assert!(standing["why"].as_str().unwrap().contains("FLOPs"), "{standing}");
    let spent = standing["spent"].as_f64().unwrap();
    assert!(spent > 0.0 && spent <= 2e10, "{spent}");
    assert!(out.join("experiments/e-until-1.toml").exists());
    let rounds = narrow["runs"].as_u64().unwrap();
    assert!(rounds > 9 && narrow["finished"].as_u64() == Some(rounds));

    // The same command again runs nothing and stands where it stood.
    let before = finished(&out);
    let (code, again) = until("ci95(loss@1e11) < 1e-6", "2e10");
    assert_eq!((code, &again["until"]), (Some(3), standing));
    assert_eq!(finished(&out), before);

    let missing = sweep(&["--until", "ci95(loss@1e11) < 1"], &file, &out).output().unwrap();
    assert_eq!(missing.status.code(), Some(2), "a goal without what may be spent");
}

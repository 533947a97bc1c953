//! A disk that fails at any write, sync, rename, link or truncation, and power that goes away there.

use super::{results, signal, stderr, trainers};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A trunk with two branches, and a run that keeps its best state: everything that a run writes.
const SETS: &str = r#"
[[set]]
name = "trunk"
steps = 24
n_layer = 1
d_model = 8
branches = ["steps / 2", "steps"]

[[set]]
name = "best"
steps = 24
n_layer = 1
d_model = 8
evaluation = { first_step = 2, per_decade = 8, patience = 9 }
"#;

/// The preloaded library that plays the disk.
fn shim(dir: &Path) -> PathBuf {
    let library = dir.join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power/shim.c");
    let cc = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .output()
        .expect("a C compiler, as Rust needs for linking");
    assert!(cc.status.success(), "{}", stderr(&cc));
    library
}

struct Disk {
    root: tempfile::TempDir,
    library: PathBuf,
    file: PathBuf,
}

impl Disk {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let library = shim(root.path());
        let file = super::write(&root.path().join("e.toml"), SETS);
        Self { root, library, file }
    }

    /// One run after the other, so that calls have the same numbers every time.
    fn one_worker(&self, out: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scalelaw"));
        command.arg("sweep").arg(&self.file).args(["--workers", "1", "--out"]).arg(out);
        command
    }

    /// A sweep on this disk, and how many calls the disk had so far.
    fn sweep(&self, out: &Path, trouble: Option<(&str, u64)>) -> (Output, u64) {
        let count = out.with_extension("count");
        let mut command = self.one_worker(out);
        command.env("LD_PRELOAD", &self.library).env("DISK_DIR", out).env("DISK_COUNT", &count);
        if let Some((how, at)) = trouble {
            command.env("DISK_HOW", how).env("DISK_AT", at.to_string());
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        (output, fs::metadata(count).map_or(0, |m| m.len()))
    }

    /// Trouble at every `stride`-th call from `first` on; each time the same command again must end with the
    /// bytes of an undisturbed sweep.
    fn try_everywhere(&self, how: &str, first: u64, stride: usize) {
        let calm = self.root.path().join("calm");
        let (output, calls) = self.sweep(&calm, None);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(calls > 100, "only {calls} calls: is the library preloaded?");
        let wanted = results(&calm);
        for at in (first..=calls).step_by(stride) {
            let out = self.root.path().join(format!("{how}-{at}"));
            let (troubled, _) = self.sweep(&out, Some((how, at)));
            let said = stderr(&troubled);
            assert!(!said.contains("panicked"), "{how} at call {at}: {said}");
            for pid in trainers(&out) {
                signal("KILL", pid);
            }
            while !trainers(&out).is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            let again = self.one_worker(&out).output().unwrap();
            assert!(again.status.success(), "{how} at call {at}, then: {}", stderr(&again));
            let found = results(&out);
            assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{how} at {at}");
            for (name, bytes) in &wanted {
                assert!(found[name] == *bytes, "{how} at call {at}: {name} differs");
            }
            fs::remove_dir_all(&out).unwrap();
        }
    }
}

#[test]
fn disk_that_fails_or_loses_power_at_some_calls_loses_nothing() {
    let disk = Disk::new();
    for (how, first) in [("fail", 3), ("kill", 5), ("power", 7)] {
        disk.try_everywhere(how, first, 29);
    }
}

/// Minutes long: `cargo test -p scalelaw --test sweep -- --ignored`.
#[test]
#[ignore = "minutes long"]
fn disk_that_fails_or_loses_power_at_any_call_loses_nothing() {
    let disk = Disk::new();
    for how in ["fail", "kill", "power"] {
        disk.try_everywhere(how, 1, 1);
    }
}

//! `docs/commands.md`, shells' completions and manual pages.

use crate::{assert_committed, root, scalelaw};

#[test]
fn command_reference_is_what_the_help_says() {
    let output = scalelaw(&root()).arg("manual").output().unwrap();
    assert!(output.status.success());
    assert_committed(&root().join("docs/commands.md"), &String::from_utf8(output.stdout).unwrap());
}

#[test]
fn completions_name_every_command_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = scalelaw(&root()).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        for command in ["quickstart", "tokenizer", "fit"] {
            assert!(script.contains(command), "{shell}: no {command}");
        }
    }
}

#[test]
fn manual_has_a_page_for_each_command() {
    let dir = tempfile::tempdir().unwrap();
    let output = scalelaw(dir.path()).args(["manual", "--man", "pages"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for page in ["scalelaw.1", "scalelaw-fit.1", "scalelaw-corpus-build.1"] {
        assert!(dir.path().join("pages").join(page).is_file(), "{page}");
    }
}

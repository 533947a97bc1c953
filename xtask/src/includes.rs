//! Files that sources include must lie in their crate: a package holds nothing else.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Every `include_str!` and `include_bytes!` whose path leaves its crate, as `file: path`.
pub fn outside_of_crates(root: &Path) -> Vec<String> {
    let mut outside = Vec::new();
    for entry in entries(&root.join("crates")) {
        let mut sources = Vec::new();
        collect(&entry, &mut sources);
        for source in sources {
            let text = std::fs::read_to_string(&source).unwrap_or_default();
            for path in included(&text) {
                let to = normal(&source.parent().unwrap_or(&entry).join(path));
                if !to.starts_with(normal(&entry)) {
                    outside.push(format!("{}: {path}", source.display()));
                }
            }
        }
    }
    outside
}

/// The paths that a source includes; of one put together, its beginning.
fn included(text: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    for name in ["include_str!(", "include_bytes!("] {
        for (at, _) in text.match_indices(name) {
            let rest = &text[at + name.len()..];
            let rest = rest.strip_prefix("concat!(").unwrap_or(rest);
            paths.extend(rest.strip_prefix('"').and_then(|rest| rest.split('"').next()));
        }
    }
    paths
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in entries(folder) {
        if entry.is_dir() && !entry.is_symlink() {
            collect(&entry, sources);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            sources.push(entry);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The path without `..`, and without following links: a link into the repository is packaged as a file.
fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<OsString> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            part => parts.push(part.as_os_str().to_owned()),
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_paths_are_found_and_leave_the_crate_or_not() {
        let text = "include_str!(\"../a.txt\"); include_bytes!(concat!(\"../../b/\", $file))";
        assert_eq!(included(text), ["../a.txt", "../../b/"]);
        assert_eq!(normal(Path::new("/crate/src/../../b")), Path::new("/b"));
    }
}

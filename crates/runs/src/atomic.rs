use crate::RunError;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a whole file so that it is either absent, old or complete, also after a power cut.
///
/// A name of this writer's own is written, synced and renamed; then the directory is synced.
///
/// # Errors
/// Names the file; a left-over temporary name is removed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    publish(path, bytes, |temporary| fs::rename(temporary, path))
}

/// As [`write_atomically`], but the first writer wins: a file that is there stays.
///
/// # Errors
/// As [`write_atomically`].
pub(crate) fn write_once(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    publish(path, bytes, |temporary| match fs::hard_link(temporary, path) {
        Ok(()) => fs::remove_file(temporary),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => fs::remove_file(temporary),
        // A file system without links: the bytes are the same whoever writes them.
        Err(_) => fs::rename(temporary, path),
    })
}

fn publish(path: &Path, bytes: &[u8], show: impl Fn(&Path) -> std::io::Result<()>) -> Result<(), RunError> {
    let temporary = own_name(path);
    let written = write_and_sync(&temporary, bytes)
        .and_then(|()| show(&temporary))
        .and_then(|()| File::open(folder_of(path)).and_then(|dir| dir.sync_all()));
    written.map_err(|source| {
        // The write failed already; failing to tidy up adds nothing a user could act on.
        let _ = fs::remove_file(&temporary);
        RunError::io("write", path, source)
    })
}

/// The folder that `path` lies in; a bare name lies in the working directory.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name beside `path` that no other writer uses.
fn own_name(path: &Path) -> PathBuf {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let serial = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{serial}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_of_a_bare_name_is_the_working_directory() {
        assert_eq!(folder_of(Path::new("next.json")), Path::new("."));
        assert_eq!(folder_of(Path::new("runs/next.json")), Path::new("runs"));
    }
}

use crate::RunError;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a whole file so that it is either absent, old or complete, also after a power cut.
///
/// A name of this writer's own is written, synced and renamed; then the directory is synced.
///
/// # Errors
/// Names the file; a left-over temporary name is removed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let serial = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{serial}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = write_and_sync(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new("."))).and_then(|dir| dir.sync_all()));
    written.map_err(|source| {
        // The write failed already; failing to tidy up adds nothing a user could act on.
        let _ = fs::remove_file(&temporary);
        RunError::io("write", path, source)
    })
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

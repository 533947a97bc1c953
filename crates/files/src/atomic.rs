//! Files that readers see whole or not at all.

use crate::error::FileError;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Part of every temporary name; see [`is_temporary`].
const TEMPORARY: &str = ".tmp-";

/// Whether a file was left half-written by an [`AtomicFile`] of an interrupted process.
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(TEMPORARY))
}

/// A file that gets its name only once it is complete and on the disk.
///
/// It is written under a temporary name of its own beside the final one. Dropped before
/// [`publish`](Self::publish), it is deleted.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
}

impl AtomicFile {
    /// Opens a temporary file beside `path`. A file at `path` stays as it is until [`publish`](Self::publish).
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let temporary = temporary_name(path);
        let file = File::create(&temporary).map_err(FileError::new(path, "create"))?;
        Ok(Self { path: path.to_path_buf(), temporary, file: BufWriter::with_capacity(1 << 18, file) })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(FileError::new(&self.path, "write"))
    }

    /// Syncs the file, gives it its name, replacing a file of that name, and syncs the directory: after a power
    /// loss the old file or the new one is there, whole.
    ///
    /// # Errors
    /// When the disk refuses; then the temporary file is deleted.
    pub fn publish(self) -> Result<(), FileError> {
        self.publish_by(|temporary, path| fs::rename(temporary, path))
    }

    fn publish_by(mut self, name: impl FnOnce(&Path, &Path) -> io::Result<()>) -> Result<(), FileError> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| name(&self.temporary, &self.path))
            .and_then(|()| sync_directory(folder_of(&self.path)))
            .map_err(FileError::new(&self.path, "write"))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After `publish` the name is gone already; before it the half-written file is worth nothing.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a file so that readers, and whoever comes after a power loss, see the old contents or the new, never a part.
///
/// # Errors
/// When the disk refuses; the error names the file.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = AtomicFile::create(path)?;
    file.write(bytes)?;
    file.publish()
}

/// As [`write_atomically`], but the first writer wins: a file that exists is left as it is.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_once(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = AtomicFile::create(path)?;
    file.write(bytes)?;
    file.publish_by(|temporary, path| match fs::hard_link(temporary, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // A file system without links: here the last writer wins.
        Err(_) => fs::rename(temporary, path),
        Ok(()) => Ok(()),
    })
}

/// The directory that `path` lies in; a bare name lies in the working directory.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename durable. Only Unix can sync a directory.
fn sync_directory(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A name beside `path` that no other writer, in this process or another, uses at the same time.
fn temporary_name(path: &Path) -> PathBuf {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let serial = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!("{TEMPORARY}{}-{serial}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn folder_of_a_bare_name_is_the_working_directory() {
        assert_eq!(folder_of(Path::new("next.json")), Path::new("."));
        assert_eq!(folder_of(Path::new("runs/next.json")), Path::new("runs"));
    }

    #[test]
    fn write_atomically_replaces_and_write_once_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_once(&path, b"first").unwrap();
        write_once(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write_atomically(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn atomic_file_dropped_before_publish_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(&dir.path().join("file")).unwrap();
        file.write(b"half").unwrap();
        assert!(is_temporary(&dir.path().join(&names(dir.path())[0])));
        drop(file);
        assert!(names(dir.path()).is_empty());
    }
}

//! The files under a path, in an order that does not depend on the machine.

use super::kind::{Contents, endings, recognise};
use crate::error::CorpusError;
use scalelaw_files::Compression;
use scalelaw_tokens::Source;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A file that can be read.
pub(crate) struct FoundFile {
    pub(crate) path: PathBuf,
    /// The file as it was named, or relative to the folder that was, with `/` between the parts.
    pub(crate) name: String,
    pub(crate) kind: (Contents, Compression),
}

/// The files under one path.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<FoundFile>,
    /// Files in folders with an ending that is not read.
    pub(crate) other_kind: u64,
}

/// The file itself, or the files of a folder recursively, sorted by name within each folder.
///
/// Links to files are followed; links to folders are not, so there are no endless walks.
pub(crate) fn files(path: &Path) -> Result<Found, CorpusError> {
    let metadata = std::fs::metadata(path).map_err(CorpusError::io(path, "read"))?;
    let mut found = Found::default();
    if metadata.is_dir() {
        walk_folder(path, path, &mut found)?;
    } else {
        let kind = recognise(path)
            .ok_or_else(|| CorpusError::UnknownKind { path: path.to_path_buf(), expected: endings() })?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        found.files.push(FoundFile { path: path.to_path_buf(), name, kind });
    }
    Ok(found)
}

fn walk_folder(root: &Path, folder: &Path, found: &mut Found) -> Result<(), CorpusError> {
    let entries = std::fs::read_dir(folder).map_err(CorpusError::io(folder, "list"))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(CorpusError::io(folder, "list"))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let file_type = entry.file_type().map_err(CorpusError::io(&path, "read"))?;
        if file_type.is_dir() {
            walk_folder(root, &path, found)?;
        } else if file_type.is_symlink() && path.is_dir() {
            found.other_kind += 1;
        } else {
            match recognise(&path) {
                Some(kind) => {
                    let relative = path.strip_prefix(root).unwrap_or(&path);
                    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
                    let name = parts.join("/");
                    found.files.push(FoundFile { path, name, kind });
                }
                None => found.other_kind += 1,
            }
        }
    }
    Ok(())
}

/// Name, size and digest of a path: of the file as it is on disk, or of a folder's list of names and digests.
pub(crate) fn describe(path: &Path) -> Result<Source, CorpusError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let found = files(path)?;
    if path.is_file() {
        let (bytes, digest) = digest_file(path)?;
        return Ok(Source { name, bytes, digest: format!("blake3:{digest}") });
    }
    let (mut bytes, mut list) = (0, blake3::Hasher::new());
    for file in &found.files {
        let (size, digest) = digest_file(&file.path)?;
        list.update(format!("{digest}  {}\n", file.name).as_bytes());
        bytes += size;
    }
    Ok(Source { name, bytes, digest: format!("blake3-of-list:{}", list.finalize().to_hex()) })
}

fn digest_file(path: &Path) -> Result<(u64, String), CorpusError> {
    let file = File::open(path).map_err(CorpusError::io(path, "open"))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(CorpusError::io(path, "read"))?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

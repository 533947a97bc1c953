//! The files to be read, each by itself.

use super::file;
use super::found::Found;
use super::kind::Contents;
use super::walk;
use super::{ReadOptions, Skipped};
use crate::error::CorpusError;
use scalelaw_files::Compression;
use scalelaw_tokens::Source;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

/// A file to be read.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in [`crate::Origin::file`]: the file's, or the path below the folder that was named.
    pub name: String,
    /// Its size on disk.
    pub bytes: u64,
    pub(super) kind: (Contents, Compression),
}

/// All files to be read, in order.
#[derive(Clone, Debug, Default)]
pub struct Units {
    /// The files.
    pub units: Vec<Unit>,
    /// Files in folders of a kind that is not read.
    pub other_kind: u64,
}

/// The files under these paths: those named, in that order, and those in folders sorted by name. Opens none.
///
/// # Errors
/// Names the path that is missing or not of a kind that is read.
pub fn units(paths: &[PathBuf]) -> Result<Units, CorpusError> {
    let mut units = Units::default();
    for path in paths {
        let found = walk::files(path)?;
        units.other_kind += found.other_kind;
        for walk::FoundFile { path, name, kind } in found.files {
            let bytes = std::fs::metadata(&path).map_err(CorpusError::io(&path, "read"))?.len();
            units.units.push(Unit { path, name, bytes, kind });
        }
    }
    Ok(units)
}

impl Unit {
    /// Its name, size and digest.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub fn source(&self) -> Result<Source, CorpusError> {
        let source = walk::describe(&self.path)?;
        Ok(Source { name: self.name.clone(), ..source })
    }

    /// Calls `visit` with the records of the file, in order, in bounded memory, until it breaks.
    ///
    /// # Errors
    /// Names the file that cannot be read, and the place where it cannot be decompressed. A malformed record is left
    /// out, which is not an error.
    pub fn visit(
        &self,
        options: &ReadOptions,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, CorpusError> {
        self.visit_from(options, &AtomicU64::new(0), visit)
    }

    /// As [`Unit::visit`]; `place` is kept at the number of bytes of the file read so far.
    pub(crate) fn visit_from(
        &self,
        options: &ReadOptions,
        place: &AtomicU64,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, CorpusError> {
        file::visit(self, options, place, visit)
    }

    /// Calls `visit` with the documents of the file; what is left out is added to `skipped`.
    pub(super) fn visit_documents(
        &self,
        options: &ReadOptions,
        skipped: &mut Skipped,
        visit: &mut dyn FnMut(crate::Document) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, CorpusError> {
        self.visit(options, &mut |found| {
            let document = match found {
                Found::Raw(raw) => raw.into_document(),
                Found::Left(left) => Err(left),
            };
            match document {
                Ok(document) => visit(document),
                Err(left) => {
                    skipped.count(left.reason);
                    ControlFlow::Continue(())
                }
            }
        })
    }
}

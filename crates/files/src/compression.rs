//! Compressed files, recognised by the ending of their names.

use crate::error::FileError;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip, in one or more members: `.gz`.
    Gzip,
    /// With Zstandard, in one or more frames: `.zst`.
    Zstd,
}

impl Compression {
    /// Splits a file name into the name inside and its compression: `a.txt.gz` is `a.txt` in gzip.
    pub fn of_name(name: &str) -> (&str, Self) {
        if let Some(inner) = name.strip_suffix(".gz") {
            (inner, Self::Gzip)
        } else if let Some(inner) = name.strip_suffix(".zst") {
            (inner, Self::Zstd)
        } else {
            (name, Self::None)
        }
    }
}

/// Opens a file for reading what it holds decompressed.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path, compression: Compression) -> Result<Box<dyn BufRead>, FileError> {
    let file = File::open(path).map_err(FileError::new(path, "open"))?;
    decompress(BufReader::with_capacity(1 << 16, file), compression)
        .map_err(FileError::new(path, "decompress"))
}

/// Reads a whole file, decompressed.
///
/// # Errors
/// When it cannot be read or is not compressed as it should be.
pub fn read(path: &Path, compression: Compression) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    open(path, compression)?.read_to_end(&mut bytes).map_err(FileError::new(path, "read"))?;
    Ok(bytes)
}

/// Reads bytes decompressed.
///
/// # Errors
/// When the decompressor cannot be set up.
pub fn decompress<'r>(
    reader: impl BufRead + 'r,
    compression: Compression,
) -> io::Result<Box<dyn BufRead + 'r>> {
    Ok(match compression {
        Compression::None => Box::new(reader),
        Compression::Gzip => Box::new(BufReader::with_capacity(1 << 17, MultiGzDecoder::new(reader))),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(reader)?;
            decoder.window_log_max(31)?; // files made with `zstd --long=31`
            Box::new(BufReader::with_capacity(1 << 17, decoder))
        }
    })
}

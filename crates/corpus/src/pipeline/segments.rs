//! Files of numbered segments, complete or absent: what one stage leaves for the next.
//!
//! ```text
//! segment 0 | segment 1 | … | {"ends":[…],"meta":…} | length of that JSON, little-endian u64
//! ```

use crate::error::CorpusError;
use scalelaw_files::AtomicFile;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
struct Footer<M> {
    /// Where each segment ends.
    ends: Vec<u64>,
    meta: M,
}

/// Writes segments in order; without [`SegmentWriter::finish`] nothing is left.
pub(super) struct SegmentWriter {
    file: AtomicFile,
    ends: Vec<u64>,
    at: u64,
}

impl SegmentWriter {
    pub(super) fn create(path: &Path) -> Result<Self, CorpusError> {
        Ok(Self { file: AtomicFile::create(path)?, ends: Vec::new(), at: 0 })
    }

    /// Appends the next segment, which may be empty.
    pub(super) fn push(&mut self, segment: &[u8]) -> Result<(), CorpusError> {
        self.file.write(segment)?;
        self.at += segment.len() as u64;
        self.ends.push(self.at);
        Ok(())
    }

    /// Writes the metadata and gives the file its name.
    pub(super) fn finish<M: Serialize>(mut self, meta: &M) -> Result<(), CorpusError> {
        let footer = serde_json::to_vec(&Footer { ends: self.ends, meta });
        let footer = footer.expect("footers have only string keys");
        self.file.write(&footer)?;
        self.file.write(&(footer.len() as u64).to_le_bytes())?;
        Ok(self.file.publish()?)
    }
}

/// Where the segments of a finished file are.
#[derive(Debug)]
pub(super) struct Segments {
    path: PathBuf,
    ends: Vec<u64>,
}

impl Segments {
    /// Opens a file and reads its metadata; `None` when there is no file.
    pub(super) fn open<M: DeserializeOwned>(path: &Path) -> Result<Option<(Self, M)>, CorpusError> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(CorpusError::io(path, "open"))?,
        };
        let footer = read_footer(&mut file).map_err(CorpusError::io(path, "read"))?;
        match footer.and_then(|footer| serde_json::from_slice::<Footer<M>>(&footer).ok()) {
            Some(Footer { ends, meta }) => Ok(Some((Self { path: path.to_owned(), ends }, meta))),
            None => Err(damaged(path)),
        }
    }

    /// The error of contents that are not as they were written.
    pub(super) fn damaged(&self) -> CorpusError {
        damaged(&self.path)
    }

    pub(super) fn n_segments(&self) -> usize {
        self.ends.len()
    }

    fn start(&self, segment: usize) -> u64 {
        if segment == 0 { 0 } else { self.ends[segment - 1] }
    }

    /// The bytes of some segments that follow one another, together.
    pub(super) fn read(&self, segments: Range<usize>) -> Result<Vec<u8>, CorpusError> {
        if segments.is_empty() || segments.end > self.ends.len() {
            return Err(self.damaged());
        }
        let (start, end) = (self.start(segments.start), self.ends[segments.end - 1]);
        self.read_bytes(start, (end - start) as usize)
    }

    /// Some bytes of one segment.
    pub(super) fn read_part(&self, segment: usize, from: u64, len: usize) -> Result<Vec<u8>, CorpusError> {
        self.read_bytes(self.start(segment) + from, len)
    }

    fn read_bytes(&self, start: u64, len: usize) -> Result<Vec<u8>, CorpusError> {
        let mut bytes = vec![0; len];
        if len > 0 {
            let mut file = File::open(&self.path).map_err(CorpusError::io(&self.path, "open"))?;
            file.seek(SeekFrom::Start(start))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(CorpusError::io(&self.path, "read"))?;
        }
        Ok(bytes)
    }
}

fn read_footer(file: &mut File) -> std::io::Result<Option<Vec<u8>>> {
    let size = file.metadata()?.len();
    if size < 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(size - 8))?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > size - 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(size - 8 - length))?;
    let mut footer = vec![0; length as usize];
    file.read_exact(&mut footer)?;
    Ok(Some(footer))
}

/// The error of a damaged file of an unfinished build.
pub(super) fn damaged(path: &Path) -> CorpusError {
    CorpusError::DamagedWork { path: path.to_owned() }
}

/// Numbers as bytes and back.
pub(super) fn to_bytes<const N: usize, T: Copy>(numbers: &[T], bytes_of: fn(T) -> [u8; N]) -> Vec<u8> {
    numbers.iter().flat_map(|&number| bytes_of(number)).collect()
}

/// The little-endian u32 of a segment.
pub(super) fn to_u32s(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|raw| u32::from_le_bytes(*raw)).collect()
}

/// The little-endian u64 of a segment.
pub(super) fn to_u64s(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|raw| u64::from_le_bytes(*raw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_read_back_and_absent_until_finished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let mut writer = SegmentWriter::create(&path).unwrap();
        for segment in [&b"one"[..], b"", b"three"] {
            writer.push(segment).unwrap();
        }
        assert!(Segments::open::<u32>(&path).unwrap().is_none());
        writer.finish(&7u32).unwrap();
        let (segments, meta) = Segments::open::<u32>(&path).unwrap().unwrap();
        assert_eq!((segments.n_segments(), meta), (3, 7));
        assert_eq!(segments.read(0..1).unwrap(), b"one");
        assert_eq!(segments.read(0..3).unwrap(), b"onethree");
        assert_eq!(segments.read_part(2, 1, 3).unwrap(), b"hre");
        assert!(segments.read(2..4).is_err());

        drop(SegmentWriter::create(&dir.path().join("other")).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "an unfinished file leaves nothing");

        let whole = std::fs::read(&path).unwrap();
        for broken in [&whole[..whole.len() - 1], &whole[1..], b"", b"12345678"] {
            std::fs::write(&path, broken).unwrap();
            if broken.len() + 1 == whole.len() && broken[0] != whole[0] {
                continue; // the footer still stands at the end; only a digest would tell
            }
            assert!(Segments::open::<u32>(&path).is_err());
        }
    }
}

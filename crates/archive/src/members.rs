//! The decompressed bytes of an archive, member by member, with the place of each in the file.

use flate2::bufread::GzDecoder;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};

/// An archive as one stream of decompressed bytes, whether it is plain, gzipped as a whole, or compressed record by
/// record with gzip or Zstandard; its first bytes decide which.
pub(crate) struct Stream<R: BufRead> {
    inner: BufReader<Members<R>>,
    /// Decompressed bytes consumed.
    at: u64,
}

impl<R: BufRead> Stream<R> {
    pub(crate) fn new(file: R) -> Self {
        let source = Counted { inner: file, at: 0 };
        let members = Members {
            state: State::Between(source),
            unpacked: 0,
            starts: VecDeque::new(),
            dictionary: vec![],
        };
        Self { inner: BufReader::with_capacity(1 << 16, members), at: 0 }
    }

    /// Where in the file the next byte is: its own offset, or that of the member that holds it.
    pub(crate) fn offset(&mut self) -> u64 {
        let starts = &mut self.inner.get_mut().starts;
        while starts.get(1).is_some_and(|start| start.unpacked <= self.at) {
            starts.pop_front();
        }
        match starts.front() {
            Some(Start { unpacked, file, packed: false }) => file + (self.at - unpacked),
            Some(start) => start.file,
            None => 0,
        }
    }

    /// Reads `length` bytes, or as many as there are.
    pub(crate) fn take_bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.by_ref().take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Skips `length` bytes; returns how many there were.
    pub(crate) fn skip(&mut self, length: u64) -> Result<u64> {
        std::io::copy(&mut self.by_ref().take(length), &mut std::io::sink())
    }
}

impl<R: BufRead> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = self.inner.read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.at += n as u64;
        self.inner.consume(n);
    }
}

/// A reader that knows how far it is.
struct Counted<R> {
    inner: R,
    at: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = self.inner.read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.at += n as u64;
        self.inner.consume(n);
    }
}

/// Where a member begins.
struct Start {
    unpacked: u64,
    file: u64,
    packed: bool,
}

enum State<R: BufRead> {
    Between(Counted<R>),
    Plain(Counted<R>),
    Gzip(Box<GzDecoder<Counted<R>>>),
    Zstd(Box<zstd::Decoder<'static, Counted<R>>>),
    Ended,
}

struct Members<R: BufRead> {
    state: State<R>,
    /// Bytes decompressed so far.
    unpacked: u64,
    /// The members whose bytes may still be asked for.
    starts: VecDeque<Start>,
    /// What zstd frames refer to.
    dictionary: Vec<u8>,
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The frame that holds the dictionary of an archive in zstd (the WARC-zstd convention of the Internet Archive).
const ZSTD_DICTIONARY: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
const MAX_DICTIONARY: u32 = 64 << 20;

impl<R: BufRead> Members<R> {
    /// Opens the member that begins here, if there is one.
    fn open(&mut self, mut source: Counted<R>) -> Result<State<R>> {
        let file = source.at;
        let ahead = source.fill_buf()?;
        if ahead.is_empty() {
            return Ok(State::Ended);
        }
        let first = self.starts.is_empty() && self.unpacked == 0;
        let (gzip, zstd) = (ahead.starts_with(&GZIP), ahead.starts_with(&ZSTD));
        let dictionary = ahead.starts_with(&ZSTD_DICTIONARY);
        let padding = ahead.iter().all(|&b| b == 0);
        if first && dictionary {
            self.dictionary = read_dictionary(&mut source)?;
            return self.open(source);
        }
        if !first && !gzip && !zstd {
            // Tapes and some file systems fill up with zeros.
            if padding {
                return Ok(State::Ended);
            }
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("offset {file}: expected another compressed member"),
            ));
        }
        self.starts.push_back(Start { unpacked: self.unpacked, file, packed: gzip || zstd });
        Ok(if gzip {
            State::Gzip(Box::new(GzDecoder::new(source)))
        } else if zstd {
            let mut decoder = zstd::Decoder::with_dictionary(source, &self.dictionary)?.single_frame();
            decoder.window_log_max(31)?;
            State::Zstd(Box::new(decoder))
        } else {
            State::Plain(source)
        })
    }
}

/// The dictionary in the first frame, which may itself be compressed.
fn read_dictionary<R: BufRead>(source: &mut Counted<R>) -> Result<Vec<u8>> {
    let mut head = [0; 8];
    source.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if length > MAX_DICTIONARY {
        return Err(Error::new(ErrorKind::InvalidData, format!("offset 0: a dictionary of {length} bytes")));
    }
    let mut dictionary = Vec::new();
    source.take(u64::from(length)).read_to_end(&mut dictionary)?;
    if dictionary.starts_with(&ZSTD) {
        let mut unpacked = Vec::new();
        zstd::Decoder::new(&dictionary[..])?.take(u64::from(MAX_DICTIONARY)).read_to_end(&mut unpacked)?;
        return Ok(unpacked);
    }
    Ok(dictionary)
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let n = match &mut self.state {
                State::Between(_) => 0,
                State::Plain(source) => source.read(buffer)?,
                State::Gzip(decoder) => decoder.read(buffer)?,
                State::Zstd(decoder) => decoder.read(buffer)?,
                State::Ended => return Ok(0),
            };
            if n > 0 || buffer.is_empty() {
                self.unpacked += n as u64;
                return Ok(n);
            }
            let source = match std::mem::replace(&mut self.state, State::Ended) {
                State::Between(source) => source,
                State::Plain(_) | State::Ended => return Ok(0),
                State::Gzip(decoder) => decoder.into_inner(),
                State::Zstd(decoder) => decoder.finish(),
            };
            self.state = self.open(source)?;
        }
    }
}

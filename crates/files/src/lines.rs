//! Lines of bounded length from any reader.

use std::io::{BufRead, ErrorKind, Result};

/// What [`next_line`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A whole line is in the buffer, without its end.
    Whole,
    /// The line was longer than the limit; the buffer holds none of it and the reader is behind it.
    TooLong,
    /// There are no more lines.
    End,
}

/// Reads the next line into `buffer` (replacing what is there), holding at most `limit` bytes of it.
pub fn next_line(reader: &mut dyn BufRead, buffer: &mut Vec<u8>, limit: usize) -> Result<Line> {
    buffer.clear();
    let (mut started, mut too_long) = (false, false);
    loop {
        let available = match reader.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() && !started {
            return Ok(Line::End);
        }
        started = true;
        let newline = available.iter().position(|&b| b == b'\n');
        let piece = &available[..newline.unwrap_or(available.len())];
        if buffer.len() + piece.len() > limit {
            too_long = true;
            *buffer = Vec::new();
        }
        if !too_long {
            buffer.extend_from_slice(piece);
        }
        let (consumed, ended) = (piece.len() + usize::from(newline.is_some()), available.is_empty());
        reader.consume(consumed);
        if newline.is_some() || ended {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn next_line_of_bounded_length_reads_every_line() {
        let text = b"one\n\ntoo long a line\r\nend\r\nexactly8\nno newline";
        for capacity in [1, 2, 7, 100] {
            let mut reader = BufReader::with_capacity(capacity, &text[..]);
            let mut buffer = vec![];
            let mut lines = vec![];
            loop {
                match next_line(&mut reader, &mut buffer, 8).unwrap() {
                    Line::Whole => lines.push(String::from_utf8(buffer.clone()).unwrap()),
                    Line::TooLong => lines.push("TOO LONG".into()),
                    Line::End => break,
                }
            }
            assert_eq!(
                lines,
                ["one", "", "TOO LONG", "end\r", "exactly8", "TOO LONG"],
                "capacity {capacity}"
            );
        }
    }
}

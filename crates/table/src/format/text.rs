//! Text of tables as people's programs leave it: encodings, comments before the header, and what parts the cells.

use std::borrow::Cow;

/// Rows from which the delimiter is guessed.
const SAMPLE: usize = 40;

/// UTF-8 text without a byte order mark, of UTF-8 or UTF-16.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => wide(bytes, u16::from_le_bytes),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => wide(bytes, u16::from_be_bytes),
        _ => Cow::Borrowed(bytes),
    }
}

/// A table's text from its header on, and what parts its cells.
pub(crate) struct Delimited<'a> {
    /// The text; cells that stand between blanks are parted by tabs here.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// What parts the cells.
    pub(crate) delimiter: u8,
}

/// The header and the rows of UTF-8 text. `named` is the delimiter that the file's name says; another one counts where
/// it parts the header into more cells, as many as the rows have. Lines before the header that begin with `#`, and
/// Excel's `sep=;`, are left out; a header that itself stands in the last such line is taken.
pub(crate) fn delimited(text: &[u8], named: u8) -> Delimited<'_> {
    let (mut rest, mut comment, mut said) = (text, None, None);
    loop {
        let (line, after) = first_line(rest);
        let trimmed = line.trim_ascii();
        if let Some(words) = trimmed.strip_prefix(b"#") {
            comment = Some((rest, words));
        } else if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark] = trimmed {
            said = Some(*mark);
        } else if !trimmed.is_empty() || after.is_empty() {
            break;
        }
        rest = after;
    }
    if let Some((from, words)) = comment.filter(|_| is_numbers(first_line(rest).0)) {
        // `# N D loss` as numpy writes it: the header is the comment without its mark.
        let at = from.len() - from.iter().position(|b| *b == b'#').unwrap_or(0) - 1;
        let header = &from[from.len() - at..];
        let cells = |line: &[u8]| {
            String::from_utf8_lossy(line).split([' ', '\t', ',', ';']).filter(|w| !w.is_empty()).count()
        };
        if cells(words) == cells(first_line(rest).0) {
            rest = header;
        }
    }
    let lines: Vec<&[u8]> =
        rest.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(SAMPLE).collect();
    let others = [b',', b';', b'\t', b'|'].into_iter().filter(|mark| *mark != named);
    let delimiter = said.unwrap_or_else(|| {
        let marks = std::iter::once(named).chain(others);
        let parted = marks.map(|mark| (width(rest, mark).unwrap_or(0), mark));
        // The first of those that part the header into most cells.
        parted.fold((1, named), |best, this| if this.0 > best.0 { this } else { best }).1
    });
    let blank =
        |line: &[u8]| line.trim_ascii().split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).count();
    let quoted = rest.contains(&b'"');
    let columns = lines.first().map_or(0, |line| blank(line));
    if !quoted
        && columns > 1
        && width(rest, delimiter).is_none_or(|w| w < 2)
        && lines.iter().all(|line| blank(line) == columns)
    {
        let mut bytes = Vec::with_capacity(rest.len());
        for line in rest.split(|b| *b == b'\n') {
            for (i, word) in line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).enumerate() {
                bytes.extend_from_slice(if i > 0 { b"\t" } else { b"" });
                bytes.extend_from_slice(word);
            }
            bytes.push(b'\n');
        }
        return Delimited { bytes: Cow::Owned(bytes), delimiter: b'\t' };
    }
    Delimited { bytes: Cow::Borrowed(rest), delimiter }
}

fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|b| *b == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

fn is_numbers(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split([' ', '\t', ',', ';', '\r']).filter(|w| !w.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| word.parse::<f64>().is_ok())
}

/// Cells of the header when `delimiter` parts the text, if most of the first rows have as many.
fn width(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut records = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text)
        .into_byte_records()
        .take(SAMPLE)
        .map_while(Result::ok)
        .map(|record| record.len());
    let width = records.next()?;
    let (mut alike, mut rows) = (0, 0);
    for other in records {
        alike += usize::from(other == width);
        rows += 1;
    }
    (2 * alike >= rows).then_some(width)
}

/// What a file looks like by its first bytes.
pub(crate) fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 21] = [
        (b":W&B", "W&B's own record of a run (export its history: run.history() as CSV or Parquet)"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"GGUF", "a model in GGUF"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"%PDF", "a PDF"),
        (b"\x7fELF", "a program"),
        (b"\x80\x02", "a Python pickle"),
        (b"\x80\x03", "a Python pickle"),
        (b"PAR1", "Parquet"),
        (b"PK\x03\x04", "a zip archive, as .xlsx and .npz are"),
        (b"\x1f\x8b", "gzip; its name should end with .gz"),
        (b"\x28\xb5\x2f\xfd", "Zstandard; its name should end with .zst"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"ARROW1", "an Arrow file"),
        (b"\x89HDF", "an HDF5 file"),
        (b"SQLite format 3", "an SQLite database"),
        (b"\x80\x04", "a Python pickle"),
        (b"\x80\x05", "a Python pickle"),
        (b"version https://git-lfs", "a Git LFS pointer, not the file that it stands for"),
    ];
    let beginning = &bytes[..bytes.len().min(4096)];
    if let Some((_, found)) = MARKS.iter().find(|(mark, _)| beginning.starts_with(mark)) {
        return Some(found);
    }
    let lower = String::from_utf8_lossy(beginning).trim_start().to_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Some("a web page");
    }
    if lower.starts_with('{') || lower.starts_with('[') {
        return Some("JSON; its name should end with .json, or with .jsonl if it has an object a line");
    }
    (!beginning.is_empty() && beginning.is_ascii() && !beginning.contains(&0)).then_some("text")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u8, String) {
        let found = delimited(text.as_bytes(), b',');
        (
            found.delimiter,
            String::from_utf8_lossy(&found.bytes).lines().next().unwrap_or_default().to_string(),
        )
    }

    #[test]
    fn delimiter_is_the_one_that_parts_header_and_rows_alike() {
        for (text, delimiter) in [
            ("N,D\n1,2\n", b','),
            ("N;D;loss\n1;2;4,1\n3;4;4,2\n", b';'),
            ("N|D|loss\n1|2|3\n", b'|'),
            ("N\tD\n1\t2\n", b'\t'),
            ("N  D loss\n1 2  3\n4 5 6\n", b'\t'),
            ("N,D,\"loss, c4\"\n1,2,3\n", b','),
            ("model size\n1\n2\n", b','),
            ("sep=;\nN;D\n1;2\n", b';'),
        ] {
            assert_eq!(read(text).0, delimiter, "{text}");
        }
    }

    #[test]
    fn lines_before_the_header_are_left_out_unless_they_are_it() {
        assert_eq!(read("# by me\n# N: params\n\nN,D\n1,2\n").1, "N,D");
        assert_eq!(read("sep=,\nN,D\n1,2\n").1, "N,D");
        assert_eq!(read("# N D loss\n1 2 3\n4 5 6\n"), (b'\t', "N\tD\tloss".into()));
    }

    #[test]
    fn text_of_two_bytes_a_character_becomes_utf8() {
        for text in ["N,D\n1,2\n", "µ,é\n"] {
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for (mark, bytes) in [([0xff, 0xfe], little), ([0xfe, 0xff], big)] {
                assert_eq!(&*utf8(&[&mark[..], &bytes].concat()), text.as_bytes());
            }
        }
        let bare: Vec<u8> = "N,D\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(&*utf8(&bare), b"N,D\n");
    }
}

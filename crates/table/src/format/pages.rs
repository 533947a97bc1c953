//! What the pages of a Parquet file say of their sizes, before any of them is decompressed.
//!
//! # Source
//! Apache Parquet, `parquet.thrift` (`PageHeader`), in Thrift's compact protocol.

/// Most bytes of one page; writers make pages of about a megabyte, a few of a hundred.
const MOST_OF_A_PAGE: u64 = 1 << 28;
/// Most bytes of all pages together.
const MOST_OF_A_FILE: u64 = 1 << 32;
/// Deeper structs are no page header's.
const DEEPEST: usize = 8;

/// Checks the pages of a column chunk, which `bytes` are, and adds what they hold to `total`.
///
/// # Errors
/// What is wrong with them.
pub(super) fn check(bytes: &[u8], values: u64, total: &mut u64) -> Result<(), &'static str> {
    let mut rest = Thrift(bytes);
    while !rest.0.is_empty() {
        let page = rest.page_header(DEEPEST).ok_or("the header of a page is damaged")?;
        let (Ok(compressed), Ok(uncompressed)) =
            (usize::try_from(page.compressed), u64::try_from(page.uncompressed))
        else {
            return Err("the header of a page has a negative size");
        };
        *total += uncompressed;
        if uncompressed > MOST_OF_A_PAGE {
            return Err("a page says that it holds more than 256 MiB");
        }
        if *total > MOST_OF_A_FILE {
            return Err("its pages say that they hold more than 4 GiB");
        }
        if u64::try_from(page.values).map_or(true, |n| n > values) {
            return Err("a page says that it has more values than its column");
        }
        rest.0 = rest.0.get(compressed..).ok_or("a page is cut off")?;
    }
    Ok(())
}

#[derive(Default)]
struct Page {
    uncompressed: i64,
    compressed: i64,
    values: i64,
}

/// Bytes in Thrift's compact protocol.
struct Thrift<'a>(&'a [u8]);

impl Thrift<'_> {
    /// `PageHeader { 2: uncompressed_page_size, 3: compressed_page_size, 5, 8: data pages { 1: num_values } }`.
    fn page_header(&mut self, depth: usize) -> Option<Page> {
        let mut page = Page::default();
        let mut last = 0;
        while let Some((id, kind)) = self.field(last)? {
            last = id;
            match (id, kind) {
                (2, 5) => page.uncompressed = self.signed()?,
                (3, 5) => page.compressed = self.signed()?,
                (5 | 8, 12) => {
                    let mut last = 0;
                    while let Some((id, kind)) = self.field(last)? {
                        last = id;
                        if (id, kind) == (1, 5) {
                            page.values = self.signed()?;
                        } else {
                            self.skip(kind, depth)?;
                        }
                    }
                }
                _ => self.skip(kind, depth)?,
            }
        }
        Some(page)
    }

    /// The next field's id and type; the inner `None` at the end of a struct.
    fn field(&mut self, last: i64) -> Option<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        let (delta, kind) = (head >> 4, head & 15);
        let id = if delta == 0 { self.signed()? } else { last + i64::from(delta) };
        Some(Some((id, kind)))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // Booleans of a struct are in the type.
            1 | 2 => {}
            3 => _ = self.byte()?,
            4..=6 => _ = self.varint()?,
            7 => self.0 = self.0.get(8..)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.0 = self.0.get(length..)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let (short, kind) = (head >> 4, head & 15);
                let n = if short == 15 { self.varint()? } else { u64::from(short) };
                for _ in 0..n {
                    // Booleans of a list are bytes of their own.
                    self.skip(if kind <= 2 { 3 } else { kind }, depth)?;
                }
            }
            12 => {
                let mut last = 0;
                while let Some((id, kind)) = self.field(last)? {
                    last = id;
                    self.skip(kind, depth)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A whole number in zigzag.
    fn signed(&mut self) -> Option<i64> {
        let raw = self.varint()?;
        Some((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PageHeader { 1: 0, 2: uncompressed, 3: compressed, 5: { 1: values, 2: 0, 3: 3, 4: 3 } }`.
    fn header(uncompressed: i64, compressed: i64, values: i64) -> Vec<u8> {
        let varint = |x: i64| {
            let mut zigzag = ((x << 1) ^ (x >> 63)).cast_unsigned();
            let mut out = Vec::new();
            while zigzag >= 0x80 {
                out.push(zigzag as u8 | 0x80);
                zigzag >>= 7;
            }
            out.push(zigzag as u8);
            out
        };
        let fields = [(0x15, 0), (0x15, uncompressed), (0x15, compressed)];
        let mut out: Vec<u8> =
            fields.iter().flat_map(|(head, x)| [vec![*head], varint(*x)].concat()).collect();
        out.push(0x2c);
        for (head, x) in [(0x15, values), (0x15, 0), (0x15, 3), (0x15, 3)] {
            out.push(head);
            out.extend(varint(x));
        }
        out.extend([0, 0]);
        out
    }

    #[test]
    fn pages_are_checked_before_they_are_read() {
        let checked = |header: Vec<u8>, rest: &[u8]| {
            let mut total = 0;
            check(&[&header, rest].concat(), 10, &mut total).map(|()| total)
        };
        assert_eq!(checked(header(400, 3, 10), b"abc"), Ok(400));
        assert!(checked(header(400, 4, 10), b"abc").is_err_and(|e| e.contains("cut off")));
        assert!(checked(header(1 << 30, 3, 10), b"abc").is_err_and(|e| e.contains("256 MiB")));
        assert!(checked(header(400, 3, 11), b"abc").is_err_and(|e| e.contains("more values")));
        assert!(checked(header(-1, 3, 10), b"abc").is_err_and(|e| e.contains("negative")));
        assert!(checked(vec![0x15], b"").is_err_and(|e| e.contains("damaged")));
    }
}

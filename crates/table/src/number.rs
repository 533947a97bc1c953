//! Numbers as people write them in tables: `70,000,000`, `4,2967`, `12M`, `0.35 billion`, `42.9%`.

use crate::cell::Cell;
use crate::column::Fault;
use scalelaw_core::number;
use std::borrow::Cow;

/// What parts the digits of ones from those of tenths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Decimal {
    /// `4.2967`, and `70,000,000`.
    #[default]
    Point,
    /// `4,2967`, and `70.000.000`.
    Comma,
}

impl Decimal {
    /// What a cell says of it; `None` where it could be either, as of `3,440` and `70`.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let head = &text.trim()[..head_length(text.trim())];
        let by = |mark: char, other: char| {
            let (ones, tenths) = head.rsplit_once(mark)?;
            let ones_are_plain = !ones.contains(mark);
            let no_group = tenths.len() != 3
                || ones.trim_start_matches(['-', '+']).len() > 3
                || ones.ends_with('0') && ones.len() == 1;
            let is_decimal = ones_are_plain
                && !tenths.contains(other)
                && (ones.contains(other) && grouped(ones, other) || !ones.contains(other) && no_group);
            Some(is_decimal)
        };
        let groups = |mark: char| {
            head.matches(mark).count() > 1
                && !head.contains(if mark == ',' { '.' } else { ',' })
                && grouped(head, mark)
        };
        if by(',', '.') == Some(true) || groups('.') {
            Some(Self::Comma)
        } else if by('.', ',') == Some(true) || groups(',') {
            Some(Self::Point)
        } else {
            None
        }
    }

    /// The mark before the tenths, and the one that may stand between groups of three digits.
    fn marks(self) -> (char, char) {
        match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        }
    }
}

/// How many bytes at the start of a text are digits with their marks: `70 000 000` of `70 000 000 M`.
fn head_length(text: &str) -> usize {
    let is_mark = |c: char| matches!(c, '.' | ',' | '_' | '\'' | '’' | '+' | '-') || c.is_whitespace();
    let end = text.find(|c: char| !c.is_ascii_digit() && !is_mark(c)).unwrap_or(text.len());
    text[..end].trim_end().len()
}

/// Whether digits stand in groups of three between marks: `70,000,000`, `1 234`.
fn grouped(digits: &str, mark: char) -> bool {
    let mut groups = digits.trim_start_matches(['-', '+']).split(mark);
    let is_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && is_digits(first))
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// The number without marks between groups, and with a point before its tenths; `None` when the marks make no sense.
fn plain(text: &str, decimal: Decimal) -> Option<Cow<'_, str>> {
    let length = head_length(text);
    let (head, rest) = text.split_at(length);
    let (tenths_mark, group_mark) = decimal.marks();
    if !head.contains(|c: char| c == ',' || c == group_mark || c == '\'' || c == '’' || c.is_whitespace()) {
        return Some(Cow::Borrowed(text));
    }
    let (ones, tenths) = match head.rsplit_once(tenths_mark) {
        Some((ones, tenths)) => (ones, Some(tenths)),
        None => (head, None),
    };
    let mut ones = ones.to_string();
    if let Some(mark) =
        ones.chars().find(|c| *c == group_mark || matches!(c, '\'' | '’') || c.is_whitespace())
    {
        if grouped(&ones, mark) {
            ones.retain(|c| c != mark);
        } else if decimal == Decimal::Comma && mark == '.' && tenths.is_none() {
            // `0.35` in a column of `4,2967`.
            return Some(Cow::Borrowed(text));
        } else {
            return None;
        }
    }
    let tenths = tenths.map_or_else(String::new, |tenths| format!(".{tenths}"));
    Some(Cow::Owned(format!("{ones}{tenths}{rest}")))
}

/// A number, or why it is none.
pub(crate) fn read_number(text: &str, decimal: Decimal) -> Result<f64, Fault> {
    let text = text.trim();
    let read = |text: &str| match text.parse::<f64>() {
        Ok(x) if x.is_nan() => Some(Err(Fault::NotANumber)),
        Ok(x) => Some(Ok(x)),
        Err(_) => number::parse(text).ok().map(Ok),
    };
    let simple = !text.contains([',', '.']) || (decimal == Decimal::Point && !text.contains(','));
    if let Some(read) = text.parse::<f64>().ok().filter(|_| simple).and_then(|_| read(text)) {
        return read;
    }
    if is_missing(text) {
        return Err(Fault::Missing);
    }
    let (digits, share) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits.trim_end(), 0.01));
    let read = plain(digits, decimal).and_then(|plain| read(&plain));
    match read {
        Some(Ok(x)) => Ok(if share == 1.0 { x } else { x * share }),
        Some(Err(fault)) => Err(fault),
        None => Err(Fault::Unreadable(text.to_string())),
    }
}

/// Whether a text stands for "nothing".
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(
        text,
        "" | "NA"
            | "N/A"
            | "n/a"
            | "#N/A"
            | "na"
            | "null"
            | "NULL"
            | "None"
            | "none"
            | "-"
            | "--"
            | "—"
            | "–"
    )
}

/// The cell as a number, or why it is none.
pub(crate) fn cell_number(cell: &Cell) -> Result<f64, Fault> {
    match cell {
        Cell::Missing => Err(Fault::Missing),
        Cell::Integer(i) => Ok(*i as f64),
        Cell::Number(x) if x.is_nan() => Err(Fault::NotANumber),
        Cell::Number(x) => Ok(*x),
        Cell::Text(t) => read_number(t, Decimal::Point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_either_decimal_mark_are_read() {
        for (text, decimal, value) in [
            ("70,000,000", Decimal::Point, 70e6),
            ("1,234.5", Decimal::Point, 1234.5),
            ("70 000 000", Decimal::Point, 70e6),
            ("70\u{202f}000", Decimal::Point, 70e3),
            ("70'000", Decimal::Point, 70e3),
            ("7_000", Decimal::Point, 7e3),
            ("12M", Decimal::Point, 12e6),
            ("0.35 billion", Decimal::Point, 0.35e9),
            ("1,500M", Decimal::Point, 1.5e9),
            ("3e9", Decimal::Point, 3e9),
            ("-1.5e-3", Decimal::Point, -1.5e-3),
            ("4,296711", Decimal::Comma, 4.296711),
            ("3,440", Decimal::Comma, 3.44),
            ("1.234.567,8", Decimal::Comma, 1234567.8),
            ("350.000.000", Decimal::Comma, 350e6),
            ("0.35", Decimal::Comma, 0.35),
            ("1,5e9", Decimal::Comma, 1.5e9),
            ("50%", Decimal::Point, 0.5),
            ("12,5 %", Decimal::Comma, 0.125),
        ] {
            let read = read_number(text, decimal).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert!((read / value - 1.0).abs() < 1e-15, "{text}: {read}");
        }
    }

    #[test]
    fn marks_that_make_no_sense_are_no_number() {
        for text in ["70,00,0", "1,23", "7 0", "1.2.3", ",", "1,2,3", "70'00"] {
            assert!(matches!(read_number(text, Decimal::Point), Err(Fault::Unreadable(_))), "{text}");
        }
        assert_eq!(read_number("#N/A", Decimal::Point), Err(Fault::Missing));
    }

    #[test]
    fn decimal_mark_is_seen_where_a_cell_can_have_but_one() {
        for (text, decimal) in [
            ("4,296711", Some(Decimal::Comma)),
            ("1.234,5", Some(Decimal::Comma)),
            ("350.000.000", Some(Decimal::Comma)),
            ("0,352", Some(Decimal::Comma)),
            ("4.2967", Some(Decimal::Point)),
            ("1,234.5", Some(Decimal::Point)),
            ("70,000,000", Some(Decimal::Point)),
            ("3,440", None),
            ("3.440", None),
            ("70", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(Decimal::of(text), decimal, "{text}");
        }
    }
}

//! One cell of a row, and how Rust types become cells and come back.

/// The value of one column in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value: an empty CSV field, JSON `null` or an absent key, a Parquet null.
    Missing,
    /// A whole number, kept exact.
    Integer(u64),
    /// A real number.
    Number(f64),
    /// Text.
    Text(String),
}

/// What a column holds; fixes its type in Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned whole numbers.
    Integer,
    /// Real numbers (f64).
    Number,
    /// UTF-8 text.
    Text,
}

/// A Rust type that is a column of a row struct.
pub(crate) trait Field: Sized {
    /// Column type.
    const KIND: Kind;
    /// What a reader should have found, for the message.
    const EXPECTED: &'static str;
    fn to_cell(&self) -> Cell;
    /// `None` when the cell does not hold such a value.
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl Field for f64 {
    const KIND: Kind = Kind::Number;
    const EXPECTED: &'static str = "a number";
    fn to_cell(&self) -> Cell {
        Cell::Number(*self)
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Number(x) => Some(x),
            Cell::Integer(i) => Some(i as f64),
            Cell::Text(t) => t.trim().parse().ok(),
            Cell::Missing => None,
        }
    }
}

impl Field for u64 {
    const KIND: Kind = Kind::Integer;
    const EXPECTED: &'static str = "a whole number";
    fn to_cell(&self) -> Cell {
        Cell::Integer(*self)
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Integer(i) => Some(i),
            Cell::Number(x) => whole(x),
            Cell::Text(t) => {
                let t = t.trim();
                t.parse().ok().or_else(|| t.parse().ok().and_then(whole))
            }
            Cell::Missing => None,
        }
    }
}

/// `x` as a whole number when it is exactly one (from 2^53 on, neighbouring whole numbers are the same f64).
fn whole(x: f64) -> Option<u64> {
    ((0.0..9_007_199_254_740_992.0).contains(&x) && x.fract() == 0.0).then_some(x as u64)
}

impl Field for u32 {
    const KIND: Kind = Kind::Integer;
    const EXPECTED: &'static str = "a whole number below 2^32";
    fn to_cell(&self) -> Cell {
        Cell::Integer(u64::from(*self))
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        u64::from_cell(cell).and_then(|i| u32::try_from(i).ok())
    }
}

impl Field for String {
    const KIND: Kind = Kind::Text;
    const EXPECTED: &'static str = "text";
    fn to_cell(&self) -> Cell {
        Cell::Text(self.clone())
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Text(t) => Some(t),
            Cell::Integer(i) => Some(i.to_string()),
            Cell::Number(x) => Some(x.to_string()),
            Cell::Missing => None,
        }
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const EXPECTED: &'static str = T::EXPECTED;
    fn to_cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Missing, Field::to_cell)
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Missing => Some(None),
            // An empty CSV field and an empty text look the same: both are "nothing".
            Cell::Text(t) if t.is_empty() => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

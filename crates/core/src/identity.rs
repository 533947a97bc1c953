//! Everything that decides the bytes of a run, as the lines of text that its key hashes.
//!
//! Every type that contributes names all of its fields when it writes them, so a new field does not compile until somebody
//! has decided whether it belongs here.

use std::fmt::{Display, Write as _};

/// One `path=value` line for each field; floats as the shortest decimal that reads back to the same bits.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    lines: String,
    settings: String,
}

impl Identity {
    /// A field that every specification has.
    pub fn line(&mut self, path: &str, value: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.lines, "{path}={value}");
    }

    /// A setting that is not at its default. Settings come after all fields, in the order in which they are written, so a
    /// setting that is added later changes no key while it has its default.
    pub fn setting(&mut self, path: &str, value: impl Display) {
        let _ = writeln!(self.settings, "{path}={value}");
    }

    /// The whole text.
    pub fn text(self) -> String {
        self.lines + &self.settings
    }
}

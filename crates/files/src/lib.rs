//! Files as every other crate reads and writes them: written whole or not at all, opened through their
//! compression, read line by line in bounded memory, with one error that names the file. Readers that are not ours
//! are called behind a boundary.

mod atomic;
mod boundary;
mod compression;
mod error;
mod lines;

pub use atomic::{AtomicFile, is_temporary, write_atomically, write_once};
pub use boundary::{Panicked, guarded};
pub use compression::{Compression, decompress, open, read};
pub use error::FileError;
pub use lines::{Line, next_line};

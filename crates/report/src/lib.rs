//! Figures as SVG, PNG and CSV, and one self-contained HTML page.
//!
//! [`figure`] draws anything that is said as panels, axes and series. [`study()`] turns a finished [`Study`] into a
//! page with its figures; [`StudyReport::write`] puts it on disk.

pub mod error;
pub mod figure;
pub mod number;
pub mod page;
pub mod paper;
pub mod reliability;
pub mod study;
pub mod text;
pub mod valley;
mod write;

pub use error::ReportError;
pub use study::Study;
pub use write::{StudyReport, study, write_figures};

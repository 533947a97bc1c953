//! Figures as SVG, PNG and CSV, and one self-contained HTML page.
//!
//! [`figure`] draws anything that is said as panels, axes and series.

pub mod error;
pub mod figure;
pub mod text;

pub use error::ReportError;

//! The report on disk: `index.html`, and each figure as `figures/NAME.svg`, `.png` and `.csv`.

use crate::error::ReportError;
use crate::figure::Figure;
use crate::page;
use crate::study::figures;
use scalelaw_lab::study::Study;
use std::fs;
use std::path::{Path, PathBuf};

/// Pixels of a PNG for every pixel of the figure: sharp on dense screens and in print.
const PNG_SCALE: f64 = 2.0;

/// A study as page and figures, not yet on disk.
#[derive(Clone, Debug)]
pub struct StudyReport {
    /// The page.
    pub html: String,
    /// The figures, in the order of the page.
    pub figures: Vec<Figure>,
}

/// Draws every figure that the study has numbers for, and the page around them.
pub fn study(study: &Study) -> StudyReport {
    let figures = figures::all(study);
    StudyReport { html: page::html(study, &figures), figures }
}

impl StudyReport {
    /// Writes `index.html` and `figures/` into a folder, which is made where it does not exist; returns the page's path.
    ///
    /// # Errors
    /// A file or folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ReportError> {
        write_figures(&self.figures, &folder.join("figures"))?;
        let page = folder.join("index.html");
        write_file(&page, self.html.as_bytes())?;
        Ok(page)
    }
}

/// Writes each figure as SVG, PNG and CSV into a folder, which is made where it does not exist.
///
/// # Errors
/// A file or folder cannot be written.
pub fn write_figures(figures: &[Figure], folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::Write { path: folder.to_owned(), source })?;
    for figure in figures {
        let png = figure.png((figure.width() * PNG_SCALE) as u32)?;
        write_file(&folder.join(format!("{}.svg", figure.name)), figure.svg().as_bytes())?;
        write_file(&folder.join(format!("{}.png", figure.name)), &png)?;
        write_file(&folder.join(format!("{}.csv", figure.name)), figure.csv().as_bytes())?;
    }
    Ok(())
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    fs::write(path, bytes).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

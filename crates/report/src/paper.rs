//! Kaplan et al. 2020 from its published constants alone: Figures 3, 12 and 15, the curves of 4, 9 and 11, and
//! Tables 1 to 6. Where the paper prints two numbers for one thing, both are here, by name.

mod budget_rise;
mod contradiction;
mod fixed_batch;
mod over_fitting;
mod published;
mod tables;
mod training_curves;
mod wrong_size;

use crate::error::ReportError;
use crate::figure::Figure;
use crate::page::{self, EXTRAPOLATION_CAVEATS, Table};
use crate::text::RichText;
use crate::write::{write_figures, write_file};
use std::path::{Path, PathBuf};

/// What the paper says without any run of ours.
#[derive(Clone, Debug)]
pub struct PaperReport {
    /// In the paper's order.
    pub figures: Vec<Figure>,
    /// In the paper's order, then the variants and the worked numbers of Appendix B and section 6.3.
    pub tables: Vec<PaperTable>,
}

/// One table with its place in the paper.
#[derive(Clone, Debug)]
pub struct PaperTable {
    /// Stem of its CSV file.
    pub name: &'static str,
    /// Heading, markup.
    pub title: &'static str,
    pub(crate) table: Table,
}

impl PaperTable {
    /// The table as CSV, text without markup.
    pub fn csv(&self) -> String {
        self.table.csv()
    }
}

/// Everything that follows from the published constants.
pub fn constants_only() -> PaperReport {
    PaperReport {
        figures: vec![
            budget_rise::figure(),
            over_fitting::figure_4_left(),
            training_curves::figure(),
            over_fitting::figure_9(),
            fixed_batch::figure(),
            wrong_size::figure(),
            contradiction::figure(),
        ],
        tables: tables::all(),
    }
}

impl PaperReport {
    /// The page.
    pub fn html(&self) -> String {
        let mut body = String::from(
            "<header><h1>Kaplan et al. 2020 from its published constants</h1>\n<ul class=\"answer\">\n<li>No run was made: \
             every line and number here follows from constants that the paper prints.</li>\n<li>N counts non-embedding \
             parameters, C is 6N FLOPs per token in PF-days (8.64×10<sup>19</sup> FLOPs), L is nats per token of WebText2 \
             with a vocabulary of 50,257 and a context of 1024.</li>\n<li>Where the paper contradicts itself both numbers are \
             shown, by name.</li>\n</ul></header>\n",
        );
        let figures: String = self.figures.iter().map(page::figure_html).collect();
        body += &page::section("figures", "Figures", &figures);
        let tables: String = self
            .tables
            .iter()
            .map(|table| {
                format!(
                    "<h3 id=\"{}\">{}</h3>\n{}<p class=\"files\"><a href=\"tables/{}.csv\">CSV</a></p>\n",
                    table.name,
                    RichText::markup(table.title).to_html(),
                    table.table.html(),
                    table.name
                )
            })
            .collect();
        body += &page::section("tables", "Tables", &tables);
        let caveats: String = EXTRAPOLATION_CAVEATS
            .iter()
            .map(|text| format!("<li>{}</li>\n", RichText::markup(text).to_html()))
            .collect();
        body += &page::section("caveats", "Before you extrapolate", &format!("<ul>\n{caveats}</ul>\n"));
        page::document("Kaplan et al. 2020 from its published constants", &body)
    }

    /// Writes `index.html`, `figures/` and `tables/` into a folder; returns the page's path.
    ///
    /// # Errors
    /// A file or folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ReportError> {
        write_figures(&self.figures, &folder.join("figures"))?;
        let tables = folder.join("tables");
        std::fs::create_dir_all(&tables)
            .map_err(|source| ReportError::Write { path: tables.clone(), source })?;
        for table in &self.tables {
            write_file(&tables.join(format!("{}.csv", table.name)), table.csv().as_bytes())?;
        }
        let page = folder.join("index.html");
        write_file(&page, self.html().as_bytes())?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests;

//! Kaplan et al. 2020, all of it: from its published constants alone ([`constants_only`]: Figures 3, 12 and 15, the
//! curves of 4, 9 and 11, Tables 1 to 6), and from the runs of a study ([`from_runs`]: all 24 figures, the tables with
//! our constants beside the published, and the verdict on every claim). Where the paper prints two numbers for one
//! thing, both are here, by name.

mod budget_rise;
mod claims;
mod contradiction;
mod figures;
mod fixed_batch;
mod over_fitting;
mod parts;
mod study_tables;
mod tables;
mod training_curves;
mod wrong_size;

use crate::error::ReportError;
use crate::figure::Figure;
use crate::number::significant;
use crate::page::{self, EXTRAPOLATION_CAVEATS, Table};
use crate::text::RichText;
use crate::write::{write_figures, write_file};
use scalelaw_lab::paper::{ConstantsStudy, Fits, Judged, PaperStudy, SetCost};
use std::path::{Path, PathBuf};

/// The paper as a page, figures, tables and claims.
#[derive(Clone, Debug)]
pub struct PaperReport {
    /// Heading of the page.
    pub title: &'static str,
    /// What the page is made of, sentences in markup.
    pub about: Vec<String>,
    /// In the paper's order.
    pub figures: Vec<Figure>,
    /// In the paper's order, then the variants and the worked numbers of Appendix B and section 6.3.
    pub tables: Vec<PaperTable>,
    /// What is doubtful about the fits, sentences in markup.
    pub doubts: Vec<String>,
    /// The claims, judged; none without runs.
    pub claims: Vec<Judged>,
    /// How it was made: name and value.
    pub facts: Vec<(String, String)>,
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
pub fn constants_only(published: &ConstantsStudy) -> PaperReport {
    PaperReport {
        title: "Kaplan et al. 2020 from its published constants",
        about: vec![
            "No run was made: every line and number here follows from constants that the paper prints.".into(),
            "N counts non-embedding parameters, C is 6N FLOPs per token in PF-days (8.64×10^{19} FLOPs), L is nats per \
             token of WebText2 with a vocabulary of 50,257 and a context of 1024."
                .into(),
            "Where the paper contradicts itself both numbers are shown, by name.".into(),
        ],
        figures: vec![
            budget_rise::figure(&published.budget_rise),
            over_fitting::figure_4_left(published),
            training_curves::figure(&published.learning),
            over_fitting::figure_9(published),
            fixed_batch::figure(published),
            wrong_size::figure(published),
            contradiction::figure(&published.contradiction),
        ],
        tables: tables::all(&published.worked),
        doubts: vec![],
        claims: vec![],
        facts: vec![],
    }
}

/// Every figure, table and claim from the runs of a study.
pub fn from_runs(study: &PaperStudy) -> PaperReport {
    let mut about = vec![
        claims::count(&study.claims),
        "Runs of this study beside what the paper prints. N counts non-embedding parameters and C is 6N FLOPs unless an \
         axis says otherwise, D unique tokens, L nats per token of this study's tokenizer: heights of lines cannot be \
         compared with the paper's, exponents can."
            .into(),
        "Bands and bars are 95% intervals; each caption says of what.".into(),
    ];
    about.extend(study.runs.missing.iter().map(missing_sentence));
    PaperReport {
        title: "Kaplan et al. 2020 on runs of our own",
        about,
        figures: figures::all(study),
        tables: study_tables::all(study),
        doubts: doubts(&study.fits),
        claims: study.claims.clone(),
        facts: study.runs.facts.clone(),
    }
}

/// What is doubtful about the fits: the chain's doubts, and the warnings of every law.
fn doubts(fits: &Fits) -> Vec<String> {
    let mut doubts: Vec<String> = Vec::new();
    match &fits.chain {
        Ok(chain) => doubts.extend(chain.doubts.iter().map(|doubt| format!("Chain: {doubt}."))),
        Err(reason) => doubts.push(format!("Chain: not walked, {reason}.")),
    }
    for (name, fit) in [("L(N)", &fits.n), ("L(D)", &fits.d), ("L(N, D)", &fits.nd)] {
        match fit {
            Ok(fit) => doubts.extend(fit.law.warnings.iter().map(|w| format!("{name}: {}.", w.message))),
            Err(reason) => doubts.push(format!("{name}: not fitted, {reason}.")),
        }
    }
    doubts
}

/// What is missing of a run set, what makes it, what it takes.
fn missing_sentence(cost: &SetCost) -> String {
    let time = cost.seconds.map_or_else(String::new, |s| format!(", about {}", duration(s)));
    format!(
        "Not finished: run set {}, {} of its {} runs are missing; scalelaw sweep {} makes them with {} FLOPs{time}.",
        cost.set.letter(),
        cost.runs,
        cost.of,
        cost.file,
        significant(cost.flops, 2)
    )
}

fn duration(seconds: f64) -> String {
    if seconds < 5400.0 {
        format!("{:.0} min", (seconds / 60.0).max(1.0))
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

impl PaperReport {
    /// The page.
    pub fn html(&self) -> String {
        let items = |texts: &[String]| -> String {
            texts.iter().map(|text| format!("<li>{}</li>\n", RichText::markup(text).to_html())).collect()
        };
        let mut body = format!(
            "<header><h1>{}</h1>\n<ul class=\"answer\">\n{}</ul></header>\n",
            self.title,
            items(&self.about)
        );
        let figures = self.figures.iter().map(|f| (f.name.as_str(), f.title.to_html()));
        let sections = [("claims", "Claims"), ("tables", "Tables"), ("caveats", "Caveats")];
        let sections = sections.into_iter().filter(|(id, _)| *id != "claims" || !self.claims.is_empty());
        let links: Vec<String> = sections
            .map(|(id, name)| (id, name.to_owned()))
            .chain(figures)
            .map(|(id, name)| format!("<a href=\"#{id}\">{name}</a>"))
            .collect();
        body += &format!("<nav>{}</nav>\n", links.join(" "));
        if !self.claims.is_empty() {
            body += &page::section("claims", "Claims", &claims::html(&self.claims));
        }
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
        if !self.doubts.is_empty() {
            let list = format!("<ul>\n{}</ul>\n", items(&self.doubts));
            body += &page::section("doubts", "Doubts about these fits", &list);
        }
        let caveats = EXTRAPOLATION_CAVEATS.map(str::to_owned);
        body +=
            &page::section("caveats", "Before you extrapolate", &format!("<ul>\n{}</ul>\n", items(&caveats)));
        if !self.facts.is_empty() {
            body += &page::section("provenance", "How this page was made", &page::facts(&self.facts));
        }
        page::document(self.title, &body)
    }

    /// Writes `index.html`, `figures/`, `tables/` and the claims into a folder; returns the page's path.
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
        if !self.claims.is_empty() {
            write_file(&folder.join("claims.csv"), claims::csv(&self.claims).as_bytes())?;
            write_file(&folder.join("claims.md"), claims::markdown(&self.claims).as_bytes())?;
        }
        let page = folder.join("index.html");
        write_file(&page, self.html().as_bytes())?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests;

//! The claims report: a table for the page, `claims.csv` with every word, `claims.md` to read without a browser.

use crate::figure::csv_field;
use crate::number::{interval, significant, within};
use crate::page::Table;
use crate::text::RichText;
use scalelaw_lab::paper::{Judged, Verdict};
use std::fmt::Write as _;

/// Everything about every claim, numbers unrounded.
pub(super) fn csv(judged: &[Judged]) -> String {
    let mut out = String::from(
        "id,of,claim,published,where,runs,estimator,quantity,estimate,lo95,hi95,margin_lo,margin_hi,verdict,\
         smallest_detectable_effect,note\n",
    );
    for j in judged {
        let number =
            |value: Option<f64>| value.filter(|v| v.is_finite()).map_or(String::new(), |v| v.to_string());
        let estimate = j.estimate.as_ref().ok();
        let note = match &j.estimate {
            Ok(estimate) => estimate.note.clone(),
            Err(reason) => reason.to_string(),
        };
        let c = &j.claim;
        let fields = [
            c.id.clone(),
            j.of.clone().unwrap_or_default(),
            c.says.clone(),
            number(c.published),
            c.place.clone(),
            c.runs.clone(),
            c.estimator.clone(),
            c.quantity.clone(),
            number(estimate.map(|e| e.value)),
            number(estimate.map(|e| e.ci95[0])),
            number(estimate.map(|e| e.ci95[1])),
            number(c.lo),
            number(c.hi),
            j.verdict.to_string(),
            number(j.detectable()),
            note,
        ];
        let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
        out += &fields.join(",");
        out.push('\n');
    }
    out
}

/// How many claims came out which way: `12 hold, 3 do not, 22 are inconclusive`.
pub(super) fn count(judged: &[Judged]) -> String {
    let of = |verdict| judged.iter().filter(|j| j.verdict == verdict).count();
    format!(
        "Of {} claims {} hold, {} do not, {} are inconclusive on these runs.",
        judged.len(),
        of(Verdict::Holds),
        of(Verdict::DoesNot),
        of(Verdict::Inconclusive)
    )
}

const HEAD: [&str; 7] = [
    "Claim",
    "Quantity",
    "Here (95% interval)",
    "Published",
    "Margin",
    "Smallest effect these runs would find",
    "Rests on",
];

fn cells(j: &Judged) -> Vec<String> {
    let c = &j.claim;
    let of = j.of.as_ref().map_or_else(String::new, |set| format!(" [{set}]"));
    let (here, note) = match &j.estimate {
        Ok(e) => {
            let ends = (e.ci95[0], e.ci95[1]);
            (format!("{} ({})", within(e.value, ends), interval(ends)), e.note.clone())
        }
        Err(reason) => ("–".to_owned(), reason.to_string()),
    };
    let detectable = match j.detectable() {
        Some(effect) if effect.is_finite() => significant(effect, 2),
        _ => "–".to_owned(),
    };
    vec![
        format!("{} ({})", c.says, c.place),
        format!("{}{of}", c.quantity),
        here,
        c.published.map_or_else(|| "a direction".to_owned(), published),
        margin(c.margin()),
        detectable,
        note,
    ]
}

fn published(value: f64) -> String {
    significant(value, if value.abs() < 0.1 { 2 } else { 3 })
}

fn margin((lo, hi): (f64, f64)) -> String {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => format!("{} to {}", published(lo), published(hi)),
        (true, false) => format!("above {}", published(lo)),
        _ => format!("below {}", published(hi)),
    }
}

/// The verdicts in the order of the report, each with its heading.
const VERDICTS: [(Verdict, &str); 3] = [
    (Verdict::Holds, "Holds: the 95% interval lies inside the margin"),
    (Verdict::DoesNot, "Does not hold: the interval lies outside"),
    (Verdict::Inconclusive, "Inconclusive: the interval crosses the margin, or there is none"),
];

/// The claims of each verdict there is.
fn by_verdict(judged: &[Judged]) -> impl Iterator<Item = (&'static str, Vec<Vec<String>>)> + '_ {
    VERDICTS.into_iter().filter_map(|(verdict, heading)| {
        let rows: Vec<Vec<String>> = judged.iter().filter(|j| j.verdict == verdict).map(cells).collect();
        (!rows.is_empty()).then_some((heading, rows))
    })
}

/// The section of the page.
pub(super) fn html(judged: &[Judged]) -> String {
    let mut out = format!(
        "<p>{} Margins, estimators and the runs that enter were written down before the runs were made. The smallest effect \
         is what these runs would have found with 80% power.</p>\n",
        count(judged)
    );
    for (heading, rows) in by_verdict(judged) {
        let table =
            Table { caption: None, head: HEAD.map(str::to_owned).into(), rows, numbers_from: usize::MAX };
        let _ = writeln!(out, "<h3>{heading}</h3>\n<div class=\"wide\">{}</div>", table.html());
    }
    out + "<p class=\"files\"><a href=\"claims.csv\">CSV, with estimators and reasons</a> · \
           <a href=\"claims.md\">Markdown</a></p>\n"
}

/// The same to read as text.
pub(super) fn markdown(judged: &[Judged]) -> String {
    let plain = |cell: &String| RichText::markup(cell).to_plain().replace('|', "\\|");
    let mut out = format!("# What holds of Kaplan et al. 2020 on these runs\n\n{}\n", count(judged));
    for (heading, rows) in by_verdict(judged) {
        let _ = writeln!(out, "\n## {heading}\n\n| {} |\n|{}", HEAD.join(" | "), "---|".repeat(HEAD.len()));
        for row in rows {
            let row: Vec<String> = row.iter().map(plain).collect();
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
    }
    out
}

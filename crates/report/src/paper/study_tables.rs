//! Tables 1 to 6 with the constants of a study beside the published ones, and the corrections of later papers.

use super::PaperTable;
use super::fits::{Fits, Fitted};
use super::tables;
use crate::number::{interval, significant, within};
use crate::page::Table;
use scalelaw_fit::chain::{ChainReport, Section};

/// The paper's tables, ours beside them where there is something to measure.
pub(super) fn all(fits: &Fits) -> Vec<PaperTable> {
    let mut all = tables::all();
    let measured = [table_2(fits), table_3(fits), table_5(fits), table_6(fits)];
    for table in measured {
        // After the published table of the same number.
        let published = table.name.trim_end_matches("-here");
        let at = all.iter().position(|t| t.name == published).map_or(all.len(), |i| i + 1);
        all.insert(at, table);
    }
    all.push(corrections(fits));
    all
}

const HEAD: [&str; 4] = ["Constant", "Here", "95% interval", "Published"];

/// A constant, its value, its interval.
type Row<'a> = (&'a str, Result<(f64, Option<(f64, f64)>), String>, f64);

fn table(name: &'static str, title: &'static str, caption: &str, rows: Vec<Row<'_>>) -> PaperTable {
    let rows = rows
        .into_iter()
        .map(|(constant, here, published)| {
            let [value, ends] = match here {
                Ok((value, Some(ends))) => [within(value, ends), interval(ends)],
                Ok((value, None)) => [significant(value, 3), "none".to_owned()],
                Err(reason) => ["–".to_owned(), reason],
            };
            let published = if published.is_finite() { significant(published, 2) } else { String::new() };
            vec![constant.to_owned(), value, ends, published]
        })
        .collect();
    PaperTable {
        name,
        title,
        table: Table {
            caption: Some(caption.to_owned()),
            head: HEAD.map(str::to_owned).into(),
            rows,
            numbers_from: 1,
        },
    }
}

fn of_law(fit: &Result<Fitted, String>, name: &str) -> Result<(f64, Option<(f64, f64)>), String> {
    let fit = fit.as_ref().map_err(String::clone)?;
    let (_, e) = fit.law.params.iter().find(|(n, _)| n == name).ok_or("not in the law")?;
    let end = |v: Option<f64>, open: f64| v.unwrap_or(open);
    Ok((e.value, e.ci95.map(|[lo, hi]| (end(lo, f64::NEG_INFINITY), end(hi, f64::INFINITY)))))
}

fn of_chain(
    chain: &Result<ChainReport, String>,
    section: Section,
    name: &str,
) -> Result<(f64, Option<(f64, f64)>), String> {
    let chain = chain.as_ref().map_err(String::clone)?;
    if let Some(reason) = chain.part(section).and_then(|p| p.refused.clone()) {
        return Err(reason);
    }
    let c = chain.constant(section, name).ok_or("not in the chain")?;
    Ok((c.value, c.ci95.map(|[lo, hi]| (lo, hi))))
}

const SCALES: &str =
    "Scales (N_{c}, D_{c}, S_{c}, B_{*}, C_{c}) belong to text and tokenizer; exponents can be compared.";

fn table_2(fits: &Fits) -> PaperTable {
    let row = |symbol, name, published| (symbol, of_law(&fits.nd, name), published);
    table(
        "table-2-here",
        "Table 2 on these runs: L(N, D)",
        &format!("Set B without its smallest D, lowest test losses; intervals by the profile. {SCALES}"),
        vec![
            row("α_{N}", "alpha_N", 0.076),
            row("α_{D}", "alpha_D", 0.103),
            row("N_{c}", "N_c", 6.4e13),
            row("D_{c}", "D_c", 1.8e13),
        ],
    )
}

fn table_3(fits: &Fits) -> PaperTable {
    let row = |symbol, name, published| (symbol, of_chain(&fits.chain, Section::StepsLaw, name), published);
    table(
        "table-3-here",
        "Table 3 on these runs: L(N, S_{min})",
        &format!(
            "Trunks of A and runs of C after the warm-up; intervals by the bootstrap over runs. {SCALES}"
        ),
        vec![
            row("α_{N}", "alpha_N", 0.077),
            row("α_{S}", "alpha_S", 0.76),
            row("N_{c}", "N_c", 6.5e13),
            row("S_{c}", "S_c", 2.1e3),
        ],
    )
}

fn table_5(fits: &Fits) -> PaperTable {
    let chain = |section, name| of_chain(&fits.chain, section, name);
    table(
        "table-5-here",
        "Table 5 on these runs: scales and exponents",
        &format!("C in PF-days of 6N FLOPs, B in tokens. {SCALES}"),
        vec![
            ("α_{N} of L(N)", of_law(&fits.n, "alpha_N"), 0.076),
            ("N_{c}", of_law(&fits.n, "N_c"), 8.8e13),
            ("α_{D} of L(D)", of_law(&fits.d, "alpha_D"), 0.095),
            ("D_{c}", of_law(&fits.d, "D_c"), 5.4e13),
            ("α_{C}, batch of the runs", chain(Section::NaiveFrontier, "alpha_C"), 0.057),
            ("C_{c}", chain(Section::NaiveFrontier, "C_c"), 1.6e7),
            ("α_{C,min}", chain(Section::AdjustedFrontier, "alpha_C_min"), 0.050),
            ("C_{c}^{min}", chain(Section::AdjustedFrontier, "C_c_min"), 3.1e8),
            ("α_{C,min} predicted by (1.8)", chain(Section::Predicted, "alpha_C_min"), 0.054),
            ("α_{B}", chain(Section::CriticalBatch, "alpha_B"), 0.21),
            ("B_{*}", chain(Section::CriticalBatch, "B_star"), 2.1e8),
        ],
    )
}

fn table_6(fits: &Fits) -> PaperTable {
    let chain = |name| of_chain(&fits.chain, Section::AdjustedFrontier, name);
    table(
        "table-6-here",
        "Table 6 on these runs: compute-optimal allocation",
        "Exponents of C_{min} along the adjusted frontier, and values at one PF-day: an extrapolation over many decades.",
        vec![
            ("N_{opt}: exponent", chain("p_N"), 0.73),
            ("B: exponent", chain("p_B"), 0.24),
            ("S_{min}: exponent", chain("p_S"), 0.03),
            ("D: exponent", chain("p_D"), 0.27),
            ("N_{opt} at 1 PF-day", chain("N_e"), 1.3e9),
            ("B at 1 PF-day", chain("B_e"), 2.0e6),
            ("S_{min} at 1 PF-day", chain("S_e"), 5.4e3),
            ("D at 1 PF-day", chain("D_e"), 2e10),
        ],
    )
}

/// The same runs in the counts of Chinchilla, Porian et al. and Pearce & Song.
fn corrections(fits: &Fits) -> PaperTable {
    let (rows, caption) = match &fits.explanation {
        Ok(explanation) => {
            let rows = explanation
                .steps
                .iter()
                .map(|step| {
                    vec![
                        step.title.clone(),
                        step.source.to_owned(),
                        step.n_runs.to_string(),
                        significant(step.n_opt_exponent, 3),
                        step.ci95.map_or_else(|| "none".into(), |[lo, hi]| interval((lo, hi))),
                        step.moved.map_or_else(String::new, |moved| significant(moved, 2)),
                    ]
                })
                .collect();
            let share = |[small, large]: [f64; 2]| {
                format!(
                    "{} of the smallest, {} of the largest run",
                    significant(small, 2),
                    significant(large, 2)
                )
            };
            let missing: String = explanation.missing.iter().map(|m| format!(" Not shown: {m}.")).collect();
            let caption = format!(
                "Exponent of N_{{opt}} in C from the branches of A and the runs of J, one accounting after the other; \
                 intervals by the bootstrap over runs. FLOPs of the head over 6N: {}; of attention over the rest: {}.{missing}",
                share(explanation.head_share),
                share(explanation.attention_share)
            );
            (rows, caption)
        }
        Err(reason) => (vec![], format!("Not computed: {reason}.")),
    };
    PaperTable {
        name: "corrections",
        title: "Corrections: what later papers' counts make of the same runs",
        table: Table {
            caption: Some(caption),
            head: ["Accounting", "Source", "Runs", "Exponent", "95% interval", "Change"]
                .map(str::to_owned)
                .into(),
            rows,
            numbers_from: 2,
        },
    }
}

//! Tables 1 to 6 with the constants of a study beside the published ones, and the corrections of later papers.

use super::PaperTable;
use super::tables;
use crate::number::{interval, significant, within};
use crate::page::Table;
use scalelaw_lab::laws::Fitted;
use scalelaw_lab::paper::kaplan2020::{
    ALPHA_C_MIN_EQUATION_6_4, BATCH, L_C, L_C_MIN, L_D, L_N, L_N_D, N_OPT, STEPS, TOKENS, TRAINING,
};
use scalelaw_lab::paper::{Estimate, Fits, PaperStudy, Refusal, Section};

/// The paper's tables, ours beside them where there is something to measure.
pub(super) fn all(study: &PaperStudy) -> Vec<PaperTable> {
    let fits = &study.fits;
    let mut all = tables::all(&study.published.worked);
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
type Row<'a> = (&'a str, Result<Estimate, Refusal>, f64);

fn table(name: &'static str, title: &'static str, caption: &str, rows: Vec<Row<'_>>) -> PaperTable {
    let rows = rows
        .into_iter()
        .map(|(constant, here, published)| {
            let [value, ends] = match here {
                Ok(e) if e.ci95.iter().all(|end| end.is_infinite()) => {
                    [significant(e.value, 3), "none".to_owned()]
                }
                Ok(e) => {
                    let ends = (e.ci95[0], e.ci95[1]);
                    [within(e.value, ends), interval(ends)]
                }
                Err(reason) => ["–".to_owned(), reason.to_string()],
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

fn of_law(fit: &Result<Fitted, Refusal>, name: &str) -> Result<Estimate, Refusal> {
    Estimate::constant(&fit.as_ref().map_err(Refusal::clone)?.law, name, "")
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
            row("α_{N}", "alpha_N", L_N_D.alpha_n),
            row("α_{D}", "alpha_D", L_N_D.alpha_d),
            row("N_{c}", "N_c", L_N_D.n_c),
            row("D_{c}", "D_c", L_N_D.d_c),
        ],
    )
}

fn table_3(fits: &Fits) -> PaperTable {
    let row = |symbol, name, published| (symbol, fits.of_chain(Section::StepsLaw, name), published);
    table(
        "table-3-here",
        "Table 3 on these runs: L(N, S_{min})",
        &format!(
            "Trunks of A and runs of C after the warm-up; intervals by the bootstrap over runs. {SCALES}"
        ),
        vec![
            row("α_{N}", "alpha_N", TRAINING.alpha_n),
            row("α_{S}", "alpha_S", TRAINING.alpha_s),
            row("N_{c}", "N_c", TRAINING.n_c),
            row("S_{c}", "S_c", TRAINING.s_c),
        ],
    )
}

fn table_5(fits: &Fits) -> PaperTable {
    let chain = |section, name| fits.of_chain(section, name);
    table(
        "table-5-here",
        "Table 5 on these runs: scales and exponents",
        &format!("C in PF-days of 6N FLOPs, B in tokens. {SCALES}"),
        vec![
            ("α_{N} of L(N)", of_law(&fits.n, "alpha_N"), L_N.exponent),
            ("N_{c}", of_law(&fits.n, "N_c"), L_N.scale),
            ("α_{D} of L(D)", of_law(&fits.d, "alpha_D"), L_D.exponent),
            ("D_{c}", of_law(&fits.d, "D_c"), L_D.scale),
            ("α_{C}, batch of the runs", chain(Section::NaiveFrontier, "alpha_C"), L_C.exponent),
            ("C_{c}", chain(Section::NaiveFrontier, "C_c"), L_C.scale),
            ("α_{C,min}", chain(Section::AdjustedFrontier, "alpha_C_min"), L_C_MIN.exponent),
            ("C_{c}^{min}", chain(Section::AdjustedFrontier, "C_c_min"), L_C_MIN.scale),
            (
                "α_{C,min} predicted by (1.8)",
                chain(Section::Predicted, "alpha_C_min"),
                ALPHA_C_MIN_EQUATION_6_4,
            ),
            ("α_{B}", chain(Section::CriticalBatch, "alpha_B"), TRAINING.alpha_b),
            ("B_{*}", chain(Section::CriticalBatch, "B_star"), TRAINING.b_star),
        ],
    )
}

fn table_6(fits: &Fits) -> PaperTable {
    let chain = |name| fits.of_chain(Section::AdjustedFrontier, name);
    table(
        "table-6-here",
        "Table 6 on these runs: compute-optimal allocation",
        "Exponents of C_{min} along the adjusted frontier, and values at one PF-day: an extrapolation over many decades.",
        vec![
            ("N_{opt}: exponent", chain("p_N"), N_OPT.c),
            ("B: exponent", chain("p_B"), BATCH.c),
            ("S_{min}: exponent", chain("p_S"), STEPS.c),
            ("D: exponent", chain("p_D"), TOKENS.c),
            ("N_{opt} at 1 PF-day", chain("N_e"), N_OPT.coefficient),
            ("B at 1 PF-day", chain("B_e"), BATCH.coefficient),
            ("S_{min} at 1 PF-day", chain("S_e"), STEPS.coefficient),
            ("D at 1 PF-day", chain("D_e"), TOKENS.coefficient),
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

//! Tables 1 to 6, and what the paper's numbers give when they are put to work.

use super::PaperTable;
use crate::number::{count, power_of_ten, significant};
use crate::page::Table;
use scalelaw_lab::paper::Worked;
use scalelaw_lab::paper::kaplan2020::{
    ALPHA_C_MIN_EQUATION_6_4, ALPHA_C_MIN_EQUATION_B_7, B_STAR_EQUATION_1_4, BATCH, BREAK_DOWN,
    EFFICIENT_EXCESS, L_C, L_C_FIGURE_13, L_C_MIN, L_C_MIN_FIGURE_1, L_D, L_N, L_N_D, N_OPT,
    SEED_SPREAD_FIGURE_22, SEED_SPREAD_SECTION_4_2, STEPS, STOPPING_TRADE, TOKENS, TOKENS_EQUATION_6_7,
    TOLERABLE_COMPUTE, TOLERABLE_SIZES, TRAINING, TYPICAL_EXCESS,
};

pub(super) fn all(worked: &Worked) -> Vec<PaperTable> {
    vec![
        table_1(worked),
        table_2(),
        table_3(),
        table_4(),
        table_5(),
        table_6_printed(),
        variants(worked),
        appendix_b(worked),
        section_6_3(worked),
    ]
}

fn paper_table(
    name: &'static str,
    title: &'static str,
    caption: &str,
    head: &[&str],
    rows: Vec<Vec<String>>,
    numbers_from: usize,
) -> PaperTable {
    PaperTable {
        name,
        title,
        table: Table {
            caption: (!caption.is_empty()).then(|| caption.to_owned()),
            head: head.iter().map(|text| (*text).to_owned()).collect(),
            rows,
            numbers_from,
        },
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Each operation, its parameters and its FLOPs per token.
const OPERATIONS: [[&str; 3]; 7] = [
    ["Embed", "(n_{vocab} + n_{ctx})·d_{model}", "4·d_{model}"],
    ["Attention: QKV", "n_{layer}·d_{model}·3·d_{attn}", "2·n_{layer}·d_{model}·3·d_{attn}"],
    ["Attention: mask", "–", "2·n_{layer}·n_{ctx}·d_{attn}"],
    ["Attention: project", "n_{layer}·d_{attn}·d_{model}", "2·n_{layer}·d_{attn}·d_{model}"],
    ["Feed-forward", "n_{layer}·2·d_{model}·d_{ff}", "2·n_{layer}·2·d_{model}·d_{ff}"],
    ["De-embed", "– (tied)", "2·d_{model}·n_{vocab}"],
    [
        "Total, non-embedding",
        "N = 2·d_{model}·n_{layer}·(2·d_{attn} + d_{ff})",
        "2N + 2·n_{layer}·n_{ctx}·d_{attn}",
    ],
];

fn table_1(worked: &Worked) -> PaperTable {
    let rows = OPERATIONS.iter().zip(&worked.operations).map(|(formulas, example)| {
        let mut cells = row(*formulas);
        cells.push(example.params.map_or_else(|| "–".to_owned(), count));
        cells.push(count(example.flops));
        cells
    });
    let rows = rows.collect();
    let [training, full] = worked.train_flops;
    let caption = format!(
        "Parameters and forward FLOPs per token; the last two columns for 12 layers of 768, vocabulary 50,257, context 1024. \
         Training costs {} FLOPs per token as 6N and {} with head and attention.",
        significant(training, 3),
        significant(full, 3)
    );
    paper_table(
        "table-1",
        "Table 1: parameters and compute of a Transformer",
        &caption,
        &["Operation", "Parameters", "FLOPs per token", "Parameters, example", "FLOPs per token, example"],
        rows,
        3,
    )
}

fn table_2() -> PaperTable {
    let values = vec![
        significant(L_N_D.alpha_n, 2),
        significant(L_N_D.alpha_d, 3),
        significant(L_N_D.n_c, 2),
        significant(L_N_D.d_c, 2),
    ];
    paper_table(
        "table-2",
        "Table 2: fit of L(N, D)",
        "Equation 1.5, early-stopped losses; N non-embedding parameters, D unique tokens.",
        &["α_{N}", "α_{D}", "N_{c}", "D_{c}"],
        vec![values],
        0,
    )
}

fn table_3() -> PaperTable {
    let k = TRAINING;
    let values =
        vec![significant(k.alpha_n, 2), significant(k.alpha_s, 2), significant(k.n_c, 2), count(k.s_c)];
    paper_table(
        "table-3",
        "Table 3: fit of L(N, S_{min})",
        "Equation 1.6; N non-embedding parameters, S_{min} updates at a batch far above the critical one.",
        &["α_{N}", "α_{S}", "N_{c}", "S_{c}"],
        vec![values],
        0,
    )
}

fn table_4() -> PaperTable {
    paper_table(
        "table-4",
        "Table 4: which limit gives which law",
        "",
        &["Parameters", "Data", "Compute", "Batch", "Law", "Form"],
        vec![
            row(["N", "∞", "∞", "fixed", "L(N)", "(N_{c}/N)^{αN}"]),
            row(["∞", "D", "early stop", "fixed", "L(D)", "(D_{c}/D)^{αD}"]),
            row(["optimal", "∞", "C", "fixed", "L(C) (naive)", "(C_{c}/C)^{αC}"]),
            row([
                "N_{opt}",
                "D_{opt}",
                "C_{min}",
                "far below B_{crit}",
                "L(C_{min})",
                "(C_{c}/C_{min})^{αC,min}",
            ]),
            row(["N", "D", "early stop", "fixed", "L(N, D)", "[(N_{c}/N)^{αN/αD} + D_{c}/D]^{αD}"]),
            row(["N", "∞", "S updates", "B", "L(N, S_{min})", "(N_{c}/N)^{αN} + (S_{c}/S_{min})^{αS}"]),
        ],
        usize::MAX,
    )
}

fn table_5() -> PaperTable {
    let k = TRAINING;
    let laws = [
        ("L(N), N_{c}", L_N, "non-embedding parameters"),
        ("L(D), D_{c}", L_D, "unique tokens"),
        ("L(C), C_{c}, batch 2^{19} tokens", L_C, "PF-days, 6N FLOPs"),
        ("L(C_{min}), C_{c}^{min}", L_C_MIN, "PF-days, 6N FLOPs"),
    ];
    let mut rows: Vec<Vec<String>> = laws
        .into_iter()
        .map(|(label, law, unit)| {
            vec![label.to_owned(), significant(law.exponent, 2), significant(law.scale, 2), unit.to_owned()]
        })
        .collect();
    rows.extend([
        vec![
            "B_{crit}(L), B_{*}".into(),
            significant(k.alpha_b, 2),
            significant(k.b_star, 2),
            "tokens".into(),
        ],
        vec!["L(N, S_{min}), S_{c}".into(), significant(k.alpha_s, 2), count(k.s_c), "updates".into()],
    ]);
    paper_table(
        "table-5",
        "Table 5: scales and exponents",
        "Each exponent belongs to the law of its row.",
        &["Law and scale", "Exponent", "Scale", "Unit"],
        rows,
        1,
    )
}

fn table_6_printed() -> PaperTable {
    let rows = [
        ("N_{opt}, non-embedding parameters", N_OPT),
        ("B ≪ B_{crit}, tokens", BATCH),
        ("S_{min}, updates (a lower bound)", STEPS),
        ("D_{opt}, tokens (one epoch)", TOKENS),
    ]
    .map(|(name, optimum)| {
        vec![name.to_owned(), significant(optimum.coefficient, 2), significant(optimum.c, 2)]
    })
    .to_vec();
    paper_table(
        "table-6",
        "Table 6: compute-optimal allocation",
        "Value at one PF-day of C_{min}, and exponent of C_{min}.",
        &["Quantity", "At 1 PF-day", "Exponent"],
        rows,
        1,
    )
}

/// What the paper prints in two ways.
fn variants(worked: &Worked) -> PaperTable {
    let scale = |scale: f64, place: &str| format!("{} ({place})", significant(scale, 2));
    let mut rows = vec![
        vec![
            "C_{c}^{min}, PF-days".into(),
            scale(L_C_MIN.scale, "text, Table 5"),
            scale(L_C_MIN_FIGURE_1.scale, "Figures 1 and 13"),
        ],
        vec!["C_{c}, PF-days".into(), scale(L_C.scale, "Table 5"), scale(L_C_FIGURE_13.scale, "Figure 13")],
        vec![
            "B_{*}, tokens".into(),
            format!("{} (equation 1.4)", significant(B_STAR_EQUATION_1_4, 1)),
            scale(TRAINING.b_star, "Table 5"),
        ],
        vec![
            "α_{C,min}".into(),
            format!(
                "{} measured; {ALPHA_C_MIN_EQUATION_6_4} (6.4) and {ALPHA_C_MIN_EQUATION_B_7} (B.7) printed as predictions",
                significant(L_C_MIN.exponent, 2)
            ),
            format!("{} computed from the printed exponents (1.8)", significant(worked.alpha_c_min, 3)),
        ],
        vec![
            "D(C_{min}) at 1 PF-day, tokens".into(),
            format!("{} (equation 6.7)", significant(TOKENS_EQUATION_6_7.coefficient, 1)),
            format!("{} (Table 6)", significant(TOKENS.coefficient, 1)),
        ],
        vec![
            "spread of seeds, nats".into(),
            format!("{SEED_SPREAD_SECTION_4_2} (section 4.2)"),
            format!("{SEED_SPREAD_FIGURE_22} (Figure 22, 3M parameters)"),
        ],
    ];
    if let Some(optimum) = &worked.optimum {
        rows.push(vec![
            "optimum at 1 PF-day".into(),
            format!(
                "N {}, S {}×10^{{3}}, B {} (Table 6)",
                significant(N_OPT.coefficient, 2),
                STEPS.coefficient / 1e3,
                significant(BATCH.coefficient, 2)
            ),
            format!(
                "N {}, S {}, B {}, L {} (Appendix B with Tables 3 and 5)",
                significant(optimum.n, 2),
                significant(optimum.steps_min, 2),
                significant(optimum.b_crit, 2),
                significant(optimum.loss, 3)
            ),
        ]);
    }
    paper_table(
        "variants",
        "Where the paper disagrees with itself",
        "",
        &["Quantity", "One place", "Another"],
        rows,
        usize::MAX,
    )
}

fn appendix_b(worked: &Worked) -> PaperTable {
    let (printed, trade) = (STOPPING_TRADE, &worked.trade);
    let traded = |of: &str, equation: &str, printed: f64, computed: f64| {
        let typical = significant(100.0 * TYPICAL_EXCESS, 1);
        vec![
            format!("{of} at f against f' = {typical}% ({equation})"),
            printed.to_string(),
            significant(computed, 4),
        ]
    };
    let ([small, large], tolerable) = (TOLERABLE_SIZES, format!("up to {TOLERABLE_COMPUTE}"));
    let [smaller, larger] = worked.wrong_sizes.map(|(_, compute, _)| significant(compute, 4));
    let mut rows = vec![
        vec![
            "f, excess over the converged loss at the optimum (B.5)".into(),
            format!("about {}%", significant(100.0 * EFFICIENT_EXCESS, 2)),
            format!("{}%", significant(100.0 * worked.efficient_excess, 4)),
        ],
        traded("N", "B.12", printed.n, trade.n),
        traded("S", "B.13", printed.steps, trade.steps),
        traded("C", "B.14", printed.compute, trade.compute),
        vec![format!("C at {small} of the optimal size (B.16)"), tolerable.clone(), smaller],
        vec![format!("C at {large} times the optimal size (B.16)"), tolerable, larger],
        vec![
            "C_{c}^{min}, PF-days (B.8)".into(),
            significant(L_C_MIN.scale, 2),
            significant(worked.c_c_min, 2),
        ],
    ];
    for (loss, batch) in worked.critical_batches {
        rows.push(vec![
            format!("B_{{crit}} at a loss of {loss} nats, tokens (1.4)"),
            String::new(),
            significant(batch, 3),
        ]);
    }
    paper_table(
        "appendix-b",
        "Appendix B worked out",
        "Computed from Tables 3 and 5.",
        &["Quantity", "Printed", "Computed"],
        rows,
        1,
    )
}

fn section_6_3(worked: &Worked) -> PaperTable {
    let rows = worked
        .crossings
        .iter()
        .map(|at| {
            vec![
                at.claims.variant.clone(),
                significant(at.pf_days, 2),
                significant(at.loss, 3),
                significant(at.n, 2),
                significant(at.d, 2),
            ]
        })
        .collect();
    paper_table(
        "section-6-3",
        "Section 6.3: where the laws must break down",
        &format!(
            "Equation 6.8 prints C* about {} PF-days, N* about {}, D* about {} tokens, L* about {} nats, give or take a \
             factor of ten. No single row is the answer.",
            power_of_ten(BREAK_DOWN.log10_pf_days),
            power_of_ten(BREAK_DOWN.log10_n),
            power_of_ten(BREAK_DOWN.log10_d),
            BREAK_DOWN.loss
        ),
        &["Variant", "C*, PF-days", "L*, nats per token", "N*, non-embedding", "D*, tokens"],
        rows,
        1,
    )
}

//! The table of published constants. Names with the same stem are variants of one paper's numbers: papers
//! print rounded constants, disagree with themselves, or were refitted.

use super::rule::{Frontier, HyperParameters, KaplanConstants, LearningRate, Monomial, Rule};
use super::{FitRange, Mark, Preset, kaplan2020, muennighoff2023};
use scalelaw_core::units::{Conventions, DataConvention, FlopConvention, PF_DAY, ParamConvention};

const fn counts(params: ParamConvention, flops: FlopConvention, data: DataConvention) -> Conventions {
    Conventions { params, flops, data }
}

use DataConvention::{Processed, Unique};
use FlopConvention::{Full, Matmul as WithHead, SixN};
use ParamConvention::{Matmul, NonEmbedding, Total};

/// Kaplan et al.: no embeddings in N or C.
const KAPLAN: Conventions = counts(NonEmbedding, SixN, Processed);
const KAPLAN_UNIQUE: Conventions = counts(NonEmbedding, SixN, Unique);
/// Chinchilla and most since: all parameters, C = 6·N·D of that N.
const TOTAL: Conventions = counts(Total, SixN, Processed);
/// N with the head, C = 6·N·D of that N.
const HEAD: Conventions = counts(Matmul, WithHead, Processed);
const NO_VOCABULARY: Conventions = counts(NonEmbedding, SixN, Processed);
/// Cost measured by FLOPs per token with attention.
const ATTENTION: Conventions = counts(NonEmbedding, Full, Processed);

/// Kaplan et al. 2020, section 2: N 768 to 1.5e9, D 22M to 23B.
const KAPLAN_RUNS: FitRange =
    FitRange { params: Some([768.0, 1.5e9]), tokens: Some([22e6, 23e9]), flops: None };
/// Hoffmann et al. 2022, section 1: 70M to 16B parameters, 5B to 500B tokens.
const CHINCHILLA_RUNS: FitRange =
    FitRange { params: Some([70e6, 16e9]), tokens: Some([5e9, 500e9]), flops: None };
/// Porian et al. 2024: 5M to 901M parameters, 1.25e16·2^i FLOPs for i to 11.
const PORIAN_RUNS: FitRange =
    FitRange { params: Some([5e6, 901e6]), tokens: None, flops: Some([1.25e16, 2.56e19]) };

/// Hoffmann et al. 2022, Table A3.
const TABLE_A3_APPROACH_1: &[(f64, f64)] = &[
    (400e6, 8.0e9),
    (1e9, 20.2e9),
    (10e9, 205.1e9),
    (67e9, 1.5e12),
    (175e9, 3.7e12),
    (280e9, 5.9e12),
    (520e9, 11.0e12),
    (1e12, 21.2e12),
    (10e12, 216.2e12),
];
const TABLE_A3_APPROACH_2: &[(f64, f64)] = &[
    (400e6, 7.7e9),
    (1e9, 20.0e9),
    (10e9, 219.5e9),
    (67e9, 1.7e12),
    (175e9, 4.3e12),
    (280e9, 7.1e12),
    (520e9, 13.4e12),
    (1e12, 26.5e12),
    (10e12, 292.0e12),
];

/// Exponents of another domain, transcribed by Open-Athena.
const fn transcribed(name: &'static str, title: &'static str, n: f64, d: f64) -> Preset {
    Preset {
        name,
        title,
        source: "transcribed by Open-Athena",
        mark: Mark::SecondHand,
        conventions: TOTAL,
        range: FitRange::UNKNOWN,
        note: "",
        rule: Rule::Exponents { n, d },
    }
}

/// Optima of a budget: N, D, or both.
const fn optima(n: Option<Monomial>, d: Option<Monomial>) -> Rule {
    Rule::Frontier(Frontier { n, d, batch: None, steps: None, loss: None })
}

/// The runs of shehper/scaling_laws.
const SHEHPER_RUNS: FitRange = FitRange { params: Some([1e5, 6.3e6]), tokens: None, flops: None };
/// The runs of DeepSeek LLM.
const DEEPSEEK_RUNS: FitRange = FitRange { params: None, tokens: None, flops: Some([1e17, 3e20]) };

/// Every preset, papers in the order of their years.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "kaplan2020",
        title: "Kaplan et al. 2020: L(N, S_min) with B_crit(L), planned by Appendix B",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), Table 3, Table 5, Appendix B",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "exponents follow from Table 3, not the printed fits of Table 6: at 1 PF-day N is 5.8e8 here, 1.3e9 there",
        rule: Rule::Kaplan(kaplan2020::TRAINING),
    },
    Preset {
        name: "kaplan2020-bstar-2e8",
        title: "the same with B* as equation 1.4 rounds it",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), Table 3, equation 1.4, Appendix B",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "equation 1.4 says about 2e8 tokens, Table 5 2.1e8",
        rule: Rule::Kaplan(KaplanConstants {
            b_star: kaplan2020::B_STAR_EQUATION_1_4,
            ..kaplan2020::TRAINING
        }),
    },
    Preset {
        name: "kaplan2020-table6",
        title: "Kaplan et al. 2020: optima fitted directly (N, B, S, D against C_min)",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), Table 6",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "B is meant as the critical batch and S as S_min; at it a run takes 2·S_min steps and 2·C_min",
        rule: Rule::Frontier(Frontier {
            n: Some(kaplan2020::N_OPT),
            d: Some(kaplan2020::TOKENS),
            batch: Some(kaplan2020::BATCH),
            steps: Some(kaplan2020::STEPS),
            loss: None,
        }),
    },
    Preset {
        name: "kaplan2020-naive",
        title: "Kaplan et al. 2020: N_opt at the fixed batch of 2^19 tokens",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), Figure 14",
        mark: Mark::SecondHand,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "batch and schedule were the same for every size: the exponent is an artefact of that (Porian et al. 2024)",
        rule: optima(Some(kaplan2020::N_OPT_NAIVE), None),
    },
    Preset {
        name: "kaplan2020-nd",
        title: "Kaplan et al. 2020: L(N, D)",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation 1.5, Table 2",
        mark: Mark::Stated,
        conventions: KAPLAN_UNIQUE,
        range: KAPLAN_RUNS,
        note: "early-stopped losses on D unique tokens: says what data a model needs, not how to divide a budget",
        rule: Rule::Law {
            law: "nd",
            constants: &[
                ("N_c", kaplan2020::L_N_D.n_c),
                ("D_c", kaplan2020::L_N_D.d_c),
                ("alpha_N", kaplan2020::L_N_D.alpha_n),
                ("alpha_D", kaplan2020::L_N_D.alpha_d),
            ],
        },
    },
    Preset {
        name: "kaplan2020-n",
        title: "Kaplan et al. 2020: L(N)",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation 1.1, Table 5",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "",
        rule: Rule::Law {
            law: "n",
            constants: &[("N_c", kaplan2020::L_N.scale), ("alpha_N", kaplan2020::L_N.exponent)],
        },
    },
    Preset {
        name: "kaplan2020-d",
        title: "Kaplan et al. 2020: L(D), early-stopped",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation 1.2, Table 5",
        mark: Mark::Stated,
        conventions: KAPLAN_UNIQUE,
        range: KAPLAN_RUNS,
        note: "",
        rule: Rule::Law {
            law: "d",
            constants: &[("D_c", kaplan2020::L_D.scale), ("alpha_D", kaplan2020::L_D.exponent)],
        },
    },
    Preset {
        name: "kaplan2020-c",
        title: "Kaplan et al. 2020: L(C) at the fixed batch of 2^19 tokens",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation 3.3, Table 5",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "",
        rule: Rule::Law {
            law: "c",
            constants: &[("C_c", kaplan2020::L_C.scale * PF_DAY), ("alpha_C", kaplan2020::L_C.exponent)],
        },
    },
    Preset {
        name: "kaplan2020-c-fig13",
        title: "the same with C_c as Figure 13 prints it",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), Figure 13",
        mark: Mark::SecondHand,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "Table 5 says 1.6e7 PF-days, Figure 13 2.0e7",
        rule: Rule::Law {
            law: "c",
            constants: &[
                ("C_c", kaplan2020::L_C_FIGURE_13.scale * PF_DAY),
                ("alpha_C", kaplan2020::L_C_FIGURE_13.exponent),
            ],
        },
    },
    Preset {
        name: "kaplan2020-c-min",
        title: "Kaplan et al. 2020: L(C_min)",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation 1.3, Table 5",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "",
        rule: Rule::Law {
            law: "c-min",
            constants: &[
                ("C_c_min", kaplan2020::L_C_MIN.scale * PF_DAY),
                ("alpha_C_min", kaplan2020::L_C_MIN.exponent),
            ],
        },
    },
    Preset {
        name: "kaplan2020-c-min-fig1",
        title: "the same with C_c^min as Figures 1 and 13 print it",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), Figures 1 and 13",
        mark: Mark::SecondHand,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "the text says 3.1e8 PF-days, the figures 2.3e8",
        rule: Rule::Law {
            law: "c-min",
            constants: &[
                ("C_c_min", kaplan2020::L_C_MIN_FIGURE_1.scale * PF_DAY),
                ("alpha_C_min", kaplan2020::L_C_MIN_FIGURE_1.exponent),
            ],
        },
    },
    Preset {
        name: "kaplan2020-b-crit",
        title: "Kaplan et al. 2020: critical batch",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation 1.4, Table 5",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "",
        rule: Rule::CriticalBatch {
            b_star: kaplan2020::TRAINING.b_star,
            alpha_b: kaplan2020::TRAINING.alpha_b,
        },
    },
    Preset {
        name: "kaplan2020-lr",
        title: "Kaplan et al. 2020: learning rate",
        source: "Kaplan et al. 2020 (arXiv 2001.08361), equation D.1",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: KAPLAN_RUNS,
        note: "zero at N = 1.21e10 and negative beyond",
        rule: Rule::HyperParameters(HyperParameters { lr: Some(LearningRate::KaplanD1), batch: None }),
    },
    Preset {
        name: "shehper2023",
        title: "Kaplan reproduced small: L(N, S_min) with B_crit(L)",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: SHEHPER_RUNS,
        note: "the model term is that of its L(N) fit",
        rule: Rule::Kaplan(KaplanConstants {
            n_c: 38100000000000.0,
            alpha_n: 0.0823,
            s_c: 778.0,
            alpha_s: 0.594,
            b_star: 22000000.0,
            alpha_b: 1.0 / 4.2627,
        }),
    },
    Preset {
        name: "shehper2023-n",
        title: "Kaplan reproduced small: L(N)",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: SHEHPER_RUNS,
        note: "",
        rule: Rule::Law { law: "n", constants: &[("N_c", 38100000000000.0), ("alpha_N", 0.0823)] },
    },
    Preset {
        name: "shehper2023-nd",
        title: "Kaplan reproduced small: L(N, D)",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN_UNIQUE,
        range: SHEHPER_RUNS,
        note: "early-stopped losses on D unique tokens",
        rule: Rule::Law {
            law: "nd",
            constants: &[
                ("N_c", 132000000000000.0),
                ("D_c", 1220000000000.0),
                ("alpha_N", 0.0763),
                ("alpha_D", 0.1224),
            ],
        },
    },
    Preset {
        name: "shehper2023-c",
        title: "Kaplan reproduced small: L(C)",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: SHEHPER_RUNS,
        note: "the README prints C_c = 1.8e5 PF-days, the notebook 1.08e5",
        rule: Rule::Law { law: "c", constants: &[("C_c", 1.08e5 * PF_DAY), ("alpha_C", 0.0745)] },
    },
    Preset {
        name: "shehper2023-c-min",
        title: "Kaplan reproduced small: L(C_min)",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: SHEHPER_RUNS,
        note: "",
        rule: Rule::Law { law: "c-min", constants: &[("C_c_min", 4.23e6 * PF_DAY), ("alpha_C_min", 0.0566)] },
    },
    Preset {
        name: "shehper2023-naive",
        title: "Kaplan reproduced small: N_opt at a fixed batch",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: SHEHPER_RUNS,
        note: "",
        rule: optima(Some(Monomial::of_pf_days(2810000000.0, 0.8967)), None),
    },
    Preset {
        name: "shehper2023-frontier",
        title: "Kaplan reproduced small: N_opt(C_min)",
        source: "shehper/scaling_laws (nanoGPT on OpenWebText, 2023), README and notebook",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: SHEHPER_RUNS,
        note: "",
        rule: optima(Some(Monomial::of_pf_days(4270000000.0, 0.7158)), None),
    },
    Preset {
        name: "chinchilla2022",
        title: "Chinchilla: E + A/N^alpha + B/D^beta, unrounded",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), equation 10, constants of the TeX source",
        mark: Mark::Stated,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "its minimisation stopped early: besiroglu2024 is the fit that its data support",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[
                ("E", 1.69337368),
                ("A", 406.401018),
                ("B", 410.722827),
                ("alpha", 0.33917084),
                ("beta", 0.2849083),
            ],
        },
    },
    Preset {
        name: "chinchilla2022-rounded",
        title: "the same as printed",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), equation 10",
        mark: Mark::Stated,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "rounding matters: at 5.76e23 FLOPs 92.6 tokens per parameter instead of 58.9",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[("E", 1.69), ("A", 406.4), ("B", 410.7), ("alpha", 0.34), ("beta", 0.28)],
        },
    },
    Preset {
        name: "chinchilla2022-approach1",
        title: "Chinchilla, approach 1 (envelope of training curves): tokens for a size",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), Table A3",
        mark: Mark::Stated,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "",
        rule: Rule::Tokens(TABLE_A3_APPROACH_1),
    },
    Preset {
        name: "chinchilla2022-approach2",
        title: "Chinchilla, approach 2 (isoFLOP profiles): tokens for a size",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), Table A3",
        mark: Mark::Stated,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "",
        rule: Rule::Tokens(TABLE_A3_APPROACH_2),
    },
    Preset {
        name: "chinchilla2022-exponents1",
        title: "Chinchilla, approach 1: exponents",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), Table 2",
        mark: Mark::SecondHand,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "10th and 90th percentiles: N .488 to .502, D .501 to .512",
        rule: Rule::Exponents { n: 0.50, d: 0.50 },
    },
    Preset {
        name: "chinchilla2022-exponents2",
        title: "Chinchilla, approach 2: exponents",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), Table 2",
        mark: Mark::SecondHand,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "10th and 90th percentiles: N .462 to .534, D .483 to .529",
        rule: Rule::Exponents { n: 0.49, d: 0.51 },
    },
    Preset {
        name: "chinchilla2022-exponents3",
        title: "Chinchilla, approach 3: exponents",
        source: "Hoffmann et al. 2022 (arXiv 2203.15556), Table 2",
        mark: Mark::SecondHand,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "10th and 90th percentiles: N .454 to .455, D .542 to .543",
        rule: Rule::Exponents { n: 0.46, d: 0.54 },
    },
    Preset {
        name: "besiroglu2024",
        title: "Chinchilla refitted by Epoch: least absolute deviations",
        source: "Besiroglu et al. 2024 (arXiv 2404.10102), notebook",
        mark: Mark::Recomputed,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[
                ("E", 1.81686),
                ("A", 482.00572),
                ("B", 2085.4342),
                ("alpha", 0.34781),
                ("beta", 0.36585),
            ],
        },
    },
    Preset {
        name: "besiroglu2024-rounded",
        title: "the same as printed",
        source: "Besiroglu et al. 2024 (arXiv 2404.10102)",
        mark: Mark::Stated,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[("E", 1.8172), ("A", 482.01), ("B", 2085.43), ("alpha", 0.3478), ("beta", 0.3658)],
        },
    },
    Preset {
        name: "besiroglu2024-huber",
        title: "Chinchilla refitted: the minimum of the Huber objective itself",
        source: "Besiroglu et al. 2024 (arXiv 2404.10102), Huber 1e-3 on their 240 points",
        mark: Mark::Recomputed,
        conventions: TOTAL,
        range: CHINCHILLA_RUNS,
        note: "",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[
                ("E", 1.81722),
                ("A", 477.83),
                ("B", 2143.42),
                ("alpha", 0.34731),
                ("beta", 0.36717),
            ],
        },
    },
    Preset {
        name: "muennighoff2023",
        title: "the law of unique data on C4, alpha = beta",
        source: "Muennighoff et al. 2023 (arXiv 2305.16264)",
        mark: Mark::Recomputed,
        conventions: TOTAL,
        range: FitRange::UNKNOWN,
        note: "of unique data only: what repetition is worth, muennighoff2023-repeated says",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[
                ("E", muennighoff2023::E),
                ("A", muennighoff2023::A),
                ("B", muennighoff2023::B),
                ("alpha", muennighoff2023::ALPHA),
                ("beta", muennighoff2023::ALPHA),
            ],
        },
    },
    Preset {
        name: "muennighoff2023-repeated",
        title: "the same with repeated data: L(N, D, U)",
        source: "Muennighoff et al. 2023 (arXiv 2305.16264), equations 5 and 6",
        mark: Mark::Recomputed,
        conventions: TOTAL,
        range: FitRange::UNKNOWN,
        note: "their runs do not determine R_D* and R_N*: minima with R_D* from 15 to 160 fit as well",
        rule: Rule::Law {
            law: "data-constrained",
            constants: &[
                ("E", muennighoff2023::E),
                ("A", muennighoff2023::A),
                ("B", muennighoff2023::B),
                ("alpha", muennighoff2023::ALPHA),
                ("beta", muennighoff2023::ALPHA),
                ("R_D_star", muennighoff2023::R_D_STAR),
                ("R_N_star", muennighoff2023::R_N_STAR),
            ],
        },
    },
    Preset {
        name: "muennighoff2023-untied",
        title: "an earlier set, exponents free, still in their plots",
        source: "Muennighoff et al. 2023, notebook",
        mark: Mark::Recomputed,
        conventions: TOTAL,
        range: FitRange::UNKNOWN,
        note: "repetition: R_D* = 16.257626, R_N* = 4.9642363",
        rule: Rule::Law {
            law: "chinchilla",
            constants: &[
                ("E", 1.829494),
                ("A", 752.16469),
                ("B", 1969.70763),
                ("alpha", 0.3724021),
                ("beta", 0.36468068),
            ],
        },
    },
    Preset {
        name: "porian2024-refinedweb",
        title: "RefinedWeb, tuned, constant learning rate: N_opt and D_opt",
        source: "Porian et al. 2024 (arXiv 2406.19146), isoFLOP fits, RefinedWeb",
        mark: Mark::Recomputed,
        conventions: HEAD,
        range: PORIAN_RUNS,
        note: "95% interval of the exponent of N: .491 to .505",
        rule: optima(
            Some(Monomial::of_flops(0.11892648, 0.49689508)),
            Some(Monomial::of_flops(1.401426, 0.50310492)),
        ),
    },
    Preset {
        name: "porian2024-openwebtext2",
        title: "OpenWebText2, tuned, constant learning rate: N_opt and D_opt",
        source: "Porian et al. 2024 (arXiv 2406.19146), isoFLOP fits, OpenWebText2",
        mark: Mark::Recomputed,
        conventions: HEAD,
        range: PORIAN_RUNS,
        note: "95% interval of the exponent of N: .493 to .541",
        rule: optima(
            Some(Monomial::of_flops(0.046935346, 0.51845421)),
            Some(Monomial::of_flops(3.3571528, 0.48292618)),
        ),
    },
    Preset {
        name: "porian2024-as-kaplan",
        title: "RefinedWeb, set up as Kaplan et al. did: the error reproduced",
        source: "Porian et al. 2024 (arXiv 2406.19146), isoFLOP fits, RefinedWeb",
        mark: Mark::Recomputed,
        conventions: KAPLAN,
        range: PORIAN_RUNS,
        note: "a reproduction of what Kaplan et al. got wrong: not for planning",
        rule: optima(
            Some(Monomial::of_flops(4.231966e-08, 0.83530004)),
            Some(Monomial::of_flops(4152787.26, 0.16336685)),
        ),
    },
    Preset {
        name: "porian2024-lr-batch",
        title: "learning rate and batch, tuned",
        source: "Porian et al. 2024 (arXiv 2406.19146)",
        mark: Mark::SecondHand,
        conventions: HEAD,
        range: PORIAN_RUNS,
        note: "batch as sequences of 2,048 tokens; beta2 .99 up to 220M parameters, .95 above",
        rule: Rule::HyperParameters(HyperParameters {
            lr: Some(LearningRate::Power(Monomial::of_n_d(3.7, -0.36, 0.0))),
            batch: Some(Monomial::of_n_d(0.00037 * 2048.0, 0.703, 0.0)),
        }),
    },
    Preset {
        name: "deepseek2024",
        title: "optima, N being a sixth of non-embedding training FLOPs per token",
        source: "DeepSeek LLM 2024 (arXiv 2401.02954)",
        mark: Mark::SecondHand,
        conventions: ATTENTION,
        range: DEEPSEEK_RUNS,
        note: "N here is M/6, with attention and without embeddings; the exponent was .450 on their early data, .578 on OpenWebText2",
        rule: Rule::Frontier(Frontier {
            n: Some(Monomial::of_flops(0.1715 / 6.0, 0.5243)),
            d: Some(Monomial::of_flops(5.8316, 0.4757)),
            batch: Some(Monomial::of_flops(0.292, 0.3271)),
            steps: None,
            loss: None,
        }),
    },
    Preset {
        name: "deepseek2024-lr-batch",
        title: "learning rate and batch",
        source: "DeepSeek LLM 2024 (arXiv 2401.02954)",
        mark: Mark::SecondHand,
        conventions: ATTENTION,
        range: DEEPSEEK_RUNS,
        note: "",
        rule: Rule::HyperParameters(HyperParameters {
            lr: Some(LearningRate::Power(Monomial::of_flops(0.3118, -0.125))),
            batch: Some(Monomial::of_flops(0.292, 0.3271)),
        }),
    },
    Preset {
        name: "moonlight2025-lr-batch",
        title: "learning rate and batch",
        source: "Moonlight 2025 (arXiv 2502.16982)",
        mark: Mark::SecondHand,
        conventions: ATTENTION,
        range: FitRange::UNKNOWN,
        note: "",
        rule: Rule::HyperParameters(HyperParameters {
            lr: Some(LearningRate::Power(Monomial::of_flops(0.0127, -0.057))),
            batch: Some(Monomial::of_flops(0.0065, 0.4138)),
        }),
    },
    Preset {
        name: "llama3",
        title: "optimal training tokens",
        source: "Llama 3 (arXiv 2407.21783), section 3.2.1",
        mark: Mark::Stated,
        conventions: TOTAL,
        range: FitRange { params: Some([40e6, 16e9]), tokens: None, flops: Some([6e18, 1e22]) },
        note: "their N* is the number of tokens; the rounded (.53, .29) give 10.5T tokens at 3.8e25 FLOPs where they print 16.55T",
        rule: optima(None, Some(Monomial::of_flops(0.29, 0.53))),
    },
    Preset {
        name: "minicpm2024",
        title: "192 tokens per parameter",
        source: "MiniCPM (arXiv 2404.06395), section 4.5",
        mark: Mark::Stated,
        conventions: KAPLAN,
        range: FitRange::UNKNOWN,
        note: "an average; the printed K^2 = .01 and eta = -.10 do not give it in FLOPs and are not used",
        rule: Rule::TokensPerParam(192.0),
    },
    Preset {
        name: "minicpm2024-batch",
        title: "batch that a loss wants",
        source: "MiniCPM (arXiv 2404.06395), section 3",
        mark: Mark::SecondHand,
        conventions: KAPLAN,
        range: FitRange::UNKNOWN,
        note: "",
        rule: Rule::CriticalBatch { b_star: 1.21e9, alpha_b: 1.0 / 6.24 },
    },
    Preset {
        name: "nanochat2026",
        title: "10.5 tokens per (block + head) parameter",
        source: "nanochat, January 2026",
        mark: Mark::Stated,
        conventions: HEAD,
        range: FitRange::UNKNOWN,
        note: "",
        rule: Rule::TokensPerParam(10.5),
    },
    Preset {
        name: "steplaw2025",
        title: "learning rate and batch, AdamW",
        source: "Step Law 2025",
        mark: Mark::Recomputed,
        conventions: NO_VOCABULARY,
        range: FitRange::UNKNOWN,
        note: "minimum learning rate 1e-5; N without the vocabulary",
        rule: Rule::HyperParameters(HyperParameters {
            lr: Some(LearningRate::Power(Monomial::of_n_d(1.79, -0.713, 0.307))),
            batch: Some(Monomial::of_n_d(0.58, 0.0, 0.571)),
        }),
    },
    Preset {
        name: "clark2022-n",
        title: "dense models of the routing study: L(N)",
        source: "Clark et al. 2022 (arXiv 2202.01169), their curves",
        mark: Mark::Recomputed,
        conventions: TOTAL,
        range: FitRange { params: Some([16.5e6, 1.31e9]), tokens: None, flops: None },
        note: "",
        rule: Rule::Law { law: "n", constants: &[("N_c", 34000000000000.0), ("alpha_N", 0.0788)] },
    },
    Preset {
        name: "marin2026",
        title: "optima of a mixture-of-experts ladder, N being a sixth of FLOPs per token",
        source: "marin-community, issue text 2026",
        mark: Mark::Stated,
        conventions: ATTENTION,
        range: FitRange::UNKNOWN,
        note: "",
        rule: Rule::Frontier(Frontier {
            n: Some(Monomial::of_flops(0.1915 / 6.0, 0.5095)),
            d: Some(Monomial::of_flops(5.2232, 0.4905)),
            batch: Some(Monomial::of_flops(0.0694, 0.3644)),
            steps: None,
            loss: None,
        }),
    },
    Preset {
        name: "marin2026-c",
        title: "envelope of a mixture-of-experts ladder",
        source: "marin-community, issue text 2026",
        mark: Mark::Stated,
        conventions: ATTENTION,
        range: FitRange::UNKNOWN,
        note: "",
        rule: Rule::Law { law: "c-floor", constants: &[("E", 1.6), ("k", 72.6), ("alpha", 0.0897)] },
    },
    Preset {
        name: "marin2026-lr-batch",
        title: "learning rate and batch",
        source: "marin-community, issue text 2026",
        mark: Mark::Stated,
        conventions: ATTENTION,
        range: FitRange::UNKNOWN,
        note: "the batch rule was quoted without its unit; taken as tokens",
        rule: Rule::HyperParameters(HyperParameters {
            lr: Some(LearningRate::Power(Monomial::of_flops(1.1576, -0.1529))),
            batch: Some(Monomial::of_flops(0.0694, 0.3644)),
        }),
    },
    transcribed("exponents-evo-transformer", "Evo, Transformer++: exponents", 0.552, 0.551),
    transcribed("exponents-evo-hyena", "Evo, Hyena: exponents", 0.504, 0.499),
    transcribed("exponents-evo-stripedhyena", "Evo, StripedHyena: exponents", 0.483, 0.539),
    transcribed("exponents-protein-clm", "protein causal models: exponents", 0.578, 0.422),
    transcribed("exponents-protein-mlm", "protein masked models: exponents", 0.776, 0.23),
    transcribed("exponents-ehr", "health records: exponents", 0.58, 0.44),
    transcribed("exponents-diffusion-lm", "diffusion language models: exponents", 0.589, 0.411),
    transcribed("exponents-dit", "diffusion Transformers: exponents", 0.5681, 0.4319),
    transcribed("exponents-multimodal-early", "native multimodal, early fusion: exponents", 0.5262, 0.473),
    transcribed("exponents-multimodal-sparse", "native multimodal, sparse: exponents", 0.361, 0.656),
    transcribed("exponents-nethack", "NetHack: exponents", 0.61, 0.39),
    transcribed("exponents-xlstm", "xLSTM: exponents", 0.547, 0.417),
    transcribed("exponents-xlstm-transformer", "the Transformer beside xLSTM: exponents", 0.575, 0.424),
];

//! The paper's constants, read from the presets of the fit library: no number of theirs is written twice.

use scalelaw_core::PF_DAY;
use scalelaw_fit::laws::{self, KaplanNd};
use scalelaw_fit::presets::kaplan2020::{self, Joint};
use scalelaw_fit::presets::{Frontier, KaplanConstants, Preset, Rule};
use scalelaw_fit::value;

/// Tokens an update of the paper's runs: 512 sequences of 1024 (section 2.2).
pub(super) const BATCH: f64 = 524_288.0;
/// N of the runs on subsets (Figures 4 and 9), non-embedding parameters.
pub(super) const SIZES: [(f64, &str); 6] =
    [(393.2e3, "393K"), (3e6, "3M"), (25e6, "25M"), (85e6, "85M"), (302e6, "302M"), (708e6, "708M")];
/// D of those runs, tokens.
pub(super) const SUBSETS: [(f64, &str); 8] = [
    (21e6, "21M"),
    (43e6, "43M"),
    (86e6, "86M"),
    (172e6, "172M"),
    (344e6, "344M"),
    (688e6, "688M"),
    (1.4e9, "1.4B"),
    (22e9, "22B"),
];

fn preset(name: &str) -> &'static Preset {
    Preset::by_name(name).expect("the paper's presets are in the table: a test reads every one used here")
}

/// Tables 3 and 5: L(N, S_min) and B_crit(L).
pub(super) fn training() -> KaplanConstants {
    kaplan2020::TRAINING
}

/// Table 6.
pub(super) fn table_6() -> Frontier {
    match preset("kaplan2020-table6").rule {
        Rule::Frontier(frontier) => frontier,
        _ => unreachable!("the preset holds the optima of Table 6: tested"),
    }
}

/// Names and values of a law's constants.
pub(super) fn constants(name: &str) -> &'static [(&'static str, f64)] {
    match preset(name).rule {
        Rule::Law { constants, .. } => constants,
        _ => unreachable!("the preset holds a law: tested"),
    }
}

/// Equation 1.5 with Table 2.
pub(super) fn loss_n_d(n: f64, d: f64) -> f64 {
    let Joint { n_c, d_c, alpha_n, alpha_d } = kaplan2020::L_N_D;
    value(&KaplanNd, &[n, d], &[n_c, d_c, alpha_n, alpha_d])
}

/// L(C_min) in PF-days with any C_c^min and exponent.
pub(super) fn loss_c_min(pf_days: f64, c_c: f64, alpha: f64) -> f64 {
    value(&laws::PowerLaw::C_MIN, &[pf_days], &[c_c, alpha])
}

/// L(D) with any D_c and exponent.
pub(super) fn loss_d(d: f64, d_c: f64, alpha: f64) -> f64 {
    value(&laws::PowerLaw::D, &[d], &[d_c, alpha])
}

/// Constants in PF-days where the preset has FLOPs.
pub(super) fn pf_days(flops: f64) -> f64 {
    flops / PF_DAY
}

/// `count` numbers from `lo` to `hi` at equal ratios.
pub(super) fn log_spaced(lo: f64, hi: f64, count: u32) -> impl Iterator<Item = f64> {
    let step = libm::log(hi / lo) / f64::from(count - 1);
    (0..count).map(move |i| lo * libm::exp(step * f64::from(i)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_every_preset_used_is_there_and_of_its_kind() {
        assert_eq!(training().alpha_n, 0.077);
        assert!(table_6().n.is_some() && table_6().steps.is_some());
        for (name, first) in [
            ("kaplan2020-n", "N_c"),
            ("kaplan2020-d", "D_c"),
            ("kaplan2020-c", "C_c"),
            ("kaplan2020-c-fig13", "C_c"),
            ("kaplan2020-c-min", "C_c_min"),
            ("kaplan2020-c-min-fig1", "C_c_min"),
            ("kaplan2020-nd", "N_c"),
        ] {
            assert_eq!(constants(name)[0].0, first, "{name}");
        }
    }
}

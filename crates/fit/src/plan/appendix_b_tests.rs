//! Appendix B against the reference sheet's derived targets, closed form against numeric.

use crate::presets::KaplanConstants;
use crate::presets::kaplan2020::{L_N, TRAINING};
use scalelaw_core::PF_DAY;

fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() < tolerance, "{what}: {got:e}, expected {want:e}");
}

#[test]
fn optimum_closed_and_numeric_agree_at_every_budget() {
    let k = TRAINING;
    for pf_days in [1e-8, 1e-4, 1.0, 1e3, 1e7] {
        let (closed, numeric) =
            (k.optimum(pf_days * PF_DAY).unwrap(), k.optimum_numeric(pf_days * PF_DAY).unwrap());
        close("N", numeric.n, closed.n, 1e-6);
        close("L", numeric.loss, closed.loss, 1e-9);
        close("S", numeric.steps_min, closed.steps_min, 1e-6);
        close("B", numeric.b_crit, closed.b_crit, 1e-6);
    }
}

#[test]
fn optimum_spends_the_budget_and_stops_f_above_convergence() {
    let k = TRAINING;
    let c = 3.0 * PF_DAY;
    let o = k.optimum(c).unwrap();
    close("6NBS", 6.0 * o.n * o.b_crit * o.steps_min, c, 1e-9);
    close("L", o.loss, (1.0 + k.efficient_f()) * k.converged(o.n), 1e-9);
    close("L(N, S_min)", k.loss(o.n, o.steps_min), o.loss, 1e-9);
}

#[test]
fn optimum_at_one_pf_day_matches_the_reference_sheet() {
    let k = TRAINING;
    let o = k.optimum(PF_DAY).unwrap();
    close("N", o.n, 5.8e8, 0.01);
    close("S", o.steps_min, 1.3e4, 0.03);
    close("B", o.b_crit, 1.9e6, 0.02);
    close("L", o.loss, 2.69, 0.002);
    close("C_c", k.c_c() / PF_DAY, 1.6e8, 0.04);
    close("f", k.efficient_f(), 0.1013, 1e-3);
}

#[test]
fn exponents_follow_from_the_printed_ones() {
    let k = TRAINING;
    close("alpha_C", k.alpha_c(), 0.0525, 1e-2);
    let with_076 = KaplanConstants { alpha_n: L_N.exponent, ..k };
    close("alpha_C with .076", with_076.alpha_c(), 0.0520, 1e-3);
    for (what, got, want) in [
        ("N", k.alpha_c() / k.alpha_n, 0.68),
        ("B", k.alpha_c() / k.alpha_b, 0.25),
        ("S", k.alpha_c() / k.alpha_s, 0.07),
        ("D", k.alpha_c() / k.alpha_b + k.alpha_c() / k.alpha_s, 0.32),
    ] {
        assert!((got - want).abs() < 0.006, "{what}: {got}");
    }
}

#[test]
fn stopping_early_trade_matches_b12_to_b14() {
    let k = TRAINING;
    let t = k.stopping(k.efficient_f(), 0.02);
    close("B.12", t.n, 2.708, 5e-4);
    close("B.13", t.steps, 0.1308, 5e-4);
    close("B.14", t.compute, 0.3542, 5e-4);
}

#[test]
fn wrong_size_costs_match_b16_and_b17() {
    let k = TRAINING;
    close(".6", k.wrong_size(0.6).unwrap().compute, 1.165, 5e-4);
    close("2.2", k.wrong_size(2.2).unwrap().compute, 1.204, 5e-4);
    assert!((k.wrong_size(2.2).unwrap().steps - 0.55).abs() < 0.005);
    let [small, large] = k.sizes_costing(1.2).unwrap();
    close("20% below", small, 0.577, 1e-3);
    close("20% above", large, 2.183, 1e-3);
    assert!((k.smallest_size() - 0.286).abs() < 5e-4, "{}", k.smallest_size());
    assert!(k.wrong_size(0.28).is_none());
}

#[test]
fn wrong_size_is_the_ratio_of_b15_to_the_optimum() {
    let k = TRAINING;
    let o = k.optimum(PF_DAY).unwrap();
    let ratio = k.compute_for(2.2 * o.n, o.loss).unwrap() / k.compute_for(o.n, o.loss).unwrap();
    close("B.16", ratio, k.wrong_size(2.2).unwrap().compute, 1e-9);
    close("cheapest", k.cheapest_for(o.loss), PF_DAY, 1e-9);
    assert!(k.compute_for(1e6, 2.0).is_err());
}

#[test]
fn critical_batch_matches_the_reference_values() {
    let k = TRAINING;
    for (l, b) in [(10.0, 3.6e3), (4.0, 2.85e5), (3.0, 1.12e6), (2.5, 2.67e6)] {
        close("B_crit", k.b_crit(l), b, 0.012);
    }
    assert!((k.b_crit(2.5) / 2.675e6 - 1.0).abs() < 1e-3);
    assert!((k.b_crit(0.87 * 3.0) / k.b_crit(3.0) - 1.94).abs() < 0.005);
    // S = 2.5e5 at B = 2^19 and L = 2.45: S_min about 3.8e4, the right end of Figure 4's largest curve.
    let s_min = super::batch::steps_min(2.5e5, 524_288.0, k.b_crit(2.45));
    close("S_min", s_min, 3.8e4, 0.01);
}

#[test]
fn one_per_cent_of_loss_is_22_per_cent_of_compute() {
    // Figure 5 prints 22%: alpha_C = .05 of Table 2's L(C_min).
    let (law, constants) = crate::presets::Preset::by_name("kaplan2020-c-min").unwrap().rule.law().unwrap();
    let at = |c: f64| crate::law::value(law.as_ref(), &[c], &constants);
    let ratio = at(PF_DAY) / at(1.220 * PF_DAY);
    assert!((ratio - 1.01).abs() < 5e-5, "{ratio}");
}

//! Presets against the golden values of their sources.

use super::*;
use crate::law::value;
use crate::plan::compute_optimal;

pub(crate) fn loss_of(name: &str) -> impl Fn(f64, f64) -> f64 {
    let (law, constants) = Preset::by_name(name).unwrap().rule.law().unwrap();
    move |n, d| value(law.as_ref(), &[n, d], &constants)
}

fn frontier(name: &str) -> Frontier {
    match Preset::by_name(name).unwrap().rule {
        Rule::Frontier(frontier) => frontier,
        other => panic!("{name} is {other:?}"),
    }
}

fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() < tolerance, "{what}: {got:e}, expected {want:e}");
}

#[test]
fn names_are_unique_and_every_law_preset_has_its_laws_parameters_in_order() {
    for (i, preset) in PRESETS.iter().enumerate() {
        assert!(PRESETS[..i].iter().all(|p| p.name != preset.name), "{}", preset.name);
        if let Rule::Law { constants, .. } = preset.rule {
            let (law, _) = preset.rule.law().expect("the registry has every preset's law");
            let names: Vec<&str> = law.params().iter().map(|p| p.name.as_ref()).collect();
            assert_eq!(names, constants.iter().map(|(n, _)| *n).collect::<Vec<_>>(), "{}", preset.name);
        }
    }
    let error = Preset::by_name("nobody").unwrap_err().to_string();
    assert!(error.contains("besiroglu2024") && error.contains("kaplan2020"), "{error}");
}

#[test]
fn besiroglu_plans_match_golden_values() {
    let loss = loss_of("besiroglu2024");
    for (c, n, d) in
        [(1e21, 2.7821e9, 5.9906e10), (5.76e23, 7.2356e10, 1.3268e12), (3.8e25, 6.197e11, 1.0221e13)]
    {
        let plan = compute_optimal(&loss, &|n| 6.0 * n, c).unwrap();
        // Half a unit of the exponents' fifth digit moves N and D by 1.3e-4.
        close("N", plan.n, n, 1.3e-4);
        close("D", plan.d, d, 1.3e-4);
    }
    assert!((compute_optimal(&loss, &|n| 6.0 * n, 5.76e23).unwrap().tokens_per_param() - 18.3).abs() < 0.1);
}

#[test]
fn chinchilla_rounding_moves_the_ratio_from_59_to_93() {
    for (name, n, d, ratio) in
        [("chinchilla2022", 40.4e9, 2.38e12, 58.9), ("chinchilla2022-rounded", 32.2e9, 2.98e12, 92.6)]
    {
        let plan = compute_optimal(&loss_of(name), &|n| 6.0 * n, 5.76e23).unwrap();
        close(name, plan.n, n, 2e-3);
        close(name, plan.d, d, 2e-3);
        assert!((plan.tokens_per_param() - ratio).abs() < 0.06, "{}", plan.tokens_per_param());
    }
}

#[test]
fn plans_agree_in_closed_form_and_numerically() {
    for preset in PRESETS {
        let Some((law, constants)) = preset.rule.law() else { continue };
        let Some(law) = law.closed_form_optimum() else { continue };
        for c in [1e21, 5.76e23, 3.8e25] {
            let closed = law.optimum(&constants, c);
            let numeric = compute_optimal(&loss_of(preset.name), &|n| 6.0 * n, c).unwrap();
            close(preset.name, numeric.n, closed.n, 1e-6);
            close(preset.name, numeric.loss, closed.loss, 1e-12);
        }
    }
}

#[test]
fn kaplan_reference_values_are_reproduced() {
    let one = |name: &str, x: f64| {
        let (law, constants) = Preset::by_name(name).unwrap().rule.law().unwrap();
        value(law.as_ref(), &[x], &constants)
    };
    close("L(N=1.5e9)", one("kaplan2020-n", 1.5e9), 2.30355, 3e-6);
    close("L(D=22e9)", one("kaplan2020-d", 22e9), 2.09917, 3e-6);
    for (n, l) in [(393e3, 4.31), (3.1e6, 3.69), (708e6, 2.44)] {
        assert!((one("kaplan2020-n", n) - l).abs() < 0.006, "{n}");
    }
    let table6 = frontier("kaplan2020-table6");
    close("N_opt(5.76e23)", table6.n.unwrap().at(1.0, 1.0, 5.76e23), 8.04e11, 1e-3);
}

#[test]
fn llama3_rounded_constants_do_not_print_the_quoted_run() {
    let preset = frontier("llama3");
    let d = preset.d.unwrap().at(1.0, 1.0, 3.8e25);
    close("D", d, 10.46e12, 1e-3);
    close("N", 3.8e25 / 6.0 / d, 605e9, 1e-3);
}

#[test]
fn deepseek_and_step_law_values_are_reproduced() {
    let rules = |name: &str| match Preset::by_name(name).unwrap().rule {
        Rule::HyperParameters(h) => h,
        other => panic!("{other:?}"),
    };
    let deepseek = rules("deepseek2024-lr-batch");
    close("lr", deepseek.lr.unwrap().at(1.0, 1.0, 1e20).unwrap(), 9.86e-4, 1e-3);
    close("B", deepseek.batch.unwrap().at(1.0, 1.0, 1e20), 1.017e6, 1e-3);
    let f = frontier("deepseek2024");
    let c = 6.0 * f.n.unwrap().at(1.0, 1.0, 1e20) * f.d.unwrap().at(1.0, 1.0, 1e20);
    close("M·D", c, 1.0001e20, 1e-4);
    let step = rules("steplaw2025");
    close("lr", step.lr.unwrap().at(7e9, 1.4e12, 0.0).unwrap(), 9.17e-4, 1e-3);
    close("B", step.batch.unwrap().at(7e9, 1.4e12, 0.0), 5.00e6, 2e-3);
    let kaplan = rules("kaplan2020-lr");
    assert!(
        kaplan.lr.unwrap().at(1.2e10, 1.0, 1.0).is_some()
            && kaplan.lr.unwrap().at(1.22e10, 1.0, 1.0).is_none()
    );
}

#[test]
fn warnings_say_second_hand_and_outside_the_range() {
    let naive = Preset::by_name("kaplan2020-naive").unwrap().warnings(Some(1e12), None, None);
    assert!(naive.iter().any(|w| w.contains("second-hand")), "{naive:?}");
    assert!(naive.iter().any(|w| w.contains("2.8 decades outside")), "{naive:?}");
    let inside = Preset::by_name("besiroglu2024").unwrap().warnings(Some(1e9), Some(2e10), Some(1.2e20));
    assert!(inside.is_empty(), "{inside:?}");
}

#[test]
fn notes_quote_the_constants_of_their_papers() {
    let note = |name: &str| Preset::by_name(name).unwrap().note;
    let [lo, hi] = muennighoff2023::R_D_STAR_MINIMA;
    assert!(note("muennighoff2023-repeated").contains(&format!("R_D* from {lo} to {hi}")));
    let [small, large] =
        [porian2024::BETA2_SMALL, porian2024::BETA2_LARGE].map(|beta2| beta2.to_string().split_off(1));
    let most = short(porian2024::SMALL_MODEL as f64);
    let beta2 = format!("beta2 {small} up to {most} parameters, {large} above");
    assert!(note("porian2024-lr-batch").contains(&beta2), "{beta2}");
    let [b_star, stated] = [kaplan2020::B_STAR_EQUATION_1_4, kaplan2020::TRAINING.b_star];
    let tokens = format!("about {b_star:e} tokens, Table 5 {stated:e}");
    assert!(note("kaplan2020-bstar-2e8").contains(&tokens), "{tokens}");
}

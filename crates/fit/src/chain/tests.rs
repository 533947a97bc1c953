//! The chain on curves simulated from Tables 2, 3 and 5 of Kaplan et al. 2020.

use super::*;
use crate::law::value;
use crate::laws::KaplanNd;
use crate::plan::search::crossing;
use crate::presets::KaplanConstants;
use crate::presets::kaplan2020::{L_N_D, TRAINING};
use crate::random::generator;
use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_random::{Rng, unit};

const TRUTH: KaplanConstants = TRAINING;
/// Relative noise of a whole run and of one evaluation.
const RUN_NOISE: f64 = 0.003;
const POINT_NOISE: f64 = 0.002;

pub(super) fn options(bootstrap: usize) -> ChainOptions {
    ChainOptions {
        skip_steps: 3000.0,
        smoothing: 0.15,
        level_ratio: 1.03,
        points_per_curve: 30,
        bootstrap,
        seed: 7,
        conventions: Conventions {
            params: ParamConvention::NonEmbedding,
            flops: FlopConvention::SixN,
            data: DataConvention::Processed,
        },
    }
}

/// A sum of twelve uniforms: normal enough for noise.
fn normal(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| unit(rng)).sum::<f64>() - 6.0
}

/// The loss after `step` updates of `batch` tokens: equation 1.6 through 5.4, B_crit at the loss itself.
fn loss_at(n: f64, batch: f64, step: f64) -> f64 {
    let missing = |ln_l: f64| {
        let l = libm::exp(ln_l);
        l - TRUTH.loss(n, step / (1.0 + TRUTH.b_crit(l) / batch))
    };
    crossing(&missing, libm::log(TRUTH.converged(n)), 20.0).map(libm::exp).unwrap()
}

fn trunk(n: f64, batch: f64, steps: f64, seed: u64) -> Trunk {
    let mut rng = generator(seed, 0);
    let run = libm::exp(RUN_NOISE * normal(&mut rng));
    let points = (0..120)
        .map(|k| 1000.0 * libm::pow(steps / 1000.0, f64::from(k) / 119.0))
        .map(|step| Point {
            step,
            loss: loss_at(n, batch, step) * run * libm::exp(POINT_NOISE * normal(&mut rng)),
            noise_scale: None,
        })
        .collect();
    Trunk { run: format!("n{n:.0}-b{batch:.0}-{seed}"), n, batch, points }
}

/// A ladder of nine sizes at 2^19 tokens and batch scans of two sizes, as in the paper.
fn paper_like(seed: u64) -> Vec<Trunk> {
    let mut trunks = Vec::new();
    for k in 0..13 {
        let n = 5e4 * libm::pow(10.0f64.sqrt(), f64::from(k) * 0.65);
        trunks.push(trunk(n, 524_288.0, 2.5e5, seed * 1000 + k as u64));
    }
    for (s, n) in [(0, 3.1e6), (1, 8.5e7)] {
        for k in 0..9 {
            let batch = libm::pow(2.0, f64::from(13 + k));
            // Small batches run longer: the scan must reach the same losses.
            let steps = 2.5e5 * (1.0 + 2e5 / batch).min(20.0);
            trunks.push(trunk(n, batch, steps, seed * 1000 + 100 + s * 50 + k as u64));
        }
    }
    trunks
}

fn grid(seed: u64) -> Vec<GridRun> {
    let mut rng = generator(seed, 1);
    let mut runs = Vec::new();
    for n in [393_216.0, 3_145_728.0, 25_165_824.0, 84_934_656.0, 301_989_888.0, 707_788_800.0] {
        for k in [0, 4, 5, 6, 7, 8, 9] {
            let d = 22e9 / f64::from(1 << k);
            let loss = value(&KaplanNd, &[n, d], &[L_N_D.n_c, L_N_D.d_c, L_N_D.alpha_n, L_N_D.alpha_d])
                * libm::exp(RUN_NOISE * normal(&mut rng));
            runs.push(GridRun { n, d, loss });
        }
    }
    runs
}

/// The constants that a perfect chain would give.
fn truths() -> Vec<(Section, &'static str, f64)> {
    let a = TRUTH.alpha_c();
    let mut truths = vec![
        (Section::CriticalBatch, "B_star", TRUTH.b_star),
        (Section::CriticalBatch, "alpha_B", TRUTH.alpha_b),
        (Section::StepsLaw, "N_c", TRUTH.n_c),
        (Section::StepsLaw, "S_c", TRUTH.s_c),
        (Section::StepsLaw, "alpha_N", TRUTH.alpha_n),
        (Section::StepsLaw, "alpha_S", TRUTH.alpha_s),
        (Section::DataLaw, "N_c", L_N_D.n_c),
        (Section::DataLaw, "D_c", L_N_D.d_c),
        (Section::DataLaw, "alpha_N", L_N_D.alpha_n),
        (Section::DataLaw, "alpha_D", L_N_D.alpha_d),
    ];
    for (name, value) in [
        ("alpha_C_min", a),
        ("p_N", a / TRUTH.alpha_n),
        ("p_B", a / TRUTH.alpha_b),
        ("p_S", a / TRUTH.alpha_s),
        ("p_D", a / TRUTH.alpha_b + a / TRUTH.alpha_s),
    ] {
        truths.push((Section::Predicted, name, value));
        truths.push((Section::AdjustedFrontier, name, value));
    }
    truths
}

/// Section, constant, truth, value and interval.
type Recovered = (Section, &'static str, f64, f64, [f64; 2]);

/// Constants inside their intervals, of all; and how far each value is off, in widths of its interval.
fn recovered(seed: u64, draws: usize) -> (usize, usize, Vec<Recovered>) {
    let report = chain(&paper_like(seed), &grid(seed), &options(draws)).unwrap();
    let rows: Vec<_> = truths()
        .into_iter()
        .map(|(section, name, truth)| {
            let c = report.constant(section, name).unwrap_or_else(|| panic!("{section:?} {name}"));
            (section, name, truth, c.value, c.ci95.unwrap())
        })
        .collect();
    let inside = rows.iter().filter(|(_, _, truth, _, [lo, hi])| lo <= truth && truth <= hi).count();
    (inside, rows.len(), rows)
}

#[test]
fn chain_on_curves_simulated_from_tables_2_3_5_recovers_them_inside_its_intervals() {
    let (mut inside, mut all) = (0, 0);
    for seed in 1..=3 {
        let (hit, of, rows) = recovered(seed, 60);
        inside += hit;
        all += of;
        for (section, name, truth, value, [lo, hi]) in rows {
            // Never further off than a width of its interval, and intervals that say something.
            let (off, width) = (libm::log(value / truth).abs(), libm::log(hi / lo));
            assert!(
                off < width && width < 1.5,
                "{section:?} {name}: {value:e} [{lo:e}, {hi:e}], truth {truth:e}"
            );
        }
    }
    // The study finds 90% inside; below 75% of 60 would be a broken chain.
    assert!(inside * 4 >= all * 3, "{inside} of {all} constants inside their 95% intervals");
}

/// docs/studies/chain-recovery.csv: cargo test --release -p scalelaw-fit chain_recovery -- --ignored --nocapture
#[test]
#[ignore = "a study: half a minute"]
fn chain_recovery_study() {
    println!("seed,section,constant,truth,value,lo95,hi95,inside");
    let (mut hits, mut all) = (0, 0);
    for seed in 1..=20 {
        for (section, name, truth, value, [lo, hi]) in recovered(seed, 200).2 {
            let inside = lo <= truth && truth <= hi;
            (hits, all) = (hits + usize::from(inside), all + 1);
            println!(
                "{seed},{section:?},{name},{truth:.6e},{value:.6e},{lo:.6e},{hi:.6e},{}",
                u8::from(inside)
            );
        }
    }
    // Percentile intervals over few trunks are somewhat narrow: 90% were inside when this was written.
    assert!(hits * 100 >= 85 * all, "{hits} of {all} inside");
}

#[test]
fn chain_without_batch_scans_refuses_what_needs_them_and_does_the_rest() {
    let ladder: Vec<Trunk> = paper_like(2).into_iter().take(13).collect();
    let report = chain(&ladder, &[], &options(20)).unwrap();
    for (section, why) in [
        (Section::CriticalBatch, "two batch sizes"),
        (Section::AdjustedFrontier, "needs B_crit"),
        (Section::Predicted, "needs both"),
        (Section::DataLaw, "3 of each"),
    ] {
        let reason = report.part(section).unwrap().refused.clone().unwrap();
        assert!(reason.contains(why), "{reason}");
    }
    assert!(report.part(Section::StepsLaw).unwrap().refused.is_none());
    assert!(report.doubts.iter().any(|d| d.contains("not to S_min")));
    assert!(report.basis("x").is_err());
}

#[test]
fn frontier_places_lie_on_their_power_law_and_stay_in_the_file() {
    let report = chain(&paper_like(1), &[], &options(0)).unwrap();
    for (section, scale, alpha) in
        [(Section::NaiveFrontier, "C_c", "alpha_C"), (Section::AdjustedFrontier, "C_c_min", "alpha_C_min")]
    {
        let get = |name| report.constant(section, name).unwrap().value;
        let places: Vec<_> = report.frontiers.iter().filter(|p| p.section == section).collect();
        assert!(places.len() >= 4);
        for place in places {
            let law = libm::pow(get(scale) / place.pf_days, get(alpha));
            assert!((place.loss / law - 1.0).abs() < 0.02, "{place:?} {law}");
        }
    }
    let read: ChainReport = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(read, report);
}

#[test]
fn level_whose_batches_do_not_bracket_the_critical_batch_is_refused_with_both() {
    let far: Vec<Trunk> =
        (0..5).map(|k| trunk(3.1e6, libm::pow(2.0, f64::from(24 + k)), 2.5e5, k as u64)).collect();
    let report = chain(&far, &[], &options(0)).unwrap();
    assert!(!report.levels.is_empty());
    let reasons: Vec<&String> = report.levels.iter().filter_map(|l| l.refused.as_ref()).collect();
    assert_eq!(reasons.len(), report.levels.len());
    assert!(reasons.iter().any(|r| r.contains("do not bracket")), "{reasons:?}");
}

#[test]
fn chain_of_nothing_usable_is_an_error_that_says_what_to_do() {
    let mut short = trunk(1e6, 524_288.0, 2.5e5, 1);
    short.points.truncate(2);
    let error = chain(&[short], &[], &options(0)).unwrap_err();
    assert!(matches!(error, crate::FitError::ShortCurves { curves: 1, .. }), "{error}");
}

use super::*;

fn table(name: &str) -> String {
    let report = constants_only();
    report.tables.iter().find(|table| table.name == name).map(PaperTable::csv).unwrap_or_default()
}

#[test]
fn constants_only_has_seven_figures_with_finite_lines() {
    let report = constants_only();
    let names: Vec<&str> = report.figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "figure-03",
            "figure-04-left",
            "figure-04-right",
            "figure-09",
            "figure-11",
            "figure-12",
            "figure-15"
        ]
    );
    for figure in &report.figures {
        let svg = figure.svg();
        assert!(!svg.contains("no data") && !svg.contains("NaN"), "{}", figure.name);
    }
}

#[test]
fn tables_show_the_numbers_that_the_paper_prints() {
    assert_eq!(table("table-2").lines().nth(1), Some("0.076,0.103,6.4×10^13,1.8×10^13"));
    assert_eq!(table("table-3").lines().nth(1), Some("0.077,0.76,6.5×10^13,\"2,100\""));
    assert!(table("table-5").contains("0.050,3.1×10^8,\"PF-days, 6N FLOPs\""));
    assert!(table("table-6").contains(",1.3×10^9,0.73\n"));
}

#[test]
fn tables_appendix_b_equals_the_reference_sheet() {
    let csv = table("appendix-b");
    for cell in ["2.7,2.708", "0.13,0.1308", "0.35,0.3542", "up to 1.2,1.165", "up to 1.2,1.204"] {
        assert!(csv.contains(cell), "{cell} in\n{csv}");
    }
}

#[test]
fn figure_3_ends_at_the_factors_of_table_6() {
    let figure = &constants_only().figures[0];
    let tops: Vec<f64> = figure.panels[0].series[..3]
        .iter()
        .filter_map(|series| series.points.last())
        .map(|point| point.y)
        .collect();
    // 10^(9·.03), 10^(9·.27), 10^(9·1.00).
    for (top, exponent) in tops.iter().zip([0.27, 2.43, 9.0]) {
        assert!((top.log10() - exponent).abs() < 1e-9, "{tops:?}");
    }
}

/// Runs as the published laws, moved to sizes that a test can list, would give them.
mod simulated {
    use super::super::fixed_batch::{Trained, loss_of_run};
    use super::super::runs::{PaperRun, PaperRuns};
    use scalelaw_core::shape::{Head, ModelShape};
    use scalelaw_core::units::{FlopConvention, ParamConvention};
    use scalelaw_fit::laws::KaplanNd;
    use scalelaw_fit::presets::KaplanConstants;
    use scalelaw_table::{CurveRow, RunRow};

    pub const BATCH: f64 = 4096.0;
    const STEPS: u64 = 2500;
    const WARMUP: u64 = 50 * 4096;
    pub const TRUTH: KaplanConstants = KaplanConstants {
        n_c: 6.5e13,
        alpha_n: 0.076,
        s_c: 40.0,
        alpha_s: 0.76,
        b_star: 3.4e6,
        alpha_b: 0.21,
    };
    const SHAPES: [(u32, u32); 9] =
        [(1, 8), (1, 16), (2, 16), (2, 32), (3, 32), (2, 64), (3, 64), (6, 64), (2, 128)];

    /// A relative error that depends on nothing but its number: uniform with a standard deviation of 0.2%.
    fn jitter(k: usize) -> f64 {
        1.0 + 0.007 * ((k as f64 * 0.618_034).fract() - 0.5)
    }

    fn row(set: &str, k: usize, (layers, width): (u32, u32), tokens: f64) -> PaperRun {
        let shape = ModelShape::standard(layers, width, 1, 64, 512, Head::Untied);
        let flops = |c| Some(shape.train_flops_per_token(c) * tokens);
        PaperRun {
            sets: vec![set.into()],
            row: RunRow {
                run_id: format!("{set}-{k}"),
                n_layer: Some(layers),
                d_model: Some(width),
                d_ff: Some(4 * width),
                n_head: Some(1),
                n_ctx: Some(64),
                n_vocab: Some(512),
                reuse: Some(1),
                n_nonembed: Some(shape.n_params(ParamConvention::NonEmbedding)),
                n_total: Some(shape.n_params(ParamConvention::Total)),
                n_matmul: Some(shape.n_params(ParamConvention::Matmul)),
                tokens: Some(tokens as u64),
                d_unique: Some(tokens as u64),
                steps: Some(STEPS),
                batch_tokens: Some(BATCH as u64),
                warmup_tokens: Some(WARMUP),
                flops_6n: flops(FlopConvention::SixN),
                flops_matmul: flops(FlopConvention::Matmul),
                flops_full: flops(FlopConvention::Full),
                lr: Some(0.01),
                status: Some("completed".into()),
                ..RunRow::default()
            },
            rates: vec![(1.0, 0.01), (STEPS as f64, 0.0)],
            rate_sum: 12.5,
            ..PaperRun::default()
        }
    }

    /// A run of constant rate with its whole curve.
    fn trunk(set: &str, k: usize, shape: (u32, u32), batch: f64, steps: u64) -> PaperRun {
        let mut run = row(set, k, shape, steps as f64 * batch);
        let trained = Trained { batch, vocabulary: 1e9 };
        run.row.batch_tokens = Some(batch as u64);
        run.row.warmup_tokens = Some(0);
        run.row.schedule = Some("constant".into());
        let n = run.n();
        run.curve = (0..60)
            .map(|i| (20.0 * libm::pow(steps as f64 / 20.0, f64::from(i) / 59.0)).round() as u64)
            .map(|step| {
                let loss = loss_of_run(&TRUTH, n, step as f64, trained) * jitter(k * 7);
                CurveRow {
                    run_id: run.row.run_id.clone(),
                    step,
                    tokens: Some(step * batch as u64),
                    train_loss: Some(loss),
                    test_loss: Some(loss),
                    loss_evalsets: [("books".to_owned(), loss + 0.4)].into(),
                    noise_scale: Some(TRUTH.b_crit(loss)),
                    ..CurveRow::default()
                }
            })
            .collect();
        run.row.loss = run.curve.last().and_then(|c| c.test_loss);
        run
    }

    pub fn study() -> PaperRuns {
        let mut runs = Vec::new();
        for (k, shape) in SHAPES.into_iter().enumerate() {
            let parent = trunk("A", 10 * k, shape, BATCH, STEPS);
            for (i, part) in [4, 2, 1].into_iter().enumerate() {
                let mut branch = row("A", 10 * k + i + 1, shape, (STEPS / part) as f64 * BATCH);
                branch.row.steps = Some(STEPS / part);
                branch.row.parent_run = Some(parent.row.run_id.clone());
                let loss = TRUTH.converged(branch.n()) * jitter(k) * [1.1, 1.04, 1.0][i];
                branch.row.loss = Some(loss);
                branch.row.loss_evalsets = [("books".to_owned(), loss + 0.4)].into();
                runs.push(branch);
            }
            runs.push(parent);
        }
        for (s, shape) in [(0, (1, 16)), (1, (3, 32))] {
            for k in 0..7 {
                let batch = libm::pow(2.0, f64::from(9 + k));
                let steps = (600.0 * (1.0 + 4096.0 / batch)) as u64;
                runs.push(trunk("C", 200 + 20 * s + k as usize, shape, batch, steps));
            }
        }
        for (i, shape) in [(1, 16), (2, 32), (2, 64), (6, 64)].into_iter().enumerate() {
            for k in 0..5 {
                let d = 1e7 / libm::pow(4.0, f64::from(k));
                let mut run = row("B", 300 + 10 * i + k as usize, shape, d);
                let p = [6.4e13, 1.8e13, 0.076, 0.103];
                let loss =
                    scalelaw_fit::value(&KaplanNd, &[run.n(), d], &p) * jitter(300 + 7 * i + k as usize);
                (run.row.loss, run.row.loss_min, run.row.best_step) =
                    (Some(loss), Some(loss), Some(STEPS / 2));
                runs.push(run);
            }
        }
        for (i, shape) in [(2, 32), (2, 64)].into_iter().enumerate() {
            for k in 0..3 {
                let mut run = row("I", 400 + 10 * i + k, shape, STEPS as f64 * BATCH);
                run.row.loss = Some(TRUTH.converged(run.n()) * jitter(40 + 10 * i + k));
                runs.push(run);
            }
        }
        PaperRuns { runs, missing: vec![], facts: vec![] }
    }
}

#[test]
fn claims_on_runs_simulated_from_the_published_laws_hold_where_they_are_simulated() {
    let report = from_runs(&simulated::study());
    let verdict = |id: &str| {
        let judged = report.claims.iter().find(|j| j.claim.id == id).unwrap();
        (judged.verdict, judged.estimate.clone())
    };
    for id in ["alpha-n", "overfit-ratio", "transfer-slope"] {
        let (verdict, estimate) = verdict(id);
        assert_eq!(verdict, Verdict::Holds, "{id}: {estimate:?}");
    }
    for (id, truth) in [("critical-batch", 0.21), ("noise-scale", 1.0)] {
        let (verdict, estimate) = verdict(id);
        let [lo, hi] = estimate.unwrap().ci95;
        assert!(lo < truth && truth < hi && verdict != Verdict::DoesNot, "{id}: {lo} to {hi}");
    }
    // Nothing says more than its runs: what was not simulated cannot be told.
    for id in ["lstm-loss", "recurrent-by-n", "schedule", "shape-aspect"] {
        assert_eq!(verdict(id).0, Verdict::CannotTell, "{id}");
    }
}

#[test]
fn from_runs_has_the_24_figures_in_order_and_says_what_is_missing() {
    let mut runs = simulated::study();
    runs.missing.push(SetCost {
        set: RunSet::Lstm,
        file: "f-lstm.toml".into(),
        runs: 9,
        of: 9,
        flops: 2.5e13,
        seconds: Some(600.0),
    });
    let report = from_runs(&runs);
    let names: Vec<String> = report.figures.iter().map(|figure| figure.name.clone()).collect();
    let expected: Vec<String> = (1..=24).map(|i| format!("figure-{i:02}")).collect();
    assert_eq!(names, expected);
    let caption = report.figures[6].full_caption().to_plain();
    assert!(caption.contains("run set F") && caption.contains("10 min"), "{caption}");
    for figure in &report.figures {
        let svg = figure.svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", figure.name);
    }
    // Drawn twice, the same bytes.
    assert_eq!(report.html(), from_runs(&runs).html());
}

#[test]
fn from_runs_without_a_run_still_has_every_figure_and_no_verdict() {
    let report = from_runs(&PaperRuns::default());
    assert_eq!(report.figures.len(), 24);
    assert!(report.claims.iter().all(|judged| judged.verdict == Verdict::CannotTell));
    assert!(report.html().contains("Claims"));
}

use super::*;
use scalelaw_lab::paper::{PaperRuns, RunSet, Verdict, constants_only as published, simulated, study};

fn table(name: &str) -> String {
    let report = constants_only(&published());
    report.tables.iter().find(|table| table.name == name).map(PaperTable::csv).unwrap_or_default()
}

#[test]
fn constants_only_has_seven_figures_with_finite_lines() {
    let report = constants_only(&published());
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
    let figure = &constants_only(&published()).figures[0];
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

#[test]
fn claims_on_runs_simulated_from_the_published_laws_hold_where_they_are_simulated() {
    let report = from_runs(&study(simulated::study()));
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
    // What other sets simulate.
    for id in ["lstm-loss", "lstm-context", "recurrent-by-n", "schedule-undecayed", "chinchilla-isoflop"] {
        let (verdict, estimate) = verdict(id);
        assert_eq!(verdict, Verdict::Holds, "{id}: {estimate:?}");
    }
    // The two sizes' losses do not overlap: nothing to compare their critical batches at.
    for judged in report.claims.iter().filter(|j| j.claim.id != "critical-batch-size") {
        assert!(judged.estimate.is_ok(), "{}: {:?}", judged.claim.id, judged.estimate);
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
    let runs = study(runs);
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
    let report = from_runs(&study(PaperRuns::default()));
    assert_eq!(report.figures.len(), 24);
    assert!(report.claims.iter().all(|judged| judged.verdict == Verdict::Inconclusive));
    assert!(report.html().contains("Claims"));
}

//! From a table to points, a fit and a ranking: requests in, reports out.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use scalelaw_core::ParamConvention;
use scalelaw_core::observer::Silent;
use scalelaw_fit::FitOptions;
use scalelaw_fit::laws::Chinchilla;
use scalelaw_lab::fit::{self, FitRequest};
use scalelaw_lab::observations::{Source, Wanted};
use scalelaw_lab::rank::{self, RankRequest};
use scalelaw_lab::{LabError, Observations, TableRequest, conventions};
use std::path::{Path, PathBuf};

/// 25 runs on Besiroglu et al.'s law, without noise; `columns` of N, C and D, and `more` rows.
fn table(dir: &Path, columns: [&str; 3], more: &str) -> PathBuf {
    let mut csv = format!("{},{},{},loss\n", columns[0], columns[1], columns[2]);
    for i in 0..5 {
        for j in 0..5 {
            let (n, d) = (1e7 * 4f64.powi(i), 1e9 * 4f64.powi(j));
            let loss = 1.8172 + 482.01 / n.powf(0.3478) + 2085.43 / d.powf(0.3658);
            csv += &format!("{n},{},{d},{loss}\n", 6.0 * n * d);
        }
    }
    let path = dir.join("runs.csv");
    std::fs::write(&path, csv + more).unwrap();
    path
}

fn request(table: TableRequest) -> FitRequest {
    FitRequest {
        table,
        law: "chinchilla".into(),
        bounds: vec![],
        options: FitOptions::default(),
        residuals_by: None,
        valley: None,
        assumed: None,
        leave_out: None,
        forecaster: false,
    }
}

#[test]
fn observations_of_a_table_without_tokens_derive_them_and_name_the_cell_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = table(dir.path(), ["n_nonembed", "flops", "note"], "1e9,,0,2\n");
    let points =
        Observations::open(&TableRequest::new(path)).unwrap().points(&Wanted::law(&Chinchilla)).unwrap();
    let reading = points.reading;
    let variables: Vec<&str> = reading.assigned.iter().map(|a| a.variable.as_str()).collect();
    assert_eq!(variables, ["loss", "N", "D"]);
    let Source::Derived { rule, .. } = &reading.assigned[2].source else { panic!("D has no column") };
    assert_eq!(
        (rule.equation, reading.assigned[2].source.columns()),
        ("D = C/(6N)", vec!["flops", "n_nonembed"])
    );
    assert!((points.dataset.column("D").unwrap()[0] / 1e9 - 1.0).abs() < 1e-12);
    assert_eq!(reading.conventions.map(|c| c.params), Some(ParamConvention::NonEmbedding));
    assert_eq!((reading.n_points, reading.problems.len()), (25, 1));
    assert_eq!((reading.problems[0].row, reading.problems[0].column.as_str()), (26, "flops"));
}

#[test]
fn observations_whose_parameters_are_not_named_have_no_convention_until_it_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let mut request = TableRequest::new(table(dir.path(), ["size", "cost", "tokens"], ""));
    let missing = Observations::open(&request).unwrap().points(&Wanted::law(&Chinchilla)).unwrap_err();
    let LabError::NoColumn { symbol, law, columns, .. } = &missing else { panic!("{missing}") };
    assert_eq!((symbol.as_str(), law.as_deref(), columns.len()), ("N", Some("chinchilla"), 4));
    request.map = vec![("N".into(), "size".into())];
    let conventions = |request: &TableRequest| {
        Observations::open(request).unwrap().points(&Wanted::law(&Chinchilla)).unwrap().reading.conventions
    };
    assert_eq!(conventions(&request), None);
    request.params = Some(ParamConvention::Total);
    assert_eq!(conventions(&request).map(|c| c.params), Some(ParamConvention::Total));
}

#[test]
fn fit_report_serialises_to_the_law_file_and_has_what_was_asked_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = table(dir.path(), ["n_total", "flops", "tokens"], "");
    let report = fit::run(&FitRequest {
        residuals_by: Some("D".into()),
        valley: Some("beta".into()),
        ..request(TableRequest::new(path))
    })
    .unwrap();
    assert!((report.law.param("alpha").unwrap() / 0.3478 - 1.0).abs() < 1e-4);
    assert_eq!(serde_json::to_string(&report).unwrap(), serde_json::to_string(&report.law).unwrap());
    assert_eq!(report.residuals.unwrap().len(), 5);
    let valley = report.valley.unwrap();
    assert!(valley.floor.first().unwrap().value < valley.fitted.0);
    assert!(valley.floor.last().unwrap().value > valley.fitted.0);
}

#[test]
fn fit_of_an_unknown_parameter_or_law_says_which_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let request = request(TableRequest::new(table(dir.path(), ["n_total", "flops", "tokens"], "")));
    let unknown = fit::run(&FitRequest { valley: Some("nu".into()), ..request.clone() }).unwrap_err();
    assert!(unknown.to_string().contains("nu") && unknown.to_string().contains("alpha"), "{unknown}");
    let unknown = fit::run(&FitRequest { law: "chinchila".into(), ..request }).unwrap_err();
    assert!(unknown.to_string().contains("chinchilla"), "{unknown}");
}

#[test]
fn fit_of_too_few_rows_says_how_the_table_was_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("few.csv");
    std::fs::write(&path, "N,D,loss\n1e6,1e8,4\n2e6,x,3.9\n").unwrap();
    let error = fit::run(&request(TableRequest::new(path))).unwrap_err();
    let LabError::Unfitted { reading, .. } = error else { panic!("{error}") };
    assert_eq!((reading.n_points, reading.problems.len()), (1, 1));
}

#[test]
fn conventions_fit_once_for_each_choice_of_columns() {
    let dir = tempfile::tempdir().unwrap();
    let path = table(dir.path(), ["n_total", "flops", "tokens"], "");
    let mut csv = String::from("n_nonembed,n_total,tokens,loss\n");
    for line in std::fs::read_to_string(&path).unwrap().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let n: f64 = cells[0].parse().unwrap();
        csv += &format!("{},{n},{},{}\n", 0.75 * n, cells[2], cells[3]);
    }
    let both = dir.path().join("both.csv");
    std::fs::write(&both, csv).unwrap();
    let report = conventions::run(&request(TableRequest::new(&both))).unwrap();
    let columns: Vec<&str> = report.fits.iter().map(|(columns, _)| columns.as_str()).collect();
    assert_eq!(columns, ["n_nonembed tokens", "n_total tokens"]);
    let asked = |params| FitRequest {
        table: TableRequest { params: Some(params), ..TableRequest::new(&both) },
        ..request(TableRequest::new(&both))
    };
    let total = fit::run(&asked(ParamConvention::Total)).unwrap();
    assert_eq!(
        total.reading.assigned.iter().find(|a| a.variable == "N").unwrap().source.columns(),
        ["n_total"]
    );
    assert_eq!(total.reading.conventions.unwrap().params, ParamConvention::Total);
    // No column counts that: the values of another would be labelled as what they are not.
    let matmul = fit::run(&asked(ParamConvention::Matmul));
    assert!(matches!(matmul, Err(LabError::OtherConvention { .. })));
    let one = TableRequest::new(path);
    assert!(matches!(conventions::run(&request(one)), Err(LabError::OneConvention { .. })));
}

#[test]
fn ranking_puts_the_law_that_made_the_table_first() {
    let dir = tempfile::tempdir().unwrap();
    let table = TableRequest::new(table(dir.path(), ["n_total", "flops", "tokens"], ""));
    let report = rank::run(&RankRequest { table, options: FitOptions::default() }, &Silent).unwrap();
    assert!(report.ranked[0].held_out.as_ref().unwrap().rms_log < 1e-4);
    assert_eq!(report.reading.n_points, 25);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["ranked"].as_array().unwrap().len(), report.ranked.len());
    // Exact data: the forecast is the law itself.
    let forecast = report.forecast.unwrap();
    let far = forecast.at(1e10, 1e12);
    let truth = report.ranked[0].law.predict(&[("N", 1e10), ("D", 1e12)]).unwrap();
    assert!((far.loss / truth.mean - 1.0).abs() < 1e-3, "{} {}", far.loss, truth.mean);
    let file = serde_json::to_string(&forecast).unwrap();
    assert_eq!(scalelaw_fit::Forecaster::from_json(&file).unwrap().at(1e10, 1e12).loss, far.loss);
}

//! What is doubted about a table before a law is fitted to it, and what is refused.

use crate::{file, points};
use scalelaw_fit::laws::{Chinchilla, HyperPower, PowerLaw};
use scalelaw_fit::{FitOptions, FitStatus, FittedLaw, IntervalChoice};
use scalelaw_lab::fit::{self, FitReport, FitRequest};
use scalelaw_lab::observations::Doubt;
use scalelaw_lab::{LabError, TableRequest};
use std::fmt::Write;

/// A loss by Besiroglu et al.'s law.
fn loss(n: f64, d: f64) -> f64 {
    1.8172 + 482.01 / n.powf(0.3478) + 2085.43 / d.powf(0.3658)
}

/// A row for each of 16 places; `row` writes it from N, D and the loss.
fn grid(header: &str, mut row: impl FnMut(f64, f64, f64) -> String) -> String {
    let mut csv = format!("{header}\n");
    for i in 0..4 {
        for j in 0..4 {
            let (n, d) = (1e7 * 4f64.powi(i), 1e9 * 4f64.powi(j));
            csv += &row(n, d, loss(n, d));
        }
    }
    csv
}

fn fitted(table: TableRequest, law: &str) -> Result<FitReport, LabError> {
    fit::run(&FitRequest {
        table,
        law: law.into(),
        bounds: vec![],
        options: FitOptions { intervals: IntervalChoice::None, ..FitOptions::default() },
        residuals_by: None,
        valley: None,
        assumed: None,
        leave_out: None,
        forecaster: false,
    })
}

/// The doubt for which a table is refused.
fn refused(csv: &str) -> Doubt {
    match points(&file(csv).request(), &Chinchilla) {
        Err(LabError::Implausible { doubt, .. }) => *doubt,
        other => panic!("{:?}", other.map(|p| p.reading.doubts)),
    }
}

#[test]
fn sizes_in_millions_and_billions_without_a_unit_are_refused_with_the_units_that_would_do() {
    let csv = grid("model_size,tokens,loss", |n, d, l| format!("{},{},{l}\n", n / 1e6, d / 1.3e9));
    let error = points(&file(&csv).request(), &Chinchilla).unwrap_err();
    let LabError::Implausible { doubt, units, .. } = &error else { panic!("{error}") };
    assert!(matches!(**doubt, Doubt::NotACount { .. }), "{doubt}");
    assert_eq!(units, &[("N", "1e6*model_size".to_string()), ("D", "1e9*tokens".to_string())]);
    let table = file(&csv);
    let read = points(&table.mapped(&[("N", "1e6*model_size"), ("D", "1e9*tokens")]), &Chinchilla).unwrap();
    assert_eq!(read.reading.doubts, []);
}

#[test]
fn whole_sizes_that_do_not_belong_together_are_refused() {
    let csv = grid("N,D,loss", |n, d, l| format!("{},{d},{l}\n", (n / 1e6).round()));
    assert!(matches!(refused(&csv), Doubt::NotACount { .. }), "ten parameters are no model");
    let csv = grid("N,D,loss", |n, d, l| format!("{n},{},{l}\n", d * 1e5));
    // More than a million tokens for each parameter: all but three rows of the larger models.
    assert!(matches!(refused(&csv), Doubt::TokensPerParameter { rows: 13, .. }));
    let csv = grid("N,D,loss", |n, d, l| format!("{n},{},{l}\n", (d / 1e6).round()));
    assert!(matches!(refused(&csv), Doubt::TokensPerParameter { rows: 13, .. }));
    let csv = grid("N,D,loss", |n, d, l| format!("{n}e200,{d}e200,{l}\n"));
    assert!(matches!(refused(&csv), Doubt::Size { .. }));
}

#[test]
fn rows_in_another_unit_than_the_others_are_named() {
    let mut i = 0;
    let csv = grid("N,D,loss", |n, d, l| {
        i += 1;
        let d = if i % 2 == 0 { d / 1e9 } else { d };
        format!("{n},{d},{l}\n")
    });
    let doubt = refused(&csv);
    let Doubt::MixedUnits { column, row: 2, rows: 8, of: 16, .. } = &doubt else { panic!("{doubt}") };
    assert_eq!(column, "D");
}

#[test]
fn compute_far_from_six_n_d_and_losses_above_guessing_are_said_or_refused() {
    let csv = grid("N,D,C,loss", |n, d, l| format!("{n},{d},{},{l}\n", 6e-9 * n * d));
    let read = points(&file(&csv).request(), &PowerLaw::C).unwrap();
    assert_eq!(read.reading.doubts, [], "C alone has nothing to be compared with");
    let read = points(&file(&csv).request(), &Chinchilla).unwrap();
    let [Doubt::Compute { used: false, ratio, .. }] = read.reading.doubts[..] else {
        panic!("{:?}", read.reading.doubts)
    };
    assert!((ratio * 1e9 - 1.0).abs() < 1e-9);
    let mut i = 0;
    let csv = grid("N,D,loss", |n, d, l| {
        i += 1;
        format!("{n},{d},{}\n", if i == 3 { 74.0 } else { l })
    });
    let read = points(&file(&csv).request(), &Chinchilla).unwrap();
    assert!(matches!(read.reading.doubts[..], [Doubt::HighLoss { row: 3, rows: 1, .. }]));
    let csv = grid("N,D,n_vocab,loss", |n, d, l| format!("{n},{d},256,{}\n", if n > 5e8 { 7.0 } else { l }));
    let read = points(&file(&csv).request(), &Chinchilla).unwrap();
    assert!(matches!(read.reading.doubts[..], [Doubt::HighLoss { rows: 4, of: 16, .. }]));
}

#[test]
fn perplexities_are_refused_and_their_logarithm_is_fitted() {
    let csv = grid("N,D,val_ppl", |n, d, l| format!("{n},{d},{}\n", l.exp()));
    let table = file(&csv);
    let error = points(&table.mapped(&[("loss", "val_ppl")]), &Chinchilla).unwrap_err();
    assert!(error.to_string().contains("val_ppl is a perplexity"), "{error}");
    let read = points(&table.mapped(&[("loss", "ln(val_ppl)")]), &Chinchilla).unwrap();
    assert!((read.dataset.response()[0] - loss(1e7, 1e9)).abs() < 1e-9);
    assert_eq!(points(&table.mapped(&[("loss", "1*val_ppl")]), &Chinchilla).unwrap().reading.doubts, []);
}

#[test]
fn expression_means_what_its_user_means_so_its_doubts_are_said() {
    let csv = grid("N,D,loss", |n, d, l| format!("{},{d},{l}\n", n / 1.3e6));
    let report = fitted(file(&csv).request(), "E + A/N^a + B/D^b").unwrap();
    assert_eq!(report.reading.doubts.len(), 1);
    assert!(report.law.warnings.iter().any(|w| w.code == "units"));
}

#[test]
fn learning_rates_at_one_size_are_a_sweep_and_no_seed_noise() {
    let mut seed = 0;
    let csv = grid("N,D,lr,seed,loss", |n, d, l| {
        let mut rows = String::new();
        for (lr, more) in [(1e-3, 0.1), (2e-3, 0.0), (4e-3, 0.2)] {
            for luck in [0.001, -0.001] {
                seed += 1;
                let _ = writeln!(rows, "{n},{d},{lr},{seed},{}", l + more + luck);
            }
        }
        rows
    });
    let table = file(&csv);
    let report = fitted(table.request(), "chinchilla").unwrap();
    let [swept] = &report.reading.swept[..] else { panic!("{:?}", report.reading.swept) };
    assert_eq!((swept.column.as_str(), swept.most, swept.places), ("lr", 3, 16));
    assert!(report.law.status >= FitStatus::Remarks);
    let noise = report.lack_of_fit.unwrap();
    assert!(noise.noise_log < 0.001 && noise.p_value < 1e-6, "seed noise is that of the seeds: {noise:?}");

    let best = fitted(TableRequest { best_of: vec!["lr".into()], ..table.request() }, "chinchilla").unwrap();
    let chosen = best.reading.best_of.unwrap();
    assert_eq!((chosen.of, chosen.most, chosen.at_end), (96, 6, 0));
    assert_eq!(best.reading.n_points, 16);
    assert!(best.law.warnings.iter().any(|w| w.code == "best_of" && w.message.contains("too low")));
}

#[test]
fn law_of_the_best_learning_rate_is_not_fitted_to_every_one() {
    let csv = grid("N,D,lr,loss", |n, d, l| {
        let best = 300.0 * n.powf(-0.65) * d.powf(0.31);
        let row = |k: i32| format!("{n},{d},{},{}\n", best * 2f64.powi(k), l + 0.01 * f64::from(k * k));
        (-2..=2).map(row).collect()
    });
    let table = file(&csv);
    let error = points(&table.request(), &HyperPower::ND).unwrap_err();
    assert!(matches!(&error, LabError::NotTheBest { most: 5, .. }), "{error}");
    let best = fitted(TableRequest { best_of: vec!["lr".into()], ..table.request() }, "hyper-nd").unwrap();
    assert!((best.law.param("a").unwrap() + 0.65).abs() < 1e-6);
    assert!((best.law.param("b").unwrap() - 0.31).abs() < 1e-6);
}

#[test]
fn best_learning_rate_is_that_of_the_lowest_loss_however_the_rate_is_assigned() {
    let csv = grid("N,D,lr,loss", |n, d, l| {
        let best = 300.0 * n.powf(-0.65) * d.powf(0.31);
        let row = |k: i32| format!("{n},{d},{},{}\n", best * 2f64.powi(k), l + 0.01 * f64::from(k * k));
        (-2..=2).map(row).collect()
    });
    let table = file(&csv);
    let best_of = |map: &[(&str, &str)]| TableRequest { best_of: vec!["lr".into()], ..table.mapped(map) };
    for map in [&[][..], &[("y", "lr")], &[("response", "lr")], &[("y", "lr"), ("loss", "loss")]] {
        let best = fitted(best_of(map), "hyper-nd").unwrap();
        assert!((best.law.param("a").unwrap() + 0.65).abs() < 1e-6, "{map:?}");
        assert!((best.law.param("b").unwrap() - 0.31).abs() < 1e-6, "{map:?}");
    }
    let error = fitted(best_of(&[("loss", "lr")]), "hyper-nd").unwrap_err();
    assert!(matches!(&error, LabError::BestByItself { column, .. } if column == "lr"), "{error}");
}

#[test]
fn best_learning_rate_of_several_batches_is_refused_with_every_setting_to_choose_from() {
    let csv = grid("recipe,N,D,lr,bs,loss", |n, d, l| {
        let row = |k: i32| {
            let (of_rate, of_batch) = (k % 3, k / 3);
            let rate = 1e-3 * 2f64.powi(of_rate + of_batch);
            let worse = f64::from((of_rate - 1).pow(2) + of_batch);
            format!("a,{n},{d},{rate},{},{}\n", 64 << of_batch, l + 0.01 * worse)
        };
        (0..6).map(row).collect()
    });
    let table = file(&csv);
    let of = |settings: &[&str]| {
        let best_of = settings.iter().map(ToString::to_string).collect();
        points(&TableRequest { best_of, ..table.request() }, &HyperPower::ND)
    };
    for given in [&[][..], &["lr"]] {
        let error = of(given).unwrap_err();
        let LabError::NotTheBest { settings, .. } = &error else { panic!("{error}") };
        assert_eq!(settings, &["lr", "bs"], "{given:?}");
    }
    assert_eq!(of(&["lr", "bs"]).unwrap().dataset.len(), 16);
}

/// A sweep of the learning rate at 16 places: `row` may change a rate's loss, from the place and the rate by number.
fn sweep(change: impl Fn(usize, i32, f64) -> f64) -> String {
    let mut place = 0;
    grid("N,D,lr,loss", |n, d, l| {
        let best = 300.0 * n.powf(-0.65) * d.powf(0.31);
        let row = |k: i32| {
            let l = change(place, k, l + 0.01 * f64::from(k * k));
            format!("{n},{d},{},{l}\n", best * 2f64.powi(k))
        };
        let rows = (-2..=2).map(row).collect();
        place += 1;
        rows
    })
}

#[test]
fn losses_of_a_sweep_that_cannot_be_true_are_named_and_do_not_win() {
    let best_of = |csv: &str| {
        let table = file(csv);
        fitted(TableRequest { best_of: vec!["lr".into()], ..table.request() }, "hyper-nd").unwrap()
    };
    let low = |report: &FitReport| {
        let found = report.reading.doubts.iter().find_map(|doubt| match doubt {
            Doubt::LowLoss { rows, .. } => Some(rows.iter().map(|(row, _)| *row).collect::<Vec<_>>()),
            _ => None,
        });
        found.unwrap_or_default()
    };
    // Cells cut short, a loss of another set, a loss of 0 for a run that failed, and a whole place of nonsense.
    for (low_at, low_loss) in [(2, 3e-4), (-2, 1e-4), (1, 2.2), (2, 0.0)] {
        let report = best_of(&sweep(|place, k, l| if place == 3 && k == low_at { low_loss } else { l }));
        assert_eq!(low(&report), [(15 + low_at + 3) as u64], "{low_at}, {low_loss}");
        assert!((report.law.param("a").unwrap() + 0.65).abs() < 1e-6);
        assert!(report.law.warnings.iter().any(|w| w.code == "low_loss" && w.message.contains("row ")));
    }
    let report = best_of(&sweep(|place, _, l| if place == 3 { 1e-3 * l } else { l }));
    assert_eq!((low(&report), report.reading.n_points), (vec![16, 17, 18, 19, 20], 15));
}

#[test]
fn sweep_of_which_most_runs_failed_at_one_place_keeps_its_best() {
    for failed in [7.0, 10.5] {
        let csv = sweep(|place, k, l| if place == 3 && k != 0 { failed + 0.01 * f64::from(k) } else { l });
        let table = file(&csv);
        let best_of = TableRequest { best_of: vec!["lr".into()], ..table.request() };
        let read = points(&best_of, &HyperPower::ND).unwrap();
        assert_eq!((read.reading.doubts, read.dataset.len()), (vec![], 16));
    }
}

#[test]
fn y_is_the_loss_of_a_law_of_losses() {
    let csv = grid("N,D,u,loss", |n, d, l| format!("{n},{d},{l},{}\n", 2.0 * l));
    let table = file(&csv);
    let read = points(&table.mapped(&[("y", "u")]), &Chinchilla).unwrap();
    assert_eq!((read.dataset.response()[0], read.reading.passed_over), (loss(1e7, 1e9), vec![]));
}

#[test]
fn two_recipes_in_a_table_are_refused_unless_the_filter_names_them() {
    let csv = grid("recipe,N,D,loss", |n, d, l| format!("gpt,{n},{d},{l}\nllama,{n},{d},{}\n", 0.95 * l));
    let table = file(&csv);
    let error = points(&table.request(), &Chinchilla).unwrap_err();
    let LabError::Recipes { swept, .. } = &error else { panic!("{error}") };
    assert_eq!(swept.words, ["gpt", "llama"]);
    let one = |filter: &str| TableRequest { filter: Some(filter.into()), ..table.request() };
    assert_eq!(fitted(one("recipe == 'gpt'"), "chinchilla").unwrap().reading.n_points, 16);
    let both = fitted(one("recipe != ''"), "chinchilla").unwrap();
    assert!(both.reading.n_points == 32 && both.lack_of_fit.is_none(), "recipes are no repeats");
    assert_eq!(both.reading.swept.len(), 1);
}

#[test]
fn words_that_make_no_difference_are_no_recipes() {
    let mut i = 0;
    let csv = grid("host,seed,N,D,loss", |n, d, l| {
        i += 1;
        let luck = if i % 3 == 0 { 0.01 } else { -0.01 };
        format!("gpu1,0,{n},{d},{}\ngpu2,1,{n},{d},{}\n", l + luck, l - luck)
    });
    let read = points(&file(&csv).request(), &Chinchilla).unwrap();
    assert_eq!((read.reading.swept.len(), read.reading.swept[0].parts_recipes), (1, false));
}

#[test]
fn architectures_at_different_sizes_are_told_by_the_residuals() {
    let (mut place, mut next) = (0, 0u64);
    let csv = |apart: f64| {
        let mut noise = move || {
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1.0 + 0.01 * ((next >> 40) as f64 / 2f64.powi(24) - 0.5)
        };
        grid("kind,host,size,N,D,loss", move |n, d, _| {
            place += 1;
            let size = if n < 1e8 { "small" } else { "large" };
            let lstm = place % 2 == 0;
            let (kind, n, apart) = if lstm { ("lstm", 1.1 * n, apart) } else { ("transformer", n, 1.0) };
            format!("{kind},gpu{},{size},{n},{d},{}\n", place % 3, apart * loss(n, d) * noise())
        })
    };
    let table = file(&csv(1.05));
    let report = fitted(table.request(), "chinchilla").unwrap();
    let [offset] = &report.offsets[..] else { panic!("{:?}", report.offsets) };
    assert_eq!(offset.column, "kind");
    assert!(offset.p_value < 1e-3 && report.law.status >= FitStatus::Remarks);
    let said = report.law.warnings.iter().find(|w| w.code == "recipes").map(|w| w.message.clone()).unwrap();
    assert!(said.contains("\"lstm\" lie") && said.contains("kind == \"transformer\""), "{said}");
    let judged = TableRequest { filter: Some("kind != ''".into()), ..table.request() };
    assert_eq!(fitted(judged, "chinchilla").unwrap().offsets, []);
    let alike = fitted(file(&csv(1.0)).request(), "chinchilla").unwrap();
    assert_eq!(alike.offsets, []);
}

#[test]
fn words_for_sizes_are_no_recipes_where_the_law_bends_otherwise_than_the_data() {
    let csv = grid("size,N,D,loss", |n, d, l| {
        let size = ["tiny", "small", "medium", "large"][(n / 1e7).log(4.0).round() as usize];
        format!("{size},{},{d},{l}\n", n * if d > 1e10 { 1.1 } else { 1.0 })
    });
    assert_eq!(fitted(file(&csv).request(), "n").unwrap().offsets, []);
}

#[test]
fn outcomes_of_few_digits_are_no_settings_and_more_than_five_settings_are_told_in_one_line() {
    let mut place = 0;
    let csv = grid("seed,N,D,MMLU,throughput_sps,s1,s2,s3,s4,s5,s6,s7,loss", |n, d, l| {
        place += 1;
        let row = |k: u32| {
            // The bits of k: no setting follows from another.
            let settings: Vec<String> = (0..7).map(|bit| (k >> bit & 1).to_string()).collect();
            let (score, speed) = (0.1 * f64::from(place % 3), 50 + k % 2);
            format!("{k},{n},{d},{score},{speed},{},{}\n", settings.join(","), l + 1e-3 * f64::from(k))
        };
        (0..7).map(|bit| row(1 << bit)).collect()
    });
    let reading = points(&file(&csv).request(), &Chinchilla).unwrap().reading;
    let swept: Vec<&str> = reading.swept.iter().map(|s| s.column.as_str()).collect();
    assert_eq!(swept, ["s1", "s2", "s3", "s4", "s5", "s6", "s7"]);
    let said = reading.doubtful();
    assert_eq!(said.len(), 6);
    assert_eq!(said[5].1, "the same is true of 2 more columns: s6, s7");
}

#[test]
fn seeds_alone_are_repeats_whatever_they_are_called() {
    for name in ["rep", "replicate", "trial", "CV fold", "repeat", "seed"] {
        let csv = grid(&format!("run,{name},seed,N,D,loss"), |n, d, l| {
            format!("a,0,0,{n},{d},{}\nb,1,1,{n},{d},{}\nc,2,1,{n},{d},{}\n", l + 0.01, l, l - 0.01)
        });
        let report = fitted(file(&csv).request(), "chinchilla").unwrap();
        assert_eq!(report.reading.swept, [], "{name}");
        assert_eq!(report.lack_of_fit.unwrap().freedom.1, 32.0, "{name}");
    }
}

#[test]
fn copies_of_a_run_that_differ_by_next_to_nothing_are_one_run() {
    let csv = grid("N,D,loss", |n, d, l| {
        (0..10).map(|k| format!("{n},{d},{}\n", l + 1e-9 * f64::from(k))).collect()
    });
    let report = fitted(file(&csv).request(), "chinchilla").unwrap();
    let copies = report.reading.copies.unwrap();
    assert_eq!((copies.rows, copies.different, report.law.n_runs), (160, 16, 16));
    assert!(report.law.warnings.iter().any(|w| w.code == "copies"));
}

#[test]
fn rows_of_one_size_that_err_together_are_said_to_be_checkpoints_perhaps() {
    // Checkpoints at equal ratios of tokens look like a grid; that all of a size share one error gives them away.
    let noise = |i: usize| ((i as f64 * 12.9898).sin() * 43758.5453).fract() - 0.5;
    let table = |of_size: f64, of_row: f64| {
        let mut csv = String::from("N,D,loss\n");
        for i in 0..6 {
            for j in 0..12 {
                let (n, d) = (2e7 * 2f64.powi(i), 1e8 * 1.8f64.powi(j));
                let error =
                    of_size * noise(i as usize + 1) + of_row * noise(100 + 12 * i as usize + j as usize);
                csv += &format!("{n},{d},{}\n", loss(n, d) * (1.0 + error));
            }
        }
        fitted(file(&csv).request(), "chinchilla").unwrap().law
    };
    let said = |law: &FittedLaw| law.warnings.iter().any(|w| w.code == "checkpoints");
    let together = table(0.01, 0.001);
    assert!(said(&together) && together.status >= FitStatus::Remarks, "{:?}", together.warnings);
    assert!(!said(&table(0.0, 0.01)));
}

#[test]
fn checkpoints_without_a_run_column_are_said_to_be_curves_and_a_grid_is_not() {
    let mut csv = String::from("N,D,loss\n");
    for i in 0..4 {
        for step in 1..=20 {
            let (n, d) = (1e7 * 4f64.powi(i), 2e8 * f64::from(step));
            let _ = writeln!(csv, "{n},{d},{}", loss(n, d));
        }
    }
    let report = fitted(file(&csv).request(), "chinchilla").unwrap();
    let found = report.reading.checkpoints.unwrap();
    assert_eq!((found.rows, found.runs, report.law.n_runs), (80, 4, 4));
    assert!(report.law.warnings.iter().any(|w| w.code == "checkpoints"));
    let grid = grid("N,D,loss", |n, d, l| format!("{n},{d},{l}\n"));
    assert_eq!(points(&file(&grid).request(), &Chinchilla).unwrap().reading.checkpoints, None);
}

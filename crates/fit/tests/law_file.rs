//! Laws written to a file and read back.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::laws::{Chinchilla, Expression, all};
use scalelaw_fit::{Dataset, Domain, FitOptions, FittedLaw, IntervalChoice, Law, fit, value};

/// Points of Chinchilla's law without noise.
fn points() -> Dataset {
    let (mut n, mut d, mut loss) = (vec![], vec![], vec![]);
    for i in 0..5 {
        for j in 0..5 {
            let (size, tokens) = (1e7 * 4f64.powi(i), 1e9 * 4f64.powi(j));
            n.push(size);
            d.push(tokens);
            loss.push(1.8172 + 482.01 / size.powf(0.3478) + 2085.43 / tokens.powf(0.3658));
        }
    }
    Dataset::new(loss).with("N", n).with("D", d)
}

#[test]
fn law_file_with_sorted_keys_predicts_what_the_fit_predicts() {
    let bounds = [("b".to_string(), 0.0, 2.0)];
    let expression = Expression::new("z + A/N^b + B/D^b", &["N", "D"], &bounds).unwrap();
    for law in [&Chinchilla as &dyn Law, &expression] {
        let fitted = fit(law, &points(), &FitOptions::default()).unwrap();
        let text = serde_json::to_string(&fitted).unwrap();
        // A generic value sorts its keys: E, A, B becomes A, B, E.
        let sorted = serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
        let at = [("N", 7e10), ("D", 1.4e12)];
        let expected = fitted.predict(&at).unwrap();
        for file in [text, sorted] {
            let read = FittedLaw::from_json(&file).unwrap();
            assert_eq!(read.values(), fitted.values());
            assert_eq!(read.predict(&at).unwrap(), expected);
        }
    }
}

#[test]
fn law_file_without_a_constant_is_refused_by_its_name() {
    let fitted = fit(&Chinchilla, &points(), &FitOptions::default()).unwrap();
    let text = serde_json::to_string(&fitted).unwrap().replacen("\"alpha\":", "\"alfa\":", 1);
    let error = FittedLaw::from_json(&text).unwrap_err().to_string();
    assert!(error.contains("alpha") && error.contains("chinchilla"), "{error}");
    assert!(FittedLaw::from_json("{}").unwrap_err().to_string().contains("not a law file"));
}

/// Parameters that a law of any kind accepts.
fn plausible(law: &dyn Law) -> Vec<f64> {
    law.params()
        .iter()
        .map(|p| match p.domain {
            Domain::Between(lo, hi) => lo + 0.3 * (hi - lo),
            Domain::Real => 0.2,
            Domain::Positive => p.grid.get(p.grid.len() / 2).copied().unwrap_or(50.0),
        })
        .collect()
}

#[test]
fn law_of_any_kind_predicts_the_same_interval_before_and_after_its_file() {
    let bounds = [("c".to_string(), -3.0, 3.0), ("m".to_string(), -2.0, 0.0)];
    let mut laws = all();
    for text in ["c + k*N^m", "E + A/N^alpha + B/D^beta", "E + A/N^alpha"] {
        let bounds: Vec<_> =
            bounds.iter().filter(|(n, ..)| text.starts_with(n) || text.ends_with(n)).cloned().collect();
        laws.push(Box::new(Expression::new(text, &["N", "D"], &bounds).unwrap()));
    }
    let mut compared = 0;
    for law in laws {
        let truth = plausible(law.as_ref());
        let variables: Vec<&str> = law.variables().iter().map(AsRef::as_ref).collect();
        let place = |i: usize, v: usize| 1e3 * 1.7f64.powi(((i * (2 * v + 3)) % 23) as i32);
        let loss = (0..40)
            .map(|i| {
                let x: Vec<f64> = (0..variables.len()).map(|v| place(i, v)).collect();
                value(law.as_ref(), &x, &truth) * (1.0 + 0.01 * ((i * 7 % 11) as f64 - 5.0) / 5.0)
            })
            .collect();
        let mut data = Dataset::new(loss);
        for (v, name) in variables.iter().enumerate() {
            data = data.with(name, (0..40).map(|i| place(i, v)).collect());
        }
        let options = FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
        let Ok(fitted) = fit(law.as_ref(), &data, &options) else { continue };
        let read = FittedLaw::from_json(&serde_json::to_string(&fitted).unwrap()).unwrap();
        let at: Vec<(&str, f64)> = variables.iter().map(|v| (*v, 3e7)).collect();
        if let Ok(expected) = fitted.predict(&at) {
            assert_eq!(read.predict(&at).unwrap(), expected, "{}", fitted.equation);
            compared += usize::from(expected.ci95.is_some());
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn law_written_out_predicts_what_the_built_in_law_predicts() {
    let built_in = fit(&Chinchilla, &noisy(), &FitOptions::default()).unwrap();
    let expression = Expression::new("E + A/N^alpha + B/D^beta", &["N", "D"], &[]).unwrap();
    let written = fit(&expression, &noisy(), &FitOptions::default()).unwrap();
    let written = FittedLaw::from_json(&serde_json::to_string(&written).unwrap()).unwrap();
    let at = [("N", 7e10), ("D", 1.4e12)];
    let [a, b] = [built_in, written].map(|law| law.predict(&at).unwrap());
    let near = |x: f64, y: f64| (x / y - 1.0).abs() < 1e-6;
    assert!(near(a.mean, b.mean), "{a:?} {b:?}");
    for (x, y) in a.ci95.unwrap().into_iter().zip(b.ci95.unwrap()) {
        assert!(near(x, y), "{a:?} {b:?}");
    }
}

/// The points, each loss a little off.
fn noisy() -> Dataset {
    let points = points();
    let loss =
        points.response().iter().enumerate().map(|(i, y)| y * (1.0 + 0.002 * ((i * 7 % 11) as f64 - 5.0)));
    let loss = loss.collect();
    points.with_response(loss)
}

#[test]
fn law_file_of_an_unidentified_fit_is_read_again() {
    let n: Vec<f64> = (0..12).map(|i| 1e7 * 2f64.powi(i)).collect();
    let d: Vec<f64> = n.iter().map(|n| 20.0 * n).collect();
    let loss = n.iter().zip(&d).enumerate().map(|(i, (n, d))| {
        (1.69 + 406.4 / n.powf(0.34) + 410.7 / d.powf(0.28)) * (1.0 + 0.003 * ((i * 5 % 7) as f64 - 3.0))
    });
    let data = Dataset::new(loss.collect()).with("N", n).with("D", d);
    for intervals in [IntervalChoice::Profile, IntervalChoice::Bootstrap(40), IntervalChoice::Covariance] {
        let law = fit(&Chinchilla, &data, &FitOptions { intervals, ..FitOptions::default() }).unwrap();
        let read = FittedLaw::from_json(&serde_json::to_string(&law).unwrap()).unwrap();
        assert_eq!(read.params, law.params);
    }
}

#[test]
fn law_file_with_a_short_covariance_is_refused_and_with_endless_freedom_answers() {
    let fitted = fit(&Chinchilla, &noisy(), &FitOptions::default()).unwrap();
    let mut short = fitted.clone();
    short.diagnostics.covariance.as_mut().unwrap().pop();
    let error = FittedLaw::from_json(&serde_json::to_string(&short).unwrap()).unwrap_err().to_string();
    assert!(error.contains("25") && error.contains("24"), "{error}");
    let mut endless = fitted;
    endless.diagnostics.degrees_of_freedom = 1e308;
    let read = FittedLaw::from_json(&serde_json::to_string(&endless).unwrap()).unwrap();
    assert!(read.predict(&[("N", 1e10), ("D", 1e12)]).unwrap().ci95.is_some());
}

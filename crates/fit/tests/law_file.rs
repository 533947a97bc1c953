//! Laws written to a file and read back.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::laws::{Chinchilla, Expression};
use scalelaw_fit::{Dataset, FitOptions, FittedLaw, Law, fit};

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

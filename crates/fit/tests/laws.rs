//! Every law in the registry: its gradient, its Hessian, and its recovery from exact data.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, Law, fit, laws, value, value_and_gradient};

/// A sensible place for each law: parameters from the papers, variables inside their data.
fn place(law: &dyn Law) -> (Vec<f64>, Vec<f64>) {
    let p: Vec<f64> = law
        .params()
        .iter()
        .map(|p| match p.name.as_ref() {
            "N_c" => 8.8e13,
            "D_c" => 5.4e13,
            "C_c" | "C_c_min" => 2.0e28,
            "alpha_N" => 0.076,
            "alpha_D" => 0.103,
            "alpha_C" | "alpha_C_min" => 0.05,
            "E" => 1.69,
            "k" => 400.0,
            "alpha" => 0.34,
            "A" => 406.4,
            "B" => 410.7,
            "beta" => 0.28,
            "a" => 0.25,
            "b" => 7.1e12,
            other => panic!("no test value for the parameter {other} of {}", law.name()),
        })
        .collect();
    let x = law
        .variables()
        .iter()
        .map(|v| match v.as_ref() {
            "N" => 3.1e7,
            "D" => 2.2e9,
            "C" => 4.0e17,
            other => panic!("no test value for the variable {other} of {}", law.name()),
        })
        .collect();
    (x, p)
}

#[test]
fn gradient_of_every_law_equals_central_differences() {
    for law in laws::all() {
        let (x, p) = place(law.as_ref());
        let (_, gradient) = value_and_gradient(law.as_ref(), &x, &p);
        for j in 0..p.len() {
            // Cube root of machine epsilon: the step that balances a central difference's two errors.
            let h = 6e-6 * p[j];
            let moved = |sign: f64| {
                let mut q = p.clone();
                q[j] += sign * h;
                value(law.as_ref(), &x, &q)
            };
            let numeric = (moved(1.0) - moved(-1.0)) / (2.0 * h);
            let scale = gradient[j].abs().max(1e-3 * value(law.as_ref(), &x, &p) / p[j]);
            let name = &law.params()[j].name;
            assert!(
                (numeric - gradient[j]).abs() < 1e-7 * scale,
                "{} by {name}: {} against {numeric}",
                law.name(),
                gradient[j]
            );
        }
    }
}

#[test]
fn hessian_of_every_law_equals_central_differences_of_its_gradient() {
    for law in laws::all() {
        let (x, p) = place(law.as_ref());
        let n = p.len();
        let ln = |v: &[f64]| v.iter().map(|v| v.ln()).collect::<Vec<f64>>();
        let (ln_x, ln_p) = (ln(&x), ln(&p));
        let (value, gradient) = value_and_gradient(law.as_ref(), &x, &p);
        let mut hessian = vec![0.0; n * n];
        law.hessian(
            scalelaw_fit::Vars { value: &x, ln: &ln_x },
            scalelaw_fit::Pars { value: &p, ln: &ln_p },
            &gradient,
            &mut hessian,
        );
        for j in 0..n {
            let h = 6e-6 * p[j];
            let moved = |sign: f64| {
                let mut q = p.clone();
                q[j] += sign * h;
                value_and_gradient(law.as_ref(), &x, &q).1
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            for k in 0..=j {
                let numeric = (up[k] - down[k]) / (2.0 * h);
                let got = hessian[k * n + j];
                let scale = numeric.abs().max(1e-2 * value / (p[j] * p[k]));
                assert!(
                    (got - numeric).abs() < 1e-5 * scale,
                    "{} ({k},{j}): {got} against {numeric}",
                    law.name()
                );
            }
        }
    }
}

#[test]
fn every_law_recovers_its_constants_from_exact_data() {
    for law in laws::all() {
        let (x0, p) = place(law.as_ref());
        let width = x0.len();
        // A grid of seven places a variable, two and a half decades.
        let n = 7usize.pow(width as u32);
        let column = |j: usize| -> Vec<f64> {
            (0..n).map(|i| x0[j] * 10f64.powf((i / 7usize.pow(j as u32) % 7) as f64 * 0.42 - 1.26)).collect()
        };
        let columns: Vec<Vec<f64>> = (0..width).map(column).collect();
        let y = (0..n)
            .map(|i| value(law.as_ref(), &columns.iter().map(|c| c[i]).collect::<Vec<_>>(), &p))
            .collect();
        let mut data = Dataset::new(y);
        for (name, values) in law.variables().iter().zip(columns) {
            data = data.with(name, values);
        }
        let options = FitOptions { intervals: IntervalChoice::None, ..FitOptions::default() };
        let got = fit(law.as_ref(), &data, &options).unwrap();
        for ((name, estimate), want) in got.params.iter().zip(&p) {
            assert!(
                (estimate.value / want - 1.0).abs() < 1e-6,
                "{} {name}: {} against {want}; {:?}",
                law.name(),
                estimate.value,
                got.starts
            );
        }
        assert!(got.starts.agreeing >= 2, "{}: {:?}", law.name(), got.starts);
    }
}

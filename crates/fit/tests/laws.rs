//! Every law in the registry: its gradient, its Hessian, and its recovery from exact data.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, Law, fit, laws, value, value_and_gradient};

/// A sensible place for each law: parameters from the papers, variables inside their data.
fn place(law: &dyn Law) -> (Vec<f64>, Vec<f64>) {
    // A law whose symbols mean something else there says so first.
    let own: &[(&str, f64)] = match law.name() {
        "position" => &[("a", 2.4), ("b", 5.1), ("c", 0.61)],
        "over-training" => &[("a", 200.0), ("b", 240.0)],
        "broken" => &[("a", 1.2), ("b", 20.0), ("c0", 0.1), ("c1", 0.2), ("d", 1e7), ("f", 0.5)],
        "m4" => &[("alpha", 0.8), ("beta", 12.0), ("c", 0.25)],
        "hyper-nd" | "hyper-n" | "hyper-c" | "hyper-d" => &[("k", 1.79), ("a", -0.5), ("b", 0.307)],
        "skaling" => &[("k", 0.8)],
        _ => &[],
    };
    let general = [
        ("N_c", 8.8e13),
        ("D_c", 5.4e13),
        ("C_c", 2.0e28),
        ("C_c_min", 2.0e28),
        ("S_c", 2.1e3),
        ("alpha_N", 0.076),
        ("alpha_D", 0.103),
        ("alpha_C", 0.05),
        ("alpha_C_min", 0.05),
        ("alpha_S", 0.76),
        ("alpha_B", 0.21),
        ("B_star", 2.1e8),
        ("S_min", 4.0e4),
        ("E_min", 3.0e10),
        ("offset", 0.35),
        ("E", 1.69),
        ("k", 400.0),
        ("alpha", 0.34),
        ("A", 406.4),
        ("B", 410.7),
        ("beta", 0.28),
        ("a", 0.25),
        ("b", 7.1e12),
        ("N_0", 4e6),
        ("D_0", 3e8),
        ("R_D_star", 15.4),
        ("R_N_star", 5.3),
        ("eta", 0.12),
        ("L_inf", 1.5),
        ("L_0", 10.8),
    ];
    let p = law
        .params()
        .iter()
        .map(|p| {
            let found = own.iter().chain(&general).find(|(name, _)| *name == p.name);
            found.unwrap_or_else(|| panic!("no test value for {} of {}", p.name, law.name())).1
        })
        .collect();
    let variables = [
        ("N", 3.1e7),
        ("D", 2.2e9),
        ("C", 4.0e17),
        ("S", 2.0e4),
        ("B", 3.0e5),
        ("L", 3.2),
        ("T", 40.0),
        ("U", 4.0e8),
        ("M", 25.0),
    ];
    let x = law
        .variables()
        .iter()
        .map(|v| {
            variables.iter().find(|(name, _)| name == v).unwrap_or_else(|| panic!("no test value for {v}")).1
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
            let h = 6e-6 * p[j].abs();
            let moved = |sign: f64| {
                let mut q = p.clone();
                q[j] += sign * h;
                value(law.as_ref(), &x, &q)
            };
            let numeric = (moved(1.0) - moved(-1.0)) / (2.0 * h);
            let scale = gradient[j].abs().max(1e-3 * value(law.as_ref(), &x, &p) / p[j].abs());
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
        let (at, with) =
            (scalelaw_fit::Vars { value: &x, ln: &ln_x }, scalelaw_fit::Pars { value: &p, ln: &ln_p });
        if !law.hessian(at, with, &gradient, &mut hessian) {
            let by: Vec<usize> = (0..n).collect();
            scalelaw_fit::hessian_by_differences(law.as_ref(), at, with, &gradient, &by, &mut hessian);
        }
        for j in 0..n {
            let h = 6e-6 * p[j].abs();
            let moved = |sign: f64| {
                let mut q = p.clone();
                q[j] += sign * h;
                value_and_gradient(law.as_ref(), &x, &q).1
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            for k in 0..=j {
                let numeric = (up[k] - down[k]) / (2.0 * h);
                let got = hessian[k * n + j];
                let scale = numeric.abs().max(1e-2 * value / (p[j] * p[k]).abs());
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
        // 41 places along one variable over eight decades, or seven along each over two and a half.
        let (places, decades) = if width == 1 { (41usize, 8.0) } else { (7, 2.5) };
        let n = places.pow(width as u32);
        let column = |j: usize| -> Vec<f64> {
            let at = |i: usize| (i / places.pow(j as u32) % places) as f64 / (places - 1) as f64 - 0.5;
            (0..n).map(|i| x0[j] * 10f64.powf(decades * at(i))).collect()
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
        assert!(got.starts.agreeing >= got.starts.tried.min(2), "{}: {:?}", law.name(), got.starts);
    }
}

//! Repeated data: Muennighoff et al. 2023, with effective data and effective parameters.

use crate::elementary::{exp, ln};
use crate::law::{Domain, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// L(N, D, U) = E + A/N'^α + B/D'^β, where repetitions decay in value:
/// D' = U + U·R_D*·(1 − e^(−R_D/R_D*)) with R_D = D/U − 1, and N' = U_N + U_N·R_N*·(1 − e^(−R_N/R_N*)) with
/// R_N = N/U_N − 1 and U_N the compute-optimal size for U unique tokens (at most N).
#[derive(Clone, Copy, Debug)]
pub struct DataConstrained;

const PARAMS: &[Param] = &[
    Param::amplitude("E", "E"),
    Param::amplitude("A", "A"),
    Param::amplitude("B", "B"),
    Param::shape("alpha", "\\alpha", Domain::Positive, &[0.2, 0.28, 0.35, 0.45]),
    Param::shape("beta", "\\beta", Domain::Positive, &[0.2, 0.28, 0.35, 0.45]),
    Param::shape(
        "R_D_star",
        "R_D^*",
        Domain::Positive,
        &[2.0, 4.0, 8.0, 15.0, 25.0, 45.0, 80.0, 150.0, 300.0],
    ),
    Param::shape("R_N_star", "R_N^*", Domain::Positive, &[0.8, 1.3, 1.7, 2.3, 3.5, 5.5, 9.0, 16.0, 30.0]),
];

impl Law for DataConstrained {
    fn name(&self) -> &str {
        "data-constrained"
    }
    fn equation(&self) -> String {
        "L(N, D, U) = E + A/N'^alpha + B/D'^beta,  D' = U + U*R_D_star*(1 - exp(-(D/U - 1)/R_D_star)),  \
         N' = U_N + U_N*R_N_star*(1 - exp(-(N/U_N - 1)/R_N_star)),  U_N = min(N, N_opt(U))"
            .into()
    }
    fn latex(&self) -> String {
        "L(N, D, U) = E + \\frac{A}{N'^{\\alpha}} + \\frac{B}{D'^{\\beta}}".into()
    }
    fn source(&self) -> &str {
        "Muennighoff et al. 2023, equations 5 and 6"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N"), Cow::Borrowed("D"), Cow::Borrowed("U")] }
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }
    fn linear(&self) -> &[usize] {
        // Not A and B: the optimal size for U depends on their ratio.
        &[]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, alpha, beta, r_d, r_n] =
            [p.value[0], p.value[1], p.value[2], p.value[3], p.value[4], p.value[5], p.value[6]];
        let [n, d, u] = [x.value[0], x.value[1], x.value[2]];
        // Chinchilla's optimum along D: N_opt = (αA/βB)^(1/α)·U^(β/α), Hoffmann et al. 2022, equation 4.
        let ln_ratio = ln(alpha) + p.ln[1] - ln(beta) - p.ln[2];
        let ln_opt = (ln_ratio + beta * x.ln[2]) / alpha;
        let bound = ln_opt >= x.ln[0];
        let ln_u_n = if bound { x.ln[0] } else { ln_opt };
        let u_n = exp(ln_u_n);

        let (data, data_by_r, _) = effective(u, d, r_d);
        let (model, model_by_r, model_by_u) = effective(u_n, n, r_n);
        let of_n = a * exp(-alpha * ln(model));
        let of_d = b * exp(-beta * ln(data));
        let (by_model, by_data) = (-alpha * of_n / model, -beta * of_d / data);
        g[0] = 1.0;
        g[1] = of_n / a;
        g[2] = of_d / b;
        g[3] = -ln(model) * of_n;
        g[4] = -ln(data) * of_d;
        g[5] = by_data * data_by_r;
        g[6] = by_model * model_by_r;
        if !bound {
            // Through U_N = exp(ln_opt).
            let through = by_model * model_by_u * u_n;
            g[1] += through / (alpha * a);
            g[2] -= through / (alpha * b);
            g[3] += through * (1.0 / alpha - ln_opt) / alpha;
            g[4] += through * (x.ln[2] - 1.0 / beta) / alpha;
        }
        e + of_n + of_d
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        if p[..3].iter().all(|v| v.is_finite()) {
            return Some(p.to_vec());
        }
        // The amplitudes as if no token were repeated.
        let [e, a, b] =
            crate::starts::amplitudes(data, |x| [1.0, exp(-p[3] * x.ln[0]), exp(-p[4] * x.ln[1])])?;
        let mut start = p.to_vec();
        for (value, found) in start.iter_mut().zip([e, a, b]) {
            if value.is_nan() {
                *value = found;
            }
        }
        Some(start)
    }
}

/// unique·(1 + r·(1 − e^(−(total/unique − 1)/r))), and its derivatives by r and by `unique`.
fn effective(unique: f64, total: f64, r: f64) -> (f64, f64, f64) {
    let repeats = (total / unique - 1.0).max(0.0);
    let decayed = exp(-repeats / r);
    let value = unique * (1.0 + r * (1.0 - decayed));
    let by_r = unique * (1.0 - decayed - decayed * repeats / r);
    let by_unique = 1.0 + r * (1.0 - decayed) - decayed * total / unique;
    (value, by_r, by_unique)
}

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
    // Not linear in A and B: the optimal size for U depends on their ratio.
    Param::amplitude("E", "E"),
    Param::amplitude("A", "A"),
    Param::amplitude("B", "B"),
    Param::exponent("alpha", "\\alpha", "N", &[0.2, 0.28, 0.35, 0.45]),
    Param::exponent("beta", "\\beta", "D", &[0.2, 0.28, 0.35, 0.45]),
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
    fn title(&self) -> &str {
        "Loss against model size, data and unique data, repetitions losing value"
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

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, alpha, beta, r_d, r_n] = p.values();
        let [_, ln_a, ln_b, ..]: [f64; 7] = p.logs();
        let ([n, d, u], [ln_n, _, ln_u]) = (x.values(), x.logs());
        // Chinchilla's optimum along D: N_opt = (αA/βB)^(1/α)·U^(β/α), Hoffmann et al. 2022, equation 4.
        let ln_ratio = ln(alpha) + ln_a - ln(beta) - ln_b;
        let ln_opt = (ln_ratio + beta * ln_u) / alpha;
        let bound = ln_opt >= ln_n;
        let ln_u_n = if bound { ln_n } else { ln_opt };
        let u_n = exp(ln_u_n);

        let (data, data_by_r, _) = effective(u, d, r_d);
        let (model, model_by_r, model_by_u) = effective(u_n, n, r_n);
        let of_n = a * exp(-alpha * ln(model));
        let of_d = b * exp(-beta * ln(data));
        let (by_model, by_data) = (-alpha * of_n / model, -beta * of_d / data);
        let (mut by_a, mut by_b) = (of_n / a, of_d / b);
        let (mut by_alpha, mut by_beta) = (-ln(model) * of_n, -ln(data) * of_d);
        if !bound {
            // Through U_N = exp(ln_opt).
            let through = by_model * model_by_u * u_n;
            by_a += through / (alpha * a);
            by_b -= through / (alpha * b);
            by_alpha += through * (1.0 / alpha - ln_opt) / alpha;
            by_beta += through * (ln_u - 1.0 / beta) / alpha;
        }
        let (by_r_d, by_r_n) = (by_data * data_by_r, by_model * model_by_r);
        g.copy_from_slice(&[1.0, by_a, by_b, by_alpha, by_beta, by_r_d, by_r_n]);
        e + of_n + of_d
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        if p[..3].iter().all(|v| v.is_finite()) {
            return Some(p.to_vec());
        }
        // The amplitudes as if no token were repeated.
        let &[_, _, _, alpha, beta, ..] = p else { return None };
        let [e, a, b] = crate::starts::amplitudes(data, |x| {
            let [ln_n, ln_d, _] = x.logs();
            [1.0, exp(-alpha * ln_n), exp(-beta * ln_d)]
        })?;
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

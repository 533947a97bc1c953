//! What a quickstart found, for the terminal and for `--json`.

use crate::output;
use crate::progress::clock;
use scalelaw_core::number::short;
use scalelaw_fit::FittedLaw;
use scalelaw_fit::presets::kaplan2020::{L_C, L_D, L_N, L_N_D};
use scalelaw_lab::laws::{Fitted, Observation};
use scalelaw_lab::quickstart::laws::{QuickstartLaws, exponent};
use scalelaw_lab::quickstart::{FACTOR, Findings};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// The findings.
#[derive(Serialize)]
pub struct Summary {
    /// The page.
    pub report: PathBuf,
    /// Finished runs.
    pub runs: usize,
    /// Keys of failed runs, with the reason.
    pub failed: Vec<(String, String)>,
    /// Rms residual of the L(N) fit as a share of the loss.
    l_n_rms: Option<f64>,
    laws: Vec<LawLine>,
    plan: Option<PlanLine>,
    floor_nats_per_token: Option<f64>,
    lowest_loss: Option<f64>,
    wall_s: f64,
}

#[derive(Serialize)]
struct LawLine {
    law: String,
    equation: String,
    exponent: String,
    kaplan_2020: f64,
}

#[derive(Serialize)]
struct PlanLine {
    compute_flops_full: f64,
    n_nonembed: f64,
    tokens: f64,
    steps: f64,
    batch_tokens: f64,
    loss: f64,
    loss_pi95: Option<[f64; 2]>,
    loss_of_any_form: Option<(f64, [f64; 2])>,
    epochs: f64,
}

impl Summary {
    /// Sums up the findings; `report` is the page's path.
    pub fn new(findings: &Findings, report: PathBuf, took: Duration) -> Self {
        let l_n_rms = findings.laws.params.as_ref().ok().map(|Fitted { law, points }| {
            let square = |p: &Observation| {
                let fitted = law.predict(&[("N", p.at[0])]).map_or(f64::NAN, |l| l.mean);
                (p.loss / fitted - 1.0).powi(2)
            };
            (points.iter().map(square).sum::<f64>() / points.len() as f64).sqrt()
        });
        Self {
            report,
            runs: findings.rows.len(),
            failed: findings.failed.clone(),
            l_n_rms,
            laws: law_lines(&findings.laws),
            plan: findings.next.as_ref().ok().map(|n| PlanLine {
                compute_flops_full: n.compute,
                n_nonembed: n.n_params,
                tokens: n.tokens,
                steps: n.steps,
                batch_tokens: n.batch_tokens,
                loss: n.loss,
                loss_pi95: n.loss_pi95,
                loss_of_any_form: n.of_any_form,
                epochs: n.epochs,
            }),
            floor_nats_per_token: findings.floor.as_ref().map(|f| f.loss),
            lowest_loss: findings.rows.iter().filter_map(|r| r.loss_min).reduce(f64::min),
            wall_s: took.as_secs_f64(),
        }
    }

    /// Prints for a person, or as JSON.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::print(&serde_json::to_string_pretty(self)?);
        }
        let mut lines = vec![format!("{} runs in {}", self.runs, clock(self.wall_s))];
        for line in &self.laws {
            let (law, exponent) = (&line.law, &line.exponent);
            lines.push(format!("  {law:13} exponent {exponent}   Kaplan et al. 2020: {}", line.kaplan_2020));
        }
        if let Some(rms) = self.l_n_rms {
            lines.push(format!("  L(N) residuals: {:.2}% rms in loss", 100.0 * rms));
        }
        if let (Some(floor), Some(lowest)) = (self.floor_nats_per_token, self.lowest_loss) {
            lines.push(format!("  true source: {floor:.4} nats/token; lowest model loss {lowest:.4}"));
        }
        if let Some(plan) = &self.plan {
            lines.push(format!(
                "  next, {FACTOR:.0}x the compute in one run: N {}, {} tokens in {} steps of {}, loss {:.3}{}{}; \
                 extrapolated",
                short(plan.n_nonembed),
                short(plan.tokens),
                plan.steps,
                plan.batch_tokens,
                plan.loss,
                plan.loss_pi95.map_or(String::new(), |[low, high]| format!(" ({low:.3} to {high:.3})")),
                plan.loss_of_any_form.map_or(String::new(), |(loss, [low, high])| format!(
                    ", over several forms of the law {loss:.3} ({low:.3} to {high:.3})"
                )),
            ));
        }
        lines.push(self.report.display().to_string());
        for (key, reason) in &self.failed {
            eprintln!("run {key} failed: {reason}");
        }
        output::print(&lines.join("\n"))
    }
}

fn law_lines(fitted: &QuickstartLaws) -> Vec<LawLine> {
    let (n, d, c, nd) = (&fitted.params, &fitted.data, &fitted.compute, &fitted.joint);
    [
        ("L(N)", n, "alpha_N", L_N.exponent),
        ("L(D)", d, "alpha_D", L_D.exponent),
        ("L(C)", c, "alpha_C", L_C.exponent),
        ("L(N,D), in N", nd, "alpha_N", L_N_D.alpha_n),
        ("L(N,D), in D", nd, "alpha_D", L_N_D.alpha_d),
    ]
    .into_iter()
    .filter_map(|(name, law, exponent, kaplan_2020)| {
        let law = &law.as_ref().ok()?.law;
        Some(LawLine {
            law: name.into(),
            equation: law.equation_with_values(),
            exponent: with_interval(law, exponent),
            kaplan_2020,
        })
    })
    .collect()
}

/// `0.0691 (0.0661 to 0.0722)` for the terminal.
fn with_interval(law: &FittedLaw, name: &str) -> String {
    match exponent(law, name) {
        Some((value, Some((low, high)))) => {
            format!("{} ({} to {})", digits(value), digits(low), digits(high))
        }
        Some((value, None)) => digits(value),
        None => "-".into(),
    }
}

fn digits(value: f64) -> String {
    if value.abs() < 1000.0 { format!("{value:.4}") } else { short(value) }
}

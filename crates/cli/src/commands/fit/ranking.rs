//! The ranking of laws, and the forecast that takes none of them for true, in words.

use super::super::doubt::{behind, status};
use crate::output;
use scalelaw_core::number::short;
use scalelaw_fit::{FitStatus, Forecaster, Ranked, Reach, best};
use std::fmt::Write;

/// Laws by how well they extrapolate.
pub(super) fn ranking_text(ranked: &[Ranked], n: usize) -> String {
    let mut out = String::new();
    if let Some(h) = ranked.iter().find_map(|r| r.held_out.as_ref()) {
        let _ = writeln!(
            out,
            "{n} points; ranked by the error above {:.2e} (cost) of the law fitted below it: {} points fitted, {} scored",
            h.cut, h.n_fitted, h.n_scored
        );
    }
    let _ = writeln!(
        out,
        "{:<17}{:>12}{:>10}{:>11}{:>10}  {:<17}error by half-decades",
        "", "held-out rms", "bias", "rms of all", "AICc", "status"
    );
    for r in ranked {
        let (rms, bias, by) = r.held_out.as_ref().map_or_else(
            || ("—".into(), "—".into(), "too few points below the cut".into()),
            |h| {
                let by: Vec<String> = h.by_decades.iter().map(|d| format!("{:.4}", d.rms_log)).collect();
                (format!("{:.4}", h.rms_log), format!("{:+.4}", h.bias_log), by.join(" "))
            },
        );
        let aicc = r.law.diagnostics.aicc.map_or_else(|| "—".into(), |a| format!("{a:.1}"));
        let _ = writeln!(
            out,
            "{:<17}{rms:>12}{bias:>10}{:>11.4}{aicc:>10}  {:<17}{by}",
            r.law.law,
            r.law.diagnostics.rms_log,
            if r.examined || r.law.status >= FitStatus::AtBound {
                status(r.law.status)
            } else {
                "not examined"
            }
        );
        if !r.same.is_empty() {
            let _ = writeln!(out, "  the same in other variables: {}", r.same.join(", "));
        }
    }
    let first = &ranked[0];
    let of = |r: &Ranked| behind(Some(r.law.status), None);
    match best(ranked) {
        Some(best) => {
            let _ = writeln!(out, "\nbest: {}{}", best.law.equation_with_values(), of(best));
            for warning in &best.law.warnings {
                let _ = writeln!(out, "  {}: {}", warning.code, warning.message);
            }
            let tied = ranked.iter().filter(|r| r.tied && r.law.law != best.law.law);
            let doubt = |r: &Ranked| if r.examined { of(r) } else { "  [not examined]".into() };
            let tied: Vec<String> = tied.map(|r| format!("{}{}", r.law.law, doubt(r))).collect();
            if !tied.is_empty() {
                let _ = writeln!(
                    out,
                    "not to be told apart by these held-out runs: {} and {}",
                    best.law.law,
                    tied.join(", ")
                );
            }
        }
        None if first.held_out.is_none() => {
            let _ = writeln!(out, "\nno law is called best: too few points lie below the cut to score any");
        }
        None => {
            let _ = writeln!(
                out,
                "\nno law is called best: every law that was scored is in doubt; lowest error: {}{}",
                first.law.equation_with_values(),
                of(first)
            );
        }
    }
    out
}

/// The forecast and how it was made.
pub(super) fn forecast_text(made: &Forecaster, ranked: &[Ranked]) -> String {
    let weights: Vec<String> =
        made.weights_by_law().iter().map(|(law, weight)| format!("{law} {weight:.2}")).collect();
    let mut out = format!(
        "\nforecast from {} members, each run weighted by √C: {}\n",
        made.members.len(),
        weights.join(", ")
    );
    for origin in &made.origins {
        let _ = writeln!(
            out,
            "  from the {} runs below {:.2e} FLOPs, {:.1} decades: error {:.4} in ln loss over {} dearer runs, bias {:+.4}",
            origin.n_fitted, origin.flops, origin.decades, origin.rms_log, origin.n_scored, origin.bias_log
        );
    }
    if made.origins.is_empty() {
        let _ = writeln!(
            out,
            "  too few runs to try it from the cheaper ones; weights are by what each run's loss is from the others"
        );
    }
    // A law with further variables, such as the steps or the distinct tokens, may explain what N and D do not.
    let (of_n_and_d, wider): (Vec<_>, Vec<_>) =
        ranked.iter().filter_map(|r| Some((r, r.held_out.as_ref()?.rms_log))).partition(|(r, _)| {
            r.law.ranges.iter().all(|(variable, _)| ["N", "D", "C"].contains(&variable.as_str()))
        });
    if let (Some((other, error)), Some((own, least))) = (wider.first(), of_n_and_d.first())
        && *error < 0.5 * least
    {
        let _ = writeln!(
            out,
            "  N and D alone do not explain these runs: {} errs by {error:.4}, and {}, the best law of N and D, by \
             {least:.4}; predict with {} instead",
            other.law.law, own.law.law, other.law.law
        );
    }
    if !made.divides {
        for doubt in &made.doubts {
            let _ = writeln!(out, "  {}: no budget can be divided by these runs", doubt.message);
        }
        return out;
    }
    let _ = writeln!(
        out,
        "{:>9}{:>11}{:>11}{:>9}   {:<18}{:<24}{:<24}",
        "C", "N", "D", "loss", "95% of one run", "range of N", "range of D"
    );
    for times in [1.0, 10.0, 100.0] {
        let flops = times * made.flops[1];
        match made.best_division(flops) {
            Ok(best) => {
                let around = |[lo, hi]: [f64; 2]| format!("{} … {}", short(lo), short(hi));
                let _ = writeln!(
                    out,
                    "{flops:>9.2e}{:>11}{:>11}{:>9.4}   {:<18}{:<24}{:<24}{}",
                    short(best.optimum.n),
                    short(best.optimum.d),
                    best.outlook.loss,
                    output::interval(Some(best.outlook.interval95), 4),
                    around(best.n95),
                    around(best.d95),
                    reach_text(best.outlook.reach, made.tried())
                );
            }
            Err(error) => {
                let _ = writeln!(out, "{flops:>9.2e}  {error}");
            }
        }
    }
    out
}

/// What is to be said of how far a forecast goes.
fn reach_text(reach: Reach, tried: f64) -> String {
    match reach {
        Reach::Inside | Reach::Scored => String::new(),
        Reach::Beyond => format!("further than was tried ({tried:.1} decades)"),
        Reach::Far => {
            format!("more than twice as far as was tried ({tried:.1} decades): train a run in between first")
        }
    }
}

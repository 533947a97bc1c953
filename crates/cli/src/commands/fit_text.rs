//! Fitted laws as text for people.

use scalelaw_fit::{FitStatus, FittedLaw, IntervalMethod, LackOfFit, ParamState, Ranked, ResidualBin, short};
use std::fmt::Write;

/// One law, everything it has to say.
pub fn law(f: &FittedLaw, lack: Option<&LackOfFit>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}    {}", f.equation, f.source);
    let counted = f.conventions.map_or_else(
        || "counting convention not known".to_string(),
        |c| format!("{}, {}, {}", c.params, c.flops, c.data),
    );
    let _ = writeln!(out, "{} points of {} runs; {counted}", f.n_points, f.n_runs);
    let method = match f.intervals.method {
        IntervalMethod::Profile => "95% profile interval",
        IntervalMethod::Bootstrap => "95% bootstrap interval",
        IntervalMethod::Covariance => "95% interval (covariance)",
        IntervalMethod::None => "",
    };
    let beside = f.intervals.bootstrap.as_ref().filter(|_| f.intervals.method != IntervalMethod::Bootstrap);
    let heading = if beside.is_some() { "bootstrap 95%" } else { "" };
    let _ = writeln!(out, "\n{:<12}{:>14}{:>13}   {method:<27}{heading}", "", "value", "± s.e.");
    for (name, e) in &f.params {
        let se = e.se.map_or_else(String::new, short);
        let interval = e.ci95.map_or_else(String::new, |[lo, hi]| {
            let end = |v: Option<f64>| v.map_or_else(|| "open".into(), short);
            format!("{} … {}", end(lo), end(hi))
        });
        let boot = beside
            .and_then(|b| b.params.iter().find(|(n, _)| n == name))
            .map_or_else(String::new, |(_, [_, lo, hi])| format!("{} … {}", short(*lo), short(*hi)));
        let state = match e.state {
            ParamState::Identified => "",
            ParamState::AtBound => "AT BOUND",
            ParamState::Unidentified => "UNIDENTIFIED",
            ParamState::Fixed => "fixed",
        };
        let _ = writeln!(out, "{name:<12}{:>14}{se:>13}   {interval:<27}{boot:<25}{state}", digits(e.value));
    }
    let _ = writeln!(out, "\n{}: {:.12} (sum over points)", f.objective.objective, f.objective.value);
    let _ = writeln!(
        out,
        "residuals: rms {:.4} in ln loss, {:.4} in loss, largest {:.4}; condition number {}",
        f.diagnostics.rms_log,
        f.diagnostics.rms_loss,
        f.diagnostics.max_residual,
        f.diagnostics.condition_number.map_or("∞".into(), |c| format!("{c:.0}")),
    );
    if let Some(l) = lack {
        let verdict = if l.p_value < 0.05 {
            "the law misses more than seed noise explains"
        } else {
            "no lack of fit seen"
        };
        let _ = writeln!(
            out,
            "lack of fit against seed noise ({:.4} in ln loss): F({:.0}, {:.0}) = {:.2}, p = {:.3}: {verdict}",
            l.noise_log, l.freedom.0, l.freedom.1, l.f, l.p_value
        );
    }
    let _ = writeln!(
        out,
        "starts: {} of {} polished agree ({} screened); {} rival minima within 5%",
        f.starts.agreeing,
        f.starts.tried,
        f.starts.screened,
        f.starts.rivals.len()
    );
    for r in f.starts.rivals.iter().take(6) {
        let values: Vec<String> = r.params.iter().map(|(n, v)| format!("{n} {}", short(*v))).collect();
        let rejected = if r.within_interval { "not rejected by the data" } else { "rejected at 95%" };
        let _ = writeln!(
            out,
            "  rival {:+.3}%: {}; predictions up to {:.1e} apart; {rejected}",
            100.0 * r.excess,
            values.join(" "),
            r.prediction_gap
        );
    }
    let _ = writeln!(out, "status: {}", status(f.status));
    for w in &f.warnings {
        let _ = writeln!(out, "  {}: {}", w.code, w.message);
    }
    out
}

/// A status in the words of the file.
pub fn status(status: FitStatus) -> &'static str {
    match status {
        FitStatus::Ok => "ok",
        FitStatus::Remarks => "ok, with remarks",
        FitStatus::Rivals => "RIVAL MINIMA",
        FitStatus::AtBound => "AT BOUND",
        FitStatus::Unidentified => "UNIDENTIFIED",
        FitStatus::NotConverged => "NOT CONVERGED",
    }
}

/// Laws by how well they extrapolate.
pub fn ranking(ranked: &[Ranked], n: usize) -> String {
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
        "{:<17}{:>12}{:>10}{:>11}{:>10}  {:<14}error by half-decades",
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
            "{:<17}{rms:>12}{bias:>10}{:>11.4}{aicc:>10}  {:<14}{by}",
            r.law.law,
            r.law.diagnostics.rms_log,
            status(r.law.status)
        );
    }
    if let Some(best) = ranked.first() {
        let _ = writeln!(out, "\nbest: {}", best.law.equation_with_values());
    }
    out
}

/// Where a law misses.
pub fn residuals(variable: &str, bins: &[ResidualBin]) -> String {
    let mut out = format!("\n{variable:<27}{:>8}{:>14}{:>12}\n", "points", "mean residual", "rms");
    for b in bins {
        let stretch =
            if b.from == b.to { short(b.from) } else { format!("{} … {}", short(b.from), short(b.to)) };
        let _ = writeln!(out, "{stretch:<27}{:>8}{:>+14.4}{:>12.4}", b.n, b.mean_log, b.rms_log);
    }
    let _ = writeln!(out, "(ln prediction − ln observation: above 0 the law is too high)");
    out
}

/// The same law under several conventions.
pub fn conventions(fits: &[(String, FittedLaw)]) -> String {
    let mut out = String::new();
    if let Some((_, first)) = fits.first() {
        let _ = write!(out, "{:<34}", "columns");
        for (name, _) in &first.params {
            let _ = write!(out, "{name:>14}");
        }
        let _ = writeln!(out, "{:>12}", "rms ln loss");
    }
    for (label, f) in fits {
        let _ = write!(out, "{label:<34}");
        for (_, e) in &f.params {
            let _ = write!(out, "{:>14}", short(e.value));
        }
        let _ = writeln!(out, "{:>12.4}  {}", f.diagnostics.rms_log, status(f.status));
    }
    out
}

/// Six significant digits.
pub fn digits(value: f64) -> String {
    let size = value.abs();
    if (1e-3..1e6).contains(&size) {
        let places = (5 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.places$}")
    } else {
        format!("{value:.5e}")
    }
}

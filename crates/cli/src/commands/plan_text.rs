//! How plans and presets look in a terminal.

use crate::forecasts::Score;
use scalelaw_core::PF_DAY;
use scalelaw_core::number::short;
use scalelaw_fit::plan::Plan;
use scalelaw_fit::plan::contradiction::Crossing;
use scalelaw_fit::presets::{Answer, Mark, PRESETS};
use std::fmt::Write as _;

/// The presets a plan can follow, one line each.
pub fn preset_names() -> String {
    let mut out = String::new();
    for preset in PRESETS.iter().filter(|p| p.rule.answers().contains(&Answer::Plan)) {
        let _ = writeln!(out, "  {:<26} {}", preset.name, preset.title);
    }
    out
}

/// Every preset with its source.
pub fn presets() -> String {
    let mut out = String::new();
    for preset in PRESETS {
        let mark = match preset.mark {
            Mark::Stated => "",
            Mark::Recomputed => " [recomputed from the data]",
            Mark::SecondHand => " [SECOND-HAND]",
        };
        let answers: Vec<String> = preset.rule.answers().iter().map(Answer::to_string).collect();
        let _ = writeln!(out, "{:<26} {:<16} {}{mark}", preset.name, answers.join(", "), preset.title);
        let c = preset.conventions;
        let _ =
            writeln!(out, "{:26} {:<16} {}; {}, {}, {}", "", "", preset.source, c.params, c.flops, c.data);
        let mut ranges = Vec::new();
        for (symbol, range) in
            [("N", preset.range.params), ("D", preset.range.tokens), ("C", preset.range.flops)]
        {
            if let Some([lo, hi]) = range {
                ranges.push(format!("{symbol} {} to {}", short(lo), short(hi)));
            }
        }
        if !ranges.is_empty() {
            let _ = writeln!(out, "{:26} {:<16} fitted to {}", "", "", ranges.join(", "));
        }
        if !preset.note.is_empty() {
            let _ = writeln!(out, "{:26} {:<16} {}", "", "", preset.note);
        }
    }
    out
}

/// A plan.
pub fn plan(p: &Plan) -> String {
    let mut out = String::new();
    let w = &mut out;
    let _ = writeln!(w, "{} ({})", p.basis, p.source);
    if let Some(c) = p.conventions {
        let _ = writeln!(w, "N: {}; C: {}; D: {}", c.params, c.flops, c.data);
    }
    for warning in &p.warnings {
        let _ = writeln!(w, "warning: {warning}");
    }
    let _ = writeln!(w, "\n  C     {} FLOPs = {} PF-days", short(p.flops), short(p.flops / PF_DAY));
    let _ = writeln!(w, "  N     {} parameters", short(p.n));
    let _ = writeln!(w, "  D     {} tokens, {:.1} per parameter", short(p.d), p.tokens_per_param);
    if let Some(loss) = p.loss {
        let interval = |i: Option<[f64; 2]>, what: &str| {
            i.map_or(String::new(), |[lo, hi]| format!("; {what} {lo:.4} to {hi:.4}"))
        };
        let _ = writeln!(
            w,
            "  loss  {loss:.4} nats per token{}{}",
            interval(p.loss_ci95, "95% interval of the law"),
            interval(p.loss_pi95, "of one run")
        );
    }
    if let Some(c) = p.closed_form {
        let _ = writeln!(w, "        closed form: N {}, D {}, loss {:.4}", short(c.n), short(c.d), c.loss);
    }
    if let Some(k) = p.numeric {
        let _ =
            writeln!(w, "        numeric: N {}, D {}, loss {:.4}", short(k.n), short(k.tokens_min), k.loss);
    }
    if let Some(b) = &p.batch_tokens {
        let _ = writeln!(w, "  B     {} tokens ({})", short(b.value), b.by);
    }
    if let Some(s) = p.steps {
        let _ = writeln!(w, "  S     {} steps", short(s));
    }
    if let Some(lr) = &p.lr {
        let _ = writeln!(w, "  lr    {:.3e} ({})", lr.value, lr.by);
    }
    if let Some(f) = p.f {
        let _ = writeln!(w, "  stops {:.1}% above the converged loss of this size", 100.0 * f);
    }
    if let Some(s) = p.stopping {
        let _ = writeln!(
            w,
            "        against training to 2%: {:.2}x N, {:.2}x steps, {:.2}x compute",
            s.n, s.steps, s.compute
        );
    }
    if let Some(t) = &p.tokens_against_overfitting {
        let _ =
            writeln!(w, "  data  {} unique tokens keep over-fitting within 2% ({})", short(t.value), t.by);
    }
    if let Some(c) = p.cost {
        let _ = writeln!(
            w,
            "  cost  {} device-hours, {} hours, price {}",
            short(c.device_hours),
            short(c.hours),
            short(c.price)
        );
    }
    if let Some(r) = p.repeated {
        let _ = writeln!(
            w,
            "\nwith {} unique tokens: N {}, {} tokens = {:.1} epochs worth {}, loss {:.4} (+{:.4})",
            short(r.unique),
            short(r.allocation.n),
            short(r.allocation.d),
            r.epochs,
            short(r.effective_tokens),
            r.allocation.loss,
            r.excess_loss
        );
    }
    if let Some(s) = p.served {
        let _ = writeln!(
            w,
            "\nto train and serve: N {} ({:.2}x), D {} ({:.2}x), {} FLOPs in all, {} of training",
            short(s.n),
            s.n / p.n,
            short(s.d),
            s.d / p.d,
            short(s.flops),
            short(s.training_flops)
        );
    }
    if !p.other_sizes.is_empty() {
        let _ = writeln!(w, "\nthe same loss with another size\n     x          N          D  compute");
        for size in &p.other_sizes {
            let or_never = |v: Option<String>| v.unwrap_or_else(|| "never".into());
            let _ = writeln!(
                w,
                "{:>6} {:>10} {:>10} {:>8}",
                size.x,
                short(size.n),
                or_never(size.d.map(short)),
                or_never(size.compute.map(|c| format!("{c:.3}x")))
            );
        }
    }
    if !p.batches.is_empty() {
        let _ = writeln!(
            w,
            "\nthe same loss with another batch\nB/Bcrit          B      steps     tokens      FLOPs"
        );
        for b in &p.batches {
            let _ = writeln!(
                w,
                "{:>7} {:>10} {:>10} {:>10} {:>10}",
                b.ratio,
                short(b.batch_tokens),
                short(b.steps),
                short(b.tokens),
                short(b.flops)
            );
        }
    }
    out
}

/// The sensitivity table of section 6.3.
pub fn contradiction(rows: &[Crossing]) -> String {
    let mut out = String::from(
        "Kaplan et al. 2020, section 6.3: L(D) of the data that compute-efficient training uses meets L(C_min) at\n   C* PFd   C* FLOPs         N*         D*    L*  under\n",
    );
    for r in rows {
        let _ = writeln!(
            out,
            "{:>9.2e} {:>10} {:>10} {:>10} {:>5.2}  {}",
            r.pf_days,
            short(r.flops),
            short(r.n),
            short(r.d),
            r.loss,
            r.claims.variant
        );
    }
    out
}

/// How a forecast fared.
pub fn score(s: &Score) -> String {
    let f = &s.forecast;
    let at: Vec<String> = f.at.iter().map(|(name, value)| format!("{name} {}", short(*value))).collect();
    let mut out = format!(
        "forecast of {} by {}: {:.4} nats per token at {}\nreached {:.4}: off by {:+.4}\n",
        f.made,
        f.law,
        f.loss,
        at.join(", "),
        s.loss,
        s.error
    );
    match (f.loss_pi95, s.inside_pi95, s.interval_score) {
        (Some([lo, hi]), Some(inside), Some(score)) => {
            let place = if inside { "inside" } else { "OUTSIDE" };
            let _ = writeln!(out, "{place} the 95% interval {lo:.4} to {hi:.4}; interval score {score:.4}");
        }
        _ => out.push_str("the forecast gave no interval\n"),
    }
    out
}

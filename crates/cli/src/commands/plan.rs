//! `scalelaw plan`: what a budget buys, what a loss costs, and the run as a spec.

use super::doubt::behind;
use crate::hints::Usage;
use crate::output;
use scalelaw_core::number::{self, short};
use scalelaw_core::{Head, PF_DAY, RunSpec};
use scalelaw_fit::plan::contradiction::{Crossing, sensitivity};
use scalelaw_fit::plan::shapes::SHAPE_RULES;
use scalelaw_fit::plan::{Goal, Hardware};
use scalelaw_fit::presets::{Answer, Mark, PRESETS};
use scalelaw_lab::plan::{self, DecayChoice, PlanReport, PlanRequest, RunRequest};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw plan`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  scalelaw plan --law besiroglu2024 --compute 1e21\n  scalelaw plan --law law.json \
    --loss 2.9 --peak 1e15 --mfu 0.4 --devices 8 --price 2.5\n  scalelaw plan --law kaplan2020 --compute 1PFd \
    --spec next.toml --data DATASET\n  scalelaw plan --list"
)]
pub struct Arguments {
    /// A law file (from fit or chain) or a preset; --list shows the presets
    #[arg(long, value_name = "FILE|PRESET")]
    law: Option<String>,
    /// The best run for so many training FLOPs, as 3e19 or 10PFd
    #[arg(long, value_name = "FLOPS", value_parser = number::parse, group = "goal")]
    compute: Option<f64>,
    /// The cheapest run to a loss in nats per token
    #[arg(long, value_name = "NATS", value_parser = number::parse, group = "goal")]
    loss: Option<f64>,
    /// The run for which so many parameters are optimal
    #[arg(long, value_name = "N", value_parser = number::parse, group = "goal")]
    params: Option<f64>,
    /// Distinct tokens there are: how much repetition, and what it costs
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    unique: Option<f64>,
    /// Tokens the model will serve: the cheapest run to train and serve
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    inference: Option<f64>,
    /// Presets that give learning rate and batch where the law does not, first come first served
    #[arg(long, value_name = "PRESET", value_delimiter = ',', default_value = "kaplan2020-lr,steplaw2025")]
    hyper: Vec<String>,
    /// Peak FLOP/s of one device: hours and money
    #[arg(long, value_name = "FLOP/S", value_parser = number::parse)]
    peak: Option<f64>,
    /// Share of the peak that training reaches
    #[arg(long, default_value_t = 0.4)]
    mfu: f64,
    /// Devices
    #[arg(long, default_value_t = 1.0)]
    devices: f64,
    /// Price of one device for an hour
    #[arg(long, default_value_t = 0.0)]
    price: f64,
    /// Write the predicted loss down as a forecast, for scalelaw score
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// Where Kaplan et al.'s own laws contradict each other, under every number they print
    #[arg(long)]
    contradiction: bool,
    /// List presets and shape rules
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    spec: SpecArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the spec of the planned run needs.
#[derive(clap::Args)]
#[command(next_help_heading = "The run as a spec")]
struct SpecArguments {
    /// Write the planned run here, for scalelaw train
    #[arg(long = "spec", value_name = "FILE")]
    file: Option<PathBuf>,
    /// How depth and width grow together; --list shows the rules
    #[arg(long, value_name = "RULE", default_value = "gpt")]
    shape: String,
    /// Dataset directory whose digest and vocabulary go into the spec; without it the spec is for another trainer
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Vocabulary, when no --data says it
    #[arg(long, default_value_t = 50_257)]
    vocab: u32,
    /// Context in tokens
    #[arg(long, default_value_t = 1024)]
    ctx: u32,
    /// A head of its own instead of the transposed embedding
    #[arg(long)]
    untied: bool,
    /// Peak learning rate instead of the rule's
    #[arg(long, value_parser = number::parse)]
    lr: Option<f64>,
    /// Batch in tokens instead of the rule's
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    batch: Option<f64>,
    /// How the learning rate ends
    #[arg(long, value_enum, default_value_t = DecayArg::Cooldown)]
    decay: DecayArg,
    /// Seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum DecayArg {
    /// Constant, then down to 0 over the last fifth
    Cooldown,
    /// Half a cosine to 0
    Cosine,
}

/// Answers the question.
///
/// # Errors
/// No law or goal given (the message lists the presets), or a law that cannot answer.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.list {
        return list(arguments.json);
    }
    if arguments.contradiction {
        let rows = sensitivity();
        if arguments.json {
            output::json(&rows)?;
        } else {
            output::print(&contradiction_text(&rows))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let report = plan::run(&arguments.request()?)?;
    if let (Some(file), Some(spec)) = (&arguments.spec.file, &report.spec) {
        output::file(file, &spec.to_toml()?)?;
        say_spec(file, &report, spec);
        if arguments.spec.data.is_none() {
            eprintln!("no --data: the spec names no dataset that scalelaw train could open");
        }
    }
    if let Some(file) = &arguments.register {
        eprintln!("forecast: {}", file.display());
    }
    if arguments.json {
        output::json(&report)?;
        for warning in &report.plan.warnings {
            eprintln!("warning: {warning}");
        }
    } else {
        output::print(&text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn request(&self) -> anyhow::Result<PlanRequest> {
        let law = self.law.clone().ok_or_else(|| {
            Usage::error(
                "no law is given",
                format!(
                    "--law FILE, written by `scalelaw fit --out` or `scalelaw chain --out`, or a preset:\n{}\
                     `scalelaw plan --list` shows their sources and ranges",
                    preset_names()
                ),
            )
        })?;
        let goal = match (self.compute, self.loss, self.params) {
            (Some(c), None, None) => Goal::Compute(c),
            (None, Some(l), None) => Goal::Loss(l),
            (None, None, Some(n)) => Goal::Params(n),
            _ => {
                return Err(Usage::error("no target is given", "--compute FLOPS, --loss NATS or --params N"));
            }
        };
        Ok(PlanRequest {
            law,
            goal,
            hyper: self.hyper.clone(),
            unique_tokens: self.unique,
            inference_tokens: self.inference,
            hardware: self.peak.map(|peak_flops| Hardware {
                peak_flops,
                mfu: self.mfu,
                devices: self.devices,
                price_per_hour: self.price,
            }),
            spec: self.spec.file.is_some().then(|| self.spec.request()),
            register: self.register.clone(),
        })
    }
}

impl SpecArguments {
    fn request(&self) -> RunRequest {
        RunRequest {
            shape: self.shape.clone(),
            data: self.data.clone(),
            n_vocab: self.vocab,
            n_ctx: self.ctx,
            head: if self.untied { Head::Untied } else { Head::Tied },
            lr: self.lr,
            batch_tokens: self.batch,
            decay: match self.decay {
                DecayArg::Cooldown => DecayChoice::Cooldown,
                DecayArg::Cosine => DecayChoice::Cosine,
            },
            seed: self.seed,
        }
    }
}

fn list(json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(PRESETS)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rules: String = SHAPE_RULES.iter().map(|r| format!("  {:<10} {}\n", r.name, r.title())).collect();
    output::print(&format!("{}\nshape rules\n{rules}", presets_text()))?;
    Ok(ExitCode::SUCCESS)
}

fn say_spec(file: &Path, report: &PlanReport, spec: &RunSpec) {
    eprintln!(
        "spec: {} ({} blocks of width {}, N {} for {} planned, {} steps of {} tokens)",
        file.display(),
        spec.model.n_layer,
        spec.model.d_model,
        short(spec.model.n_params(report.counted()) as f64),
        short(report.plan.n),
        spec.steps,
        spec.batch_tokens()
    );
}

/// The presets a plan can follow, one line each.
fn preset_names() -> String {
    let mut out = String::new();
    for preset in PRESETS.iter().filter(|p| p.rule.answers().contains(&Answer::Plan)) {
        let _ = writeln!(out, "  {:<26} {}", preset.name, preset.title);
    }
    out
}

/// Every preset with its source.
fn presets_text() -> String {
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
fn text(report: &PlanReport) -> String {
    let PlanReport { plan: p, unit, of_any_form, .. } = report;
    let mut out = String::new();
    let w = &mut out;
    let _ = writeln!(w, "{} ({})", p.basis, p.source);
    if let Some(c) = p.conventions {
        let _ = writeln!(w, "N: {}; C: {}; D: {}", c.params, c.flops, c.data);
    }
    for warning in &p.warnings {
        let _ = writeln!(w, "warning: {warning}");
    }
    let doubt = behind(p.status, p.extrapolation_decades);
    let _ = writeln!(
        w,
        "\n  C     {} FLOPs = {} PF-days",
        short(p.flops),
        number::significant(p.flops / PF_DAY, 3)
    );
    let [n, d] = p.ranges.map_or([String::new(), String::new()], |ranges| {
        ranges.map(|[lo, hi]| {
            format!("; range over laws and over the cheaper runs {} to {}", short(lo), short(hi))
        })
    });
    let _ = writeln!(w, "  N     {} parameters{n}{doubt}", short(p.n));
    let _ = writeln!(w, "  D     {} tokens, {:.1} per parameter{d}{doubt}", short(p.d), p.tokens_per_param);
    if let Some(loss) = p.loss {
        let interval = |i: Option<[f64; 2]>, what: &str| {
            i.map_or(String::new(), |[lo, hi]| format!("; {what} {lo:.4} to {hi:.4}"))
        };
        let _ = writeln!(
            w,
            "  loss  {loss:.4} {}{}{}{doubt}",
            unit.as_deref().unwrap_or("nats per token"),
            interval(p.loss_ci95, "95% interval of the law"),
            interval(p.loss_pi95, "of one run")
        );
    }
    if let Some(best) = of_any_form {
        let [lo, hi] = best.outlook.interval95;
        let [n, d] = [best.n95, best.d95].map(|[lo, hi]| format!("{} to {}", short(lo), short(hi)));
        let beyond = behind(None, Some(best.outlook.decades));
        let _ = writeln!(
            w,
            "        The interval takes the form of this law for true. Over several forms: loss {:.4}, one run {lo:.4} to \
             {hi:.4}; N {}, range {n}; D {}, range {d}{beyond}",
            best.outlook.loss,
            short(best.optimum.n),
            short(best.optimum.d)
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
        let worth = |of: Option<f64>| of.map_or_else(String::new, |of| format!(" worth {}", short(of)));
        let _ = writeln!(
            w,
            "\nwith {} unique tokens: N {}{}, {} tokens = {:.1} epochs{}, loss {:.4} (+{:.4}){doubt}",
            short(r.unique),
            short(r.allocation.n),
            worth(r.effective_params),
            short(r.allocation.d),
            r.epochs,
            worth(r.effective_tokens),
            r.allocation.loss,
            r.excess_loss
        );
    }
    if let Some(s) = p.served {
        let _ = writeln!(
            w,
            "\nto train and serve: N {} ({:.2}x), D {} ({:.2}x), {} FLOPs in all, {} of training{doubt}",
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
fn contradiction_text(rows: &[Crossing]) -> String {
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

//! Kaplan's and Chinchilla's exponents on a user's own runs: one counting convention after the other, and how much
//! each step moves the exponent.

use crate::data::Dataset;
use crate::error::FitError;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::interpolate::extended;
use crate::law::{Law, value};
use crate::laws::{Chinchilla, KaplanNd};
use crate::minima::Effort;
use crate::plan::compute_optimal;
use crate::random::{exponential, generator};
use crate::statistics::quantile;
use rayon::prelude::*;
use serde::Serialize;

/// A finished run under every count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountedRun {
    /// Non-embedding parameters.
    pub n_nonembed: f64,
    /// Non-embedding parameters and head.
    pub n_matmul: f64,
    /// All parameters.
    pub n_total: f64,
    /// Tokens processed.
    pub tokens: f64,
    /// FLOPs per token: 6·N, with the head, with attention too.
    pub flops_per_token: [f64; 3],
    /// Test loss, nats per token.
    pub loss: f64,
    /// Tokens of warm-up, where known.
    pub warmup_tokens: Option<f64>,
    /// Whether the learning rate had come down at the end, where known.
    pub annealed: Option<bool>,
}

/// One step of the explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Whose accounting, and what changes.
    pub title: String,
    /// Paper.
    pub source: &'static str,
    /// Runs used.
    pub n_runs: usize,
    /// Exponent a of N_opt ∝ C^a over the budgets of the runs.
    pub n_opt_exponent: f64,
    /// 95% interval by the bootstrap over runs.
    pub ci95: Option<[f64; 2]>,
    /// Change against the step before.
    pub moved: Option<f64>,
}

/// The steps and what the head costs at these sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// In order.
    pub steps: Vec<Step>,
    /// FLOPs of the head over 6·N, smallest and largest run.
    pub head_share: [f64; 2],
    /// FLOPs of attention over 6·N with head, smallest and largest run.
    pub attention_share: [f64; 2],
    /// What could not be shown, and why.
    pub missing: Vec<String>,
}

/// How a step counts.
#[derive(Clone, Copy)]
struct Accounting {
    title: &'static str,
    source: &'static str,
    /// N of the law.
    n: fn(&CountedRun) -> f64,
    /// FLOPs per token of the budget.
    flops: fn(&CountedRun) -> f64,
    /// N whose growth is reported.
    seen: fn(&CountedRun) -> f64,
    form: Form,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Kaplan,
    Chinchilla,
}

const STEPS: [Accounting; 6] = [
    Accounting {
        title: "Kaplan: N without embeddings, C = 6N, L(N, D) without an irreducible loss",
        source: "Kaplan et al. 2020, equation 1.5",
        n: |r| r.n_nonembed,
        flops: |r| r.flops_per_token[0],
        seen: |r| r.n_nonembed,
        form: Form::Kaplan,
    },
    Accounting {
        title: "with an irreducible loss E",
        source: "Henighan et al. 2020; Hoffmann et al. 2022",
        n: |r| r.n_nonembed,
        flops: |r| r.flops_per_token[0],
        seen: |r| r.n_nonembed,
        form: Form::Chinchilla,
    },
    Accounting {
        title: "Porian: N and C with the head",
        source: "Porian et al. 2024, section 3.2",
        n: |r| r.n_matmul,
        flops: |r| r.flops_per_token[1],
        seen: |r| r.n_matmul,
        form: Form::Chinchilla,
    },
    Accounting {
        title: "and C with attention",
        source: "Porian et al. 2024, appendix",
        n: |r| r.n_matmul,
        flops: |r| r.flops_per_token[2],
        seen: |r| r.n_matmul,
        form: Form::Chinchilla,
    },
    Accounting {
        title: "Chinchilla: N with everything, C = 6N",
        source: "Hoffmann et al. 2022, approach 3",
        n: |r| r.n_total,
        flops: |r| 6.0 * r.n_total,
        seen: |r| r.n_total,
        form: Form::Chinchilla,
    },
    Accounting {
        title: "Pearce & Song: that law, N and C seen without embeddings",
        source: "Pearce & Song 2024",
        n: |r| r.n_total,
        flops: |r| r.flops_per_token[0],
        seen: |r| r.n_nonembed,
        form: Form::Chinchilla,
    },
];

/// Explains the exponents of `runs`.
///
/// # Errors
/// Fewer than six runs, or fewer than three sizes, or a fit that fails.
pub fn explain(runs: &[CountedRun], draws: usize, seed: u64) -> Result<Explanation, FitError> {
    let mut sizes: Vec<f64> = runs.iter().map(|r| r.n_nonembed).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    if runs.len() < 6 || sizes.len() < 3 {
        return Err(FitError::TooFewRuns { runs: runs.len(), sizes: sizes.len() });
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut missing = Vec::new();
    for accounting in STEPS {
        push(&mut steps, accounting.title.into(), &accounting, runs, draws, seed)?;
    }
    let last = STEPS[2];
    type Keep = fn(&CountedRun) -> Option<bool>;
    let training: [(&str, Keep); 2] = [
        ("only runs whose warm-up is at most N tokens", |r| r.warmup_tokens.map(|w| w <= r.n_matmul)),
        ("only runs whose learning rate came down", |r| r.annealed),
    ];
    for (title, keep) in training {
        let kept: Vec<CountedRun> = runs.iter().copied().filter(|r| keep(r) == Some(true)).collect();
        let unknown = runs.iter().filter(|r| keep(r).is_none()).count();
        if unknown == runs.len() {
            missing.push(format!("{title}: the table does not say"));
        } else if kept.len() == runs.len() {
            missing.push(format!("{title}: all are, so nothing moves"));
        } else if let Err(error) =
            push(&mut steps, format!("Porian: head counted, {title}"), &last, &kept, draws, seed)
        {
            missing.push(format!("{title}: {error}"));
        }
    }
    let smallest = runs.iter().min_by(|a, b| a.n_nonembed.total_cmp(&b.n_nonembed)).unwrap_or(&runs[0]);
    let largest = runs.iter().max_by(|a, b| a.n_nonembed.total_cmp(&b.n_nonembed)).unwrap_or(&runs[0]);
    let share = |above: usize| {
        [smallest, largest].map(|r| r.flops_per_token[above] / r.flops_per_token[above - 1] - 1.0)
    };
    Ok(Explanation { steps, head_share: share(1), attention_share: share(2), missing })
}

fn push(
    steps: &mut Vec<Step>,
    title: String,
    accounting: &Accounting,
    runs: &[CountedRun],
    draws: usize,
    seed: u64,
) -> Result<(), FitError> {
    let a = exponent(accounting, runs, &vec![1.0; runs.len()])?;
    let mut drawn: Vec<f64> = (0..draws)
        .into_par_iter()
        .filter_map(|index| {
            let mut rng = generator(seed, index);
            // The Bayesian bootstrap (Rubin 1981), as in the chain: no size is ever left out.
            let weights: Vec<f64> = runs.iter().map(|_| exponential(&mut rng)).collect();
            exponent(accounting, runs, &weights).ok()
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let ci95 = (drawn.len() * 10 >= draws * 9 && draws > 0)
        .then(|| [quantile(&drawn, 0.025), quantile(&drawn, 0.975)]);
    steps.push(Step {
        title,
        source: accounting.source,
        n_runs: runs.len(),
        n_opt_exponent: a,
        ci95,
        moved: steps.last().map(|s| a - s.n_opt_exponent),
    });
    Ok(())
}

/// The slope of ln N_opt against ln C over the middle of the runs' budgets.
fn exponent(accounting: &Accounting, runs: &[CountedRun], weights: &[f64]) -> Result<f64, FitError> {
    let law: &dyn Law = match accounting.form {
        Form::Kaplan => &KaplanNd,
        Form::Chinchilla => &Chinchilla,
    };
    let column = |f: fn(&CountedRun) -> f64| runs.iter().map(f).collect::<Vec<f64>>();
    let data = Dataset::new(column(|r| r.loss))
        .with("N", column(accounting.n))
        .with("D", column(|r| r.tokens))
        .weighted(weights.to_vec());
    let options = FitOptions {
        intervals: IntervalChoice::None,
        effort: Effort { polished: 4, ..Effort::default() },
        ..FitOptions::default()
    };
    let constants = fit(law, &data, &options)?.values();
    let cost = table(runs, accounting.n, accounting.flops);
    let seen = table(runs, accounting.n, accounting.seen);
    let mut budgets: Vec<f64> = runs.iter().map(|r| (accounting.flops)(r) * r.tokens).collect();
    budgets.sort_by(f64::total_cmp);
    let [lo, hi] = [quantile(&budgets, 0.25), quantile(&budgets, 0.95)].map(libm::log);
    let points: Vec<(f64, f64)> = (0..9)
        .filter_map(|k| {
            let ln_c = lo + (hi - lo) * f64::from(k) / 8.0;
            let loss = |n: f64, d: f64| value(law, &[n, d], &constants);
            let best = compute_optimal(&loss, &|n| libm::exp(extended(&cost, libm::log(n))), libm::exp(ln_c))
                .ok()?;
            Some((ln_c, extended(&seen, libm::log(best.n))))
        })
        .collect();
    let n = points.len() as f64;
    let (mx, my) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let (sxx, sxy) = points
        .iter()
        .fold((0.0, 0.0), |(a, b), p| (a + (p.0 - mx) * (p.0 - mx), b + (p.0 - mx) * (p.1 - my)));
    if points.len() < 5 || sxx <= 0.0 {
        return Err(FitError::NoOptimum);
    }
    Ok(sxy / sxx)
}

/// (ln x, ln y) of the runs' sizes, x increasing.
fn table(runs: &[CountedRun], x: fn(&CountedRun) -> f64, y: fn(&CountedRun) -> f64) -> Vec<(f64, f64)> {
    let mut pairs: Vec<(f64, f64)> = runs.iter().map(|r| (libm::log(x(r)), libm::log(y(r)))).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-9);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::normal;
    use scalelaw_core::{FlopConvention, Head, ModelShape, ParamConvention};

    /// Runs that obey Chinchilla's law in total parameters, at sizes where the head is most of them.
    fn runs(noise: f64) -> Vec<CountedRun> {
        let law = crate::presets::tests::loss_of("besiroglu2024-rounded");
        let mut rng = generator(5, 0);
        let mut runs = Vec::new();
        for (layers, width) in [(2, 64), (3, 96), (4, 128), (5, 192), (6, 256), (8, 384), (10, 512)] {
            let shape = ModelShape::standard(layers, width, 1, 1024, 50_257, Head::Tied);
            let [n_nonembed, n_matmul, n_total] =
                [ParamConvention::NonEmbedding, ParamConvention::Matmul, ParamConvention::Total]
                    .map(|c| shape.n_params(c) as f64);
            for ratio in [4.0, 10.0, 25.0, 60.0] {
                let tokens = ratio * n_total;
                let loss = law(n_total, tokens);
                runs.push(CountedRun {
                    n_nonembed,
                    n_matmul,
                    n_total,
                    tokens,
                    flops_per_token: [FlopConvention::SixN, FlopConvention::Matmul, FlopConvention::Full]
                        .map(|c| shape.train_flops_per_token(c)),
                    loss: loss * libm::exp(noise * normal(&mut rng)),
                    warmup_tokens: None,
                    annealed: Some(ratio > 5.0),
                });
            }
        }
        runs
    }

    #[test]
    fn explain_of_chinchilla_runs_finds_513_in_total_counts_and_more_without_embeddings() {
        let explanation = explain(&runs(0.002), 40, 1).unwrap();
        let a: Vec<f64> = explanation.steps.iter().map(|s| s.n_opt_exponent).collect();
        // β/(α+β) = .5126 in the counts the law was made in.
        assert!((a[4] - 0.5126).abs() < 0.03, "{a:?}");
        // Pearce & Song: .74 to .78 when embeddings are left out at these sizes.
        assert!(a[5] > 0.65 && a[1] > a[4] + 0.1, "{a:?}");
        let [lo, hi] = explanation.steps[4].ci95.unwrap();
        assert!(lo < 0.5126 && 0.5126 < hi && hi - lo < 0.15, "{lo} {hi}");
        assert!(explanation.head_share[0] > 10.0 && explanation.head_share[1] < 1.0);
        assert!(explanation.missing.iter().any(|m| m.contains("warm-up")), "{:?}", explanation.missing);
        assert_eq!(explanation.steps.len(), 7);
    }

    #[test]
    fn explain_of_too_few_runs_is_refused() {
        assert!(explain(&runs(0.0)[..4], 0, 1).is_err());
    }
}

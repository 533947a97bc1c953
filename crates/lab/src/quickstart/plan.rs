//! What to train next with ten times the compute just spent.

use super::NoNextRun;
use super::ladder::{BATCH_TOKENS, N_CTX, N_VOCAB, shape};
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_fit::FittedLaw;
use scalelaw_fit::plan::compute_optimal;

/// How many times the compute of the study.
pub const FACTOR: f64 = 10.0;

/// The next run.
#[derive(Clone, Debug)]
pub struct NextRun {
    /// Training compute with head and attention, FLOPs.
    pub compute: f64,
    /// Non-embedding parameters.
    pub n_params: f64,
    /// Tokens.
    pub tokens: f64,
    /// Tokens a step.
    pub batch_tokens: f64,
    /// Steps.
    pub steps: f64,
    /// Expected test loss after a cooldown, nats per token.
    pub loss: f64,
    /// 95% interval of one new run, if the law holds there.
    pub loss_pi95: Option<[f64; 2]>,
    /// The same loss and interval over several forms of the law.
    pub of_any_form: Option<(f64, [f64; 2])>,
    /// How often the run would see the text.
    pub epochs: f64,
}

/// Divides `compute` between model and tokens by L(N, D) of runs on fresh text.
///
/// L(N, D) of runs that repeat a subset says what a small text costs, not what a short run costs: it would ask
/// for models that see each token once and never learn it. `unique_tokens` there are. The law's N is continuous; the model is the nearest
/// width that is a multiple of 16.
///
/// # Errors
/// When the law prefers no size between the smallest and the largest, or has no value.
pub(super) fn next_run(law: &FittedLaw, compute: f64, unique_tokens: f64) -> Result<NextRun, NoNextRun> {
    let loss = |n: f64, d: f64| law.predict(&[("N", n), ("D", d)]).map_or(f64::NAN, |p| p.mean);
    let best = compute_optimal(&loss, &flops_per_token, compute).map_err(NoNextRun::NoBestSize)?;
    let d_model = (((best.n / 24.0).sqrt() / 16.0).round().max(1.0) * 16.0) as u32;
    let model = shape(d_model);
    let n_params = model.n_params(ParamConvention::NonEmbedding) as f64;
    let tokens = compute / model.train_flops_per_token(FlopConvention::Full);
    let batch_tokens = BATCH_TOKENS as f64;
    let loss = law.predict(&[("N", n_params), ("D", tokens)])?;
    let of_any_form = law.forecaster.as_ref().map(|made| made.at(n_params, tokens));
    Ok(NextRun {
        compute,
        n_params,
        tokens,
        batch_tokens,
        steps: (tokens / batch_tokens).ceil(),
        loss: loss.mean,
        loss_pi95: loss.pi95,
        of_any_form: of_any_form.map(|outlook| (outlook.loss, outlook.interval95)),
        epochs: tokens / unique_tokens,
    })
}

/// Training FLOPs per token of two layers of the standard shape with N = 24·d², d a real number: the head and
/// the attention of the quickstart included.
fn flops_per_token(n: f64) -> f64 {
    let d = (n / 24.0).sqrt();
    6.0 * (n + d * f64::from(N_VOCAB)) + 12.0 * f64::from(N_CTX) * d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuous_flops_agree_with_the_shapes_count() {
        for d in [16, 48, 96] {
            let model = shape(d);
            let n = model.n_params(ParamConvention::NonEmbedding) as f64;
            let exact = model.train_flops_per_token(FlopConvention::Full);
            assert!((flops_per_token(n) / exact - 1.0).abs() < 1e-12);
        }
    }
}

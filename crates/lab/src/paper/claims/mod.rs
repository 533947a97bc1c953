//! The paper's claims against a study's runs: `experiments/paper/claims.toml` says, before the runs are made, what is
//! estimated and which margin decides; here it is estimated and decided.

mod allocation;
mod architectures;
mod batches;
mod estimate;
mod file;
mod power_laws;
mod training;
mod transfer;

pub(super) use architectures::at_common_size;
pub use estimate::Estimate;
pub use file::{Claim, Claims, Estimators};
pub(super) use transfer::{in_course, line as transfer_line, pairs as transfer_pairs};

use super::Refusal;
use super::fits::Fits;
use super::runs::PaperRuns;

/// What the runs say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The 95% interval lies inside the margin.
    Holds,
    /// The interval lies outside.
    DoesNot,
    /// Neither, or there is no interval.
    Inconclusive,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::DoesNot => "does not hold",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// A claim, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was claimed.
    pub claim: Claim,
    /// The evaluation set, of claims that are judged for each.
    pub of: Option<String>,
    /// What the runs give, or why they give nothing.
    pub estimate: Result<Estimate, Refusal>,
    /// Verdict.
    pub verdict: Verdict,
}

/// Standard errors that an effect must have to be found with 80% power at 5%, over those of half an interval.
const POWER: f64 = (1.959_964 + 0.841_621) / 1.959_964;

impl Judged {
    fn new(claim: &Claim, of: Option<String>, estimate: Result<Estimate, Refusal>) -> Self {
        let verdict = match &estimate {
            Ok(e) => verdict(e.ci95, claim.margin()),
            Err(_) => Verdict::Inconclusive,
        };
        Self { claim: claim.clone(), of, estimate, verdict }
    }

    /// The smallest effect that these runs would have found with 80% power.
    pub fn detectable(&self) -> Option<f64> {
        self.estimate.as_ref().ok().map(|e| POWER * 0.5 * (e.ci95[1] - e.ci95[0]))
    }
}

fn verdict([lo, hi]: [f64; 2], (from, to): (f64, f64)) -> Verdict {
    if lo.is_nan() || hi.is_nan() {
        Verdict::Inconclusive
    } else if from <= lo && hi <= to {
        Verdict::Holds
    } else if hi < from || to < lo {
        Verdict::DoesNot
    } else {
        Verdict::Inconclusive
    }
}

/// Judges every claim, in the order of the file.
pub fn judge(claims: &Claims, runs: &PaperRuns, fits: &Fits) -> Vec<Judged> {
    let view = View { runs, fits, estimators: &claims.estimators };
    claims
        .claims
        .iter()
        .flat_map(|claim| {
            estimates(&claim.id, &view)
                .into_iter()
                .map(|(of, estimate)| Judged::new(claim, of, estimate))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What estimators see.
pub(super) struct View<'a> {
    pub runs: &'a PaperRuns,
    pub fits: &'a Fits,
    pub estimators: &'a Estimators,
}

type Outcome = Result<Estimate, Refusal>;

fn estimates(id: &str, view: &View<'_>) -> Vec<(Option<String>, Outcome)> {
    let one = |outcome: Outcome| vec![(None, outcome)];
    match id {
        "straight-in-n" => one(power_laws::straight_in_n(view)),
        "alpha-n" => one(power_laws::alpha_n(view)),
        "straight-in-d" => one(power_laws::straight_in_d(view)),
        "alpha-d" => one(power_laws::alpha_d(view)),
        "straight-in-c" => one(power_laws::straight_in_c(view)),
        "alpha-c" => one(power_laws::alpha_c(view)),
        "alpha-c-min" => one(power_laws::alpha_c_min(view)),
        "compute-for-a-per-cent" => one(power_laws::compute_for_a_per_cent(view)),
        "overfit-ratio" => one(power_laws::overfit_ratio(view)),
        "shape-aspect" => one(architectures::aspect(view)),
        "shape-ff" => one(architectures::feed_forward(view)),
        "shape-heads" => one(architectures::heads(view)),
        "lstm-loss" => one(architectures::lstm_loss(view)),
        "lstm-context" => one(architectures::lstm_context(view)),
        "recurrent-by-n" => one(architectures::recurrent_by_n(view)),
        "recurrent-by-c" => one(architectures::recurrent_by_c(view)),
        "sample-efficiency" => one(training::sample_efficiency(view)),
        "universality" => one(training::universality(view)),
        "stop-early" => one(training::stop_early(view)),
        "schedule" => one(training::schedule(view)),
        "schedule-undecayed" => one(training::schedule_undecayed(view)),
        "transfer-slope" => transfer::slope(view),
        "transfer-in-training" => transfer::in_training(view),
        "transfer-depth" => transfer::depth(view),
        "critical-batch" => one(batches::exponent(view)),
        "critical-batch-size" => one(batches::sizes(view)),
        "noise-scale" => one(batches::noise_scale(view)),
        "allocation-n" => one(allocation::adjusted(view, "p_N")),
        "allocation-b" => one(allocation::adjusted(view, "p_B")),
        "allocation-s" => one(allocation::adjusted(view, "p_S")),
        "allocation-d" => one(allocation::adjusted(view, "p_D")),
        "allocation-naive" => one(allocation::naive(view)),
        "contradiction" => one(allocation::contradiction(view)),
        "chinchilla-exponent" => one(allocation::chinchilla(view)),
        "chinchilla-isoflop" => one(allocation::isoflop(view)),
        "porian-head" => one(allocation::head(view)),
        "pearce-song-counts" => one(allocation::counts(view)),
        other => one(Err(Refusal::Nothing(format!("estimator is called {other:?}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_fit::presets::kaplan2020;

    #[test]
    fn verdict_needs_the_whole_interval_on_one_side() {
        let margin = (0.06, 0.09);
        assert_eq!(verdict([0.065, 0.08], margin), Verdict::Holds);
        assert_eq!(verdict([0.05, 0.08], margin), Verdict::Inconclusive);
        assert_eq!(verdict([0.02, 0.05], margin), Verdict::DoesNot);
        assert_eq!(verdict([0.01, 0.2], margin), Verdict::Inconclusive);
        assert_eq!(verdict([0.1, 0.2], (f64::NEG_INFINITY, 0.0)), Verdict::DoesNot);
        assert_eq!(verdict([f64::NAN, 0.2], margin), Verdict::Inconclusive);
    }

    #[test]
    fn claims_publish_the_numbers_of_the_presets() {
        let claims = Claims::of_the_paper();
        for (id, published) in [
            ("alpha-n", kaplan2020::L_N.exponent),
            ("alpha-d", kaplan2020::L_D.exponent),
            ("alpha-c", kaplan2020::L_C.exponent),
            ("alpha-c-min", kaplan2020::L_C_MIN.exponent),
            ("critical-batch", kaplan2020::TRAINING.alpha_b),
            ("allocation-n", kaplan2020::N_OPT.c),
            ("allocation-b", kaplan2020::BATCH.c),
            ("allocation-s", kaplan2020::STEPS.c),
            ("allocation-d", kaplan2020::TOKENS.c),
            ("allocation-naive", kaplan2020::N_OPT_NAIVE.c),
            ("schedule", kaplan2020::SEED_SPREAD_FIGURE_22),
        ] {
            let claim = claims.claims.iter().find(|claim| claim.id == id).unwrap();
            assert_eq!(claim.published, Some(published), "{id}");
        }
    }

    #[test]
    fn claims_file_parses_and_every_claim_has_an_estimator() {
        let claims = Claims::of_the_paper();
        assert_eq!(claims.claims.len(), 37);
        let runs = PaperRuns::default();
        let fits = Fits::new(&runs, &claims.estimators);
        for judged in judge(&claims, &runs, &fits) {
            let reason = judged.estimate.unwrap_err().to_string();
            assert!(!reason.contains("no estimator"), "{}: {reason}", judged.claim.id);
            assert_eq!(judged.verdict, Verdict::Inconclusive);
        }
    }
}

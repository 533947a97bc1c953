//! The laws of a quickstart, from its tables.

use scalelaw_core::Conventions;
use scalelaw_core::units::{DataConvention, FlopConvention, ParamConvention};
use scalelaw_experiment::PlannedRun;
use scalelaw_fit::laws::{KaplanNd, PowerLaw};
use scalelaw_fit::{Curve, Dataset, Envelope, FitOptions, FittedLaw, FrontierPoint, envelope, fit, readings};
use scalelaw_table::{CurveRow, RunRow};

/// What a quickstart counts: Kaplan's N; compute with head and attention, for at this scale the head is
/// most of it; and distinct tokens.
pub const CONVENTIONS: Conventions = Conventions {
    params: ParamConvention::NonEmbedding,
    flops: FlopConvention::Full,
    data: DataConvention::Unique,
};

/// Readings of the frontier per decade of compute.
const READINGS_PER_DECADE: usize = 8;
/// Part of a run after which its curve counts for the frontier: before it the loss is that of the warm-up.
const FRONTIER_FROM: f64 = 0.05;

/// A run as the laws see it.
#[derive(Clone, Debug)]
pub struct Point {
    /// The run.
    pub run_id: String,
    /// N, non-embedding.
    pub n: f64,
    /// D, distinct tokens seen or tokens processed, as the law says.
    pub d: f64,
    /// Lowest logged test loss, nats per token.
    pub loss: f64,
    /// Its standard error over test windows.
    pub loss_se: Option<f64>,
}

/// A fit and what it was fitted to; or why there is none.
pub type Fitted<P> = Result<(FittedLaw, Vec<P>), String>;

/// All laws of a quickstart.
pub struct QuickstartLaws {
    /// L(N) on the full data.
    pub params: Fitted<Point>,
    /// L(D) of the model that saw subsets.
    pub data: Fitted<Point>,
    /// L(C) on the envelope of the learning curves.
    pub compute: Fitted<FrontierPoint>,
    /// L(N, D) with D distinct tokens, on full runs and subsets: what little text costs.
    pub joint: Fitted<Point>,
    /// L(N, D) with D the tokens processed, on full and short runs: what a budget buys.
    pub budget: Fitted<Point>,
    /// Exponents of L(N) and of L(C) under every convention.
    pub by_convention: Vec<Exponent>,
}

/// The exponent of a law under one counting convention.
#[derive(Clone, Debug)]
pub struct Exponent {
    /// Its symbol as markup.
    pub symbol: &'static str,
    /// What N or C counts.
    pub convention: String,
    /// Its value.
    pub value: f64,
    /// Its 95% interval.
    pub interval: Option<(f64, f64)>,
}

/// The finished runs by what they are for.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// Every size and seed on the full text.
    pub full: Vec<RunRow>,
    /// One size on subsets of the text, repeated.
    pub subsets: Vec<RunRow>,
    /// Some sizes on the full text, for fewer steps.
    pub short: Vec<RunRow>,
}

impl Groups {
    /// Sorts the completed runs by the experiment's sets; a diverged run enters no law.
    pub fn new(planned: &[PlannedRun], rows: &[RunRow]) -> Self {
        let mut groups = Self::default();
        for run in planned {
            let usable = |r: &&RunRow| r.run_id == run.key && r.status.as_deref() == Some("completed");
            let Some(row) = rows.iter().find(usable) else { continue };
            for set in &run.sets {
                let group = match set.as_str() {
                    "data" => &mut groups.subsets,
                    "short" => &mut groups.short,
                    _ => &mut groups.full,
                };
                group.push(row.clone());
            }
        }
        groups
    }
}

/// Fits every law.
pub fn fit_all(groups: &Groups, curves: &[CurveRow], digest: &str) -> QuickstartLaws {
    let Groups { full, subsets, short } = groups;
    let (both, fresh) = ([full.as_slice(), subsets].concat(), [full.as_slice(), short].concat());
    let n = |p: &Point| vec![("N", p.n)];
    let n_and_d = |p: &Point| vec![("N", p.n), ("D", p.d)];
    let unique = DataConvention::Unique;
    QuickstartLaws {
        params: fit_points(&PowerLaw::N, &points(full, unique), unique, n, digest),
        data: fit_points(&PowerLaw::D, &points(subsets, unique), unique, |p| vec![("D", p.d)], digest),
        compute: fit_frontier(full, curves, FlopConvention::Full, digest),
        joint: fit_points(&KaplanNd, &points(&both, unique), unique, n_and_d, digest),
        budget: fit_points(
            &KaplanNd,
            &points(&fresh, DataConvention::Processed),
            DataConvention::Processed,
            n_and_d,
            digest,
        ),
        by_convention: by_convention(full, curves, digest),
    }
}

fn points(runs: &[RunRow], convention: DataConvention) -> Vec<Point> {
    runs.iter()
        .filter_map(|r| {
            Some(Point {
                run_id: r.run_id.clone(),
                n: r.n_nonembed? as f64,
                d: match convention {
                    DataConvention::Unique => r.d_unique? as f64,
                    DataConvention::Processed => r.tokens? as f64,
                },
                loss: r.loss_min?,
                loss_se: r.loss_se,
            })
        })
        .collect()
}

fn fit_points(
    law: &dyn scalelaw_fit::Law,
    points: &[Point],
    data: DataConvention,
    variables: impl Fn(&Point) -> Vec<(&'static str, f64)>,
    digest: &str,
) -> Fitted<Point> {
    let mut dataset = Dataset::new(points.iter().map(|p| p.loss).collect());
    if let Some(first) = points.first() {
        for (i, (name, _)) in variables(first).iter().enumerate() {
            dataset = dataset.with(name, points.iter().map(|p| variables(p)[i].1).collect());
        }
    }
    let mut dataset = dataset.counted(Conventions { data, ..CONVENTIONS });
    dataset.digest = Some(digest.to_owned());
    let fitted = fit(law, &dataset, &FitOptions::default()).map_err(|e| e.to_string())?;
    Ok((fitted, points.to_vec()))
}

fn flops_of(run: &RunRow, convention: FlopConvention) -> Option<f64> {
    match convention {
        FlopConvention::SixN => run.flops_6n,
        FlopConvention::Matmul => run.flops_matmul,
        FlopConvention::Full => run.flops_full,
    }
}

fn fit_frontier(
    runs: &[RunRow],
    curves: &[CurveRow],
    flops: FlopConvention,
    digest: &str,
) -> Fitted<FrontierPoint> {
    let curve = |run: &RunRow| {
        let per_token = flops_of(run, flops)? / run.tokens? as f64;
        let steps = run.steps?;
        let points = curves
            .iter()
            .filter(|c| c.run_id == run.run_id && c.step as f64 >= FRONTIER_FROM * steps as f64)
            .filter_map(|c| Some((c.tokens? as f64 * per_token, c.test_loss?)))
            .collect();
        Some(Curve { run: run.run_id.clone(), points })
    };
    let curves: Vec<Curve> = runs.iter().filter_map(curve).collect();
    let frontier = envelope(&curves, Envelope::RunningMinimum).map_err(|e| e.to_string())?;
    let readings = readings(&frontier, READINGS_PER_DECADE);
    let mut dataset = Dataset::new(readings.iter().map(|p| p.loss).collect())
        .with("C", readings.iter().map(|p| p.cost).collect())
        .counted(Conventions { flops, ..CONVENTIONS });
    dataset.digest = Some(digest.to_owned());
    let fitted = fit(&PowerLaw::C, &dataset, &FitOptions::default()).map_err(|e| e.to_string())?;
    Ok((fitted, readings))
}

fn by_convention(full: &[RunRow], curves: &[CurveRow], digest: &str) -> Vec<Exponent> {
    let mut rows = Vec::new();
    let mut push = |symbol, convention: String, law: &FittedLaw, name| {
        let found = exponent(law, name);
        rows.extend(found.map(|(value, interval)| Exponent { symbol, convention, value, interval }));
    };
    let unique = DataConvention::Unique;
    for convention in [ParamConvention::NonEmbedding, ParamConvention::Matmul, ParamConvention::Total] {
        let count = |p: Point| {
            let run = full.iter().find(|r| r.run_id == p.run_id)?;
            let n = match convention {
                ParamConvention::NonEmbedding => run.n_nonembed,
                ParamConvention::Matmul => run.n_matmul,
                ParamConvention::Total => run.n_total,
            }?;
            Some(Point { n: n as f64, ..p })
        };
        let counted: Vec<Point> = points(full, unique).into_iter().filter_map(count).collect();
        if let Ok((law, _)) = fit_points(&PowerLaw::N, &counted, unique, |p| vec![("N", p.n)], digest) {
            push("α_{N}", convention.to_string(), &law, "alpha_N");
        }
    }
    for convention in [FlopConvention::SixN, FlopConvention::Matmul, FlopConvention::Full] {
        if let Ok((law, _)) = fit_frontier(full, curves, convention, digest) {
            push("α_{C}", convention.to_string(), &law, "alpha_C");
        }
    }
    rows
}

/// A constant and its 95% interval; an open end is infinite.
pub fn exponent(law: &FittedLaw, name: &str) -> Option<(f64, Option<(f64, f64)>)> {
    let (_, estimate) = law.params.iter().find(|(n, _)| n == name)?;
    let interval =
        estimate.ci95.map(|[low, high]| (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)));
    Some((estimate.value, interval))
}

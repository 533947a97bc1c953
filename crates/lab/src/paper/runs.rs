//! The runs of a study as the figures see them: by run set, and by what they are in it.

use scalelaw_core::PF_DAY;
use scalelaw_table::{CurveRow, PositionRow, RunRow};

/// The sets of runs that the paper's figures are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunSet {
    /// A: sizes on all data, a trunk of constant rate and branches that cool down.
    Sizes,
    /// B: sizes by data, with dropout and early stopping.
    Data,
    /// C: batches at two sizes.
    Batches,
    /// D: shapes at one N.
    Shapes,
    /// E: a context of 8 tokens.
    Context,
    /// F: LSTMs.
    Lstm,
    /// G: recurrent Transformers.
    Recurrent,
    /// H: schedules of the learning rate.
    Schedules,
    /// I: seeds.
    Seeds,
    /// J: sizes at fixed compute.
    IsoFlop,
}

impl RunSet {
    /// All of them, in the order of their letters.
    pub const ALL: [Self; 10] = [
        Self::Sizes,
        Self::Data,
        Self::Batches,
        Self::Shapes,
        Self::Context,
        Self::Lstm,
        Self::Recurrent,
        Self::Schedules,
        Self::Seeds,
        Self::IsoFlop,
    ];

    /// The letter that names the set in experiment files.
    pub fn letter(self) -> char {
        (b'A' + self as u8) as char
    }
}

/// One run with everything that was logged of it.
#[derive(Clone, Debug, Default)]
pub struct PaperRun {
    /// Names of the sets it was run for: a letter, or a letter and a word (`D-ff`).
    pub sets: Vec<String>,
    /// Its row in the run table.
    pub row: RunRow,
    /// Its evaluations, by step.
    pub curve: Vec<CurveRow>,
    /// Loss at each position of the context, by step.
    pub positions: Vec<PositionRow>,
    /// (update, learning rate) of some updates, in order.
    pub rates: Vec<(f64, f64)>,
    /// Sum of the learning rates of all updates.
    pub rate_sum: f64,
}

impl PaperRun {
    /// Whether it belongs to a set.
    pub fn is_of(&self, set: RunSet) -> bool {
        self.sets.iter().any(|name| name.starts_with(set.letter()))
    }

    /// N, non-embedding.
    pub fn n(&self) -> f64 {
        self.row.n_nonembed.map_or(f64::NAN, |n| n as f64)
    }

    /// All parameters.
    pub fn n_total(&self) -> f64 {
        self.row.n_total.map_or(f64::NAN, |n| n as f64)
    }

    /// N counting every use of a weight: what 6N FLOPs a token count.
    pub fn n_used(&self) -> f64 {
        self.n() * f64::from(self.row.reuse.unwrap_or(1))
    }

    /// Distinct training tokens.
    pub fn unique(&self) -> f64 {
        self.row.d_unique.map_or(f64::NAN, |d| d as f64)
    }

    /// Tokens per update.
    pub fn batch(&self) -> f64 {
        self.row.batch_tokens.map_or(f64::NAN, |b| b as f64)
    }

    /// Updates of warm-up.
    pub fn warmup(&self) -> f64 {
        self.row.warmup_tokens.map_or(0.0, |w| w as f64) / self.batch()
    }

    /// Test loss at the end.
    pub fn loss(&self) -> f64 {
        self.row.loss.unwrap_or(f64::NAN)
    }

    /// Lowest logged test loss.
    pub fn lowest(&self) -> f64 {
        self.row.loss_min.unwrap_or(f64::NAN)
    }

    /// Blocks.
    pub fn layers(&self) -> u32 {
        self.row.n_layer.unwrap_or(0)
    }

    /// Width.
    pub fn width(&self) -> f64 {
        self.row.d_model.map_or(f64::NAN, f64::from)
    }

    /// 6N FLOPs of `updates`, in PF-days.
    pub fn pf_days(&self, updates: f64) -> f64 {
        6.0 * self.n_used() * self.batch() * updates / PF_DAY
    }

    /// Rate constant to the end, not a branch.
    pub fn is_trunk(&self) -> bool {
        self.row.parent_run.is_none() && self.row.schedule.as_deref() == Some("constant")
    }

    /// (update, test loss) of the evaluations from `from` updates on.
    pub fn losses(&self, from: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.curve
            .iter()
            .filter_map(|row| Some((row.step? as f64, row.test_loss?)))
            .filter(move |(step, loss)| *step >= from && *step > 0.0 && loss.is_finite())
    }

    /// (position, loss) at the last evaluation that logged positions.
    pub fn along_context(&self) -> Vec<(f64, f64)> {
        let Some(step) = self.positions.iter().map(|p| p.step).max() else { return vec![] };
        self.positions.iter().filter(|p| p.step == step).map(|p| (p.position as f64, p.loss)).collect()
    }

    /// Whether the learning rate came down: to a tenth of the highest, or what the last update of a schedule that ends
    /// there is above it.
    pub fn has_decayed(&self) -> bool {
        const DECAYED: f64 = 0.101;
        let last = self.rates.last().map_or(f64::NAN, |(_, rate)| *rate);
        last <= DECAYED * self.row.lr.unwrap_or(f64::NAN)
    }

    /// Mean loss at the positions from `from` to `to` (from 1, both in), at the last evaluation that logged them.
    pub fn at_positions(&self, from: u64, to: u64) -> Option<f64> {
        let last = self.positions.iter().map(|p| p.step).max()?;
        let within = |p: &&PositionRow| p.step == last && (from..=to).contains(&p.position);
        let losses: Vec<f64> = self.positions.iter().filter(within).map(|p| p.loss).collect();
        (losses.len() as u64 == to - from + 1).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
    }
}

/// What a set of runs that is not there would take.
#[derive(Clone, Debug, PartialEq)]
pub struct SetCost {
    /// Which set.
    pub set: RunSet,
    /// The experiment file that makes it.
    pub file: String,
    /// Runs of it that are not finished.
    pub runs: usize,
    /// All of its runs.
    pub of: usize,
    /// FLOPs with head, attention and evaluations that are left.
    pub flops: f64,
    /// Seconds on this study's cores at the rate its finished runs had; none without one.
    pub seconds: Option<f64>,
}

/// A study of the paper's run sets: what is finished of it, and what is not.
#[derive(Clone, Debug, Default)]
pub struct PaperRuns {
    /// Finished runs that did not diverge.
    pub runs: Vec<PaperRun>,
    /// Sets of which runs are missing.
    pub missing: Vec<SetCost>,
    /// What the page says of text, recipe and program: name and value.
    pub facts: Vec<(String, String)>,
}

impl PaperRuns {
    /// The runs of a set.
    pub fn of(&self, set: RunSet) -> impl Iterator<Item = &PaperRun> + '_ {
        self.runs.iter().filter(move |run| run.is_of(set))
    }

    /// The runs of a part of a set, by its whole name.
    pub fn part<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a PaperRun> + 'a {
        self.runs.iter().filter(move |run| run.sets.iter().any(|set| set == name))
    }

    /// A's trunks, smallest first.
    pub fn trunks(&self) -> Vec<&PaperRun> {
        by_size(self.of(RunSet::Sizes).filter(|run| run.is_trunk()))
    }

    /// A's branches, smallest first, then shortest.
    pub fn branches(&self) -> Vec<&PaperRun> {
        by_size(self.of(RunSet::Sizes).filter(|run| run.row.parent_run.is_some()))
    }

    /// The longest branch of each size of A, smallest first.
    pub fn longest(&self) -> Vec<&PaperRun> {
        let branches = self.branches();
        let steps = |run: &&PaperRun| run.row.steps;
        let most = branches.iter().filter_map(steps).max();
        branches.into_iter().filter(|run| steps(run) == most).collect()
    }

    /// C's runs: at each size and batch the one whose rate ended lower.
    pub fn batches(&self) -> Vec<&PaperRun> {
        let mut best: Vec<&PaperRun> = Vec::new();
        for run in by_size(self.of(RunSet::Batches)) {
            match best.iter_mut().find(|b| b.n() == run.n() && b.batch() == run.batch()) {
                Some(other) if run.loss() < other.loss() => *other = run,
                Some(_) => {}
                None => best.push(run),
            }
        }
        best
    }

    /// Names of the evaluation sets beside the test split, in order.
    pub fn evalsets(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.of(RunSet::Sizes).flat_map(|run| run.row.loss_evalsets.keys().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn by_size<'a>(runs: impl Iterator<Item = &'a PaperRun>) -> Vec<&'a PaperRun> {
    let mut sorted: Vec<&PaperRun> = runs.collect();
    sorted.sort_by(|a, b| {
        a.n()
            .total_cmp(&b.n())
            .then(a.row.steps.cmp(&b.row.steps))
            .then(a.batch().total_cmp(&b.batch()))
            .then(a.row.run_id.cmp(&b.row.run_id))
    });
    sorted
}

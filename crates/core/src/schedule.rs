//! The learning rate over a run.

use crate::identity::Identity;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the learning rate decays after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// Constant, then a linear cooldown to `final_fraction` over the last `cooldown_steps`
    /// (0 for none): "WSD", Hägele et al. 2024.
    Constant {
        /// Steps of cooldown at the end of the run.
        cooldown_steps: u64,
        /// Rate after the last step, as a fraction of the peak.
        final_fraction: f64,
    },
    /// Half a cosine to `final_fraction` (Kaplan et al. 2020, section 2.2, to zero).
    Cosine {
        /// Rate after the last step, as a fraction of the peak.
        final_fraction: f64,
    },
    /// Half a cosine whose length differs from the run's. After a shorter one the rate stays at `final_fraction`; of a longer
    /// one the run covers only the beginning (Kaplan et al. 2020, figure 22).
    CosineCycle {
        /// Steps from the peak, after warm-up, to `final_fraction`.
        cycle_steps: u64,
        /// Rate at the end of the cycle, as a fraction of the peak.
        final_fraction: f64,
    },
    /// A straight line to `final_fraction`.
    Linear {
        /// Rate after the last step, as a fraction of the peak.
        final_fraction: f64,
    },
}

impl Decay {
    /// Rate at the end of the decay, as a fraction of the peak.
    pub fn final_fraction(&self) -> f64 {
        match *self {
            Self::Constant { final_fraction, .. }
            | Self::Cosine { final_fraction }
            | Self::CosineCycle { final_fraction, .. }
            | Self::Linear { final_fraction } => final_fraction,
        }
    }
}

/// Peak rate, linear warm-up and decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Peak learning rate.
    pub lr: f64,
    /// Steps of linear warm-up from 0: step 0 has rate lr/warmup_steps.
    pub warmup_steps: u64,
    /// The decay after the warm-up.
    pub decay: Decay,
}

impl Schedule {
    /// Its part of a run's identity.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        let Self { lr, warmup_steps, decay } = *self;
        identity.line("schedule.lr", lr);
        identity.line("schedule.warmup_steps", warmup_steps);
        let path = "schedule.decay";
        match decay {
            Decay::Constant { cooldown_steps, final_fraction } => {
                identity.line(path, format_args!("constant {cooldown_steps} {final_fraction}"));
            }
            Decay::Cosine { final_fraction } => identity.line(path, format_args!("cosine {final_fraction}")),
            Decay::CosineCycle { cycle_steps, final_fraction } => {
                identity.line(path, format_args!("cosine_cycle {cycle_steps} {final_fraction}"));
            }
            Decay::Linear { final_fraction } => identity.line(path, format_args!("linear {final_fraction}")),
        }
    }

    /// Learning rate of step `step` (from 0) in a run of `steps`.
    ///
    /// The same bits on every platform: cosine comes from the `libm` crate.
    pub fn lr_at(&self, step: u64, steps: u64) -> f64 {
        if step < self.warmup_steps {
            return self.lr * (step + 1) as f64 / self.warmup_steps as f64;
        }
        // The completed fraction of the decay; it stays below 1 at the last step.
        let fraction_of = |start: u64| {
            let span = steps.saturating_sub(start).max(1);
            (step.saturating_sub(start) as f64 / span as f64).min(1.0)
        };
        let between =
            |final_fraction: f64, remaining: f64| final_fraction + (1.0 - final_fraction) * remaining;
        self.lr
            * match self.decay {
                Decay::Constant { cooldown_steps: 0, .. } => 1.0,
                Decay::Constant { cooldown_steps, final_fraction } => {
                    let start = steps.saturating_sub(cooldown_steps).max(self.warmup_steps);
                    between(final_fraction, 1.0 - fraction_of(start))
                }
                Decay::Cosine { final_fraction } => {
                    between(final_fraction, half_cosine(fraction_of(self.warmup_steps)))
                }
                Decay::CosineCycle { cycle_steps, final_fraction } => {
                    let fraction = (step - self.warmup_steps) as f64 / cycle_steps.max(1) as f64;
                    between(final_fraction, half_cosine(fraction.min(1.0)))
                }
                Decay::Linear { final_fraction } => {
                    between(final_fraction, 1.0 - fraction_of(self.warmup_steps))
                }
            }
    }
}

impl Schedule {
    /// The sum of the rates of the steps before `step` in a run of `steps`, which bounds how far parameters can move
    /// (Kaplan et al. 2020, figure 22).
    pub fn summed_lr(&self, step: u64, steps: u64) -> f64 {
        (0..step).map(|step| self.lr_at(step, steps)).sum()
    }
}

/// Half a cosine: 1 at 0, and 0 at 1.
fn half_cosine(fraction: f64) -> f64 {
    0.5 * (1.0 + libm::cos(PI * fraction))
}

/// Steps after which a run is evaluated: `per_decade` log-spaced steps in each decade from `first` on,
/// and always the last step.
pub fn log_spaced_steps(first: u64, per_decade: u32, steps: u64) -> Vec<u64> {
    let mut grid = Vec::new();
    let mut i = 0;
    loop {
        let exponent = f64::from(i) / f64::from(per_decade.max(1));
        let step = libm::round(first.max(1) as f64 * libm::pow(10.0, exponent)) as u64;
        if step >= steps {
            break;
        }
        if grid.last() != Some(&step) {
            grid.push(step);
        }
        i += 1;
    }
    if steps > 0 {
        grid.push(steps);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(decay: Decay) -> Schedule {
        Schedule { lr: 2.0, warmup_steps: 10, decay }
    }

    #[test]
    fn warmup_rises_linearly_to_the_peak() {
        let s = schedule(Decay::Cosine { final_fraction: 0.0 });
        assert_eq!(s.lr_at(0, 100), 0.2);
        assert_eq!(s.lr_at(9, 100), 2.0);
        assert_eq!(s.lr_at(10, 100), 2.0);
    }

    #[test]
    fn cosine_is_half_way_in_the_middle_and_small_at_the_end() {
        let s = schedule(Decay::Cosine { final_fraction: 0.0 });
        assert!((s.lr_at(55, 100) - 1.0).abs() < 1e-12);
        assert!(s.lr_at(99, 100) < 2.0 * 4e-4);
    }

    #[test]
    fn summed_rate_of_a_constant_is_rate_times_steps_less_half_the_warmup() {
        let s = schedule(Decay::Constant { cooldown_steps: 0, final_fraction: 0.0 });
        assert!((s.summed_lr(100, 100) - 2.0 * (90.0 + 5.5)).abs() < 1e-9);
        assert_eq!(s.summed_lr(0, 100), 0.0);
    }

    #[test]
    fn cosine_cycle_shorter_than_the_run_stays_at_its_end_and_a_longer_one_is_cut() {
        let fast = schedule(Decay::CosineCycle { cycle_steps: 30, final_fraction: 0.1 });
        assert!((fast.lr_at(25, 100) - 2.0 * 0.55).abs() < 1e-12);
        assert!((fast.lr_at(40, 100) - 0.2).abs() < 1e-12 && fast.lr_at(99, 100) == fast.lr_at(40, 100));
        let slow = schedule(Decay::CosineCycle { cycle_steps: 180, final_fraction: 0.0 });
        assert!((slow.lr_at(100, 101) - 1.0).abs() < 1e-12);
        let (whole, same) = (schedule(Decay::Cosine { final_fraction: 0.2 }), |step| {
            schedule(Decay::CosineCycle { cycle_steps: 90, final_fraction: 0.2 }).lr_at(step, 100)
        });
        assert!((0..100).all(|step| whole.lr_at(step, 100) == same(step)));
    }

    #[test]
    fn constant_with_cooldown_holds_the_peak_and_then_falls() {
        let s = schedule(Decay::Constant { cooldown_steps: 20, final_fraction: 0.1 });
        assert_eq!(s.lr_at(79, 100), 2.0);
        assert!((s.lr_at(90, 100) - 2.0 * 0.55).abs() < 1e-12);
        assert!(s.lr_at(99, 100) > 0.2);
        assert_eq!(schedule(Decay::Constant { cooldown_steps: 0, final_fraction: 0.0 }).lr_at(99, 100), 2.0);
    }

    #[test]
    fn schedule_shorter_than_warmup_stays_finite() {
        for decay in [
            Decay::Constant { cooldown_steps: 50, final_fraction: 0.0 },
            Decay::Cosine { final_fraction: 0.0 },
            Decay::Linear { final_fraction: 0.0 },
            Decay::CosineCycle { cycle_steps: 0, final_fraction: 0.0 },
        ] {
            for step in 0..20 {
                let lr = schedule(decay).lr_at(step, 5);
                assert!(lr.is_finite() && lr >= 0.0);
            }
        }
    }

    #[test]
    fn log_spaced_steps_are_increasing_and_end_at_the_last() {
        let grid = log_spaced_steps(10, 8, 1000);
        assert!(grid.windows(2).all(|w| w[0] < w[1]));
        assert_eq!((grid[0], *grid.last().unwrap()), (10, 1000));
        assert_eq!(grid.len(), 17);
        assert_eq!(log_spaced_steps(10, 8, 3), [3]);
        assert!(log_spaced_steps(1, 8, 0).is_empty());
    }
}

//! Coverage and width of forecasts where the form is right: Besiroglu et al.'s law with 0.3% noise in ln loss.
//!
//! ```text
//! cargo run --release -p scalelaw-fit --example forecast_calibration -- 200
//! ```
//! Budgets from 1e18 to 1e20 FLOPs, each divided by 4 to 10 sizes within a factor of four of 20 tokens per parameter; a run
//! at 20 tokens per parameter is forecast so many decades beyond. Widths are medians, in units of ln loss.

#![allow(clippy::print_stdout)]

use rayon::prelude::*;
use scalelaw_fit::presets::Preset;
use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, fit, forecaster, laws, value};
use scalelaw_random::{generator, normal};

const NOISE: f64 = 0.003;
/// Budgets, and sizes of each.
const DESIGNS: [(u32, u32); 3] = [(2, 4), (4, 5), (6, 10)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let trials: usize = std::env::args().nth(1).map_or(Ok(200), |n| n.parse())?;
    let preset = Preset::by_name("besiroglu2024")?;
    let (law, constants) = preset.rule.law().ok_or("the preset is no law")?;
    println!("runs,decades,coverage,width,coverage_of_the_form,width_of_the_form");
    for (budgets, sizes) in DESIGNS {
        for decades in [0.5, 1.0, 2.0] {
            let said: Vec<[Said; 2]> = (0..trials)
                .into_par_iter()
                .filter_map(|trial| {
                    let mut rng = generator(trial as u64);
                    let mut loss = |n: f64, d: f64| {
                        value(law.as_ref(), &[n, d], &constants) * (NOISE * normal(&mut rng)).exp()
                    };
                    let (mut ns, mut ds, mut losses) = (vec![], vec![], vec![]);
                    for budget in 0..budgets {
                        let flops = 1e18 * 100f64.powf(f64::from(budget) / f64::from(budgets - 1));
                        for size in 0..sizes {
                            let shift = 2.0 * f64::from(size) / f64::from(sizes - 1) - 1.0;
                            let n = (flops / 120.0).sqrt() * 4f64.powf(shift);
                            let d = flops / (6.0 * n);
                            losses.push(loss(n, d));
                            ns.push(n);
                            ds.push(d);
                        }
                    }
                    let n = (1e20 * 10f64.powf(decades) / 120.0).sqrt();
                    let d = 20.0 * n;
                    let seen = loss(n, d);
                    let runs = Dataset::new(losses).with("N", ns).with("D", ds);
                    let forecast = forecaster(&runs, &|_, _| {}).ok()?.at(n, d).interval95;
                    let options =
                        FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
                    let fitted = fit(laws::by_name("chinchilla").ok()?.as_ref(), &runs, &options).ok()?;
                    let of_form = fitted.predict(&[("N", n), ("D", d)]).ok()?.pi95?;
                    Some(
                        [forecast, of_form]
                            .map(|[lo, hi]| Said { inside: lo <= seen && seen <= hi, width: (hi / lo).ln() }),
                    )
                })
                .collect();
            let [(covered, width), (covered_form, width_form)] = [0, 1].map(|k| {
                let mut widths: Vec<f64> = said.iter().map(|s| s[k].width).collect();
                widths.sort_by(f64::total_cmp);
                let inside = said.iter().filter(|s| s[k].inside).count();
                (inside as f64 / said.len() as f64, widths[widths.len() / 2])
            });
            println!(
                "{},{decades},{covered:.3},{width:.4},{covered_form:.3},{width_form:.4}",
                budgets * sizes
            );
        }
    }
    Ok(())
}

/// Whether an interval held the run, and how wide it was.
struct Said {
    inside: bool,
    width: f64,
}

//! The report of a made-up study, to look at: `cargo run -p scalelaw-report --example demo -- FOLDER`.
//!
//! Every number follows from the law in `loss` with a small seeded scatter; nothing was trained.
#![allow(clippy::print_stdout, reason = "an example says where its page is")]

use scalelaw_core::units::{Conventions, DataConvention, FlopConvention, PF_DAY, ParamConvention};
use scalelaw_lab::paper::kaplan2020::{L_C, L_D, L_N, Power};
use scalelaw_lab::study::{
    Corpus, CurveRow, FittedCurve, Floor, JointFit, JointLine, LawPoint, Laws, Note, Parameter, Plan,
    Provenance, Published, PublishedConstants, RunRow, Sample, Study,
};

const WIDTHS: [u32; 9] = [8, 16, 24, 32, 48, 64, 80, 96, 128];
const LAYERS: u32 = 2;
const VOCABULARY: f64 = 512.0;
const CONTEXT: f64 = 64.0;
const ALL_DATA: f64 = 5.2e6;
const FULL_STEPS: u64 = 1280;
const BATCH: u64 = 4096;

fn n_params(width: u32) -> f64 {
    12.0 * f64::from(LAYERS) * f64::from(width).powi(2)
}

fn flops_per_token(width: u32) -> f64 {
    let d = f64::from(width);
    6.0 * (n_params(width) + d * VOCABULARY) + 6.0 * f64::from(LAYERS) * CONTEXT * d
}

/// The truth of this demonstration: parameters, unique tokens, tokens processed.
fn loss(n: f64, d: f64, processed: f64) -> f64 {
    (2.4e11 / n).powf(0.069) * (1.0 + (4e4 / d).powf(0.55)) * (1.0 + (2.6e4 / processed).powf(0.62))
}

/// A fixed scatter between −1 and 1.
fn scatter(seed: u64) -> f64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn run(width: u32, d_unique: f64, seed: u64) -> (RunRow, Vec<CurveRow>) {
    let run_id =
        format!("quickstart-d{width}-D{:.0}-s{seed}-{:06x}", d_unique, seed * 7919 + u64::from(width));
    let noise = 1.0 + 0.004 * scatter(seed * 100 + u64::from(width) + d_unique as u64);
    let curve: Vec<CurveRow> = (0..60)
        .map(|i| (10f64.powf(f64::from(i) * (FULL_STEPS as f64).log10() / 59.0)).round() as u64)
        .map(|step| {
            let tokens = step * BATCH;
            let test = loss(n_params(width), d_unique, tokens as f64) * noise;
            CurveRow {
                run_id: run_id.clone(),
                step: Some(step),
                tokens: Some(tokens),
                test_loss: Some(test.min(VOCABULARY.ln())),
                ..CurveRow::default()
            }
        })
        .collect();
    let tokens = FULL_STEPS * BATCH;
    let last = curve.last().and_then(|row| row.test_loss);
    let row = RunRow {
        run_id,
        n_layer: Some(LAYERS),
        d_model: Some(width),
        n_nonembed: Some(n_params(width) as u64),
        d_unique: Some(d_unique as u64),
        tokens: Some(tokens),
        steps: Some(FULL_STEPS),
        batch_tokens: Some(BATCH),
        flops_full: Some(flops_per_token(width) * tokens as f64),
        lr: Some(0.01 * (8.0 / f64::from(width)).sqrt()),
        seed: Some(seed),
        loss: last,
        loss_se: Some(0.006),
        loss_min: last,
        loss_bits_per_byte: last.map(|loss| loss / std::f64::consts::LN_2 / 2.6),
        status: Some("completed".into()),
        ..RunRow::default()
    };
    (row, curve)
}

/// A straight line in logarithms through the points, with a band that widens away from them.
fn power_law(
    symbol: &str,
    points: Vec<(String, f64, f64)>,
    reach: (f64, f64),
    published: Published,
) -> FittedCurve {
    let n = points.len() as f64;
    let mean = |f: &dyn Fn(&(String, f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (mx, my) = (mean(&|p| p.1.ln()), mean(&|p| p.2.ln()));
    let sxx = points.iter().map(|p| (p.1.ln() - mx).powi(2)).sum::<f64>();
    let slope = points.iter().map(|p| (p.1.ln() - mx) * (p.2.ln() - my)).sum::<f64>() / sxx;
    let at = |x: f64| (my + slope * (x.ln() - mx)).exp();
    let spread = 0.006;
    let half = |x: f64| 2.2 * spread * (1.0 / n + (x.ln() - mx).powi(2) / sxx).sqrt();
    let error = 2.2 * spread / sxx.sqrt();
    let alpha = -slope;
    let scale = (mx + my / alpha).exp();
    FittedCurve {
        equation: format!("L = ({symbol}_c/{symbol})^alpha_{symbol}"),
        exponent: Parameter {
            name: format!("alpha_{symbol}"),
            value: alpha,
            interval: Some((alpha - error, alpha + error)),
        },
        params: vec![
            Parameter {
                name: format!("alpha_{symbol}"),
                value: alpha,
                interval: Some((alpha - error, alpha + error)),
            },
            Parameter {
                name: format!("{symbol}_c"),
                value: scale,
                interval: Some((scale / 8.0, f64::INFINITY)),
            },
        ],
        samples: (0..=40)
            .map(|i| reach.0 * (reach.1 / reach.0).powf(f64::from(i) / 40.0))
            .map(|x| Sample {
                x,
                loss: at(x),
                interval: Some((at(x) * (-half(x)).exp(), at(x) * half(x).exp())),
            })
            .collect(),
        points: points
            .into_iter()
            .map(|(run_id, x, loss)| LawPoint { run_id, x, loss, loss_se: Some(0.006), fitted: at(x) })
            .collect(),
        doubts: vec![],
        published: Some(published),
    }
}

fn kaplan(symbol: &str, Power { scale, exponent }: Power) -> Published {
    Published { source: "Kaplan et al. 2020".into(), variable: symbol.into(), scale, exponent }
}

fn joint() -> JointFit {
    let points = |width: u32| -> Vec<LawPoint> {
        (0..5)
            .map(|k| {
                let d = ALL_DATA / 2f64.powi(k);
                let (row, _) = run(width, d, 0);
                LawPoint {
                    run_id: row.run_id,
                    x: d,
                    loss: row.loss.unwrap_or(f64::NAN),
                    loss_se: None,
                    fitted: f64::NAN,
                }
            })
            .collect()
    };
    let lines = [16, 48, 128]
        .map(|width| JointLine {
            n_params: n_params(width),
            samples: (0..=30)
                .map(|i| ALL_DATA / 40.0 * 60f64.powf(f64::from(i) / 30.0))
                .map(|d| Sample { x: d, loss: loss(n_params(width), d, 5.2e6), interval: None })
                .collect(),
            points: points(width),
        })
        .into();
    JointFit {
        equation: "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D".into(),
        params: vec![
            Parameter { name: "alpha_N".into(), value: 0.0688, interval: Some((0.0641, 0.0732)) },
            Parameter { name: "alpha_D".into(), value: 0.121, interval: Some((0.096, 0.158)) },
            Parameter { name: "N_c".into(), value: 2.5e11, interval: Some((4.4e10, 2.1e12)) },
            Parameter { name: "D_c".into(), value: 8.1e9, interval: Some((3e8, f64::INFINITY)) },
        ],
        lines,
        doubts: vec!["the interval of D_{c} is open above: these subsets hardly determine it".into()],
        published: PublishedConstants::of_preset("kaplan2020-nd"),
    }
}

/// A study as a quickstart would fill it in.
pub fn demo() -> Study {
    let ladder: Vec<_> = WIDTHS
        .map(|width| run(width, ALL_DATA, 0))
        .into_iter()
        .chain([run(48, ALL_DATA, 1), run(48, ALL_DATA, 2)])
        .collect();
    let subsets: Vec<_> = (1..=5).map(|k| run(64, ALL_DATA / 2f64.powi(k), 0)).collect();
    let pick = |rows: &[(RunRow, Vec<CurveRow>)], x: fn(&RunRow) -> Option<u64>| -> Vec<(String, f64, f64)> {
        rows.iter().filter_map(|(row, _)| Some((row.run_id.clone(), x(row)? as f64, row.loss?))).collect()
    };
    let by_params = pick(&ladder, |row| row.n_nonembed);
    let by_data = pick(&subsets, |row| row.d_unique);
    let mut envelope: Vec<(String, f64, f64)> = Vec::new();
    for i in 0..24 {
        let c = 6e10 * 10f64.powf(f64::from(i) * 0.17);
        let best = WIDTHS
            .iter()
            .map(|w| (c / flops_per_token(*w), *w))
            .filter(|(tokens, _)| *tokens <= (FULL_STEPS * BATCH) as f64 && *tokens >= BATCH as f64)
            .map(|(tokens, w)| (w, loss(n_params(w), ALL_DATA, tokens)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((width, best)) = best {
            envelope.push((format!("d{width}"), c, best));
        }
    }
    let late: Vec<_> = envelope.iter().skip(8).cloned().collect();
    let largest = flops_per_token(128) * (FULL_STEPS * BATCH) as f64;
    let mut compute =
        power_law("C", late, (1e12, 2e15), kaplan("C", Power { scale: L_C.scale * PF_DAY, ..L_C }));
    for sample in &mut compute.samples {
        let beyond = (sample.x / largest).ln().max(0.0);
        sample.interval =
            sample.interval.map(|(lo, hi)| (lo * (1.0 - 0.01 * beyond), hi * (1.0 + 0.01 * beyond)));
    }
    let planned = compute.samples.iter().rev().find(|s| s.x <= largest * 10.0).copied();
    let plan = planned.map(|sample| Plan {
        factor: 10.0,
        compute: sample.x,
        n_params: 1.21e6,
        tokens: 2.3e7,
        steps: 2800.0,
        batch_tokens: 8192.0,
        loss: sample.loss,
        loss_interval: sample.interval,
        of_any_form: None,
        epochs: 1.0,
        largest_run: largest,
    });
    let (mut runs, mut curves) = (Vec::new(), Vec::new());
    for (row, curve) in ladder.into_iter().chain(subsets) {
        runs.push(row);
        curves.extend(curve);
    }
    runs.push(RunRow {
        run_id: "quickstart-d160-lr-too-high".into(),
        status: Some("diverged at step 212".into()),
        n_layer: Some(2),
        d_model: Some(160),
        ..RunRow::default()
    });
    Study {
        title: "Scaling laws of a made-up text".into(),
        corpus: Corpus {
            name: "demonstration <not real>".into(),
            facts: vec![("Documents".into(), "12,345 (train 11,728, validation 308, test 309)".into())],
        },
        conventions: Conventions {
            params: ParamConvention::NonEmbedding,
            flops: FlopConvention::Full,
            data: DataConvention::Unique,
        },
        runs,
        curves,
        laws: Laws {
            params: Some(power_law("N", by_params, (1.2e3, 1e6), kaplan("N", L_N))),
            data: Some(power_law("D", by_data, (1.2e5, 1e7), kaplan("D", L_D))),
            compute: Some(compute),
            joint: Some(joint()),
        },
        plan,
        forecasts: vec![],
        floor: Some(Floor {
            loss: 2.71,
            loss_se: 0.004,
            source: "the seeded source scored on the same test bytes".into(),
        }),
        notes: vec![Note::MadeUp],
        provenance: Provenance {
            program: format!("scalelaw {}", env!("CARGO_PKG_VERSION")),
            command: "cargo run -p scalelaw-report --example demo".into(),
            data_digest: String::new(),
            experiment: String::new(),
            facts: vec![],
        },
    }
}

fn main() -> Result<(), scalelaw_report::ReportError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/demo-report".to_owned());
    let page = scalelaw_report::study(&demo()).write(folder.as_ref())?;
    println!("{}", page.display());
    Ok(())
}

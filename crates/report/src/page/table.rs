//! Tables, each in a box that scrolls sideways on a narrow screen.

use crate::number::{count, interval, significant, within};
use crate::study::symbols::{INTERVAL_OF_PLAN, budget, constants, equation, per_cent, symbols};
use crate::text::RichText;
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_lab::study::{FittedCurve, Forecast, Parameter, Plan, RunRow, Study};

/// A table; cells are markup.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) caption: Option<String>,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Columns from this one on hold numbers and are set flush right.
    pub(crate) numbers_from: usize,
}

impl Table {
    pub(crate) fn html(&self) -> String {
        let caption = self.caption.as_ref().map_or_else(String::new, |text| {
            format!("<p class=\"caption\">{}</p>\n", RichText::markup(text).to_html())
        });
        let head = if self.head.is_empty() {
            String::new()
        } else {
            format!("<thead>{}</thead>\n", self.row(&self.head, "th scope=\"col\"", "th"))
        };
        let rows: String = self.rows.iter().map(|row| self.row(row, "td", "td") + "\n").collect();
        format!(
            "{caption}<div class=\"scroll\" tabindex=\"0\"><table>\n{head}<tbody>\n{rows}</tbody>\n</table></div>\n"
        )
    }

    /// Head and rows as CSV, without markup.
    pub(crate) fn csv(&self) -> String {
        std::iter::once(&self.head)
            .chain(&self.rows)
            .map(|cells| {
                let fields: Vec<String> = cells
                    .iter()
                    .map(|cell| crate::figure::csv_field(&RichText::markup(cell).to_plain()))
                    .collect();
                fields.join(",") + "\n"
            })
            .collect()
    }

    fn row(&self, cells: &[String], open: &str, close: &str) -> String {
        let cells: String = cells
            .iter()
            .enumerate()
            .map(|(i, cell)| {
                let class = if i >= self.numbers_from { " class=\"number\"" } else { "" };
                format!("<{open}{class}>{}</{close}>", RichText::markup(cell).to_html())
            })
            .collect();
        format!("<tr>{cells}</tr>")
    }
}

/// Every constant of every law, with its interval, and the paper's law beside it.
pub(super) fn laws(study: &Study) -> Table {
    let laws = &study.laws;
    let conventions = &study.conventions;
    let mut rows = Vec::new();
    for (name, counted, curve) in [
        ("L(N)", conventions.params.to_string(), &laws.params),
        ("L(D)", conventions.data.to_string(), &laws.data),
        ("L(C)", conventions.flops.to_string(), &laws.compute),
    ] {
        if let Some(curve) = curve {
            rows.extend(curve_rows(&format!("{name}, {counted}"), curve));
        }
    }
    if let Some(joint) = &laws.joint {
        let law = format!("L(N, D), {}, {}", conventions.params, conventions.data);
        let points: usize = joint.lines.iter().map(|line| line.points.len()).sum();
        for (i, param) in joint.params.iter().enumerate() {
            let first = |text: &str| if i == 0 { text.to_owned() } else { String::new() };
            let [value, ci] = estimate(param);
            rows.push(vec![
                first(&law),
                first(&symbols(&joint.equation)),
                first(&joint.published.as_ref().map_or_else(String::new, constants)),
                symbols(&param.name),
                value,
                ci,
                first(&points.to_string()),
                String::new(),
            ]);
        }
    }
    let head = ["Law", "Form", "Published", "Constant", "Value", "95% interval", "Points", "Residual, rms"];
    Table {
        caption: Some("Constants belong to this text, this tokenizer and these counts; only exponents can be compared across studies.".into()),
        head: head.map(String::from).into(),
        rows,
        numbers_from: 4,
    }
}

fn curve_rows(law: &str, curve: &FittedCurve) -> Vec<Vec<String>> {
    let published = curve
        .published
        .as_ref()
        .map_or_else(String::new, |published| format!("{} ({})", equation(published), published.source));
    let rms = curve.residual_rms().map_or_else(String::new, per_cent);
    curve
        .params
        .iter()
        .enumerate()
        .map(|(i, param)| {
            let first = |text: &str| if i == 0 { text.to_owned() } else { String::new() };
            let [value, ci] = estimate(param);
            vec![
                first(law),
                first(&symbols(&curve.equation)),
                first(&published),
                symbols(&param.name),
                value,
                ci,
                first(&curve.points.len().to_string()),
                first(&rms),
            ]
        })
        .collect()
}

fn estimate(param: &Parameter) -> [String; 2] {
    match param.interval {
        Some(ends) => [within(param.value, ends), interval(ends)],
        None => [significant(param.value, 4), "none".to_owned()],
    }
}

pub(super) fn plan(study: &Study, plan: &Plan) -> Table {
    let conventions = &study.conventions;
    let loss = match plan.loss_interval {
        Some(ends) => format!("{} ({}; {})", within(plan.loss, ends), interval(ends), INTERVAL_OF_PLAN),
        None => format!("{} (no interval)", significant(plan.loss, 4)),
    };
    let of_any_form = plan.of_any_form.map(|(loss, ends)| {
        let value = format!("{} ({}; 95% interval of one new run)", within(loss, ends), interval(ends));
        ("The same over several forms of L(N, D)".to_owned(), value)
    });
    let rows = [
        ("Budget".to_owned(), budget(plan.factor)),
        (format!("C, {}", conventions.flops), significant(plan.compute, 3)),
        (format!("N, {}", conventions.params), count(plan.n_params)),
        ("Tokens processed".to_owned(), tokens(plan)),
        ("Steps".to_owned(), count(plan.steps)),
        ("Batch, tokens".to_owned(), count(plan.batch_tokens)),
        ("Expected test loss, nats per token".to_owned(), loss),
    ]
    .into_iter()
    .chain(of_any_form);
    Table {
        caption: None,
        head: vec![],
        rows: rows.map(|(name, value)| vec![name, value]).collect(),
        numbers_from: usize::MAX,
    }
}

/// The tokens of a plan, and how often it sees the text where it repeats it.
fn tokens(plan: &Plan) -> String {
    let passes = if plan.is_repeating() {
        format!(", {} passes over the text; the law is of fresh text", significant(plan.epochs, 2))
    } else {
        String::new()
    };
    count(plan.tokens) + &passes
}

/// Forecasts in the order they were made.
pub(super) fn forecasts(forecasts: &[Forecast]) -> Table {
    let row = |f: &Forecast| {
        let at: Vec<String> = f.at.iter().map(|(name, value)| format!("{name} {}", count(*value))).collect();
        let forecast = match f.interval {
            Some(ends) => [within(f.loss, ends), interval(ends)],
            None => [significant(f.loss, 4), "none".to_owned()],
        };
        let came = f.came.map_or_else(
            || ["not yet".to_owned(), String::new()],
            |came| [format!("{came:.4}"), format!("{:+.4}", f.loss - came)],
        );
        let verdict = match f.is_inside() {
            Some(true) => "inside",
            Some(false) => "outside",
            None => "",
        };
        let [loss, interval] = forecast;
        let [came, off] = came;
        vec![f.made.clone(), f.law.clone(), at.join(", "), loss, interval, came, off, verdict.to_owned()]
    };
    Table {
        caption: Some("Losses in nats per token; the interval is that of one run.".into()),
        head: ["made", "law", "at", "forecast", "95%", "came", "off by", ""].map(String::from).to_vec(),
        rows: forecasts.iter().map(row).collect(),
        numbers_from: 3,
    }
}

/// All runs, smallest first; a failed run is a row like any other.
pub(super) fn runs(study: &Study) -> Table {
    let conventions = &study.conventions;
    let n = |run: &RunRow| match conventions.params {
        ParamConvention::NonEmbedding => run.n_nonembed,
        ParamConvention::Total => run.n_total,
        ParamConvention::Matmul => run.n_matmul,
    };
    let flops = |run: &RunRow| match conventions.flops {
        FlopConvention::SixN => run.flops_6n,
        FlopConvention::Matmul => run.flops_matmul,
        FlopConvention::Full => run.flops_full,
    };
    let mut sorted: Vec<&RunRow> = study.runs.iter().collect();
    sorted.sort_by_key(|run| (n(run), run.d_unique, run.seed, run.run_id.clone()));
    let rows = sorted
        .into_iter()
        .map(|run| {
            let loss = match (run.loss, run.loss_se) {
                (Some(loss), Some(se)) => format!("{loss:.4} ± {se:.4}"),
                (Some(loss), None) => format!("{loss:.4}"),
                (None, _) => String::new(),
            };
            vec![
                run.run_id.clone(),
                text(run.status.as_deref()),
                shape(run),
                whole(n(run)),
                whole(run.d_unique),
                whole(run.tokens),
                whole(run.steps),
                flops(run).map_or_else(String::new, |c| significant(c, 3)),
                run.lr.map_or_else(String::new, |lr| significant(lr, 3)),
                run.seed.map_or_else(String::new, |seed| seed.to_string()),
                loss,
                run.loss_min.map_or_else(String::new, |loss| format!("{loss:.4}")),
                run.loss_bits_per_byte.map_or_else(String::new, |loss| format!("{loss:.4}")),
            ]
        })
        .collect();
    let head = vec![
        "Run".to_owned(),
        "Status".to_owned(),
        "Layers × width".to_owned(),
        format!("N, {}", conventions.params),
        "D, unique tokens".to_owned(),
        "Tokens processed".to_owned(),
        "Steps".to_owned(),
        format!("C, {}", conventions.flops),
        "Peak learning rate".to_owned(),
        "Seed".to_owned(),
        "Test loss ± standard error (nats/token)".to_owned(),
        "Lowest logged test loss".to_owned(),
        "Bits per byte".to_owned(),
    ];
    let caption =
        format!("All {} runs. The standard error is over test tokens, not over seeds.", study.runs.len());
    Table { caption: Some(caption), head, rows, numbers_from: 3 }
}

fn shape(run: &RunRow) -> String {
    match (run.n_layer, run.d_model) {
        (Some(layers), Some(width)) => format!("{layers} × {width}"),
        _ => String::new(),
    }
}

fn whole(value: Option<u64>) -> String {
    value.map_or_else(String::new, |value| count(value as f64))
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or("").to_owned()
}

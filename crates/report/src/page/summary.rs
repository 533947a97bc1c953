//! The answer in plain words, before anything else.

use crate::number::{count, significant, within};
use crate::study::symbols::{budget, sentence};
use crate::text::RichText;
use scalelaw_lab::study::{FittedCurve, Study};

pub(super) fn html(study: &Study) -> String {
    let sentences = sentences(study);
    if sentences.is_empty() {
        return "<p class=\"answer\">No law could be fitted to these runs; the notes below say why.</p>\n"
            .to_owned();
    }
    let items: String =
        sentences.iter().map(|text| format!("<li>{}</li>\n", RichText::markup(text).to_html())).collect();
    format!("<ul class=\"answer\">\n{items}</ul>\n")
}

fn sentences(study: &Study) -> Vec<String> {
    let conventions = &study.conventions;
    let laws = &study.laws;
    let mut sentences: Vec<String> = [
        (&laws.params, format!("N {}", conventions.params), "N"),
        (&laws.data, format!("D {}", conventions.data), "D"),
        (&laws.compute, format!("C {}", conventions.flops), "C"),
    ]
    .into_iter()
    .filter_map(|(curve, counted, symbol)| Some(law(curve.as_ref()?, &counted, symbol)))
    .collect();
    if let Some(plan) = &study.plan {
        let interval = plan.loss_interval.map_or_else(String::new, |(lo, hi)| {
            format!(" ({} to {})", within(lo, (lo, hi)), within(hi, (lo, hi)))
        });
        sentences.push(format!(
            "Next, {}: train N = {} {} on {} tokens ({} steps of {} tokens), C = {} {}. Expected loss {}{interval} nats \
             per token, an extrapolation by {} decades of compute.{}{}",
            budget(plan.factor),
            count(plan.n_params),
            conventions.params,
            count(plan.tokens),
            count(plan.steps),
            count(plan.batch_tokens),
            significant(plan.compute, 3),
            conventions.flops,
            plan.loss_interval.map_or_else(|| significant(plan.loss, 3), |interval| within(plan.loss, interval)),
            significant(plan.decades_beyond(), 2),
            plan.of_any_form.map_or_else(String::new, |(loss, ends)| format!(
                " Over several forms of the law: {} ({} to {}).",
                within(loss, ends),
                within(ends.0, ends),
                within(ends.1, ends)
            )),
            if plan.is_repeating() {
                format!(
                    " It would see the text {} times, and the law is of fresh text.",
                    significant(plan.epochs, 2)
                )
            } else {
                String::new()
            },
        ));
    }
    sentences
}

fn law(curve: &FittedCurve, counted: &str, symbol: &str) -> String {
    let published = curve.published.as_ref().map_or_else(String::new, |published| {
        format!("; {}: {}", published.source, significant(published.exponent, 2))
    });
    let range = curve.data_range().map_or_else(String::new, |(lo, hi)| {
        format!(", measured from {} to {}", significant(lo, 2), significant(hi, 2))
    });
    let halving = 100.0 * (1.0 - libm::exp2(-curve.exponent.value));
    format!(
        "Loss falls as {symbol}^{{−{}}} ({counted}{range}): exponent {}{published}. Doubling {symbol} takes {}% off the loss.",
        significant(curve.exponent.value, 2),
        sentence(&curve.exponent),
        significant(halving, 2),
    )
}

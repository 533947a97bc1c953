//! One self-contained HTML page: figures inside, no network, light and dark, phone and paper.

mod caveats;
mod figure;
mod notes;
mod summary;
mod table;

pub use caveats::EXTRAPOLATION_CAVEATS;

use crate::figure::Figure;
use crate::text::{RichText, escape};
pub(crate) use figure::html as figure_html;
use scalelaw_lab::study::{Forecast, Study};
pub(crate) use table::Table;

/// The page of a study with its figures.
pub fn html(study: &Study, figures: &[Figure]) -> String {
    let mut body = String::new();
    body += &format!("<header><h1>{}</h1>\n{}</header>\n", escape(&study.title), summary::html(study));
    body += &contents(figures);
    body += "<section id=\"figures\"><h2>Figures</h2>\n";
    for drawn in figures {
        body += &figure::html(drawn);
    }
    body += "</section>\n";
    body += &section("laws", "Laws", &(table::laws(study).html() + &doubts(study)));
    body += &section("plan", "The next run", &plan(study));
    body += &section("forecasts", "Forecasts and what came", &forecasts(study));
    body += &section("runs", "Runs", &table::runs(study).html());
    body += &section("counting", "What is counted", &counting(study));
    body += &section("text", "Text", &facts(&corpus_facts(study)));
    body += &section("caveats", "Before you extrapolate", &list(&caveats(study)));
    body += &section("provenance", "How this page was made", &facts(&provenance(study)));
    document(&study.title, &body)
}

/// A whole document around a body. The policy forbids the browser any request, so "no network" is enforced.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title),
        include_str!("page/style.css"),
    )
}

pub(crate) fn section(id: &str, heading: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("<section id=\"{id}\"><h2>{heading}</h2>\n{body}</section>\n")
}

fn contents(figures: &[Figure]) -> String {
    let links: Vec<String> = figures
        .iter()
        .map(|drawn| format!("<a href=\"#{}\">{}</a>", drawn.name, drawn.title.to_html()))
        .chain(
            [("laws", "Laws"), ("runs", "Runs"), ("caveats", "Caveats"), ("provenance", "How made")]
                .map(|(id, name)| format!("<a href=\"#{id}\">{name}</a>")),
        )
        .collect();
    format!("<nav>{}</nav>\n", links.join(" "))
}

fn doubts(study: &Study) -> String {
    let laws = &study.laws;
    let curves = [("L(N)", &laws.params), ("L(D)", &laws.data), ("L(C)", &laws.compute)];
    let mut items: Vec<String> = Vec::new();
    for (name, curve) in curves {
        items.extend(curve.iter().flat_map(|curve| &curve.doubts).map(|doubt| format!("{name}: {doubt}")));
    }
    items.extend(laws.joint.iter().flat_map(|joint| &joint.doubts).map(|doubt| format!("L(N, D): {doubt}")));
    if items.is_empty() {
        return String::new();
    }
    format!("<h3>Doubts about these fits</h3>\n{}", list(&items))
}

fn plan(study: &Study) -> String {
    study.plan.as_ref().map_or_else(String::new, |plan| {
        let caveat = format!(
            "<p class=\"extrapolated\">Extrapolation: {} decades of compute beyond the largest run of this study.</p>\n",
            crate::number::significant(plan.decades_beyond(), 2)
        );
        caveat + &table::plan(study, plan).html()
    })
}

fn forecasts(study: &Study) -> String {
    if study.forecasts.is_empty() {
        return String::new();
    }
    let graded = study.forecasts.iter().filter(|forecast| forecast.came.is_some()).count();
    let verdicts: Vec<bool> = study.forecasts.iter().filter_map(Forecast::is_inside).collect();
    let inside = verdicts.iter().filter(|inside| **inside).count();
    let record = if graded == 0 {
        "No forecast here is graded yet: <code>scalelaw score</code> does it.".to_owned()
    } else {
        format!(
            "{graded} graded. Of {} forecasts with a 95% interval of one run, {inside} held what came.",
            verdicts.len()
        )
    };
    format!("<p>{record}</p>\n{}", table::forecasts(&study.forecasts).html())
}

fn counting(study: &Study) -> String {
    let conventions = &study.conventions;
    facts(&[
        ("N".into(), conventions.params.to_string()),
        ("C".into(), conventions.flops.to_string()),
        ("D".into(), conventions.data.to_string()),
        (
            "L".into(),
            "nats per token of this study's tokenizer, mean over the test text; 1 nat = 1.4427 bits".into(),
        ),
        ("Intervals".into(), "95%; every figure and table says of what".into()),
    ])
}

fn corpus_facts(study: &Study) -> Vec<(String, String)> {
    let mut facts = vec![("Name".to_owned(), study.corpus.name.clone())];
    facts.extend(study.corpus.facts.iter().cloned());
    if let Some(floor) = &study.floor {
        let text = format!(
            "{} ± {} nats per token (standard error): {}",
            crate::number::significant(floor.loss, 5),
            crate::number::significant(floor.loss_se, 2),
            floor.source
        );
        facts.push(("Loss of the true source".to_owned(), text));
    }
    facts
}

fn caveats(study: &Study) -> Vec<String> {
    study
        .notes
        .iter()
        .map(|note| notes::sentence(note, &study.conventions))
        .chain(EXTRAPOLATION_CAVEATS.iter().map(|text| (*text).to_owned()))
        .collect()
}

fn provenance(study: &Study) -> Vec<(String, String)> {
    let made = &study.provenance;
    let mut facts = vec![
        ("Program".to_owned(), made.program.clone()),
        ("Command".to_owned(), made.command.clone()),
        ("Experiment".to_owned(), made.experiment.clone()),
        ("Data digest".to_owned(), made.data_digest.clone()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts.extend(made.facts.iter().cloned());
    facts
}

fn list(items: &[String]) -> String {
    let items: String =
        items.iter().map(|item| format!("<li>{}</li>\n", RichText::markup(item).to_html())).collect();
    format!("<ul>\n{items}</ul>\n")
}

pub(crate) fn facts(facts: &[(String, String)]) -> String {
    let rows = facts.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    Table { caption: None, head: vec![], rows, numbers_from: usize::MAX }.html()
}

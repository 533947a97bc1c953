//! A figure on the page: panels that wrap, the key, the caption, and links to its files.

use crate::figure::Figure;

pub(crate) fn html(figure: &Figure) -> String {
    let pieces = figure.svg_pieces();
    let key = pieces.key.map_or_else(String::new, |svg| format!("<div class=\"key\">{svg}</div>\n"));
    let files: Vec<String> = ["svg", "png", "csv"]
        .map(|kind| format!("<a href=\"figures/{}.{kind}\">{}</a>", figure.name, kind.to_uppercase()))
        .into();
    let layout = if pieces.panels.len() == 1 { "single" } else { "several" };
    format!(
        "<figure id=\"{}\" class=\"{layout}\">\n<h3>{}</h3>\n<div class=\"drawing\"><div class=\"panels\">{}</div>\n{key}</div>\n\
         <figcaption>{} <span class=\"files\">{}</span></figcaption>\n</figure>\n",
        figure.name,
        figure.title.to_html(),
        pieces.panels.concat(),
        figure.full_caption().to_html(),
        files.join(" · ")
    )
}

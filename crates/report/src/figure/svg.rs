//! A scene as SVG.

use super::font::FAMILY;
use super::measure::{SCRIPT_SIZE, script_size, width};
use super::scene::{Anchor, Pen, Place, Scene, Shape, Turn};
use crate::text::{RichText, Script, escape};
use std::fmt::Write;

/// The scene as one `<svg>` element; `description` is what a screen reader says.
pub(super) fn write(scene: &Scene, title: &str, description: &str) -> String {
    let (w, h) = (number(scene.width), number(scene.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         font-family=\"{}\"><title>{}</title><desc>{}</desc>\n<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n",
        escape(FAMILY),
        escape(title),
        escape(description),
    );
    for shape in &scene.shapes {
        draw(&mut out, shape);
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, shape: &Shape) {
    let result = match shape {
        Shape::Line { places, pen } => {
            write!(out, "<path d=\"{}\" fill=\"none\"{}/>", path(places), stroke(Some(pen)))
        }
        Shape::Area { places, fill, opacity, pen } => {
            let fill_opacity = if *opacity < 1.0 {
                format!(" fill-opacity=\"{}\"", number(*opacity))
            } else {
                String::new()
            };
            write!(
                out,
                "<path d=\"{}Z\" fill=\"{}\"{fill_opacity}{}/>",
                path(places),
                fill.to_hex(),
                stroke(pen.as_ref())
            )
        }
        Shape::Disc { centre, radius, fill, pen } => write!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"{}/>",
            number(centre.0),
            number(centre.1),
            number(*radius),
            fill.to_hex(),
            stroke(pen.as_ref())
        ),
        Shape::Text { at, text, size, colour, anchor, turn } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let (x, y) = (number(at.0), number(at.1));
            let turn = match turn {
                Turn::Level => String::new(),
                Turn::Upwards => format!(" transform=\"rotate(-90 {x} {y})\""),
            };
            // A reader without any font of the measured widths sees letters a little narrower, not an overlap.
            let length = number(width(text, *size));
            write!(
                out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\" textLength=\"{length}\" \
                 lengthAdjust=\"spacingAndGlyphs\"{anchor}{turn}>{}</text>",
                number(*size),
                colour.to_hex(),
                runs(text, *size)
            )
        }
    };
    result.expect("writing to a String never fails");
}

/// Scripts are shifted by `dy`, which browsers and converters agree on (`baseline-shift` they do not).
fn runs(text: &RichText, size: f64) -> String {
    let mut out = String::new();
    let mut below = 0.0;
    for run in &text.runs {
        let wanted = baseline(run.script) * size;
        let body = escape(&run.text);
        if wanted == below && run.script == Script::Normal {
            out.push_str(&body);
        } else {
            let font_size = if run.script == Script::Normal {
                String::new()
            } else {
                format!(" font-size=\"{}\"", number(size * script_size(run.script)))
            };
            let shift = number(wanted - below);
            write!(out, "<tspan dy=\"{shift}\"{font_size}>{body}</tspan>")
                .expect("writing to a String never fails");
        }
        below = wanted;
    }
    out
}

/// How far below the line a script's baseline is, as a share of the font size.
pub(super) fn baseline(script: Script) -> f64 {
    match script {
        Script::Normal => 0.0,
        Script::Super => -0.45 * SCRIPT_SIZE,
        Script::Sub => 0.28 * SCRIPT_SIZE,
    }
}

fn path(places: &[Place]) -> String {
    let mut out = String::with_capacity(places.len() * 12);
    for (i, (x, y)) in places.iter().enumerate() {
        let command = if i == 0 { 'M' } else { 'L' };
        write!(out, "{command}{} {}", number(*x), number(*y)).expect("writing to a String never fails");
    }
    out
}

fn stroke(pen: Option<&Pen>) -> String {
    let Some(pen) = pen else {
        return String::new();
    };
    let lengths = pen.dash.lengths(pen.width);
    let dash = if lengths.is_empty() {
        String::new()
    } else {
        let text: Vec<String> = lengths.into_iter().map(number).collect();
        format!(" stroke-dasharray=\"{}\"", text.join(" "))
    };
    format!(
        " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dash}",
        pen.colour.to_hex(),
        number(pen.width)
    )
}

/// At most two decimals, no trailing zeros, no "-0".
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_short() {
        assert_eq!(number(12.0), "12");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(3.456), "3.46");
        assert_eq!(number(100.0), "100");
    }

    #[test]
    fn runs_return_to_the_line_after_a_superscript() {
        assert_eq!(
            runs(&"10^{3} < x".into(), 10.0),
            "10<tspan dy=\"-3.24\" font-size=\"7.2\">3</tspan><tspan dy=\"3.24\"> &lt; x</tspan>"
        );
    }
}

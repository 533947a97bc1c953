//! The one font of every figure: widths to lay text out with, outlines to draw it in a PNG.
//!
//! The table is a subset of Arimo, whose widths equal those of Arial, Helvetica and Liberation Sans: what is
//! measured here is what a reader's browser draws, whichever of them it has. Licence: `assets/ARIMO-LICENSE.txt`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What SVG asks for: fonts of one and the same width, then whatever the reader has.
pub(super) const FAMILY: &str = "Arimo, 'Liberation Sans', Arial, Helvetica, sans-serif";
/// Stands in for a character that the table lacks.
const MISSING: char = '□';

/// One command of an outline, in units of the font size, y upwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Command {
    Move(f64, f64),
    Line(f64, f64),
    Quad(f64, f64, f64, f64),
    Close,
}

/// Advance width in units of the font size, and outline.
pub(super) struct Glyph {
    pub(super) advance: f64,
    pub(super) outline: Vec<Command>,
}

/// The glyph of a character, or an empty box where the table has none (PNG only: SVG keeps the character).
pub(super) fn glyph(character: char) -> &'static Glyph {
    let table = table();
    table
        .get(&character)
        .or_else(|| table.get(&MISSING))
        .expect("the embedded table has the stand-in character")
}

/// Advance width in units of the font size. Characters outside the table count as one full square,
/// which is what East Asian scripts take.
pub(super) fn advance(character: char) -> f64 {
    table().get(&character).map_or(1.0, |glyph| glyph.advance)
}

fn table() -> &'static BTreeMap<char, Glyph> {
    static TABLE: OnceLock<BTreeMap<char, Glyph>> = OnceLock::new();
    TABLE.get_or_init(|| {
        parse(include_str!("../../assets/arimo-subset.txt"))
            .expect("the embedded glyph table is well formed: a test reads all of it")
    })
}

fn parse(text: &str) -> Option<BTreeMap<char, Glyph>> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let em: f64 = lines.next()?.strip_prefix("units_per_em ")?.parse().ok()?;
    lines
        .map(|line| {
            let mut fields = line.splitn(3, ' ');
            let character = char::from_u32(u32::from_str_radix(fields.next()?, 16).ok()?)?;
            let advance = fields.next()?.parse::<f64>().ok()? / em;
            let outline = parse_outline(fields.next().unwrap_or(""), em)?;
            Some((character, Glyph { advance, outline }))
        })
        .collect()
}

fn parse_outline(text: &str, em: f64) -> Option<Vec<Command>> {
    let mut commands = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let end = rest[1..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |i| i + 1);
        let numbers = rest[1..end]
            .split_whitespace()
            .map(|n| n.parse::<f64>().ok().map(|n| n / em))
            .collect::<Option<Vec<f64>>>()?;
        commands.push(match (letter, numbers.as_slice()) {
            ('M', [x, y]) => Command::Move(*x, *y),
            ('L', [x, y]) => Command::Line(*x, *y),
            ('Q', [cx, cy, x, y]) => Command::Quad(*cx, *cy, *x, *y),
            ('Z', []) => Command::Close,
            _ => return None,
        });
        rest = &rest[end..];
    }
    Some(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_embedded_has_every_character_that_labels_use() {
        let table = table();
        for character in "0123456789.×−+ ^αβδΔ·≈≤≥–—’“”%()=/ABCLNDSabcxyz□".chars()
        {
            assert!(table.contains_key(&character), "{character:?}");
        }
        assert!(table.values().all(|glyph| glyph.advance > 0.0));
    }

    #[test]
    fn advance_known_letters_match_arial() {
        // Arial's own widths, 2048 units to the em: W 1933, i 455, 0 1139.
        for (character, units) in [('W', 1933.0), ('i', 455.0), ('0', 1139.0)] {
            assert!((advance(character) - units / 2048.0).abs() < 1e-12);
        }
    }

    #[test]
    fn glyph_outside_the_table_is_a_box() {
        assert_eq!(glyph('語').outline, glyph('□').outline);
        assert_eq!(advance('語'), 1.0);
    }

    #[test]
    fn parse_damaged_outline_is_refused() {
        assert!(parse_outline("M1", 1.0).is_none());
        assert!(parse_outline("M1 2L3 x", 1.0).is_none());
    }
}

//! The last resort: metadata, articles, all paragraphs, everything.

use crate::prose::{Block, Prose, Taking};
use crate::rules;
use crate::tag::Tag;
use crate::tree::Tree;
use crate::view::View;
use serde_json::Value;
use std::collections::HashSet;

/// A source that yields at most this many characters is skipped.
const ENOUGH: usize = 100;

/// Characters of the page without its margins.
pub(crate) fn chars(page: &View<'_>) -> usize {
    tidied(page).sums(0).chars as usize
}

fn tidied<'t>(page: &View<'t>) -> View<'t> {
    let mut view = page.clone();
    view.take_away_where(0, |view, node| {
        matches!(view.tag(node), Tag::Script | Tag::Chrome | Tag::Title | Tag::Head)
            || view.has(node, rules::CONSENT)
    });
    view
}

/// The first source that yields enough.
pub(crate) fn everything(page: &View<'_>) -> Prose {
    let metadata = metadata(page.tree);
    if metadata.chars > ENOUGH {
        return metadata;
    }
    let view = tidied(page);
    let articles: Vec<usize> = view.nodes(0).filter(|&node| view.tag(node) == Tag::Article).collect();
    let longest = articles.iter().map(|&node| view.sums(node).chars).max().unwrap_or(0);
    if longest as usize > ENOUGH {
        let mut prose = Prose::default();
        let mut end = 0;
        for node in articles.into_iter().filter(|&node| view.sums(node).chars * 5 >= longest) {
            if node >= end {
                Prose::of(&view, node, Taking::Everything)
                    .blocks
                    .into_iter()
                    .for_each(|block| prose.push(block));
                end = view.tree.below(node).end;
            }
        }
        return prose;
    }
    let paragraphs = Prose::of(&view, 0, Taking::Paragraphs);
    if paragraphs.chars > ENOUGH {
        return paragraphs;
    }
    Prose::of(&view, 0, Taking::Everything)
}

/// How a block looks by itself, after jusText.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Good,
    NearGood,
    Short,
    Bad,
}

/// All blocks of the page that read like sentences, and those between them.
pub(crate) fn sentences(page: &View<'_>) -> Prose {
    let blocks = Prose::of(&tidied(page), 0, Taking::Everything).blocks;
    let classes: Vec<Class> = blocks.iter().map(class).collect();
    let before = neighbours(classes.iter());
    let mut after = neighbours(classes.iter().rev());
    after.reverse();
    let mut prose = Prose::default();
    for (i, block) in blocks.into_iter().enumerate() {
        let keep = match classes[i] {
            Class::Good => true,
            Class::Bad => false,
            Class::NearGood => before[i].strictly || after[i].strictly,
            Class::Short => before[i].loosely && after[i].loosely,
        };
        if keep {
            prose.push(block);
        }
    }
    prose
}

/// Whether the nearest decisive block on one side is good.
#[derive(Clone, Copy)]
struct Neighbour {
    strictly: bool,
    loosely: bool,
}

fn neighbours<'c>(classes: impl Iterator<Item = &'c Class>) -> Vec<Neighbour> {
    let mut last = Neighbour { strictly: false, loosely: false };
    let mut neighbours = Vec::new();
    for class in classes {
        neighbours.push(last);
        match class {
            Class::Good => last = Neighbour { strictly: true, loosely: true },
            Class::Bad => last = Neighbour { strictly: false, loosely: false },
            Class::NearGood => last.loosely = true,
            Class::Short => {}
        }
    }
    neighbours
}

fn class(block: &Block) -> Class {
    if block.linked * 4 > block.chars || block.text.contains('©') {
        return Class::Bad;
    }
    if block.chars < 50 {
        return if block.linked > 0 { Class::Bad } else { Class::Short };
    }
    // Languages string their sentences together with short words in lower case.
    let (mut words, mut joints) = (0, 0);
    for word in block.text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        words += 1;
        joints += u32::from(
            word.chars().count() <= 3 && word.starts_with(|c: char| c.is_alphabetic() && !c.is_uppercase()),
        );
    }
    match (joints * 10, block.chars) {
        (joints, chars) if joints >= 2 * words && chars > 150 => Class::Good,
        (joints, _) if joints >= words => Class::NearGood,
        _ => Class::Bad,
    }
}

/// Texts of articles, reviews, answers and instructions in `application/ld+json`.
fn metadata(tree: &Tree) -> Prose {
    let mut texts = Vec::new();
    for script in &tree.metadata {
        if let Ok(value) = serde_json::from_str::<Value>(script) {
            walk(&value, &mut texts);
        }
    }
    // Pages often carry the same text twice; a text may itself be HTML.
    let (mut prose, mut seen) = (Prose::default(), HashSet::new());
    for text in texts.into_iter().filter(|text| seen.insert(text.clone())) {
        Prose::of(&View::new(&Tree::parse(&text)), 0, Taking::Everything)
            .blocks
            .into_iter()
            .for_each(|block| prose.push(block));
    }
    prose
}

fn walk(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, texts)),
        Value::Object(object) => {
            for key in ["articleBody", "reviewBody"] {
                if let Some(Value::String(text)) = object.get(key) {
                    texts.push(text.to_owned());
                }
            }
            for key in ["recipeInstructions", "step"] {
                match object.get(key) {
                    Some(Value::String(text)) => texts.push(text.to_owned()),
                    Some(Value::Array(steps)) => {
                        for step in steps {
                            if let Some(text) = step.as_str().or_else(|| step.get("text")?.as_str()) {
                                texts.push(text.to_owned());
                            }
                        }
                    }
                    _ => {}
                }
            }
            if let Some(Value::String(text)) =
                object.get("acceptedAnswer").and_then(|answer| answer.get("text"))
            {
                texts.push(text.to_owned());
            }
            for key in ["@graph", "mainEntity"] {
                if let Some(value) = object.get(key) {
                    walk(value, texts);
                }
            }
        }
        _ => {}
    }
}

//! The densest part of a page, whatever it is called: the scores of Readability.

use crate::extract::clean;
use crate::prose::{Prose, Taking};
use crate::rules;
use crate::tag::Tag;
use crate::view::View;

/// Paragraphs shorter than this many characters do not count towards a score.
const TELLING: u32 = 25;

/// The text of the element with the highest score, and of its siblings that score well too.
pub(crate) fn densest(page: &View<'_>) -> Prose {
    let mut view = page.clone();
    view.take_away_where(0, |view, node| {
        view.tag(node) == Tag::Script
            || (view.has(node, rules::UNLIKELY)
                && !view.has(node, rules::LIKELY)
                && !matches!(view.tag(node), Tag::Html | Tag::Body))
    });
    let scores = scores(&view);
    let best = (0..scores.len()).filter(|&node| scores[node] > f32::MIN);
    let Some(best) = best.max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a))) else {
        return Prose::default();
    };
    let parts = parts(&view, &scores, best);
    let mut prose = Prose::default();
    tidy(&mut view, &parts, &scores);
    clean(&mut view);
    for part in parts {
        Prose::of(&view, part, Taking::Everything).blocks.into_iter().for_each(|block| prose.push(block));
    }
    prose
}

fn weight(view: &View<'_>, node: usize) -> f32 {
    25.0 * (f32::from(u8::from(view.has(node, rules::POSITIVE)))
        - f32::from(u8::from(view.has(node, rules::NEGATIVE))))
}

fn link_density(view: &View<'_>, node: usize) -> f32 {
    let sums = view.sums(node);
    sums.linked as f32 / sums.chars.max(1) as f32
}

/// Whether a container holds nothing but a paragraph's text.
fn is_paragraph(view: &View<'_>, node: usize) -> bool {
    match view.tag(node) {
        Tag::P | Tag::Pre | Tag::Cell => true,
        Tag::Div => view.nodes(node).all(|below| {
            let tag = view.tag(below);
            (tag.is_inline() || matches!(tag, Tag::Break | Tag::Heading)) && tag != Tag::Image
        }),
        _ => false,
    }
}

/// The score of each element that has paragraphs, `f32::MIN` for the others.
fn scores(view: &View<'_>) -> Vec<f32> {
    let mut scores = vec![f32::MIN; view.tree.nodes.len()];
    let commas = commas(view);
    for node in view.nodes(0) {
        if view.sums(node).chars < TELLING || !is_paragraph(view, node) {
            continue;
        }
        let score = 2.0 + commas[node] as f32 + (view.sums(node).chars as f32 / 100.0).min(3.0);
        let parent = view.parent(node);
        let grandparent = view.parent(parent);
        for (ancestor, share) in [(parent, 1.0), (grandparent, 0.5)] {
            if share < 1.0 && ancestor == parent {
                continue; // the root is its own parent
            }
            if scores[ancestor] == f32::MIN {
                scores[ancestor] = weight(view, ancestor)
                    + match view.tag(ancestor) {
                        Tag::Div | Tag::Article => 5.0,
                        Tag::Pre | Tag::Cell | Tag::Quote => 3.0,
                        Tag::List | Tag::Item | Tag::Form => -3.0,
                        Tag::Heading | Tag::Header | Tag::Chrome => -5.0,
                        _ => 0.0,
                    };
            }
            scores[ancestor] += score * share;
        }
    }
    for (node, score) in scores.iter_mut().enumerate().filter(|(_, score)| **score > f32::MIN) {
        *score *= 1.0 - link_density(view, node);
    }
    scores
}

/// Commas at and below each node.
fn commas(view: &View<'_>) -> Vec<u32> {
    let mut commas = vec![0; view.tree.nodes.len()];
    for node in view.nodes(0) {
        if view.tag(node) == Tag::Text {
            commas[node] = view.tree.text_of(node).bytes().filter(|b| *b == b',').count() as u32;
        }
    }
    for node in (1..commas.len()).rev() {
        commas[view.parent(node)] += commas[node];
    }
    commas
}

/// The best element and those of its siblings that belong to it.
fn parts(view: &View<'_>, scores: &[f32], best: usize) -> Vec<usize> {
    let threshold = (scores[best] * 0.2).max(10.0);
    if best == 0 {
        return vec![0];
    }
    let belongs = |node: usize| {
        if node == best || scores[node] >= threshold {
            return true;
        }
        let density = link_density(view, node);
        let chars = view.sums(node).chars;
        is_paragraph(view, node)
            && ((chars > 80 && density < 0.25) || (chars > 0 && density == 0.0 && ends_sentence(view, node)))
    };
    view.children(view.parent(best)).filter(|&node| belongs(node)).collect()
}

fn ends_sentence(view: &View<'_>, node: usize) -> bool {
    view.nodes(node).any(|below| {
        let text = if view.tag(below) == Tag::Text { view.tree.text_of(below) } else { "" };
        text.trim_end().ends_with('.') || text.contains(". ")
    })
}

/// Hides what does not look like prose within the parts.
fn tidy(view: &mut View<'_>, parts: &[usize], scores: &[f32]) {
    let commas = commas(view);
    for &part in parts {
        view.take_away_where(part, |view, node| match view.tag(node) {
            Tag::Heading => {
                view.has(node, rules::NEGATIVE) && !view.has(node, rules::POSITIVE)
                    || link_density(view, node) > 0.33
            }
            Tag::Form => true,
            Tag::Table | Tag::List | Tag::Div | Tag::Chrome | Tag::Header | Tag::Section => {
                let weight = weight(view, node);
                let score = if scores[node] > f32::MIN { scores[node] } else { 0.0 };
                if weight + score < 0.0 {
                    return true;
                }
                if commas[node] >= 10 {
                    return false;
                }
                let count = |tag| view.nodes(node).filter(|&below| view.tag(below) == tag).count();
                let (p, img, li) = (count(Tag::P), count(Tag::Image), count(Tag::Item));
                let chars = view.sums(node).chars;
                (p > 0 && img as f32 > 1.0 + p as f32 * 1.3)
                    || (li > p + 100 && view.tag(node) != Tag::List)
                    || (chars < TELLING && img != 1)
                    || link_density(view, node) > if weight >= 25.0 { 0.5 } else { 0.2 }
            }
            _ => false,
        });
    }
}

//! Which part of a page is its main text.
//!
//! The steps are those of trafilatura 2.3.1 (Apache-2.0): hide what is never prose, find the body of the article by
//! the names that sites give it, hide boilerplate and blocks of links, take the paragraphs, and where that yields too
//! little, fall back on the densest part, on metadata, and finally on the whole page.

use crate::densest;
use crate::prose::{Prose, Taking};
use crate::rules;
use crate::tag::Tag;
use crate::tree::Tree;
use crate::view::View;
use crate::whole;

/// A text shorter than this many characters is doubtful.
pub(crate) const SHORT: usize = 250;

/// A lead is no longer than this many characters.
const LONG_LEAD: u32 = 1500;

/// How strictly text is chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Focus {
    Balanced,
    Recall,
}

/// The main text of a page.
pub(crate) fn main_text(tree: &Tree) -> Prose {
    let with_scripts = main_text_of(View::new(tree), Shown::WithScripts);
    // Some pages carry their text only inside `<noscript>`.
    if with_scripts.chars < SHORT && tree.nodes.iter().any(|node| node.tag == Tag::Noscript) {
        let without = main_text_of(View::new(tree), Shown::WithoutScripts);
        if without.chars > 2 * with_scripts.chars {
            return without;
        }
    }
    with_scripts
}

/// Whether the contents of `<noscript>` are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    WithScripts,
    WithoutScripts,
}

fn main_text_of(mut page: View<'_>, shown: Shown) -> Prose {
    page.take_away_where(0, |view, node| {
        let tag = view.tag(node);
        (tag == Tag::Noscript && shown == Shown::WithScripts)
            || (view.has(node, rules::COMMENTS)
                && (is_section(tag) || tag == Tag::List || tag == Tag::Details))
            || (view.has(node, rules::APPENDED) && is_section(tag) && !holds_title(view, node))
    });
    let mut prose = choose(&page, Focus::Balanced);
    if prose.chars < SHORT {
        let other = whole::everything(&page);
        if other.chars > prose.chars {
            prose = other;
        }
    }
    // A short text on a long page is doubtful too.
    if prose.chars > 0 && prose.chars < 1500 && prose.chars * 5 < whole::chars(&page) {
        let other = choose(&page, Focus::Recall);
        let sentences = whole::sentences(&page);
        if sentences.chars > other.chars && sentences.chars > 2 * prose.chars {
            prose = sentences;
        } else if other.chars >= SHORT && other.chars * 2 > prose.chars * 3 {
            prose = other;
        }
    }
    prose
}

/// The article, or the densest part of the page where that is clearly more.
fn choose(page: &View<'_>, focus: Focus) -> Prose {
    let mut cleaned = page.clone();
    clean(&mut cleaned);
    let article = article(&cleaned, focus);
    if focus == Focus::Recall && article.chars > 10 * SHORT {
        return article;
    }
    let dense = densest::densest(page);
    let paragraphs = article.blocks.iter().filter(|block| block.tag == Tag::P).count();
    let in_cells: usize =
        article.blocks.iter().filter(|block| block.tag == Tag::Cell).map(|block| block.chars).sum();
    let (own, other) = (article.chars, dense.chars);
    let prefer = other != 0
        && own <= 2 * other
        && (own == 0
            || other > 2 * own
            || (other > 2 * SHORT && (paragraphs == 0 || (other > own && in_cells * 2 > own)))
            || (focus == Focus::Recall && other * 2 > 3 * own));
    let chosen = if prefer { dense } else { article };
    if chosen.chars < SHORT {
        let sentences = whole::sentences(page);
        if sentences.chars > chosen.chars {
            return sentences;
        }
    }
    chosen
}

/// Hides what is never prose.
pub(crate) fn clean(view: &mut View<'_>) {
    view.take_away_where(0, |view, node| match view.tag(node) {
        Tag::Chrome | Tag::Script | Tag::Title | Tag::Head => true,
        Tag::Figure => view.find(node, |below| view.tag(below) == Tag::Table).is_none(),
        _ => false,
    });
    // A form around the whole page is a habit of some frameworks.
    let total = view.sums(0).chars;
    view.take_away_where(0, |view, node| view.tag(node) == Tag::Form && view.sums(node).chars * 2 <= total);
}

/// Where the article is, surest first.
fn candidates(view: &View<'_>) -> impl Iterator<Item = usize> {
    let container = |node: usize, marks| view.tag(node).is_container() && view.has(node, marks);
    [
        view.find(0, |node| container(node, rules::BODY)),
        view.find(0, |node| view.tag(node) == Tag::Article),
        view.find(0, |node| container(node, rules::STORY)),
        view.find(0, |node| container(node, rules::CONTENT)),
        view.find(0, |node| view.tag(node) == Tag::Main || container(node, rules::MAIN)),
    ]
    .into_iter()
    .flatten()
}

fn article(cleaned: &View<'_>, focus: Focus) -> Prose {
    let mut prose = Prose::default();
    let mut taking = Taking::Blocks;
    for root in candidates(cleaned) {
        let mut view = cleaned.clone();
        prune(&mut view, root, focus);
        if view.children(root).all(|node| view.tag(node) == Tag::Text) && view.sums(root).chars == 0 {
            continue;
        }
        if (view.sums(0).in_paragraphs as usize) < 3 * SHORT {
            taking = Taking::Everything;
        }
        prose = Prose::of(&view, root, taking);
        prose.drop_last_headings();
        if prose.blocks.first().is_some_and(|block| block.tag == Tag::Heading && is_title(&view, block.at)) {
            let title = prose.blocks.remove(0);
            prose.chars -= title.chars;
        }
        if prose.blocks.len() > 1 {
            prose = lead(cleaned, &prose).followed_by(prose);
            break;
        }
    }
    if prose.chars < SHORT {
        let mut view = cleaned.clone();
        prune(&mut view, 0, focus);
        let taking = if focus == Focus::Recall { Taking::Everything } else { Taking::Paragraphs };
        let found = prose.blocks.len();
        for block in Prose::of(&view, 0, taking).blocks {
            if !prose.blocks[..found].iter().any(|known| known.text.contains(&block.text)) {
                prose.push(block);
            }
        }
    }
    prose
}

/// What lies between the title and the article and is named as its lead, or shares the title's header.
fn lead(cleaned: &View<'_>, article: &Prose) -> Prose {
    let mut lead = Prose::default();
    let start = article.blocks.first().map_or(0, |block| block.at);
    let titles = cleaned.nodes(0).take_while(|&node| node < start);
    let Some(title) = titles.filter(|&node| cleaned.has(node, rules::TITLE)).last() else { return lead };
    let mut header = cleaned.parent(title);
    while header != 0 && cleaned.tag(header) != Tag::Header {
        header = cleaned.parent(header);
    }
    let header_end = if header == 0 { 0 } else { cleaned.tree.below(header).end };
    let mut end = cleaned.tree.below(title).end;
    for node in cleaned.nodes(0).take_while(|&node| node < start) {
        let (tag, sums) = (cleaned.tag(node), cleaned.sums(node));
        let named = cleaned.has(node, rules::LEAD) || (tag == Tag::P && node < header_end);
        if node < end
            || !named
            || sums.chars < 40
            || sums.linked * 3 > sums.chars
            || cleaned.tree.below(node).end > start
        {
            continue;
        }
        let boilerplate = rules::FURNITURE | rules::HIDDEN | rules::CAPTION;
        if !cleaned.has(node, boilerplate) && sums.chars <= LONG_LEAD && (lead.chars as u32) < LONG_LEAD {
            end = cleaned.tree.below(node).end;
            for block in Prose::of(cleaned, node, Taking::Everything).blocks {
                let known = article.blocks.iter().any(|known| known.text.contains(&block.text));
                if block.chars >= 40 && block.linked * 3 <= block.chars && !known {
                    lead.push(block);
                }
            }
        }
    }
    lead
}

fn is_title(view: &View<'_>, mut node: usize) -> bool {
    while node != 0 && !view.has(node, rules::TITLE) {
        node = view.parent(node);
    }
    node != 0
}

fn holds_title(view: &View<'_>, node: usize) -> bool {
    view.find(node, |below| view.has(below, rules::TITLE)).is_some()
}

fn is_section(tag: Tag) -> bool {
    matches!(tag, Tag::Div | Tag::Section)
}

/// Elements that are hidden because of their name alone.
fn is_part(tag: Tag) -> bool {
    matches!(tag, Tag::Div | Tag::Section | Tag::Item | Tag::List | Tag::P | Tag::Quote | Tag::Inline)
}

/// Hides boilerplate and blocks of links in a part of a page.
fn prune(view: &mut View<'_>, root: usize, focus: Focus) {
    let before = view.sums(root).chars;
    let mut pruned = view.clone();
    pruned.take_away_where(root, |view, node| {
        (is_part(view.tag(node)) && view.has(node, rules::FURNITURE)) || view.has(node, rules::HIDDEN)
    });
    // A rule that would hide nearly all of it does not apply here.
    if pruned.sums(root).chars * 7 > before {
        *view = pruned;
    }
    view.take_away_where(root, |view, node| {
        is_part(view.tag(node))
            && (view.has(node, rules::CAPTION) || (view.has(node, rules::TEASER) && focus == Focus::Balanced))
    });
    for _ in 0..2 {
        for tag in [Tag::Div, Tag::List, Tag::P] {
            view.take_away_where(root, |view, node| view.tag(node) == tag && is_linked(view, node));
        }
    }
    view.take_away_where(root, |view, node| {
        let sums = view.sums(node);
        let linked =
            if sums.chars < 1000 { sums.linked * 5 > sums.chars * 4 } else { sums.linked * 2 > sums.chars };
        view.tag(node) == Tag::Table && sums.chars >= 200 && linked
    });
    if root != 0 {
        view.sum(0);
    }
}

/// Whether an element is little more than links.
fn is_linked(view: &View<'_>, node: usize) -> bool {
    let (tag, sums) = (view.tag(node), *view.sums(node));
    if sums.links == 0 {
        return false;
    }
    if sums.links == 1 && sums.linked > 100 && sums.linked * 10 > sums.chars * 9 {
        return true;
    }
    let limit = match (tag, view.has_next(node)) {
        (Tag::P, true) => 30,
        (Tag::P, false) => 60,
        (_, true) => 100,
        (_, false) => 300,
    };
    // A paragraph that is all of an item belongs to the list, which is judged as a whole.
    let whole_item = tag == Tag::P && matches!(view.tag(view.parent(node)), Tag::Item | Tag::Cell);
    if sums.chars < limit {
        let linked = sums.text_links == 0
            || sums.linked * 5 > sums.chars * 4
            || (sums.text_links > 1 && sums.short_links * 5 > sums.text_links * 4);
        let scattered = tag == Tag::Div
            && sums.chars < 100
            && view.children(node).filter(|&child| view.tag(child) != Tag::Text).count() >= 3;
        return (linked || scattered) && !whole_item;
    }
    sums.links > 4
        && sums.linked * 10 > sums.chars * 9
        && sums.linked < 100 * sums.text_links
        && !whole_item
        && !is_listing(view, node)
}

/// Whether each link is alone in its paragraph: a list of documents.
fn is_listing(view: &View<'_>, node: usize) -> bool {
    view.nodes(node).filter(|&below| view.tag(below) == Tag::Link).all(|link| {
        let parent = view.parent(link);
        view.tag(parent) == Tag::P && view.sums(parent).links == 1
    })
}

//! The text of a part of a page, block by block.

use crate::tag::Tag;
use crate::view::View;

/// A paragraph, heading, item or cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) tag: Tag,
    pub(crate) text: String,
    /// Characters of it.
    pub(crate) chars: usize,
    /// Of these, in links.
    pub(crate) linked: usize,
    /// Whether it ends with a link.
    ends_linked: bool,
    /// The node where it begins.
    pub(crate) at: usize,
}

/// Blocks in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prose {
    pub(crate) blocks: Vec<Block>,
    /// Characters of all blocks.
    pub(crate) chars: usize,
}

/// Whose text is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    /// Paragraphs, headings, lists, quotes and tables, and lines after a break.
    Blocks,
    /// Paragraphs, quotes and tables only.
    Paragraphs,
    /// These, and what stands in containers as such.
    Everything,
}

impl Prose {
    /// The text at and below `root`.
    pub(crate) fn of(view: &View<'_>, root: usize, taking: Taking) -> Self {
        let mut writer = Writer::default();
        // What encloses the node at hand: where it ends, its tag, whether its text is taken.
        let mut around: Vec<(usize, Tag, bool)> = vec![];
        let own = view.tag(root);
        around.push((view.tree.below(root).end, own, takes(taking, own)));
        let mut after_break = false;
        for node in view.nodes(root) {
            while let Some(&(end, tag, _)) = around.last().filter(|(end, ..)| *end <= node) {
                debug_assert!(end <= node);
                around.pop();
                if !tag.is_inline() {
                    writer.end_block();
                    after_break = false;
                }
            }
            let tag = view.tag(node);
            let outer = around.last().is_some_and(|(.., taken)| *taken);
            match tag {
                Tag::Text => {
                    if outer || (after_break && taking != Taking::Paragraphs) {
                        let block = around.iter().rev().map(|(_, tag, _)| *tag).find(|tag| !tag.is_inline());
                        let linked = around.iter().any(|(_, tag, _)| *tag == Tag::Link);
                        writer.text(block.unwrap_or(Tag::P), node, view.tree.text_of(node), linked);
                    }
                }
                Tag::Break => {
                    writer.end_block();
                    after_break = true;
                }
                _ => {
                    let end = view.tree.below(node).end;
                    if tag.is_inline() {
                        around.push((end, tag, outer));
                        continue;
                    }
                    writer.end_block();
                    after_break = false;
                    // Whatever lies in an item, a cell or a quote belongs to it.
                    let inside = around.iter().rev().find(|(_, tag, _)| !tag.is_inline());
                    let inside = inside.is_some_and(|(_, tag, taken)| *taken && !tag.is_loose());
                    around.push((end, tag, inside || takes(taking, tag)));
                }
            }
        }
        writer.end_block();
        writer.prose
    }

    /// Adds a block.
    pub(crate) fn push(&mut self, block: Block) {
        self.chars += block.chars;
        self.blocks.push(block);
    }

    /// These blocks, then those.
    pub(crate) fn followed_by(mut self, other: Self) -> Self {
        other.blocks.into_iter().for_each(|block| self.push(block));
        self
    }

    /// Leaves out headings with nothing below them.
    pub(crate) fn drop_last_headings(&mut self) {
        while let Some(block) = self.blocks.pop_if(|block| block.tag == Tag::Heading) {
            self.chars -= block.chars;
        }
    }

    /// Paragraphs with an empty line between them, items and rows without.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.chars + 2 * self.blocks.len());
        let mut last = None;
        for Block { tag, text: block, .. } in &self.blocks {
            if let Some(last) = last {
                let dense = last == *tag && matches!(tag, Tag::Item | Tag::Cell | Tag::Pre);
                text.push_str(if dense { "\n" } else { "\n\n" });
            }
            last = Some(*tag);
            text.push_str(block);
        }
        text
    }
}

fn takes(taking: Taking, tag: Tag) -> bool {
    match tag {
        Tag::P | Tag::Quote | Tag::Pre | Tag::Table | Tag::Cell | Tag::Row | Tag::Caption => true,
        Tag::Heading | Tag::Item | Tag::List => taking != Taking::Paragraphs,
        _ => taking == Taking::Everything,
    }
}

/// Labels of buttons that form a block of their own.
const LABELS: [&str; 22] = [
    "drucken",
    "e-mail",
    "email",
    "facebook",
    "flipboard",
    "google",
    "instagram",
    "linkedin",
    "mail",
    "pdf",
    "pinterest",
    "pocket",
    "print",
    "qq",
    "reddit",
    "twitter",
    "wechat",
    "weibo",
    "whatsapp",
    "xing",
    "mehr zum thema",
    "mehr zum thema:",
];

fn is_label(text: &str) -> bool {
    if text.len() > 64 {
        return false;
    }
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    LABELS.contains(&&*text) || (text.starts_with("more on this") && text.chars().count() <= 20)
}

impl Block {
    /// Whether it only refers to another page: "Read also: a title", or a title alone.
    fn is_pointer(&self) -> bool {
        let label = self.chars.saturating_sub(self.linked);
        let labelled =
            || self.text.char_indices().nth(label).is_some_and(|(at, _)| self.text[..at].contains(':'));
        self.ends_linked
            && matches!(self.tag, Tag::P | Tag::Div | Tag::Heading | Tag::Section | Tag::Article)
            && self.linked > 20
            && label <= 40
            && (label < 3 || labelled())
    }
}

#[derive(Default)]
struct Writer {
    prose: Prose,
    block: String,
    tag: Option<Tag>,
    linked: usize,
    ends_linked: bool,
    at: usize,
}

impl Writer {
    fn text(&mut self, tag: Tag, node: usize, text: &str, linked: bool) {
        if self.tag.is_none() {
            self.at = node;
        }
        let tag = *self.tag.get_or_insert(tag);
        let before = self.block.len();
        // Soft hyphens and other invisible characters are hints to the browser, not text.
        let visible = |c: &char| !matches!(c, '\0' | '\u{ad}' | '\u{200b}' | '\u{feff}');
        if tag == Tag::Pre {
            self.block.extend(text.chars().filter(visible));
        } else {
            let mut space = text.starts_with(char::is_whitespace);
            for word in text.split_whitespace() {
                if space && !self.block.is_empty() && !self.block.ends_with(' ') {
                    self.block.push(' ');
                }
                self.block.extend(word.chars().filter(visible));
                space = true;
            }
            if text.ends_with(char::is_whitespace) && !self.block.is_empty() && !self.block.ends_with(' ') {
                self.block.push(' ');
            }
        }
        let added = &self.block[before..];
        if !added.trim().is_empty() {
            self.ends_linked = linked;
            self.linked += if linked { added.trim().chars().count() } else { 0 };
        }
    }

    fn end_block(&mut self) {
        let Some(tag) = self.tag.take() else { return };
        let text = if tag == Tag::Pre { self.block.trim_matches('\n').trim_end() } else { self.block.trim() };
        let Self { linked, ends_linked, at, .. } = *self;
        let block =
            Block { tag, text: text.to_owned(), chars: text.chars().count(), linked, ends_linked, at };
        if block.chars > 0 && !is_label(text) && !block.is_pointer() {
            self.prose.push(block);
        }
        self.block.clear();
        (self.linked, self.ends_linked) = (0, false);
    }
}

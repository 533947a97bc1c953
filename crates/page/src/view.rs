//! A view of a page's tree with some subtrees hidden, and sums over what is visible below each node.

use crate::rules::Marks;
use crate::tag::Tag;
use crate::tree::Tree;
use std::ops::Range;

/// What lies at and below a node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// Characters of text, white space collapsed.
    pub(crate) chars: u32,
    /// Of these, in links.
    pub(crate) linked: u32,
    /// Of these, in paragraphs.
    pub(crate) in_paragraphs: u32,
    /// Links.
    pub(crate) links: u32,
    /// Links with text.
    pub(crate) text_links: u32,
    /// Links with less than ten characters of text.
    pub(crate) short_links: u32,
}

/// A view of a DOM tree with some subtrees hidden.
#[derive(Clone)]
pub(crate) struct View<'t> {
    pub(crate) tree: &'t Tree,
    /// For each node: whether it is hidden, with all below it.
    gone: Vec<bool>,
    sums: Vec<Sums>,
}

impl<'t> View<'t> {
    /// All of a tree.
    pub(crate) fn new(tree: &'t Tree) -> Self {
        let n = tree.nodes.len();
        let mut view = Self { tree, gone: vec![false; n], sums: vec![Sums::default(); n] };
        view.sum(0);
        view
    }

    pub(crate) fn tag(&self, node: usize) -> Tag {
        self.tree.nodes[node].tag
    }

    pub(crate) fn has(&self, node: usize, marks: Marks) -> bool {
        self.tree.nodes[node].marks & marks != 0
    }

    /// What lies below a node, as of the last [`View::sum`].
    pub(crate) fn sums(&self, node: usize) -> &Sums {
        &self.sums[node]
    }

    /// Hides a node; [`View::sum`] updates the sums.
    pub(crate) fn take_away(&mut self, node: usize) {
        self.gone[node] = true;
    }

    /// The visible nodes below `root`, in order, without `root` itself.
    pub(crate) fn nodes(&self, root: usize) -> impl Iterator<Item = usize> + '_ {
        let Range { start, end } = self.tree.below(root);
        let mut next = start + 1;
        std::iter::from_fn(move || {
            while next < end && self.gone[next] {
                next = self.tree.nodes[next].end as usize;
            }
            (next < end).then(|| {
                next += 1;
                next - 1
            })
        })
    }

    /// The first node below `root` that matches.
    pub(crate) fn find(&self, root: usize, mut fits: impl FnMut(usize) -> bool) -> Option<usize> {
        self.nodes(root).find(|&node| fits(node))
    }

    /// The visible children of `parent`.
    pub(crate) fn children(&self, parent: usize) -> impl Iterator<Item = usize> + '_ {
        let Range { start, end } = self.tree.below(parent);
        let mut next = start + 1;
        std::iter::from_fn(move || {
            while next < end {
                let node = next;
                next = self.tree.nodes[node].end as usize;
                if !self.gone[node] {
                    return Some(node);
                }
            }
            None
        })
    }

    pub(crate) fn parent(&self, node: usize) -> usize {
        self.tree.nodes[node].parent as usize
    }

    /// Whether an element follows it below the same parent.
    pub(crate) fn has_next(&self, node: usize) -> bool {
        let end = self.tree.nodes[self.parent(node)].end as usize;
        let mut next = self.tree.nodes[node].end as usize;
        while next < end {
            if !self.gone[next] && self.tag(next) != Tag::Text {
                return true;
            }
            next = self.tree.nodes[next].end as usize;
        }
        false
    }

    /// Hides all nodes below `root` that match, with everything below them.
    pub(crate) fn take_away_where(&mut self, root: usize, fits: impl Fn(&Self, usize) -> bool) {
        let found: Vec<usize> = self.nodes(root).filter(|&node| fits(self, node)).collect();
        if !found.is_empty() {
            found.into_iter().for_each(|node| self.take_away(node));
            self.sum(root);
        }
    }

    /// Sums what is visible below `root`; only sums at and below it change.
    pub(crate) fn sum(&mut self, root: usize) {
        let range = self.tree.below(root);
        self.sums[range.clone()].fill(Sums::default());
        for node in range.rev() {
            if self.gone[node] {
                continue;
            }
            let Sums { chars, .. } = self.sums[node];
            match self.tag(node) {
                Tag::Text => self.sums[node].chars = self.tree.nodes[node].chars,
                Tag::Link => {
                    self.sums[node] = Sums {
                        linked: chars,
                        links: 1,
                        text_links: u32::from(chars > 0),
                        short_links: u32::from(chars > 0 && chars < 10),
                        ..self.sums[node]
                    };
                }
                Tag::P => self.sums[node].in_paragraphs = chars,
                _ => {}
            }
            if node > root {
                let Sums { chars, linked, in_paragraphs, links, text_links, short_links } = self.sums[node];
                let parent = self.tree.nodes[node].parent as usize;
                let sums = &mut self.sums[parent];
                sums.chars += chars;
                sums.linked += linked;
                sums.in_paragraphs += in_paragraphs;
                sums.links += links;
                sums.text_links += text_links;
                sums.short_links += short_links;
            }
        }
    }
}

//! A page as a tree in one vector, built in one pass over its tokens whatever they are.
//!
//! The tokens are those of the HTML standard (html5gum). The tree is not a browser's: elements are closed where
//! a block or the end of their parent closes them, nothing is moved or opened again, and depth and size are
//! bounded, so that time and memory are linear in the page however broken or hostile it is.

use crate::rules::{self, Attribute, Marks};
use crate::tag::{TAGS, Tag};
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, State};
use std::ops::Range;

/// Elements deeper than this are flattened to this depth, next to their contents.
const MAX_DEPTH: usize = 256;
/// Nodes after this many are left out: 2 million nodes are 80 MB.
const MAX_NODES: usize = 2_000_000;
/// Bytes of an attribute that are examined.
const MAX_ATTRIBUTE: usize = 1024;
/// Bytes of metadata in scripts that are kept.
const MAX_METADATA: usize = 4 << 20;

/// An element or a run of text.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) tag: Tag,
    /// What its `class` and `id` say, and what its other attributes add.
    pub(crate) marks: Marks,
    pub(crate) parent: u32,
    /// One past the last node below it.
    pub(crate) end: u32,
    /// Of a run of text: its bytes in [`Tree::text`].
    text: (u32, u32),
    /// Of a run of text: characters with white space collapsed.
    pub(crate) chars: u32,
}

/// A page: node 0 is the root, and each node is followed by those below it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    text: String,
    /// Contents of `<title>`.
    pub(crate) title: String,
    /// Contents of `og:title` or `twitter:title`.
    pub(crate) meta_title: Option<String>,
    /// The language that the page declares.
    pub(crate) language: Option<String>,
    /// Scripts of type `application/ld+json`.
    pub(crate) metadata: Vec<String>,
}

impl Tree {
    /// Reads a page.
    pub(crate) fn parse(html: &str) -> Self {
        let mut builder = Builder::new();
        let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| builder.take(&event));
        let mut tokenizer = html5gum::Tokenizer::new_with_emitter(html, emitter);
        while let Some(Ok(state)) = tokenizer.next() {
            tokenizer.set_state(state);
        }
        drop(tokenizer);
        builder.finish()
    }

    /// The text of a run.
    pub(crate) fn text_of(&self, node: usize) -> &str {
        let (start, end) = self.nodes[node].text;
        &self.text[start as usize..end as usize]
    }

    /// The nodes below a node, itself included.
    pub(crate) fn below(&self, node: usize) -> Range<usize> {
        node..self.nodes[node].end as usize
    }
}

/// Characters of a text once white space is collapsed to one space each.
fn collapsed_chars(text: &str) -> u32 {
    let (mut chars, mut space) = (0, false);
    for c in text.chars() {
        let is_space = c.is_whitespace();
        chars += u32::from(!is_space || !space);
        space = is_space;
    }
    chars
}

struct Open {
    node: u32,
    tag: Tag,
    /// Tells elements apart whose tag is [`Tag::Other`] or one of several names.
    name: u64,
}

struct Builder {
    tree: Tree,
    open: Vec<Open>,
    /// How many elements of each tag are open.
    count: [u32; TAGS],
    /// Drawings and formulas that are open.
    foreign: u32,
    /// Bytes of metadata kept.
    metadata: usize,
    /// Elements left out because they were too deep, and not closed yet.
    too_deep: u32,
    start: Start,
}

/// The start tag that is being read.
#[derive(Default)]
struct Start {
    name: Vec<u8>,
    attribute: Vec<u8>,
    marks: Marks,
    json_ld: bool,
    /// `property` or `name` of a `<meta>`, and its `content`.
    meta: (Vec<u8>, Vec<u8>),
    lang: Vec<u8>,
}

/// FNV-1a of an element's name.
const fn name_hash(name: &[u8]) -> u64 {
    let (mut hash, mut i) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while i < name.len() {
        hash = (hash ^ name[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    hash
}

const SVG: u64 = name_hash(b"svg");
const MATH: u64 = name_hash(b"math");
/// The name of an open `<script type="application/ld+json">`.
const JSON_LD: u64 = 1;

/// How the contents of an element are to be read, where not as HTML.
fn contents(name: &[u8]) -> Option<State> {
    match name {
        b"textarea" | b"title" => Some(State::RcData),
        b"script" => Some(State::ScriptData),
        b"style" | b"iframe" | b"xmp" | b"noembed" | b"noframes" => Some(State::RawText),
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}

impl Builder {
    fn new() -> Self {
        let mut builder = Self {
            tree: Tree::default(),
            open: Vec::new(),
            count: [0; TAGS],
            foreign: 0,
            metadata: 0,
            too_deep: 0,
            start: Start::default(),
        };
        builder.push(Tag::Html, 0, true);
        builder
    }

    /// Takes an event; returns how what follows is to be read, where that changes.
    fn take(&mut self, event: &CallbackEvent<'_>) -> Option<State> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.start = Start { name: name.to_vec(), ..std::mem::take(&mut self.start).cleared() };
            }
            CallbackEvent::AttributeName { name } => {
                self.start.attribute.clear();
                self.start.attribute.extend_from_slice(&name[..name.len().min(32)]);
                if *name == b"hidden" {
                    self.start.marks |= rules::HIDDEN;
                }
            }
            CallbackEvent::AttributeValue { value } => {
                self.start.attribute_value(&value[..value.len().min(MAX_ATTRIBUTE)]);
            }
            CallbackEvent::CloseStartTag { self_closing } => return self.start_element(*self_closing),
            CallbackEvent::EndTag { name } => self.end_element(name),
            CallbackEvent::String { value } => self.text(value),
            _ => {}
        }
        None
    }

    fn start_element(&mut self, self_closing: bool) -> Option<State> {
        let start = std::mem::take(&mut self.start);
        let tag = Tag::of(&start.name);
        match &*start.name {
            b"html" | b"body" => {
                self.set_language(&start.lang);
                // There is one of each, whatever the page says; what follows the first body lies in it.
                if start.name == b"html" || self.count[Tag::Body as usize] > 0 {
                    self.start = start;
                    return None;
                }
                self.close_to(0);
            }
            b"meta" => self.meta(&start),
            _ => {}
        }
        let marks = start.marks | if start.name == b"h1" { rules::TITLE } else { 0 };
        self.close_implied(tag, &start.name);
        // In a drawing or a formula, elements are as in XML.
        let foreign = self.foreign > 0;
        let holds = !Tag::is_void(&start.name) && !(self_closing && (tag == Tag::Other || foreign));
        let depth = self.open.len();
        if start.name != b"meta" && self.push(tag, name_hash(&start.name), holds) {
            let node = self.tree.nodes.len() - 1;
            self.tree.nodes[node].marks = marks;
        }
        if tag == Tag::Script && start.json_ld && self.open.len() > depth {
            self.open[depth].name = JSON_LD;
        }
        let state = if foreign { None } else { contents(&start.name) };
        self.start = start;
        state
    }

    /// Adds a node, open if it is to hold others, unless there are too many.
    fn push(&mut self, tag: Tag, name: u64, holds: bool) -> bool {
        if self.tree.nodes.len() >= MAX_NODES {
            return false;
        }
        let node = self.tree.nodes.len() as u32;
        let parent = self.open.last().map_or(0, |open| open.node);
        self.tree.nodes.push(Node { tag, marks: 0, parent, end: node + 1, text: (0, 0), chars: 0 });
        if holds && self.open.len() >= MAX_DEPTH {
            self.too_deep += 1;
        } else if holds {
            self.open.push(Open { node, tag, name });
            self.count[tag as usize] += 1;
            self.foreign += u32::from(name == SVG || name == MATH);
        }
        true
    }

    /// Closes elements until only `depth` are open.
    fn close_to(&mut self, depth: usize) {
        let end = self.tree.nodes.len() as u32;
        while self.open.len() > depth.max(1) {
            let Some(open) = self.open.pop() else { return };
            self.count[open.tag as usize] -= 1;
            self.foreign -= u32::from(open.name == SVG || open.name == MATH);
            self.tree.nodes[open.node as usize].end = end;
        }
    }

    /// Closes what the start of an element closes: a paragraph before a block, an item before the next.
    fn close_implied(&mut self, tag: Tag, name: &[u8]) {
        if self.too_deep > 0 {
            return;
        }
        if tag.closes_paragraph() && self.count[Tag::P as usize] > 0 {
            self.close_nearest(Tag::P, |open| !open.is_inline());
        }
        match tag {
            Tag::Item => self.close_nearest(Tag::Item, |open| open == Tag::List || open == Tag::Table),
            Tag::Row => self.close_nearest(Tag::Row, |open| open == Tag::Table),
            Tag::Cell => self.close_nearest(Tag::Cell, |open| open == Tag::Row || open == Tag::Table),
            Tag::Heading => self.close_nearest(Tag::Heading, |open| !open.is_inline()),
            Tag::Link => self.close_nearest(Tag::Link, |open| !open.is_inline()),
            Tag::Body => self.close_nearest(Tag::Head, |_| false),
            Tag::Chrome if name == b"option" => {
                let option = name_hash(name);
                if self.open.last().is_some_and(|open| open.name == option) {
                    self.close_to(self.open.len() - 1);
                }
            }
            _ if tag.is_loose() || tag == Tag::P => {
                // Contents of a page end its head, if nobody else did.
                self.close_nearest(Tag::Head, |_| false);
            }
            _ => {}
        }
    }

    /// Closes the innermost element of a tag, unless a barrier lies above it.
    fn close_nearest(&mut self, tag: Tag, barrier: impl Fn(Tag) -> bool) {
        if self.count[tag as usize] == 0 {
            return;
        }
        for depth in (1..self.open.len()).rev() {
            let open = self.open[depth].tag;
            if open == tag {
                return self.close_to(depth);
            }
            if barrier(open) {
                return;
            }
        }
    }

    fn end_element(&mut self, name: &[u8]) {
        let tag = Tag::of(name);
        if matches!(tag, Tag::Html | Tag::Body) || Tag::is_void(name) {
            if name == b"br" {
                self.push(Tag::Break, 0, false);
            }
            return;
        }
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        if self.count[tag as usize] == 0 {
            return;
        }
        let hash = name_hash(name);
        let inline = tag.is_inline();
        for depth in (1..self.open.len()).rev() {
            let open = &self.open[depth];
            if open.tag == tag && (open.name == hash || open.name == JSON_LD) {
                return self.close_to(depth);
            }
            // The end of an inline element ends no block, the end of a block no cell.
            if (inline && !open.tag.is_inline())
                || (open.tag == Tag::Cell && !matches!(tag, Tag::Row | Tag::Table))
            {
                return;
            }
        }
    }

    fn text(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        match self.open.last() {
            Some(open) if open.tag == Tag::Title => {
                // The first title is the page's; those in pictures come later.
                if self.tree.title.is_empty() {
                    self.tree.title = value.chars().take(1000).collect();
                }
                return;
            }
            Some(open) if open.tag == Tag::Script => {
                if open.name == JSON_LD && self.metadata + value.len() <= MAX_METADATA {
                    self.metadata += value.len();
                    self.tree.metadata.push(value.into_owned());
                }
                return;
            }
            Some(open) if open.tag == Tag::Head && !value.trim().is_empty() => {
                self.close_nearest(Tag::Head, |_| false);
            }
            _ => {}
        }
        let (start, end) = (self.tree.text.len(), self.tree.text.len() + value.len());
        if end <= u32::MAX as usize && self.push(Tag::Text, 0, false) {
            self.tree.text.push_str(&value);
            let node = self.tree.nodes.len() - 1;
            self.tree.nodes[node].text = (start as u32, end as u32);
            self.tree.nodes[node].chars = collapsed_chars(&value);
        }
    }

    fn meta(&mut self, start: &Start) {
        let content = String::from_utf8_lossy(&start.meta.1);
        match start.meta.0.to_ascii_lowercase().as_slice() {
            b"og:title" | b"twitter:title" if self.tree.meta_title.is_none() => {
                self.tree.meta_title = Some(content.trim().to_owned()).filter(|title| !title.is_empty());
            }
            b"content-language" | b"og:locale" | b"language" => self.set_language(&start.meta.1),
            _ => {}
        }
    }

    /// Keeps the first language that looks like one, as `de-AT`.
    fn set_language(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        let value = value.split([',', ';']).next().unwrap_or_default().trim().replace('_', "-");
        let primary = value.split('-').next().unwrap_or_default();
        let fits = matches!(primary.len(), 2 | 3) && primary.bytes().all(|b| b.is_ascii_alphabetic());
        let plain = value.len() <= 35 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits && plain && self.tree.language.is_none() {
            self.tree.language = Some(value);
        }
    }

    fn finish(mut self) -> Tree {
        self.close_to(1);
        self.tree.nodes[0].end = self.tree.nodes.len() as u32;
        self.tree
    }
}

impl Start {
    /// Empty, with its buffers kept.
    fn cleared(mut self) -> Self {
        self.attribute.clear();
        self.meta.0.clear();
        self.meta.1.clear();
        self.lang.clear();
        Self { marks: 0, json_ld: false, ..self }
    }

    fn attribute_value(&mut self, value: &[u8]) {
        match &*self.attribute {
            b"class" => self.marks |= rules::marks(value, Attribute::Class),
            b"id" => self.marks |= rules::marks(value, Attribute::Id),
            b"style" => {
                let style: Vec<u8> = value.iter().filter(|b| **b != b' ').copied().collect();
                let has = |needle: &[u8]| style.windows(needle.len()).any(|window| window == needle);
                if has(b"display:none") || has(b"hidden") {
                    self.marks |= rules::HIDDEN;
                }
            }
            b"aria-hidden" if value == b"true" => self.marks |= rules::HIDDEN,
            b"role" => {
                let role = value.to_ascii_lowercase();
                if role.windows(3).any(|window| window == b"nav") {
                    self.marks |= rules::FURNITURE;
                }
                match &*role {
                    b"article" => self.marks |= rules::STORY,
                    b"main" => self.marks |= rules::MAIN,
                    b"presentation" | b"none" => self.marks |= rules::LAYOUT,
                    _ => {}
                }
            }
            b"itemprop" if value == b"articleBody" => self.marks |= rules::BODY,
            b"lang" | b"xml:lang" => {
                self.lang.clear();
                self.lang.extend_from_slice(value);
            }
            b"type" => self.json_ld = value.eq_ignore_ascii_case(b"application/ld+json"),
            b"property" | b"name" | b"http-equiv" => {
                self.meta.0.clear();
                self.meta.0.extend_from_slice(value);
            }
            b"content" => {
                self.meta.1.clear();
                self.meta.1.extend_from_slice(value);
            }
            _ => {}
        }
    }
}

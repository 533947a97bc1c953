//! The elements of HTML that page extraction distinguishes.

/// An element's name, as far as it matters here; [`Tag::Text`] is a run of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Tag {
    /// A run of text, not an element.
    Text,
    // Containers.
    Html,
    Body,
    Div,
    Section,
    Article,
    Main,
    Header,
    Details,
    // Blocks that hold text.
    P,
    Heading,
    Quote,
    Pre,
    List,
    Item,
    Table,
    Row,
    Cell,
    Caption,
    Break,
    // Inline elements.
    Link,
    Inline,
    Sup,
    // Elements whose contents are no prose.
    Head,
    Title,
    Script,
    /// What is shown where there are no scripts.
    Noscript,
    Figure,
    Form,
    Image,
    /// Navigation, margins, controls, media.
    Chrome,
    /// A name that is not listed.
    Other,
}

/// How many tags there are.
pub(crate) const TAGS: usize = Tag::Other as usize + 1;

impl Tag {
    /// The tag of an element's name in lower case.
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"html" => Self::Html,
            b"body" => Self::Body,
            b"div" | b"center" | b"hgroup" | b"address" => Self::Div,
            b"section" => Self::Section,
            b"article" => Self::Article,
            b"main" => Self::Main,
            b"header" => Self::Header,
            b"details" => Self::Details,
            b"p" => Self::P,
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"summary" => Self::Heading,
            b"blockquote" => Self::Quote,
            b"pre" | b"listing" | b"xmp" => Self::Pre,
            b"ul" | b"ol" | b"dl" | b"dir" => Self::List,
            b"li" | b"dt" | b"dd" => Self::Item,
            b"table" => Self::Table,
            b"tr" => Self::Row,
            b"td" | b"th" => Self::Cell,
            b"caption" => Self::Caption,
            b"br" | b"hr" => Self::Break,
            b"a" => Self::Link,
            b"sup" => Self::Sup,
            b"span" | b"b" | b"strong" | b"i" | b"em" | b"u" | b"s" | b"strike" | b"del" | b"ins"
            | b"sub" | b"small" | b"big" | b"font" | b"code" | b"kbd" | b"samp" | b"tt" | b"var"
            | b"abbr" | b"acronym" | b"bdi" | b"bdo" | b"cite" | b"data" | b"dfn" | b"mark" | b"nobr"
            | b"q" | b"ruby" | b"rb" | b"wbr" | b"blink" => Self::Inline,
            b"head" => Self::Head,
            b"title" => Self::Title,
            b"noscript" => Self::Noscript,
            b"script" | b"style" | b"template" | b"textarea" | b"noembed" | b"noframes" => Self::Script,
            b"figure" | b"picture" => Self::Figure,
            b"form" => Self::Form,
            b"img" => Self::Image,
            b"aside" | b"footer" | b"nav" | b"menu" | b"iframe" | b"object" | b"embed" | b"applet"
            | b"audio" | b"video" | b"canvas" | b"map" | b"area" | b"svg" | b"math" | b"button"
            | b"datalist" | b"dialog" | b"fencedframe" | b"frame" | b"frameset" | b"fieldset" | b"link"
            | b"input" | b"label" | b"legend" | b"marquee" | b"menuitem" | b"noindex" | b"optgroup"
            | b"option" | b"output" | b"param" | b"progress" | b"rp" | b"rt" | b"rtc" | b"select"
            | b"source" | b"track" | b"time" | b"use" => Self::Chrome,
            _ => Self::Other,
        }
    }

    /// Whether an element of this name never has contents.
    pub(crate) fn is_void(name: &[u8]) -> bool {
        matches!(
            name,
            b"br"
                | b"hr"
                | b"img"
                | b"input"
                | b"meta"
                | b"link"
                | b"area"
                | b"base"
                | b"col"
                | b"embed"
                | b"frame"
                | b"param"
                | b"source"
                | b"track"
                | b"wbr"
                | b"basefont"
                | b"bgsound"
                | b"keygen"
        )
    }

    /// Whether the element is part of a line of text.
    pub(crate) fn is_inline(self) -> bool {
        matches!(self, Self::Text | Self::Link | Self::Inline | Self::Sup | Self::Image | Self::Other)
    }

    /// Whether the start of this element ends a paragraph that is open.
    pub(crate) fn closes_paragraph(self) -> bool {
        matches!(
            self,
            Self::Div
                | Self::Section
                | Self::Article
                | Self::Main
                | Self::Header
                | Self::Details
                | Self::P
                | Self::Heading
                | Self::Quote
                | Self::Pre
                | Self::List
                | Self::Item
                | Self::Table
                | Self::Figure
                | Self::Form
        )
    }

    /// Whether it may contain a page's main text.
    pub(crate) fn is_container(self) -> bool {
        matches!(self, Self::Div | Self::Section | Self::Article | Self::Main)
    }

    /// A container whose own text counts only where there are no paragraphs.
    pub(crate) fn is_loose(self) -> bool {
        matches!(
            self,
            Self::Html
                | Self::Body
                | Self::Div
                | Self::Section
                | Self::Article
                | Self::Main
                | Self::Header
                | Self::Details
                | Self::Figure
                | Self::Form
        )
    }
}

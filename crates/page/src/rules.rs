//! What the names in `class` and `id` mean for an element.
//!
//! The vocabulary is that of trafilatura 2.3.1 (`trafilatura/xpaths.py` and `readability_lxml.py`, Apache-2.0),
//! gathered there from thousands of sites; here it is one table that one automaton reads in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::sync::LazyLock;

/// A set of meanings.
pub(crate) type Marks = u32;

/// Boilerplate: navigation, sharing, related links, advertisements.
pub(crate) const FURNITURE: Marks = 1 << 0;
/// Not shown, or a message of the site.
pub(crate) const HIDDEN: Marks = 1 << 1;
/// Readers' comments.
pub(crate) const COMMENTS: Marks = 1 << 2;
/// A caption of a picture.
pub(crate) const CAPTION: Marks = 1 << 3;
/// An invitation to another article.
pub(crate) const TEASER: Marks = 1 << 4;
/// The body of an article, most surely.
pub(crate) const BODY: Marks = 1 << 5;
/// The body of an article or a story.
pub(crate) const STORY: Marks = 1 << 6;
/// The main content of a page.
pub(crate) const CONTENT: Marks = 1 << 7;
/// Something named main.
pub(crate) const MAIN: Marks = 1 << 8;
/// A notice about cookies and consent.
pub(crate) const CONSENT: Marks = 1 << 9;
/// Unlikely to be content, unless [`LIKELY`].
pub(crate) const UNLIKELY: Marks = 1 << 10;
/// May be content in spite of [`UNLIKELY`].
pub(crate) const LIKELY: Marks = 1 << 11;
/// Suggests content.
pub(crate) const POSITIVE: Marks = 1 << 12;
/// Suggests something other than content.
pub(crate) const NEGATIVE: Marks = 1 << 13;
/// Other articles, appended to this one.
pub(crate) const APPENDED: Marks = 1 << 14;
/// A table that only lays out a page (`role="presentation"`).
pub(crate) const LAYOUT: Marks = 1 << 15;
/// The first heading of a page (`<h1>`).
pub(crate) const TITLE: Marks = 1 << 16;
/// The lead of an article.
pub(crate) const LEAD: Marks = 1 << 17;

/// Where in the attribute the pattern has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Anywhere,
    Start,
    /// At the start of one of the names.
    Name,
    /// The whole attribute.
    Whole,
}
use At::{Anywhere, Name, Start, Whole};

/// In which attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Class,
    Id,
}

/// The patterns of one meaning at one place.
struct Rule {
    mark: Marks,
    attributes: &'static [Attribute],
    at: At,
    patterns: &'static [&'static str],
}

const CLASS: &[Attribute] = &[Attribute::Class];
const ID: &[Attribute] = &[Attribute::Id];
const BOTH: &[Attribute] = &[Attribute::Class, Attribute::Id];

const fn rule(
    mark: Marks,
    attributes: &'static [Attribute],
    at: At,
    patterns: &'static [&'static str],
) -> Rule {
    Rule { mark, attributes, at, patterns }
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule(FURNITURE, BOTH, Start, &["shar"]),
    rule(FURNITURE, BOTH, Anywhere, &[
        "social", "viral", "newsletter", "syndication", "tags", "sidebar", "banner", "breadcrumb", "bread-crumb",
        "button", "author", "cookie", "footer", "message-container",
    ]),
    rule(FURNITURE, ID, Start, &["jp-", "dpsp-content", "ad-"]),
    rule(FURNITURE, ID, Anywhere, &["share", "nav", "menu", "related", "premium"]),
    rule(FURNITURE, CLASS, Start, &["nav", "post-nav", "zendeskform"]),
    rule(FURNITURE, CLASS, Name, &["ad-"]),
    rule(FURNITURE, CLASS, Anywhere, &[
        "subnav", "avigation", "navbar", "navbox", "menu", "bar", " ad ", "-ad-", "dfpad", "outbrain", "taboola",
        "criteo", "paid-content", "paidcontent", "widget", "byline", "share-", "sociable", "embedded", "embed",
        "tag-list", "consent", "modal-content", "permission", "elated", "next-", "-stories", "most-popular",
        "more-on", "meta", "rating", "attachment", "timestamp", "user-info", "user-profile", "-icon",
        "article-infos", "slide", "viewport", "overlay", "options", "expand", "obfuscated", "blurred",
        "mol-factbox", "nfoline", "tag-links", "table-of-contents",
    ]),
    rule(FURNITURE, BOTH, Name, &["toc_", "toc-", "ez-toc"]),
    rule(LEAD, BOTH, Anywhere, &[
        "lead", "intro", "standfirst", "chapo", "abstract", "subtitle", "sub-title", "subhead", "preface", "summary",
        "excerpt", "teaser", "lede", "hook", "vorspann", "bajada", "entradilla", "copete", "sommaire", "dek",
    ]),
    rule(HIDDEN, BOTH, Start, &["reply-"]),
    rule(HIDDEN, ID, Anywhere, &["hidden", "reader-comments", "akismet"]),
    rule(HIDDEN, CLASS, Start, &["hide-"]),
    rule(HIDDEN, CLASS, Anywhere, &[
        "comments-title", "nocomments", "-reply-", "message", "akismet", "suggest-links", "-hide-", "hide-print",
        " hidden", " hide", "noprint", "notloaded",
    ]),
    rule(COMMENTS, ID, Start, &["comment", "comol", "disqus_thread", "dsq-comments"]),
    rule(COMMENTS, CLASS, Start, &["comment"]),
    rule(COMMENTS, BOTH, Start, &["kommentar"]),
    rule(COMMENTS, CLASS, Anywhere, &["article-comments", "post-comments"]),
    rule(APPENDED, BOTH, Anywhere, &["mvp-post-add-box", "mvp-post-add-wrap", "infinite-scroll", "infinitescroll"]),
    rule(APPENDED, CLASS, Anywhere, &["elementor-share-buttons"]),
    rule(CAPTION, BOTH, Anywhere, &["caption"]),
    rule(TEASER, BOTH, Anywhere, &["teaser"]),
    rule(BODY, CLASS, Whole, &["post", "entry"]),
    rule(BODY, ID, Whole, &["articlecontent"]),
    rule(BODY, BOTH, Anywhere, &[
        "entry-content", "article-content", "art-content", "article__content", "article-body", "article__body",
        "articlebody", "body-text",
    ]),
    rule(BODY, CLASS, Anywhere, &[
        "post-text", "post_text", "post-body", "post-entry", "postentry", "post-content", "post_content",
        "postcontent", "post_inner_wrapper", "article-text", "articletext", "page-content", "text-content",
        "articlecontent", "article__container",
    ]),
    rule(STORY, ID, Whole, &["article", "story"]),
    rule(STORY, CLASS, Whole, &["postarea", "art-postcontent", "text", "cell", "story"]),
    rule(STORY, ID, Start, &["primary"]),
    rule(STORY, CLASS, Start, &["article "]),
    rule(STORY, ID, Anywhere, &["story-body"]),
    rule(STORY, CLASS, Anywhere, &[
        "fulltext", "post-bodycopy", "storycontent", "story-content", "theme-content", "blog-content",
        "section-content", "single-content", "single-post", "main-column", "wpb_text_column", "story-body",
        "field-body",
    ]),
    rule(CONTENT, BOTH, Whole, &["content"]),
    rule(CONTENT, BOTH, Anywhere, &["content-main", "content-body", "main-content"]),
    rule(CONTENT, ID, Anywhere, &["contentbody"]),
    rule(CONTENT, CLASS, Anywhere, &["content_main", "content__body", "page-content"]),
    rule(MAIN, BOTH, Start, &["main"]),
    rule(CONSENT, BOTH, Anywhere, &[
        "cookie-banner", "cookiebanner", "cookie_banner", "cookie-bar", "cookiebar", "cookie-consent",
        "cookieconsent", "cookie-law", "cookielaw", "cookie-notice", "cookienotice", "cookie-policy",
        "consent-banner", "consentbanner", "consent-manager", "borlabs", "cookiebot", "cmplz", "onetrust",
        "moove-gdpr", "moove_gdpr",
    ]),
    rule(UNLIKELY, BOTH, Anywhere, &[
        "combx", "comment", "community", "disqus", "extra", "foot", "header", "menu", "remark", "rss", "shoutbox",
        "sidebar", "sponsor", "ad-break", "agegate", "pagination", "pager", "popup", "tweet", "twitter",
    ]),
    rule(LIKELY, BOTH, Anywhere, &["and", "article", "body", "column", "content", "main", "shadow"]),
    rule(POSITIVE, BOTH, Anywhere, &[
        "article", "body", "content", "entry", "main", "page", "pagination", "post", "text", "blog", "story",
    ]),
    rule(NEGATIVE, BOTH, Anywhere, &[
        "button", "combx", "comment", "com-", "contact", "figure", "foot", "form", "input", "masthead", "media",
        "meta", "outbrain", "promo", "related", "scroll", "shoutbox", "sidebar", "sponsor", "shopping", "tags",
        "tool", "widget",
    ]),
];

struct Vocabulary {
    automaton: AhoCorasick,
    /// Of each pattern: where, in which attributes, and what it means.
    meanings: Vec<(At, &'static [Attribute], Marks)>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let (mut patterns, mut meanings) = (Vec::new(), Vec::new());
    for rule in RULES {
        for pattern in rule.patterns {
            patterns.push(*pattern);
            meanings.push((rule.at, rule.attributes, rule.mark));
        }
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns)
        .expect("the patterns are few and fixed");
    Vocabulary { automaton, meanings }
});

/// The meanings of an attribute's value.
pub(crate) fn marks(value: &[u8], attribute: Attribute) -> Marks {
    let mut marks = 0;
    for found in VOCABULARY.automaton.find_overlapping_iter(value) {
        let (at, attributes, mark) = VOCABULARY.meanings[found.pattern().as_usize()];
        let fits = match at {
            Anywhere => true,
            Start => found.start() == 0,
            Name => found.start() == 0 || value[found.start() - 1] == b' ',
            Whole => found.start() == 0 && found.end() == value.len(),
        };
        // Commentary is written by the site, comments by its readers.
        let commentary = mark == COMMENTS && value[found.end()..].starts_with(b"ary");
        if fits && !commentary && attributes.contains(&attribute) {
            marks |= mark;
        }
    }
    marks
}

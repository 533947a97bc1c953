//! Pages that are whole, broken and hostile.

use crate::extract;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const LOREM: &str = "Lorem ipsum dolor sit amet, consectetur adipisicing elit, sed do eiusmod tempor incididunt ut \
                     labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation.";

fn article(body: &str) -> String {
    format!(
        "<!doctype html><html lang=en-GB><head><title>A  title &amp; more</title></head><body>\
         <nav><a href=/>Home page of everything</a></nav><div class=sidebar><p>{LOREM} Sidebar.</p></div>\
         <article><h1>A title</h1>{body}</article><footer><p>All rights reserved.</p></footer></body></html>"
    )
}

#[test]
fn extract_article_leaves_navigation_and_margins_out() {
    let page = article(&format!("<p>First. {LOREM}</p><p>Second, with a <a href=x>link</a>. {LOREM}</p>"));
    let found = extract(&page);
    assert_eq!(found.title.as_deref(), Some("A title & more"));
    assert_eq!(found.language.as_deref(), Some("en-GB"));
    assert_eq!(found.text, format!("First. {LOREM}\n\nSecond, with a link. {LOREM}"));
}

#[test]
fn extract_entities_soft_hyphens_and_breaks_become_text() {
    let page = article(&format!(
        "<p>Fish &amp; chips&nbsp;&mdash; 5&nbsp;&lt;&#x20AC;. co\u{ad}op<br>Next line</p><p>{LOREM}</p><p>{LOREM}</p>"
    ));
    let text = extract(&page).text;
    assert!(text.starts_with("Fish & chips — 5 <€. coop\n\nNext line\n\n"), "{text}");
}

#[test]
fn extract_scripts_comments_and_hidden_parts_are_no_text() {
    let page = article(&format!(
        "<script>var a = '<p>script</p>';</script><style>p{{}}</style><!-- <p>comment</p> --><p>{LOREM}</p>\
         <div style='display: none'><p>hidden</p></div><svg><title/><text>svg</text></svg><p>{LOREM} End.</p>"
    ));
    assert_eq!(extract(&page).text, format!("{LOREM}\n\n{LOREM} End."));
}

#[test]
fn extract_pointer_to_another_page_is_left_out() {
    let page = article(&format!(
        "<p>{LOREM}</p><p>Read also: <a href=x>What happened the other day</a></p><p>{LOREM} End.</p>"
    ));
    assert_eq!(extract(&page).text, format!("{LOREM}\n\n{LOREM} End."));
}

#[test]
fn extract_lead_between_title_and_article_is_kept() {
    let page = format!(
        "<body><header><h1>A title</h1><p class=intro>What this long story is about, in one sentence.</p></header>\
         <div class=article-body><p>{LOREM}</p><p>{LOREM} End.</p></div></body>"
    );
    assert_eq!(
        extract(&page).text,
        format!("What this long story is about, in one sentence.\n\n{LOREM}\n\n{LOREM} End.")
    );
}

#[test]
fn extract_page_without_body_text_reads_its_metadata() {
    let page = format!(
        "<head><script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{LOREM}\"}}</script></head>\
         <body><div id=app></div></body>"
    );
    assert_eq!(extract(&page).text, LOREM);
}

#[test]
fn extract_broken_markup_loses_no_text() {
    let page = article(&format!(
        "<p>{LOREM}<p><b><i>{LOREM}</b> more</i></div></td></span><p>Last <a href='x>y</p> {LOREM}"
    ));
    let text = extract(&page).text;
    assert!(text.starts_with(LOREM) && text.contains(" more"), "{text}");
}

#[test]
fn extract_nothing_or_no_html_yields_what_there_is() {
    assert_eq!(extract("").text, "");
    assert_eq!(extract("   \n ").text, "");
    assert_eq!(extract(LOREM).text, LOREM);
    assert_eq!(extract("<").text, "<");
    assert_eq!(extract("<html><body></body></html>").text, "");
    extract("%PDF-1.4\n%\u{fffd}\u{fffd}\u{0}\u{1}");
}

/// Each of these brings down a parser that recurses, or one whose time grows with depth times length.
#[test]
fn extract_hostile_page_takes_bounded_time() {
    let many = 1_000_000;
    let pages: [(&str, String); 10] = [
        ("nested div", "<div>".repeat(many)),
        ("nested and closed div", format!("{}x{}", "<div>".repeat(many), "</div>".repeat(many))),
        ("nested b", "<b>".repeat(many)),
        ("formatting times paragraphs", (0..many / 4).map(|i| format!("<b id={i}><p>")).collect()),
        ("nested tables", "<table><tr><td>x".repeat(many / 4)),
        ("nested lists of links", "<ul><li><a href=x>y</a>".repeat(many / 4)),
        ("unknown elements", "<x-y>a".repeat(many)),
        ("ends of nothing", format!("{}{}", "<div>".repeat(300), "</p></b></x></table>".repeat(many / 4))),
        ("attributes", format!("<div {}>", "class=a ".repeat(many))),
        ("entities", "&amp;&notin;&#0;&".repeat(many)),
    ];
    for (name, page) in pages {
        let begun = Instant::now();
        extract(&page);
        assert!(begun.elapsed() < Duration::from_secs(120), "{name}: {:?}", begun.elapsed());
    }
}

#[test]
fn extract_page_of_50_megabytes_is_read() {
    let paragraph = format!("<p class=story>{LOREM} <a href=x>link</a></p>\n");
    let page = article(&paragraph.repeat((50 << 20) / paragraph.len()));
    let begun = Instant::now();
    let text = extract(&page).text;
    assert!(text.len() > 30 << 20, "{}", text.len());
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

/// Pages put together from pieces that mean something to the parser.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<div class='article-body'>",
        "</div>",
        "<article>",
        "</article>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<ul>",
        "<li>",
        "</ul>",
        "<a href=x>",
        "</a>",
        "<b>",
        "</b>",
        "<h1>",
        "</h1>",
        "<br>",
        "<script>",
        "</script>",
        "<style>",
        "<title>",
        "</title>",
        "<!--",
        "-->",
        "<svg>",
        "</svg>",
        "<math>",
        "<body>",
        "</body>",
        "<head>",
        "</head>",
        "<html lang=de>",
        "<pre>\n",
        "</pre>",
        "<form>",
        "<noscript>",
        "</noscript>",
        "<template>",
        "Some words, and more of them. ",
        "&amp;",
        "&#x1F600;",
        "&bogus;",
        "\u{0}",
        "<",
        ">",
        "'",
        "\"",
        " hidden ",
        "<div style='display:none'>",
        "<textarea>",
        "<plaintext>",
        "<![CDATA[",
        "]]>",
        "<meta name=x content=y>",
        "<script type='application/ld+json'>{\"articleBody\": \"a <b>text</b>\"}</script>",
        "\u{ad}",
        "é漢🦀",
    ]);
    prop::collection::vec(pieces, 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn extract_any_soup_yields_tidy_text(page in soup()) {
        let text = extract(&page).text;
        prop_assert_eq!(text.trim_end(), &text);
        prop_assert!(!text.contains('\0'));
        prop_assert!(text.len() <= 3 * page.len());
        prop_assert_eq!(text, extract(&page).text);
    }

    #[test]
    fn extract_any_string_never_panics(page in "\\PC*") {
        extract(&page);
    }
}

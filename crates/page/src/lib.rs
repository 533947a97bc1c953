//! The main text of a web page, with its title, language and encoding.
//!
//! ```
//! let page = b"<html lang=en><head><title>A day</title></head><body><nav><a href=/>Home</a></nav>
//!     <article><h1>A day</h1><p>The first paragraph says what happened, in a sentence or two, so that it is \
//!     long enough to be read.</p><p>The second one goes on from there, and says a little more.</p></article>
//!     <footer>All rights reserved</footer></body></html>";
//! let page = scalelaw_page::page_to_text(page, Some("utf-8"));
//! assert_eq!(page.extracted.title.as_deref(), Some("A day"));
//! assert_eq!(page.extracted.language.as_deref(), Some("en"));
//! assert!(page.extracted.text.contains("The first paragraph says what happened"));
//! assert!(!page.extracted.text.contains("All rights reserved"));
//! ```
//!
//! Why it is an extractor of its own, and how it compares with the libraries, is in
//! `docs/decisions/corpus-extraction.md`.
//!
//! ```text
//! bytes ─▶ charset ─▶ tree (one pass, bounded) ─▶ extract: the article, the densest part, or the whole ─▶ prose
//! ```

mod charset;
mod densest;
mod extract;
mod prose;
mod rules;
mod tag;
#[cfg(test)]
mod tests;
mod tree;
mod view;
mod whole;

pub use charset::decode;

/// The content of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The page's title.
    pub title: Option<String>,
    /// The main text; empty if there is none. Paragraphs are separated by empty lines.
    pub text: String,
    /// The language that the page declares, such as `de` or `pt-BR`.
    pub language: Option<String>,
}

/// A page from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its content.
    pub extracted: Extracted,
    /// Its encoding, by the name in the Encoding Standard.
    pub charset: &'static str,
}

/// The main text of a page, with its title and language.
///
/// Accepts any text; time and memory are linear in its length, whatever it holds.
///
/// # Source
/// The steps and the vocabulary of trafilatura 2.3.1 (Barbaresi 2021, Apache-2.0), with Readability's scores as the
/// second opinion.
pub fn extract(html: &str) -> Extracted {
    let mut tree = tree::Tree::parse(html);
    let text = extract::main_text(&tree).text();
    let title = tree.meta_title.take().unwrap_or(std::mem::take(&mut tree.title));
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    Extracted { title: Some(title).filter(|title| !title.is_empty()), text, language: tree.language.take() }
}

/// The main text of a page from its bytes; `declared_charset` is the encoding that the server named, if it did.
pub fn page_to_text(bytes: &[u8], declared_charset: Option<&str>) -> Page {
    let (html, charset) = charset::decode(bytes, declared_charset);
    Page { extracted: extract(&html), charset }
}

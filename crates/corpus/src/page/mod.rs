//! Web pages to text.
//!
//! [`extract`] is the one interface behind which the extractor sits. Why it is our own, and how it compares with
//! the libraries, is in `docs/decisions/corpus-extraction.md`.
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

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The page's title.
    pub title: Option<String>,
    /// The main text; empty if there is none. Paragraphs are separated by empty lines.
    pub text: String,
    /// The language that the page claims for itself, as `de` or `pt-BR`.
    pub language: Option<String>,
}

/// A page from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it says.
    pub extracted: Extracted,
    /// The encoding it was in, by its name in the Encoding Standard.
    pub charset: &'static str,
}

/// The main text of a page, with its title and language.
///
/// Takes any text; time and memory are linear in its length, whatever it holds.
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

pub(crate) use charset::decode as decode_text;

/// The main text of a page of which only the bytes are known, and perhaps what the server said of them.
pub fn page_to_text(bytes: &[u8], declared_charset: Option<&str>) -> Page {
    let (html, charset) = charset::decode(bytes, declared_charset);
    Page { extracted: extract(&html), charset }
}

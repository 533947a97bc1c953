//! What a file is, by its name.

use scalelaw_files::Compression;
use std::path::Path;

/// What the decompressed bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// One document.
    Text,
    /// One document per line, in the key `text`.
    JsonLines,
    /// A web page.
    Page,
    /// A web archive; its first bytes decide how it is compressed.
    Archive,
    /// One document per row.
    Parquet,
}

/// Endings of files that are one document.
const TEXT_ENDINGS: [&str; 4] = ["txt", "md", "rs", "py"];
/// Endings of web pages.
const PAGE_ENDINGS: [&str; 3] = ["html", "htm", "xhtml"];
/// Endings of web archives: WARC, its pages as text, its metadata, and ARC.
const ARCHIVE_ENDINGS: [&str; 4] = ["warc", "wet", "wat", "arc"];

/// Recognises a file by its ending, or returns `None`.
pub(crate) fn recognise(path: &Path) -> Option<(Contents, Compression)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, compression) = Compression::of_name(&name);
    let (before, ending) = stem.rsplit_once('.')?;
    // ".md" alone is a hidden file without an ending.
    if before.is_empty() {
        return None;
    }
    let contents = if TEXT_ENDINGS.contains(&ending) {
        Contents::Text
    } else if ending == "jsonl" {
        Contents::JsonLines
    } else if PAGE_ENDINGS.contains(&ending) {
        Contents::Page
    } else if ARCHIVE_ENDINGS.contains(&ending) {
        Contents::Archive
    } else if ending == "parquet" && compression == Compression::None {
        Contents::Parquet
    } else {
        return None;
    };
    Some((contents, compression))
}

/// The endings, for messages.
pub(crate) fn endings() -> String {
    let endings = [&TEXT_ENDINGS[..], &PAGE_ENDINGS, &ARCHIVE_ENDINGS].concat();
    format!(".{} or .jsonl, each also with .gz or .zst, or .parquet", endings.join(" ."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognise_file_names_by_their_ending() {
        let case = |name: &str| recognise(Path::new(name));
        assert_eq!(case("a/b.txt"), Some((Contents::Text, Compression::None)));
        assert_eq!(case("README.MD"), Some((Contents::Text, Compression::None)));
        assert_eq!(case("x.tar.html.gz"), Some((Contents::Page, Compression::Gzip)));
        assert_eq!(case("a.warc.wet.gz"), Some((Contents::Archive, Compression::Gzip)));
        assert_eq!(case("a.arc"), Some((Contents::Archive, Compression::None)));
        assert_eq!(case("a.parquet"), Some((Contents::Parquet, Compression::None)));
        assert_eq!(case("train.jsonl.zst"), Some((Contents::JsonLines, Compression::Zstd)));
        for name in
            ["a.bin", "txt", ".md", "a.gz", "a.jsonl.bz2", "LICENSE", "a.tar.gz", ".txt.gz", "a.parquet.gz"]
        {
            assert_eq!(case(name), None, "{name}");
        }
    }
}

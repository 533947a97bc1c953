//! Reading files and folders: what is read, what is skipped and counted, what is an error.

#![allow(clippy::unwrap_used)]

use scalelaw_corpus::{CorpusError, Document, Found, ReadLimits, ReadOptions, Skipped, read_paths, units};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn read_with(path: &Path, limits: ReadLimits) -> Result<(Vec<String>, Skipped), CorpusError> {
    let mut texts = vec![];
    let skipped = read_paths(&[path.to_path_buf()], limits, &mut |document| {
        texts.push(document.text);
        ControlFlow::Continue(())
    })?;
    Ok((texts, skipped))
}

fn read(path: &Path) -> Result<(Vec<String>, Skipped), CorpusError> {
    read_with(path, ReadLimits::default())
}

/// Reads one file of these bytes.
fn read_file(name: &str, bytes: &[u8]) -> Result<(Vec<String>, Skipped), CorpusError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

#[test]
fn folder_is_read_recursively_in_sorted_order() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("b/deep")).unwrap();
    let jsonl = "{\"text\": \"json one\"}\n{\"text\": \"json two\"}\n";
    for (name, bytes) in [
        ("c.md", b"markdown".to_vec()),
        ("a.txt", b"text".to_vec()),
        ("b/deep/x.rs.gz", gz(b"rust")),
        ("b/y.py.zst", zst(b"python")),
        ("d.jsonl", jsonl.into()),
        ("e.jsonl.gz", gz(jsonl.as_bytes())),
        ("f.jsonl.zst", zst(jsonl.as_bytes())),
        ("g.html", b"<p>a page</p>".to_vec()),
        ("h.bin", vec![1, 2, 3]),
        ("LICENSE", b"no ending".to_vec()),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let (texts, skipped) = read(dir.path()).unwrap();
    let json = ["json one", "json two"];
    let expected = [&["text", "rust", "python", "markdown"][..], &json, &json, &json, &["a page"]].concat();
    assert_eq!(texts, expected);
    assert_eq!(skipped, Skipped { other_kind: 2, ..Skipped::default() });
}

#[test]
fn compressed_files_of_several_members_are_read_whole() {
    for (name, parts) in [("a.txt.gz", [gz(b"one "), gz(b"two")]), ("a.txt.zst", [zst(b"one "), zst(b"two")])]
    {
        assert_eq!(read_file(name, &parts.concat()).unwrap().0, ["one two"], "{name}");
    }
}

#[test]
fn documents_that_are_no_text_are_skipped_and_counted() {
    let count = |name: &str, bytes: &[u8]| {
        let (texts, skipped) = read_file(name, bytes).unwrap();
        assert!(texts.is_empty(), "{texts:?}");
        skipped
    };
    let none = Skipped::default();
    assert_eq!(count("a.txt", b""), Skipped { empty: 1, ..none });
    assert_eq!(count("a.txt", b" \n\t "), Skipped { empty: 1, ..none });
    assert_eq!(count("a.txt", b"a\0b"), Skipped { binary: 1, ..none });
    assert_eq!(count("a.txt", b"\0\xff"), Skipped { binary: 1, ..none });
    assert_eq!(count("a.txt", b"a\xffb"), Skipped { invalid_utf8: 1, ..none });
    assert_eq!(count("a.txt", "é".as_bytes().split_at(1).0), Skipped { invalid_utf8: 1, ..none });
    assert_eq!(count("a.jsonl", b""), none);
}

#[test]
fn json_lines_that_hold_no_text_are_skipped_and_counted() {
    let lines: &[&[u8]] = &[
        b"{\"text\": \"good\", \"other\": [1, {\"x\": null}]}",
        b"",
        b"{\"text\": \"unended",
        b"[\"not an object\"]",
        b"nonsense",
        b"{\"text\": \"lone surrogate \\ud800\"}",
        b"{\"title\": \"no text\"}",
        b"{\"text\": 3}",
        b"{\"text\": null}",
        b"{\"text\": \"\"}",
        b"{\"text\": \"nul \\u0000\"}",
        b"{\"text\": \"\xff\"}",
        b"  {\"other\": 1, \"text\": \"escaped \\\"\\u00e9\\n\\ud83d\\ude00\"}\r",
        b"{\"text\": \"no newline at the end\"}",
    ];
    let (texts, skipped) = read_file("a.jsonl", &lines.join(&b'\n')).unwrap();
    assert_eq!(texts, ["good", "escaped \"é\n\u{1F600}", "no newline at the end"]);
    let expected =
        Skipped { broken_json: 4, no_text: 3, empty: 1, binary: 1, invalid_utf8: 1, ..Skipped::default() };
    assert_eq!(skipped, expected);
    assert_eq!(skipped.to_string(), "1 binary, 1 not UTF-8, 1 empty, 4 broken JSON, 3 no `text`");
}

#[test]
fn json_of_endless_depth_is_skipped() {
    let bomb = format!("{{\"x\": {}, \"text\": \"hidden\"}}", "[".repeat(1_000_000));
    let (texts, skipped) = read_file("a.jsonl", bomb.as_bytes()).unwrap();
    assert!(texts.is_empty());
    assert_eq!(skipped.broken_json, 1);
}

#[test]
fn json_line_longer_than_the_limit_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let long = "x".repeat(1000);
    std::fs::write(&path, format!("{{\"text\": \"{long}\"}}\n{{\"text\": \"short\"}}\n")).unwrap();
    let limits = ReadLimits { line_bytes: 100, ..ReadLimits::default() };
    let (texts, skipped) = read_with(&path, limits).unwrap();
    assert_eq!(texts, ["short"]);
    assert_eq!(skipped.too_long, 1);
}

#[test]
fn text_file_longer_than_the_limit_is_cut_between_paragraphs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.txt");
    for text in ["Une phrase à part.\n\n".repeat(100), "é".repeat(1000), "a".repeat(200), "a".repeat(201)] {
        std::fs::write(&path, &text).unwrap();
        let limits = ReadLimits { file_bytes: 200, ..ReadLimits::default() };
        let (texts, skipped) = read_with(&path, limits).unwrap();
        assert_eq!(texts.concat(), text);
        assert!(texts.iter().all(|piece| piece.len() <= 200));
        assert_eq!(skipped, Skipped::default());
        assert_eq!(texts.len(), text.len().div_ceil(200), "full pieces");
    }
}

#[test]
fn reading_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt", "c.txt"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let mut texts = vec![];
    read_paths(&[dir.path().into(), "/does/not/exist".into()], ReadLimits::default(), &mut |document| {
        texts.push(document.text);
        if texts.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(texts, ["a.txt", "b.txt"]);
}

#[test]
fn path_that_cannot_be_read_is_named() {
    let error = read(Path::new("no/such/file.txt")).unwrap_err();
    assert!(error.to_string().contains("no/such/file.txt"), "{error}");
    let error = read_file("picture.png", b"..").unwrap_err().to_string();
    assert!(error.contains("picture.png") && error.contains(".jsonl"), "{error}");
    // A broken archive is an error: part of it would be a corpus that nobody asked for.
    let archive = gz(&b"some text ".repeat(1000));
    for (name, bytes) in
        [("a.txt.gz", &archive[..archive.len() - 20]), ("a.txt.gz", b"no"), ("a.jsonl.zst", b"no zstd")]
    {
        let error = read_file(name, bytes).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("cannot read"), "{error}");
    }
}

#[test]
fn folder_with_a_link_to_itself_ends() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "text").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
    assert_eq!(read(dir.path()).unwrap().0, ["text"]);
}

#[test]
fn shared_wikipedia_sample_is_read_whole() {
    let shared = std::env::var_os("SCALELAW_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = shared.join("text/quick");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no shared data at {}", folder.display());
        return;
    }
    let (texts, skipped) = read(&folder).unwrap();
    // The folder's ORIGIN.md: documents and bytes of its three files; it is itself the fourth document.
    let origin = std::fs::metadata(folder.join("ORIGIN.md")).unwrap().len() as usize;
    assert_eq!(texts.len(), 1 + 254 + 18 + 1);
    assert_eq!(texts.iter().map(String::len).sum::<usize>(), 1_115_394 + 4_008_774 + 337_090 + origin);
    assert_eq!(skipped, Skipped::default());
}

/// Documents of one file with their origins, and what is left out.
fn read_unit(path: &Path, options: &ReadOptions) -> Result<(Vec<Document>, Vec<String>), CorpusError> {
    let (mut documents, mut left_out) = (vec![], vec![]);
    for unit in units(&[path.to_path_buf()])?.units {
        assert_eq!(unit.bytes, std::fs::metadata(&unit.path).unwrap().len());
        assert_eq!(unit.source()?.name, unit.name);
        let _ = unit.visit(options, &mut |found| {
            match found {
                Found::Raw(raw) => documents.push(raw.into_document().unwrap()),
                Found::Left(left) => left_out.push(left.to_string()),
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok((documents, left_out))
}

#[test]
fn documents_say_where_they_come_from() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    let lines = "{\"title\": \"T\", \"url\": \"http://a.example/\", \"body\": \"one\"}\nnonsense\n{\"url\": 5, \"body\": \"two\"}";
    std::fs::write(dir.path().join("sub/a.jsonl"), lines).unwrap();
    let options = ReadOptions { text_key: "body".into(), ..ReadOptions::default() };
    let (documents, left_out) = read_unit(dir.path(), &options).unwrap();
    let origins: Vec<_> = documents.iter().map(|document| document.origin.clone().unwrap()).collect();
    assert_eq!((&*origins[0].file, origins[0].record, origins[1].record), ("sub/a.jsonl", 1, 3));
    assert_eq!(
        (origins[0].url.as_deref(), origins[0].title.as_deref()),
        (Some("http://a.example/"), Some("T"))
    );
    assert_eq!((&origins[1].url, &origins[1].title), (&None, &None));
    assert!(
        left_out[0].starts_with("sub/a.jsonl: at 2: broken JSON: expected a JSON object"),
        "{left_out:?}"
    );

    let page = "<html lang=de><meta charset=iso-8859-1><title>Titel</title><p>Gr\u{fc}\u{df}e aus K\u{f6}ln, und noch ein Satz.</p>";
    let latin: Vec<u8> = page.chars().map(|c| c as u8).collect();
    std::fs::write(dir.path().join("p.html.gz"), gz(&latin)).unwrap();
    let (documents, _) = read_unit(&dir.path().join("p.html.gz"), &ReadOptions::default()).unwrap();
    assert_eq!(documents[0].text, "Grüße aus Köln, und noch ein Satz.");
    let origin = documents[0].origin.clone().unwrap();
    let said = [origin.title.as_deref(), origin.language.as_deref(), origin.charset.as_deref()];
    assert_eq!(said, [Some("Titel"), Some("de"), Some("windows-1252")]);
}

#[test]
fn page_longer_than_the_limit_or_without_text_is_skipped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.html");
    std::fs::write(&path, "<p>".repeat(100)).unwrap();
    let (texts, skipped) = read(&path).unwrap();
    assert_eq!((texts.len(), skipped), (0, Skipped { no_main_text: 1, ..Skipped::default() }));
    let limits = ReadLimits { page_bytes: 299, ..ReadLimits::default() };
    assert_eq!(read_with(&path, limits).unwrap().1, Skipped { page_too_long: 1, ..Skipped::default() });
}

fn parquet(path: &Path, column: &str, texts: &[Option<&str>]) {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::{properties::WriterProperties, writer::SerializedFileWriter};
    let schema = format!(
        "message m {{ optional int64 n; optional binary url (STRING); optional binary {column} (STRING); }}"
    );
    let schema = std::sync::Arc::new(parquet::schema::parser::parse_message_type(&schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer =
        SerializedFileWriter::new(file, schema, WriterProperties::builder().build().into()).unwrap();
    for texts in texts.chunks(2) {
        let mut group = writer.next_row_group().unwrap();
        let present: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
        let mut n = group.next_column().unwrap().unwrap();
        n.typed::<parquet::data_type::Int64Type>()
            .write_batch(&[], Some(&vec![0; texts.len()]), None)
            .unwrap();
        n.close().unwrap();
        let values = |prefix: &str| -> Vec<ByteArray> {
            texts.iter().flatten().map(|text| ByteArray::from(&*format!("{prefix}{text}"))).collect()
        };
        for prefix in ["http://a.example/", ""] {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values(prefix), Some(&present), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn parquet_rows_are_documents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    parquet(&path, "text", &[Some("one"), None, Some("two"), Some(" "), Some("three")]);
    let (texts, skipped) = read(&path).unwrap();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(skipped, Skipped { no_text: 1, empty: 1, ..Skipped::default() });

    parquet(&path, "body", &[Some("one"), Some("two")]);
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("expected a column `text`, found the columns n, url, body"), "{error}");
    let options = ReadOptions { text_key: "body".into(), ..ReadOptions::default() };
    let (documents, _) = read_unit(&path, &options).unwrap();
    let origin = documents[1].origin.clone().unwrap();
    assert_eq!((origin.record, origin.url.as_deref()), (1, Some("http://a.example/two")));

    for bytes in [&b""[..], b"PAR1", b"not a table", b"PAR1....PAR1"] {
        std::fs::write(&path, bytes).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("a.parquet: not a Parquet file that can be read"), "{error}");
    }
}

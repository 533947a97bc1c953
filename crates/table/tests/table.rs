//! Anybody's tables.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use scalelaw_table::{Counts, Role, Table, TableError, counts};
use std::io::{Read, Write};
use std::path::PathBuf;

fn file(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn load(name: &str, text: &str) -> Result<Table, TableError> {
    let dir = tempfile::tempdir().unwrap();
    Table::load(&file(&dir, name, text.as_bytes()))
}

#[test]
fn bad_cells_are_named_and_the_rest_is_usable() {
    let text = "run,N,loss\na,1.5M,3.2\nb,,3.1\nc,2e6,oops\nd,3e6,NaN\ne,4e6,-1\nf,5e6,inf\na,1.5M,3.2\ng,7_000,3.0\nh,9\n";
    let (usable, problems) = load("t.csv", text).unwrap().usable(&["N", "loss"]).unwrap();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "row 2, column N: missing",
            "row 3, column loss: \"oops\" is not a number",
            "row 4, column loss: NaN",
            "row 5, column loss: -1 is not positive",
            "row 6, column loss: infinite",
            "row 7: the same as row 1 in every column",
            "row 9, column loss: missing",
        ]
    );
    assert_eq!(usable.column("N").unwrap().numbers().unwrap(), [1.5e6, 7e3]);
    assert_eq!(usable.row(1), 8);
}

#[test]
fn same_rows_read_from_every_format_and_compression() {
    let dir = tempfile::tempdir().unwrap();
    let csv = b"N,label\n1000,x\n2000,y\n";
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(csv).unwrap();
    let files = [
        file(&dir, "a.csv", csv),
        file(&dir, "b.tsv", b"N\tlabel\n1000\tx\n2000\ty\n"),
        file(&dir, "c.csv.gz", &gz.finish().unwrap()),
        file(&dir, "d.csv.zst", &zstd::encode_all(&csv[..], 1).unwrap()),
        file(&dir, "e.jsonl", b"{\"N\":1000,\"label\":\"x\"}\n\n{\"label\":\"y\",\"N\":\"2k\"}\n"),
    ];
    for path in files {
        let t = Table::load(&path).unwrap();
        assert_eq!(t.column("N").unwrap().numbers().unwrap(), [1000.0, 2000.0], "{}", path.display());
        assert_eq!(t.column("label").unwrap().text(1), "y");
    }
}

/// 24 numbers as people and their programs write them, in files of every kind.
#[test]
fn same_table_is_read_in_whatever_way_it_is_written() {
    for (name, text) in [
        ("semi.csv", "N;D;loss\n70000000;350000000;4.2967\n160000000;800000000;3.440\n"),
        ("euro.csv", "N;D;loss\n70000000;350000000;4,2967\n160000000;800000000;3,440\n"),
        ("euro-groups.csv", "N;D;loss\n70.000.000;350.000.000;4,2967\n160.000.000;800.000.000;3,440\n"),
        ("euro-quoted.csv", "N,D,loss\n70000000,350000000,\"4,2967\"\n160000000,800000000,\"3,44\"\n"),
        ("pipe.csv", "N|D|loss\n70000000|350000000|4.2967\n160000000|800000000|3.440\n"),
        ("tab.csv", "N\tD\tloss\n70000000\t350000000\t4.2967\n160000000\t800000000\t3.440\n"),
        ("blanks.csv", "N  D  loss\n70000000  350000000 4.2967\n160000000 800000000  3.440\n"),
        (
            "groups.csv",
            "N,D,loss\n\"70,000,000\",\"350,000,000\",4.2967\n\"160,000,000\",\"800,000,000\",3.440\n",
        ),
        ("spaces.csv", "N,D,loss\n70 000 000,350 000 000,4.2967\n160 000 000,800 000 000,3.440\n"),
        ("underscores.csv", "N,D,loss\n70_000_000,350_000_000,4.2967\n160_000_000,800_000_000,3.440\n"),
        ("suffixes.csv", "N,D,loss\n70M,0.35B,4.2967\n160m,0.8bn,3.440\n"),
        ("words.csv", "N,D,loss\n0.07 B,0.35 billion,4.2967\n160 million,8e8,3.440\n"),
        ("powers.csv", "N,D,loss\n70×10^6,0.35*10^9,4.2967\n1.6e8,8x10^8,3.440\n"),
        ("share.csv", "N,D,loss\n70e6,35e7,429.67%\n160e6,8e8,344 %\n"),
        ("comment.csv", "# exported by me\n# N: params\nN,D,loss\n70e6,35e7,4.2967\n160e6,8e8,3.44\n"),
        ("excel.csv", "sep=,\r\nN,D,loss\r\n70e6,35e7,4.2967\r\n160e6,8e8,3.44\r\n"),
        ("numpy.csv", "# N D loss\n7e7 3.5e8 4.2967\n1.6e8 8e8 3.44\n"),
        ("mark.csv", "\u{feff}N,D,loss\n70e6,35e7,4.2967\n160e6,8e8,3.44\n"),
        ("records.json", r#"[{"N": 7e7, "D": 3.5e8, "loss": 4.2967}, {"N": 1.6e8, "D": 8e8, "loss": 3.44}]"#),
        ("columns.json", r#"{"N": [7e7, 1.6e8], "D": [3.5e8, 8e8], "loss": [4.2967, 3.44]}"#),
        (
            "split.json",
            r#"{"columns": ["N", "D", "loss"], "data": [[7e7, 3.5e8, 4.2967], [1.6e8, 8e8, 3.44]]}"#,
        ),
        (
            "lines.json",
            "{\"N\": 7e7, \"D\": 3.5e8, \"loss\": 4.2967}\n{\"N\": 1.6e8, \"D\": 8e8, \"loss\": 3.44}\n",
        ),
        ("array.jsonl", r#"[{"N": 7e7, "D": 3.5e8, "loss": 4.2967}, {"N": 1.6e8, "D": 8e8, "loss": 3.44}]"#),
    ] {
        let t = load(name, text).unwrap();
        for (column, values) in [("N", [7e7, 1.6e8]), ("D", [3.5e8, 8e8]), ("loss", [4.2967, 3.44])] {
            let read = t.numbers(column).unwrap_or_else(|e| panic!("{name}: {e}"));
            let near = read.iter().zip(values).all(|(a, b)| (a / b - 1.0).abs() < 1e-12);
            assert!(near && read.len() == 2, "{name}, {column}: {read:?}");
        }
    }
}

#[test]
fn text_of_two_bytes_a_character_and_words_of_python_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let wide: Vec<u8> = "\u{feff}N,loss\n7,4.5\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Table::load(&file(&dir, "wide.csv", &wide)).unwrap().numbers("loss").unwrap(), [4.5]);
    let t = load(
        "t.jsonl",
        "{\"N\": 7, \"loss\": NaN}\n{\"N\": 8, \"loss\": Infinity}\n{\"N\": 9, \"loss\": 3}\n",
    )
    .unwrap();
    let (usable, problems) = t.usable(&["N", "loss"]).unwrap();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        (usable.len(), said),
        (1, vec!["row 1, column loss: NaN".into(), "row 2, column loss: infinite".into()])
    );
}

#[test]
fn columns_of_one_header_have_names_of_their_own() {
    let t = load("t.csv", "loss,N,loss,loss\n1,2,3,1\n").unwrap();
    assert_eq!(t.names(), ["loss", "N", "loss.2", "loss.3"]);
    assert_eq!(t.twin("loss").map(|c| c.name.as_str()), Some("loss.2"));
    assert_eq!(t.twin("N").map(|c| c.name.as_str()), None);
}

#[test]
fn file_of_another_format_than_its_name_says_is_named_by_what_it_looks_like() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes, found) in [
        ("t.csv", &b"PAR1..."[..], "Parquet"),
        ("t.csv", b"PK\x03\x04...", "zip archive"),
        ("t.json", b"<!DOCTYPE html><html>", "web page"),
        ("t.csv", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("t.parquet", b"N,D\n1,2\n", "text"),
        ("t.jsonl", b"\x1f\x8b...", "gzip"),
    ] {
        let error = Table::load(&file(&dir, name, bytes)).unwrap_err().to_string();
        assert!(error.contains("looks like") && error.contains(found), "{name}: {error}");
    }
    let error = Table::load(&{
        let path = dir.path().join("folder.csv");
        std::fs::create_dir(&path).unwrap();
        path
    });
    assert!(matches!(error, Err(TableError::Directory { .. })));
}

#[test]
fn table_of_more_cells_than_are_held_is_refused_with_the_limit() {
    let mut sparse = String::new();
    for i in 0..5000 {
        sparse += &format!("{{\"key{i}\":1}}\n");
    }
    let error = load("sparse.jsonl", &sparse).unwrap_err();
    assert!(matches!(error, TableError::TooManyCells { rows: 5000, columns: 5000, .. }), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let zeros = zstd::encode_all(std::io::repeat(b'0').take(1 << 30), 1).unwrap();
    assert!(zeros.len() < 1 << 20);
    let error = Table::load(&file(&dir, "zeros.csv.zst", &zeros)).unwrap_err();
    assert!(matches!(error, TableError::TooLarge { .. }) && error.to_string().contains("512 MiB"), "{error}");
}

#[test]
fn expressions_are_computed_in_every_row() {
    let t = load("t.csv", "params (M),ppl,word\n10,7.389056098930650,a\n20,,b\n").unwrap();
    assert_eq!(t.computed("1e6*`params (M)`").unwrap(), [1e7, 2e7]);
    let loss = t.computed("ln(ppl)").unwrap();
    assert!((loss[0] - 2.0).abs() < 1e-12 && loss[1].is_nan());
    assert!(matches!(t.computed("word == 'a'"), Err(TableError::NoNumber { .. })));
    assert!(t.computed("2*word").unwrap_err().to_string().contains("is a text"));
    assert!(matches!(t.computed("2*params (M)"), Err(TableError::Unquoted { .. })));
}

#[test]
fn selection_keeps_the_rows_of_the_file() {
    let t = load("t.csv", "tokens,run\n1e7,a\n5e7,b\n,c\n9e7,a\n").unwrap();
    let kept = t.select("tokens > 3e7 and run == 'a'").unwrap();
    assert_eq!((kept.len(), kept.row(0)), (1, 4));
    let none = t.select("tokens > 1e12 and run == 'z'").unwrap_err().to_string();
    assert!(none.contains("tokens holds 10000000 to 90000000; run holds \"a\", \"b\", \"c\""), "{none}");
    let unknown = t.select("token > 3").unwrap_err().to_string();
    assert!(unknown.contains("the columns are: ") && unknown.contains("tokens"), "{unknown}");
    assert!(t.select("tokens").unwrap_err().to_string().contains("expected a comparison"));
    assert!(t.select("tokens > 'x'").unwrap_err().to_string().contains("cannot compare"));
}

#[test]
fn text_of_a_missing_cell_is_empty_in_every_kind_of_column() {
    let t = load("t.csv", "n,word,none\n1,a,\n,,\n").unwrap();
    assert_eq!((t.column("n").unwrap().text(0), t.column("n").unwrap().text(1)), ("1".into(), String::new()));
    assert_eq!(t.column("word").unwrap().text(1), "");
    assert_eq!(t.column("none").unwrap().text(0), "");
}

#[test]
fn joined_rows_take_the_columns_of_their_run() {
    let curves = load("curves.csv", "run_id,step,test_loss\na,1,4\nb,1,5\na,2,3\n").unwrap();
    let runs = load("runs.csv", "run,n_nonembed,loss,flops_6n\nb,200,9,1e9\na,100,9,1e9\n").unwrap();
    let joined = curves.joined("run_id", &runs, "run").unwrap();
    assert_eq!(joined.column("n_nonembed").unwrap().numbers().unwrap(), [100.0, 200.0, 100.0]);
    // The run's last loss and all its FLOPs are not those of every row.
    assert_eq!(joined.names(), ["run_id", "step", "test_loss", "n_nonembed"]);
    let few = load("few.csv", "run,n\na,1\n").unwrap();
    let error = curves.joined("run_id", &few, "run").unwrap_err().to_string();
    assert!(error.contains("row 2") && error.contains("\"b\"") && error.contains("few.csv"), "{error}");
}

#[test]
fn column_that_starts_empty_and_holds_text_is_text() {
    let mut text = String::from("x,note\n");
    for _ in 0..1200 {
        text.push_str("1,\n");
    }
    text.push_str("2,late\n");
    let t = load("t.csv", &text).unwrap();
    assert_eq!(t.column("note").unwrap().text(1200), "late");
}

#[test]
fn common_names_are_recognised_without_case_and_punctuation() {
    let t = load("t.csv", "Model Size,Training FLOP,loss\n1,2,3\n").unwrap();
    assert_eq!(t.recognise(Role::N).unwrap().name, "Model Size");
    assert_eq!(t.recognise(Role::C).unwrap().name, "Training FLOP");
    assert!(t.recognise(Role::D).is_none());
    assert!(matches!(
        counts("n_nonembed_params"),
        Some(Counts::Params(scalelaw_core::ParamConvention::NonEmbedding))
    ));
}

#[test]
fn broken_files_say_what_is_wrong() {
    assert!(matches!(load("t.txt", "a\n1\n"), Err(TableError::UnknownFormat { .. })));
    assert!(matches!(load("t.csv", "a,b\n"), Err(TableError::Empty { .. })));
    let long = load("t.csv", "a,b\n1,2,3\n").unwrap_err().to_string();
    assert!(long.ends_with("line 2 has 3 fields, the header 2"), "{long}");
    let json = load("t.jsonl", "{\"a\":1}\n[2]\n").unwrap_err().to_string();
    assert!(json.contains("line 2: expected an object"), "{json}");
    assert!(matches!(load("t.parquet", "no"), Err(TableError::LooksLike { .. })));
    assert!(matches!(load("t.parquet", "PAR1 and no more"), Err(TableError::Format { .. })));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_panic(text in "[-+0-9.,;|\\t #eMB%\"\n'_×^{}\\[\\]:N]{0,120}") {
        let dir = tempfile::tempdir().unwrap();
        for name in ["x.csv", "x.tsv", "x.json", "x.jsonl"] {
            if let Ok(t) = Table::load(&file(&dir, name, text.as_bytes())) {
                let names = t.names();
                let _ = t.usable(&names.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["x.csv", "x.tsv", "x.json", "x.jsonl", "x.parquet", "x.csv.gz", "x.csv.zst"] {
            if let Ok(t) = Table::load(&file(&dir, name, &bytes)) {
                let names = t.names();
                let _ = t.usable(&names.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn runs_named_by_long_numbers_keep_every_digit() {
    let table = load("ids.csv", "run_id,loss\n12345678901234567890,3.1\n12345678901234567891,3.2\n").unwrap();
    let runs = table.column("run_id").unwrap();
    assert_eq!([runs.text(0), runs.text(1)], ["12345678901234567890", "12345678901234567891"]);
    assert_ne!(runs.groups()[0], runs.groups()[1]);
    // Short numbers stay numbers, which a filter can compare.
    let short = load("ids.csv", "run_id,loss\n1,3.1\n2,3.2\n").unwrap();
    assert_eq!(short.numbers("run_id").unwrap(), [1.0, 2.0]);
}

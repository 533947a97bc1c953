//! Anybody's tables.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use scalelaw_table::{Counts, Role, Table, TableError, counts};
use std::io::Write;
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
    assert!(matches!(load("t.parquet", "no"), Err(TableError::Format { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["x.csv", "x.jsonl", "x.parquet", "x.csv.gz", "x.csv.zst"] {
            if let Ok(t) = Table::load(&file(&dir, name, &bytes)) {
                let names = t.names();
                let _ = t.usable(&names.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }
}

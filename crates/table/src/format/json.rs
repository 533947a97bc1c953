//! JSON documents: rows as objects, columns as arrays, and what pandas writes; also what JSON lines share with them.

use super::jsonl::{cell, flatten};
use crate::cell::Cell;
use crate::error::TableError;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::path::Path;

/// One JSON value. `NaN` and `Infinity`, which Python writes and JSON does not have, become texts that read as such.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(bytes).or_else(|error| match with_words(bytes) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(text) => serde_json::from_slice(&text),
    })
}

/// The text with its bare words `NaN`, `Infinity` and `-Infinity` in quotes.
fn with_words(bytes: &[u8]) -> Cow<'_, [u8]> {
    const WORDS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    let (mut out, mut copied, mut at, mut in_text) = (Vec::new(), 0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            _ => {
                if let Some(word) = WORDS.iter().find(|word| bytes[at..].starts_with(word)) {
                    out.extend_from_slice(&bytes[copied..at]);
                    out.push(b'"');
                    out.extend_from_slice(word);
                    out.push(b'"');
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
        }
        at += 1;
    }
    if out.is_empty() {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(&bytes[copied..]);
    Cow::Owned(out)
}

/// The rows of a document.
pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    let fail = |message: String| TableError::Format { path: path.to_path_buf(), format: "JSON", message };
    match parse(bytes) {
        Ok(document) => rows(document).map_err(fail),
        // A document a line, under the name of one document.
        Err(error) if bytes.trim_ascii_start().starts_with(b"{") => {
            super::jsonl::read(path, bytes).map_err(|_| fail(error.to_string()))
        }
        Err(error) => Err(fail(error.to_string())),
    }
}

type Rows = Vec<Vec<(String, Cell)>>;

fn rows(document: Value) -> Result<Rows, String> {
    match document {
        Value::Array(records) => records.into_iter().enumerate().map(|(i, record)| row(i, record)).collect(),
        Value::Object(map) => of_object(map),
        other => Err(format!("expected rows as objects or columns as arrays, got {}", kind(&other))),
    }
}

fn row(i: usize, record: Value) -> Result<Vec<(String, Cell)>, String> {
    let Value::Object(map) = record else {
        return Err(format!(
            "row {}: expected an object like {{\"loss\": 3.2}}, got {}",
            i + 1,
            kind(&record)
        ));
    };
    let mut cells = Vec::with_capacity(map.len());
    flatten("", map, &mut cells);
    Ok(cells)
}

fn of_object(mut map: Map<String, Value>) -> Result<Rows, String> {
    // pandas, orient="split".
    if let (Some(Value::Array(_)), Some(Value::Array(_))) = (map.get("columns"), map.get("data"))
        && map
            .keys()
            .all(|key| ["columns", "data", "index", "index_names", "column_names"].contains(&key.as_str()))
        && let (Some(Value::Array(names)), Some(Value::Array(data))) =
            (map.remove("columns"), map.remove("data"))
    {
        return split(&names, data);
    }
    let arrays: Vec<usize> = map.values().filter_map(|v| v.as_array().map(Vec::len)).collect();
    let of_objects = |value: &Value| {
        value.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(Value::is_object))
    };
    if map.values().filter(|v| of_objects(v)).count() == 1 {
        // Rows below one key, such as `{"runs": […]}`, or pandas, orient="table".
        let rows_of = map.into_iter().map(|(_, value)| value).find(|value| of_objects(value));
        return rows(rows_of.unwrap_or(Value::Null));
    }
    if arrays.len() == map.len() && arrays.len() > 1 || arrays.len() == 1 && map.len() == 1 {
        return of_columns(map);
    }
    if !map.is_empty() && map.values().all(Value::is_object) {
        return of_objects_by_key(map);
    }
    // One key beside scalars holds the table: `{"results": {"N": […]}}`.
    let nested = |value: &Value| {
        value.as_object().is_some_and(|inner| inner.values().any(|v| v.is_array() || v.is_object()))
    };
    if map.values().filter(|v| nested(v)).count() == 1 && map.values().filter(|v| v.is_array()).count() == 0 {
        let inner = map.into_iter().map(|(_, value)| value).find(nested);
        return rows(inner.unwrap_or(Value::Null));
    }
    Ok(vec![row(0, Value::Object(map))?])
}

fn split(names: &[Value], data: Vec<Value>) -> Result<Rows, String> {
    let names: Vec<String> = names.iter().map(text).collect();
    let of = |(i, record): (usize, Value)| match record {
        Value::Array(cells) if cells.len() == names.len() => {
            Ok(names.iter().cloned().zip(cells.into_iter().map(cell)).collect())
        }
        other => Err(format!("row {}: expected {} cells, got {}", i + 1, names.len(), kind(&other))),
    };
    data.into_iter().enumerate().map(of).collect()
}

fn of_columns(map: Map<String, Value>) -> Result<Rows, String> {
    let mut rows: Rows = Vec::new();
    let mut first: Option<(String, usize)> = None;
    for (name, values) in map {
        let Value::Array(values) = values else { continue };
        match &first {
            None => {
                rows = vec![Vec::new(); values.len()];
                first = Some((name.clone(), values.len()));
            }
            Some((other, length)) if *length != values.len() => {
                return Err(format!(
                    "column {name} has {} values, column {other} {length}: expected as many in each",
                    values.len()
                ));
            }
            Some(_) => {}
        }
        for (row, value) in rows.iter_mut().zip(values) {
            row.push((name.clone(), cell(value)));
        }
    }
    Ok(rows)
}

/// pandas, orient="columns" (`{"N": {"0": 7e7}}`), or a row for each key (`{"run-1": {"N": 7e7}}`).
fn of_objects_by_key(map: Map<String, Value>) -> Result<Rows, String> {
    let numbered = |value: &Value| {
        value
            .as_object()
            .is_some_and(|inner| !inner.is_empty() && inner.keys().all(|k| k.parse::<u64>().is_ok()))
    };
    if map.values().all(numbered) && !map.keys().all(|key| key.parse::<u64>().is_ok()) {
        let mut by_index: Vec<(String, Vec<(String, Cell)>)> = Vec::new();
        let mut place = std::collections::HashMap::new();
        for (name, column) in map {
            let Value::Object(column) = column else { continue };
            for (index, value) in column {
                let at = *place.entry(index.clone()).or_insert_with(|| {
                    by_index.push((index, vec![]));
                    by_index.len() - 1
                });
                by_index[at].1.push((name.clone(), cell(value)));
            }
        }
        return Ok(by_index.into_iter().map(|(_, row)| row).collect());
    }
    let of = |(i, (key, record)): (usize, (String, Value))| {
        let mut cells = row(i, record)?;
        if !cells.iter().any(|(name, _)| name == "name") {
            cells.insert(0, ("name".to_string(), Cell::Text(key)));
        }
        Ok(cells)
    };
    map.into_iter().enumerate().map(of).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(values) => format!("an array of {}", values.len()),
        Value::Object(_) => "an object".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(document: &str) -> Vec<String> {
        let rows = rows(parse(document.as_bytes()).expect("JSON")).expect("a table");
        let row = |row: Vec<(String, Cell)>| {
            row.into_iter().map(|(n, c)| format!("{n}={c:?}")).collect::<Vec<_>>().join(" ")
        };
        rows.into_iter().map(row).collect()
    }

    #[test]
    fn every_common_shape_of_document_gives_the_same_rows() {
        for document in [
            r#"[{"N": 7, "L": 4.5}, {"N": 8, "L": 4.25}]"#,
            r#"{"N": [7, 8], "L": [4.5, 4.25]}"#,
            r#"{"columns": ["N", "L"], "index": [0, 1], "data": [[7, 4.5], [8, 4.25]]}"#,
            r#"{"N": {"0": 7, "1": 8}, "L": {"0": 4.5, "1": 4.25}}"#,
            r#"{"version": 2, "runs": [{"N": 7, "L": 4.5}, {"N": 8, "L": 4.25}]}"#,
            r#"{"schema": {"fields": []}, "data": [{"N": 7, "L": 4.5}, {"N": 8, "L": 4.25}]}"#,
            r#"{"made": "today", "results": {"N": [7, 8], "L": [4.5, 4.25]}}"#,
        ] {
            let mut rows = said(document);
            for row in &mut rows {
                let mut cells: Vec<&str> = row.split(' ').collect();
                cells.sort_unstable_by(|a, b| b.cmp(a));
                *row = cells.join(" ");
            }
            assert_eq!(rows, ["N=Integer(7) L=Number(4.5)", "N=Integer(8) L=Number(4.25)"], "{document}");
        }
        assert_eq!(said(r#"{"a": {"N": 7}, "b": {"N": 8}}"#)[1], "name=Text(\"b\") N=Integer(8)");
        assert_eq!(said(r#"{"name": "x", "hyper": {"lr": 0.5}, "losses": [1, 2]}"#).len(), 1);
    }

    #[test]
    fn words_that_json_does_not_have_are_read_outside_of_texts() {
        assert_eq!(said(r#"[{"N": NaN, "L": -Infinity, "t": "NaN \" NaN"}]"#)[0].matches("NaN").count(), 3);
        assert!(parse(br#"[{"N": Nan}]"#).is_err() && parse(b"[").is_err());
    }

    #[test]
    fn document_without_rows_or_columns_says_what_is_wrong() {
        let wrong = |document: &str| rows(parse(document.as_bytes()).expect("JSON")).expect_err("no table");
        assert!(wrong("3").contains("got 3"));
        assert!(wrong("[[1, 2]]").contains("row 1: expected an object"));
        assert!(wrong(r#"{"N": [1, 2], "L": [1]}"#).contains("expected as many"));
    }
}

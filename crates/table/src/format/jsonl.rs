//! One JSON object a line.

use crate::cell::{Cell, Kind};
use crate::error::TableError;
use serde_json::{Map, Value};
use std::io::Write;
use std::path::Path;

pub(crate) fn write(
    columns: &[(String, Kind)],
    rows: impl Iterator<Item = Vec<Cell>>,
    mut out: impl Write,
) -> Result<(), TableError> {
    let fail = |e: std::io::Error| TableError::Write(e.into());
    for row in rows {
        // Written by hand so that the keys keep the columns' order.
        let mut separator = '{';
        for ((name, _), cell) in columns.iter().zip(row) {
            let value = match cell {
                Cell::Missing => continue,
                Cell::Integer(i) => Value::from(i),
                // JSON has no infinity or NaN: they are written as text and read back as numbers.
                Cell::Number(x) if !x.is_finite() => Value::from(x.to_string()),
                Cell::Number(x) => Value::from(x),
                Cell::Text(t) => Value::from(t),
            };
            write!(out, "{separator}{}:{value}", Value::from(name.as_str())).map_err(fail)?;
            separator = ',';
        }
        out.write_all(if separator == '{' { b"{}\n" } else { b"}\n" }).map_err(fail)?;
    }
    out.flush().map_err(fail)
}

/// The cell that a JSON value is; nested values keep their JSON text.
pub(crate) fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Missing,
        Value::Number(n) => {
            n.as_u64().map_or_else(|| Cell::Number(n.as_f64().unwrap_or(f64::NAN)), Cell::Integer)
        }
        Value::String(t) => Cell::Text(t),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Cell::Text(value.to_string()),
    }
}

/// Objects in objects become `outer.inner`, as W&B and many exporters name their columns.
pub(crate) fn flatten(prefix: &str, map: Map<String, Value>, out: &mut Vec<(String, Cell)>) {
    for (key, value) in map {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) => flatten(&name, inner, out),
            value => out.push((name, cell(value))),
        }
    }
}

pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    let fail = |line: usize, message: String| TableError::Format {
        path: path.to_path_buf(),
        format: "JSON lines",
        message: format!("line {line}: {message}"),
    };
    if bytes.trim_ascii_start().starts_with(b"[") {
        return super::json::read(path, bytes);
    }
    let mut rows = Vec::new();
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = super::json::parse(line).map_err(|e| fail(i + 1, e.to_string()))?;
        let Value::Object(map) = value else {
            return Err(fail(i + 1, "expected an object like {\"loss\": 3.2}".to_string()));
        };
        let mut row = Vec::with_capacity(map.len());
        flatten("", map, &mut row);
        rows.push(row);
    }
    Ok(rows)
}

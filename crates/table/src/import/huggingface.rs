//! Hugging Face `trainer_state.json`: `log_history` with a step, and metrics, an entry.

use super::history::History;
use super::{Log, LogKind};
use crate::error::TableError;
use scalelaw_files::FileError;
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;

pub(super) fn read(path: &Path) -> Result<Log, TableError> {
    let wrong = |message: String| LogKind::HuggingFace.wrong(path, message);
    let text = std::fs::read(path).map_err(FileError::new(path, "read"))?;
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong("the file is empty".into()));
    }
    let text = String::from_utf8(text).map_err(|_| wrong("it is not text".into()))?;
    let state: Value = serde_json::from_str(&standard(&text)).map_err(|e| wrong(e.to_string()))?;
    let log_history = state.get("log_history").and_then(Value::as_array).ok_or_else(|| {
        wrong(format!("it has no list `log_history`, as a trainer_state.json has; {}", outline(&state)))
    })?;
    let mut log = Log::new(LogKind::HuggingFace);
    log.notes.push(LogKind::HuggingFace.to_string());
    let mut history = History::default();
    for (i, entry) in log_history.iter().enumerate() {
        let fields = entry.as_object().ok_or_else(|| wrong(format!("log_history[{i}] is not an object")))?;
        let Some(step) = fields.get("step").and_then(Value::as_u64) else {
            log.problems.push(format!("log_history[{i}]: no whole number `step`, not used"));
            continue;
        };
        // The trainer's summary of the run: its "train_loss" is the mean over all steps, no point of the curve.
        if fields.contains_key("train_runtime") {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            log.notes.push(format!("left the summary at the end: {}", names.join(", ")));
            continue;
        }
        for (name, value) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "step" | "epoch")) {
            match value {
                // What `standard` makes of NaN and infinity.
                Value::Null => history.push(step, name, f64::NAN),
                Value::Number(number) => history.push(step, name, number.as_f64().unwrap_or(f64::NAN)),
                // Some callbacks round numbers into texts.
                Value::String(text) => match text.trim().parse::<f64>() {
                    Ok(number) => history.push(step, name, number),
                    Err(_) => history.leave(step, name),
                },
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => history.leave(step, name),
            }
        }
    }
    if history.is_empty() {
        return Err(wrong("nothing is logged in it: no entry of log_history has a step and a metric".into()));
    }
    log.histories.insert(None, history);
    Ok(log)
}

/// What a JSON value is, at its outermost.
fn outline(value: &Value) -> String {
    const MOST_KEYS: usize = 8;
    match value {
        Value::Object(map) => {
            let keys: Vec<&str> = map.keys().map(String::as_str).take(MOST_KEYS).collect();
            let more = if map.len() > MOST_KEYS { ", …" } else { "" };
            format!("its keys are: {}{more}", keys.join(", "))
        }
        Value::Array(list) => format!("it is a list of {}", list.len()),
        _ => "it is a single value".into(),
    }
}

/// Python's JSON with its bare `NaN`, `Infinity` and `-Infinity` as `null`.
fn standard(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        let (outside, string) = rest.split_at(quote);
        out += &without_bare_words(outside);
        // The string ends at the first quote that is not escaped.
        let mut escaped = false;
        let end = string.char_indices().skip(1).find_map(|(i, c)| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends.then_some(i + 1)
        });
        let (inside, after) = string.split_at(end.unwrap_or(string.len()));
        out += inside;
        rest = after;
    }
    out += &without_bare_words(rest);
    Cow::Owned(out)
}

fn without_bare_words(text: &str) -> String {
    text.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_outside_strings_become_null_and_strings_stay() {
        let python = r#"{"NaN \" NaN": NaN, "b": [-Infinity, Infinity], "c": "Infinity\\", "d": NaN}"#;
        let json = r#"{"NaN \" NaN": null, "b": [null, null], "c": "Infinity\\", "d": null}"#;
        assert_eq!(standard(python), json);
        assert!(serde_json::from_str::<Value>(json).is_ok());
    }
}

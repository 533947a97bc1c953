//! A TOML document as a tree that remembers where everything stands, in the order of the file.

use crate::error::{ExperimentError, Place, Source};
use scalelaw_core::spelling::unquoted;
use std::sync::Arc;
use toml::Value;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub place: Place,
    pub value: NodeValue,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    /// A text, number or truth value.
    Scalar(Value),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    pub node: Node,
}

/// Reads a document.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Vec<Entry>, ExperimentError> {
    let table = DeTable::parse(&source.text).map_err(|e| {
        let place = Place { source: Arc::clone(source), span: e.span().unwrap_or(0..0) };
        let error = ExperimentError::at(&place, e.message());
        match unquoted(&source.text, place.span.start) {
            Some(line) => error.hint(format!("a text needs quotes: {line}")),
            None => error,
        }
    })?;
    entries(source, table.get_ref())
}

fn entries(source: &Arc<Source>, table: &DeTable<'_>) -> Result<Vec<Entry>, ExperimentError> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let place = Place { source: Arc::clone(source), span: key.span() };
        let node_place = Place { source: Arc::clone(source), span: value.span() };
        entries.push(Entry {
            key: key.get_ref().to_string(),
            place,
            node: node(node_place, value.get_ref())?,
        });
    }
    entries.sort_by_key(|entry| entry.place.span.start);
    Ok(entries)
}

fn node(place: Place, value: &DeValue<'_>) -> Result<Node, ExperimentError> {
    let value = match value {
        DeValue::String(text) => NodeValue::Scalar(Value::String(text.to_string())),
        DeValue::Integer(digits) => {
            let integer = i64::from_str_radix(digits.as_str(), digits.radix())
                .map_err(|_| ExperimentError::at(&place, "an integer beyond 2^63"))?;
            NodeValue::Scalar(Value::Integer(integer))
        }
        DeValue::Float(digits) => {
            let float = digits.as_str().parse().map_err(|_| ExperimentError::at(&place, "not a number"))?;
            NodeValue::Scalar(Value::Float(float))
        }
        DeValue::Boolean(truth) => NodeValue::Scalar(Value::Boolean(*truth)),
        DeValue::Datetime(_) => return Err(ExperimentError::at(&place, "no setting is a date")),
        DeValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                let place = Place { source: Arc::clone(&place.source), span: item.span() };
                list.push(node(place, item.get_ref())?);
            }
            NodeValue::List(list)
        }
        DeValue::Table(table) => NodeValue::Table(entries(&place.source, table)?),
    };
    Ok(Node { place, value })
}

impl Node {
    pub(crate) fn text(&self, what: &str) -> Result<&str, ExperimentError> {
        match &self.value {
            NodeValue::Scalar(Value::String(text)) => Ok(text),
            _ => Err(ExperimentError::at(&self.place, format!("{what}: expected a text in quotes"))),
        }
    }

    pub(crate) fn table(&self, what: &str) -> Result<&[Entry], ExperimentError> {
        match &self.value {
            NodeValue::Table(entries) => Ok(entries),
            _ => Err(ExperimentError::at(&self.place, format!("{what}: expected a table"))),
        }
    }

    /// The elements of a list; a single value is a list of one.
    pub(crate) fn list(&self) -> &[Self] {
        match &self.value {
            NodeValue::List(list) => list,
            _ => std::slice::from_ref(self),
        }
    }
}

//! Tables with lists: every list multiplies the runs.

use crate::error::{ExperimentError, Place};
use crate::fields;
use crate::node::{Entry, Node, NodeValue};
use crate::settings::{BRANCHES, Choice, Setting, WORDS, is_under, rivals};
use scalelaw_core::kaplan::{KAPLAN, NamedShape, named};
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Value;

/// Named lists of models.
pub(crate) type Ladders = BTreeMap<String, Vec<Choice>>;

/// Words of a table of settings that are no settings themselves.
const AXES: [&str; 2] = ["models", "data"];

/// Every combination that a table of settings stands for: single values hold in all of them, each list is an
/// axis, the first axis changing slowest.
pub(crate) fn expand(entries: &[Entry], ladders: &Ladders) -> Result<Vec<Choice>, ExperimentError> {
    expand_group(entries, "", ladders)
}

fn expand_group(entries: &[Entry], group: &str, ladders: &Ladders) -> Result<Vec<Choice>, ExperimentError> {
    let mut axes = Vec::with_capacity(entries.len());
    let mut said: Vec<(Arc<str>, &Entry)> = Vec::new();
    for entry in entries {
        let axis = axis(entry, group, ladders)?;
        if let [only] = axis.as_slice() {
            for (path, _) in only {
                if let Some((_, earlier)) = said.iter().find(|(other, _)| contradicts(path, other)) {
                    return Err(ExperimentError::at(
                        &entry.place,
                        format!("`{}` and `{}` say the same thing twice", earlier.key, entry.key),
                    )
                    .hint("keep one"));
                }
                said.push((Arc::clone(path), entry));
            }
        }
        axes.push(axis);
    }
    // Single values first, so that a list of models wins over what all of them share.
    let (single, lists): (Vec<_>, Vec<_>) = axes.into_iter().partition(|axis| axis.len() == 1);
    let mut combinations = vec![single.concat().concat()];
    for list in lists {
        let mut more = Vec::with_capacity(combinations.len() * list.len());
        for combination in &combinations {
            for choice in &list {
                more.push([combination.as_slice(), choice.as_slice()].concat());
            }
        }
        combinations = more;
    }
    Ok(combinations)
}

fn contradicts(path: &str, other: &str) -> bool {
    rivals(path)
        .is_some_and(|group| group.iter().any(|rival| is_under(other, rival) && !is_under(path, rival)))
}

/// The choices that one entry offers.
fn axis(entry: &Entry, group: &str, ladders: &Ladders) -> Result<Vec<Choice>, ExperimentError> {
    let node = &entry.node;
    let is_list = matches!(node.value, NodeValue::List(_));
    if node.list().is_empty() {
        return Err(ExperimentError::at(&node.place, format!("`{}` is an empty list: no run", entry.key)));
    }
    if group.is_empty() {
        match entry.key.as_str() {
            "models" => return models(node, ladders),
            BRANCHES => return branches(node),
            "data" if is_list => {
                return concat(node.list(), |item| expand(item.table("an amount of data")?, ladders));
            }
            _ => {}
        }
    }
    if let Some(below) = fields::group_of(&fields::join(group, &entry.key)) {
        return concat(node.list(), |item| expand_group(item.table(&entry.key)?, below, ladders));
    }
    let path = path(entry, group)?;
    concat(node.list(), |item| values(item, &path))
}

/// The path or word that a key stands for.
fn path(entry: &Entry, group: &str) -> Result<Arc<str>, ExperimentError> {
    let key = entry.key.as_str();
    let path = if group.is_empty() {
        match key {
            "seeds" => Some("seed".to_owned()),
            _ if WORDS.iter().any(|(word, _)| *word == key) => Some(key.to_owned()),
            _ => fields::path_of(key),
        }
    } else {
        fields::path_of(&fields::join(group, key))
    };
    path.map(Arc::from).ok_or_else(|| {
        let known = fields::names().chain(WORDS.iter().map(|(word, _)| *word)).chain(AXES).chain(["name"]);
        ExperimentError::at(&entry.place, format!("unknown key `{key}`")).meant(key, known)
    })
}

/// The choices that a value below a path offers: itself, or the combinations of a table.
fn values(node: &Node, path: &Arc<str>) -> Result<Vec<Choice>, ExperimentError> {
    match &node.value {
        NodeValue::Scalar(value) => {
            let setting = Setting { value: value.clone(), place: node.place.clone() };
            Ok(vec![vec![(Arc::clone(path), setting)]])
        }
        NodeValue::List(_) => Err(ExperimentError::at(&node.place, "a list inside a list")),
        NodeValue::Table(entries) => {
            let mut sorted: Vec<&Entry> = entries.iter().collect();
            sorted.sort_by_key(|entry| entry.key != "kind"); // a kind replaces what was said before
            let mut combinations: Vec<Choice> = vec![vec![]];
            for entry in sorted {
                let below = Arc::from(format!("{path}.{}", entry.key));
                let choices = concat(entry.node.list(), |item| values(item, &below))?;
                combinations = combinations
                    .iter()
                    .flat_map(|c| choices.iter().map(|more| [c.as_slice(), more.as_slice()].concat()))
                    .collect();
            }
            Ok(combinations)
        }
    }
}

/// All branches of a trunk: one choice.
fn branches(node: &Node) -> Result<Vec<Choice>, ExperimentError> {
    let mut choice = Choice::new();
    for (i, item) in node.list().iter().enumerate() {
        let NodeValue::Scalar(value) = &item.value else {
            return Err(ExperimentError::at(&item.place, "a branch is a number of steps"));
        };
        let setting = Setting { value: value.clone(), place: item.place.clone() };
        choice.push((Arc::from(format!("{BRANCHES}.{i}")), setting));
    }
    Ok(vec![choice])
}

fn models(node: &Node, ladders: &Ladders) -> Result<Vec<Choice>, ExperimentError> {
    concat(node.list(), |item| match &item.value {
        NodeValue::Table(entries) => expand(entries, ladders),
        _ => {
            let name = item.text("models")?;
            if let Some(ladder) = ladders.get(name) {
                return Ok(ladder.clone());
            }
            let shapes: Vec<Choice> = named(name).iter().map(|shape| model(*shape, &item.place)).collect();
            if shapes.is_empty() {
                let known = ladders.keys().map(String::as_str).chain(KAPLAN.map(|shape| shape.name));
                let problem = format!("there is no [ladder] called {name:?}");
                return Err(ExperimentError::at(&item.place, problem).meant(name, known));
            }
            Ok(shapes)
        }
    })
}

/// The settings of a shape of the paper.
fn model(shape: NamedShape, place: &Place) -> Choice {
    let setting = |path: &str, value: u32| {
        (Arc::from(path), Setting { value: Value::Integer(value.into()), place: place.clone() })
    };
    vec![setting("model.n_layer", shape.n_layer), setting("model.d_model", shape.d_model)]
}

/// A ladder: a list of models, or one table whose lists multiply.
pub(crate) fn ladder(node: &Node) -> Result<Vec<Choice>, ExperimentError> {
    let none = Ladders::new();
    concat(node.list(), |item| expand(item.table("a model of a ladder")?, &none))
}

fn concat(
    items: &[Node],
    choices: impl Fn(&Node) -> Result<Vec<Choice>, ExperimentError>,
) -> Result<Vec<Choice>, ExperimentError> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        all.extend(choices(item)?);
    }
    Ok(all)
}

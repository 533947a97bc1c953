//! The file as a whole: question, recipe, data, ladders, sets, trainer.

use crate::error::{ExperimentError, Place, Source};
use crate::expand::{Ladders, expand, ladder};
use crate::node::{Entry, Node, NodeValue, parse};
use crate::recipes;
use crate::resolve::resolve;
use crate::settings::{Choice, Settings};
use crate::trainer::Trainer;
use scalelaw_core::RunSpec;
use scalelaw_core::measure::EvaluationSet;
use scalelaw_core::spec::TRAINER;
use scalelaw_core::spelling::nearest;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use toml::{Table, Value};

/// An experiment as its file says it; [`Self::runs`] resolves it on the facts of its data.
#[derive(Clone, Debug)]
pub struct ExperimentFile {
    /// In words.
    pub question: String,
    /// Name and version of the recipe, such as `nano-1`.
    pub recipe: String,
    /// Where the text comes from.
    pub data: DataSection,
    /// Further sets that every evaluation measures the loss on: name, and files and folders of text.
    pub evals: Vec<(String, Vec<PathBuf>)>,
    /// A trainer of the user's own, or none for the program's.
    pub trainer: Option<Trainer>,
    source: Arc<Source>,
    base: Settings,
    sets: Vec<Set>,
}

/// Where the text comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataSection {
    /// A name for people.
    pub name: Option<String>,
    /// The source.
    pub origin: DataOrigin,
    /// Training tokens that a dataset is built with at most.
    pub max_train_tokens: Option<u64>,
    /// Tokens of every further evaluation set, where they are said: see [`ExperimentFile::eval_tokens`].
    pub eval_tokens: Option<u64>,
    /// Digest that the dataset must have.
    pub digest: Option<String>,
}

/// The source of a dataset.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DataOrigin {
    /// Files and folders, relative to the experiment file.
    Text(Vec<PathBuf>),
    /// A synthetic language of known entropy, from a seed.
    Synthetic(u64),
    /// A dataset that exists.
    Dataset(PathBuf),
    /// Whatever lies in the output directory: the file says only its digest, or nothing.
    #[default]
    Here,
}

/// The data of an experiment that a program composes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComposedData {
    /// A name for people.
    pub name: String,
    /// Digest that the dataset must have.
    pub digest: String,
    /// Test tokens of every evaluation.
    pub test_tokens: u64,
}

/// What resolving needs to know of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Name for people.
    pub name: String,
    /// Digest of token files and tokenizer.
    pub digest: String,
    /// Vocabulary; 0 when it is not known.
    pub n_vocab: u32,
    /// Training tokens: D in formulas.
    pub train_tokens: u64,
    /// Test tokens an evaluation uses where nothing says how many; 0 for none known.
    pub test_tokens: u64,
    /// Further evaluation sets.
    pub evals: Vec<EvaluationSet>,
}

/// A run of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRun {
    /// Key of its spec.
    pub key: String,
    /// The sets that it belongs to, in the order of the file.
    pub sets: Vec<String>,
    /// What to run.
    pub spec: RunSpec,
}

#[derive(Clone, Debug)]
struct Set {
    name: String,
    place: Place,
    choices: Vec<Choice>,
}

impl ExperimentFile {
    /// Reads an experiment; `name` is what messages call the file.
    ///
    /// # Errors
    /// The first thing that is wrong, with line, caret and the nearest known name.
    pub fn parse(name: &str, text: &str) -> Result<Self, ExperimentError> {
        let source = Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
        let whole = Place { source: Arc::clone(&source), span: 0..0 };
        let entries = parse(&source)?;
        const KEYS: [&str; 7] = ["question", "recipe", "data", "evals", "ladder", "set", "trainer"];
        for entry in &entries {
            if !KEYS.contains(&entry.key.as_str()) {
                let unknown = ExperimentError::at(&entry.place, format!("unknown key `{}`", entry.key));
                return Err(unknown.expected(&entry.key, &KEYS));
            }
        }
        let find = |key: &str| entries.iter().find(|e| e.key == key).map(|e| &e.node);
        let need = |key: &str, hint: &str| {
            find(key).ok_or_else(|| ExperimentError::at(&whole, format!("`{key}` is missing")).hint(hint))
        };
        let question = need("question", "say in words what the runs answer")?.text("question")?.to_owned();
        let mut base = Settings::default();
        let recipe = recipe(need("recipe", "name one, or write a [recipe] table")?, &mut base)?;
        let (data, of_data) = match find("data") {
            Some(node) => data_section(node.table("data")?)?,
            None => (DataSection::default(), vec![]),
        };
        base.say_all(&single(&of_data)?);
        let trainer = find("trainer").map(|node| Trainer::read(node.table("trainer")?)).transpose()?;
        let evals = match find("evals") {
            Some(node) if trainer.is_some() => {
                let error = "a trainer of your own measures its own sets";
                return Err(ExperimentError::at(&node.place, error)
                    .hint("write their losses into the curve as loss_<name>"));
            }
            Some(node) => eval_sets(node.table("evals")?)?,
            None => vec![],
        };
        let mut ladders = Ladders::new();
        if let Some(node) = find("ladder") {
            for entry in node.table("ladder")? {
                ladders.insert(entry.key.clone(), ladder(&entry.node)?);
            }
        }
        let mut sets: Vec<Set> = Vec::new();
        for node in need("set", "write at least one [[set]]")?.list() {
            let entries = node.table("set")?;
            let set = set(node, entries, &ladders)?;
            if sets.iter().any(|other| other.name == set.name) {
                return Err(ExperimentError::at(&node.place, format!("two sets are called {:?}", set.name)));
            }
            sets.push(set);
        }
        Ok(Self { question, recipe, data, evals, trainer, source, base, sets })
    }

    /// An experiment that a program composes: a known recipe, data that lie where its runs will, and sets whose fields
    /// are settings.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn compose<S: Serialize>(
        name: &str,
        question: &str,
        recipe: &str,
        data: &ComposedData,
        sets: &[S],
    ) -> Result<Self, ExperimentError> {
        #[derive(Serialize)]
        struct File<'a, S> {
            question: &'a str,
            recipe: &'a str,
            data: &'a ComposedData,
            set: &'a [S],
        }
        Self::write(name, &File { question, recipe, data, set: sets })
    }

    /// This experiment with another question and other sets: the same recipe, on the data of `facts`, which lie where
    /// its runs do.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn with_sets<S: Serialize>(
        &self,
        name: &str,
        question: &str,
        facts: &Facts,
        sets: &[S],
    ) -> Result<Self, ExperimentError> {
        let whole = Place { source: Arc::clone(&self.source), span: 0..0 };
        let other = |error: &dyn std::fmt::Display| ExperimentError::at(&whole, error.to_string());
        let mut table: Table = toml::from_str(&self.source.text).map_err(|e| other(&e.message()))?;
        for key in ["ladder", "evals"] {
            table.remove(key);
        }
        table.insert("question".into(), Value::String(question.into()));
        table.insert("set".into(), Value::try_from(sets).map_err(|e| other(&e))?);
        let data = table.entry("data").or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(data) = data {
            for key in ["text", "synthetic", "dataset"] {
                data.remove(key);
            }
            if !facts.digest.is_empty() {
                data.insert("digest".into(), Value::String(facts.digest.clone()));
            }
            data.insert("name".into(), Value::String(facts.name.clone()));
        }
        Self::write(name, &table)
    }

    fn write(name: &str, file: &impl Serialize) -> Result<Self, ExperimentError> {
        let text = toml::to_string(file).map_err(|e| {
            let source = Source { name: name.to_owned(), text: String::new() };
            ExperimentError::at(&Place { source: Arc::new(source), span: 0..0 }, e.to_string())
        })?;
        Self::parse(name, &text)
    }

    /// The text of its file.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// All runs, resolved, in the order of the file; a run that several sets share appears once.
    ///
    /// # Errors
    /// Impossible or missing values, with the place that said them.
    pub fn runs(&self, facts: &Facts) -> Result<Vec<PlannedRun>, ExperimentError> {
        let trainer = self.trainer.as_ref().map_or(TRAINER, |trainer| &trainer.name);
        let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
        let mut runs: Vec<PlannedRun> = Vec::new();
        for set in &self.sets {
            for choice in &set.choices {
                let mut settings = self.base.clone();
                settings.say_all(choice);
                for spec in resolve(&settings, facts, &self.recipe, trainer, &set.place)? {
                    let key = spec.key();
                    match by_key.get(&key) {
                        Some(&index) if runs[index].sets.last() == Some(&set.name) => {}
                        Some(&index) => runs[index].sets.push(set.name.clone()),
                        None => {
                            by_key.insert(key.clone(), runs.len());
                            runs.push(PlannedRun { key, sets: vec![set.name.clone()], spec });
                        }
                    }
                }
            }
        }
        Ok(runs)
    }

    /// Tokens of every further evaluation set: what is said, else as many as the test tokens that the file or its
    /// recipe says as a plain number.
    pub fn eval_tokens(&self) -> Option<u64> {
        let said = || self.base.get("data.test_tokens")?.value.as_integer();
        self.data.eval_tokens.or_else(|| said().and_then(|tokens| u64::try_from(tokens).ok()))
    }

    /// The vocabulary that the recipe asks for, when it is a plain number: what a tokenizer is trained to.
    pub fn n_vocab(&self) -> Option<u32> {
        let value = &self.base.get("model.n_vocab")?.value;
        value.as_integer().and_then(|n| u32::try_from(n).ok())
    }
}

/// Settings of a table in which lists make no sense.
fn single(entries: &[Entry]) -> Result<Choice, ExperimentError> {
    let mut choices = expand(entries, &Ladders::new())?;
    match (choices.len(), entries.first()) {
        (1, _) | (_, None) => Ok(choices.swap_remove(0)),
        (_, Some(first)) => {
            Err(ExperimentError::at(&first.place, "a list here: lists belong into a [[set]]"))
        }
    }
}

/// Says the settings of a recipe and gives its name.
fn recipe(node: &Node, base: &mut Settings) -> Result<String, ExperimentError> {
    if let NodeValue::Scalar(_) = node.value {
        let name = node.text("recipe")?;
        say_known(name, &node.place, base)?;
        return Ok(name.to_owned());
    }
    let entries = node.table("recipe")?;
    let (named, settings): (Vec<_>, Vec<_>) =
        entries.iter().cloned().partition(|e| e.key == "name" || e.key == "base");
    let find = |key: &str| named.iter().find(|e| e.key == key).map(|e| &e.node);
    let missing =
        || ExperimentError::at(&node.place, "a recipe has a name and a version").hint("name = \"mine-1\"");
    let name_node = find("name").ok_or_else(missing)?;
    let name = name_node.text("name")?;
    let version = name.rsplit_once('-').map_or("", |(_, version)| version);
    if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ExperimentError::at(&name_node.place, "a recipe's name ends in its version")
            .hint(format!("{name}-1")));
    }
    if let Some(known) = find("base") {
        say_known(known.text("base")?, &known.place, base)?;
    }
    base.say_all(&single(&settings)?);
    Ok(name.to_owned())
}

fn say_known(name: &str, place: &Place, base: &mut Settings) -> Result<(), ExperimentError> {
    let text = recipes::by_name(name).ok_or_else(|| {
        let error = ExperimentError::at(place, format!("there is no recipe called {name:?}"));
        let known: Vec<&str> = recipes::names().collect();
        match nearest(name, recipes::names()) {
            Some(near) => error.hint(format!("did you mean {near:?}?")),
            None => error.hint(format!("there are: {}; or write a [recipe] table", known.join(", "))),
        }
    })?;
    let source = Source { name: format!("recipe {name}"), text: text.to_owned() };
    base.say_all(&single(&parse(&Arc::new(source))?)?);
    Ok(())
}

fn data_section(entries: &[Entry]) -> Result<(DataSection, Vec<Entry>), ExperimentError> {
    let mut section = DataSection::default();
    let mut settings = Vec::new();
    let mut origins = 0;
    for entry in entries {
        let node = &entry.node;
        let whole = || match node.value {
            NodeValue::Scalar(Value::Integer(i)) if i >= 0 => Ok(i as u64),
            NodeValue::Scalar(Value::String(ref text)) => scalelaw_core::number::parse(text)
                .map(|x| x as u64)
                .map_err(|e| ExperimentError::at(&node.place, e.to_string())),
            _ => Err(ExperimentError::at(&node.place, format!("{}: expected a whole number", entry.key))),
        };
        match entry.key.as_str() {
            "name" => section.name = Some(node.text("name")?.to_owned()),
            "digest" => section.digest = Some(node.text("digest")?.to_owned()),
            "max_train_tokens" => section.max_train_tokens = Some(whole()?),
            "eval_tokens" => section.eval_tokens = Some(whole()?),
            "text" => {
                section.origin = DataOrigin::Text(paths(node, "text")?);
                origins += 1;
            }
            "synthetic" => {
                section.origin = DataOrigin::Synthetic(whole()?);
                origins += 1;
            }
            "dataset" => {
                section.origin = DataOrigin::Dataset(PathBuf::from(node.text("dataset")?));
                origins += 1;
            }
            "train_tokens" | "test_tokens" => settings.push(entry.clone()),
            key => {
                const KEYS: [&str; 9] = [
                    "name",
                    "digest",
                    "max_train_tokens",
                    "eval_tokens",
                    "text",
                    "synthetic",
                    "dataset",
                    "train_tokens",
                    "test_tokens",
                ];
                return Err(ExperimentError::at(&entry.place, format!("unknown key `{key}` in [data]"))
                    .expected(key, &KEYS));
            }
        }
        if origins > 1 {
            return Err(ExperimentError::at(&entry.place, "a second source of data").hint("keep one"));
        }
    }
    Ok((section, settings))
}

/// One path or a list of them.
fn paths(node: &Node, key: &str) -> Result<Vec<PathBuf>, ExperimentError> {
    node.list().iter().map(|path| Ok(PathBuf::from(path.text(key)?))).collect()
}

fn eval_sets(entries: &[Entry]) -> Result<Vec<(String, Vec<PathBuf>)>, ExperimentError> {
    let set = |entry: &Entry| {
        if !EvaluationSet::is_name(&entry.key) {
            return Err(ExperimentError::at(&entry.place, EvaluationSet::NAME_RULE));
        }
        Ok((entry.key.clone(), paths(&entry.node, &entry.key)?))
    };
    entries.iter().map(set).collect()
}

fn set(node: &Node, entries: &[Entry], ladders: &Ladders) -> Result<Set, ExperimentError> {
    let (named, settings): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(|e| e.key == "name");
    let Some(name) = named.first() else {
        return Err(ExperimentError::at(&node.place, "a set has no name").hint("name = \"A\""));
    };
    let choices = expand(&settings, ladders)?;
    Ok(Set { name: name.node.text("name")?.to_owned(), place: name.place.clone(), choices })
}

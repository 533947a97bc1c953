//! Numbers of a run that depend on each other: each is worked out when it is asked for.

use crate::error::{ExperimentError, Place};
use crate::fields;
use crate::file::Facts;
use crate::settings::{Setting, Settings, WHOLE_WORDS};
use scalelaw_core::shape::ShapeColumns;
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_core::{Head, ModelShape, ShapeRule, Surroundings, heads, number};
use scalelaw_expr::{Expr, Value as ExprValue};
use serde::Deserialize;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Names that formulas may use beside settings.
const DERIVED: [&str; 6] = ["N", "D", "B", "n_nonembed", "n_total", "n_matmul"];
/// What a shape follows from when it is not said: filled in by [`Numbers::shape`].
const SHAPED: [&str; 5] = ["n_layer", "d_model", "d_ff", "d_attn", "n_head"];

/// The numbers of one run.
pub(crate) struct Numbers<'a> {
    pub settings: &'a Settings,
    pub facts: &'a Facts,
    /// Where the run's set stands, for what is missing.
    pub set: &'a Place,
    known: RefCell<BTreeMap<String, f64>>,
    asked: RefCell<Vec<String>>,
    shape: OnceCell<ModelShape>,
}

impl<'a> Numbers<'a> {
    pub fn new(settings: &'a Settings, facts: &'a Facts, set: &'a Place) -> Self {
        Self {
            settings,
            facts,
            set,
            known: RefCell::default(),
            asked: RefCell::default(),
            shape: OnceCell::new(),
        }
    }

    /// The number called `name`; an error at `asker` when there is none.
    pub fn get(&self, name: &str, asker: &Place) -> Result<f64, ExperimentError> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(*known);
        }
        if self.asked.borrow().iter().any(|asked| asked == name) {
            let circle = self.asked.borrow().join(" -> ");
            return Err(ExperimentError::at(asker, format!("formulas go in a circle: {circle} -> {name}")));
        }
        self.asked.borrow_mut().push(name.to_owned());
        let value = self.work_out(name, asker);
        self.asked.borrow_mut().pop();
        let value = value?;
        self.known.borrow_mut().insert(name.to_owned(), value);
        Ok(value)
    }

    fn work_out(&self, name: &str, asker: &Place) -> Result<f64, ExperimentError> {
        let count = |convention| Ok(self.shape()?.n_params(convention) as f64);
        match name {
            "N" => return count(ParamConvention::NonEmbedding),
            // The word is what is wanted; what a run has is N.
            "n_nonembed" if self.settings.get(name).is_none() => return count(ParamConvention::NonEmbedding),
            "n_total" => return count(ParamConvention::Total),
            "n_matmul" => return count(ParamConvention::Matmul),
            "D" if self.facts.train_tokens == 0 => {
                let error = ExperimentError::at(asker, "D is not known: the data are the trainer's own");
                return Err(error.hint("say train_tokens as a number"));
            }
            "D" => return Ok(self.facts.train_tokens as f64),
            "B" => return Ok(self.get("sequences", asker)? * self.get("n_ctx", asker)?),
            "batch_tokens" if self.settings.get(name).is_none() => return self.get("B", asker),
            _ => {}
        }
        let path = fields::path_of(name).unwrap_or_else(|| name.to_owned());
        if let Some(setting) = self.settings.get(&path) {
            return match self.value(&path, setting)? {
                Value::Integer(i) => Ok(i as f64),
                Value::Float(x) => Ok(x),
                other => Err(ExperimentError::at(asker, format!("`{name}` is {other}, not a number"))),
            };
        }
        match name {
            "steps" => self.steps(asker),
            "sequences" if self.settings.get("batch_tokens").is_some() => self.sequences(),
            "n_vocab" if self.facts.n_vocab > 0 => Ok(f64::from(self.facts.n_vocab)),
            "train_tokens" => self.get("D", asker),
            "test_tokens" if self.facts.test_tokens > 0 => Ok(self.facts.test_tokens as f64),
            _ if SHAPED.contains(&name) => {
                let sizes = sizes(&self.shape()?);
                let size = sizes.into_iter().find(|(shaped, _)| *shaped == name);
                Ok(f64::from(size.map_or(0, |(_, size)| size)))
            }
            "test_tokens" => Err(ExperimentError::at(asker, "`test_tokens` is not set")
                .hint("add it to [data], such as test_tokens = 65536")),
            _ => Err(ExperimentError::at(asker, format!("`{name}` is not set"))
                .hint(format!("add {name} = … to the [[set]] or the [recipe]"))),
        }
    }

    /// S, from whichever word says it.
    fn steps(&self, asker: &Place) -> Result<f64, ExperimentError> {
        let batch_tokens = self.get("B", asker)?;
        let of_tokens = |tokens: f64| Ok(libm::round(tokens / batch_tokens).max(1.0));
        if let Some(tokens) = self.optional("tokens")? {
            return of_tokens(tokens);
        }
        if let Some(epochs) = self.optional("epochs")? {
            return of_tokens(epochs * self.get("train_tokens", self.place("epochs"))?);
        }
        for (word, convention) in [
            ("flops_6n", FlopConvention::SixN),
            ("flops_matmul", FlopConvention::Matmul),
            ("flops_full", FlopConvention::Full),
        ] {
            if let Some(flops) = self.optional(word)? {
                return of_tokens(flops / self.shape()?.train_flops_per_token(convention));
            }
        }
        Err(ExperimentError::at(asker, "nothing says how long the run is")
            .hint("add steps, tokens, epochs or flops_full"))
    }

    fn sequences(&self) -> Result<f64, ExperimentError> {
        let (wanted, place) = (self.get("batch_tokens", self.set)?, self.place("batch_tokens"));
        let n_ctx = self.get("n_ctx", place)?;
        let sequences = libm::round(wanted / n_ctx);
        if sequences < 1.0 || libm::fabs(sequences * n_ctx / wanted - 1.0) > 1e-9 {
            return Err(ExperimentError::at(
                place,
                format!("batch_tokens = {wanted} is not a whole number of sequences of n_ctx = {n_ctx}"),
            ));
        }
        Ok(sequences)
    }

    /// Where something was said, or else the set.
    pub fn place(&self, path: &str) -> &Place {
        self.settings.get(path).map_or(self.set, |setting| &setting.place)
    }

    /// A number that may be left open.
    pub fn optional(&self, name: &str) -> Result<Option<f64>, ExperimentError> {
        let path = fields::path_of(name).unwrap_or_else(|| name.to_owned());
        self.settings.get(&path).map(|setting| self.get(name, &setting.place)).transpose()
    }

    /// What a setting comes to: a text is a number such as `1.5M`, a formula, or the name of a choice.
    pub fn value(&self, path: &str, setting: &Setting) -> Result<Value, ExperimentError> {
        let Value::String(text) = &setting.value else { return Ok(setting.value.clone()) };
        if path.ends_with(".kind") {
            return Ok(setting.value.clone());
        }
        if let Ok(plain) = number::parse(text) {
            return Ok(self.toml_number(path, plain));
        }
        let is_formula = text.contains(['+', '*', '/', '^', '(']);
        let formula = match scalelaw_expr::parse(text) {
            Ok(formula) => formula,
            Err(error) if is_formula => {
                return Err(ExperimentError::at(&setting.place, format!("not a formula: {error}")));
            }
            Err(_) => return Ok(setting.value.clone()),
        };
        match &formula {
            // A choice such as "untied".
            Expr::Name(name) if !self.is_number(name) => return Ok(setting.value.clone()),
            Expr::Truth(_) => return Ok(setting.value.clone()),
            _ => {}
        }
        let mut values = BTreeMap::new();
        for name in formula.names() {
            if !self.is_number(&name) {
                let known = fields::names().chain(DERIVED);
                return Err(ExperimentError::at(
                    &setting.place,
                    format!("the formula names `{name}`, which is no setting"),
                )
                .meant(&name, known));
            }
            let value = self.get(&name, &setting.place)?;
            values.insert(name, value);
        }
        // Every name has just been given a value.
        let of = |name: &str| ExprValue::Number(values.get(name).copied().unwrap_or(f64::NAN));
        match formula.eval(&of) {
            Ok(ExprValue::Number(x)) if x.is_finite() => Ok(self.toml_number(path, x)),
            Ok(ExprValue::Number(x)) => {
                Err(ExperimentError::at(&setting.place, format!("the formula gives {x}")))
            }
            Ok(_) => Err(ExperimentError::at(&setting.place, "the formula gives no number")),
            Err(problem) => Err(ExperimentError::at(&setting.place, problem.to_string())),
        }
    }

    /// A number as the field or word at `path` wants it: rounded where it holds whole numbers.
    fn toml_number(&self, path: &str, x: f64) -> Value {
        let said = |path: &str| self.settings.get(path)?.value.as_str().map(str::to_owned);
        let whole = x != libm::trunc(x) && (WHOLE_WORDS.contains(&path) || fields::is_whole(path, said));
        let x = if whole { libm::round(x) } else { x };
        // A whole number does for a field of either kind.
        if x == libm::trunc(x) && libm::fabs(x) < 9e15 { Value::Integer(x as i64) } else { Value::Float(x) }
    }

    fn is_number(&self, name: &str) -> bool {
        DERIVED.contains(&name) || fields::path_of(name).is_some() || self.settings.get(name).is_some()
    }

    /// The model: what is said of it, and the standard shape or the solver's for the rest.
    pub fn shape(&self) -> Result<ModelShape, ExperimentError> {
        if let Some(shape) = self.shape.get() {
            return Ok(*shape);
        }
        let shape = self.work_out_shape()?;
        Ok(*self.shape.get_or_init(|| shape))
    }

    fn work_out_shape(&self) -> Result<ModelShape, ExperimentError> {
        let mut model = Table::new();
        for (path, setting) in self.settings.iter() {
            if let Some(field) = path.strip_prefix("model.") {
                insert(&mut model, field, self.value(path, setting)?);
            }
        }
        if !model.contains_key("n_vocab") {
            model.insert("n_vocab".into(), whole(self.get("n_vocab", self.set)?));
        }
        let ff_ratio = self.optional("ff_ratio")?.unwrap_or(4.0);
        if let Some(n) = self.optional("n_nonembed")? {
            let shape = self.solve(n, ff_ratio, &model)?;
            for (field, value) in sizes(&shape) {
                model.entry(field).or_insert(Value::Integer(i64::from(value)));
            }
        }
        let lstm = model.get("architecture").and_then(Value::as_str) == Some("lstm");
        if !lstm {
            self.fill_blocks(&mut model, ff_ratio)?;
        }
        ModelShape::deserialize(Value::Table(model)).map_err(|e| self.misfit("model", e.message()))
    }

    /// What is left open of a Transformer's blocks: d_attn = d_model, d_ff by its ratio, heads by their width.
    fn fill_blocks(&self, model: &mut Table, ff_ratio: f64) -> Result<(), ExperimentError> {
        let width = |model: &Table, field: &str| model.get(field).and_then(Value::as_integer);
        let d_model = width(model, "d_model").unwrap_or_default();
        model.entry("d_attn").or_insert(Value::Integer(d_model));
        model.entry("d_ff").or_insert(whole(ff_ratio * d_model as f64));
        if !model.contains_key("n_head")
            && let Some(d_head) = self.optional("d_head")?
        {
            let d_attn = width(model, "d_attn").unwrap_or_default() as u32;
            model.insert("n_head".into(), Value::Integer(heads(d_attn, d_head as u32).into()));
        }
        Ok(())
    }

    fn solve(&self, n: f64, ff_ratio: f64, model: &Table) -> Result<ModelShape, ExperimentError> {
        let place = self.place("n_nonembed");
        let fixed = |field: &str| model.get(field).and_then(Value::as_integer).map(|i| i as u32);
        let rule = ShapeRule {
            n_layer: fixed("n_layer"),
            d_model: fixed("d_model"),
            aspect: self.optional("aspect")?,
            d_head: self.get("d_head", place)? as u32,
        };
        if rule.n_layer.is_none() && rule.d_model.is_none() && rule.aspect.is_none() {
            return Err(
                ExperimentError::at(place, "N alone says no shape").hint("add aspect, n_layer or d_model")
            );
        }
        let n_ctx = self.get("n_ctx", place)? as u32;
        let around = Surroundings { n_ctx, n_vocab: fixed("n_vocab").unwrap_or(2), head: Head::Untied };
        rule.exact(n, ff_ratio, &around).ok_or_else(|| {
            ExperimentError::at(place, format!("no shape with these ratios has {n} parameters to 1%"))
        })
    }

    /// A type's own complaint about the fields below `group`, at the field that it is about.
    pub fn misfit(&self, group: &str, message: &str) -> ExperimentError {
        let mut quoted = message.split('`').skip(1).step_by(2);
        let name = quoted.next().unwrap_or_default();
        let about = self.settings.iter().find(|(path, setting)| {
            path.starts_with(group)
                && (path.rsplit('.').next() == Some(name)
                    || setting.value.as_str().is_some_and(|text| text == name || message.contains(text)))
        });
        let place = about.map_or(self.set, |(_, setting)| &setting.place);
        let problem = if group.is_empty() { message.to_owned() } else { format!("{group}: {message}") };
        let error = ExperimentError::at(place, problem);
        if message.starts_with("unknown") { error.meant(name, quoted) } else { error }
    }
}

/// A whole number as TOML has it.
fn whole(x: f64) -> Value {
    Value::Integer(libm::round(x) as i64)
}

/// The sizes that [`SHAPED`] names, as far as the architecture has them in its columns.
fn sizes(shape: &ModelShape) -> Vec<(&'static str, u32)> {
    let ShapeColumns { n_layer, d_model, d_ff, d_attn, n_head, .. } = ShapeColumns::from(*shape);
    let sizes = [Some(n_layer), Some(d_model), d_ff, d_attn, n_head];
    SHAPED.into_iter().zip(sizes).filter_map(|(name, size)| Some((name, size?))).collect()
}

/// Puts a value at a dotted path.
pub(crate) fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let below = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(below) = below {
                insert(below, rest, value);
            }
        }
    }
}

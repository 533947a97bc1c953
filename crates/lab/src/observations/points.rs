//! The points that a law is fitted to, and how a table was read for them.

use super::checkpoints::{self, Checkpoints};
use super::plausible::{self, Doubt};
use super::source::{Assigned, Source};
use super::status::LeftOut;
use super::sweeps::{self, BestOf, Copies, Places, Swept};
use super::{Observations, Selected, no_column, response_symbol};
use crate::error::LabError;
use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_fit::{Dataset, Law, Response, Space};
use scalelaw_table::{Column, Counts, LossUnit, Need, Problem, Role, Table, counts, loss_unit};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Swept settings that are told one by one.
const MOST_SWEPT: usize = 5;

/// What the points are wanted for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The law.
    pub law: &'a dyn Law,
    /// Where its residuals are taken: of a logarithm, the response must be above 0.
    pub space: Space,
    /// Variables that are read beside the law's own.
    pub beside: &'a [&'a str],
}

impl<'a> Wanted<'a> {
    /// For `law`, by the logarithm of its response.
    pub fn law(law: &'a dyn Law) -> Self {
        Self { law, space: Space::Log, beside: &[] }
    }
}

/// How a table was read for a law.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The table.
    pub table: String,
    /// Rows of runs that did not come to their end.
    pub left_out: LeftOut,
    /// What a filter kept.
    pub selected: Option<Selected>,
    /// The response, the law's variables in its order, and the weight if there is one.
    pub assigned: Vec<Assigned>,
    /// Other columns that could have been the loss.
    pub passed_over: Vec<String>,
    /// Other columns that could have been N.
    pub other_sizes: Vec<String>,
    /// Settings that differ among runs alike in every variable of the law.
    pub swept: Vec<Swept>,
    /// What was chosen of them, if that was asked for.
    pub best_of: Option<BestOf>,
    /// Rows that look like checkpoints of runs that no column names.
    pub checkpoints: Option<Checkpoints>,
    /// Rows that are copies of others.
    pub copies: Option<Copies>,
    /// What is doubtful about the numbers.
    pub doubts: Vec<Doubt>,
    /// The column by which runs that share a trunk are resampled together.
    pub trunk: Option<String>,
    /// What N, C and D count. `None` when the law has an N whose column's name does not say it.
    pub conventions: Option<Conventions>,
    /// Rows used.
    pub n_points: usize,
    /// Cells that could not be used; their rows are left out.
    pub problems: Vec<Problem>,
}

impl Reading {
    /// What makes a number fitted to these points doubtful: a stable name, and the words.
    pub fn doubtful(&self) -> Vec<(&'static str, String)> {
        let mut doubtful: Vec<(&str, String)> =
            self.doubts.iter().map(|d| (d.code(), d.to_string())).collect();
        let (told, more) = self.swept.split_at(self.swept.len().min(MOST_SWEPT));
        doubtful.extend(told.iter().map(|swept| ("swept", swept.to_string())));
        if !more.is_empty() {
            let more: Vec<&str> = more.iter().map(|swept| swept.column.as_str()).collect();
            doubtful.push((
                "swept",
                format!("the same is true of {} more columns: {}", more.len(), more.join(", ")),
            ));
        }
        doubtful.extend(self.best_of.iter().map(|best| ("best_of", best.to_string())));
        doubtful.extend(self.checkpoints.iter().map(|found| ("checkpoints", found.to_string())));
        doubtful.extend(self.copies.iter().map(|found| ("copies", found.to_string())));
        doubtful
    }
}

/// The points for one law.
#[derive(Clone, Debug)]
pub struct Points {
    /// The points.
    pub dataset: Dataset,
    /// The rows that they come from.
    pub table: Table,
    /// How they were read.
    pub reading: Reading,
}

impl Points {
    /// The values of one of the law's variables.
    ///
    /// # Errors
    /// The law has no such variable.
    pub fn variable(&self, symbol: &str) -> Result<&[f64], LabError> {
        self.dataset.column(symbol).ok_or_else(|| no_column(&self.table, symbol, None))
    }
}

impl Observations {
    /// The points for a law: rows whose every used cell is a positive number, but for a response that is fitted
    /// itself and not by its logarithm.
    ///
    /// # Errors
    /// A variable has no column, an assigned name is not used, or no row is usable.
    pub fn points(&self, wanted: &Wanted<'_>) -> Result<Points, LabError> {
        let law = wanted.law;
        let response = self.response(law)?;
        let variable = |variable: &Cow<'static, str>| {
            let source = self.source(variable).or_else(|| self.empty_source(variable));
            let source = source.ok_or_else(|| no_column(&self.table, variable, Some(law.name())))?;
            Ok(Assigned { variable: variable.to_string(), source })
        };
        let variables = law.variables().iter().map(variable).collect::<Result<Vec<_>, LabError>>()?;
        let weight = self
            .map
            .get("weight")
            .map(|source| Assigned { variable: "weight".into(), source: source.clone() });
        let assigned: Vec<Assigned> =
            std::iter::once(&response).chain(&variables).chain(&weight).cloned().collect();
        self.check_used(wanted, &assigned)?;
        let values =
            assigned.iter().map(|a| a.source.values(&self.table)).collect::<Result<Vec<_>, LabError>>()?;
        let needs: Vec<Need<'_>> = assigned
            .iter()
            .zip(&values)
            .enumerate()
            .map(|(i, (a, values))| Need {
                columns: a.source.columns(),
                values,
                positive: i > 0 || wanted.space == Space::Log,
            })
            .collect();
        let (mut keep, problems) = self.table.sift(&needs)?;
        let (mut table, mut dataset) = self.at(&keep, &assigned, &values);
        let mut doubts = plausible::doubts(law, &assigned, &dataset, &table)?;
        let used: Vec<&str> = assigned.iter().flat_map(|a| a.source.columns()).collect();
        let mut best_of = None;
        if !self.best_of.is_empty() {
            let loss = match law.response() {
                Response::Loss | Response::Column => response.source.clone(),
                _ => self.direct("loss").ok_or_else(|| self.missing("loss"))?,
            };
            self.check_best_of(&loss)?;
            let (column, mut loss) = (loss.columns().join(", "), loss.values(&table)?);
            let places = Places::of(&table, &dataset, &used);
            let cells = places.cells(&self.best_of)?;
            // A response that is fitted itself may be below 0.
            let is_response = matches!(law.response(), Response::Loss | Response::Column);
            if wanted.space == Space::Log || !is_response {
                let low = plausible::too_low(&cells, &loss);
                let rows: Vec<(u64, f64)> = low.iter().map(|i| (table.row(*i), loss[*i])).collect();
                low.iter().for_each(|i| loss[*i] = f64::NAN);
                doubts.extend((!rows.is_empty()).then_some(Doubt::LowLoss { column, rows }));
            }
            let (best, chosen) = places.best_of(&self.best_of, &cells, &loss)?;
            keep = best.iter().map(|i| keep[*i]).collect();
            (table, dataset) = self.at(&keep, &assigned, &values);
            best_of = Some(chosen);
        }
        let places = Places::of(&table, &dataset, &used);
        let swept = places.swept();
        self.check_swept(law, &response, &dataset, &swept)?;
        dataset = dataset.repeated(places.repeats());
        let trunk = self.column_for("trunk").filter(|_| self.column_for("run").is_some());
        let (mut checkpoints, mut copies) = (None, None);
        if let Some((originals, found)) = places.copies() {
            dataset = dataset.grouped(originals);
            copies = Some(found);
        } else if let Some(groups) = self.groups(&table, trunk.as_deref())? {
            dataset = dataset.grouped(groups);
        } else if let Some((runs, found)) = checkpoints::runs(&dataset) {
            dataset = dataset.grouped(runs);
            checkpoints = Some(found);
        }
        dataset.digest = Some(table.digest.clone());
        dataset.conventions = self.conventions(&variables)?;
        dataset.unit = self.unit(law, &response);
        let reading = Reading {
            table: table.source.clone(),
            left_out: self.left_out.clone(),
            selected: self.selected.clone(),
            passed_over: self.passed_over(Role::Loss, &response),
            other_sizes: variables
                .iter()
                .filter(|assigned| assigned.variable == "N")
                .flat_map(|assigned| self.passed_over(Role::N, assigned))
                .collect(),
            swept,
            best_of,
            checkpoints,
            copies,
            doubts,
            trunk,
            conventions: dataset.conventions,
            n_points: dataset.len(),
            assigned,
            problems,
        };
        Ok(Points { dataset, table, reading })
    }

    /// The rows at these indices, and their points.
    fn at(&self, keep: &[usize], assigned: &[Assigned], values: &[Vec<f64>]) -> (Table, Dataset) {
        let table =
            if keep.len() == self.table.len() { self.table.clone() } else { self.table.rows_at(keep) };
        let mut kept = values.iter().map(|values| keep.iter().map(|i| values[*i]).collect::<Vec<f64>>());
        let mut dataset = Dataset::new(kept.next().unwrap_or_default());
        for (assigned, values) in assigned[1..].iter().zip(kept) {
            dataset = match assigned.variable.as_str() {
                "weight" => dataset.weighted(values),
                variable => dataset.with(variable, values),
            };
        }
        (table, dataset)
    }

    /// Refuses runs that no one law describes: of several recipes, or of a setting's every value where a law is of the
    /// best. A column that the filter names is the user's to judge, and so are the names of a user's own law.
    fn check_swept(
        &self,
        law: &dyn Law,
        response: &Assigned,
        dataset: &Dataset,
        swept: &[Swept],
    ) -> Result<(), LabError> {
        let table = || self.table.source.clone();
        let judged = |swept: &&Swept| self.judged.contains(&swept.column);
        let recipe = swept.iter().find(|swept| swept.parts_recipes && !judged(swept));
        // Curves are compared along their steps, recipes and all.
        let of_one = law.name() != "expression" && law.variables().iter().all(|v| v != "S");
        if let Some(recipe) = recipe.filter(|_| of_one) {
            return Err(LabError::Recipes { table: table(), swept: Box::new(recipe.clone()) });
        }
        if law.response() == Response::HyperParameter && self.direct("loss").is_some() {
            let most = sweeps::most_values(dataset);
            if most > 1 {
                let numbers = swept.iter().filter(|swept| swept.words.is_empty()).map(|s| s.column.as_str());
                let mut settings: Vec<String> = Vec::new();
                for column in response.source.columns().into_iter().chain(numbers) {
                    if !settings.iter().any(|known| known == column) {
                        settings.push(column.to_string());
                    }
                }
                return Err(LabError::NotTheBest { table: table(), law: law.name().into(), most, settings });
            }
        }
        Ok(())
    }

    /// Refuses to choose the values of a column by that column itself.
    fn check_best_of(&self, loss: &Source) -> Result<(), LabError> {
        let read = loss.columns();
        let Some(column) = self.best_of.iter().find(|column| read.contains(&column.as_str())) else {
            return Ok(());
        };
        Err(LabError::BestByItself { table: self.table.source.clone(), column: column.clone() })
    }

    fn response(&self, law: &dyn Law) -> Result<Assigned, LabError> {
        let symbol = response_symbol(law);
        let loss = self.map.get("loss").filter(|_| symbol == "loss");
        let source = loss.or_else(|| self.map.get("response")).cloned();
        let source = source.or_else(|| self.direct(symbol)).or_else(|| self.empty_source(symbol));
        let source = source.ok_or_else(|| no_column(&self.table, symbol, Some(law.name())))?;
        let variable = if law.response() == Response::Loss { "loss" } else { "response" };
        Ok(Assigned { variable: variable.into(), source })
    }

    /// The other columns that hold something and could have been the loss or N, where the user did not choose; our own run
    /// tables say by their names what each is.
    fn passed_over(&self, role: Role, assigned: &Assigned) -> Vec<String> {
        let chosen = |symbol: &str| self.map.contains_key(symbol);
        let of_loss = role == Role::Loss;
        let read = assigned.variable == role.symbol() && matches!(assigned.source, Source::Column { .. });
        if !read || chosen(role.symbol()) || (of_loss && chosen("response")) || self.table.is_run_table() {
            return vec![];
        }
        let used = assigned.source.columns();
        let copies =
            |c: &Column| used.iter().any(|name| self.table.column(name).is_ok_and(|own| c.equals(own)));
        // A count is of numbers.
        let holds = |c: &Column| c.filled() > 0 && (of_loss || c.numbers().is_some());
        let others = self.table.candidates(role).into_iter().filter(|c| holds(c) && !copies(c));
        others.map(|c| c.name.clone()).filter(|name| !used.contains(&name.as_str())).collect()
    }

    /// Refuses names that are assigned and not used, and columns that share their header with another.
    fn check_used(&self, wanted: &Wanted<'_>, assigned: &[Assigned]) -> Result<(), LabError> {
        let law = wanted.law;
        let mut used: Vec<&str> = law.variables().iter().map(AsRef::as_ref).collect();
        used.push(response_symbol(law));
        used.extend(["loss", "response", "run", "trunk", "weight", "seed"]);
        used.extend(wanted.beside);
        if !self.best_of.is_empty() {
            used.extend(["lr", "B"]);
        }
        for assigned in assigned {
            if let Source::Derived { rule, .. } = &assigned.source {
                used.extend(rule.inputs);
            }
        }
        let mut seen = BTreeSet::new();
        used.retain(|name| seen.insert(*name));
        self.check_assigned(law.name(), &used)?;
        let chosen = |column: &str| self.map.values().any(|source| source.columns().contains(&column));
        let twin = |column: &str| {
            let twin = self.table.twin(column).filter(|_| !chosen(column))?;
            Some(LabError::Twins {
                table: self.table.source.clone(),
                column: column.into(),
                twin: twin.name.clone(),
            })
        };
        assigned.iter().flat_map(|a| a.source.columns()).find_map(twin).map_or(Ok(()), Err)
    }

    /// What the response is measured in, where its column's name or the user's expression says something else than nats
    /// per token.
    fn unit(&self, law: &dyn Law, response: &Assigned) -> Option<String> {
        if !matches!(law.response(), Response::Loss | Response::Column) {
            return None;
        }
        match &response.source {
            Source::Column { name, .. } => loss_unit(name).map(|unit| unit.to_string()).or_else(|| {
                let is_loss = self.table.candidates(Role::Loss).iter().any(|column| column.name == *name);
                (!is_loss).then(|| format!("units of {name}"))
            }),
            Source::Computed { expression, columns } => {
                let of_perplexity = columns.iter().any(|c| loss_unit(c) == Some(LossUnit::Perplexity));
                let is_loss = of_perplexity && expression.trim_start().starts_with("ln");
                (!is_loss).then(|| format!("units of {expression}"))
            }
            Source::Derived { .. } => None,
        }
    }

    /// Rows of one run have one number, and so have the runs that branched from one trunk.
    fn groups(&self, table: &Table, trunk: Option<&str>) -> Result<Option<Vec<u32>>, LabError> {
        let Some(run) = self.column_for("run") else { return Ok(None) };
        let runs = table.column(&run)?;
        let Some(trunk) = trunk else { return Ok(Some(runs.groups())) };
        let trunks = table.column(trunk)?;
        let mut index = BTreeMap::new();
        let group = |i: usize| {
            // A run without a trunk is its own.
            let name = Some(trunks.text(i)).filter(|trunk| !trunk.is_empty()).unwrap_or_else(|| runs.text(i));
            let next = index.len() as u32;
            *index.entry(name).or_insert(next)
        };
        Ok(Some((0..table.len()).map(group).collect()))
    }

    /// What the law's variables count: what the request says of N, and what the names of their columns say.
    fn conventions(&self, variables: &[Assigned]) -> Result<Option<Conventions>, LabError> {
        let (mut params, mut flops, mut data) = (self.params, None, None);
        for assigned in variables {
            for column in assigned.source.columns() {
                match counts(column) {
                    // What is computed from a column counts something else.
                    Some(Counts::Params(said)) => match self.params {
                        Some(asked) if asked != said && matches!(assigned.source, Source::Column { .. }) => {
                            let (table, column) = (self.table.source.clone(), column.to_string());
                            return Err(LabError::OtherConvention { table, column, said, asked });
                        }
                        _ => params = params.or(Some(said)),
                    },
                    Some(Counts::Flops(said)) => flops = Some(said),
                    // The distinct tokens are a variable of their own beside the tokens processed.
                    Some(Counts::Data(said)) if assigned.variable != "U" => data = Some(said),
                    Some(Counts::Data(_)) | None => {}
                }
            }
        }
        let of_n = |assigned: &Assigned| match &assigned.source {
            Source::Derived { rule, .. } => rule.inputs.contains(&"N"),
            Source::Column { .. } | Source::Computed { .. } => assigned.variable == "N",
        };
        if params.is_none() && variables.iter().any(of_n) {
            return Ok(None);
        }
        Ok(Some(Conventions {
            params: params.unwrap_or(ParamConvention::NonEmbedding),
            flops: flops.unwrap_or(FlopConvention::SixN),
            data: data.unwrap_or(DataConvention::Processed),
        }))
    }
}

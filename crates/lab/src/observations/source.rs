//! Where the values of a law's variables come from.

use crate::error::LabError;
use scalelaw_table::{Table, Unit};

/// A variable that can be computed from others.
#[derive(Debug)]
pub struct Rule {
    /// The variable.
    pub variable: &'static str,
    /// How it is computed, e.g. `D = C/(6N)`.
    pub equation: &'static str,
    /// The variables it is computed from.
    pub inputs: [&'static str; 2],
    pub(crate) value: fn(f64, f64) -> f64,
}

/// Variables that have no column of their own in many tables.
pub(crate) const RULES: [Rule; 5] = [
    Rule { variable: "D", equation: "D = C/(6N)", inputs: ["C", "N"], value: |c, n| c / (6.0 * n) },
    Rule { variable: "C", equation: "C = 6ND", inputs: ["N", "D"], value: |n, d| 6.0 * n * d },
    Rule { variable: "N", equation: "N = C/(6D)", inputs: ["C", "D"], value: |c, d| c / (6.0 * d) },
    Rule { variable: "M", equation: "M = D/N", inputs: ["D", "N"], value: |d, n| d / n },
    Rule { variable: "S", equation: "S = D/B", inputs: ["D", "B"], value: |d, b| d / b },
];

/// Where the values of a variable come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A column of the table, in the unit that its name states.
    Column {
        /// The column.
        name: String,
        /// Its unit.
        unit: Unit,
    },
    /// An expression over columns as they are, such as `1e6*params`.
    Computed {
        /// The expression.
        expression: String,
        /// The columns it names.
        columns: Vec<String>,
    },
    /// Two other sources, by a rule.
    Derived {
        /// The rule.
        rule: &'static Rule,
        /// Sources of the rule's inputs, in their order.
        inputs: Box<[Self; 2]>,
    },
}

impl Source {
    /// The column called `name`, its numbers taken as they are.
    pub(super) fn column(name: &str) -> Self {
        Self::Column { name: name.to_string(), unit: Unit::One }
    }

    /// The columns that are read.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Column { name, .. } => vec![name],
            Self::Computed { columns, .. } => columns.iter().map(String::as_str).collect(),
            Self::Derived { inputs, .. } => inputs.iter().flat_map(Self::columns).collect(),
        }
    }

    /// A value for each row of `table`; NaN where a cell has none.
    pub(crate) fn values(&self, table: &Table) -> Result<Vec<f64>, LabError> {
        Ok(match self {
            Self::Column { name, unit } => table.numbers(name)?.iter().map(|x| unit.value(*x)).collect(),
            Self::Computed { expression, .. } => table.computed(expression)?,
            Self::Derived { rule, inputs } => {
                let [a, b] = inputs.as_ref();
                a.values(table)?.iter().zip(b.values(table)?).map(|(a, b)| (rule.value)(*a, b)).collect()
            }
        })
    }
}

/// A variable and where its values come from.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The law's variable, `loss`, `response` or `weight`.
    pub variable: String,
    /// Its column, or those it is computed from.
    pub source: Source,
}

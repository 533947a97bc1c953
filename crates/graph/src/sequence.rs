//! One sequence on its way through a plan in f64: the memory of the [reference](crate::reference).

use crate::ops::DropoutKey;
use crate::tensor::{Parameter, Value};

/// The values of one sequence, their gradients, and the parameters they were computed from.
///
/// # Shapes
/// Values and their gradients `[n_ctx, width]` without padding, parameters `[rows, columns]`.
#[derive(Debug)]
pub struct Sequence<'a> {
    /// Input tokens, `[n_ctx]`.
    pub inputs: &'a [u32],
    /// The token after each of them.
    pub targets: &'a [u32],
    /// Number of the sequence in its batch.
    pub number: usize,
    /// Key of dropout's masks; `None` drops nothing.
    pub dropout: Option<DropoutKey>,
    pub(crate) parameters: &'a [f64],
    pub(crate) values: Vec<Vec<f64>>,
    /// Gradient of every value.
    pub(crate) d_values: Vec<Vec<f64>>,
    /// Gradient of the parameters.
    pub(crate) d_parameters: &'a mut [f64],
}

impl Sequence<'_> {
    /// Positions of the sequence.
    pub fn n_ctx(&self) -> usize {
        self.inputs.len()
    }

    /// The numbers of a value.
    pub fn value(&self, value: Value) -> &[f64] {
        &self.values[value.id]
    }

    /// The numbers of a parameter.
    pub fn parameter(&self, parameter: Parameter) -> &[f64] {
        &self.parameters[parameter.range()]
    }

    /// Adds to the gradient of a value.
    pub fn add_gradient(&mut self, value: Value, d: &[f64]) {
        add(&mut self.d_values[value.id], d);
    }

    /// Adds to the gradient of a parameter.
    pub fn add_parameter_gradient(&mut self, parameter: Parameter, d: &[f64]) {
        add(&mut self.d_parameters[parameter.range()], d);
    }
}

fn add(sum: &mut [f64], d: &[f64]) {
    assert_eq!(sum.len(), d.len(), "a gradient has the shape of what it is the gradient of");
    sum.iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
}

//! Embedding: the row of each input token, plus the row of its position if there is a table of positions.

use super::{Cost, Op};
use crate::sequence::Sequence;
use crate::tensor::{Parameter, Value};

/// out\[t\] = tokens\[input t\] + positions\[t\].
#[derive(Clone, Copy, Debug)]
pub struct Embed {
    /// `[n_vocab, width]`.
    pub tokens: Parameter,
    /// `[n_ctx, width]`.
    pub positions: Option<Parameter>,
}

impl Op for Embed {
    fn inputs(&self) -> Vec<Value> {
        vec![]
    }

    fn width(&self, n_ctx: usize) -> usize {
        if let Some(positions) = self.positions {
            assert_eq!(
                (positions.rows, positions.columns),
                (n_ctx, self.tokens.columns),
                "positions do not fit"
            );
        }
        self.tokens.columns
    }

    fn cost(&self, _: usize) -> Cost {
        Cost::default()
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let (tokens, width) = (at.parameter(self.tokens), self.tokens.columns);
        let mut out: Vec<f64> =
            at.inputs.iter().flat_map(|&id| &tokens[id as usize * width..][..width]).copied().collect();
        if let Some(positions) = self.positions {
            out.iter_mut().zip(at.parameter(positions)).for_each(|(out, position)| *out += position);
        }
        out
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let width = self.tokens.columns;
        let mut d_tokens = vec![0.0; self.tokens.len()];
        for (&id, d) in at.inputs.iter().zip(d_out.chunks(width)) {
            d_tokens[id as usize * width..].iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
        }
        at.add_parameter_gradient(self.tokens, &d_tokens);
        if let Some(positions) = self.positions {
            at.add_parameter_gradient(positions, d_out);
        }
    }
}

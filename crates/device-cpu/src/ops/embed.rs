//! Embedding: token row, plus position row if there is a table of positions.

use super::Lowered;
use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Slot, Sum, Weights};
use crate::layout::row_stride;
use crate::lowering::{Input, Lowering};
use scalelaw_graph::{Parameter, Value, ops};

#[derive(Debug)]
struct Embed {
    tokens: Parameter,
    positions: Option<Parameter>,
    out: Slot,
}

pub(super) fn lower(op: ops::Embed, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let ops::Embed { tokens, positions } = op;
    for table in std::iter::once(tokens).chain(positions) {
        assert_eq!(to.sum(table.range()), Sum::First(table.range()), "embedding comes first");
    }
    assert!(
        positions.is_none_or(|positions| tokens.start < positions.start),
        "the tokens' table comes first"
    );
    (Box::new(Embed { tokens, positions, out: to.output(out) }), Input::None)
}

impl Kernel for Embed {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let table = &pass.parameters[self.tokens.range()];
        let places = self.positions.map_or(&[][..], |positions| &pass.parameters[positions.range()]);
        let inputs = &arena.inputs[..pass.rows];
        let out = &mut arena.buffers[pass.at(self.out)];
        forward(inputs, pass.n_ctx, self.tokens.columns, table, places, out);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        // Two tables of one gradient; the tokens' comes first.
        let tokens = self.tokens.range();
        let places = self.positions.map_or(tokens.end..tokens.end, |positions| positions.range());
        let (first, second) = arena.sums.total.split_at_mut(places.start);
        backward(
            pass.isa,
            &arena.inputs[..pass.rows],
            pass.n_ctx,
            self.tokens.columns,
            &arena.buffers[pass.at(d.out())],
            &mut first[tokens],
            &mut second[..places.len()],
        );
    }
}

/// `out[r] = tokens[id[r]] + positions[r mod n_ctx]` for every row r.
///
/// # Shapes
/// tokens `[n_vocab, width]`, positions `[n_ctx, width]` or empty, out `[rows, width]` at [`row_stride`].
pub fn forward(ids: &[u32], n_ctx: usize, width: usize, tokens: &[f32], positions: &[f32], out: &mut [f32]) {
    let stride = row_stride(width);
    for (r, (&id, out)) in ids.iter().zip(out.chunks_mut(stride)).enumerate() {
        let token = &tokens[id as usize * width..][..width];
        out[..width].copy_from_slice(token);
        if !positions.is_empty() {
            let position = &positions[r % n_ctx * width..][..width];
            out[..width].iter_mut().zip(position).for_each(|(out, position)| *out += position);
        }
    }
}

for_each_isa! {
    /// Adds every row of `d_out` to its token's and its position's gradient, in the order of the rows.
    pub fn backward(
        ids: &[u32],
        n_ctx: usize,
        width: usize,
        d_out: &[f32],
        d_tokens: &mut [f32],
        d_positions: &mut [f32],
    ) {
        let stride = row_stride(width);
        for (r, (&id, d)) in ids.iter().zip(d_out.chunks(stride)).enumerate() {
            let token = &mut d_tokens[id as usize * width..][..width];
            token.iter_mut().zip(&d[..width]).for_each(|(token, d)| *token += d);
            if !d_positions.is_empty() {
                let position = &mut d_positions[r % n_ctx * width..][..width];
                position.iter_mut().zip(&d[..width]).for_each(|(position, d)| *position += d);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn embedding_adds_rows_and_its_gradient_counts_every_use_of_a_token() {
        let (n_ctx, width) = (3, 5);
        let ids = [2, 0, 2, 1, 2, 2];
        let (tokens, positions) = (numbers(4 * width, 1), numbers(n_ctx * width, 2));
        let d_out = numbers(ids.len() * width, 3);
        let reference = |tokens: &[f64], positions: &[f64]| -> Vec<f64> {
            let at =
                |r: usize, i: usize| tokens[ids[r] as usize * width + i] + positions[r % n_ctx * width + i];
            (0..ids.len() * width).map(|e| at(e / width, e % width)).collect()
        };
        let got = on_every_isa(|isa| {
            let mut out = rows(width, &d_out);
            forward(&ids, n_ctx, width, &narrow(&tokens), &narrow(&positions), &mut out);
            let (mut d_tokens, mut d_positions) = (vec![0.0; tokens.len()], vec![0.0; positions.len()]);
            backward(isa, &ids, n_ctx, width, &rows(width, &d_out), &mut d_tokens, &mut d_positions);
            let (mut alone, mut d_alone) = (rows(width, &d_out), vec![0.0; tokens.len()]);
            forward(&ids, n_ctx, width, &narrow(&tokens), &[], &mut alone);
            backward(isa, &ids, n_ctx, width, &rows(width, &d_out), &mut d_alone, &mut []);
            assert_eq!(d_alone, d_tokens);
            vec![unpad(width, &out, ids.len()), d_tokens, d_positions, unpad(width, &alone, ids.len())]
        });
        assert_close(&got[0], &reference(&tokens, &positions), 1e-7);
        assert_close(&got[3], &reference(&tokens, &vec![0.0; positions.len()]), 1e-7);
        assert_close(&got[1], &slopes(&tokens, |t| dot(&reference(t, &positions), &d_out)), 1e-6);
        assert_close(&got[2], &slopes(&positions, |p| dot(&reference(&tokens, p), &d_out)), 1e-6);
    }
}

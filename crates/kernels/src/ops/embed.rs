//! Embedding: token row plus position row.

use super::{Cost, row_stride};
use crate::isa::for_each_isa;

/// `out[r] = tokens[id[r]] + positions[r mod n_ctx]` for every row r.
///
/// # Shapes
/// tokens `[n_vocab, width]`, positions `[n_ctx, width]`, out `[rows, width]` at [`row_stride`].
pub fn forward(ids: &[u32], n_ctx: usize, width: usize, tokens: &[f32], positions: &[f32], out: &mut [f32]) {
    let stride = row_stride(width);
    for (r, (&id, out)) in ids.iter().zip(out.chunks_mut(stride)).enumerate() {
        let token = &tokens[id as usize * width..][..width];
        let position = &positions[r % n_ctx * width..][..width];
        for ((out, token), position) in out[..width].iter_mut().zip(token).zip(position) {
            *out = token + position;
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
            let position = &mut d_positions[r % n_ctx * width..][..width];
            for ((d, token), position) in d[..width].iter().zip(token).zip(position) {
                *token += d;
                *position += d;
            }
        }
    }
}

/// Cost a sequence.
pub fn cost(n_ctx: usize, width: usize) -> Cost {
    Cost { bytes: (4 * n_ctx * width * (3 + 5)) as f64, ..Cost::default() }
}

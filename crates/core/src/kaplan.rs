//! The shapes that Kaplan et al. 2020 name.

use crate::shape::{Head, ModelShape};

/// A shape of the paper; d_attn = d_model and d_ff = 4·d_model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedShape {
    /// The name in experiments.
    pub name: &'static str,
    /// Blocks.
    pub n_layer: u32,
    /// Width.
    pub d_model: u32,
}

const fn shape(name: &'static str, n_layer: u32, d_model: u32) -> NamedShape {
    NamedShape { name, n_layer, d_model }
}

/// Every shape that the paper names: by N up to GPT-2's largest, then its widest and its deepest.
///
/// # Source
/// Kaplan et al. 2020: the labels of the L(N, D) curves, whose N these shapes match exactly, and the pairs
/// (n_layer, d_model) in text and figures.
pub const KAPLAN: [NamedShape; 10] = [
    shape("kaplan-768", 1, 8),
    shape("kaplan-393k", 2, 128),
    shape("kaplan-3m", 4, 256),
    shape("kaplan-25m", 8, 512),
    shape("kaplan-85m", 12, 768),
    shape("kaplan-302m", 24, 1024),
    shape("kaplan-708m", 36, 1280),
    shape("kaplan-1.5b", 48, 1600),
    shape("kaplan-6x4288", 6, 4288),
    shape("kaplan-207x768", 207, 768),
];

/// The shapes of a name: one, or for `kaplan` all; none for any other name.
pub fn named(name: &str) -> &'static [NamedShape] {
    if name == "kaplan" {
        return &KAPLAN;
    }
    KAPLAN.iter().position(|shape| shape.name == name).map_or(&[], |i| &KAPLAN[i..=i])
}

impl NamedShape {
    /// The model with the paper's context and vocabulary and a tied head. Heads are 64 wide where that divides the width, as
    /// in GPT-2; the paper does not state their number, and its counts do not depend on it.
    pub fn of_the_paper(self) -> ModelShape {
        let n_head = if self.d_model.is_multiple_of(64) { self.d_model / 64 } else { 1 };
        ModelShape::standard(self.n_layer, self.d_model, n_head, 1024, 50_257, Head::Tied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{FlopConvention, ParamConvention};

    #[test]
    fn named_shapes_have_the_counts_of_table_1() {
        // N as the paper labels it, in full where it does.
        let n = [
            768,
            393_216,
            3_145_728,
            25_165_824,
            84_934_656,
            301_989_888,
            707_788_800,
            1_474_560_000,
            1_323_859_968,
            1_465_122_816,
        ];
        for (named, n) in KAPLAN.into_iter().zip(n) {
            let shape = named.of_the_paper();
            assert_eq!(shape.validate(), Ok(()));
            let blocks = shape.transformer().unwrap();
            let [l, d, ff, attn, ctx, v] =
                [shape.n_layer, shape.d_model, blocks.d_ff, blocks.d_attn, shape.n_ctx, shape.n_vocab]
                    .map(u64::from);
            // The rows of Table 1, one by one: parameters, and FLOPs of a forward pass per token.
            let (embed, qkv, project, feed_forward) =
                ((v + ctx) * d, l * d * 3 * attn, l * attn * d, l * 2 * d * ff);
            assert_eq!(shape.n_params(ParamConvention::NonEmbedding), n, "{}", named.name);
            assert_eq!(qkv + project + feed_forward, n);
            // Biases and norms, which the table leaves out, are all that is missing from the total.
            let vectors = shape.n_params(ParamConvention::Total) - n - embed;
            assert_eq!(vectors, l * (3 * attn + d + ff + d + 4 * d) + 2 * d);
            let mask = (2 * l * ctx * attn) as f64;
            let flops = |convention| shape.forward_flops_per_token(convention);
            assert_eq!(flops(FlopConvention::SixN), 2.0 * n as f64);
            assert_eq!(flops(FlopConvention::Full) - flops(FlopConvention::Matmul), mask);
            assert_eq!(flops(FlopConvention::Full), 2.0 * n as f64 + mask + (2 * d * v) as f64);
        }
    }

    #[test]
    fn name_stands_for_one_shape_or_all_of_them() {
        assert_eq!(named("kaplan").len(), 10);
        assert_eq!(named("kaplan-85m"), [shape("kaplan-85m", 12, 768)]);
        assert!(named("kaplan-86m").is_empty());
    }
}

//! The shape that has N parameters, given what is held.

use scalelaw_core::units::ParamConvention;
use scalelaw_core::{Architecture, Head, ModelShape, Transformer};

/// How far N may be off.
const WITHIN: f64 = 0.01;
/// Deepest model that is tried.
const MAX_LAYERS: u32 = 256;
/// Widest model that is tried.
const MAX_WIDTH: u32 = 1 << 15;
/// Widths and feed-forward widths are multiples of this where they can be: vectors have eight lanes.
const LANES: u32 = 8;

/// What is held and what is aimed at when a shape is looked for that has N parameters; d_attn = d_model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeRule {
    /// Blocks, or free.
    pub n_layer: Option<u32>,
    /// Width, or free.
    pub d_model: Option<u32>,
    /// Ratio d_model/n_layer aimed at, where one of the two is free.
    pub aspect: Option<f64>,
    /// Ratio d_ff/d_model aimed at; d_ff is what makes N exact.
    pub ff_ratio: f64,
    /// Width of a head; narrower models have one head.
    pub d_head: u32,
}

impl ShapeRule {
    /// The shape with N non-embedding parameters to 1% that is nearest to the ratios aimed at.
    ///
    /// `None` when there is no such shape: N is too small for what is held.
    ///
    /// # Source
    /// N = 2·d_model·n_layer·(2·d_attn + d_ff), Kaplan et al. 2020, equation 2.1.
    pub fn solve(&self, n: f64, n_ctx: u32, n_vocab: u32, head: Head) -> Option<ModelShape> {
        let depths = self.n_layer.map_or(1..=MAX_LAYERS, |l| l..=l);
        let mut best: Option<(f64, ModelShape)> = None;
        for n_layer in depths.filter(|l| *l > 0) {
            for d_model in self.widths(n, n_layer) {
                let Some((d_ff, fineness)) = fitting_d_ff(n, n_layer, d_model) else { continue };
                let off = |ratio: f64, aim: f64| libm::fabs(libm::log(ratio / aim));
                let bent = self.aspect.map_or(0.0, |a| off(f64::from(d_model) / f64::from(n_layer), a))
                    + off(f64::from(d_ff) / f64::from(d_model), self.ff_ratio)
                    + fineness;
                if best.is_none_or(|(least, _)| bent < least) {
                    let n_head = heads(d_model, self.d_head);
                    let blocks = Transformer { d_ff, ..Transformer::standard(d_model, n_head) };
                    let architecture = Architecture::Transformer(blocks);
                    best = Some((bent, ModelShape { architecture, n_layer, d_model, n_ctx, n_vocab, head }));
                }
            }
        }
        best.map(|(_, shape)| shape)
    }

    /// Widths worth trying: whole heads, or multiples of eight below one head.
    fn widths(&self, n: f64, n_layer: u32) -> impl Iterator<Item = u32> {
        let d_head = self.d_head.max(1);
        // Even without a feed-forward layer, 4·n_layer·d² may not exceed N.
        let widest = libm::sqrt(n / (4.0 * f64::from(n_layer))).min(f64::from(MAX_WIDTH)) as u32;
        let fixed = self.d_model;
        let narrow = (LANES..d_head).step_by(LANES as usize).chain(d_head..=d_head.max(widest));
        narrow
            .filter(move |d| *d <= widest && (*d < d_head || d.is_multiple_of(d_head)))
            .filter(move |d| fixed.is_none_or(|f| f == *d))
            .chain(fixed.filter(|f| *f < d_head && !f.is_multiple_of(LANES)))
    }
}

/// The d_ff that brings N within [`WITHIN`], as round a number as does it, and a small price for one that is not.
fn fitting_d_ff(n: f64, n_layer: u32, d_model: u32) -> Option<(u32, f64)> {
    let (l, d) = (f64::from(n_layer), f64::from(d_model));
    let exact = n / (2.0 * d * l) - 2.0 * d;
    [LANES, 4, 2, 1].into_iter().zip([0.0, 0.02, 0.04, 0.06]).find_map(|(multiple, price)| {
        let d_ff = libm::round(exact / f64::from(multiple)) * f64::from(multiple);
        let got = 2.0 * d * l * (2.0 * d + d_ff);
        (d_ff >= 1.0 && libm::fabs(got / n - 1.0) <= WITHIN).then_some((d_ff as u32, price))
    })
}

/// Heads of about `d_head` that divide `d_attn` evenly: as many as there are, none narrower.
pub(crate) fn heads(d_attn: u32, d_head: u32) -> u32 {
    (1..=d_attn / d_head.max(1)).rev().find(|n| d_attn.is_multiple_of(*n)).unwrap_or(1)
}

/// How far a shape's N is from the one wanted.
pub(crate) fn miss(shape: &ModelShape, n: f64) -> f64 {
    libm::fabs(shape.n_params(ParamConvention::NonEmbedding) as f64 / n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(rule: ShapeRule, n: f64) -> ModelShape {
        let shape = rule.solve(n, 64, 512, Head::Untied).unwrap();
        assert!(shape.validate().is_ok() && miss(&shape, n) <= 0.01, "{shape:?} for {n}");
        shape
    }

    const FREE: ShapeRule =
        ShapeRule { n_layer: None, d_model: None, aspect: Some(32.0), ff_ratio: 4.0, d_head: 16 };

    #[test]
    fn solver_gives_the_standard_shape_where_it_has_exactly_n() {
        let shape = solve(FREE, 98_304.0);
        assert_eq!(shape, ModelShape::standard(2, 64, 4, 64, 512, Head::Untied));
    }

    #[test]
    fn solver_follows_the_aspect_at_fixed_n() {
        for n in [98_304.0, 3e6, 5e7] {
            let mut last = 0.0;
            for aspect in [4.0, 16.0, 64.0, 256.0] {
                let shape = solve(ShapeRule { aspect: Some(aspect), ..FREE }, n);
                let got = f64::from(shape.d_model) / f64::from(shape.n_layer);
                assert!(got > last, "aspect {aspect} at {n}: {shape:?}");
                last = got;
            }
        }
    }

    #[test]
    fn solver_follows_the_feed_forward_ratio_at_fixed_n_and_depth() {
        for ratio in [0.5, 2.0, 8.0, 20.0] {
            let rule = ShapeRule { n_layer: Some(2), aspect: None, ff_ratio: ratio, ..FREE };
            let shape = solve(rule, 98_304.0);
            let got = f64::from(shape.transformer().unwrap().d_ff) / f64::from(shape.d_model);
            assert!((0.5..2.0).contains(&(got / ratio)), "ratio {ratio}: {shape:?}");
            assert_eq!(shape.n_layer, 2);
        }
    }

    #[test]
    fn heads_divide_the_width_and_are_none_narrower_than_wanted() {
        for (width, n_head) in [(8, 1), (16, 1), (24, 1), (40, 2), (56, 2), (64, 4), (80, 5)] {
            assert_eq!(heads(width, 16), n_head, "{width}");
        }
    }

    #[test]
    fn solver_with_an_impossible_rule_finds_nothing() {
        let rule = ShapeRule { n_layer: Some(200), d_model: Some(64), ..FREE };
        assert_eq!(rule.solve(1000.0, 64, 512, Head::Tied), None);
    }
}

//! The shape that has N parameters, given what is held.

use crate::architecture::{Architecture, Transformer};
use crate::shape::{Head, ModelShape};
use crate::units::ParamConvention;

/// How far N may be off in [`ShapeRule::exact`].
const WITHIN: f64 = 0.01;
/// Deepest model that is tried.
const MAX_LAYERS: u32 = 256;
/// Widest model that [`ShapeRule::exact`] tries.
const MAX_WIDTH: u32 = 1 << 15;
/// Most heads that [`ShapeRule::standard`] tries.
const MAX_HEADS: u32 = 1 << 14;
/// Widths and feed-forward widths are multiples of this where they can be: vectors have eight lanes.
const LANES: u32 = 8;
/// The aspect hardly matters within this factor (Kaplan et al. 2020, Figure 5).
const ASPECT_SLACK: f64 = 1.5;

/// What is held and what is aimed at when a shape is looked for that has N parameters; d_attn = d_model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeRule {
    /// Blocks, or free.
    pub n_layer: Option<u32>,
    /// Width, or free.
    pub d_model: Option<u32>,
    /// Ratio d_model/n_layer aimed at, where one of the two is free.
    pub aspect: Option<f64>,
    /// Width of a head; narrower models have one head.
    pub d_head: u32,
}

/// What a shape needs beside N.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// Context in tokens.
    pub n_ctx: u32,
    /// Vocabulary.
    pub n_vocab: u32,
    /// Tied or untied head.
    pub head: Head,
}

impl ShapeRule {
    /// The shape with N non-embedding parameters to 1% that is nearest to the ratios aimed at: the rule's, and
    /// `ff_ratio` = d_ff/d_model. d_ff is what makes N exact.
    ///
    /// `None` when there is no such shape: N is too small for what is held.
    ///
    /// # Source
    /// N = 2·d_model·n_layer·(2·d_attn + d_ff), Kaplan et al. 2020, equation 2.1.
    pub fn exact(&self, n: f64, ff_ratio: f64, around: &Surroundings) -> Option<ModelShape> {
        let Surroundings { n_ctx, n_vocab, head } = *around;
        let mut best: Option<(f64, ModelShape)> = None;
        for n_layer in self.depths() {
            for d_model in self.widths_up_to(n, n_layer) {
                let Some((d_ff, fineness)) = fitting_d_ff(n, n_layer, d_model) else { continue };
                let bent = self.off_aspect(n_layer, d_model)
                    + off(f64::from(d_ff) / f64::from(d_model), ff_ratio)
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

    /// The shape with d_ff = 4·d_model whose N is closest to `n`, the aspect within a factor of 1.5 of the rule's
    /// where it can be; and how far N is off, |ln(N/n)|. `None` where nothing can be tried.
    pub fn standard(
        &self,
        n: f64,
        counted: ParamConvention,
        around: &Surroundings,
    ) -> Option<(ModelShape, f64)> {
        let widths = self.standard_widths();
        let shapes = self.depths().filter_map(|n_layer| {
            let shape = |d_model: u32| {
                let n_head = heads(d_model, self.d_head);
                ModelShape::standard(n_layer, d_model, n_head, around.n_ctx, around.n_vocab, around.head)
            };
            let miss = |d_model: u32| off(shape(d_model).n_params(counted) as f64, n);
            // Counts grow with the width: the closest is one of the two around N.
            let above = widths.partition_point(|d| (shape(*d).n_params(counted) as f64) < n);
            let around_n = &widths[above.saturating_sub(1)..(above + 1).min(widths.len())];
            let d_model = around_n.iter().copied().min_by(|a, b| miss(*a).total_cmp(&miss(*b)))?;
            let ratio = self.off_aspect(n_layer, d_model);
            let bent = 0.02 * ratio + (ratio - libm::log(ASPECT_SLACK)).max(0.0);
            Some((miss(d_model) + bent, shape(d_model), miss(d_model)))
        });
        shapes.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, shape, miss)| (shape, miss))
    }

    fn depths(&self) -> impl Iterator<Item = u32> + use<> {
        self.n_layer.map_or(1..=MAX_LAYERS, |l| l..=l).filter(|l| *l > 0)
    }

    /// |ln| of the aspect over the one aimed at; 0 where none is.
    fn off_aspect(&self, n_layer: u32, d_model: u32) -> f64 {
        self.aspect.map_or(0.0, |aspect| off(f64::from(d_model) / f64::from(n_layer), aspect))
    }

    /// Widths worth trying for N: whole heads, or multiples of eight below one head.
    fn widths_up_to(&self, n: f64, n_layer: u32) -> impl Iterator<Item = u32> {
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

    /// Widths in increasing order: multiples of eight that heads divide where they matter, whole heads in wide models.
    fn standard_widths(&self) -> Vec<u32> {
        if let Some(fixed) = self.d_model {
            return vec![fixed];
        }
        let d_head = self.d_head.max(1);
        let narrow = (1..d_head).map(|k| LANES * k).filter(|d| d.is_multiple_of((d / d_head).max(1)));
        narrow.chain((LANES..=MAX_HEADS).map(|k| k * d_head)).collect()
    }
}

/// Distance of two positive numbers: |ln(a/b)|.
fn off(a: f64, b: f64) -> f64 {
    libm::fabs(libm::log(a / b))
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
pub fn heads(d_attn: u32, d_head: u32) -> u32 {
    (1..=d_attn / d_head.max(1)).rev().find(|n| d_attn.is_multiple_of(*n)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOY: Surroundings = Surroundings { n_ctx: 64, n_vocab: 512, head: Head::Untied };

    fn exact(rule: ShapeRule, n: f64, ff_ratio: f64) -> ModelShape {
        let shape = rule.exact(n, ff_ratio, &TOY).unwrap();
        let off = shape.n_params(ParamConvention::NonEmbedding) as f64 / n - 1.0;
        assert!(shape.validate().is_ok() && off.abs() <= WITHIN, "{shape:?} for {n}");
        shape
    }

    const FREE: ShapeRule = ShapeRule { n_layer: None, d_model: None, aspect: Some(32.0), d_head: 16 };

    #[test]
    fn exact_shape_is_the_standard_one_where_that_has_exactly_n() {
        let shape = exact(FREE, 98_304.0, 4.0);
        assert_eq!(shape, ModelShape::standard(2, 64, 4, 64, 512, Head::Untied));
        assert_eq!(FREE.standard(98_304.0, ParamConvention::NonEmbedding, &TOY), Some((shape, 0.0)));
    }

    #[test]
    fn exact_shape_follows_the_aspect_at_fixed_n() {
        for n in [98_304.0, 3e6, 5e7] {
            let mut last = 0.0;
            for aspect in [4.0, 16.0, 64.0, 256.0] {
                let shape = exact(ShapeRule { aspect: Some(aspect), ..FREE }, n, 4.0);
                let got = f64::from(shape.d_model) / f64::from(shape.n_layer);
                assert!(got > last, "aspect {aspect} at {n}: {shape:?}");
                last = got;
            }
        }
    }

    #[test]
    fn exact_shape_follows_the_feed_forward_ratio_at_fixed_n_and_depth() {
        for ratio in [0.5, 2.0, 8.0, 20.0] {
            let rule = ShapeRule { n_layer: Some(2), aspect: None, ..FREE };
            let shape = exact(rule, 98_304.0, ratio);
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
    fn exact_shape_of_an_impossible_rule_is_none() {
        let rule = ShapeRule { n_layer: Some(200), d_model: Some(64), ..FREE };
        assert_eq!(rule.exact(1000.0, 4.0, &TOY), None);
    }
}

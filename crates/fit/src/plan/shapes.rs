//! The shape of a planned size: rules with names.

use super::error::{PlanError, positive};
use crate::presets::pearce2024;
use scalelaw_core::{ModelShape, ParamConvention, ShapeRule, Surroundings};

/// How depth and width grow together, under a name. d_attn = d_model and d_ff = 4·d_model always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedRule {
    /// Name on the command line.
    pub name: &'static str,
    /// Who has such shapes, or which study.
    pub used_by: Option<&'static str>,
    /// The rule.
    pub rule: ShapeRule,
}

/// Most that N may be off, as |ln|.
const MOST_OFF: f64 = 0.3;

const fn by_aspect(aspect: f64, d_head: u32) -> ShapeRule {
    ShapeRule { n_layer: None, d_model: None, aspect: Some(aspect), d_head }
}

/// Every shape rule.
pub const SHAPE_RULES: &[NamedRule] = &[
    NamedRule { name: "gpt", used_by: Some("GPT-2 small"), rule: by_aspect(64.0, 64) },
    NamedRule { name: "wide", used_by: None, rule: by_aspect(128.0, 128) },
    NamedRule {
        name: "pearce",
        used_by: Some("Pearce & Song 2024"),
        rule: by_aspect(pearce2024::ASPECT, 64),
    },
    NamedRule {
        name: "two-layer",
        used_by: Some("the quickstart's ladder"),
        rule: ShapeRule { n_layer: Some(2), d_model: None, aspect: None, d_head: 16 },
    },
];

impl NamedRule {
    /// The rule called `name`.
    ///
    /// # Errors
    /// Lists the names there are.
    pub fn by_name(name: &str) -> Result<&'static Self, PlanError> {
        SHAPE_RULES.iter().find(|r| r.name == name).ok_or_else(|| {
            let known = SHAPE_RULES.iter().map(|r| r.name).collect();
            PlanError::UnknownShapeRule { name: name.into(), known }
        })
    }

    /// One line for a list.
    pub fn title(&self) -> String {
        let ShapeRule { n_layer, d_model, aspect, d_head } = self.rule;
        let mut held = Vec::new();
        held.extend(n_layer.map(|blocks| format!("{blocks} blocks")));
        held.extend(d_model.map(|width| format!("d_model = {width}")));
        held.extend(aspect.map(|aspect| format!("d_model = {aspect} n_layer")));
        let used_by = self.used_by.map_or_else(String::new, |who| format!(" ({who})"));
        format!("{}, heads of {d_head}{used_by}", held.join(", "))
    }

    /// The shape whose N is closest to `n`, the aspect within a factor of 1.5 of the rule's where it can be.
    ///
    /// # Errors
    /// When no shape comes within 30% of N.
    pub fn shape(
        &self,
        n: f64,
        counted: ParamConvention,
        around: &Surroundings,
    ) -> Result<ModelShape, PlanError> {
        positive("N", n)?;
        match self.rule.standard(n, counted, around) {
            Some((shape, miss)) if miss < MOST_OFF => Ok(shape),
            _ => Err(PlanError::NoShape { rule: self.name, n, n_vocab: around.n_vocab, n_ctx: around.n_ctx }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_core::Head;

    const GPT2: Surroundings = Surroundings { n_ctx: 1024, n_vocab: 50_257, head: Head::Tied };

    #[test]
    fn shape_rules_hit_n_within_a_few_per_cent_over_eight_decades() {
        for rule in SHAPE_RULES {
            for exponent in [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0] {
                let n = 3.0 * libm::pow(10.0, exponent);
                if rule.name == "two-layer" && exponent > 8.0 {
                    continue;
                }
                let shape = rule.shape(n, ParamConvention::NonEmbedding, &GPT2).unwrap();
                let off = shape.n_params(ParamConvention::NonEmbedding) as f64 / n - 1.0;
                // Widths are multiples of 8: coarse where the width is 32.
                let allowed = if exponent < 5.5 { 0.2 } else { 0.05 };
                assert!(off.abs() < allowed, "{} at {n:e}: off by {off:.3}, {shape:?}", rule.name);
                shape.validate().unwrap();
            }
        }
    }

    #[test]
    fn gpt_rule_gives_gpt2_small_its_own_shape() {
        let shape = NamedRule::by_name("gpt")
            .unwrap()
            .shape(84_934_656.0, ParamConvention::NonEmbedding, &GPT2)
            .unwrap();
        assert_eq!(shape, ModelShape::standard(12, 768, 12, 1024, 50_257, Head::Tied));
    }

    #[test]
    fn titles_say_what_is_held_and_by_whom() {
        let titles: Vec<String> = SHAPE_RULES.iter().map(NamedRule::title).collect();
        assert_eq!(
            titles,
            [
                "d_model = 64 n_layer, heads of 64 (GPT-2 small)",
                "d_model = 128 n_layer, heads of 128",
                "d_model = 39.2 n_layer, heads of 64 (Pearce & Song 2024)",
                "2 blocks, heads of 16 (the quickstart's ladder)",
            ]
        );
    }

    #[test]
    fn unreachable_size_is_refused_with_the_rule() {
        let error =
            NamedRule::by_name("wide").unwrap().shape(10.0, ParamConvention::Total, &GPT2).unwrap_err();
        assert!(error.to_string().contains("wide"));
    }
}

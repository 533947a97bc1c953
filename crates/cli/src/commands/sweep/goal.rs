//! The target of `--until`, as it is written.

use scalelaw_core::number;
use scalelaw_lab::sweep::Target;
use std::str::FromStr;

/// `ci95(loss@1e20) < 0.02`: how well the loss at the optimum of so many FLOPs is to be known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal(pub Target);

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("{text:?}: expected such as 'ci95(loss@1e20) < 0.02', a width in nats per token");
        let squeezed: String = text.split_whitespace().collect();
        let inner = squeezed.strip_prefix("ci95(loss@").ok_or_else(expected)?;
        let (flops, width) = inner.split_once(")<").ok_or_else(expected)?;
        let positive = |text: &str| number::parse(text).ok().filter(|x| *x > 0.0 && x.is_finite());
        let (flops, width) = positive(flops).zip(positive(width)).ok_or_else(expected)?;
        Ok(Self(Target { flops, width }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goal_is_read_with_any_spaces_and_anything_else_is_shown_an_example() {
        let goal: Goal = " ci95( loss@1e20 ) <0.02".parse().unwrap();
        assert_eq!(goal, Goal(Target { flops: 1e20, width: 0.02 }));
        for wrong in [
            "",
            "loss@1e20 < 0.02",
            "ci95(loss@1e20)",
            "ci95(loss@x) < 1",
            "ci95(loss@1) < -1",
            "ci95(loss@1e999)<1",
        ] {
            let error = wrong.parse::<Goal>().unwrap_err();
            assert!(error.contains("ci95(loss@1e20) < 0.02"), "{error}");
        }
    }
}

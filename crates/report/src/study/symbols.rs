//! Laws and constants as markup.

use crate::number;
use scalelaw_lab::study::{Parameter, Published, PublishedConstants};

/// Of what a fitted line has its interval.
pub(crate) const INTERVAL_OF_LINE: &str = "95% confidence interval of the law's value, its form being true";
/// Of what a plan has its interval, and which law it comes from.
pub(crate) const INTERVAL_OF_PLAN: &str = "95% interval of one new run (delta method) if L(N, D) holds there, D being the \
    tokens processed, fitted to the runs on fresh text: laws/nd-processed.json";

/// A plan's budget.
pub(crate) fn budget(factor: f64) -> String {
    format!("{factor:.0} times the compute of this whole study, in one run")
}

/// Value and interval: `0.0691 (95% interval 0.0661 to 0.0722)`.
pub(crate) fn sentence(parameter: &Parameter) -> String {
    match parameter.interval {
        Some(ends) => {
            format!("{} (95% interval {})", number::within(parameter.value, ends), number::interval(ends))
        }
        None => format!("{} (no interval)", number::significant(parameter.value, 3)),
    }
}

/// A published power law with its constants: `L = (8.8×10^{13}/N)^{0.076}`.
pub(crate) fn equation(published: &Published) -> String {
    let Published { variable, scale, exponent, .. } = published;
    format!("L = ({}/{variable})^{{{exponent}}}", number::significant(*scale, 2))
}

/// Published constants and whose they are.
pub(crate) fn constants(published: &PublishedConstants) -> String {
    let constant =
        |(name, value): &(String, f64)| format!("{} {}", symbols(name), number::significant(*value, 3));
    let list: Vec<String> = published.constants.iter().map(constant).collect();
    format!("{} ({})", list.join(", "), published.source)
}

/// A share in per cent.
pub(crate) fn per_cent(share: f64) -> String {
    format!("{}%", number::significant(100.0 * share, 2))
}

/// `(N_c/N)^alpha_N` as markup: `(N_{c}/N)^{αN}`.
pub(crate) fn symbols(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut raised = false;
    while let Some(character) = rest.chars().next() {
        if character.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (base, index) = rest[..end].split_once('_').unwrap_or((&rest[..end], ""));
            let base = greek(base);
            let index = index.replace('_', " ");
            out += &match (raised, index.is_empty()) {
                (false, true) => base.to_owned(),
                (false, false) => format!("{base}_{{{index}}}"),
                (true, _) => format!("^{{{base}{index}}}"),
            };
            rest = &rest[end..];
            raised = false;
        } else if character == '^' && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            raised = true;
            rest = &rest[1..];
        } else {
            out.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    out
}

fn greek(name: &str) -> &str {
    match name {
        "alpha" => "α",
        "beta" => "β",
        "gamma" => "γ",
        "delta" => "δ",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_law_equations_become_markup() {
        assert_eq!(symbols("L(N) = (N_c/N)^alpha_N"), "L(N) = (N_{c}/N)^{αN}");
        assert_eq!(symbols("E + A/N^alpha"), "E + A/N^{α}");
        assert_eq!(symbols("alpha_C_min"), "α_{C min}");
        assert_eq!(symbols("a^(1/2)"), "a^(1/2)");
    }

    #[test]
    fn published_kaplan_is_printed_with_its_constants() {
        let published = Published::of_preset("kaplan2020-n").unwrap();
        assert_eq!(equation(&published), "L = (8.8×10^{13}/N)^{0.076}");
        assert_eq!(
            constants(&PublishedConstants::of_preset("kaplan2020-nd").unwrap()),
            "N_{c} 6.40×10^{13}, D_{c} 1.80×10^{13}, α_{N} 0.0760, α_{D} 0.103 (Kaplan et al. 2020)"
        );
    }
}

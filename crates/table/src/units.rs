//! Units that a header states beside a name: `params (M)`, `tokens_B`, `log10_N`, `total_gflops`, `val_bpb`.

use scalelaw_core::units::PF_DAY;

/// How the numbers below a header become the quantity that the header names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// They are it.
    One,
    /// They count so many each: 1e6 below `params (M)`.
    Times(f64),
    /// They are its logarithm to this base: 10 below `log10_N`.
    PowerOf(f64),
}

impl Unit {
    /// The quantity that the number `x` stands for.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::One => x,
            Self::Times(factor) => factor * x,
            Self::PowerOf(base) => libm::pow(base, x),
        }
    }
}

/// What a loss is measured in, where its column's name says something else than nats per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossUnit {
    /// Bits per byte of text.
    BitsPerByte,
    /// Bits per character.
    BitsPerCharacter,
    /// Bits per token.
    BitsPerToken,
    /// exp(loss).
    Perplexity,
}

impl std::fmt::Display for LossUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BitsPerByte => "bits per byte",
            Self::BitsPerCharacter => "bits per character",
            Self::BitsPerToken => "bits per token",
            Self::Perplexity => "perplexity",
        })
    }
}

/// The unit that the name of a column of losses states.
pub fn loss_unit(column: &str) -> Option<LossUnit> {
    let words: Vec<String> = words(column).into_iter().map(|w| w.to_lowercase()).collect();
    let has = |of: &[&str]| words.iter().any(|w| of.contains(&w.as_str()));
    if has(&["ppl", "perplexity", "perplexities"]) {
        Some(LossUnit::Perplexity)
    } else if has(&["bpb"]) || (has(&["bits", "bit"]) && has(&["byte", "bytes"])) {
        Some(LossUnit::BitsPerByte)
    } else if has(&["bpc"]) || (has(&["bits", "bit"]) && has(&["char", "character", "characters"])) {
        Some(LossUnit::BitsPerCharacter)
    } else {
        has(&["bits"]).then_some(LossUnit::BitsPerToken)
    }
}

/// What a header says: a name without case, punctuation and unit, and the unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    /// The name.
    pub name: String,
    /// The unit.
    pub unit: Unit,
    /// Whether the unit is spelled so that it can be nothing else: in parentheses, or as a word.
    pub plain: bool,
}

/// Names that pass for one letter of a unit at most when it is upper case: `D_B` is billions, `n_b` is a name.
const SHORT: usize = 1;

/// The name and the unit of a header; `None` when it states no unit.
pub(crate) fn header(column: &str) -> Option<Header> {
    if let Some(header) = in_brackets(column) {
        return Some(header);
    }
    let words = words(column);
    let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
    let joined = |words: &[String]| words.concat();
    let (first, last) = (lower.first()?.as_str(), lower.last()?.as_str());
    let base = match first {
        "log10" => Some((10.0, 1)),
        "log2" => Some((2.0, 1)),
        "ln" => Some((std::f64::consts::E, 1)),
        "log" if lower.get(1).is_some_and(|w| w == "10") => Some((10.0, 2)),
        _ => None,
    };
    if let Some((base, skip)) = base.filter(|(_, skip)| lower.len() > *skip) {
        return Some(Header { name: joined(&lower[skip..]), unit: Unit::PowerOf(base), plain: true });
    }
    if let Some((before, factor)) = pf_days(&joined(&lower)) {
        let name = if before.is_empty() { "flops".into() } else { before };
        return Some(Header { name, unit: Unit::Times(factor), plain: true });
    }
    let rate = lower.windows(2).any(|w| w[0].contains("flop") && w[1] == "s");
    if rate || lower.iter().any(|w| ["per", "sec", "second", "ps"].contains(&w.as_str())) {
        return None;
    }
    if let Some((at, factor)) = lower.iter().enumerate().find_map(|(i, w)| Some((i, flops(w)?))) {
        // `gflops`, and `C (ZFLOPs)`.
        let mut named = lower.clone();
        named[at] = "flops".into();
        let stands_alone = at == 0 || ["total", "train", "training"].contains(&lower[at - 1].as_str());
        let name = if stands_alone { joined(&named) } else { joined(&lower[..at]) };
        return Some(Header { name, unit: Unit::Times(factor), plain: true });
    }
    if let Some(factor) = scale_word(last).filter(|_| lower.len() > 1) {
        let rest = &lower[..lower.len() - 1];
        let rest = rest.strip_suffix(&["in".to_string()]).unwrap_or(rest);
        return Some(Header { name: joined(rest), unit: Unit::Times(factor), plain: true });
    }
    let letter = words.last().filter(|_| lower.len() > 1).and_then(|w| scale_letter(w));
    if let Some(factor) = letter {
        let rest = &lower[..lower.len() - 1];
        let name = joined(rest.strip_suffix(&["in".to_string()]).unwrap_or(rest));
        let upper = words.last().is_some_and(|w| w.chars().all(char::is_uppercase));
        return (upper || name.len() > SHORT).then_some(Header {
            name,
            unit: Unit::Times(factor),
            plain: false,
        });
    }
    if let Some(factor) = scale_word(first).filter(|_| lower.len() > 1) {
        let rest = &lower[1..];
        let rest = rest.strip_prefix(&["of".to_string()]).unwrap_or(rest);
        return Some(Header { name: joined(rest), unit: Unit::Times(factor), plain: true });
    }
    // `Btokens`, `MParams`.
    let rest = ["tokens", "params", "parameters"]
        .into_iter()
        .find(|of| first.len() == of.len() + 1 && first.ends_with(of));
    let letter = rest.and_then(|_| scale_letter(&words[0].chars().take(1).collect::<String>()));
    rest.zip(letter).filter(|_| lower.len() == 1).map(|(name, factor)| Header {
        name: name.into(),
        unit: Unit::Times(factor),
        plain: true,
    })
}

/// The header whose last words stand in brackets and state a unit: `D (billion tokens)`, `N [M]`.
fn in_brackets(column: &str) -> Option<Header> {
    let (name, inside) = column.trim_end().strip_suffix([')', ']'])?.split_once(['(', '['])?;
    let words_inside = words(inside);
    let factor = words_inside
        .iter()
        .find_map(|word| scale_word(&word.to_lowercase()).or_else(|| scale_letter(word)))?;
    let name = words(name).concat().to_lowercase();
    (!name.is_empty()).then_some(Header { name, unit: Unit::Times(factor), plain: true })
}

/// The words of a header: parted by punctuation and blanks, and before a capital that follows a small letter.
pub(crate) fn words(column: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in column.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.push(c);
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn scale_word(word: &str) -> Option<f64> {
    Some(match word {
        "thousand" | "thousands" | "kilo" => 1e3,
        "million" | "millions" | "mn" | "mln" | "mio" | "mega" => 1e6,
        "billion" | "billions" | "bn" | "bln" | "giga" => 1e9,
        "trillion" | "trillions" | "tn" | "tera" => 1e12,
        "1e3" | "1e6" | "1e9" | "1e12" | "1e15" | "1e18" | "1e21" => return word.parse().ok(),
        _ => return None,
    })
}

fn scale_letter(letter: &str) -> Option<f64> {
    Some(match letter {
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        "b" | "B" | "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    })
}

/// The factor of a word such as `gflops` or `exaflop`.
fn flops(word: &str) -> Option<f64> {
    let prefix = word.strip_suffix("flops").or_else(|| word.strip_suffix("flop"))?;
    Some(match prefix {
        "m" | "mega" => 1e6,
        "g" | "giga" => 1e9,
        "t" | "tera" => 1e12,
        "p" | "peta" => 1e15,
        "e" | "exa" => 1e18,
        "z" | "zetta" => 1e21,
        "y" | "yotta" => 1e24,
        _ => return None,
    })
}

/// What stands before PF-days, and FLOPs of one.
fn pf_days(joined: &str) -> Option<(String, f64)> {
    [
        "petaflopsdays",
        "petaflopsday",
        "petaflopdays",
        "petaflopday",
        "pflopsdays",
        "pflopdays",
        "pfsdays",
        "pfdays",
        "pfday",
    ]
    .into_iter()
    .find_map(|unit| joined.strip_suffix(unit))
    .map(|before| (before.strip_suffix("in").unwrap_or(before).to_string(), PF_DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_units_are_read_in_the_spellings_people_use() {
        for (column, name, factor) in [
            ("params (M)", "params", 1e6),
            ("Params [B]", "params", 1e9),
            ("tokens_B", "tokens", 1e9),
            ("tokens_b", "tokens", 1e9),
            ("N_millions", "n", 1e6),
            ("tokens in billions", "tokens", 1e9),
            ("millions_of_params", "params", 1e6),
            ("D_B", "d", 1e9),
            ("tokensB", "tokens", 1e9),
            ("Btokens", "tokens", 1e9),
            ("MParams", "params", 1e6),
            ("tokens (1e9)", "tokens", 1e9),
            ("D (billion tokens)", "d", 1e9),
            ("n_b [M]", "nb", 1e6),
            ("model size (in B)", "modelsize", 1e9),
            ("gflops", "flops", 1e9),
            ("total_gflops", "totalflops", 1e9),
            ("throughput/total_gflops", "throughputtotalflops", 1e9),
            ("C (ZFLOPs)", "c", 1e21),
            ("compute_pf_days", "compute", PF_DAY),
            ("PF-days", "flops", PF_DAY),
        ] {
            let header = header(column).unwrap_or_else(|| panic!("{column}: no unit"));
            assert_eq!((header.name.as_str(), header.unit), (name, Unit::Times(factor)), "{column}");
        }
        assert_eq!(header("log10(N)").map(|h| (h.name, h.unit)), Some(("n".into(), Unit::PowerOf(10.0))));
        assert_eq!(header("ln_tokens").map(|h| h.unit.value(0.0)), Some(1.0));
    }

    #[test]
    fn headers_without_a_unit_have_none() {
        for column in
            ["N", "tokens", "n_b", "loss", "batch_size", "d_model", "tflops_per_s", "gflops/s", "", "b", "µ"]
        {
            assert_eq!(header(column), None, "{column}");
        }
    }

    #[test]
    fn loss_units_are_read_from_names() {
        for (column, unit) in [
            ("val_bpb", Some(LossUnit::BitsPerByte)),
            ("loss_bits_per_byte", Some(LossUnit::BitsPerByte)),
            ("eval/ppl/c4", Some(LossUnit::Perplexity)),
            ("val_loss", None),
        ] {
            assert_eq!(loss_unit(column), unit, "{column}");
        }
    }
}

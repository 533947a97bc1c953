//! The loss of the true source on the tokens of the test set.

use super::Language;
use crate::tokenizer::Tokenizer;
use scalelaw_tokens::EvalSet;
use serde::Serialize;

/// The loss of the true source on the text behind an [`EvalSet`]: a model can have a lower loss only by chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// Minus the logarithm of the probability of the text behind the targets, in nats.
    pub nats: f64,
    /// Bytes of that text.
    pub bytes: u64,
    /// Its documents; the last one may be cut.
    pub documents: u64,
    /// Mean in nats per byte.
    pub nats_per_byte: f64,
    /// Standard error of that mean over documents, in nats per byte.
    pub se: f64,
}

/// Scores the text behind a test set of synthetic documents by the language that they were drawn from, the
/// ends of documents included.
///
/// The first token is not a target, so its probability is not counted. The result is `None` when the text does not belong to
/// this language.
pub fn true_floor(language: &Language, tokenizer: &Tokenizer, eval: &EvalSet) -> Option<Floor> {
    let tokens = eval.covered();
    let text = |ids: &[u32]| String::from_utf8(tokenizer.decode(ids)).ok();
    let mut scores: Vec<(f64, f64)> = Vec::new();
    let mut rest = &tokens[..];
    while !rest.is_empty() {
        let end = rest.iter().position(|&id| id == tokenizer.end_of_text());
        let document = text(&rest[..end.unwrap_or(rest.len())])?;
        let nats = match end {
            Some(_) => -language.log_prob(&document),
            None => -language.log_prob_prefix(&document),
        };
        scores.push((nats, document.len() as f64));
        rest = end.map_or(&[], |end| &rest[end + 1..]);
    }
    let first = text(&tokens[..1])?;
    let head = scores.first_mut()?;
    head.0 += language.log_prob_prefix(&first);
    head.1 -= first.len() as f64;

    let nats: f64 = scores.iter().map(|s| s.0).sum();
    let bytes: f64 = scores.iter().map(|s| s.1).sum();
    if !nats.is_finite() || bytes <= 0.0 {
        return None;
    }
    let mean = nats / bytes;
    let n = scores.len() as f64;
    let squares: f64 = scores.iter().map(|(nats, bytes)| (nats - mean * bytes) * (nats - mean * bytes)).sum();
    let se = if n > 1.0 { (squares * n / (n - 1.0)).sqrt() / bytes } else { f64::INFINITY };
    Some(Floor { nats, bytes: bytes as u64, documents: scores.len() as u64, nats_per_byte: mean, se })
}

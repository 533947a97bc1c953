//! A stack of LSTM layers as a plan (Kaplan et al. 2020, section 3.2.1, which states layers, data and context;
//! the rest is the plainest choice: every layer as wide as the embedding, no residual stream, no norm).

use scalelaw_core::{Head, ModelShape};
use scalelaw_kernels::{Graph, Plan};

/// The plan of an LSTM of this shape.
///
/// Tensors of layer l are `lstm.l.ih.weight` and `lstm.l.hh.weight` `[d_model, 4·d_model]` and
/// `lstm.l.ih.bias` `[4·d_model]` in the order i, f, g, o: the transposes of `weight_ih_l` and `weight_hh_l` of
/// `torch.nn.LSTM`, whose `bias_hh_l` is zero here.
///
/// # Panics
/// When the shape is impossible: see [`ModelShape::validate`].
pub(crate) fn plan(shape: &ModelShape) -> Plan {
    let [d_model, n_ctx, n_vocab] = [shape.d_model, shape.n_ctx, shape.n_vocab].map(|size| size as usize);
    let mut graph = Graph::new(n_ctx);
    let wte = graph.table("wte.weight", n_vocab, d_model);
    let mut x = graph.embed(wte, None);
    for layer in 0..shape.n_layer {
        let ih = graph.linear_parameters(&format!("lstm.{layer}.ih"), d_model, 4 * d_model);
        let hh = graph.table(&format!("lstm.{layer}.hh.weight"), d_model, 4 * d_model);
        let gates = graph.linear(&x, ih);
        x = graph.lstm(gates, hh);
    }
    let head = match shape.head {
        Head::Tied => wte,
        Head::Untied => graph.table("lm_head.weight", n_vocab, d_model),
    };
    graph.head(&x, head)
}

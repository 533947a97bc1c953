//! A stack of LSTM layers as a plan (Kaplan et al. 2020, section 3.2.1, which states layers, data and context;
//! the rest is the plainest choice: every layer as wide as the embedding, no residual stream, no norm).

use scalelaw_core::{Head, ModelShape};
use scalelaw_graph::ops::{Embed, Epilogue, Linear, Lstm};
use scalelaw_graph::{Graph, Plan, Role, Value, ops};

/// The plan of an LSTM of this shape.
///
/// Tensors of layer l are `lstm.l.ih.weight` and `lstm.l.hh.weight` `[d_model, 4·d_model]` and
/// `lstm.l.ih.bias` `[4·d_model]` in the order i, f, g, o: the transposes of `weight_ih_l` and `weight_hh_l` of
/// `torch.nn.LSTM`, whose `bias_hh_l` is zero here. Dropout is applied to the embedding and to the output of
/// every layer, never within the recurrence (Zaremba et al. 2014).
///
/// # Panics
/// When the shape is impossible: see [`ModelShape::validate`].
pub(crate) fn plan(shape: &ModelShape, dropout: f64) -> Plan {
    let [d_model, n_ctx, n_vocab] = [shape.d_model, shape.n_ctx, shape.n_vocab].map(|size| size as usize);
    let mut graph = Graph::new(n_ctx);
    let wte = graph.matrix("wte.weight", Role::Embedding, n_vocab, d_model);
    let drop = |graph: &mut Graph, x: Value| if dropout > 0.0 { graph.dropout(x, dropout, None) } else { x };
    let embedded = graph.apply(Embed { tokens: wte, positions: None });
    let mut x = drop(&mut graph, embedded);
    for layer in 0..shape.n_layer {
        let name = |part: &str| format!("lstm.{layer}.{part}");
        let ih = graph.affine(&name("ih"), [Role::Matrix, Role::GateBias], d_model, 4 * d_model);
        let hh = graph.matrix(&name("hh.weight"), Role::Matrix, d_model, 4 * d_model);
        let gates = graph.apply(Linear { x, affine: ih, epilogue: Epilogue::None });
        let out = graph.apply(Lstm { gates, weight: hh });
        x = drop(&mut graph, out);
    }
    let table = match shape.head {
        Head::Tied => wte,
        Head::Untied => graph.matrix("lm_head.weight", Role::Head, n_vocab, d_model),
    };
    graph.apply(ops::Head { x, table });
    graph.finish()
}

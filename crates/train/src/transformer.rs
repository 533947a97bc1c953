//! The paper's decoder-only Transformer as a plan: pre-LN, GELU, learned positions (Kaplan et al. 2020,
//! section 2; the shape of GPT-2, Radford et al. 2019), with the weights of its blocks used once or, in the
//! recurrent Transformer, again and again.

use scalelaw_core::{Head, ModelShape};
use scalelaw_kernels::graph::{Linear, Norm, Value};
use scalelaw_kernels::{Graph, Plan};

/// The parameters of a block.
struct Block {
    ln_1: Norm,
    c_attn: Linear,
    attn_c_proj: Linear,
    ln_2: Norm,
    c_fc: Linear,
    mlp_c_proj: Linear,
}

/// The plan of a model of this shape.
///
/// Tensors carry the names and layouts of GPT-2 as Hugging Face publishes it (`wte.weight`,
/// `h.0.attn.c_attn.weight` `[d_model, 3·d_attn]`, …), so that a checkpoint loads there. Dropout is applied to
/// the embedding and to what joins the residual stream (GPT-2 also drops attention weights).
///
/// # Panics
/// When the shape is impossible: see [`ModelShape::validate`].
pub(crate) fn plan(shape: &ModelShape, dropout: f64) -> Plan {
    let [n_layer, d_model, d_ff, d_attn, n_head, n_ctx, n_vocab] =
        [shape.n_layer, shape.d_model, shape.d_ff, shape.d_attn, shape.n_head, shape.n_ctx, shape.n_vocab]
            .map(|size| size as usize);
    let mut graph = Graph::new(n_ctx);
    let wte = graph.table("wte.weight", n_vocab, d_model);
    let wpe = graph.table("wpe.weight", n_ctx, d_model);
    let mut x = graph.embed(wte, Some(wpe));
    if dropout > 0.0 {
        x = graph.dropout(&x, dropout);
    }
    let blocks: Vec<Block> = (0..n_layer)
        .map(|layer| {
            let name = |part: &str| format!("h.{layer}.{part}");
            Block {
                ln_1: graph.norm_parameters(&name("ln_1"), d_model),
                c_attn: graph.linear_parameters(&name("attn.c_attn"), d_model, 3 * d_attn),
                attn_c_proj: graph.linear_parameters(&name("attn.c_proj"), d_attn, d_model),
                ln_2: graph.norm_parameters(&name("ln_2"), d_model),
                c_fc: graph.linear_parameters(&name("mlp.c_fc"), d_model, d_ff),
                mlp_c_proj: graph.linear_parameters(&name("mlp.c_proj"), d_ff, d_model),
            }
        })
        .collect();
    for _ in 0..shape.reuse {
        for block in &blocks {
            let normed = graph.norm(&x, block.ln_1);
            let qkv = graph.linear(&normed, block.c_attn);
            let attended = graph.attention(&qkv, n_head);
            x = join(&mut graph, &attended, block.attn_c_proj, dropout, x);
            let normed = graph.norm(&x, block.ln_2);
            let hidden = graph.linear_gelu(&normed, block.c_fc);
            x = join(&mut graph, &hidden, block.mlp_c_proj, dropout, x);
        }
    }
    let ln_f = graph.norm_parameters("ln_f", d_model);
    let normed = graph.norm(&x, ln_f);
    let head = match shape.head {
        Head::Tied => wte,
        Head::Untied => graph.table("lm_head.weight", n_vocab, d_model),
    };
    graph.head(&normed, head)
}

/// residual + x·W + b, dropped out before it joins.
fn join(graph: &mut Graph, x: &Value, linear: Linear, dropout: f64, residual: Value) -> Value {
    if dropout == 0.0 {
        return graph.linear_residual(x, linear, residual);
    }
    let out = graph.linear(x, linear);
    graph.dropout_residual(&out, dropout, residual)
}

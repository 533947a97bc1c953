//! The paper's decoder-only Transformer as a plan: pre-LN, GELU, learned positions (Kaplan et al. 2020,
//! section 2; the shape of GPT-2, Radford et al. 2019), with the weights of its blocks used once or, in the
//! recurrent Transformer, again and again; or with blocks as people set them today ([`scalelaw_core::Block`]).

use scalelaw_core::block::{FeedForward, Norm, NormPlacement, Positions, QkNorm};
use scalelaw_core::{Head, ModelShape, Transformer};
use scalelaw_kernels::graph::{self, Heads, Linear, Table, Value};
use scalelaw_kernels::ops::activation::Activation;
use scalelaw_kernels::ops::norm::Kind;
use scalelaw_kernels::{Graph, Plan};

/// The plan of a model of this shape.
///
/// Tensors carry the names and layouts of GPT-2 as Hugging Face publishes it (`wte.weight`,
/// `h.0.attn.c_attn.weight` `[d_model, 3·d_attn]`, …), so that a checkpoint loads there; what GPT-2 does not have
/// is `attn.q_norm.weight`, `attn.k_norm.weight`, and `mlp.c_fc` `[d_model, 2·d_ff]`, the gate first. Dropout is
/// applied to the embedding and to what joins the residual stream (GPT-2 also drops attention weights).
///
/// # Panics
/// When the shape is impossible: see [`ModelShape::validate`].
pub(crate) fn plan(shape: &ModelShape, transformer: &Transformer, dropout: f64) -> Plan {
    let [n_layer, d_model, n_ctx, n_vocab] =
        [shape.n_layer, shape.d_model, shape.n_ctx, shape.n_vocab].map(|size| size as usize);
    let mut graph = Graph::new(n_ctx);
    let wte = graph.table("wte.weight", n_vocab, d_model);
    let wpe = match transformer.block.positions {
        Positions::Learned => Some(graph.table("wpe.weight", n_ctx, d_model)),
        Positions::Rotary => None,
    };
    let mut x = graph.embed(wte, wpe);
    if dropout > 0.0 {
        x = graph.dropout(&x, dropout);
    }
    let blocks: Vec<Block> =
        (0..n_layer).map(|layer| Block::new(&mut graph, d_model, transformer, layer)).collect();
    for _ in 0..transformer.reuse {
        for block in &blocks {
            x = block.apply(&mut graph, transformer, dropout, x);
        }
    }
    if transformer.block.norm_placement == NormPlacement::Pre {
        let ln_f = graph.norm_parameters("ln_f", norm(transformer), d_model);
        x = graph.norm(&x, ln_f);
    }
    let head = match shape.head {
        Head::Tied => wte,
        Head::Untied => graph.table("lm_head.weight", n_vocab, d_model),
    };
    graph.head(&x, head)
}

fn norm(shape: &Transformer) -> Kind {
    match shape.block.norm {
        Norm::Layer => Kind::Layer,
        Norm::Rms => Kind::Rms,
    }
}

fn heads(shape: &Transformer) -> Heads {
    let [n_head, n_kv_head, d_head] =
        [shape.n_head, shape.n_kv_head(), shape.d_head()].map(|size| size as usize);
    Heads { n_head, n_kv_head, d_head }
}

/// The parameters of a block.
struct Block {
    ln_1: graph::Norm,
    c_attn: Linear,
    qk_norm: Option<Table>,
    attn_c_proj: Linear,
    ln_2: graph::Norm,
    c_fc: Linear,
    mlp_c_proj: Linear,
}

impl Block {
    fn new(graph: &mut Graph, d_model: usize, shape: &Transformer, layer: usize) -> Self {
        let [d_attn, d_ff] = [shape.d_attn, shape.d_ff].map(|size| size as usize);
        let (norm, heads) = (norm(shape), heads(shape));
        let name = |part: &str| format!("h.{layer}.{part}");
        let into_ff = match shape.block.feed_forward {
            FeedForward::Gelu | FeedForward::GeluExact | FeedForward::Relu | FeedForward::Silu => d_ff,
            FeedForward::Swiglu => 2 * d_ff,
        };
        Self {
            ln_1: graph.norm_parameters(&name("ln_1"), norm, d_model),
            c_attn: graph.linear_parameters(&name("attn.c_attn"), d_model, heads.qkv_width()),
            qk_norm: match shape.block.qk_norm {
                QkNorm::None => None,
                QkNorm::Rms => Some(graph.qk_norm_parameters(&name("attn"), heads.d_head)),
            },
            attn_c_proj: graph.linear_parameters(&name("attn.c_proj"), d_attn, d_model),
            ln_2: graph.norm_parameters(&name("ln_2"), norm, d_model),
            c_fc: graph.linear_parameters(&name("mlp.c_fc"), d_model, into_ff),
            mlp_c_proj: graph.linear_parameters(&name("mlp.c_proj"), d_ff, d_model),
        }
    }

    /// y = x + attention(norm(x)) and y + feed-forward(norm(y)); or, with norms behind, y = norm(x + attention(x))
    /// and norm(y + feed-forward(y)).
    fn apply(&self, graph: &mut Graph, shape: &Transformer, dropout: f64, x: Value) -> Value {
        match shape.block.norm_placement {
            NormPlacement::Pre => {
                let normed = graph.norm(&x, self.ln_1);
                let attended = self.attend(graph, shape, &normed);
                let x = join(graph, &attended, self.attn_c_proj, dropout, x);
                let normed = graph.norm(&x, self.ln_2);
                let hidden = self.feed_forward(graph, shape, &normed);
                join(graph, &hidden, self.mlp_c_proj, dropout, x)
            }
            NormPlacement::Post => {
                let attended = self.attend(graph, shape, &x);
                let residual = graph.copy(&x);
                let sum = join(graph, &attended, self.attn_c_proj, dropout, residual);
                let x = graph.norm(&sum, self.ln_1);
                let hidden = self.feed_forward(graph, shape, &x);
                let residual = graph.copy(&x);
                let sum = join(graph, &hidden, self.mlp_c_proj, dropout, residual);
                graph.norm(&sum, self.ln_2)
            }
        }
    }

    /// What every position gathers from those before it.
    fn attend(&self, graph: &mut Graph, shape: &Transformer, x: &Value) -> Value {
        let heads = heads(shape);
        let mut qkv = graph.linear(x, self.c_attn);
        if let Some(weights) = self.qk_norm {
            qkv = graph.qk_norm(qkv, weights, heads);
        }
        if shape.block.positions == Positions::Rotary {
            qkv = graph.rotary(qkv, heads);
        }
        graph.attention(&qkv, heads)
    }

    /// The hidden layer of the feed-forward layer.
    fn feed_forward(&self, graph: &mut Graph, shape: &Transformer, x: &Value) -> Value {
        let activation = match shape.block.feed_forward {
            FeedForward::Gelu => Activation::GeluTanh,
            FeedForward::GeluExact => Activation::Gelu,
            FeedForward::Relu => Activation::Relu,
            FeedForward::Silu => Activation::Silu,
            FeedForward::Swiglu => {
                let gate_and_up = graph.linear(x, self.c_fc);
                return graph.swiglu(&gate_and_up);
            }
        };
        graph.linear_activation(x, self.c_fc, activation)
    }
}

/// residual + x·W + b, dropped out before it joins.
fn join(graph: &mut Graph, x: &Value, linear: Linear, dropout: f64, residual: Value) -> Value {
    if dropout == 0.0 {
        return graph.linear_residual(x, linear, residual);
    }
    let out = graph.linear(x, linear);
    graph.dropout_residual(&out, dropout, residual)
}

//! The paper's decoder-only Transformer as a plan: pre-LN, GELU, learned positions (Kaplan et al. 2020,
//! section 2; the shape of GPT-2, Radford et al. 2019), with the weights of its blocks used once or, in the
//! recurrent Transformer, again and again; or with blocks as people set them today ([`scalelaw_core::Block`]).

use scalelaw_core::block::{FeedForward, Norm, NormPlacement, Positions, QkNorm};
use scalelaw_core::{Head, ModelShape, Transformer};
use scalelaw_graph::ops::norm::{Kind, NormParameters};
use scalelaw_graph::ops::{
    self, Activation, Affine, Attention, Embed, Epilogue, Heads, Linear, Rotary, Swiglu,
};
use scalelaw_graph::{Graph, Parameter, Plan, Role, Value};

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
    let wte = graph.matrix("wte.weight", Role::Embedding, n_vocab, d_model);
    let wpe = match transformer.block.positions {
        Positions::Learned => Some(graph.matrix("wpe.weight", Role::Embedding, n_ctx, d_model)),
        Positions::Rotary => None,
    };
    let mut x = graph.apply(Embed { tokens: wte, positions: wpe });
    if dropout > 0.0 {
        x = graph.dropout(x, dropout, None);
    }
    let blocks: Vec<Block> =
        (0..n_layer).map(|layer| Block::new(&mut graph, d_model, transformer, layer)).collect();
    for _ in 0..transformer.reuse {
        for block in &blocks {
            x = block.apply(&mut graph, transformer, dropout, x);
        }
    }
    if transformer.block.norm_placement == NormPlacement::Pre {
        let parameters = graph.norm("ln_f", norm(transformer), d_model);
        x = graph.apply(ops::Norm { x, parameters });
    }
    let table = match shape.head {
        Head::Tied => wte,
        Head::Untied => graph.matrix("lm_head.weight", Role::Head, n_vocab, d_model),
    };
    graph.apply(ops::Head { x, table });
    graph.finish()
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
    ln_1: NormParameters,
    c_attn: Affine,
    /// Weights of the norms of queries and of keys.
    qk_norm: Option<[Parameter; 2]>,
    attn_c_proj: Affine,
    ln_2: NormParameters,
    c_fc: Affine,
    mlp_c_proj: Affine,
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
        let (inner, residual) = ([Role::Matrix, Role::Bias], [Role::ResidualMatrix, Role::Bias]);
        Self {
            ln_1: graph.norm(&name("ln_1"), norm, d_model),
            c_attn: graph.affine(&name("attn.c_attn"), inner, d_model, heads.qkv_width()),
            qk_norm: match shape.block.qk_norm {
                QkNorm::None => None,
                QkNorm::Rms => Some(
                    ["attn.q_norm.weight", "attn.k_norm.weight"]
                        .map(|part| graph.vector(&name(part), Role::Norm, heads.d_head)),
                ),
            },
            attn_c_proj: graph.affine(&name("attn.c_proj"), residual, d_attn, d_model),
            ln_2: graph.norm(&name("ln_2"), norm, d_model),
            c_fc: graph.affine(&name("mlp.c_fc"), inner, d_model, into_ff),
            mlp_c_proj: graph.affine(&name("mlp.c_proj"), residual, d_ff, d_model),
        }
    }

    /// y = x + attention(norm(x)) and y + feed-forward(norm(y)); or, with norms behind, y = norm(x + attention(x))
    /// and norm(y + feed-forward(y)).
    fn apply(&self, graph: &mut Graph, shape: &Transformer, dropout: f64, x: Value) -> Value {
        match shape.block.norm_placement {
            NormPlacement::Pre => {
                let normed = graph.apply(ops::Norm { x, parameters: self.ln_1 });
                let attended = self.attend(graph, shape, normed);
                let x = join(graph, attended, self.attn_c_proj, dropout, x);
                let normed = graph.apply(ops::Norm { x, parameters: self.ln_2 });
                let hidden = self.feed_forward(graph, shape, normed);
                join(graph, hidden, self.mlp_c_proj, dropout, x)
            }
            NormPlacement::Post => {
                let attended = self.attend(graph, shape, x);
                let sum = join(graph, attended, self.attn_c_proj, dropout, x);
                let x = graph.apply(ops::Norm { x: sum, parameters: self.ln_1 });
                let hidden = self.feed_forward(graph, shape, x);
                let sum = join(graph, hidden, self.mlp_c_proj, dropout, x);
                graph.apply(ops::Norm { x: sum, parameters: self.ln_2 })
            }
        }
    }

    /// What every position gathers from those before it.
    fn attend(&self, graph: &mut Graph, shape: &Transformer, x: Value) -> Value {
        let heads = heads(shape);
        let mut qkv = graph.apply(Linear { x, affine: self.c_attn, epilogue: Epilogue::None });
        if let Some([of_q, of_k]) = self.qk_norm {
            qkv = graph.apply(ops::QkNorm { qkv, heads, of_q, of_k });
        }
        if shape.block.positions == Positions::Rotary {
            qkv = graph.apply(Rotary { qkv, heads });
        }
        graph.apply(Attention { qkv, heads })
    }

    /// The hidden layer of the feed-forward layer.
    fn feed_forward(&self, graph: &mut Graph, shape: &Transformer, x: Value) -> Value {
        let activation = match shape.block.feed_forward {
            FeedForward::Gelu => Activation::GeluTanh,
            FeedForward::GeluExact => Activation::Gelu,
            FeedForward::Relu => Activation::Relu,
            FeedForward::Silu => Activation::Silu,
            FeedForward::Swiglu => {
                let x = graph.apply(Linear { x, affine: self.c_fc, epilogue: Epilogue::None });
                return graph.apply(Swiglu { x });
            }
        };
        graph.apply(Linear { x, affine: self.c_fc, epilogue: Epilogue::Activation(activation) })
    }
}

/// residual + x·W + b, dropped out before it joins.
fn join(graph: &mut Graph, x: Value, affine: Affine, dropout: f64, residual: Value) -> Value {
    if dropout == 0.0 {
        return graph.apply(Linear { x, affine, epilogue: Epilogue::Residual(residual) });
    }
    let out = graph.apply(Linear { x, affine, epilogue: Epilogue::None });
    graph.dropout(out, dropout, Some(residual))
}

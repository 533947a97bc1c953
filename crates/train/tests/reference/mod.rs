//! The models written out plainly in f64: what their plans must compute.

use scalelaw_core::block::{FeedForward, Norm, NormPlacement, Positions, QkNorm};
use scalelaw_core::{Architecture, Head, ModelShape, Transformer};
use scalelaw_kernels::ops::Write;
use scalelaw_kernels::ops::dropout::{Dropout, Masks, apply};
use scalelaw_kernels::ops::row_stride;
use scalelaw_kernels::{DropoutKey, Isa, Plan};

/// Dropout with the masks of the kernels.
#[derive(Clone, Copy)]
pub struct Dropping {
    pub rate: f64,
    pub key: DropoutKey,
}

impl Dropping {
    pub const NONE: Self = Self { rate: 0.0, key: DropoutKey { seed: 0, step: 0 } };

    /// Drops elements of the activations of one sequence.
    fn apply(self, number: u64, sequence: usize, x: &mut [Vec<f64>]) {
        if self.rate == 0.0 {
            return;
        }
        let (n_ctx, width) = (x.len(), x[0].len());
        let stride = row_stride(width);
        let dropout = Dropout { n_ctx, width, rate: self.rate, number };
        let mut factors = vec![0.0; n_ctx * stride];
        let masks = Some(Masks { key: self.key, first_sequence: sequence });
        apply(Isa::portable(), dropout, n_ctx, masks, &vec![1.0; n_ctx * stride], &mut factors, Write::Set);
        for (x, factors) in x.iter_mut().zip(factors.chunks(stride)) {
            let kept = |factor: &f32| if *factor == 0.0 { 0.0 } else { 1.0 / (1.0 - self.rate) };
            x.iter_mut().zip(factors).for_each(|(x, factor)| *x *= kept(factor));
        }
    }
}

/// Mean loss of sequences of n_ctx + 1 tokens, in nats per token.
pub fn loss(shape: &ModelShape, drop: Dropping, plan: &Plan, parameters: &[f64], tokens: &[u32]) -> f64 {
    let losses = losses(shape, drop, plan, parameters, tokens);
    losses.iter().sum::<f64>() / losses.len() as f64
}

/// Loss of every token.
pub fn losses(
    shape: &ModelShape,
    drop: Dropping,
    plan: &Plan,
    parameters: &[f64],
    tokens: &[u32],
) -> Vec<f64> {
    let get = |name: &str| {
        let tensor = plan.tensors().iter().find(|t| t.name == name).expect("a tensor of this name");
        &parameters[tensor.range.clone()]
    };
    let (d, t, v) = (shape.d_model as usize, shape.n_ctx as usize, shape.n_vocab as usize);
    let head = match shape.head {
        Head::Tied => get("wte.weight"),
        Head::Untied => get("lm_head.weight"),
    };
    let mut losses = vec![];
    for (s, sequence) in tokens.chunks_exact(t + 1).enumerate() {
        let drop = |number: u64, x: &mut [Vec<f64>]| drop.apply(number, s, x);
        let x: Vec<Vec<f64>> =
            sequence[..t].iter().map(|&id| get("wte.weight")[id as usize * d..][..d].to_vec()).collect();
        let last = match &shape.architecture {
            Architecture::Transformer(blocks) => transformer(shape, blocks, x, &get, drop),
            Architecture::Lstm => lstm(shape, x, &get, drop),
        };
        for (i, row) in last.iter().enumerate() {
            let logits: Vec<f64> = (0..v).map(|j| dot(row, &head[j * d..][..d])).collect();
            let max = logits.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            let sum: f64 = logits.iter().map(|l| (l - max).exp()).sum();
            losses.push(max + sum.ln() - logits[sequence[i + 1] as usize]);
        }
    }
    losses
}

fn transformer<'a>(
    shape: &ModelShape,
    blocks: &Transformer,
    mut x: Vec<Vec<f64>>,
    get: &impl Fn(&str) -> &'a [f64],
    drop: impl Fn(u64, &mut [Vec<f64>]),
) -> Vec<Vec<f64>> {
    if blocks.block.positions == Positions::Learned {
        for (x, position) in x.iter_mut().zip(get("wpe.weight").chunks(shape.d_model as usize)) {
            x.iter_mut().zip(position).for_each(|(x, p)| *x += p);
        }
    }
    let rms = blocks.block.norm == Norm::Rms;
    let norm = |x: &[Vec<f64>], weight, bias: &dyn Fn() -> &'a [f64]| {
        if rms { rms_norm(x, weight) } else { norm(x, weight, bias()) }
    };
    let pre = blocks.block.norm_placement == NormPlacement::Pre;
    drop(0, &mut x);
    for (block, layer) in (0..).zip((0..blocks.reuse).flat_map(|_| 0..shape.n_layer)) {
        let get = |part: &str| get(&format!("h.{layer}.{part}"));
        let norm_1 = |x: &[Vec<f64>]| norm(x, get("ln_1.weight"), &|| get("ln_1.bias"));
        let norm_2 = |x: &[Vec<f64>]| norm(x, get("ln_2.weight"), &|| get("ln_2.bias"));
        let normed = if pre { norm_1(&x) } else { x.clone() };
        let mut qkv = linear(&normed, get("attn.c_attn.weight"), get("attn.c_attn.bias"));
        let (n_head, n_kv_head) = (blocks.n_head as usize, blocks.n_kv_head() as usize);
        let d_head = blocks.d_head() as usize;
        for (position, row) in qkv.iter_mut().enumerate() {
            for (h, head) in row.chunks_mut(d_head).take(n_head + n_kv_head).enumerate() {
                if blocks.block.qk_norm == QkNorm::Rms {
                    let weight = get(if h < n_head { "attn.q_norm.weight" } else { "attn.k_norm.weight" });
                    head.copy_from_slice(&rms_norm(&[head.to_vec()], weight)[0]);
                }
                if blocks.block.positions == Positions::Rotary {
                    turn(head, position);
                }
            }
        }
        let attended = attention(&qkv, n_head, n_kv_head, d_head);
        let mut joining = linear(&attended, get("attn.c_proj.weight"), get("attn.c_proj.bias"));
        drop(2 * block + 1, &mut joining);
        add(&mut x, &joining);
        if !pre {
            x = norm_1(&x);
        }
        let normed = if pre { norm_2(&x) } else { x.clone() };
        let mut hidden = linear(&normed, get("mlp.c_fc.weight"), get("mlp.c_fc.bias"));
        match blocks.block.feed_forward {
            FeedForward::Gelu => hidden.iter_mut().flatten().for_each(|z| *z = gelu_tanh(*z)),
            FeedForward::GeluExact => hidden.iter_mut().flatten().for_each(|z| *z = gelu(*z)),
            FeedForward::Relu => hidden.iter_mut().flatten().for_each(|z| *z = z.max(0.0)),
            FeedForward::Silu => hidden.iter_mut().flatten().for_each(|z| *z /= 1.0 + (-*z).exp()),
            FeedForward::Swiglu => hidden.iter_mut().for_each(|row| {
                let (gate, up) = row.split_at(blocks.d_ff as usize);
                *row = gate.iter().zip(up).map(|(z, up)| z / (1.0 + (-z).exp()) * up).collect();
            }),
        }
        let mut joining = linear(&hidden, get("mlp.c_proj.weight"), get("mlp.c_proj.bias"));
        drop(2 * block + 2, &mut joining);
        add(&mut x, &joining);
        if !pre {
            x = norm_2(&x);
        }
    }
    if !pre {
        return x;
    }
    norm(&x, get("ln_f.weight"), &|| get("ln_f.bias"))
}

fn lstm<'a>(
    shape: &ModelShape,
    mut x: Vec<Vec<f64>>,
    get: &impl Fn(&str) -> &'a [f64],
    drop: impl Fn(u64, &mut [Vec<f64>]),
) -> Vec<Vec<f64>> {
    let d = shape.d_model as usize;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    drop(0, &mut x);
    for layer in 0..shape.n_layer {
        let get = |part: &str| get(&format!("lstm.{layer}.{part}"));
        let (mut h, mut c) = (vec![0.0; d], vec![0.0; d]);
        for row in &mut x {
            let mut gates = linear(std::slice::from_ref(row), get("ih.weight"), get("ih.bias"));
            add(&mut gates, &linear(&[h.clone()], get("hh.weight"), &vec![0.0; 4 * d]));
            for j in 0..d {
                let at = |which: usize| gates[0][which * d + j];
                c[j] = sigmoid(at(1)) * c[j] + sigmoid(at(0)) * at(2).tanh();
                h[j] = sigmoid(at(3)) * c[j].tanh();
            }
            row.clone_from(&h);
        }
        drop(u64::from(layer) + 1, &mut x);
    }
    x
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(x: &mut [Vec<f64>], y: &[Vec<f64>]) {
    for (x, y) in x.iter_mut().flatten().zip(y.iter().flatten()) {
        *x += y;
    }
}

fn norm(x: &[Vec<f64>], weight: &[f64], bias: &[f64]) -> Vec<Vec<f64>> {
    x.iter()
        .map(|row| {
            let n = row.len() as f64;
            let mean = row.iter().sum::<f64>() / n;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            row.iter()
                .zip(weight.iter().zip(bias))
                .map(|(x, (w, b))| (x - mean) / (variance + 1e-5).sqrt() * w + b)
                .collect()
        })
        .collect()
}

fn rms_norm(x: &[Vec<f64>], weight: &[f64]) -> Vec<Vec<f64>> {
    x.iter()
        .map(|row| {
            let square = row.iter().map(|x| x * x).sum::<f64>() / row.len() as f64;
            row.iter().zip(weight).map(|(x, w)| x / (square + 1e-5).sqrt() * w).collect()
        })
        .collect()
}

/// Rotary position of one head.
fn turn(head: &mut [f64], position: usize) {
    let half = head.len() / 2;
    for i in 0..half {
        let angle = position as f64 * 10_000f64.powf(-(i as f64) / half as f64);
        let (a, b) = (head[i], head[half + i]);
        head[i] = a * angle.cos() - b * angle.sin();
        head[half + i] = b * angle.cos() + a * angle.sin();
    }
}

/// x·W + b with W `[inputs, outputs]`.
fn linear(x: &[Vec<f64>], weight: &[f64], bias: &[f64]) -> Vec<Vec<f64>> {
    let outputs = bias.len();
    x.iter()
        .map(|row| {
            (0..outputs)
                .map(|j| {
                    bias[j] + row.iter().enumerate().map(|(i, x)| x * weight[i * outputs + j]).sum::<f64>()
                })
                .collect()
        })
        .collect()
}

fn attention(qkv: &[Vec<f64>], n_head: usize, n_kv_head: usize, d_head: usize) -> Vec<Vec<f64>> {
    let mut out = vec![vec![0.0; n_head * d_head]; qkv.len()];
    for head in 0..n_head {
        let kv_head = head / (n_head / n_kv_head);
        let columns = [head, n_head + kv_head, n_head + n_kv_head + kv_head].map(|h| h * d_head);
        let part = |i: usize, which: usize| &qkv[i][columns[which]..][..d_head];
        for (i, out) in out.iter_mut().enumerate() {
            let scores: Vec<f64> =
                (0..=i).map(|j| dot(part(i, 0), part(j, 1)) / (d_head as f64).sqrt()).collect();
            let max = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
            for (j, score) in scores.iter().enumerate() {
                for (o, v) in out[head * d_head..].iter_mut().zip(part(j, 2)) {
                    *o += (score - max).exp() / sum * v;
                }
            }
        }
    }
    out
}

fn gelu(z: f64) -> f64 {
    0.5 * z * libm::erfc(-z / 2f64.sqrt())
}

fn gelu_tanh(z: f64) -> f64 {
    0.5 * z * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (z + 0.044715 * z.powi(3))).tanh())
}

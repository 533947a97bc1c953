"""Golden numbers for the Transformer and, its weights used again, the recurrent Transformer: PyTorch 2.13.0, float64, CPU.

    pip install torch==2.13.0 numpy
    python make.py > transformer.json
    python make.py recurrent > recurrent.json
    python make.py modern > modern.json
    python make.py settings > settings.json

Initial weights, tokens and their order follow rules that the Rust test repeats, so only results are kept:
the loss of every step of Adam, and the gradient norm of every tensor at the first.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
STEPS, SEQUENCES = 200, 8
LR, BETAS, EPS = 3e-3, (0.9, 0.99), 1e-8


ACTIVATIONS = dict(gelu=lambda z: F.gelu(z, approximate="tanh"), gelu_exact=F.gelu, relu=F.relu, silu=F.silu)


def tensors(c):
    d, a, ff = c["d_model"], c["d_attn"], c["d_ff"]
    b = c.get("block", {})
    rms, kv = b.get("norm") == "rms", b.get("n_kv_head", c["n_head"]) * a // c["n_head"]
    yield "wte.weight", (c["n_vocab"], d)
    if b.get("positions") != "rotary":
        yield "wpe.weight", (c["n_ctx"], d)
    for i in range(c["n_layer"]):
        h = f"h.{i}."
        yield h + "ln_1.weight", (d,)
        if not rms:
            yield h + "ln_1.bias", (d,)
        yield h + "attn.c_attn.weight", (d, a + 2 * kv)
        yield h + "attn.c_attn.bias", (a + 2 * kv,)
        if b.get("qk_norm") == "rms":
            yield h + "attn.q_norm.weight", (a // c["n_head"],)
            yield h + "attn.k_norm.weight", (a // c["n_head"],)
        yield h + "attn.c_proj.weight", (a, d)
        yield h + "attn.c_proj.bias", (d,)
        yield h + "ln_2.weight", (d,)
        if not rms:
            yield h + "ln_2.bias", (d,)
        into_ff = 2 * ff if b.get("feed_forward") == "swiglu" else ff
        yield h + "mlp.c_fc.weight", (d, into_ff)
        yield h + "mlp.c_fc.bias", (into_ff,)
        yield h + "mlp.c_proj.weight", (ff, d)
        yield h + "mlp.c_proj.bias", (d,)
    if b.get("norm_placement") != "post":
        yield "ln_f.weight", (d,)
        if not rms:
            yield "ln_f.bias", (d,)
    if c["head"] == "untied":
        yield "lm_head.weight", (c["n_vocab"], d)


def scramble(i):
    """A number in [0, 1) for every i."""
    return ((i * 2654435761) % 2**32) / 2**32


def flat(tensors):
    """Parameter i, counted over all tensors, is (scramble(i) - 1/2)/4, plus 1 for the weights of norms."""
    p, i = {}, 0
    for name, shape in tensors:
        n = math.prod(shape)
        values = torch.tensor([(scramble(j) - 0.5) / 4 for j in range(i, i + n)]).reshape(shape)
        # Rounded to float32, which is what the Rust side starts from.
        values = values.float().double()
        if ("ln_" in name or "_norm" in name) and name.endswith("weight"):
            values = (values.float() + 1).double()
        p[name] = values.requires_grad_()
        i += n
    return p


def initial(c):
    return flat(tensors(c))


def batch(c, step):
    """Token j of the step's batch, rows of n_ctx + 1: a mixture of a rule and noise."""
    n = SEQUENCES * (c["n_ctx"] + 1)
    v = c["n_vocab"]
    t = [(j * j + 3 * j) % v if scramble(j + 1000 * step) < 0.8 else int(scramble(7 * j + step) * v) for j in range(n)]
    t = torch.tensor(t).reshape(SEQUENCES, -1)
    return t[:, :-1], t[:, 1:]


def rotate(x):
    """Rotary positions of `[batch, heads, positions, width]`, halves against halves as in Llama."""
    t, half = x.shape[-2], x.shape[-1] // 2
    angle = torch.outer(torch.arange(t), 10000 ** (-torch.arange(half) / half))
    u, v = x[..., :half], x[..., half:]
    return torch.cat([u * angle.cos() - v * angle.sin(), v * angle.cos() + u * angle.sin()], -1)


def loss(c, p, x, y):
    d, a, heads, b = c["d_model"], c["d_attn"], c["n_head"], c.get("block", {})
    post = b.get("norm_placement") == "post"
    width, kv_heads = a // heads, b.get("n_kv_head", heads)

    def norm(z, name):
        if b.get("norm") == "rms":
            return F.rms_norm(z, (d,), p[name + ".weight"], 1e-5)
        return F.layer_norm(z, (d,), p[name + ".weight"], p[name + ".bias"], 1e-5)

    h = p["wte.weight"][x]
    if "wpe.weight" in p:
        h = h + p["wpe.weight"]
    for i in list(range(c["n_layer"])) * c.get("reuse", 1):
        q = lambda part: p[f"h.{i}.{part}"]
        z = h if post else norm(h, f"h.{i}.ln_1")
        qkv = (z @ q("attn.c_attn.weight") + q("attn.c_attn.bias")).split([a, kv_heads * width, kv_heads * width], dim=2)
        qkv = [t.view(*t.shape[:2], -1, width).transpose(1, 2) for t in qkv]
        if b.get("qk_norm") == "rms":
            for j, name in enumerate(("q_norm", "k_norm")):
                qkv[j] = F.rms_norm(qkv[j], (width,), q(f"attn.{name}.weight"), 1e-5)
        if b.get("positions") == "rotary":
            qkv[:2] = map(rotate, qkv[:2])
        z = F.scaled_dot_product_attention(*qkv, is_causal=True, enable_gqa=kv_heads != heads)
        z = z.transpose(1, 2).reshape(*x.shape, a)
        h = h + z @ q("attn.c_proj.weight") + q("attn.c_proj.bias")
        if post:
            h = norm(h, f"h.{i}.ln_1")
        z = (h if post else norm(h, f"h.{i}.ln_2")) @ q("mlp.c_fc.weight") + q("mlp.c_fc.bias")
        if b.get("feed_forward") == "swiglu":
            gate, up = z.chunk(2, -1)
            z = F.silu(gate) * up
        else:
            z = ACTIVATIONS[b.get("feed_forward", "gelu")](z)
        h = h + z @ q("mlp.c_proj.weight") + q("mlp.c_proj.bias")
        if post:
            h = norm(h, f"h.{i}.ln_2")
    if not post:
        h = norm(h, "ln_f")
    head = p["wte.weight"] if c["head"] == "tied" else p["lm_head.weight"]
    return F.cross_entropy((h @ head.T).flatten(0, 1), y.flatten())


def train(c):
    p = initial(c)
    optimizer = torch.optim.Adam(p.values(), lr=LR, betas=BETAS, eps=EPS)
    losses, norms = [], {}
    for step in range(STEPS):
        value = loss(c, p, *batch(c, step))
        optimizer.zero_grad()
        value.backward()
        if step == 0:
            norms = {name: t.grad.norm().item() for name, t in p.items()}
        optimizer.step()
        losses.append(value.item())
    return {"shape": c, "gradient_norms": norms, "losses": losses}


SHAPE = dict(n_layer=2, d_model=20, d_ff=72, d_attn=24, n_head=3, n_ctx=40, n_vocab=50, head="untied")
TIED = dict(SHAPE, head="tied", n_layer=1, d_model=16, d_ff=64, d_attn=16, n_head=2)

if __name__ == "__main__":
    models = [SHAPE, TIED]
    if sys.argv[1:] == ["recurrent"]:
        models = [dict(TIED, reuse=4), dict(SHAPE, reuse=2)]
    if sys.argv[1:] == ["modern"]:
        block = dict(norm="rms", positions="rotary", feed_forward="swiglu", qk_norm="rms", n_kv_head=2)
        models = [dict(SHAPE, n_head=4, block=block)]
    if sys.argv[1:] == ["settings"]:
        blocks = [
            dict(norm_placement="post", feed_forward="relu"),
            dict(feed_forward="gelu_exact"),
            dict(norm="rms", norm_placement="post", feed_forward="silu"),
        ]
        models = [dict(TIED, block=block) for block in blocks]
    print(json.dumps({"torch": torch.__version__, "models": [train(c) for c in models]}, indent=1))

"""Golden numbers for the Transformer and, its weights used again, the recurrent Transformer: PyTorch 2.13.0, float64, CPU.

    pip install torch==2.13.0 numpy
    python make.py > transformer.json
    python make.py recurrent > recurrent.json

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


def tensors(c):
    d, a, ff = c["d_model"], c["d_attn"], c["d_ff"]
    yield "wte.weight", (c["n_vocab"], d)
    yield "wpe.weight", (c["n_ctx"], d)
    for i in range(c["n_layer"]):
        h = f"h.{i}."
        yield h + "ln_1.weight", (d,)
        yield h + "ln_1.bias", (d,)
        yield h + "attn.c_attn.weight", (d, 3 * a)
        yield h + "attn.c_attn.bias", (3 * a,)
        yield h + "attn.c_proj.weight", (a, d)
        yield h + "attn.c_proj.bias", (d,)
        yield h + "ln_2.weight", (d,)
        yield h + "ln_2.bias", (d,)
        yield h + "mlp.c_fc.weight", (d, ff)
        yield h + "mlp.c_fc.bias", (ff,)
        yield h + "mlp.c_proj.weight", (ff, d)
        yield h + "mlp.c_proj.bias", (d,)
    yield "ln_f.weight", (d,)
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
        if "ln_" in name and name.endswith("weight"):
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


def loss(c, p, x, y):
    d, a, heads = c["d_model"], c["d_attn"], c["n_head"]
    h = p["wte.weight"][x] + p["wpe.weight"]
    for i in list(range(c["n_layer"])) * c.get("reuse", 1):
        q = lambda part: p[f"h.{i}.{part}"]
        z = F.layer_norm(h, (d,), q("ln_1.weight"), q("ln_1.bias"), 1e-5)
        qkv = (z @ q("attn.c_attn.weight") + q("attn.c_attn.bias")).split(a, dim=2)
        qkv = [t.view(*t.shape[:2], heads, a // heads).transpose(1, 2) for t in qkv]
        z = F.scaled_dot_product_attention(*qkv, is_causal=True).transpose(1, 2).reshape(*x.shape, a)
        h = h + z @ q("attn.c_proj.weight") + q("attn.c_proj.bias")
        z = F.layer_norm(h, (d,), q("ln_2.weight"), q("ln_2.bias"), 1e-5)
        z = F.gelu(z @ q("mlp.c_fc.weight") + q("mlp.c_fc.bias"), approximate="tanh")
        h = h + z @ q("mlp.c_proj.weight") + q("mlp.c_proj.bias")
    h = F.layer_norm(h, (d,), p["ln_f.weight"], p["ln_f.bias"], 1e-5)
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
    print(json.dumps({"torch": torch.__version__, "models": [train(c) for c in models]}, indent=1))

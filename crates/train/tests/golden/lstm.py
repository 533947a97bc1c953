"""Golden numbers for the LSTM: torch.nn.LSTM, PyTorch 2.13.0, float64, CPU.

    python lstm.py > lstm.json

As make.py for the Transformer: the same rules for initial weights and batches, the same optimiser at a higher
rate. Our two matrices of a layer are the transposes of PyTorch's; its second bias stays zero, untrained.
"""
import json

import torch
import torch.nn.functional as F

from make import BETAS, EPS, STEPS, batch, flat

LR = 1e-2
SHAPE = dict(architecture="lstm", n_layer=1, d_model=20, d_ff=80, d_attn=20, n_head=1, n_ctx=24, n_vocab=50, head="untied")


def tensors(c):
    d = c["d_model"]
    yield "wte.weight", (c["n_vocab"], d)
    for i in range(c["n_layer"]):
        yield f"lstm.{i}.ih.weight", (d, 4 * d)
        yield f"lstm.{i}.ih.bias", (4 * d,)
        yield f"lstm.{i}.hh.weight", (d, 4 * d)
    if c["head"] == "untied":
        yield "lm_head.weight", (c["n_vocab"], d)


class Model(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        d, n = c["d_model"], c["n_layer"]
        p = flat(tensors(c))
        self.wte = torch.nn.Parameter(p["wte.weight"])
        self.head = torch.nn.Parameter(p["lm_head.weight"]) if c["head"] == "untied" else self.wte
        self.lstm = torch.nn.LSTM(d, d, n, batch_first=True)
        with torch.no_grad():
            for i in range(n):
                getattr(self.lstm, f"weight_ih_l{i}").copy_(p[f"lstm.{i}.ih.weight"].T)
                getattr(self.lstm, f"weight_hh_l{i}").copy_(p[f"lstm.{i}.hh.weight"].T)
                getattr(self.lstm, f"bias_ih_l{i}").copy_(p[f"lstm.{i}.ih.bias"])
                getattr(self.lstm, f"bias_hh_l{i}").zero_().requires_grad_(False)

    def named(self):
        """Our names of PyTorch's parameters."""
        for name, p in self.named_parameters():
            if name == "wte":
                yield "wte.weight", p
            elif name == "head":
                yield "lm_head.weight", p
            elif p.requires_grad:
                kind, which, layer = name.removeprefix("lstm.").split("_")
                yield f"lstm.{layer[1:]}.{which}.{kind}", p

    def forward(self, x, y):
        h, _ = self.lstm(F.embedding(x, self.wte))
        return F.cross_entropy((h @ self.head.T).flatten(0, 1), y.flatten())


def train(c):
    model = Model(c)
    trained = dict(model.named())
    optimizer = torch.optim.Adam(trained.values(), lr=LR, betas=BETAS, eps=EPS)
    losses, norms = [], {}
    for step in range(STEPS):
        value = model(*batch(c, step))
        optimizer.zero_grad()
        value.backward()
        if step == 0:
            norms = {name: t.grad.norm().item() for name, t in trained.items()}
        optimizer.step()
        losses.append(value.item())
    return {"shape": c, "gradient_norms": norms, "losses": losses}


models = [SHAPE, dict(SHAPE, n_layer=2, head="tied"), dict(SHAPE, n_layer=4, d_model=8, d_ff=32, d_attn=8, n_ctx=12)]
print(json.dumps({"torch": torch.__version__, "lr": LR, "models": [train(c) for c in models]}, indent=1))

"""Golden numbers for the optimisers: PyTorch 2.13.0, float64, CPU.

    python optimizers.py > optimizers.json

The tied model, its initial weights and batches are those of make.py; kept is the loss of every step.
Adafactor is written out below from Shazeer & Stern 2018 and checked here against torch.optim.Adafactor.
"""
import json

import torch

from make import TIED, batch, initial, loss

STEPS = 300


class Adafactor:
    """Algorithms 4 (matrices) and 5 (vectors); with `floor`, steps are relative as in section 8."""

    def __init__(self, parameters, lr, decay_exponent, eps, clip_threshold, floor=None):
        self.p, self.t, self.moments = list(parameters), 0, {}
        self.lr, self.exponent, self.eps, self.d, self.floor = lr, decay_exponent, eps, clip_threshold, floor

    def zero_grad(self):
        for p in self.p:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        beta = 1 - self.t**-self.exponent
        for i, p in enumerate(self.p):
            square = p.grad**2 + self.eps
            means = [square.mean(1), square.mean(0)] if p.dim() == 2 else [square]
            old = self.moments.get(i, [0] * len(means))
            self.moments[i] = [beta * a + (1 - beta) * b for a, b in zip(old, means)]
            v = self.moments[i]
            second = torch.outer(v[0], v[1]) / v[0].mean() if p.dim() == 2 else v[0]
            u = p.grad / second.sqrt()
            alpha = self.lr
            if self.floor is not None:
                alpha = max(self.floor, rms(p)) * min(self.lr, self.t**-0.5)
            p -= alpha * u / max(1, rms(u) / self.d)


def rms(x):
    return x.square().mean().sqrt().item()


def adamw(p, lr, optimizer):
    groups = [
        {"params": [t for t in p if t.dim() == 2], "weight_decay": optimizer["weight_decay"]},
        {"params": [t for t in p if t.dim() != 2], "weight_decay": 0.0},
    ]
    betas = (optimizer["beta1"], optimizer["beta2"])
    return torch.optim.AdamW(groups, lr=lr, betas=betas, eps=optimizer["eps"])


def adafactor(p, lr, optimizer):
    exponent, eps, d = optimizer["decay_exponent"], optimizer["eps"], optimizer["clip_threshold"]
    return Adafactor(p, lr, exponent, eps, d, optimizer["step_size"].get("floor"))


def pytorch_adafactor(p, lr, optimizer):
    exponent, d = optimizer["decay_exponent"], optimizer["clip_threshold"]
    eps = (1e-9, optimizer["step_size"]["floor"])
    return torch.optim.Adafactor(p, lr=lr, beta2_decay=-exponent, eps=eps, d=d, weight_decay=0)


def train(kind, lr, clip_norm, optimizer):
    p = initial(TIED)
    moving, losses = kind(list(p.values()), lr, optimizer), []
    for step in range(STEPS):
        value = loss(TIED, p, *batch(TIED, step))
        moving.zero_grad()
        value.backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(p.values(), clip_norm)
        moving.step()
        losses.append(value.item())
    return {"lr": lr, "clip_norm": clip_norm, "optimizer": optimizer, "losses": losses}


relative = dict(kind="relative", floor=1e-3)
plain = dict(kind="adafactor", decay_exponent=0.8, eps=1e-20, clip_threshold=1.0, step_size=relative)
relative = dict(kind="relative", floor=1e-3)
plain = dict(kind="adafactor", decay_exponent=0.8, eps=1e-20, clip_threshold=1.0, step_size=relative)
# PyTorch's Adafactor has relative steps only and uses its eps in another way; where eps does not matter but
# for gradients that are rounding alone, the class above is PyTorch's. From step 26 on, 1/sqrt(t) < rate.
ours, theirs = (train(kind, 0.2, None, plain)["losses"][:60] for kind in (adafactor, pytorch_adafactor))
assert max(abs(a / b - 1) for a, b in zip(ours, theirs)) < 1e-7

# Gradients that are zero but for rounding (of the keys' biases) must not move anything in float32 either.
factored = dict(plain, eps=1e-12)
runs = [
    # A norm below that of most gradients, and a decay that matters.
    train(adamw, 3e-3, 0.25, dict(kind="adamw", beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.5)),
    train(adafactor, 0.03, None, factored),
    train(adafactor, 3e-3, None, dict(factored, step_size=dict(kind="absolute"))),
]
print(json.dumps({"torch": torch.__version__, "shape": TIED, "runs": runs}, indent=1))

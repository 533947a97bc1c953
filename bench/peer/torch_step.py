"""Full Adam steps in PyTorch, when told to: the peer of `step_speed … serve`, which says the protocol.

    pip install torch==2.13.0
    python torch_step.py LAYERS D HEADS VOCABULARY eager|compiled [context=N] [batch=N] [lstm] [reuse=N]

The same model, in the modules that PyTorch has for it: LayerNorm, Linear, scaled_dot_product_attention, GELU in its tanh
form, learned positions and an untied head; torch.nn.LSTM; blocks applied again. Adam is the fused one.
"""
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.manual_seed(0)
LAYERS, D, HEADS, VOCABULARY = map(int, sys.argv[1:5])
MODE, WORDS = sys.argv[5], dict(word.partition("=")[::2] for word in sys.argv[6:])
CONTEXT, BATCH, REUSE = (int(WORDS.get(*default)) for default in [("context", 128), ("batch", 32), ("reuse", 1)])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.qkv, self.proj = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.fc, self.out = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)

    def forward(self, x):
        q, k, v = (z.view(*x.shape[:2], HEADS, -1).transpose(1, 2) for z in self.qkv(self.ln_1(x)).split(D, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(x.shape))
        return x + self.out(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(VOCABULARY, D)
        self.wpe = nn.Parameter(torch.randn(CONTEXT, D) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.ln_f, self.head = nn.LayerNorm(D), nn.Linear(D, VOCABULARY, bias=False)

    def forward(self, x, y):
        h = self.wte(x) + self.wpe
        for _ in range(REUSE):
            for block in self.blocks:
                h = block(h)
        return F.cross_entropy(self.head(self.ln_f(h)).view(-1, VOCABULARY), y.view(-1))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.lstm = nn.Embedding(VOCABULARY, D), nn.LSTM(D, D, LAYERS, batch_first=True)
        self.head = nn.Linear(D, VOCABULARY, bias=False)

    def forward(self, x, y):
        return F.cross_entropy(self.head(self.lstm(self.wte(x))[0]).view(-1, VOCABULARY), y.view(-1))


model = Lstm() if "lstm" in WORDS else Transformer()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
loss_of = torch.compile(model) if MODE == "compiled" else model


def step():
    tokens = torch.randint(0, VOCABULARY // 4, (BATCH, CONTEXT + 1))
    x, y = tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
    began = time.perf_counter()
    loss = loss_of(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    loss.item()
    return time.perf_counter() - began


def product(n):
    """Seconds for a FLOP of a square product."""
    a, b, c = (torch.rand(n, n) for _ in range(3))
    began = time.perf_counter()
    torch.mm(a, b, out=c)
    return (time.perf_counter() - began) / (2 * n**3)


def repeat(seconds, measure):
    began, times = time.perf_counter(), [measure()]
    while time.perf_counter() - began < seconds:
        times.append(measure())
    return sorted(times)


print("ready", flush=True)
for line in sys.stdin:
    what, seconds = line.split()
    if what == "train":
        times = repeat(float(seconds), step)
        print(times[len(times) // 2] * 1e3, flush=True)
    elif what == "peak":
        print(max(1e-9 / min(repeat(float(seconds) / 3, lambda n=n: product(n))) for n in (256, 512, 1024)), flush=True)

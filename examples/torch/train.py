"""A trainer of one's own in thirty lines: next-byte prediction with PyTorch, driven by `scalelaw sweep`."""
import argparse, json, math, pathlib, torch, torch.nn as nn

parser = argparse.ArgumentParser()
for name in ("layers", "width", "heads", "context", "vocab", "batch", "steps", "seed"):
    parser.add_argument("--" + name, type=int, required=True)
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
a = parser.parse_args()

torch.manual_seed(a.seed)
torch.set_num_threads(1)
text = torch.arange(20_000) ** 2 // 7 % a.vocab  # your tokens here
train, test = text[:18_000], text[18_000:]

block = nn.TransformerEncoderLayer(a.width, a.heads, 4 * a.width, dropout=0.0, batch_first=True, norm_first=True)
model = nn.ModuleList([nn.Embedding(a.vocab, a.width), nn.TransformerEncoder(block, a.layers, enable_nested_tensor=False), nn.Linear(a.width, a.vocab)])
mask = nn.Transformer.generate_square_subsequent_mask(a.context)
optimizer = torch.optim.AdamW(model.parameters(), lr=a.lr)

def loss_on(tokens, n):
    start = torch.randint(len(tokens) - a.context - 1, (n,))
    x = torch.stack([tokens[s : s + a.context + 1] for s in start])
    logits = model[2](model[1](model[0](x[:, :-1]), mask=mask, is_causal=True))
    return nn.functional.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten())

for step in range(1, a.steps + 1):
    optimizer.zero_grad(); loss = loss_on(train, a.batch); loss.backward(); optimizer.step()
    if math.log2(step).is_integer() or step == a.steps:
        with torch.no_grad(), open(a.out / "curve.jsonl", "a") as curve:
            row = {"step": step, "train_loss": loss.item(), "test_loss": loss_on(test, 32).item()}
            curve.write(json.dumps(row) + "\n")
(a.out / "trained.json").write_text(json.dumps({"steps": a.steps}))

"""A trained run in Python: its newest checkpoint as Hugging Face's GPT-2 (an LSTM as torch.nn.LSTM), and its test loss there.

    pip install torch==2.13.0 transformers==4.57.1 safetensors==0.8.0
    python load.py RUN_DIR DATA_DIR

Prints the loss that the run has in result.json and the one that PyTorch finds with the same weights on the same windows;
exits with 1 when they differ by more than 1e-5.
"""
import json
import pathlib
import sys
import tomllib

import numpy
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

ACTIVATIONS = dict(gelu="gelu_new", gelu_exact="gelu", relu="relu", silu="silu")


def gpt2(m, tensors):
    block = dict(m.get("block", {}))
    activation = ACTIVATIONS.get(block.pop("feed_forward", "gelu"))
    usual = dict(norm="layer", norm_placement="pre", positions="learned", qk_norm="none", n_kv_head=0)
    if activation is None or {**usual, **block} != usual or m.get("reuse", 1) != 1 or m["d_attn"] != m["d_model"]:
        sys.exit("GPT-2 has no such blocks")
    config = GPT2Config(
        vocab_size=m["n_vocab"], n_positions=m["n_ctx"], n_embd=m["d_model"], n_layer=m["n_layer"], n_head=m["n_head"],
        n_inner=m["d_ff"], activation_function=activation, tie_word_embeddings=m["head"] == "tied",
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    # As the published GPT-2 has them, the tensors are those of the model without its head.
    missing, unknown = model.transformer.load_state_dict({k: v for k, v in tensors.items() if k != "lm_head.weight"}, strict=False)
    assert not unknown and all(name.endswith("attn.bias") for name in missing), (missing, unknown)
    if m["head"] == "untied":
        model.lm_head.weight.data = tensors["lm_head.weight"]
    return lambda x: model(x).logits


def lstm(m, tensors):
    model = torch.nn.LSTM(m["d_model"], m["d_model"], m["n_layer"], batch_first=True)
    for i in range(m["n_layer"]):
        for which in ("ih", "hh"):
            getattr(model, f"weight_{which}_l{i}").data = tensors[f"lstm.{i}.{which}.weight"].T.contiguous()
        getattr(model, f"bias_ih_l{i}").data = tensors[f"lstm.{i}.ih.bias"]
        getattr(model, f"bias_hh_l{i}").data.zero_()
    wte = tensors["wte.weight"]
    head = wte if m["head"] == "tied" else tensors["lm_head.weight"]
    return lambda x: model(wte[x])[0] @ head.T


run, data = map(pathlib.Path, sys.argv[1:])
spec = tomllib.loads((run / "spec.toml").read_text())
result = json.loads((run / "result.json").read_text())
model, n_ctx = spec["model"], spec["model"]["n_ctx"]
newest = max(run.glob("checkpoint-*.safetensors"), key=lambda path: int(path.stem.split("-")[1]))
# Parameters have their own names; moments of the optimiser bear a prefix.
tensors = {name: tensor for name, tensor in load_file(newest).items() if not name.startswith("ada")}
logits = (lstm if model.get("architecture") == "lstm" else gpt2)(model, tensors)

tokens = numpy.fromfile(data / "test.bin", "<u2" if model["n_vocab"] <= 1 << 16 else "<u4").astype("int64")
windows = max(1, min(spec["data"]["test_tokens"], len(tokens) - 1) // n_ctx)
x = torch.from_numpy(tokens[: windows * n_ctx]).view(windows, n_ctx)
y = torch.from_numpy(tokens[1 : windows * n_ctx + 1])
with torch.no_grad():
    total = sum(
        F.cross_entropy(logits(x).flatten(0, 1).double(), y, reduction="sum").item()
        for x, y in zip(x.split(32), y.split(32 * n_ctx))
    )
loss = total / (windows * n_ctx)
print(f"{run.name}: test loss {result['loss']:.7f} here, {loss:.7f} in PyTorch, difference {loss - result['loss']:.1e}")
sys.exit(abs(loss - result["loss"]) > 1e-5)

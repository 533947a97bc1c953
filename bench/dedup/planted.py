"""Near-duplicates planted in real text, and what a corpus build made of them.

    python bench/dedup/planted.py make TEXT.jsonl.zst planted.jsonl [--documents 20000] [--words 0] [--seed 0]
    scalelaw corpus build planted.jsonl --rules none --out out
    python bench/dedup/planted.py check planted.jsonl out

`make` takes whole documents (or, with --words N, pieces of about N words) and copies every tenth with 5 to 20% of its
words replaced by words drawn from the text. `check` counts, of each planted pair, whether at most one is left (recall),
and which of the dropped documents are of such pairs (precision); a text may have
near-duplicates of its own, which count against precision here.
"""

import argparse
import io
import json
import pathlib
import random
import zstandard


def lines(path):
    path = pathlib.Path(path)
    with open(path, "rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) if path.suffix == ".zst" else file
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def pieces(path, words):
    for line in lines(path):
        if not words:
            yield line["text"]
            continue
        text = line["text"].split()
        for at in range(0, len(text) - words + 1, words):
            yield " ".join(text[at : at + words])


def make(arguments):
    rng = random.Random(arguments.seed)
    vocabulary, seen, n = [], set(), 0
    with open(arguments.planted, "w", encoding="utf-8") as out:
        for text in pieces(arguments.text, arguments.words):
            if n == arguments.documents:
                break
            if text in seen or len(text.split()) < 20:
                continue
            seen.add(text)
            words = text.split()
            if len(vocabulary) < 200_000:
                vocabulary.extend(words[:200])
            out.write(json.dumps({"text": text, "n": n}) + "\n")
            if n % 10 == 0:
                changed = rng.uniform(0.05, 0.20)
                for i in rng.sample(range(len(words)), round(changed * len(words))):
                    words[i] = rng.choice(vocabulary)
                out.write(json.dumps({"text": " ".join(words), "n": n, "changed": changed}) + "\n")
            n += 1
    print(n, "documents")


def check(arguments):
    kept = set()
    for path in sorted(pathlib.Path(arguments.out, "documents").glob("*.jsonl.zst")):
        kept.update(line["text"] for line in lines(path))
    originals, copies = {}, {}
    for line in lines(arguments.planted):
        (copies if "changed" in line else originals)[line["n"]] = line
    found = dropped = others = 0
    by_share = {}
    for n, line in originals.items():
        copy = copies.get(n)
        left = (line["text"] in kept) + (copy is not None and copy["text"] in kept)
        dropped += 1 + (copy is not None) - left
        if copy is None:
            others += left == 0
            continue
        share = f"{int(copy['changed'] * 100) // 5 * 5}%"
        hits, all_of = by_share.get(share, (0, 0))
        by_share[share] = (hits + (left <= 1), all_of + 1)
        found += left <= 1
    print(f"{len(copies)} planted, {found} found: recall {found / len(copies):.4f}")
    for share, (hits, all_of) in sorted(by_share.items()):
        print(f"  from {share} changed: {hits} of {all_of}")
    print(f"{dropped} dropped, {others} of them without a planted copy: precision {(dropped - others) / dropped:.4f}")


def main():
    parser = argparse.ArgumentParser()
    actions = parser.add_subparsers(required=True)
    one = actions.add_parser("make")
    one.add_argument("text")
    one.add_argument("planted")
    one.add_argument("--documents", type=int, default=20_000)
    one.add_argument("--words", type=int, default=0)
    one.add_argument("--seed", type=int, default=0)
    one.set_defaults(run=make)
    two = actions.add_parser("check")
    two.add_argument("planted")
    two.add_argument("out")
    two.set_defaults(run=check)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()

"""Near-duplicates planted in real text, and what a corpus build made of them.

    python bench/dedup/planted.py make TEXT.jsonl.zst planted.jsonl [--documents 20000] [--words 0] [--seed 0]
    scalelaw corpus build planted.jsonl --rules none --out out
    python bench/dedup/planted.py check planted.jsonl out

`make` takes whole documents (or, with --words N, pieces of about N words) and copies every tenth with 5 to 20% of its
words replaced by words drawn from the text. `check` counts of how many planted pairs at most one is left (recall), and
which of the dropped documents are of such pairs (precision). A text has near-duplicates of its own: every document that
was dropped without a planted copy (or 1,000 of them) is looked for among all that were kept, by the definition
(2 LCS / (n + m) of the first 2,048 words at least .75) and by code that has nothing in common with the program's: no
signatures, but an index that misses nothing, and another algorithm for the alignment, itself held against the textbook's
table.
"""

import argparse
import collections
import io
import json
import math
import pathlib
import random
import re
import zstandard

SAME_WORDS, COMPARED_WORDS = 0.75, 2048


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


def compared(text):
    return re.findall(r"[^\W_]+", text.lower())[:COMPARED_WORDS]


def common_subsequence(a, b):
    """Length of the longest common subsequence: one bit a word of `a` (Hyyroe 2004), in one large number."""
    places = collections.defaultdict(int)
    for at, word in enumerate(a):
        places[word] |= 1 << at
    every = (1 << len(a)) - 1
    state = every
    for word in b:
        matched = state & places.get(word, 0)
        state = ((state + matched) | (state - matched)) & every
    return len(a) - state.bit_count()


def textbook(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b):
            diagonal, row[j + 1] = row[j + 1], diagonal + 1 if x == y else max(row[j + 1], row[j])
    return row[-1]


def nearest(texts, others):
    """Of each text, the other that has most of its words in order, and how many, if that is enough for the definition.

    A text of n words has at least m = t n / (2 - t) of them in common with a near-duplicate, which so has at least k of any
    n - m + k of them. Of the rarest so many, few others have k: only those are aligned.
    """
    rng = random.Random(0)
    for _ in range(200):
        a, b = ([rng.randrange(5) for _ in range(rng.randrange(90))] for _ in "ab")
        assert common_subsequence(a, b) == textbook(a, b), (a, b)
    bags = [compared(text) for text in texts]
    words_of = [compared(other) for other in others]
    wanted = set().union(*bags)
    frequency = collections.Counter()
    for words in words_of:
        frequency.update(wanted.intersection(words))
    rarest = []
    for bag in bags:
        least = math.ceil(SAME_WORDS * len(bag) / (2 - SAME_WORDS) - 1e-9)
        k = max(1, least // 3)
        rarest.append((k, sorted(bag, key=lambda word: (frequency[word], word))[: len(bag) - least + k]))
    wanted = set().union(*(words for _, words in rarest))
    having = collections.defaultdict(list)
    for number, words in enumerate(words_of):
        for word in wanted.intersection(words):
            having[word].append(number)
    for a, (k, words) in zip(bags, rarest):
        counts = collections.Counter()
        for word in words:
            counts.update(having[word])
        best = (0, None)
        for number, count in counts.items():
            b = words_of[number]
            if count >= k and 2 * min(len(a), len(b)) >= SAME_WORDS * (len(a) + len(b)):
                best = max(best, (2 * common_subsequence(a, b) / (len(a) + len(b)), number))
        yield (best[0], others[best[1]]) if best[0] >= SAME_WORDS else None


def check(arguments):
    kept = set()
    for path in sorted(pathlib.Path(arguments.out, "documents").glob("*.jsonl.zst")):
        kept.update(line["text"] for line in lines(path))
    originals, copies = {}, {}
    for line in lines(arguments.planted):
        (copies if "changed" in line else originals)[line["n"]] = line
    found = dropped = 0
    alone = []
    by_share = {}
    for n, line in originals.items():
        copy = copies.get(n)
        left = (line["text"] in kept) + (copy is not None and copy["text"] in kept)
        dropped += 1 + (copy is not None) - left
        if copy is None:
            if left == 0:
                alone.append(line["text"])
            continue
        # Both of a pair gone: one of them was like a third document.
        alone += [copy["text"]] if left == 0 else []
        share = f"{int(copy['changed'] * 100) // 5 * 5}%"
        hits, all_of = by_share.get(share, (0, 0))
        by_share[share] = (hits + (left <= 1), all_of + 1)
        found += left <= 1
    print(f"{len(copies)} planted, {found} found: recall {found / len(copies):.4f}")
    for share, (hits, all_of) in sorted(by_share.items()):
        print(f"  from {share} changed: {hits} of {all_of}")
    print(f"{dropped} dropped, {len(alone)} of them without a planted copy: precision {1 - len(alone) / dropped:.4f}")
    looked_at = sorted(random.Random(0).sample(alone, min(len(alone), arguments.most)))
    like = list(nearest(looked_at, list(kept)))
    share = sum(one is not None for one in like) / max(1, len(like))
    precision = 1 - (1 - share) * len(alone) / dropped
    print(f"  {share:.4f} of {len(like)} of these are near-duplicates of a document that was kept: precision {precision:.4f}")
    for text, one in sorted(zip(looked_at, like), key=lambda two: two[1][0] if two[1] else 0)[: arguments.show]:
        print(f"  {one[0]:.3f}" if one else "  none", "|", " ".join(text.split())[:100])
        if one:
            print("        |", " ".join(one[1].split())[:100])


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
    two.add_argument("--most", type=int, default=1000, help="of those dropped without a copy look at so many, drawn at random")
    two.add_argument("--show", type=int, default=5, help="so many of those dropped without a copy, the least alike first")
    two.set_defaults(run=check)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()

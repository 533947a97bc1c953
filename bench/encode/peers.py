"""GPT-2 encoding on one thread, in turns: this program, tiktoken and Hugging Face tokenizers (Python packages).

    cargo build --release -p scalelaw-corpus --example encode_speed
    python bench/encode/peers.py target/release/examples/encode_speed TEXT.jsonl.zst GPT2_FILES

Needs `pip install tiktoken tokenizers zstandard`; GPT2_FILES is a folder with OpenAI's `r50k_base.tiktoken`,
`encoder.json` and `vocab.bpe`. Each round is the next 5 MB of the text, each encoder made anew for it;
time is the thread's on a processor.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tiktoken
import tiktoken.load
import tokenizers
import zstandard

ROUND_BYTES, ROUNDS = 5_000_000, 5
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


def rounds(path):
    texts, size, n = [], 0, 0
    with open(path, "rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8"):
            text = json.loads(line)["text"]
            texts.append(text)
            size += len(text.encode())
            if size >= ROUND_BYTES:
                yield texts, size
                texts, size, n = [], 0, n + 1
                if n == ROUNDS:
                    return


def timed(make, texts):
    encode = make()
    start = time.thread_time()
    ids = [encode(text) for text in texts]
    return time.thread_time() - start, sum(map(len, ids))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("text")
    parser.add_argument("gpt2_files")
    arguments = parser.parse_args()

    def make_tiktoken():
        ranks = tiktoken.load.load_tiktoken_bpe(os.path.join(arguments.gpt2_files, "r50k_base.tiktoken"))
        special = {"<|endoftext|>": 50256}
        return tiktoken.Encoding("r50k", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special).encode_ordinary

    def make_tokenizers():
        files = [os.path.join(arguments.gpt2_files, name) for name in ("encoder.json", "vocab.bpe")]
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(*files))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        return lambda text: tokenizer.encode(text, add_special_tokens=False).ids

    speeds = {"tiktoken": [], "tokenizers": []}
    ours = []
    for number, (texts, size) in enumerate(rounds(arguments.text)):
        counts = set()
        for name, make in (("tiktoken", make_tiktoken), ("tokenizers", make_tokenizers)):
            seconds, tokens = timed(make, texts)
            speeds[name].append(size / 1e6 / seconds)
            counts.add(tokens)
        # The program runs all of its rounds in a second; the one of these texts counts.
        output = subprocess.run([arguments.program, arguments.text, "scalelaw"], capture_output=True, text=True, check=True)
        line = output.stdout.splitlines()[number].split()
        assert line[:3] == ["round", str(number), "scalelaw"], line
        ours.append(float(line[3]))
        counts.add(int(line[5]))
        assert len(counts) == 1, counts
    for name, values in [("scalelaw", ours), *speeds.items()]:
        ratio = statistics.median(o / v for o, v in zip(ours, values))
        print(f"{name:12} {statistics.median(values):7.2f} MB/s   scalelaw is {ratio:.1f} times as fast")


main()

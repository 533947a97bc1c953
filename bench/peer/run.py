#!/usr/bin/env python3
"""Times training steps against PyTorch's, interleaved on one core; then two runs on two cores, one run on two threads,
evaluation, memory and start-up. Prints Markdown.

    pip install torch==2.13.0
    cargo build --release -p scalelaw-train --example step_speed && cargo build --release -p scalelaw
    python bench/peer/run.py [--shapes 1x8,2x64] [--pairs 9] [--seconds 0.4] [--target-dir target]

Run it twice: `torch.compile` keeps what it compiled, and the first run only waits for it. `--pairs 1 --seconds 0` does
that and shows that everything works.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# Name: layers, d, heads, vocabulary, words of `step_speed`, ratio to PyTorch and share of peak aimed at.
SHAPES = {
    "1x8": (1, 8, 1, 1024, [], 8, None),
    "1x16": (1, 16, 1, 1024, [], 5, None),
    "2x32": (2, 32, 2, 1024, [], 2.6, 60),
    "2x64": (2, 64, 4, 1024, [], 2, 72),
    "4x128": (4, 128, 4, 1024, [], 1.65, 76),
    "4x256": (4, 256, 4, 1024, [], 1.4, 78),
    "6x384": (6, 384, 6, 8192, ["context=256", "batch=8"], 1.2, 80),
    "lstm": (2, 128, 1, 1024, ["lstm"], 1.5, None),
    "universal": (2, 128, 4, 1024, ["reuse=4"], 1.5, None),
}


class Worker:
    """A process that measures when it is told to, on given cores."""

    def __init__(self, command, cores):
        pin = lambda: os.sched_setaffinity(0, cores)
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin
        )

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended: {self.process.wait()}")
        return line

    def tell(self, what, seconds):
        self.process.stdin.write(f"{what} {seconds}\n")
        self.process.stdin.flush()

    def ask(self, what, seconds):
        self.tell(what, seconds)
        return float(self.line())

    def peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def verdict(value, target):
    return "" if target is None else f"{target} met" if value >= target else f"**{target} missed**"


def measure(name, options):
    layers, d, heads, vocabulary, words, ratio_target, share_target = SHAPES[name]
    sizes = [layers, d, heads, vocabulary]
    step_speed = pathlib.Path(options.target_dir) / "release/examples/step_speed"
    ours_command = [step_speed, *sizes, 0, "serve", *words]
    torch_command = [sys.executable, HERE / "torch_step.py", *sizes]
    ours = Worker(ours_command, {0})
    theirs = {mode: Worker([*torch_command, mode, *words], {0}) for mode in ("eager", "compiled")}
    _, _, footprint, _, flops = ours.line().split()
    for worker in theirs.values():
        worker.line()
    for worker in [ours, *theirs.values()]:
        for _ in range(3):
            worker.ask("train", 0)

    peak = lambda: max(worker.ask("peak", 0.15) for worker in (ours, theirs["eager"]))
    best_product = peak()
    times, evaluations = {"ours": [], "eager": [], "compiled": []}, []
    for _ in range(options.pairs):
        times["ours"].append(ours.ask("train", options.seconds))
        evaluations.append(times["ours"][-1] / ours.ask("evaluate", options.seconds / 4))
        for mode, worker in theirs.items():
            times[mode].append(worker.ask("train", options.seconds))
    best_product = max(best_product, peak())
    for worker in theirs.values():
        worker.end()

    # One run alone, then two at once, each on its core; then one run on two threads.
    rounds = options.pairs // 2 + 1
    other, threads = Worker(ours_command, {1}), None
    other.line()
    if d >= 128 and "lstm" not in words:
        threads = Worker([*ours_command, "threads=2"], {0, 1})
        threads.line()
    both, halves = [], []
    for i in range(rounds + 1):
        alone = ours.ask("train", options.seconds / 2)
        for worker in (ours, other):
            worker.tell("train", options.seconds / 2)
        together = sum(alone / float(worker.line()) for worker in (ours, other))
        half = alone / threads.ask("train", options.seconds / 2) if threads else None
        # The first round warms up the processes that were just begun.
        if i > 0:
            both.append(together)
            halves.append(half)
    memory = ours.peak_mb()
    for worker in filter(None, (ours, other, threads)):
        worker.end()

    median = {kind: statistics.median(values) for kind, values in times.items()}
    peer = min(("eager", "compiled"), key=median.get)
    ratios = {m: [theirs / mine for theirs, mine in zip(times[m], times["ours"])] for m in ("eager", "compiled")}
    context = next((int(w.partition("=")[2]) for w in words if w.startswith("context=")), 128)
    batch = next((int(w.partition("=")[2]) for w in words if w.startswith("batch=")), 32)
    gflops = float(flops) / median["ours"] / 1e6
    share = 100 * gflops / best_product
    against = f"{verdict(statistics.median(ratios[peer]), ratio_target)}"
    share_against = verdict(share, share_target)
    print(
        f"| {name} | {context * batch / median['ours'] * 1e3:.0f} | {spread(ratios['eager'])} | {spread(ratios['compiled'])} "
        f"| {against} | {share:.0f}% of {best_product:.0f} | {share_against} "
        f"| {statistics.median(evaluations):.2f} | {spread(both)} | {spread(halves) if threads else '–'} "
        f"| {memory:.1f} / {int(footprint) / 1e6:.1f} |",
        flush=True,
    )


def start_up(options):
    """Milliseconds of whole processes that train N = 768 for one step and finish."""
    scalelaw = pathlib.Path(options.program or f"{options.target_dir}/release/scalelaw").resolve()
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        (work / "one.toml").write_text(EXPERIMENT)
        subprocess.run([scalelaw, "sweep", work / "one.toml", "--out", work / "made"], check=True, capture_output=True)
        [spec] = (work / "made/runs").glob("*/spec.toml")
        times = []
        for i in range(4 * options.pairs):
            command = [scalelaw, "train", spec, "--data", work / "made/data", "--out", work / str(i)]
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append((time.perf_counter() - began) * 1e3)
    print(f"\nOne step of N = 768, a whole process of `scalelaw train`: {spread(times)} ms.")


EXPERIMENT = """
question = "How long does a run take to start?"
recipe = "nano-1"
[data]
synthetic = 0
max_train_tokens = 100_000
test_tokens = 1024
[[set]]
name = "one"
n_layer = 1
d_model = 8
steps = 1
seeds = [0]
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--target-dir", default=os.environ.get("CARGO_TARGET_DIR", "target"))
    parser.add_argument("--program", help="the scalelaw whose start is timed; default: the target directory's")
    options = parser.parse_args()
    print(
        "| shape | tokens/s | eager / ours | compiled / ours | faster of both | share of peak | | train / evaluate "
        "| two runs | two threads | MB held / footprint |\n|" + "---|" * 11,
        flush=True,
    )
    for name in options.shapes.split(","):
        measure(name, options)
    start_up(options)


if __name__ == "__main__":
    main()

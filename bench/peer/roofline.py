#!/usr/bin/env python3
"""What the processor allows: user cycles and instructions of a training step, ours and PyTorch's, beside the cycles that
its multiply-adds need at two a cycle. Prints Markdown. Needs Linux's `perf`, AVX2 and an idle machine.

    python bench/peer/roofline.py [--shapes 1x8,2x64] [--seconds 2] [--target-dir target]

`share for the target` is PyTorch's share of those multiply-adds times the ratio aimed at: beyond what the best product of
either program reaches, no arrangement of the same multiply-adds can meet it.
"""
import argparse
import os
import pathlib
import subprocess
import sys

from run import HERE, SHAPES

# Multiply-adds of eight lanes, two a cycle.
FLOPS_A_CYCLE = 32


def counted(command, lines):
    """User cycles, instructions and milliseconds of a process that is told these lines; what it answered."""
    done = subprocess.run(
        ["taskset", "-c", "0", "perf", "stat", "-x", ",", "-e", "cycles:u,instructions:u,task-clock:u", *map(str, command)],
        input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
    )
    counts = [line.split(",")[0] for line in done.stderr.splitlines() if line.count(",") > 4]
    if done.returncode or len(counts) != 3:
        sys.exit(f"{command}: {done.stderr}")
    return [float(count) for count in counts], done.stdout.split("\n")


def a_step(command, seconds):
    """Cycles and instructions of a step: a process of many steps less one of few."""
    few = ["train 0"] * 4
    _, answers = counted(command, few)
    # The first line says that it is ready.
    steps = max(2, int(seconds * 1e3 / float(answers[4])))
    (less, _), (more, _) = counted(command, few), counted(command, few + ["train 0"] * steps)
    return [(b - a) / steps for a, b in zip(less, more)][:2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--target-dir", default=os.environ.get("CARGO_TARGET_DIR", "target"))
    options = parser.parse_args()
    step_speed = pathlib.Path(options.target_dir) / "release/examples/step_speed"
    (cycles, _, milliseconds), answers = counted([step_speed, 1, 8, 1, 64, 0, "serve"], ["peak 2"])
    best = float(answers[1]) / (FLOPS_A_CYCLE * cycles / milliseconds / 1e6)
    print(f"The best product reaches {100 * best:.0f}% of two multiply-adds a cycle ({cycles / milliseconds / 1e6:.2f} GHz).\n")
    print(
        "| shape | FLOPs a step | cycles they need | ours: cycles, instructions | share | eager | compiled | target "
        "| share for the target |\n|" + "---|" * 9, flush=True,
    )
    for name in options.shapes.split(","):
        layers, d, heads, vocabulary, words, target, _ = SHAPES[name]
        sizes = [layers, d, heads, vocabulary]
        ours = [step_speed, *sizes, 0, "serve", *words]
        _, [ready, *_] = counted(ours, [])
        flops = float(ready.split()[4])
        needed = flops / FLOPS_A_CYCLE
        cycles, instructions = a_step(ours, options.seconds)
        torch = [sys.executable, HERE / "torch_step.py", *sizes]
        theirs = [a_step([*torch, mode, *words], options.seconds)[0] for mode in ("eager", "compiled")]
        share = target * needed / min(theirs)
        print(
            f"| {name} | {flops / 1e6:.0f}M | {needed / 1e6:.2f}M | {cycles / 1e6:.2f}M, {instructions / 1e6:.2f}M "
            f"| {100 * needed / cycles:.0f}% | {100 * needed / theirs[0]:.0f}% | {100 * needed / theirs[1]:.0f}% "
            f"| {target} | {100 * share:.0f}% |", flush=True,
        )


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What a sweep costs over its runs. usage: bench/sweep/run.py SCALELAW [--no-seconds]"""
import json, os, subprocess, sys, tempfile, time

HEAD = """question = "What does a sweep cost?"
[recipe]
name = "bench-1"
base = "nano-1"
[data]
train_tokens = 100000
test_tokens = 1000
[trainer]
name = "bench-1"
command = "{command}"
[[set]]
name = "A"
n_layer = 1
"""
RESULT = {"outcome": "completed", "steps": 2500, "tokens": 10240000, "loss": 3.2, "loss_se": 0.01, "loss_min": 3.2,
          "best_step": 2500, "train_loss": 3.1, "n_nonembed": 768, "n_total": 9000, "n_matmul": 4864,
          "flops_6n": 4.7e10, "flops_matmul": 3e11, "flops_full": 3.3e11}
TRAINER = """sleep 1
echo '{"step": 1, "test_loss": 4.0}' > "$1/curve.jsonl"
echo '{"steps": 1}' > "$1/trained.json"
"""


def seconds(*command):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main():
    scalelaw, root = sys.argv[1], tempfile.mkdtemp()
    many, out = root + "/many.toml", root + "/many"
    rates = [f"{i}e-3" for i in range(1, 11)]
    with open(many, "w") as file:
        file.write(HEAD.replace("{command}", "true"))
        file.write(f"d_model = {list(range(8, 88, 8))}\nlr = [{', '.join(rates)}]\nseeds = {list(range(100))}\n")
    plan = lambda: seconds(scalelaw, "sweep", "plan", many, "--out", out)
    print(f"plan of 10,000 runs             {plan():.3f} s")
    for line in open(out + "/experiments/many.runs.jsonl"):
        run = f"{out}/runs/{json.loads(line)['run']}"
        os.makedirs(run)
        with open(run + "/result.json", "w") as file:
            json.dump(RESULT, file, indent=2)
    print(f"plan with all of them finished  {plan():.3f} s")
    print(f"status of 10,000 finished runs  {seconds(scalelaw, 'sweep', 'status', out):.3f} s")
    if "--no-seconds" in sys.argv:
        return
    with open(root + "/trainer.sh", "w") as file:
        file.write(TRAINER)
    few = root + "/few.toml"
    with open(few, "w") as file:
        file.write(HEAD.replace("{command}", f"sh {root}/trainer.sh {{run_dir}}"))
        file.write(f"d_model = 8\nseeds = {list(range(500))}\n")
    # 500 runs of a second, eight at a time: 62.5 s of runs for each place.
    took = seconds(scalelaw, "sweep", few, "--out", root + "/few", "--workers", "8")
    print(f"500 runs of 1 s, 8 at a time    {took:.1f} s, {100 * (took / 62.5 - 1):.1f}% over the runs themselves")


main()

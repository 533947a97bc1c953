#!/usr/bin/env python3
"""Whole-process CPU seconds of `scalelaw fit`, on one core: the three targets of the fitting library.

    cargo build --release && bench/fit/speed.py [--table runs_240.csv]

Point fit: all starts, no intervals, less the start-up of the program (`scalelaw --version`), target 5 ms.
Refits: 4,000 Huber bootstrap refits of the Chinchilla law, start-up included, target 1 s.
Curves: 1,000,000 rows of learning curves loaded from CSV and fitted with L(N, S), target 3 s.
Without --table the 240 runs are simulated from the published constants.
"""
import argparse, math, os, random, resource, statistics, subprocess, sys, tempfile

def cpu(command, repeats):
    """Median user + system seconds of the children."""
    times = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "RAYON_NUM_THREADS": "1"})
        if done.returncode not in (0, 3):
            sys.exit(f"{' '.join(command)}: {done.stderr.decode()}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times)

def simulated_runs(path):
    rng = random.Random(1)
    with open(path, "w") as f:
        f.write("C,N,D,loss\n")
        for _ in range(240):
            n, d = 10 ** rng.uniform(7.8, 10.2), 10 ** rng.uniform(9.0, 11.7)
            loss = (1.8172 + 482.01 / n**0.3478 + 2085.43 / d**0.3658) * math.exp(rng.gauss(0, 0.007))
            f.write(f"{6*n*d!r},{n!r},{d!r},{loss!r}\n")

def simulated_curves(path, rows=1_000_000):
    rng = random.Random(2)
    with open(path, "w") as f:
        f.write("run_id,n_nonembed,step,test_loss\n")
        runs = 200
        for r in range(runs):
            n = 1e4 * 1.06**r
            for k in range(rows // runs):
                s = 50 * (k + 1)
                loss = ((6.5e13 / n) ** 0.077 + (2.1e3 / s) ** 0.76) * math.exp(rng.gauss(0, 0.005))
                f.write(f"run{r},{n:.0f},{s},{loss:.6f}\n")

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/scalelaw")
    parser.add_argument("--table", help="CSV with N, D and loss")
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as dir:
        table = args.table
        if not table:
            table = os.path.join(dir, "runs.csv")
            simulated_runs(table)
        curves = os.path.join(dir, "curves.csv")
        simulated_curves(curves)
        fit = [args.program, "fit"]
        start = cpu([args.program, "--version"], 4 * args.repeats)
        huber = ["--objective", "huber", "--delta", "1e-3", "--json"]
        point = cpu(fit + ["chinchilla", table] + huber + ["--interval", "none"], 4 * args.repeats)
        refits = cpu(fit + ["chinchilla", table] + huber + ["--interval", "bootstrap", "--bootstrap", "4000"], args.repeats)
        rows = cpu(fit + ["ns", curves, "--interval", "none", "--json"], 3)
    print(f"start-up                      {1e3*start:8.1f} ms")
    print(f"point fit beyond start-up     {1e3*(point-start):8.1f} ms   target    5 ms")
    print(f"4,000 Huber refits            {1e3*refits:8.0f} ms   target 1000 ms")
    print(f"1,000,000 curve rows, L(N,S)  {1e3*rows:8.0f} ms   target 3000 ms")

if __name__ == "__main__":
    main()

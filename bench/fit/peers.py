#!/usr/bin/env python3
"""What Python tools take for the same fit: CPU seconds in one process, one thread (OMP_NUM_THREADS=1).

    pip install numpy scipy chinchilla==0.2.0
    OMP_NUM_THREADS=1 bench/fit/peers.py runs_240.csv

scipy: the method of Epoch's notebook, L-BFGS-B with numeric gradients from some of the 4,500 starts.
chinchilla 0.2.0: its own API and README grid, when installed. A peer that is not installed is said so.
"""
import csv, itertools, math, random, sys, time

def points(path):
    with open(path) as f:
        rows = list(csv.DictReader(f))
    return [[float(r[k]) for r in rows] for k in ("N", "D", "loss")]

def scipy_starts(n, d, loss, starts=90):
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import logsumexp
    ln_n, ln_d, ln_l = (np.log(v) for v in (n, d, loss))
    def objective(p):
        a, b, e, alpha, beta = p
        r = logsumexp([a - alpha * ln_n, b - beta * ln_d, np.full_like(ln_n, e)], axis=0) - ln_l
        return np.where(np.abs(r) <= 1e-3, 0.5 * r * r, 1e-3 * (np.abs(r) - 5e-4)).sum()
    grid = list(itertools.product(range(0, 30, 5), range(0, 30, 5), (-1, -.5, 0, .5, 1), (0, .5, 1, 1.5, 2), (0, .5, 1, 1.5, 2)))
    chosen = random.Random(0).sample(grid, starts)
    begin = time.process_time()
    best = min((minimize(objective, s, method="L-BFGS-B") for s in chosen), key=lambda o: o.fun)
    spent = time.process_time() - begin
    a, b, e, alpha, beta = best.x
    print(f"scipy L-BFGS-B, {starts} starts: {spent:.2f} s, {spent/starts*1e3:.1f} ms a start => {spent/starts*4500:.0f} s for 4,500")
    print(f"  objective {best.fun:.13f} E {math.exp(e):.5f} A {math.exp(a):.2f} B {math.exp(b):.2f} alpha {alpha:.5f} beta {beta:.5f}")

def chinchilla_api(path):
    import tempfile, os, shutil
    from chinchilla import Chinchilla
    import numpy as np
    with tempfile.TemporaryDirectory() as dir:
        shutil.copy(path, os.path.join(dir, "df.csv"))
        grid = dict(E=np.linspace(1, 2, 3), a=np.linspace(1, 10, 3), b=np.linspace(1, 10, 3),
                    alpha=np.linspace(.1, .7, 3), beta=np.linspace(.1, .7, 3))
        cc = Chinchilla(dir, param_grid=grid, seed_ranges=dict(C=(1e18, 1e22), N_to_D=(1, 100)))
        begin = time.process_time()
        cc.fit(parallel=False)
        spent = time.process_time() - begin
    print(f"chinchilla 0.2.0, 243 starts, its default loss: {spent:.1f} s, {spent/243*1e3:.1f} ms a start")

def main():
    path = sys.argv[1]
    for name, peer in (("scipy", lambda: scipy_starts(*points(path))), ("chinchilla", lambda: chinchilla_api(path))):
        try:
            peer()
        except ImportError as missing:
            print(f"{name}: not installed ({missing})")

if __name__ == "__main__":
    main()

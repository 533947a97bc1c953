#!/usr/bin/env python3
"""The contest of forecasts: the cheap runs of each table forecast the dear ones.

    bench/forecast/contest.py rows.csv [--cut 0.7] [--tables]
    bench/forecast/contest.py rules.csv [--cut 0.7] --halves

`rows.csv` is what the example `forecast_contest` of scalelaw-fit prints. Of each method: mean |relative error|, the share of
runs inside their 95% interval, and the interval score (Gneiting & Raftery 2007, equation 43) in per cent of the loss, as
means over the runs of a table, then over tables. With --halves, the rule with the lowest mean interval score on every second
table by name is judged on the others, and the other way round.
"""
import argparse
import csv
import math
import statistics
from collections import defaultdict


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("rows")
    arguments.add_argument("--cut", default="0.7")
    arguments.add_argument("--tables", action="store_true", help="a line a table")
    arguments.add_argument("--halves", action="store_true", help="choose on half of the tables, judge on the others, swap")
    arguments = arguments.parse_args()
    scored = defaultdict(list)
    with open(arguments.rows, newline="") as rows:
        for row in csv.DictReader(rows):
            if row["cut"] != arguments.cut:
                continue
            said, seen = float(row["forecast"]), float(row["observed"])
            lo, hi = float(row["lo"]), float(row["hi"])
            miss = max(0.0, math.log(lo / seen), math.log(seen / hi)) if 0 < lo and 0 < hi else math.inf
            score = math.log(hi / lo) + 40 * miss if math.isfinite(miss) else math.nan
            scored[row["method"], row["table"]].append(
                (100 * abs(said / seen - 1), lo <= seen <= hi, 100 * score, float(row["seconds"]))
            )
    methods = list(dict.fromkeys(method for method, _ in scored))
    names = sorted({table for _, table in scored})
    # Only tables that every method could be fitted to.
    names = [name for name in names if all((method, name) in scored for method in methods)]
    if arguments.halves:
        return halves(methods, names, scored)
    print(f"{len(names)} tables, cut {arguments.cut}\n")
    print("| method | mean error | median | worst | inside 95%: runs | tables | least | below .75 | interval score | median | best in |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")

    def of(method, name, what):
        return statistics.mean(row[what] for row in scored[method, name])

    best = {name: min(methods, key=lambda method: of(method, name, 2)) for name in names}
    for method in methods:
        error, inside, score = ([of(method, name, what) for name in names] for what in range(3))
        runs = [row[1] for name in names for row in scored[method, name]]
        print(
            f"| {method} | {statistics.mean(error):.2f}% | {statistics.median(error):.2f}% | {max(error):.2f}% "
            f"| {statistics.mean(runs):.3f} | {statistics.mean(inside):.3f} | {min(inside):.2f} "
            f"| {sum(share < 0.75 for share in inside)} | {statistics.mean(score):.1f}% | {statistics.median(score):.1f}% "
            f"| {sum(winner == method for winner in best.values())} |"
        )
    if arguments.tables:
        print("\n| table | runs | " + " | ".join(methods) + " |\n|---|---|" + "---|" * len(methods))
        for name in names:
            cells = [f"{of(m, name, 0):.2f}% · {of(m, name, 1):.2f} · {of(m, name, 2):.1f}%" for m in methods]
            print(f"| {name} | {len(scored[methods[0], name])} | " + " | ".join(cells) + " |")



def halves(methods, names, scored):
    def of(method, tables, what):
        return [statistics.mean(row[what] for row in scored[method, name]) for name in tables]

    judged = []
    print("| chosen on | rule | its score there | judged on | mean error | median | inside 95% | below .75 | interval score |")
    print("|---|---|---|---|---|---|---|---|---|")
    for first in range(2):
        chosen_on, judged_on = names[first::2], names[1 - first :: 2]
        rule = min(methods, key=lambda method: statistics.mean(of(method, chosen_on, 2)))
        error, inside, score = (of(rule, judged_on, what) for what in range(3))
        judged += [(name, rule) for name in judged_on]
        print(
            f"| {len(chosen_on)} tables | {rule} | {statistics.mean(of(rule, chosen_on, 2)):.1f}% | {len(judged_on)} others "
            f"| {statistics.mean(error):.2f}% | {statistics.median(error):.2f}% | {statistics.mean(inside):.3f} "
            f"| {sum(share < 0.75 for share in inside)} | {statistics.mean(score):.1f}% |"
        )
    error, inside, score = ([of(rule, [name], what)[0] for name, rule in judged] for what in range(3))
    runs = [row[1] for name, rule in judged for row in scored[rule, name]]
    print(
        f"\nall tables by the rule chosen on the others: mean error {statistics.mean(error):.2f}%, median "
        f"{statistics.median(error):.2f}%, inside 95%: {statistics.mean(runs):.3f} of runs, {statistics.mean(inside):.3f} of "
        f"tables, least {min(inside):.2f}, {sum(share < 0.75 for share in inside)} tables below .75; interval score "
        f"{statistics.mean(score):.1f}%"
    )


main()

#!/usr/bin/env python3
"""The contest of forecasts: the cheap runs of each table forecast the dear ones.

    bench/forecast/contest.py rows.csv [--cut 0.7] [--tables]
    bench/forecast/contest.py rules.csv [--cut 0.7] --halves

`rows.csv` is what the example `forecast_contest` of scalelaw-fit prints. Of each method: mean |relative error|, the share of
runs inside their 95% interval, and the interval score (Gneiting & Raftery 2007, equation 43) in per cent of the loss, as
means over the runs of a table, then over tables. With --halves, the rule with the lowest mean interval score among those
whose 95% hold 93% on every second table by name is judged on the other tables, and the other way round.
"""
import argparse
import csv
import math
import statistics
from collections import defaultdict


def grade(row):
    """Error in per cent, whether the interval holds, interval score in per cent, seconds."""
    said, seen = float(row["forecast"]), float(row["observed"])
    lo, hi = float(row["lo"]), float(row["hi"])
    miss = max(0.0, math.log(lo / seen), math.log(seen / hi)) if 0 < lo and 0 < hi else math.inf
    score = math.log(hi / lo) + 40 * miss if math.isfinite(miss) else math.nan
    return 100 * abs(said / seen - 1), lo <= seen <= hi, 100 * score, float(row["seconds"])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("rows")
    arguments.add_argument("--cut", default="0.7")
    arguments.add_argument("--tables", action="store_true", help="a line a table")
    arguments.add_argument("--halves", action="store_true", help="choose on half of the tables, judge on the others, swap")
    arguments = arguments.parse_args()
    with open(arguments.rows, newline="") as rows:
        rows = list(csv.DictReader(rows))
    if arguments.halves:
        return halves(rows, arguments.cut)
    scored = defaultdict(list)
    for row in rows:
        if row["cut"] == arguments.cut:
            scored[row["method"], row["table"]].append(grade(row))
    methods = list(dict.fromkeys(method for method, _ in scored))
    names = sorted({table for _, table in scored})
    # Only tables that every method could be fitted to.
    names = [name for name in names if all((method, name) in scored for method in methods)]
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



def halves(rows, cut):
    scored = defaultdict(list)
    for row in rows:
        scored[row["method"], row["table"], row["cut"]].append(grade(row))
    methods = list(dict.fromkeys(method for method, _, _ in scored))
    names = sorted({table for _, table, _ in scored})
    cuts = sorted({cut for _, _, cut in scored})

    def of(method, tables, what, cuts=cuts):
        places = [(method, table, cut) for table in tables for cut in cuts if (method, table, cut) in scored]
        return [statistics.mean(row[what] for row in scored[place]) for place in places]

    judged = []
    for first in range(2):
        chosen_on, judged_on = names[first::2], names[1 - first :: 2]
        # The lowest interval score among the rules that hold what they say; else the one that holds most.
        holds = {method: statistics.mean(of(method, chosen_on, 1)) for method in methods}
        sound = [method for method in methods if holds[method] >= 0.93] or [max(methods, key=holds.get)]
        rule = min(sound, key=lambda method: statistics.mean(of(method, chosen_on, 2)))
        judged += [(rule, name) for name in judged_on if (rule, name, cut) in scored]
        print(f"chosen on {len(chosen_on)} tables at every cut: {rule}; there {holds[rule]:.3f} inside")
    error, inside, score = ([of(rule, [name], what, [cut])[0] for rule, name in judged] for what in range(3))
    runs = [row[1] for rule, name in judged for row in scored[rule, name, cut]]
    print(
        f"{len(judged)} tables by the rule chosen on the others, cut {cut}: mean error {statistics.mean(error):.2f}%, median "
        f"{statistics.median(error):.2f}%, inside 95%: {statistics.mean(runs):.3f} of runs, {statistics.mean(inside):.3f} of "
        f"tables, least {min(inside):.2f}, {sum(share < 0.75 for share in inside)} tables below .75; interval score "
        f"{statistics.mean(score):.1f}%"
    )


main()

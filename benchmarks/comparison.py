"""The study behind chapter 09: six optimizers, two networks, two schedules, learning rates tuned alike, fresh seeds.

    python benchmarks/comparison.py                          # the verdicts of the stored results
    python benchmarks/comparison.py --run work.jsonl         # the whole study, 110 minutes of a CPU; resumable
    python benchmarks/comparison.py --run work.jsonl --write utils/comparison.csv

Every trial is one training of five epochs. First each optimizer is tried at each learning rate of one grid, with three
seeds, and scored on the validation images. With a learning rate that falls linearly to 0, what is far from the best is
left out, by one rule for all: the search begins with the rate that was best when constant and the next two above it,
and goes on at either end until the best of those tried lies inside. (With a constant rate the rule would change no
choice, since the best of a grid is the best of any part around it.)

Then the best learning rate of each gets twelve seeds that took no part in that choice: with a constant rate they are
scored on the test images, and Keras' default too; with both schedules, and twelve more seeds, on held-out images, which
no score was taken on before. What the held-out images are asked was written down before they were scored:

1. Do the three optimizers with adaptive learning rates, as a group, lead the other three? On two networks with two
   schedules: four sign-flip tests, adjusted by Holm's method.
2. Which of the 15 pairs differ? Holm's method within each of the four tables.
3. Does the decay lift an optimizer's accuracy, each schedule at its own best rate? Twelve tests, adjusted likewise.

With a constant rate and the test images the study is made twice, with other seeds ("first", "second"); "AVX2" computes
the first one's final trials there again, as an older processor would. ``--only`` runs some of these. Trials run on
all cores, one to a core. One of the dense network was measured at 1.5 to 2.5 seconds, one of the other at 3.4 to 4.6.
"""

import argparse
import itertools
import os
import subprocess
import sys
from pathlib import Path

import joblib
import pandas as pd

TUNING_SEEDS = range(3)
#: Where the final trials are scored, with which seeds, and with which schedules.
FINAL_SEEDS = {"test": range(100, 112), "held-out": range(200, 212)}
FINALS = {"test": ("constant",), "held-out": ("constant", "decay")}
#: By run: what is added to every seed, the schedules that are tuned, and where the final trials are scored.
RUNS = {
    "first": (0, ("constant", "decay"), ("test", "held-out")),
    "second": (1000, ("constant",), ("test",)),
    "AVX2": (0, (), ("test",)),
}
OLDER = {"ONEDNN_MAX_CPU_ISA": "AVX2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}
ROUNDING = {"accuracy": 5, "loss": 4, "train_loss": 4}
COLUMNS = ["run", "network", "optimizer", "schedule", "learning_rate", "seed", "scored_on"]


def windows(begin, tried, grid):
    """Return the learning rates that a search is to try next, with those that it has tried, for each pair.

    Parameters
    ----------
    begin : mapping
        By network and optimizer, the learning rate at which the search begins, with the next two above it.
    tried : pandas.DataFrame or None
        The tuning trials so far. Where the best is the lowest or the highest, one more rate is added at that end.
    grid : sequence of float
    """
    means = None if tried is None else tried.groupby(["network", "optimizer", "learning_rate"])["accuracy"].mean()
    found = {}
    for pair, rate in dict(begin).items():
        low = grid.index(rate)
        high = min(low + 2, len(grid) - 1)
        if means is not None:
            some = means[pair].sort_index()
            low, high, best = (grid.index(each) for each in (some.index[0], some.index[-1], some.idxmax()))
            if best == low:
                low = max(low - 1, 0)
            elif best == high:
                high = min(high + 1, len(grid) - 1)
        found[pair] = grid[low : high + 1]
    return found


def run(path, jobs=-1, label="first"):
    """Run what is left of one run of the study, keep each result in ``path``, and return the table of all."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # the worker processes inherit it: one trial to a core
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from utils.comparison import (
        LEARNING_RATES,
        NETWORKS,
        OPTIMIZERS,
        chosen_learning_rates,
        default_learning_rate,
        load_results,
        trial,
    )
    from utils.sweep import grid, sweep

    seed_base, schedules, scored_on = RUNS[label]
    tables, chosen = [], {}

    def tuned(rates, schedule):
        """Return the tuning trials of each pair at its learning rates."""
        shared = {"schedule": [schedule], "seed": [seed_base + seed for seed in TUNING_SEEDS]}
        settings = []
        for (network, optimizer), some in rates.items():
            one = {"network": [network], "optimizer": [optimizer], "learning_rate": some}
            settings += grid(**one, **shared, scored_on=["validation"])
        return sweep(trial, settings, path, progress=True)

    with joblib.parallel_config("loky", n_jobs=jobs):
        for schedule in schedules:
            if schedule == "constant":
                rates = dict.fromkeys(itertools.product(NETWORKS, OPTIMIZERS), LEARNING_RATES)
                table = tuned(rates, schedule)
            else:
                rates, table = {}, None
                while rates != (rates := windows(chosen["constant"], table, LEARNING_RATES)):
                    table = tuned(rates, schedule)
            tables.append(table)
            chosen[schedule] = chosen_learning_rates(table)
        if not schedules:  # the learning rates are those that the stored first run chose
            stored = load_results()
            stored = stored[(stored["run"] == "first") & (stored["scored_on"] == "validation")]
            chosen = {name: chosen_learning_rates(tuning) for name, tuning in stored.groupby("schedule")}
        settings = []
        for images in scored_on:
            seeds = [seed_base + seed for seed in FINAL_SEEDS[images]]
            for schedule in FINALS[images]:
                for (network, optimizer), best in chosen[schedule].items():
                    rates = sorted({best, default_learning_rate(optimizer)} if images == "test" else {best})
                    one = {"network": [network], "optimizer": [optimizer], "schedule": [schedule]}
                    settings += grid(**one, learning_rate=rates, seed=seeds, scored_on=[images])
        tables.append(sweep(trial, settings, path, progress=True))
    return pd.concat(tables, ignore_index=True)


def run_all(path, jobs, labels):
    """Run each run that is asked for, each with a file of its own, and return the table of all."""
    tables = []
    for label in labels:
        file = path.with_suffix(f".{label}{path.suffix}")
        if label == "AVX2" and not OLDER.items() <= os.environ.items():
            # What a processor may use is read once, when TensorFlow starts: another process has to start it.
            command = [sys.executable, __file__, "--run", path, "--jobs", str(jobs), "--only", label, "--quiet"]
            subprocess.run(command, env=os.environ | OLDER, check=True)
        table = run(file, jobs, label)  # after the other process, this only reads its file
        table.insert(0, "run", label)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True).round(ROUNDING)
    by_epoch = [name for name in table.columns if name.startswith("after_")]
    table.loc[table["scored_on"] != "held-out", by_epoch] = float("nan")  # nobody asks, and the file stays small
    return table[COLUMNS + [name for name in table.columns if name not in COLUMNS]]


def report(table):
    """Print, for each run, network and schedule of a table, the learning rates, the final scores and the verdicts."""
    from utils.comparison import (
        LEARNING_RATES,
        OPTIMIZERS,
        chosen_learning_rates,
        default_learning_rate,
        final_scores,
        good_range,
        verdicts,
    )

    defaults = {name: default_learning_rate(name) for name in OPTIMIZERS}
    chosen = {}  # a run without a tuning part took the learning rates of the one before it
    for (label, network, schedule), trials in table.groupby(["run", "network", "schedule"], sort=False):
        print(f"\n=== run {label}, {network} network, {schedule} learning rate")
        tuning = trials[trials["scored_on"] == "validation"]
        if not tuning.empty:
            chosen[network, schedule] = chosen_learning_rates(tuning)[network]
            means = tuning.groupby(["learning_rate", "optimizer"])["accuracy"].mean().unstack()
            print("\nTuning: mean validation accuracy in %")
            print((100 * means).reindex(LEARNING_RATES)[list(OPTIMIZERS)].round(2).to_string())
            for name in OPTIMIZERS if schedule == "constant" else ():  # else what lies outside was not tried
                ranges = [good_range(means[name], margin) for margin in (0.01, 0.03)]
                words = [f"{low:g} to {high:g}, a factor of {high / low:g}" for low, high in ranges]
                print(f"{name:9} within 1 point of its best from {words[0]}; within 3 from {words[1]}")
        for images in [name for name in FINAL_SEEDS if (trials["scored_on"] == name).any()]:
            judged = {"its best learning rate": chosen[network, schedule]}
            if images == "test":
                judged["Keras' default"] = defaults
            for what, rates in judged.items():
                scores = 100 * final_scores(trials, rates, images)
                print(f"\nEach optimizer at {what}: accuracy in % on the {images} images over {len(scores)} seeds")
                summary = scores.agg(["mean", "std", "min", "max"]).T.round(2)
                summary.insert(0, "learning_rate", pd.Series(dict(rates)))
                print(summary.to_string())
                print(verdicts(scores).sort_values("p").round(4).to_string())


def main():
    """Run the study if asked to, and print its verdicts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", type=Path, metavar="FILE", help="run the study; keep its trials in files of this name as they come"
    )
    parser.add_argument("--jobs", type=int, default=-1, help="processes to run (default: one for each core)")
    parser.add_argument("--only", choices=RUNS, nargs="+", default=list(RUNS), help="run these (default: all)")
    parser.add_argument("--write", type=Path, metavar="CSV", help="write the table, in place of rows of these runs")
    parser.add_argument("--quiet", action="store_true", help="run, and print no verdicts")
    parser.add_argument(
        "--verdicts", type=Path, metavar="CSV", help="print the verdicts of this table, not the stored one"
    )
    arguments = parser.parse_args()
    if not arguments.run:
        from utils.comparison import load_results

        return report(pd.read_csv(arguments.verdicts) if arguments.verdicts else load_results())
    table = run_all(arguments.run, arguments.jobs, arguments.only)
    if arguments.write:
        others = pd.read_csv(arguments.write) if arguments.write.exists() else table.iloc[:0]
        others = others[~others["run"].isin(arguments.only)]
        pd.concat([others, table]).to_csv(arguments.write, index=False)
    if not arguments.quiet:
        report(table)


if __name__ == "__main__":
    main()

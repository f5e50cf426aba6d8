"""The study behind chapter 09: six optimizers, two networks, learning rates tuned alike, then fresh seeds.

    python benchmarks/comparison.py                          # the verdicts of the stored results
    python benchmarks/comparison.py --run work.jsonl         # the whole study, about 45 minutes of a CPU; resumable
    python benchmarks/comparison.py --run work.jsonl --write utils/comparison.csv --label first

Every trial is one training of five epochs. First each optimizer is tried at each learning rate of one grid, with three
seeds, and scored on the validation images. Then the best learning rate of each, and Keras' default, get twelve seeds
that took no part in that choice, and are scored on the test images. ``--seed-base`` moves all seeds. With
``--final-only``, the learning rates are those that the first stored run chose, and only the second part runs.

Trials run on all cores, one to a core. A computer with an older CPU can be played on any with an x86 processor:

    ONEDNN_MAX_CPU_ISA=AVX2 XLA_FLAGS=--xla_cpu_max_isa=AVX2 python benchmarks/comparison.py ...
"""

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd

TUNING_SEEDS, FINAL_SEEDS = range(3), range(100, 112)
ROUNDING = {"accuracy": 5, "loss": 4, "train_loss": 4}


def run(path, jobs, seed_base, final_only):
    """Run what is left of the study, keep each result in ``path``, and return the table of all."""
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

    pairs = {"network": list(NETWORKS), "optimizer": list(OPTIMIZERS)}
    with joblib.parallel_config("loky", n_jobs=jobs):
        if final_only:
            stored = load_results()
            tuning = stored[(stored["run"] == "first") & (stored["scored_on"] == "validation")]
            tables = []
        else:
            seeds = [seed_base + seed for seed in TUNING_SEEDS]
            settings = grid(**pairs, learning_rate=LEARNING_RATES, seed=seeds, scored_on=["validation"])
            tuning = sweep(trial, settings, path, progress=True)
            tables = [tuning]
        chosen = chosen_learning_rates(tuning)
        seeds = [seed_base + seed for seed in FINAL_SEEDS]
        settings = []
        for (network, optimizer), best in chosen.items():
            rates = sorted({best, default_learning_rate(optimizer)})
            settings += grid(
                network=[network], optimizer=[optimizer], learning_rate=rates, seed=seeds, scored_on=["test"]
            )
        tables.append(sweep(trial, settings, path, progress=True))
    return pd.concat(tables, ignore_index=True)


def report(table):
    """Print, for each run and network of a table, the learning rates, the final scores and the verdicts."""
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
    for (label, network), trials in table.groupby(["run", "network"], sort=False):
        print(f"\n=== run {label}, {network} network")
        tuning = trials[trials["scored_on"] == "validation"]
        if not tuning.empty:
            chosen[network] = chosen_learning_rates(tuning)[network]
            means = tuning.groupby(["learning_rate", "optimizer"])["accuracy"].mean().unstack()
            print("\nTuning: mean validation accuracy in %")
            print((100 * means).reindex(LEARNING_RATES)[list(OPTIMIZERS)].round(2).to_string())
            for name in OPTIMIZERS:
                ranges = [good_range(means[name], margin) for margin in (0.01, 0.03)]
                words = [f"{low:g} to {high:g}, a factor of {high / low:g}" for low, high in ranges]
                print(f"{name:9} within 1 point of its best from {words[0]}; within 3 from {words[1]}")
        for what, rates in (("its best learning rate", chosen[network]), ("Keras' default", defaults)):
            scores = 100 * final_scores(trials, rates)
            print(f"\nEach optimizer at {what}: test accuracy in % over {len(scores)} seeds")
            summary = scores.agg(["mean", "std", "min", "max"]).T.round(2)
            summary.insert(0, "learning_rate", pd.Series(dict(rates)))
            print(summary.to_string())
            print(verdicts(scores).sort_values("p").round(4).to_string())


def main():
    """Run the study if asked to, and print its verdicts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", type=Path, metavar="FILE", help="run the study; keep its trials in this file as they come"
    )
    parser.add_argument("--jobs", type=int, default=-1, help="processes to run (default: one for each core)")
    parser.add_argument("--seed-base", type=int, default=0, help="added to every seed (default 0)")
    parser.add_argument(
        "--final-only", action="store_true", help="take the stored learning rates, run only fresh seeds"
    )
    parser.add_argument("--label", default="first", help="the name of this run in the written table")
    parser.add_argument("--write", type=Path, metavar="CSV", help="write the table, in place of rows with this label")
    parser.add_argument(
        "--verdicts", type=Path, metavar="CSV", help="print the verdicts of this table, not the stored one"
    )
    arguments = parser.parse_args()

    if arguments.run is None:
        from utils.comparison import load_results

        return report(pd.read_csv(arguments.verdicts) if arguments.verdicts else load_results())
    table = run(arguments.run, arguments.jobs, arguments.seed_base, arguments.final_only)
    table.insert(0, "run", arguments.label)
    table = table.round(ROUNDING)
    if arguments.write:
        others = pd.read_csv(arguments.write) if arguments.write.exists() else table.iloc[:0]
        others = others[others["run"] != arguments.label]
        pd.concat([others, table]).to_csv(arguments.write, index=False)
    report(table)


if __name__ == "__main__":
    main()

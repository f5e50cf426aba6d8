"""The study behind chapter 11: the rules that came after Adam, put through the trials of chapter 09.

    python -m benchmarks.beyond_adam                      # the verdicts of the stored results
    python -m benchmarks.beyond_adam --run work.jsonl     # the whole study, about 25 minutes of a CPU; resumable
    python -m benchmarks.beyond_adam --run work.jsonl --write utils/beyond_adam.csv

Network, images, seeds and both schedules are those of ``benchmarks/comparison.py``, so its stored trials of SGD,
Momentum and Adam stand beside these, pair by pair; the convolutional network is left out, for its time. Every rule is
tuned with one seed on the validation images, by one search: it begins with Keras' default learning rate and the next
two above it (with decay, with the rate that was best when constant), and goes on at either end until the best of those
tried lies inside. The grid is that of chapter 09, from 0.00001 to 20. One seed in place of three is for the time, too;
by that seed alone chapter 09 would have chosen the same rates for its six rules. AdamW keeps the learning rate that was
chosen for Adam and tries four strengths of its decay. Schedule-Free has no schedule: it runs at a constant rate alone.

Then each gets twelve fresh seeds and is scored on the held-out images. No choice has seen these, and no score of these
rules had been taken there when the questions were written down:

1. Which rules differ from Adam at the same schedule? Seven tests at a constant rate, six with decay.
2. Does Schedule-Free at a constant rate differ from Adam with decay? One more.

Fourteen sign-flip tests, adjusted together by Holm's method. Whatever else is asked of the numbers is exploratory. So
is the control AdamEMA, Adam at a constant rate with a running mean of its weights as the result, which was added when
the scores of Schedule-Free were known.

The trials run in one process, Muon's with decay last, for they take the longest. ``--only Lion Muon/constant`` runs
some of the pairs of rule and schedule, with decay only beside the constant rate, which its search begins at. A trial
was measured at 2.5 to 4 seconds of a CPU, one of Muon at 21.
"""

import argparse
import os
from pathlib import Path

import pandas as pd

TUNING_SEEDS, FINAL_SEEDS = range(1), range(200, 212)
LOWER_RATES, HIGHER_RATES = (0.00001, 0.00002, 0.00005), (5.0, 10.0, 20.0)
DECAYS = (0.004, 0.02, 0.1, 0.5)
#: In this order, so that a study that has to end early has what the chapter is about.
ORDER = ("ScheduleFreeAdamW", "Lion", "AdamW", "Muon", "Nadam", "Adamax", "Adadelta")
#: Runs after the others, and is in none of the comparisons that were written down.
CONTROL = "AdamEMA"
WITHOUT_SCHEDULE = ("ScheduleFreeAdamW", CONTROL)
ROUNDING = {"accuracy": 5, "loss": 4, "train_loss": 4}
COLUMNS = ["optimizer", "schedule", "learning_rate", "weight_decay", "seed", "scored_on"]


def pairs():
    """Return the pairs of rule and schedule, in the order in which they are run."""
    every = [(name, schedule) for name in (*ORDER, CONTROL) for schedule in ("constant", "decay")]
    every = [(name, schedule) for name, schedule in every if schedule == "constant" or name not in WITHOUT_SCHEDULE]
    return sorted(every, key=lambda pair: pair == ("Muon", "decay"))


def run(path, only):
    """Run what is left of these pairs, keep each result in ``path``, and return the table of their trials."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.comparison import windows
    from utils.comparison import (
        LEARNING_RATES,
        chosen_learning_rates,
        default_learning_rate,
        load_results,
        trial,
    )
    from utils.sweep import grid, sweep

    rates = LOWER_RATES + LEARNING_RATES + HIGHER_RATES
    stored = load_results()
    stored = stored[(stored["run"] == "first") & (stored["scored_on"] == "validation")]
    of_adam = {name: chosen_learning_rates(each)["dense", "Adam"] for name, each in stored.groupby("schedule")}
    tables = []

    def trials(name, schedule, learning_rates, seeds, scored_on, **more):
        one = {"network": ["dense"], "optimizer": [name], "schedule": [schedule], "learning_rate": learning_rates}
        return sweep(trial, grid(**one, **more, seed=seeds, scored_on=[scored_on]), path, progress=True)

    begin = {name: max(rate for rate in rates if rate <= default_learning_rate(name)) for name, _ in only}
    for name, schedule in only:
        if name == "AdamW":
            best, more = of_adam[schedule], {"weight_decay": DECAYS}
            table = trials(name, schedule, [best], TUNING_SEEDS, "validation", **more)
            more["weight_decay"] = [table.groupby("weight_decay")["accuracy"].mean().idxmax()]
        else:
            some, table, more = {}, None, {}
            while some != (some := windows({("dense", name): begin[name]}, table, rates)):
                table = trials(name, schedule, some["dense", name], TUNING_SEEDS, "validation")
            begin[name] = best = chosen_learning_rates(table)["dense", name]
        tables += [table, trials(name, schedule, [best], FINAL_SEEDS, "held-out", **more)]
    table = pd.concat(tables, ignore_index=True).round(ROUNDING)
    by_epoch = [name for name in table.columns if name.startswith("after_")]
    table.loc[table["scored_on"] != "held-out", by_epoch] = float("nan")  # nobody asks, and the file stays small
    table.loc[table["optimizer"].isin(WITHOUT_SCHEDULE), by_epoch] = float("nan")  # the mean is there at the end alone
    return table.reindex(columns=COLUMNS + list(ROUNDING) + by_epoch)


def compared(table):
    """Return the fourteen comparisons that were written down, or those of them whose trials are all there.

    Returns
    -------
    scores : pandas.DataFrame
        Held-out accuracies in %: a row for each seed, a column for each schedule and optimizer, chapter 09's included.
    verdicts : pandas.DataFrame
        Indexed by schedule and rule: ``lead`` over Adam in points, ``ahead``, at how many seeds, and ``p``, adjusted.
    """
    from utils.comparison import holm, load_results, sign_flip_test

    anchors = load_results()
    anchors = anchors[(anchors["run"] == "first") & (anchors["network"] == "dense")]
    both = pd.concat([anchors, table])
    both = both[both["scored_on"] == "held-out"]
    scores = 100 * both.pivot(index="seed", columns=["schedule", "optimizer"], values="accuracy")
    pairs = {column: (column, (column[0], "Adam")) for column in scores if column[1] in ORDER}
    if ("constant", "ScheduleFreeAdamW") in pairs:
        pairs["ScheduleFreeAdamW", "over Adam with decay"] = ("constant", "ScheduleFreeAdamW"), ("decay", "Adam")
    leads = {key: scores[rule] - scores[adam] for key, (rule, adam) in pairs.items()}
    rows = {
        key: {"lead": lead.mean(), "ahead": int((lead > 0).sum()), "p": sign_flip_test(lead)}
        for key, lead in leads.items()
    }
    found = pd.DataFrame.from_dict(rows, orient="index")
    return scores, found.assign(p=holm(found["p"])) if rows else found


def report(table):
    """Print what was tried and chosen, the final scores beside those of chapter 09, and the verdicts."""
    tried = table[table["scored_on"] == "validation"]
    for (name, schedule), some in tried.groupby(["optimizer", "schedule"], sort=False):
        by = "weight_decay" if name == "AdamW" else "learning_rate"
        means = (100 * some.groupby(by)["accuracy"].mean()).round(2)
        print(f"{name:18} {schedule:9} {len(some)} trials; validation accuracy in % by {by}: {means.to_dict()}")
    scores, found = compared(table)
    print(scores.agg(["mean", "std", "min", "max"]).T.round(2).to_string())
    print(found.round(4).to_string())


def main():
    """Run the study if asked to, and print its verdicts."""
    from utils.comparison import load_results

    every = pairs()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, metavar="FILE", help="run the study; keep its trials in this file")
    names = [*ORDER, CONTROL, *map("/".join, every)]
    parser.add_argument(
        "--only", choices=names, nargs="+", default=names, metavar="PAIR", help="a rule, or one schedule"
    )
    parser.add_argument("--write", type=Path, metavar="CSV", help="write the table")
    arguments = parser.parse_args()
    if not arguments.run:
        return report(load_results("beyond_adam"))
    only = [pair for pair in every if pair[0] in arguments.only or "/".join(pair) in arguments.only]
    table = run(arguments.run, only)
    if arguments.write:
        table.to_csv(arguments.write, index=False)
    report(table)


if __name__ == "__main__":
    main()

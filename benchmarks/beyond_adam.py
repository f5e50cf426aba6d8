"""The study behind chapter 11: the rules that came after Adam, put through the trials of chapter 09.

    python -m benchmarks.beyond_adam                      # the verdicts of the stored results
    python -m benchmarks.beyond_adam --run work.jsonl     # the whole study, NN minutes of a CPU; resumable
    python -m benchmarks.beyond_adam --run work.jsonl --write utils/beyond_adam.csv

Network, images, seeds and both schedules are those of ``benchmarks/comparison.py``, so its stored trials of SGD,
Momentum and Adam stand beside these, pair by pair; the convolutional network is left out, for its time. Every rule is
tuned with one seed on the validation images, by one search: it begins with Keras' default learning rate and the next
two above it (with decay, with the rate that was best when constant), and goes on at either end until the best of those
tried lies inside. The grid is that of chapter 09, and goes on to 20. One seed in place of three is for the time, too;
by that seed alone chapter 09 would have chosen the same rates for its six rules. AdamW keeps the learning rate that was
chosen for Adam and tries four strengths of its decay. Schedule-Free has no schedule: it runs at a constant rate alone.

Then each gets twelve fresh seeds and is scored on the held-out images. No choice has seen these, and no score of these
rules had been taken there when the questions were written down:

1. Which rules differ from Adam at the same schedule? Seven tests at a constant rate, six with decay.
2. Does Schedule-Free at a constant rate differ from Adam with decay? One more.

Fourteen sign-flip tests, adjusted together by Holm's method. Whatever else is asked of the numbers is exploratory.
The trials run in one process, Muon's with decay last, for they take the longest; ``--only`` runs some of the rules.
"""

import argparse
import os
from pathlib import Path

import pandas as pd

TUNING_SEEDS, FINAL_SEEDS = range(1), range(200, 212)
MORE_RATES = (5.0, 10.0, 20.0)
DECAYS = (0.004, 0.02, 0.1, 0.5)
#: In this order, so that a study that has to end early has what the chapter is about.
ORDER = ("ScheduleFreeAdamW", "Lion", "AdamW", "Muon", "Nadam", "Adamax", "Adadelta")
WITHOUT_SCHEDULE = ("ScheduleFreeAdamW",)
ROUNDING = {"accuracy": 5, "loss": 4, "train_loss": 4}
COLUMNS = ["optimizer", "schedule", "learning_rate", "weight_decay", "seed", "scored_on"]


def settings_of(names):
    """Return the pairs of rule and schedule that are run, in this order."""
    pairs = [(name, schedule) for name in ORDER for schedule in ("constant", "decay") if name in names]
    pairs = [(name, schedule) for name, schedule in pairs if schedule == "constant" or name not in WITHOUT_SCHEDULE]
    return sorted(pairs, key=lambda pair: pair == ("Muon", "decay"))


def run(path, names):
    """Run what is left of the study, keep each result in ``path``, and return the table of these rules."""
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

    rates = LEARNING_RATES + MORE_RATES
    stored = load_results()
    stored = stored[(stored["run"] == "first") & (stored["scored_on"] == "validation")]
    of_adam = {name: chosen_learning_rates(each)["dense", "Adam"] for name, each in stored.groupby("schedule")}
    tables = []

    def trials(name, schedule, learning_rates, seeds, scored_on, **more):
        one = {"network": ["dense"], "optimizer": [name], "schedule": [schedule], "learning_rate": learning_rates}
        return sweep(trial, grid(**one, **more, seed=seeds, scored_on=[scored_on]), path, progress=True)

    begin = {name: max(rate for rate in rates if rate <= default_learning_rate(name)) for name in names}
    for name, schedule in settings_of(names):
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
    return table.reindex(columns=COLUMNS + list(ROUNDING))


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
    new = [column for column in scores if column[1] in set(table["optimizer"])]
    pairs = {column: (column, (column[0], "Adam")) for column in new}
    for name in set(WITHOUT_SCHEDULE) & set(table["optimizer"]):
        pairs[f"{name} at a constant rate", "over Adam with decay"] = ("constant", name), ("decay", "Adam")
    leads = {key: scores[rule] - scores[adam] for key, (rule, adam) in pairs.items()}
    rows = {
        key: {"lead": lead.mean(), "ahead": int((lead > 0).sum()), "p": sign_flip_test(lead)}
        for key, lead in leads.items()
    }
    found = pd.DataFrame.from_dict(rows, orient="index")
    return scores, found.assign(p=holm(found["p"]))


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
    from utils.comparison import BEYOND_ADAM, load_results

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, metavar="FILE", help="run the study; keep its trials in this file")
    parser.add_argument("--only", choices=BEYOND_ADAM, nargs="+", default=list(BEYOND_ADAM), help="run these rules")
    parser.add_argument("--write", type=Path, metavar="CSV", help="write the table")
    arguments = parser.parse_args()
    if not arguments.run:
        return report(load_results("beyond_adam"))
    table = run(arguments.run, arguments.only)
    if arguments.write:
        table.to_csv(arguments.write, index=False)
    report(table)


if __name__ == "__main__":
    main()

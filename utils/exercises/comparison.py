"""Exercises of chapter 09, Fair comparisons: right answers, inputs, mistakes with a hint of their own."""

import itertools
import math

import numpy as np

from utils.exercises.checks import Exercise


def _mean_and_half_width(scores, t):
    return np.mean(scores), t * np.std(scores, ddof=1) / math.sqrt(len(scores))


def _half_width(change):
    return lambda scores, t: (np.mean(scores), change(scores, t))


mean_and_half_width = Exercise(
    reference=_mean_and_half_width,
    inputs=lambda rng, number: (rng.normal(0.86, 0.005, size=5 + number), rng.uniform(2, 3)),
    mistakes={
        "population_deviation": _half_width(lambda scores, t: t * np.std(scores) / math.sqrt(len(scores))),
        "spread_not_error": _half_width(lambda scores, t: t * np.std(scores, ddof=1)),
        "divided_by_n": _half_width(lambda scores, t: t * np.std(scores, ddof=1) / len(scores)),
        "variance_for_deviation": _half_width(lambda scores, t: t * np.var(scores, ddof=1) / math.sqrt(len(scores))),
        "t_missing": _half_width(lambda scores, t: np.std(scores, ddof=1) / math.sqrt(len(scores))),
        "whole_width": _half_width(lambda scores, t: 2 * _mean_and_half_width(scores, t)[1]),
        "n_minus_one_again": _half_width(lambda scores, t: t * np.std(scores, ddof=1) / math.sqrt(len(scores) - 1)),
        "interval_ends": lambda scores, t: (
            (found := _mean_and_half_width(scores, t))[0] - found[1],
            found[0] + found[1],
        ),
        "interval_ends_swapped": lambda scores, t: (
            (found := _mean_and_half_width(scores, t))[0] + found[1],
            found[0] - found[1],
        ),
        "deviation_over_n": _half_width(lambda scores, t: t * np.sqrt(np.std(scores, ddof=1) / len(scores))),
        "multiplied_by_root": _half_width(lambda scores, t: t * np.std(scores, ddof=1) * math.sqrt(len(scores))),
        "median_not_mean": lambda scores, t: (np.median(scores), _mean_and_half_width(scores, t)[1]),
    },
)

fewest_seeds = Exercise(
    reference=10,
    mistakes={"no_correction": 6, "seeds_too_few": [1, 2, 3, 4, 5, 7, 8, 9], "seeds_too_many": [*range(11, 101)]},
)


def _expected_best(scores, tries):
    ranks = np.arange(len(scores) + 1) / len(scores)
    return np.sum(np.sort(scores) * np.diff(ranks**tries))


expected_best = Exercise(
    reference=_expected_best,
    inputs=lambda rng, number: (
        np.append(tied := rng.uniform(0.1, 0.9, size=5 + number), tied[0]),
        (2, 3, 1, 4, 5, 4, 2, 3)[number],
    ),
    mistakes={
        "tries_ignored": lambda scores, tries: np.mean(scores),
        "always_the_best": lambda scores, tries: np.max(scores),
        "worst_not_best": lambda scores, tries: -_expected_best(-scores, tries),
        "order_ignored": lambda scores, tries: np.sum(
            scores * np.diff((np.arange(len(scores) + 1) / len(scores)) ** tries)
        ),
        "without_replacement": lambda scores, tries: np.mean(
            [max(drawn) for drawn in itertools.combinations(scores, tries)]
        ),
        "one_try_too_many": lambda scores, tries: _expected_best(scores, tries + 1),
        "one_try_too_few": lambda scores, tries: _expected_best(scores, tries - 1),
        "quantile_instead": [
            lambda scores, tries: np.quantile(scores, 1 - 1 / tries),
            lambda scores, tries: np.quantile(scores, tries / (tries + 1)),
            lambda scores, tries: np.quantile(scores, 0.5 ** (1 / tries)),
        ],
        "power_not_difference": lambda scores, tries: np.sum(
            np.sort(scores) * (np.arange(1, len(scores) + 1) / len(scores)) ** tries
        ),
        "ties_merged": lambda scores, tries: _expected_best(np.unique(scores), tries),
        "rank_times_tries": lambda scores, tries: tries * np.mean(scores),
        "mean_of_the_best": lambda scores, tries: np.mean(np.sort(scores)[-tries:]),
    },
)

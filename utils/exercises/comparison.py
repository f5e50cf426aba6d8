"""Exercises of chapter 09, Fair comparisons: right answers, inputs, mistakes with a hint of their own."""

import itertools
import math

import numpy as np

from utils.exercises.checks import Exercise


def _mean_and_half_width(scores, t):
    return np.mean(scores), t * np.std(scores, ddof=1) / math.sqrt(len(scores))


mean_and_half_width = Exercise(
    reference=_mean_and_half_width,
    inputs=lambda rng, number: (rng.normal(0.86, 0.005, size=5 + number), rng.uniform(2, 3)),
    mistakes={
        "population_deviation": lambda scores, t: (np.mean(scores), t * np.std(scores) / math.sqrt(len(scores))),
        "spread_not_error": lambda scores, t: (np.mean(scores), t * np.std(scores, ddof=1)),
        "divided_by_n": lambda scores, t: (np.mean(scores), t * np.std(scores, ddof=1) / len(scores)),
        "whole_width": lambda scores, t: (np.mean(scores), 2 * _mean_and_half_width(scores, t)[1]),
    },
)

fewest_seeds = Exercise(reference=10, mistakes={"no_correction": 6, "one_sided": 9, "against_one_only": 8})


def _expected_best(scores, tries):
    ranks = np.arange(len(scores) + 1) / len(scores)
    return np.sum(np.sort(scores) * np.diff(ranks**tries))


expected_best = Exercise(
    reference=_expected_best,
    inputs=lambda rng, number: (rng.uniform(0.1, 0.9, size=6 + number), 2 + number % 4),
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
    },
)

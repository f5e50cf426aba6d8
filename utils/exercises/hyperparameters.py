"""Exercises of chapter 01, Hyperparameters: right answers, inputs, mistakes with a hint of their own."""

import itertools
import math

import numpy as np

from utils.exercises.checks import Exercise


def _dense_parameters(sizes, bias=1):
    return sum((inputs + bias) * outputs for inputs, outputs in itertools.pairwise(sizes))


parameters = Exercise(
    reference=lambda layers, units: _dense_parameters([784] + layers * [units] + [10]),
    inputs=lambda rng, number: ([0, 1, 2, 3, 5][number % 5], int(rng.integers(2, 200))),
    mistakes={
        "no_biases": lambda layers, units: _dense_parameters([784] + layers * [units] + [10], bias=0),
        "no_output_layer": lambda layers, units: _dense_parameters([784] + layers * [units]),
        "one_hidden_layer": lambda layers, units: _dense_parameters([784, units, 10]),
        "one_layer_too_many": lambda layers, units: _dense_parameters([784] + (layers + 1) * [units] + [10]),
        "biases_of_pixels": lambda layers, units: _dense_parameters([784] + layers * [units] + [10]) + 784,
    },
)

log_uniform = Exercise(
    reference=lambda u, low, high: low * (high / low) ** u,
    inputs=lambda rng, number: (
        float([0, 1, *rng.uniform(size=6)][number]),
        10 ** rng.uniform(-6, -3),
        10 ** rng.uniform(-2, 1),
    ),
    mistakes={
        "linear_draw": lambda u, low, high: low + u * (high - low),
        "ends_swapped": lambda u, low, high: high * (low / high) ** u,
        "logarithm_returned": lambda u, low, high: math.log10(low) + u * math.log10(high / low),
        "logarithms_mixed": lambda u, low, high: 10 ** (math.log(low) + u * math.log(high / low)),
    },
)


def _gap(a, b, ddof=1, runs=len):
    return (np.mean(a) - np.mean(b)) / np.sqrt(np.var(a, ddof=ddof) / runs(a) + np.var(b, ddof=ddof) / runs(b))


gap = Exercise(
    reference=lambda a, b: _gap(a, b),
    inputs=lambda rng, number: (rng.normal(0.84, 0.01, size=3 + number), rng.normal(0.83, 0.02, size=8 - number % 4)),
    mistakes={
        "deviation_not_error": lambda a, b: _gap(a, b, runs=lambda runs: 1),
        "errors_added": lambda a, b: (
            (np.mean(a) - np.mean(b)) / sum(np.std(each, ddof=1) / np.sqrt(len(each)) for each in (a, b))
        ),
        "ddof_missing": lambda a, b: _gap(a, b, ddof=0),
        "other_way_round": lambda a, b: _gap(b, a),
        "difference_alone": lambda a, b: np.mean(a) - np.mean(b),
        "variance_not_rooted": lambda a, b: (
            (np.mean(a) - np.mean(b)) / (np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b))
        ),
    },
)

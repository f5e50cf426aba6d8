"""Exercises of chapter 01, Hyperparameters: right answers, inputs, mistakes with a hint of their own."""

import itertools
import math

import numpy as np

from utils.exercises.checks import Exercise


def _dense_parameters(sizes, bias=1):
    return sum((inputs + bias) * outputs for inputs, outputs in itertools.pairwise(sizes))


def _parameters(layers, units):
    return _dense_parameters([784] + layers * [units] + [10])


parameters = Exercise(
    reference=_parameters,
    inputs=lambda rng, number: ([2, 1, 0, 3, 5][number % 5], int(rng.integers(2, 200))),
    mistakes={
        "no_biases": lambda layers, units: _dense_parameters([784] + layers * [units] + [10], bias=0),
        "no_output_layer": lambda layers, units: _dense_parameters([784] + layers * [units]),
        "one_hidden_layer": lambda layers, units: _dense_parameters([784, units, 10]),
        "one_layer_too_many": lambda layers, units: _dense_parameters([784] + (layers + 1) * [units] + [10]),
        "biases_of_pixels": lambda layers, units: _parameters(layers, units) + 784,
        "output_biases_missing": lambda layers, units: _parameters(layers, units) - 10,
        "hidden_biases_missing": lambda layers, units: _parameters(layers, units) - layers * units,
        "first_layer_missing": lambda layers, units: _parameters(layers, units) - 784 * (units if layers else 10),
        "between_missing": lambda layers, units: _parameters(layers, units) - max(layers - 1, 0) * units**2,
        "one_bias_a_layer": lambda layers, units: (
            _dense_parameters([784] + layers * [units] + [10], bias=0) + layers + 1
        ),
        "biases_of_inputs": lambda layers, units: sum(
            inputs * (outputs + 1) for inputs, outputs in itertools.pairwise([784] + layers * [units] + [10])
        ),
        "no_layers_forgotten": lambda layers, units: (
            785 * units + (layers - 1) * (units + 1) * units + (units + 1) * 10
        ),
        "units_counted": [
            lambda layers, units: 784 + layers * units + 10,
            lambda layers, units: layers * units + 10,
        ],
        "one_row_of_pixels": lambda layers, units: _dense_parameters([28] + layers * [units] + [10]),
    },
)


def _log_uniform(u, low, high):
    return low * (high / low) ** u


log_uniform = Exercise(
    reference=_log_uniform,
    inputs=lambda rng, number: (
        float([*rng.uniform(0.2, 0.4, 1), *rng.uniform(0.5, 0.7, 1), 0, 1, *rng.uniform(size=4)][number]),
        10 ** rng.uniform(-6, -3),
        10 ** rng.uniform(-2, 1),
    ),
    mistakes={
        "linear_draw": lambda u, low, high: low + u * (high - low),
        "ends_swapped": lambda u, low, high: high * (low / high) ** u,
        "logarithm_returned": [
            lambda u, low, high: math.log10(low) + u * math.log10(high / low),
            lambda u, low, high: math.log(low) + u * math.log(high / low),
        ],
        "logarithms_mixed": lambda u, low, high: 10 ** (math.log(low) + u * math.log(high / low)),
        "log10_undone_by_exp": lambda u, low, high: math.exp(math.log10(low) + u * math.log10(high / low)),
        "whole_powers": lambda u, low, high: 10.0 ** round(math.log10(low) + u * math.log10(high / low)),
        "one_share_for_both": lambda u, low, high: high**u * low**u,
        "quotient_missing": lambda u, low, high: low * high**u,
        "low_missing": lambda u, low, high: (high / low) ** u,
    },
)


def _gap(a, b):
    return (np.mean(a) - np.mean(b)) / np.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b))


def _squared_error(runs, fewer=0):
    return np.var(runs, ddof=1) / (len(runs) - fewer)


def _gap_over(error):
    return lambda a, b: (np.mean(a) - np.mean(b)) / error(a, b)


def _runs(rng, mean, spread, count):
    """Return accuracies that scatter around exactly this mean."""
    runs = rng.normal(scale=spread, size=count)
    return runs - runs.mean() + mean


gap = Exercise(
    reference=_gap,
    inputs=lambda rng, number: (  # the first setting is now better, now worse
        _runs(rng, 0.84 + 0.02 * (-1) ** number, rng.uniform(0.005, 0.02), 3 + number),
        _runs(rng, 0.84, rng.uniform(0.01, 0.03), 9 - number % 4),
    ),
    mistakes={
        "deviation_not_error": _gap_over(lambda a, b: np.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1))),
        "errors_added": _gap_over(lambda a, b: sum(np.std(each, ddof=1) / np.sqrt(len(each)) for each in (a, b))),
        "ddof_missing": _gap_over(lambda a, b: np.sqrt(np.var(a) / len(a) + np.var(b) / len(b))),
        "other_way_round": lambda a, b: _gap(b, a),
        "difference_alone": lambda a, b: np.mean(a) - np.mean(b),
        "variance_not_rooted": _gap_over(lambda a, b: np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b)),
        "pooled_variance": _gap_over(
            lambda a, b: np.sqrt(
                ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1))
                / (len(a) + len(b) - 2)
                * (1 / len(a) + 1 / len(b))
            )
        ),
        "deviation_over_n": _gap_over(lambda a, b: np.sqrt(np.std(a, ddof=1) / len(a) + np.std(b, ddof=1) / len(b))),
        "one_number_of_runs": [
            _gap_over(lambda a, b: np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(a))),
            _gap_over(lambda a, b: np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(b))),
        ],
        "medians_compared": lambda a, b: (np.median(a) - np.median(b)) / (np.mean(a) - np.mean(b)) * _gap(a, b),
        "n_minus_one_again": _gap_over(lambda a, b: np.sqrt(_squared_error(a, 1) + _squared_error(b, 1))),
        "one_error_left_out": [
            _gap_over(lambda a, b: np.sqrt(_squared_error(a))),
            _gap_over(lambda a, b: np.sqrt(_squared_error(b))),
        ],
        "runs_added": _gap_over(lambda a, b: np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / (len(a) + len(b)))),
        "multiplied_by_error": _gap_over(lambda a, b: 1 / np.sqrt(_squared_error(a) + _squared_error(b))),
        "means_added": lambda a, b: (np.mean(a) + np.mean(b)) / (np.mean(a) - np.mean(b)) * _gap(a, b),
        "n_squared": _gap_over(lambda a, b: np.sqrt(_squared_error(a) / len(a) + _squared_error(b) / len(b))),
        "variances_subtracted": _gap_over(
            lambda a, b: np.sqrt(np.abs(np.var(a, ddof=1) / len(a) - np.var(b, ddof=1) / len(b)))
        ),
    },
)

"""Exercises of chapter 08, Adam on Fashion-MNIST: right answers, inputs, mistakes with a hint of their own."""

import itertools
import math

import numpy as np

from utils.exercises.checks import Exercise

counts = Exercise(
    reference=(109_386, 218_774, 2_400),
    mistakes={
        "in_another_order": [*itertools.permutations((109_386, 218_774, 2_400))][1:],
        "layer_left_out": [
            (parameters, 2 * parameters + more, 2_400) for parameters in (101_770, 50_890) for more in (0, 2)
        ],
        "no_biases": [(109_184, 218_370, 2_400), (109_184, 218_368, 2_400)],
        "step_count_and_rate": [(109_386, 218_772, 2_400), (109_386, 218_773, 2_400)],
        "one_moment": [(109_386, 109_388, 2_400), (109_386, 109_386, 2_400)],
        "weights_counted_too": [(109_386, 328_158, 2_400), (109_386, 328_160, 2_400)],
        "steps_of_one_epoch": (109_386, 218_774, 480),
        "default_batch": (109_386, 218_774, 7_500),
        "all_images": [(109_386, 218_774, 3_000), (109_386, 218_774, 600)],
    },
)


def _answers(rng, number):
    """Return probabilities as a softmax gives them, and labels, the first of which is the least probable."""
    count, classes = 3 + number, (10, 10, 4, 7, 10, 10, 3, 10)[number]
    scores = rng.normal(scale=4, size=(count, classes))
    labels = rng.integers(classes, size=count)
    labels[0] = scores[0].argmin()
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), labels


def _of_labels(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


def _cross_entropy(probabilities, labels):
    return -np.log(_of_labels(probabilities, labels)).mean()


cross_entropy = Exercise(
    reference=_cross_entropy,
    inputs=_answers,
    mistakes={
        "minus_missing": lambda probabilities, labels: np.log(_of_labels(probabilities, labels)).mean(),
        "sum_not_mean": lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).sum(),
        "mean_before_log": lambda probabilities, labels: -np.log(_of_labels(probabilities, labels).mean()),
        "log_10": lambda probabilities, labels: -np.log10(_of_labels(probabilities, labels)).mean(),
        "log_2": lambda probabilities, labels: -np.log2(_of_labels(probabilities, labels)).mean(),
        "largest_not_right": lambda probabilities, labels: -np.log(probabilities.max(axis=1)).mean(),
        "all_classes": lambda probabilities, labels: -np.log(probabilities).mean(),
        "over_classes": lambda probabilities, labels: (
            -np.log(_of_labels(probabilities, labels)).sum() / probabilities.shape[1]
        ),
        "log_missing": [
            lambda probabilities, labels: (1 - _of_labels(probabilities, labels)).mean(),
            lambda probabilities, labels: -_of_labels(probabilities, labels).mean(),
        ],
        "entropy_instead": lambda probabilities, labels: -(probabilities * np.log(probabilities)).sum(axis=1).mean(),
        "squares_instead": lambda probabilities, labels: (
            (probabilities - np.eye(probabilities.shape[1])[labels]) ** 2
        ).mean(),
        "all_pairs": lambda probabilities, labels: -np.log(probabilities[:, labels]).mean(),
        "all_entries": lambda probabilities, labels: _cross_entropy(probabilities, labels) / probabilities.shape[1],
        "worst_image": [
            lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).min(),
            lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).max(),
            lambda probabilities, labels: -np.log(_of_labels(probabilities, labels))[0],
        ],
        "softmax_again": lambda probabilities, labels: _cross_entropy(
            np.exp(probabilities) / np.exp(probabilities).sum(axis=1, keepdims=True), labels
        ),
    },
)


def _confusion(rng, number):
    """Return counts whose first class is mostly taken for others."""
    classes = 3 + number
    confusion = rng.integers(1, 50, size=(classes, classes)) + 100 * np.eye(classes, dtype=int)
    confusion[0, 0], confusion[0, 1], confusion[1, 0] = 3, 60, 60
    return (confusion,)


def _precision(confusion):
    return confusion.diagonal() / confusion.sum(axis=0)


precision = Exercise(
    reference=_precision,
    inputs=_confusion,
    mistakes={
        "recall": lambda confusion: confusion.diagonal() / confusion.sum(axis=1),
        "share_of_all": lambda confusion: confusion.diagonal() / confusion.sum(),
        "right_over_wrong": lambda confusion: confusion.diagonal() / (confusion.sum(axis=0) - confusion.diagonal()),
        "wrong_share": lambda confusion: 1 - _precision(confusion),
        "f1_instead": lambda confusion: 2 * confusion.diagonal() / (confusion.sum(axis=0) + confusion.sum(axis=1)),
        "largest_of_column": lambda confusion: confusion.max(axis=0) / confusion.sum(axis=0),
        "accuracy_of_class": lambda confusion: (
            1 - (confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * confusion.diagonal()) / confusion.sum()
        ),
        "sum_of_both": lambda confusion: (
            confusion.diagonal() / (confusion.sum(axis=0) + confusion.sum(axis=1) - confusion.diagonal())
        ),
    },
)


def _runs_needed(sigma, delta):
    return math.ceil(2 * (1.96 + 0.84) ** 2 * sigma**2 / delta**2)


runs_needed = Exercise(
    reference=_runs_needed,
    inputs=lambda rng, number: (rng.uniform(0.01, 0.03), rng.uniform(0.0003, 0.0009)),
    mistakes={
        "rounded_down_runs": [
            lambda sigma, delta: _runs_needed(sigma, delta) - 1,
            lambda sigma, delta: round(2 * (1.96 + 0.84) ** 2 * sigma**2 / delta**2),
        ],
        "two_missing": lambda sigma, delta: math.ceil((1.96 + 0.84) ** 2 * (sigma / delta) ** 2),
        "ratio_not_squared": lambda sigma, delta: math.ceil(2 * (1.96 + 0.84) ** 2 * sigma / delta),
        "squares_added": lambda sigma, delta: math.ceil(2 * (1.96**2 + 0.84**2) * (sigma / delta) ** 2),
        "sum_not_squared": lambda sigma, delta: math.ceil(2 * (1.96 + 0.84) * (sigma / delta) ** 2),
        "exact_quantiles": lambda sigma, delta: math.ceil(
            2 * (1.959963984540054 + 0.8416212335729143) ** 2 * (sigma / delta) ** 2
        ),
        "all_runs": lambda sigma, delta: 2 * _runs_needed(sigma, delta),
    },
)

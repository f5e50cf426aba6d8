"""Exercises of chapter 08, Adam on Fashion-MNIST: right answers, inputs, mistakes with a hint of their own."""

import math

import numpy as np

from utils.exercises.checks import Exercise

counts = Exercise(
    reference=(109_386, 218_774, 2_400),
    mistakes={
        "no_biases": (109_184, 218_370, 2_400),
        "step_count_and_rate": (109_386, 218_772, 2_400),
        "one_moment": (109_386, 109_388, 2_400),
        "steps_of_one_epoch": (109_386, 218_774, 480),
        "default_batch": (109_386, 218_774, 7_500),
    },
)


def _answers(rng, number):
    """Return probabilities as a softmax gives them, and labels."""
    scores = rng.normal(size=(3 + number, 10))
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), rng.integers(10, size=3 + number)


def _of_labels(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


cross_entropy = Exercise(
    reference=lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).mean(),
    inputs=_answers,
    mistakes={
        "minus_missing": lambda probabilities, labels: np.log(_of_labels(probabilities, labels)).mean(),
        "sum_not_mean": lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).sum(),
        "mean_before_log": lambda probabilities, labels: -np.log(_of_labels(probabilities, labels).mean()),
        "log_10": lambda probabilities, labels: -np.log10(_of_labels(probabilities, labels)).mean(),
        "largest_not_right": lambda probabilities, labels: -np.log(probabilities.max(axis=1)).mean(),
        "all_classes": lambda probabilities, labels: -np.log(probabilities).mean(),
    },
)


def _confusion(rng, number):
    classes = 3 + number
    return (rng.integers(1, 50, size=(classes, classes)) + 100 * np.eye(classes, dtype=int),)


precision = Exercise(
    reference=lambda confusion: confusion.diagonal() / confusion.sum(axis=0),
    inputs=_confusion,
    mistakes={
        "recall": lambda confusion: confusion.diagonal() / confusion.sum(axis=1),
        "share_of_all": lambda confusion: confusion.diagonal() / confusion.sum(),
        "right_over_wrong": lambda confusion: confusion.diagonal() / (confusion.sum(axis=0) - confusion.diagonal()),
        "wrong_share": lambda confusion: 1 - confusion.diagonal() / confusion.sum(axis=0),
    },
)


def _runs_needed(sigma, delta):
    return 2 * (1.96 + 0.84) ** 2 * (sigma / delta) ** 2


runs_needed = Exercise(
    reference=lambda sigma, delta: math.ceil(_runs_needed(sigma, delta)),
    inputs=lambda rng, number: (rng.uniform(0.003, 0.006), rng.uniform(0.0005, 0.002)),
    mistakes={
        "rounded_down_runs": lambda sigma, delta: math.floor(_runs_needed(sigma, delta)),
        "two_missing": lambda sigma, delta: math.ceil(_runs_needed(sigma, delta) / 2),
        "ratio_not_squared": lambda sigma, delta: math.ceil(2 * (1.96 + 0.84) ** 2 * sigma / delta),
        "squares_added": lambda sigma, delta: math.ceil(2 * (1.96**2 + 0.84**2) * (sigma / delta) ** 2),
    },
)

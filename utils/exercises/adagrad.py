"""Exercises of chapter 05, Adagrad: right answers, inputs, mistakes with a hint of their own."""

import math
from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise
from utils.exercises.compare import Tolerance


def _adagrad_step(theta, G, g, learning_rate, epsilon):
    G = G + g**2
    return theta - learning_rate * g / np.sqrt(G + epsilon), G


def _sum_of_squares(G, g):
    return G + g**2


adagrad_step = Exercise(
    reference=_adagrad_step,
    inputs=lambda rng, number: rules.squares_inputs(rng, (1e-7, 1e-3)[number % 2]),
    tolerance=Tolerance(atol=0),  # the square of a small gradient is 1e-14
    mistakes={
        **rules.wrong_steps(_adagrad_step, _sum_of_squares),
        "not_squared": rules.divided(rules.over_root, lambda G, g: G + np.abs(g)),
        "squares_not_kept": rules.divided(rules.over_root, lambda G, g: g**2),
        "squared_length": rules.divided(rules.over_root, lambda G, g: G + np.sum(g**2)),
        "average_not_sum": rules.divided(rules.over_root, lambda G, g: 0.9 * G + 0.1 * g**2),
    },
)


def _steps_to_travel(distance, learning_rate):
    travelled, t = 0.0, 0
    while travelled < distance:
        t += 1
        travelled += learning_rate / t**0.5
    return t


steps_to_travel = Exercise(
    reference=_steps_to_travel,
    inputs=lambda rng, number: (rng.uniform(2, 10), rng.uniform(0.1, 0.3)),
    counts=True,
    mistakes={
        "counted_from_zero_steps": lambda distance, learning_rate: _steps_to_travel(distance, learning_rate) - 1,
        "by_the_integral": [
            lambda distance, learning_rate: math.ceil((distance / learning_rate / 2) ** 2),
            lambda distance, learning_rate: math.floor((distance / learning_rate / 2) ** 2),
            lambda distance, learning_rate: round((distance / learning_rate / 2) ** 2),
            lambda distance, learning_rate: (distance / learning_rate / 2) ** 2,
        ],
        "first_step_skipped": lambda distance, learning_rate: (
            _steps_to_travel(distance + learning_rate, learning_rate) - 1
        ),
        "steps_do_not_shrink": lambda distance, learning_rate: math.ceil(distance / learning_rate),
        "like_one_over_t": lambda distance, learning_rate: _by_counting(distance, learning_rate, 1.0),
    },
)


def _by_counting(distance, learning_rate, power, most=20_000):
    """Count steps that shrink with another power of their number; at most so many, for some never get there."""
    travelled = learning_rate * np.cumsum(np.arange(1.0, most) ** -power)
    return int(np.searchsorted(travelled, distance)) + 1


@dataclass(frozen=True)
class _AdagradNorm(rules.Divided):
    learning_rate: float
    epsilon: float

    def init(self, theta):
        return 0.0

    def squares(self, G, g):
        return G + np.sum(g**2)

    def step(self, theta, g, G):
        G = self.squares(G, g)
        return self.moved(theta, g, G), G


AdagradNorm = Exercise(
    reference=_AdagradNorm,
    inputs=lambda rng, number: (
        (rng.uniform(0.05, 0.5), (1e-7, 1e-3)[number % 2]),
        rng.normal(size=3),
        rng.normal(size=(6, 3)) * [1.0, 0.1, 0.01],
    ),
    mistakes={
        **rules.wrong_rules(_AdagradNorm),
        "one_for_each": rules.wrong(_AdagradNorm, squares=lambda self, G, g: G + g**2),
        "mean_of_squares": rules.wrong(_AdagradNorm, squares=lambda self, G, g: G + np.mean(g**2)),
        "square_of_sum": rules.wrong(_AdagradNorm, squares=lambda self, G, g: G + np.sum(g) ** 2),
        "length_not_squared": rules.wrong(_AdagradNorm, squares=lambda self, G, g: G + np.linalg.norm(g)),
        "squares_not_kept": rules.wrong(_AdagradNorm, squares=lambda self, G, g: np.sum(g**2)),
        "starts_above_zero": [
            rules.wrong(_AdagradNorm, init=lambda self, theta: 0.1),
            rules.wrong(_AdagradNorm, init=lambda self, theta: 1.0),
            rules.wrong(_AdagradNorm, init=lambda self, theta: self.epsilon),
        ],
        "largest_square": rules.wrong(_AdagradNorm, squares=lambda self, G, g: G + np.max(g**2)),
        "average_not_sum": rules.wrong(_AdagradNorm, squares=lambda self, G, g: 0.9 * G + 0.1 * np.sum(g**2)),
        "old_squares_used": rules.wrong(
            _AdagradNorm, step=lambda self, theta, g, G: (self.moved(theta, g, G), self.squares(G, g))
        ),
    },
    run=rules.follow,
)

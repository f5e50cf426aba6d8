"""Exercises of chapter 05, Adagrad: right answers, inputs, mistakes with a hint of their own."""

import math
from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise


def _sum_of_squares(G, g):
    return G + g**2


adagrad_step = Exercise(
    reference=lambda theta, G, g, learning_rate, epsilon: rules.divided(rules.over_root, _sum_of_squares)(
        theta, G, g, learning_rate, epsilon
    ),
    inputs=lambda rng, number: rules.squares_inputs(rng, (1e-7, 1e-3)[number % 2]),
    mistakes={
        **{key: rules.divided(wrong, _sum_of_squares) for key, wrong in rules.WRONG_DIRECTIONS.items()},
        "not_squared": rules.divided(rules.over_root, lambda G, g: G + np.abs(g)),
        "squares_not_kept": rules.divided(rules.over_root, lambda G, g: g**2),
    },
)


def _steps_to_travel(distance, learning_rate):
    travelled = np.cumsum(learning_rate / np.sqrt(np.arange(1, 20_001)))
    return int(np.argmax(travelled >= distance)) + 1


steps_to_travel = Exercise(
    reference=_steps_to_travel,
    inputs=lambda rng, number: (rng.uniform(2, 10), rng.uniform(0.1, 0.3)),
    mistakes={
        "counted_from_zero_steps": lambda distance, learning_rate: _steps_to_travel(distance, learning_rate) - 1,
        "by_the_integral": lambda distance, learning_rate: math.ceil((distance / learning_rate / 2) ** 2),
        "steps_do_not_shrink": lambda distance, learning_rate: math.ceil(distance / learning_rate),
    },
)


@dataclass(frozen=True)
class _AdagradNorm:
    learning_rate: float
    epsilon: float

    def init(self, theta):
        return 0.0

    def squares(self, g):
        return np.sum(g**2)

    def step(self, theta, g, G):
        G = G + self.squares(g)
        return theta - self.learning_rate * g / np.sqrt(G + self.epsilon), G


class _Separate(_AdagradNorm):
    def squares(self, g):
        return g**2


class _MeanOfSquares(_AdagradNorm):
    def squares(self, g):
        return np.mean(g**2)


class _SquareOfSum(_AdagradNorm):
    def squares(self, g):
        return np.sum(g) ** 2


AdagradNorm = Exercise(
    reference=_AdagradNorm,
    inputs=lambda rng, number: ((0.3, 1e-7), rng.normal(size=3), rng.normal(size=(6, 3)) * [1.0, 0.1, 0.01]),
    mistakes={"one_for_each": _Separate, "mean_of_squares": _MeanOfSquares, "square_of_sum": _SquareOfSum},
    run=rules.follow,
)

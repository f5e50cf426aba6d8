"""Exercises of chapter 06, RMSprop: right answers, inputs, mistakes with a hint of their own."""

import math
from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise


def _average_of_squares(s, g, rho):
    return rho * s + (1 - rho) * g**2


rmsprop_step = Exercise(
    reference=lambda theta, s, g, learning_rate, rho, epsilon: rules.divided(rules.over_root, _average_of_squares)(
        theta, s, g, learning_rate, rho, epsilon
    ),
    inputs=lambda rng, number: rules.squares_inputs(rng, rng.uniform(0.8, 0.95), (1e-7, 1e-3)[number % 2]),
    mistakes={
        **{key: rules.divided(wrong, _average_of_squares) for key, wrong in rules.WRONG_DIRECTIONS.items()},
        "rho_swapped": rules.divided(rules.over_root, lambda s, g, rho: (1 - rho) * s + rho * g**2),
        "sum_not_average": rules.divided(rules.over_root, lambda s, g, rho: rho * s + g**2),
        "not_squared": rules.divided(rules.over_root, lambda s, g, rho: rho * s + (1 - rho) * np.abs(g)),
    },
)

steps_until_small = Exercise(
    reference=lambda ratio, rho: math.ceil(math.log(ratio) / -math.log(rho)),
    inputs=lambda rng, number: (10 ** rng.uniform(2, 6), rng.uniform(0.8, 0.99)),
    mistakes={
        "one_step_off": lambda ratio, rho: math.ceil(math.log(ratio) / -math.log(rho)) - 1,
        "root_not_average": lambda ratio, rho: math.ceil(2 * math.log(ratio) / -math.log(rho)),
        "memory_alone": lambda ratio, rho: math.ceil(1 / (1 - rho)),
    },
)


@dataclass(frozen=True)
class _CenteredRMSprop:
    learning_rate: float
    rho: float
    epsilon: float

    def init(self, theta):
        return np.zeros_like(theta), np.zeros_like(theta)

    def denominator(self, m, s):
        return np.sqrt(s - m**2 + self.epsilon)

    def step(self, theta, g, state):
        m = self.rho * state[0] + (1 - self.rho) * g
        s = self.rho * state[1] + (1 - self.rho) * g**2
        return theta - self.learning_rate * g / self.denominator(m, s), (m, s)


class _NotCentered(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(s + self.epsilon)


class _MeanNotSquared(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(np.abs(s - m) + self.epsilon)


class _MeanAdded(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(s + m**2 + self.epsilon)


class _EpsilonOutside(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(s - m**2) + self.epsilon


CenteredRMSprop = Exercise(
    reference=_CenteredRMSprop,
    inputs=lambda rng, number: (
        (0.01, rng.uniform(0.8, 0.95), (1e-7, 1e-3)[number % 2]),
        rng.normal(size=3),
        (0.3 + rng.normal(size=(6, 3))) * [1.0, 1e-2, 1e-3],
    ),
    mistakes={
        "not_centered": _NotCentered,
        "mean_added": _MeanAdded,
        "mean_not_squared": _MeanNotSquared,
        "epsilon_outside_root": _EpsilonOutside,
    },
    run=rules.follow,
)

"""Exercises of chapter 06, RMSprop: right answers, inputs, mistakes with a hint of their own."""

import math
from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise
from utils.exercises.compare import Tolerance


def _rmsprop_step(theta, s, g, learning_rate, rho, epsilon):
    s = rho * s + (1 - rho) * g**2
    return theta - learning_rate * g / np.sqrt(s + epsilon), s


def _average_of_squares(s, g, rho):
    return rho * s + (1 - rho) * g**2


rmsprop_step = Exercise(
    reference=_rmsprop_step,
    inputs=lambda rng, number: rules.squares_inputs(rng, rng.uniform(0.8, 0.95), (1e-7, 1e-3)[number % 2]),
    tolerance=Tolerance(atol=0),  # the square of a small gradient is 1e-14
    mistakes={
        **rules.wrong_steps(_rmsprop_step, _average_of_squares),
        "rho_swapped": rules.divided(rules.over_root, lambda s, g, rho: (1 - rho) * s + rho * g**2),
        "sum_not_average": rules.divided(rules.over_root, lambda s, g, rho: rho * s + g**2),
        "adagrads_sum": rules.divided(rules.over_root, lambda s, g, rho: s + g**2),
        "not_squared": rules.divided(rules.over_root, lambda s, g, rho: rho * s + (1 - rho) * np.abs(g)),
        "share_squared": rules.divided(rules.over_root, lambda s, g, rho: rho * s + ((1 - rho) * g) ** 2),
        "rho_on_both": rules.divided(rules.over_root, lambda s, g, rho: rho * (s + g**2)),
        "old_average_whole": rules.divided(rules.over_root, lambda s, g, rho: s + (1 - rho) * g**2),
        "squares_not_kept": rules.divided(rules.over_root, lambda s, g, rho: (1 - rho) * g**2),
    },
)


def _steps_until_small(ratio, rho):
    return math.ceil(math.log(ratio) / -math.log(rho))


steps_until_small = Exercise(
    reference=_steps_until_small,
    inputs=lambda rng, number: (
        (4.0, 0.5) if number == 7 else (10 ** rng.uniform(2, 6), rng.uniform(0.8, 0.99))  # after exactly two steps
    ),
    mistakes={
        "one_step_off": [
            lambda ratio, rho: _steps_until_small(ratio, rho) - 1,
            lambda ratio, rho: math.floor(math.log(ratio) / -math.log(rho)),
            lambda ratio, rho: math.floor(math.log(ratio) / -math.log(rho)) + 1,
            lambda ratio, rho: _steps_until_small(ratio, rho) + 1,
        ],
        "root_not_average": [
            lambda ratio, rho: math.ceil(2 * math.log(ratio) / -math.log(rho)),
            lambda ratio, rho: math.ceil(math.log(ratio) / -math.log(rho) / 2),
        ],
        "memory_alone": [
            lambda ratio, rho: math.ceil(1 / (1 - rho)),
            lambda ratio, rho: math.floor(1 / (1 - rho)),
            lambda ratio, rho: round(1 / (1 - rho)),
        ],
        "two_bases": [
            lambda ratio, rho: math.ceil(math.log10(ratio) / -math.log(rho)),
            lambda ratio, rho: math.ceil(math.log(ratio) / -math.log10(rho)),
            lambda ratio, rho: math.ceil(math.log2(ratio) / -math.log(rho)),
        ],
        "memories_counted": lambda ratio, rho: math.ceil(math.log(ratio) / (1 - rho)),
    },
)


@dataclass(frozen=True)
class _CenteredRMSprop(rules.Divided):
    learning_rate: float
    rho: float
    epsilon: float

    def init(self, theta):
        return np.zeros_like(theta), np.zeros_like(theta)

    def averages(self, m, s, g):
        return self.rho * m + (1 - self.rho) * g, self.rho * s + (1 - self.rho) * g**2

    def variance(self, m, s):
        return s - m**2

    def step(self, theta, g, state):
        m, s = self.averages(*state, g)
        return self.moved(theta, g, self.variance(m, s)), (m, s)


def _own(rho):
    return rho


def _other(rho):
    return 1 - rho


def _with(**methods):
    return rules.wrong(_CenteredRMSprop, **methods)


CenteredRMSprop = Exercise(
    reference=_CenteredRMSprop,
    inputs=lambda rng, number: (
        (rng.uniform(0.005, 0.05), rng.uniform(0.8, 0.95), (1e-7, 1e-3)[number % 2]),
        rng.normal(size=3),
        (0.3 + rng.normal(size=(6, 3))) * [1.0, 1e-2, 1e-3],
    ),
    mistakes={
        **rules.wrong_rules(_CenteredRMSprop),
        "not_centered": _with(variance=lambda self, m, s: s),
        "mean_added": _with(variance=lambda self, m, s: s + m**2),
        "mean_not_squared": [
            _with(variance=lambda self, m, s: np.abs(s - m)),
            _with(variance=lambda self, m, s: s - m),
        ],
        "rho_swapped": [
            _with(
                averages=lambda self, m, s, g, a=a, b=b: (
                    a(self.rho) * m + (1 - a(self.rho)) * g,
                    b(self.rho) * s + (1 - b(self.rho)) * g**2,
                )
            )
            for a, b in ((_other, _other), (_other, _own), (_own, _other))
        ],
        "averages_are_sums": [
            _with(averages=lambda self, m, s, g: (self.rho * m + g, self.rho * s + g**2)),
            _with(averages=lambda self, m, s, g: (self.rho * m + (1 - self.rho) * g, self.rho * s + g**2)),
            _with(averages=lambda self, m, s, g: (self.rho * m + g, self.rho * s + (1 - self.rho) * g**2)),
        ],
        "averages_start_above_zero": [
            _with(init=lambda self, theta: (np.zeros_like(theta), np.ones_like(theta))),
            _with(init=lambda self, theta: (np.ones_like(theta), np.ones_like(theta))),
        ],
        "old_mean_used": _with(
            step=lambda self, theta, g, state: (
                self.moved(theta, g, self.variance(state[0], self.averages(*state, g)[1])),
                self.averages(*state, g),
            )
        ),
        "deviation_averaged": _with(
            averages=lambda self, m, s, g: (
                new := self.rho * m + (1 - self.rho) * g,
                self.rho * s + (1 - self.rho) * (g - new) ** 2,
            ),
            variance=lambda self, m, s: s,
        ),
        "moved_by_deviation": _with(
            step=lambda self, theta, g, state: (
                self.moved(theta, g - (new := self.averages(*state, g))[0], self.variance(*new)),
                new,
            )
        ),
        "old_averages_used": _with(
            step=lambda self, theta, g, state: (
                self.moved(theta, g, self.variance(*state)),
                self.averages(*state, g),
            )
        ),
        "averages_swapped": _with(
            step=lambda self, theta, g, state: (
                self.moved(theta, g, self.variance(*(new := self.averages(*state, g)))),
                new[::-1],
            )
        ),
        "moved_by_mean": _with(
            step=lambda self, theta, g, state: (
                self.moved(theta, (new := self.averages(*state, g))[0], self.variance(*new)),
                new,
            )
        ),
        "state_not_updated": _with(
            step=lambda self, theta, g, state: (
                self.moved(theta, g, self.variance(*self.averages(*state, g))),
                state,
            )
        ),
    },
    run=rules.follow,
)

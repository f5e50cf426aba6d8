"""Exercises of chapter 11, After Adam: right answers, inputs, mistakes with a hint of their own."""

import math
from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise
from utils.optimizers import Adam


def _lion(direction, memory, decay=lambda theta, learning_rate, weight_decay: learning_rate * weight_decay * theta):
    """Return a step that moves by the sign of a direction and keeps a memory, both made of m, g and the betas."""

    def step(theta, m, g, learning_rate, beta_1, beta_2, weight_decay):
        new = memory(m, g, beta_1, beta_2)
        move = learning_rate * np.sign(direction(m, g, beta_1, beta_2))
        return theta - decay(theta, learning_rate, weight_decay) - move, new

    return step


def _direction(m, g, beta_1, beta_2):
    return beta_1 * m + (1 - beta_1) * g


def _memory(m, g, beta_1, beta_2):
    return beta_2 * m + (1 - beta_2) * g


def _lion_step(theta, m, g, learning_rate, beta_1, beta_2, weight_decay):
    direction = np.sign(beta_1 * m + (1 - beta_1) * g)
    theta = theta - learning_rate * weight_decay * theta - learning_rate * direction
    return theta, beta_2 * m + (1 - beta_2) * g


def _lion_inputs(rng, number):
    """Return an average and a gradient that disagree, so that the weights of the two decide the sign."""
    beta_1 = rng.uniform(0.5, 0.6) if number % 2 else rng.uniform(0.8, 0.88)
    beta_2 = rng.uniform(0.92, 0.97)
    m = rng.normal(size=6)
    # At a share of 1 the two cancel: some are near it, and some lie between the balance of beta_1 and that of beta_2.
    shares = np.array([0.3, 0.985, 1.015, 1.5, 4.0, -1.0])
    g = -shares * m * beta_1 / (1 - beta_1)
    return rng.normal(size=6), m, g, rng.uniform(0.02, 0.4), beta_1, beta_2, rng.uniform(0.05, 0.5)


lion_step = Exercise(
    reference=_lion_step,
    inputs=_lion_inputs,
    mistakes={
        "sign": _lion(lambda *given: -_direction(*given), _memory),
        "sign_of_new_average": _lion(_memory, _memory),
        "lion_betas_swapped": _lion(_memory, _direction),
        "lion_without_sign": lambda theta, m, g, learning_rate, beta_1, beta_2, weight_decay: (
            theta - learning_rate * weight_decay * theta - learning_rate * _direction(m, g, beta_1, beta_2),
            _memory(m, g, beta_1, beta_2),
        ),
        "direction_kept": _lion(_direction, _direction),
        "decay_without_rate": _lion(
            _direction, _memory, lambda theta, learning_rate, weight_decay: weight_decay * theta
        ),
        "decay_left_out": _lion(_direction, _memory, lambda theta, *_: 0 * theta),
        "decay_after_step": lambda theta, m, g, learning_rate, beta_1, beta_2, weight_decay: (
            (1 - learning_rate * weight_decay) * _lion_step(theta, m, g, learning_rate, beta_1, beta_2, 0.0)[0],
            _memory(m, g, beta_1, beta_2),
        ),
        "sign_kept": _lion(_direction, lambda m, g, beta_1, beta_2: beta_2 * m + (1 - beta_2) * np.sign(g)),
        "moments_are_sums": _lion(_direction, lambda m, g, beta_1, beta_2: beta_2 * m + g),
        "sign_without_rate": lambda theta, m, g, learning_rate, beta_1, beta_2, weight_decay: (
            theta - learning_rate * weight_decay * theta - np.sign(_direction(m, g, beta_1, beta_2)),
            _memory(m, g, beta_1, beta_2),
        ),
        "decay_in_gradient": lambda theta, m, g, learning_rate, beta_1, beta_2, weight_decay: _lion_step(
            theta, m, g + weight_decay * theta, learning_rate, beta_1, beta_2, 0.0
        ),
        "average_not_updated": _lion(_direction, lambda m, g, b1, b2: m),
        "state_first": lambda *given: _lion_step(*given)[::-1],
    },
)


def _decay_for(share, learning_rate, steps):
    return (1 - share ** (1 / steps)) / learning_rate


decay_for = Exercise(
    reference=_decay_for,
    inputs=lambda rng, number: (
        rng.uniform(0.1, 0.6),
        rng.uniform(0.02, 0.2),
        2 * int(rng.integers(3, 8)) + number % 2,
    ),
    mistakes={
        "share_per_step": lambda share, learning_rate, steps: 1 - share ** (1 / steps),
        "decay_in_a_straight_line": lambda share, learning_rate, steps: (1 - share) / steps / learning_rate,
        "continuous_decay": lambda share, learning_rate, steps: -math.log(share) / steps / learning_rate,
        "share_lost": lambda share, learning_rate, steps: (1 - (1 - share) ** (1 / steps)) / learning_rate,
        "share_of_lost": lambda share, learning_rate, steps: (1 - share) ** (1 / steps) / learning_rate,
        "one_step_only": lambda share, learning_rate, steps: (1 - share) / learning_rate,
        "factor_not_share": lambda share, learning_rate, steps: share ** (1 / steps) / learning_rate,
    },
)


def _iterations_needed(value, goal):
    count = 0
    while value < goal:
        value = 1.5 * value - 0.5 * value**3
        count += 1
    return count


def _with_muons_coefficients(value, goal):
    for count in range(100):  # it ripples, and may never get there
        if value >= goal:
            return count
        value = 3.4445 * value - 4.7750 * value**3 + 2.0315 * value**5
    return 100


def _iterations_inputs(rng, number):
    """Return a small value and a goal; once the goal is reached from the beginning."""
    value = 10 ** rng.uniform(-4, -1.5)
    return value, value if number == 2 else rng.uniform(0.9, 0.99)


iterations_needed = Exercise(
    reference=_iterations_needed,
    inputs=_iterations_inputs,
    counts=True,
    mistakes={
        "one_step_off": [
            lambda value, goal: _iterations_needed(value, goal) + 1,
            lambda value, goal: _iterations_needed(value, goal) - 1,
        ],
        "growth_alone": [
            lambda value, goal: math.ceil(math.log(goal / value) / math.log(1.5)),
            lambda value, goal: math.log(goal / value) / math.log(1.5),
        ],
        "muons_coefficients": _with_muons_coefficients,
    },
)


@dataclass(frozen=True)
class _PaperAdamW:
    learning_rate: float
    share: float

    def init(self, theta):
        return Adam().init(theta)

    def step(self, theta, g, state):
        moved, state = Adam(self.learning_rate).step(theta, g, state)
        return moved - self.share * theta, state


def _decayed(decay):
    """Return a rule with another decay, made of the rule, theta before the step and theta after it."""

    def step(self, theta, g, state):
        moved, state = Adam(self.learning_rate).step(theta, g, state)
        return moved - decay(self, theta, moved), state

    return rules.wrong(_PaperAdamW, step=step)


def _penalised(self, theta, g, state):
    return Adam(self.learning_rate).step(theta, g + self.share * theta, state)


PaperAdamW = Exercise(
    reference=_PaperAdamW,
    inputs=lambda rng, number: (
        (rng.uniform(0.02, 0.3), rng.uniform(0.02, 0.2)),
        rng.normal(size=3),
        rng.normal(size=(6, 3)),
    ),
    mistakes={
        "decay_of_library": _decayed(lambda rule, theta, moved: rule.learning_rate * rule.share * theta),
        "decay_left_out": _decayed(lambda rule, theta, moved: 0 * theta),
        "decay_after_step": _decayed(lambda rule, theta, moved: rule.share * moved),
        "share_not_of_theta": _decayed(lambda rule, theta, moved: rule.share),
        "sign_of_theta": _decayed(lambda rule, theta, moved: rule.share * np.sign(theta)),
        "decay_upwards": _decayed(lambda rule, theta, moved: -rule.share * theta),
        "decay_in_gradient": rules.wrong(_PaperAdamW, step=_penalised),
    },
    run=rules.follow,
)

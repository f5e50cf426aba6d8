"""The exercises of the chapters in reading order: right answers, inputs, and mistakes that get a hint of their own.

A chapter imports this module as ``check`` and calls ``check.sgd_step(my_step)``; see utils/checks.py.
"""

import math
from dataclasses import dataclass

import numpy as np

from utils.checks import Exercise


def _follow(rule, settings, theta, gradients):
    """Make a rule of a class with these settings, let it take a step for each gradient, and return the path."""
    rule = rule(*settings)
    state, path = rule.init(theta), []
    for g in gradients:
        result = rule.step(theta, g, state)
        if not isinstance(result, tuple) or len(result) != 2:
            return result  # not theta and a state: the comparison will say that a part is missing
        theta, state = result
        path.append(theta)
    return np.array(path), len(result)


# 02 Stochastic gradient descent

sgd_step = Exercise(
    reference=lambda theta, g, learning_rate: theta - learning_rate * g,
    inputs=lambda rng, number: (rng.normal(size=3), rng.normal(size=3), rng.uniform(0.01, 0.5)),
    mistakes={
        "sign": lambda theta, g, learning_rate: theta + learning_rate * g,
        "no_learning_rate": lambda theta, g, learning_rate: theta - g,
        "learning_rate_twice": lambda theta, g, learning_rate: theta - learning_rate**2 * g,
        "step_alone": lambda theta, g, learning_rate: -learning_rate * g,
        "theta_scaled": lambda theta, g, learning_rate: learning_rate * (theta - g),
    },
)


def _steps_needed(learning_rate, curvature, factor):
    shrink = abs(1 - learning_rate * curvature)
    if shrink >= 1:
        return None
    return 1 if shrink == 0 else math.ceil(math.log(factor) / -math.log(shrink))


steps_needed = Exercise(
    reference=_steps_needed,
    inputs=lambda rng, number: (
        [0.15, 0.85, 1.15, 1.85, 2.3][number % 5],
        rng.uniform(0.9, 1.05),
        rng.uniform(100, 5000),
    ),
    mistakes={
        "one_step_off": lambda *given: None if (steps := _steps_needed(*given)) is None else steps - 1,
        "no_absolute_value": lambda learning_rate, curvature, factor: (
            _steps_needed(learning_rate, curvature, factor) if learning_rate * curvature < 1 else None
        ),
        "loss_not_distance": lambda learning_rate, curvature, factor: _steps_needed(
            learning_rate, curvature, factor**0.5
        ),
        "diverges_too": lambda learning_rate, curvature, factor: (
            None
            if learning_rate * curvature == 1
            else math.ceil(math.log(factor) / abs(math.log(abs(1 - learning_rate * curvature))))
        ),
    },
)


def _batch_size_for(share, sigma, length, n):
    ratio = (share * length / sigma) ** 2
    return math.ceil(n / (1 + (n - 1) * ratio))


batch_size_for = Exercise(
    reference=_batch_size_for,
    inputs=lambda rng, number: (
        0.1 + 0.1 * number,
        rng.uniform(5, 20),
        rng.uniform(1, 3),
        int(rng.integers(2_000, 20_000)),
    ),
    mistakes={
        "with_replacement": lambda share, sigma, length, n: math.ceil((sigma / (share * length)) ** 2),
        "noise_not_squared": lambda share, sigma, length, n: math.ceil(sigma / (share * length)),
        "rounded_down": lambda *given: _batch_size_for(*given) - 1,
    },
)

# 07 Adam


def _adam_step(direction, theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    """Take a step of Adam whose direction is made of the moments, the shares they are to be divided by, and epsilon."""
    t = t + 1
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    return theta - learning_rate * direction(m, v, 1 - beta_1**t, 1 - beta_2**t, epsilon), m, v, t


def _as_keras(m, v, share_m, share_v, epsilon):
    return m / share_m * np.sqrt(share_v) / (np.sqrt(v) + epsilon)


def _adam_by_keras(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    return _adam_step(_as_keras, theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)


def _adam_with(direction):
    return lambda *given: _adam_step(direction, *given)


def _adam_on_hats(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    """Store the corrected moments as the state."""
    theta, m, v, t = _adam_by_keras(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)
    return theta, m / (1 - beta_1**t), v / (1 - beta_2**t), t


def _adam_inputs(rng, number):
    """Return moments after few and after many steps, and gradients from 1 down to 1e-7."""
    t = (0, 0, 1, 2, 4, 10, 40, 150)[number]
    learning_rate, beta_1, beta_2 = rng.uniform([0.01, 0.6, 0.95], [0.1, 0.9, 0.99])
    gradients = rng.normal(size=(t + 1, 3)) * [1.0, 1e-3, 1e-7]
    theta, m, v = rng.normal(size=3), np.zeros(3), np.zeros(3)
    for step, g in enumerate(gradients[:-1]):
        theta, m, v, _ = _adam_by_keras(theta, m, v, step, g, learning_rate, beta_1, beta_2, 1e-7)
    return theta, m, v, t, gradients[-1], learning_rate, beta_1, beta_2, (1e-7, 1e-3)[number % 2]


adam_step = Exercise(
    reference=_adam_by_keras,
    inputs=_adam_inputs,
    mistakes={
        "sign": _adam_with(lambda *given: -_as_keras(*given)),
        "no_bias_correction": _adam_with(lambda m, v, share_m, share_v, epsilon: m / (np.sqrt(v) + epsilon)),
        "only_m_corrected": _adam_with(lambda m, v, share_m, share_v, epsilon: m / share_m / (np.sqrt(v) + epsilon)),
        "only_v_corrected": _adam_with(
            lambda m, v, share_m, share_v, epsilon: m * np.sqrt(share_v) / (np.sqrt(v) + epsilon)
        ),
        "correction_not_rooted": _adam_with(
            lambda m, v, share_m, share_v, epsilon: m / share_m * share_v / (np.sqrt(v) + epsilon)
        ),
        "epsilon_of_algorithm_1": _adam_with(
            lambda m, v, share_m, share_v, epsilon: m / share_m / (np.sqrt(v / share_v) + epsilon)
        ),
        "epsilon_in_adams_root": _adam_with(
            lambda m, v, share_m, share_v, epsilon: m / share_m * np.sqrt(share_v / (v + epsilon))
        ),
        "epsilon_in_root_of_hat": _adam_with(
            lambda m, v, share_m, share_v, epsilon: m / share_m / np.sqrt(v / share_v + epsilon)
        ),
        "no_epsilon": _adam_with(lambda m, v, share_m, share_v, epsilon: m / share_m * np.sqrt(share_v / v)),
        "no_root": _adam_with(lambda m, v, share_m, share_v, epsilon: m / share_m * share_v / (v + epsilon)),
        "betas_swapped": lambda theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon: _adam_by_keras(
            theta, m, v, t, g, learning_rate, beta_2, beta_1, epsilon
        ),
        "t_from_zero": lambda theta, m, v, t, *given: (*_adam_by_keras(theta, m, v, t - 1, *given)[:3], t + 1),
        "t_not_counted": lambda theta, m, v, t, *given: (*_adam_by_keras(theta, m, v, t, *given)[:3], t),
        "t_never_counted": lambda theta, m, v, t, *given: _adam_by_keras(theta, m, v, t - 1, *given),
        "hats_as_state": _adam_on_hats,
    },
)


def _step_without_correction(t, beta_1, beta_2):
    """Return the length of step t under a constant gradient, in learning rates."""
    return (1 - beta_1**t) / np.sqrt(1 - beta_2**t)


def _uncorrected_peak(beta_1, beta_2, most=1000):
    lengths = _step_without_correction(np.arange(1, most + 1), beta_1, beta_2)
    return int(lengths.argmax()) + 1, lengths.max()


uncorrected_peak = Exercise(
    reference=lambda beta_1, beta_2: _uncorrected_peak(beta_1, beta_2),
    inputs=lambda rng, number: (0.99 if number == 0 else rng.uniform(0.7, 0.95), rng.uniform(0.995, 0.9999)),
    mistakes={
        "counted_from_zero": lambda *betas: (_uncorrected_peak(*betas)[0] - 1, _uncorrected_peak(*betas)[1]),
        "peak_without_m": lambda beta_1, beta_2: (1, 1 / np.sqrt(1 - beta_2)),
        "too_few_steps": lambda *betas: _uncorrected_peak(*betas, most=100),
        "length_and_number": lambda *betas: _uncorrected_peak(*betas)[::-1],
        "first_step_alone": lambda beta_1, beta_2: (1, (1 - beta_1) / np.sqrt(1 - beta_2)),
    },
)


@dataclass(frozen=True)
class _AdaMax:
    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float

    def init(self, theta):
        return np.zeros_like(theta), np.zeros_like(theta), 0

    def largest(self, u, g):
        return np.maximum(self.beta_2 * u, np.abs(g))

    def direction(self, m, u, t):
        return m / (1 - self.beta_1**t) / (u + self.epsilon)

    def step(self, theta, g, state):
        m, u, t = state
        t = t + 1
        m = self.beta_1 * m + (1 - self.beta_1) * g
        u = self.largest(u, g)
        return theta - self.learning_rate * self.direction(m, u, t), (m, u, t)


def _adamax_with(**methods):
    return type("_WrongAdaMax", (_AdaMax,), methods)


AdaMax = Exercise(
    reference=_AdaMax,
    run=_follow,
    inputs=lambda rng, number: (
        tuple(rng.uniform([0.01, 0.6, 0.7, 1e-4], [0.1, 0.9, 0.95, 1e-3])),
        rng.normal(size=3),
        rng.normal(size=(20, 3)) * [1.0, 0.1, 10.0],
    ),
    mistakes={
        "sign": _adamax_with(direction=lambda self, *given: -_AdaMax.direction(self, *given)),
        "no_bias_correction": _adamax_with(direction=lambda self, m, u, t: m / (u + self.epsilon)),
        "t_from_zero": _adamax_with(direction=lambda self, m, u, t: _AdaMax.direction(self, m, u, t - 1)),
        "maximum_corrected": _adamax_with(
            direction=lambda self, m, u, t: _AdaMax.direction(self, m, u / (1 - self.beta_2**t), t)
        ),
        "maximum_never_fades": _adamax_with(largest=lambda self, u, g: np.maximum(u, np.abs(g))),
        "maximum_of_signed": _adamax_with(largest=lambda self, u, g: np.maximum(self.beta_2 * u, g)),
        "average_not_maximum": _adamax_with(largest=lambda self, u, g: self.beta_2 * u + (1 - self.beta_2) * np.abs(g)),
        "root_of_maximum": _adamax_with(direction=lambda self, m, u, t: _AdaMax.direction(self, m, np.sqrt(u), t)),
    },
)

wrong_period = Exercise(
    reference=74,
    mistakes={"period_too_short": 73, "beta_1_left_out": 64, "shorter_memory": 30, "moments_not_settled": 26},
)

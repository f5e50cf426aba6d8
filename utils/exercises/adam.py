"""Exercises of chapter 07, Adam: right answers, inputs, mistakes with a hint of their own."""

from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise


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
    atol=0,  # the second moment of a small gradient is 1e-16
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


def _uncorrected_peak(beta_1, beta_2, most=10_000):
    lengths = _step_without_correction(np.arange(1, most + 1), beta_1, beta_2)
    return int(lengths.argmax()) + 1, lengths.max()


uncorrected_peak = Exercise(
    reference=lambda beta_1, beta_2: _uncorrected_peak(beta_1, beta_2),
    inputs=lambda rng, number: (
        (0.999, rng.uniform(0.9995, 0.9999)) if number == 0 else rng.uniform([0.7, 0.995], [0.95, 0.9999])
    ),
    mistakes={
        "counted_from_zero": lambda *betas: (_uncorrected_peak(*betas)[0] - 1, _uncorrected_peak(*betas)[1]),
        "peak_without_m": lambda beta_1, beta_2: (1, 1 / np.sqrt(1 - beta_2)),
        "too_few_steps": lambda *betas: _uncorrected_peak(*betas, most=100),
        "thousand_steps": lambda *betas: _uncorrected_peak(*betas, most=1000),
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
    run=rules.follow,
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
    mistakes={
        "period_too_short": 73,
        "beta_1_left_out": 64,
        "shorter_memory": 30,
        "moments_not_settled": 26,
        "ten_rounds": 49,
    },
)

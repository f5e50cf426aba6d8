"""Exercises of chapter 07, Adam: right answers, inputs, mistakes with a hint of their own."""

from dataclasses import dataclass

import numpy as np

from utils.exercises import rules
from utils.exercises.checks import Exercise
from utils.exercises.compare import Tolerance


def _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    t = t + 1
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    alpha_t = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return theta - alpha_t * m / (np.sqrt(v) + epsilon), m, v, t


def _adam_along(direction):
    """Return a step along a direction made of the moments, the shares they are to be divided by, and epsilon."""

    def step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
        _, m, v, t = _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)
        return theta - learning_rate * direction(m, v, 1 - beta_1**t, 1 - beta_2**t, epsilon), m, v, t

    return step


def _as_keras(m, v, share_m, share_v, epsilon):
    return m / share_m * np.sqrt(share_v) / (np.sqrt(v) + epsilon)


def _adam_keeping(moments):
    """Return a step whose moments are made as given from the old ones, the gradient and the betas."""

    def step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
        m, v = moments(m, v, g, beta_1, beta_2)
        t = t + 1
        return theta - learning_rate * _as_keras(m, v, 1 - beta_1**t, 1 - beta_2**t, epsilon), m, v, t

    return step


def _adam_moved_by_gradient(corrected):
    """Return a step along the gradient itself, with or without the correction that m would need."""

    def step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
        _, m, v, t = _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)
        share_m = 1 - beta_1**t if corrected else 1
        return theta - learning_rate * _as_keras(g, v, share_m, 1 - beta_2**t, epsilon), m, v, t

    return step


def _adam_with_loose_epsilon(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    theta, *state = _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, 0.0)
    return theta + epsilon, *state


def _adam_without_powers_of(moment):
    """Return a step that leaves the power t out of the correction of one moment."""

    def step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
        _, m, v, t = _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)
        one, other = (1, t) if moment == 1 else (t, 1)
        return theta - learning_rate * _as_keras(m, v, 1 - beta_1**one, 1 - beta_2**other, epsilon), m, v, t

    return step


def _adam_without_powers(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    _, m, v, t = _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)
    return theta - learning_rate * _as_keras(m, v, 1 - beta_1, 1 - beta_2, epsilon), m, v, t


def _adam_on_hats(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon):
    theta, m, v, t = _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)
    return theta, m / (1 - beta_1**t), v / (1 - beta_2**t), t


def _adam_inputs(rng, number):
    """Return moments after few and after many steps, and gradients from 1 down to 1e-7."""
    t = (2, 0, 1, 0, 4, 10, 40, 150)[number]
    learning_rate, beta_1, beta_2 = rng.uniform([0.01, 0.6, 0.95], [0.1, 0.9, 0.99])
    gradients = rng.normal(size=(t + 1, 3)) * [1.0, 1e-3, 1e-7]
    theta, m, v = rng.normal(size=3), np.zeros(3), np.zeros(3)
    for step, g in enumerate(gradients[:-1]):
        theta, m, v, _ = _adam_step(theta, m, v, step, g, learning_rate, beta_1, beta_2, 1e-7)
    return theta, m, v, t, gradients[-1], learning_rate, beta_1, beta_2, (1e-7, 1e-3)[number % 2]


def _parts(change):
    """Return a step whose four parts are changed after they have been computed rightly."""
    return lambda *given: change(*_adam_step(*given), *given[1:4])


adam_step = Exercise(
    reference=_adam_step,
    inputs=_adam_inputs,
    tolerance=Tolerance(atol=0),  # the second moment of a small gradient is 1e-16
    mistakes={
        "sign": _adam_along(lambda *given: -_as_keras(*given)),
        "no_bias_correction": _adam_along(lambda m, v, share_m, share_v, epsilon: m / (np.sqrt(v) + epsilon)),
        "only_m_corrected": _adam_along(lambda m, v, share_m, share_v, epsilon: m / share_m / (np.sqrt(v) + epsilon)),
        "only_v_corrected": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m * np.sqrt(share_v) / (np.sqrt(v) + epsilon)
        ),
        "correction_not_rooted": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m / share_m * share_v / (np.sqrt(v) + epsilon)
        ),
        "correction_upside_down": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m * share_m / np.sqrt(share_v) / (np.sqrt(v) + epsilon)
        ),
        "correction_without_t": [_adam_without_powers, _adam_without_powers_of(1), _adam_without_powers_of(2)],
        "both_rooted": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m / np.sqrt(share_m) * np.sqrt(share_v) / (np.sqrt(v) + epsilon)
        ),
        "old_moments_used": lambda theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon: (
            theta - learning_rate * _as_keras(m, v, 1 - beta_1 ** (t + 1), 1 - beta_2 ** (t + 1), epsilon),
            *_adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon)[1:],
        ),
        "looks_ahead": lambda theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon: (
            theta
            - learning_rate
            * _as_keras(
                beta_1 * (new := _adam_step(theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon))[1]
                + (1 - beta_1) * g,
                new[2],
                1 - beta_1 ** new[3],
                1 - beta_2 ** new[3],
                epsilon,
            ),
            *new[1:],
        ),
        "parentheses_missing": _adam_with_loose_epsilon,
        "v_never_falls": _adam_keeping(
            lambda m, v, g, b, c: (b * m + (1 - b) * g, np.maximum(v, c * v + (1 - c) * g**2))
        ),
        "epsilon_of_algorithm_1": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m / share_m / (np.sqrt(v / share_v) + epsilon)
        ),
        "epsilon_in_adams_root": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m / share_m * np.sqrt(share_v / (v + epsilon))
        ),
        "epsilon_in_root_of_hat": _adam_along(
            lambda m, v, share_m, share_v, epsilon: m / share_m / np.sqrt(v / share_v + epsilon)
        ),
        "no_epsilon": _adam_along(lambda m, v, share_m, share_v, epsilon: m / share_m * np.sqrt(share_v / v)),
        "no_root": [
            _adam_along(lambda m, v, share_m, share_v, epsilon: m / share_m * share_v / (v + epsilon)),
            _adam_along(lambda m, v, share_m, share_v, epsilon: m / share_m * np.sqrt(share_v) / (v + epsilon)),
        ],
        "no_division": _adam_along(lambda m, v, share_m, share_v, epsilon: m / share_m),
        "moved_by_gradient": [_adam_moved_by_gradient(True), _adam_moved_by_gradient(False)],
        "no_learning_rate": lambda theta, m, v, t, g, learning_rate, *settings: _adam_step(
            theta, m, v, t, g, 1.0, *settings
        ),
        "betas_swapped": lambda theta, m, v, t, g, learning_rate, beta_1, beta_2, epsilon: _adam_step(
            theta, m, v, t, g, learning_rate, beta_2, beta_1, epsilon
        ),
        "beta_complement": [
            _adam_keeping(lambda m, v, g, b, c: ((1 - b) * m + b * g, (1 - c) * v + c * g**2)),
            _adam_keeping(lambda m, v, g, b, c: ((1 - b) * m + b * g, c * v + (1 - c) * g**2)),
            _adam_keeping(lambda m, v, g, b, c: (b * m + (1 - b) * g, (1 - c) * v + c * g**2)),
        ],
        "moments_are_sums": [
            _adam_keeping(lambda m, v, g, b, c: (b * m + g, c * v + g**2)),
            _adam_keeping(lambda m, v, g, b, c: (b * m + g, c * v + (1 - c) * g**2)),
            _adam_keeping(lambda m, v, g, b, c: (b * m + (1 - b) * g, c * v + g**2)),
        ],
        "v_not_squared": [
            _adam_keeping(lambda m, v, g, b, c: (b * m + (1 - b) * g, c * v + (1 - c) * g)),
            _adam_keeping(lambda m, v, g, b, c: (b * m + (1 - b) * g, c * v + (1 - c) * np.abs(g))),
        ],
        "v_of_the_mean": _adam_keeping(lambda m, v, g, b, c: (new := b * m + (1 - b) * g, c * v + (1 - c) * new**2)),
        "t_from_zero": lambda theta, m, v, t, *given: (*_adam_step(theta, m, v, t - 1, *given)[:3], t + 1),
        "t_not_counted": _parts(lambda theta, m, v, t, *old: (theta, m, v, t - 1)),
        "t_never_counted": lambda theta, m, v, t, *given: _adam_step(theta, m, v, t - 1, *given),
        "hats_as_state": _adam_on_hats,
        "old_moments_returned": _parts(lambda theta, m, v, t, old_m, old_v, old_t: (theta, old_m, old_v, t)),
        "moments_exchanged": _parts(lambda theta, m, v, t, *old: (theta, v, m, t)),
        "step_alone": lambda theta, *given: _adam_step(0 * theta, *given),
    },
)


def _uncorrected_peak(beta_1, beta_2):
    return _longest(beta_1, beta_2, 50 / (1 - beta_1))


def _longest(beta_1, beta_2, most, power=0.5):
    """Return the number and the length, in learning rates, of the longest of the first steps on a constant gradient."""
    t = np.arange(1, most)
    lengths = (1 - beta_1**t) / (1 - beta_2**t) ** power
    return int(lengths.argmax()) + 1, lengths.max()


def _peak_inputs(rng, number):
    """Return betas, the first one always below the second, also when one of call 1, 3 or 5 meets one of call 0."""
    if number == 2:
        return 0.999, rng.uniform(0.9995, 0.9999)
    if number == 4:
        return rng.uniform(0.99989, 0.9999), rng.uniform(0.99994, 0.99996)  # longest after more than 10,000 steps
    if number == 6:
        beta_1 = rng.uniform(0.8, 0.95)
        return beta_1, 1 - rng.uniform(0.7, 0.8) * (1 - beta_1)
    return tuple(rng.uniform([0.7, 0.995], [0.95, 0.9999]))


uncorrected_peak = Exercise(
    reference=_uncorrected_peak,
    inputs=_peak_inputs,
    counts=True,
    mistakes={
        "counted_from_zero": lambda *betas: (_uncorrected_peak(*betas)[0] - 1, _uncorrected_peak(*betas)[1]),
        "peak_without_m": lambda beta_1, beta_2: (1, 1 / np.sqrt(1 - beta_2)),
        "too_few_steps": [
            lambda *betas, most=most: _longest(*betas, most + 1)
            for most in (
                20,
                30,
                50,
                64,
                99,
                100,
                128,
                150,
                199,
                200,
                250,
                256,
                300,
                400,
                499,
                500,
                999,
                1000,
                1024,
                1999,
            )
        ]
        + [lambda *betas, most=most: _longest(*betas, most + 1) for most in (2000, 3000, 4999, 5000, 9999, 10_000)],
        "no_root": [
            lambda *betas: _longest(*betas, 50 / (1 - betas[0]), power=1),
            lambda *betas: _longest(*betas, 10_001, power=1),
            lambda *betas: _longest(*betas, 1001, power=1),
        ],
        "length_and_number": lambda *betas: _uncorrected_peak(*betas)[::-1],
        "first_step_alone": lambda beta_1, beta_2: (1, (1 - beta_1) / np.sqrt(1 - beta_2)),
        "correction_on": lambda beta_1, beta_2: (1, 1.0),
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

    def average(self, m, g):
        return self.beta_1 * m + (1 - self.beta_1) * g

    def largest(self, u, g):
        return np.maximum(self.beta_2 * u, np.abs(g))

    def direction(self, m, u, t, g):
        return m / (1 - self.beta_1**t) / (u + self.epsilon)

    def handed_on(self, old, new):
        return new

    def step(self, theta, g, state):
        m, u, t = state
        t = t + 1
        m = self.average(m, g)
        u = self.largest(u, g)
        return theta - self.learning_rate * self.direction(m, u, t, g), self.handed_on(state, (m, u, t))


def _with(**methods):
    return rules.wrong(_AdaMax, **methods)


AdaMax = Exercise(
    reference=_AdaMax,
    run=rules.follow,
    inputs=lambda rng, number: (
        tuple(rng.uniform([0.01, 0.6, 0.7, 1e-4], [0.1, 0.9, 0.95, 1e-3])),
        rng.normal(size=3),
        rng.normal(size=(20, 3)) * [1.0, 0.1, 10.0],
    ),
    mistakes={
        "sign": _with(direction=lambda self, *given: -_AdaMax.direction(self, *given)),
        "no_learning_rate": _with(direction=lambda self, *given: _AdaMax.direction(self, *given) / self.learning_rate),
        "no_bias_correction": _with(direction=lambda self, m, u, t, g: m / (u + self.epsilon)),
        "t_from_zero": [
            _with(direction=lambda self, m, u, t, g: _AdaMax.direction(self, m, u, t - 1, g)),
            _with(direction=lambda self, m, u, t, g: _AdaMax.direction(self, m, u, t - 1 if t > 1 else np.inf, g)),
        ],
        "old_maximum_used": _with(
            step=lambda self, theta, g, state: (
                theta - self.learning_rate * self.direction(self.average(state[0], g), state[1], state[2] + 1, g),
                (self.average(state[0], g), self.largest(state[1], g), state[2] + 1),
            )
        ),
        "new_size_shared": _with(largest=lambda self, u, g: np.maximum(self.beta_2 * u, (1 - self.beta_2) * np.abs(g))),
        "correction_of_beta_2": _with(direction=lambda self, m, u, t, g: m / (1 - self.beta_2**t) / (u + self.epsilon)),
        "new_size_fades": _with(largest=lambda self, u, g: self.beta_2 * np.maximum(u, np.abs(g))),
        "adam_itself": [
            _with(
                largest=lambda self, u, g: self.beta_2 * u + (1 - self.beta_2) * g**2,
                direction=lambda self, m, u, t, g, corrected=corrected: _AdaMax.direction(
                    self, m, np.sqrt(u / (1 - self.beta_2**t) if corrected else u), t, g
                ),
            )
            for corrected in (True, False)
        ],
        "t_not_kept": [
            _with(handed_on=lambda self, old, new: (*new[:2], 0)),
            _with(direction=lambda self, m, u, t, g: _AdaMax.direction(self, m, u, 1, g)),
        ],
        "state_not_updated": _with(handed_on=lambda self, old, new: (*old[:2], new[2])),
        "averages_swapped": _with(handed_on=lambda self, old, new: (new[1], new[0], new[2])),
        "betas_swapped": _with(
            average=lambda self, m, g: self.beta_2 * m + (1 - self.beta_2) * g,
            largest=lambda self, u, g: np.maximum(self.beta_1 * u, np.abs(g)),
            direction=lambda self, m, u, t, g: m / (1 - self.beta_2**t) / (u + self.epsilon),
        ),
        "beta_complement": _with(average=lambda self, m, g: (1 - self.beta_1) * m + self.beta_1 * g),
        "moments_are_sums": _with(average=lambda self, m, g: self.beta_1 * m + g),
        "moved_by_gradient": [
            _with(direction=lambda self, m, u, t, g: g / (u + self.epsilon)),
            _with(direction=lambda self, m, u, t, g: g / (1 - self.beta_1**t) / (u + self.epsilon)),
        ],
        "no_epsilon": _with(direction=lambda self, m, u, t, g: m / (1 - self.beta_1**t) / u),
        "maximum_corrected": _with(
            direction=lambda self, m, u, t, g: _AdaMax.direction(self, m, u / (1 - self.beta_2**t), t, g)
        ),
        "maximum_never_fades": _with(largest=lambda self, u, g: np.maximum(u, np.abs(g))),
        "maximum_of_signed": _with(largest=lambda self, u, g: np.maximum(self.beta_2 * u, g)),
        "average_not_maximum": _with(largest=lambda self, u, g: self.beta_2 * u + (1 - self.beta_2) * np.abs(g)),
        "maximum_of_squares": _with(largest=lambda self, u, g: np.maximum(self.beta_2 * u, g**2)),
        "maximum_over_all": _with(largest=lambda self, u, g: np.maximum(self.beta_2 * u, np.max(np.abs(g)))),
        "root_of_maximum": _with(direction=lambda self, m, u, t, g: _AdaMax.direction(self, m, np.sqrt(u), t, g)),
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
        "period_far_too_short": sorted({*range(1, 73)} - {26, 30, 49, 64}),
        "period_too_long": [*range(75, 1001)],
    },
)

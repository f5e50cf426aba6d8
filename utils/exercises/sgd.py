"""Exercises of chapter 02, Stochastic gradient descent: right answers, inputs, mistakes with a hint of their own."""

import math

import numpy as np

from utils.exercises.checks import Exercise


def _sgd_step(theta, g, learning_rate):
    return theta - learning_rate * g


sgd_step = Exercise(
    reference=_sgd_step,
    inputs=lambda rng, number: (rng.normal(size=3), rng.normal(size=3), rng.uniform(0.01, 0.5)),
    mistakes={
        "sign": lambda theta, g, learning_rate: theta + learning_rate * g,
        "no_learning_rate": lambda theta, g, learning_rate: theta - g,
        "learning_rate_twice": lambda theta, g, learning_rate: theta - learning_rate**2 * g,
        "step_alone": [
            lambda theta, g, learning_rate: -learning_rate * g,
            lambda theta, g, learning_rate: learning_rate * g,
        ],
        "theta_scaled": [
            lambda theta, g, learning_rate: learning_rate * (theta - g),
            lambda theta, g, learning_rate: (1 - learning_rate) * theta - learning_rate * g,
        ],
        "multiplied_by_theta": lambda theta, g, learning_rate: theta - learning_rate * g * theta,
        "one_step_for_all": [
            lambda theta, g, learning_rate: theta - learning_rate * np.sum(g),
            lambda theta, g, learning_rate: theta - learning_rate * np.mean(g),
            lambda theta, g, learning_rate: theta - learning_rate * np.sum(g**2),
            lambda theta, g, learning_rate: theta - learning_rate * np.linalg.norm(g),
        ],
        "divided_by_rate": lambda theta, g, learning_rate: theta - g / learning_rate,
        "gradient_of_length_one": lambda theta, g, learning_rate: theta - learning_rate * g / np.linalg.norm(g),
        "sign_of_gradient": lambda theta, g, learning_rate: theta - learning_rate * np.sign(g),
    },
)


def _steps_needed(learning_rate, curvature, factor):
    shrink = abs(1 - learning_rate * curvature)
    if shrink >= 1:
        return None
    if shrink == 0:
        return 1
    return math.ceil(math.log(factor) / -math.log(shrink))


def _steps_inputs(rng, number):
    """Return products of rate and curvature on both sides of 1 and 2, and exactly these, whatever the rounding.

    The last distance has shrunk to exactly a quarter after two steps.
    """
    product = (0.15, 1.85, 1.0, 2.0, 2.3, 0.01, 1.15, 0.5)[number]
    curvature = 2.0 ** rng.integers(-2, 3) if product in (0.5, 1.0, 2.0) else rng.uniform(0.3, 4)
    return product / curvature, curvature, 4.0 if number == 7 else rng.uniform(100, 5000)


def _unless_never(change):
    """Change the number of steps, where there is one."""

    def steps(learning_rate, curvature, factor):
        right = _steps_needed(learning_rate, curvature, factor)
        return None if right is None else change(right, learning_rate * curvature, factor)

    return steps


steps_needed = Exercise(
    reference=_steps_needed,
    inputs=_steps_inputs,
    mistakes={
        "one_step_off": [
            _unless_never(lambda right, product, factor: right - 1),
            _unless_never(lambda right, product, factor: right - 1 if product != 1 else 1),
            _unless_never(lambda right, product, factor: right - 1 if product != 1 and factor != 4 else right),
            _unless_never(lambda right, product, factor: right + 1 if factor == 4 else right),
            _unless_never(lambda right, product, factor: right + 1),
            _unless_never(lambda right, product, factor: right + 1 if product != 1 else 1),
        ],
        "no_absolute_value": lambda learning_rate, curvature, factor: (
            _steps_needed(learning_rate, curvature, factor) if learning_rate * curvature < 1 else None
        ),
        "none_at_one": _unless_never(lambda right, product, factor: None if product == 1 else right),
        "no_step_at_one": _unless_never(lambda right, product, factor: 0 if product == 1 else right),
        "infinity_for_never": lambda *given: math.inf if (right := _steps_needed(*given)) is None else right,
        "zero_for_never": lambda *given: _steps_needed(*given) or 0,
        "loss_not_distance": lambda learning_rate, curvature, factor: _steps_needed(
            learning_rate, curvature, factor**0.5
        ),
        "diverges_too": lambda learning_rate, curvature, factor: (
            {0.0: 1, 1.0: None}[shrink]
            if (shrink := abs(1 - learning_rate * curvature)) in (0, 1)
            else math.ceil(math.log(factor) / abs(math.log(shrink)))
        ),
        "two_bases": [
            lambda learning_rate, curvature, factor: _steps_needed(
                learning_rate, curvature, factor ** (1 / math.log(10))
            ),
            lambda learning_rate, curvature, factor: _steps_needed(
                learning_rate, curvature, factor ** (1 / math.log(2))
            ),
        ],
        "rate_for_logarithm": [
            lambda learning_rate, curvature, factor: math.ceil(math.log(factor) / (learning_rate * curvature)),
            lambda learning_rate, curvature, factor: (
                None if learning_rate * curvature >= 2 else math.ceil(math.log(factor) / (learning_rate * curvature))
            ),
        ],
        "steps_in_a_straight_line": lambda learning_rate, curvature, factor: (
            None
            if abs(1 - learning_rate * curvature) >= 1
            else math.ceil((1 - 1 / factor) / (learning_rate * curvature))
        ),
    },
)


def _batch_size_for(share, sigma, length, n):
    ratio = (share * length / sigma) ** 2
    return math.ceil(n / (1 + (n - 1) * ratio))


def _batch_inputs(rng, number):
    """Return few or many images. With few, the right size is close to a whole number, so that n - 1 counts."""
    if number == 7:  # one image is exactly enough
        return 0.5, 1.0, 2.0, int(rng.integers(20, 60))
    sigma, length = rng.uniform(5, 20), rng.uniform(1, 3)
    n = int(rng.integers(20, 60)) if number % 2 == 0 else int(rng.integers(8_000, 20_000))
    part = (0.1, -0.001, 0.35, -0.001)[number // 2]  # tells n - 1 from n in both its places
    size = n // 2 + part if number % 2 == 0 else int(rng.uniform(0.15, 0.2) * n) + 0.3
    return math.sqrt((n / size - 1) / (n - 1)) * sigma / length, sigma, length, n


batch_size_for = Exercise(
    reference=_batch_size_for,
    inputs=_batch_inputs,
    mistakes={
        "with_replacement": lambda share, sigma, length, n: math.ceil((sigma / (share * length)) ** 2),
        "noise_not_squared": [
            lambda share, sigma, length, n: math.ceil(sigma / (share * length)),
            lambda share, sigma, length, n: math.ceil(n / (1 + (n - 1) * share * length / sigma)),
        ],
        "rounded_down": [
            lambda *given: _batch_size_for(*given) - 1,
            lambda share, sigma, length, n: math.floor(n / (1 + (n - 1) * (share * length / sigma) ** 2)),
        ],
        "n_for_n_minus_one": lambda share, sigma, length, n: math.ceil(n / (1 + n * (share * length / sigma) ** 2)),
        "n_minus_one_for_n": lambda share, sigma, length, n: math.ceil(
            (n - 1) / (1 + (n - 1) * (share * length / sigma) ** 2)
        ),
        "rounded_to_nearest": lambda share, sigma, length, n: round(n / (1 + (n - 1) * (share * length / sigma) ** 2)),
        "gradient_over_noise": lambda share, sigma, length, n: math.ceil(
            n / (1 + (n - 1) * (sigma / (share * length)) ** 2)
        ),
        "share_of_noise": lambda share, sigma, length, n: math.ceil(
            n / (1 + (n - 1) * (length / (share * sigma)) ** 2)
        ),
    },
)

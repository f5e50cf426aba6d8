"""Exercises of chapter 02, Stochastic gradient descent: right answers, inputs, mistakes with a hint of their own."""

import math

from utils.exercises.checks import Exercise

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

"""Exercises of chapter 13, The surface of a network: right answers, inputs, mistakes with a hint of their own."""

import math

import numpy as np

from utils.exercises.checks import Exercise


def _largest_curvature(product, v, steps):
    for _ in range(steps):
        v = product(v)
        v = v / np.linalg.norm(v)
    return v @ product(v)


def _curvature_inputs(rng, number):
    """Return a product whose largest curvature is negative in every second call, a direction, and a few steps."""
    curvatures = rng.uniform(0.2, 1, size=4) * [3, 1, -1, -1] * (-1) ** number
    frame = np.linalg.qr(rng.normal(size=(4, 4)))[0]

    def product(v):
        return frame @ (curvatures * (frame.T @ v))

    return product, rng.normal(size=4), (1, 5, 2, 3, 8, 4, 6, 7)[number]


def _normalised_by(length):
    """Return power iteration with another length, which answers with what it ends with."""

    def largest(product, v, steps):
        for _ in range(steps):
            v = product(v)
            v = v / length(v)
        return v @ product(v)

    return largest


def _last_of(product, v, steps, change):
    for _ in range(steps):
        v = change(v)
    return v @ product(v)


def _after(answer):
    """Return power iteration that ends in another answer."""

    def largest(product, v, steps):
        for _ in range(steps):
            v = product(v)
            v = v / np.linalg.norm(v)
        return answer(product, v)

    return largest


largest_curvature = Exercise(
    reference=_largest_curvature,
    inputs=_curvature_inputs,
    mistakes={
        "size_of_curvature": _after(lambda product, v: np.linalg.norm(product(v))),
        "length_not_divided_out": [_normalised_by(lambda v: 1.0), _normalised_by(lambda v: v @ v)],
        "normalised_before": [
            lambda product, v, steps: _last_of(product, v, steps, lambda v: product(v) / np.linalg.norm(v)),
            lambda product, v, steps: _last_of(product, v, steps, lambda v: product(v / np.linalg.norm(v))),
        ],
        "one_product_short": lambda product, v, steps: (
            _largest_curvature(product, v, steps - 1) if steps > 1 else v @ product(v) / (v @ v)
        ),
        "one_product_more": lambda product, v, steps: _largest_curvature(product, v, steps + 1),
        "largest_entry": [
            _normalised_by(lambda v: np.max(np.abs(v))),
            _after(lambda product, v: np.max(np.abs(product(v)))),
            _after(lambda product, v: np.max(product(v))),
        ],
        "start_kept": lambda product, v, steps: v @ product(v) / (v @ v),
    },
)


def _steps_to_leave(offset, away, learning_rate, curvature):
    if offset == 0 or curvature >= 0:
        return None
    return max(0, math.ceil(math.log(away / abs(offset)) / math.log(1 - learning_rate * curvature)))


def _saddle_inputs(rng, number):
    """Return starts on both sides, on the ridge (call 3) and beyond ``away`` (call 5), and ground that does not fall.

    In call 4 the ground rises, in call 6 it is level; a small product, in calls 0 and 2, tells roots from logarithms.
    In call 7 the point is at exactly ``away`` after two steps.
    """
    if number == 7:
        return -0.25, 1.0, 0.5, -2.0
    offset = rng.uniform(1e-6, 1e-3) * (-1) ** number
    away = rng.uniform(0.2, 0.8)
    offset = {3: 0.0, 5: -1.5 * away}.get(number, offset)
    product = (0.03, 0.4, 0.011, 0.2, 0.3, 0.1, 0.2)[number]
    learning_rate = rng.uniform(0.02, 0.5)
    curvature = {4: product / learning_rate, 6: 0.0}.get(number, -product / learning_rate)
    return offset, away, learning_rate, curvature


def _unless_never(change):
    """Change the number of steps, where there is one above 0."""

    def steps(offset, away, learning_rate, curvature):
        right = _steps_to_leave(offset, away, learning_rate, curvature)
        return change(right, abs(offset), away, learning_rate * curvature) if right else right

    return steps


def _never_as(value):
    """Return an answer that has a number where the point never leaves."""

    def steps(*given):
        right = _steps_to_leave(*given)
        return value if right is None else right

    return steps


steps_to_leave = Exercise(
    reference=_steps_to_leave,
    inputs=_saddle_inputs,
    mistakes={
        "one_step_off": [
            _unless_never(lambda right, *_: right - 1),
            _unless_never(lambda right, *_: right + 1),
            _unless_never(
                lambda right, offset, away, product: max(0, math.floor(math.log(away / offset) / math.log(1 - product)))
            ),
            _unless_never(
                lambda right, offset, away, product: math.floor(math.log(away / offset) / math.log(1 - product)) + 1
            ),
        ],
        "growth_without_one": _unless_never(
            lambda right, offset, away, product: math.ceil(math.log(away / offset) / -product)
        ),
        "leaves_in_a_straight_line": _unless_never(
            lambda right, offset, away, product: math.ceil((away - offset) / (offset * -product))
        ),
        "two_bases": [
            _unless_never(
                lambda right, offset, away, product: math.ceil(math.log10(away / offset) / math.log(1 - product))
            ),
            _unless_never(
                lambda right, offset, away, product: math.ceil(math.log(away / offset) / math.log10(1 - product))
            ),
        ],
        "never_as_infinity": _never_as(math.inf),
        "never_as_zero": _never_as(0),
        "already_away": lambda offset, away, learning_rate, curvature: (
            None
            if offset == 0 or curvature >= 0
            else math.ceil(math.log(away / abs(offset)) / math.log(1 - learning_rate * curvature))
        ),
    },
)


def _factors(W1, b1, W2):
    return np.sqrt(np.sqrt(np.sum(W2**2, axis=1)) / np.sqrt(np.sum(W1**2, axis=0) + b1**2))


def _lengths(W1, b1, W2):
    return np.sqrt(np.sum(W1**2, axis=0) + b1**2), np.sqrt(np.sum(W2**2, axis=1))


def _balanced(W1, b1, W2):
    c = _factors(W1, b1, W2)
    return c * W1, c * b1, W2 / c[:, None]


def _by_factors(factors):
    """Return units rescaled by other factors."""

    def rescaled(W1, b1, W2):
        c = factors(W1, b1, W2)
        return c * W1, c * b1, W2 / c[:, None]

    return rescaled


balanced = Exercise(
    reference=_balanced,
    inputs=lambda rng, number: (
        rng.normal(size=(3, 4)) * rng.uniform(0.2, 5, size=4),
        rng.normal(size=4),
        rng.normal(size=(4, 2)),
    ),
    mistakes={
        "ratio_for_factor": _by_factors(lambda *weights: _factors(*weights) ** 2),
        "other_way_to_balance": _by_factors(lambda *weights: 1 / _factors(*weights)),
        "bias_not_counted": _by_factors(lambda W1, b1, W2: _factors(W1, 0 * b1, W2)),
        "both_of_length_one": lambda W1, b1, W2: (
            W1 / _lengths(W1, b1, W2)[0],
            b1 / _lengths(W1, b1, W2)[0],
            W2 / _lengths(W1, b1, W2)[1][:, None],
        ),
        "mean_of_lengths": lambda W1, b1, W2: (
            W1 * (mean := np.mean(both := _lengths(W1, b1, W2), axis=0)) / both[0],
            b1 * mean / both[0],
            W2 * (mean / both[1])[:, None],
        ),
        "bias_added_to_length": _by_factors(
            lambda W1, b1, W2: np.sqrt(_lengths(W1, b1, W2)[1] / (_lengths(W1, 0 * b1, W2)[0] + np.abs(b1)))
        ),
        "sizes_added": _by_factors(
            lambda W1, b1, W2: np.sqrt(np.abs(W2).sum(axis=1) / (np.abs(W1).sum(axis=0) + np.abs(b1)))
        ),
        "root_twice": _by_factors(lambda *weights: np.sqrt(_factors(*weights))),
        "bias_not_scaled": lambda W1, b1, W2: (_balanced(W1, b1, W2)[0], b1, _balanced(W1, b1, W2)[2]),
        "bias_divided": lambda W1, b1, W2: (
            _balanced(W1, b1, W2)[0],
            b1 / _factors(W1, b1, W2),
            _balanced(W1, b1, W2)[2],
        ),
        "outgoing_stay": lambda W1, b1, W2: (*_balanced(W1, b1, W2)[:2], W2),
        "outgoing_too": lambda W1, b1, W2: (*_balanced(W1, b1, W2)[:2], W2 * _factors(W1, b1, W2)[:, None]),
        "one_factor_for_all": _by_factors(
            lambda W1, b1, W2: np.full(len(b1), np.sqrt(np.linalg.norm(W2) / np.sqrt(np.sum(W1**2) + np.sum(b1**2))))
        ),
    },
)

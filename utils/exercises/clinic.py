"""Exercises of chapter 12, When training goes wrong: right answers, inputs, mistakes with a hint of their own."""

import itertools

import numpy as np

from utils.exercises.checks import Exercise


def _gradients(rng, number):
    """Return the gradients of a matrix and of a bias, and a limit that the length of both is sometimes below."""
    gradients = [rng.normal(size=(3, 2)), rng.normal(size=2) * (1, 4)[number % 2]]  # now one is longer, now the other
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return gradients, norm * ((0.4, 1.5, 0.7, 0.1, 3.0, 0.9, 1.1, 0.3)[number])


def _clip_by_global_norm(gradients, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return tuple(g * np.minimum(1, limit / norm) for g in gradients)


def _length(gradients):
    return np.sqrt(sum(np.sum(g**2) for g in gradients))


def _each(gradients, factor):
    return tuple(g * factor(g) for g in gradients)


clip_by_global_norm = Exercise(
    reference=_clip_by_global_norm,
    inputs=_gradients,
    mistakes={
        "each_clipped_alone": lambda gradients, limit: _each(gradients, lambda g: min(1, limit / np.linalg.norm(g))),
        "short_ones_lengthened": lambda gradients, limit: _each(
            gradients, lambda g: limit / np.sqrt(sum(np.sum(h**2) for h in gradients))
        ),
        "values_clipped": lambda gradients, limit: tuple(np.clip(g, -limit, limit) for g in gradients),
        "norm_not_rooted": lambda gradients, limit: _each(
            gradients, lambda g: min(1, limit / sum(np.sum(h**2) for h in gradients))
        ),
        "largest_norm": lambda gradients, limit: _each(
            gradients, lambda g: min(1, limit / max(np.linalg.norm(h) for h in gradients))
        ),
        "first_alone": [
            lambda gradients, limit, which=which: _each(
                gradients, lambda g: min(1, limit / np.linalg.norm(gradients[which]))
            )
            for which in (0, -1)
        ],
        "largest_number": lambda gradients, limit: _each(
            gradients, lambda g: min(1, limit / max(np.abs(h).max() for h in gradients))
        ),
        "limit_upside_down": lambda gradients, limit: _each(gradients, lambda g: min(1, _length(gradients) / limit)),
        "longer_instead": lambda gradients, limit: _each(gradients, lambda g: max(1, limit / _length(gradients))),
        "not_clipped": lambda gradients, limit: _each(gradients, lambda g: 1),
        "spectral_norm": lambda gradients, limit: _each(
            gradients, lambda g: min(1, limit / np.sqrt(sum(np.linalg.norm(h, 2) ** 2 for h in gradients)))
        ),
        "norms_added": lambda gradients, limit: _each(
            gradients, lambda g: min(1, limit / sum(np.linalg.norm(h) for h in gradients))
        ),
        "limit_left_out": [
            lambda gradients, limit: _each(gradients, lambda g: min(1, 1 / _length(gradients))),
            lambda gradients, limit: _each(
                gradients, lambda g: 1 / _length(gradients) if _length(gradients) > limit else 1
            ),
        ],
    },
)


def _scales(rng, number):
    """Return a scale, the good steps since it last changed, whether this one is finite, and when the scale doubles."""
    growth = int(rng.integers(5, 20)) + 20 * (number % 2)
    good = (growth - 1, growth - 2, growth - 3, growth - 1, 1, growth - 1, growth - 2, 2)[number]
    return float(2 ** rng.integers(8, 16)) + 2 * number, good, number in (0, 2, 3, 6, 7), growth


def _next_scale(scale, good_steps, finite, growth_steps):
    if not finite:
        return scale / 2, 0
    if good_steps + 1 == growth_steps:
        return scale * 2, 0
    return scale, good_steps + 1


next_scale = Exercise(
    reference=_next_scale,
    inputs=_scales,
    mistakes={
        "good_steps_kept": lambda scale, good_steps, finite, growth_steps: (
            _next_scale(scale, good_steps, finite, growth_steps)[0],
            good_steps + 1 if finite else good_steps,
        ),
        "count_kept_on_doubling": lambda scale, good_steps, finite, growth_steps: (
            _next_scale(scale, good_steps, finite, growth_steps)[0],
            good_steps + 1 if finite else 0,
        ),
        "count_of_one_after": [
            lambda scale, good_steps, finite, growth_steps: (
                _next_scale(scale, good_steps, finite, growth_steps)[0],
                good_steps + 1 if finite and good_steps + 1 != growth_steps else 1,
            ),
            lambda scale, good_steps, finite, growth_steps: (
                _next_scale(scale, good_steps, finite, growth_steps)[0],
                0 if not finite else good_steps + 1 if good_steps + 1 != growth_steps else 1,
            ),
        ],
        "step_not_counted": lambda scale, good_steps, finite, growth_steps: (
            _next_scale(scale, good_steps, finite, growth_steps)[0],
            good_steps if finite and good_steps + 1 != growth_steps else 0,
        ),
        "never_doubled": lambda scale, good_steps, finite, growth_steps: (
            (scale, good_steps + 1) if finite else (scale / 2, 0)
        ),
        "never_halved": lambda scale, good_steps, finite, growth_steps: (
            _next_scale(scale, good_steps, True, growth_steps) if finite else (scale, 0)
        ),
        "doubled_and_halved_swapped": lambda scale, good_steps, finite, growth_steps: (
            (scale * 2, 0)
            if not finite
            else (scale / 2, 0)
            if good_steps + 1 == growth_steps
            else (scale, good_steps + 1)
        ),
        "bad_step_counted": lambda scale, good_steps, finite, growth_steps: (
            (scale / 2, 1) if not finite else _next_scale(scale, good_steps, finite, growth_steps)
        ),
    },
)


def _restarted_step(beta_1, beta_2, t):
    t = t + 1
    return (1 - beta_1) / np.sqrt(1 - beta_2) * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)


restarted_step = Exercise(
    reference=_restarted_step,
    inputs=lambda rng, number: (rng.uniform(0.8, 0.95), rng.uniform(0.98, 0.999), int(rng.integers(2, 9)) + 8 * number),
    mistakes={
        "counter_lost_too": lambda beta_1, beta_2, t: 1.0,
        "new_step_not_counted": lambda beta_1, beta_2, t: _restarted_step(beta_1, beta_2, t - 1),
        "two_step_counts": [
            lambda beta_1, beta_2, t, more=more: (
                _restarted_step(beta_1, beta_2, t) * np.sqrt((1 - beta_2 ** (t + more)) / (1 - beta_2 ** (t + 1)))
            )
            for more in (0, 2)
        ],
        "no_root": lambda beta_1, beta_2, t: (
            (1 - beta_1) / (1 - beta_1 ** (t + 1)) * (1 - beta_2 ** (t + 1)) / (1 - beta_2)
        ),
        "correction_not_rooted": lambda beta_1, beta_2, t: (
            _restarted_step(beta_1, beta_2, t) * np.sqrt(1 - beta_2 ** (t + 1))
        ),
        "after_many_steps": lambda beta_1, beta_2, t: (1 - beta_1) / np.sqrt(1 - beta_2),
        "correction_upside_down": lambda beta_1, beta_2, t: (
            (1 - beta_1) / np.sqrt(1 - beta_2) * (1 - beta_1 ** (t + 1)) / np.sqrt(1 - beta_2 ** (t + 1))
        ),
        "correction_of_m_alone": lambda beta_1, beta_2, t: (1 - beta_1) / np.sqrt(1 - beta_2) / (1 - beta_1 ** (t + 1)),
        "correction_of_v_alone": lambda beta_1, beta_2, t: (
            (1 - beta_1) / np.sqrt(1 - beta_2) * np.sqrt(1 - beta_2 ** (t + 1))
        ),
    },
)


causes = Exercise(
    reference=("weights", "labels", "rate"),
    mistakes={
        "in_another_order": [*itertools.permutations(("weights", "labels", "rate"))][1:],
        "weights_taken_for_pixels": ("pixels", "labels", "rate"),
        "labels_taken_for_dead": [("weights", "dead", "rate"), ("weights", "frozen", "rate")],
        "rate_taken_for_pixels": [("weights", "labels", "pixels"), ("weights", "labels", "weights")],
    },
)

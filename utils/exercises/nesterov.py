"""Exercises of chapter 04, Nesterov momentum: right answers, inputs, mistakes with a hint of their own."""

from utils.exercises import rules
from utils.exercises.checks import Exercise


def _keras_move(v, old, g, learning_rate, momentum):
    return momentum * v - learning_rate * g


_nesterov_step = rules.momentum_with(rules.velocity, _keras_move)

nesterov_step = Exercise(
    reference=lambda theta, v, g, learning_rate, momentum: _nesterov_step(theta, v, g, learning_rate, momentum),
    inputs=rules.momentum_inputs,
    mistakes={
        "sign": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g,
            lambda v, old, g, learning_rate, momentum: momentum * v + learning_rate * g,
        ),
        "momentum_instead": rules.momentum_step,
        "three_pushes": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: v + momentum * v
        ),
        "gradient_left_out": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum * v
        ),
        "momentum_left_out": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: v - learning_rate * g
        ),
        "both_pushes_kept": lambda theta, v, g, learning_rate, momentum: rules.momentum_step(
            theta, rules.velocity(v, g, learning_rate, momentum), g, learning_rate, momentum
        ),
        "velocity_not_updated": lambda theta, v, *given: (_nesterov_step(theta, v, *given)[0], v),
        "state_first": lambda *given: _nesterov_step(*given)[::-1],
    },
)


def _look_ahead_with(place, move=lambda v, ahead: v, sign=-1):
    """Return a look-ahead step that takes the gradient at another place, or moves in another way."""

    def step(gradient, phi, v, learning_rate, momentum):
        g = gradient(place(phi, v, momentum))
        new = momentum * v + sign * learning_rate * g
        return phi + move(new, momentum * v), new

    return step


def _ahead(phi, v, momentum):
    return phi + momentum * v


_look_ahead_step = _look_ahead_with(_ahead)


def _look_ahead_inputs(rng, number):
    curvatures = rng.uniform(0.2, 3, size=3)

    def gradient(theta):
        return curvatures * theta + theta**3

    return gradient, *rng.normal(size=(2, 3)), rng.uniform(0.02, 0.3), rng.uniform(0.6, 0.95)


look_ahead_step = Exercise(
    reference=lambda gradient, phi, v, learning_rate, momentum: _look_ahead_step(
        gradient, phi, v, learning_rate, momentum
    ),
    inputs=_look_ahead_inputs,
    mistakes={
        "gradient_here": _look_ahead_with(lambda phi, v, momentum: phi),
        "gradient_too_far": _look_ahead_with(lambda phi, v, momentum: phi + v),
        "gradient_behind": _look_ahead_with(lambda phi, v, momentum: phi - momentum * v),
        "moved_from_ahead": _look_ahead_with(_ahead, lambda v, ahead: ahead + v),
        "sign": _look_ahead_with(_ahead, sign=1),
        "velocity_not_updated": lambda gradient, phi, v, *given: (_look_ahead_step(gradient, phi, v, *given)[0], v),
        "state_first": lambda *given: _look_ahead_step(*given)[::-1],
    },
)

ball = Exercise(
    reference=lambda theta, v, mu: theta - mu * v,
    inputs=lambda rng, number: (*rng.normal(size=(2, 3)), rng.uniform(0.6, 0.95)),
    mistakes={
        "looked_ahead_again": lambda theta, v, mu: theta + mu * v,
        "whole_velocity": lambda theta, v, mu: theta - v,
        "friction_not_momentum": lambda theta, v, mu: theta - (1 - mu) * v,
    },
)

"""Exercises of chapter 04, Nesterov momentum: right answers, inputs, mistakes with a hint of their own."""

from utils.exercises import rules
from utils.exercises.checks import Exercise


def _nesterov_step(theta, v, g, learning_rate, momentum):
    v = momentum * v - learning_rate * g
    return theta + momentum * v - learning_rate * g, v


def _keras_move(v, old, g, learning_rate, momentum):
    return momentum * v - learning_rate * g


nesterov_step = Exercise(
    reference=_nesterov_step,
    inputs=rules.momentum_inputs,
    mistakes={
        "sign": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g,
            lambda v, old, g, learning_rate, momentum: momentum * v + learning_rate * g,
        ),
        "momentum_instead": rules.momentum_with(rules.velocity),
        "no_learning_rate": lambda theta, v, g, learning_rate, momentum: _nesterov_step(theta, v, g, 1.0, momentum),
        "three_pushes": [
            rules.momentum_with(rules.velocity, lambda v, old, g, learning_rate, momentum: v + momentum * v),
            rules.momentum_with(
                rules.velocity, lambda v, old, g, learning_rate, momentum: v + momentum * v - learning_rate * g
            ),
        ],
        "gradient_left_out": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum * v
        ),
        "momentum_left_out": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: v - learning_rate * g
        ),
        "velocity_of_torch": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + g,
            lambda v, old, g, learning_rate, momentum: -learning_rate * (g + momentum * v),
        ),
        "second_push_uphill": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum * v + learning_rate * g
        ),
        "second_push_without_rate": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum * v - g
        ),
        "momentum_twice": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum**2 * v - learning_rate * g
        ),
        "old_velocity_pushed": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum * old - learning_rate * momentum * g
        ),
        "both_pushes_kept": lambda theta, v, g, learning_rate, momentum: (
            _nesterov_step(theta, v, g, learning_rate, momentum)[0],
            _keras_move(rules.velocity(v, g, learning_rate, momentum), v, g, learning_rate, momentum),
        ),
        "velocity_not_updated": lambda theta, v, *given: (_nesterov_step(theta, v, *given)[0], v),
        "state_first": lambda *given: _nesterov_step(*given)[::-1],
        "step_alone": lambda theta, *given: _nesterov_step(0 * theta, *given),
        "no_friction": rules.momentum_with(
            lambda v, g, learning_rate, momentum: v - learning_rate * g,
            lambda v, old, g, learning_rate, momentum: v - learning_rate * g,
        ),
        "gradient_averaged": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v - (1 - momentum) * learning_rate * g, _keras_move
        ),
    },
)


def _look_ahead_step(gradient, phi, v, learning_rate, momentum):
    g = gradient(phi + momentum * v)
    v = momentum * v - learning_rate * g
    return phi + v, v


def _look_ahead_with(place, move=lambda v, ahead: v, sign=-1):
    """Return a look-ahead step that takes the gradient at another place, or moves in another way."""

    def step(gradient, phi, v, learning_rate, momentum):
        g = gradient(place(phi, v, momentum))
        new = momentum * v + sign * learning_rate * g
        return phi + move(new, momentum * v), new

    return step


def _ahead(phi, v, momentum):
    return phi + momentum * v


def _look_ahead_inputs(rng, number):
    curvatures = rng.uniform(0.2, 3, size=3)

    def gradient(theta):
        return curvatures * theta + theta**3

    return gradient, *rng.normal(size=(2, 3)), rng.uniform(0.02, 0.3), rng.uniform(0.6, 0.95)


look_ahead_step = Exercise(
    reference=_look_ahead_step,
    inputs=_look_ahead_inputs,
    mistakes={
        "gradient_here": _look_ahead_with(lambda phi, v, momentum: phi),
        "gradient_too_far": _look_ahead_with(lambda phi, v, momentum: phi + v),
        "gradient_behind": _look_ahead_with(lambda phi, v, momentum: phi - momentum * v),
        "gradient_of_velocity": _look_ahead_with(lambda phi, v, momentum: momentum * v),
        "moved_from_ahead": _look_ahead_with(_ahead, lambda v, ahead: ahead + v),
        "sign": _look_ahead_with(_ahead, sign=1),
        "moved_by_gradient_alone": _look_ahead_with(_ahead, lambda v, ahead: v - ahead),
        "no_learning_rate": lambda gradient, phi, v, learning_rate, momentum: _look_ahead_step(
            gradient, phi, v, 1.0, momentum
        ),
        "velocity_not_updated": lambda gradient, phi, v, *given: (_look_ahead_step(gradient, phi, v, *given)[0], v),
        "state_first": lambda *given: _look_ahead_step(*given)[::-1],
        "gradient_averaged": lambda gradient, phi, v, learning_rate, momentum: _look_ahead_step(
            lambda theta: (1 - momentum) * gradient(theta), phi, v, learning_rate, momentum
        ),
        "keras_form": lambda gradient, phi, v, learning_rate, momentum: _nesterov_step(
            phi, v, gradient(_ahead(phi, v, momentum)), learning_rate, momentum
        ),
        "no_friction": lambda gradient, phi, v, learning_rate, momentum: (
            phi + (new := v - learning_rate * gradient(_ahead(phi, v, momentum))),
            new,
        ),
    },
)


def _ball(theta, v, mu):
    return theta - mu * v


ball = Exercise(
    reference=_ball,
    inputs=lambda rng, number: (*rng.normal(size=(2, 3)), rng.uniform(0.6, 0.95)),
    mistakes={
        "looked_ahead_again": lambda theta, v, mu: theta + mu * v,
        "whole_velocity": lambda theta, v, mu: theta - v,
        "friction_not_momentum": lambda theta, v, mu: theta - (1 - mu) * v,
        "divided_by_momentum": lambda theta, v, mu: theta - v / mu,
        "theta_scaled_too": lambda theta, v, mu: mu * (theta - v),
        "ball_at_the_weights": lambda theta, v, mu: theta,
    },
)

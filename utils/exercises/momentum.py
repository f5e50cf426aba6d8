"""Exercises of chapter 03, Momentum: right answers, inputs, mistakes with a hint of their own."""

import math

from utils.exercises import rules
from utils.exercises.checks import Exercise


def _momentum_step(theta, v, g, learning_rate, momentum):
    v = momentum * v - learning_rate * g
    return theta + v, v


momentum_step = Exercise(
    reference=_momentum_step,
    inputs=rules.momentum_inputs,
    mistakes={
        "sign": rules.momentum_with(lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g),
        "learning_rate_twice": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: learning_rate * v
        ),
        "no_learning_rate": rules.momentum_with(lambda v, g, learning_rate, momentum: momentum * v - g),
        "gradient_averaged": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v - (1 - momentum) * learning_rate * g
        ),
        "velocity_of_torch": [
            rules.momentum_with(
                lambda v, g, learning_rate, momentum, sign=sign: momentum * v + sign * g,
                lambda v, old, g, learning_rate, momentum, sign=sign: -sign * learning_rate * v,
            )
            for sign in (1, -1)
        ],
        "averaging_form": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + (1 - momentum) * g,
            lambda v, old, g, learning_rate, momentum: -learning_rate * v,
        ),
        "velocity_uphill": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g,
            lambda v, old, g, learning_rate, momentum: -v,
        ),
        "move_subtracted": rules.momentum_with(rules.velocity, lambda v, old, g, learning_rate, momentum: -v),
        "no_friction": rules.momentum_with(lambda v, g, learning_rate, momentum: v - learning_rate * g),
        "no_memory": rules.momentum_with(lambda v, g, learning_rate, momentum: -learning_rate * g),
        "friction_on_all": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * (v - learning_rate * g)
        ),
        "friction_kept": rules.momentum_with(
            lambda v, g, learning_rate, momentum: (1 - momentum) * v - learning_rate * g
        ),
        "moved_by_old_velocity": rules.momentum_with(rules.velocity, lambda v, old, g, learning_rate, momentum: old),
        "nesterov_instead": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: momentum * v - learning_rate * g
        ),
        "gradient_twice": rules.momentum_with(
            rules.velocity, lambda v, old, g, learning_rate, momentum: v - learning_rate * g
        ),
        "gradient_not_kept": rules.momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v,
            lambda v, old, g, learning_rate, momentum: v - learning_rate * g,
        ),
        "velocity_not_updated": lambda theta, v, *given: (_momentum_step(theta, v, *given)[0], v),
        "theta_not_moved": lambda theta, *given: (theta, _momentum_step(theta, *given)[1]),
        "state_first": lambda *given: _momentum_step(*given)[::-1],
        "step_alone": lambda theta, *given: _momentum_step(0 * theta, *given),
    },
)


def _steps_to_stop(mu, fraction):
    return math.ceil(math.log(fraction) / math.log(mu))


steps_to_stop = Exercise(
    reference=_steps_to_stop,
    inputs=lambda rng, number: (
        (0.5, 0.25) if number == 7 else (rng.uniform(0.8, 0.99), rng.uniform(0.005, 0.2))  # after exactly two steps
    ),
    mistakes={
        "one_step_off": [
            lambda mu, fraction: _steps_to_stop(mu, fraction) - 1,
            lambda mu, fraction: math.floor(math.log(fraction) / math.log(mu)),
            lambda mu, fraction: math.floor(math.log(fraction) / math.log(mu)) + 1,
            lambda mu, fraction: _steps_to_stop(mu, fraction) + 1,
        ],
        "effective_step": [
            lambda mu, fraction: math.ceil(1 / (1 - mu)),
            lambda mu, fraction: math.floor(1 / (1 - mu)),
            lambda mu, fraction: round(1 / (1 - mu)),
        ],
        "constant_loss_of_speed": lambda mu, fraction: math.ceil((1 - fraction) / (1 - mu)),
        "energy_not_velocity": lambda mu, fraction: _steps_to_stop(mu**2, fraction),
        "log_of_loss": lambda mu, fraction: math.ceil(math.log(fraction) / -(1 - mu)),
        "two_bases": [
            lambda mu, fraction: math.ceil(math.log10(fraction) / math.log(mu)),
            lambda mu, fraction: math.ceil(math.log(fraction) / math.log10(mu)),
            lambda mu, fraction: math.ceil(math.log2(fraction) / math.log(mu)),
        ],
        "fraction_lost": lambda mu, fraction: _steps_to_stop(mu, 1 - fraction),
    },
)


def _from_averaging(eta, beta):
    return eta * (1 - beta), beta


from_averaging = Exercise(
    reference=_from_averaging,
    inputs=lambda rng, number: (rng.uniform(0.1, 0.9), rng.uniform(0.6, 0.95)),
    mistakes={
        "no_factor": lambda eta, beta: (eta, beta),
        "factor_upside_down": lambda eta, beta: (eta / (1 - beta), beta),
        "complement": lambda eta, beta: (eta * (1 - beta), 1 - beta),
        "settings_swapped": lambda eta, beta: (beta, eta * (1 - beta)),
        "factor_beta": lambda eta, beta: (eta * beta, beta),
    },
)

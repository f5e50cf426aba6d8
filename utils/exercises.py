"""The exercises of the chapters in reading order: right answers, inputs, and mistakes that get a hint of their own.

A chapter imports this module as ``check`` and calls ``check.sgd_step(my_step)``; see utils/checks.py.
"""

import itertools
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
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return result  # not theta and a state: the comparison will say that a part is missing
        theta, state = result
        path.append(theta)
    return np.array(path), len(result)


# 01 Hyperparameters


def _dense_parameters(sizes, bias=1):
    return sum((inputs + bias) * outputs for inputs, outputs in itertools.pairwise(sizes))


parameters = Exercise(
    reference=lambda layers, units: _dense_parameters([784] + layers * [units] + [10]),
    inputs=lambda rng, number: ([0, 1, 2, 3, 5][number % 5], int(rng.integers(2, 200))),
    mistakes={
        "no_biases": lambda layers, units: _dense_parameters([784] + layers * [units] + [10], bias=0),
        "no_output_layer": lambda layers, units: _dense_parameters([784] + layers * [units]),
        "one_hidden_layer": lambda layers, units: _dense_parameters([784, units, 10]),
        "one_layer_too_many": lambda layers, units: _dense_parameters([784] + (layers + 1) * [units] + [10]),
        "biases_of_pixels": lambda layers, units: _dense_parameters([784] + layers * [units] + [10]) + 784,
    },
)

log_uniform = Exercise(
    reference=lambda u, low, high: low * (high / low) ** u,
    inputs=lambda rng, number: (
        float([0, 1, *rng.uniform(size=6)][number]),
        10 ** rng.uniform(-6, -3),
        10 ** rng.uniform(-2, 1),
    ),
    mistakes={
        "linear_draw": lambda u, low, high: low + u * (high - low),
        "ends_swapped": lambda u, low, high: high * (low / high) ** u,
        "logarithm_returned": lambda u, low, high: math.log10(low) + u * math.log10(high / low),
        "logarithms_mixed": lambda u, low, high: 10 ** (math.log(low) + u * math.log(high / low)),
    },
)


def _gap(a, b, ddof=1, runs=len):
    return (np.mean(a) - np.mean(b)) / np.sqrt(np.var(a, ddof=ddof) / runs(a) + np.var(b, ddof=ddof) / runs(b))


gap = Exercise(
    reference=lambda a, b: _gap(a, b),
    inputs=lambda rng, number: (rng.normal(0.84, 0.01, size=3 + number), rng.normal(0.83, 0.02, size=8 - number % 4)),
    mistakes={
        "deviation_not_error": lambda a, b: _gap(a, b, runs=lambda runs: 1),
        "errors_added": lambda a, b: (
            (np.mean(a) - np.mean(b)) / sum(np.std(each, ddof=1) / np.sqrt(len(each)) for each in (a, b))
        ),
        "ddof_missing": lambda a, b: _gap(a, b, ddof=0),
        "other_way_round": lambda a, b: _gap(b, a),
        "difference_alone": lambda a, b: np.mean(a) - np.mean(b),
        "variance_not_rooted": lambda a, b: (
            (np.mean(a) - np.mean(b)) / (np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b))
        ),
    },
)


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

# 03 Momentum


def _momentum_inputs(rng, number):
    return (*rng.normal(size=(3, 3)), rng.uniform(0.02, 0.4), rng.uniform(0.6, 0.95))


def _momentum_with(velocity, move=lambda v, old, g, learning_rate, momentum: v):
    """Return a step whose velocity and whose move are made as given."""

    def step(theta, v, g, learning_rate, momentum):
        new = velocity(v, g, learning_rate, momentum)
        return theta + move(new, v, g, learning_rate, momentum), new

    return step


def _velocity(v, g, learning_rate, momentum):
    return momentum * v - learning_rate * g


_momentum_step = _momentum_with(_velocity)

momentum_step = Exercise(
    reference=lambda theta, v, g, learning_rate, momentum: _momentum_step(theta, v, g, learning_rate, momentum),
    inputs=_momentum_inputs,
    mistakes={
        "sign": _momentum_with(lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g),
        "learning_rate_twice": _momentum_with(_velocity, lambda v, old, g, learning_rate, momentum: learning_rate * v),
        "no_learning_rate": _momentum_with(lambda v, g, learning_rate, momentum: momentum * v - g),
        "gradient_averaged": _momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v - (1 - momentum) * learning_rate * g
        ),
        "velocity_of_torch": _momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + g,
            lambda v, old, g, learning_rate, momentum: -learning_rate * v,
        ),
        "averaging_form": _momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + (1 - momentum) * g,
            lambda v, old, g, learning_rate, momentum: -learning_rate * v,
        ),
        "velocity_uphill": _momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g,
            lambda v, old, g, learning_rate, momentum: -v,
        ),
        "no_friction": _momentum_with(lambda v, g, learning_rate, momentum: v - learning_rate * g),
        "no_memory": _momentum_with(lambda v, g, learning_rate, momentum: -learning_rate * g),
        "moved_by_old_velocity": _momentum_with(_velocity, lambda v, old, g, learning_rate, momentum: old),
        "nesterov_instead": _momentum_with(
            _velocity, lambda v, old, g, learning_rate, momentum: momentum * v - learning_rate * g
        ),
        "velocity_not_updated": lambda theta, v, *given: (_momentum_step(theta, v, *given)[0], v),
        "state_first": lambda *given: _momentum_step(*given)[::-1],
        "step_alone": lambda theta, *given: _momentum_step(0 * theta, *given),
    },
)


def _steps_to_stop(mu, fraction):
    return math.ceil(math.log(fraction) / math.log(mu))


steps_to_stop = Exercise(
    reference=lambda mu, fraction: _steps_to_stop(mu, fraction),
    inputs=lambda rng, number: (rng.uniform(0.8, 0.99), rng.uniform(0.001, 0.05)),
    mistakes={
        "one_step_off": lambda mu, fraction: _steps_to_stop(mu, fraction) - 1,
        "effective_step": lambda mu, fraction: math.ceil(1 / (1 - mu)),
        "constant_loss_of_speed": lambda mu, fraction: math.ceil((1 - fraction) / (1 - mu)),
        "energy_not_velocity": lambda mu, fraction: _steps_to_stop(mu**2, fraction),
    },
)

from_averaging = Exercise(
    reference=lambda eta, beta: (eta * (1 - beta), beta),
    inputs=lambda rng, number: (rng.uniform(0.1, 0.9), rng.uniform(0.6, 0.95)),
    mistakes={
        "no_factor": lambda eta, beta: (eta, beta),
        "factor_upside_down": lambda eta, beta: (eta / (1 - beta), beta),
        "complement": lambda eta, beta: (eta * (1 - beta), 1 - beta),
        "settings_swapped": lambda eta, beta: (beta, eta * (1 - beta)),
    },
)

# 04 Nesterov momentum


def _keras_move(v, old, g, learning_rate, momentum):
    return momentum * v - learning_rate * g


_nesterov_step = _momentum_with(_velocity, _keras_move)

nesterov_step = Exercise(
    reference=lambda theta, v, g, learning_rate, momentum: _nesterov_step(theta, v, g, learning_rate, momentum),
    inputs=_momentum_inputs,
    mistakes={
        "sign": _momentum_with(
            lambda v, g, learning_rate, momentum: momentum * v + learning_rate * g,
            lambda v, old, g, learning_rate, momentum: momentum * v + learning_rate * g,
        ),
        "momentum_instead": _momentum_step,
        "three_pushes": _momentum_with(_velocity, lambda v, old, g, learning_rate, momentum: v + momentum * v),
        "gradient_left_out": _momentum_with(_velocity, lambda v, old, g, learning_rate, momentum: momentum * v),
        "momentum_left_out": _momentum_with(
            _velocity, lambda v, old, g, learning_rate, momentum: v - learning_rate * g
        ),
        "both_pushes_kept": lambda theta, v, g, learning_rate, momentum: _momentum_step(
            theta, _velocity(v, g, learning_rate, momentum), g, learning_rate, momentum
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

# 05 Adagrad


def _divided(direction, update):
    """Return a step that updates its sum or average of squares and moves along a direction made from it."""

    def step(theta, old, g, learning_rate, *settings):
        new = update(old, g, *settings[:-1])
        return theta - learning_rate * direction(g, new, old, settings[-1]), new

    return step


def _over_root(g, new, old, epsilon):
    return g / np.sqrt(new + epsilon)


#: Wrong directions that Adagrad and RMSprop share.
_WRONG_DIRECTIONS = {
    "sign": lambda g, new, old, epsilon: -g / np.sqrt(new + epsilon),
    "epsilon_outside_root": lambda g, new, old, epsilon: g / (np.sqrt(new) + epsilon),
    "no_epsilon": lambda g, new, old, epsilon: g / np.sqrt(new),
    "root_missing": lambda g, new, old, epsilon: g / (new + epsilon),
    "old_squares_used": lambda g, new, old, epsilon: g / np.sqrt(old + epsilon),
}


def _sum_of_squares(G, g):
    return G + g**2


def _squares_inputs(rng, *settings):
    """Return gradients from 1 down to 1e-7, for which epsilon rules, and sums or averages of squares that fit."""
    scale = np.array([1.0, 1e-3, 1e-7])
    return rng.normal(size=3), (rng.uniform(0.5, 2, 3) * scale) ** 2, rng.normal(size=3) * scale, 0.1, *settings


adagrad_step = Exercise(
    reference=lambda theta, G, g, learning_rate, epsilon: _divided(_over_root, _sum_of_squares)(
        theta, G, g, learning_rate, epsilon
    ),
    inputs=lambda rng, number: _squares_inputs(rng, (1e-7, 1e-3)[number % 2]),
    mistakes={
        **{key: _divided(wrong, _sum_of_squares) for key, wrong in _WRONG_DIRECTIONS.items()},
        "not_squared": _divided(_over_root, lambda G, g: G + np.abs(g)),
        "squares_not_kept": _divided(_over_root, lambda G, g: g**2),
    },
)


def _steps_to_travel(distance, learning_rate):
    travelled = np.cumsum(learning_rate / np.sqrt(np.arange(1, 20_001)))
    return int(np.argmax(travelled >= distance)) + 1


steps_to_travel = Exercise(
    reference=_steps_to_travel,
    inputs=lambda rng, number: (rng.uniform(2, 10), rng.uniform(0.1, 0.3)),
    mistakes={
        "counted_from_zero_steps": lambda distance, learning_rate: _steps_to_travel(distance, learning_rate) - 1,
        "by_the_integral": lambda distance, learning_rate: math.ceil((distance / learning_rate / 2) ** 2),
        "steps_do_not_shrink": lambda distance, learning_rate: math.ceil(distance / learning_rate),
    },
)


@dataclass(frozen=True)
class _AdagradNorm:
    learning_rate: float
    epsilon: float

    def init(self, theta):
        return 0.0

    def squares(self, g):
        return np.sum(g**2)

    def step(self, theta, g, G):
        G = G + self.squares(g)
        return theta - self.learning_rate * g / np.sqrt(G + self.epsilon), G


class _Separate(_AdagradNorm):
    def squares(self, g):
        return g**2


class _MeanOfSquares(_AdagradNorm):
    def squares(self, g):
        return np.mean(g**2)


class _SquareOfSum(_AdagradNorm):
    def squares(self, g):
        return np.sum(g) ** 2


AdagradNorm = Exercise(
    reference=_AdagradNorm,
    inputs=lambda rng, number: ((0.3, 1e-7), rng.normal(size=3), rng.normal(size=(6, 3)) * [1.0, 0.1, 0.01]),
    mistakes={"one_for_each": _Separate, "mean_of_squares": _MeanOfSquares, "square_of_sum": _SquareOfSum},
    run=_follow,
)

# 06 RMSprop


def _average_of_squares(s, g, rho):
    return rho * s + (1 - rho) * g**2


rmsprop_step = Exercise(
    reference=lambda theta, s, g, learning_rate, rho, epsilon: _divided(_over_root, _average_of_squares)(
        theta, s, g, learning_rate, rho, epsilon
    ),
    inputs=lambda rng, number: _squares_inputs(rng, rng.uniform(0.8, 0.95), (1e-7, 1e-3)[number % 2]),
    mistakes={
        **{key: _divided(wrong, _average_of_squares) for key, wrong in _WRONG_DIRECTIONS.items()},
        "rho_swapped": _divided(_over_root, lambda s, g, rho: (1 - rho) * s + rho * g**2),
        "sum_not_average": _divided(_over_root, lambda s, g, rho: rho * s + g**2),
        "not_squared": _divided(_over_root, lambda s, g, rho: rho * s + (1 - rho) * np.abs(g)),
    },
)

steps_until_small = Exercise(
    reference=lambda ratio, rho: math.ceil(math.log(ratio) / -math.log(rho)),
    inputs=lambda rng, number: (10 ** rng.uniform(2, 6), rng.uniform(0.8, 0.99)),
    mistakes={
        "one_step_off": lambda ratio, rho: math.ceil(math.log(ratio) / -math.log(rho)) - 1,
        "root_not_average": lambda ratio, rho: math.ceil(2 * math.log(ratio) / -math.log(rho)),
        "memory_alone": lambda ratio, rho: math.ceil(1 / (1 - rho)),
    },
)


@dataclass(frozen=True)
class _CenteredRMSprop:
    learning_rate: float
    rho: float
    epsilon: float

    def init(self, theta):
        return np.zeros_like(theta), np.zeros_like(theta)

    def denominator(self, m, s):
        return np.sqrt(s - m**2 + self.epsilon)

    def step(self, theta, g, state):
        m = self.rho * state[0] + (1 - self.rho) * g
        s = self.rho * state[1] + (1 - self.rho) * g**2
        return theta - self.learning_rate * g / self.denominator(m, s), (m, s)


class _NotCentered(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(s + self.epsilon)


class _MeanNotSquared(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(np.abs(s - m) + self.epsilon)


class _MeanAdded(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(s + m**2 + self.epsilon)


class _EpsilonOutside(_CenteredRMSprop):
    def denominator(self, m, s):
        return np.sqrt(s - m**2) + self.epsilon


CenteredRMSprop = Exercise(
    reference=_CenteredRMSprop,
    inputs=lambda rng, number: (
        (0.01, rng.uniform(0.8, 0.95), (1e-7, 1e-3)[number % 2]),
        rng.normal(size=3),
        (0.3 + rng.normal(size=(6, 3))) * [1.0, 1e-2, 1e-3],
    ),
    mistakes={
        "not_centered": _NotCentered,
        "mean_added": _MeanAdded,
        "mean_not_squared": _MeanNotSquared,
        "epsilon_outside_root": _EpsilonOutside,
    },
    run=_follow,
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
    mistakes={
        "period_too_short": 73,
        "beta_1_left_out": 64,
        "shorter_memory": 30,
        "moments_not_settled": 26,
        "ten_rounds": 49,
    },
)

# 08 Adam on Fashion-MNIST

counts = Exercise(
    reference=(109_386, 218_774, 2_400),
    mistakes={
        "no_biases": (109_184, 218_370, 2_400),
        "step_count_and_rate": (109_386, 218_772, 2_400),
        "one_moment": (109_386, 109_388, 2_400),
        "steps_of_one_epoch": (109_386, 218_774, 480),
        "default_batch": (109_386, 218_774, 7_500),
    },
)


def _answers(rng, number):
    """Return probabilities as a softmax gives them, and labels."""
    scores = rng.normal(size=(3 + number, 10))
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), rng.integers(10, size=3 + number)


def _of_labels(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


cross_entropy = Exercise(
    reference=lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).mean(),
    inputs=_answers,
    mistakes={
        "minus_missing": lambda probabilities, labels: np.log(_of_labels(probabilities, labels)).mean(),
        "sum_not_mean": lambda probabilities, labels: -np.log(_of_labels(probabilities, labels)).sum(),
        "mean_before_log": lambda probabilities, labels: -np.log(_of_labels(probabilities, labels).mean()),
        "log_10": lambda probabilities, labels: -np.log10(_of_labels(probabilities, labels)).mean(),
        "largest_not_right": lambda probabilities, labels: -np.log(probabilities.max(axis=1)).mean(),
        "all_classes": lambda probabilities, labels: -np.log(probabilities).mean(),
    },
)


def _confusion(rng, number):
    classes = 3 + number
    return (rng.integers(1, 50, size=(classes, classes)) + 100 * np.eye(classes, dtype=int),)


precision = Exercise(
    reference=lambda confusion: confusion.diagonal() / confusion.sum(axis=0),
    inputs=_confusion,
    mistakes={
        "recall": lambda confusion: confusion.diagonal() / confusion.sum(axis=1),
        "share_of_all": lambda confusion: confusion.diagonal() / confusion.sum(),
        "right_over_wrong": lambda confusion: confusion.diagonal() / (confusion.sum(axis=0) - confusion.diagonal()),
        "wrong_share": lambda confusion: 1 - confusion.diagonal() / confusion.sum(axis=0),
    },
)


def _runs_needed(sigma, delta):
    return 2 * (1.96 + 0.84) ** 2 * (sigma / delta) ** 2


runs_needed = Exercise(
    reference=lambda sigma, delta: math.ceil(_runs_needed(sigma, delta)),
    inputs=lambda rng, number: (rng.uniform(0.003, 0.006), rng.uniform(0.0005, 0.002)),
    mistakes={
        "rounded_down_runs": lambda sigma, delta: math.floor(_runs_needed(sigma, delta)),
        "two_missing": lambda sigma, delta: math.ceil(_runs_needed(sigma, delta) / 2),
        "ratio_not_squared": lambda sigma, delta: math.ceil(2 * (1.96 + 0.84) ** 2 * sigma / delta),
        "squares_added": lambda sigma, delta: math.ceil(2 * (1.96**2 + 0.84**2) * (sigma / delta) ** 2),
    },
)


# 09 Fair comparisons


def _mean_and_half_width(scores, t):
    return np.mean(scores), t * np.std(scores, ddof=1) / math.sqrt(len(scores))


mean_and_half_width = Exercise(
    reference=_mean_and_half_width,
    inputs=lambda rng, number: (rng.normal(0.86, 0.005, size=5 + number), rng.uniform(2, 3)),
    mistakes={
        "population_deviation": lambda scores, t: (np.mean(scores), t * np.std(scores) / math.sqrt(len(scores))),
        "spread_not_error": lambda scores, t: (np.mean(scores), t * np.std(scores, ddof=1)),
        "divided_by_n": lambda scores, t: (np.mean(scores), t * np.std(scores, ddof=1) / len(scores)),
        "whole_width": lambda scores, t: (np.mean(scores), 2 * _mean_and_half_width(scores, t)[1]),
    },
)

fewest_seeds = Exercise(reference=10, mistakes={"no_correction": 6, "one_sided": 9, "against_one_only": 8})


def _expected_best(scores, tries):
    ranks = np.arange(len(scores) + 1) / len(scores)
    return np.sum(np.sort(scores) * np.diff(ranks**tries))


expected_best = Exercise(
    reference=_expected_best,
    inputs=lambda rng, number: (rng.uniform(0.1, 0.9, size=6 + number), 2 + number % 4),
    mistakes={
        "tries_ignored": lambda scores, tries: np.mean(scores),
        "always_the_best": lambda scores, tries: np.max(scores),
        "worst_not_best": lambda scores, tries: -_expected_best(-scores, tries),
        "order_ignored": lambda scores, tries: np.sum(
            scores * np.diff((np.arange(len(scores) + 1) / len(scores)) ** tries)
        ),
        "without_replacement": lambda scores, tries: np.mean(
            [max(drawn) for drawn in itertools.combinations(scores, tries)]
        ),
    },
)

"""What the exercises on update rules share."""

import numpy as np


def follow(rule, settings, theta, gradients):
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


def momentum_inputs(rng, number):
    """Return theta, v, g, the learning rate and the momentum."""
    return (*rng.normal(size=(3, 3)), rng.uniform(0.02, 0.4), rng.uniform(0.6, 0.95))


def momentum_with(velocity, move=lambda v, old, g, learning_rate, momentum: v):
    """Return a step whose velocity and whose move are made as given."""

    def step(theta, v, g, learning_rate, momentum):
        new = velocity(v, g, learning_rate, momentum)
        return theta + move(new, v, g, learning_rate, momentum), new

    return step


def velocity(v, g, learning_rate, momentum):
    """Return the new velocity, as Keras keeps it."""
    return momentum * v - learning_rate * g


momentum_step = momentum_with(velocity)


def divided(direction, update):
    """Return a step that updates its sum or average of squares and moves along a direction made from it."""

    def step(theta, old, g, learning_rate, *settings):
        new = update(old, g, *settings[:-1])
        return theta - learning_rate * direction(g, new, old, settings[-1]), new

    return step


def over_root(g, new, old, epsilon):
    """Return the direction of Adagrad and RMSprop, with epsilon where Keras has it."""
    return g / np.sqrt(new + epsilon)


#: Wrong directions that Adagrad and RMSprop share.
WRONG_DIRECTIONS = {
    "sign": lambda g, new, old, epsilon: -g / np.sqrt(new + epsilon),
    "epsilon_outside_root": lambda g, new, old, epsilon: g / (np.sqrt(new) + epsilon),
    "no_epsilon": lambda g, new, old, epsilon: g / np.sqrt(new),
    "root_missing": lambda g, new, old, epsilon: g / (new + epsilon),
    "old_squares_used": lambda g, new, old, epsilon: g / np.sqrt(old + epsilon),
}


def squares_inputs(rng, *settings):
    """Return gradients from 1 down to 1e-7, for which epsilon rules, and sums or averages of squares that fit."""
    scale = np.array([1.0, 1e-3, 1e-7])
    return rng.normal(size=3), (rng.uniform(0.5, 2, 3) * scale) ** 2, rng.normal(size=3) * scale, 0.1, *settings

"""What the exercises on update rules share: how a rule is run, and how steps with one thing wrong are put together."""

import dataclasses

import numpy as np

from utils.exercises.worker import Odd, short_repr

AGAIN = 3  # steps that a rule is made to take once more, from the beginning


def follow(rule, settings, theta, gradients):
    """Make a rule of a class with these settings, let it take a step for each gradient, and return the path.

    Returns
    -------
    numpy.ndarray, shape (steps, n)
        Or an ``Odd``, if a step returns no point and state, or the rule keeps something for itself.
    """
    fields = dataclasses.fields(rule) if dataclasses.is_dataclass(rule) else ()
    if any(each.kw_only for each in fields):
        rule = rule(**{each.name: value for each, value in zip(fields, settings, strict=True)})
    else:
        rule = rule(*settings)
    paths = []
    for count in (len(gradients), AGAIN):
        point, state, path = theta, rule.init(theta), []
        for g in gradients[:count]:
            result = rule.step(point, g, state)
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                return Odd("not_a_pair", short_repr(result))
            point, state = result
            if np.shape(point) != np.shape(theta):
                return Odd("step_shape", f"{np.shape(point)}, not {np.shape(theta)}")
            path.append(point)
        paths.append(np.array(path))
    if paths[0].dtype.kind not in "biuf":
        return Odd("other", short_repr(paths[0]))
    if not np.array_equal(paths[0][:AGAIN], paths[1], equal_nan=True):
        return Odd("kept_by_rule", "")
    return paths[0]


def wrong(rule, **methods):
    """Return a rule that differs from another in some methods."""
    return type(f"Wrong{rule.__name__.strip('_')}", (rule,), methods)


# Momentum and Nesterov


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


# Adagrad and RMSprop


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
    "no_division": lambda g, new, old, epsilon: g,
    "gradient_missing": lambda g, new, old, epsilon: 1 / np.sqrt(new + epsilon),
    "squared_gradient_moved": lambda g, new, old, epsilon: g**2 / np.sqrt(new + epsilon),
    "multiplied": lambda g, new, old, epsilon: g * np.sqrt(new + epsilon),
}


def wrong_steps(step, update):
    """Return the mistakes that Adagrad's and RMSprop's steps share, by the key of their hint."""
    return {
        **{key: divided(direction, update) for key, direction in WRONG_DIRECTIONS.items()},
        "no_learning_rate": lambda theta, old, g, learning_rate, *settings: step(theta, old, g, 1.0, *settings),
        "step_alone": lambda theta, *given: step(0 * theta, *given),
        "old_squares_returned": lambda theta, old, *given: (step(theta, old, *given)[0], old),
        "state_first": lambda *given: step(*given)[::-1],
        "epsilon_kept": [
            lambda *given: (step(*given)[0], step(*given)[1] + given[-1]),
            lambda *given: (step(*given[:-1], 2 * given[-1])[0], step(*given)[1] + given[-1]),
        ],
        "rate_in_root": lambda theta, old, g, learning_rate, *settings: (
            theta - g / np.sqrt(learning_rate * update(old, g, *settings[:-1]) + settings[-1]),
            update(old, g, *settings[:-1]),
        ),
        "parentheses_missing": lambda *given: (step(*given[:-1], 0.0)[0] + given[-1], step(*given)[1]),
        "root_kept": [
            lambda theta, old, g, *settings, move=move: (
                move(theta, g, settings[0], root := np.sqrt(update(old**2, g, *settings[1:-1])), settings[-1]),
                root,
            )
            for move in (
                lambda theta, g, learning_rate, root, epsilon: theta - learning_rate * g / np.sqrt(root**2 + epsilon),
                lambda theta, g, learning_rate, root, epsilon: theta - learning_rate * g / (root + epsilon),
                lambda theta, g, learning_rate, root, epsilon: theta - learning_rate * g / np.sqrt(root + epsilon),
            )
        ],
    }


def squares_inputs(rng, *settings):
    """Return gradients from 1 down to 1e-7, for which epsilon rules, and sums or averages of squares that fit."""
    scale = np.array([1.0, 1e-3, 1e-7])
    squares = (rng.uniform(0.5, 2, 3) * scale) ** 2
    return rng.normal(size=3), squares, rng.normal(size=3) * scale, rng.uniform(0.02, 0.4), *settings


class Divided:
    """The shape of the rules over a root, whose wrong forms differ in one method each."""

    def denominator(self, squares):
        """Return what the step is divided by."""
        return np.sqrt(squares + self.epsilon)

    def moved(self, theta, g, squares):
        """Return the point after the step."""
        return theta - self.learning_rate * g / self.denominator(squares)


def wrong_rules(rule):
    """Return the mistakes that the classes over a root share, by the key of their hint."""
    return {
        "sign": wrong(rule, moved=lambda self, theta, g, x: 2 * theta - rule.moved(self, theta, g, x)),
        "no_learning_rate": wrong(
            rule, moved=lambda self, theta, g, x: theta + (rule.moved(self, theta, g, x) - theta) / self.learning_rate
        ),
        "root_missing": wrong(rule, denominator=lambda self, x: rule.denominator(self, x) ** 2),
        "epsilon_outside_root": wrong(
            rule, denominator=lambda self, x: np.sqrt(rule.denominator(self, x) ** 2 - self.epsilon) + self.epsilon
        ),
        "no_epsilon": wrong(rule, denominator=lambda self, x: np.sqrt(rule.denominator(self, x) ** 2 - self.epsilon)),
        "no_division": wrong(rule, denominator=lambda self, x: 1.0),
        "parentheses_missing": wrong(
            rule,
            moved=lambda self, theta, g, x: (
                theta - self.learning_rate * g / np.sqrt(rule.denominator(self, x) ** 2 - self.epsilon) + self.epsilon
            ),
        ),
        "squared_gradient_moved": wrong(rule, moved=lambda self, theta, g, x: rule.moved(self, theta, g**2, x)),
    }

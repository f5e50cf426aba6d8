"""Kinds of mistakes that any exercise may meet: each is found, says what is true, and is said of nothing else."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from utils.exercises import rules
from utils.exercises.apart import call_here
from utils.exercises.checks import Exercise


def judge(exercise, attempt, seed=0):
    return exercise.judge(attempt, seed, call=call_here)


def scaled(x, y):
    return x / y


SCALED = Exercise(reference=scaled, inputs=lambda rng, number: (rng.uniform(1, 2) * (-1) ** number, rng.uniform(2, 3)))
VECTOR = Exercise(
    reference=lambda theta, g, rate: (theta - rate * g, rate * g),
    inputs=lambda rng, number: (*rng.normal(size=(2, 3)), rng.uniform(0.1, 0.5)),
)
COUNT = Exercise(
    reference=lambda x, y: int(np.ceil(x / y)), inputs=lambda rng, number: (rng.uniform(50, 99), rng.uniform(1, 2))
)
SOMETIMES = Exercise(reference=lambda x: None if x < 4 else x, inputs=lambda rng, number: (number,))
MOVED = Exercise(
    reference=lambda theta, g, rate: theta - rate * g,
    inputs=lambda rng, number: (*rng.normal(size=(2, 3)), rng.uniform(0.1, 0.5)),
)
POSITIVE = Exercise(reference=scaled, inputs=lambda rng, number: (rng.uniform(1, 2), rng.uniform(2, 3)))


DIRECTIONS = {("direction", "rises"), ("direction", "falls")}


@pytest.mark.parametrize(
    ("exercise", "attempt", "key"),
    [
        (SCALED, lambda x, y: -x / y, "negated"),
        (SCALED, lambda x, y: abs(x / y), "absolute"),
        (SCALED, lambda x, y: 100 * x / y, "percent"),
        (SCALED, lambda x, y: x / y / 100, "hundredth"),
        (SCALED, lambda x, y: 1 - x / y, "complement_of_it"),
        (SCALED, lambda x, y: (x / y) ** 2, "squared"),
        (SCALED, lambda x, y: np.exp(x / y), "exponential_of_it"),
        (SCALED, lambda x, y: y / x, "arguments_swapped"),
        (SCALED, lambda x, y: x, "ignored"),
        (SCALED, lambda x, y: x / 2.5, "ignored"),
        (SCALED, lambda x, y: 0.4, "ignored"),
        (SCALED, lambda x, y: 3 * x / y, "constant_factor"),
        (SCALED, lambda x, y: x / y + 0.25, "constant_offset"),
        (SCALED, lambda x, y: round(x / y, 3), "rounded"),
        (SCALED, lambda x, y: x / y * (1 + 1e-8), "nearly"),
        (SCALED, lambda x, y: float(np.float32(x) / np.float32(y)), "nearly"),
        (SCALED, lambda x, y: x / (y + 1), "another_in_place"),
        (SCALED, lambda x, y: x / (y + x / 2), "wrong"),
        (SCALED, lambda x, y: x / y**2, "another_in_place"),
        (SCALED, lambda x, y: x * x / y, "another_in_place"),
        (SCALED, lambda x, y: 1.01 * x / y + 1e-3, "roughly"),
        (SCALED, lambda x, y: x / y + np.random.default_rng().normal(), "random_answer"),
        (COUNT, lambda x, y: min(int(np.ceil(x / y)), 50), "capped"),
        (SOMETIMES, lambda x: None if x < 3 else math.nan if x < 4 else x, "wrong"),
        (SOMETIMES, lambda x: x if x >= 4 else math.nan, "none_is_asked"),
        (SOMETIMES, lambda x: x if x >= 5 else None, "none_too_often"),
        (SOMETIMES, lambda x: x + 1 if x >= 4 else None, "one_too_many"),
        (MOVED, lambda theta, g, rate: theta - 2 * rate * g, "factor_of_step"),
        (MOVED, lambda theta, g, rate: theta - g, "ignored"),
        (MOVED, lambda theta, g, rate: theta - (1 - rate) * g, "another_in_place"),
        (VECTOR, lambda theta, g, rate: (theta - rate * g, -rate * g), "negated"),
        (VECTOR, lambda theta, g, rate: (theta - rate * g, 100 * rate * g), "percent"),
        (SCALED, lambda x, y: x / (y + x**2), "wrong"),
        (POSITIVE, lambda x, y: x * y**2 + 0.1, "direction"),
        (POSITIVE, lambda x, y: y**-3 - x, "direction"),
        (SCALED, lambda x, y: x / y if x > 0 else 5.0, "rises"),
        (POSITIVE, lambda x, y: 1 / (x / y + 0), "arguments_swapped"),
        (POSITIVE, lambda x, y: np.sqrt(x / y), "rooted"),
        (POSITIVE, lambda x, y: np.log(x / y), "logarithm_of_it"),
        (POSITIVE, lambda x, y: np.log10(x / y), "log10_of_it"),
        (VECTOR, lambda theta, g, rate: (rate * g, theta - rate * g), "parts_swapped"),
        (VECTOR, lambda theta, g, rate: (g - rate * theta, rate * theta), "arguments_swapped"),
        (VECTOR, lambda theta, g, rate: (theta - 0.1 * g, 0.1 * g), "ignored"),
        (VECTOR, lambda theta, g, rate: (theta - rate * g, rate + g), "some_parts"),
        (VECTOR, lambda theta, g, rate: (theta - rate * g * g, rate + g), "wrong"),
        (COUNT, lambda x, y: int(np.ceil(x / y)) + 1, "one_too_many"),
        (COUNT, lambda x, y: int(x / y), "one_too_few"),
        (COUNT, lambda x, y: x / y, "not_rounded_up"),
        (COUNT, lambda x, y: round(x / y), "sometimes_one_too_few"),
        (COUNT, lambda x, y: int(np.ceil(x / y + 0.5)), "sometimes_one_too_many"),
        (COUNT, lambda x, y: int(np.ceil(x / y)) + 2, "wrong"),
        (COUNT, lambda x, y: int(np.ceil(1.7 * x / y)), "about_factor"),
        (COUNT, lambda x, y: int(np.ceil(1.7 * x / y)) + (5 if x > 70 else -5), "wrong"),
        (COUNT, lambda x, y: print(), "nothing_returned"),
    ],
)
def test_a_kind_of_mistake_is_found(exercise, attempt, key):
    for seed in range(10):
        verdict = judge(exercise, attempt, seed)
        assert verdict.key == key or (key, verdict.key) in DIRECTIONS, verdict.text
        assert "{" not in verdict.text


def test_the_arguments_that_are_left_out_are_named():
    assert "`y`" in judge(SCALED, lambda x, y: x / 2.5).text
    assert "`x` and `y`" in judge(SCALED, lambda x, y: 0.4).text
    text = judge(VECTOR, lambda theta, g, rate: (theta - 0.1 * g, 0.1 * g)).text
    assert "does not change with `rate`" in text
    assert "`theta`" not in text
    assert "You use `x` where `y` belongs" in judge(SCALED, lambda x, y: y / x).text


def test_what_is_right_is_said_as_well():
    text = judge(VECTOR, lambda theta, g, rate: (theta - rate * g, rate + g)).text
    assert "element 1 of part 2 of your result" in text
    assert "Right on all inputs: part 1 of your result. Not right: part 2." in text
    text = judge(SCALED, lambda x, y: x / y if x > 0 else 5.0).text
    assert "right on 4 of 8 inputs" in text
    assert "too large" in text


def test_the_factor_and_the_share_are_true():
    assert "is 3 times the right one" in judge(SCALED, lambda x, y: 3 * x / y).text
    assert "plus 0.25" in judge(SCALED, lambda x, y: x / y + 0.25).text
    assert "is 1e-8 of the number" in judge(SCALED, lambda x, y: x / y * (1 + 1e-8)).text
    assert "rounded to 3 decimals" in judge(SCALED, lambda x, y: round(x / y, 3)).text


@dataclass(frozen=True)
class Rule:
    learning_rate: float
    share: float

    def init(self, theta):
        return np.zeros_like(theta)

    def step(self, theta, g, state):
        state = self.share * state + g
        return theta - self.learning_rate * state, state


@dataclass(frozen=True, kw_only=True)
class RuleByName:
    learning_rate: float
    share: float
    init, step = Rule.init, Rule.step


RULE = Exercise(
    reference=Rule,
    run=rules.follow,
    inputs=lambda rng, number: (
        tuple(rng.uniform([0.1, 0.5], [0.3, 0.9])),
        rng.normal(size=3),
        rng.normal(size=(5, 3)),
    ),
)


def rule(**methods):
    return rules.wrong(Rule, **methods)


def kept_on_self():
    class Keeps:
        def __init__(self, learning_rate, share):
            self.learning_rate, self.share, self.v = learning_rate, share, 0.0

        def init(self, theta):
            return ()

        def step(self, theta, g, state):
            self.v = self.share * self.v + g
            return theta - self.learning_rate * self.v, ()

    return Keeps


@pytest.mark.parametrize(
    ("attempt", "key"),
    [
        (Rule, "passed"),
        (RuleByName, "passed"),
        (rule(step=lambda self, theta, g, state: (theta - self.learning_rate * (state + g), state)), "later_steps"),
        (rule(step=lambda self, theta, g, state: (theta - self.learning_rate * g, g)), "later_steps"),
        (rule(step=lambda self, theta, g, state: (theta - 0.2 * g, g)), "ignored"),
        (rule(step=lambda self, theta, g, state: Rule(0.2, self.share).step(theta, g, state)), "ignored"),
        (rule(step=lambda self, theta, g, state: Rule(self.share, self.learning_rate).step(theta, g, state)),
         "arguments_swapped"),
        (rule(step=lambda self, theta, g, state: (theta + g, state)), "ignored"),
        (rule(step=lambda self, theta, g, state: (theta - self.learning_rate * g * self.share, state)), "wrong_run"),
        (rule(step=lambda self, theta, g, state: theta), "not_a_pair"),
        (rule(step=lambda self, theta, g, state: (theta, g, state)), "not_a_pair"),
        (rule(step=lambda self, theta, g, state: (theta.sum(), state)), "step_shape"),
        (rule(step=lambda self, theta, g, state: ..., init=Rule.init), "method_unwritten"),
        (rule(step=Rule.step, init=lambda self, theta: ...), "method_unwritten"),
        (kept_on_self(), "kept_by_rule"),
        (Rule(0.1, 0.2), "not_class"),
        (rules.follow, "not_class"),
    ],
)  # fmt: skip
def test_kinds_of_mistakes_of_a_rule(attempt, key):
    for seed in range(5):
        verdict = judge(RULE, attempt, seed)
        assert verdict.key == key, verdict.text


def test_a_wrong_rule_is_told_after_which_step_and_by_how_much():
    text = judge(RULE, rule(step=lambda self, theta, g, state: (theta - self.learning_rate * g, g))).text
    assert "The first step is right" in text
    assert "After step 2, coordinate 1 of theta is" in text
    assert " too " in text

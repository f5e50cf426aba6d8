"""The settings of a run: words and numbers that can be used, and what is said about those that cannot."""

import re

import pytest

from utils.bench.settings import MOST, OPTIMIZERS, Settings, checked

GOOD = Settings("Adam", 0.01, 32, 8, 3)
EXAMPLES = 400


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("optimizer", "adam", "Optimizer: choose one of SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, not 'adam'."),
        ("optimizer", None, "Optimizer: choose one of SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, not None."),
        ("learning_rate", "fast", "Learning rate: give a number above 0 and at most 100, not 'fast'."),
        ("learning_rate", "0,001", "Learning rate: give a number above 0 and at most 100, not '0,001'."),
        ("learning_rate", "-0.1", "Learning rate: give a number above 0 and at most 100, not '-0.1'."),
        ("learning_rate", "nan", "Learning rate: give a number above 0 and at most 100, not 'nan'."),
        ("learning_rate", "inf", "Learning rate: give a number above 0 and at most 100, not 'inf'."),
        ("learning_rate", "", "Learning rate: give a number above 0 and at most 100, not ''."),
        ("learning_rate", 0, "Learning rate: give a number above 0 and at most 100, not 0."),
        ("learning_rate", 100.1, "Learning rate: give a number above 0 and at most 100, not 100.1."),
        ("batch_size", "0", "Batch size: give a whole number from 1 to 400, not '0'."),
        ("batch_size", "401", "Batch size: give a whole number from 1 to 400, not '401'."),
        ("batch_size", 4.5, "Batch size: give a whole number from 1 to 400, not 4.5."),
        ("units", "1.5", "Hidden units: give a whole number from 1 to 2,000, not '1.5'."),
        ("units", 2001, "Hidden units: give a whole number from 1 to 2,000, not 2001."),
        ("epochs", "<b>", "Epochs: give a whole number from 1 to 500, not '<b>'."),
        ("epochs", 501, "Epochs: give a whole number from 1 to 500, not 501."),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(name, value, expected):
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        checked(GOOD._replace(**{name: value}), EXAMPLES)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_words_become_numbers(name):
    assert checked(Settings(name, "1e-2", " 32 ", "8", "3"), EXAMPLES) == GOOD._replace(optimizer=name)


def test_the_borders_can_be_used():
    for least in (Settings("SGD", 1e-30, 1, 1, 1), Settings("SGD", MOST["learning_rate"], EXAMPLES, 2_000, 500)):
        assert checked(least, EXAMPLES) == least

"""What travels back from an attempt, and what is said about where it failed."""

import functools
import io
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from utils.exercises import worker
from utils.exercises.apart import call_here
from utils.exercises.checks import call
from utils.exercises.worker import Odd, Place, plain, same


class Tensor:
    """Stands for an array of another library."""

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0, 2.0], dtype or "float32")


class Rude:
    def __repr__(self):
        raise RuntimeError


async def asynchronous():
    return 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ((x for x in "ab"), "generator"),
        (map(abs, [1, 2]), "generator"),
        (zip([1], [2], strict=True), "generator"),
        (asynchronous(), "coroutine"),
        (len, "function"),
        (functools.partial(len), "function"),
        (dict, "function"),
        ({"a": 1}, "dict"),
        ({1, 2}, "set"),
        (np.array(None), "other"),
        (np.array({"a": 1}), "other"),
        (np.array([object()]), "other"),
        (Rude(), "other"),
        (object(), "other"),
    ],
)
def test_what_cannot_be_compared_says_of_which_kind_it_is(value, kind):
    odd = plain(value)
    assert isinstance(odd, Odd)
    assert odd.kind == kind
    assert " at 0x" not in odd.text
    assert plain(odd) is odd
    assert plain((1, value))[1].kind == kind if kind not in ("generator", "coroutine") else True


@pytest.mark.parametrize("value", [Fraction(5, 4), Decimal("1.25")])
def test_fractions_and_decimal_numbers_are_numbers(value):
    assert plain((value, [value])) == (1.25, [1.25])


def test_numbers_arrays_and_tuples_of_them_travel_as_they_are():
    array = np.arange(3.0)
    assert plain((1, 2.5, None, True, "a", [1, (2, 3)])) == (1, 2.5, None, True, "a", [1, (2, 3)])
    assert plain(array) is array
    assert plain(np.array("a")).dtype.kind == "U"
    np.testing.assert_array_equal(plain(pd.Series([1, 2])), [1, 2])
    tensor = plain(Tensor())
    assert isinstance(tensor, np.ndarray)
    assert tensor.dtype == np.float32


def test_a_named_tuple_travels_as_a_tuple():
    state = worker.Place("a", 1, "b")
    assert type(plain(state)) is tuple


def test_a_list_within_itself_ends():
    endless = []
    endless.append(endless)
    for _ in range(10):
        assert "within itself" in str(plain(endless))


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 3], False),
        ([1], [1, 2], False),
        ((1, 2), (1,), False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0, 2.0]), np.array([1.0, np.nan]), False),
        (np.array([1, 2]), np.array([1, 2]), True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array(["a"]), np.array(["b"]), False),
        (0.5, 0.6, False),
        (object(), object(), True),
    ],
)
def test_arguments_are_compared_with_what_they_were(a, b, alike):
    assert same(a, b) is alike


@pytest.mark.parametrize(
    ("files", "own"),
    [
        (["/somewhere/ipykernel_1/12.py"], 0),
        (["<ipython-input-3-0f>", np.__file__], 0),
        (["<cell>", "<string>"], 0),  # such as the __setattr__ of a frozen dataclass
        (["<cell>", "<frozen importlib._bootstrap>"], 0),
        (["<cell>", "<__array_function__ internals>"], 0),
        (["<cell>", worker.__file__], 0),  # the course's own files
        (["<cell>", functools.__file__], 0),
        (["<first>", "<second>", np.__file__], 1),
        ([np.__file__], None),
        ([], None),
    ],
)
def test_the_readers_own_code_is_what_is_no_library(files, own):
    places = [Place(file, line, "f") for line, file in enumerate(files)]
    assert worker.own_place(places) == (None if own is None else places[own])


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3), GeneratorExit(), Rude])
def test_whatever_is_raised_becomes_an_outcome(error):
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError

    def attempt(x):
        raise Silent if error is Rude else error

    (outcome,) = call_here(call, attempt, [(1,)]).outcomes
    assert outcome.error
    assert outcome.result is None


def test_what_is_printed_by_the_first_call_is_kept_and_shortened():
    report = call_here(call, lambda x: print(x), [(1,), (2,)])
    assert report.printed == "1\n"
    for count, shown in [(500, "x" * 500), (501, f"{'x' * 500}…\n"), (10_000, f"{'x' * 500}…\n")]:
        assert call_here(call, lambda x, count=count: print("x" * count, end=""), [(1,)]).printed == shown


def test_an_argument_that_is_changed_in_place_is_noticed():
    def attempt(x, y):
        y[0] = 5.0
        return x

    assert call_here(call, attempt, [(1.0, np.zeros(2))]).outcomes[0].mutated
    assert not call_here(call, lambda x, y: x + y, [(1.0, np.zeros(2))]).outcomes[0].mutated


def test_the_outcomes_so_far_are_there_when_a_call_goes_on_for_ever():
    outcomes, printed = [], io.StringIO()
    with pytest.raises(ZeroDivisionError):
        worker.call_all(call, lambda x: x, [(1,), (2,)], Stops(outcomes), printed)
    assert len(outcomes) == 1


class Stops(list):
    """A list that takes one entry and then fails, as a process does that is ended."""

    def __init__(self, entries):
        self.entries = entries

    def append(self, entry):
        if self.entries:
            raise ZeroDivisionError
        self.entries.append(entry)

    def __bool__(self):
        return bool(self.entries)

"""Comparing a result with the right answer: its form, its numbers, and how both are shown."""

import functools

import numpy as np
import pytest

from utils.exercises.compare import Tolerance, WrongForm, agrees, parts_of, show, show_both, where_wrong
from utils.exercises.worker import Odd

TOLERANCE = Tolerance()


@pytest.mark.parametrize(
    ("result", "right", "alike"),
    [
        ([1.0, 2.0], (1.0, 2.0), True),
        ((1.0, (2.0, 3.0)), (1.0, 2.0, 3.0), True),
        ([1.0, 2.0], (1.0, 2.0, 3.0), False),
        ([1.0, 2.0, 3.0], (1.0, 2.0), False),
        ([1.0, 2.0], (1.0, 2.5), False),
        ([2.0, 1.0], (2.5, 1.0), False),
        (np.array([1.0, 2.0]), (1.0, 2.0), True),
        (np.ones((2, 3)), (np.ones(3), np.ones(3)), True),
        (([1.0, 1.0], (1.0, 1.0)), (np.ones(2), np.ones(2)), True),
        ([1, 1], np.ones(2), True),
        ((1.0, 1.0), np.ones(2), True),
        ([[1.0, 1.0]], np.ones((1, 2)), True),
        ([[1.0], [1.0, 2.0]], np.ones((2, 1)), False),
        ((np.ones(2),), np.ones(2), True),
        (None, None, True),
        (None, 1.0, False),
        (1.0, None, False),
        ([None, 1.0], (None, 2.0), False),
        ("a", "a", True),
        ("a", "b", False),
        ("b", "a", False),
        (True, True, True),
        (False, True, False),
        (1, True, False),
        (True, 1, True),
        ("a", 1.0, False),
        (np.array(["a"]), np.array([1.0]), False),
        (np.ones((1, 2)), np.ones(2), False),
        (np.ones(2), np.ones(1), False),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0]), True),
        (np.nan, 1.0, False),
        (1 + 1e-10, 1.0, True),
        (np.float16(0.1), 0.1, False),
        (np.float32(0.1), 0.1, False),
        (2**70, 2.0**70, True),
        pytest.param(10**5000, 1.0, False, id="huge"),
        (1 + 1e-8, 1.0, False),
        (1e-13, 0.0, True),
        (1e-11, 0.0, False),
        (1 + 0j, 1.0, False),
        (Odd("function", "f"), 1.0, False),
    ],
)
def test_results_agree_part_for_part(result, right, alike):
    assert agrees(result, right, TOLERANCE) is alike


@pytest.mark.parametrize(
    ("result", "right", "key"),
    [
        (1, 1.0, None),
        (np.float32(1.0), 1.0, None),
        (np.array([1.0]), np.array([2]), None),
        (np.array([1]), np.array([True]), None),
        (1.0, None, None),
        (None, 1.0, None),
        ("a", "b", None),
        (1, True, None),
        ([0, 1], np.ones(2), None),
        ([None, "a"], (1.0, 1.0), "type"),
        ([np.ones(2), np.ones(3)], (np.ones(2), np.ones(2)), "shape"),
        (np.ones(2, np.float32), np.ones(2), "dtype"),
        (np.ones(2, int), np.ones(2), "dtype"),
        (np.ones(2, np.longdouble), np.ones(2), "dtype"),
        ((np.ones(2), np.ones(2)), np.ones(2), "one_part"),
        ((1.0, 2.0), 1.0, "one_part"),
        (1.0, (1.0, 2.0), "parts"),
        (None, (1.0, 2.0), "parts"),
        (np.float64(1.0), (1.0, 2.0), "parts"),
        ([1.0, 2.0], 1.0, "shape"),
        ([[1.0], [1.0, 2.0]], np.ones(2), "type"),
        (Odd("generator", "g"), np.ones(2), "generator"),
        (Odd("coroutine", "c"), (1.0, 2.0), "coroutine"),
        ((1.0, Odd("function", "f")), (1.0, 2.0), "function_returned"),
        (Odd("dict", "{}"), 1.0, "dict"),
        (Odd("set", "{}"), 1.0, "dict"),
        (Odd("not_a_pair", ""), np.ones(2), "not_a_pair"),
        (Odd("step_shape", ""), np.ones(2), "step_shape"),
        (Odd("kept_by_rule", ""), np.ones(2), "kept_by_rule"),
        (Odd("other", "object"), 1.0, "type"),
        ((1 + 1j), 1.0, "type"),
    ],
)
def test_only_what_no_number_can_mend_is_a_wrong_form(result, right, key):
    if key is None:
        parts_of(result, right)
    else:
        with pytest.raises(WrongForm) as form:
            parts_of(result, right)
        assert form.value.key == key


def test_the_wrong_part_is_named():
    with pytest.raises(WrongForm) as form:
        parts_of((np.ones(3), 1.0), (np.ones(3), np.ones(3)))
    assert form.value.values == {"part": 2, "got": (), "wanted": (3,)}
    with pytest.raises(WrongForm) as form:
        parts_of(1.0, np.ones(3))
    assert form.value.values["part"] == 0
    with pytest.raises(WrongForm) as form:
        parts_of((1, 2, 3), (1, 2))
    assert form.value.values == {"got": 3, "wanted": 2}


@pytest.mark.parametrize(
    ("result", "right", "values"),
    [
        (1.0, (1.0, 2.0), {"got": 1, "wanted": 2}),
        (None, (1.0, 2.0), {"got": 0, "wanted": 2}),
        ((1.0, 2.0, 3.0), 1.0, {"got": 3}),
        ((), 1.0, {"got": 0}),
        (Odd("coroutine", "c"), (1.0, 2.0), {"part": 0, "got": "c"}),
        (("a", 1.0), (1.0, 2.0), {"part": 1, "got": "'a'"}),
        ("a", 1.0, {"part": 0, "got": "'a'"}),
    ],
)
def test_a_wrong_form_says_what_came_and_what_was_wanted(result, right, values):
    with pytest.raises(WrongForm) as form:
        parts_of(result, right)
    assert form.value.values == values
    assert str(form.value) == form.value.key


def test_the_first_wrong_element_is_found():
    right = np.zeros((2, 3))
    wrong = right.copy()
    wrong[1, 2] = 1.0
    assert where_wrong(wrong, right, TOLERANCE) == (1, 2)
    wrong[0, 1] = 1.0
    assert where_wrong(wrong, right, TOLERANCE) == (0, 1)
    right[0, 0] = wrong[0, 0] = np.nan
    assert where_wrong(wrong, right, TOLERANCE) == (0, 1)
    assert where_wrong(1.0, 2.0, TOLERANCE) == ()


def step():
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456789, "0.123457"),
        (np.float32(0.5), "0.5"),
        (np.array(0.123456789), "0.123457"),
        (np.array([0.123456, 1.0]), "[0.1235 1. ]"),
        (np.arange(6.0), "[0. 1. 2. 3. 4. 5.]"),
        (np.arange(7.0), "[0. 1. ... 5. 6.]"),
        (np.array("a"), "'a'"),
        (np.array(["a", "b"]), "array(['a', 'b'], dtype='<U1')"),
        (7, "7"),
        (np.int64(7), "7"),
        ((1, (0.5, "a")), "(1, (0.5, 'a'))"),
        ([1, 2.5], "(1, 2.5)"),
        (None, "None"),
        (True, "True"),
        (Odd("function", "f"), "f"),
        (step, "step"),
        (functools.partial(step), "a function"),
        (Tolerance, "Tolerance"),
        ("two\n  lines", r"'two\n lines'"),
        ("x" * 100, repr("x" * 100)),
        pytest.param(10**5000, "a very large number", id="huge"),
        (np.array(None), "None"),
    ],
)
def test_values_are_shown_short(value, text):
    assert show(value) == text


def test_a_long_value_is_cut():
    assert len(show("x" * 1000)) < 170


@pytest.mark.parametrize(
    ("got", "wanted", "texts"),
    [
        (0.25, 0.5, ("0.25", "0.5")),
        (1.0000001, 1.0, ("1.0000001", "1")),
        (1 + 1e-10, 1.0, ("1.0000000001", "1")),
        (1 + 2**-52, 1.0, ("1.0000000000000002", "1")),
        (3, 4, ("3", "4")),
        (0.5, 0.25, ("0.5", "0.25")),
        (1.23456, 1.23457, ("1.23456", "1.23457")),
        (1.2345611, 1.2345612, ("1.2345611", "1.2345612")),
        (1.23456789011, 1.23456789012, ("1.23456789011", "1.23456789012")),
        (np.nan, 1.0, ("nan", "1")),
    ],
)
def test_different_numbers_are_shown_as_different(got, wanted, texts):
    assert show_both(np.float64(got) if isinstance(got, float) else got, wanted) == texts

"""The machinery of the exercises: what it says to attempts of every kind, and that nothing is lost with them."""

import dataclasses
import functools
import linecache
import os
import threading
import time

import numpy as np
import pytest

from utils.exercises import checks
from utils.exercises.checks import Exercise


def step(theta, v):
    return theta - v, 0.9 * v


EXERCISE = Exercise(
    reference=step,
    inputs=lambda rng, number: (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
    mistakes={"sign": lambda theta, v: (theta + v, 0.9 * v), "step_alone": lambda theta, v: (-v, 0.9 * v)},
)


def key_of(attempt, exercise=EXERCISE):
    return exercise.judge(attempt, seed=0).key


def written(body, name="attempt", cell="<cell>", **names):
    """A function as a reader's cell defines it: its code stands in no file."""
    namespace = {"np": np, **names}
    exec(compile(f"def {name}(theta, v):\n    {body}", cell, "exec"), namespace)
    return namespace[name]


def test_right_attempt_passes_on_new_inputs_each_time():
    given = []

    def inputs(rng, number):
        given.append(rng.normal())
        return (given[-1],)

    exercise = Exercise(reference=lambda x: 2 * x, inputs=inputs)
    assert exercise.judge(lambda x: x + x).key == exercise.judge(lambda x: x + x).key == "passed"
    assert len(set(given)) == 2 * checks.TRIALS


@pytest.mark.parametrize("body", ["...", "pass", '"""What to do."""', '"""What to do."""\n    ...', "return None"])
def test_unwritten_function_is_not_tried_yet(body):
    assert key_of(written(body)) == "not_tried"


@pytest.mark.parametrize("attempt", [None, ...])
def test_unset_value_is_not_tried_yet(attempt):
    assert key_of(attempt) == key_of(attempt, Exercise(reference=3.0)) == "not_tried"


def test_class_of_unwritten_methods_is_not_tried_yet():
    class Unwritten:
        def init(self, theta): ...

        def step(self, theta, g, state): ...

    class Begun(Unwritten):
        def step(self, theta, g, state):
            return theta - g

    class Empty:
        rate = 0.1

    assert checks._is_unwritten(Unwritten)
    assert not checks._is_unwritten(Begun)
    assert not checks._is_unwritten(Empty)


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"order": True}, {"frozen": True, "order": True}], ids=str)
def test_methods_that_a_dataclass_brings_are_not_the_readers(options):
    @dataclasses.dataclass(**options)
    class Unwritten:
        rate: float = 0.1

        def step(self, theta, g): ...

    class Begun(Unwritten):
        def step(self, theta, g):
            return theta - g

    assert checks._is_unwritten(Unwritten)
    assert not checks._is_unwritten(dataclasses.dataclass(**options)(Begun))


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("return theta - v, 0.9 * v", "passed"),
        ("return [theta - v, 0.9 * v]", "passed"),
        ("return theta + v, 0.9 * v", "sign"),
        ("return -v, 0.9 * v", "step_alone"),
        ("return theta - v, 0.90000001 * v", "wrong"),
        ("return theta - v, 0.9000000001 * v", "passed"),
        ("return theta - v + 1e-13, 0.9 * v", "passed"),
        ("x = theta - v", "nothing_returned"),
        ("return theta - v", "parts"),
        ("return theta - v, 0.9 * v, 1", "parts"),
        ("return (theta - v).sum(), 0.9 * v", "shape"),
        ("return (theta - v).T, 0.9 * v", "shape"),
        ("return (theta - v).astype(np.float32), 0.9 * v", "dtype"),
        ("return theta - v, (0.9 * v).astype(int)", "dtype"),
        ("return theta - v, (0.9 * v).astype(np.longdouble)", "dtype"),
        ("return 'theta', 0.9 * v", "type"),
        ("return theta - v, {1: 2}", "type"),
        ("v *= 0.9\n    return theta - v / 0.9, v", "mutated"),
        ("theta[0] = 0.0\n    return theta - v, 0.9 * v", "mutated"),
        ("return theta - velocity, 0.9 * v", "exception"),
        ("return attempt(theta, v)", "exception"),
        ("raise SystemExit", "exception"),
        ("return (x for x in theta), v", "exception"),
    ],
)
def test_verdict_names_the_kind_of_mistake(body, key):
    assert key_of(written(body)) == key


def test_other_things_than_a_function_and_other_arguments_are_named():
    assert key_of(3.5) == "not_callable"
    verdict = EXERCISE.judge(lambda theta: theta)
    assert verdict.key == "arguments"
    assert "theta, v" in verdict.text


def test_exception_is_shown_short_and_with_the_readers_line():
    text = EXERCISE.judge(written("x = theta\n    return x - velocity, v")).text
    assert "line 3 of its cell, in attempt" in text
    assert "NameError: name 'velocity' is not defined" in text
    assert len(text) < 300


def test_exception_is_placed_where_the_readers_own_code_goes_deepest():
    def own_frame(attempt):
        with pytest.raises(Exception) as error:  # noqa: PT011
            attempt(1.0, 2.0)
        return checks._own_frame(error.value)

    first, second, third = (f"/tmp/ipykernel_0/{cell}.py" for cell in (1, 2, 3))  # named like files, and are none
    inner = written("x = theta\n    return velocity", "inner", third)
    middle = written("\n    return inner(theta, v)", "middle", second, inner=inner)
    outer = written("return middle(theta, v)", "outer", first, middle=middle)
    assert own_frame(outer) == (third, 3, "inner")
    assert "line 3 of its cell, in inner" in EXERCISE.judge(outer).text
    for body in ("np.linalg.inv(np.zeros((2, 2)))", "import importlib; importlib.import_module('missing')"):
        assert own_frame(written(body)) == ("<cell>", 2, "attempt")
    assert own_frame(lambda theta, v: theta / None) == ()  # a lambda of this file, not of a cell


def test_place_shows_the_line_where_python_has_it(monkeypatch):
    monkeypatch.setitem(linecache.cache, "cell", (None, None, ["def attempt():\n", "    return v\n"], "cell"))
    assert checks._place(("cell", 2, "attempt")) == " in line 2 of its cell, in attempt: return v"
    assert checks._place(("gone", 2, "attempt")) == " in line 2 of its cell, in attempt"
    assert checks._place(()) == ""


def test_the_wrong_part_is_named():
    assert "part 2 of your result has shape" in EXERCISE.judge(written("return theta - v, v.sum()")).text
    exercise = Exercise(reference=lambda theta, v: theta, inputs=EXERCISE.inputs)
    assert "Wrong shape: your result has shape" in exercise.judge(written("return v.sum()")).text


def test_wrong_numbers_are_shown_beside_the_right_ones():
    exercise = Exercise(reference=lambda x: 2 * x, inputs=lambda rng, number: (float(number),))
    assert exercise.judge(lambda x: 3 * x).text.startswith("Not yet. For x = 1 your result is 3, and it should be 2")
    exercise = Exercise(reference=lambda x, factor=2: factor * x, inputs=lambda rng, number: (float(number),))
    text = exercise.judge(lambda x, factor=3: factor * x).text
    assert text.startswith("Not yet. For x = 1 your result is 3, and it should be 2")


def test_none_is_an_answer_where_the_reference_gives_none():
    exercise = Exercise(reference=lambda x: None if x < 4 else x, inputs=lambda rng, number: (number,))
    assert exercise.judge(lambda x: x if x >= 4 else None).key == "passed"
    assert exercise.judge(lambda x: x).key == exercise.judge(lambda x: x if x >= 5 else None).key == "wrong"


def test_value_is_compared_within_its_tolerance():
    exercise = Exercise(reference=0.5, mistakes={"sign": -0.5}, rtol=0.01)
    assert exercise.judge(0.504).key == "passed_value"
    assert exercise.judge(-0.5).key == "sign"
    assert exercise.judge(0.51).key == "wrong_value"
    assert exercise.judge("half").key == "type"
    assert exercise.judge(np.array([0.5])).key == "shape"


def test_endless_loop_is_stopped_within_ten_seconds_and_the_next_check_works():
    assert key_of(step) == "passed"
    (process,) = checks._worker._processes.values()
    began = time.monotonic()
    verdict = EXERCISE.judge(written("while True: pass"))
    assert verdict.key == "too_slow"
    assert verdict.text.startswith("No answer after 8 seconds")
    assert time.monotonic() - began < 10
    process.join(5)
    assert not process.is_alive()
    assert key_of(step) == "passed"


def leave(theta, v):
    os._exit(1)


def test_crash_is_reported_and_the_next_check_works():
    assert key_of(leave) == "crashed"
    assert key_of(step) == "passed"


def test_what_cannot_be_sent_to_the_other_process_is_named():
    lock = threading.Lock()
    assert key_of(lambda theta, v: (lock, v)) == "cannot_travel"


def test_what_the_attempt_prints_comes_before_the_verdict_and_is_shortened(capsys):
    EXERCISE(written("print('looking'); return theta - v, 0.9 * v"))
    assert capsys.readouterr().out == "looking\nPassed: right on 8 inputs that it had never seen.\n"
    for count, shown in [
        (500, f"{'x' * 500}Passed"),
        (501, f"{'x' * 500}…\nPassed"),
        (10_000, f"{'x' * 500}…\nPassed"),
    ]:
        text = EXERCISE.judge(written(f"print('x' * {count}, end=''); return theta - v, 0.9 * v")).text
        assert text.startswith(shown)


def test_class_is_run_as_the_exercise_says():
    class Half:
        def step(self, theta):
            return theta / 2

    class Third:
        def step(self, theta):
            return theta / 3

    exercise = Exercise(
        reference=Half,
        inputs=lambda rng, number: (rng.normal(size=2),),
        mistakes={"sign": Third},
        run=lambda rule, theta: rule().step(theta),
    )
    assert exercise.judge(Half).key == "passed"
    assert exercise.judge(Third).key == "sign"

    class Twice:
        def step(self, theta):
            return theta * 2

    assert exercise.judge(Twice).text.startswith("Not yet. After a few steps your rule gives [")


def test_an_exercise_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EXERCISE.rtol = 1.0


def test_no_outcome_is_lost_and_none_accused_without_cause():
    outcome = checks._Outcome(result=(1.0, 2.0))
    assert not outcome.mutated
    with pytest.raises(ValueError, match="zip"):
        EXERCISE._judge_outcomes([(1.0, 2.0), (1.0, 2.0)], [outcome])


@pytest.mark.parametrize(
    ("a", "b", "same"),
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
def test_arguments_are_compared_with_what_they_were(a, b, same):
    assert checks._same(a, b) is same


@pytest.mark.parametrize(
    ("result", "right", "agrees"),
    [
        ([1.0, 2.0], (1.0, 2.0), True),
        ([1.0, [2.0, 3.0]], (1.0, 2.0, 3.0), True),
        ([1.0, 2.0], [1.0, 2.0, 3.0], False),
        ([1.0, 2.0, 3.0], [1.0, 2.0], False),
        ([1.0, 2.0], [1.0, 2.5], False),
        ([2.0, 1.0], [2.5, 1.0], False),
        (None, None, True),
        (None, 1.0, False),
        (1.0, None, False),
        ([None, 1.0], [None, 2.0], False),
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
    ],
)
def test_results_agree_part_for_part(result, right, agrees):
    assert checks._agrees(result, right, EXERCISE) is agrees


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
        ([None, "a"], [1.0, 1.0], "type"),
        ([np.ones(2), np.ones(3)], [np.ones(2), np.ones(2)], "shape"),
        (np.ones(2, np.float32), np.ones(2), "dtype"),
        (np.ones(2, np.longdouble), np.ones(2), "dtype"),
    ],
)
def test_only_what_no_number_can_mend_is_a_wrong_form(result, right, key):
    verdict = checks._wrong_form(result, right)
    assert (verdict and verdict.key) == key


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456789, "0.123457"),
        (np.float32(0.5), "0.5"),
        (np.array(0.123456789), "0.123457"),
        (np.array([0.123456, 1.0]), "[0.1235 1. ]"),
        (np.arange(6.0), "[0. 1. 2. 3. 4. 5.]"),
        (np.arange(7.0), "[0. 1. ... 5. 6.]"),
        ((1, (0.5, "a")), "(1, (0.5, a))"),
        (step, "step"),
        (functools.partial(step), "a function"),
        ("two\n  lines", "two lines"),
        ("x" * 160, "x" * 160),
        ("x" * 161, "x" * 160 + "…"),
    ],
)
def test_values_are_shown_short(value, text):
    assert checks._short(value) == text


def test_hints_are_sentences_in_one_table():
    assert checks._hints() is checks._hints(), "the table is read again for every hint"
    fragments = {"where", "part", "whole"}
    for key, text in checks._hints().items():
        assert key in fragments or (text[0].isupper() and text[-1] in ".?!}"), key

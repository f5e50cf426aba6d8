"""The machinery of the exercises: what it says to attempts of every kind, and that nothing is lost with them."""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from utils import checks
from utils.checks import Exercise


def step(theta, v):
    return theta - v, 0.9 * v


EXERCISE = Exercise(
    reference=step,
    inputs=lambda rng, number: (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
    mistakes={"sign": lambda theta, v: (theta + v, 0.9 * v), "step_alone": lambda theta, v: (-v, 0.9 * v)},
)


def key_of(attempt, exercise=EXERCISE):
    return exercise.judge(attempt, seed=0).key


def written(body, name="attempt"):
    """A function as a reader's cell defines it: its code stands in no file."""
    namespace = {"np": np}
    exec(compile(f"def {name}(theta, v):\n    {body}", "<cell>", "exec"), namespace)
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

    assert checks._is_unwritten(Unwritten)
    assert not checks._is_unwritten(Begun)


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("return theta - v, 0.9 * v", "passed"),
        ("return [theta - v, 0.9 * v]", "passed"),
        ("return theta + v, 0.9 * v", "sign"),
        ("return -v, 0.9 * v", "step_alone"),
        ("return theta - v, 0.90000001 * v", "wrong"),
        ("x = theta - v", "nothing_returned"),
        ("return theta - v", "parts"),
        ("return theta - v, 0.9 * v, 1", "parts"),
        ("return (theta - v).sum(), 0.9 * v", "shape"),
        ("return (theta - v).T, 0.9 * v", "shape"),
        ("return (theta - v).astype(np.float32), 0.9 * v", "dtype"),
        ("return theta - v, (0.9 * v).astype(int)", "dtype"),
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


def test_wrong_numbers_are_shown_beside_the_right_ones():
    exercise = Exercise(reference=lambda x: 2 * x, inputs=lambda rng, number: (float(number),))
    assert exercise.judge(lambda x: 3 * x).text.startswith("Not yet. For x = 1 your result is 3, and it should be 2")


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
    began = time.monotonic()
    assert key_of(written("while True: pass")) == "too_slow"
    assert time.monotonic() - began < 10
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
    assert len(EXERCISE.judge(written("print('x' * 10_000); return theta - v, 0.9 * v")).text) < 600


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


def test_hints_are_sentences_in_one_table():
    table = json.loads(Path(checks.__file__).with_name("hints.json").read_text(encoding="utf-8"))
    assert list(table) == ["en"]
    fragments = {"where", "part", "whole"}
    for key, text in table["en"].items():
        assert key in fragments or (text[0].isupper() and text[-1] in ".?!}"), key

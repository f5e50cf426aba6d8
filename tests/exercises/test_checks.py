"""What a check says to attempts of every kind."""

import dataclasses
import functools

import numpy as np
import pytest

from utils.exercises import checks
from utils.exercises.apart import call_here
from utils.exercises.checks import Exercise
from utils.exercises.compare import Tolerance
from utils.exercises.worker import Outcome, Place, Report
from utils.language import texts


def step(theta, v):
    return theta - v, 0.9 * v


EXERCISE = Exercise(
    reference=step,
    inputs=lambda rng, number: (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
    mistakes={"sign": lambda theta, v: (theta + v, 0.9 * v), "step_alone": lambda theta, v: (-v, 0.9 * v)},
)


def judge(attempt, exercise=EXERCISE):
    return exercise.judge(attempt, seed=0, call=call_here)


def key_of(attempt, exercise=EXERCISE):
    return judge(attempt, exercise).key


def written(body, name="attempt", cell="<cell>", **names):
    """A function as a reader's cell defines it: its code stands in no file."""
    namespace = {"np": np, **names}
    exec(compile(f"def {name}(theta, v):\n    {body}", cell, "exec"), namespace)
    return namespace[name]


def test_nan_is_no_sign_of_a_mistake_that_also_gives_nan():
    """Many mistakes end in NaN: the verdict says that, and not which of them it was."""
    mistakes = {"sign": lambda theta, v: (theta * np.nan, v * np.nan)}
    exercise = dataclasses.replace(EXERCISE, mistakes=mistakes)
    assert key_of(lambda theta, v: (theta - np.nan, v + np.nan), exercise) == "not_finite"
    half = dataclasses.replace(EXERCISE, mistakes={"sign": lambda theta, v: (theta * np.nan, v)})
    assert key_of(lambda theta, v: (theta - np.nan, v), half) == "sign"


def test_right_attempt_passes_on_new_inputs_each_time():
    given = []

    def inputs(rng, number):
        given.append(rng.normal())
        return (given[-1],)

    exercise = Exercise(reference=lambda x: 2 * x, inputs=inputs)
    assert {exercise.judge(lambda x: x + x, call=call_here).key for _ in range(2)} == {"passed"}
    assert len(set(given)) == 2 * checks.TRIALS


@pytest.mark.parametrize("body", ["...", "pass", '"""What to do."""', '"""What to do."""\n    ...', "return None"])
def test_unwritten_function_is_not_tried_yet(body):
    assert key_of(written(body)) == "not_tried"
    assert key_of(functools.cache(written(body))) == "not_tried"


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
        ("return theta - v, 0.90000001 * v", "nearly"),
        ("return theta - v, 0.9001 * v", "constant_factor"),
        ("return theta - v, 0.9001 * v + 0.01", "some_parts"),
        ("return theta - 1.1 * v, 0.9001 * v", "wrong"),
        ("return theta - v, 0.9000000001 * v", "passed"),
        ("return theta - v + 1e-13, 0.9 * v", "passed"),
        ("x = theta - v", "nothing_returned"),
        ("return theta - v", "shape"),
        ("return (theta - v)[0]", "parts"),
        ("return theta - v, 0.9 * v, 1", "parts"),
        ("return (theta - v).sum(), 0.9 * v", "shape"),
        ("return (theta - v).T, 0.9 * v", "shape"),
        ("return (theta - v).astype(np.float32), 0.9 * v", "dtype"),
        ("return theta - v, (0.9 * v).astype(int)", "dtype"),
        ("return theta - v, (0.9 * v).astype(np.longdouble)", "dtype"),
        ("return 'theta', 0.9 * v", "type"),
        ("return theta - v, {1: 2}", "dict"),
        ("return theta - v, np.array(None)", "type"),
        ("return theta - v, np.array('a')", "type"),
        ("return np.array({1: 2})", "type"),
        ("return theta - v, np.array({1: 2})", "type"),
        ("return np.sum", "function_returned"),
        ("v *= 0.9\n    return theta - v / 0.9, v", "mutated"),
        ("theta[0] = 0.0\n    return theta - v, 0.9 * v", "mutated"),
        ("return theta - velocity, 0.9 * v", "exception"),
        ("return attempt(theta, v)", "exception"),
        ("raise SystemExit", "exception"),
        ("raise KeyboardInterrupt", "exception"),
        ("raise GeneratorExit", "exception"),
        ("return (x for x in theta), v", "generator"),
        ("yield theta", "generator"),
    ],
)
def test_verdict_names_the_kind_of_mistake(body, key):
    verdict = judge(written(body))
    assert verdict.key == key, verdict.text


def test_an_async_function_is_named():
    namespace = {}
    exec("async def attempt(theta, v):\n    return theta", namespace)
    assert key_of(namespace["attempt"]) == "coroutine"


def test_other_things_than_a_function_and_other_arguments_are_named():
    assert key_of(3.5) == "not_callable"
    verdict = judge(lambda theta: theta)
    assert verdict.key == "arguments"
    assert "theta, v" in verdict.text
    verdict = judge(lambda v, theta: (theta - v, 0.9 * v))
    assert verdict.key == "argument_order"
    assert "theta, v" in verdict.text
    assert key_of(lambda theta, v, more=1: (theta - v, 0.9 * v)) == "passed"
    assert key_of(lambda *given: step(*given)) == "passed"
    assert key_of(np.divmod, Exercise(reference=divmod, inputs=lambda rng, number: (5.0 + number, 2.0 + number))) != ""


def test_exception_is_shown_short_with_the_readers_line_and_the_input():
    text = judge(written("x = theta\n    return x - velocity, v")).text
    assert "line 3 of its cell, in attempt" in text
    assert "NameError: name 'velocity' is not defined" in text
    assert "That was for theta = [[" in text
    assert len(text) < 400


def test_exception_is_placed_where_the_readers_own_code_goes_deepest():
    first, second, third = (f"/tmp/ipykernel_0/{cell}.py" for cell in (1, 2, 3))  # named like files, and are none
    inner = written("x = theta\n    return velocity", "inner", third)
    middle = written("\n    return inner(theta, v)", "middle", second, inner=inner)
    outer = written("return middle(theta, v)", "outer", first, middle=middle)
    assert "line 3 of its cell, in inner" in judge(outer).text
    for body in ("np.linalg.inv(np.zeros((2, 2)))", "import importlib; importlib.import_module('missing')"):
        assert "line 2 of its cell, in attempt" in judge(written(body)).text


def test_a_line_in_a_file_of_the_readers_is_named_after_the_file():
    text = judge(lambda theta, v: theta / None).text
    assert "of test_checks.py, in <lambda> (`text = judge(lambda theta, v: theta / None).text`)" in text


def test_place_says_nothing_of_nowhere_and_shows_no_line_that_is_gone():
    assert checks._place(None) == ""
    assert checks._place(Place("gone", 2, "attempt")) == " in line 2 of its cell, in attempt"


def test_the_wrong_part_is_named():
    assert "part 2 of your result has shape" in judge(written("return theta - v, v.sum()")).text
    exercise = Exercise(reference=lambda theta, v: theta, inputs=EXERCISE.inputs)
    assert "Wrong shape: your result has shape" in judge(written("return v.sum()"), exercise).text


def test_wrong_numbers_are_shown_beside_the_right_ones():
    exercise = Exercise(reference=lambda x: x**2, inputs=lambda rng, number: (2.0 + number,))
    text = judge(lambda x: 3 * x**2 + x, exercise).text
    assert text.startswith("Not yet. For x = 2, your result is 14, and it should be 4: 10 too large.")


def test_none_is_an_answer_where_the_reference_gives_none():
    exercise = Exercise(reference=lambda x: None if x < 4 else x, inputs=lambda rng, number: (number,))
    assert key_of(lambda x: x if x >= 4 else None, exercise) == "passed"
    assert key_of(lambda x: x, exercise) == "wrong"
    assert key_of(lambda x: x if x >= 5 else None, exercise) == "none_too_often"
    assert key_of(lambda x: x if x >= 4 else -1, exercise) == "none_is_asked"
    assert "your result is 0, and it should be None" in judge(lambda x: x, exercise).text


def test_value_is_compared_within_its_tolerance():
    exercise = Exercise(reference=0.5, mistakes={"sign": [-0.5, -0.25]}, tolerance=Tolerance(rtol=0.01))
    assert key_of(0.504, exercise) == "passed_value"
    assert key_of(-0.5, exercise) == key_of(-0.25, exercise) == "sign"
    assert key_of(0.51, exercise) == "wrong_value"
    assert key_of("half", exercise) == "type"
    assert key_of(np.array([0.5]), exercise) == "shape"
    assert key_of(np.array(None), exercise) == key_of(np.array("a"), exercise) == "type"
    assert key_of({"a": 1}, exercise) == "dict"
    assert key_of(0.5 + 0j, exercise) == "type"


def test_words_may_be_an_array_of_them():
    exercise = Exercise(reference=("a", "b"))
    assert key_of(np.array(["a", "b"]), exercise) == "passed_value"
    assert key_of(np.array(["a", "c"]), exercise) == "wrong_values"


def test_several_values_may_be_a_tuple_a_list_or_an_array_and_the_right_ones_are_named():
    exercise = Exercise(reference=(1, 2, 3))
    for form in (tuple, list, np.array):
        assert key_of(form([1, 2, 3]), exercise) == "passed_value"
        verdict = judge(form([1, 5, 3]), exercise)
        assert verdict.key == "wrong_values"
        assert verdict.text.endswith("part 1 and 3. Wrong: part 2.")
        assert key_of(form([1, 2]), exercise) == "parts"
    assert key_of((4, 5, 6), exercise) == "wrong_value"


def test_the_time_limit_is_said_with_how_far_the_attempt_came():
    where = Place("gone", 4, "attempt")
    outcomes = [Outcome((1, 2))] * 3
    for report, key in [(Report(stuck=True, where=where), "too_slow"), (Report(outcomes, "", True, where), "slow")]:
        verdict = EXERCISE.judge(step, call=lambda *given, report=report: report)
        assert verdict.key == key
        assert "in line 4 of its cell, in attempt" in verdict.text
        assert "8 seconds" in verdict.text
    assert "answered 3 of 8 inputs" in verdict.text
    failed = Report([Outcome((1, 2)), Outcome(error="ValueError: no")], "", True)
    assert EXERCISE.judge(step, call=lambda *given: failed).key == "exception"


def test_calls_that_only_look_for_left_out_arguments_decide_nothing():
    report = call_here(checks.call, step, EXERCISE.trials(0))
    for more in ([], [Outcome(error="ValueError: no")] * 2, [Outcome(mutated=True), Outcome()]):
        full = Report(report.outcomes + more)
        assert EXERCISE.judge(step, seed=0, call=lambda *given, full=full: full).key == "passed"


def test_what_the_attempt_prints_comes_before_the_verdict(capsys):
    EXERCISE(written("print('looking'); return theta - v, 0.9 * v"))
    assert capsys.readouterr().out == "looking\nPassed: right on 8 inputs that it had never seen.\n"


def test_a_mistake_that_has_no_answer_to_an_input_is_no_match():
    exercise = Exercise(
        reference=lambda x: x + 1,
        inputs=lambda rng, number: (number,),
        mistakes={"sign": lambda x: 1 / x, "step_alone": [lambda x: x - 1, lambda x: x**2 + 3]},
    )
    assert key_of(lambda x: x**2 + 3, exercise) == "step_alone"


def test_an_exercise_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EXERCISE.tolerance = None


def test_no_outcome_is_lost():
    with pytest.raises(ValueError, match="zip"):
        EXERCISE._judge_outcomes([(1.0, 2.0), (1.0, 2.0)], [Outcome(result=(1.0, 2.0))], [], None)


def test_hints_are_sentences_in_one_table():
    fragments = {"where", "where_file", "part", "whole", "element", "too_large", "too_small", "given_error"}
    for key, text in texts("exercises").items():
        assert key in fragments or (text.removeprefix("{")[0].isupper() and text[-1] in ".?!}"), key

"""Every exercise: unsolved it says so, the published solution passes, and each kind of mistake gets its own hint."""

import inspect
import itertools
import json
import re
from pathlib import Path

import pytest

from utils import exercises
from utils.checks import Exercise, _hints

BOOK = Path(__file__).resolve().parent.parent / "book"
EXERCISES = {name: thing for name, thing in vars(exercises).items() if isinstance(thing, Exercise)}
SEEDS = range(5)

#: Wrong attempts, as learners make them: what to replace in the published solution, by what, and the hint that follows.
WRONG = {
    # 02 Stochastic gradient descent
    "sgd_step": [
        ("theta - learning_rate * g", "theta + learning_rate * g", "sign"),
        ("theta - learning_rate * g", "theta - g", "no_learning_rate"),
        ("theta - learning_rate * g", "-learning_rate * g", "step_alone"),
        ("return theta - learning_rate * g", "theta -= learning_rate * g\n    return theta", "mutated"),
        ("theta - learning_rate * g", "theta - learning_rate * g.sum(keepdims=True)", "wrong"),
        ("theta - learning_rate * g", "(theta - learning_rate * g).mean()", "shape"),
        ("theta - learning_rate * g", "(theta - learning_rate * g).round().astype(int)", "dtype"),
        ("learning_rate * g", "learnin_rate * g", "exception"),
    ],
    "steps_needed": [
        ("math.ceil", "math.floor", "one_step_off"),
        ("abs(1 - learning_rate * curvature)", "max(1 - learning_rate * curvature, 1e-300)", "wrong"),
        ("if shrink >= 1", "if learning_rate * curvature >= 1", "no_absolute_value"),
        ("math.log(factor)", "math.log(factor) / 2", "loss_not_distance"),
    ],
    "batch_size_for": [
        ("n / (1 + (n - 1) * ratio**2)", "1 / ratio**2", "with_replacement"),
        ("n / (1 + (n - 1) * ratio**2)", "1 / ratio", "noise_not_squared"),
        ("math.ceil", "math.floor", "rounded_down"),
        ("math.ceil", "", "wrong"),
    ],
}


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def imports_of(path):
    """The names that a notebook's imports cell defines: its second cell of code, after the set-up cell."""
    namespace = {"__name__": "notebook"}
    exec(code_cells(path)[1], namespace)
    return namespace


def cell_of(name, pages):
    """(page, source) of the cell before ``check.name(name)``."""
    for page in pages:
        cells = code_cells(page)
        for before, cell in itertools.pairwise(cells):
            if f"check.{name}({name})" in cell:
                return page, before
    raise AssertionError(f"no page has a cell check.{name}({name})")


def solution_of(name):
    return cell_of(name, sorted((BOOK / "solutions").glob("*.ipynb")))


def attempt_of(name, page, source):
    namespace = imports_of(page)
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace[name]


every_exercise = pytest.mark.parametrize("name", EXERCISES)


@every_exercise
def test_unsolved_exercise_is_not_tried_yet(name):
    page, stub = cell_of(name, sorted(BOOK.glob("*.ipynb")))
    attempt = attempt_of(name, BOOK / "solutions" / page.name, stub)
    assert EXERCISES[name].judge(attempt).key == "not_tried"


@every_exercise
def test_published_solution_passes(name):
    attempt = attempt_of(name, *solution_of(name))
    for seed in SEEDS:
        assert EXERCISES[name].judge(attempt, seed).key in ("passed", "passed_value")


@every_exercise
def test_every_mistake_in_the_table_gets_its_own_hint(name):
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3
    for key, wrong in exercise.mistakes.items():
        for seed in SEEDS:
            assert exercise.judge(wrong, seed).key == key


@pytest.mark.parametrize(
    ("name", "old", "new", "key"), [(name, *attempt) for name, attempts in WRONG.items() for attempt in attempts]
)
def test_wrong_attempt_gets_the_right_hint(name, old, new, key):
    page, source = solution_of(name)
    assert source.count(old) == 1, f"{old!r} must stand once in the solution of {name}:\n{source}"
    attempt = attempt_of(name, page, source.replace(old, new))
    for seed in SEEDS[:2]:
        assert EXERCISES[name].judge(attempt, seed).key == key


def test_every_exercise_has_at_least_three_wrong_attempts():
    assert WRONG.keys() == EXERCISES.keys()
    assert all(len(attempts) >= 3 for attempts in WRONG.values())


def test_stored_solutions_say_passed():
    for path in (BOOK / "solutions").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "".join(cell["source"]).startswith("check."):
                assert "".join(cell["outputs"][0]["text"]).startswith("Passed"), cell["source"]


@pytest.mark.parametrize("path", sorted(BOOK.glob("0*.ipynb")), ids=lambda path: path.stem)
def test_chapter_has_three_exercises_in_code_and_one_on_paper(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "## Exercises" in text
    assert len([source for source in code_cells(path) if source.startswith("check.")]) >= 3
    assert re.search(r"^\*\*\d+\. .*\*\* \(.*pencil and paper", text, re.MULTILINE)


def test_every_hint_is_used_and_every_key_exists():
    used = {key for exercise in EXERCISES.values() for key in exercise.mistakes}
    source = Path(inspect.getfile(Exercise)).read_text(encoding="utf-8")
    machinery = set(re.findall(r'(?:_verdict\(|_hints\(\)\[)"(\w+)"', source))
    assert _hints().keys() == used | machinery

"""The house: what may import what in ``utils``, that each file says what lives in it, and each room has one table."""

import ast
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UTILS = ROOT / "utils"
TOP = sorted(path.stem for path in UTILS.glob("*.py") if path.stem != "__init__")
ROOMS = sorted(path.parent.name for path in UTILS.glob("*/__init__.py"))
FILES = sorted(UTILS.rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(UTILS).as_posix())

#: What a module of the top may import of the top, as CONTRIBUTING's map says. Rooms may import all of it.
ARROWS = {
    "optimizers": set(),
    "beyond_adam": {"optimizers"},
    "schedules": {"optimizers"},
    "surfaces": set(),
    "language": set(),
    "on_demand": set(),
    "plotting": {"optimizers", "surfaces"},
    "data": set(),
    "training": {"data", "on_demand"},
    "sweep": {"training", "data"},
    "comparison": {"data", "plotting", "sweep", "training"},
}
#: Of the packages that take long to import, only these files import any.
SLOW = {"keras", "tensorflow"}
MAY_BE_SLOW = {"data.py", "training.py", "comparison.py", "on_demand.py", "bench/runs.py"}
MAY_BE_SLOW |= {"measure/layers.py", "measure/landscape.py"}


def modules_imported(path):
    """The full names of all modules that a file imports, wherever in it, names taken from ``utils`` included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path):
    """(module or room, what is named below it) for each import of ``utils``."""
    for name in modules_imported(path):
        first, *rest = name.split(".")
        if first == "utils":
            yield rest[0], rest[1:]


def test_the_top_is_what_a_reader_opens_and_the_rooms_are_six():
    assert set(TOP) == set(ARROWS)
    assert ROOMS == ["bench", "drawing", "exercises", "measure", "playground", "quiz"]


@pytest.mark.parametrize("module", TOP)
def test_the_top_imports_no_room_and_follows_the_arrows(module):
    for target, _ in own_imports(UTILS / f"{module}.py"):
        assert target in ARROWS[module], f"utils/{module}.py imports {target}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_the_top_and_of_other_rooms_only_the_door(room):
    for path in sorted((UTILS / room).rglob("*.py")):
        for target, below in own_imports(path):
            assert target in TOP + ROOMS, f"{path}: no module utils.{target}"
            if target in ROOMS and target != room:
                inside = (UTILS / target / f"{below[0]}.py").exists() and len(below) > 1
                assert not inside, f"{path} reaches into the room {target}: {below}"
                door = (UTILS / target / "__init__.py").read_text(encoding="utf-8")
                assert below, f"{path} imports the whole room {target}"
                assert f'"{below[0]}"' in door, f"{below[0]} is not offered at the door of {target}"


@every_file
def test_nothing_in_utils_imports_the_book_its_tests_or_its_tools(path):
    for name in modules_imported(path):
        assert name.split(".")[0] not in {"book", "tests", "tools", "benchmarks"}, f"{path} imports {name}"


@every_file
def test_slow_packages_are_imported_by_those_who_train(path):
    if path.relative_to(UTILS).as_posix() not in MAY_BE_SLOW:
        assert not {name.split(".")[0] for name in modules_imported(path)} & SLOW, path


@pytest.mark.parametrize("module", ["optimizers", "beyond_adam", "schedules", "surfaces"])
def test_the_rules_the_schedules_and_the_surfaces_need_numpy_only(module):
    outside = {name.split(".")[0] for name in modules_imported(UTILS / f"{module}.py")} - set(sys.stdlib_module_names)
    assert outside - {"utils"} == {"numpy"}


@every_file
def test_a_file_says_in_its_first_line_what_lives_in_it(path):
    first = path.read_text(encoding="utf-8").split("\n")[0]
    assert first.startswith('"""'), path
    assert len(first) > 30


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_one_table_of_what_it_says_and_the_tests_mirror_it(room):
    table = json.loads((UTILS / room / "en.json").read_text(encoding="utf-8"))
    assert table
    assert all(isinstance(text, str) and text for text in table.values())
    assert list((ROOT / "tests" / room).glob("test_*.py")), f"tests/{room} is missing"

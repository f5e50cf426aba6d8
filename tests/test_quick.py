"""``make quick``: what it takes, and what it leaves to ``make test``."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Collects what pytest would run, and prints each test with the fixtures that it needs; then the packages imported.
COLLECT = """
import sys
import pytest

class Show:
    def pytest_collection_finish(self, session):
        for item in session.items:
            print("TEST", item.nodeid.split("[")[0], *getattr(item, "fixturenames", ()))

code = pytest.main([*sys.argv[1:], "--collect-only", "-q", "-n", "0"], plugins=[Show()])
print("IMPORTED", *{name.split(".")[0] for name in sys.modules})
sys.exit(code)
"""


def recipe(target):
    """The arguments of pytest in a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^{target}:.*\n\t\$\(BIN\)/pytest(.*)$", makefile, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.slow
def test_quick_takes_the_units_and_the_static_checks_and_nothing_that_is_slow():
    command = [sys.executable, "-c", COLLECT, *recipe("quick")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    tests = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("TEST")]
    (imported,) = [set(line.split()[1:]) for line in done.stdout.splitlines() if line.startswith("IMPORTED")]
    needed = {fixture for _, *fixtures in tests for fixture in fixtures}
    assert not needed & {"site", "pages", "browser", "run_in_jupyterlab", "keras"}
    assert not imported & {"keras", "tensorflow", "torch", "jax", "dask"}
    names = {name for name, *_ in tests}
    assert not [name for name in names if ".ipynb" in name]
    for name in (
        "tests/test_optimizers.py::test_steps_worked_out_by_hand",
        "tests/test_surfaces.py::",
        "tests/test_plotting.py::",
        "tests/test_book.py::test_cells_are_short",
        "tests/test_house.py::",
        "tests/quiz/test_quiz.py::",
        "tests/playground/test_playground.py::",
    ):
        assert [each for each in names if each.startswith(name)], f"{name} is left out"
    assert len(tests) > 1000


def test_what_is_put_first_is_there():
    from tests.conftest import LONGEST

    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_the_whole_run_leaves_nothing_out():
    assert recipe("test") == []

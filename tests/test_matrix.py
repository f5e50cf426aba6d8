"""tools.matrix: the environments reach the notebooks, and a claim that one of them refutes is counted."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import matrix

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def in_one_process(monkeypatch):
    """Let pytest run a notebook of three cells without starting processes to share them out to."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-n0")


def test_variables_reach_the_kernel_and_cells_are_counted(tmp_path, monkeypatch):
    for name in matrix.ENVIRONMENTS["one-thread"]:
        monkeypatch.delenv(name, raising=False)  # which tests/conftest.py has set
    cells = [
        f"import os\nassert {matrix.ENVIRONMENTS['one-thread']!r}.items() <= os.environ.items()",
        "assert 1 == 2, 'holds nowhere'",
        "assert 1 == 1",
    ]
    path = tmp_path / "claims.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    result = matrix.run("one-thread", [path])
    assert (result.passed, result.failed) == (2, 1)
    assert "holds nowhere" in result.output
    result = matrix.run("default", [path])
    assert (result.passed, result.failed) == (1, 2)


def test_where_nothing_can_run_the_environment_is_red(tmp_path):
    result = matrix.run("default", [tmp_path / "missing.ipynb"])
    assert result.failed == 1
    assert "no tests ran" in result.output


def test_numpy_takes_the_features_that_it_is_told_not_to_use():
    program = "import numpy; from numpy._core._multiarray_umath import __cpu_features__ as f; print(f.get('X86_V4'))"
    environ = matrix.ENVIRONMENTS["numpy-no-avx512"]
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout in ("False\n", "None\n")


def test_newest_has_every_requirement_of_the_notebooks_without_a_version():
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    wanted = matrix.newest(requirements)
    assert {"keras", "tensorflow", "numpy", "nbval", "dask[distributed]", "-e ."} <= set(wanted)
    assert not [name for name in wanted if "=" in name or name.startswith(("#", "jupyter-book"))]
    assert matrix.newest(re.sub("jupyter-book==.*", "jupyter-book<2", requirements)) == wanted  # as every week in CI

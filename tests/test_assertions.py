"""tools.assertions: what counts as an assertion, and the table."""

import subprocess
import sys
from pathlib import Path

import nbformat

from tools.assertions import assertions, count

ROOT = Path(__file__).resolve().parent.parent
SOURCE = """%pip install nothing
for x in range(3):
    assert x < 3 and x >= 0, "in range"
    np.testing.assert_allclose(x, x)
print("assert nothing")
np.testing.suppress_warnings()  # assert
"""


def test_statements_and_numpy_s_functions_count_once_each():
    assert len(assertions(SOURCE)) == 2


def test_the_command_adds_the_pages_up(tmp_path):
    cells = [nbformat.v4.new_code_cell(SOURCE), nbformat.v4.new_code_cell("assert 1", metadata={"tags": ["check"]})]
    cells.append(nbformat.v4.new_markdown_cell("assert this"))
    paths = [tmp_path / "one.ipynb", tmp_path / "two.ipynb"]
    for path in paths:
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert count(paths[0]) == (3, 1)
    command = [sys.executable, "-m", "tools.assertions", *paths]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert [line.split()[-2:] for line in done.stdout.splitlines()[1:]] == [["3", "1"], ["3", "1"], ["6", "2"]]

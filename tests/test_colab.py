"""tools.colab: what a notebook meets there, and that whatever would be red on Colab is red."""

import re
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from tools import colab
from tools.repository import copy, current_url
from utils.plotting import DRAWING

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
THIS = Path(sys.prefix)  # the tests' own environment stands in for the one with Colab's versions


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    copy(folder)
    return folder


@pytest.fixture
def rehearse(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(colab, "pins", dict)

    def run(*cells):
        path = tmp_path / "notebook.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
        return colab.rehearse(path, repository, THIS)

    return run


def test_a_notebook_is_alone_takes_itself_to_be_on_colab_and_meets_this_repository(rehearse, repository):
    result = rehearse(
        "import os, subprocess, sys, sysconfig\nassert 'google.colab' in sys.modules",
        "assert os.listdir() == ['notebook.ipynb']",
        "import google.protobuf",  # the stand-in hides nothing
        f"assert not sysconfig.get_path('purelib').startswith({str(THIS)!r})",
        f"address = subprocess.check_output(['git', 'ls-remote', '--get-url', {current_url()!r}], text=True)\n"
        f"assert address.strip() == {repository.as_uri()!r}, address",
    )
    assert result.error == ""
    assert result.added == []


def test_a_cell_that_fails_is_shown_with_its_error_and_little_else(rehearse):
    result = rehearse("import numpy", "numpy.from_the_future()")
    assert "numpy.from_the_future()" in result.error
    assert "AttributeError" in result.error
    assert "\x1b" not in result.error
    assert "nbclient/client.py" not in result.error


def test_versions_that_set_up_changes_are_named(rehearse, monkeypatch):
    monkeypatch.setattr(colab, "pins", lambda: {"gone": "1.0", "numpy": "2.1.3"})
    result = rehearse(
        "import sysconfig\nfrom pathlib import Path\n"
        "folder = Path(sysconfig.get_path('purelib'), 'numpy-9.9.dist-info')\nfolder.mkdir()\n"
        "(folder / 'METADATA').write_text('Metadata-Version: 2.1\\nName: numpy\\nVersion: 9.9\\n')"
    )
    assert result.error.splitlines() == [
        "Colab has gone 1.0, after set-up it is None",
        "Colab has numpy 2.1.3, after set-up it is 9.9",
    ]


def test_what_is_stored_in_korean_must_be_said_in_korean(rehearse, repository, tmp_path):
    cells = [
        nbformat.v4.new_code_cell("print('한 번 더')", outputs=[nbformat.v4.new_output("stream", text="한 번 더\n")]),
        nbformat.v4.new_code_cell(
            "print('once more')", outputs=[nbformat.v4.new_output("stream", text="다시 한 번\n")]
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "korean.ipynb")
    (line,) = colab.rehearse(tmp_path / "korean.ipynb", repository, THIS).error.splitlines()
    assert cells[1].id in line
    assert "'다시 한 번'" in line


def test_what_colab_shows_of_an_output_counts_and_its_drawing_does_not():
    data = {"text/html": "<p>답</p>", DRAWING: "<svg><text>학습률</text></svg>", "text/plain": "퀴즈"}
    assert colab.korean({"data": data}) == ["답", "퀴즈"]
    assert colab.korean({"text": "한 번 더\n"}) == ["한", "번", "더"]


def test_colab_has_all_that_the_helpers_need_and_the_reader_s_keras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]}
    pins = colab.pins()
    assert names | {"keras", "tensorflow", "ipython", "ipykernel"} <= pins.keys()
    lines = colab.PINS.read_text(encoding="utf-8").splitlines()
    assert {re.split("[=;]", line)[0] for line in lines if line and not line.startswith("#")} == pins.keys()
    assert all(re.fullmatch(r"[\d.]+", version) for version in pins.values())
    assert any(re.match(r"# Date: .*20\d\d", line) for line in lines)

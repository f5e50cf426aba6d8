"""Bad days: another Jupyter Book, a home folder nobody may write to, no TensorFlow, no scripts in the browser.

The bad days of the data are in test_data.py: no network, one that drops, damaged files, a full disk. Those of a sweep
are in test_sweep.py.
"""

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import build
from tools.repository import current_url, helpers

ROOT = Path(__file__).resolve().parent.parent
ON_DEMAND = "from utils.on_demand import keras"
TRAINS = re.compile(r"from utils\.training import|from utils import .*\bcomparison\b")
PAGES = [path for path in sorted((ROOT / "book").rglob("*.ipynb")) if path.parent.name != "solutions"]
THEORY = [  # a page that trains needs Keras from the beginning
    path
    for path in PAGES
    for text in [path.read_text(encoding="utf-8")]
    if ON_DEMAND in text and not TRAINS.search(text)
]

# Put where Python looks at its start, this makes an installed package one that is not installed.
WITHOUT_KERAS = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("keras", "tensorflow"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


# --- another Jupyter Book ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.1.7", "2.0.0b3", "1.0.3", "0.15.1"])
def test_another_jupyter_book_is_named_and_nothing_is_built(version, tmp_path):
    metadata = tmp_path / "first" / f"jupyter_book-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: jupyter-book\nVersion: {version}\n")
    command = [sys.executable, "-m", "tools.build", tmp_path]
    environ = os.environ | {"PYTHONPATH": str(metadata.parent.parent)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(
        f"The book needs Jupyter Book 1, from 1.0.4 on, and this Python has {version}: run `make"
    )
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "_build").exists()


def test_no_jupyter_book_at_all_is_said(monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(build, "version", version)
    assert "this Python has none: run `make book`" in build.refusal()


def test_the_readme_builds_through_the_command_that_says_so():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "-m tools.build\n" in readme
    assert "jupyter-book build" not in readme


def test_pages_older_than_the_style_sheet_are_built_anew(tmp_path):
    style, page = tmp_path / "assets" / "book.css", tmp_path / "html" / "index.html"
    for file in (style, page):
        file.parent.mkdir()
        file.touch()
    os.utime(style, (1, 1))
    assert not build.is_outdated(page.parent, [style.parent])
    os.utime(style, (2e9, 2e9))
    assert build.is_outdated(page.parent, [style.parent])
    assert not build.is_outdated(tmp_path / "nothing built", [style.parent])


# --- a home folder nobody may write to ---------------------------------------------------------------------------


def as_nobody(program, cwd):
    """Run a program with a home folder that it may read only. Root may write anywhere, so it first becomes nobody."""
    home = cwd / "home"
    home.mkdir(mode=0o555)
    become = "if os.getuid() == 0:\n    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    program = textwrap.dedent(program).replace("BECOME_NOBODY\n", become)
    environ = {name: value for name, value in os.environ.items() if name != "KERAS_HOME"}
    environ |= {"HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", program], cwd=cwd, env=environ, capture_output=True, text=True)


@pytest.fixture
def open_folder():
    """A folder that other users reach; pytest's own are shut."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_with_a_read_only_home_the_data_go_where_keras_looks_next(open_folder):
    (open_folder / "debian").mkdir()
    (open_folder / "temporary").mkdir()
    (open_folder / "temporary").chmod(0o777)
    program = """
        import hashlib, os, pathlib, tempfile
        from utils import data

        names = list(data.SHA256)
        data.DEBIAN_FOLDER = pathlib.Path("debian").absolute()
        for name in names:
            (data.DEBIAN_FOLDER / name).write_text(name)
        data.SHA256 = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
        os.path.isdir = lambda path: False  # there is no /tmp, where the real data may be
        tempfile.tempdir = os.path.abspath("temporary")
        BECOME_NOBODY
        try:
            open(os.path.expanduser("~/anything"), "w")
        except PermissionError:
            data.main()
    """
    done = as_nobody(program, open_folder)
    folder = open_folder / "temporary" / ".keras" / "datasets" / "fashion-mnist"
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Fashion-MNIST is complete in {folder}\n"
    assert len(list(folder.iterdir())) == 4


def test_a_sweep_that_may_not_write_says_so_before_it_begins(open_folder):
    program = """
        import os
        from utils.sweep import sweep

        def trial(a):
            print("began")
            return {}

        BECOME_NOBODY
        sweep(trial, [{"a": 1}], os.path.expanduser("~/results.jsonl"))
    """
    done = as_nobody(program, open_folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"Permission denied: '{open_folder / 'home' / 'results.jsonl'}'\n")


# --- a kernel without TensorFlow ---------------------------------------------------------------------------------


def uses_keras(cell):
    code = re.sub(r"#.*", "", re.sub(r'""".*?"""', "", cell.source, flags=re.DOTALL))  # docstrings name it too
    return re.search(r"\bkeras\.", code)


@pytest.mark.slow
@pytest.mark.parametrize("path", THEORY, ids=lambda path: path.stem)
def test_a_chapter_runs_up_to_its_first_cell_with_keras(path, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_KERAS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    first = next(cell for cell in code if uses_keras(cell))
    for cell in code:
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
    with pytest.raises(CellExecutionError) as caught:
        client.execute()
    assert caught.value.ename == "ModuleNotFoundError"
    says = "This cell needs Keras and TensorFlow, and keras is not installed here: run `%pip install keras tensorflow`"
    assert caught.value.evalue.startswith(says)
    assert [cell.id for cell in code if cell.execution_count][-1] == first.id
    (error,) = [output for output in first.outputs if output.output_type == "error"]
    assert len(error.traceback) <= 6, "the cell, two steps in utils, the message"


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["keras", "tensorflow"])
def test_without_keras_or_tensorflow_the_data_can_be_loaded_and_keras_names_what_is_missing(missing, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_KERAS.replace('("keras", "tensorflow")', f"({missing!r},)"))
    program = """
        from utils.data import load_fashion_mnist
        from utils.on_demand import keras

        assert load_fashion_mnist().x_train.shape == (48_000, 28, 28)
        keras.config.floatx()
    """
    environ = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert re.search(rf"and {missing} is not installed here: run `%pip install .*\n$", done.stderr), done.stderr


# --- a notebook downloaded from the site, alone ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("helpers_there", ["none", "another package of that name"])
def test_a_notebook_alone_says_how_to_get_the_helpers(helpers_there, tmp_path, monkeypatch):
    if helpers_there == "none":
        (tmp_path / "sitecustomize.py").write_text(WITHOUT_KERAS.replace('("keras", "tensorflow")', '("utils",)'))
        found = "No module named 'utils'"
    else:
        (tmp_path / "utils.py").write_text("")
        found = "No module named 'utils.optimizers'; 'utils' is not a package"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    notebook = nbformat.read(ROOT / "book" / "02-sgd.ipynb", as_version=4)
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    assert caught.value.ename == "ImportError"
    assert caught.value.evalue == f"{found}. For the helpers: {helpers(current_url())}"


# --- a browser without scripts -----------------------------------------------------------------------------------


def test_every_page_can_be_read_without_scripts(browser, site):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    sources = site / "_sources"
    pages = [path.with_suffix(".html").relative_to(sources) for path in sources.rglob("*.ipynb")]
    assert len(pages) >= 10
    for name in pages:
        page.goto((site / name).as_uri())
        assert page.locator("article h1").is_visible(), name
        assert page.locator("nav.bd-links a", has_text="Momentum").first.is_visible(), name
        # Only what the reader opens is hidden: a summary says what it is, and needs no script to open.
        parts = page.locator("article :is(p, pre, img, .katex, table):not(details *)")
        hidden = parts.evaluate_all(
            """parts => parts.filter((part) => part.matches("img") || part.textContent.trim())
                .filter((part) => !part.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
                .map((part) => part.outerHTML)"""
        )
        assert parts.count() > 20, name
        assert hidden == [], name
        code = page.locator("article details:has(pre)")
        for closed in code.all()[:1]:
            assert not closed.locator("pre").first.is_visible()
            closed.locator("summary").click()
            assert closed.locator("pre").first.is_visible()
    context.close()

"""What several test modules share: their fixtures, and which tests are slow, so that ``make quick`` leaves them out."""

import ast
import importlib.resources
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.programs import do_without
from tools import chromium

ROOT = Path(__file__).resolve().parent.parent

# Kernels inherit it. There is a process for each core, so a second thread of NumPy's or TensorFlow's would only wait
# for its turn, and TensorFlow's wait by computing: a tenth to a seventh of a notebook's processor time.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")

#: Who asks for one of these builds the book, drives a browser, or starts Keras.
SLOW_FIXTURES = {"site", "epubs", "browser", "each_browser", "run_in_jupyterlab", "keras"}
#: What takes seconds to import, in each of the processes that run tests.
SLOW_PACKAGES = {"keras", "tensorflow", "torch", "jax", "dask"}
#: The files that take longest: a process that began one of them last would run on alone. The first builds the site, for
#: which those that ask for it wait, so notebooks come next, which do not.
LONGEST = (
    "tests/test_site.py",
    "book/01-hyperparameters.ipynb",
    "book/08-adam-keras-walkthrough.ipynb",
    "book/09-fair-comparison.ipynb",
    "tests/test_comparison.py",
    "tests/bench/test_page.py",
    "tests/bench/test_bench.py",
    "book/solutions/08-adam-keras-walkthrough.ipynb",
    "book/solutions/09-fair-comparison.ipynb",
    "book/10-schedules.ipynb",
    "book/06-rmsprop.ipynb",
    "book/solutions/06-rmsprop.ipynb",
    "tests/test_epub.py",
    "tests/test_pdf.py",
    "tests/test_korean.py",
    "tests/playground/test_playground_browser.py",
    "tests/bench/test_page_browser.py",
    "tests/test_training.py",
    "tests/test_repository.py",
    "book/13-the-surface-of-a-network.ipynb",
    "book/solutions/13-the-surface-of-a-network.ipynb",
    "tests/test_windows.py",
    "tests/test_bad_days.py",
)


@cache
def names_imported(path):
    """The full names of what a file imports as it is imported itself; what its functions import does not count."""
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@cache
def is_slow_to_import(path):
    """Whether a file imports a slow package, by itself or through files of ours."""
    to_do, seen = [path], set()
    while to_do:
        file = to_do.pop()
        seen.add(file)
        for name in names_imported(file):
            parts = name.split(".")
            if parts[0] in SLOW_PACKAGES:
                return True
            for length in range(1, len(parts) + 1):
                place = ROOT.joinpath(*parts[:length])
                ours = (place.with_suffix(".py"), place / "__init__.py")
                to_do += [each for each in ours if each not in seen and each.is_file()]
    return False


def is_marked_slow(path):
    """Whether a file of tests marks all of them as slow."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    marks = [node for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    return any("pytest.mark.slow" in ast.unparse(node.value) for node in marks)


def pytest_ignore_collect(collection_path, config):
    """Spare a quick run even the import of files that it takes no test from."""
    if config.option.markexpr == "not slow" and collection_path.suffix == ".py":
        return True if is_marked_slow(collection_path) or is_slow_to_import(collection_path) else None
    return None


def pytest_collection_modifyitems(items):
    """Mark as slow what needs the built book, a browser, a kernel or Keras; what else is slow is marked where it is.

    What takes longest comes first, whole files in the order of `LONGEST`.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.path.suffix == ".ipynb" or fixtures & SLOW_FIXTURES or is_slow_to_import(item.path):
            item.add_marker("slow")
    rank = {ROOT / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def built_once(tmp_path_factory, name, module):
    """The folder `_build` that a module of the tools builds, once for all the processes of a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of which every process has a subfolder
    log = folder / f"{name}.log"
    try:
        (folder / name).mkdir()
    except FileExistsError:  # another process builds it, or has built it
        last = time.monotonic() + 600
        while not log.exists():
            assert time.monotonic() < last, "the process that builds the book did not finish"
            time.sleep(0.2)
    else:
        command = [sys.executable, "-m", module, folder / name]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        part = folder / f"{name}.part"
        part.write_text(result.stdout[-3000:] + result.stderr[-5000:] if result.returncode else "")
        part.rename(log)
    assert not log.read_text(), f"the book does not build:\n{log.read_text()}"
    return folder / name / "_build"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the HTML book, built as `make book` does."""
    return built_once(tmp_path_factory, "site", "tools.build") / "html"


@pytest.fixture(scope="session")
def epubs(tmp_path_factory):
    """The folder in which the book lies as EPUB, in both languages, built as `make epub` does."""
    return built_once(tmp_path_factory, "epub", "tools.epub")


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site):
    """The site's address on a web server, some way below its root."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=site.parent))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{site.name}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def axe():
    """The script that finds what shuts readers out."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def settle():
    """The script that waits until the theme, which lets a moment pass after the window's size changed, has seen what
    can be scrolled, and marked it for the Tab key.
    """
    return """async () => {
  for (let i = 0; i < 40; i++) {
    const blocks = [...document.querySelectorAll("pre")];
    if (blocks.every((block) => block.scrollWidth <= block.clientWidth || block.tabIndex === 0)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}"""


@pytest.fixture(scope="module")
def keras():
    """Keras, computing in float64; put back as it was afterwards."""
    import keras

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")  # layers heed floatx only until somebody has set a policy
    yield keras
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="module")
def playwright():
    """What drives browsers. One for each module: it keeps an event loop running that notebooks' tests must not meet."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch:
        # For Firefox, see there. A path in this variable may hold spaces only in quotes.
        patch.setenv("NODE_OPTIONS", f'--require "{ROOT.as_posix()}/tests/firefox.cjs"')
        try:
            started = sync_playwright().start()
        except Exception as error:  # Playwright raises nothing narrower
            do_without(f"Playwright does not start: {error}. A bare Debian lacks libatomic1; `playwright -V` says more")
    yield started
    started.stop()


def launch_chromium(playwright):
    """Return the Chromium that prints the book too."""
    try:
        return chromium.launch(playwright)
    except FileNotFoundError as error:
        do_without(str(error))


def launch_firefox(playwright):
    """Return the system's Firefox, headless, which Playwright drives by WebDriver BiDi."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        do_without("no Firefox found: install your system's, such as Debian's firefox-esr")
    return playwright.firefox.launch(channel="moz-firefox", executable_path=path)


@pytest.fixture(scope="module")
def browser(playwright):
    """Chromium, for what one browser can tell, or only this one: see `each_browser`."""
    chromium = launch_chromium(playwright)
    yield chromium
    chromium.close()


@pytest.fixture(scope="module", params=[launch_chromium, launch_firefox], ids=["chromium", "firefox"])
def each_browser(request, playwright):
    """Chromium, then Firefox."""
    launched = request.param(playwright)
    yield launched
    launched.close()


@pytest.fixture
def run_in_jupyterlab(browser, tmp_path):
    """A JupyterLab on a free loopback port. The value opens a notebook of the given cells there and runs them all.

    A cell is its code, or a cell of nbformat. It returns the page, and the list of the errors that scripts in it raise.
    """
    import nbformat

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, root = secrets.token_hex(16), tmp_path / "root"
    root.mkdir()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--port-retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{kind}_DIR": str(tmp_path / kind) for kind in ("SETTINGS", "WORKSPACES")}
    context = browser.new_context(viewport={"width": 1280, "height": 1000})

    def run(*cells):
        cells = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, root / "notebook.ipynb")
        page, errors = context.new_page(), []
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://127.0.0.1:{port}/lab/tree/notebook.ipynb?token={token}")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        return page, errors

    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | folders, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path)
        try:
            for _ in range(300):
                assert server.poll() is None, (tmp_path / "log").read_text()
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={token}", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield run
        finally:
            context.close()
            server.terminate()
            server.wait(timeout=30)

"""Fixtures that several test modules share."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the HTML book, built as `make book` does, once for all the processes of a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of which every process has a subfolder
    log = folder / "site.log"
    try:
        (folder / "site").mkdir()
    except FileExistsError:  # another process builds it, or has built it
        last = time.monotonic() + 600
        while not log.exists():
            assert time.monotonic() < last, "the process that builds the book did not finish"
            time.sleep(0.2)
    else:
        command = [sys.executable, "-m", "tools.build", folder / "site"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        (folder / "site.part").write_text(result.stdout[-3000:] + result.stderr[-5000:] if result.returncode else "")
        (folder / "site.part").rename(log)
    assert not log.read_text(), f"the book does not build:\n{log.read_text()}"
    return folder / "site" / "_build" / "html"


@pytest.fixture(scope="module")
def keras():
    """Keras, computing in float64; put back as it was afterwards."""
    import keras

    floatx = keras.backend.floatx()
    keras.backend.set_floatx("float64")
    yield keras
    keras.backend.set_floatx(floatx)


@pytest.fixture(scope="module")
def browser():
    """Chromium, headless, driven by Playwright: the system's, or the one that `playwright install chromium` fetched.

    One for each module, because Playwright keeps an event loop running that the notebooks' tests must not meet.
    """
    from playwright.sync_api import sync_playwright

    def do_without(why):
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)

    try:
        playwright = sync_playwright().start()
    except Exception as error:  # Playwright raises nothing narrower
        do_without(f"Playwright does not start: {error}. A bare Debian lacks its libatomic1; `playwright -V` says more")
    try:
        path = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        if not Path(path).exists():
            do_without("no Chromium found: install your system's, or run `playwright install chromium`")
        quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        quiet += ["--disable-component-update", "--disable-sync"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            quiet.append("--no-sandbox")  # Chromium refuses to start for root otherwise, as in containers
        chromium = playwright.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()
    finally:
        playwright.stop()


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

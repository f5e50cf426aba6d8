"""Fixtures that several test modules share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the HTML book, built from the stored outputs as `make book` does, warnings being errors."""
    output = tmp_path_factory.mktemp("site")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "book", "--config", "_config.yml"]
    command += ["--toc", ROOT / "_toc.yml", "--path-output", output, "-W", "-n", "--keep-going"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, f"the book does not build:\n{result.stdout[-3000:]}\n{result.stderr[-5000:]}"
    return output / "_build" / "html"


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

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        if not Path(path).exists():
            why = "no Chromium found: install your system's, or run `playwright install chromium`"
            pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
        quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        quiet += ["--disable-component-update", "--disable-sync"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            quiet.append("--no-sandbox")  # Chromium refuses to start for root otherwise, as in containers
        chromium = playwright.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()

"""The Chromium that prints the book and in which it is tested: the system's, or the one that Playwright fetched."""

import os
import shutil
from pathlib import Path

QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


def launch(playwright):
    """Return a Chromium, headless. Without one, FileNotFoundError says what to install."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
    if not Path(path).exists():
        raise FileNotFoundError(
            "no Chromium found: install your system's, such as Debian's chromium, or run "
            "`.venv/bin/playwright install chromium`"
        )
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    # Chromium refuses to start for root otherwise, as in containers
    return playwright.chromium.launch(executable_path=path, args=[*QUIET, *["--no-sandbox"] * root])

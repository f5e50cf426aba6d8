"""Build the book, warnings being errors: ``python -m tools.build``, which is what ``make book`` runs.

Beside Jupyter Book 1 there are older versions, and a version 2 that is another program. If this Python has one of
those, it is said here; left to themselves they would stop at an option they do not know, or build half a book.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRST, FIRST_TOO_NEW = (1, 0, 4), (2,)


def refusal():
    """Return why the installed Jupyter Book cannot build this book, in one sentence, or None if it can."""
    try:
        found = version("jupyter-book")
    except PackageNotFoundError:
        found = "none"
    if FIRST <= tuple(map(int, re.findall(r"\d+", found))) < FIRST_TOO_NEW:
        return None
    return (
        f"The book needs Jupyter Book 1, from 1.0.4 on, and this Python has {found}: run `make book`, or "
        "`python -m venv .venv`, `.venv/bin/pip install --requirement requirements.txt` and "
        "`.venv/bin/python -m tools.build`."
    )


def main():
    """Build the book into ``_build``, or into ``_build`` below the folder that the command line names."""
    if reason := refusal():
        sys.exit(reason)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "book", "--config", "_config.yml"]
    command += ["--toc", ROOT / "_toc.yml", "--path-output", *(sys.argv[1:] or ["."]), "-W", "-n", "--keep-going"]
    sys.exit(subprocess.run(command, cwd=ROOT).returncode)


if __name__ == "__main__":
    main()

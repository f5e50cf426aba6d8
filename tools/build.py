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


def is_outdated(pages, parts=(ROOT / "book" / "assets", ROOT / "tools", ROOT / "utils" / "bench")):
    """Whether style sheet, extension or bench are newer than the built pages, which Sphinx would leave as they are."""
    files = [file for part in parts for file in part.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    built = pages / "index.html"
    return built.exists() and max(file.stat().st_mtime for file in files) > built.stat().st_mtime


def main():
    """Build the book into ``_build``, or into ``_build`` below the folder that the command line names."""
    if reason := refusal():
        sys.exit(reason)
    output = ROOT / (sys.argv[1] if sys.argv[1:] else ".")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "book", "--config", "_config.yml"]
    command += ["--toc", ROOT / "_toc.yml", "--path-output", output, "-W", "-n", "--keep-going"]
    command += ["--all"] * is_outdated(output / "_build" / "html")
    sys.exit(subprocess.run(command, cwd=ROOT).returncode)


if __name__ == "__main__":
    main()

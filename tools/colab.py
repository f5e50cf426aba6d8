"""A rehearsal of Colab: each notebook alone on a machine that has Colab's packages: ``make test-colab``.

Each notebook gets an empty folder and a virtual environment of its own over ``.venv-colab``, which holds Colab's
versions (requirements-colab.txt). So its set-up cell installs the helpers where no other notebook sees them, and what
it may not do, to change one of Colab's versions, can be seen. Git takes the course's address for this work tree as it
stands, uncommitted changes included. Colab itself, its Python and its network are not here.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from tools.repository import ROOT, copy, current_url
from utils.data import ensure_data
from utils.plotting import DRAWING

ENVIRONMENT = ROOT / ".venv-colab"
PINS = ROOT / "requirements-colab.txt"
TIMEOUT = 900  # seconds for one cell

_RUN = "from nbclient.cli import main; main()"
_LIST = """
import importlib.metadata, json
packages = [(package.metadata["Name"], package.version) for package in importlib.metadata.distributions()]
print(json.dumps(dict(reversed(packages))))  # of two versions the first on the path counts
"""


class Rehearsal(NamedTuple):
    """How it went: the notebook below book/, seconds, what went wrong ("" if nothing did), what set-up installed."""

    name: str
    seconds: float
    error: str
    added: list[str]


def pins(path=PINS):
    """Return Colab's versions by package, from the file of pins."""
    lines = path.read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {each.name: str(each.specifier)[2:] for each in wanted if each.marker is None or each.marker.evaluate()}


def korean(output):
    """Return the words in Hangul that a cell's output says on Colab, in order.

    The drawing of a figure says its words on the site alone: Colab shows the picture, as the code drew it.
    """
    shown = [form for kind, form in sorted(output.get("data", {}).items()) if kind != DRAWING]
    return re.findall("[가-힣]+", "".join(map(str, (output.get("text", ""), *shown))))


def unsaid(stored, run):
    """Return a line for each cell that speaks Korean as stored, and other words, or none, as it ran.

    Parameters
    ----------
    stored, run : dict
        A notebook as it is published, and after it ran.

    Returns
    -------
    list of str
    """
    lines = []
    for before, after in zip(stored["cells"], run["cells"], strict=True):
        expected, said = (
            [word for output in cell.get("outputs", []) for word in korean(output)] for cell in (before, after)
        )
        if expected and said != expected:
            at = next((i for i, pair in enumerate(zip(expected, said, strict=False)) if pair[0] != pair[1]), len(said))
            missing = " ".join(expected[at : at + 5])
            lines.append(
                f"cell {before['id']} says other Korean words than the page: instead of {missing!r}, "
                f"{' '.join(said[at : at + 5])!r}"
            )
    return lines


def rehearse(notebook, repository, environment=ENVIRONMENT):
    """Run a notebook from top to bottom as Colab would.

    Parameters
    ----------
    notebook : pathlib.Path
        The notebook; it is read only. Whatever it says in Korean as it is stored, it must say as it runs.
    repository : pathlib.Path
        The repository that the set-up cell installs from, in the place of the course's address.
    environment : pathlib.Path
        A virtual environment with the versions of ``pins()``.

    Returns
    -------
    Rehearsal
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="colab-") as folder:
        python, environ = machine(Path(folder), repository, environment)
        content = Path(folder, "content")
        content.mkdir()
        call = partial(subprocess.run, cwd=content, env=environ, capture_output=True, text=True)
        before = json.loads(call([python, "-c", _LIST], check=True).stdout)
        (content / notebook.name).write_bytes(notebook.read_bytes())
        run = call([python, "-c", _RUN, notebook.name, f"--timeout={TIMEOUT}", "--inplace"])
        stored, executed = (json.loads(path.read_bytes()) for path in (notebook, content / notebook.name))
        after = json.loads(call([python, "-c", _LIST], check=True).stdout)
    changed = [
        f"Colab has {name} {version}, after set-up it is {after.get(name)}"
        for name, version in pins().items()
        if after.get(name) != version
    ]
    # Of nbclient's own traceback and the libraries' log a reader needs nothing; the colours are for terminals.
    said = re.sub(r"\x1b\[[\d;]*m", "", (run.stdout + run.stderr).rpartition("nbclient.exceptions.")[2]).strip()
    errors = ([said] if run.returncode else unsaid(stored, executed)) + changed
    added = sorted(f"{name} {after[name]}" for name in after.keys() - before.keys())
    name = Path(os.path.relpath(notebook, ROOT / "book")).with_suffix("").as_posix()
    return Rehearsal(name, time.monotonic() - began, "\n".join(errors), added)


def machine(folder, repository, environment):
    """Return the Python and the environment variables of a new machine in ``folder``, on which nothing was done yet."""
    subprocess.run([environment / "bin/python", "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = folder.glob("venv/lib/python*/site-packages")
    (colabs_packages,) = environment.glob("lib/python*/site-packages")
    (packages / "colab.pth").write_text(f"import site; site.addsitedir({str(colabs_packages)!r})\n")
    stand_in = packages / "google" / "colab" / "__init__.py"  # beside google.protobuf, which is another package
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text('"""Stands in for Colab\'s own module."""\n')
    startup = folder / "ipython" / "profile_default" / "startup" / "colab.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("import google.colab\n")  # Colab's kernels have done so before the first cell

    inherited = ("PYTHON", "JUPYTER", "IPYTHON", "VIRTUAL_ENV", "GIT_", "MPLBACKEND")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    environ |= {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    environ |= {
        "PATH": f"{folder / 'venv/bin'}{os.pathsep}{os.environ['PATH']}",
        "IPYTHONDIR": str(folder / "ipython"),
        "KERAS_HOME": str(ensure_data(quiet=True).parent.parent),
        "PYTHONNOUSERSITE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": current_url(),
    }
    return folder / "venv/bin/python", environ


def main():
    """Rehearse the notebooks named on the command line, or all of them; print a table; exit with 1 if one is red."""
    parser = argparse.ArgumentParser(description="Run each notebook alone, with Colab's versions.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every chapter and every solution")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="notebooks at the same time (default: cores)")
    options = parser.parse_args()
    notebooks = options.notebooks or sorted((ROOT / "book").rglob("*.ipynb"))
    results = []
    with tempfile.TemporaryDirectory(prefix="repository-") as folder, ThreadPoolExecutor(options.jobs) as pool:
        copy(Path(folder))
        for result in pool.map(partial(rehearse, repository=Path(folder)), notebooks):
            print(f"{result.name}: {'red' if result.error else 'green'}", flush=True)
            results.append(result)
    for result in results:
        if result.error:
            print(f"\n--- {result.name}\n{result.error}")
    width = max(len(result.name) for result in results)
    print(f"\n{'notebook':{width}}  seconds  result  set-up installed")
    for name, seconds, error, added in results:
        print(f"{name:{width}}  {seconds:7.0f}  {'red' if error else 'green':6}  {', '.join(added)}")
    red = sum(bool(result.error) for result in results)
    print(f"\n{len(results) - red} passed, {red} failed")
    sys.exit(red > 0)


if __name__ == "__main__":
    main()

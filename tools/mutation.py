"""Break a module in one small way after another, and see its tests turn red each time: ``make test-mutation``.

Each mutant is a module with one operator, number, keyword or call changed. If no test notices, it has survived: a test
is missing, or the change makes no difference. ``mutation.toml`` says which tests belong to a module, which changes are
not tried, and why a survivor may live. Mutants of Python come from cosmic-ray's operators and one of our own, those of
the playground's script from the table below.

The tests of a mutant run in a fork of this process (so on Linux only), where the slow packages are imported already,
and in a copy of the repository. Results are kept in ``.mutation``: an interrupted run goes on where it was, and when
tests change, each mutant meets them anew, beginning with the test that noticed it last time.
"""

import argparse
import ast
import difflib
import gc
import hashlib
import importlib
import itertools
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import parso
import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider

from tools.repository import ROOT, copy

CONFIGURATION = ROOT / "tools" / "mutation.toml"
RESULTS = ROOT / ".mutation"
LEAST = 95  # per cent of a module's mutants that its tests must notice
SLOW_IMPORTS = ("hypothesis.extra.numpy", "joblib.externals.loky", "keras", "matplotlib.pyplot", "tensorflow")

_ALIKE = (["+", "-", "*", "/", "**"], ["<", "<=", ">", ">=", "===", "!=="])
#: What an operator of the script becomes. A number becomes its neighbours, one more and one less, as in cosmic-ray.
REPLACEMENTS = {one: [other for other in group if other != one] for group in _ALIKE for one in group} | {
    "&&": ["||"], "||": ["&&"], "!": [""], "++": ["--"], "--": ["++"], "+=": ["-=", "="], "^=": ["|=", "="],
    "|": ["&", "^"], "<<": [">>>"], ">>>": ["<<", ">>"],
}  # fmt: skip
_TOKEN = re.compile(
    r"""//.* | "[^"]*" | => | \.{3}  # these stay as they are, like words and brackets
    | (?P<number> \b 0x[\da-f]+ | \b \d[\d.]* (?: e-?\d+ )? )
    | (?P<operator> >>> | \*\* | << | [=!]== | [<>]= | && | \|\| | \+\+ | -- | [+^]= | [-+*/<>!|] )
    | \w+ | \S""",
    re.VERBOSE,
)


class Mutant(NamedTuple):
    """The number of the line that was changed, this line before and after, and the whole changed source."""

    line: int
    before: str
    after: str
    source: str

    @property
    def name(self):
        """What results are kept under."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:16]


class RemoveCall(Operator):
    """Put ``pass`` in the place of a statement that is nothing but a call. Cosmic-ray removes no statements."""

    def mutation_positions(self, node):
        """Return where a call is a statement, as cosmic-ray asks for it."""
        if node.type in ("atom_expr", "power") and node.parent.type == "simple_stmt":
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        """Return what takes the place of the call."""
        return parso.python.tree.Keyword("pass", node.start_pos, node.get_first_leaf().prefix)

    @classmethod
    def examples(cls):
        """Return none; cosmic-ray's own tests would use them."""
        return ()


def python_mutants(source, skipped):
    """Yield the source of each mutant of a Python module, but for the operators whose name matches ``skipped``."""
    operators = [OperatorProvider()[name]() for name in OperatorProvider() if not re.fullmatch(skipped, name)]
    for operator in [*operators, RemoveCall()]:
        for occurrence in itertools.count():
            mutated = mutate_code(source, operator, occurrence)
            if mutated is None:
                break
            with suppress(SyntaxError):  # what is no Python tells nothing about the tests
                ast.parse(mutated)
                yield mutated


def script_mutants(source, first, last):
    """Yield the source of each mutant of a script, changed between the texts ``first`` and ``last``."""
    begin = source.index(first)
    operand = False
    for token in _TOKEN.finditer(source, begin, source.index(last, begin)):
        text, changed = token[0], []
        if token["number"]:
            value = int(text, 16) if text.startswith("0x") else json.loads(text)
            changed = [str(value + 1), str(value - 1)]
        elif token["operator"]:
            sign = text == "-" and not operand  # of a number, not of a difference
            changed = ["+"] if sign else REPLACEMENTS[text]
        operand = bool(re.fullmatch(r"[\w.]+|[)\]]", text)) and text != "return"
        for each in changed:
            yield f"{source[: token.start()]}{each}{source[token.end() :]}"


def mutants(module):
    """Return the mutants of a module of the configuration, each once, in the order of their lines."""
    source = (ROOT / module["path"]).read_text(encoding="utf-8")
    if module["path"].endswith(".py"):
        sources = python_mutants(source, "|".join(skip["operators"] for skip in _configuration()["skip"]))
    else:
        sources = script_mutants(source, *module["part"])
    return sorted(Mutant(*_difference(source, each), each) for each in dict.fromkeys(sources))


def _difference(source, mutated):
    before, after = source.splitlines(), mutated.splitlines()
    comparison = difflib.SequenceMatcher(None, before, after, autojunk=False)
    _, first, last, first_after, last_after = next(block for block in comparison.get_opcodes() if block[0] != "equal")
    texts = (" ".join(line.strip() for line in lines) for lines in (before[first:last], after[first_after:last_after]))
    return first + 1, *(text.strip() for text in texts)


class _Watch:
    """A plugin of pytest: puts one test first and the quick before the slow; notes which failed and their seconds."""

    def __init__(self, report, first, seconds):
        self.report, self.first, self.known = report, first, seconds
        self.failed, self.seconds = "", {}

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: (item.nodeid != self.first, self.known.get(item.nodeid, 0)))

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_sessionfinish(self):
        self.report.write_text(json.dumps([self.failed, self.seconds]))


def _pytest(folder, tests, watch):
    """Run tests in this process, a fork, and end it with pytest's exit status."""
    os.setsid()  # so that what the tests start ends with them
    os.chdir(folder)
    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.dont_write_bytecode = True  # two mutants of one second and one length would share it
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "--assert=plain", "--tb=line"]
    options += ["-p", "_hypothesis_pytestplugin", "--hypothesis-profile=ci"]  # the same examples each time
    status = pytest.main([*options, *tests], plugins=[watch])
    sys.stdout.flush()
    os._exit(status)


class Bench:
    """A copy of the repository in which the tests of one module meet its mutants."""

    def __init__(self, folder, module):
        self.folder, self.module = folder / "repository", module
        self.folder.mkdir()
        copy(self.folder)
        self.timeout, self.seconds = 900, {}
        source = (ROOT / module["path"]).read_text(encoding="utf-8")
        began = time.monotonic()
        outcome, _ = self.run(source)
        if outcome != "survived":
            raise RuntimeError(f"the tests are red without any mutant:\n{self.log()}")
        self.timeout = 20 + 4 * (time.monotonic() - began)
        if self.run("}")[0] != "killed":
            raise RuntimeError(f"the tests do not notice that {module['path']} is broken altogether:\n{self.log()}")

    def log(self):
        """Return what pytest printed last."""
        return self.folder.with_suffix(".log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def run(self, source, first=""):
        """Run the tests on a changed source, the test named ``first`` before the others.

        Returns
        -------
        outcome : {"killed", "survived"}
        by : str
            The test that noticed; "time" if they took too long, "import" if they could not start, or crashed.
        """
        report = self.folder.with_suffix(".json")
        report.unlink(missing_ok=True)
        (self.folder / self.module["path"]).write_text(source, encoding="utf-8")
        arguments = self.folder, self.module["tests"], _Watch(report, first, self.seconds)
        process = multiprocessing.get_context("fork").Process(target=_pytest, args=arguments)
        process.start()
        try:
            process.join(self.timeout)
            status = process.exitcode
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join()
        if status is None:
            return "killed", "time"
        if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.INTERNAL_ERROR):
            raise RuntimeError(f"pytest did not run the tests:\n{self.log()}")
        failed, seconds = json.loads(report.read_text()) if report.exists() else ("", {})
        if status == 0:
            self.seconds = seconds
            return "survived", ""
        return "killed", failed or "import"


def _configuration():
    return tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))


def _recall(path, tests):
    """Return the stored results that these tests gave, and which test noticed each mutant last time, by its name."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    results = {row["mutant"]: (row["outcome"], row["by"]) for row in rows if row["tests"] == tests}
    return results, {row["mutant"]: row["by"] for row in rows}


def examine(name, module):
    """Run the tests of a module on all of its mutants, as far as there is no result yet.

    Returns
    -------
    list of (Mutant, str)
        With ``"killed"`` or ``"survived"``.

    Raises
    ------
    RuntimeError
        If the tests are red by themselves, or green where they cannot be.
    """
    path = RESULTS / f"{name}.jsonl"
    texts = [(ROOT / test).read_bytes() for test in [*module["tests"], "tests/conftest.py"]]
    tests = hashlib.sha256(b"".join(texts)).hexdigest()[:16]
    results, noticed_by = _recall(path, tests)
    every = mutants(module)
    to_do = [mutant for mutant in every if mutant.name not in results]
    print(f"{name}: {len(every)} mutants, {len(to_do)} to do", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        bench = Bench(Path(folder), module) if to_do else None
        for mutant in to_do:
            outcome, by = results[mutant.name] = bench.run(mutant.source, noticed_by.get(mutant.name, ""))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                row = {"mutant": mutant.name, "line": mutant.line, "outcome": outcome, "by": by, "tests": tests}
                file.write(json.dumps(row) + "\n")
    return [(mutant, results[mutant.name][0]) for mutant in every]


def settle(name, results, arguments):
    """Hold the survivors against what is argued away.

    Parameters
    ----------
    name : str
        The module's.
    results : list of (Mutant, str)
    arguments : list of dict
        As in the configuration: ``module``, the line ``before``, a list of the same line ``after``, and ``why``.

    Returns
    -------
    row : tuple
        Name, mutants, killed, survived, argued away, per cent killed.
    complaints : list of str
        What makes the module red: survivors that nobody argued away, arguments about none, too few killed.
    """
    own = [each for each in arguments if each["module"] == name]
    argued = {(each["before"], after) for each in own for after in each["after"]}
    survivors = [mutant for mutant, outcome in results if outcome == "survived"]
    unsettled = [mutant for mutant in survivors if (mutant.before, mutant.after) not in argued]
    idle = argued - {(mutant.before, mutant.after) for mutant in survivors}
    killed = len(results) - len(survivors)
    share = 100 * killed / len(results)
    complaints = [f"line {line} survives:\n- {before}\n+ {after}" for line, before, after, _ in unsettled]
    complaints += [f"argued away, but no survivor:\n- {before}\n+ {after}" for before, after in sorted(idle)]
    if share < LEAST:
        complaints.append(f"{share:.1f} % are killed, at least {LEAST} % should be")
    return (name, len(results), killed, len(survivors), len(survivors) - len(unsettled), share), complaints


def main():
    """Examine the modules named on the command line, or all; print a table; exit with 1 if one is red."""
    configuration = _configuration()
    modules = configuration["modules"]
    parser = argparse.ArgumentParser(description="Break modules on purpose and see their tests turn red.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="default: all of tools/mutation.toml")
    chosen = parser.parse_args().modules or list(modules)
    if unknown := set(chosen) - set(modules):
        parser.error(f"{CONFIGURATION.name} has no module {', '.join(unknown)}; it has {', '.join(modules)}")
    for package in SLOW_IMPORTS:
        importlib.import_module(package)
    gc.freeze()  # what is imported stays; its forks need not look through it
    rows, red = [], False
    for name in chosen:
        row, complaints = settle(name, examine(name, modules[name]), configuration.get("argued", []))
        rows.append(row)
        red |= bool(complaints)
        for complaint in complaints:
            print(f"\n{modules[name]['path']}: {complaint}")
    print(f"\n{'module':12} mutants  killed  survived  argued away  killed in %")
    for name, total, killed, survived, argued, share in rows:
        print(f"{name:12} {total:7}  {killed:6}  {survived:8}  {argued:11}  {share:11.1f}")
    sys.exit(red)


if __name__ == "__main__":
    main()

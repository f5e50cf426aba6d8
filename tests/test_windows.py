"""A learner on Windows: the helpers need nothing that only Unix has, whatever her folders and her code page are.

There is no Windows here. What only Unix has is taken away, in a folder whose name holds spaces and Hangul, on a Korean
code page. The workflow runs the same tests on Windows itself.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.repository import copy

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "utils").rglob("*.py"))

#: What Python has on Unix only, and a learner's machine may lack.
PACKAGES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    "os": {"chown", "fork", "forkpty", "getuid", "geteuid", "killpg", "mkfifo", "nice", "setsid", "setuid", "wait"},
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "setitimer", "sigwait"},
    "socket": {"AF_UNIX"},
}  # fmt: skip

#: The tests of the helpers that a learner's machine can run, and runs in the workflow.
UNITS = [
    "tests/exercises",
    "tests/playground/test_playground.py",
    "tests/quiz/test_quiz.py",
    "tests/test_beyond_adam.py",
    "tests/test_data.py",
    "tests/test_on_demand.py",
    "tests/test_optimizers.py",
    "tests/test_plotting.py",
    "tests/test_schedules.py",
    "tests/test_surfaces.py",
    "tests/test_sweep.py",
]
#: Of these a sample, in which processes are started, files are read and written, text is drawn.
SAMPLE = [
    "tests/exercises/test_apart.py",
    "tests/exercises/test_worker.py",
    "tests/playground/test_playground.py",
    "tests/quiz/test_quiz.py",
    "tests/test_data.py",
    "tests/test_schedules.py",
    "tests/test_surfaces.py",
    "tests/test_sweep.py",
]

# Python runs it at its start. Its own library asks whether these are there; what is ours may not use them at all.
TAKEN_AWAY = f"""
import builtins, importlib, io, multiprocessing, sys, types

PACKAGES, NAMES = {PACKAGES!r}, {NAMES!r}

def ours():
    frame = sys._getframe(2)
    while frame and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame and "/course of " in frame.f_code.co_filename and "/tests/" not in frame.f_code.co_filename

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in PACKAGES and ours():
            raise ModuleNotFoundError(f"No module named {{name!r}}, as on Windows", name=name)

for name in PACKAGES:
    if name != "posix":
        sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())

class AsOnWindows(types.ModuleType):
    def __getattribute__(self, name):
        if name in NAMES.get(types.ModuleType.__getattribute__(self, "__name__"), ()) and ours():
            raise AttributeError(f"no {{name}}, as on Windows")
        return types.ModuleType.__getattribute__(self, name)

for name in NAMES:
    importlib.import_module(name).__class__ = AsOnWindows
multiprocessing.set_start_method("spawn")

opens = io.open

def open(file, mode="r", buffering=-1, encoding=None, *more, **words):
    return opens(file, mode, buffering, encoding or (None if "b" in mode else "cp949"), *more, **words)

builtins.open = io.open = open
"""


def names_of(node):
    """(module, name) of what a piece of code takes from one of the modules above."""
    if isinstance(node, ast.Import):
        return [(alias.name.split(".")[0], "") for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [(node.module.split(".")[0], alias.name) for alias in node.names]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return [(node.value.id, node.attr)]
    return []


def unix_only(code):
    """What a piece of code uses that Windows lacks."""
    used = [name for node in ast.walk(ast.parse(code)) for name in names_of(node)]
    return [f"{module}.{name}" for module, name in used if module in PACKAGES or name in NAMES.get(module, ())]


def without_encoding(code):
    """The calls in a piece of code that read or write text as the system's code page has it."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        name = ast.unparse(node.func)
        words = {word.arg for word in node.keywords}
        modes = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        binary = any(re.fullmatch(r"[rwax+]*b[rwax+]*", mode) for mode in modes)
        opens = re.search(r"(^|\.)open$", name) and name not in ("gzip.open", "Image.open", "os.open")
        texts = name.endswith((".read_text", ".write_text")) or words & {"text", "universal_newlines"}
        if texts or (opens and not binary):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_helper_uses_nothing_of_unix_and_names_its_encodings(path):
    code = path.read_text(encoding="utf-8")
    assert unix_only(code) == []
    assert without_encoding(code) == []


def test_what_should_be_found_is_found():
    assert unix_only("import fcntl") == ["fcntl."]
    assert unix_only("from os import fork") == ["os.fork"]
    assert unix_only("import os\nos.path.join(os.getcwd())\nos.getuid()") == ["os.getuid"]
    for code in ("open(path)", "path.open('w')", "path.read_text()", "subprocess.run(command, text=True)"):
        assert without_encoding(code) == [ast.unparse(ast.parse(code))]
    for code in ("open(path, 'rb')", "path.open('ab', buffering=0)", "path.read_text(encoding='utf-8')"):
        assert without_encoding(code) == []


@pytest.mark.slow
def test_units_pass_where_unix_is_taken_away_below_a_folder_with_spaces_and_hangul(tmp_path):
    root = tmp_path / "학습 자료" / "course of 김민지"
    root.mkdir(parents=True)
    copy(root)
    (root / "sitecustomize.py").write_text(TAKEN_AWAY, encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environ |= {"PYTHONPATH": str(root), "TMPDIR": str(root.parent)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "not slow", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *SAMPLE], cwd=root, env=environ, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 200


def test_the_workflow_runs_them_on_windows():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["windows"]
    assert job["runs-on"].startswith("windows")
    lines = " ".join(step.get("run", "") for step in job["steps"])
    for unit in UNITS:
        assert unit in lines, unit
        assert (ROOT / unit).exists(), unit
    assert {unit for unit in SAMPLE if not unit.startswith("tests/exercises")} <= set(UNITS)
    for chapter in re.findall(r"book/\S+", lines):
        assert (ROOT / chapter).exists(), chapter

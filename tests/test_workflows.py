"""The workflows: zizmor finds nothing to say against them, and they run what there is to run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

SOUND = """
name: example
on: pull_request
permissions: {}
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
      - run: make book
"""


def zizmor(*paths):
    command = [Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", "--persona=pedantic", *paths]
    return subprocess.run(command, capture_output=True, text=True)


def test_zizmor_finds_nothing():
    done = zizmor(ROOT / ".github")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("sound", "unsound", "found"),
    [
        ("make book", "echo ${{ github.event.pull_request.title }}", "template-injection"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v4", "unpinned-uses"),
        ("persist-credentials: false", "fetch-depth: 0", "artipacked"),
        ("on: pull_request", "on: pull_request_target", "dangerous-triggers"),
    ],
)
def test_zizmor_sees_what_it_should(sound, unsound, found, tmp_path):
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "example.yml").write_text(SOUND.replace(sound, unsound))
    done = zizmor(tmp_path)
    assert done.returncode != 0
    assert f"[{found}]" in done.stdout


def commands():
    """(workflow, shell lines) of every step of the workflows, and of what CI runs."""
    yield "run", (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                yield path.stem, step.get("run", "")


def test_every_target_and_file_that_workflows_name_is_there():
    named = [
        (name, target) for name, lines in commands() for target in re.findall(r"^make ([\w./-]+)", lines, re.MULTILINE)
    ]
    assert {("site", "book"), ("weekly", "test-colab"), ("weekly", "test-matrix"), ("run", "test")} <= set(named)
    for name, target in named:
        done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stderr}"
    for name, lines in commands():
        files = re.findall(r"(?:bash|--requirement) (\S+)", lines)
        files += " ".join(re.findall(r'NOTEBOOKS="([^"]+)"', lines)).split()
        for file in files:
            assert (ROOT / file).exists(), f"{name}: {file}"


def test_dependencies_are_audited_every_week():
    assert any("pip-audit" in lines for name, lines in commands() if name == "weekly")

"""tools.repository: one command points the whole course at another repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.repository import badge, current_url, rewrite, setup_cell, split_url

ROOT = Path(__file__).resolve().parent.parent
NEW_URL = "https://github.com/ada-l/teaching.optimizers"


@pytest.fixture
def fork(tmp_path):
    """A copy of what git would hold of this repository, in a repository of its own."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize("url", [NEW_URL, NEW_URL + "/", NEW_URL + ".git"])
def test_split_url(url):
    assert split_url(url) == ("ada-l", "teaching.optimizers")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ada-l/teaching",
        "http://github.com/ada-l/teaching",
        "https://example.org/ada-l/teaching",
        "https://github.com/ada-l",
        'https://github.com/a/b"; import os',
    ],
)
def test_addresses_of_another_form_are_refused(url):
    with pytest.raises(ValueError, match=r"must look like https://github\.com/you/course"):
        split_url(url)


def test_setup_cell_and_badge_hold_the_address():
    assert f'%pip install -q "git+{NEW_URL}"' in setup_cell(NEW_URL)
    assert "/github/ada-l/teaching.optimizers/blob/main/book/02-sgd.ipynb)" in badge(NEW_URL, "book/02-sgd.ipynb")


def contents(folder):
    """The files of a repository by path, but for this one: it names the new address from the start."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path: path.read_bytes() for path in files if path.name != Path(__file__).name}


def test_rewrite_leaves_no_trace_of_the_old_address_and_can_be_undone(fork):
    old_url = current_url(fork)
    before = contents(fork)
    changed = rewrite(NEW_URL, fork)
    assert {"_config.yml", "README.md", "CITATION.cff"} <= set(changed)
    assert current_url(fork) == NEW_URL
    owner, name = split_url(old_url)
    trace = subprocess.run(["git", "grep", "-lE", f"{owner}(/|\\.github\\.io/){name}"], cwd=fork, capture_output=True)
    assert trace.stdout == b""
    rewrite(old_url, fork)
    assert contents(fork) == before


def test_the_command_refuses_a_bad_address_in_one_line():
    result = subprocess.run(
        [sys.executable, "-m", "tools.repository", "nonsense"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert result.stderr == "URL must look like https://github.com/you/course, got 'nonsense'\n"

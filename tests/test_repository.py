"""tools.repository: one command points the whole course at another repository."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.repository import badge, copy, current_url, helpers, renew_setup_cell, rewrite, setup_cell, split_url

ROOT = Path(__file__).resolve().parent.parent
NEW_URL = "https://github.com/ada-l/teaching.optimizers"


@pytest.fixture
def fork(tmp_path):
    """A copy of what git would hold of this repository, in a repository of its own."""
    copy(tmp_path)
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
    assert helpers(NEW_URL).startswith(f'pip install "git+{NEW_URL}"')
    assert f"helpers = '{helpers(NEW_URL)}'" in setup_cell(NEW_URL), "a line to read, which the error repeats"
    assert "/github/ada-l/teaching.optimizers/blob/main/book/02-sgd.ipynb)" in badge(NEW_URL, "book/02-sgd.ipynb")


def test_a_set_up_cell_of_old_is_renewed_and_nothing_else():
    paths = sorted((ROOT / "book").rglob("*.ipynb"))
    assert len(paths) > 20
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert renew_setup_cell(text, current_url()) == text, path.name
    old = json.loads(text)
    cell = next(cell for cell in old["cells"] if cell["cell_type"] == "code")
    cell["source"] = ["import sys\n", 'if "google.colab" in sys.modules:\n', "    %pip install what was needed then"]
    assert renew_setup_cell(json.dumps(old), current_url()) == text
    cell["source"] = ["import sys"]
    without = json.dumps(old)
    assert renew_setup_cell(without, current_url()) == without


def contents(folder):
    """The files of a repository by path, but for this one: it names the new address from the start."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path: path.read_bytes() for path in files if path.name != Path(__file__).name}


def traces(folder, url):
    """Where the address of a repository, or that of its site, stands below ``folder``: in a file's name or its text."""
    owner, name = map(re.escape, split_url(url))
    trace = re.compile(rf"{owner}(/|\.github\.io/|%2F){name}", re.IGNORECASE)
    return [
        path.relative_to(folder).as_posix()
        for path, content in contents(folder).items()
        if trace.search(path.as_posix()) or trace.search(content.decode("utf-8", errors="ignore"))
    ]


def test_rewrite_leaves_no_trace_of_the_old_address_and_can_be_undone(fork):
    old_url = current_url(fork)
    before = contents(fork)
    assert {"_config.yml", "README.md", "book/02-sgd.ipynb", "book/solutions/02-sgd.ipynb"} <= set(
        traces(fork, old_url)
    )
    changed = rewrite(NEW_URL, fork)
    assert {"_config.yml", "README.md", "CITATION.cff"} <= set(changed)
    assert current_url(fork) == NEW_URL
    assert traces(fork, old_url) == []
    rewrite(old_url, fork)
    assert contents(fork) == before


#: Of the notebooks these are built whole; of the others what `outline` leaves.
WHOLE = ("book/02-sgd.ipynb", "book/solutions/02-sgd.ipynb")


def outline(notebook, url):
    """A notebook with what other pages link to and what holds the address: headings, badge and set-up cell.

    What the whole book looks like, `site` builds; here all of it would only take as long once more.
    """
    owner, name = split_url(url)
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            fence = r"^(?P<fence>`{3,}|:{3,}).*?^(?P=fence)$"  # no heading stands in one
            lines = re.sub(fence, "", source, flags=re.MULTILINE | re.DOTALL).splitlines()
            kept = [line for line in lines if re.match(r"#+ |\(.+\)=", line) or f"{owner}/{name}" in line]
            source = "\n\n".join(kept)
        elif f"{owner}/{name}" not in source:
            continue
        if source:
            cells.append(cell | {"source": source.splitlines(keepends=True)})
    return json.dumps(notebook | {"cells": cells}, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.slow
def test_a_fork_builds_a_site_of_its_own(fork):
    old_url = current_url(fork)
    for path in (fork / "book").rglob("*.ipynb"):
        if path.relative_to(fork).as_posix() not in WHOLE:
            notebook = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(outline(notebook, old_url), encoding="utf-8")
    command = [sys.executable, "-m", "tools.repository", NEW_URL]
    environ = os.environ | {"PYTHONPATH": str(fork)}  # the fork's modules, not those that are installed
    subprocess.run(command, cwd=fork, env=environ, check=True, capture_output=True)
    command = [sys.executable, "-m", "tools.build"]
    build = subprocess.run(command, cwd=fork, env=environ, capture_output=True, text=True)
    assert build.returncode == 0, build.stdout[-3000:] + build.stderr[-3000:]
    site = fork / "_build" / "html"
    assert traces(fork, old_url) == []
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {"index.html", "02-sgd.html", "solutions/02-sgd.html", "404.html"} <= pages
    chapter = (site / "02-sgd.html").read_text(encoding="utf-8")
    assert 'href="https://ada-l.github.io/teaching.optimizers/02-sgd.html"' in chapter
    assert "colab.research.google.com/github/ada-l/teaching.optimizers/blob/main/book/02-sgd.ipynb" in chapter


def test_the_command_refuses_a_bad_address_in_one_line():
    result = subprocess.run(
        [sys.executable, "-m", "tools.repository", "nonsense"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert result.stderr == "URL must look like https://github.com/you/course, got 'nonsense'\n"

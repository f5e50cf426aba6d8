"""THIRD-PARTY.md: every file that the published site takes from others has its line there, with a licence."""

import fnmatch
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = {"book.css", "favicon.svg", "logo.svg", "marks.js", "menus.js", "near.js", "search.js", "social.png"}
# By tools/book_site.py and tools/lighter.py, of scripts in utils, and of the style sheets that the table names
WRITTEN = {"drawing.js", "playground.js", "style.css", "training-bench.js"}
LICENCES = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "OFL-1.1", "CC-BY-4.0", "part of the Sphinx Book Theme"}


def rows():
    """(patterns of files, licences) of each line of the table."""
    text = (ROOT / "THIRD-PARTY.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\| (?!what)(.*) \|$", text, re.MULTILINE):
        _, files, _, licence = line.split(" | ")
        yield re.findall(r"`([^`]+)`", files), re.sub(r" \([^)]*\)", "", licence).split(", ")


def test_every_file_of_others_has_its_line_and_no_line_is_idle(site):
    patterns = [pattern for files, _ in rows() for pattern in files]
    folder = site / "_static"
    passed_on = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - OWN - WRITTEN
    unnamed = [name for name in passed_on if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    idle = [pattern for pattern in patterns if not fnmatch.filter(passed_on, pattern)]
    assert (sorted(unnamed), idle) == ([], [])


def test_every_line_names_a_licence_that_allows_it():
    assert len(list(rows())) >= 10
    assert {licence for _, licences in rows() for licence in licences} <= LICENCES


def test_our_own_assets_are_named_as_such_and_nothing_else():
    assets = {path.name for path in (ROOT / "book" / "assets").iterdir() if path.is_file()}
    assert assets == OWN

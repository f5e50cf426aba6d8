"""How long a page takes to read, by one formula; ``make times`` writes it wherever it is stated.

    minutes = words / 180 + visible lines of code * 4 s + figures * 45 s

What is folded in the page does not count, nor do exercises, quiz and further reading: they are not on the line. A
formula within the text is one word, one on a line of its own is five. A playground or a bench is a figure: how long
somebody plays is up to them. All this is counted in the notebook, which needs no build; tests/test_reading_time.py
counts it in the built page too, and wants the same.
"""

import argparse
import json
import re
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

from tools.repository import ROOT

WORDS_A_MINUTE = 180
SECONDS_A_LINE = 4
SECONDS_A_FIGURE = 45
#: Where a page's line ends.
AFTER = re.compile(r"^## (Exercises|Quiz|Further reading)$", re.MULTILINE)
STATED = re.compile(r"\d+(?= minutes to read)")
#: Pages with tables that state times.
TABLES = [ROOT / "book" / name for name in ("index.md", "for-teachers.md")]

_MINUTES = re.compile(r"\d+(?= min(utes)?\b)")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


class Load(NamedTuple):
    """What a page gives to read."""

    words: int
    lines: int
    figures: int

    @property
    def minutes(self):
        """How long that takes."""
        seconds = self.lines * SECONDS_A_LINE + self.figures * SECONDS_A_FIGURE
        return self.words / WORDS_A_MINUTE + seconds / 60


def pages(folder=ROOT / "book"):
    """Return the notebooks that state how long they take: all but the solutions."""
    return [path for path in sorted(folder.rglob("*.ipynb")) if path.parent.name != "solutions"]


def count_words(text):
    """Return how many words a text has: what stands between spaces and holds a letter or a digit."""
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def words(source):
    """Return how many words of a Markdown cell are seen."""
    source = re.sub(r"\$\$.*?\$\$", " formula" * 5 + " ", source, flags=re.DOTALL)
    source = re.sub(r"\$[^$\n]+\$", "formula", source)
    seen = ""
    for token in _MARKDOWN.parse(source):
        for part in token.children or [token]:
            if part.type in ("text", "code_inline", "fence"):
                seen += part.content
            elif part.type in ("softbreak", "hardbreak"):
                seen += " "
        seen += " "
    return count_words(seen)


def is_figure(output):
    """Whether an output is a picture, or something to play with, which carries a script."""
    data = output.get("data", {})
    return any(kind.startswith("image/") for kind in data) or "<script" in "".join(data.get("text/html", ""))


def load(path):
    """Return what the line of a notebook gives to read."""
    text = lines = figures = code = 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            end = AFTER.search(source)
            if "answer" not in tags:
                text += words(source[: end.start()] if end else source)
            if end:
                break
            continue
        code += 1
        if code > 2 and not {"check", "hide-input"} & set(tags):  # the first two are set-up
            lines += sum(bool(line.strip()) for line in source.split("\n"))
        figures += any(map(is_figure, cell["outputs"]))
    return Load(text, lines, figures)


def stated(path):
    """Return how many minutes a notebook's opening cell states, or None."""
    opening = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    found = STATED.search(opening)
    return int(found[0]) if found else None


def rows(table):
    """Yield (line, notebook, minutes) of each row of a Markdown page that links to a page and states its time."""
    for line in table.read_text(encoding="utf-8").split("\n"):
        link, minutes = re.match(r"\| \[[^\]]*\]\(([^)#]+\.ipynb)\)", line), _MINUTES.search(line)
        if link and minutes:
            yield line, table.parent / link[1], int(minutes[0])


def write(notebooks, tables):
    """Write the computed minutes into the notebooks' opening cells and into the tables; return the changed paths."""
    changed = []
    for path in notebooks:
        text = path.read_text(encoding="utf-8")
        new = STATED.sub(f"{load(path).minutes:.0f}", text, count=1) if stated(path) else text
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    for table in tables:
        text = new = table.read_text(encoding="utf-8")
        for line, path, _ in rows(table):
            new = new.replace(line, _MINUTES.sub(f"{load(path).minutes:.0f}", line, count=1))
        if new != text:
            table.write_text(new, encoding="utf-8")
            changed.append(table)
    return changed


def main():
    """Print how long each page takes; with ``--write``, write it where it is stated."""
    parser = argparse.ArgumentParser(description="Compute how long the pages take to read.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every page but the solutions")
    parser.add_argument("--write", action="store_true", help="write the minutes into the pages and the tables")
    options = parser.parse_args()
    notebooks = options.notebooks or pages()
    if options.write:
        for path in write(notebooks, TABLES):
            print(f"written: {path.name}")
    width = max(len(path.stem) for path in notebooks)
    print(f"{'page':{width}}  words  lines  figures  minutes  stated")
    for path in notebooks:
        found = load(path)
        print(
            f"{path.stem:{width}}  {found.words:5}  {found.lines:5}  {found.figures:7}  {found.minutes:7.0f}"
            f"  {stated(path) or '':>6}"
        )


if __name__ == "__main__":
    main()

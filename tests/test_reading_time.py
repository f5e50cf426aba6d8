"""tools.reading_time: the formula, what it counts, and that every page states what it takes."""

import copy
import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.test_book import BOOK, LINES
from tools import reading_time
from tools.reading_time import Load, load, rows, stated, words, write

MOST_MINUTES = 45
MOST_OFF = 5  # minutes between what a page states and what it takes

every_line = pytest.mark.parametrize("path", LINES, ids=lambda path: path.stem)


def markdown(*lines, tags=()):
    return nbformat.v4.new_markdown_cell("\n".join(lines), metadata={"tags": list(tags)})


def code(source, *kinds, tags=()):
    outputs = [nbformat.v4.new_output("display_data", {kind: value}) for kind, value in kinds]
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=outputs)


CELLS = [
    markdown("# Two words", "", "About 3 minutes to read, one to run."),  # 2 + 8
    code("set up"),
    code("import everything"),
    markdown("Three words, $a = b$ — `so`:", "", "$$", "x = y", "$$", "", "- [one](two.md)"),  # 4 + 5 + 1
    code("a = 1\n\n\nb = 2  # both"),  # two lines
    code("#@title ✓ Checked: a is 1\nassert a == 1", tags=["check"]),
    markdown("**Answer:** many words that wait until they are asked for", tags=["answer"]),
    code("plot(a)\nplot(b)", ("image/png", "…"), tags=["hide-input"]),  # a figure
    code("playground()", ("text/html", "<div>…<script>…</script>")),  # a line, a figure
    code("table", ("text/html", "<table>…</table>")),  # a line
    markdown("Last words.", "", "## Exercises", "", "Not on the line."),  # 2
    code("def attempt():\n    ..."),
    markdown("## Quiz"),
    code("quiz()", ("text/html", "<form>…<script>…</script>")),
]


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=copy.deepcopy(CELLS)), path)
    return path


def test_what_is_on_the_line_counts_and_nothing_else(page):
    assert load(page) == Load(words=22, lines=4, figures=2)


def test_the_formula_is_the_one_that_contributing_states():
    assert Load(180, 0, 0).minutes == Load(0, 15, 0).minutes == 1
    assert Load(0, 0, 4).minutes == 3
    assert Load(360, 30, 4).minutes == 7
    contributing = " ".join((BOOK.parent / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    for part in ("180 words a minute", "4 seconds for each visible line of code", "45 seconds for each figure"):
        assert part in contributing


def test_words_are_those_that_are_seen():
    assert words("| a | b |\n|---|---|\n| one two | `x` |") == 5
    assert words("[![Badge](picture.svg)](page.ipynb)\n\n*Two* **words**, and [a link](to.md#x) – $m^2$.") == 6
    assert words("a line\nand the next") == 5


def test_the_minutes_are_written_where_they_are_stated_and_nowhere_else(page, tmp_path):
    long = [markdown("word " * 1000), *CELLS[1:]]
    unstated = tmp_path / "unstated.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=long), unstated)
    table = tmp_path / "table.md"
    table.write_text(
        "| page | read | do |\n|---|---|---|\n| [A](page.ipynb) | 30 min | 40 min |\n| [B](page.ipynb#x) | 9 min |\n"
        "| [C](unstated.ipynb) | what? |\n\n30 min of [A](page.ipynb)\n",
        encoding="utf-8",
    )
    before = page.read_text(encoding="utf-8")
    assert write([page, unstated], [table]) == [page, table]
    assert page.read_text(encoding="utf-8") == before.replace("About 3 minutes", "About 2 minutes")
    assert [minutes for _, _, minutes in rows(table)] == [2]
    assert table.read_text(encoding="utf-8").count("30 min") == 1
    assert "| [A](page.ipynb) | 2 min | 40 min |" in table.read_text(encoding="utf-8")
    assert write([page, unstated], [table]) == []


@every_line
def test_pages_take_the_time_that_they_state(path):
    minutes = load(path).minutes
    assert stated(path), "the opening cell says how many minutes to read"
    assert minutes <= MOST_MINUTES, f"{minutes:.0f} minutes: move what is not on the line to a page below deeper/"
    assert abs(stated(path) - minutes) <= MOST_OFF, f"it takes {minutes:.0f} minutes: `make times` writes that"


def test_tables_state_the_times_of_their_pages():
    for table in reading_time.TABLES:
        for line, path, minutes in rows(table):
            assert minutes == stated(path), f"{table.name}: {line[:60]} … `make times` writes it"


@every_line
def test_the_built_page_takes_as_long_as_its_notebook(path, site):
    """Counted in another way, on what a browser would show."""
    page = (site / path.relative_to(BOOK)).with_suffix(".html").read_text(encoding="utf-8")
    article = BeautifulSoup(page, "html.parser").select_one("article")
    after = [heading.parent for heading in article.select("h2") if re.match("Exercises|Quiz|Further", heading.text)]
    figures = 0
    for off in [*after, *article.select("details, .chapter-actions, .headerlink")]:
        off.decompose()
    for figure in article.select("figure, .optimizer-playground, .cell_output .text_html:has(script)"):
        if not figure.decomposed and not figure.find_parent(class_="text_html"):
            figures += 1
            figure.decompose()
    lines = 0
    for cell in article.select("div.cell"):
        lines += sum(bool(line.strip()) for code in cell.select("div.cell_input") for line in code.text.split("\n"))
        cell.decompose()
    for formula in article.select("div.math, span.math"):
        formula.replace_with(" formula" * 5 if formula.name == "div" else "formula")
    seen = Load(reading_time.count_words(article.get_text(" ")), lines, figures)
    assert abs(seen.minutes - load(path).minutes) < 1, (seen, load(path))

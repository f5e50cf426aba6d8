"""What a page folds, in a small book of two notebooks: check cells, answers, set-up. By mouse, keys and on paper."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from tools.repository import badge, current_url, setup_cell

ROOT = Path(__file__).resolve().parent.parent
CHECK = {"tags": ["check"], "cellView": "form", "jupyter": {"source_hidden": True}}
URL = current_url()


def markdown(*lines, **metadata):
    return nbformat.v4.new_markdown_cell("\n\n".join(lines), metadata=metadata)


def code(source, output="", **metadata):
    outputs = [nbformat.v4.new_output("stream", text=output)] if output else []
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=outputs)


PAGES = {
    "page": [
        markdown("# A page", badge(URL, "book/page.ipynb"), "You can read here what pages fold, in every front end."),
        code(setup_cell(URL)),
        markdown("All imports of the page."),
        code("import math\n\nROOT = math.sqrt(2)"),
        markdown("## A question", "Before you look: is it above 1?"),
        markdown(
            "**Answer:** It is, as [the other page](other.ipynb) says too.", "Its square is $2$.", tags=["answer"]
        ),
        code("print(ROOT)", "1.41\n"),
        code("#@title ✓ Checked: the root of 2 is above 1\nassert ROOT > 1\nassert ROOT < 2", **CHECK),
        markdown("More."),
        code("square = ROOT**2"),
        code("#@title ✓ Checked: squared, it is 2 <again>\n\nassert round(square, 12) == 2", **CHECK),
        markdown("The end of the page, which has a few words more."),
    ],
    "other": [
        markdown("# Another page", badge(URL, "book/other.ipynb"), "This page checks nothing, and says so nowhere."),
        code(setup_cell(URL)),
        markdown("A story that belongs to the page."),
        code("import math"),
        markdown("The end."),
    ],
}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Builds the small book, for the browser or with another of Sphinx' builders, and returns the folder."""
    root = tmp_path_factory.mktemp("small")
    book = root / "book"
    book.mkdir()
    shutil.copytree(ROOT / "book" / "assets", book / "assets")
    (book / "index.md").write_text("# The small book\n\nTwo pages about what pages fold.\n", encoding="utf-8")
    for name, cells in PAGES.items():
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, book / f"{name}.ipynb")
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: page\n  - file: other\n")

    def run(builder, *arguments):
        command = [Path(sys.executable).with_name("jupyter-book"), "build", book, "--config", ROOT / "_config.yml"]
        command += ["--toc", root / "_toc.yml", "--path-output", root / builder, "-n", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return root / builder / "_build" / builder

    return run


@pytest.fixture(scope="module")
def small(build):
    return build("html", "-W")


@pytest.fixture
def tab(browser, small):
    """A new tab on the page, in which no script runs."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((small / "page.html").as_uri())
    yield page
    context.close()


def test_a_check_cell_is_one_line_that_opens_to_its_code(tab):
    check = tab.locator("details.check").first
    title = check.locator("summary")
    assert title.inner_text() == "✓ Checked: the root of 2 is above 1"
    assert title.is_visible()
    assert title.bounding_box()["height"] >= 24  # a finger's width, and one line
    assert check.bounding_box()["height"] < 36
    assert not check.locator("pre").is_visible()
    title.click()
    assert check.locator("pre").inner_text().strip() == "assert ROOT > 1\nassert ROOT < 2"
    assert tab.get_by_text("✓ Checked: squared, it is 2 <again>").is_visible()
    assert tab.get_by_text("1.41").is_visible()
    assert not tab.get_by_text("@title").first.is_visible()


def test_folds_open_and_close_by_keyboard(browser, small):
    page = browser.new_page()
    page.goto((small / "page.html").as_uri())
    met = []
    while len(met) < 4:
        page.keyboard.press("Tab")
        focused = page.locator("details.fold > summary:focus")
        if focused.count():
            met.append(focused.inner_text())
            assert focused.evaluate("title => getComputedStyle(title).outlineStyle") != "none", met
    assert met == [
        "Set-up",
        "Show the answer",
        "✓ Checked: the root of 2 is above 1",
        "✓ Checked: squared, it is 2 <again>",
    ]
    for key, opened in (("Enter", True), ("Space", False)):
        page.keyboard.press(key)
        assert page.locator("details.check").last.evaluate("details => details.open") == opened
    page.close()


def test_set_up_and_imports_fold_into_one_line(tab, small):
    assert tab.locator("details.set-up").count() == 1
    assert not tab.get_by_text("google.colab").is_visible()
    tab.get_by_text("Set-up", exact=True).click()
    for text in ("google.colab", "All imports of the page.", "ROOT = math"):
        assert tab.locator("details.set-up").get_by_text(text).is_visible()
    # What stands between them and is no remark on imports stays where it is.
    other = BeautifulSoup((small / "other.html").read_text(encoding="utf-8"), "html.parser")
    story = other.find("p", string="A story that belongs to the page.")
    assert len(other.select("details.set-up")) == 2
    assert story.find_parent("details") is None
    assert story.find_previous_sibling("details")


def test_an_answer_waits_until_it_is_asked_for(tab):
    answer = tab.locator("details.answer")
    assert answer.locator("summary").inner_text() == "Show the answer"
    assert not tab.get_by_text("Its square is").is_visible()
    answer.locator("summary").click()
    assert answer.locator("p").first.inner_text() == "It is, as the other page says too."
    assert tab.get_by_text("Its square is").is_visible()
    assert answer.locator("math").count() == 1
    answer.get_by_role("link", name="the other page").click()
    tab.wait_for_url("**/other.html")


def test_the_browser_s_search_opens_a_fold(browser, small):
    """As a link to a piece of text does, which is found in the same way."""
    page = browser.new_page()
    page.goto((small / "page.html").as_uri() + "#:~:text=Its%20square%20is")
    page.get_by_text("Its square is").wait_for(state="visible")
    assert page.locator("details.answer").evaluate("details => details.open")
    page.close()


def test_a_page_says_how_many_claims_it_checks(tab, small):
    assert tab.locator(".chapter-actions .claims").inner_text() == "2 claims on this page are checked by code"
    assert "checked by code" not in (small / "other.html").read_text(encoding="utf-8")


def test_paper_gets_the_claim_and_the_answer_and_no_set_up(browser, small):
    page = browser.new_page()
    page.goto((small / "page.html").as_uri())
    page.locator("details.check summary").first.click()
    page.emulate_media(media="print")
    assert not page.locator("details.set-up").is_visible()
    assert not page.get_by_text("Show the answer").is_visible()
    assert not page.get_by_text("assert ROOT > 1").is_visible()
    assert page.get_by_text("✓ Checked: the root of 2 is above 1").is_visible()
    # An answer that nobody has opened is there, and begins with the word that the screen leaves out.
    assert not page.locator("details.answer").evaluate("details => details.open")
    assert page.get_by_text("Its square is").evaluate("part => part.checkVisibility()")
    assert page.get_by_text("Its square is").bounding_box()["height"] > 10
    assert page.locator("details.answer p").first.inner_text().startswith("Answer: It is")
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_open_folds(browser, axe, small, theme):
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.goto((small / "page.html").as_uri())
    for opened in (False, True):
        page.evaluate("open => document.querySelectorAll('details').forEach((fold) => { fold.open = open; })", opened)
        page.evaluate(axe)
        report = page.evaluate("axe.run('article', { preload: false })")
        assert [(problem["id"], problem["nodes"][0]["html"]) for problem in report["violations"]] == []
    context.close()


@pytest.mark.slow
def test_sentences_and_answers_can_be_translated_and_need_no_browser(build):
    custom = ("--builder", "custom", "--custom-builder")
    messages = (build("gettext", *custom, "gettext") / "page.pot").read_text(encoding="utf-8")
    for text in ("Set-up", "Show the answer", "✓ Checked: the root of 2 is above 1", "All imports of the page."):
        assert f'msgid "{text}"' in messages
    text = (build("text", *custom, "text") / "page.txt").read_text(encoding="utf-8")
    assert "✓ Checked: the root of 2 is above 1\n" in text
    assert "**Answer:** It is" in text
    for gone in ("assert", "Show the answer", "google.colab", "imports"):
        assert gone not in text

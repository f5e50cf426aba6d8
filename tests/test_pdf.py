"""The book as PDF: some chapters are printed as the whole book is, or, if WHOLE_BOOK is set, the whole book itself."""

import json
import os
import re
import subprocess
from functools import partial

import numpy as np
import pikepdf
import pytest
from bs4 import BeautifulSoup

from tests.programs import do_without
from tests.sheets import LONGEST_BLANK_END, LONGEST_EMPTY_FRAME, blank_end, empty_frame, need_poppler, pictures_of
from tools import chromium, pdf
from tools.languages import translated_pages

SOME = ["02-sgd", "deeper/noise-of-a-mini-batch", "solutions/02-sgd"]
WHOLE = "WHOLE_BOOK" in os.environ
TOP, BOTTOM = 23 / 25.4, 19 / 25.4  # the margins in tools/pdf.css, in inches
POINTS = 72  # in an inch
LINES_AFTER_HEADING = 40  # points: the heading and at least a line below it
LANGUAGES = ["en", "ko"]
run = partial(subprocess.run, check=True, capture_output=True, text=True)


def plain(text):
    """A text without what printing changes: spaces, where lines may break, and how signs are written."""
    return re.sub(r"[\s\u00ad\u200b-\u200d\u2060-\u2064]", "", text)


class Printed:
    """A printed book, opened, with the text and the picture of each sheet."""

    def __init__(self, path, headings, language, site):
        self.path, self.headings, self.language, self.site = path, headings, language, site
        self.pdf = pikepdf.open(path)
        self.words = pdf.words_of_book(language)
        self.texts = run(["pdftotext", "-raw", path, "-"]).stdout.split("\f")[:-1]
        self.pages = [page for part in pdf.parts_of_book(language, None if WHOLE else SOME) for page in part["pages"]]
        self.first = {each["page"]: each["number"] for each in headings if each["level"] == 1}

    def sheets_of(self, page):
        """The numbers of the sheets of a page of the book."""
        after = [number for number in self.first.values() if number > self.first[page]]
        return range(self.first[page], min(after, default=len(self.texts) + 1))

    def text_of(self, page):
        return "".join(self.texts[number - 1] for number in self.sheets_of(page))

    def links(self):
        """(sheet, link) for each link of the file."""
        for number, page in enumerate(self.pdf.pages, 1):
            for note in page.obj.get("/Annots", []):
                yield number, note

    def bookmarks(self):
        """(depth, title, sheet, height above the sheet's foot in points) for each bookmark."""
        numbers = {page.objgen: index for index, page in enumerate(self.pdf.pages, 1)}

        def walk(items, depth):
            for item in items:
                place = item.destination
                yield depth, item.title, numbers[place[0].objgen], float(place[3])
                yield from walk(item.children, depth + 1)

        with self.pdf.open_outline() as outline:
            yield from walk(outline.root, 0)


@pytest.fixture(scope="module", params=LANGUAGES)
def book(request, site, tmp_path_factory):
    """The printed book, in either language."""
    need_poppler()
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    try:
        headings = pdf.print_book(site, path, request.param, None if WHOLE else SOME)
    except pdf.CannotPrint as problem:
        do_without(str(problem))
    printed = Printed(path, headings, request.param, site if request.param == "en" else site / "ko")
    yield printed
    printed.pdf.close()


@pytest.fixture(scope="module")
def pictures(book, tmp_path_factory):
    return pictures_of(book.path, tmp_path_factory.mktemp("sheets"))


def test_the_parts_hold_every_page_of_the_site(site):
    for language, folder in (("en", site), ("ko", site / "ko")):
        files = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.html")}
        files = {name for name in files if not name.startswith(("ko/", "_static/")) and name not in ("404", "search")}
        pages = [page for part in pdf.parts_of_book(language) for page in part["pages"]]
        assert len(pages) == len(set(pages))
        assert set(pages) == files
        assert language == "en" or files == set(translated_pages())


def test_every_page_of_the_book_is_in_it_under_its_title(book):
    assert list(book.first) == book.pages
    assert sorted(book.first.values()) == list(book.first.values())
    for page, number in book.first.items():
        html = BeautifulSoup((book.site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
        article = html.select_one("article")
        for unseen in article.select(".headerlink, .katex, svg, script, style, form.quiz"):
            unseen.decompose()
        title = plain(article.select_one("h1").get_text())
        assert title in plain(book.texts[number - 1]), page
        text = plain(book.text_of(page))
        paragraphs = [plain(each.get_text()) for each in article.select("section > p") if not each.find(True)]
        paragraphs = [text for text in paragraphs if plain(book.words["quiz_press"]) not in text]
        assert len(paragraphs) > 2 or not page[0].isdigit(), page
        # Where a paragraph goes on on the next sheet, the running head stands within it.
        missing = [each for each in paragraphs if each[:30] not in text and each[-30:] not in text]
        assert missing == [], page


def test_running_heads_name_the_chapter_and_number_the_sheet(book):
    for page in book.pages:
        title = next(each["text"] for each in book.headings if each["page"] == page and each["level"] == 1)
        for number in book.sheets_of(page):
            lines = book.texts[number - 1].split("\n")
            assert plain("".join(lines[:2]) + "".join(lines[-3:])).count(plain(title)) >= 1, number
            assert re.search(rf"(^|\s){number}($|\s)", " ".join(lines[:2] + lines[-3:])), number


def test_the_contents_give_the_sheet_on_which_each_heading_stands(book):
    opening = range(1, book.first["index"])
    assert book.words["paper_contents"] in book.texts[1]
    assert not re.search(r"\b000\b", "".join(book.texts[number - 1] for number in opening))
    places = {name[1:]: place for name, place in book.pdf.Root.Dests.items()}
    numbers = {page.objgen: index for index, page in enumerate(book.pdf.pages, 1)}
    given = {}
    for sheet in opening:
        command = ["pdftotext", "-bbox", "-f", str(sheet), "-l", str(sheet), book.path, "-"]
        words = [
            (*map(float, match[:4]), match[4])
            for match in re.findall(
                r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', run(command).stdout
            )
        ]
        height = float(book.pdf.pages[sheet - 1].mediabox[3])
        for note in book.pdf.pages[sheet - 1].obj.get("/Annots", []):
            if "/Dest" not in note:
                continue
            left, low, right, high = map(float, note.Rect)
            own = [
                word
                for x, top, end, foot, word in words
                if left - 1 < x and end < right + 1 and low < height - (top + foot) / 2 < high
            ]
            given.setdefault(str(note.Dest)[1:], []).extend(own)
    wanted = {each["id"]: each for each in book.headings if each["level"] < 3}
    assert {pdf.unquote(name) for name in given} == set(wanted)
    for name, words in given.items():
        heading = wanted[pdf.unquote(name)]
        stands = numbers[places[name][0].objgen]
        assert str(stands) in words, heading
        long_words = re.findall(r"[^\W\d_]{4,}", heading["text"])
        assert all(word in plain(book.texts[stands - 1]) for word in long_words), heading


def test_bookmarks_are_the_parts_the_pages_and_their_sections(book):
    marks = list(book.bookmarks())
    parts = pdf.parts_of_book(book.language, None if WHOLE else SOME)
    captions = [part["caption"] for part in parts if part["caption"]]
    top = [title for depth, title, *_ in marks if depth == 0]
    assert top == [book.words["paper_contents"], book.words["title"], *captions]
    shown = [(title, number) for depth, title, number, _ in marks[1:] if depth or title not in captions]
    assert [title for title, _ in shown] == [each["text"] for each in book.headings]
    for (title, number), heading in zip(shown, book.headings, strict=True):
        assert heading["number"] in (number, None), title
    if "02-sgd" in book.pages:
        assert [title for title, _ in shown if "1/√B" in title], "a formula's signs are in a title"


def test_no_heading_ends_a_sheet(book):
    marks = [mark for mark in book.bookmarks() if mark[0]]
    assert marks
    low = {(title, number): height for _, title, number, height in marks}
    assert {mark for mark, height in low.items() if height - BOTTOM * POINTS < LINES_AFTER_HEADING} == set()


def test_no_frame_is_empty(book, pictures):
    heights = {number: empty_frame(sheet) for number, sheet in enumerate(pictures, 1)}
    assert {number: height for number, height in heights.items() if height > LONGEST_EMPTY_FRAME} == {}


def test_no_sheet_but_the_last_of_a_page_is_left_half_empty(book, pictures):
    last = {number - 1 for number in book.first.values()} | {len(pictures)}
    inner = [number for number in range(book.first["index"], len(pictures)) if number not in last]
    assert len(inner) > 20
    blank = {number: blank_end(pictures[number - 1], TOP, BOTTOM) for number in inner}
    assert {number: share for number, share in blank.items() if share > LONGEST_BLANK_END} == {}


def test_nothing_is_cut_off_at_the_edges(pictures):
    for number, sheet in enumerate(pictures, 1):
        assert np.all(sheet[:, -20:] == 255), number
        assert np.all(sheet[:, :20] == 255), number


def test_fonts_are_embedded(book):
    rows = [line.split() for line in run(["pdffonts", book.path]).stdout.split("\n")[2:] if line]
    assert len(rows) > 5
    assert any("Literata" in row[0] for row in rows)
    embedded = [row[-5] for row in rows]  # emb sub uni object ID
    assert set(embedded) == {"yes"}


def test_links_stay_in_the_file_and_lead_somewhere(book):
    places = {str(name) for name in book.pdf.Root.Dests}
    inside, outside = [], []
    for number, note in book.links():
        if "/Dest" in note:
            inside.append((number, str(note.Dest)))
        else:
            outside.append(str(note.A.URI))
    assert {place for _, place in inside} <= places
    assert all(re.match("https?://", link) for link in outside)
    assert [link for link in outside if pdf.PRESS in link] == []
    assert ["/solutions.02-sgd:steps-that-shrink", True] in [
        [place, number in book.sheets_of("02-sgd")] for number, place in inside
    ]
    site = pdf.site_of(pdf.current_url()) + ("" if book.language == "en" else pdf.FOLDER)
    here = {f"{site}{page}.html" for page in book.pages}
    stills = sum(text.count(book.words["paper_alive"].split()[0]) for text in book.texts)
    assert sum(link.split("#")[0] in here for link in outside) <= 2 * stills  # a link on two lines is two


def test_it_says_what_it_is(book):
    assert [float(side) for side in book.pdf.pages[0].mediabox][2:] == pytest.approx([595, 842], abs=1)
    with book.pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == book.words["title"] == str(book.pdf.docinfo["/Title"])
        assert metadata["dc:creator"] == [book.words["author"]]
        assert set(metadata["dc:language"]) == {book.language}
    assert str(book.pdf.docinfo["/Author"]) == book.words["author"]
    assert str(book.pdf.Root.Lang) == book.language
    assert book.pdf.Root.MarkInfo.Marked
    for text in (book.words["title"], book.words["cover_about"], book.words["author"]):
        assert plain(text) in plain(book.texts[0])


def test_figures_have_their_words_for_those_who_do_not_see_them(book):
    figures = [
        each for each in book.pdf.objects if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/Figure"
    ]

    def described(element):
        if isinstance(element, pikepdf.Array):
            return any(map(described, element))
        own = isinstance(element, pikepdf.Dictionary)
        return own and (bool(str(element.get("/Alt", ""))) or described(element.get("/K", 0)))

    assert len(figures) > 100  # formulas among them
    assert [each for each in figures if not described(each)] == []


def test_answers_of_a_quiz_stand_at_the_end_of_the_chapter(book):
    quizzes = [page for page in book.pages if (pdf.ROOT / "utils" / "quiz" / "en" / f"{page}.json").is_file()]
    assert len(quizzes) == (13 if WHOLE else 1)
    for page in quizzes:
        text = plain(book.text_of(page))
        before, after = (
            text[: text.rindex(plain(book.words["paper_answers"]))],
            text[text.rindex(plain(book.words["paper_answers"])) :],
        )
        path = pdf.ROOT / "utils" / "quiz" / book.language / f"{page}.json"
        for question in json.loads(path.read_text(encoding="utf-8")):
            for answer in question["answers"]:
                start = plain(re.split(r"[`*~^]", answer["why"])[0])[:25]
                assert start in after, answer["why"]
                assert len(start) < 12 or start not in before, answer["why"]
        assert plain(book.words["quiz_where"]) in text
    assert plain(book.words["quiz_press"]) not in plain("".join(book.texts))


def test_korean_can_be_taken_out_as_text(book):
    letters = len(re.findall("[가-힣]", "".join(book.texts)))
    assert letters > (8000 if book.language == "ko" else 10)


def test_a_folded_cell_of_which_nothing_else_is_seen_is_printed(book):
    text = book.text_of("02-sgd")
    assert plain("def land_of(name, features, box=None):") in plain(text)  # "The folded cell makes that land"
    assert plain("rng, after_20") not in plain(text)  # what it prints is seen


def test_nothing_on_paper_asks_to_be_pressed(book):
    text = "".join(book.texts)
    for name in ("show_code", "hide_code", "answer", "download", "colab"):
        assert book.words[name] not in text


def test_without_a_built_book_or_a_browser_it_says_what_is_missing(tmp_path, monkeypatch):
    with pytest.raises(pdf.CannotPrint, match="make book"):
        pdf.print_book(tmp_path, tmp_path / "a.pdf")

    class Nowhere:
        executable_path = str(tmp_path / "none")

    class Driver:
        chromium = Nowhere

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="playwright install chromium"):
        chromium.launch(Driver)


def test_without_a_font_for_hangul_it_says_so(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda _: "fc-list")
    monkeypatch.setattr(pdf.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout="\n"))
    with pytest.raises(pdf.CannotPrint, match="fonts-noto-cjk"):
        pdf.check_fonts()

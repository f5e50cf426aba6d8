"""The book as EPUB, in both languages: epubcheck finds nothing, and what readers get is whole without any script."""

import json
import posixpath
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from tests.programs import do_without
from tools.downloads import name_of
from tools.epub_formulas import LONG, pieces, signs, with_neighbours
from tools.epub_pictures import DARK, GROUND, card, on_ground, stacked
from tools.repository import current_url
from utils.language import table
from utils.plotting import COLORS, INK
from utils.quiz.form import markup

ROOT = Path(__file__).resolve().parent.parent
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]
QUIZZES = sorted(path.stem for path in (ROOT / "utils" / "quiz" / "en").glob("*.json"))
HANGUL = re.compile("[가-힣]")
DUBLIN = "{http://purl.org/dc/elements/1.1/}"
OPF = "{http://www.idpf.org/2007/opf}"


class Book:
    """An EPUB: its files by their names, and its pages as they are parsed."""

    def __init__(self, path, language):
        self.path, self.language = path, language
        with ZipFile(path) as file:
            self.order = file.namelist()
            self.files = {name: file.read(name) for name in self.order}
        self.pages = {name: BeautifulSoup(self.files[f"{name}.xhtml"], "html.parser") for name in PAGES}
        self.opf = ElementTree.fromstring(self.files["content.opf"])

    def questions(self, name):
        """The questions of a chapter, from the file that they are written in."""
        return json.loads((ROOT / "utils" / "quiz" / self.language / f"{name}.json").read_text(encoding="utf-8"))

    def cells(self, name):
        """The cells of the notebook that a page is made of, in English, or none."""
        path = ROOT / "book" / f"{name}.ipynb"
        return json.loads(path.read_text(encoding="utf-8"))["cells"] if path.exists() else []


@cache
def read(folder, language):
    return Book(folder / name_of("epub", language), language)


@pytest.fixture(scope="module", params=["en", "ko"])
def book(request, epubs):
    return read(epubs, request.param)


def text_of(markup):
    return " ".join(BeautifulSoup(markup, "html.parser").get_text().split())


def tagged(cells, tag):
    return [cell for cell in cells if tag in cell["metadata"].get("tags", [])]


# --- the file ------------------------------------------------------------------------------------------------------


def epubcheck():
    """The command that checks an EPUB. Debian's is a Java archive, which not every system can start by its name."""
    path = shutil.which("epubcheck")
    if path is None:
        why = "no epubcheck found: Debian and Ubuntu have it in the package of this name"
        do_without(why)
    quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]  # a short run is over before much is worth compiling
    return ["java", *quick, "-jar", path] if Path(path).resolve().suffix == ".jar" else [path]


def test_epubcheck_finds_neither_error_nor_warning(book):
    done = subprocess.run([*epubcheck(), "--failonwarnings", book.path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "0 fatals / 0 errors / 0 warnings" in done.stdout


def test_the_file_says_what_it_is(book):
    said = {tag: [each.text for each in book.opf.iter(DUBLIN + tag)] for tag in ("title", "language", "creator")}
    title = json.loads((ROOT / "tools" / f"{book.language}.json").read_text(encoding="utf-8"))["title"]
    assert said == {"title": [title], "language": [book.language], "creator": ["The Optimizers Course authors"]}
    assert "creativecommons.org/licenses/by/4.0" in book.opf.find(f".//{DUBLIN}rights").text
    assert re.match(r"20\d\d-\d\d-\d\d", book.opf.find(f".//{DUBLIN}date").text)
    identifier = book.opf.find(f".//{DUBLIN}identifier").text
    assert identifier.endswith(f"/{current_url().split('/')[-1]}/{name_of('epub', book.language)}")
    assert b">unknown<" not in book.files["content.opf"]
    assert len(book.opf.find(f".//{DUBLIN}description").text) > 60
    covers = [item.get("href") for item in book.opf.iter(f"{OPF}item") if item.get("properties") == "cover-image"]
    assert [book.files[name] for name in covers] == [(ROOT / "book" / "covers" / f"{book.language}.png").read_bytes()]


def test_every_page_is_in_the_spine_in_the_order_of_the_book(book):
    names = {item.get("id"): item.get("href") for item in book.opf.iter(f"{OPF}item")}
    spine = [names[item.get("idref")] for item in book.opf.iter(f"{OPF}itemref") if item.get("linear") != "no"]
    assert spine == ["epub-cover.xhtml", *(f"{name}.xhtml" for name in PAGES)]


def test_the_contents_name_the_parts_and_every_page(book):
    contents = BeautifulSoup(book.files["nav.xhtml"], "html.parser").nav
    assert len(contents.select("nav > ol > li")) == 1 + len(TOC["parts"])
    linked = {link["href"].split("#")[0] for link in contents.select("a")}
    assert linked == {f"{name}.xhtml" for name in PAGES}
    shown = [link.get_text(strip=True) for link in contents.select("nav > ol > li > a")]
    assert all(HANGUL.search(words) for words in shown) == (book.language == "ko"), shown


def test_pages_are_xml_in_their_language_and_hold_no_script(book):
    for name in PAGES:
        content = book.files[f"{name}.xhtml"]
        root = ElementTree.fromstring(content)
        assert root.get("lang") == root.get("{http://www.w3.org/XML/1998/namespace}lang") == book.language, name
        for element in root.iter():
            tag = element.tag.split("}")[-1]
            assert tag not in {"script", "style", "iframe", "form", "input", "button", "details"}, name
            assert not [key for key in element.attrib if key.startswith("on")], name
    assert not [name for name in book.order if name.endswith((".js", ".woff2"))]


def test_the_korean_file_is_in_korean_and_the_english_one_is_not(book):
    for name, page in book.pages.items():
        prose = " ".join(paragraph.get_text() for paragraph in page.select("body p, body li"))
        share = len(HANGUL.findall(prose)) / len(re.findall(r"\w", prose))
        assert share > 0.15 if book.language == "ko" else share < 0.1, f"{name}: {share:.2f}"


def test_links_within_the_file_lead_somewhere(book):
    ids = {name: {each["id"] for each in page.select("[id]")} for name, page in book.pages.items()}
    links = 0
    for name, page in book.pages.items():
        for link in page.select("a[href]"):
            path, _, anchor = link["href"].partition("#")
            if re.match(r"https?:|mailto:", link["href"]):
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path))) if path else name
            target = target.removesuffix(".xhtml")
            assert target in ids, f"{name}: {link['href']}"
            assert not anchor or unquote(anchor) in ids[target], f"{name}: {link['href']}"
            links += 1
    assert links > 700


# --- formulas and pictures -----------------------------------------------------------------------------------------


def test_formulas_are_mathml_with_their_tex(book):
    count = 0
    for name, page in book.pages.items():
        for formula in page.select("math"):
            assert formula["alttext"].strip(), name
            assert formula.find("annotation", encoding="application/x-tex"), name
            count += 1
        words = " ".join(
            each for each in page.body.find_all(string=True) if not each.find_parent(["math", "pre", "code"])
        )
        assert not re.search(r"\\(?:frac|theta|alpha|sqrt|text)|\$\$", " ".join(words)), name
    assert count > 1500
    assert b"katex-error" not in b"".join(book.files.values())


def test_a_formula_is_cut_where_nothing_holds_it_together():
    assert pieces(r"a = b, \qquad c = d", {r"\qquad"}) == ["a = b, ", r"\qquad c = d"]
    held = r"f = \begin{cases} a & b \qquad c\end{cases}, {x \qquad y}"
    assert pieces(held, {r"\qquad"}) == [held]
    assert pieces("a = b = c", {"="}, keep_first=True) == ["a = b ", "= c"]
    assert pieces(r"\left( a = b \right) = c = d", {"="}, keep_first=True) == [r"\left( a = b \right) = c ", "= d"]
    assert pieces(r"\qquad a", {r"\qquad"}) == [r"\qquad a"]


def test_no_formula_is_much_wider_than_a_phone(book):
    for name, page in book.pages.items():
        for formula in page.select("math[display=block]:not(.wide)"):
            assert signs(formula["alttext"]) <= LONG, f"{name}: {formula['alttext']}"


def test_no_line_begins_with_what_follows_a_formula():
    formula = '<math alttext="x" xmlns="m"><semantics><mi>x</mi></semantics></math>'
    assert with_neighbours(f"<p>{formula}, and {formula}를 더합니다 {formula} </p>") == (
        f'<p><span class="whole">{formula},</span> and <span class="whole">{formula}를</span> 더합니다 {formula} </p>'
    )


def test_every_picture_is_there_and_is_described(book):
    shown = set()
    for name, page in book.pages.items():
        for picture in page.select("img"):
            assert len(picture.get("alt", "")) > 15, f"{name}: {picture}"
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), picture["src"]))
            assert path in book.files, f"{name}: {picture['src']}"
            shown.add(path)
            if book.language == "ko":
                assert HANGUL.search(picture["alt"]), f"{name}: {picture['alt']}"
        assert not page.select("svg"), "a reader's dark theme would reach into it"
    stored = sum(
        any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        for name in PAGES
        for cell in book.cells(name)
    )
    assert len(shown) > stored > 70


def test_pictures_read_on_paper_and_in_the_dark(book):
    for name, content in book.files.items():
        if name.endswith(".svg"):
            svg = content.decode()
            root = ElementTree.fromstring(svg)
            ground = root[0]
            assert (ground.tag.split("}")[-1], ground.get("fill")) == ("rect", GROUND), name
            box = [float(part) for part in root.get("viewBox").split()]
            assert [float(ground.get(key)) for key in ("x", "y", "width", "height")] == box, name
            assert INK not in svg, name
            assert "currentColor" not in svg, name
            words = max(float(size) for size in re.findall(r'font-size(?:: |=")([\d.]+)', svg))
            assert words * 360 / box[2] >= 8, f"the words of {name} are too small on a phone"
    pictures = [name for name in book.files if re.fullmatch(r"_images/[0-9a-f]+\.png", name)]
    assert pictures == [], "each figure is stored as a drawing"


def test_panels_of_one_row_stand_below_each_other():
    svg = (
        '<svg data-panels="7.0 100.0 110.0 200.0" width="207pt" height="80pt" viewBox="0 0 207 80"><g data-panel="0"/>'
    )
    svg += '<g data-panel="1"/><path style="x"/><path d="M0 0"/></svg>'
    new = stacked(svg)
    assert 'viewBox="0 0 107 160" width="143" height="213"' in new
    assert 'transform="translate(0.0 0.0)"' in new
    assert 'transform="translate(-103.0 80.0)"' in new
    assert new.count("<path") == 1, "a path without points is none"


def test_a_card_has_its_ground_its_ink_and_room_for_its_key():
    svg = f'<svg viewBox="0 0 360 100" width="360" height="100" fill="none"><path d="M0 0" stroke="{INK}"/></svg>'
    plain, keyed = (ElementTree.fromstring(card(svg, entries)) for entries in ((), [("Adam", "<path d='M0 0'/>")] * 9))
    assert plain[1].get("stroke") == DARK
    low, high = (float(root.get("height")) for root in (plain, keyed))
    assert high - low > 2 * 10, "nine names need more than one row"
    places = [float(word.get("x")) for word in keyed.iter("{http://www.w3.org/2000/svg}text")]
    assert len(places) == 9
    assert max(places) < 360


def test_a_stored_picture_gets_the_ground_and_the_darker_ink():
    grey = int(INK[1:3], 16)
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0, 0] = grey, grey, grey, 255
    picture[1, 1] = 200, 10, 10, 255
    with Image.fromarray(picture) as image:
        done = np.asarray(on_ground(image))
    assert done[0, 0].tolist() == [int(DARK[1:3], 16)] * 3
    assert done[1, 1].tolist() == [200, 10, 10]
    assert done[0, 1].tolist() == [255, 255, 255]


def test_what_is_played_with_on_the_web_is_a_still_with_a_key(book):
    stills = 0
    for name, page in book.pages.items():
        stored = [
            "".join(output["data"]["text/plain"])
            for cell in book.cells(name)
            for output in cell.get("outputs", [])
            if "optimizer-playground" in "".join(output.get("data", {}).get("text/html", ""))
        ]
        shown = page.select(".still")
        assert len(shown) == len(stored) + (name == TOC["root"]), name
        for still, call in zip(shown, stored, strict=False):
            svg = book.files[posixpath.normpath(posixpath.join(posixpath.dirname(name), still.img["src"]))].decode()
            words = set(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
            chosen = set(re.findall(r"'(\w+)'", re.search(r"optimizers=\(([^)]*)\)", call)[1]))
            assert chosen <= words, f"{name}: {words}"
            assert still.select_one(".way a")["href"].endswith(f"{name}.html")
            stills += 1
    assert stills >= 8
    race = book.pages[TOC["root"]].select_one(".still")
    svg = book.files[race.img["src"]].decode()
    assert set(COLORS) <= set(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
    assert b"draw-it" not in b"".join(book.files.values())


# --- what is folded on the web -------------------------------------------------------------------------------------


def test_questions_have_their_answers_at_the_end_of_the_chapter(book):
    assert len(QUIZZES) == 13
    for name in QUIZZES:
        page, questions = book.pages[name], book.questions(name)
        shown = page.select(".question")
        assert len(shown) == len(questions) >= 3, name
        end = page.select_one("section#answers")
        assert page.select("section")[-1] is end, f"{name}: something comes after the answers"
        before = text_of(str(page.body).split('id="answers"')[0])
        for node, question in zip(shown, questions, strict=True):
            assert text_of(markup(question["question"])) in text_of(str(node)), name
            assert [text_of(str(item)) for item in node.select("li")] == [
                text_of(markup(answer["text"])) for answer in question["answers"]
            ]
            assert bool(node.img) == ("picture" in question)
            why = end.select_one(node.select_one(".way a")["href"])
            assert why.select_one("a")["href"] == f"#{node['id']}", "a way back"
            reasons = why.select("li")
            assert len(reasons) == len(question["answers"])
            for item, answer in zip(reasons, question["answers"], strict=True):
                reason = text_of(markup(answer["why"]))
                assert text_of(str(item)).endswith(reason)
                assert bool(item.select(".right")) == bool(answer.get("right"))
                assert reason not in before, f"{name} gives the answer away"


def test_predictions_have_their_answers_there_too(book):
    count = 0
    for name, page in book.pages.items():
        answers = tagged(book.cells(name), "answer")
        shown = page.select("section#answers [id^=answer-]")
        assert len(shown) == len(answers), name
        for number, answer in enumerate(shown, 1):
            place = page.select_one(f"#prediction-{number}")
            assert place.a["href"] == f"#answer-{number}"
            assert answer.a["href"] == f"#prediction-{number}"
            assert len(answer.get_text()) > 60
            assert not re.search(r"\b(Answer:|답:)", answer.get_text())
            count += 1
    assert count == 18


def test_a_check_is_its_one_line(book):
    said = "✓ Checked:" if book.language == "en" else "✓ 확인함:"
    count = 0
    for name, page in book.pages.items():
        checks = tagged(book.cells(name), "check")
        lines = [line.get_text() for line in page.select("p.check")]
        assert len(lines) == len(checks), name
        assert all(line.startswith(said) for line in lines), name
        if book.language == "en":
            titles = [re.match(r"#\s*@title (.*)", "".join(cell["source"]))[1] for cell in checks]
            straight = str.maketrans("’“”", '\'""')
            assert [" ".join(line.split()).translate(straight) for line in lines] == [title.strip() for title in titles]
        count += len(lines)
    assert count > 350


def test_no_code_is_seen_that_the_page_folds(book):
    for name, page in book.pages.items():
        code = [" ".join(block.get_text().split()) for block in page.select(".cell_input pre")]
        assert not [block for block in code if "google.colab" in block or "@title" in block], name
        assert not [block for block in code if block.startswith("quiz(")], name
        cells = book.cells(name)
        if cells:
            hidden = [cell for cell in tagged(cells, "hide-input") if cell["outputs"]]
            for cell in (*hidden, *tagged(cells, "check")):
                assert " ".join("".join(cell["source"]).split()) not in code, name
            seen = [
                cell
                for cell in cells
                if cell["cell_type"] == "code"
                and cell not in hidden
                and "check" not in cell["metadata"].get("tags", [])
                and not "".join(cell["source"]).startswith("quiz(")
            ]
            set_up = 2 if "google.colab" in "".join(seen[0]["source"]) else 0
            assert len(code) == len(seen) - set_up, name


def test_nobody_is_asked_to_press_a_button(book):
    words = table(ROOT / "tools", book.language)
    for name, page in book.pages.items():
        assert words["quiz_press"] not in page.get_text(), name
        ways = [link.get_text() for link in page.select('a[href="#answers"]')]
        assert ways == [words["quiz_where"]] * (name in QUIZZES), name


def test_both_files_hold_the_same_pictures_formulas_and_code(epubs):
    english, korean = (read(epubs, language) for language in ("en", "ko"))
    for name in PAGES:
        for what in ("img", ".cell_input pre", "p.check", ".question", "section", "table"):
            counts = [len(book.pages[name].select(what)) for book in (english, korean)]
            assert counts[0] == counts[1], f"{name}: {what}"
        tex = [{each["alttext"] for each in book.pages[name].select("math")} for book in (english, korean)]
        assert {each for each in tex[0] ^ tex[1] if not HANGUL.search(each) and "text" not in each} == set(), name


def test_columns_that_a_small_screen_could_hold_are_set_smaller(book):
    small = 0
    for name, page in book.pages.items():
        for printed in page.select(".cell_output pre"):
            longest = max(map(len, printed.get_text().split("\n")))
            assert bool(printed.find_parent(class_="wide")) == (46 < longest <= 66), f"{name}: {longest}"
            small += 46 < longest <= 66
    assert small > 50

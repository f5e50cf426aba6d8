"""The published site, in a browser and as files: what it loads, how it looks on any screen, and whom it shuts out."""

import gzip
import json
import posixpath
import re
import subprocess
from functools import partial
from pathlib import Path
from statistics import mean
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image
from sphinxcontrib.katex import KaTeXServer

from tools import race
from tools.book_site import start_katex
from tools.repository import split_url
from utils import optimizers
from utils.bench import page_images, train_in_page
from utils.data import load_fashion_mnist
from utils.playground import LEARNING_RATES
from utils.plotting import COLORS
from utils.quiz import quiz
from utils.surfaces import ravine

ROOT = Path(__file__).resolve().parent.parent
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
OWNER, NAME = split_url(CONFIG["repository"]["url"])
BASE = f"https://{OWNER.lower()}.github.io/{NAME}/"

LICENCE = "https://creativecommons.org/licenses/by/4.0/"

MOST_BYTES = 350_000  # scripts, style sheets and fonts of a page, compressed
MOST_BYTES_OF_A_FIGURE = 15_000  # compressed, on average
MOST_SHIFT = 0.02
WIDTHS = (320, 768, 1440)
PHONE = 360
SMALLEST_WORD = 9  # pixels on a phone; exponents and indices are smaller than the letters they stand at
LEAST_CONTRAST = 4.5

# Sums up by how much the page has jumped, as the browser defines it.
WATCH = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# A reader takes longer for a screen than the script of the next screen's figure takes to come.
SCROLL = """async () => {
  const pause = () => new Promise((done) => setTimeout(done, 20));
  const is_near = (figure) => figure.getBoundingClientRect().top < 2 * innerHeight;
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
    scrollTo(0, y);
    await pause();
    for (let i = 0; i < 250 && [...document.querySelectorAll(".awaited")].some(is_near); i++) await pause();
  }
  await Promise.all([...document.images].map((image) => image.complete || new Promise((done) => {
    image.onload = image.onerror = done;
    image.loading = "eager";
  })));
  scrollTo(0, 0);
}"""

# What a page repeats hundreds of times is looked at once: one formula, and of the coloured words in code one of each
# colour. Else axe would take minutes.
THIN_OUT = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll("pre span")) {
    const kind = word.closest("pre").parentElement.className + word.className;
    if (seen.has(kind)) word.replaceWith(word.textContent);
    seen.add(kind);
  }
  for (const formula of [...document.querySelectorAll(".katex")].slice(1)) formula.replaceWith("x");
}"""

# Of every piece of text in a drawing: what it says, how high its largest letters are on the screen, in pixels, and its
# contrast with what is painted under it.
WORDS = """async () => {
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const over = ([r, g, b, alpha = 1], below) => [r, g, b].map((value, i) => alpha * value + (1 - alpha) * below[i]);
  const light = (colour) => colour.reduce((sum, value, i) => {
    const part = value / 255;
    return sum + [0.2126, 0.7152, 0.0722][i] * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const pixel = async (image, at) => {
    const { x, y } = at.matrixTransform(image.getScreenCTM().inverse());
    const [left, top, width, height] = ["x", "y", "width", "height"].map((side) => image[side].baseVal.value);
    const picture = Object.assign(new Image(), { src: image.href.baseVal });
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    return pen.getImageData((x - left) / width * picture.width, (y - top) / height * picture.height, 1, 1).data;
  };
  const found = [];
  for (const drawing of document.querySelectorAll(".drawing svg")) {
    const page = numbers(getComputedStyle(document.body).backgroundColor);
    for (const text of drawing.querySelectorAll("text")) {
      const letters = text.querySelector("tspan") ? [...text.querySelectorAll("tspan")] : [text];
      const { a, b } = text.getScreenCTM();
      const scale = Math.hypot(a, b);
      const size = scale * Math.max(...letters.map((each) => parseFloat(getComputedStyle(each).fontSize)));
      const box = text.getBoundingClientRect();
      const centre = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2);
      let ground = page;
      for (const shape of drawing.querySelectorAll("path, image")) {
        const around = shape.getBoundingClientRect(), style = getComputedStyle(shape);
        const before = shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
        const covers = before && !shape.closest("defs") && around.left <= centre.x && centre.x <= around.right
          && around.top <= centre.y && centre.y <= around.bottom;
        if (!covers) continue;
        if (shape.tagName === "image") {
          const [r, g, b, alpha] = await pixel(shape, centre);
          ground = over([r, g, b, alpha / 255], ground);
        } else if (style.fill !== "none" && style.fill.startsWith("rgb")) {
          const [r, g, b, alpha = 1] = numbers(style.fill);
          ground = over([r, g, b, alpha * style.fillOpacity * style.opacity], ground);
        }
      }
      const fill = over(numbers(getComputedStyle(letters[0]).fill), ground);
      const [dark, bright] = [light(fill), light(ground)].sort((a, b) => a - b);
      found.push([text.textContent.replace(/\\s+/g, ""), size, (bright + 0.05) / (dark + 0.05)]);
    }
  }
  return found;
}"""

# Answers every quiz, so that what is said about an answer is looked at too.
ANSWER = """() => {
  for (const form of document.querySelectorAll("form.quiz")) {
    form.elements.answer[0].checked = true;
    form.querySelector("button").click();
  }
  return [...document.querySelectorAll("form.quiz [role=status]")].every((verdict) => verdict.textContent.length > 40);
}"""


@pytest.fixture(scope="module")
def files(site):
    """The path of every page below the site's root, as it stands in an address."""
    paths = [path.relative_to(site) for path in sorted(site.rglob("*.html"))]
    return [path.as_posix() for path in paths if not {"_static", "ko"} & set(path.parts)]  # for ko see test_korean.py


@pytest.fixture(scope="module")
def documents(site, files):
    """Every page, parsed, by its path."""
    return {name: BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser") for name in files}


@pytest.fixture(scope="module")
def chapters(documents):
    """The pages made from notebooks."""
    return {name: page for name, page in documents.items() if page.select_one("div.cell_input")}


def watched(context):
    """A new tab, and the lists that fill with what goes wrong in it and with what it asks for."""
    page, errors, requests = context.new_page(), [], []

    def fail(request):
        if request.failure != "net::ERR_ABORTED":  # which is how a page ends when the test goes on to the next
            errors.append(f"{request.url}: {request.failure}")

    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", fail)
    page.on("request", lambda request: requests.append(request.url))
    return page, errors, requests


@pytest.fixture(scope="module")
def visits(browser, address, axe, settle, files):
    """What a browser met with on every page, each opened once, as on a first visit: by page, then by kind."""
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(WATCH)
    page, errors, requests = watched(context)  # one tab for all: a new one for each page takes half as long again
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
    found = {}
    for name in files:
        page.goto("about:blank")
        page.set_viewport_size({"width": 1440, "height": 900})
        errors.clear()
        requests.clear()
        page.goto(address + name)
        page.evaluate(SCROLL)
        seen = {"shift": page.evaluate("window.shift"), "width": {}, "violations": {}}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            seen["width"][width] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size({"width": PHONE, "height": 800})
        seen["words"] = {}
        for theme in ("dark", "light"):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            seen["words"][theme] = page.evaluate(WORDS)
        page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
        page.evaluate(settle)
        assert page.evaluate(ANSWER), f"a quiz of {name} does not answer"
        page.evaluate(THIN_OUT)
        page.evaluate(axe)
        options = {"preload": False, "resultTypes": ["violations"]}
        for theme, rules in {"light": {}, "dark": {"runOnly": ["color-contrast"]}}.items():  # the rest is the same
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            report = page.evaluate("options => axe.run(options)", options | rules)
            seen["violations"][theme] = [
                f"{problem['id']}: {node['html'][:200]}"
                for problem in report["violations"]
                for node in problem["nodes"]
            ]
        asked = [url for url in requests if not url.startswith("data:")]
        found[name] = seen | {"errors": list(errors), "requests": asked}
    context.close()
    return found


def test_every_page_loads_without_an_error(visits):
    assert {name: seen["errors"] for name, seen in visits.items() if seen["errors"]} == {}


def test_no_page_asks_another_site_for_anything(visits, address):
    for name, seen in visits.items():
        assert seen["requests"], name
        assert [url for url in seen["requests"] if not url.startswith(address)] == [], name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visits, theme):
    assert {name: seen["violations"][theme] for name, seen in visits.items() if seen["violations"][theme]} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(visits, width):
    assert {name: seen["width"][width] for name, seen in visits.items() if seen["width"][width] > width} == {}


def test_words_in_drawings_can_be_read_on_a_phone(visits):
    """By each drawing's own letters: exponents and indices are smaller than what they stand at."""
    words = [(name, *word) for name, seen in visits.items() for word in seen["words"]["light"]]
    assert len(words) > 500
    assert [(name, word, size) for name, word, size, _ in words if size < SMALLEST_WORD] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_in_drawings_stand_out(visits, theme):
    words = [(name, *word) for name, seen in visits.items() for word in seen["words"][theme]]
    assert [(name, word, contrast) for name, word, _, contrast in words if contrast < LEAST_CONTRAST] == []


def test_nothing_jumps_while_a_page_loads(visits):
    assert {name: seen["shift"] for name, seen in visits.items() if seen["shift"] >= MOST_SHIFT} == {}


def test_scripts_styles_and_fonts_are_light(visits, documents, chapters, site, address):
    assert chapters
    for name in chapters:
        parts = {urlsplit(url.removeprefix(address)).path for url in visits[name]["requests"]}
        sent = [site / unquote(part) for part in parts if re.search(r"\.(js|css|woff2?|ttf)$", part)]
        inline = "".join(script.string or "" for script in documents[name].select("script:not([src]), style"))
        weight = sum(len(gzip.compress(path.read_bytes())) for path in sent) + len(gzip.compress(inline.encode()))
        assert len(sent) > 5, name
        assert weight <= MOST_BYTES, f"{name}: {weight} bytes"


def test_every_figure_is_a_drawing_in_the_page(documents, site):
    """None is a file of pixels, which would be blurred on some screen, and come late."""
    assert not (site / "_images").exists()
    pictures = {name: page.select("article img:not([src^='data:'])") for name, page in documents.items()}
    assert {name: found for name, found in pictures.items() if found} == {}
    drawings = [drawing for page in documents.values() for drawing in page.select(".drawing > svg")]
    assert len(drawings) > 70
    assert all(drawing["viewbox"] and drawing["width"] and drawing["height"] for drawing in drawings)


def test_figures_are_light(documents):
    sizes = [
        len(gzip.compress(str(figure).encode())) for page in documents.values() for figure in page.select(".drawing")
    ]
    assert mean(sizes) <= MOST_BYTES_OF_A_FIGURE


def test_search_finds_a_word_of_the_text(browser, address, site):
    page, errors, _ = watched(browser)
    for base in (address, f"{site.as_uri()}/"):
        page.goto(f"{base}index.html")
        page.keyboard.press("Control+k")
        page.keyboard.type("momentum")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/search\.html\?q=momentum$"))
        page.locator("#search-results li a").first.wait_for()
        assert page.locator("#search-results li a[href*='03-momentum']").count() >= 1, base
    assert errors == []
    page.close()


def test_the_site_works_as_files(browser, site, chapters):
    page, errors, requests = watched(browser)
    for name in ["index.html", "references.html", *list(chapters)[:2]]:
        page.goto((site / name).as_uri())
        page.wait_for_load_state("load")
        assert page.evaluate("document.fonts.check('16px Literata')"), name
        assert page.evaluate(ANSWER), name
    assert errors == []
    assert [url for url in requests if not url.startswith((site.as_uri(), "data:"))] == []
    page.close()


BENCHES = (
    "01-hyperparameters.html",
    "08-adam-keras-walkthrough.html",
    "09-fair-comparison.html",
    "10-schedules.html",
    "12-when-training-goes-wrong.html",
)


def test_five_chapters_have_a_bench_around_its_picture_and_the_files_that_it_loads(documents, site):
    assert {name for name, page in documents.items() if page.select(".training-bench")} == set(BENCHES)
    for name in BENCHES:
        (bench,) = documents[name].select(".training-bench")
        assert bench.select(".drawing.panels [role=img][aria-label]")
        config = json.loads(bench["data-config"])
        assert (site / "_static" / config["file"]["name"]).stat().st_size == config["file"]["bytes"]
        loaded = re.search(r'src: "([^"]*)"', bench.find_next_sibling("script").text)[1]
        assert (site / name).parent.joinpath(loaded).is_file()
        assert not documents[name].select('script[src*="training-bench"]'), "it is loaded when a reader comes near"


def test_the_bench_of_chapter_08_trains_to_what_numpy_reaches(browser, address):
    page, errors, requests = watched(browser.new_context())
    page.goto(f"{address}08-adam-keras-walkthrough.html")
    bench = page.locator(".training-bench")
    bench.scroll_into_view_if_needed()
    button = bench.get_by_role("button", name="Train", exact=True)
    button.wait_for()
    assert not [url for url in requests if "fashion-mnist" in url], "no image is loaded before a press on Train"
    button.click()
    bench.get_by_role("status").filter(has_text="Run 1 is finished").wait_for(timeout=120_000)
    shown = bench.locator(".runs li").first.inner_text()
    accuracy = float(re.search(r"held-out accuracy ([\d.]+)\s%", shown)[1]) / 100
    assert accuracy >= 0.82
    run = train_in_page(page_images(load_fashion_mnist()))
    assert accuracy == pytest.approx(run.val_accuracy[-1], abs=0.01)
    assert errors == []
    page.context.close()


def test_theme_follows_the_system_until_the_reader_chooses(browser, address):
    context = browser.new_context(color_scheme="dark")
    page, errors, _ = watched(context)
    page.goto(address)
    theme = partial(page.evaluate, "document.documentElement.dataset.theme")
    paper = partial(page.evaluate, "getComputedStyle(document.body).backgroundColor")
    assert theme() == "dark"
    dark = paper()
    while theme() == "dark":
        page.locator("button.theme-switch-button:visible").first.click()
    assert paper() != dark
    page.reload(wait_until="commit")
    page.wait_for_selector("article h1")
    assert theme() == "light"
    assert errors == []
    context.close()


def test_dark_pages_are_printed_light(browser, address):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(address)
    themes = []
    for event in ("beforeprint", "afterprint"):
        page.evaluate("event => dispatchEvent(new Event(event))", event)
        themes.append(page.evaluate("document.documentElement.dataset.theme"))
    assert themes == ["light", "dark"]
    context.close()


def test_dark_pages_show_figures_as_they_are(browser, address, chapters):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    name = next(name for name, chapter in chapters.items() if chapter.select(".drawing"))
    page.goto(address + name)
    style = page.locator("article .drawing svg").first.evaluate(
        "image => { const style = getComputedStyle(image); return [style.filter, style.backgroundColor]; }"
    )
    assert style == ["none", "rgba(0, 0, 0, 0)"]
    context.close()


def test_keyboard_meets_the_skip_link_first_and_then_the_page_in_order(browser, address, chapters):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(address + next(iter(chapters)))
    areas = ["#pst-skip-link", "#pst-primary-sidebar", ".bd-header-article", "article", ".prev-next-footer"]
    met = []
    for _ in range(1000):  # a chapter's figures, exercises and quiz hold more than two hundred places to stop at
        if met[-1:] == areas[-1:]:
            break
        page.keyboard.press("Tab")
        area = page.evaluate("areas => areas.find((area) => document.activeElement.closest(area))", areas)
        if area and area not in met[-1:]:
            met.append(area)
    assert met == areas
    page.reload()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert urlsplit(page.url).fragment == "main-content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.close()


def test_anchors_bring_their_entry_into_view(browser, address, documents):
    page = browser.new_page()
    for name in ("notation.html", "references.html", "glossary.html"):
        anchors = [element["id"] for element in documents[name].select("article [id]")][-3:]
        assert anchors, name
        for anchor in anchors:
            page.goto(f"{address}{name}#{anchor}")
            top = page.locator(f"[id='{anchor}']").bounding_box()["y"]
            assert 48 <= top <= 720, f"{name}#{anchor} lies behind the page's head, or outside the window"
    page.close()


def quiz_page(context, address, chapter):
    """A tab with a chapter whose quiz is open, and a function that answers one of its questions, right or wrong."""
    page, errors, _ = watched(context)
    page.goto(f"{address}{chapter}.html")
    right = [[answer.get("right", False) for answer in one["answers"]] for one in quiz(chapter).questions]

    def answer(number, rightly):
        form = page.locator("form.quiz").nth(number)
        form.get_by_role("radio").nth(right[number].index(rightly)).check()
        form.get_by_role("button").click()
        assert form.get_attribute("data-verdict") == ("right" if rightly else "wrong")

    return page, errors, answer, len(right)


CONTENTS = "nav.bd-links"


def test_contents_show_the_quizzes_that_a_reader_has_answered(browser, address, axe):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page, errors, answer, count = quiz_page(context, address, "02-sgd")
    contents, clear = page.locator(CONTENTS), page.get_by_role("button", name="Clear my marks")
    link = contents.get_by_role("link", name="Stochastic gradient descent").first
    answer(0, rightly=False)
    assert (page.locator(".quiz-mark").count(), clear.count()) == (0, 0)
    answer(0, rightly=True)
    answer(1, rightly=True)
    assert link.inner_text() == f"Stochastic gradient descent 2/{count}"
    answer(0, rightly=False)  # what has been answered once stays answered
    page.reload()
    assert contents.get_by_role("link", name=f"Stochastic gradient descent quiz: 2 of {count} answered").count() == 1
    answer(2, rightly=True)
    other = context.new_page()
    other.goto(f"{address}solutions/05-adagrad.html")
    assert other.locator(".quiz-mark").all_inner_texts() == [f"3/{count}"]
    for number in range(count):
        answer(number, rightly=True)
    assert contents.get_by_role("link", name="Stochastic gradient descent quiz answered").count() == 1
    other.locator(".quiz-mark").wait_for()  # without being loaded again
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        page.evaluate(axe)
        report = page.evaluate("axe.run('#pst-primary-sidebar', { preload: false })")
        assert [(problem["id"], problem["nodes"][0]["html"]) for problem in report["violations"]] == []
    clear.click()
    assert page.evaluate("document.activeElement.textContent") == "Your marks are cleared."
    assert page.locator(".quiz-mark").count() == 0
    assert not [key for key in page.evaluate("Object.keys(localStorage)") if "quiz" in key]
    page.reload()
    assert (page.locator(".quiz-mark").count(), clear.count()) == (0, 0)
    assert errors == []
    context.close()


@pytest.mark.parametrize(
    "bad_day",
    [
        "Object.defineProperty(window, 'localStorage', { configurable: true, get() { throw Error('blocked'); } })",
        "Storage.prototype.setItem = () => { throw Error('full'); }",
    ],
    ids=["blocked", "full"],
)
def test_where_nothing_can_be_stored_everything_works_and_leaves_no_mark(browser, address, bad_day):
    context = browser.new_context(color_scheme="light")
    context.add_init_script(bad_day)
    page, _, answer, _ = quiz_page(context, address, "02-sgd")
    answer(0, rightly=True)
    answer(1, rightly=False)
    assert page.locator(".quiz-mark, .quiz-note button").count() == 0
    theme = page.evaluate("document.documentElement.dataset.theme")
    for _ in range(3):  # light, dark, and as the system has it
        page.locator(".theme-switch-button:visible").first.click()
        theme += page.evaluate("document.documentElement.dataset.theme")
    assert "dark" in theme
    errors = []
    page.on("pageerror", lambda error: errors.append(error.stack))
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{address}02-sgd.html")
    page.locator(".primary-toggle").click()
    page.locator("dialog[open] nav.bd-links").wait_for()
    page.goto(f"{address}search.html?q=momentum")
    page.locator("#search-results li a").first.wait_for()
    # The theme's one line in the head, which asks before anything can be put in its place, fails without harm.
    assert [stack for stack in errors if ".js" in stack] == []
    context.close()


def test_the_race_ends_by_itself_and_never_starts_unasked(browser, address):
    for motion, running in (("no-preference", 12), ("reduce", 0)):
        context = browser.new_context(reduced_motion=motion)
        page = context.new_page()
        page.goto(address)
        race_of = "document.querySelector('.race').getAnimations({ subtree: true })"
        timings = page.evaluate(f"{race_of}.map((run) => run.effect.getComputedTiming().endTime)")
        assert len(timings) == running
        assert all(end <= 5500 for end in timings)  # what moves for longer needs a button to stop it
        assert page.locator(".race-again").is_visible() == bool(running)
        if running:
            page.evaluate(f"{race_of}.forEach((run) => run.finish())")
            page.locator(".race-again").click()
            states = page.evaluate(f"{race_of}.map((run) => run.playState)")
            assert states == ["running"] * running
        context.close()


def test_the_race_is_run_by_the_rules_of_the_course():
    surface = ravine()
    assert list(race.paths()) == list(COLORS)
    for name, path in race.paths().items():
        rule = getattr(optimizers, name)(learning_rate=LEARNING_RATES["ravine"][name])
        expected = optimizers.descend(rule, surface.gradient, surface.start, race.STEPS)
        scale = np.linalg.norm(path[-1] - path[0]) / np.linalg.norm(expected[-1] - expected[0])
        np.testing.assert_allclose(path - path[0], scale * (expected - expected[0]) * (1, -1), atol=1e-9)
        assert np.all((path >= 0) & (path <= (race.WIDTH, race.HEIGHT))), f"{name} leaves the picture"


def test_every_chapter_opens_in_colab_and_can_be_downloaded(chapters, site):
    for name, page in chapters.items():
        notebook = name.replace(".html", ".ipynb")
        opened = [link["href"] for link in page.select('a[href^="https://colab.research.google.com/"]')]
        path = f"{CONFIG['repository']['path_to_book']}/{notebook}"
        assert opened, name
        assert set(opened) == {
            f"https://colab.research.google.com/github/{OWNER}/{NAME}/blob/{CONFIG['repository']['branch']}/{path}"
        }, name
        assert page.select_one(".chapter-actions a").get_text() == "Open in Colab"
        download = page.select_one(".chapter-actions a[download]")["href"]
        assert ((site / name).parent / download).read_bytes() == (ROOT / "book" / notebook).read_bytes()


def test_pages_lead_to_their_neighbours_by_name(documents):
    pages = [page for name, page in documents.items() if name not in ("search.html", "404.html")]
    for side in ("a.left-prev", "a.right-next"):
        assert sum(1 for page in pages if not page.select_one(side)) == 1, f"only one page has no {side}"
    for name, page in documents.items():
        for link in page.select(".prev-next-area a"):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link["href"]))
            title = documents[target].select_one("article h1").get_text().removesuffix("#")
            assert title in link.get_text(), name


def test_every_page_describes_itself(documents, site):
    pages = {name: page for name, page in documents.items() if name not in ("search.html", "404.html")}
    descriptions = {}
    for name, page in pages.items():
        head = {tag.get("name") or tag.get("property"): tag.get("content") for tag in page.select("head meta")}
        own = BASE if name == "index.html" else BASE + name
        assert page.select_one('link[rel="canonical"]')["href"] == own == head["og:url"]
        assert 50 <= len(head["description"]) <= 200, f"{name}: {head['description']!r}"
        assert head["og:description"] == head["description"]
        assert not re.search(r"[<>]|&lt;|badge", head["description"]), name
        assert head["og:title"] == page.select_one("article h1").get_text().removesuffix("#")
        assert head["twitter:card"] == "summary_large_image"
        assert (site / head["og:image"].removeprefix(BASE)).is_file()
        descriptions.setdefault(head["description"], []).append(name)
    assert [names for names in descriptions.values() if len(names) > 1] == []
    with Image.open(site / "_static" / "social.png") as picture:
        assert picture.size == (1200, 630)
    listed = re.findall("<loc>(.*)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    ours = [address for address in listed if not address.startswith(f"{BASE}ko/")]
    assert sorted(ours) == sorted(BASE if name == "index.html" else BASE + name for name in pages)


def test_every_page_says_to_machines_what_it_is(documents, site):
    pages = {name: page for name, page in documents.items() if name not in ("search.html", "404.html")}
    for name, page in pages.items():
        (facts,) = [json.loads(script.string) for script in page.select('script[type="application/ld+json"]')]
        head = {tag.get("name") or tag.get("property"): tag.get("content") for tag in page.select("head meta")}
        stated = re.search(r"(\d+) minutes to read", page.select_one("article").get_text())
        assert facts["@type"] == ("Course" if name == "index.html" else "LearningResource"), name
        assert facts["url"] == page.select_one('link[rel="canonical"]')["href"]
        assert (facts["name"], facts["description"]) == (head["og:title"], head["description"])
        assert (facts["inLanguage"], facts["license"]) == (page.html["lang"], LICENCE)
        if name != "index.html":
            assert facts.get("timeRequired") == (f"PT{stated[1]}M" if stated else None), name
            assert facts["isPartOf"] == {"@id": BASE}
    (facts,) = [
        json.loads(script.string) for script in pages["index.html"].select('script[type="application/ld+json"]')
    ]
    times = [re.search(r"(\d+) minutes to read", pages[name].get_text()) for name in pages if re.match(r"\d\d-", name)]
    workload = f"PT{sum(int(time[1]) for time in times if time)}M"
    assert facts["hasCourseInstance"][0]["courseWorkload"] == facts["timeRequired"] == workload


def test_the_book_can_be_put_on_a_home_screen(browser, address, site):
    manifest = json.loads((site / "manifest.webmanifest").read_text(encoding="utf-8"))
    assert {"name", "short_name", "start_url", "display", "icons"} <= manifest.keys()
    assert (site / manifest["start_url"]).is_file()
    assert all((site / icon["src"]).is_file() for icon in manifest["icons"])
    page = browser.new_page()
    page.goto(f"{address}solutions/05-adagrad.html")
    link = page.locator('link[rel="manifest"]')
    assert link.evaluate("link => link.href") == f"{address}manifest.webmanifest"
    page.goto((site / "index.html").as_uri())  # from where a browser takes none, and complains
    assert page.locator('link[rel="manifest"]').count() == 0
    page.close()


def test_page_for_wrong_addresses_needs_no_other_file(documents):
    page = documents["404.html"]
    assert page.select("script, img, link:not([href^='data:'])") == []
    assert [link["href"] for link in page.select("main a")] == [BASE, f"{BASE}ko/"]


def test_icons_are_drawn_into_the_page(documents):
    for name, page in documents.items():
        assert page.select('i[class*="fa-"], span[class*="fa-"], script[src*="fontawesome"]') == [], name
    assert len(documents["index.html"].select("svg.icon path")) >= 5


CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}


def test_mathml_is_valid_where_number_counts(documents):
    wrong = [
        (name, str(element)[:200])
        for name, page in documents.items()
        for element in page.select(",".join(CHILDREN))
        if len(element.find_all(recursive=False)) != CHILDREN[element.name]
    ]
    assert wrong == []


def test_formulas_carry_mathml(documents):
    formulas = [formula for page in documents.values() for formula in page.select("span.katex")]
    assert formulas
    assert all(formula.select_one("math annotation") for formula in formulas)


def test_licences_of_what_is_passed_on_are_passed_on(site):
    for font in (site / "_static").rglob("*.woff2"):
        if "vendor" not in font.parts:
            assert [path for folder in (font.parent, font.parent.parent) for path in folder.glob("LICENSE*")], font.name


def test_renderer_of_formulas_ends_with_the_build(tmp_path):
    process, connection = start_katex(KaTeXServer, tmp_path, timeout=60)
    assert process.poll() is None
    connection.close()
    process.stdin.close()  # which the system does for a process that ends, in whatever way
    try:
        assert process.wait(timeout=30) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    finally:
        process.stdout.close()

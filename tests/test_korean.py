"""The Korean edition: what its catalogues hold against the English text, its notebooks, and its pages."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools import catalogues, drawn_words, korean, languages, proofreading
from tools.blocks import messages, translated
from tools.repository import current_url, setup_cell
from utils.language import table
from utils.plotting import DRAWING, LOOKS

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
SOURCES = catalogues.sources()
COMPLETE = languages.complete()
TERMS = proofreading.terms()
PAGES = [source for source in SOURCES.values() if source.is_page]
every_page = pytest.mark.parametrize("source", PAGES, ids=lambda source: source.name)


def korean_only(text):
    return "".join(re.findall("[가-힣]", text))


# --- messages ------------------------------------------------------------------------------------------------------


@every_page
def test_what_is_put_in_a_messages_place_changes_nothing_else(source):
    marked = source.translated(lambda message, _: f"⟦{message}⟧")
    assert marked.count("⟦") >= 10
    assert marked.replace("⟦", "").replace("⟧", "") == source.path.read_text(encoding="utf-8")


def test_a_message_is_a_paragraph_an_item_a_cell_a_heading():
    page = "# A title\n\nOne\nparagraph, $a$.\n\n- an *item*\n  of two lines\n\n"
    page += "| head | |\n|---|---|\n| cell `a` | $b$ |\n\n$$c$$"
    assert messages(page) == [
        ("A title", "heading"),
        ("One paragraph, $a$.", "paragraph"),
        ("an *item* of two lines", "paragraph"),
        ("head", "cell"),
        ("cell `a`", "cell"),
    ]
    korean = translated(
        page, lambda message, _: {"an *item* of two lines": "항목", "cell `a`": "칸 `a`"}.get(message, message)
    )
    assert "- 항목\n\n" in korean
    assert "| 칸 `a` | $b$ |" in korean
    assert "One\nparagraph" in korean


def test_a_page_in_myst_has_messages_in_its_head_and_its_directives():
    page = "---\nmyst:\n  html_meta:\n    description: What it is.\n---\n\n```{race}\n:alt: A map.\nA caption.\n```\n"
    page += "\n```{glossary}\nbias · 절편\n  A number.\n```\n\n```python\nx = 'no message'\n```\n"
    assert messages(page, page=True) == [
        ("What it is.", "description"),
        ("A map.", "alt text"),
        ("A caption.", "race"),
        ("bias · 절편", "term"),
        ("A number.", "definition"),
    ]


# --- proofreading --------------------------------------------------------------------------------------------------

ENGLISH = "The **learning rate** $\\alpha$ is 0.9 in `fit` ([02](02-sgd.ipynb#limit)), in all twelve steps."
KOREAN = "**학습률** $\\alpha$는 `fit`에서 0.9이고([02](02-sgd.ipynb#limit)), 12스텝 모두 그렇습니다."


def test_a_translation_that_says_the_same_passes():
    assert proofreading.problems(ENGLISH, KOREAN, TERMS) == []


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("0.9이고", "0.8이고", "numbers differ"),
        ("12스텝", "13스텝", "numbers differ"),
        ("$\\alpha$", "$\\beta$", "formulas differ"),
        ("`fit`", "`fits`", "code differ"),
        ("02-sgd.ipynb#limit", "02-sgd.ipynb#limits", "links differ"),
        ("**학습률**", "학습률", "bold parts differ"),
        ("**학습률**", "**학습률(learning rate)**은", "marks of Markdown show"),
        ("학습률", "학습 속도", "never said"),
        ("학습률", "스텝 크기", "'learning rate' is '학습률', which is missing"),
        ("$\\alpha$는", "$\\alpha$은", "so 는"),
        ("$\\alpha$는", "$\\alpha$은(는)", "choose one"),
        ("그렇습니다", "그렇다", "-니다"),
    ],
)
def test_what_breaks_a_translation_is_seen(right, wrong, found):
    assert right in KOREAN
    assert any(found in problem for problem in proofreading.problems(ENGLISH, KOREAN.replace(right, wrong), TERMS))


def test_the_second_name_of_a_term_is_refused_and_its_other_sense_is_not():
    refused = ["'weight decay' is '가중치 감쇠', not '가중치 감소'"]
    assert proofreading.problems("Weight decay.", "가중치 감소.", TERMS) == refused
    assert proofreading.problems("The gradient is the slope.", "그레이디언트는 기울기입니다.", TERMS) == []
    assert proofreading.problems("Bias correction.", "편향 보정.", TERMS) == []
    assert len(TERMS.glossary) > 80


@pytest.mark.parametrize(
    ("text", "particle"),
    [
        ("0.9", "를"),
        ("10", "을"),
        ("71%", "를"),
        ("Adam", "은"),
        ("Keras", "는"),
        ("SGD", "는"),
        ("`momentum`", "은"),
        ("`learning_rate`", "는"),
        ("`beta_1`", "로"),
        ("$\\theta_t$", "는"),
        ("$x^2$", "은"),
        ("$\\epsilon$", "은"),
        ("**누적**", "은"),
        ("[함수](a.md)", "는"),
    ],
)
def test_particles_fit_what_they_follow(text, particle):
    consonant, vowel = next(pair for pair in proofreading.PARTICLES if particle in pair)
    other = vowel if particle == consonant else consonant
    assert proofreading._particles(f"{text}{particle} 봅니다") == []
    assert len(proofreading._particles(f"{text}{other} 봅니다")) == 1


# --- catalogues ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page of two paragraphs whose catalogue is complete, and the source that stands for both."""
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    source = catalogues.Source("page", tmp_path / "page.md")
    source.path.write_text("# A page\n\nIt has 2 paragraphs, which say little.\n", encoding="utf-8")
    new = {"A page": "페이지", "It has 2 paragraphs, which say little.": "문단이 2개 있고, 별말은 없습니다."}
    source.catalogue.parent.mkdir()
    text = catalogues.refreshed(source, {catalogues.label(english): said for english, said in new.items()})
    source.catalogue.write_text(text, encoding="utf-8")
    return source


def test_a_refreshed_catalogue_stays_as_it_is(page):
    assert catalogues.state(page, TERMS) == (2, [], [], [])
    assert catalogues.refreshed(page) == page.catalogue.read_text(encoding="utf-8")
    assert catalogues.listed(page) == ""


def test_a_changed_paragraph_is_stale_and_its_translation_is_not_used(page):
    changed = "It has 3 paragraphs, which say little."
    page.path.write_text(page.path.read_text(encoding="utf-8").replace("2", "3"), encoding="utf-8")
    assert catalogues.state(page, TERMS).missing == [changed]
    text = catalogues.refreshed(page)
    page.catalogue.write_text(text, encoding="utf-8")
    assert '#, fuzzy\n#| msgid "It has 2 paragraphs' in text
    assert catalogues.refreshed(page) == text
    assert catalogues.state(page, TERMS).stale == [changed]
    assert list(catalogues.translations(catalogues.read(page.catalogue))) == ["A page"]
    new = catalogues.taken(catalogues.listed(page).replace(changed, "문단이 3개 있고, 별말은 없습니다."))
    page.catalogue.write_text(catalogues.refreshed(page, new), encoding="utf-8")
    assert catalogues.state(page, TERMS) == (2, [], [], [])
    assert "fuzzy" not in page.catalogue.read_text(encoding="utf-8")


def test_a_missing_paragraph_is_missing(page):
    page.path.write_text(page.path.read_text(encoding="utf-8") + "\nQuite another thing.\n", encoding="utf-8")
    assert catalogues.state(page, TERMS).missing == ["Quite another thing."]


@pytest.mark.parametrize(
    ("file", "pattern", "broken", "found"),
    [
        ("catalogue", r'(msgstr ".*)0\.1(?=[가-힣])', r"\g<1>0.2", "numbers differ"),
        ("catalogue", r'(msgstr ".*)학습률', r"\g<1>보폭", "'learning rate' is '학습률'"),
        ("catalogue", r'(msgstr ".*)그레이디언트', r"\g<1>기울기", "'gradient' is '그레이디언트'"),
        ("catalogue", r'(msgstr ".*\]\()references\.md', r"\g<1>notation.md", "links differ"),
        ("catalogue", r'(msgstr ".*)\$\\\\alpha\$', r"\g<1>$a$", "formulas differ"),
        ("catalogue", r'msgstr "[^"]{40,}"', 'msgstr ""', "missing"),
        ("page", "You will learn", "You are going to learn", "missing"),
    ],
    ids=["number", "term", "other term", "link", "formula", "missing", "English changed"],
)
def test_what_is_broken_on_a_real_page_is_seen(file, pattern, broken, found, tmp_path, monkeypatch):
    source = SOURCES["02-sgd"]
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path)
    copied = source._replace(path=tmp_path / source.path.name)
    texts = {copied.path: source.path, copied.catalogue: catalogues.ROOT / "locale" / "ko" / "02-sgd.po"}
    for path, original in texts.items():
        text = original.read_text(encoding="utf-8")
        if path == (copied.catalogue if file == "catalogue" else copied.path):
            text, times = re.subn(pattern, broken, text, count=1)
            assert times == 1
        path.write_text(text, encoding="utf-8")
    _, missing, stale, problems = catalogues.state(copied, TERMS)
    assert stale == []
    if found == "missing":
        assert (len(missing), problems) == (1, [])
    else:
        assert missing == []
        assert any(found in problem for problem in problems)


@pytest.mark.parametrize("name", COMPLETE)
def test_what_is_listed_as_complete_is_complete(name):
    """After a change of the English text: ``make catalogues``, translate what it lists, and run this again."""
    found = catalogues.state(SOURCES[name], TERMS)
    assert found[1:] == ([], [], [])


@pytest.mark.parametrize("name", COMPLETE)
def test_catalogue_and_table_are_as_the_command_writes_them(name):
    source = SOURCES[name]
    assert catalogues.refreshed(source) == source.catalogue.read_text(encoding="utf-8"), "run `make catalogues`"
    if source.korean:
        assert catalogues.korean_table(source) == source.korean.read_text(encoding="utf-8"), "run `make catalogues`"


def test_a_complete_page_speaks_korean_in_its_quiz_and_its_figures_too():
    for name in languages.translated_pages():
        text = SOURCES[name].path.read_text(encoding="utf-8")
        wanted = {"tools"}
        wanted |= {"utils/quiz", f"utils/quiz/{name}"} if "quiz('" in text else set()
        wanted |= {"utils/playground"} if "optimizer-playground" in text else set()
        wanted |= {"utils/exercises"} if '"check.' in text else set()
        wanted |= {"utils/drawing"} if 'class=\\"draw-it\\"' in text else set()
        wanted |= {"utils/bench"} if '"Training bench: ' in text else set()
        wanted |= {"figures"} if DRAWING in text else set()
        assert wanted <= set(COMPLETE), name


def test_tables_in_korean_have_no_key_that_the_english_ones_lack():
    for path in [*ROOT.glob("utils/*/ko.json"), ROOT / "tools" / "ko.json"]:
        korean_keys, english_keys = (
            json.loads(each.read_text("utf-8")).keys() for each in (path, path.with_name("en.json"))
        )
        assert korean_keys <= english_keys
        assert table(path.parent, "ko").keys() == english_keys, "what is missing is said in English"


# --- notebooks -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The folder of the Korean sources of all pages, though most may be English still."""
    folder = tmp_path_factory.mktemp("ko-source")
    command = [sys.executable, "-m", "tools.korean", "--all", "--target", folder]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return folder / "book"


@pytest.mark.slow
@pytest.mark.parametrize("source", [page for page in PAGES if page.path.suffix == ".ipynb"], ids=lambda page: page.name)
def test_a_korean_notebook_has_the_code_and_the_outputs_of_the_english_one(source, sources):
    english = json.loads(source.path.read_text(encoding="utf-8"))
    ours = json.loads((sources / f"{source.name}.ipynb").read_text(encoding="utf-8"))
    assert [cell["id"] for cell in ours["cells"]] == [cell["id"] for cell in english["cells"]]
    for cell, twin in zip(ours["cells"], english["cells"], strict=True):
        if cell["cell_type"] == "markdown":
            continue
        code, english_code = ("".join(each["source"]) for each in (cell, twin))
        if english_code == setup_cell(current_url()):
            assert code == korean.set_up(current_url())
        elif english_code.startswith("#@title"):
            assert code.startswith("#@title ✓ 확인함: ")
            assert code.partition("\n")[2] == english_code.partition("\n")[2]
        else:
            assert code == english_code
        for output, english_output in zip(cell["outputs"], twin["outputs"], strict=True):
            for kind in ("image/png", "text/plain"):
                assert output.get("data", {}).get(kind) == english_output.get("data", {}).get(kind)
            drawing, english_drawing = (
                "".join(each.get("data", {}).get(DRAWING, "")) for each in (output, english_output)
            )
            assert drawn_words.LABEL.sub("", drawing) == drawn_words.LABEL.sub("", english_drawing)
            assert drawing.count("<text") == english_drawing.count("<text")
            if not code.startswith("check."):
                assert output.get("text") == english_output.get("text")


#: What figures say that is the same in Korean, beside the names of rules: values of settings, a layer, a library.
SAME = {"sgd", "adagrad", "rmsprop", "output", "optax", "AMSGrad", "Schedule-Free", "ScheduleFree"}


@pytest.mark.slow
def test_no_figure_has_an_english_word_left(sources):
    """By what the drawings show at last, not by what the catalogue holds."""
    seen = 0
    for path in sources.rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                drawing = "".join(output.get("data", {}).get(DRAWING, ""))
                for label in BeautifulSoup(drawing, "html.parser").select("text"):
                    text = "".join(label.stripped_strings)
                    words = re.findall(r"(?<![\w.])[A-Za-z][A-Za-z-]+(?![\w])", text)
                    assert [word for word in words if word not in SAME | set(LOOKS)] == [], path.name
                    seen += bool(korean_only(text))
    assert seen > 300


@pytest.mark.slow
def test_the_korean_notebook_of_chapter_02_speaks_korean(sources):
    cells = json.loads((sources / "02-sgd.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "/blob/ko/book/02-sgd.ipynb)" in "".join(cells[0]["source"])
    shown = [
        "".join(output["data"].get("text/html", ""))
        for cell in cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    figure = next(html for html in shown if "optimizer-playground" in html)
    quiz = next(html for html in shown if 'class="quiz"' in html)
    assert "학습률 α" in figure
    assert "무엇을 먼저 바꾸겠습니까?" in quiz
    assert len(korean_only(quiz)) > 1000


def test_the_korean_set_up_cell_runs_and_makes_the_helpers_speak_korean():
    code = korean.set_up(current_url())
    assert "# 한 번만" in code
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("%pip")]
    code = "\n".join(
        line if "google.colab" not in line else "assert 'google.colab' not in sys.modules" for line in lines
    )
    end = "\nimport utils.language\nprint(utils.language.LANGUAGE)"
    clean = {name: value for name, value in os.environ.items() if name != "OPTIMIZERS_LANGUAGE"}
    run = subprocess.run([sys.executable, "-c", code + end], cwd=ROOT, env=clean, capture_output=True, text=True)
    assert (run.stdout.strip(), run.returncode) == ("ko", 0), run.stderr


@pytest.mark.slow
def test_notebooks_reach_the_branch_that_their_badges_open(sources, tmp_path):
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True)
    for _ in range(2):  # the second time over what is there
        korean.publish(sources.parent, remote.as_uri())
    listing = ["git", "ls-tree", "-r", "--name-only", "ko"]
    names = subprocess.run(listing, cwd=remote, check=True, capture_output=True, text=True).stdout.split()
    assert names == sorted(f"book/{page.name}.ipynb" for page in PAGES if page.path.suffix == ".ipynb")


def test_a_verdict_is_said_in_korean_with_the_same_values(monkeypatch):
    said = {
        "passed": "통과했습니다. 처음 보는 입력 {trials}개에서 모두 맞습니다.",
        "wrong_value": "아직 아닙니다. {got}는 답이 아닙니다.",
    }
    english = json.loads((ROOT / "utils" / "exercises" / "en.json").read_text(encoding="utf-8"))
    monkeypatch.setattr(korean, "table", lambda *_: english | said)
    korean.verdicts.cache_clear()
    passed = english["passed"].format(trials=8) + "\n"
    assert korean.verdict(passed) == "통과했습니다. 처음 보는 입력 8개에서 모두 맞습니다.\n"
    assert korean.verdict(english["wrong_value"].format(got=0.5)) == "아직 아닙니다. 0.5는 답이 아닙니다."
    assert korean.verdict("Anything else.") == "Anything else."
    korean.verdicts.cache_clear()


def test_links_to_pages_that_are_not_in_korean_lead_to_the_english_site():
    text = (
        "[a](02-sgd.ipynb#limit), [b](../notation.md), `[c](02-sgd.ipynb)`, [d](https://example.org/a.md), [e](#here)"
    )
    led = korean.lead_to_english(text, "deeper/page", ["notation"], "https://github.com/ada/course")
    assert led == text.replace("(02-sgd.ipynb#limit)", "(https://ada.github.io/course/deeper/02-sgd.html#limit)")


@pytest.mark.slow
def test_helpers_speak_the_language_that_the_environment_names_and_english_where_they_lack_it():
    program = "from utils.quiz import quiz; print(quiz('02-sgd').questions[0]['question']); "
    program += "from utils.language import texts; print(texts('quiz')['check']); print(texts('measure')['silent'])"
    said = {}
    for language in ("ko", "xx"):
        environment = os.environ | {"OPTIMIZERS_LANGUAGE": language, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
        )
        said[language] = run.stdout
    assert "Check\n" in said["xx"]
    assert "확인\n" in said["ko"]
    assert len(korean_only(said["ko"])) > 20


# --- pages ---------------------------------------------------------------------------------------------------------

KOREAN_PAGES = languages.translated_pages()


@pytest.fixture(scope="module")
def twins(site):
    """(Korean page, English page) by name, parsed."""
    return {
        name: [
            BeautifulSoup((site / folder / f"{name}.html").read_text("utf-8"), "html.parser") for folder in ("ko", ".")
        ]
        for name in KOREAN_PAGES
    }


def test_headings_keep_the_english_anchors(twins):
    assert twins
    for name, pair in twins.items():
        ours, theirs = ([section["id"] for section in page.select("article section[id]")] for page in pair)
        assert ours == theirs, name


def test_twins_name_each_other_to_search_engines(twins, site):
    base = korean.site_of(current_url())
    listed = (site / "sitemap.xml").read_text(encoding="utf-8")
    for name, pair in twins.items():
        page = "" if name == "index" else f"{name}.html"
        both = {"en": base + page, "ko": f"{base}ko/{page}", "x-default": base + page}
        for language, document in zip(("ko", "en"), pair, strict=True):
            assert document.html["lang"] == language
            found = {link["hreflang"]: link["href"] for link in document.select("head link[rel=alternate][hreflang]")}
            assert found == both, name
            assert document.select_one('link[rel="canonical"]')["href"] == both[language]
            assert f"<loc>{both[language]}</loc>" in listed


def first_load(page, path):
    """Return how many bytes a page has together with what it asks for at once."""
    asked = [element["src"] for element in page.select("script[src], img[src]")]
    asked += [element["href"] for element in page.select("link[rel=stylesheet], link[rel=preload], link[rel=icon]")]
    files = {path} | {(path.parent / url.partition("?")[0]).resolve() for url in asked if not re.match(r"\w+:", url)}
    return sum(file.stat().st_size for file in files if file.is_file())


def test_no_korean_page_is_much_heavier_than_its_english_twin(twins, site):
    more = {
        name: first_load(pair[0], site / "ko" / f"{name}.html") - first_load(pair[1], site / f"{name}.html")
        for name, pair in twins.items()
    }
    assert max(more.values()) <= 200_000, max(more, key=more.get)
    fonts = [sorted(path.name for path in folder.rglob("*.woff2")) for folder in (site / "ko", site / "_static")]
    assert set(fonts[0]) <= set(fonts[1]), "Hangul is in the reader's own fonts; a font would weigh more than the page"


def test_korean_pages_are_korean_throughout(twins):
    for name, (page, _) in twins.items():
        theme = " ".join(
            element.get(key, "") for element in page.select("[title], [aria-label]") for key in ("title", "aria-label")
        )
        around = copy.copy(page)
        for text in around.select("article"):  # where code, and titles of papers, are in English
            text.decompose()
        assert "On your own machine" not in page.select_one("article").get_text(), name
        for english in (
            "Contents of",
            "Skip to",
            "Back to top",
            "sidebar",
            "Search",
            "previous",
            "next page",
            "Suggest",
            "By The",
        ):
            assert english not in theme, name
            assert english not in around.select_one("body").get_text(), name


def test_the_switch_keeps_the_page_and_the_place_in_it(browser, address):
    page = browser.new_page()
    page.goto(f"{address}notation.html")
    page.get_by_role("link", name="한국어").click()
    page.wait_for_url(f"{address}ko/notation.html")
    page.locator("section#the-rules h2").evaluate("heading => heading.scrollIntoView({ behavior: 'instant' })")
    page.get_by_role("link", name="English").evaluate("link => link.click()")  # a real click scrolls
    page.wait_for_url(f"{address}notation.html#the-rules")
    page.locator("section#the-rules h2").evaluate("heading => heading.scrollIntoView({ behavior: 'instant' })")
    page.get_by_role("link", name="한국어").evaluate("link => link.click()")
    page.wait_for_url(f"{address}ko/notation.html#the-rules")
    page.close()


def test_pages_that_are_not_in_korean_have_no_switch(site):
    missing = next((source.name for source in PAGES if source.name not in KOREAN_PAGES), None)
    if missing is None:
        pytest.skip("every page is in Korean")
    assert "btn-language" not in re.sub(
        r"<script.*?</script>", "", (site / f"{missing}.html").read_text("utf-8"), flags=re.DOTALL
    )


@pytest.mark.parametrize("query", ["그레이디언트", "모멘텀"])
def test_korean_search_finds_korean_words(browser, address, query):
    page = browser.new_page()
    page.goto(f"{address}ko/search.html?q={query}")
    page.locator("#search-results li a[href*='/ko/']").first.wait_for()
    assert "검색 결과" in page.locator(".search-summary").inner_text()
    page.close()


# Of every drawing of a page: which of its words reach beyond it, and which pairs of them overlap by more than their
# boxes' edges.
CROWDED = """() => [...document.querySelectorAll(".drawing svg")].map((drawing) => {
  const edge = drawing.getBoundingClientRect(), found = [];
  const words = [...drawing.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const boxes = words.map((text) => text.getBoundingClientRect());
  boxes.forEach((box, one) => {
    if (Math.max(edge.left - box.left, box.right - edge.right, edge.top - box.top, box.bottom - edge.bottom) > 2)
      found.push(`${one} beyond the edge`);
    boxes.slice(one + 1).forEach((other, two) => {
      const wide = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const high = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (wide > 1 && high > 3) found.push(`${one} over ${one + 1 + two}`);
    });
  });
  return found;
})"""


def test_korean_words_have_room_in_the_figures(browser, address):
    page, drawings = browser.new_page(viewport={"width": 1280, "height": 900}), 0
    for source in (source for source in PAGES if DRAWING in source.path.read_text(encoding="utf-8")):
        found = []
        for folder in ("", "ko/"):
            page.goto(f"{address}{folder}{source.name}.html", wait_until="domcontentloaded")
            found.append(page.evaluate(CROWDED))
        for english, ours in zip(*found, strict=True):
            assert set(ours) <= set(english), source.name
        drawings += len(found[0])
    assert drawings > 70
    page.close()


def test_korean_pages_shut_nobody_out(browser, address, axe, settle):
    context = browser.new_context(reduced_motion="reduce")
    page, requests, errors = context.new_page(), [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name in KOREAN_PAGES:
        page.goto(f"{address}ko/{name}.html")
        for width in (320, 768, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 50)))")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        page.evaluate(settle)
        page.evaluate(axe)
        report = page.evaluate("axe.run({ preload: false, resultTypes: ['violations'] })")
        assert [(problem["id"], problem["nodes"][0]["html"]) for problem in report["violations"]] == [], name
    assert [url for url in requests if not url.startswith((address, "data:"))] == []
    assert errors == []
    context.close()

"""The quizzes: that their questions are fair, and that they can be answered by anybody, anywhere they are shown."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

from utils import optimizers, surfaces
from utils.language import texts
from utils.quiz import Quiz, quiz
from utils.quiz.form import FOLDER, curve, markup

BOOK = Path(__file__).resolve().parents[2] / "book"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
MOST_BYTES = 7_000  # compressed

SMALL = [
    {
        "question": "Is `a < b` *less*?",
        "answers": [
            {"text": "No", "why": "It is, see x~0~."},
            {"text": "Yes", "right": True, "why": "As said."},
            {"text": "Never", "why": "Sometimes."},
        ],
    },
    {
        "question": "Which curve is lower?",
        "picture": {
            "alt": "Two curves, A above B.",
            "x": "epoch",
            "y": "loss",
            "first": 1,
            "curves": {"A": [3, 2, 2], "B": [1, 1, 0]},
        },
        "answers": [{"text": "A", "why": "It is above."}, {"text": "B", "right": True, "why": "Look at it."}],
    },
]


@pytest.fixture(params=NAMES)
def questions(request):
    return quiz(request.param).questions


def test_questions_have_one_right_answer_and_a_reason_for_each(questions):
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert set(question) <= {"question", "picture", "answers"}
        assert 3 <= len(question["answers"]) <= 5, question["question"]
        assert [answer.get("right") for answer in question["answers"]].count(True) == 1, question["question"]
        texts = [answer["text"] for answer in question["answers"]]
        reasons = [answer["why"] for answer in question["answers"]]
        assert len(set(texts)) == len(set(reasons)) == len(texts), question["question"]
        for answer in question["answers"]:
            assert set(answer) <= {"text", "right", "why"}, answer
            assert answer.get("right", True) is True, answer  # wrong answers need no mark
            assert len(answer["why"]) >= 40, answer
            assert re.search(r"[.!?)`]$", answer["why"]), answer


def test_right_answers_do_not_give_themselves_away(questions):
    places, longest = set(), 0
    for question in questions:
        place = next(index for index, answer in enumerate(question["answers"]) if "right" in answer)
        lengths = [len(answer["text"]) for answer in question["answers"]]
        places.add(place)
        longest += lengths[place] > max(lengths[:place] + lengths[place + 1 :])
    assert len(places) > 1, "the right answer always stands at the same place"
    assert longest <= len(questions) / 2, "the right answer is mostly the longest"


def test_one_question_is_about_a_picture(questions):
    pictures = [question["picture"] for question in questions if "picture" in question]
    assert pictures or any("figure" in question["question"] for question in questions)
    for picture in pictures:
        assert set(picture) <= {"alt", "x", "y", "first", "logarithmic", "curves"}
        assert len(picture["alt"]) >= 50
        assert 1 <= len(picture["curves"]) <= 3
        assert len(picture["curves"]) == 1 or all(picture["curves"]), "several curves need names"


def test_texts_hold_no_markup_that_would_be_seen(questions):
    shown = BeautifulSoup(Quiz("x", questions)._repr_html_(), "html.parser")
    for part in shown(["code", "style", "script"]):
        part.decompose()
    assert not re.search(r"[$`*~^\\_]|\d/\d\d+\w", shown.get_text()), "maths is written in letters, as α and λ~max~"


def test_every_chapter_has_a_quiz_and_nothing_else_has():
    chapters = sorted(path.stem for path in BOOK.glob("[0-9][0-9]-*.ipynb"))
    assert {name[:2] for name in chapters} >= {f"{number:02}" for number in range(1, 10)}
    assert chapters == NAMES


def test_chapters_show_their_own_quiz_and_no_other():
    for path in BOOK.rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        shown = [
            name for cell in cells for name in re.findall(r'^quiz\("(.*)"\)', "".join(cell["source"]), re.MULTILINE)
        ]
        assert shown == ([path.stem] if path.parent == BOOK and path.stem in NAMES else []), path.name


def test_a_quiz_is_light(questions):
    assert len(gzip.compress(Quiz("x", questions)._repr_html_().encode())) < MOST_BYTES


def test_what_is_displayed_is_the_same_in_every_process():
    program = f"from utils.quiz import quiz; print([(repr(q), q._repr_html_()) for q in map(quiz, {NAMES})])"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }
    assert len(seen) == 1


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"name must be one of .*02-sgd.*, got '12-adamw'"):
        quiz("12-adamw")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b & `a < b`", "a &lt; b &amp; <code>a &lt; b</code>"),
        ("λ~max~ and *v~t~* and 10^−3^", "λ<sub>max</sub> and <em>v<sub>t</sub></em> and 10<sup>−3</sup>"),
        ("2 * 3 * 4, `a * b * c`, `x**2`", "2 * 3 * 4, <code>a * b * c</code>, <code>x**2</code>"),
    ],
)
def test_markup(text, expected):
    assert markup(text) == expected


def test_a_described_run_is_run():
    surface = surfaces.ravine(50)
    rule = optimizers.Momentum(learning_rate=0.1, momentum=0.8)
    expected = surface.value(optimizers.descend(rule, surface.gradient, surface.start, 30))
    given = {"optimizer": "Momentum", "learning_rate": 0.1, "momentum": 0.8, "surface": "ravine"}
    np.testing.assert_allclose(curve(given | {"condition_number": 50, "steps": 30}), expected, rtol=1e-12)
    assert curve([3, 2]).tolist() == [3, 2]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_pictures_are_drawn_to_scale(logarithmic):
    heights = [100.0, 10.0, 1.0, 40.0]
    picture = {"alt": "A curve.", "x": "epoch", "y": "loss", "first": 1, "logarithmic": logarithmic}
    asked = [{"question": "?", "picture": picture | {"curves": {"": heights}}, "answers": []}]
    svg = BeautifulSoup(Quiz("x", asked)._repr_html_(), "html.parser").svg
    points = np.array([point.split() for point in svg.g.path["d"][1:].split("L")], float)
    scale = np.log10 if logarithmic else np.array
    expected = scale([1.0, 10.0, 100.0, 40.0])
    down = points[[2, 1, 0, 3], 1]
    share = (expected - expected[0]) / (expected[2] - expected[0])
    np.testing.assert_allclose((down - down[0]) / (down[2] - down[0]), share, atol=0.01)
    np.testing.assert_allclose(np.diff(points[:, 0]), 100, atol=1)
    labels = {text.get_text(): text for text in svg.find_all("text")}
    assert {"epoch", "loss", "1", "4", "100"} <= set(labels)
    assert abs(float(labels["100"]["y"]) - 4 - down[2]) <= 1


def test_two_curves_carry_their_names_and_other_dashes():
    svg = BeautifulSoup(Quiz("x", SMALL)._repr_html_(), "html.parser").svg
    assert {"A", "B"} <= {text.get_text() for text in svg.find_all("text")}
    assert len({path["stroke-dasharray"] for path in svg.g.find_all("path")}) == 2


def page_of(folder, *outputs):
    path = folder / "quiz.html"
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Quiz</title><main><h1>Quiz</h1>'
    style = (
        "<style>:root{color-scheme:light dark;background:light-dark(#fffefc,#15171b);color:light-dark(#23272d,#d6d9de)}"
    )
    path.write_text(f"{head}{style}</style>{''.join(outputs)}</main></html>", encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def tab(browser):
    """A new tab, which must meet no error and ask for nothing."""
    context = browser.new_context()
    page, errors, requests = context.new_page(), [], []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    yield page
    assert errors == []
    assert len(requests) == 1
    context.close()


def test_a_quiz_is_answered_by_keyboard_alone(tab, tmp_path):
    tab.goto(page_of(tmp_path, Quiz("x", SMALL)._repr_html_()))
    verdicts = tab.get_by_role("status").all_text_contents
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('fieldset').querySelector('legend').textContent").startswith(
        "Question 1 of 2."
    )
    tab.keyboard.press("Enter")
    assert verdicts() == ["Choose an answer first.", ""]
    tab.keyboard.press("Space")
    assert verdicts() == ["", ""]  # the reader looks through the answers in peace
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    assert verdicts() == ["", ""]
    tab.keyboard.press("Enter")
    assert verdicts() == ["Not this one. It is, see x0.\n", ""]
    tab.keyboard.press("ArrowDown")
    assert verdicts() == ["", ""]
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Check"
    tab.keyboard.press("Space")
    assert verdicts() == ["Right. As said.\n", ""]
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert verdicts() == ["Right. As said.\n", "Right. Look at it.\n"]


def test_screen_readers_hear_question_answers_and_verdict(tab, tmp_path):
    tab.goto(page_of(tmp_path, Quiz("x", SMALL)._repr_html_()))
    group = tab.get_by_role("group", name="Question 1 of 2. Is a < b less?")
    assert group.get_by_role("radio").count() == 3
    group.get_by_role("radio", name="Yes").check()
    assert tab.get_by_role("img", name="Two curves, A above B.").is_visible()
    # The region is there, and empty, before it speaks: only then do all screen readers announce what is put into it.
    status = tab.locator("form").first.get_by_role("status")
    assert (status.count(), status.text_content()) == (1, "")
    tab.get_by_role("button", name="Check").first.click()
    assert status.text_content().startswith("Right.")
    assert tab.get_by_role("group").filter(has=tab.locator("summary")).count() == 0  # no second set of answers


def test_two_copies_of_a_quiz_do_not_disturb_each_other(tab, tmp_path):
    shown = Quiz("x", SMALL[:1])._repr_html_()
    tab.goto(page_of(tmp_path, shown, shown))
    tab.get_by_role("radio", name="Yes").nth(0).check()
    tab.get_by_role("radio", name="No").nth(1).check()
    for button in tab.get_by_role("button").all():
        button.click()
    assert [text[:5] for text in tab.get_by_role("status").all_text_contents()] == ["Right", "Not t"]


def test_without_scripts_the_answers_can_be_unfolded(browser, tmp_path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_of(tmp_path, Quiz("x", SMALL)._repr_html_()))
    assert not page.get_by_role("button").first.is_visible()
    page.get_by_text(texts("quiz")["answers"]).first.click()
    assert page.get_by_text("As said.").is_visible()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_quiz(browser, axe, tmp_path, theme):
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.goto(page_of(tmp_path, *(quiz(name)._repr_html_() for name in NAMES)))
    for form in page.locator("form.quiz").all():
        form.get_by_role("radio").first.check()
        form.get_by_role("button").click()
    page.evaluate(axe)
    report = page.evaluate("axe.run({ preload: false })")
    assert [(problem["id"], problem["nodes"][0]["html"]) for problem in report["violations"]] == []
    context.close()


def test_in_jupyterlab_keys_are_answers_and_no_shortcuts(run_in_jupyterlab):
    page, errors = run_in_jupyterlab('from utils.quiz import quiz\nquiz("02-sgd")', "pass")
    form = page.locator("form.quiz").first
    form.get_by_role("radio").first.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")  # in command mode, this would be a new cell
    page.keyboard.press("Enter")
    form.get_by_role("status").get_by_text("Right.").wait_for()
    assert page.locator(".jp-Cell").count() == 2
    assert form.get_by_role("radio").nth(1).is_checked()
    assert errors == []

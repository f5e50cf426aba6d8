"""You draw it, in a browser: what a reader can do, what she sees then, and where nothing runs."""

import json

import numpy as np
import pytest

from utils.drawing import draw_it
from utils.language import texts

TEXT = texts("drawing")
X = np.linspace(0, 100, 101)
PAGE = """<!doctype html><html lang="en"{attributes}><head><meta charset="utf-8"><title>Draw</title>
<meta name="viewport" content="width=device-width"><style>body {{ margin: 8px; }} main {{ max-width: 720px; }}</style>
</head><body><main><div class="cell_output"><div class="output text_html">{drawing}</div>
<figure><svg width="300" height="100" role="img" aria-label="the figure"></svg></figure></div>
<p id="next">What follows.</p></main></body></html>"""


def opening(browser, tmp_path):
    """Open a drawing as a page on the disk. Whatever the page complains about, or asks for, fails the test."""
    contexts, complaints = [], []

    def open_it(attributes="", before="", **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 760, "height": 700}} | options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith("file:") else complaints.append(asked.url))
        if before:
            page.add_init_script(before)
        drawing = draw_it(
            "momentum_99",
            X,
            {"momentum 0.99": 1 - X / 200, "momentum 0.9": 1 - X / 100},
            xlabel="step",
            ylabel="loss",
            ylim=(0, 1),
            guesses=[("below", 50, 100), ("falling", 0, 100), ("above", 0, 100)],
            show=False,
        )
        file = tmp_path / "page.html"
        file.write_text(PAGE.format(attributes=attributes, drawing=drawing._repr_html_()), encoding="utf-8")
        page.goto(file.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_page(browser, tmp_path):
    """What `opening` gives, in Chromium."""
    yield from opening(browser, tmp_path)


@pytest.fixture
def open_everywhere(each_browser, tmp_path):
    """The same in both browsers."""
    yield from opening(each_browser, tmp_path)


def figure(page):
    return page.get_by_role("img", name="the figure")


def button(page, key):
    return page.get_by_role("button", name=TEXT[key], exact=True)


def draw(page, *points):
    """Draw through points, in shares of the axes."""
    box = page.locator(".chart").bounding_box()
    places = [(box["x"] + 52 + (box["width"] - 66) * x, box["y"] + 270 - 244 * y) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def verdict(page):
    return page.get_by_role("status").inner_text()


def state(page):
    return page.evaluate("document.querySelector('.draw-it').drawing.state")


def test_she_draws_compares_reads_where_they_part_and_tries_again(open_everywhere):
    page = open_everywhere()
    assert not figure(page).is_visible()
    assert page.locator("#next").is_visible()
    assert button(page, "compare").is_disabled()
    draw(page, (0, 1), (0.5, 0.5), (1, 0))
    assert not figure(page).is_visible()
    assert page.locator(".measured").count() == 0
    button(page, "compare").click()
    assert figure(page).is_visible()
    assert page.locator(".measured").count() == 1
    assert verdict(page).startswith("You part most at step 100, by the line between the two: you drew 0")
    assert "and it is 0.5." in verdict(page)
    assert verdict(page).endswith(TEXT["momentum_99_guess_1"])
    button(page, "again").click()
    assert not figure(page).is_visible()
    assert set(state(page)["guess"]) == {None}
    draw(page, (0, 1), (1, 0.5))
    button(page, "compare").click()
    assert verdict(page).startswith("Your curve is near what was measured all the way")


def test_the_curve_she_draws_is_where_her_pen_was(open_everywhere):
    page = open_everywhere()
    draw(page, (0.25, 0.75), (0.75, 0.25))
    guess = state(page)["guess"]
    assert guess[:20] == [None] * 20
    assert guess[61:] == [None] * 20
    np.testing.assert_allclose(guess[20:61], np.linspace(0.75, 0.25, 41), atol=0.02)


def test_by_keyboard_alone_with_numbers(open_everywhere):
    page = open_everywhere()
    page.keyboard.press("Tab")  # Compare is not to be pressed yet
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.name") == "skip"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number in ("1", "", "0.3", "", "0"):
        page.keyboard.press("Tab")
        page.keyboard.type(number)
    field = page.evaluate_handle("document.activeElement.shadowRoot.activeElement").as_element()
    assert field.get_attribute("aria-label") == "loss at step 100"
    np.testing.assert_allclose(state(page)["guess"], np.interp(np.arange(81), [0, 40, 80], [1, 0.3, 0]), atol=1e-9)
    for _ in range(7):
        page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.name") == "compare"
    page.keyboard.press("Enter")
    assert TEXT["momentum_99_guess_1"] in verdict(page)
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.name") == "again"
    page.keyboard.press("Enter")
    assert not figure(page).is_visible()


def test_who_would_rather_not_draw_sees_the_figure(open_everywhere):
    page = open_everywhere()
    button(page, "skip").click()
    assert figure(page).is_visible()
    assert verdict(page) == TEXT["only_shown"].replace("{name}", "momentum 0.99")


def test_what_she_drew_is_kept_in_her_browser(open_everywhere):
    page = open_everywhere()
    draw(page, (0, 1), (1, 0))
    drawn = state(page)
    page.reload()
    assert state(page) == drawn
    assert not figure(page).is_visible()
    button(page, "compare").click()
    said = verdict(page)
    page.reload()
    assert verdict(page) == said
    assert figure(page).is_visible()
    button(page, "again").click()
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("kept", ["{", "null", "[]", json.dumps({"guess": [2] * 81, "compared": True})])
def test_what_is_kept_and_makes_no_sense_does_no_harm(open_page, kept):
    page = open_page(before=f"localStorage.setItem('you-draw-it:momentum_99', {json.dumps(kept)});")
    assert set(state(page)["guess"]) == {None}
    assert button(page, "skip").is_visible()


def test_it_works_where_nothing_may_be_kept(open_everywhere):
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });"
    page = open_everywhere(before=refuse)
    draw(page, (0, 1), (1, 0))
    button(page, "compare").click()
    assert figure(page).is_visible()


def test_without_scripts_and_on_paper_the_figure_stands_there(open_page):
    page = open_page(java_script_enabled=False)
    assert figure(page).is_visible()
    page = open_page()
    assert not figure(page).is_visible()
    page.emulate_media(media="print")
    assert figure(page).is_visible()
    assert not page.locator(".app").is_visible()


def test_a_finger_draws_in_the_picture(open_page):
    page = open_page(has_touch=True, viewport={"width": 360, "height": 700})
    protocol = page.context.new_cdp_session(page)
    box = page.locator(".chart").bounding_box()
    for kind, x in (("touchStart", 60), ("touchMove", 120), ("touchMove", 200), ("touchMove", 280), ("touchEnd", None)):
        points = [] if x is None else [{"x": box["x"] + x, "y": box["y"] + 100 + x / 4}]
        protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function(
        "document.querySelector('.draw-it').drawing.state.guess.filter((h) => h !== null).length > 40"
    )
    assert page.evaluate("scrollY") == 0


def test_what_is_drawn_is_said_in_words(open_everywhere):
    page = open_everywhere()
    said = page.locator(".chart").get_attribute("aria-label")
    assert said.startswith("Axes, step from 0 to 100, loss from 0 to 1. momentum 0.9: at 0, 1; at 25, 0.75;")
    assert "momentum 0.99" not in said
    draw(page, (0, 1), (1, 0))
    button(page, "compare").click()
    said = page.locator(".chart").get_attribute("aria-label")
    assert "you drew: momentum 0.99: at 0, " in said
    assert "measured: momentum 0.99: at 0, 1; at 25, 0.875; at 50, 0.75;" in said


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_it_follows_the_theme(open_page, axe, theme):
    page = open_page(attributes=f' data-theme="{theme}"')
    draw(page, (0, 1), (1, 0))
    button(page, "compare").click()
    paper = page.locator(".app").evaluate("app => getComputedStyle(app).backgroundColor")
    assert paper == {"light": "rgb(255, 254, 252)", "dark": "rgb(21, 23, 27)"}[theme]
    page.evaluate(axe)
    found = page.evaluate("axe.run('.draw-it', { rules: { region: { enabled: false } } })")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


@pytest.mark.parametrize("width", [320, 360, 760])
def test_it_fits_every_screen(open_page, width):
    page = open_page(viewport={"width": width, "height": 700})
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    small = page.evaluate("""() => {
        const nodes = document.querySelector('.draw-it').shadowRoot.querySelectorAll('button, input, summary');
        const boxes = [...nodes].map((node) => node.getBoundingClientRect());
        return boxes.filter((box) => box.width && Math.min(box.width, box.height) < 24).length;
    }""")
    assert small == 0


def test_in_forced_colours_lines_have_the_colours_of_the_system(open_page):
    page = open_page(forced_colors="active")
    draw(page, (0, 1), (1, 0))
    own, paper = page.evaluate("""() => {
        const root = document.querySelector('.draw-it').shadowRoot;
        return [getComputedStyle(root.querySelector('.chart .own')).stroke,
            getComputedStyle(root.querySelector('.app')).backgroundColor];
    }""")
    assert own != paper


def test_it_works_in_jupyterlab(run_in_jupyterlab):
    page, errors = run_in_jupyterlab(
        "import matplotlib.pyplot as plt\nfrom utils.drawing import draw_it",
        'plt.plot([1, 2])\ndraw_it("momentum_99", [0, 1, 2], {"a": [0, 1, 2]}, xlabel="x", ylabel="y")\nplt.show()',
    )
    page.wait_for_function("document.querySelector('.draw-it')?.drawing")
    output = page.locator(".jp-OutputArea-child", has=page.locator("img"))
    output.wait_for(state="attached")
    assert not output.is_visible()
    button(page, "skip").click()
    output.wait_for(state="visible")
    assert errors == []

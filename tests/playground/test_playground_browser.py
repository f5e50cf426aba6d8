"""The playground in a browser: what a reader can do with it, what it shows then, and where it lives."""

import base64
import json
import re

import numpy as np
import pytest

from utils import surfaces
from utils.playground import playground
from utils.playground.figure import DEFAULTS, RULES, SCHEDULES
from utils.playground.grid import stored_network

SETTINGS = list(playground().settings)
THEMED = {
    "Jupyter Book": ("documentElement", "data-theme", {"dark": "dark", "light": "light"}),
    "Colab": ("documentElement", "theme", {"dark": "dark", "light": "light"}),
    "JupyterLab": ("body", "data-jp-theme-light", {"dark": "false", "light": "true"}),
    "VS Code": ("body", "class", {"dark": "vscode-dark", "light": "vscode-light"}),
}
# As Jupyter Book nests an output: the script must cope with its dark card.
PAGE = """<!doctype html><html lang="en"{attributes}><head><meta charset="utf-8"><title>Playground</title>
<meta name="viewport" content="width=device-width"><style>
body {{ margin: 8px; }} html[data-theme=dark] {{ background: #121212; }} main {{ max-width: 720px; margin: auto; }}
.spacer {{ height: {spacer}px; }}
html[data-theme=dark] .cell_output .text_html {{ background: #ced6dd; padding: 8px; }}
</style></head><body><div class="spacer"></div><main>{figures}</main><div class="spacer"></div></body></html>"""


class Figure:
    """One playground on a page: its controls by their names, and what the script has computed."""

    def __init__(self, page, index=0):
        self.page = page
        self.host = page.locator(".optimizer-playground").nth(index)
        self.map = self.host.locator(".map")
        self.handle = self.host.locator(".handle")

    @property
    def state(self):
        return self.host.evaluate("host => host.playground.state")

    @property
    def runs(self):
        runs = self.host.evaluate("""host => Object.entries(host.playground.runs).map(
            ([name, run]) => [name, [...run.x].map((x, t) => [x, run.y[t]]).map((p) => p.map(String))])""")
        return {name: np.array(run, float) for name, run in runs}

    @property
    def results(self):
        self.settle()
        return [" ".join(line.split()) for line in self.host.locator("li").all_inner_texts()]

    def slider(self, label):
        return self.host.get_by_role("slider", name=label, exact=True)

    def button(self, label):
        return self.host.get_by_role("button", name=label, exact=True)

    def settle(self):
        """Let the figure draw what has changed."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def place_of(self, x, y):
        """Return the page's coordinates of a point of the surface."""
        box = self.map.bounding_box()
        state = self.host.evaluate(
            "host => JSON.parse(host.dataset.config).surfaces[host.playground.state.surface].view"
        )
        left, right, bottom, top = state
        return box["x"] + (x - left) / (right - left) * box["width"], box["y"] + (top - y) / (top - bottom) * box[
            "height"
        ]

    def pixels(self, canvas):
        self.settle()
        return self.host.evaluate(f"host => host.shadowRoot.querySelectorAll('canvas')[{canvas}].toDataURL()")

    def check(self, **changes):
        """Assert that these settings changed and nothing else, and that all paths are NumPy's for the new ones."""
        state = self.state
        preset = json.loads(self.host.get_attribute("data-config"))["preset"]
        preset = DEFAULTS | preset
        assert {name: state[name] for name in [*SETTINGS, *DEFAULTS] if state[name] != preset[name]} == changes
        figure = playground(**{name: state[name] for name in [*SETTINGS, *DEFAULTS]})
        assert list(self.runs) == [*figure.settings["optimizers"], *(["B"] if state["beside"] else [])]
        for name, run in self.runs.items():
            expected = figure.run(name)
            inside = np.all(np.abs(expected) < 1e6, axis=-1)
            end = len(inside) if inside.all() else np.argmin(inside)
            np.testing.assert_allclose(run[:end], expected[:end], rtol=1e-9, atol=1e-9, err_msg=name)


def watch(page, complaints):
    """Note whatever a page complains about, or asks of anybody else."""
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:")) else complaints.append(request.url),
    )


@pytest.fixture(scope="module")
def common(browser):
    """A tab that the tests use one after the other, and its complaints. A tab each would cost twice the time."""
    context = browser.new_context()
    page, complaints = context.new_page(), []
    watch(page, complaints)
    yield page, complaints
    context.close()


@pytest.fixture
def open_page(browser, common, tmp_path):
    """Open figures as a page on the disk. Whatever the page complains about fails the test.

    The tab is the common one, its viewport and media set anew, unless options ask for another kind of context, or
    ``own`` for one that nobody uses afterwards; and for the first page of a test only.
    """
    contexts, complaints, opened = [], common[1], 0
    complaints.clear()
    emulated = {"color_scheme": "light", "reduced_motion": "no-preference", "media": "screen"}

    def open_it(*figures, attributes="", spacer=0, fragment="", own=False, **options):
        nonlocal opened
        options = {"viewport": {"width": 800, "height": 900}} | options
        if own or opened or options.keys() - emulated.keys() - {"viewport"}:
            contexts.append(browser.new_context(**options))
            page = contexts[-1].new_page()
            watch(page, complaints)
        else:
            page = common[0]
            page.set_viewport_size(options.pop("viewport"))
            page.emulate_media(**emulated | options)
            page.mouse.move(0, 0)
        opened += 1
        cell = '<div class="cell_output"><div class="output text_html">{}</div></div>'
        outputs = "".join(cell.format(figure._repr_html_()) for figure in figures)
        file = tmp_path / f"page{opened}.html"
        file.write_text(PAGE.format(attributes=attributes, figures=outputs, spacer=spacer), encoding="utf-8")
        page.goto(file.as_uri() + fragment)
        return page

    yield open_it
    for context in contexts:
        context.close()
    common[0].goto("about:blank")
    assert complaints == []


@pytest.fixture
def figure(open_page):
    return Figure(open_page(playground(learning_rate=0.5, momentum=0.8)))


def test_it_starts_with_its_preset(figure):
    figure.check()
    assert figure.state["at"] == 100
    momentum = surfaces.ravine(20).value(playground(learning_rate=0.5, momentum=0.8).run("Momentum"))
    reached = np.argmax(momentum <= 1e-3)
    assert figure.results == [
        f"SGD loss {loss_of(figure, 100)} after 100 steps",
        f"Momentum reaches 0.001 after {reached} steps",
    ]


@pytest.mark.parametrize(
    ("optimizers", "label", "key", "changes"),
    [
        (("SGD",), "Learning rate α", "ArrowRight", {"learning_rate": 0.51}),
        (("SGD",), "Learning rate α", "Home", {"learning_rate": 0.0001}),
        (("SGD",), "Learning rate α", "End", {"learning_rate": 10}),
        (("SGD",), "Condition number κ", "ArrowLeft", {"condition_number": 18}),
        (("SGD",), "Condition number κ", "Home", {"condition_number": 1}),
        (("SGD",), "Steps", "ArrowLeft", {"steps": 99}),
        (("SGD",), "Steps", "End", {"steps": 500}),
        (("SGD",), "Gradient noise", "ArrowRight", {"noise": 0.01}),
        (("SGD",), "Gradient noise", "End", {"noise": 10}),
        (("Momentum",), "Momentum μ", "ArrowLeft", {"momentum": 0.78}),
        (("Nesterov",), "Momentum μ", "Home", {"momentum": 0}),
        (("Nesterov",), "Momentum μ", "End", {"momentum": 0.9999}),
        (("RMSprop",), "RMSprop’s decay ρ", "ArrowRight", {"rho": 0.911}),
        (("Adam",), "Adam’s β₁", "ArrowLeft", {"beta_1": 0.89}),
        (("Adam",), "Adam’s β₂", "ArrowRight", {"beta_2": 0.99911}),
        (("Adagrad",), "Learning rate α", "ArrowLeft", {"learning_rate": 0.49}),
    ],
)
def test_each_slider_changes_the_path_to_what_numpy_says(open_page, optimizers, label, key, changes):
    figure = Figure(open_page(playground(optimizers=optimizers, learning_rate=0.5, momentum=0.8)))
    before = figure.pixels(1), figure.pixels(2)
    figure.slider(label).press(key)
    figure.check(**changes)
    value = str(*changes.values())
    assert figure.slider(label).get_attribute("aria-valuetext") == value
    assert figure.host.locator("label:not([hidden])", has_text=label).locator("b").inner_text() == value
    if key != "ArrowRight" or label != "Adam’s β₂":  # which changes less than a pixel
        assert (figure.pixels(1), figure.pixels(2)) != before


def test_every_surface_can_be_chosen_and_brings_what_suits_it(figure):
    select = figure.host.get_by_role("combobox", name="Surface")
    assert select.locator("option").all_inner_texts() == [
        "Ravine",
        "Rosenbrock",
        "Beale",
        "Himmelblau",
        "Saddle",
        "Network",
    ]
    grounds = {figure.pixels(0)}
    for name, rate, start in [
        ("rosenbrock", 0.001, [-1.2, 1]),
        ("beale", 0.005, [1, 1.5]),
        ("himmelblau", 0.005, [-0.5, -1]),
        ("saddle", 0.1, [-1.6, 0.01]),
        ("network", 1, stored_network()["path"][0]),
    ]:
        select.select_option(name)
        figure.check(surface=name, learning_rate=rate, start=start)
        assert not figure.slider("Condition number κ").is_visible()
        grounds.add(figure.pixels(0))
    assert len(grounds) == 6
    select.select_option("ravine")
    figure.check()


def test_a_presets_own_start_and_rates_come_back_with_its_surface(open_page):
    preset = playground("beale", optimizers=("SGD",), learning_rate={"SGD": 0.003}, start=(0.5, 0.5))
    figure = Figure(open_page(preset))
    figure.host.get_by_role("combobox").select_option("saddle")
    figure.host.get_by_role("combobox").select_option("beale")
    figure.check()


def test_optimizers_go_and_come_with_their_sliders_and_results(figure):
    chips = {name: figure.host.get_by_role("checkbox", name=name, exact=True) for name in ("SGD", "Momentum", "Adam")}
    chips["Adam"].press(" ")
    figure.check(optimizers=["SGD", "Momentum", "Adam"])
    assert figure.slider("Adam’s β₁").is_visible()
    assert [line.split()[0] for line in figure.results] == ["SGD", "Momentum", "Adam"]
    chips["Momentum"].press(" ")
    chips["SGD"].press(" ")
    figure.check(optimizers=["Adam"])
    assert not figure.slider("Momentum μ").is_visible()
    chips["Adam"].press(" ")
    figure.check(optimizers=[])
    assert figure.results == ["Choose an optimizer."]


def test_learning_rates_can_be_one_for_all_or_each_its_own(figure):
    box = figure.host.get_by_role("checkbox", name="One learning rate α for all")
    assert box.is_checked()
    box.uncheck()
    rates = dict.fromkeys(["SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam"], 0.5)
    figure.check(learning_rate=rates)
    assert not figure.slider("Learning rate α").is_visible()
    figure.slider("Momentum’s α").press("ArrowLeft")
    figure.check(learning_rate=rates | {"Momentum": 0.49})
    figure.slider("SGD’s α").press("ArrowRight")
    figure.check(learning_rate=rates | {"Momentum": 0.49, "SGD": 0.51})
    box.check()
    figure.check(learning_rate=0.51)


def test_the_learning_rates_that_chapters_speak_of_can_be_reached(open_page):
    figure = Figure(open_page(playground("ravine", ("SGD",), learning_rate=1.9, steps=100)))
    for rate in (1.95, 2, 2.05):
        figure.slider("Learning rate α").press("ArrowRight")
        figure.check(learning_rate=rate)


def test_noise_has_a_number_and_each_number_is_another_noise(open_page):
    figure = Figure(open_page(playground(learning_rate=0.5, noise=0.5)))
    figure.slider("Noise number").press("ArrowRight")
    figure.check(seed=1)
    figure.slider("Gradient noise").press("Home")
    figure.settle()
    assert not figure.slider("Noise number").is_visible()


def test_the_starting_point_follows_the_mouse(figure):
    figure.page.mouse.move(*figure.place_of(-8, 2))
    figure.page.mouse.down()
    figure.page.mouse.move(*figure.place_of(-5, 3), steps=3)
    figure.check(start=[-5, 3])
    figure.page.mouse.move(*figure.place_of(30, -30), steps=3)  # outside: it stays at the edge
    figure.check(start=[10, -7.5])
    figure.page.mouse.move(*figure.place_of(4, -2), steps=3)
    figure.page.mouse.up()
    figure.page.mouse.move(*figure.place_of(0, 0), steps=2)
    figure.check(start=[4, -2])
    x, y = (figure.handle.bounding_box()[side] + 22 for side in "xy")
    assert (x, y) == pytest.approx(figure.place_of(4, -2), abs=1)


def test_the_handle_does_not_jump_when_gripped_off_its_centre(figure):
    x, y = figure.place_of(-8, 2)
    figure.page.mouse.move(x + 9, y - 9)
    figure.page.mouse.down()
    figure.check()
    figure.page.mouse.up()


def test_a_click_on_the_map_puts_the_starting_point_there(figure):
    figure.page.mouse.click(*figure.place_of(2, -3))
    figure.check(start=[2, -3])


def test_the_starting_point_follows_the_arrow_keys(figure):
    handle = figure.host.get_by_role("slider", name="Starting point")
    for key, start in [
        ("ArrowRight", [-7.8, 2]),
        ("ArrowUp", [-7.8, 2.2]),
        ("Shift+ArrowDown", [-7.8, 1.2]),
        ("Shift+ArrowLeft", [-8.8, 1.2]),
    ]:
        handle.press(key)
        figure.check(start=start)
    figure.settle()
    assert handle.get_attribute("aria-valuenow") == "-8.8"
    assert handle.get_attribute("aria-valuetext").startswith("θ₁ = -8.8, θ₂ = 1.2;")


def test_the_starting_point_follows_a_finger_while_the_rest_of_the_map_scrolls_the_page(open_page):
    page = open_page(playground(learning_rate=0.5), spacer=1200, has_touch=True, viewport={"width": 400, "height": 800})
    figure = Figure(page)
    figure.map.scroll_into_view_if_needed()
    protocol = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y} for x, y in places]
        protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def arrive(x, y):
        """Wait until the browser has passed the touches on: it keeps them for the next frame."""
        page.wait_for_function(
            "start => String(document.querySelector('.optimizer-playground').playground.state.start) === start",
            arg=f"{x},{y}",
        )

    scrolled = page.evaluate("scrollY")
    touch("touchStart", figure.place_of(-8, 2))
    for x in (-7, -6, -5, -4):
        touch("touchMove", figure.place_of(x, -3))
    touch("touchEnd")
    arrive(-4, -3)
    figure.check(start=[-4, -3])
    assert page.evaluate("scrollY") == scrolled
    for _ in range(20):  # on a busy machine, the browser may take a tap for a long press
        page.touchscreen.tap(*figure.place_of(5, 5))
        page.wait_for_timeout(100)
        if figure.state["start"] == [5, 5]:
            break
    figure.check(start=[5, 5])
    x, y = figure.place_of(0, -2)
    touch("touchStart", (x, y))
    for up in range(20, 200, 20):
        touch("touchMove", (x, y - up))
    touch("touchEnd")
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)
    figure.check(start=[5, 5])


def test_play_pause_step_and_reset(figure):
    figure.button("Play").click()
    figure.page.wait_for_function("document.querySelector('.optimizer-playground').playground.state.at % 100 > 3")
    figure.button("Pause").click()
    at = figure.state["at"]
    assert 0 < at < 100
    figure.settle()
    assert figure.state["at"] == at
    assert figure.results[0] == f"SGD loss {loss_of(figure, at)} after {at} steps"
    figure.button("Step").click()
    assert figure.state["at"] == at + 1
    scrubber = figure.slider("Step shown")
    scrubber.press("Home")
    assert figure.results[0] == "SGD loss 3.6 after 0 steps"
    scrubber.press("ArrowRight")
    assert figure.results[0] == f"SGD loss {loss_of(figure, 1)} after 1 step"
    assert scrubber.get_attribute("aria-valuetext") == "1 of 100"
    figure.slider("Momentum μ").press("Home")
    assert figure.state["at"] == 1
    figure.button("Reset").click()
    figure.check()
    assert figure.state["at"] == 100


def loss_of(figure, at):
    path = playground(**{name: figure.state[name] for name in SETTINGS}).run("SGD")
    return f"{surfaces.ravine(20).value(path)[at]:.3g}"


def test_playing_ends_at_the_last_step_and_starts_over(open_page):
    figure = Figure(open_page(playground(learning_rate=0.5), own=True))  # no other test could have the clock back
    figure.page.clock.install()
    figure.button("Play").click()
    figure.page.clock.run_for(2000)
    assert 40 < figure.state["at"] < 60  # 100 steps take 4 seconds
    figure.page.clock.run_for(2500)
    assert figure.state["at"] == 100
    assert figure.button("Play").is_visible()
    figure.button("Step").click()
    assert figure.state["at"] == 0


def test_with_reduced_motion_playing_shows_stills(open_page):
    figure = Figure(open_page(playground(learning_rate=0.5), reduced_motion="reduce", own=True))
    figure.page.clock.install()
    figure.button("Play").click()
    seen = set()
    for _ in range(90):
        figure.page.clock.run_for(100)
        seen.add(figure.state["at"])
    assert sorted(seen) == [0, 13, 26, 39, 52, 65, 78, 91, 100]


def test_results_say_when_a_run_diverges(open_page):
    figure = Figure(open_page(playground(optimizers=("SGD", "Adam"), learning_rate=2.5)))
    losses = surfaces.ravine(20).value(playground(learning_rate=2.5, optimizers=("SGD",)).run("SGD"))
    ceiling = 10 * surfaces.ravine(20).value(np.array([10, 7.5]))  # ten times the highest point of the picture
    first = np.argmax(losses > ceiling)
    assert figure.results[0] == f"SGD diverges at step {first}"
    assert figure.results[1].startswith("Adam reaches 0.001 after")


def test_the_result_is_announced_once_the_reader_pauses(figure):
    status = figure.host.get_by_role("status")
    assert status.inner_text() == ""
    figure.slider("Learning rate α").press("End")
    assert status.inner_text() == ""
    figure.page.wait_for_function(
        "document.querySelector('.optimizer-playground').shadowRoot.querySelector('[role=status]').textContent.includes('diverges')"
    )
    assert re.fullmatch(r"SGD diverges at step \d; Momentum diverges at step \d", status.inner_text())


def test_a_copied_link_reopens_the_page_in_its_state(browser, open_page):
    page = open_page(
        playground(),
        playground("saddle", learning_rate=0.1),
        spacer=900,
        permissions=["clipboard-read", "clipboard-write"],
    )
    other, figure = Figure(page), Figure(page, 1)
    figure.host.get_by_role("combobox").select_option("himmelblau")
    figure.host.get_by_role("checkbox", name="Adam", exact=True).press(" ")
    figure.host.get_by_role("checkbox", name="One learning rate α for all").uncheck()
    figure.slider("Adam’s α").press("End")
    figure.slider("Gradient noise").press("ArrowRight")
    figure.handle.press("ArrowUp")
    figure.slider("Step shown").press("ArrowLeft")
    figure.button("Copy link").click()
    assert figure.host.locator("[name=copy_link]").inner_text() == "Copied"
    state, untouched = figure.state, other.state
    link = page.evaluate("navigator.clipboard.readText()")
    assert len(link) < 700
    again = open_page(
        playground(), playground("saddle", learning_rate=0.1), spacer=900, fragment="#" + link.partition("#")[2]
    )
    assert Figure(again, 1).state == state
    assert Figure(again).state == untouched
    again.wait_for_function("scrollY > 500")
    again.evaluate("location.hash = ''")
    Figure(again, 1).button("Reset").click()
    again.evaluate("fragment => { location.hash = fragment; }", link.partition("#")[2])
    again.wait_for_function(
        "document.querySelectorAll('.optimizer-playground')[1].playground.state.surface === 'himmelblau'"
    )
    assert Figure(again, 1).state == state


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("not JSON", {"learning_rate": None, "optimizers": []}),
        (
            {"surface": "__proto__", "optimizers": ["<img src=x onerror=alert(1)>", "SGD"], "learning_rate": 0.5},
            {"optimizers": ["SGD"]},
        ),
        (
            {
                "optimizers": ["SGD", "Momentum"],
                "learning_rate": 1e9,
                "steps": 1e9,
                "momentum": "0.5",
                "start": [99, None],
            },
            {"learning_rate": 10, "steps": 500, "start": [10, 2]},
        ),
        ({"optimizers": ["SGD", "Momentum"], "learning_rate": 0.5, "steps": 7.7, "at": -3, "noise": -1}, {"steps": 8}),
    ],
)
def test_a_link_that_makes_no_sense_does_no_harm(open_page, state, changes):
    preset = playground(learning_rate=0.5, momentum=0.8)
    key = json.loads(re.search(r'data-config="([^"]*)"', preset._repr_html_())[1].replace("&quot;", '"'))["key"]
    words = base64.b64encode(json.dumps(state).encode()).decode() if isinstance(state, dict) else "%%%"
    figure = Figure(open_page(preset, fragment=f"#playground={key}={words}"))
    if changes.get("learning_rate", 0) is None:
        changes = changes | {"learning_rate": figure.state["learning_rate"]}
        assert set(changes["learning_rate"]) == {"SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam"}
    figure.check(**changes)


def test_the_copied_python_makes_the_same_figure(open_page):
    page = open_page(playground("beale", optimizers=("SGD", "Adam")), permissions=["clipboard-read", "clipboard-write"])
    figure = Figure(page)
    figure.slider("SGD’s α").press("ArrowRight")
    figure.slider("Gradient noise").press("End")
    figure.button("Copy as Python").click()
    code = page.evaluate("navigator.clipboard.readText()")
    copied = eval(code, {"playground": playground})
    state = figure.state
    assert json.loads(json.dumps(copied.settings)) == {name: state[name] for name in SETTINGS}
    assert "schedule" not in code
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.name") == "copy_code"


@pytest.fixture
def opened(figure):
    """A figure whose further controls are open."""
    figure.host.locator("summary").press("Enter")
    figure.menu = lambda name: figure.host.get_by_role("combobox", name=name, exact=True)
    return figure


def test_other_rules_are_added_from_a_list_and_go_again(opened):
    assert opened.menu("Add a rule").locator("option").all_inner_texts() == ["choose one", *list(RULES)[6:]]
    assert not opened.host.get_by_text("Lion", exact=True).first.is_visible()
    for name in list(RULES)[6:]:
        opened.menu("Add a rule").select_option(name)
        opened.settle()
    opened.check(optimizers=["SGD", "Momentum", *list(RULES)[6:]])
    assert opened.menu("Add a rule").locator("option").all_inner_texts() == ["choose one"]
    assert opened.slider("Weight decay λ").is_visible()
    assert opened.slider("β₁").is_visible()
    opened.slider("Weight decay λ").press("End")
    opened.check(optimizers=["SGD", "Momentum", *list(RULES)[6:]], weight_decay=1)
    for name in list(RULES)[6:]:
        opened.host.get_by_role("checkbox", name=name, exact=True).press(" ")
        opened.settle()
    opened.button("Reset").click()
    opened.check()


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "constant"])
def test_a_schedule_changes_the_paths_and_is_drawn(opened, name):
    before = opened.pixels(2)
    opened.menu("Schedule α(t)").select_option(name)
    opened.check(schedule=name)
    assert opened.pixels(2) != before
    opened.slider("Step shown").press("Home")
    opened.settle()
    share = SCHEDULES[name](1.0, 100)(0)
    said = opened.host.locator(".chart canvas").get_attribute("aria-label")
    assert said.endswith(f"at step 0 it is {share:g} of α.")


def test_the_same_optimizer_runs_beside_itself_with_other_settings(opened):
    opened.menu("B beside A").select_option("Momentum")
    copied = {"optimizer": "Momentum", "learning_rate": 0.5, "momentum": 0.8}
    opened.check(beside=copied)
    assert [line.split(" ")[:2] for line in opened.results] == [["SGD", "loss"], ["Momentum", "A"], ["Momentum", "B"]]
    assert opened.results[1].replace(" A ", " B ") == opened.results[2]
    opened.slider("B: Momentum μ").press("Home")
    opened.check(beside=copied | {"momentum": 0})
    opened.slider("B: Learning rate α").press("ArrowLeft")
    opened.check(beside=copied | {"momentum": 0, "learning_rate": 0.49})
    opened.slider("Momentum μ").press("Home")
    opened.check(beside=copied | {"momentum": 0, "learning_rate": 0.49}, momentum=0)
    opened.host.get_by_role("checkbox", name="Momentum", exact=True).press(" ")
    opened.check(momentum=0, optimizers=["SGD"])
    assert not opened.slider("B: Momentum μ").is_visible()


def test_arrows_say_what_the_next_step_is_made_of(opened):
    opened.slider("Step shown").press("Home")
    before = opened.pixels(1)
    opened.host.get_by_role("checkbox", name="Arrows for the next step").press(" ")
    assert opened.results == [
        "SGD loss 3.6 after 0 steps −g = (0.4, −2) · step (0.2, −1)",
        "Momentum loss 3.6 after 0 steps −g = (0.4, −2) · velocity (0, 0) · step (0.2, −1)",
    ]
    assert opened.pixels(1) != before
    opened.button("Step").click()
    assert opened.results[1].endswith("−g = (0.39, −1) · velocity (0.2, −1) · step (0.355, −1.3)")
    assert "Arrows, 2 times as long" in opened.host.locator(".about").inner_text()


def test_the_network_says_what_it_is_and_how_much_of_the_path_it_holds(figure):
    assert not figure.host.locator(".about").is_visible()
    figure.host.get_by_role("combobox", name="Surface").select_option("network")
    figure.settle()
    words = figure.host.locator(".about").inner_text()
    assert "79,510 weights" in words
    assert f"holds {100 * stored_network()['share']:g} % of that path" in words


def test_a_link_and_the_copied_python_keep_the_further_settings(open_page):
    preset = playground(optimizers=("Adam",), learning_rate=0.5)
    page = open_page(preset, permissions=["clipboard-read", "clipboard-write"])
    figure = Figure(page)
    figure.host.locator("summary").press("Enter")
    for name, value in (("Add a rule", "Lion"), ("Schedule α(t)", "cosine"), ("B beside A", "Lion")):
        figure.host.get_by_role("combobox", name=name, exact=True).select_option(value)
        figure.settle()
    figure.host.get_by_role("checkbox", name="Arrows for the next step").press(" ")
    figure.slider("B: β₁").press("Home")
    figure.button("Copy as Python").click()
    copied = eval(page.evaluate("navigator.clipboard.readText()"), {"playground": playground})
    state = figure.state
    assert json.loads(json.dumps(DEFAULTS | copied.settings)) == {name: state[name] for name in [*SETTINGS, *DEFAULTS]}
    figure.button("Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    again = Figure(open_page(preset, fragment="#" + link.partition("#")[2]))
    assert again.state == state
    shown = Figure(open_page(copied))
    assert shown.host.locator("details").evaluate("node => node.open")
    shown.check()


def test_two_figures_share_the_code_and_nothing_else(open_page):
    page = open_page(playground(learning_rate=0.5), playground(learning_rate=0.5), playground("saddle"))
    assert page.locator("script[data-playground]").count() == 3
    figures = [Figure(page, i) for i in range(3)]
    pixels = [figure.pixels(1) for figure in figures]
    figures[1].slider("Learning rate α").press("ArrowLeft")
    figures[1].handle.press("ArrowUp")
    figures[0].check()
    figures[1].check(learning_rate=0.49, start=[-8, 2.2])
    figures[2].check()
    assert [figure.pixels(1) == before for figure, before in zip(figures, pixels, strict=True)] == [True, False, True]
    figures[0].button("Play").click()
    assert figures[1].button("Play").is_visible()
    links = page.evaluate("""() => {
        const links = [];
        document.execCommand = () => links.push(document.activeElement.shadowRoot.activeElement.value);
        for (const host of document.querySelectorAll('.optimizer-playground')) {
            host.shadowRoot.querySelector('[name=copy_link]').click();
        }
        return links.map((link) => link.split('=')[1]);
    }""")
    assert len(set(links)) == 3, "also equal figures have links of their own"


def test_the_first_copy_of_the_script_serves_the_others(open_page):
    page = open_page(playground())
    page.evaluate("globalThis.first = optimizerPlayground")
    page.evaluate(
        """() => {
            const { text } = document.querySelector('[data-playground]');
            document.head.append(Object.assign(document.createElement('script'), { text }));
        }"""
    )
    assert page.evaluate("first === optimizerPlayground")


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("place", THEMED)
def test_it_follows_the_theme_of_the_page(open_page, place, system):
    figure = Figure(open_page(playground(), color_scheme=system))
    element, attribute, values = THEMED[place]
    colors = {"light": "rgb(255, 254, 252)", "dark": "rgb(21, 23, 27)"}
    paper = "host => getComputedStyle(host.shadowRoot.querySelector('.app')).backgroundColor"
    assert figure.host.evaluate(paper) == colors[system]
    grounds = {}
    for theme in ("dark", "light", "dark"):
        figure.page.evaluate(f"value => document.{element}.setAttribute('{attribute}', value)", values[theme])
        figure.settle()
        assert figure.host.evaluate(paper) == colors[theme]
        assert grounds.setdefault(theme, figure.pixels(0)) == figure.pixels(0)
    assert grounds["light"] != grounds["dark"]
    figure.page.evaluate(f"document.{element}.removeAttribute('{attribute}')")
    figure.page.emulate_media(color_scheme="dark" if system == "light" else "light")
    figure.settle()
    assert figure.host.evaluate(paper) != colors[system]


def test_on_a_dark_page_of_jupyter_book_it_stands_on_no_light_card(open_page):
    figure = Figure(open_page(playground(), attributes=' data-theme="dark"'))
    card = figure.host.evaluate("host => getComputedStyle(host.parentElement)")
    assert card["backgroundColor"] == "rgba(0, 0, 0, 0)"
    assert card["paddingTop"] == "0px"


LUMINANCE = """
    const luminance = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((c) => color.startsWith("color(") ? c : c / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
    };
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_stands_out(open_page, theme):
    page = open_page(playground(optimizers=("SGD", "Adam"), noise=1), attributes=f' data-theme="{theme}"')
    figure = Figure(page)
    texts = figure.host.evaluate(f"""host => {{
        {LUMINANCE}
        const background = (node) => {{
            for (; node instanceof Element; node = node.parentElement) {{
                const color = getComputedStyle(node).backgroundColor;
                if (!/, 0\\)$/.test(color)) return color;
            }}
        }};
        const found = [], app = host.shadowRoot.querySelector('.app');
        const walker = document.createTreeWalker(app, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {{
            const words = walker.currentNode.textContent.trim(), parent = walker.currentNode.parentElement;
            if (words) found.push([words, contrast(getComputedStyle(parent).color, background(parent))]);
        }}
        return found;
    }}""")
    assert len(texts) > 30
    assert [(words, ratio) for words, ratio in texts if ratio < 4.5] == []
    themes = page.evaluate("optimizerPlayground.THEMES")[theme]
    rgb = {name: f"rgb({int(c[1:3], 16)}, {int(c[3:5], 16)}, {int(c[5:], 16)})" for name, c in themes.items()}
    ratios = page.evaluate(
        f"colors => {{ {LUMINANCE} return [colors.high, colors.paper].map((c) => contrast(colors.muted, c)); }}",
        rgb,
    )
    assert min(ratios) >= 4.5, "the numbers in the map and in the chart"
    parts = page.evaluate(
        f"colors => {{ {LUMINANCE} return [colors.accent, colors.ink].map((c) => contrast(c, colors.paper)); }}", rgb
    )
    border = figure.host.evaluate(
        f"""(host, paper) => {{ {LUMINANCE}
        return contrast(getComputedStyle(host.shadowRoot.querySelector('[name=reset]')).borderTopColor, paper); }}""",
        rgb["paper"],
    )
    assert min(*parts, border) >= 3, "sliders, focus rings and borders"


def test_every_control_has_a_name_and_is_reached_with_tab(open_page):
    page = open_page(playground(optimizers=("SGD", "Momentum", "Adam"), learning_rate=0.5, noise=1))
    figure = Figure(page)
    figure.settle()
    expected = """Surface|SGD|Momentum|Nesterov|Adagrad|RMSprop|Adam|Starting point|Play|Step|Step shown|Learning rate α
        One learning rate α for all|Momentum μ|Adam’s β₁|Adam’s β₂|Condition number κ|Steps|Gradient noise|Noise number
        More: other rules, a schedule, A beside B, arrows|Reset|Copy link|Copy as Python"""
    expected = [name.strip() for name in re.split(r"[|\n]", expected)]
    names = []
    for _ in expected:
        page.keyboard.press("Tab")
        snapshot = page.evaluate_handle("document.activeElement.shadowRoot.activeElement").as_element()
        names.append(snapshot.evaluate("node => node.ariaLabel ?? (node.labels?.[0] ?? node).textContent.trim()"))
        assert snapshot.evaluate("node => getComputedStyle(node.closest('.chip') ?? node).outlineStyle") != "none"
    assert names == expected
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body")
    tree = figure.host.aria_snapshot()
    for kind, name in [
        ("img", "Contours of the Ravine surface with the paths of SGD, Momentum, Adam."),
        ("group", "Optimizer playground"),
    ]:
        assert f'{kind} "{name}"' in tree


def test_keys_stay_in_the_figure_unless_they_are_the_browsers(figure):
    figure.page.evaluate(
        "() => { globalThis.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key)); }"
    )
    figure.handle.press("ArrowLeft")
    figure.slider("Steps").press("a")
    figure.slider("Steps").press("Control+k")
    assert figure.page.evaluate("heard") == ["Control", "k"]


@pytest.mark.parametrize("width", [320, 400, 768, 1280])
def test_it_fits_every_screen(open_page, width):
    names = ("SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam")
    page = open_page(playground(optimizers=names, noise=1), viewport={"width": width, "height": 800})
    figure = Figure(page)
    figure.settle()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    outside = figure.host.evaluate("""host => {
        const app = host.shadowRoot.querySelector('.app').getBoundingClientRect();
        return [...host.shadowRoot.querySelectorAll('.app *:not(.unseen):not(.handle)')].filter((node) => {
            const box = node.getBoundingClientRect();
            const cut = node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline';
            return box.width && (box.left < app.left || box.right > app.right + 0.5 || cut && !node.closest('.map'));
        }).map((node) => node.outerHTML.slice(0, 80));
    }""")
    assert outside == []
    small = figure.host.evaluate("""host => {
        const targets = [...host.shadowRoot.querySelectorAll('button, select, label, [type=range], .handle')];
        const boxes = targets.map((node) => node.getBoundingClientRect());
        return boxes.filter((box) => box.width && Math.min(box.width, box.height) < 24).length;
    }""")
    assert small == 0, "targets are at least 24 pixels"


def test_without_scripts_a_still_picture_stands_in(open_page):
    page = open_page(playground(optimizers=("SGD", "Adam")), java_script_enabled=False)
    picture = page.get_by_role("img", name="Contours of the Ravine surface with the paths of SGD, Adam.")
    box = picture.bounding_box()
    assert (box["width"], box["height"]) == (640, 480)
    assert page.get_by_text("SGD, Adam on the Ravine surface, 100 steps.").is_visible()
    assert len(set(picture.screenshot()[100:])) > 50


def test_on_paper_the_still_picture_stands_in(figure):
    picture = figure.host.locator("img")
    assert not picture.is_visible()
    figure.page.emulate_media(media="print")
    assert picture.is_visible()
    assert not figure.map.is_visible()


def test_it_is_sharp_and_drawn_anew_when_its_size_changes(open_page):
    page = open_page(playground(), device_scale_factor=2)
    figure = Figure(page)
    size = """host => [...host.shadowRoot.querySelectorAll('canvas')].map((canvas) =>
        [canvas.width / canvas.clientWidth, canvas.height / canvas.clientHeight])"""
    for width in (800, 500):
        page.set_viewport_size({"width": width, "height": 900})
        figure.settle()
        np.testing.assert_allclose(figure.host.evaluate(size), 2, rtol=0.01)


def test_a_figure_that_starts_hidden_draws_itself_when_shown(open_page):
    page = open_page(playground())
    page.evaluate("""() => {
        const host = document.querySelector('.optimizer-playground'), box = document.createElement('details');
        const copy = host.cloneNode(true);
        box.append(copy);
        document.querySelector('main').append(box);
        optimizerPlayground.mount_all();
    }""")
    figure = Figure(page, 1)
    page.evaluate("document.querySelector('details').open = true")
    figure.settle()
    figure.settle()
    assert figure.host.evaluate("""host => { const c = host.shadowRoot.querySelectorAll('canvas')[1];
        return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean); }""")


def test_it_works_in_jupyterlab(run_in_jupyterlab):
    page, errors = run_in_jupyterlab(
        "from utils.playground import playground",
        "playground('ravine', learning_rate=0.5, momentum=0.8)",
        "display(playground('saddle', optimizers=('Adam',)))",
    )
    page.wait_for_function(
        "document.querySelectorAll('.optimizer-playground').length === 2 && "
        "[...document.querySelectorAll('.optimizer-playground')].every((host) => host.playground)"
    )
    figure, second = Figure(page), Figure(page, 1)
    figure.host.scroll_into_view_if_needed()
    assert not figure.host.locator("img").is_visible()
    figure.check()
    figure.slider("Learning rate α").press("ArrowRight")
    figure.check(learning_rate=0.51)
    # Keys that are shortcuts of JupyterLab's command mode: they move the point, and neither cell nor focus.
    cells = page.locator(".jp-Cell").count()
    figure.handle.press("ArrowDown")
    figure.handle.press("b")
    figure.handle.press("ArrowDown")
    figure.check(learning_rate=0.51, start=[-8, 1.6])
    assert page.locator(".jp-Cell").count() == cells
    figure.page.mouse.click(*figure.place_of(4, 4))
    figure.check(learning_rate=0.51, start=[4, 4])
    assert not figure.button("Copy link").is_visible()
    assert figure.button("Copy as Python").is_visible()
    second.check()
    paper = "host => getComputedStyle(host.shadowRoot.querySelector('.app')).backgroundColor"
    before = figure.host.evaluate(paper)
    light = page.evaluate("document.body.dataset.jpThemeLight")
    page.evaluate("document.body.dataset.jpThemeLight = String(document.body.dataset.jpThemeLight !== 'true')")
    figure.settle()
    assert figure.host.evaluate(paper) != before, light
    assert errors == []

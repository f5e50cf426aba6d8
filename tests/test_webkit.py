"""The published site in WebKit, the engine of Safari and of every browser on an iPhone.

Playwright drives only a WebKit of its own. This is the system's: WebKitGTK's MiniBrowser, driven by its own WebDriver
through Selenium, on a screen that is not there (Xvfb), since it knows no headless mode.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.programs import do_without
from utils.bench import page_images, train_in_page
from utils.data import load_fashion_mnist
from utils.language import texts
from utils.playground import playground
from utils.playground.figure import DEFAULTS

pytestmark = [
    pytest.mark.slow,
    # Selenium's own start of the browser does what Selenium advises against.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

SECONDS = 120  # a machine may be busy
#: Drawn in software, since there is no graphics card; and no sandbox of its own, which containers refuse.
SETTINGS = {
    "WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1",
    "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def screen():
    """An X server without a screen, and the name of its display."""
    if shutil.which("Xvfb") is None:
        do_without("no Xvfb found: Debian and Ubuntu have it in xvfb")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


@pytest.fixture(scope="module")
def webkit(screen):
    """The browser."""
    driver = shutil.which("WebKitWebDriver")
    program = next(iter(sorted(Path("/usr").glob("lib/*/webkit2gtk-4.*/MiniBrowser"))), None)
    if driver is None or program is None:
        do_without("no WebKit found: Debian and Ubuntu have it in webkit2gtk-driver")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(program)
    options.add_argument("--automation")
    service = webdriver.WebKitGTKService(driver, env=os.environ | SETTINGS | {"DISPLAY": screen})
    started = webdriver.WebKitGTK(options=options, service=service)
    yield started
    started.quit()


class Page:
    """A page of the book, and what a reader can do on it."""

    def __init__(self, driver, address):
        self.driver = driver
        driver.get(address)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector, inside=None):
        return (inside or self.driver).find_element(By.CSS_SELECTOR, selector)

    def wait(self, what):
        """Wait until a function returns something true, and return that."""
        return WebDriverWait(self.driver, SECONDS).until(lambda _: what())

    def figure(self, selector):
        """Scroll to a figure that draws itself, and return what it is made of."""
        host = self.find(selector)
        self.run("arguments[0].scrollIntoView({ block: 'start', behavior: 'instant' })", host)
        self.wait(lambda: self.run("return Boolean(arguments[0].shadowRoot)", host))
        return host, host.shadow_root

    def said(self, inside):
        return self.find("[role=status]", inside).get_attribute("textContent")

    def drag(self, element, *points):
        """Press on an element, go through points, and let go; in pixels from the element's middle."""
        chain = ActionChains(self.driver).move_to_element_with_offset(element, *points[0]).click_and_hold()
        for point in points[1:]:
            chain.move_to_element_with_offset(element, *point)
        chain.release().perform()


@pytest.fixture
def open_page(webkit, address):
    """Open a page of the site in a window of a size."""

    def open_it(name, width=1300, height=1000):
        webkit.set_window_size(width, height)
        return Page(webkit, f"{address}{name}.html")

    return open_it


def same_as_numpy(page, host):
    """Assert that a playground's paths are NumPy's for the settings that it shows, and return these."""
    state, runs = page.run(
        "const { state, runs } = arguments[0].playground;"
        "return [state, Object.entries(runs).map(([name, { x, y }]) => [name, [...x].map((each, t) => [each, y[t]])])]",
        host,
    )
    figure = playground(**{name: state[name] for name in [*playground().settings, *DEFAULTS]})
    for name, run in runs:
        np.testing.assert_allclose(run, figure.run(name)[: len(run)], rtol=1e-9, atol=1e-9, err_msg=name)
    assert len(runs) == len(state["optimizers"])
    return state


def test_it_is_webkit(open_page):
    agent = open_page("index").run("return navigator.userAgent")
    assert "AppleWebKit" in agent
    assert "Chrome" not in agent


def test_the_playground_follows_mouse_and_keys(open_page):
    page = open_page("07-adam")
    host, inside = page.figure(".optimizer-playground")
    before = same_as_numpy(page, host)
    page.drag(page.find(".handle", inside), (0, 0), (40, 20), (80, 30))
    page.wait(lambda: same_as_numpy(page, host)["start"] != before["start"])
    page.find("[name=beta_1]", inside).send_keys(Keys.ARROW_LEFT)
    assert same_as_numpy(page, host)["beta_1"] < before["beta_1"]
    page.find("[name=optimizers][value=RMSprop]", inside).send_keys(Keys.SPACE)
    assert "RMSprop" in same_as_numpy(page, host)["optimizers"]
    results = page.find("ul", inside).text
    assert "Adam" in results
    assert "RMSprop" in results


def test_a_quiz_answers(open_page):
    page = open_page("03-momentum")
    form = page.find("form.quiz")
    button = page.find("button", form)
    page.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", button)
    button.click()
    assert page.said(form) == "Choose an answer first."
    verdicts = set()
    for answer in form.find_elements(By.CSS_SELECTOR, "input[type=radio]"):
        answer.send_keys(Keys.SPACE)
        button.click()
        verdicts.add(page.said(form).split(".")[0])
    assert verdicts == {"Right", "Not this one"}


def test_a_reader_draws_her_curve(open_page):
    said = texts("drawing")
    page = open_page("03-momentum")
    _, inside = page.figure(".draw-it")
    compare = next(each for each in inside.find_elements(By.CSS_SELECTOR, "button") if each.text == said["compare"])
    assert not compare.is_enabled()
    chart = page.find(".chart", inside)
    width, height = chart.size["width"], chart.size["height"]
    page.drag(chart, *((int(share * width), int(share * height / 2)) for share in (-0.35, -0.1, 0.1, 0.4)))
    assert compare.is_enabled()
    assert not inside.find_elements(By.CSS_SELECTOR, ".measured")
    compare.click()
    assert inside.find_elements(By.CSS_SELECTOR, ".measured")
    assert len(page.said(inside)) > 40


def test_the_bench_trains_to_what_numpy_reaches(open_page):
    said = texts("bench")
    page = open_page("08-adam-keras-walkthrough")
    host, inside = page.figure(".training-bench")
    page.find("[name=train]", inside).click()
    end = re.sub(r"\\\{\w+\\\}", ".+", re.escape(said["page_finished"]))
    page.wait(lambda: re.fullmatch(end, page.said(inside)))
    shown = page.run("return arguments[0].bench.runs[0].epochs.map(({ val_accuracy }) => val_accuracy)", host)
    assert shown[-1] >= 0.82
    np.testing.assert_allclose(shown, train_in_page(page_images(load_fashion_mnist())).val_accuracy, atol=0.01)


def test_search_leads_to_the_chapter(open_page):
    page = open_page("search")
    fields = page.driver.find_elements(By.CSS_SELECTOR, "form.bd-search input")
    field = next(field for field in fields if field.is_displayed())
    field.send_keys("RMSprop", Keys.ENTER)
    first = page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, "#search-results li a"))[0]
    assert "06-rmsprop" in first.get_attribute("href")


@pytest.mark.parametrize("name", ["primary", "secondary"])
def test_a_menu_on_a_phone_opens_and_gives_the_focus_back(open_page, name):
    page = open_page("03-momentum", width=400, height=800)
    button, dialog = page.find(f".{name}-toggle"), page.find(f"#pst-{name}-sidebar-modal")
    assert button.get_attribute("aria-expanded") == "false"
    button.send_keys(Keys.ENTER)
    page.wait(lambda: dialog.is_displayed())
    assert button.get_attribute("aria-expanded") == "true"
    ActionChains(page.driver).send_keys(Keys.ESCAPE).perform()
    page.wait(lambda: not dialog.is_displayed())
    assert button.get_attribute("aria-expanded") == "false"
    assert page.driver.switch_to.active_element == button


def test_the_page_s_menu_closes_over_the_section_that_is_chosen(open_page):
    page = open_page("03-momentum", width=400, height=800)
    page.find(".secondary-toggle").click()
    link = page.find("#pst-secondary-sidebar-modal nav a:nth-of-type(1)")
    page.wait(link.is_displayed)
    place = link.get_attribute("href").split("#")[1]
    link.click()
    page.wait(lambda: page.run("return document.activeElement.closest('section')?.id") == place)
    assert page.run("return location.hash.slice(1)") == place


def test_the_theme_can_be_chosen(open_page):
    page = open_page("03-momentum")
    seen = set()
    for _ in range(3):
        page.find(".theme-switch-button").click()
        seen.add(page.run("return document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}


@pytest.mark.parametrize("name", ["03-momentum", "ko/07-adam"])
def test_a_page_fits_a_phone(open_page, name):
    page = open_page(name, width=400, height=800)
    page.wait(lambda: page.run("return document.readyState") == "complete")
    assert page.run("return innerWidth") <= 460  # as narrow as this browser goes
    assert page.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0

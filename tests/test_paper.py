"""The book on paper: chapters are printed, and the sheets looked at as pictures."""

import re
import subprocess

import numpy as np
import pytest

from tests.sheets import (
    DPI,
    LONGEST_BLANK_END,
    LONGEST_EMPTY_FRAME,
    blank_end,
    empty_frame,
    need_poppler,
    pictures_of,
)
from utils.plotting import COLORS

CHAPTERS = ["02-sgd", "07-adam", "08-adam-keras-walkthrough"]
MARGIN = 0.6  # inches
SIDES = ("top", "bottom", "left", "right")


@pytest.fixture(scope="module", params=CHAPTERS)
def printed(request, browser, address, tmp_path_factory):
    """A chapter as it is printed: its text, and a picture of each sheet, as an array of greys."""
    need_poppler()
    folder = tmp_path_factory.mktemp("paper")
    page = browser.new_page()
    page.goto(f"{address}{request.param}.html")
    page.locator("summary", has_text="Show the code").first.click()  # what is open is printed
    page.evaluate(
        """async () => {
          for (const image of document.images) image.loading = "eager";
          await Promise.all([...document.images].map((image) => image.decode()));
        }"""
    )
    page.pdf(path=folder / "a.pdf", format="A4", print_background=True, margin=dict.fromkeys(SIDES, f"{MARGIN}in"))
    page.close()
    text = subprocess.run(["pdftotext", folder / "a.pdf", "-"], check=True, capture_output=True, text=True).stdout
    return text, pictures_of(folder / "a.pdf", folder)


def test_no_frame_is_empty(printed):
    _, sheets = printed
    assert len(sheets) > 15
    heights = {number: empty_frame(sheet) for number, sheet in enumerate(sheets, 1)}
    assert {number: height for number, height in heights.items() if height > LONGEST_EMPTY_FRAME} == {}


def test_an_empty_frame_would_be_seen():
    sheet = np.full((550, 400), 255, np.uint8)
    sheet[10:30, 50:200] = 0
    sheet[100:300, [20, 380]] = 225
    assert empty_frame(sheet) == 200 / DPI


def test_no_sheet_but_the_last_is_left_half_empty(printed):
    _, sheets = printed
    blank = {number: blank_end(sheet, MARGIN, MARGIN) for number, sheet in enumerate(sheets[:-1], 1)}
    assert {number: share for number, share in blank.items() if share > LONGEST_BLANK_END} == {}


def test_nothing_on_paper_asks_to_be_opened(printed):
    text, _ = printed
    assert "Checked:" in text
    assert re.findall("Show the (?:code|answer)|Hide the code|Set-up|Download notebook", text) == []


def test_a_still_picture_has_a_key_to_its_colours(browser, address):
    page = browser.new_page()
    page.goto(f"{address}07-adam.html")
    page.emulate_media(media="print")
    figure = page.locator(".optimizer-playground").first
    assert figure.locator("img").is_visible()
    key = figure.locator(".still-key")
    assert key.is_visible()
    assert key.inner_text() == "MomentumAdam"
    assert key.locator("path").evaluate_all("marks => marks.map((mark) => mark.getAttribute('fill'))") == [
        COLORS["Momentum"],
        COLORS["Adam"],
    ]
    page.emulate_media(media="screen")
    figure.scroll_into_view_if_needed()
    key.wait_for(state="hidden")  # the figure to play with takes its place
    page.close()


def test_questions_stay_whole(browser, address):
    page = browser.new_page()
    page.goto(f"{address}02-sgd.html")
    page.emulate_media(media="print")
    rules = page.locator("form.quiz").evaluate_all("forms => forms.map((form) => getComputedStyle(form).breakInside)")
    assert set(rules) == {"avoid"}
    # All of them together may not be kept whole: that would throw away most of a sheet.
    outer = page.locator("form.quiz").first.evaluate(
        "form => getComputedStyle(form.closest('.cell_output')).breakInside"
    )
    assert outer == "auto"
    page.close()

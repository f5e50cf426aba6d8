"""Readers who have their own colours on every page: what shows by shade or shadow alone shows by a line there."""

import os

import pytest


@pytest.fixture
def page(browser, address):
    """Chapter 03, in colours that the reader has forced."""
    context = browser.new_context(
        forced_colors="active", reduced_motion="reduce", viewport={"width": 1440, "height": 900}
    )
    tab = context.new_page()
    tab.goto(f"{address}03-momentum.html")
    yield tab
    context.close()


LINE = """(part, side) => {
  const style = getComputedStyle(part);
  return style[`${side}Style`] !== "none" && parseFloat(style[`${side}Width`]) >= 2 && style[`${side}Color`];
}"""


def test_the_focus_shows(page):
    shown = {}
    for _ in range(40):
        page.keyboard.press("Tab")
        part = page.evaluate_handle("document.activeElement")
        name = part.evaluate("part => part.outerHTML.slice(0, 100)")
        shown[name] = part.evaluate(f"part => ({LINE})(part, 'outline')")
    assert len(shown) >= 30
    assert [name for name, line in shown.items() if not line] == []


def test_the_current_page_and_section_show(page):
    current = page.locator("nav.bd-links li.current.active > a").last
    assert current.evaluate(LINE, "borderLeft")
    page.locator("article h2").nth(3).evaluate("heading => heading.scrollIntoView()")
    section = page.locator(".bd-sidebar-secondary .nav-link.active").last
    section.wait_for()
    assert section.evaluate(LINE, "borderLeft")
    other = page.locator(".bd-sidebar-secondary .nav-link:not(.active)").last
    assert not other.evaluate(LINE, "borderLeft")


def test_code_and_buttons_keep_their_frames(page):
    assert page.locator("div.cell_input").first.evaluate("cell => getComputedStyle(cell).borderTopStyle") == "solid"
    for mark in page.locator(".chapter-actions a").all():
        assert mark.evaluate("link => getComputedStyle(link).borderTopStyle") == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_320_pixels(browser, address, site, axe, scheme):
    """As on the narrowest phone. Of the whole book where ``WHOLE_BOOK`` is set, as once a week."""
    pages = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    if "WHOLE_BOOK" not in os.environ:
        pages = ["03-momentum.html", "search.html", "ko/08-adam-keras-walkthrough.html"]
    context = browser.new_context(
        forced_colors="active", color_scheme=scheme, reduced_motion="reduce", viewport={"width": 320, "height": 640}
    )
    tab, found = context.new_page(), {}
    for name in pages:
        tab.goto(address + name)
        tab.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 300)))")
        tab.evaluate(axe)
        report = tab.evaluate("axe.run({ preload: false, resultTypes: ['violations'] })")
        if report["violations"]:
            found[name] = [(problem["id"], problem["nodes"][0]["html"]) for problem in report["violations"]]
    context.close()
    assert found == {}

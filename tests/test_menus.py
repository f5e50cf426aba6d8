"""The theme's menus, the contents of the book and of the page: by mouse, finger and keyboard, in both browsers."""

import pytest

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
FOCUSED = "document.activeElement.className"


@pytest.fixture
def tab(each_browser, address):
    """Opens a page of the book in a window of a size, and returns the tab."""
    contexts = []

    def open_it(name, size):
        contexts.append(each_browser.new_context(viewport=size))
        page = contexts[-1].new_page()
        page.goto(f"{address}{name}.html")
        return page

    yield open_it
    for context in contexts:
        context.close()


def test_the_book_s_menu_says_whether_it_is_open_and_keeps_the_focus(tab):
    page = tab("03-momentum", WIDE)
    button = page.get_by_role("button", name="Contents of the book")
    bar = page.locator("#pst-primary-sidebar")
    assert button.get_attribute("aria-expanded") == "true"
    assert button.get_attribute("aria-controls") == "pst-primary-sidebar"
    button.focus()
    for opened in ("false", "true"):
        page.keyboard.press("Enter")
        page.wait_for_function("(e) => document.querySelector('.primary-toggle').ariaExpanded === e", arg=opened)
        assert "primary-toggle" in page.evaluate(FOCUSED)
        bar.wait_for(state="visible" if opened == "true" else "hidden")


@pytest.mark.parametrize(
    ("name", "kind"), [("Contents of the book", "primary"), ("Contents of this page", "secondary")]
)
def test_a_menu_on_a_phone_gives_the_focus_back_when_it_is_left(tab, name, kind):
    page = tab("03-momentum", PHONE)
    button, dialog = page.get_by_role("button", name=name), page.locator(f"#pst-{kind}-sidebar-modal")
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("Enter")
    dialog.wait_for(state="visible")
    assert page.locator(f".{kind}-toggle").get_attribute("aria-expanded") == "true"
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert button.get_attribute("aria-expanded") == "false"
    assert f"{kind}-toggle" in page.evaluate(FOCUSED)


def test_the_page_s_menu_closes_over_the_section_that_is_chosen(tab):
    page = tab("03-momentum", PHONE)
    page.get_by_role("button", name="Contents of this page").click()
    dialog = page.locator("#pst-secondary-sidebar-modal")
    link = dialog.get_by_role("link").nth(3)
    text, link_address = link.inner_text().strip(), link.get_attribute("href")
    link.click()
    dialog.wait_for(state="hidden")
    heading = page.locator("article").get_by_role("heading", name=text)
    page.wait_for_function("heading => heading === document.activeElement", arg=heading.element_handle())
    assert page.evaluate("location.hash") == link_address
    top = "document.activeElement.getBoundingClientRect().y"
    page.wait_for_function(f"scrollY > 0 && {top} >= 0 && {top} < 200")  # a browser may take its time to get there
    page.keyboard.press("Tab")  # the reader goes on from there
    assert page.evaluate("document.activeElement.closest('article') !== null")


def test_a_long_contents_opens_with_the_logo_and_the_current_page_in_sight(tab):
    page = tab("solutions/09-fair-comparison", WIDE)
    for part in ("#pst-primary-sidebar .navbar-brand", "nav.bd-links li.current.active > a"):
        box = page.locator(part).last.bounding_box()
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= 900, part


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_icons_of_the_head_stand_in_one_line(tab, size):
    page = tab("03-momentum", size)
    middles = page.evaluate(
        """() => [...document.querySelectorAll(".bd-header-article svg.icon")].filter((icon) => icon.checkVisibility())
            .map((icon) => icon.getBoundingClientRect()).map(({ y, height }) => y + height / 2)"""
    )
    assert len(middles) >= 5
    assert max(middles) - min(middles) <= 1.5, middles

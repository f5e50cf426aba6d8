"""The book as a file: what the home pages say of the files that there are, and that they say nothing without."""

import pytest
from bs4 import BeautifulSoup

from tools.downloads import FORMS, HOMES, PLACE, name_of, put_into_site, size_of


@pytest.fixture
def built(tmp_path):
    """A folder in which a site lies, of home pages alone."""
    for home in HOMES.values():
        page = tmp_path / "html" / home
        page.parent.mkdir(exist_ok=True)
        page.write_text(f"<p>Before.</p>\n{PLACE}\n<p>After.</p>\n", encoding="utf-8")
    return tmp_path


def said(folder, language):
    page = (folder / "html" / HOMES[language]).read_text(encoding="utf-8")
    assert page.startswith("<p>Before.</p>\n")
    assert page.endswith("\n<p>After.</p>\n")
    return BeautifulSoup(page, "html.parser").select_one("p.downloads")


def test_a_home_page_links_the_files_of_its_language_with_their_sizes(built):
    for form in FORMS:
        (built / name_of(form, "en")).write_bytes(b"x" * 2_340_000)
        (built / name_of(form, "ko")).write_bytes(b"x" * 12_600_000)
    for _ in range(2):  # the line is written anew each time
        put_into_site(built)
        for language, size in (("en", "2.3 MB"), ("ko", "13 MB")):
            links = said(built, language).select("a[download]")
            assert len(links) == len(FORMS)
            assert said(built, language).get_text().count(f"({size})") == len(FORMS)
            for link in links:
                linked = (built / "html" / HOMES[language]).parent / link["href"]
                assert size_of(linked) == size.split()[0]
    assert "without a network" in said(built, "en").get_text()
    assert "인터넷" in said(built, "ko").get_text()


def test_without_a_file_nothing_is_seen_and_nothing_is_linked(built):
    file = built / name_of(FORMS[0], "ko")
    file.write_bytes(b"x" * 1_000_000)
    put_into_site(built)
    assert str(said(built, "en")) == str(BeautifulSoup(PLACE, "html.parser"))
    assert len(said(built, "ko").select("a")) == 1
    file.unlink()
    put_into_site(built)
    assert said(built, "ko").has_attr("hidden")
    assert not said(built, "ko").select("a")


def test_both_home_pages_of_the_site_have_the_place(site):
    for home in HOMES.values():
        assert (site / home).read_text(encoding="utf-8").count(PLACE) == 1

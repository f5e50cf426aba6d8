"""What tools/lighter.py takes out of the site: each thing that it may take, and each that it must leave."""

import gzip
import re
from pathlib import Path

import pytest
import tinycss2
from fontTools.ttLib import TTFont

from tools.lighter import FIGURES, PLAIN, names_in, plain_code, rules_of, used, with_style, without_scripts

ROOT = Path(__file__).parent.parent
MOST_AT_FIRST = 300_000  # bytes
NAMES = {"kept", "id"}


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".kept { color: red }", ".kept{color: red}"),
        (".gone { color: red }", ""),
        ("#id, .gone { top: 0 }", "#id{top: 0}"),
        (".kept .gone, .kept.gone, #gone { top: 0 }", ""),
        ("a:not(.gone) { top: 0 }", "a:not(.gone){top: 0}"),
        (
            '.kept:not(.gone, #gone) > p::after { content: ".gone" }',
            '.kept:not(.gone, #gone) > p::after{content: ".gone"}',
        ),
        ('[class="gone"], p { top: 0 }', '[class="gone"],p{top: 0}'),
        ("@media print { .gone { top: 0 } .kept { top: 1px } }", "@media print{.kept{top: 1px}}"),
        ("@media print { .gone { top: 0 } }", ""),
        ("@supports (top: 0) { @media print { p { top: 0 } } }", "@supports (top: 0){@media print{p{top: 0}}}"),
        ("@font-face { font-family: gone }", "@font-face {font-family: gone}"),
        ("p { /* a remark */ top: 0 }", "p{top: 0}"),
        ("p { width: 1.5rem; color: #fff }", "p{width: 1.5rem; color: #fff}"),
    ],
)
def test_rules_go_only_if_no_page_can_use_them(css, left):
    """A class or id that no page has decides, also where a rule has several; what ``:not`` asks for never does."""
    assert used(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), NAMES) == left


def test_a_script_may_give_any_of_its_words():
    """Classes count wherever they may come from: the page, a script in it, a script beside it."""
    page = '<p class="one two" id="three">four</p><script>list.add("five")</script>'
    assert {"one", "two", "three", "five", "show-all"} <= names_in([page], ['toggle("show-all")'])
    assert "four" not in names_in([page], [])


def test_code_keeps_its_colours_and_letters():
    """Only marks without a colour of their own go, neighbours of one colour become one, and the text is the same."""
    code = '<span class="n">x</span><span class="o">*</span><span class="o">*</span><span class="mi">2</span>\n'
    page = f'<p><span class="n">left</span></p><pre><span></span>{code}</pre>'
    lighter = plain_code(page)
    left = 'x<span class="o">**</span><span class="mi">2</span>\n'
    assert lighter == f'<p><span class="n">left</span></p><pre><span></span>{left}</pre>'
    assert re.sub("<[^>]*>", "", lighter) == re.sub("<[^>]*>", "", page)
    assert plain_code(lighter) == lighter


def test_the_figures_scripts_become_files():
    """A page's first script of each kind goes into a file; the tag that fetches it names figure, file and version."""
    page = (
        '<head><link href="../_static/a.css"></head><div class="draw-it"></div><script data-draw-it>\nlet a;\n</script>'
        '<div class="optimizer-playground"></div><script data-playground>\nlet b;\n</script>'
        "<script>let c;</script></body>"
    )
    scripts = {}
    left = without_scripts(page, scripts)
    assert scripts == {"draw-it": "let a;\n", "playground": "let b;\n"}
    assert not re.search("let [ab]", left)
    assert "let c" in left
    tag = re.search(r"<script defer[^>]*>", left)[0]
    assert re.fullmatch(
        r'<script defer src="../_static/near.js" data-draw-it="drawing.js\?v=\w{8}"'
        r' data-optimizer-playground="playground.js\?v=\w{8}">',
        tag,
    )
    assert without_scripts(left, {}) == left


def test_a_sheet_brings_what_it_imports_and_its_addresses_hold(tmp_path):
    """An import is put in its place, as another sheet's would count for nothing after the first rule."""
    (tmp_path / "a" / "fonts").mkdir(parents=True)
    (tmp_path / "b.css").write_text("p { top: 0 } .gone { top: 0 }", encoding="utf-8")
    sheet = '@charset "UTF-8"; @import "../b.css"; .kept { background: url(fonts/x.woff2), url("data:,x") }'
    (tmp_path / "a" / "a.css").write_text(sheet, encoding="utf-8")
    assert rules_of(tmp_path / "a" / "a.css", tmp_path, NAMES) == (
        'p{top: 0}.kept{background: url(a/fonts/x.woff2), url("data:,x")}'
    )


def test_one_style_sheet_stands_where_the_first_stood():
    """Others go, what is between them stays, and a page that has the one already gets the new version."""
    page = '<link href="../_static/a/b.css?v=1" rel="stylesheet" />\n<i></i>'
    page += '<link rel="stylesheet" href="../_static/c.css" />\n'
    once = with_style(page, "style.css?v=1")
    assert once == '<link rel="stylesheet" href="../_static/style.css?v=1" />\n<i></i>'
    assert with_style(once, "style.css?v=2") == once.replace("v=1", "v=2")


def test_words_without_a_mark_have_the_colour_of_the_code(site):
    """What PLAIN names is written by the colours of code exactly as the code around it, in both themes."""
    style = (site / "_static" / "pygments.css").read_text(encoding="utf-8")
    for theme in ("light", "dark"):
        ink = re.search(rf'html\[data-theme="{theme}"\] \.highlight \{{[^}}]*[ ;]color: (#\w+)', style)[1]
        for name in PLAIN:
            rule = re.search(rf'html\[data-theme="{theme}"\] \.highlight \.{name} \{{ (.*?) \}}', style)[1]
            assert rule == f"color: {ink}", (theme, name)
    assert f'class="{PLAIN[0]}"' not in (site / "03-momentum.html").read_text(encoding="utf-8")


def test_each_page_links_one_style_sheet_and_no_figures_script(site):
    """Whatever the page: one request for its looks, and 50 kB of script less before the reader comes near."""
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts and path.name != "404.html"]
    assert len(pages) > 80  # both languages
    for path in pages:
        page = path.read_text(encoding="utf-8")
        assert re.findall(r'rel="stylesheet"[^>]*href="[^"]*/([^/"?]*)', page) == ["style.css"], path
        assert "documentation_options.js" not in page
        for mark, (name, file) in FIGURES.items():
            assert f"<script data-{mark}>" not in page
            assert (f'<div class="{name}"' in page) == (f'data-{name}="{file}?v=' in page), (path, name)


@pytest.mark.parametrize("language", ["", "ko"])
def test_each_font_has_every_letter_that_it_had_and_the_book_needs(site, language):
    """A letter that a page has, and that the font as it came has, is in the font that the site serves."""
    folder = site / language
    letters = set("".join(path.read_text(encoding="utf-8") for path in folder.glob("*.html")))
    assert {"é", "η", "√"} <= letters
    fonts = sorted((ROOT / "book" / "assets").rglob("*.woff2"))
    assert len(fonts) > 20
    for source in fonts:
        served = folder / "_static" / source.relative_to(ROOT / "book" / "assets")
        before, after = (set(TTFont(path).getBestCmap()) for path in (source, served))
        assert before & set(map(ord, letters)) <= after <= before, source.name
        assert served.stat().st_size < source.stat().st_size


def test_no_page_takes_more_at_first_than_it_may(site):
    """Compressed, and beside its figures: a page, its style sheet, its scripts and the fonts of its words."""
    of_text = ["fonts/*.woff2"]
    of_formulas = [f"katex/fonts/KaTeX_{name}.woff2" for name in ("Main-Regular", "Math-Italic", "Size[12]-*")]
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts and path.name != "404.html"]
    for path in pages:
        page = path.read_text(encoding="utf-8")
        static = site / ("ko" if "ko" in path.parts else "") / "_static"
        linked = re.findall(r'<(?:script|link)[^>]* (?:src|href)="(?:\.\./)*_static/([^"?]*\.(?:js|css))', page)
        fonts = [*of_text, *of_formulas] if "data-formulas" in page else of_text
        files = [static / name for name in linked] + [font for which in fonts for font in static.glob(which)]
        figures = r'<div class="drawing.*?</svg></div>|data:image/[^"]*'
        beside = gzip.compress(re.sub(figures, "", page, flags=re.DOTALL).encode())
        weight = len(beside) + sum(len(gzip.compress(file.read_bytes())) for file in files)
        assert len(files) >= 11, path
        assert weight < MOST_AT_FIRST, (path, weight)


@pytest.mark.parametrize("arrives", ["with the page", "later"])
def test_a_link_to_a_figure_fetches_its_script_at_once(browser, address, arrives):
    """Whoever opens a copied link is not at the figure yet, in a new tab or in that of the page."""
    page = browser.new_page()
    page.goto(f"{address}07-adam.html{'#playground=key=words' if arrives == 'with the page' else ''}")
    live = "Boolean(document.querySelector('.optimizer-playground').shadowRoot)"
    if arrives == "later":
        page.wait_for_load_state("networkidle")
        assert not page.evaluate(live)
        page.evaluate("location.hash = 'playground=key=words'")
    page.wait_for_function(live)
    assert page.evaluate("scrollY") == 0
    assert page.locator("script[src*='playground.js']").count() == 1
    page.close()

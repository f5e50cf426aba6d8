"""The house rules of the book, held against its sources, its stored outputs and its built pages."""

import ast
import itertools
import json
import os
import re
import statistics
import symtable
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from tools.assertions import assertions, asserts, parse
from tools.repository import badge, current_url, setup_cell

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
NOTEBOOKS = sorted(BOOK.rglob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.parent == BOOK and path.name[0].isdigit()]
DEEPER = [path for path in NOTEBOOKS if path.parent.name == "deeper"]
#: The pages with a line that a reader follows; solutions are proofs through and through.
LINES = [path for path in NOTEBOOKS if path.parent.name != "solutions"]
MARKDOWN_PAGES = sorted(BOOK.rglob("*.md"))
URL = current_url()

#: Where the classes and functions that chapters show in full are defined.
SHOWN_MODULES = tuple(
    f"utils/{name}.py" for name in ("optimizers", "beyond_adam", "schedules", "surfaces", "comparison")
)
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(home|root|tmp|work|usr|opt|Users)/|[A-Z]:\\\\|site-packages")
MOST_LINES = 25
MOST_LINES_MEDIAN = 8

#: What a check cell carries, so that Colab and JupyterLab fold it as the page does.
CHECK_METADATA = {"tags": ["check"], "cellView": "form", "jupyter": {"source_hidden": True}}
TITLE = re.compile(r"#@title ✓ Checked: \S.{9,118}[^.\s]")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("path", CHAPTERS + DEEPER, ids=lambda path: path.stem)
every_line = pytest.mark.parametrize("path", LINES, ids=lambda path: path.stem)


@cache
def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source_of(cell):
    return "".join(cell["source"])


def cells_of(path, kind):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == kind]


def tags_of(cell):
    return cell["metadata"].get("tags", [])


def is_setup(cell):
    return "google.colab" in source_of(cell)


def is_verdict(cell):
    """Whether the cell checks an exercise: it belongs to the cell before it, where the reader writes the attempt."""
    return source_of(cell).startswith("check.")


def is_check(cell):
    """Whether the cell proves a claim of the page, which shows it folded."""
    return "check" in tags_of(cell)


def names_of(source):
    """(names that a cell binds, names that it needs from cells before it)."""
    binds, needs = set(), set()
    for statement in parse(source).body:
        scopes = [symtable.symtable(ast.unparse(statement), "statement", "exec")]
        symbols = scopes[0].get_symbols()
        bound = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
        used = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
        for scope in scopes:  # which grows
            scopes += scope.get_children()
            used |= {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()} - bound
        if isinstance(statement, (ast.For, ast.With)):
            used -= bound
        if isinstance(statement, ast.AugAssign):
            used |= bound
        needs |= used - binds
        binds |= bound
    return binds, needs


@cache
def definitions():
    """The source of every class and function that a chapter may show, by name."""
    sources = [(ROOT / module).read_text(encoding="utf-8") for module in SHOWN_MODULES]
    return {name: definition for source in sources for name, definition in shown_definitions(source)}


def shown_definitions(source):
    """(name, source with decorators) of each class and function defined at the top level of a cell."""
    lines = source.split("\n")
    for node in parse(source).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, "\n".join(lines[first - 1 : node.end_lineno])


def test_there_are_chapters_to_check():
    assert {"02-sgd", "08-adam-keras-walkthrough"} <= {path.stem for path in CHAPTERS}


def test_table_of_contents_lists_exactly_the_pages_there_are():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def files(node):
        if isinstance(node, list):
            return [file for item in node for file in files(item)]
        if isinstance(node, dict):
            own = [node["file"]] if "file" in node else [node["root"]] if "root" in node else []
            return own + [file for value in node.values() for file in files(value)]
        return []

    listed = files(toc)
    pages = [path.relative_to(BOOK).with_suffix("").as_posix() for path in NOTEBOOKS + MARKDOWN_PAGES]
    assert sorted(listed) == sorted(pages)


@every_notebook
def test_markdown_is_commonmark_with_tables_and_maths(path):
    parser = MarkdownIt("commonmark").enable("table")
    for cell in cells_of(path, "markdown"):
        source = source_of(cell)
        prose = re.sub(r"`[^`]*`", "", source)
        assert not re.search(r"\{[\w:+-]+\}`", source), f"MyST role in {source[:80]!r}"
        assert not re.search(r"^(:::|\([\w-]+\)=|%|\+\+\+)", prose, re.MULTILINE), f"MyST syntax in {source[:80]!r}"
        for token in parser.parse(re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", "MATHS", source, flags=re.DOTALL)):
            children = token.children or []
            assert token.type != "html_block", f"HTML in {source[:80]!r}"
            assert not any(child.type == "html_inline" for child in children), f"HTML in {source[:80]!r}"
            assert not token.info.startswith("{"), f"MyST directive in {source[:80]!r}"


@every_notebook
def test_dollars_of_maths_are_paired(path):
    for cell in cells_of(path, "markdown"):
        prose = re.sub(r"`[^`]*`", "", source_of(cell)).replace(r"\$", "")
        assert prose.count("$") % 2 == 0, f"odd number of $ in {prose[:80]!r}"


@every_notebook
def test_every_figure_has_alt_text_and_caption(path):
    for cell in cells_of(path, "code"):
        if any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            settings = cell["metadata"].get("mystnb", {})
            where = f"the figure of cell {cell['id']}: {source_of(cell)[:60]!r}"
            assert len(settings.get("image", {}).get("alt", "")) >= 30, f"alt text is missing or too short in {where}"
            assert len(settings.get("figure", {}).get("caption", "")) >= 15, f"no caption in {where}"


@every_notebook
def test_setup_cell_and_badge_follow_the_configuration(path):
    code = [source_of(cell) for cell in cells_of(path, "code")]
    assert code[0] == setup_cell(URL)
    assert not any("google.colab" in source for source in code[1:])
    assert badge(URL, path.relative_to(ROOT).as_posix()) in source_of(read(path)["cells"][0])


@every_chapter
def test_chapter_opens_with_title_and_goals(path):
    opening = source_of(read(path)["cells"][0])
    assert re.match(r"# \S", opening)
    goals = re.search(r"\*\*You will learn\*\*\n\n((?:- .*\n(?:  .*\n)*)+)", opening + "\n")
    assert goals, "the first cell lists what the reader will learn"
    assert 3 <= len(re.findall(r"^- ", goals[1], re.MULTILINE)) <= 5
    assert re.search(r"minutes? to read", opening)
    assert re.search(r"to run", opening)


def test_pages_that_go_deeper_and_chapters_lead_to_each_other():
    prose = {page: "\n".join(map(source_of, cells_of(page, "markdown"))) for page in CHAPTERS + DEEPER}
    for path in DEEPER:
        leading = [page.name for page in CHAPTERS if f"](deeper/{path.name}" in prose[page]]
        assert leading, f"no chapter links to {path.name}"
        assert any(f"](../{name}" in prose[path] for name in leading), f"{path.name} does not lead back to {leading}"


@every_notebook
def test_imports_stand_in_one_cell_at_the_top(path):
    importing = [
        index
        for index, cell in enumerate(cells_of(path, "code"))
        if any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(parse(source_of(cell))))
    ]
    assert importing in ([0], [0, 1]), "imports belong in the cell after the set-up cell"


@every_notebook
def test_prose_stands_between_any_two_code_cells(path):
    cells = read(path)["cells"]
    for before, after in itertools.pairwise(cells):
        neighbours = before["cell_type"] == after["cell_type"] == "code"
        allowed = is_setup(before) or is_verdict(after) or is_check(after)
        assert not neighbours or allowed, f"no prose before {source_of(after)[:80]!r}"


@every_notebook
def test_cells_are_short(path):
    shown = definitions().values()
    lengths = []
    for cell in cells_of(path, "code"):
        source = source_of(cell)
        if not any(definition in shown for _, definition in shown_definitions(source)):
            length = len(source.splitlines())
            assert length <= MOST_LINES + is_check(cell), f"{length} lines: {source[:80]!r}"  # its title is no code
            if not is_check(cell):
                lengths.append(0 if is_setup(cell) else length)  # which every page folds
    assert statistics.median(lengths) <= MOST_LINES_MEDIAN


@every_notebook
def test_shown_definitions_are_those_of_utils(path):
    known = definitions()
    for cell in cells_of(path, "code"):
        for name, definition in shown_definitions(source_of(cell)):
            if name in known:
                assert definition == known[name], f"{name} differs from its definition in utils"


def test_every_rule_taught_is_shown_in_full():
    taught = {"02": "SGD", "03": "Momentum", "04": "Nesterov", "05": "Adagrad", "06": "RMSprop", "07": "Adam"}
    taught = {number: {rule} for number, rule in taught.items()}
    taught["11"] = {"orthogonalise", "Muon"}
    taught["relatives-of-adam"] = {
        "AdamW",
        "Lion",
        "Nadam",
        "Adamax",
        "Adadelta",
        "Yogi",
        "ScheduleFreeSGD",
        "ScheduleFreeAdamW",
    }
    for path in CHAPTERS + DEEPER:
        if rules := taught.get(path.stem, taught.get(path.name[:2])):
            shown = {name for cell in cells_of(path, "code") for name, _ in shown_definitions(source_of(cell))}
            assert rules <= shown, f"{path.name} does not show {rules - shown}"


@every_notebook
def test_stored_run_is_complete_and_in_order(path):
    counts = [cell["execution_count"] for cell in cells_of(path, "code")]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"


@every_notebook
def test_stored_outputs_hold_no_errors_noise_or_machine_paths(path):
    for cell in cells_of(path, "code"):
        for output in cell["outputs"]:
            text = json.dumps(output.get("data", {}) | {"text": output.get("text", ""), "tb": output.get("traceback")})
            text = re.sub(r'"image/png": "[^"]*"|<script.*?</script>', "", text)  # our scripts hold no addresses
            where = f"the output of {source_of(cell)[:60]!r}"
            assert output["output_type"] != "error" or "raises-exception" in tags_of(cell), f"error in {where}"
            assert output.get("name") != "stderr", f"stderr in {where}"
            assert not MACHINE_PATH.search(text), f"machine path in {where}"
            assert not re.search(r"0x[0-9a-f]{6,}", text), f"memory address in {where}"


@every_notebook
def test_unchecked_outputs_are_followed_by_an_assertion(path):
    code = cells_of(path, "code")
    for index, cell in enumerate(code):
        if "nbval-ignore-output" in tags_of(cell):
            later = [source_of(cell) for cell in code[index : index + 4]]
            assert any(map(assertions, later)), source_of(cell)[:80]


@every_notebook
def test_check_cells_have_one_form(path):
    for cell in cells_of(path, "code"):
        if not is_check(cell):
            assert not re.match(r"#\s*@title", source_of(cell)), (
                f"no check cell, and has a title: {source_of(cell)[:80]!r}"
            )
            assert set(cell["metadata"]) <= {"tags", "mystnb"}, source_of(cell)[:80]
            continue
        title, *code = source_of(cell).split("\n")
        assert cell["metadata"] == CHECK_METADATA, title
        assert TITLE.fullmatch(title), f"{title!r} does not say in one sentence, without a full stop, what is checked"
        assert cell["outputs"] == [], f"{title} prints something"
        last = parse("\n".join(code)).body[-1]
        assert any(map(asserts, ast.walk(last))), f"{title} does not end in an assertion"
    claims = [source_of(cell).split("\n")[0] for cell in cells_of(path, "code") if is_check(cell)]
    assert len(set(claims)) == len(claims), "two check cells say the same"


@every_notebook
def test_what_is_shown_needs_no_check_cell(path):
    """A reader who opens no fold sees where every name comes from."""
    bound_by = {}
    for cell in cells_of(path, "code"):
        binds, needs = names_of(source_of(cell))
        folded = [name for name in needs if is_check(bound_by.get(name, cell))]
        assert is_check(cell) or not folded, f"{folded} of {source_of(cell)[:80]!r} is computed in a check cell"
        bound_by |= dict.fromkeys(binds, cell)


def visible_assertions(path):
    """The assertions that stand on a page without being folded."""
    return [
        ast.unparse(found)
        for cell in cells_of(path, "code")
        if not is_check(cell)
        for found in assertions(source_of(cell))
    ]


@every_line
def test_no_visible_cell_asserts(path):
    assert visible_assertions(path) == [], "these belong in a check cell"


@every_notebook
def test_answers_are_prose_after_a_question(path):
    for cell in read(path)["cells"]:
        if "answer" in tags_of(cell):
            source = source_of(cell)
            assert cell["cell_type"] == "markdown", source[:80]
            assert cell["metadata"] == {"tags": ["answer"]}, source[:80]
            assert re.match(r"\*\*Answer:\*\* \S", source), f"{source[:80]!r} does not begin with **Answer:**"
            assert not re.search(r"^#", source, re.MULTILINE), "a heading cannot be folded"
        else:
            assert not source_of(cell).startswith("**Answer:**"), f"{source_of(cell)[:80]!r} lacks the tag"


@every_notebook
def test_metadata_is_independent_of_the_machine(path):
    notebook = read(path)
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    allowed_tags = {"answer", "check", "hide-input", "nbval-ignore-output", "raises-exception"}
    for cell in notebook["cells"]:
        assert set(cell["metadata"]) <= {"tags", "mystnb", "cellView", "jupyter"}, cell["metadata"]
        assert set(tags_of(cell)) <= allowed_tags, tags_of(cell)


def test_jupyterlab_folds_a_check_cell_under_its_title(run_in_jupyterlab):
    source = "#@title ✓ Checked: one and one make two\n\nassert 1 + 1 == total"
    check = nbformat.v4.new_code_cell(source, metadata=CHECK_METADATA)
    page, errors = run_in_jupyterlab("total = 2", check, "print('all', 'ran')")
    page.get_by_text("all ran", exact=True).wait_for()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    shown, folded = cells.nth(0), cells.nth(1)
    assert shown.get_by_text("total = 2").is_visible()
    assert folded.get_by_text("✓ Checked: one and one make two").is_visible()
    assert not folded.get_by_text("assert").is_visible()
    folded.locator(".jp-Placeholder-content").click()
    folded.locator(".cm-content", has_text="assert 1 + 1 == total").wait_for()
    assert errors == []


@pytest.fixture(scope="session")
def pages(site):
    """The built pages, parsed, by their path relative to the site's root."""
    return {
        path.relative_to(site).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts
    }


def test_internal_links_and_anchors_resolve_in_html(site, pages):
    root = site.resolve()
    anchors = {name: {element["id"] for element in page.select("[id]")} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for element in page.find_all(["a", "img", "link", "script", "source"]):
            target = element.get("href") or element.get("src")
            if not target or urlsplit(target).scheme or target.startswith("//"):
                continue
            parts = urlsplit(target)
            path = unquote(parts.path)
            linked = Path(os.path.normpath(root / name if not path else (root / name).parent / path))
            if not linked.exists():
                broken.append(f"{name}: {target}")
            elif parts.fragment and linked.suffix == ".html":
                known = anchors.get(linked.relative_to(root).as_posix())
                if known is not None and unquote(parts.fragment) not in known:
                    broken.append(f"{name}: {target}")
    assert not broken, "\n".join(broken)


def test_links_between_pages_were_turned_into_html(pages):
    for name, page in pages.items():
        for link in page.select("article a[href]"):
            parts = urlsplit(link["href"])
            is_source = not parts.scheme and re.search(r"\.(md|ipynb)$", parts.path)
            assert not is_source or "_sources" in parts.path, f"{name} links to the source {link['href']}"


def test_every_page_is_built_and_has_one_title(pages):
    for path in NOTEBOOKS + MARKDOWN_PAGES:
        name = path.relative_to(BOOK).with_suffix(".html").as_posix()
        assert len(pages[name].select("article h1")) == 1, name


def test_images_in_html_have_alt_text(pages):
    for name, page in pages.items():
        for image in page.select("article img"):
            assert image.get("alt"), f"{name}: {image.get('src')}"


def test_maths_has_no_command_that_katex_does_not_know(pages):
    for name, page in pages.items():
        unknown = page.select('.katex [style*="cc0000"], .katex-error')
        assert not unknown, f"{name}: {[element.get_text() for element in unknown]}"
        assert "MathJax" not in str(page.head), name

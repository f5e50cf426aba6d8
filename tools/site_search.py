"""Sphinx extension, part of book_site: the index that search.js looks into, made with Pagefind.

Sphinx' own index knows which pages hold a word, and no more. This one knows the section, ranks by what a word means to
its page, and gives the text around it. Terms of the glossary and symbols of the notation are entries of their own,
found in either language and by name. From ``file://`` no browser lets a script read it: there Sphinx' search is left.
"""

import asyncio
import json
import re
import shutil
from pathlib import Path

from bs4 import BeautifulSoup
from pagefind.index import IndexConfig, PagefindIndex

#: What is no text of a page, or is read only by those who open it. Terms of the glossary are entries of their own.
LEFT_OUT = (
    "script, style, svg, dl.glossary, .headerlink, .chapter-actions, .toctree-wrapper, .katex-mathml, "
    "div.cell, details.check, details.set-up, form.quiz, figure.race, .prev-next-area"
)
#: Which of the files that Pagefind writes are used here.
KEPT = re.compile(r"pagefind\.js|pagefind-worker\.js|pagefind-entry\.json|names\.json|.*\.pagefind|.*\.pf_\w+")
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "xi": "ξ", "rho": "ρ", "sigma": "σ", "phi": "φ", "omega": "ω", "nabla": "∇",
}  # fmt: skip


def text_of(element):
    """Return the text of an element: of a formula what is seen of it, once, without marks for where it may break."""
    hidden = [note.get_text() for note in element.select(".katex-mathml, .headerlink")]
    text = element.get_text()
    for note in hidden:
        text = text.replace(note, "", 1)
    return re.sub(r"\s+", " ", re.sub("[\u200b-\u200d\u2060-\u2064]", "", text)).strip()


def page_for_index(page, is_solution):
    """Return what is to be found of a page, as HTML, or None if it has no text of its own."""
    article = page.select_one("article.bd-article")
    title = article and article.find("h1")
    if title is None:
        return None
    if article.select_one("section#notation"):
        for table in article.select("table"):
            table.decompose()
    for formula in article.select(".katex"):
        formula.replace_with(text_of(formula))
    for element in article.select(LEFT_OUT):
        element.decompose()
    for section in article.select("section[id]"):
        heading = section.find(re.compile("^h[1-6]$"), recursive=False)
        if heading:
            heading["id"] = section["id"]
            heading["data-pagefind-weight"] = {"h1": "4" if is_solution else "10", "h2": "4"}.get(heading.name, "2")
    return f'<html lang="{page.html["lang"]}"><title>{title.get_text()}</title><body>{article}</body></html>'


def chapter_entry(address, page):
    """Return what a chapter is called, by its file too: who looks for SGD wants the chapter of that name first."""
    heading = page.select_one("article h1")
    if not heading or not re.match(r"\d\d-", address):
        return None
    title, name = text_of(heading), address[3:].removesuffix(".html").replace("-", " ")
    text = page.select_one('meta[name="description"]')["content"]
    return {"url": address, "title": title, "names": [title, title.split(":")[0], name], "text": text}


def glossary_entries(address, page):
    """Yield what each term of the glossary is called, in both languages, and what it means."""
    for term in page.select("dl.glossary dt[id]"):
        title = text_of(term)
        names = re.split(r" · |, |\(|\)", title)
        definition = term.find_next_sibling("dd")
        yield {"url": f"{address}#{term['id']}", "title": title, "names": names, "text": text_of(definition)}


def notation_entries(address, page):
    """Yield what each symbol of the notation is called: the sign, and its name."""
    for row in page.select("article section table tbody tr"):
        symbol, meaning, *rest = row.find_all("td")
        tex = " ".join(note.get_text() for note in symbol.select("annotation"))
        signs = {sign: name for name, sign in GREEK.items() if re.search(rf"\\(?:var)?{name}(?![a-z])", tex)}
        names = [*signs, *signs.values(), text_of(symbol)]
        text = " · ".join(filter(None, (text_of(cell) for cell in (meaning, *rest))))
        url = f"{address}#{row.find_parent('section')['id']}"
        yield {"url": url, "title": text_of(symbol), "names": names, "text": text}


async def write(folder, pages):
    """Write the index of pages, given by their addresses, and the list of what has a name of its own."""
    named = []
    async with PagefindIndex(config=IndexConfig(output_path=str(folder), keep_index_url=True)) as index:
        for address, page in pages.items():
            kind = {"glossary.html": glossary_entries, "notation.html": notation_entries}.get(address)
            entries = list(kind(address, page)) if kind else []
            named += [chapter] if (chapter := chapter_entry(address, page)) else []
            for entry in entries:
                entry["kind"] = text_of(page.select_one("article h1"))
                await index.add_custom_record(
                    url=entry["url"],
                    content=" ".join([entry["text"], "·", *entry["names"]]),
                    language=page.html["lang"],
                    meta={"title": entry["title"], "kind": entry["kind"]},
                )
            named += entries
            if content := page_for_index(page, address.startswith("solutions/")):
                await index.add_html_file(content=content, url=address)
        await index.write_files()
    for entry in named:
        entry["names"] = sorted({plain(name) for name in entry["names"]} - {""})
    (folder / "names.json").write_text(json.dumps(named, ensure_ascii=False), encoding="utf-8")


def plain(name):
    """Return a name as search.js compares it: small letters, no spaces or hyphens, no plural."""
    return re.sub(r"[\s\-’']", "", name.lower()).removesuffix("s")


def build_index(app, exception):
    """Index the finished site."""
    if exception or app.builder.name != "html":
        return
    output = Path(app.outdir)
    folder = output / "_static" / "pagefind"
    shutil.rmtree(folder, ignore_errors=True)
    pages = {
        path.relative_to(output).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(output.rglob("*.html"))
        if not {"_static", "ko"} & set(path.relative_to(output).parts) and path.name not in ("search.html", "404.html")
    }
    asyncio.run(write(folder, pages))
    for path in folder.rglob("*"):
        if path.is_file() and not KEPT.fullmatch(path.name):
            path.unlink()


def setup(app):
    """Register the extension with Sphinx."""
    app.connect("build-finished", build_index, priority=900)

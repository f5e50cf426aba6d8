"""Sphinx extension, part of book_site: what a reader need not wait for, taken out of the finished site.

A phone that opens a page has to fetch and lay out everything that stands in it before it shows the first line. So the
style sheets of theme, code and formulas become one, without the rules that no page of this book can use; the fonts keep
the letters that the book has; code loses the marks of words that look like their neighbours; and the scripts of the
figures to play with and to draw on, which Colab and JupyterLab want beside the figure, are files that a page fetches
when the reader comes near.
"""

import hashlib
import html
import os
import re
import string
from itertools import pairwise
from pathlib import Path

import tinycss2
from fontTools import subset
from sphinx.util import logging

STYLE = "style.css"
#: Pygments' classes (names, punctuation, white space) whose colour is that of the code around them, in both themes.
PLAIN = ("n", "nn", "nx", "p", "pm", "w")
#: The figures whose script stands beside them in a notebook: the script's mark, the figure's class, the script's file.
FIGURES = {"playground": ("optimizer-playground", "playground.js"), "draw-it": ("draw-it", "drawing.js")}

_SHEET = re.compile(r'<link [^>]*?href="((?:\.\./)*_static/)([^"?]*\.css)[^"]*"[^>]*>\s*')
log = logging.getLogger(__name__)


def version(text):
    """Return what the address of a file ends in, so that a browser that has an older one asks for the new one."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def plain_code(page):
    """Return a page whose code marks only what has a colour of its own: half as many elements, the same look."""

    def lighter(match):
        code = re.sub(rf'<span class="(?:{"|".join(PLAIN)})">([^<]*)</span>', r"\1", match[0])
        return re.sub(r'<span class="(\w+)">([^<]*)</span>((?:<span class="\1">[^<]*</span>)+)', joined, code)

    def joined(match):
        return f'<span class="{match[1]}">{match[2]}{re.sub("<[^>]*>", "", match[3])}</span>'

    return re.sub(r"<pre>.*?</pre>", lighter, page, flags=re.DOTALL)


def without_scripts(page, scripts):
    """Return a page without the scripts of its figures, which are put into a dict, but with one that fetches them."""
    inline = rf"<script data-({'|'.join(FIGURES)})>\n(.*?)</script>"
    if not (found := dict(re.findall(inline, page, flags=re.DOTALL))):
        return page
    scripts |= found
    page = re.sub(inline, "", page, flags=re.DOTALL)
    static = re.search(r"(?:\.\./)*_static/", page)[0]
    files = "".join(f' data-{FIGURES[mark][0]}="{FIGURES[mark][1]}?v={version(found[mark])}"' for mark in found)
    return page.replace("</body>", f'<script defer src="{static}near.js"{files}></script></body>', 1)


def names_in(pages, scripts):
    """Return all classes and ids that the pages have or their scripts may give: every word of a script may be one."""
    names = set()
    for page in pages:
        for value in re.findall(r'\b(?:class|id)="([^"]*)"', page):
            names.update(value.split())
        scripts = [*scripts, *re.findall(r"<script[^>]*>(.*?)</script>", page, flags=re.DOTALL)]
    return names.union(*(re.findall(r"[\w-]+", script) for script in scripts))


def used(rules, names):
    """Return parsed rules as text, in the same order, without those for classes and ids that are not among the names.

    What stands in a pseudo-class, such as ``:not(…)``, is no condition here.
    """
    kept = ""
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [part for part in _split(rule.prelude) if _asks_for(part) <= names]
            if selectors:
                kept += ",".join(map(_text, selectors)) + "{" + _text(rule.content) + "}"
        elif rule.content is None:
            kept += rule.serialize()
        elif rule.lower_at_keyword in ("media", "supports", "layer", "container"):
            inner = used(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), names)
            kept += f"@{rule.at_keyword} {_text(rule.prelude)}{{{inner}}}" if inner else ""
        else:
            kept += f"@{rule.at_keyword} {_text(rule.prelude)}{{{_text(rule.content)}}}"
    return kept


def _split(prelude):
    parts = [[]]
    for node in prelude:
        if node == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _asks_for(selector):
    names = {node.value for node in selector if node.type == "hash"}
    return names | {after.value for before, after in pairwise(selector) if before == "." and after.type == "ident"}


def _text(nodes):
    shown = tinycss2.serialize([node for node in nodes if node.type != "comment"])
    return re.sub(r"\s+", " ", shown).strip()


def sheets_of(pages):
    """Return the style sheets that fresh pages link, in their order, as paths below ``_static``."""
    lists = [[name for _, name in _SHEET.findall(page) if name != STYLE] for page in pages]
    longest = max(lists, key=len)
    for names in lists:
        if [name for name in longest if name in names] != names:
            log.warning("pages link style sheets in different orders: %s and %s", longest, names)
    return longest


def rules_of(path, static, names):
    """Return what is used of a style sheet, and of those that it imports, its addresses as seen from ``static``."""
    text = re.sub(
        r"""url\((["']?)(?!data:|https?:|#|/)([^)"']+)\1\)""",
        lambda match: f"url({Path(os.path.relpath(path.parent / match[2], static)).as_posix()})",
        path.read_text(encoding="utf-8"),
    )
    rules, imported = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), ""
    for rule in [rule for rule in rules if rule.type == "at-rule" and rule.lower_at_keyword in ("import", "charset")]:
        rules.remove(rule)
        for other in [
            node.value for node in rule.prelude if node.type == "string" and rule.lower_at_keyword == "import"
        ]:
            imported += rules_of(path.parent / other, static, names)
    return imported + used(rules, names)


def write_style(static, pages, scripts):
    """Write the one style sheet, and return its address below ``_static``."""
    one = static / STYLE
    sheets = sheets_of(pages)
    if not sheets:  # no page was written anew: the one that is there says what it is made of
        sheets = re.match(r"/\* (.*?) \*/", one.read_text(encoding="utf-8"))[1].split(", ")
    names = names_in(pages, scripts)
    rules = "".join(rules_of(static / sheet, static, names) for sheet in sheets)
    # Whose rules these are, and under which licences, stands in the files that it names.
    one.write_text(f"/* {', '.join(sheets)} */\n{rules}\n", encoding="utf-8")
    return f"{STYLE}?v={version(rules)}"


def with_style(page, style):
    """Return a page that links one style sheet, in the place of the first."""
    if not (first := _SHEET.search(page)):
        return page
    page = page.replace(first[0], f'<link rel="stylesheet" href="{first[1]}{style}" />\n', 1)
    start = page.index(style)
    return page[:start] + _SHEET.sub("", page[start:])


def write_fonts(app, pages, scripts):
    """Leave in each font the letters that pages or scripts have, and those of a keyboard, which a reader may type."""
    letters = set(string.printable).union(*map(html.unescape, pages), *scripts)
    options = subset.Options(flavor="woff2", layout_features=["ccmp", "kern", "liga", "locl", "mark", "mkmk"])
    for folder in app.config.html_static_path:
        for source in sorted(Path(app.srcdir, folder).rglob("*.woff2")):
            target = Path(app.outdir, "_static", source.relative_to(Path(app.srcdir, folder)))
            font = subset.load_font(source, options)
            subsetter = subset.Subsetter(options)
            subsetter.populate(text="".join(letters))
            subsetter.subset(font)
            subset.save_font(font, target, options)


def lighten(app, exception):
    """Go over the finished site once."""
    if exception or app.builder.name != "html":
        return
    output, static = Path(app.outdir), Path(app.outdir, "_static")
    files = {
        path: path.read_text(encoding="utf-8")
        for path in sorted(output.rglob("*.html"))
        if not {"_static", "ko"} & set(path.relative_to(output).parts) and path.name != "404.html"
    }
    figures = {}
    pages = {path: without_scripts(plain_code(page), figures) for path, page in files.items()}
    for mark, script in figures.items():
        (static / FIGURES[mark][1]).write_text(script, encoding="utf-8")
    scripts = [path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.js"))]
    style = write_style(static, list(pages.values()), scripts)
    write_fonts(app, list(pages.values()), scripts)
    first = (static / "documentation_options.js").read_text(encoding="utf-8")  # the others count on it
    for path, page in pages.items():
        page = re.sub(r'<script src="[^"]*documentation_options\.js[^"]*"></script>', f"<script>{first}</script>", page)
        path.write_text(with_style(page, style), encoding="utf-8")


def setup(app):
    """Register the extension with Sphinx."""
    app.connect("build-finished", lighten, priority=800)  # after the scripts, before the index

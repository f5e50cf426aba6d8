"""Markdown taken apart for translators, and put together again: a message is a paragraph, an item, a cell, a heading.

What a translator sees of a message is its Markdown, with formulas, code and links as they stand. What is put in its
place changes that message alone: every other character of a page stays as it is.
"""

import copy
import re

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)
PAGE_PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, double_inline=True)
PAGE_PARSER.use(amsmath_plugin).use(front_matter_plugin)

#: The parts of a message that are the same in every language, by name.
CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$]+?(?<!\\)\$", re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)|<(https?://[^>]+)>")
BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)")


def words(message):
    """Return what is left of a message without formulas, code, and the addresses of links."""
    kept = FORMULA.sub(" ", CODE.sub(" ", message))
    return LINK.sub("]", kept)


def is_for_translators(message):
    """Whether a message holds anything that one would say differently in another language."""
    return not BADGE.fullmatch(message.strip()) and bool(re.search(r"[^\W\d_]{2}", words(message)))


def translated(markdown, say, *, page=False):
    """Return Markdown with each of its messages replaced.

    Parameters
    ----------
    markdown : str
        A notebook's cell, or a whole page.
    say : callable
        Takes a message and what it is ("paragraph", "heading", "cell" and so on), and returns what to put in its place.
    page : bool
        Whether this is a page, which may begin with a description and hold MyST's directives.

    Returns
    -------
    str
    """
    lines, tokens = markdown.split("\n"), (PAGE_PARSER if page else PARSER).parse(markdown)
    rows, row = {}, None
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "tr_open":
            row = token.map[0]
        elif token.type in ("th_open", "td_open"):
            rows.setdefault(row, []).append("")
        elif token.type == "inline" and before.type in ("th_open", "td_open"):
            rows[row][-1] = _said(say, token.content, "cell")
        elif token.type == "inline":
            _replace(lines, token, _said(say, token.content, before.type.removesuffix("_open")))
        elif token.type == "front_matter":
            for number in range(*token.map):
                if match := re.match(r"( *description: )(.*)", lines[number]):
                    lines[number] = match[1] + (_said(say, match[2], "description") or match[2])
        elif token.type == "fence" and page and token.info.startswith("{"):
            for number in range(token.map[0] + 1, token.map[1] - 1):
                lines[number] = _directive_line(lines[number], token.info.strip("{} "), say)
    for number, cells in rows.items():
        _replace_row(lines, number, cells)
    return "\n".join(line for line in lines if line is not None)


def messages(markdown, *, page=False):
    """Return the messages of a piece of Markdown with what each is, in order."""
    found = []
    translated(markdown, lambda message, kind: found.append((message, kind)) or message, page=page)
    return found


def _said(say, content, kind):
    """Return what is said for a message, or None where nothing changes."""
    hard = re.search(r"(\\| {2,})\n", content)
    message = content if hard else re.sub(r"\s*\n\s*", " ", content)
    if not is_for_translators(message):
        return None
    said = say(message, kind)
    return said if said != message else None


def _replace(lines, token, said):
    if said is None:
        return
    start, stop = token.map
    first = token.content.split("\n")[0].rstrip()
    line = lines[start].rstrip()
    prefix = re.match(rf"(.*?){re.escape(first)}\s*#*$", line)[1]
    lines[start] = prefix + said
    for number in range(start + 1, stop):
        lines[number] = None


def _replace_row(lines, number, cells):
    if all(cell is None for cell in cells):
        return
    line = lines[number].strip()
    parts = escapedSplit(line)
    first = 1 if line.startswith("|") else 0
    for column, said in enumerate(cells):
        if said is not None:
            parts[first + column] = f" {said.replace('|', chr(92) + '|')} "
        else:
            parts[first + column] = parts[first + column].replace("|", "\\|")
    lines[number] = "|".join(parts)


def _directive_line(line, directive, say):
    if match := re.match(r"(:alt: )(.*)", line):
        return match[1] + (_said(say, match[2], "alt text") or match[2])
    if not line.strip() or line.startswith(":"):
        return line
    indent, text = re.match(r"( *)(.*)", line).groups()
    kind = directive if directive != "glossary" else "definition" if indent else "term"
    return indent + (_said(say, text, kind) or text)


CHECK = re.compile(r"#\s*@title ✓ Checked: (.*)")


def translated_notebook(notebook, say, *, check="✓ Checked:"):
    """Return a notebook with each of its messages replaced: in its prose, captions, alt texts, and what checks say.

    Parameters
    ----------
    notebook : dict
        As JSON holds it; it is left as it is.
    say : callable
        As for :func:`translated`.
    check : str
        The words before what a check cell has checked.

    Returns
    -------
    dict
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = translated(source, say)
        elif match := CHECK.match(source):
            source = source.replace(match[0], f"#@title {check} {_said(say, match[1], 'check') or match[1]}", 1)
        cell["source"] = source.splitlines(keepends=True)
        figure = cell["metadata"].get("mystnb", {})
        for part, key, kind in (("figure", "caption", "caption"), ("image", "alt", "alt text")):
            if key in figure.get(part, {}):
                figure[part][key] = _said(say, figure[part][key], kind) or figure[part][key]
    return notebook


def translated_table(table, say):
    """Return a table of texts, or the questions of a quiz, with each message replaced."""
    if isinstance(table, list):
        return [translated_table(each, say) for each in table]
    if not isinstance(table, dict):
        return table
    new = {}
    for key, value in table.items():
        if key == "curves":  # a name is what the picture writes at the curve
            value = {_said(say, name, "curve") or name: curve for name, curve in value.items()}
        elif isinstance(value, str):
            value = _said(say, value, key) or value
        else:
            value = translated_table(value, say)
        new[key] = value
    return new

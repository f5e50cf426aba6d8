"""The formulas of the EPUB: MathML, narrow enough for a phone, with their TeX for readers who know no MathML."""

import html
import re

from sphinxcontrib import katex

#: A formula of more signs than this is cut before its signs of relation; one on a line of its own keeps the first.
LONG = 24
RELATIONS = {"=", "\\approx", "\\le", "\\ge", "<", ">", "\\Rightarrow", "\\to"}


def pieces(tex, cuts, *, keep_first=False):
    """Return a formula cut before each of some commands or signs, where these stand in nothing else.

    Parameters
    ----------
    tex : str
    cuts : set of str
    keep_first : bool
        Whether the first of them cuts nothing: of a = b = c, what is left of the first sign is short.
    """
    found, depth, start = [], 0, 0
    for token in re.finditer(r"\\[A-Za-z]+|\\.|.", tex, re.DOTALL):
        depth += token[0] in ("{", "\\begin", "\\left")
        depth -= token[0] in ("}", "\\end", "\\right")
        if depth == 0 and token[0] in cuts:
            if not keep_first:
                found.append(tex[start : token.start()])
                start = token.start()
            keep_first = False
    return [piece for piece in (*found, tex[start:]) if re.sub(r"\\q?quad|\s", "", piece)]


def signs(tex):
    """Return how many signs of a formula stand beside each other, more or less: not spaces, braces, sizes."""
    bare = re.sub(r"\\(?:[,;:! ]|(?:left|right|[bB]igg?[lr]?|q?quad|mathrm|text|tfrac|frac)\b)|[{}\s_^]", "", tex)
    return len(re.sub(r"\\[A-Za-z]+", "x", bare))


def mathml(tex, *, display):
    """Return a formula as MathML, cut where it is wider than a phone: in a page of paper nothing can be scrolled."""
    written = ""
    for piece in pieces(tex, {"\\qquad"} if display else set()):
        for part in pieces(piece, RELATIONS, keep_first=display) if signs(piece) > LONG else [piece]:
            formula = rendered(re.sub(r"^\s*\\qquad", "", part), display)
            wide = display and signs(part) > LONG
            written += formula.replace("<math ", '<math class="wide" ', 1) if wide else formula
    return written


def rendered(tex, display):
    """Return MathML, with the TeX as the text that a reader who knows no MathML gets."""
    page = katex.render_latex(tex, {"displayMode": display, "output": "mathml", "throwOnError": True})
    formula = re.search(r"<math.*</math>", page, re.DOTALL)[0]
    # Of an operator such as mod, KaTeX makes a row of letters, where MathML wants its name.
    name = r"(<mo[^>]*>)<mrow>((?:<mi[^>]*>[^<]*</mi>)+)</mrow></mo>"
    formula = re.sub(name, lambda operator: f"{operator[1]}{re.sub('<[^>]*>', '', operator[2])}</mo>", formula)
    return formula.replace("<math ", f'<math alttext="{html.escape(" ".join(tex.split()))}" ', 1)


def with_neighbours(page):
    """Return a page in which no line begins with the comma, or the Korean particle, after a formula."""
    formula = r'[(“]?<math alttext="[^"]*" xmlns="[^"]*"><semantics>(?:(?!</math>).)*</math>[^\s<]{1,12}'
    return re.sub(formula, r'<span class="whole">\g<0></span>', page, flags=re.DOTALL)

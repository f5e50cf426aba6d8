"""Sphinx extension, part of book_site: figures as drawings in the page, where their words take its font and colours.

A notebook stores each figure twice, as a picture, which Colab, JupyterLab and GitHub show, and as a drawing, of which
``utils.plotting.drawing`` says the form. The site shows the second: sharp at any size, with words that can be selected,
in both themes. On a narrow screen, panels that stand in one row go below each other.
"""

import hashlib
import html
import re
from pathlib import Path

from docutils import nodes
from myst_nb import sphinx_

from utils.plotting import DRAWING, INK

SVG = "image/svg+xml"


class DrawingRenderer(sphinx_.SphinxNbRenderer):
    """MyST-NB's renderer, which puts each drawing in the place of the picture of the same figure."""

    def _render_nb_cell_code_outputs(self, token, outputs):
        for output in outputs:
            data = output.get("data", {})
            if DRAWING in data:
                data.pop("image/png", None)
                data[SVG] = data.pop(DRAWING)
        super()._render_nb_cell_code_outputs(token, outputs)


def inline(svg, alt):
    """Return a drawing as HTML: named by its alternative text, in the page's own ink, its panels ready to be moved."""
    tag, rest = re.match(r"(<svg[^>]*>)(.*)", svg, re.DOTALL).groups()
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) (\S+)"', tag).groups())
    ends = [float(end) for end in re.search(r'data-panels="([^"]*)"', tag)[1].split()]
    name = hashlib.sha256(svg.encode()).hexdigest()[:8]  # several drawings of a page may use one word for two things
    rest = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>f{name}-", rest).replace(INK, "currentColor")
    style = ""
    if ends:
        lefts, widest = ends[::2], max(right - left for left, right in zip(ends[::2], ends[1::2], strict=True))
        for panel, left in enumerate(lefts):
            move = f"--x:{lefts[0] - left:.1f}px;--y:{panel * height:.1f}px"
            rest = rest.replace(f'data-panel="{panel}"', f'class="panel" style="{move}"')
        more = (len(lefts) - 1) * height
        style = f"--panel:{widest:.1f};--width:{width:.1f};--more:{more:.1f};--left:{lefts[0]:.1f}"
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'
    opening = f'<svg {size} role="img" aria-label="{html.escape(alt)}" stroke-linejoin="round">'
    kind = "drawing panels" if ends else "drawing"
    return f'<div class="{kind}"{style and f" style={chr(34)}{style}{chr(34)}"}>{opening}{rest.rstrip()}</div>'


def put_into_page(app, doctree, docname):
    """Write the drawings into the page itself. As files they would know nothing of its theme."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return
    for image in list(doctree.findall(nodes.image)):
        path = Path(app.srcdir, image["uri"])
        if path.suffix == ".svg" and path.is_file() and "data-panels" in (svg := path.read_text(encoding="utf-8")):
            image.replace_self(nodes.raw("", inline(svg, image.get("alt", "")), format="html"))


def setup(app):
    """Register the extension with Sphinx."""
    app.connect("doctree-resolved", put_into_page)

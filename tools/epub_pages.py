"""Sphinx extension: the pages of the EPUB, in the place of book_site. Its reader has paper or a screen, and no scripts.

Formulas are MathML. A figure is its drawing on a light ground of its own: devices lay a dark theme over the text, each
by other rules, and leave pictures alone. Panels stand below each other, as on a phone. What one plays with on the web
is a still picture with a key to its colours. Answers stand at the end of the chapter.
"""

import ast
import base64
import hashlib
import html
import io
import json
import os
import re
from pathlib import Path

import numpy as np
from book_site import COLAB, prepare_katex
from bs4 import BeautifulSoup
from docutils import nodes
from edition import KeepAnchors
from folds import fold
from PIL import Image
from sphinx.builders.epub3 import Epub3Builder
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinxcontrib import katex

from utils.bench.page import runs_of
from utils.language import LANGUAGE, table, texts
from utils.plotting import COLORS, INK
from utils.quiz import quiz
from utils.quiz.form import markup

ROOT = Path(__file__).resolve().parent.parent
WORDS = table(Path(__file__).parent)
#: The ground of every picture, and the ink upon it, darker than the one that has to be read on black as well.
GROUND, DARK = "#ffffff", "#454545"
#: Where the cover lies in the file.
COVER = "_images/cover.png"

# --- pictures ------------------------------------------------------------------------------------------------------


def stacked(svg):
    """Return a drawing whose panels stand below each other, where they stood in one row."""
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    ends = [float(end) for end in re.search(r'data-panels="([^"]*)"', svg)[1].split()]
    lefts, rights = ends[::2], ends[1::2]
    for panel, left in enumerate(lefts):
        move = f'transform="translate({lefts[0] - left:.1f} {panel * height:.1f})"'
        svg = svg.replace(f'data-panel="{panel}"', move)
    if lefts:
        widest = max(right - left for left, right in zip(lefts, rights, strict=True)) + 2 * lefts[0]
        width, height = widest, len(lefts) * height
    svg = re.sub(r"<path(?![^>]*\sd=)[^>]*/>", "", svg)  # a line of no points
    svg = re.sub(r' data-panels="[^"]*"| (?:width|height)="[\d.]+pt"', "", svg, count=3)
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'
    return re.sub(r'viewBox="[^"]*"', size, svg, count=1)


def key_below(entries, width, height, size):
    """Return a key to colours below a picture, as SVG, and how high it is.

    Parameters
    ----------
    entries : list of (str, str)
        Name, and mark as SVG around the origin, 2 wide.
    width, height, size : float
        Of the picture, and of the letters, in the picture's own units.
    """
    shown, x, y = "", 0, height + size
    for name, mark in entries:
        long = size * (2.2 + 0.6 * len(name))
        if x and x + long > width:
            x, y = 0, y + 1.6 * size
        middle = f"{x + size:.1f} {y - 0.35 * size:.1f}"
        shown += f'<g transform="translate({middle})scale({0.4 * size:.2f})">{mark}</g>'
        shown += f'<text x="{x + 1.8 * size:.1f}" y="{y:.1f}">{html.escape(name)}</text>'
        x += long
    return f'<g stroke="none" fill="{DARK}" font-size="{size:g}">{shown}</g>', y + 0.7 * size - height


def card(svg, entries=()):
    """Return a drawing as a file that needs nothing around it: on a ground, in an ink of its own, with a key."""
    tag, inner = re.match(r"\s*(<svg[^>]*>)(.*)</svg>\s*$", svg, re.DOTALL).groups()
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) ([^"\s]+)"', tag).groups())
    shown = float((re.search(r' width="([\d.]+)"', tag) or (0, width))[1])
    kept = " ".join(re.findall(r'(?:xmlns:xlink|fill|stroke(?:-[a-z]+)?)="[^"]*"', tag))
    key, more = key_below(entries, width, height, 14 * width / shown) if entries else ("", 0)
    margin = 8 * width / shown
    box = [-margin, -margin, width + 2 * margin, height + more + 2 * margin]
    scale = shown / width
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(f"{part:g}" for part in box)}" '
        f'width="{box[2] * scale:.0f}" height="{box[3] * scale:.0f}" font-family="sans-serif" {kept}>'
    )
    ground = (
        f'<rect x="{box[0]:g}" y="{box[1]:g}" width="{box[2]:g}" height="{box[3]:g}" fill="{GROUND}" stroke="none"/>'
    )
    return f"{opening}{ground}{inner.replace(INK, DARK).replace('currentColor', DARK)}{key}</svg>\n"


def on_ground(picture):
    """Return a transparent picture on the ground, its ink darkened."""
    pixels = np.array(picture.convert("RGBA"))
    grey = int(INK[1:3], 16), int(DARK[1:3], 16)
    pixels[np.all(pixels[..., :3] == grey[0], axis=-1), :3] = grey[1]
    seen = Image.fromarray(pixels)
    ground = Image.new("RGBA", seen.size, GROUND)
    ground.alpha_composite(seen)
    return ground.convert("RGB")


def still_of_playground(stored):
    """Return the picture of a stored playground, with its key, and what one sees on it."""
    figure = BeautifulSoup(stored, "html.parser").select_one("div.optimizer-playground")
    config = json.loads(figure["data-config"])
    entries = []
    for name in config["preset"]["optimizers"]:
        look = config["optimizers"][name]
        entries.append((name, f'<path d="{look["shape"]}" fill="{look["color"]}"/>'))
    if beside := config["preset"].get("beside"):
        look = config["optimizers"][beside["optimizer"]]
        hollow = f'fill="none" stroke="{look["color"]}" stroke-width=".4"'
        entries.append((f"{beside['optimizer']} B", f'<path d="{look["shape"]}" {hollow}/>'))
    svg = drawn(figure.img["src"])
    return card(svg, entries), figure.img["alt"]


def drawn(address):
    """Return the SVG that the address of a picture holds."""
    return base64.b64decode(address.partition("base64,")[2]).decode()


# --- what a page holds, as it is read ------------------------------------------------------------------------------


class Stills(SphinxTransform):
    """Put pictures and questions in the place of what answers back, and take out what only a hand on the page fills."""

    default_priority = 5  # before MyST-NB keeps one of the forms in which an output is stored

    def apply(self):
        """Go over the outputs of which several forms are stored, and over the badge."""
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") == "mime_bundle":
                self.replace({form["mime_type"]: form for form in bundle.children}, bundle)
        for link in list(self.document.findall(nodes.reference)):
            if link.get("refuri", "").startswith(COLAB) and link.next_node(nodes.image):
                link.clear()
                link += nodes.Text(WORDS["colab"])

    def replace(self, forms, bundle):
        """Replace one output, given by its forms, if it is one of those."""
        words = forms["text/plain"].astext().strip() if "text/plain" in forms else ""
        stored = "".join(raw.astext() for raw in bundle.findall(nodes.raw))
        place = bundle.parent
        if 'class="draw-it"' in stored:
            gone = place if isinstance(place, nodes.figure) else bundle
            gone.parent.remove(gone)
        elif 'class="optimizer-playground"' in stored:
            svg, alt = still_of_playground(stored)
            bundle.replace_self(nodes.container("", self.picture(svg, alt), self.way_to_web(), classes=["still"]))
        elif name := re.fullmatch(r"quiz\((.*)\)", words):
            bundle.replace_self(list(self.questions(quiz(ast.literal_eval(name[1])))))
        elif "image/png" in forms and runs_of(words):
            outer = place if isinstance(place, nodes.figure) else bundle
            outer.parent.insert(outer.parent.index(outer) + 1, self.way_to_web())

    def picture(self, svg, alt):
        """Return an image of SVG that is stored beside those of MyST-NB."""
        name = hashlib.sha256(svg.encode()).hexdigest()[:16]
        path = Path(self.app.doctreedir).parent / "stills" / f"{name}.svg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(svg, encoding="utf-8")
        return nodes.image(uri="/" + os.path.relpath(path, self.app.srcdir), alt=alt)

    def way_to_web(self):
        """Return the line that leads to the same page on the web, where the picture can be played with."""
        address = f"{self.config.html_baseurl}{self.env.docname}.html"
        link = nodes.reference("", WORDS["epub_play"], refuri=address, internal=False)
        return nodes.paragraph("", "", link, classes=["way"])

    def questions(self, shown):
        """Yield the questions of a quiz; what is said of their answers is kept for the end of the chapter."""
        said = texts("quiz")
        forms = BeautifulSoup(shown._repr_html_(), "html.parser").select("form.quiz")
        for number, (form, question) in enumerate(zip(forms, shown.questions, strict=True), 1):
            node = nodes.container("", ids=[f"question-{number}"], classes=["question"])
            node += raw(f"<p>{form.legend.decode_contents()}</p>")
            if form.svg:
                node += self.picture(card(words_inked(str(form.svg))), form.svg["aria-label"])
            choices = "".join(f"<li>{markup(answer['text'])}</li>\n" for answer in question["answers"])
            node += raw(f"<ol>\n{choices}</ol>")
            reasons = ""
            for answer in question["answers"]:
                kind = "right" if answer.get("right") else "wrong"
                reasons += f'<li><span class="{kind}">{said[kind]}</span> {markup(answer["why"])}</li>\n'
            node["reasons"] = f'<ol class="reasons">\n{reasons}</ol>'
            node["title"] = form.legend.strong.get_text(strip=True).rstrip(".")
            yield node


def raw(content):
    """Return XHTML as a node."""
    return nodes.raw("", content, format="html")


def words_inked(svg):
    """Return the picture of a question with what its style sheet says of words."""
    svg = svg.replace("viewbox=", "viewBox=")  # a parser of HTML knows no capitals
    return svg.replace("<text", f'<text fill="{DARK}" font-size="13"')


class Race(SphinxDirective):
    """The race on the home page, at its end; its content is the caption, ``:alt:`` what one would see."""

    has_content = True
    option_spec = {"alt": str}  # noqa: RUF012, docutils' own form

    def run(self):
        """Return the picture."""
        import race  # takes half a second, and only one page needs it

        entries = [(name, f'<g transform="scale(.14)">{race.marker(name, 14)}</g>') for name in COLORS]
        transform = Stills(self.state.document)
        image = transform.picture(card(race.still(), entries), self.options["alt"])
        caption = nodes.paragraph("", "", *self.parse_inline(" ".join(self.content))[0])
        return [nodes.container("", image, caption, classes=["still"])]


class Downloads(SphinxDirective):
    """In the place of the links to the book as a file: what this file leaves out, and where that is to be had."""

    def run(self):
        """Return the paragraph."""
        base = self.config.html_baseurl
        link = nodes.reference("", base, refuri=base, internal=False)
        return [nodes.paragraph("", "", nodes.Text(f"{WORDS['epub_note']} "), link)]


# --- what a page shows ---------------------------------------------------------------------------------------------


class Unfold(SphinxPostTransform):
    """Leave of a check its sentence, of set-up and hidden code nothing, and bring answers to the end of the chapter."""

    default_priority = 190  # before MyST-NB hides the input of cells

    def run(self, **kwargs):
        """Go over the page."""
        ends = []
        for node in list(self.document.findall(fold)):
            title, *content = node.children
            kind = node["classes"][0]
            if kind == "answer":
                number = len(ends) + 1
                ends.append(self.answer(number, content))
                way = link_to(f"answer-{number}", WORDS["to_answer"])
                node.replace_self(nodes.paragraph("", "", way, ids=[f"prediction-{number}"], classes=["way"]))
            elif kind == "check":
                node.replace_self(nodes.paragraph("", "", *title.children, classes=["check"]))
            else:
                node.parent.remove(node)
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and cell.get("hide_mode"):
                cell.children = [each for each in cell.children if each.get("nb_element") != "cell_code_source"]
                cell["hide_mode"] = None
                if not cell.children:
                    cell.parent.remove(cell)
        for node in self.document.findall(nodes.container):
            if "reasons" in node:
                ends.append(self.reasons(node))
                node += nodes.paragraph("", "", link_to(f"why-{node['ids'][0]}", WORDS["to_answer"]), classes=["way"])
        if ends:
            section = nodes.section("", nodes.title("", WORDS["answers"]), *ends, ids=["answers"])
            next(self.document.findall(nodes.section)).append(section)

    def answer(self, number, content):
        """Return the answer to a prediction: its word "Answer:" gives way to its number, which leads back."""
        back = link_to(f"prediction-{number}", WORDS["answer_number"].format(number=number))
        first = content[0]
        word = next(first.findall(nodes.strong), None)
        if word is not None and first.astext().startswith(word.astext()):
            word.parent.remove(word)
        head = nodes.paragraph("", "", nodes.strong("", "", back))
        return nodes.container("", head, *content, ids=[f"answer-{number}"])

    def reasons(self, question):
        """Return what is said of the answers to a question."""
        name = question["ids"][0]
        head = nodes.paragraph("", "", nodes.strong("", "", link_to(name, question["title"])))
        return nodes.container("", head, raw(question["reasons"]), ids=[f"why-{name}"])


def link_to(name, text):
    """Return a link within the page."""
    return nodes.reference("", text, refid=name, internal=True)


def mathml(tex, *, display):
    """Return a formula as MathML, with its TeX as the text that a reader who knows no MathML gets."""
    rendered = katex.render_latex(tex, {"displayMode": display, "output": "mathml", "throwOnError": True})
    formula = re.search(r"<math.*</math>", rendered, re.DOTALL)[0]
    # Of an operator such as mod, KaTeX makes a row of letters, where MathML wants its name.
    name = r"(<mo[^>]*>)<mrow>((?:<mi[^>]*>[^<]*</mi>)+)</mrow></mo>"
    formula = re.sub(name, lambda operator: f"{operator[1]}{re.sub('<[^>]*>', '', operator[2])}</mo>", formula)
    return formula.replace("<math ", f'<math alttext="{html.escape(" ".join(tex.split()))}" ', 1)


def visit_math(self, node):
    """Write a formula within the text."""
    self.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def visit_math_block(self, node):
    """Write a formula that stands alone."""
    self.body.append(f"{self.starttag(node, 'div', CLASS='math')}{mathml(node.astext(), display=True)}</div>\n")
    raise nodes.SkipNode


# --- the file ------------------------------------------------------------------------------------------------------


class BookBuilder(Epub3Builder):
    """Sphinx' builder, with pictures on their ground, and a fuller description of the book."""

    guide_titles = {"toc": WORDS["contents_primary"], "cover": WORDS["cover"]}  # noqa: RUF012

    def copy_image_files(self):
        """Copy the pictures, each on its ground, and the cover."""
        super().copy_image_files()
        folder = Path(self.outdir, self.imagedir)
        for path in folder.glob("*.svg"):
            svg = path.read_text(encoding="utf-8")
            if "data-panels" in svg:
                path.write_text(card(stacked(svg)), encoding="utf-8")
        for path in folder.glob("*.png"):
            with Image.open(path) as picture:
                file = io.BytesIO()
                on_ground(picture).quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
            path.write_bytes(file.getvalue())
        Path(self.outdir, COVER).write_bytes((ROOT / "book" / "covers" / f"{LANGUAGE}.png").read_bytes())

    def toc_metadata(self, level, navpoints):
        """Return what the older form of contents says of itself; its identifier has to be the book's."""
        return super().toc_metadata(level, navpoints) | {"uid": html.escape(self.config.epub_identifier)}

    def build_content(self):
        """Write the list of files, and say of each page what it holds, and of the book how it can be read."""
        super().build_content()
        path = Path(self.outdir, "content.opf")
        path.write_text(described(path.read_text(encoding="utf-8"), self.properties), encoding="utf-8")

    def properties(self, name):
        """Return what readers have to be told of a file of the book."""
        if name == COVER:
            return "cover-image"
        if name.endswith(self.out_suffix) and "<math" in Path(self.outdir, name).read_text(encoding="utf-8"):
            return "mathml"
        return ""


ACCESS = {
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual",),
    "accessibilityFeature": (
        "alternativeText",
        "MathML",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": (WORDS["epub_access"],),
}


def described(opf, properties):
    """Return the list of files with the properties that each has, and with what a reader who cannot see may expect."""

    def item(match):
        found = properties(match[1])
        return match[0].replace(" />", f' properties="{found}" />') if found else match[0]

    opf = re.sub(r'<item id="[^"]*" href="([^"]*)" media-type="[^"]*" />', item, opf)
    opf = re.sub(r"\s*<dc:contributor>.*?</dc:contributor>", "", opf)
    facts = "".join(
        f'  <meta property="schema:{name}">{html.escape(value)}</meta>\n  '
        for name, values in ACCESS.items()
        for value in values
    )
    return opf.replace("</metadata>", f"{facts}</metadata>", 1)


def set_cover(app, config):
    """Name the cover, which has to be a pair, and no file of settings holds one."""
    config.epub_cover = (COVER, "epub-cover.html")


def setup(app):
    """Register the extension with Sphinx."""
    prepare_katex()
    app.connect("config-inited", set_cover)
    app.setup_extension("folds")
    app.add_builder(BookBuilder, override=True)
    app.add_config_value("english_doctrees", "", "env")
    app.add_config_value("comments_config", {}, "")  # which Jupyter Book sets for an extension that is not here
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.add_directive("race", Race)
    app.add_directive("downloads", Downloads)
    app.add_transform(KeepAnchors)
    app.add_transform(Stills)
    app.add_post_transform(Unfold)
    return {"parallel_read_safe": True, "parallel_write_safe": False}

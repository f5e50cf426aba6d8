"""Sphinx extension: the pages of the EPUB, in the place of book_site. Its reader has paper or a screen, and no scripts.

Formulas are MathML. A figure is its drawing on a light ground of its own: devices lay a dark theme over the text, each
by other rules, and leave pictures alone. Panels stand below each other, as on a phone. What one plays with on the web
is a still picture with a key to its colours. Answers stand at the end of the chapter.
"""

import ast
import hashlib
import html
import io
import os
import re
from pathlib import Path

from book_site import COLAB, prepare_katex
from bs4 import BeautifulSoup
from docutils import nodes
from edition import KeepAnchors
from epub_formulas import mathml, with_neighbours
from epub_pictures import card, on_ground, stacked, still_of_playground, words_inked
from folds import fold
from PIL import Image
from sphinx import addnodes
from sphinx.builders.epub3 import Epub3Builder, NavPoint
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from utils.bench.page import runs_of
from utils.language import LANGUAGE, table, texts
from utils.plotting import COLORS
from utils.quiz import quiz
from utils.quiz.form import markup

ROOT = Path(__file__).resolve().parent.parent
WORDS = table(Path(__file__).parent)
#: Printed lines of more letters than the first and at most the second are set smaller, so that columns stay columns.
NARROW, WIDE = 46, 66
#: Where the cover lies in the file.
COVER = "_images/cover.png"

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
            cell = place
            while cell.get("nb_element") != "cell_code":
                cell = cell.parent
            cell.children = [each for each in cell.children if each.get("nb_element") != "cell_code_source"]
            bundle.replace_self(list(self.questions(quiz(ast.literal_eval(name[1])))))
        elif "image/svg+xml" in forms and runs_of(words):
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
    """Leave of a check its sentence, of set-up nothing, of hidden code what it prints; bring answers to the end."""

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
                printed = [each for each in cell.children if each.get("nb_element") != "cell_code_source"]
                cell.children = printed or cell.children  # of code that prints nothing the text speaks
                cell["hide_mode"] = None
            elif cell.get("nb_element") == "cell_code_output":
                for printed in cell.findall(nodes.literal_block):
                    if NARROW < max(map(len, printed.astext().split("\n"))) <= WIDE:
                        printed["classes"].append("wide")
        for node in self.document.findall(nodes.container):
            if "reasons" in node:
                ends.append(self.reasons(node))
                node += nodes.paragraph("", "", link_to(f"why-{node['ids'][0]}", WORDS["to_answer"]), classes=["way"])
        for text in list(self.document.findall(nodes.Text)):
            if WORDS["quiz_press"] in text:
                before, after = text.split(WORDS["quiz_press"])
                where = [nodes.Text(" "), link_to("answers", WORDS["quiz_where"])]
                text.parent.replace(text, [nodes.Text(before + WORDS["quiz_decide"]), *where, nodes.Text(after)])
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

    def handle_page(self, pagename, addctx, *arguments, **options):
        """Write a page, its formulas together with what belongs to them."""
        if "body" in addctx:
            addctx["body"] = with_neighbours(addctx["body"])
        super().handle_page(pagename, addctx, *arguments, **options)

    def build_navlist(self, navnodes):
        """Return the contents, in the parts of the book, each of which begins at its first page."""
        points, parts = super().build_navlist(navnodes), []
        of_page = {point.refuri: point for point in points}
        for part in self.env.get_doctree(self.config.root_doc).findall(addnodes.toctree):
            children = [of_page[f"{name}{self.out_suffix}"] for _, name in part["entries"]]
            parts.append(NavPoint(html.escape(part["caption"]), children[0].refuri, children))
        return [of_page[f"{self.config.root_doc}{self.out_suffix}"], *parts]

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

"""Sphinx extension, part of book_site: what a page folds, so that its line can be read without opening anything.

A check cell becomes its one sentence, an answer the words "Show the answer", set-up and imports one line together. In
HTML these are ``<details>``, which need no script. In anything printed only a check's sentence is left, the answer
stands open, and set-up is gone.
"""

import re
from pathlib import Path

from docutils import nodes
from drawings import DrawingRenderer
from myst_nb import sphinx_
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from utils.language import table

WORDS = table(Path(__file__).parent)
SET_UP, ANSWER = WORDS["set_up"], WORDS["answer"]


class fold(nodes.General, nodes.Element):
    """What is folded; its first child is the title, its one class says of what kind it is."""


class fold_title(nodes.General, nodes.TextElement):
    """The line that is seen of a fold. Sphinx offers its text for translation, as it does that of a paragraph."""


class AnswerRenderer(DrawingRenderer):
    """The renderer of drawings, which also passes over what a Markdown cell is tagged with."""

    def render_nb_cell_markdown(self, token):
        """Keep a cell with an answer together."""
        if "answer" not in token.meta["metadata"].get("tags", []):
            super().render_nb_cell_markdown(token)
            return
        answer = folded("answer", ANSWER, [])
        self.add_line_and_source_path_r([answer], token)
        with self.current_node_context(answer, append=True):
            self.render_children(token)


def folded(kind, title, children):
    """Return children, folded under a title."""
    return fold("", fold_title(title, title), *children, classes=[kind])


class FoldCells(SphinxTransform):
    """Fold the check cells, and the first two code cells of a page."""

    default_priority = 5  # before Sphinx puts translations in the place of texts

    def apply(self):
        """Go over the code cells of a page in order."""
        cells = [node for node in self.document.findall(nodes.container) if node.get("nb_element") == "cell_code"]
        for cell in cells:
            if "check" in cell["cell_metadata"].get("tags", []):
                self.fold_check(cell)
        if len(cells) > 1 and "google.colab" in cells[0].astext():
            self.fold_set_up(*cells[:2])

    def fold_check(self, cell):
        """Take the sentence out of the code, and fold the rest under it."""
        code = next(cell.findall(nodes.literal_block))
        title, _, source = code.astext().partition("\n")
        shown = code.deepcopy()
        shown.rawsource, shown.children = source.strip("\n"), []
        shown += nodes.Text(source.strip("\n"))
        code.replace_self(shown)
        self.put(cell, folded("check", title.removeprefix("#@title").strip(), []))

    def fold_set_up(self, first, second):
        """Fold both cells under one title, with the sentence about imports that may stand between them."""
        parent = first.parent
        start, stop = parent.index(first), parent.index(second) if second in parent.children else -1
        between = parent.children[start + 1 : stop]
        told = all(re.search("import|임포트", node.astext()) and len(node.astext()) <= 200 for node in between)
        if stop < 0 or not told:
            self.put(first, folded("set-up", SET_UP, []))
            self.put(second, folded("set-up", SET_UP, []))
            return
        for node in [*between, second]:
            parent.remove(node)
        self.put(first, folded("set-up", SET_UP, []))
        first.parent.extend([*between, second])

    def put(self, cell, into):
        """Put a cell into a fold that takes its place."""
        into[0].source, into[0].line = cell.source, cell.line
        place = cell.parent.index(cell)
        cell.parent[place] = into
        into += cell


class OpenFolds(SphinxPostTransform):
    """Undo the folds where nothing can be opened."""

    default_priority = 190  # before MyST-NB hides the input of cells

    def run(self, **kwargs):
        """Leave of a check its sentence, of an answer all but its title, of set-up nothing."""
        if self.app.builder.format == "html" or self.app.builder.name == "gettext":
            return
        for node in list(self.document.findall(fold)):
            title, *content = node.children
            kept = {"check": [nodes.paragraph("", *title.children)], "answer": content}
            node.parent.remove(node) if node["classes"] == ["set-up"] else node.replace_self(kept[node["classes"][0]])


def mark_word(app, doctree, docname):
    """Mark the word "Answer:" that begins an answer: on the page the line above has said it."""
    for node in doctree.findall(fold):
        word = next(node.findall(nodes.strong), None)
        if node["classes"] == ["answer"] and word and word.parent.astext().startswith(word.astext()):
            word["classes"].append("answer-word")


def count_claims(app, doctree, docname):
    """Say at the top of a page how many claims it checks: how many check cells it has."""
    claims = sum(node["classes"] == ["check"] for node in doctree.findall(fold))
    for actions in doctree.findall(nodes.paragraph):
        if claims and "chapter-actions" in actions["classes"]:
            text = WORDS["claims" if claims > 1 else "claim"].format(count=claims)
            actions += [nodes.Text(" "), nodes.inline("", text, classes=["claims"])]
            return


def visit_fold(self, node):
    """Open it."""
    self.body.append(self.starttag(node, "details", CLASS="fold"))


def depart_fold(self, node):
    """Close it."""
    self.body.append("</details>\n")


def visit_title(self, node):
    """Open it."""
    self.body.append("<summary>")


def depart_title(self, node):
    """Close it."""
    self.body.append("</summary>\n")


def setup(app):
    """Register the extension with Sphinx."""
    sphinx_.SphinxNbRenderer = AnswerRenderer
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_node(fold_title, html=(visit_title, depart_title))
    app.add_transform(FoldCells)
    app.add_post_transform(OpenFolds)
    app.connect("doctree-resolved", mark_word)
    app.connect("doctree-resolved", count_claims, priority=900)  # after the line of buttons is there
    return {"parallel_read_safe": True}

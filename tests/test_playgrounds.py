"""tools/playgrounds.py: stored playgrounds are made anew from their settings, and nothing else changes."""

import json
from pathlib import Path

import pytest

from tools.playgrounds import figure_of, renewed
from utils.playground import playground

BOOK = Path(__file__).resolve().parent.parent / "book"


def outputs_of(text):
    return [output for cell in json.loads(text)["cells"] for output in cell.get("outputs", [])]


@pytest.mark.parametrize("path", sorted(BOOK.glob("[01]*.ipynb")), ids=lambda path: path.stem)
def test_only_playgrounds_change_and_they_become_what_their_cell_makes_now(path):
    before = path.read_text(encoding="utf-8")
    after = renewed(before)
    assert renewed(after) == after
    found = 0
    for old, new in zip(outputs_of(before), outputs_of(after), strict=True):
        words = "".join(old.get("data", {}).get("text/plain", ""))
        if words.startswith("playground("):
            found += 1
            assert "".join(new["data"].pop("text/html")) == figure_of(words)._repr_html_()
            old["data"].pop("text/html")
        assert old == new
    assert found == before.count('class=\\"optimizer-playground\\"')


@pytest.mark.parametrize("words", ["", "playground", "playground(1)", "other()", "a.b()", "playground(steps=print)"])
def test_other_words_are_left_alone(words):
    assert figure_of(words) is None


def test_a_call_is_read_back():
    figure = playground("saddle", optimizers=("SGD", "Adam"), learning_rate={"SGD": 0.1, "Adam": 0.2}, steps=30)
    assert figure_of(repr(figure)) == figure

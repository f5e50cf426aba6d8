"""The words of the figures: which are for translators, and what a drawing looks like with others in their place."""

import re

import matplotlib.pyplot as plt
import pytest

from tools.drawn_words import LABEL, is_for_translators, messages, translated_drawing
from utils import plotting


@pytest.fixture
def svg():
    """A drawing with words alone, a formula alone, words around two formulas, and a root, whose line is a shape."""
    with plt.rc_context():
        plotting.use_style()
        figure, ax = plt.subplots()
        ax.plot([0, 1], label=r"age $k$ of <it>, below $t_{max}$")
        ax.plot([1, 0], label=r"above $\sqrt{v}$ at last")
        ax.plot([1, 1], label="Adam")
        ax.set(xlabel="step & stop", ylabel=r"$\theta_1$", title="up")
        ax.legend()
        drawing = plotting.drawing(figure)
        plt.close(figure)
    return drawing


@pytest.mark.parametrize(
    ("words", "for_translators"),
    [
        ("loss", True),
        ("rate 0.1", True),
        ("Adam's step", True),
        ("→ Bag", True),
        ("held-out", True),
        ("limit: $2+2μ$", True),
        ("0.001", False),
        ("1e-05", False),
        ("B = 32", False),
        ("RMSprop", False),
        ("SGD 0.4", False),
        ("Schedule-Free", False),
        ("hidden_1", False),
        ("float32", False),
        ("$abc$", False),
    ],
)
def test_numbers_symbols_and_names_are_not_for_translators(words, for_translators):
    assert is_for_translators(words) == for_translators


def test_a_message_is_a_label_with_its_formulas_between_dollar_signs(svg):
    found = messages(svg)
    assert set(found) == {"age $k$ of <it>, below $tmax$", "above $√v$ at last", "step & stop", "up"}
    assert len(found) == 4


def test_a_drawing_of_which_nothing_is_said_anew_stays_as_it_is(svg):
    assert translated_drawing(svg, lambda words: words) == svg


def test_only_labels_change_and_what_belongs_to_a_formula_moves_with_it(svg):
    korean = {
        "age $k$ of <it>, below $tmax$": "$tmax$보다 작은 <그것>의 나이 $k$",
        "above $√v$ at last": "마침내 오랫동안 $√v$ 위",
        "step & stop": "가다 & 서다",
    }
    ours = translated_drawing(svg, lambda words: korean.get(words, words))
    assert LABEL.sub("", ours) == LABEL.sub("", svg)
    assert ">가다 &amp; 서다</text>" in ours
    assert "up</text>" in ours
    swapped = next(label[2] for label in LABEL.finditer(ours) if "나이" in label[2])
    places = {text: float(x) for x, text in re.findall(r'x="([^"]+)"[^>]*>([^<]+)</tspan>', swapped)}
    assert places["t"] == 0
    assert places["t"] < places["m"] < places["보다 작은 &lt;그것&gt;의 나이"] < places["k"]
    before, after = (
        next(label for label in LABEL.finditer(drawing) if "√" in label[2] and "<rect" in label[4])
        for drawing in (svg, ours)
    )
    gaps = []
    for label in (before, after):
        root = float(re.search(r'<tspan x="([^"]+)"[^>]*>√', label[2])[1])
        gaps.append((root, float(re.search(r'<rect x="([^"]+)"', label[4])[1]) - root))
    assert gaps[1][0] > gaps[0][0] + 20
    assert gaps[1][1] == pytest.approx(gaps[0][1], abs=0.02)

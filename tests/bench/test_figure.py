"""The curves of the runs: read back from the figure, from the picture, and from the words that stand for it."""

import base64
import re
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from utils.bench.figure import description, labels, make_figure, picture
from utils.bench.settings import Settings
from utils.plotting import drawing


class Curves(NamedTuple):
    """What is drawn of a history."""

    loss: np.ndarray
    val_accuracy: np.ndarray


class Run(NamedTuple):
    settings: Settings
    seed: int
    history: Curves | None


def run(optimizer="Adam", seed=0, epochs=3, top=1.0):
    loss = top / np.arange(1, epochs + 1)
    return Run(Settings(optimizer, 0.01, 32, 8, epochs), seed, Curves(loss, 1 - loss / 2))


def test_a_run_has_its_loss_on_the_left_and_its_accuracy_on_the_right():
    runs = [run(), run("SGD", seed=4, epochs=20)]
    left, right = make_figure(runs, classes=3).axes
    for axes, name in ((left, "loss"), (right, "val_accuracy")):
        for line, each, label in zip(axes.get_lines(), runs, labels(runs), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), np.arange(1, each.settings.epochs + 1))
            np.testing.assert_array_equal(line.get_ydata(), getattr(each.history, name))
            assert line.get_label() == label
    assert [axes.get_xlabel() for axes in (left, right)] == ["epoch", "epoch"]
    assert [axes.get_ylabel() for axes in (left, right)] == ["training loss", "validation accuracy"]
    assert labels(runs)[1] == "2: SGD, learning rate 0.01, batch 32, 8 units, seed 4"


def test_runs_differ_in_colour_by_optimizer_and_in_dashes_within_one():
    runs = [run(each) for each in ["Adam", "SGD"] + ["Adam"] * 7]
    for axes in make_figure(runs, classes=3).axes:
        looks = [(line.get_color(), str(line._dash_pattern), line.get_fillstyle()) for line in axes.get_lines()]
        assert len(set(looks)) == len(looks) == 9
        colors = [color for color, *_ in looks]
        assert len(set(colors)) == 2
        assert colors[2] != colors[1]


@pytest.mark.parametrize("top", [50.0, np.inf, np.nan])
def test_a_loss_far_above_that_of_guessing_does_not_press_the_others_flat(top):
    axes = make_figure([run(), run("SGD", top=top)], classes=3).axes[0]
    assert axes.get_ylim()[1] <= 1.2 * np.log(3)


def test_a_run_that_has_measured_nothing_yet_has_no_curve():
    runs = [run(), run("SGD")._replace(history=None)]
    assert [len(axes.get_lines()) for axes in make_figure(runs, classes=3).axes] == [1, 1]


@pytest.mark.parametrize("count", [0, 1, 9])
def test_the_picture_is_sharp_and_says_how_large_it_is(count):
    figure = make_figure([run()] * count, classes=3)
    still = picture(figure)
    assert Image.open(BytesIO(base64.b64decode(still.png))).size == (2 * still.width, 2 * still.height)
    assert (still.width, still.height) == (720, 300 + 38 * count)


def test_the_drawing_has_two_panels_for_a_phone_and_the_legend_within_the_first():
    long = Run(Settings("Momentum", 0.000123, 48_000, 2_000, 5), 10, run().history)
    svg = drawing(make_figure([long], classes=3))
    ends = [float(end) for end in re.search(r'data-panels="([^"]*)"', svg)[1].split()]
    widths = np.subtract(ends[1::2], ends[::2])
    assert len(widths) == 2
    assert widths.max() < 72 * 5.8, "or words are too small on a phone"
    first = svg.split('data-panel="1"')[0].replace("\N{NO-BREAK SPACE}", " ")
    assert ">1: Momentum, learning rate 0.000123,<" in first
    assert ">batch 48000, 2000 units, seed 10<" in first


def test_the_words_name_every_run():
    assert description([]) == "Training bench: loss and accuracy, epoch by epoch, of no run"
    runs = [run(), run("SGD", seed=1)]
    assert description(runs) == (
        "Training bench: loss and accuracy, epoch by epoch, of 1: Adam, learning rate 0.01, batch 32, 8 units, seed 0; "
        "2: SGD, learning rate 0.01, batch 32, 8 units, seed 1"
    )

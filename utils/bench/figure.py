"""The curves of some runs: as a figure, as a picture, and in words. A run is a ``Run``, or anything with its parts."""

import base64
import re
import textwrap
from io import BytesIO
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from utils.language import texts
from utils.plotting import COLORS, INK, look_of

TEXT = texts("bench")

# Runs of one optimizer share its colour; these tell them apart, with the marker filled and then, from the seventh, not.
_DASHES = ("-", "--", ":", "-.", (0, (8, 2, 1, 2, 1, 2)), (0, (1, 4)))


class Picture(NamedTuple):
    """A figure as a PNG in base64, with its size in pixels of the page; it has two dots to each."""

    png: str
    width: int
    height: int


def labels(runs):
    """Return what the legend says of each run: its number and its settings."""
    words = (run.settings._asdict() | {"seed": run.seed} for run in runs)
    return [TEXT["run"].format(number=number, **each) for number, each in enumerate(words, start=1)]


def description(runs):
    """Return in one sentence what the figure shows, for those who do not see it."""
    return TEXT["still"].format(runs="; ".join(labels(runs)) or TEXT["no_runs"])


def make_figure(runs, classes):
    """Return the curves, loss on the left and accuracy on the right, as a new figure.

    Parameters
    ----------
    runs : sequence of Run
    classes : int
        Among how many the networks choose. Losses far above that of guessing are cut off.

    Returns
    -------
    matplotlib.figure.Figure
    """
    # Not by pyplot, whose figures belong to the main thread.
    figure = Figure(figsize=(7.2, 3.0 + 0.38 * len(runs)), dpi=100, layout="constrained")
    axes = figure.subplots(1, 2)
    for run, label, look in zip(runs, labels(runs), _looks(runs), strict=True):
        drawn = [] if run.history is None else [run.history.loss, run.history.val_accuracy]
        for ax, values in zip(axes, drawn, strict=False):
            look |= {"label": label, "markevery": max(1, len(values) // 8)}
            ax.plot(range(1, len(values) + 1), values, **look_of(run.settings.optimizer) | look)
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        ax.set(xlabel=TEXT["epoch"], ylabel=TEXT[name])
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    guessing = np.log(classes)  # a loss far above that of guessing would press all others flat
    axes[0].set_ylim(0, min(axes[0].get_ylim()[1], 1.2 * guessing))
    # Below one panel and no wider, so that it goes with that one where a phone has the panels below each other.
    lines, names = axes[0].get_legend_handles_labels()
    names = [textwrap.fill(re.sub("(?<!,) ", "\N{NO-BREAK SPACE}", name), 36) for name in names]
    place = {"loc": "upper left", "bbox_to_anchor": (-0.2, -0.22)}
    axes[0].legend(lines, names, **place, fontsize=9, labelcolor=INK, frameon=False)
    return figure


def picture(figure):
    """Return a figure as a :class:`Picture`."""
    file = BytesIO()
    figure.savefig(file, dpi=200)
    width, height = np.rint(100 * figure.get_size_inches()).astype(int).tolist()
    return Picture(base64.b64encode(file.getvalue()).decode(), width, height)


def _looks(runs):
    seen = dict.fromkeys(COLORS, 0)
    for run in runs:
        count = seen[run.settings.optimizer]
        seen[run.settings.optimizer] += 1
        fill = "full" if count // len(_DASHES) % 2 == 0 else "none"
        yield {"linestyle": _DASHES[count % len(_DASHES)], "fillstyle": fill, "markersize": 6}

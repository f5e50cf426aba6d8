"""Empty axes on which the reader draws the curve that she expects; then the measured curve appears over hers.

``drawing.js`` does the work in her browser. Until she has drawn, or has said that she would rather not, it hides what
else its cell shows, the figure. Where no script runs, the figure stands there as ever. What is compared are the cell's
own numbers; questions, and what is said of the usual wrong guesses, stand in the room's table.
"""

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from IPython.display import display

from utils.language import script, texts
from utils.plotting import INK, LOOKS

#: What a usual wrong guess may be: higher or lower than what was measured, never rising, never falling, level, or with
#: its highest or its lowest point there.
KINDS = ("above", "below", "falling", "rising", "flat", "peak", "dip")
#: More points than this no screen shows.
POINTS = 240

_BOX = re.compile(r'<div class="draw-it" data-config="([^"]*)"></div>')
_SCRIPT = re.compile(r"<script data-draw-it>.*?</script>", re.DOTALL)


@cache
def _script():
    room = Path(__file__).parent
    said = {key: text for key, text in texts("drawing").items() if not re.search(r"_question$|_guess_\d$", key)}
    return script((room.parent / "panel.js", room / "drawing.js"), {"text": said})


def _tag():
    return f"<script data-draw-it>\n{_script()}\n</script>"


def renewed(stored):
    """Return stored HTML with the script and the texts as they are now, and the numbers as they were."""

    def with_texts(match):
        config = json.loads(html.unescape(match[1]))
        return _box(config | _texts(config["name"], [guess[:3] for guess in config["guesses"]]))

    return _SCRIPT.sub(lambda _: _tag(), _BOX.sub(with_texts, stored))


def _box(config):
    words = html.escape(json.dumps(config, ensure_ascii=False, separators=(",", ":")))
    return f'<div class="draw-it" data-config="{words}"></div>'


def _texts(name, guesses):
    """Return the part of the settings that is said to the reader, from the room's table."""
    table = texts("drawing")
    keys = [f"{name}_guess_{number}" for number in range(1, len(guesses) + 1)]
    if missing := [key for key in (f"{name}_question", *keys) if key not in table]:
        raise ValueError(f"utils/drawing/en.json has no {missing[0]!r}")
    said = [[*guess, table[key]] for guess, key in zip(guesses, keys, strict=True)]
    return {"question": table[f"{name}_question"], "guesses": said}


@dataclass(frozen=True)
class Drawing:
    """What ``draw_it`` shows.

    Attributes
    ----------
    config : dict
        All that the script is told.
    """

    config: dict

    def __repr__(self):
        return f"You draw it: {self.config['draw']}"

    def _repr_html_(self):
        return f"{_box(self.config)}\n{_tag()}"


def _axis(name, label, scale, limits, values):
    """Return what the script is told of an axis, or raise what ``draw_it`` promises."""
    if scale not in ("linear", "log"):
        raise ValueError(f"{name}scale must be 'linear' or 'log', got {scale!r}")
    known = values[np.isfinite(values) & ((values > 0) | (scale == "linear"))]
    low, high = limits if limits is not None else (known.min(), known.max())
    if not (np.isfinite([low, high]).all() and low < high and (scale == "linear" or low > 0)):
        raise ValueError(f"{name}lim must grow, and be above 0 on a logarithmic axis, got {(low, high)!r}")
    return {"label": label, "scale": scale, "limits": [_rounded(low, 4), _rounded(high, 4)]}


def _rounded(value, digits):
    """Return a plain number of so many digits, None for one that is not finite."""
    return float(f"{value:.{digits}g}") if np.isfinite(value) else None


def draw_it(
    name, x, curves, *, xlabel, ylabel, xscale="linear", yscale="linear", xlim=None, ylim=None, guesses=(), show=True
):
    """Let the reader draw a curve before she sees it. To be called in the cell of its figure, before ``plt.show()``.

    Parameters
    ----------
    name : str
        Under which the texts stand in ``utils/drawing/en.json``: ``<name>_question``, and ``<name>_guess_1`` and so on.
    x : sequence of n floats
        Growing.
    curves : dict of str to sequence of n floats
        What was measured. The first is the one to draw; the others are there from the start. A name of ``LOOKS`` gives
        a curve its colour.
    xlabel, ylabel : str
    xscale, yscale : {"linear", "log"}
    xlim, ylim : pair of float, optional
        By default, from the lowest to the highest value.
    guesses : sequence of (str, float, float)
        The usual wrong guesses: of which of ``KINDS``, and between which two values of x. The first that was made
        decides what is said.
    show : bool
        Whether to display it.

    Returns
    -------
    Drawing or None
        None if it was displayed.

    Raises
    ------
    ValueError
        If a text is missing, the numbers do not fit, or there is no such scale or kind of guess.
    """
    x, curves = np.asarray(x, dtype=float), {key: np.asarray(y, dtype=float) for key, y in curves.items()}
    if x.ndim != 1 or len(x) < 2 or not np.all(np.diff(x) > 0):
        raise ValueError(f"x must be two or more numbers that grow, got {x!r}")
    if not curves or any(y.shape != x.shape for y in curves.values()):
        raise ValueError(f"curves must hold arrays of shape {x.shape}, got {[y.shape for y in curves.values()]}")
    axes = {
        "x": _axis("x", xlabel, xscale, xlim, x),
        "y": _axis("y", ylabel, yscale, ylim, np.concatenate(list(curves.values()))),
    }
    for kind, _, _ in guesses:
        if kind not in KINDS:
            raise ValueError(f"a guess must be one of {', '.join(KINDS)}, got {kind!r}")
    said = _texts(name, [[kind, float(low), float(high)] for kind, low, high in guesses])
    kept = np.unique(np.rint(np.linspace(0, len(x) - 1, POINTS)).astype(int))
    if xscale == "log" and len(x) > POINTS:
        shares = np.geomspace(max(x[0], axes["x"]["limits"][0]), x[-1], POINTS)
        kept = np.unique(np.searchsorted(x, shares).clip(max=len(x) - 1))
    drawing = Drawing(
        {
            "name": name,
            "question": said["question"],
            "x": [_rounded(value, 4) for value in x[kept]],
            "curves": {key: [_rounded(value, 3) for value in y[kept]] for key, y in curves.items()},
            "draw": next(iter(curves)),
            "axes": axes,
            "looks": {key: LOOKS[key].color if key in LOOKS else INK for key in curves},
            "guesses": said["guesses"],
        }
    )
    return display(drawing) if show else drawing

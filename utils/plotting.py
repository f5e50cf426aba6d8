"""Figures: one look for the whole book, one colour and marker for each optimizer, helpers that draw on given axes."""

import io
import re
from types import MappingProxyType
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.core.formatters import BaseFormatter
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats
from traitlets import ObjectName, Unicode


class Look(NamedTuple):
    """How a rule is drawn: its colour, its marker, and the dashes of its line."""

    color: str
    marker: str
    linestyle: str = "-"


#: The look of each rule, everywhere in the book. Each colour has a contrast of at least 3:1 with white and with
#: near-black, and the six stay apart for colour-blind readers; more than six would not. So a rule of the second part
#: has the colour of one that it is related to, with dashes and a marker of its own: no two rules share more than one
#: of the three (tests/test_plotting.py computes all this).
LOOKS = MappingProxyType(
    {
        "SGD": Look("#646464", "o"),
        "Momentum": Look("#286ee6", "s"),
        "Nesterov": Look("#03a862", "D"),
        "Adagrad": Look("#e47301", "^"),
        "RMSprop": Look("#a969b0", "v"),
        "Adam": Look("#bc2a1f", "*"),
        "AdamW": Look("#bc2a1f", "P", "--"),
        "Nadam": Look("#03a862", "X", "--"),
        "Adamax": Look("#bc2a1f", "h", ":"),
        "Adadelta": Look("#a969b0", ">", "--"),
        "Yogi": Look("#e47301", "p", ":"),
        "Lion": Look("#286ee6", "<", "--"),
        "Muon": Look("#e47301", "d", "--"),
        "ScheduleFreeSGD": Look("#646464", "8", "--"),
        "ScheduleFreeAdamW": Look("#646464", "H", ":"),
    }
)

#: Colour and marker of each of the six rules of the first part, which the playground and the bench run.
COLORS = MappingProxyType({name: look.color for name, look in LOOKS.items() if look.linestyle == "-"})
MARKERS = MappingProxyType({name: LOOKS[name].marker for name in COLORS})

#: Grey that reads on white and on near-black pages: all text, axes and contours.
INK = "#7b7b7b"

_STYLE = {
    "figure.figsize": (5.8, 3.5),
    "figure.facecolor": "none",
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=list(COLORS.values())[1:]),
    "font.size": 12,  # with panels of at most 5.8 inches: 9 pixels on a phone 360 wide
    "grid.color": INK,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


#: The kind under which a notebook also stores each figure as a drawing, which the published page shows in the place of
#: the picture. Under SVG's own, GitHub would prefer it and garble its words, and JupyterLab would show none until the
#: notebook is trusted.
DRAWING = "application/vnd.figure.svg"


class _DrawingFormatter(BaseFormatter):
    format_type = Unicode(DRAWING)
    print_method = ObjectName("_repr_drawing_")


def use_style():
    """Set the book's look for all figures of this session: transparent, mid-grey ink, sharp on dense screens.

    In a notebook, each figure is then stored twice: as a picture, and as a drawing for the published page.
    """
    plt.rcParams.update(_STYLE)
    set_matplotlib_formats("retina")
    if shell := get_ipython():
        formatters = shell.display_formatter.formatters
        formatter = formatters.setdefault(DRAWING, _DrawingFormatter(parent=shell.display_formatter))
        formatter.for_type(Figure, drawing)


def drawing(figure):
    """Return a figure as SVG, without what a page does not need: words stay words, numbers have two decimals.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        Equal for equal figures. Where panels stand in one row, ``data-panels`` of its first element gives the left and
        the right end of each in the drawing's own units, so that a page may put them below each other.
    """
    columns = _columns(figure)
    for ax in figure.axes if columns else []:
        if len(ax.get_shared_y_axes().get_siblings(ax)) > 1:
            ax.tick_params(labelleft=True)  # it may have to be read away from its neighbour
    figure.draw_without_rendering()  # only now everything has its place
    box = figure.get_tightbbox().padded(plt.rcParams["savefig.pad_inches"])
    spans = {}
    for ax, column in zip(figure.axes if columns else [], columns, strict=True):
        extent = ax.get_tightbbox().transformed(figure.dpi_scale_trans.inverted())
        before = spans.get(column, (np.inf, -np.inf))
        spans[column] = (min(before[0], extent.x0), max(before[1], extent.x1))
    ends = " ".join(f"{72 * (end - box.x0):.1f}" for _, span in sorted(spans.items()) for end in span)
    file = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "figure"}):
        figure.savefig(file, format="svg", bbox_inches=box, metadata={"Date": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    for pattern, replacement in (
        (r"(?s)<metadata>.*?</metadata>\s*|<!--.*?-->\s*|<style.*?</style>\s*", ""),
        (r"font-family: [^;\"]*;?\s*|'DejaVu Sans',[^;\"]*sans-serif", ""),  # the page has its own
        (r' x="([^ "]+) [^"]*"', r' x="\1"'),  # the places of single letters, which hold for another font
        (r' transform="rotate\(-0 [^)]*\)"', ""),
        (r"<[^>]+>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _two_decimals, tag[0])),  # not in words, such as 0.001
        (r'<g id="axes_(\d+)"', lambda number: f'<g data-panel="{columns[int(number[1]) - 1]}"' if columns else "<g"),
        (r' id="([^"]+)"', lambda name: name[0] if name[1] in used else ""),
        (r"^<svg", f'<svg data-panels="{ends}" stroke-linejoin="round"'),
    ):
        svg = re.sub(pattern, replacement, svg)
    return svg


def _two_decimals(number):
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _columns(figure):
    """Return the column in which each axes stands, or none at all unless there are several, all in one row."""
    places = [ax.get_subplotspec() for ax in figure.axes]
    grids = [place.get_gridspec() for place in places if place]
    if figure.legends or any(grid.nrows > 1 for grid in grids) or not any(grid.ncols > 1 for grid in grids):
        return []
    # What has no place in the grid is the scale of colours, which stands at the right.
    return [place.colspan.start if place else grids[0].ncols - 1 for place in places]


def look_of(optimizer):
    """Return the keyword arguments that draw a line in an optimizer's own look.

    Parameters
    ----------
    optimizer : str or object
        A name in ``LOOKS`` or an instance whose class has such a name.

    Returns
    -------
    dict
        ``color``, ``marker`` and ``label``, for ``Axes.plot``, and ``linestyle`` where the line has dashes.

    Raises
    ------
    ValueError
        If there is no rule of that name.
    """
    name = optimizer if isinstance(optimizer, str) else type(optimizer).__name__
    if name not in LOOKS:
        raise ValueError(f"optimizer must be one of {', '.join(LOOKS)}, got {name!r}")
    look = LOOKS[name]._asdict() | {"label": name}
    return {key: value for key, value in look.items() if value != "-"}


def plot_surface(ax, surface, *, levels=14, resolution=201):
    """Draw the contour lines of a surface of two coordinates, and its minima as crosses.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    surface : utils.surfaces.Surface
        With a ``box``. Where its value is NaN or infinite, the picture stays empty.
    levels : int
        The number of contour lines. Their spacing grows with height, so that the valley floor shows.
    resolution : int
        Grid points along each axis.

    Returns
    -------
    contours : matplotlib.contour.QuadContourSet
    minima : matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If the surface has no box to draw, or no finite value above 0 there; or if there are too few levels or points.
    """
    x_from, x_to, y_from, y_to = _box(surface)
    if levels < 1 or resolution < 2:
        raise ValueError(f"levels must be at least 1 and resolution at least 2, got {levels!r} and {resolution!r}")
    x, y = np.linspace(x_from, x_to, resolution), np.linspace(y_from, y_to, resolution)
    x_minima, y_minima = np.transpose(surface.minima)
    with np.errstate(all="ignore"):
        values = np.asarray(surface.value(np.stack(np.meshgrid(x, y), axis=-1)))
    highest = values[np.isfinite(values)].max(initial=0)
    if not highest > 0:
        raise ValueError(f"{surface.name} has no finite value above 0 in its box {surface.box}: choose another box")
    heights = highest * np.linspace(0, 1, levels + 2)[1:-1] ** 3
    contours = ax.contour(x, y, values, levels=heights, colors=INK, alpha=0.45, linewidths=0.8)
    (minima,) = ax.plot(x_minima, y_minima, linestyle="none", marker="x", color=INK, markersize=8, markeredgewidth=2)
    ax.set(xlim=(x_from, x_to), ylim=(y_from, y_to), xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
    return contours, minima


def plot_path(ax, surface, path, *, optimizer=None, **kwargs):
    """Draw a path over the contour lines drawn by ``plot_surface``.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    surface : utils.surfaces.Surface
        Its box stays the window: a path that leaves it is cut at the edge.
    path : numpy.ndarray, shape (steps + 1, 2)
        As ``descend`` returns it. Points that are not finite, or very far outside the box, are left out.
    optimizer : str or object, optional
        Draws the path in that optimizer's colour and marker, and labels it.
    **kwargs
        For ``Axes.plot``; they win over the optimizer's look.

    Returns
    -------
    matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If the path has another shape, is not of real numbers, or has no point to draw; if the surface has no box; or if
        the optimizer has no look.
    """
    path, box = _real(path, "path"), _box(surface)
    if path.ndim != 2 or path.shape[1] != 2:
        raise ValueError(f"path must have shape (steps + 1, 2), got {path.shape}")
    look = look_of(optimizer) if optimizer is not None else {"marker": "o"}
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.all(np.abs(path) < 100 * np.abs(box).max(), axis=-1)
    if not near.any():
        raise ValueError(f"path must hold a finite point not too far from the box {box}, got {path!r}")
    visible = np.where(near[:, None], path, np.nan)[: np.flatnonzero(near)[-1] + 1]
    (line,) = ax.plot(*visible.T, **({"markersize": 4, "linewidth": 1.3, "clip_on": True} | look | kwargs))
    ax.set(xlim=box[:2], ylim=box[2:])
    return line


def plot_values(ax, values, *, optimizer=None, **kwargs):
    """Draw a loss against the number of steps, on a logarithmic axis.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : numpy.ndarray, shape (steps + 1,)
        For example ``surface.value(path)``. Zeros and values that are not finite are left out.
    optimizer : str or object, optional
        Draws the line in that optimizer's colour and marker, and labels it.
    **kwargs
        For ``Axes.plot``; they win over the optimizer's look.

    Returns
    -------
    matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If ``values`` is not one-dimensional, not of real numbers, or holds none that can be drawn; or if the optimizer
        has no look.
    """
    values = _real(values, "values")
    if values.ndim != 1:
        raise ValueError(f"values must have shape (steps + 1,), got {values.shape}")
    look = look_of(optimizer) if optimizer is not None else {}
    drawable = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    if np.isnan(drawable).all():
        raise ValueError(f"values must hold a finite number above 0, got {values!r}")
    markevery = max(1, len(values) // 8)
    (line,) = ax.plot(drawable, **({"markersize": 5, "markevery": markevery} | look | kwargs))
    ax.set(xlabel="step", ylabel="loss", yscale="log")
    return line


def _box(surface):
    if surface.box is None:
        raise ValueError(f"{surface.name} has no box to draw: only surfaces of two coordinates can be plotted")
    if not np.all(np.isfinite(surface.box)):
        raise ValueError(f"the box of {surface.name} must hold four finite numbers, got {surface.box!r}")
    return surface.box


def _real(values, name):
    values = np.asarray(values)
    if values.dtype.kind == "c":
        raise ValueError(f"{name} must be of real numbers, got {values!r}")
    return values.astype(float)

"""Figures: one look for the whole book, one colour and marker for each optimizer, helpers that draw on given axes."""

from types import MappingProxyType

import matplotlib.pyplot as plt
import numpy as np
from matplotlib_inline.backend_inline import set_matplotlib_formats

#: Colour of each optimizer, everywhere in the book. Each has a contrast of at least 3:1 with white and with near-black,
#: and stays apart from the others for colour-blind readers (tests/test_plotting.py computes both).
COLORS = MappingProxyType(
    {
        "SGD": "#646464",
        "Momentum": "#286ee6",
        "Nesterov": "#03a862",
        "Adagrad": "#e47301",
        "RMSprop": "#a969b0",
        "Adam": "#bc2a1f",
    }
)

#: Marker of each optimizer, so that colour is never the only cue.
MARKERS = MappingProxyType({"SGD": "o", "Momentum": "s", "Nesterov": "D", "Adagrad": "^", "RMSprop": "v", "Adam": "*"})

#: Grey that reads on white and on near-black pages: all text, axes and contours.
INK = "#7b7b7b"

_STYLE = {
    "figure.figsize": (6.4, 3.6),
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
    "font.size": 11,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def use_style():
    """Set the book's look for all figures of this session: transparent, mid-grey ink, sharp on dense screens."""
    plt.rcParams.update(_STYLE)
    set_matplotlib_formats("retina")


def look_of(optimizer):
    """Return the keyword arguments that draw a line in an optimizer's own look.

    Parameters
    ----------
    optimizer : str or object
        A name in ``COLORS`` or an instance whose class has such a name.

    Returns
    -------
    dict
        ``color``, ``marker`` and ``label``, for ``Axes.plot``.

    Raises
    ------
    ValueError
        If the name is none of the six.
    """
    name = optimizer if isinstance(optimizer, str) else type(optimizer).__name__
    if name not in COLORS:
        raise ValueError(f"optimizer must be one of {', '.join(COLORS)}, got {name!r}")
    return {"color": COLORS[name], "marker": MARKERS[name], "label": name}


def plot_surface(ax, surface, *, levels=14, resolution=201):
    """Draw the contour lines of a surface of two coordinates, and its minima as crosses.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    surface : utils.surfaces.Surface
        With a ``box``.
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
        If the surface has no box to draw.
    """
    if surface.box is None:
        raise ValueError(f"{surface.name} has no box to draw: only surfaces of two coordinates can be plotted")
    x_from, x_to, y_from, y_to = surface.box
    x, y = np.linspace(x_from, x_to, resolution), np.linspace(y_from, y_to, resolution)
    values = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    heights = values.max() * np.linspace(0, 1, levels + 2)[1:-1] ** 3
    contours = ax.contour(x, y, values, levels=heights, colors=INK, alpha=0.45, linewidths=0.8)
    (minima,) = ax.plot(*surface.minima.T, linestyle="none", marker="x", color=INK, markersize=8, markeredgewidth=2)
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
        As ``descend`` returns it.
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
        If the path has another shape, or the optimizer is none of the six.
    """
    path = np.asarray(path)
    if path.ndim != 2 or path.shape[1] != 2:
        raise ValueError(f"path must have shape (steps + 1, 2), got {path.shape}")
    look = look_of(optimizer) if optimizer is not None else {"marker": "o"}
    with np.errstate(invalid="ignore", over="ignore"):
        limit = 100 * np.abs(surface.box).max()
        inside = np.all(np.abs(path) < limit, axis=-1)
    visible = path[: len(path) if inside.all() else np.argmin(inside)]
    (line,) = ax.plot(*visible.T, **({"markersize": 4, "linewidth": 1.3, "clip_on": True} | look | kwargs))
    ax.set(xlim=surface.box[:2], ylim=surface.box[2:])
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
        If ``values`` is not one-dimensional, or the optimizer is none of the six.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"values must have shape (steps + 1,), got {values.shape}")
    look = look_of(optimizer) if optimizer is not None else {}
    drawable = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    markevery = max(1, len(values) // 8)
    (line,) = ax.plot(drawable, **({"markersize": 5, "markevery": markevery} | look | kwargs))
    ax.set(xlabel="step", ylabel="loss", yscale="log")
    return line

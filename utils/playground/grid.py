"""A surface that is known on a grid: its value and its gradient between the nodes. ``playground.js`` has the same."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from utils.surfaces import Surface

#: Chapter 08's network in the plane that its training path lies nearest to; ``tools/network_plane.py`` writes it.
FILE = Path(__file__).with_name("network.json")
#: Beyond the grid the surface goes on as a bowl of this curvature, so that a run that leaves comes back.
WALL = 0.02


def _weights(f):
    """Return the shares of four nodes in a row, by Keys (1981), and their slopes: ``f`` is the way from the second."""
    shares = -f + 2 * f**2 - f**3, 2 - 5 * f**2 + 3 * f**3, f + 4 * f**2 - 3 * f**3, f**3 - f**2
    slopes = -1 + 4 * f - 3 * f**2, 9 * f**2 - 10 * f, 1 + 8 * f - 9 * f**2, 3 * f**2 - 2 * f
    return np.stack(shares, axis=-1) / 2, np.stack(slopes, axis=-1) / 2


def grid_surface(stored):
    """Return the surface of a stored grid, its lowest point at 0.

    Parameters
    ----------
    stored : dict
        ``values`` row by row from the lowest y, in thousandths, with their ``shape`` and ``box``; ``lowest``, which is
        taken off, and the ``minimum`` where it lies; the ``path``, whose first point is the start.

    Returns
    -------
    utils.surfaces.Surface
        Smooth: bicubic convolution between the nodes.
    """
    rows, columns = stored["shape"]
    nodes = np.reshape(stored["values"], (rows, columns)) / 1000
    low, high = np.array(stored["box"])[[0, 2]], np.array(stored["box"])[[1, 3]]
    spacing = (high - low) / (columns - 1, rows - 1)

    def look_up(theta):
        theta = np.asarray(theta, dtype=float)
        inside = np.clip(theta, low, high)
        place = (inside - low) / spacing
        first = np.clip(np.floor(np.nan_to_num(place)), 0, (columns - 2, rows - 2))
        (x, x_slope), (y, y_slope) = (_weights((place - first)[..., axis]) for axis in (0, 1))
        around = first[..., None].astype(int) + np.arange(-1, 3)
        i, j = np.clip(around[..., 0, :], 0, columns - 1), np.clip(around[..., 1, :], 0, rows - 1)
        patch = nodes[j[..., :, None], i[..., None, :]]

        def along(y, x):
            return np.einsum("...j,...ji,...i->...", y, patch, x)

        outside = theta - inside
        value = along(y, x) + 0.5 * WALL * np.sum(outside**2, axis=-1) - stored["lowest"]
        slopes = np.stack([along(y, x_slope), along(y_slope, x)], axis=-1) / spacing
        return value, np.where(outside == 0, slopes, 0) + WALL * outside

    return Surface(
        "network",
        lambda theta: look_up(theta)[0],
        lambda theta: look_up(theta)[1],
        np.array([stored["minimum"]]),
        tuple(stored["box"]),
        np.array(stored["path"][0]),
    )


@cache
def stored_network():
    """Return what is stored of chapter 08's network."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def network():
    """Return the loss of chapter 08's network in a plane, above its lowest there."""
    return grid_surface(stored_network())

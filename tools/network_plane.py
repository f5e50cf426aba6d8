"""Write the playground's view of a real network, a plane through its weights: ``python -m tools.network_plane``.

Chapter 08's network trains as the bench in the page does, on the same images. The plane is the one that its path lies
nearest to. The loss in it, over all the training images, is stored on a grid, from which ``utils/playground/grid.py``
and the script beside it read it off.
"""

import json
from types import SimpleNamespace

import numpy as np
from scipy.optimize import minimize

from utils.bench.engine import gradient, initial_theta, page_images, shuffle
from utils.data import load_fashion_mnist
from utils.measure import plane, plane_of
from utils.optimizers import Adam
from utils.playground import uniforms
from utils.playground.grid import FILE, grid_surface

UNITS, SEED, EPOCHS, BATCH = 100, 0, 5, 32
#: How many steps lie between two points of the path.
STRIDE = 20
COLUMNS, ROWS = 33, 25
#: Width over height of the map; the room around the path, and more beyond its end, where the loss still falls: as
#: shares of the path's width.
ASPECT, MARGIN, BEYOND = 4 / 3, 0.25, 0.5


def training_path(images):
    """Return the weights before the first step and after every ``STRIDE``; as in ``train_in_page``, seed for seed."""
    theta, rule = initial_theta(SEED, UNITS).astype(float), Adam(0.001)
    state, draw, order = rule.init(theta), uniforms(2 * SEED + 1), list(range(len(images.x_train)))
    path, steps = [theta], 0
    for _ in range(EPOCHS):
        shuffle(order, draw)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            g, *_ = gradient(theta, UNITS, images.x_train[batch], images.y_train[batch])
            theta, state = rule.step(theta, g, state)
            steps += 1
            if steps % STRIDE == 0:
                path.append(theta)
    return np.array(path)


def box_around(points):
    """Return the box of the map's shape around some points, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    onward = np.sign(points[-1] - points[0]) * [BEYOND, 0] * (high - low)
    low, high = low + np.minimum(onward, 0), high + np.maximum(onward, 0)
    x, y = (low + high) / 2
    width, height = (1 + 2 * MARGIN) * (high - low)
    width, height = max(width, ASPECT * height), max(height, width / ASPECT)
    return tuple(round(float(edge), 2) for edge in (x - width / 2, x + width / 2, y - height / 2, y + height / 2))


def measured(images):
    """Return all that is stored."""
    path = training_path(images)
    origin, directions, seen, share = plane_of(path)
    surface = SimpleNamespace(
        value=lambda theta: gradient(theta, UNITS, images.x_train, images.y_train)[1], gradient=None
    )
    box = box_around(seen)
    x, y = np.linspace(*box[:2], COLUMNS), np.linspace(*box[2:], ROWS)
    losses = plane(surface, origin, directions, box).value(np.stack(np.meshgrid(x, y), axis=-1))
    stored = {
        "box": box,
        "shape": [ROWS, COLUMNS],
        "values": np.rint(1000 * losses).astype(int).ravel().tolist(),
        "lowest": 0.0,
        "minimum": [0.0, 0.0],
        "path": seen.round(2).tolist(),
        "share": round(share, 3),
        "weights": len(origin),
    }
    bare = grid_surface(stored)
    node = np.unravel_index(losses.argmin(), losses.shape)
    least = minimize(bare.value, [x[node[1]], y[node[0]]], jac=bare.gradient, method="L-BFGS-B", tol=1e-12)
    return stored | {"lowest": float(least.fun), "minimum": least.x.round(4).tolist()}


def main():
    """Write the file and say how large it is."""
    stored = measured(page_images(load_fashion_mnist()))
    FILE.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size:,} bytes; the plane keeps {stored['share']} of the path")


if __name__ == "__main__":
    main()

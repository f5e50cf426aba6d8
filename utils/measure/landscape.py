"""The surface that a network descends on: its loss over all its weights, with the gradient and products of the Hessian.

A network of n weights is a point theta of n coordinates, and its loss on some examples a surface as in
``utils.surfaces``, so ``descend`` runs on it. What n coordinates hide is looked at along a line, in a plane, and by the
largest curvatures, found by Lanczos' method from products alone: the Hessian itself would have n times n entries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf
from scipy.sparse.linalg import LinearOperator, eigsh

from utils.on_demand import keras
from utils.surfaces import Surface


@dataclass(frozen=True)
class NetworkSurface:
    """A network's loss on some examples, as a function of all its trainable weights.

    Attributes
    ----------
    value : callable
        Takes theta, shape (..., n), returns the losses, shape (...).
    gradient : callable
        Takes theta, shape (n,), returns the same shape.
    hessian_product : callable
        Takes theta and a direction, both of shape (n,), returns the Hessian at theta times the direction.
    start : numpy.ndarray, shape (n,)
        The weights that the model had.
    """

    value: Callable
    gradient: Callable
    hessian_product: Callable
    start: np.ndarray


def network_surface(model, x, y):
    """Return the surface of a model's loss on given examples.

    Parameters
    ----------
    model : keras.Model
        Built, and compiled for its loss. Its weights are read once, for ``start``, and never written. Dropout is off,
        and batch normalisation uses its moving statistics: the surface is one, not one for each mini-batch.
    x, y : numpy.ndarray
        The examples and their labels. The loss is the mean over all of them, with the model's own penalties.

    Returns
    -------
    NetworkSurface
        In the precision of the model's weights.

    Raises
    ------
    TypeError, ValueError
        If the model is none, has no weights or no loss, or examples and labels do not fit.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model={model!r}: give a keras.Model.")
    if not model.built or not model.trainable_variables:
        raise ValueError(f"model {model.name!r} has no weights to train: begin it with keras.Input(shape=...).")
    if not model.compiled:
        raise ValueError(f"model {model.name!r} has no loss: model.compile(loss=...).")
    variables = model.trainable_variables
    start = np.concatenate([np.ravel(variable.numpy()) for variable in variables])
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)

    def loss(theta, x, y):
        parts = tf.split(theta, [int(np.prod(variable.shape)) for variable in variables])
        values = [tf.reshape(part, variable.shape) for part, variable in zip(parts, variables, strict=True)]
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return model.compute_loss(x, y, model(x, training=False), training=False)

    def slope(theta, x, y):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            value = loss(theta, x, y)
        return tape.gradient(value, theta)

    def bend(theta, direction, x, y):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            along = tf.tensordot(slope(theta, x, y), direction, 1)
        return tape.gradient(along, theta)

    compiled = [tf.function(each, autograph=False, jit_compile=True) for each in (loss, slope, bend)]

    def call(function, *vectors):
        return function(*(tf.constant(vector, start.dtype) for vector in vectors), x, y).numpy()

    def value(theta):
        points = np.reshape(theta, (-1, len(start)))
        return np.reshape([call(compiled[0], point) for point in points], np.shape(theta)[:-1])

    call(compiled[0], start)  # what does not fit is said here
    return NetworkSurface(value, partial(call, compiled[1]), partial(call, compiled[2]), start)


def eigenvalues(surface, theta, k=5, *, which="LA", tol=1e-3, seed=0):
    """Find eigenvalues of the Hessian at theta, which are the curvatures there, by Lanczos' method.

    Parameters
    ----------
    surface : NetworkSurface
        Or anything with its ``hessian_product``.
    theta : numpy.ndarray, shape (n,)
    k : int
        How many, fewer than n.
    which : {"LA", "SA", "BE", "LM"}
        The largest, the smallest (the most negative), half from each end, or the largest by size.
    tol : float
        How exact, as a share of the value.
    seed : int
        Of the vector that the method starts from.

    Returns
    -------
    values : numpy.ndarray, shape (k,)
        From the largest down.
    directions : numpy.ndarray, shape (k, n)
        The eigenvector of each, of length 1.

    Raises
    ------
    ValueError
        If there are not so many, or no such ``which``.
    scipy.sparse.linalg.ArpackNoConvergence
        If the method does not come to an end.
    """
    n = len(theta)
    if not 0 < k < n:
        raise ValueError(f"k must be at least 1 and below the number of weights, {n}, got {k!r}")
    hessian = LinearOperator((n, n), matvec=lambda v: surface.hessian_product(theta, np.ravel(v)), dtype=np.float64)
    first = np.random.default_rng(seed).standard_normal(n)
    values, directions = eigsh(hessian, k, which=which, tol=tol, v0=first)
    order = np.argsort(values)[::-1]
    return values[order], directions.T[order]


def on_a_line(surface, start, end, *, points=21, beyond=0.0):
    """Return the loss along the straight line between two points, such as two solutions.

    Parameters
    ----------
    surface : NetworkSurface
        Or anything with its ``value``.
    start, end : numpy.ndarray, shape (n,)
    points : int
        At how many places, at least 2.
    beyond : float
        How much further to look on both sides, as a share of the way.

    Returns
    -------
    where : numpy.ndarray, shape (points,)
        0 at the start, 1 at the end.
    values : numpy.ndarray, shape (points,)

    Raises
    ------
    ValueError
        If there are too few points.
    """
    if points < 2:
        raise ValueError(f"points must be at least 2, got {points!r}")
    where = np.linspace(-beyond, 1 + beyond, points)
    return where, np.array([surface.value((1 - t) * start + t * end) for t in where])


def plane_of(path):
    """Return the plane that a path of many coordinates lies nearest to, through its last point.

    Parameters
    ----------
    path : numpy.ndarray, shape (steps + 1, n)
        At least three points, such as the weights after each epoch.

    Returns
    -------
    origin : numpy.ndarray, shape (n,)
        The last point.
    directions : numpy.ndarray, shape (2, n)
        Two of length 1 at right angles, the one in which the path is longest first.
    coordinates : numpy.ndarray, shape (steps + 1, 2)
        The path as it is seen in the plane; the last point is (0, 0).
    share : float
        How much of the squared distances from the last point the plane keeps: at 1 the path lies in it.

    Raises
    ------
    ValueError
        If the path has another shape, too few points, or is not finite.

    Notes
    -----
    The directions are the first two principal components of the path as seen from its end. Even the path of a
    random walk lies near such a plane, so a high share says little about the surface.
    """
    path = np.asarray(path, dtype=float)
    if path.ndim != 2 or len(path) < 3 or not np.isfinite(path).all():
        raise ValueError(f"path must be finite and of shape (steps + 1, n), with 3 points or more, got {path.shape}")
    offsets = path - path[-1]
    _, lengths, components = np.linalg.svd(offsets, full_matrices=False)
    directions = components[:2]
    return path[-1], directions, offsets @ directions.T, float(np.sum(lengths[:2] ** 2) / np.sum(lengths**2))


def plane(surface, origin, directions, box):
    """Return a plane through a surface of many coordinates as a surface of two, for ``plot_surface``.

    Parameters
    ----------
    surface : NetworkSurface
        Or anything with its ``value`` and ``gradient``.
    origin : numpy.ndarray, shape (n,)
    directions : numpy.ndarray, shape (2, n)
        As from ``plane_of``, or any two others.
    box : tuple of four floats
        As in ``utils.surfaces.Surface``: from where to where to look, in the two coordinates.

    Returns
    -------
    utils.surfaces.Surface
        Its value is asked point by point: a ``resolution`` of 31 in ``plot_surface`` means 961 losses. It starts in
        the middle of the box, and knows no minima.

    Raises
    ------
    ValueError
        If the directions are not two, of the origin's shape.
    """
    directions = np.asarray(directions, dtype=float)
    if directions.shape != (2, len(origin)):
        raise ValueError(f"directions must have shape (2, {len(origin)}), got {directions.shape}")

    def value(theta):
        points = np.reshape(theta, (-1, 2))
        return np.reshape([surface.value(origin + point @ directions) for point in points], np.shape(theta)[:-1])

    def gradient(theta):
        return directions @ surface.gradient(origin + theta @ directions)

    x_from, x_to, y_from, y_to = box
    middle = np.array([(x_from + x_to) / 2, (y_from + y_to) / 2])
    return Surface("plane", value, gradient, np.empty((0, 2)), box, middle)

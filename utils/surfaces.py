"""The functions the course descends on, each with its gradient, minima, plotting box and starting point.

Everywhere ``theta`` has shape ``(..., n)``: the last axis holds the coordinates, the leading ones are free, so a whole
grid of points or a whole path is one call. Values have shape ``(...)``, gradients the shape of ``theta``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Surface:
    """A function to minimise.

    Attributes
    ----------
    name : str
    value : callable
        Takes theta, shape (..., n), returns shape (...).
    gradient : callable
        Takes theta, shape (..., n), returns the same shape.
    minima : numpy.ndarray, shape (k, n)
        All the points where the function is smallest. The smallest value is 0.
    box : tuple of four floats, or None
        x from, x to, y from, y to of a good picture; None unless n is 2.
    start : numpy.ndarray, shape (n,)
        A good point to start from.
    """

    name: str
    value: Callable
    gradient: Callable
    minima: np.ndarray
    box: tuple | None
    start: np.ndarray


def quadratic(curvatures):
    """Return the bowl f = (curvature_1 theta_1^2 + ... + curvature_n theta_n^2) / 2, its axes along the coordinates.

    Parameters
    ----------
    curvatures : sequence of n floats
        The eigenvalues of the Hessian, all above 0. Their largest over their smallest is the condition number.

    Returns
    -------
    Surface

    Raises
    ------
    ValueError
        If ``curvatures`` is empty, not one-dimensional, or holds a value that is not finite and above 0.
    """
    curvatures = np.array(curvatures, dtype=float)  # a copy: the caller may change theirs later
    if curvatures.ndim != 1 or not curvatures.size or not np.all((curvatures > 0) & np.isfinite(curvatures)):
        raise ValueError(f"curvatures must be a sequence of finite numbers above 0, got {curvatures!r}")

    def value(theta):
        return 0.5 * np.sum(curvatures * theta**2, axis=-1)

    def gradient(theta):
        return curvatures * theta

    n = curvatures.size
    box = (-2.0, 2.0, -2.0, 2.0) if n == 2 else None
    return Surface("quadratic", value, gradient, np.zeros((1, n)), box, np.full(n, 1.5))


def ravine(condition_number=20.0, angle=0.0):
    """Return a long valley in two dimensions: curvature 1 across it, 1 / condition_number along it.

    Parameters
    ----------
    condition_number : float
        How many times steeper the walls are than the floor, at least 1.
    angle : float
        The direction of the floor, in radians counter-clockwise from the first axis.

    Returns
    -------
    Surface

    Raises
    ------
    ValueError
        If the condition number is not finite or below 1, or the angle is not finite.
    """
    if not (np.isfinite(condition_number) and condition_number >= 1):
        raise ValueError(f"condition_number must be finite and at least 1, got {condition_number!r}")
    if not np.isfinite(angle):
        raise ValueError(f"angle must be finite, got {angle!r}")
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    hessian = np.outer(along, along) / condition_number + np.outer(across, across)

    def value(theta):
        return 0.5 * ((theta @ along) ** 2 / condition_number + (theta @ across) ** 2)

    def gradient(theta):
        return theta @ hessian

    start = -8.0 * along + 2.0 * across
    reach = np.abs(start) + 2.0
    box = (-reach[0], reach[0], -reach[1], reach[1])
    return Surface("ravine", value, gradient, np.zeros((1, 2)), box, start)


def _rosenbrock_value(theta):
    x, y = theta[..., 0], theta[..., 1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _rosenbrock_gradient(theta):
    x, y = theta[..., 0], theta[..., 1]
    return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], axis=-1)


def _beale_value(theta):
    x, y = theta[..., 0], theta[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _beale_gradient(theta):
    x, y = theta[..., 0], theta[..., 1]
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return np.stack(
        [2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1)), 2 * x * (a + 2 * b * y + 3 * c * y**2)], axis=-1
    )


def _himmelblau_value(theta):
    x, y = theta[..., 0], theta[..., 1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _himmelblau_gradient(theta):
    x, y = theta[..., 0], theta[..., 1]
    a, b = x**2 + y - 11, x + y**2 - 7
    return np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], axis=-1)


def _saddle_value(theta):
    x, y = theta[..., 0], theta[..., 1]
    return 0.5 * x**2 + 0.25 * (y**2 - 1) ** 2


def _saddle_gradient(theta):
    x, y = theta[..., 0], theta[..., 1]
    return np.stack([x, y * (y**2 - 1)], axis=-1)


#: Rosenbrock (1960): a curved valley, easy to enter, slow to follow.
rosenbrock = Surface(
    "Rosenbrock",
    _rosenbrock_value,
    _rosenbrock_gradient,
    minima=np.array([[1.0, 1.0]]),
    box=(-2.0, 2.0, -1.0, 3.0),
    start=np.array([-1.2, 1.0]),
)

#: Beale (1958): a flat floor between steep corners.
beale = Surface(
    "Beale",
    _beale_value,
    _beale_gradient,
    minima=np.array([[3.0, 0.5]]),
    box=(-1.0, 4.5, -2.0, 2.0),
    start=np.array([1.0, 1.5]),
)

#: Himmelblau (1972): four minima of equal depth; where a path ends depends on where it starts.
himmelblau = Surface(
    "Himmelblau",
    _himmelblau_value,
    _himmelblau_gradient,
    minima=np.array(
        [
            [3.0, 2.0],
            [-2.805118086952745, 3.131312518250573],
            [-3.779310253377747, -3.283185991286170],
            [3.584428340330492, -1.848126526964404],
        ]
    ),
    box=(-5.0, 5.0, -5.0, 5.0),
    start=np.array([-0.5, -1.0]),
)

#: A saddle point at the origin, of height 1/4, between two minima.
saddle = Surface(
    "saddle",
    _saddle_value,
    _saddle_gradient,
    minima=np.array([[0.0, 1.0], [0.0, -1.0]]),
    box=(-2.0, 2.0, -1.6, 1.6),
    start=np.array([-1.6, 0.01]),
)

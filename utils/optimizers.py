"""The six update rules of the course, and ``descend``, the one loop that runs them.

Every rule has the same shape: the hyperparameters are the fields of a frozen dataclass, ``init(theta)`` makes the
state, and ``step(theta, g, state)`` returns the new ``(theta, state)`` and changes nothing in place. The rules are
elementwise, so a hyperparameter may be an array: ``SGD(np.array([0.1, 0.2])[:, None])`` follows two runs at once.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


def check_hyperparameters(*, positive=None, fraction=None, not_negative=None):
    """Raise if a hyperparameter is outside its range.

    Parameters
    ----------
    positive, fraction, not_negative : dict of str to number or numpy.ndarray
        Values that must be > 0, in [0, 1), and >= 0, by name. For an array, every element must be.

    Raises
    ------
    TypeError
        If a value is neither a real number nor an array of them.
    ValueError
        If a value is outside its range, infinite or NaN.
    """
    for values, allowed, is_allowed in (
        (positive, "greater than 0", lambda a: a > 0),
        (fraction, "at least 0 and below 1", lambda a: (a >= 0) & (a < 1)),
        (not_negative, "at least 0", lambda a: a >= 0),
    ):
        for name, value in (values or {}).items():
            array = np.asarray(value)
            if isinstance(value, (list, tuple)) or array.dtype.kind not in "iuf":
                raise TypeError(f"{name} must be a real number or a NumPy array of them, got {value!r}")
            if not np.all(is_allowed(array) & np.isfinite(array)):
                raise ValueError(f"{name} must be finite and {allowed}, got {value!r}")


def check_theta(theta, name="theta"):
    """Raise TypeError unless ``theta`` holds floating-point numbers: integers would truncate every step."""
    if np.asarray(theta).dtype.kind != "f":
        raise TypeError(f"{name} must be an array of floats, got {theta!r}; write np.array([1.0, 2.0]), not [1, 2]")


def check_gradient(theta, g):
    """Raise unless the gradient ``g`` is of real numbers, as an array of theta's shape.

    Others would be computed with, in silence: a list times 2 is the list twice, the imaginary part of a complex number
    would be dropped, and another shape broadcast.
    """
    if not (hasattr(g, "dtype") or isinstance(g, (int, float))) or (array := np.asarray(g)).dtype.kind not in "iuf":
        raise TypeError(f"g must be an array of real numbers, got {g!r}; return np.array([1.0, 2.0]), not [1, 2]")
    if array.shape != np.shape(theta):
        raise ValueError(f"g must have the shape of theta, {np.shape(theta)}, got shape {array.shape}")


@dataclass(frozen=True)
class SGD:
    r"""Plain gradient descent; stochastic when the gradient comes from a mini-batch.

    .. math:: \theta_{t+1} = \theta_t - \alpha g_t

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.

    Raises
    ------
    TypeError, ValueError
        If the learning rate is no positive number, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Cauchy (1847); with noisy gradients, Robbins and Monro (1951).
    Same as ``keras.optimizers.SGD(learning_rate)``.
    """

    learning_rate: ArrayLike = 0.01

    def __post_init__(self):
        check_hyperparameters(positive={"learning_rate": self.learning_rate})

    def init(self, theta):
        check_theta(theta)
        return ()

    def step(self, theta, g, state):
        check_gradient(theta, g)
        theta = theta - self.learning_rate * g
        return theta, state


class MomentumState(NamedTuple):
    """The velocity, of theta's shape."""

    v: np.ndarray


@dataclass(frozen=True)
class Momentum:
    r"""Gradient descent with momentum, the heavy-ball method.

    .. math::
        v_{t+1} = \mu v_t - \alpha g_t, \qquad
        \theta_{t+1} = \theta_t + v_{t+1}

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    momentum : float or numpy.ndarray
        The share of the velocity kept from step to step, in [0, 1). At 0 this is ``SGD``.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Polyak (1964). Same as ``keras.optimizers.SGD(learning_rate, momentum)``. PyTorch keeps
    ``v = momentum * v + g`` and multiplies by the learning rate afterwards: the path is the same
    until the learning rate changes in mid-run.
    """

    learning_rate: ArrayLike = 0.01
    momentum: ArrayLike = 0.9

    def __post_init__(self):
        check_hyperparameters(positive={"learning_rate": self.learning_rate}, fraction={"momentum": self.momentum})

    def init(self, theta):
        check_theta(theta)
        return MomentumState(v=np.zeros_like(theta))

    def step(self, theta, g, state):
        check_gradient(theta, g)
        v = self.momentum * state.v - self.learning_rate * g
        theta = theta + v
        return theta, MomentumState(v)


@dataclass(frozen=True)
class Nesterov:
    r"""Nesterov's accelerated gradient, in the form that Keras runs.

    .. math::
        v_{t+1} = \mu v_t - \alpha g_t, \qquad
        \theta_{t+1} = \theta_t + \mu v_{t+1} - \alpha g_t

    Here theta is the look-ahead point, where the gradient is taken. The look-ahead form of
    Sutskever et al. (2013) keeps ``phi = theta - momentum * v`` instead; the path is the same.

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    momentum : float or numpy.ndarray
        The share of the velocity kept from step to step, in [0, 1). At 0 this is ``SGD``.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Nesterov (1983), with a constant momentum as in Sutskever et al. (2013).
    Same as ``keras.optimizers.SGD(learning_rate, momentum, nesterov=True)``.
    """

    learning_rate: ArrayLike = 0.01
    momentum: ArrayLike = 0.9

    def __post_init__(self):
        check_hyperparameters(positive={"learning_rate": self.learning_rate}, fraction={"momentum": self.momentum})

    def init(self, theta):
        check_theta(theta)
        return MomentumState(v=np.zeros_like(theta))

    def step(self, theta, g, state):
        check_gradient(theta, g)
        v = self.momentum * state.v - self.learning_rate * g
        theta = theta + self.momentum * v - self.learning_rate * g
        return theta, MomentumState(v)


class AdagradState(NamedTuple):
    """The accumulator: the sum of the squared gradients, of theta's shape."""

    G: np.ndarray


@dataclass(frozen=True)
class Adagrad:
    r"""Adagrad: each coordinate's step is divided by the root of its summed squared gradients.

    .. math::
        G_{t+1} = G_t + g_t^2, \qquad
        \theta_{t+1} = \theta_t - \frac{\alpha g_t}{\sqrt{G_{t+1} + \epsilon}}

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    initial_accumulator_value : float or numpy.ndarray
        :math:`G_0`, at least 0.
    epsilon : float or numpy.ndarray
        Keeps the root away from 0, at least 0. Inside the root, as in Keras.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Duchi, Hazan and Singer (2011). Same as ``keras.optimizers.Adagrad``. PyTorch starts the
    accumulator at 0 and adds epsilon outside the root.
    """

    learning_rate: ArrayLike = 0.001
    initial_accumulator_value: ArrayLike = 0.1
    epsilon: ArrayLike = 1e-7

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            not_negative={"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon},
        )

    def init(self, theta):
        check_theta(theta)
        return AdagradState(G=np.zeros_like(theta) + self.initial_accumulator_value)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        G = state.G + g**2
        theta = theta - self.learning_rate * g / np.sqrt(G + self.epsilon)
        return theta, AdagradState(G)


class RMSpropState(NamedTuple):
    """The exponential average of the squared gradients, of theta's shape."""

    s: np.ndarray


@dataclass(frozen=True)
class RMSprop:
    r"""RMSprop: Adagrad with an exponential average of the squared gradients in place of their sum.

    .. math::
        s_{t+1} = \rho s_t + (1 - \rho) g_t^2, \qquad
        \theta_{t+1} = \theta_t - \frac{\alpha g_t}{\sqrt{s_{t+1} + \epsilon}}

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    rho : float or numpy.ndarray
        The share of the average kept from step to step, in [0, 1).
    epsilon : float or numpy.ndarray
        Keeps the root away from 0, at least 0. Inside the root, as in Keras.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Tieleman and Hinton (2012). Same as ``keras.optimizers.RMSprop`` with its defaults
    ``momentum=0`` and ``centered=False``. PyTorch adds epsilon outside the root.
    """

    learning_rate: ArrayLike = 0.001
    rho: ArrayLike = 0.9
    epsilon: ArrayLike = 1e-7

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"rho": self.rho},
            not_negative={"epsilon": self.epsilon},
        )

    def init(self, theta):
        check_theta(theta)
        return RMSpropState(s=np.zeros_like(theta))

    def step(self, theta, g, state):
        check_gradient(theta, g)
        s = self.rho * state.s + (1 - self.rho) * g**2
        theta = theta - self.learning_rate * g / np.sqrt(s + self.epsilon)
        return theta, RMSpropState(s)


class AdamState(NamedTuple):
    """The averages of the gradient and of its square, of theta's shape, and the number of steps taken."""

    m: np.ndarray
    v: np.ndarray
    t: int


@dataclass(frozen=True)
class Adam:
    r"""Adam: momentum's average of the gradients over RMSprop's root, both corrected for their start at 0.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \alpha_t &= \alpha \sqrt{1 - \beta_2^t} / (1 - \beta_1^t) \\
        \theta_t &= \theta_{t-1} - \alpha_t m_t / (\sqrt{v_t} + \hat\epsilon)

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0. While gradients keep their sign, about the length of a step.
    beta_1, beta_2 : float or numpy.ndarray
        The shares of the two averages kept from step to step, in [0, 1).
    epsilon : float or numpy.ndarray
        Keeps the denominator away from 0, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Kingma and Ba (2015). Same as ``keras.optimizers.Adam``. Both use the paper's
    "epsilon hat" (the end of its section 2), not the epsilon of its Algorithm 1, which PyTorch and optax use:
    ``epsilon_hat = epsilon * sqrt(1 - beta_2**t)`` makes the two equal.
    """

    learning_rate: ArrayLike = 0.001
    beta_1: ArrayLike = 0.9
    beta_2: ArrayLike = 0.999
    epsilon: ArrayLike = 1e-7

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"beta_1": self.beta_1, "beta_2": self.beta_2},
            not_negative={"epsilon": self.epsilon},
        )

    def init(self, theta):
        check_theta(theta)
        return AdamState(m=np.zeros_like(theta), v=np.zeros_like(theta), t=0)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        t = state.t + 1
        m = self.beta_1 * state.m + (1 - self.beta_1) * g
        v = self.beta_2 * state.v + (1 - self.beta_2) * g**2
        alpha_t = self.learning_rate * (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        theta = theta - alpha_t * m / (np.sqrt(v) + self.epsilon)
        return theta, AdamState(m, v, t)


def descend(optimizer, gradient: Callable, theta0: ArrayLike, steps: int, *, schedule=None) -> np.ndarray:
    """Run an optimizer and return its path.

    Parameters
    ----------
    optimizer : SGD, Momentum, Nesterov, Adagrad, RMSprop or Adam
        Or any dataclass with ``init`` and ``step`` as above. If its hyperparameters are arrays, they and
        ``theta0`` broadcast together, and every combination is run at once.
    gradient : callable
        Takes theta, which is read-only, returns the gradient, an array of the same shape.
    theta0 : array of floats
        The starting point.
    steps : int
        The number of steps, at least 0.
    schedule : callable, optional
        Takes the number of steps taken so far, returns the learning rate of the next, at least 0, as those in
        ``utils.schedules`` do. The optimizer's own is then not used.

    Returns
    -------
    path : numpy.ndarray, shape (steps + 1, *theta.shape)
        The starting point and the point after each step. A run that diverges goes on as inf or NaN.

    Raises
    ------
    TypeError, ValueError
        If ``theta0`` is not of floats or not finite, the gradient is not of real numbers or has not theta's shape,
        ``gradient`` or the rule changes theta in place, ``steps`` is no count, or a rate of the schedule is none.

    Examples
    --------
    >>> descend(SGD(learning_rate=0.25), lambda theta: 2 * theta, np.array([8.0]), steps=3).ravel()
    array([8., 4., 2., 1.])
    """
    if not isinstance(steps, (int, np.integer)) or isinstance(steps, bool) or steps < 0:
        raise ValueError(f"steps must be a whole number, at least 0, got {steps!r}")
    check_theta(theta0, "theta0")
    theta0 = np.asarray(theta0)
    if not np.all(np.isfinite(theta0)):
        raise ValueError(f"theta0 must be finite, got {theta0!r}")
    if schedule is not None:
        optimizer = _at_rate(optimizer, schedule(0))
    hyperparameters = [getattr(optimizer, field.name) for field in fields(optimizer)]
    shape = np.broadcast_shapes(theta0.shape, *map(np.shape, hyperparameters))
    path = np.empty((steps + 1, *shape), dtype=np.result_type(theta0, *hyperparameters))
    path[0] = theta0
    points = path.view()
    points.flags.writeable = False  # the gradient function sees these: changing theta would move a point of the path
    theta = points[0]
    try:
        state = optimizer.init(theta)
        with np.errstate(over="ignore", invalid="ignore"):
            for t in range(steps):
                if schedule is not None:
                    optimizer = _at_rate(optimizer, schedule(t))
                theta, state = optimizer.step(theta, _checked(points[t], gradient(points[t])), state)
                path[t + 1] = theta
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        advice = "write theta = theta - 1, not theta -= 1"
        raise ValueError(f"theta must not be changed in place: {advice} ({error})") from error
    return path


def _at_rate(optimizer, learning_rate):
    """Return the optimizer at another learning rate, which may be 0 here, as at the end of many a schedule."""
    check_hyperparameters(not_negative={"the learning rate of the schedule": learning_rate})
    optimizer = copy.copy(optimizer)
    object.__setattr__(optimizer, "learning_rate", learning_rate)  # dataclasses.replace would refuse 0
    return optimizer


def _checked(theta, g):
    check_gradient(theta, g)
    return g

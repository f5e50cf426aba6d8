"""The rules of the second part, what came after Adam, in the shape of those in ``utils.optimizers``.

All but one are elementwise, so a hyperparameter may be an array, as there. ``Muon`` takes a step for a whole matrix,
the last two axes of theta: its hyperparameters broadcast with shape ``(..., 1, 1)``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from utils.optimizers import AdamState, check_gradient, check_hyperparameters, check_theta


@dataclass(frozen=True)
class AdamW:
    r"""Adam with decoupled weight decay: each step also shrinks theta, past the moments and the root.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \alpha_t &= \alpha \sqrt{1 - \beta_2^t} / (1 - \beta_1^t) \\
        \theta_t &= \theta_{t-1} - \alpha w \theta_{t-1} - \alpha_t m_t / (\sqrt{v_t} + \hat\epsilon)

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    weight_decay : float or numpy.ndarray
        :math:`w`, at least 0. A step shrinks theta by the share learning_rate * weight_decay. At 0 this is Adam.
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
    Source: Loshchilov and Hutter (2019). Same as ``keras.optimizers.AdamW``. PyTorch and optax decay alike, with
    the epsilon of Adam's Algorithm 1 and other defaults (0.01 and 1e-4). In the paper's Algorithm 2 the share is not
    multiplied by the learning rate, only by the schedule's factor: there a smaller learning rate leaves the decay
    as it was, here it decays less. An L2 penalty is another thing, a term of the gradient, which Adam's root rescales:
    ``descend(Adam(), lambda theta: gradient(theta) + penalty * theta, ...)``.
    """

    learning_rate: ArrayLike = 0.001
    weight_decay: ArrayLike = 0.004
    beta_1: ArrayLike = 0.9
    beta_2: ArrayLike = 0.999
    epsilon: ArrayLike = 1e-7

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"beta_1": self.beta_1, "beta_2": self.beta_2},
            not_negative={"weight_decay": self.weight_decay, "epsilon": self.epsilon},
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
        decay = self.learning_rate * self.weight_decay * theta
        theta = theta - decay - alpha_t * m / (np.sqrt(v) + self.epsilon)
        return theta, AdamState(m, v, t)


class NadamState(NamedTuple):
    """The two averages, of theta's shape, the product of all mu so far, and the number of steps taken."""

    m: np.ndarray
    v: np.ndarray
    product: float
    t: int


@dataclass(frozen=True)
class Nadam:
    r"""Nadam: Adam that looks ahead as Nesterov does, with a momentum that grows in the first hundred steps.

    .. math::
        \mu_t &= \beta_1 (1 - 0.96^t / 2) \\
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat m_t &= \frac{\mu_{t+1} m_t}{1 - \mu_1 \cdots \mu_{t+1}} + \frac{(1 - \mu_t) g_t}{1 - \mu_1 \cdots \mu_t} \\
        \theta_t &= \theta_{t-1} - \alpha \hat m_t / (\sqrt{v_t / (1 - \beta_2^t)} + \epsilon)

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    beta_1, beta_2 : float or numpy.ndarray
        The shares of the two averages kept from step to step, in [0, 1). The momentum grows from about half of beta_1.
    epsilon : float or numpy.ndarray
        Keeps the denominator away from 0, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Dozat (2016). Same as ``keras.optimizers.Nadam``, whose epsilon is that of Adam's Algorithm 1, though its
    documentation says "epsilon hat". The momentum grows as ``0.96**t`` here, as ``0.96**(t / 250)`` in the paper and in
    PyTorch: ``torch.optim.NAdam(momentum_decay=1)`` is the same rule. In optax the momentum does not grow.
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
        return NadamState(m=np.zeros_like(theta), v=np.zeros_like(theta), product=1.0, t=0)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        t = state.t + 1
        mu, next_mu = self.beta_1 * (1 - 0.96**t / 2), self.beta_1 * (1 - 0.96 ** (t + 1) / 2)
        product = state.product * mu
        m = self.beta_1 * state.m + (1 - self.beta_1) * g
        v = self.beta_2 * state.v + (1 - self.beta_2) * g**2
        m_hat = next_mu / (1 - product * next_mu) * m + (1 - mu) / (1 - product) * g
        theta = theta - self.learning_rate * m_hat / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        return theta, NadamState(m, v, product, t)


class AdamaxState(NamedTuple):
    """The average of the gradient and its fading maximum, of theta's shape, and the number of steps taken."""

    m: np.ndarray
    u: np.ndarray
    t: int


@dataclass(frozen=True)
class Adamax:
    r"""AdaMax: Adam with a maximum that fades in the place of the root of the averaged squares.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        u_t &= \max(\beta_2 u_{t-1}, |g_t|) \\
        \theta_t &= \theta_{t-1} - \frac{\alpha}{1 - \beta_1^t} \frac{m_t}{u_t + \epsilon}

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    beta_1, beta_2 : float or numpy.ndarray
        The shares of the average and of the maximum kept from step to step, in [0, 1).
    epsilon : float or numpy.ndarray
        Keeps the denominator away from 0, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Kingma and Ba (2015), Algorithm 2, which has no epsilon. Same as ``keras.optimizers.Adamax``. PyTorch and
    optax add epsilon to the gradient's size before the maximum is taken. The maximum needs no correction for its start.
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
        return AdamaxState(m=np.zeros_like(theta), u=np.zeros_like(theta), t=0)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        t = state.t + 1
        m = self.beta_1 * state.m + (1 - self.beta_1) * g
        u = np.maximum(self.beta_2 * state.u, np.abs(g))
        theta = theta - self.learning_rate / (1 - self.beta_1**t) * m / (u + self.epsilon)
        return theta, AdamaxState(m, u, t)


class AdadeltaState(NamedTuple):
    """The averages of the squared gradients and of the squared steps, both of theta's shape."""

    s: np.ndarray
    d: np.ndarray


@dataclass(frozen=True)
class Adadelta:
    r"""Adadelta: RMSprop whose step size is the root of its own averaged squared steps.

    .. math::
        s_t &= \rho s_{t-1} + (1 - \rho) g_t^2 \\
        \Delta_t &= - \sqrt{d_{t-1} + \epsilon} \, g_t / \sqrt{s_t + \epsilon} \\
        d_t &= \rho d_{t-1} + (1 - \rho) \Delta_t^2 \\
        \theta_t &= \theta_{t-1} + \alpha \Delta_t

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        A factor of each step, above 0.
    rho : float or numpy.ndarray
        The share of the two averages kept from step to step, in [0, 1).
    epsilon : float or numpy.ndarray
        At least 0, inside both roots. As the steps begin with ``sqrt(epsilon)``, it is what a learning rate is
        elsewhere; at 0 nothing moves, and the first gradient that is 0 gives NaN.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Zeiler (2012), where there is no learning rate: it is 1. Same as ``keras.optimizers.Adadelta``, where the
    default of 0.001 makes every step a thousand times shorter than the paper's. PyTorch's and optax's default is 1,
    with a rho of 0.9 and an epsilon of 1e-6.
    """

    learning_rate: ArrayLike = 0.001
    rho: ArrayLike = 0.95
    epsilon: ArrayLike = 1e-7

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"rho": self.rho},
            not_negative={"epsilon": self.epsilon},
        )

    def init(self, theta):
        check_theta(theta)
        return AdadeltaState(s=np.zeros_like(theta), d=np.zeros_like(theta))

    def step(self, theta, g, state):
        check_gradient(theta, g)
        s = self.rho * state.s + (1 - self.rho) * g**2
        delta = -np.sqrt(state.d + self.epsilon) * g / np.sqrt(s + self.epsilon)
        d = self.rho * state.d + (1 - self.rho) * delta**2
        theta = theta + self.learning_rate * delta
        return theta, AdadeltaState(s, d)


@dataclass(frozen=True)
class Yogi:
    r"""Yogi: Adam whose average of the squares moves by at most a share of the new square, up or down.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= v_{t-1} - (1 - \beta_2) \operatorname{sign}(v_{t-1} - g_t^2) \, g_t^2 \\
        \alpha_t &= \alpha / (1 - \beta_1^t) \\
        \theta_t &= \theta_{t-1} - \alpha_t m_t / (\sqrt{v_t / (1 - \beta_2^t)} + \epsilon)

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    beta_1, beta_2 : float or numpy.ndarray
        The share of the first average kept from step to step, and 1 minus the share of a square that is added to or
        taken from the second, in [0, 1).
    epsilon : float or numpy.ndarray
        Keeps the denominator away from 0, at least 0.
    initial_accumulator_value : float or numpy.ndarray
        :math:`v_0`, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Zaheer et al. (2018), whose algorithm does not correct for the start. Keras and PyTorch have no Yogi. Same
    as ``optax.yogi``, but that m starts at 0 here and at the accumulator's value there.
    """

    learning_rate: ArrayLike = 0.01
    beta_1: ArrayLike = 0.9
    beta_2: ArrayLike = 0.999
    epsilon: ArrayLike = 1e-3
    initial_accumulator_value: ArrayLike = 1e-6

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"beta_1": self.beta_1, "beta_2": self.beta_2},
            not_negative={"epsilon": self.epsilon, "initial_accumulator_value": self.initial_accumulator_value},
        )

    def init(self, theta):
        check_theta(theta)
        return AdamState(m=np.zeros_like(theta), v=np.zeros_like(theta) + self.initial_accumulator_value, t=0)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        t = state.t + 1
        m = self.beta_1 * state.m + (1 - self.beta_1) * g
        v = state.v - (1 - self.beta_2) * np.sign(state.v - g**2) * g**2
        alpha_t = self.learning_rate / (1 - self.beta_1**t)
        theta = theta - alpha_t * m / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        return theta, AdamState(m, v, t)


class LionState(NamedTuple):
    """The average of the gradients, of theta's shape."""

    m: np.ndarray


@dataclass(frozen=True)
class Lion:
    r"""Lion: every coordinate goes the same way, the learning rate; only the sign is the gradients'.

    .. math::
        \theta_t &= \theta_{t-1} - \alpha w \theta_{t-1}
            - \alpha \operatorname{sign}(\beta_1 m_{t-1} + (1 - \beta_1) g_t) \\
        m_t &= \beta_2 m_{t-1} + (1 - \beta_2) g_t

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The length of a step in each coordinate, above 0.
    beta_1 : float or numpy.ndarray
        The weight of the average against the new gradient in the sign, in [0, 1). At 0 the average has no say.
    beta_2 : float or numpy.ndarray
        The share of the average kept from step to step, in [0, 1).
    weight_decay : float or numpy.ndarray
        :math:`w`, at least 0, decoupled as in ``AdamW``.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Chen et al. (2023), who advise a learning rate of a third to a tenth of Adam's, as each step is longer,
    and a weight decay as much larger. Same as ``keras.optimizers.Lion`` (which refuses a beta_1 of 0) and
    ``optax.lion``, whose weight decay is 1e-3 by default. PyTorch has no Lion.
    """

    learning_rate: ArrayLike = 0.001
    beta_1: ArrayLike = 0.9
    beta_2: ArrayLike = 0.99
    weight_decay: ArrayLike = 0.0

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"beta_1": self.beta_1, "beta_2": self.beta_2},
            not_negative={"weight_decay": self.weight_decay},
        )

    def init(self, theta):
        check_theta(theta)
        return LionState(m=np.zeros_like(theta))

    def step(self, theta, g, state):
        check_gradient(theta, g)
        direction = np.sign(self.beta_1 * state.m + (1 - self.beta_1) * g)
        theta = theta - self.learning_rate * self.weight_decay * theta - self.learning_rate * direction
        m = self.beta_2 * state.m + (1 - self.beta_2) * g
        return theta, LionState(m)


def orthogonalise(matrix, steps=5):
    r"""Bring all singular values of a matrix near 1, and leave the directions they belong to as they are.

    .. math:: X \leftarrow a X + (b A + c A^2) X, \qquad A = X X^\top

    That is Newton and Schulz' iteration with the coefficients of Jordan et al. (2024), chosen to lift small
    singular values fast. They do not settle at 1, but wander between about 0.7 and 1.2.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (..., n, m)
        A matrix, or a stack of them.
    steps : int
        How often the iteration is applied. A singular value below about a thousandth of the Frobenius norm needs
        more than 5 to arrive.

    Returns
    -------
    numpy.ndarray, shape (..., n, m)

    Notes
    -----
    What it approximates is ``u @ vt`` of ``u, s, vt = np.linalg.svd(matrix, full_matrices=False)``.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.shape[-2] <= matrix.shape[-1]
    X = matrix if wide else matrix.mT  # so that A is the smaller of the two products
    X = X / (np.linalg.norm(X, axis=(-2, -1), keepdims=True) + 1e-7)
    for _ in range(steps):
        A = X @ X.mT
        X = a * X + (b * A + c * A @ A) @ X
    return X if wide else X.mT


class MuonState(NamedTuple):
    """The velocity, a sum of gradients, of theta's shape."""

    v: np.ndarray


@dataclass(frozen=True)
class Muon:
    r"""Muon: Nesterov's momentum for a matrix, with all singular values of each step made about equal.

    .. math::
        v_t &= \mu v_{t-1} + g_t \\
        O_t &= \operatorname{orthogonalise}(g_t + \mu v_t) \\
        \theta_t &= \theta_{t-1} - \alpha w \theta_{t-1} - \alpha r \sqrt{\max(n, m)} \, O_t

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        Above 0. An orthogonal matrix of n rows and m columns has entries of a root mean square of
        ``1 / sqrt(max(n, m))``: so those of a step have one of about learning_rate * rms_rate, whatever the shape.
    momentum : float or numpy.ndarray
        The share of the velocity kept from step to step, in [0, 1).
    weight_decay : float or numpy.ndarray
        :math:`w`, at least 0, decoupled as in ``AdamW``.
    rms_rate : float or numpy.ndarray
        r, above 0. At 0.2 a step is about as long as Adam's at the same learning rate.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, ``theta`` and ``g`` do not fit, or theta is no matrix: biases are
        left to another rule, such as ``AdamW``.

    Notes
    -----
    Source: Jordan et al. (2024); the root of the shape and rms_rate: Liu et al. (2025). Same as
    ``keras.optimizers.Muon`` for matrices; to all other weights, and to embeddings, Keras applies AdamW. PyTorch has
    ``sqrt(max(1, n / m))`` in place of rms_rate and the root, unless ``adjust_lr_fn="match_rms_adamw"``, averages the
    gradients where here they are summed (which the next line of the rule undoes), and iterates in bfloat16.
    """

    learning_rate: ArrayLike = 0.001
    momentum: ArrayLike = 0.95
    weight_decay: ArrayLike = 0.004
    rms_rate: ArrayLike = 0.2

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate, "rms_rate": self.rms_rate},
            fraction={"momentum": self.momentum},
            not_negative={"weight_decay": self.weight_decay},
        )

    def init(self, theta):
        check_theta(theta)
        if np.ndim(theta) < 2:
            raise ValueError(f"theta must be a matrix, or a stack of them, got shape {np.shape(theta)}")
        return MuonState(v=np.zeros_like(theta))

    def step(self, theta, g, state):
        check_gradient(theta, g)
        v = self.momentum * state.v + g
        direction = self.rms_rate * max(theta.shape[-2:]) ** 0.5 * orthogonalise(g + self.momentum * v)
        theta = theta - self.learning_rate * self.weight_decay * theta - self.learning_rate * direction
        return theta, MuonState(v)


class ScheduleFreeSGDState(NamedTuple):
    """The point that the steps move and the mean of all of them, of theta's shape, and the number of steps taken."""

    z: np.ndarray
    x: np.ndarray
    t: int


@dataclass(frozen=True)
class ScheduleFreeSGD:
    r"""Schedule-Free SGD: the gradient is taken between the point that SGD moves and the mean of its points.

    .. math::
        z_t &= z_{t-1} - \alpha g_t \\
        x_t &= (1 - 1/t) \, x_{t-1} + z_t / t \\
        \theta_t &= (1 - \beta_1) z_t + \beta_1 x_t

    Here theta is the point where the gradient is taken. The result of a run is the mean x: ``average`` computes it.

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    beta_1 : float or numpy.ndarray
        How near to the mean the gradient is taken, in [0, 1). At 0 this is SGD with the mean of its path as the result.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Defazio et al. (2024). Same as ``optax.contrib.schedule_free_sgd`` at a constant learning rate; if it
    changes, points count there by the square of the largest rate so far, here all alike. Keras and PyTorch have none.
    """

    learning_rate: ArrayLike = 0.01
    beta_1: ArrayLike = 0.9

    def __post_init__(self):
        check_hyperparameters(positive={"learning_rate": self.learning_rate}, fraction={"beta_1": self.beta_1})

    def init(self, theta):
        check_theta(theta)
        return ScheduleFreeSGDState(z=np.array(theta), x=np.array(theta), t=0)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        t = state.t + 1
        z = state.z - self.learning_rate * g
        x = (1 - 1 / t) * state.x + z / t
        theta = (1 - self.beta_1) * z + self.beta_1 * x
        return theta, ScheduleFreeSGDState(z, x, t)

    def average(self, path):
        """Return x, the result, after each step of a path that ``descend`` returned."""
        return _mean_of_z(path, self.beta_1)


class ScheduleFreeAdamWState(NamedTuple):
    """The point that the steps move, the mean of all of them, the averaged squares, and the number of steps taken."""

    z: np.ndarray
    x: np.ndarray
    v: np.ndarray
    t: int


@dataclass(frozen=True)
class ScheduleFreeAdamW:
    r"""Schedule-Free AdamW: as Schedule-Free SGD, with Adam's root under the gradient.

    .. math::
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        z_t &= z_{t-1} - \alpha g_t / (\sqrt{v_t / (1 - \beta_2^t)} + \epsilon) \\
        x_t &= (1 - 1/t) \, x_{t-1} + z_t / t \\
        \theta_t &= (1 - \beta_1) z_t + \beta_1 x_t

    Here theta is the point where the gradient is taken. The result of a run is the mean x: ``average`` computes it.

    Parameters
    ----------
    learning_rate : float or numpy.ndarray
        The step size, above 0.
    beta_1 : float or numpy.ndarray
        How near to the mean the gradient is taken, in [0, 1). It is in the place of Adam's momentum.
    beta_2 : float or numpy.ndarray
        The share of the averaged squares kept from step to step, in [0, 1).
    epsilon : float or numpy.ndarray
        Keeps the denominator away from 0, at least 0.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is outside its range, or ``theta`` and ``g`` do not fit.

    Notes
    -----
    Source: Defazio et al. (2024). Same as ``keras.optimizers.ScheduleFreeAdamW`` on JAX without weight decay, which is
    its default. On TensorFlow, Keras 3.15 recovers x from a z that has already moved, so it runs another rule there.
    Keras leaves theta in the model. The authors' own code, and optax, let points count by the square of the largest
    learning rate so far; here, and in Keras, all count alike.
    """

    learning_rate: ArrayLike = 0.0025
    beta_1: ArrayLike = 0.9
    beta_2: ArrayLike = 0.999
    epsilon: ArrayLike = 1e-8

    def __post_init__(self):
        check_hyperparameters(
            positive={"learning_rate": self.learning_rate},
            fraction={"beta_1": self.beta_1, "beta_2": self.beta_2},
            not_negative={"epsilon": self.epsilon},
        )

    def init(self, theta):
        check_theta(theta)
        return ScheduleFreeAdamWState(z=np.array(theta), x=np.array(theta), v=np.zeros_like(theta), t=0)

    def step(self, theta, g, state):
        check_gradient(theta, g)
        t = state.t + 1
        v = self.beta_2 * state.v + (1 - self.beta_2) * g**2
        z = state.z - self.learning_rate * g / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        x = (1 - 1 / t) * state.x + z / t
        theta = (1 - self.beta_1) * z + self.beta_1 * x
        return theta, ScheduleFreeAdamWState(z, x, v, t)

    def average(self, path):
        """Return x, the result, after each step of a path that ``descend`` returned."""
        return _mean_of_z(path, self.beta_1)


def _mean_of_z(path, beta_1):
    """Solve theta_t = (1 - beta_1) z_t + beta_1 x_t for x_t, where z_t = t x_t - (t - 1) x_{t-1}."""
    x = np.array(path)
    for t in range(1, len(x)):
        x[t] = (path[t] + (1 - beta_1) * (t - 1) * x[t - 1]) / ((1 - beta_1) * t + beta_1)
    return x

"""Schedules: what a learning rate should be at each step, as objects to call; ``descend(..., schedule=...)`` runs them.

``schedule(step)`` is the learning rate of the step after ``step`` others, so the first is ``schedule(0)``. Names,
fields and values are those of ``keras.optimizers.schedules``, where there is such a class. Steps are mini-batches,
not epochs: an epoch of n examples has ``ceil(n / batch_size)`` of them. Rates may be arrays, as in the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from utils.optimizers import check_hyperparameters


@dataclass(frozen=True)
class Constant:
    """The same learning rate at every step."""

    learning_rate: ArrayLike

    def __post_init__(self):
        check_hyperparameters(not_negative={"learning_rate": self.learning_rate})

    def __call__(self, step):
        return self.learning_rate


@dataclass(frozen=True)
class PiecewiseConstantDecay:
    """Steps of a stair: ``values[0]`` up to and with step ``boundaries[0]``, then ``values[1]``, and so on.

    Raises ValueError unless there is one value more than boundaries, and the boundaries grow.
    """

    boundaries: tuple
    values: tuple

    def __post_init__(self):
        check_hyperparameters(not_negative={"values": np.array(self.values)})
        if len(self.values) != len(self.boundaries) + 1 or np.any(np.diff(self.boundaries) <= 0):
            raise ValueError(f"boundaries must grow, and values be one more: {self.boundaries!r}, {self.values!r}")

    def __call__(self, step):
        return self.values[np.searchsorted(self.boundaries, step)]


@dataclass(frozen=True)
class ExponentialDecay:
    r"""The same factor again and again, :math:`\alpha \, \gamma^{t / T}`: ``decay_rate`` once in ``decay_steps`` steps.

    With ``staircase`` it falls at once, every ``decay_steps`` steps.
    """

    initial_learning_rate: ArrayLike
    decay_steps: float
    decay_rate: ArrayLike
    staircase: bool = False

    def __post_init__(self):
        check_hyperparameters(
            not_negative={"initial_learning_rate": self.initial_learning_rate, "decay_rate": self.decay_rate},
            positive={"decay_steps": self.decay_steps},
        )

    def __call__(self, step):
        p = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate**p


@dataclass(frozen=True)
class InverseTimeDecay:
    r"""The rate over time, :math:`\alpha / (1 + \gamma t / T)`: half of it after ``decay_steps / decay_rate`` steps.

    With ``staircase`` it falls at once, every ``decay_steps`` steps.
    """

    initial_learning_rate: ArrayLike
    decay_steps: float
    decay_rate: ArrayLike
    staircase: bool = False

    def __post_init__(self):
        check_hyperparameters(
            not_negative={"initial_learning_rate": self.initial_learning_rate, "decay_rate": self.decay_rate},
            positive={"decay_steps": self.decay_steps},
        )

    def __call__(self, step):
        p = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * p)


@dataclass(frozen=True)
class PolynomialDecay:
    r"""A line to ``end_learning_rate`` in ``decay_steps`` steps, or its power: :math:`e + (\alpha - e) (1 - t/T)^p`.

    After that it stays there, as in Keras without ``cycle``.
    """

    initial_learning_rate: ArrayLike
    decay_steps: float
    end_learning_rate: ArrayLike = 0.0001
    power: float = 1.0

    def __post_init__(self):
        check_hyperparameters(
            not_negative={
                "initial_learning_rate": self.initial_learning_rate,
                "end_learning_rate": self.end_learning_rate,
            },
            positive={"decay_steps": self.decay_steps, "power": self.power},
        )

    def __call__(self, step):
        left = 1 - np.minimum(step, self.decay_steps) / self.decay_steps
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


def _half_cosine(start, end, fraction):
    """Go from start to end as the cosine does from 0 to pi, while fraction goes from 0 to 1."""
    return end + (start - end) * (1 + np.cos(np.pi * fraction)) / 2


@dataclass(frozen=True)
class CosineDecay:
    r"""Half a cosine down to ``alpha`` times the rate, after a line up to ``warmup_target`` if there is one.

    The line takes ``warmup_steps`` steps, the cosine ``decay_steps`` more; after that the rate stays where it is. The
    cosine starts at ``warmup_target``, without one at ``initial_learning_rate``. Loshchilov and Hutter (2017).
    """

    initial_learning_rate: ArrayLike
    decay_steps: float
    alpha: ArrayLike = 0.0
    warmup_target: ArrayLike | None = None
    warmup_steps: int = 0

    def __post_init__(self):
        target = {} if self.warmup_target is None else {"warmup_target": self.warmup_target}
        check_hyperparameters(
            not_negative=target
            | {
                "initial_learning_rate": self.initial_learning_rate,
                "alpha": self.alpha,
                "warmup_steps": self.warmup_steps,
            },
            positive={"decay_steps": self.decay_steps},
        )

    def __call__(self, step):
        start, top, warmup = self.initial_learning_rate, self.warmup_target, self.warmup_steps
        if top is None:
            top, warmup = start, 0
        if step < warmup:
            return start + (top - start) * step / warmup
        return _half_cosine(top, self.alpha * top, min((step - warmup) / self.decay_steps, 1))


@dataclass(frozen=True)
class CosineDecayRestarts:
    """Half a cosine down, again and again, each ``t_mul`` times as long and ``m_mul`` times as high as the last.

    ``alpha`` is the lowest rate, as a share of ``initial_learning_rate``. Loshchilov and Hutter (2017). Keras finds the
    restart by a logarithm, whose rounding may put one of them a step off, for example at a ``t_mul`` of 3.
    """

    initial_learning_rate: ArrayLike
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: ArrayLike = 1.0
    alpha: ArrayLike = 0.0

    def __post_init__(self):
        check_hyperparameters(
            not_negative={
                "initial_learning_rate": self.initial_learning_rate,
                "m_mul": self.m_mul,
                "alpha": self.alpha,
                "t_mul - 1": self.t_mul - 1,
            },
            positive={"first_decay_steps": self.first_decay_steps},
        )

    def __call__(self, step):
        length, height = self.first_decay_steps, 1.0
        while step >= length:
            step, length, height = step - length, length * self.t_mul, height * self.m_mul
        return self.initial_learning_rate * (self.alpha + (1 - self.alpha) * _half_cosine(height, 0, step / length))


@dataclass(frozen=True)
class OneCycle:
    """1cycle: half a cosine up to ``max_lr`` in the first ``pct_start`` of all steps, half a cosine down in the rest.

    It begins at ``max_lr / div_factor`` and ends ``final_div_factor`` times lower than that. Smith and Topin (2018),
    who also let the momentum fall while the rate rises, which is left out here. Fields and values are those
    of PyTorch's ``OneCycleLR(cycle_momentum=False)``; Keras has none. After ``total_steps`` the rate stays where it is.
    """

    max_lr: ArrayLike
    total_steps: int
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def __post_init__(self):
        check_hyperparameters(
            not_negative={"max_lr": self.max_lr},
            fraction={"pct_start": self.pct_start},
            positive={"div_factor": self.div_factor, "final_div_factor": self.final_div_factor},
        )
        if not self.pct_start * self.total_steps > 1:
            raise ValueError(f"pct_start of total_steps must be more than 1, got {self.pct_start * self.total_steps!r}")

    def __call__(self, step):
        start, last, top = self.max_lr / self.div_factor, self.total_steps - 1, self.pct_start * self.total_steps - 1
        if step <= top:
            return _half_cosine(start, self.max_lr, step / top)
        return _half_cosine(self.max_lr, start / self.final_div_factor, min((step - top) / (last - top), 1))


@dataclass(frozen=True)
class Warmup:
    """Any schedule, ``steps`` later, after a line from 0 up to where it begins.

    Goyal et al. (2017). ``Warmup(CosineDecay(0.1, 900), 100)`` is Keras'
    ``CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)``.
    """

    schedule: Callable
    steps: int

    def __post_init__(self):
        check_hyperparameters(not_negative={"steps": self.steps})

    def __call__(self, step):
        if step < self.steps:
            return self.schedule(0) * step / self.steps
        return self.schedule(step - self.steps)


@dataclass(frozen=True)
class ReduceLROnPlateau:
    """A rate that falls by ``factor`` when the loss has not improved for ``patience`` epochs: no function of the step.

    So it is called with the losses so far, held-out ones, one for each epoch, and returns the rate for the next epoch.
    An improvement is one by more than ``min_delta``. Same as ``keras.callbacks.ReduceLROnPlateau`` for a loss, with
    its default of no cooldown.
    """

    learning_rate: ArrayLike
    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    min_lr: ArrayLike = 0.0

    def __post_init__(self):
        check_hyperparameters(
            not_negative={"learning_rate": self.learning_rate, "min_delta": self.min_delta, "min_lr": self.min_lr},
            fraction={"factor": self.factor},
            positive={"patience": self.patience},
        )

    def __call__(self, losses):
        rate, best, waited = self.learning_rate, np.inf, 0
        for loss in losses:
            best, waited = (loss, 0) if loss < best - self.min_delta else (best, waited + 1)
            if waited >= self.patience:
                rate, waited = np.maximum(rate * self.factor, self.min_lr), 0
        return rate

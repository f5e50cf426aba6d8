"""The study of chapter 09: its two networks and six optimizers, one trial, the stored results, and how to judge them.

A trial trains one network once, with Keras' own optimizers. ``benchmarks/comparison.py`` runs the whole study;
``comparison.csv`` beside this file holds what came out. Chapter 11 puts the rules that came after Adam through the same
trials: ``benchmarks/beyond_adam.py`` and ``beyond_adam.csv``.
"""

import itertools
import math
from functools import lru_cache, partial
from importlib.resources import files

import keras
import numpy as np
import pandas as pd

from utils.data import load_fashion_mnist
from utils.training import OPTIMIZERS, restart, train

#: The learning rates that every optimizer is tuned over: 1, 2 and 5 in each power of ten.
LEARNING_RATES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

#: How many of the 48,000 training images each network sees: on a CPU, a convolution costs far more than a product.
EXAMPLES = {"dense": 48_000, "convolutional": 24_000}
#: How many of them, the last ones, a trial leaves out of training if it is scored on them.
HELD_OUT = 8_000
EPOCHS, BATCH_SIZE = 5, 32


def dense():
    """Return the network of chapter 08, with 79,510 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def convolutional():
    """Return a convolution with a stride instead of pooling, then two dense layers: 26,368 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Reshape((28, 28, 1)),
            keras.layers.Conv2D(8, 5, strides=3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


NETWORKS = {"dense": dense, "convolutional": convolutional}


class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that falls in a straight line, from ``peak`` at the first step to 0 after the last of ``steps``.

    As ``keras.optimizers.schedules.PolynomialDecay(peak, steps, end_learning_rate=0)``, but both numbers are variables:
    a program that is compiled once serves every peak.
    """

    __slots__ = ("peak", "steps")  # and not in __dict__, whose changes make ``train`` compile anew

    def __init__(self):
        self.peak, self.steps = keras.Variable(0.0, trainable=False), keras.Variable(1.0, trainable=False)

    def __call__(self, step):
        """Return the learning rate of a step, counted from 0."""
        left = 1 - keras.ops.cast(step, "float32") / self.steps
        return self.peak * keras.ops.maximum(left, 0.0)


SCHEDULES = {"constant": None, "decay": LinearDecay}


class _ScheduleFree(keras.optimizers.Optimizer):
    """The rule of ``utils.beyond_adam.ScheduleFreeAdamW``, to train with; Keras 3.15 runs another one on TensorFlow.

    While it trains, a weight is the point where the gradient is taken; ``finalize_variable_values``, which ``fit`` and
    ``train`` call at the end, puts the mean x in its place.
    """

    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **settings):
        super().__init__(learning_rate=learning_rate, **settings)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._z, self._v = self.add_optimizer_variables(var_list, ["z", "v"])
        for z, variable in zip(self._z, var_list, strict=True):
            z.assign(variable)

    def update_step(self, gradient, variable, learning_rate):
        index, t = self._get_variable_index(variable), keras.ops.cast(self.iterations + 1, variable.dtype)
        x = self._mean(variable)  # before z moves
        v = self.beta_2 * self._v[index] + (1 - self.beta_2) * gradient**2
        root = keras.ops.sqrt(v / (1 - self.beta_2**t)) + self.epsilon
        z = self._z[index] - keras.ops.cast(learning_rate, variable.dtype) * gradient / root
        x = (1 - 1 / t) * x + z / t
        self._v[index].assign(v)
        self._z[index].assign(z)
        variable.assign((1 - self.beta_1) * z + self.beta_1 * x)

    def _mean(self, variable):
        return (variable - (1 - self.beta_1) * self._z[self._get_variable_index(variable)]) / self.beta_1

    def finalize_variable_values(self, var_list):
        for variable in var_list:
            variable.assign(self._mean(variable))

    def get_config(self):
        return super().get_config() | {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


#: The rules of chapter 11, as Keras' own classes but for one. What is not named here has Keras' default.
BEYOND_ADAM = {
    "AdamW": keras.optimizers.AdamW,
    "Nadam": keras.optimizers.Nadam,
    "Adamax": keras.optimizers.Adamax,
    "Adadelta": keras.optimizers.Adadelta,
    "Lion": keras.optimizers.Lion,
    "ScheduleFreeAdamW": _ScheduleFree,
    "Muon": keras.optimizers.Muon,
    # Adam whose result is a mean of its weights, over about 1,000 steps: to tell what of Schedule-Free is the mean.
    "AdamEMA": partial(keras.optimizers.Adam, use_ema=True, ema_momentum=0.999),
}


def trial(
    network,
    optimizer,
    learning_rate,
    seed,
    scored_on="validation",
    schedule="constant",
    examples=None,
    epochs=EPOCHS,
    weight_decay=None,
):
    """Train a network once, from new weights, and say how well it does on images it has not seen.

    Parameters
    ----------
    network : {"dense", "convolutional"}
    optimizer : str
        A key of ``OPTIMIZERS`` or ``BEYOND_ADAM``.
    learning_rate : float
    seed : int
        Of the first weights and of the order of the images, the same for every optimizer.
    scored_on : {"validation", "test", "held-out"}
        The images to score on: the first for choosing a learning rate, the others for the report. Held out are the last
        8,000 of the 48,000 training images, which this trial then does not train on.
    schedule : {"constant", "decay"}
        Whether the learning rate stays, or falls linearly to 0 over the run.
    examples : int, optional
        The number of training images, by default that of ``EXAMPLES`` or what the held-out images leave of it.
    epochs : int
    weight_decay : float, optional
        In place of the optimizer's own, which for most is none.

    Returns
    -------
    dict
        ``accuracy`` and ``loss`` on those images after the last epoch, ``train_loss``, the mean over that epoch, and
        ``after_1``, ``after_2``, …, the accuracy after the epochs before it. A loss is NaN if training diverged.
    """
    model, rule, decay = _pair(network, optimizer, schedule, weight_decay)
    keras.utils.set_random_seed(seed)
    restart(model, rule)
    x, y, scored = _images()
    examples = examples or min(EXAMPLES[network], len(x) - HELD_OUT * (scored_on == "held-out"))
    if decay is None:
        rule.learning_rate = learning_rate
    else:
        decay.peak.assign(learning_rate)
        decay.steps.assign(epochs * math.ceil(examples / BATCH_SIZE))
    data = x[:examples], y[:examples], *scored[scored_on]
    history = train(model, rule, data, epochs=epochs, batch_size=BATCH_SIZE, seed=seed)
    before = {f"after_{epoch}": round(score, 4) for epoch, score in enumerate(history.val_accuracy[:-1], start=1)}
    accuracy, loss = history.val_accuracy[-1], history.val_loss[-1]
    if isinstance(rule, _ScheduleFree) or rule.use_ema:  # the weights are now a mean, and were not when scored
        accuracy, loss = _score(model, *data[2:])
    return {
        "accuracy": round(accuracy, 5),
        "loss": round(loss, 5),
        "train_loss": round(history.loss[-1], 5),
        **before,
    }


def _score(model, x, y):
    """Return the accuracy of a model, and its loss, on images that are few enough for one batch."""
    predicted = keras.ops.convert_to_numpy(model(x))
    loss = keras.losses.sparse_categorical_crossentropy(y, predicted)
    return float(np.mean(predicted.argmax(axis=1) == y)), float(np.mean(loss))


# A pair is kept because a program is compiled for it, in a second or two.
@lru_cache(maxsize=len(NETWORKS) * (len(OPTIMIZERS) + len(BEYOND_ADAM)) * len(SCHEDULES))
def _pair(network, optimizer, schedule, weight_decay):
    decay = SCHEDULES[schedule] and SCHEDULES[schedule]()
    settings = {} if weight_decay is None else {"weight_decay": weight_decay}
    rule, model = (BEYOND_ADAM | OPTIMIZERS)[optimizer](**settings), NETWORKS[network]()
    if decay is not None:
        rule.learning_rate = decay
    model.compile(loss="sparse_categorical_crossentropy")
    return model, rule, decay


@lru_cache(maxsize=1)
def _images():
    """Return the training images and labels, and the sets to score on by name, as tensors kept once."""
    data = load_fashion_mnist()
    x_train, x_val, x_test = map(keras.ops.convert_to_tensor, (data.x_train, data.x_val, data.x_test))
    held_out = x_train[-HELD_OUT:], data.y_train[-HELD_OUT:]
    scored = {"validation": (x_val, data.y_val), "test": (x_test, data.y_test), "held-out": held_out}
    return x_train, data.y_train, scored


def default_learning_rate(optimizer):
    """Return the learning rate that Keras gives an optimizer of which nobody says another."""
    return round(float((BEYOND_ADAM | OPTIMIZERS)[optimizer]().learning_rate), 7)  # it is stored in 32 bits


def load_results(study="comparison"):
    """Return the stored results of a whole study.

    Parameters
    ----------
    study : {"comparison", "beyond_adam"}
        That of chapter 09 or that of chapter 11, which has no ``run`` and, for AdamW, a ``weight_decay``.

    Returns
    -------
    pandas.DataFrame
        One row for each trial. ``run`` is "first", "second" (the study again, with other seeds) or "AVX2" (the first
        run's final trials on the test images again, computed with other instructions of the processor); then come the
        arguments of ``trial`` and its results.

    Raises
    ------
    ValueError
        If there is no study of that name.
    """
    if study not in ("comparison", "beyond_adam"):
        raise ValueError(f"study must be 'comparison' or 'beyond_adam', got {study!r}")
    with files("utils").joinpath(f"{study}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def chosen_learning_rates(tuning):
    """Return, for each network and optimizer, the learning rate with the best mean validation accuracy.

    Parameters
    ----------
    tuning : pandas.DataFrame
        The trials to choose by, of one schedule: any number of seeds at each learning rate.

    Returns
    -------
    pandas.Series
        Learning rates, indexed by network and optimizer. Of two that are equally good, the smaller.
    """
    means = tuning.groupby(["network", "optimizer", "learning_rate"], sort=False)["accuracy"].mean()
    best = means.sort_index().groupby(level=["network", "optimizer"]).idxmax()
    return best.str[2].rename("learning_rate")


def final_scores(trials, learning_rates, scored_on="test"):
    """Return the accuracies of a study's second part at one learning rate for each optimizer.

    Parameters
    ----------
    trials : pandas.DataFrame
        Those of one run, one network and one schedule.
    learning_rates : mapping of str to float
        By the name of the optimizer.
    scored_on : {"test", "held-out"}

    Returns
    -------
    pandas.DataFrame
        One row for each seed, one column for each optimizer.
    """
    final = trials[trials["scored_on"] == scored_on]
    final = final[final["learning_rate"] == final["optimizer"].map(dict(learning_rates))]
    return final.pivot(index="seed", columns="optimizer", values="accuracy")[list(OPTIMIZERS)]


def good_range(means, margin=0.01):
    """Return the lowest and the highest learning rate around the best whose mean accuracy is within a margin of it.

    Parameters
    ----------
    means : pandas.Series
        Mean accuracies of one optimizer, indexed by learning rate.
    margin : float

    Returns
    -------
    lowest, highest : float
        All learning rates of the index between them are within the margin too.
    """
    means = means.sort_index()
    bad = np.flatnonzero(~(means >= means.max() - margin))
    best = int(np.argmax(means))
    first = max(bad[bad < best], default=-1) + 1
    last = min(bad[bad > best], default=len(means)) - 1
    return means.index[first], means.index[last]


def sign_flip_test(differences):
    """Return the p-value of Fisher's sign-flip test of paired differences, two-sided and exact.

    If two optimizers were alike, each difference could as well have come with the other sign. The p-value is the share
    of all ways to set the signs that give a sum at least as far from zero as the one measured.

    Parameters
    ----------
    differences : sequence of float
        One for each seed; at most 20 of them, because all ``2**n`` ways are tried.

    Returns
    -------
    float
    """
    differences = np.asarray(differences, dtype=float)
    signs = np.array(list(itertools.product((-1, 1), repeat=len(differences) - 1)))  # up to a flip of all
    sums = np.abs(signs @ differences[1:] + differences[0])
    return float(np.mean(sums >= abs(differences.sum()) - 1e-12))


def holm(p_values):
    """Return p-values adjusted by Holm's method for the number of tests made.

    The smallest of k is multiplied by k, the next by k - 1, and so on; none may be below the one before.

    Parameters
    ----------
    p_values : sequence of float

    Returns
    -------
    numpy.ndarray
        In the order given. Call those up to 0.05 firm, and at most 5 % of such studies have a false alarm among them.
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def verdicts(scores):
    """Compare every two columns over the seeds: sign-flip tests, adjusted by Holm's method.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row for each seed, one column for each optimizer.

    Returns
    -------
    pandas.DataFrame
        Indexed by the pair, the better first: ``difference``, the mean lead, in the unit of the scores; ``p``,
        adjusted; and ``firm``, whether that is below 0.05.
    """
    rows = {}
    for pair in itertools.combinations(scores.columns, 2):
        better, worse = sorted(pair, key=lambda name: -scores[name].mean())
        lead = scores[better] - scores[worse]
        rows[better, worse] = {"difference": lead.mean(), "p": sign_flip_test(lead)}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.names = ["better", "worse"]
    table["p"] = holm(table["p"])
    return table.assign(firm=table["p"] < 0.05)

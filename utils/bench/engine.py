"""The engine of the bench in the page, in NumPy: the same images, first weights, order and steps as in ``engine.js``.

What a page says that its bench computes is asserted with this one, and tests hold the two together, weight for weight.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from utils import optimizers as rules
from utils.playground import uniforms

#: How many of the book's training and validation images the page has: the first ones.
IMAGES = {"train": 6_000, "held_out": 1_500}
#: A pixel's grey is a whole number from 0 to this one, divided by it. 4 bits, because 8 bits are twice the download.
LEVELS = 15
PIXELS, CLASSES = 784, 10
OPTIMIZERS = ("SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam")
SCHEDULES = {
    "constant": lambda t, total: 1.0,
    "cosine": lambda t, total: 0.5 * (1 + np.cos(np.pi * t / total)),
}


class Images(NamedTuple):
    """The images of the page, as rows of greys from 0 to 1, and their labels."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray


class PageRun(NamedTuple):
    """What :func:`train_in_page` measured.

    Attributes
    ----------
    loss, accuracy : numpy.ndarray, shape (epochs,)
        Means over the training images, each taken before the step it led to, as in ``model.fit``.
    val_accuracy : numpy.ndarray, shape (epochs,)
        Over the held-out images, after each epoch.
    step_loss : numpy.ndarray
        The loss of each mini-batch.
    theta : numpy.ndarray
        All weights and biases at the end, layer for layer.
    """

    loss: np.ndarray
    accuracy: np.ndarray
    val_accuracy: np.ndarray
    step_loss: np.ndarray
    theta: np.ndarray


def page_images(data):
    """Return those images of ``load_fashion_mnist`` on which the bench in the page trains, as it has them.

    They are the first 6,000 of the training images and the first 1,500 of the validation images, in 16 greys.
    """
    train, held_out = IMAGES.values()
    x_train, x_val = (
        np.rint(np.reshape(x, (-1, PIXELS)).astype(float) * LEVELS) / LEVELS
        for x in (data.x_train[:train], data.x_val[:held_out])
    )
    return Images(x_train, data.y_train[:train], x_val, data.y_val[:held_out])


def sizes(units):
    """Return the shapes of W1, b1 and, if there are hidden units, W2, b2: theta holds one after the other."""
    if not units:
        return [(PIXELS, CLASSES), (CLASSES,)]
    return [(PIXELS, units), (units,), (units, CLASSES), (CLASSES,)]


def layers(theta, units):
    """Return the weights and biases in ``theta``, which they share, as arrays of these shapes."""
    ends = np.cumsum([np.prod(shape) for shape in sizes(units)])
    return [part.reshape(shape) for part, shape in zip(np.split(theta, ends[:-1]), sizes(units), strict=True)]


def initial_theta(seed, units):
    """Return the first weights, float32: uniform as those of Keras' Dense (Glorot and Bengio, 2010), and biases 0."""
    draw = uniforms(2 * seed)
    parts = []
    for shape in sizes(units):
        limit = np.sqrt(6 / sum(shape)) if len(shape) == 2 else 0.0
        count = np.prod(shape) if limit else 0
        drawn = np.array([2 * draw() - 1 for _ in range(count)])
        parts.append(limit * drawn if limit else np.zeros(shape))
    return np.concatenate(parts).astype(np.float32)


def shuffle(order, draw):
    """Shuffle in place (Fisher and Yates)."""
    for i in range(len(order) - 1, 0, -1):
        j = int(draw() * (i + 1))
        order[i], order[j] = order[j], order[i]


def gradient(theta, units, x, y):
    """Return the gradient of the mean loss of some images, that loss, and the probabilities of the classes."""
    W1, b1, *second = layers(theta, units)
    h = x @ W1 + b1
    hidden = np.maximum(h, 0) if units else x
    scores = hidden @ second[0] + second[1] if units else h
    scores = scores - scores.max(axis=1, keepdims=True)
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    loss = -log_p[rows, y].mean()
    delta = np.exp(log_p)
    delta[rows, y] -= 1
    delta /= len(x)
    parts = [hidden.T @ delta, delta.sum(axis=0)]
    if units:
        back = (delta @ second[0].T) * (h > 0)
        parts = [x.T @ back, back.sum(axis=0), *parts]
    return np.concatenate([part.ravel() for part in parts]), loss, np.exp(log_p)


def train_in_page(
    images,
    *,
    optimizer="Adam",
    learning_rate=0.001,
    batch_size=32,
    units=100,
    epochs=5,
    seed=0,
    shuffled=True,
    schedule="constant",
    theta=None,
):
    """Train as the bench in the page does, in float64.

    Parameters
    ----------
    images : Images
        See :func:`page_images`.
    optimizer : str
        One of the six names; its other hyperparameters are those of ``utils.optimizers``.
    learning_rate : float
    batch_size, units, epochs : int
        Without units it is softmax regression.
    seed : int
        Of the first weights and of the order of the images.
    shuffled : bool
        Whether each epoch has an order of its own.
    schedule : {"constant", "cosine"}
        What becomes of the learning rate; "cosine" lets it fall to 0 at the end.
    theta : numpy.ndarray, optional
        Other first weights.

    Returns
    -------
    PageRun

    Raises
    ------
    ValueError
        If there is no such optimizer or schedule.
    """
    for name, value, known in (("optimizer", optimizer, OPTIMIZERS), ("schedule", schedule, SCHEDULES)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    x, y, x_val, y_val = images
    theta = initial_theta(seed, units) if theta is None else theta
    theta = theta.astype(float)
    rule = getattr(rules, optimizer)(learning_rate)
    state, draw, order = rule.init(theta), uniforms(2 * seed + 1), list(range(len(x)))
    total, t = epochs * -(-len(x) // batch_size), 0
    rows, step_loss = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(epochs):
            if shuffled:
                shuffle(order, draw)
            loss_sum = hits = 0
            for start in range(0, len(x), batch_size):
                batch = order[start : start + batch_size]
                g, loss, p = gradient(theta, units, x[batch], y[batch])
                now = replace(rule, learning_rate=learning_rate * SCHEDULES[schedule](t, total))
                theta, state = now.step(theta, g, state)
                t += 1
                loss_sum += loss * len(batch)
                hits += np.sum(p.argmax(axis=1) == y[batch])
                step_loss.append(loss)
            p = gradient(theta, units, x_val, y_val)[2]
            rows.append([loss_sum / len(x), hits / len(x), np.mean(p.argmax(axis=1) == y_val)])
    return PageRun(*np.array(rows).T, np.array(step_loss), theta)

"""``train`` runs whole epochs of a Keras model as one compiled program; ``restart`` starts the same pair over.

``model.fit`` returns to Python after every mini-batch, and for a small network that costs far more than the step. Here
the loop over the mini-batches is part of the compiled program; the model and the optimizer in it are Keras' own.
"""

import logging
from functools import lru_cache, partial
from numbers import Integral
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

#: The course's six rules as Keras' own classes. What is not named here has Keras' default, the learning rate included.
OPTIMIZERS = {
    "SGD": keras.optimizers.SGD,
    "Momentum": partial(keras.optimizers.SGD, momentum=0.9),
    "Nesterov": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
    "Adagrad": keras.optimizers.Adagrad,
    "RMSprop": keras.optimizers.RMSprop,
    "Adam": keras.optimizers.Adam,
}

EVALUATION_BATCH = 500  # evaluation needs no gradients, so its batches may be larger; the means do not depend on it

# One program for each pair of model and optimizer is meant; TensorFlow takes a sweep's many pairs for a mistake.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())


class History(NamedTuple):
    """What :func:`train` measured.

    Attributes
    ----------
    loss, accuracy : numpy.ndarray, shape (epochs,)
        Means over the training examples of an epoch, each taken before the step it led to, as in ``model.fit``.
    val_loss, val_accuracy : numpy.ndarray, shape (epochs,)
        Means over the validation examples, taken after the epoch.
    step_loss : numpy.ndarray, shape (epochs * steps,)
        The loss of each mini-batch.
    diverged_at : int or None
        The first step, counted from 1 over the whole run, with a loss that is NaN or infinite; None if there is none.
    """

    loss: np.ndarray
    accuracy: np.ndarray
    val_loss: np.ndarray
    val_accuracy: np.ndarray
    step_loss: np.ndarray
    diverged_at: int | None


def train(model, optimizer, data, *, epochs, batch_size=32, seed, on_epoch_end=None, progress=False):
    """Train a classifier in place: the steps of ``model.fit``, without its overhead.

    Given the same batches the weights end where ``model.fit`` takes them, up to rounding (and to dropout: compiled, the
    same seeds draw other masks). The first call for a pair of model and optimizer compiles, for a second or two. Later
    calls run the same program, at any learning rate, so a sweep keeps one pair::

        for learning_rate, seed in itertools.product(learning_rates, seeds):
            keras.utils.set_random_seed(seed)
            restart(model, optimizer)
            optimizer.learning_rate = learning_rate
            history = train(model, optimizer, data, epochs=5, seed=seed)

    A network as small as the course's gains little from a second thread. Processes that share the machine, such as a
    sweep's workers, do best with one each: set ``TF_NUM_INTRAOP_THREADS=1`` before TensorFlow starts.

    Parameters
    ----------
    model : keras.Model
        Built, compiled for its loss (``model.compile(loss="sparse_categorical_crossentropy")``), with one output for
        each class. Optimizer and metrics of ``compile`` are not used. As with ``fit``, call ``compile`` again after a
        change to the model's layers, such as ``layer.trainable = False``.
    optimizer : keras.optimizers.Optimizer
        Any of Keras'. It keeps its state, so a second call goes on where the first ended.
    data : tuple
        ``(x_train, y_train, x_val, y_val)``, or what ``load_fashion_mnist`` returns: examples of shape (n, ...) and
        integer labels of shape (n,), as arrays or tensors.
    epochs, batch_size : int
        Passes over the training examples, and examples in a mini-batch. Those left over make a smaller last one.
    seed : int
        Of the order of the examples: each epoch takes the next ``permutation(n)`` of ``np.random.default_rng(seed)``.
        Initial weights and dropout come from the model: ``keras.utils.set_random_seed`` before you build it.
    on_epoch_end : callable, optional
        Called with the history so far after every epoch; training stops if it returns True.
    progress : bool
        Show a progress bar.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used; nothing has been compiled or trained by then.
    """
    for name, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name}={value!r}: give an integer of at least {least}.")
    x, y, x_val, y_val = _checked(model, optimizer, data)
    optimizer.build(model.trainable_variables)
    run_epoch, evaluate = _compiled(model, optimizer, model._compile_loss, _settings(optimizer))

    rng = np.random.default_rng(seed)
    rows, step_loss = [], []
    with tqdm(total=epochs, unit="epoch", disable=not progress) as bar:
        for _ in range(epochs):
            order = rng.permutation(len(x)).astype(np.int32)
            losses, hits = run_epoch(x, y, order, batch_size)
            validation = evaluate(x_val, y_val, np.arange(len(x_val), dtype=np.int32), EVALUATION_BATCH)
            step_loss.append(losses.numpy())
            rows.append(_means(losses, hits, len(x), batch_size) + _means(*validation, len(x_val), EVALUATION_BATCH))
            history = _history(rows, step_loss)
            bar.set_postfix(val_accuracy=f"{history.val_accuracy[-1]:.3f}")
            bar.update()
            if on_epoch_end is not None and on_epoch_end(history):
                break
    optimizer.finalize_variable_values(model.trainable_variables)  # as fit does; it matters to use_ema=True
    return history


def restart(model, optimizer):
    """Give the model new initial weights and the optimizer its initial state, but keep what is compiled.

    The weights, and the seeds of dropout, are drawn as if the model were built anew: after the same
    ``keras.utils.set_random_seed`` they are the same. The learning rate stays as it is.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional, such that ``keras.models.clone_model`` can build it again.
    optimizer : keras.optimizers.Optimizer
        The one that trains it.
    """
    _copy(keras.models.clone_model(model).variables, model.variables)
    fresh = type(optimizer).from_config(optimizer.get_config())
    for each in (optimizer, fresh):
        each.build(model.trainable_variables)
    _copy(fresh.variables, optimizer.variables)


def _copy(sources, targets):
    for source, target in zip(sources, targets, strict=True):
        target.assign(source)


# Bounded, because a program keeps its model alive.
@lru_cache(maxsize=8)
def _compiled(model, optimizer, loss, settings):
    """Return the programs that run a training epoch and an evaluation: (x, y, order, batch_size) -> losses, hits.

    ``loss`` and ``settings`` are not used but looked up: what they stand for is fixed in a program when it is traced.
    """
    variables = model.trainable_variables

    def evaluation_step(x, y, training=False):
        predicted = model(x, training=training)
        loss = model.compute_loss(x, y, predicted, training=training)
        return loss, tf.math.count_nonzero(tf.argmax(predicted, axis=1, output_type=y.dtype) == y)

    def training_step(x, y):
        with tf.GradientTape() as tape:
            loss, hits = evaluation_step(x, y, training=True)
            scaled = optimizer.scale_loss(loss)
        optimizer.apply(tape.gradient(scaled, variables), variables)
        return loss, hits

    def loop(step):
        def run(x, y, order, batch_size):
            def on(rows):
                # Collecting the rows here costs little; shuffling the whole of x first would need a copy of it.
                return step(tf.gather(x, rows), tf.gather(y, rows))

            (examples,) = order.shape
            batch_size = min(batch_size, examples)
            rest = examples % batch_size
            batches = tf.reshape(order[: examples - rest], (-1, batch_size))
            losses, hits = tf.map_fn(on, batches, fn_output_signature=(keras.config.floatx(), tf.int64))
            if rest:
                last_loss, last_hits = on(order[-rest:])
                losses, hits = keras.ops.append(losses, last_loss), keras.ops.append(hits, last_hits)
            return losses, hits

        return tf.function(run, jit_compile=True, autograph=False)

    return loop(training_step), loop(evaluation_step)


def _settings(optimizer):
    """Return, as one string, the optimizer's hyperparameters that a compiled program holds as constants."""
    config = optimizer.get_config()
    if isinstance(config.get("learning_rate"), float):  # not a schedule: it is a variable, read at every step
        del config["learning_rate"]
    return str(config)


def _means(losses, hits, examples, batch_size):
    """Return mean loss and accuracy over the examples; the last mini-batch may be smaller and then counts for less."""
    sizes = np.diff(np.r_[0:examples:batch_size, examples])
    return [np.average(losses, weights=sizes), np.sum(hits) / examples]


def _history(rows, step_loss):
    step_loss = np.concatenate(step_loss)
    bad = np.flatnonzero(~np.isfinite(step_loss))
    return History(*np.array(rows).T, step_loss, int(bad[0]) + 1 if bad.size else None)


def _checked(model, optimizer, data):
    """Return the four tensors of ``data``, or say what is wrong with an argument of :func:`train`."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=tensorflow before importing it.")
    if not isinstance(model, keras.Model):
        raise TypeError(f"model={model!r}: give a keras.Model.")
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"optimizer={optimizer!r}: give an optimizer object, such as keras.optimizers.Adam().")
    if not model.built:
        raise ValueError(f"model {model.name!r} has no weights yet: begin it with keras.Input(shape=...).")
    if not model.compiled:
        raise ValueError(f"model {model.name!r} has no loss: model.compile(loss='sparse_categorical_crossentropy').")
    if len(data) < 4:
        raise ValueError(f"data has {len(data)} parts: give (x_train, y_train, x_val, y_val).")
    x_train, y_train, x_val, y_val = data[:4]
    return *_checked_split("train", model, x_train, y_train), *_checked_split("val", model, x_val, y_val)


def _checked_split(split, model, x, y):
    x, y = tf.raw_ops.Identity(input=x), np.asarray(y)  # convert_to_tensor would copy the images twice and keep both
    if len(x) == 0:
        raise ValueError(f"x_{split} is empty: give at least one example.")
    try:
        output = model.compute_output_spec(keras.KerasTensor((None, *x.shape[1:]), x.dtype.name))
    except ValueError as error:
        raise ValueError(f"x_{split} has shape {tuple(x.shape)}, which the model does not take: {error}") from error
    if not isinstance(output, keras.KerasTensor) or len(output.shape) != 2 or output.shape[1] < 2:
        raise ValueError(f"model {model.name!r} returns {output}: give one with an output for each class.")
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise ValueError(
            f"y_{split} has shape {y.shape} and dtype {y.dtype}: give integer labels of shape ({len(x)},), "
            f"one for each of the examples in x_{split}."
        )
    classes = output.shape[1]
    wrong = np.flatnonzero((y < 0) | (y >= classes))
    if wrong.size:
        raise ValueError(
            f"y_{split}[{wrong[0]}]={y[wrong[0]]}: the model has {classes} outputs, so labels are 0 to {classes - 1}."
        )
    return x, tf.convert_to_tensor(y.astype(np.int32))

"""``train`` runs whole epochs of a Keras model as one compiled program; ``restart`` starts the same pair over.

``model.fit`` returns to Python after every mini-batch, and for a small network that costs far more than the step. Here
the loop over the mini-batches is part of the compiled program; the model and the optimizer in it are Keras' own.
"""

import logging
from functools import lru_cache, partial
from numbers import Integral
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from utils.on_demand import keras

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
        Any of Keras', with any schedule. It keeps its state, so a second call goes on where the first ended. A model
        in ``mixed_float16`` wants a ``keras.optimizers.LossScaleOptimizer``; for ``fit``, ``compile`` makes one.
    data : tuple
        ``(x_train, y_train, x_val, y_val)``: examples of shape (n, ...) and integer labels of shape (n,), as arrays,
        tensors, lists or pandas' tables. Or what ``load_fashion_mnist`` returns, whose test set is left alone.
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
        If an argument cannot be used; model, optimizer and data are as they were.
    """
    for name, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name}={value!r}: give an integer of at least {least}.")
    if not (on_epoch_end is None or callable(on_epoch_end)):
        raise TypeError(f"on_epoch_end={on_epoch_end!r}: give a function of the history.")
    _check_pair(model, optimizer)
    x, y, x_val, y_val = _checked(model, optimizer, data)
    evaluate = _evaluation(model, model._compile_loss)
    validate = partial(evaluate, x_val, y_val, np.arange(len(x_val), dtype=np.int32), EVALUATION_BATCH)
    if not (optimizer.built and evaluate.experimental_get_tracing_count()):
        validate()  # what the model or its loss cannot compute is said here, before anything changes
    if not optimizer.built:  # or LossScaleOptimizer would add its variables once more
        tf.function(
            lambda: getattr(optimizer, "learning_rate", 0) * 1.0, autograph=False
        )()  # a schedule may raise, too
        optimizer.build(model.trainable_variables)
    run_epoch = _training(model, optimizer, model._compile_loss, _settings(optimizer))

    rng = np.random.default_rng(seed)
    rows, step_loss = [], []
    with tqdm(total=epochs, unit="epoch", disable=not progress) as bar:
        for _ in range(epochs):
            order = rng.permutation(len(x)).astype(np.int32)
            losses, hits = run_epoch(x, y, order, int(batch_size))
            step_loss.append(losses.numpy())
            rows.append(_means(losses, hits, len(x), batch_size) + _means(*validate(), len(x_val), EVALUATION_BATCH))
            history = _history(rows, step_loss)
            bar.set_postfix(val_accuracy=f"{history.val_accuracy[-1]:.3f}")
            bar.update()
            if on_epoch_end is not None and on_epoch_end(history):
                break
    optimizer.finalize_variable_values(model.trainable_variables)  # as fit does; it matters to use_ema=True
    return history


def restart(model, optimizer):
    """Give the model new initial weights and the optimizer its initial state, but keep what is compiled.

    What training changes starts over: weights, moving statistics and the seeds of dropout are drawn as if the model
    were built anew, after the same ``keras.utils.set_random_seed`` the same. What training leaves alone stays: the
    statistics of an adapted layer, such as ``Normalization``, the weights of a frozen one, and the learning rate.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional, such that ``keras.models.clone_model`` can build it again.
    optimizer : keras.optimizers.Optimizer
        The one that trains it.

    Raises
    ------
    TypeError, ValueError
        If one of them cannot be made anew; both are as they were.
    """
    _check_pair(model, optimizer)
    settings = _without_schedule(optimizer)
    new_optimizer = _anew(optimizer, lambda: type(optimizer).from_config(settings.get_config()))
    new_model = _anew(model, lambda: keras.models.clone_model(model))
    if _shapes(new_model) != _shapes(model):
        raise ValueError(f"model {model.name!r} cannot be made anew: its copy by clone_model has other weights.")
    new_of = dict(zip(map(id, model.variables), new_model.variables, strict=True))
    new_optimizer.build([new_of[id(variable)] for variable in model.trainable_variables])
    if optimizer.built and _shapes(new_optimizer) != _shapes(optimizer):
        raise ValueError(f"optimizer {optimizer.name!r} was built for other weights: make a new one for this model.")
    kept = {id(weight) for weight in model.non_trainable_weights} - _changed_by_a_pass(model)
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    for new, old in ((new_model, model), (new_optimizer, optimizer)):
        for source, target in zip(new.variables, old.variables, strict=True):
            if id(target) not in kept:
                target.assign(source)


def _shapes(owner):
    return [variable.shape for variable in owner.variables]


def _anew(old, make):
    try:
        return make()
    except Exception as error:  # whatever a class of the reader's own raises
        raise ValueError(
            f"{old.name!r} cannot be made anew from its config: {type(error).__name__}: {error}"
        ) from error


def _without_schedule(optimizer):
    """Return a stand-in with the same settings. Not every schedule has a config, and no initial state depends on it."""
    like = object.__new__(type(optimizer))
    vars(like).update(vars(optimizer))
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        like.inner_optimizer = _without_schedule(optimizer.inner_optimizer)
    elif callable(optimizer._learning_rate):
        like.learning_rate = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 1.0)
    return like


def _changed_by_a_pass(model):
    """Return the ids of the variables that the model itself changes in training, such as moving statistics."""
    if not model.non_trainable_weights:
        return set()
    inputs = [tf.TensorSpec(each.shape, each.dtype) for each in model.inputs]
    with keras.StatelessScope() as scope:  # notes what would be assigned, and assigns nothing
        once = tf.function(lambda *x: model(x if len(x) > 1 else x[0], training=True), autograph=False)
        once.get_concrete_function(*inputs)
    return {id(variable) for variable in model.variables if scope.get_current_value(variable) is not None}


# Bounded, because a program keeps its model alive. Arguments that are not used, such as the loss, tell programs apart:
# what they stand for is fixed in a program when it is traced.
@lru_cache(maxsize=8)
def _evaluation(model, loss):
    """Return the program that evaluates: (x, y, order, batch_size) -> losses, hits, one for each mini-batch."""
    return _over_batches(partial(_loss_and_hits, model, training=False))


@lru_cache(maxsize=8)
def _training(model, optimizer, loss, settings):
    """Return the program that trains for an epoch; it takes and returns the same."""
    return _over_batches(partial(_step, model, optimizer))


def _step(model, optimizer, x, y):
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss, hits = _loss_and_hits(model, x, y, training=True)
        scaled = optimizer.scale_loss(loss)
    optimizer.apply(tape.gradient(scaled, variables), variables)
    return loss, hits


def _loss_and_hits(model, x, y, training):
    predicted = model(x, training=training)
    loss = model.compute_loss(x, y, predicted, training=training)
    return loss, tf.math.count_nonzero(tf.argmax(predicted, axis=1, output_type=y.dtype) == y)


def _over_batches(step):
    """Return one compiled program that takes the step for each mini-batch of the order."""

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


def _settings(part):
    """Return what a compiled program holds as constants: the optimizer's hyperparameters and its schedule."""
    if callable(part):  # a schedule; bound to it, its method is the same as long as the schedule is
        return part.__call__, str(getattr(part, "__dict__", ""))
    if isinstance(part, keras.optimizers.Optimizer | list):
        named = enumerate(part) if isinstance(part, list) else vars(part).items()
        return tuple((name, value) for name, each in named if (value := _settings(each)) is not None) or None
    return part if isinstance(part, int | float | str | np.generic) else None  # variables are read at every step


def _means(losses, hits, examples, batch_size):
    """Return mean loss and accuracy over the examples; the last mini-batch may be smaller and then counts for less."""
    sizes = np.diff(np.r_[0:examples:batch_size, examples])
    return [np.average(losses, weights=sizes), np.sum(hits) / examples]


def _history(rows, step_loss):
    step_loss = np.concatenate(step_loss)
    bad = np.flatnonzero(~np.isfinite(step_loss))
    return History(*np.array(rows).T, step_loss, int(bad[0]) + 1 if bad.size else None)


def _check_pair(model, optimizer):
    """Say what is wrong with a pair that :func:`train` and :func:`restart` cannot use."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model={model!r}: give a keras.Model.")
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"optimizer={optimizer!r}: give an optimizer object, such as keras.optimizers.Adam().")
    if not model.built:
        raise ValueError(f"model {model.name!r} has no weights yet: begin it with keras.Input(shape=...).")


def _checked(model, optimizer, data):
    """Return the four tensors of ``data``, or say what is wrong with an argument of :func:`train`."""
    if not model.compiled:
        raise ValueError(f"model {model.name!r} has no loss: model.compile(loss='sparse_categorical_crossentropy').")
    scaling = keras.optimizers.LossScaleOptimizer
    fit_scales = model.dtype_policy.name == "mixed_float16" and isinstance(model.optimizer, scaling)
    if fit_scales and not isinstance(optimizer, scaling):
        raise ValueError(
            f"model {model.name!r} computes in mixed_float16, where small gradients vanish if the loss is not scaled: "
            "give keras.optimizers.LossScaleOptimizer(optimizer), as model.compile does for fit."
        )
    if not isinstance(data, tuple | list):
        raise TypeError(f"data is of type {type(data).__name__}: give arrays, (x_train, y_train, x_val, y_val).")
    if len(data) != 4 and not (len(data) == 6 and np.shape(data[4])[1:] == np.shape(data[0])[1:]):
        raise ValueError(
            f"data has {len(data)} parts: give (x_train, y_train, x_val, y_val), which the test set may follow, "
            "as in what load_fashion_mnist returns, and nothing else may."
        )
    x_train, y_train, x_val, y_val = data[:4]
    return *_checked_split("train", model, x_train, y_train), *_checked_split("val", model, x_val, y_val)


def _checked_split(split, model, x, y):
    kinds = f"x_{split} is of type {type(x).__name__} and y_{split} of type {type(y).__name__}"
    try:
        # Not convert_to_tensor, which would copy the images twice and keep both.
        x, y = tf.raw_ops.Identity(input=x), np.asarray(y)
        if not (x.shape.rank and (x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_bool)):
            raise TypeError(f"x_{split} has dtype {x.dtype.name} and shape {tuple(x.shape)}.")
    except Exception as error:  # of many kinds, for what is no array
        raise TypeError(f"{kinds}: give arrays, numbers of shape (n, ...) and labels of shape (n,). {error}") from error
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

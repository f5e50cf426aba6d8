"""How each layer of a network fares in one step of training: its gradient, what the step changes, its silent units."""

import numpy as np
import pandas as pd
import tensorflow as tf

from utils.language import texts
from utils.on_demand import keras
from utils.plotting import INK

MEASURES = ("gradient", "update", "ratio", "silent")


def examine(model, x, y, optimizer=None):
    """Take one step of training, note what it does to each layer, and take it back.

    Parameters
    ----------
    model : keras.Model
        Compiled, with weights.
    x, y : numpy.ndarray
        A mini-batch of examples and labels, as for ``model.train_on_batch``. The larger, the surer are silent units.
    optimizer : keras.optimizers.Optimizer, optional
        The one that trains the model, if it is not that of ``model.compile``.

    Returns
    -------
    pandas.DataFrame
        A row for each layer with weights, in the model's order, and as columns:

        - ``weights``, ``gradient``, ``update``: the lengths (Euclidean norms) of all weights of the layer, of the
          gradient before any clipping, and of the step. NaN for the gradient of a frozen layer.
        - ``ratio``: update over weights.
        - ``units``, ``silent``: how many units there are, and the share of those that give the same number for all
          examples, as a ReLU does that is always 0. The output is taken after the activations, normalisations and
          dropouts that follow, but for layers with weights. NaN where layers have no output of their own.

    Raises
    ------
    TypeError, ValueError
        If the model is none, has no weights, no loss or no optimizer, or examples and labels do not fit.

    Notes
    -----
    Model and optimizer are as they were, random numbers of dropout included; but an optimizer without state gets it.
    """
    optimizer = _checked(model, optimizer)
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    before = {id(each): (each, each.numpy()) for each in [*model.variables, *optimizer.variables]}
    try:
        gradients = _step(model, optimizer, x, y)
        layers = [layer for layer in model.layers if layer.weights]
        rows = [_lengths(layer, gradients, before) for layer in layers]
    finally:
        for variable, value in before.values():
            variable.assign(value)
    table = pd.DataFrame(rows, index=[layer.name for layer in layers])
    table["ratio"] = (table["update"] / table["weights"].where(table["weights"] > 0)).astype(float)
    return table.join(_silence(model, x))[["weights", "gradient", "update", "ratio", "units", "silent"]]


def _step(model, optimizer, x, y):
    """Train on the batch; return the gradients by the ids of their variables."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True), training=True)
        scaled = optimizer.scale_loss(loss)
    gradients = [tf.convert_to_tensor(g) if g is not None else None for g in tape.gradient(scaled, variables)]
    pairs = [(g, variable) for g, variable in zip(gradients, variables, strict=True) if g is not None]
    scale = float(optimizer.scale_loss(tf.ones([])))
    if pairs:
        optimizer.apply(*map(list, zip(*pairs, strict=True)))
    return {id(variable): g / scale for g, variable in pairs}


def _lengths(layer, gradients, before):
    """Return the row of a layer, but for its units."""

    def length(arrays):
        return float(np.sqrt(sum(np.sum(np.square(np.asarray(a, dtype=float))) for a in arrays)))

    moving = layer.trainable_variables
    weights = [before[id(variable)][1] for variable in moving or layer.weights]
    steps = [variable.numpy() - before[id(variable)][1] for variable in moving]
    taken = [gradients[id(variable)] for variable in moving if id(variable) in gradients]
    return {
        "weights": length(weights),
        "gradient": length(taken) if moving else np.nan,
        "update": length(steps),
    }


def _silence(model, x):
    """Return the number of units and the share of silent ones, for each layer whose output can be had."""
    outputs, owner = {}, None
    for layer in model.layers if getattr(model, "inputs", None) else ():
        owner = layer if layer.weights else owner
        if owner is not None and _shape(layer) is not None and _shape(layer) == _shape(owner):
            outputs[owner.name] = layer.output
    rows = {}
    if outputs:
        inputs = model.inputs if len(model.inputs) > 1 else model.inputs[0]
        for name, values in zip(outputs, keras.Model(inputs, list(outputs.values()))(x), strict=True):
            units = np.reshape(np.asarray(values), (-1, values.shape[-1]))
            rows[name] = {"units": units.shape[1], "silent": np.mean(np.all(units == units[0], axis=0))}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["units", "silent"])


def _shape(layer):
    """Return the shape of a layer's output, None if it has none or several."""
    output = getattr(layer, "output", None)
    return tuple(output.shape) if isinstance(output, keras.KerasTensor) else None


def _checked(model, optimizer):
    if not isinstance(model, keras.Model):
        raise TypeError(f"model={model!r}: give a keras.Model.")
    optimizer = getattr(model, "optimizer", None) if optimizer is None else optimizer
    if not model.built or not model.weights:
        raise ValueError(f"model {model.name!r} has no weights yet: begin it with keras.Input(shape=...).")
    if not model.compiled or not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(f"model {model.name!r} needs a loss and an optimizer: model.compile(optimizer, loss).")
    return optimizer


def plot_layers(ax, layers, measure):
    """Draw one measure of ``examine``, a bar for each layer, the first on top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    layers : pandas.DataFrame
        As ``examine`` returns it.
    measure : {"gradient", "update", "ratio", "silent"}
        All but the share of silent units are drawn on a logarithmic axis; what is 0 or not finite has no bar.

    Returns
    -------
    matplotlib.container.BarContainer

    Raises
    ------
    ValueError
        If there is no such measure, or no layer.
    """
    values = _column(layers, measure)
    logarithmic = measure != "silent"
    drawable = np.where(np.isfinite(values) & (values > 0), values, np.nan if logarithmic else 0.0)
    places = np.arange(len(values))[::-1]
    if logarithmic:
        ax.set_xscale("log")
        floor = np.nanmin(drawable) / 10 if np.isfinite(drawable).any() else 1e-3
        bars = ax.barh(places, drawable - floor, left=floor, color=INK)
        ax.set_xlim(left=floor)
    else:
        bars = ax.barh(places, drawable, color=INK)
        ax.set_xlim(0, 1)
    ax.set_yticks(places, layers.index)
    ax.set_xlabel(texts("measure")[measure])
    return bars


def sentence(layers, measure):
    """Say in words what one measure of ``examine`` shows.

    Parameters
    ----------
    layers : pandas.DataFrame
        As ``examine`` returns it.
    measure : {"gradient", "update", "ratio", "silent"}

    Returns
    -------
    str
        What is 0 or not finite first, where there is any; then the extremes.

    Raises
    ------
    ValueError
        If there is no such measure, or no layer.
    """
    say, values = texts("measure"), _column(layers, measure)
    if measure == "silent":
        if np.isnan(values).all():
            return say["silent_unknown"]
        found = layers[values > 0]
        counts = (found["silent"] * found["units"]).round().astype(int)
        said = [
            say["silent_some"].format(name=name, count=counts[name], units=int(found["units"][name]))
            for name in found.index
        ]
        return " ".join(said) or say["silent_none"]
    frozen = np.isnan(values) & (layers["update"] == 0) & (measure == "gradient")
    groups = {"not_finite": ~np.isfinite(values) & ~frozen, "frozen": frozen, "none": values == 0}
    said = [
        say[f"{measure}_{kind}"].format(names=", ".join(values.index[which]))
        for kind, which in groups.items()
        if which.any()
    ]
    rest = values[np.isfinite(values) & (values > 0)]
    if len(rest) > 1:
        high, low = rest.idxmax(), rest.idxmin()
        most, least = rest[high], rest[low]
        said.append(say[f"{measure}_range"].format(high=high, low=low, most=most, least=least, times=most / least))
    return " ".join(said)


def _column(layers, measure):
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
    if not len(layers):
        raise ValueError("layers must hold at least one layer")
    return layers[measure].astype(float)

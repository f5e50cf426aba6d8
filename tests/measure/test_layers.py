"""utils.measure.layers on networks that are broken on purpose, each in one way."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from utils.measure import examine, plot_layers, sentence

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((64, 6)).astype("float32"), RNG.integers(0, 3, 64)


def network(*layers, optimizer=None):
    keras.utils.set_random_seed(1)
    layers = layers or (keras.layers.Dense(8, "relu", name="hidden"),)
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(3, "softmax", name="last")])
    model.compile(optimizer or keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return model


def state(model, optimizer=None):
    parts = [*model.variables, *(optimizer or model.optimizer).variables]
    return [variable.numpy().copy() for variable in parts]


def test_lengths_are_those_of_the_step_that_training_takes():
    model = network()
    table = examine(model, X, Y)
    before = {layer.name: [w.numpy() for w in layer.weights] for layer in model.layers}
    model.train_on_batch(X, Y)
    assert list(table.index) == ["hidden", "last"]
    assert list(table) == ["weights", "gradient", "update", "ratio", "units", "silent"]
    for layer in model.layers:
        step = [now.numpy() - then for now, then in zip(layer.weights, before[layer.name], strict=True)]
        length = np.sqrt(sum((each**2).sum() for each in step))
        weights = np.sqrt(sum((each**2).sum() for each in before[layer.name]))
        row = table.loc[layer.name]
        np.testing.assert_allclose(row["weights"], weights, rtol=1e-5)
        np.testing.assert_allclose(row["update"], length, rtol=1e-4)
        np.testing.assert_allclose(row["gradient"], length / 0.5, rtol=1e-4)  # SGD with a rate of 0.5
        np.testing.assert_allclose(row["ratio"], length / weights, rtol=1e-4)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.Adam(0.01),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=1e-3),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    ],
)
def test_everything_is_as_it_was_and_a_second_look_sees_the_same(optimizer):
    model = network(
        keras.layers.Dense(8, "relu", name="hidden"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Dropout(0.5),
        optimizer=optimizer(),
    )
    for _ in range(3):
        model.train_on_batch(X, Y)
    before, drawn = state(model), np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = examine(model, X, Y), examine(model, X, Y)
    for one, other in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (np.random.get_state()[1] == drawn).all()  # noqa: NPY002
    pd.testing.assert_frame_equal(first, second)


def test_an_optimizer_without_state_gets_it_and_stays_at_its_start():
    model = network(optimizer=keras.optimizers.Adam(0.01))
    assert not model.optimizer.built
    first = examine(model, X, Y)
    assert model.optimizer.built
    moved = [each.path for each in model.optimizer.variables if "learning_rate" not in each.path and each.numpy().any()]
    assert not moved
    pd.testing.assert_frame_equal(examine(model, X, Y), first)


def test_gradients_are_those_of_the_loss_before_clipping_and_scaling():
    plain = examine(network(), X, Y)["gradient"]
    for optimizer in (
        keras.optimizers.SGD(0.5, clipnorm=1e-4),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5)),
    ):
        np.testing.assert_allclose(examine(network(optimizer=optimizer), X, Y)["gradient"], plain, rtol=1e-5)
    clipped = examine(network(optimizer=keras.optimizers.SGD(0.5, clipnorm=1e-4)), X, Y)
    assert clipped["update"].max() < 1e-4


def test_the_optimizer_may_be_another_than_that_of_compile():
    model = network()
    small, large = (examine(model, X, Y, keras.optimizers.SGD(rate)) for rate in (0.01, 0.1))
    np.testing.assert_allclose(large["ratio"], 10 * small["ratio"], rtol=1e-3)
    np.testing.assert_allclose(large["gradient"], small["gradient"], rtol=1e-6)


def test_dead_units_are_seen_and_said():
    model = network()
    _, bias = model.get_layer("hidden").weights
    bias.assign([-1e6] * 5 + [0.0] * 3)
    table = examine(model, X, Y)
    assert table["silent"].to_dict() == {"hidden": 5 / 8, "last": 0.0}
    assert table["units"].to_dict() == {"hidden": 8, "last": 3}
    assert sentence(table, "silent").startswith("In hidden, 5 of 8 units give the same number")
    bias.assign([-1e6] * 8)
    table = examine(model, X, Y)
    assert table["silent"]["hidden"] == 1
    assert table["gradient"]["hidden"] == 0
    assert sentence(table, "gradient").startswith("No gradient arrives at hidden:")
    assert "The next step does not move hidden." in sentence(table, "update")
    assert "The next step changes nothing in hidden." in sentence(table, "ratio")


def test_nothing_is_silent_in_a_fresh_network():
    table = examine(network(), X, Y)
    assert sentence(table, "silent") == "No unit gives the same number for every one of these examples."


def test_silence_is_looked_for_after_the_activation_and_by_channel():
    model = network(
        keras.layers.Reshape((6, 1)),
        keras.layers.Conv1D(4, 3, name="hidden"),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
    )
    model.get_layer("hidden").weights[1].assign([-1e6, 0, 0, 0])
    table = examine(model, X, Y)
    assert table.loc["hidden", ["units", "silent"]].to_list() == [4, 0.25]


def test_a_layer_with_weights_ends_what_belongs_to_the_one_before():
    model = network(
        keras.layers.Dense(8, name="hidden"),
        keras.layers.BatchNormalization(name="norm", beta_initializer=keras.initializers.Constant(-1e6)),
        keras.layers.ReLU(),
    )
    table = examine(model, X, Y)
    assert table["silent"].to_dict() == {"hidden": 0.0, "norm": 1.0, "last": 1.0}


def test_a_frozen_layer_is_seen_and_said():
    model = network()
    model.get_layer("hidden").trainable = False
    table = examine(model, X, Y)
    assert np.isnan(table["gradient"]["hidden"])
    assert table["update"]["hidden"] == 0
    assert table["weights"]["hidden"] > 0
    assert sentence(table, "gradient") == "hidden is frozen: no gradient is taken there."
    assert sentence(table, "update") == "The next step does not move hidden."


def test_a_gradient_that_vanishes_on_its_way_is_seen():
    layers = [keras.layers.Dense(8, "sigmoid", name=f"hidden_{i}") for i in range(8)]
    table = examine(network(*layers), X, Y)
    assert table["gradient"]["last"] > 1e4 * table["gradient"]["hidden_0"]
    text = sentence(table, "gradient")
    assert text.startswith("The gradient is longest in last, ")
    assert "shortest in hidden_0, " in text


def test_too_high_a_rate_is_seen_in_the_ratio():
    model = network()
    calm, wild = (examine(model, X, Y, keras.optimizers.SGD(rate))["ratio"].max() for rate in (0.01, 100.0))
    assert calm < 0.01
    assert wild > 1


def test_numbers_that_are_not_finite_are_seen_and_said():
    broken = X.copy()
    broken[0, 0] = np.nan
    table = examine(network(), broken, Y)
    assert sentence(table, "gradient").startswith("The gradient of hidden, last is infinite or NaN")
    assert sentence(table, "update").startswith("The next step makes the weights of hidden, last infinite or NaN")
    assert sentence(table, "ratio").startswith("The next step, or the weights, of hidden, last are infinite or NaN")


def test_weights_that_are_all_0_have_no_ratio():
    model = network(keras.layers.Dense(8, name="hidden", kernel_initializer="zeros"))
    table = examine(model, X, Y)
    assert table["weights"]["hidden"] == 0
    assert np.isnan(table["ratio"]["hidden"])


def test_a_model_whose_layers_have_no_outputs_of_their_own():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = (
                keras.layers.Dense(4, name="first"),
                keras.layers.Dense(3, "softmax", name="second"),
            )
            self.unused = keras.layers.Dense(2, name="unused")
            self.unused.build((None, 2))

        def call(self, x):
            return self.second(self.first(x))

    model = Mine()
    model(X)
    model.compile("sgd", "sparse_categorical_crossentropy")
    table = examine(model, X, Y)
    assert table["update"][["first", "second"]].min() > 0
    assert table.loc["unused", ["gradient", "update"]].to_list() == [0, 0]
    assert table["silent"].isna().all()
    assert sentence(table, "silent").startswith("The outputs of the layers of this model cannot be taken apart")


def test_ranges_are_said_with_their_numbers():
    layers = pd.DataFrame(
        {"gradient": [1.0, 0.25], "update": [0.3, 0.1], "ratio": [0.02, 0.04], "silent": 0.0}, index=["a", "b"]
    )
    assert sentence(layers, "gradient") == "The gradient is longest in a, 1, and shortest in b, 0.25: 4 times less."
    assert sentence(layers, "update") == "The next step is longest in a, 0.3, and shortest in b, 0.1: 3 times less."
    assert sentence(layers, "ratio") == (
        "The next step changes b most, by 0.04 of the length of its weights, and a least, by 0.02."
    )


def test_bars_show_the_measure_of_each_layer_the_first_on_top():
    layers = pd.DataFrame(
        {"gradient": [1.0, np.nan, 0.0, 0.25], "update": 0.1, "silent": [0.5, 0.0, np.nan, 1.0]}, index=list("abcd")
    )
    ax = plt.figure().subplots()
    bars = plot_layers(ax, layers, "gradient")
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose([bar.get_x() + bar.get_width() for bar in bars], [1.0, np.nan, np.nan, 0.25])
    assert ax.get_xlim()[0] == pytest.approx(0.025)
    assert [label.get_text() for label in ax.get_yticklabels()] == list("abcd")
    assert list(ax.get_yticks()) == [3, 2, 1, 0]
    assert ax.get_xlabel() == "gradient, length"
    ax = plt.figure().subplots()
    bars = plot_layers(ax, layers, "silent")
    assert ax.get_xscale() == "linear"
    assert ax.get_xlim() == (0, 1)
    np.testing.assert_allclose([bar.get_width() for bar in bars], [0.5, 0, 0, 1])
    plot_layers(plt.figure().subplots(), layers.assign(gradient=0.0), "gradient")
    plt.close("all")


@pytest.mark.parametrize("function", [sentence, lambda layers, measure: plot_layers(plt.gca(), layers, measure)])
def test_an_unknown_measure_and_an_empty_table_are_refused(function):
    table = pd.DataFrame({"gradient": [1.0]}, index=["a"])
    with pytest.raises(ValueError, match=r"^measure must be one of gradient, update, ratio, silent, got 'loss'"):
        function(table, "loss")
    with pytest.raises(ValueError, match=r"^layers must hold at least one layer"):
        function(table[:0], "gradient")
    plt.close("all")


def test_a_model_that_cannot_be_examined_is_refused():
    with pytest.raises(TypeError, match=r"give a keras\.Model"):
        examine("model", X, Y)
    with pytest.raises(ValueError, match="has no weights yet"):
        examine(keras.Sequential([keras.layers.Dense(3)]), X, Y)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="needs a loss and an optimizer"):
        examine(model, X, Y)
    model.compile("sgd", "mse")
    before = state(model)
    with pytest.raises(Exception, match=r"."):
        examine(model, X[:, :2], Y)
    for one, other in zip(before, state(model), strict=False):
        np.testing.assert_array_equal(one, other)

"""The compiled trainer does what ``model.fit`` does: same weights, same history; and it refuses what it cannot use."""

import copy
import logging

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from utils import training
from utils.training import restart, train

layers, optimizers = keras.layers, keras.optimizers
LOSS = "sparse_categorical_crossentropy"
EPOCHS = 3


def make_data(examples=128, validation=40, shape=(6, 6)):
    """Three classes that a small network can learn, but not at once. 150 examples leave a last mini-batch of 22."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(examples + validation, *shape)).astype(np.float32)
    scores = x.reshape(len(x), -1) @ rng.normal(size=(np.prod(shape), 3))
    y = (scores + rng.normal(size=scores.shape)).argmax(1)
    return x[:examples], y[:examples], x[examples:], y[examples:]


DATA = make_data()  # four mini-batches of 32: a smaller last one would be compiled too, in every test
UNEVEN = make_data(150)


def hidden():
    return layers.Flatten(), layers.Dense(8, activation="relu")


def network(middle=hidden, seed=0, loss=LOSS, shape=(6, 6)):
    keras.utils.set_random_seed(seed)  # before any layer is made: a layer draws its seeds when it is
    model = keras.Sequential([keras.Input(shape), *middle(), layers.Dense(3, activation="softmax")])
    model.compile(loss=loss)
    return model


def fit(model, optimizer, data, *, epochs, batch_size=32, seed, calls=1):
    """Run ``model.fit`` on the mini-batches of so many calls of ``train``, ready shuffled."""
    x, y, *validation = data

    def batches():
        for _ in range(calls):
            rng = np.random.default_rng(seed)
            for _ in range(epochs):
                order = rng.permutation(len(x))
                for start in range(0, len(x), batch_size):
                    yield x[order[start : start + batch_size]], y[order[start : start + batch_size]]

    model.compile(optimizer, model.loss, metrics=["accuracy"])
    how = {"steps_per_epoch": -(-len(x) // batch_size), "shuffle": False, "verbose": 0}
    return model.fit(batches(), epochs=calls * epochs, validation_data=tuple(validation) or None, **how).history


def assert_same_run(models, history, reference, atol):
    ours, keras_own = models
    assert len(ours.variables) == len(keras_own.variables)
    for variable, expected in zip(ours.variables, keras_own.variables, strict=True):
        np.testing.assert_allclose(variable, expected, rtol=0, atol=atol, err_msg=variable.path)
    assert set(reference) <= set(history._fields)
    for name in reference:
        np.testing.assert_allclose(getattr(history, name), reference[name], rtol=0, atol=atol, err_msg=name)


def schedule():
    return optimizers.schedules.ExponentialDecay(0.01, decay_steps=4, decay_rate=0.5, staircase=True)


OPTIMIZERS = {
    "SGD": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.05, momentum=0.9),
    "Nesterov": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "Adagrad": lambda: optimizers.Adagrad(0.05),
    "RMSprop": lambda: optimizers.RMSprop(0.003),
    "Adam": lambda: optimizers.Adam(0.01),
    "AdamW": lambda: optimizers.AdamW(0.01, weight_decay=0.1),
    "schedule": lambda: optimizers.Adam(schedule()),
    "clipnorm": lambda: optimizers.SGD(0.1, clipnorm=0.2),
}


def softmax_regression(**how):
    return network(lambda: [layers.Flatten()], **how)


START = softmax_regression().get_weights()


@pytest.fixture(scope="module")
def kept_networks():
    return softmax_regression(), softmax_regression()


@pytest.fixture
def networks(kept_networks):
    """Two equal networks without a hidden layer, as at their start: one to train, one to fit.

    They are the same for many tests, because the program that evaluates is compiled once for each network.
    """
    for model in kept_networks:
        model.set_weights(START)
    return kept_networks


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_and_history_are_those_of_fit(name, networks):
    ours, theirs = networks
    optimizer, reference_optimizer = OPTIMIZERS[name](), OPTIMIZERS[name]()
    before = ours.get_weights()
    history = train(ours, optimizer, DATA, epochs=EPOCHS, seed=1)
    reference = fit(theirs, reference_optimizer, DATA[:2], epochs=EPOCHS, seed=1)
    assert_same_run((ours, theirs), history, reference, atol=1e-5)
    assert np.abs(ours.get_weights()[0] - before[0]).max() > 1e-2  # or there would be nothing to compare
    assert int(optimizer.iterations) == int(reference_optimizer.iterations)
    assert [array.shape for array in history[:5]] == [(EPOCHS,)] * 4 + [(EPOCHS * 4,)]
    assert history.diverged_at is None


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("float64")
def test_in_float64_they_agree_to_rounding(monkeypatch):
    ours, theirs = network(), network()
    assert ours.weights[0].dtype == "float64"
    traces = count_traces(ours, monkeypatch)
    history = train(ours, optimizers.Adam(0.01), UNEVEN, epochs=10, seed=1)
    assert len(traces) == 3, "a mini-batch, the smaller last one, and the validation are each traced once"
    reference = fit(theirs, optimizers.Adam(0.01), UNEVEN, epochs=10, seed=1)
    assert_same_run((ours, theirs), history, reference, atol=1e-12)


def count_traces(model, monkeypatch):
    traces, compute_loss = [], model.compute_loss
    monkeypatch.setattr(model, "compute_loss", lambda *a, **k: traces.append(1) or compute_loss(*a, **k))
    return traces


def test_a_moving_average_of_the_weights_replaces_them_at_the_end(networks):
    history = train(networks[0], optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), DATA, epochs=1, seed=1)
    reference = fit(networks[1], optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), DATA[:2], epochs=1, seed=1)
    assert_same_run(networks, history, reference, atol=1e-5)


@pytest.mark.parametrize("batch_size", [np.int64(127), 1000])
def test_every_example_is_used_once_whatever_the_batch_size(batch_size, networks):
    history = train(networks[0], optimizers.SGD(0.1), DATA, epochs=2, batch_size=batch_size, seed=1)
    reference = fit(networks[1], optimizers.SGD(0.1), DATA, epochs=2, batch_size=batch_size, seed=1)
    assert_same_run(networks, history, reference, atol=1e-5)
    assert len(history.step_loss) == 2 * -(-128 // batch_size)


def test_batch_normalization_and_regularization_as_in_fit(monkeypatch):
    def middle():
        regular = layers.Dense(8, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.01))
        return layers.Flatten(), regular, layers.BatchNormalization(), layers.ReLU()

    monkeypatch.setattr(training, "EVALUATION_BATCH", 16)  # 40 validation examples = 16 + 16 + 8
    ours, theirs = network(middle), network(middle)
    history = train(ours, optimizers.SGD(0.1), DATA, epochs=EPOCHS, seed=1)
    assert_same_run((ours, theirs), history, fit(theirs, optimizers.SGD(0.1), DATA, epochs=EPOCHS, seed=1), atol=1e-4)
    moving_mean, moving_variance = ours.layers[2].non_trainable_variables
    assert np.abs(moving_mean).max() > 1e-2
    assert np.abs(moving_variance - 1).max() > 1e-2


def test_dropout_acts_in_training_only_and_draws_anew_at_each_step():
    # With learning rate 0 nothing but dropout can make two epochs, or training and evaluation, differ.
    model = network(lambda: (layers.Flatten(), layers.Dropout(0.5)))
    x, y, *_ = DATA
    history = train(model, optimizers.SGD(0.0), (x, y, x, y), epochs=2, batch_size=128, seed=1)
    assert abs(history.loss[0] - history.loss[1]) > 1e-3
    assert abs(history.loss[0] - history.val_loss[0]) > 1e-3
    assert history.val_loss[0] == history.val_loss[1]
    np.testing.assert_allclose(history.val_loss[0], model.evaluate(x, y, verbose=0), atol=1e-5)


def test_convolutions_and_other_input_shapes():
    def middle():
        return layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()

    data = make_data(shape=(6, 6, 1))
    ours, theirs = network(middle, shape=(6, 6, 1)), network(middle, shape=(6, 6, 1))
    history = train(ours, optimizers.SGD(0.1), data, epochs=EPOCHS, seed=1)
    assert_same_run((ours, theirs), history, fit(theirs, optimizers.SGD(0.1), data, epochs=EPOCHS, seed=1), atol=1e-4)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.hidden, self.outputs = layers.Flatten(), layers.Dense(4), layers.Dense(3)

    def call(self, x):
        return self.outputs(self.hidden(self.flatten(x)))


def test_a_subclassed_model_with_logits_and_with_frozen_weights():
    def subclassed():
        keras.utils.set_random_seed(0)
        model = Subclassed()
        model(DATA[0][:1])
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    ours, theirs, optimizer = subclassed(), subclassed(), optimizers.SGD(0.1)
    history = train(ours, optimizer, DATA, epochs=1, seed=1)
    assert_same_run((ours, theirs), history, fit(theirs, optimizers.SGD(0.1), DATA[:2], epochs=1, seed=1), atol=1e-5)

    before = ours.get_weights()
    ours.hidden.trainable = False
    ours.compile(loss=ours.loss)
    train(ours, optimizer, DATA, epochs=1, seed=1)
    changed = [not np.array_equal(a, b) for a, b in zip(before, ours.get_weights(), strict=True)]
    assert changed == [False, False, True, True]


@pytest.fixture(scope="module")
def pair():
    return softmax_regression(), optimizers.SGD(0.1, momentum=0.9)


def run(pair, data=DATA, *, initial_weights=0, learning_rate=0.1, epochs=2, seed=1, **options):
    """Train the module's one pair from the start again: what it compiled serves many tests."""
    keras.utils.set_random_seed(initial_weights)
    restart(*pair)
    pair[1].learning_rate = learning_rate
    return train(*pair, data, epochs=epochs, seed=seed, **options)


def assert_same_history(history, expected):
    for name, value, other in zip(history._fields, history, expected, strict=True):
        np.testing.assert_array_equal(value, other, err_msg=name)


def test_tensors_lists_float64_and_other_integers_give_the_same(pair):
    x, y, x_val, y_val = DATA
    expected = run(pair)
    assert_same_history(run(pair, tuple(map(tf.constant, DATA))), expected)
    assert_same_history(run(pair, [part.tolist() for part in DATA]), expected)
    with_test_set = (x.astype(np.float64), y.astype(np.uint8), x_val, y_val.astype(np.int8), x_val[:9], y_val[:9])
    assert_same_history(run(pair, with_test_set), expected)


def test_the_seed_decides_the_order(pair):
    first = run(pair, seed=1)
    weights = pair[0].get_weights()
    assert_same_history(run(pair, seed=1), first)
    for again, before in zip(pair[0].get_weights(), weights, strict=True):
        np.testing.assert_array_equal(again, before)
    assert not np.isclose(run(pair, seed=2).step_loss, first.step_loss).any()


def test_the_order_changes_from_epoch_to_epoch(pair):
    history = run(pair, learning_rate=0.0)
    first, second = history.step_loss.reshape(2, -1)
    assert not np.isclose(first, second).any()
    np.testing.assert_allclose(history.loss[0], history.loss[1], rtol=1e-5)


def test_a_loss_that_is_not_finite_is_reported_with_its_step(pair):
    x, y, *validation = DATA
    order = np.random.default_rng(1).permutation(len(x))
    x = x.copy()
    x[order[70]] = np.inf  # in the third mini-batch, rows 64 to 95
    history = run(pair, (x, y, *validation), learning_rate=0.0)
    assert history.diverged_at == 3
    assert np.isfinite(history.step_loss[:2]).all()
    assert np.isnan(history.loss).all()


def test_a_learning_rate_that_is_too_large_diverges_in_sight(pair):
    history = run(pair, learning_rate=1e38)
    assert history.diverged_at == 2
    assert np.isnan(history.loss).all()
    assert np.isnan(history.val_loss).all()


def test_the_callback_sees_the_history_and_can_stop(pair):
    seen = []

    def stop_after_two(history):
        seen.append(history)
        return len(history.loss) == 2

    history = run(pair, epochs=5, on_epoch_end=stop_after_two)
    assert [len(h.val_accuracy) for h in seen] == [1, 2]
    assert history is seen[-1]
    assert_same_history(history, run(pair, epochs=2))
    assert len(run(pair, epochs=3, on_epoch_end=lambda history: None).loss) == 3


def test_a_second_call_goes_on_with_the_momentum_of_the_first(pair):
    full_batches = {"batch_size": 128, "seed": 1}
    run(pair, epochs=2, **full_batches)
    together = pair[0].get_weights()
    run(pair, epochs=1, **full_batches)
    train(*pair, DATA, epochs=1, **full_batches)
    for a, b in zip(together, pair[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert int(pair[1].iterations) == 2


def test_progress_goes_to_the_error_stream_and_only_when_asked(pair, capsys):
    run(pair)
    assert capsys.readouterr() == ("", "")
    history = run(pair, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err
    for shown in np.unique(history.val_accuracy):
        assert f"val_accuracy={shown:.3f}" in err
    assert len(np.unique(history.val_accuracy)) == 2


def test_a_sweep_compiles_once_and_equals_separate_runs(monkeypatch):
    def middle():
        return layers.Flatten(), layers.BatchNormalization(), layers.Dropout(0.2)

    pair = network(middle, seed=4), optimizers.Adagrad(0.4)
    traces = count_traces(pair[0], monkeypatch)
    alone = train(*pair, DATA, epochs=2, seed=4)
    assert len(traces) == 2, "a mini-batch and the validation"
    sweep = [run(pair, initial_weights=seed, learning_rate=seed / 10, seed=seed) for seed in (3, 4)]
    assert len(traces) == 2
    assert_same_history(sweep[1], alone)
    assert not np.isclose(sweep[0].step_loss, alone.step_loss).any()


def test_another_hyperparameter_makes_another_program(networks):
    ours, theirs = networks
    optimizer = optimizers.SGD(0.1, momentum=0.5)
    train(ours, optimizer, DATA, epochs=1, seed=1)
    restart(ours, optimizer)
    ours.set_weights(theirs.get_weights())
    optimizer.momentum = 0.9
    history = train(ours, optimizer, DATA, epochs=1, seed=1)
    reference = fit(theirs, optimizers.SGD(0.1, momentum=0.9), DATA[:2], epochs=1, seed=1)
    assert_same_run(networks, history, reference, atol=1e-5)


# Optimizers with more to carry along


@pytest.mark.parametrize(
    ("initial_scale", "grows_after", "size", "expected"),
    [(8.0, 2, 1.0, [32.0, 128.0]), (2.0**126, 99, 1e4, [2.0**122, 2.0**118])],
    ids=["grows", "shrinks"],
)
def test_the_loss_scale_goes_on_from_call_to_call_as_in_fit(initial_scale, grows_after, size, expected, networks):
    data = (size * DATA[0], *DATA[1:])

    def make():
        return optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale, dynamic_growth_steps=grows_after)

    def scale(optimizer):
        return float(optimizer.dynamic_scale)

    (ours, theirs), optimizer, reference = networks, make(), make()
    scales, histories = [], []
    for _ in range(2):
        histories.append(train(ours, optimizer, data, epochs=1, seed=1))
        scales.append(scale(optimizer))
    losses = fit(theirs, reference, data[:2], epochs=1, seed=1, calls=2)["loss"]
    assert scales == expected
    assert scale(reference) == expected[-1]
    assert len(optimizer.variables) == len(reference.variables)
    assert int(optimizer.iterations) == int(reference.iterations)
    np.testing.assert_allclose([history.loss[0] for history in histories], losses, rtol=1e-5)
    np.testing.assert_allclose(ours.get_weights()[0], theirs.get_weights()[0], atol=1e-5)

    restart(ours, optimizer)
    assert (scale(optimizer), int(optimizer.iterations)) == (initial_scale, 0)
    ours.set_weights(START)
    assert_same_history(train(ours, optimizer, data, epochs=1, seed=1), histories[0])


class WithoutConfig(optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate=0.1):
        self.rate = rate

    def __call__(self, step):
        return self.rate * 0.5 ** keras.ops.cast(step, "float32")


class WithConfig(WithoutConfig):
    """Known to nobody but this file, as one in a notebook is: it has a config, from which Keras does not make it."""

    def get_config(self):
        return {"rate": self.rate}


SCHEDULES = {
    "no config": lambda: optimizers.SGD(WithoutConfig()),
    "config of a class unknown to Keras": lambda: optimizers.SGD(WithConfig()),
    "within loss scaling": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(WithoutConfig())),
    "function": lambda: optimizers.SGD(lambda: 0.1),
}


@pytest.fixture(scope="module")
def fitted():
    """Networks that fit has trained at a rate that halves, and at one that stays."""
    models = {"halves": softmax_regression(), "stays": softmax_regression()}
    for model, rate in zip(models.values(), (WithoutConfig(), 0.1), strict=True):
        fit(model, optimizers.SGD(rate), DATA[:2], epochs=1, seed=1)
    return models


@pytest.mark.parametrize("name", SCHEDULES)
def test_any_schedule_trains_as_in_fit_and_starts_over(name, networks, fitted):
    model, optimizer = networks[0], SCHEDULES[name]()
    history = train(model, optimizer, DATA, epochs=1, seed=1)
    assert_same_run((model, fitted["stays" if name == "function" else "halves"]), history, {}, atol=1e-5)
    after = state_of(model, optimizer)
    restart(model, optimizer)
    assert int(optimizer.iterations) == 0
    model.set_weights(START)
    assert_same_history(train(model, optimizer, DATA, epochs=1, seed=1), history)
    assert_unchanged(after, model, optimizer)


CHANGES = {
    "momentum": (OPTIMIZERS["momentum"], lambda optimizer: setattr(optimizer, "momentum", np.float32(0.5)), True),
    "Nesterov": (OPTIMIZERS["momentum"], lambda optimizer: setattr(optimizer, "nesterov", True), True),
    "clipping": (OPTIMIZERS["SGD"], lambda optimizer: setattr(optimizer, "clipnorm", 1.0), True),
    "another schedule": (SCHEDULES["no config"], lambda o: setattr(o, "learning_rate", WithoutConfig()), True),
    "a number in the schedule": (SCHEDULES["no config"], lambda o: setattr(o._learning_rate, "rate", 0.2), True),
    "a schedule within": (
        SCHEDULES["within loss scaling"],
        lambda optimizer: setattr(optimizer, "learning_rate", WithoutConfig()),
        True,
    ),
    "another function": (SCHEDULES["function"], lambda o: setattr(o, "learning_rate", lambda: 0.1), True),
    "learning rate": (OPTIMIZERS["AdamW"], lambda optimizer: setattr(optimizer, "learning_rate", 0.5), False),
    "learning rate within": (
        lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.1)),
        lambda optimizer: setattr(optimizer, "learning_rate", 0.5),
        False,
    ),
    "a step": (
        lambda: optimizers.AdamW(0.01, use_ema=True),
        lambda optimizer: optimizer.apply([tf.ones_like(w) for w in START], optimizer._trainable_variables),
        False,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_program_holds_as_a_constant_and_only_that_asks_for_another_one(name, networks):
    make, change, another = CHANGES[name]
    optimizer = make()
    optimizer.build(networks[0].trainable_variables)
    before = training._settings(optimizer)
    assert hash(before) == hash(training._settings(optimizer))
    assert before == training._settings(optimizer)
    change(optimizer)
    assert (training._settings(optimizer) != before) == another


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


class TinyLoss(keras.losses.SparseCategoricalCrossentropy):
    def call(self, y_true, y_pred):
        return 1e-6 * super().call(y_true, y_pred)


@pytest.mark.usefixtures("mixed_float16")
def test_in_mixed_precision_a_tiny_loss_moves_the_weights_that_fit_moves():
    def share_moved(model, train_it):
        kernel = model.weights[0]
        before = kernel.numpy()
        train_it(model)
        return np.mean(kernel.numpy() != before)

    make = [lambda: softmax_regression(loss=TinyLoss()), lambda: optimizers.Adam(0.01)]
    scaled = share_moved(
        make[0](), lambda m: train(m, optimizers.LossScaleOptimizer(make[1]()), DATA, epochs=1, seed=1)
    )
    assert scaled == share_moved(make[0](), lambda m: fit(m, make[1](), DATA[:2], epochs=1, seed=1)) == 1.0


@pytest.mark.usefixtures("mixed_float16")
def test_who_tells_compile_not_to_scale_the_loss_is_not_asked_to():
    model = network()
    model.compile(loss=LOSS, auto_scale_loss=False)
    with pytest.raises(ValueError, match="data has 3 parts"):  # what is asked next
        train(model, optimizers.SGD(), DATA[:3], epochs=1, seed=1)


# What a restart keeps


class Centred(layers.Layer):
    """Takes off a mean that somebody has put in."""

    def build(self, shape):
        self.mean = self.add_weight(name="mean", shape=shape[1:], trainable=False)

    def call(self, x):
        return x - self.mean


def adapted(layer):
    layer.adapt(DATA[0])
    return layer


def centred():
    layer = Centred()
    layer.build((None, 6, 6))
    layer.mean.assign(DATA[0].mean(axis=0))
    return layer


def frozen():
    layer = layers.Dense(5, trainable=False)
    layer.build((None, 6, 6))
    layer.kernel.assign(np.arange(30.0).reshape(6, 5))
    return layer


def nested():
    return keras.Sequential([keras.Input((6, 6)), adapted(layers.Normalization()), layers.Dense(2)]).layers[0]


def frozen_batch_normalization():
    layer = layers.BatchNormalization(trainable=False)
    layer.build((None, 6, 6))
    layer.moving_mean.assign(np.arange(6.0))
    return layer


def text():
    layer = layers.TextVectorization(output_sequence_length=3)
    layer.adapt(["a dress", "a boot and a bag"])
    return layer


KEPT = {
    "Normalization": lambda: adapted(layers.Normalization()),
    "Normalization over all": lambda: adapted(layers.Normalization(axis=None)),
    "Normalization in a model within": lambda: keras.Sequential([keras.Input((6, 6)), adapted(layers.Normalization())]),
    "Discretization": lambda: adapted(layers.Discretization(num_bins=4)),
    "TextVectorization": text,
    "a layer of the reader's own": centred,
    "frozen weights": frozen,
    "frozen BatchNormalization": frozen_batch_normalization,
}


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras' saving
@pytest.mark.parametrize("name", KEPT)
def test_restart_keeps_what_training_leaves_alone(name, tmp_path):
    layer = KEPT[name]()
    sample = tf.constant(["a boot", "a bag and a dress"]) if name == "TextVectorization" else DATA[0][:5]
    inputs = keras.Input(sample.shape[1:], dtype=sample.dtype)
    hidden = layers.Flatten()(keras.ops.cast(layer(inputs), "float32"))
    model = keras.Model(inputs, layers.Dense(3)(hidden))
    expected = layer(sample).numpy()
    assert len(np.unique(expected)) > 1
    with keras.saving.CustomObjectScope({"Centred": Centred}):
        for each in (model, reloaded(model, tmp_path)):
            before = each(sample).numpy()
            restart(each, optimizers.Adam())
            np.testing.assert_array_equal(each.layers[1](sample), expected)
            assert not np.isclose(each(sample), before).any(), "the last layer starts over"
        np.testing.assert_array_equal(reloaded(each, tmp_path).layers[1](sample), expected)


def reloaded(model, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def test_restart_gives_back_the_rest_as_if_built_anew():
    def middle():
        layer = layers.Dense(4)
        spectral = layers.SpectralNormalization(layers.Dense(4, use_bias=False))
        return layers.Flatten(), layer, layers.BatchNormalization(), spectral, layers.Dropout(0.5)

    model, optimizer = network(middle, seed=3), optimizers.Adam()
    optimizer.build(model.trainable_variables)
    for variable in model.variables + optimizer.variables[2:]:
        variable.assign(np.ones(variable.shape) * 7)
    keras.utils.set_random_seed(3)
    restart(model, optimizer)
    expected = network(middle, seed=3)
    assert len(model.variables) == len(expected.variables) == 11
    for variable, value in zip(model.variables, expected.variables, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert not any(variable.numpy().any() for variable in optimizer.variables[2:])


# What cannot be used


def changed(**parts):
    names = ("x_train", "y_train", "x_val", "y_val")
    return tuple(parts.get(name, value) for name, value in zip(names, DATA, strict=True))


def unbuilt():
    model = keras.Sequential([layers.Dense(3)])
    model.compile(loss=LOSS)
    return model


def uncompiled():
    return keras.Sequential([keras.Input((6, 6)), layers.Flatten(), layers.Dense(3)])


def output_of(*last, loss=LOSS):
    """A model that cannot be used, because of what comes out of its last layers."""
    model = keras.Sequential([keras.Input((6, 6)), layers.Flatten(), *last])
    model.compile(loss=loss)
    return model


def two_heads():
    x = keras.Input((6, 6))
    model = keras.Model(x, [layers.Dense(3)(layers.Flatten()(x)) for _ in range(2)])
    model.compile(loss=LOSS)
    return model


class OnlyInTraining(layers.Layer):
    def call(self, x, training=False):
        if not training:
            raise ValueError("what this layer does in evaluation is broken")
        return x

    def compute_output_spec(self, x, training=False):
        return keras.KerasTensor(x.shape, x.dtype)


class NotForXLA(layers.Layer):
    def call(self, x):
        return tf.ensure_shape(tf.py_function(lambda x: x, [x], tf.float32), x.shape)


class UnknownToKeras(optimizers.SGD):
    def __init__(self, rate):
        super().__init__(rate)


class Broken(WithoutConfig):
    def __call__(self, step):
        return self.rate if step < 3 else 0.0  # a question that can only be asked outside a program


def built_elsewhere(units=8):
    optimizer = optimizers.SGD(momentum=0.9)
    optimizer.build(network(lambda: (layers.Flatten(), layers.Dense(units))).trainable_variables)
    return optimizer


def without_scaling():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return network()
    finally:
        keras.config.set_dtype_policy("float32")


def dataset():
    return tf.data.Dataset.from_tensor_slices(DATA[:2]).batch(32)


x_train, y_train, x_val, y_val = DATA
ERRORS = {
    "no model": ({"model": "mlp"}, TypeError, r"model='mlp': give a keras.Model"),
    "unbuilt": ({"model": unbuilt}, ValueError, r"has no weights yet: begin it with keras.Input"),
    "uncompiled": ({"model": uncompiled}, ValueError, r"has no loss: model.compile\(loss="),
    "no loss": ({"model": lambda: network(loss=None)}, ValueError, r"Provide a `loss` argument in `compile\(\)`"),
    "one output": (
        {"model": lambda: output_of(layers.Dense(1), loss="binary_crossentropy")},
        ValueError,
        r"shape=\(None, 1\).*give one with an output for each class",
    ),
    "no axis": ({"model": lambda: output_of(layers.Dense(1), layers.Reshape(()))}, ValueError, r"shape=\(None,\)"),
    "two axes": ({"model": lambda: output_of(layers.Reshape((12, 3)))}, ValueError, r"shape=\(None, 12, 3\)"),
    "two heads": ({"model": two_heads}, ValueError, r"returns \[.*\]: give one with an output for each class"),
    "optimizer's name": ({"optimizer": "adam"}, TypeError, r"optimizer='adam': give an optimizer object"),
    "used optimizer": ({"optimizer": built_elsewhere}, ValueError, r"can only be called for the variables it was"),
    "mixed_float16": (
        {"model": without_scaling},
        ValueError,
        r"computes in mixed_float16.*give keras.optimizers.LossScaleOptimizer\(optimizer\), as model.compile does",
    ),
    "broken in evaluation": (
        {"model": lambda: network(lambda: (layers.Flatten(), OnlyInTraining()))},
        ValueError,
        "broken",
    ),
    "not for XLA": (
        {"model": lambda: network(lambda: (layers.Flatten(), NotForXLA()))},
        tf.errors.InvalidArgumentError,
        "XLA",
    ),
    "broken schedule": (
        {"optimizer": lambda: optimizers.SGD(Broken())},
        TypeError,
        "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed",
    ),
    "three parts": ({"data": DATA[:3]}, ValueError, r"data has 3 parts: give \(x_train, y_train, x_val, y_val\)"),
    "sample weights": (
        {"data": (*DATA, np.ones(128))},
        ValueError,
        r"data has 5 parts: give \(x_train, .*nothing else",
    ),
    "two sample weights": (
        {"data": (*DATA, np.ones(128), np.ones(40))},
        ValueError,
        r"data has 6 parts: give \(x_train",
    ),
    "dataset": (
        {"data": dataset},
        TypeError,
        r"data is of type _BatchDataset: give arrays, \(x_train, y_train, x_val, y_",
    ),
    "generator": ({"data": (part for part in DATA)}, TypeError, r"data is of type generator: give arrays, \(x_train"),
    "dict": (
        {"data": dict(zip("abcd", DATA, strict=True))},
        TypeError,
        r"data is of type dict: give arrays, \(x_train",
    ),
    "DataFrame": ({"data": pd.DataFrame({"a": [1]})}, TypeError, r"data is of type DataFrame: give arrays, \(x_train"),
    "None": ({"data": None}, TypeError, r"data is of type NoneType: give arrays, \(x_train, y_train, x_val, y_val\)"),
    **{
        f"{name} as x": (
            {"data": changed(x_train=x)},
            TypeError,
            rf"x_train is of type {kind} and .*: give arrays, numbers",
        )
        for name, x, kind in (
            ("dataset", tf.data.Dataset.range(3), "_RangeDataset"),
            ("generator", (row for row in DATA[0]), "generator"),
            ("None", None, "NoneType"),
            ("dict", {"images": DATA[0]}, "dict"),
            ("text", ["a dress", "a boot"], "list"),
            ("DataFrame of text", pd.DataFrame({"a": ["a dress"], "b": [1]}), "DataFrame"),
            ("uneven lists", [[1.0], [2.0, 3.0]], "list"),
            ("sparse tensor", tf.sparse.from_dense(DATA[0]), "SparseTensor"),
            ("complex", DATA[0] * 1j, "ndarray"),
            ("number", 3.0, "float"),
        )
    },
    **{
        f"{name} as y": (
            {"data": changed(y_val=y)},
            ValueError,
            rf"y_val has shape {shape} and dtype {dtype}: give integer",
        )
        for name, y, shape, dtype in (
            ("dataset", tf.data.Dataset.range(3), r"\(\)", "object"),
            ("generator", (label for label in DATA[1]), r"\(\)", "object"),
            ("None", None, r"\(\)", "object"),
            ("DataFrame", pd.DataFrame({"label": DATA[3]}), r"\(40, 1\)", "int64"),
            ("Series of names", pd.Series(["a dress"] * 40, dtype=object), r"\(40,\)", "object"),
        )
    },
    "no examples": ({"data": changed(x_val=x_val[:0], y_val=y_val[:0])}, ValueError, r"x_val is empty"),
    "x": ({"data": changed(x_train=x_train[:, :5])}, ValueError, r"x_train has shape \(128, 5, 6\), which the model"),
    "x_val": ({"data": changed(x_val=x_val[:, :5])}, ValueError, r"x_val has shape \(40, 5, 6\), which the model"),
    "lengths": ({"data": changed(y_train=y_train[:9])}, ValueError, r"y_train has shape \(9,\).*of shape \(128,\)"),
    "more labels": ({"data": changed(y_train=np.r_[y_train, 0])}, ValueError, r"y_train has shape \(129,\)"),
    "one-hot": ({"data": changed(y_val=np.eye(3)[y_val])}, ValueError, r"y_val has shape \(40, 3\) and dtype float64"),
    "floats": (
        {"data": changed(y_train=y_train / 1)},
        ValueError,
        r"y_train has .* dtype float64: give integer labels",
    ),
    "label 3": (
        {"data": changed(y_train=np.r_[y_train[:7], 3, y_train[8:]])},
        ValueError,
        r"y_train\[7\]=3: the model has 3 outputs, so labels are 0 to 2",
    ),
    "label 5 and 4": (
        {"data": changed(y_train=np.r_[y_train[:7], 5, 4, y_train[9:]])},
        ValueError,
        r"y_train\[7\]=5: the model has 3 outputs, so labels are 0 to 2\.",
    ),
    "label -1": ({"data": changed(y_val=y_val - 1)}, ValueError, r"y_val\[\d+\]=-1: the model has 3 outputs"),
    "epochs": ({"epochs": 0}, ValueError, r"epochs=0: give an integer of at least 1"),
    "batch_size": ({"batch_size": 2.5}, ValueError, r"batch_size=2.5: give an integer of at least 1"),
    "seed": ({"seed": None}, ValueError, r"seed=None: give an integer of at least 0"),
    "on_epoch_end": ({"on_epoch_end": "print"}, TypeError, r"on_epoch_end='print': give a function of the history"),
}


def state_of(*owners):
    """All variables of models and optimizers, seeds included, as they are now."""
    return [(v.path, v.numpy()) for owner in owners if hasattr(owner, "variables") for v in owner.variables]


def assert_unchanged(before, *owners):
    after = state_of(*owners)
    assert [path for path, _ in after] == [path for path, _ in before]
    for (path, value), (_, old) in zip(after, before, strict=True):
        np.testing.assert_array_equal(value, old, err_msg=path)


@pytest.fixture(scope="module")
def dropout_network():
    return network(lambda: (layers.Flatten(), layers.Dropout(0.5)))


@pytest.mark.parametrize("built", [False, True], ids=["new optimizer", "built optimizer"])
@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_used_is_refused_before_anything_changes(name, built, dropout_network):
    wrong, error, message = ERRORS[name]
    right = {"model": dropout_network, "optimizer": optimizers.Adam, "data": DATA, "epochs": 1, "seed": 1}
    model, optimizer, data, options = made(right | wrong)
    if built and hasattr(optimizer, "built") and getattr(model, "built", False) and not optimizer.built:
        optimizer.build(model.trainable_variables)
    before, parts = state_of(model, optimizer), copy.deepcopy(DATA)
    with pytest.raises(error, match=message):
        train(model, optimizer, data, **options)
    assert_unchanged(before, model, optimizer)
    for part, old in zip(DATA, parts, strict=True):
        np.testing.assert_array_equal(part, old)


def made(arguments):
    """Model, optimizer and data, those given as functions called, and the other arguments."""
    arguments = dict(arguments)
    parts = [arguments.pop(name, None) for name in ("model", "optimizer", "data")]
    parts = [part() if callable(part) and not isinstance(part, keras.Model) else part for part in parts]
    return *parts, arguments


def test_a_refused_generator_can_still_be_used(dropout_network):
    labels = (label for label in DATA[1])
    with pytest.raises(ValueError, match="give integer labels"):
        train(dropout_network, optimizers.SGD(), changed(y_train=labels), epochs=1, seed=1)
    assert next(labels) == DATA[1][0]


def subclassed_and_built():
    model = Subclassed()
    model(DATA[0][:1])
    return model


RESTART_ERRORS = {
    "no model": ({"model": "mlp"}, TypeError, r"model='mlp': give a keras.Model"),
    "unbuilt": ({"model": unbuilt}, ValueError, r"has no weights yet"),
    "subclassed": (
        {"model": subclassed_and_built},
        ValueError,
        "'subclassed.*' cannot be made anew from its config: TypeError: ",
    ),
    "optimizer's name": ({"optimizer": "adam"}, TypeError, r"optimizer='adam': give an optimizer object"),
    "optimizer of another model": (
        {"optimizer": lambda: built_elsewhere(units=9)},
        ValueError,
        "was built for other weights",
    ),
    "optimizer without config": (
        {"optimizer": lambda: UnknownToKeras(0.1)},
        ValueError,
        r"'unknown_to_keras.*' cannot be made anew from its config: TypeError: ",
    ),
}


@pytest.mark.parametrize("name", RESTART_ERRORS)
def test_what_cannot_start_over_is_refused_before_anything_changes(name, dropout_network):
    wrong, error, message = RESTART_ERRORS[name]
    model, optimizer, *_ = made({"model": dropout_network, "optimizer": optimizers.Adam} | wrong)
    before = state_of(model, optimizer)
    with pytest.raises(error, match=message):
        restart(model, optimizer)
    assert_unchanged(before, model, optimizer)


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize(
    "call", [restart, lambda *pair: train(*pair, DATA, epochs=1, seed=1)], ids=["restart", "train"]
)
def test_another_backend_is_named(call, backend, monkeypatch, dropout_network):
    optimizer = optimizers.SGD()
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    with pytest.raises(ValueError, match=f"Keras runs on {backend}: set KERAS_BACKEND=tensorflow"):
        call(dropout_network, optimizer)


def test_two_classes_are_enough_and_tables_of_pandas_will_do():
    x, y, x_val, y_val = DATA
    model = keras.Sequential([keras.Input((36,)), layers.Dense(2, activation="softmax")])
    model.compile(loss=LOSS)
    tables = (
        pd.DataFrame(x.reshape(-1, 36)),
        pd.Series(y.clip(0, 1)),
        pd.DataFrame(x_val.reshape(-1, 36)),
        y_val.clip(0, 1),
    )
    history = train(model, optimizers.SGD(0.1), tables, epochs=1, seed=1)
    assert np.isfinite(history.loss).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Momentum", {"momentum": 0.9, "nesterov": False}), ("Nesterov", {"momentum": 0.9, "nesterov": True})],
)
def test_both_momentums_have_the_course_s_momentum(name, expected):
    assert expected.items() <= training.OPTIMIZERS[name]().get_config().items()


def test_tensorflow_s_warning_about_retracing_is_silenced_and_no_other():
    def passes(words):
        return bool(logging.getLogger("tensorflow").filter(logging.makeLogRecord({"msg": words})))

    assert not passes("5 out of the last 5 calls to <run> triggered tf.function retracing.")
    assert passes("Another warning.")

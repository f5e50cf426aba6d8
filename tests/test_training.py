"""The compiled trainer does what ``model.fit`` does: same weights, same history; and it refuses what it cannot use."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils import training
from utils.training import restart, train

layers, optimizers = keras.layers, keras.optimizers
LOSS = "sparse_categorical_crossentropy"
EPOCHS = 3


def make_data(examples=150, validation=40, shape=(6, 6)):
    """Three classes that a small network can learn, but not at once. 150 examples leave a last mini-batch of 22."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(examples + validation, *shape)).astype(np.float32)
    scores = x.reshape(len(x), -1) @ rng.normal(size=(np.prod(shape), 3))
    y = (scores + rng.normal(size=scores.shape)).argmax(1)
    return x[:examples], y[:examples], x[examples:], y[examples:]


DATA = make_data()


def hidden():
    return layers.Flatten(), layers.Dense(8, activation="relu")


def network(middle=hidden, seed=0, loss=LOSS, shape=(6, 6)):
    keras.utils.set_random_seed(seed)  # before any layer is made: a layer draws its seeds when it is
    model = keras.Sequential([keras.Input(shape), *middle(), layers.Dense(3, activation="softmax")])
    model.compile(loss=loss)
    return model


def fit(model, optimizer, data, *, epochs, batch_size=32, seed):
    """Run ``model.fit`` on the same mini-batches: it gets every epoch in order, ready shuffled."""
    x, y, *validation = data
    model.compile(optimizer, model.loss, metrics=["accuracy"])
    rng = np.random.default_rng(seed)
    history = {}
    for _ in range(epochs):
        order = rng.permutation(len(x))
        epoch = model.fit(
            x[order], y[order], batch_size=batch_size, shuffle=False, validation_data=tuple(validation), verbose=0
        )
        for name, values in epoch.history.items():
            history.setdefault(name, []).extend(values)
    return history


def assert_same_run(models, history, reference, atol):
    ours, keras_own = models
    assert len(ours.variables) == len(keras_own.variables)
    for variable, expected in zip(ours.variables, keras_own.variables, strict=True):
        np.testing.assert_allclose(variable, expected, rtol=0, atol=atol, err_msg=variable.path)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
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
    "loss scale": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=8.0),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_and_history_are_those_of_fit(name):
    ours, theirs = network(), network()
    optimizer, reference_optimizer = OPTIMIZERS[name](), OPTIMIZERS[name]()
    before = ours.get_weights()
    history = train(ours, optimizer, DATA, epochs=EPOCHS, seed=1)
    reference = fit(theirs, reference_optimizer, DATA, epochs=EPOCHS, seed=1)
    assert_same_run((ours, theirs), history, reference, atol=1e-5)
    assert np.abs(ours.get_weights()[0] - before[0]).max() > 1e-2  # or there would be nothing to compare
    assert int(optimizer.iterations) == int(reference_optimizer.iterations)
    assert [array.shape for array in history[:5]] == [(EPOCHS,)] * 4 + [(EPOCHS * 5,)]
    assert history.diverged_at is None


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("float64")
def test_in_float64_they_agree_to_rounding():
    ours, theirs = network(), network()
    assert ours.weights[0].dtype == "float64"
    history = train(ours, optimizers.Adam(0.01), DATA, epochs=10, seed=1)
    reference = fit(theirs, optimizers.Adam(0.01), DATA, epochs=10, seed=1)
    assert_same_run((ours, theirs), history, reference, atol=1e-12)


def test_a_moving_average_of_the_weights_replaces_them_at_the_end():
    ours, theirs = network(), network()
    history = train(ours, optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), DATA, epochs=1, seed=1)
    reference = fit(theirs, optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), DATA, epochs=1, seed=1)
    assert_same_run((ours, theirs), history, reference, atol=1e-5)


@pytest.mark.parametrize("batch_size", [149, 1000])
def test_every_example_is_used_once_whatever_the_batch_size(batch_size):
    data = make_data(validation=3)
    ours, theirs = network(), network()
    history = train(ours, optimizers.SGD(0.1), data, epochs=2, batch_size=batch_size, seed=1)
    reference = fit(theirs, optimizers.SGD(0.1), data, epochs=2, batch_size=batch_size, seed=1)
    assert_same_run((ours, theirs), history, reference, atol=1e-5)
    assert len(history.step_loss) == 2 * -(-150 // batch_size)


def test_batch_normalization_and_regularization_as_in_fit(monkeypatch):
    def middle():
        # No bias: the batch's mean takes it out again, so its gradient is rounding error, and Adam would follow that.
        regular = layers.Dense(8, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.01))
        return layers.Flatten(), regular, layers.BatchNormalization(), layers.ReLU()

    monkeypatch.setattr(training, "EVALUATION_BATCH", 16)  # 40 validation examples = 16 + 16 + 8
    ours, theirs = network(middle), network(middle)
    history = train(ours, optimizers.Adam(0.01), DATA, epochs=EPOCHS, seed=1)
    assert_same_run((ours, theirs), history, fit(theirs, optimizers.Adam(0.01), DATA, epochs=EPOCHS, seed=1), atol=1e-4)
    moving_mean, moving_variance = ours.layers[2].non_trainable_variables
    assert np.abs(moving_mean).max() > 1e-2
    assert np.abs(moving_variance - 1).max() > 1e-2


def test_dropout_acts_in_training_only_and_draws_anew_at_each_step():
    # With learning rate 0 nothing but dropout can make two epochs, or training and evaluation, differ.
    model = network(lambda: (layers.Flatten(), layers.Dropout(0.5)))
    x, y, *_ = DATA
    history = train(model, optimizers.SGD(0.0), (x, y, x, y), epochs=2, batch_size=150, seed=1)
    assert abs(history.loss[0] - history.loss[1]) > 1e-3
    assert abs(history.loss[0] - history.val_loss[0]) > 1e-3
    assert history.val_loss[0] == history.val_loss[1]
    np.testing.assert_allclose(history.val_loss[0], model.evaluate(x, y, verbose=0), atol=1e-5)


def test_convolutions_and_other_input_shapes():
    def middle():
        return layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()

    data = make_data(shape=(6, 6, 1))
    ours, theirs = network(middle, shape=(6, 6, 1)), network(middle, shape=(6, 6, 1))
    history = train(ours, optimizers.Adam(0.01), data, epochs=EPOCHS, seed=1)
    assert_same_run((ours, theirs), history, fit(theirs, optimizers.Adam(0.01), data, epochs=EPOCHS, seed=1), atol=1e-4)


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
    assert_same_run((ours, theirs), history, fit(theirs, optimizers.SGD(0.1), DATA, epochs=1, seed=1), atol=1e-5)

    before = ours.get_weights()
    ours.hidden.trainable = False
    ours.compile(loss=ours.loss)
    train(ours, optimizer, DATA, epochs=1, seed=1)
    changed = [not np.array_equal(a, b) for a, b in zip(before, ours.get_weights(), strict=True)]
    assert changed == [False, False, True, True]


@pytest.fixture(scope="module")
def pair():
    return network(), optimizers.SGD(0.1, momentum=0.9)


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
    mixed = (x.astype(np.float64), y.astype(np.uint8), x_val, y_val.astype(np.int8), "x_test", "y_test")
    assert_same_history(run(pair, mixed), expected)


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
    history = run(pair, learning_rate=1e30)
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
    full_batches = {"batch_size": 150, "seed": 1}
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
        return layers.Flatten(), layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.2)

    traces = []
    pair = network(middle), optimizers.Adagrad(0.5)
    compute_loss = pair[0].compute_loss
    monkeypatch.setattr(pair[0], "compute_loss", lambda *a, **k: traces.append(1) or compute_loss(*a, **k))
    train(*pair, DATA, epochs=1, seed=9)
    assert len(traces) == 3, "a mini-batch, the smaller last one, and the validation are each traced once"
    sweep = [run(pair, initial_weights=seed, learning_rate=seed / 10, seed=seed) for seed in (3, 4)]
    assert len(traces) == 3
    alone = train(network(middle, seed=4), optimizers.Adagrad(0.4), DATA, epochs=2, seed=4)
    assert_same_history(sweep[1], alone)


def test_another_hyperparameter_makes_another_program():
    model, reference, optimizer = network(), network(), optimizers.SGD(0.1, momentum=0.5)
    train(model, optimizer, DATA, epochs=1, seed=1)
    restart(model, optimizer)
    model.set_weights(reference.get_weights())
    optimizer.momentum = 0.9
    history = train(model, optimizer, DATA, epochs=1, seed=1)
    expected = fit(reference, optimizers.SGD(0.1, momentum=0.9), DATA, epochs=1, seed=1)
    assert_same_run((model, reference), history, expected, atol=1e-5)


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


def built_elsewhere():
    optimizer = optimizers.SGD()
    optimizer.build(network().trainable_variables)
    return optimizer


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
    "three parts": ({"data": DATA[:3]}, ValueError, r"data has 3 parts: give \(x_train, y_train, x_val, y_val\)"),
    "no examples": ({"data": changed(x_val=x_val[:0], y_val=y_val[:0])}, ValueError, r"x_val is empty"),
    "x": ({"data": changed(x_train=x_train[:, :5])}, ValueError, r"x_train has shape \(150, 5, 6\), which the model"),
    "x_val": ({"data": changed(x_val=x_val[:, :5])}, ValueError, r"x_val has shape \(40, 5, 6\), which the model"),
    "lengths": ({"data": changed(y_train=y_train[:9])}, ValueError, r"y_train has shape \(9,\).*of shape \(150,\)"),
    "more labels": ({"data": changed(y_train=np.r_[y_train, 0])}, ValueError, r"y_train has shape \(151,\)"),
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
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_used_is_refused_before_anything_changes(name, monkeypatch):
    wrong, error, message = ERRORS[name]
    arguments = {"model": network, "optimizer": optimizers.SGD, "data": DATA, "epochs": 1, "seed": 1} | wrong
    model, optimizer, data = (
        value() if callable(value := arguments.pop(key)) else value for key in ("model", "optimizer", "data")
    )
    weights = getattr(model, "get_weights", list)()
    with pytest.raises(error, match=message):
        train(model, optimizer, data, **arguments)
    for before, after in zip(weights, getattr(model, "get_weights", list)(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_named(backend, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    with pytest.raises(ValueError, match=f"Keras runs on {backend}: set KERAS_BACKEND=tensorflow"):
        train(network(), optimizers.SGD(), DATA, epochs=1, seed=1)


def test_two_classes_are_enough():
    x, y, x_val, y_val = DATA
    model = output_of(layers.Dense(2, activation="softmax"))
    history = train(model, optimizers.SGD(0.1), (x, y.clip(0, 1), x_val, y_val.clip(0, 1)), epochs=1, seed=1)
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

"""The engine of the page: the same images, first weights and order as in NumPy, and the same weights after 50 steps."""

import math

import numpy as np
import pytest

from tests.bench.in_node import in_node
from utils import beyond_adam, optimizers
from utils.bench import engine
from utils.bench.engine import LEVELS, PIXELS, Images, initial_theta, train_in_page, uniforms
from utils.plotting import COLORS

pytestmark = pytest.mark.slow  # each test starts Node.js

IMAGES, BATCH, EPOCHS = 82, 32, 17  # three mini-batches an epoch, the last one smaller: 51 steps
#: Learning rates with which 50 steps change much and do not diverge.
RATES = {"SGD": 0.1, "Momentum": 0.02, "Nesterov": 0.02, "Adagrad": 0.02, "RMSprop": 0.002, "Adam": 0.002}
CLOSE = 1e-4

TRAIN = """async (engine, { settings, theta, grey, labels }) => {
    const data = { ...engine.sparse(Uint8Array.from(grey), 15), labels };
    const start = Float32Array.from(theta), losses = [], hits = [];
    for (const { loss, hits: right } of engine.train(settings, data, start)) {
        losses.push(loss);
        hits.push(right);
    }
    return { theta: start, losses, hits, answers: engine.answers(engine.layers(start, settings.units), data).all };
}"""


def draw(units, seed):
    """Images, labels and first weights, as random as they come; half of the pixels are black."""
    rng = np.random.default_rng(seed)
    grey = rng.integers(1, LEVELS + 1, (IMAGES, PIXELS)) * (rng.random((IMAGES, PIXELS)) < 0.5)
    labels = rng.integers(0, 10, IMAGES)
    shapes = engine.sizes(units)
    parts = [rng.normal(size=shape) / math.sqrt(shape[0]) / 2 for shape in shapes]
    return grey, labels, np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def settings_of(optimizer, units, **more):
    settings = {"optimizer": optimizer, "learning_rate": RATES[optimizer], "batch_size": BATCH, "units": units}
    return settings | {"epochs": EPOCHS, "seed": 3, "shuffled": True, "schedule": "constant"} | more


def both(settings, changed=()):
    """What the script and what NumPy make of the same."""
    grey, labels, theta = draw(settings["units"], seed=len(settings["optimizer"]))
    argument = {"settings": settings, "theta": theta.tolist(), "grey": grey.ravel().tolist(), "labels": labels.tolist()}
    script = in_node(TRAIN, argument, changed)
    x = grey / LEVELS
    run = train_in_page(Images(x, labels, x, labels), theta=theta, **settings)
    return script, run, theta


def distance(script, run):
    return np.max(np.abs(np.array(script["theta"], float) - run.theta))


@pytest.mark.parametrize("units", [0, 20])
@pytest.mark.parametrize("optimizer", RATES)
def test_every_weight_is_numpys_after_50_steps(optimizer, units):
    script, run, theta = both(settings_of(optimizer, units))
    assert len(script["losses"]) == len(run.step_loss) == 51
    assert distance(script, run) < CLOSE
    assert np.max(np.abs(run.theta - theta)) > 100 * CLOSE, "they moved far"
    np.testing.assert_allclose(script["losses"], run.step_loss, atol=CLOSE)
    assert np.sum(script["hits"][-3:]) == pytest.approx(run.accuracy[-1] * IMAGES, abs=1)
    assert np.mean(np.array(script["answers"]) == draw(units, len(optimizer))[1]) == pytest.approx(
        run.val_accuracy[-1], abs=0.02
    )


@pytest.mark.parametrize(
    "more", [{"schedule": "cosine"}, {"shuffled": False}, {"seed": 99}, {"batch_size": 1, "epochs": 1}, {"units": 7}]
)
def test_so_it_is_with_other_settings(more):
    script, run, _ = both(settings_of("Adam", 20) | more)
    assert distance(script, run) < CLOSE


MISTAKES = {
    "a sign flipped in the backward pass": ("SGD", "slope += W2[j * CLASSES + c]", "slope -= W2[j * CLASSES + c]"),
    "ReLU let through backwards": ("SGD", "if (h > 0) {", "if (h >= 0) {"),
    "Adam's epsilon moved into the root": ("Adam", "-= alpha_t * m[i] / (Math.sqrt(v[i]) + EPSILON)",
    "-= alpha_t * m[i] / Math.sqrt(v[i] + EPSILON)"),
    "RMSprop's epsilon moved out of the root": (
        "RMSprop",
        "-= learning_rate * g[i] / Math.sqrt(s[i] + EPSILON)",
        "-= learning_rate * g[i] / (Math.sqrt(s[i]) + EPSILON)",
    ),
    "Adagrad's accumulator from 0": ("Adagrad", ".fill(INITIAL_ACCUMULATOR_VALUE)", ""),
    "a mini-batch skipped": ("SGD", "const rows = order", "if (t === 30 && t++) continue;\n const rows = order"),
    "the last mini-batch left out": ("SGD", "from < data.count; from += batch) {\n        const", "from + batch <= "
    "data.count; from += batch) {\n        const"),
    "no correction of Adam's start": ("Adam", "-= alpha_t * m[i] / (Math.sqrt(v[i]) + EPSILON)",
    "-= learning_rate * m[i] / (Math.sqrt(v[i]) + EPSILON)"),
    "Nesterov without its look ahead": ("Nesterov", "theta[i] + momentum * v[i] - learning_rate * g[i];\n",
    "theta[i] + v[i];\n"),
    "one pixel of eight forgotten": ("Momentum", " + d * dense[t + j]\n", "\n"),
    "other weights multiplied, four at once": ("SGD", "number 16 add set 7", "number 32 add set 7"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(mistake):
    optimizer, before, after = MISTAKES[mistake]
    units = 7 if optimizer == "Momentum" else 20  # four at once goes only where four divides
    script, run, _ = both(settings_of(optimizer, units), [(before, after)])
    assert len(script["losses"]) < 51 or distance(script, run) > CLOSE


@pytest.mark.parametrize("width", [4, 100, 7])
def test_one_at_a_time_and_four_at_once_multiply_alike(width):
    products = """async (engine, { grey, dense, width }) => {
        const rows = engine.sparse(Uint8Array.from(grey), 15), floats = Float32Array.from(dense);
        const fill = () => new Float32Array(rows.count * width).fill(0.5);
        return [engine.multiply, engine.product].map((way) => {
            const out = fill();
            way(out, rows, floats, width);
            return out;
        });
    }"""
    grey, dense = draw(0, 5)[0][:9], np.random.default_rng(5).normal(size=(PIXELS, width)).astype(np.float32)
    grey[3] = 0  # a black image
    expected = 0.5 + (grey / LEVELS) @ dense
    argument = {"grey": grey.ravel().tolist(), "dense": dense.ravel().tolist(), "width": width}
    for out in in_node(products, argument):
        np.testing.assert_allclose(np.reshape(out, expected.shape), expected, atol=1e-4)


def test_without_webassembly_it_computes_one_at_a_time():
    settings = settings_of("SGD", 20)
    script, run, _ = both(settings, [("new WebAssembly.Module(", "new WebAssembly.Refused(")])
    assert distance(script, run) < CLOSE


@pytest.mark.parametrize(("seed", "units"), [(0, 100), (1, 0), (9, 5)])
def test_first_weights_are_the_same_numbers(seed, units):
    script = in_node("async (engine, [seed, units]) => engine.initial_theta(seed, units)", [seed, units])
    theta = initial_theta(seed, units)
    np.testing.assert_array_equal(np.array(script, np.float32), theta)
    W1, b1, *rest = engine.layers(theta, units)
    limit = math.sqrt(6 / (PIXELS + (units or 10)))
    assert 0.99 * limit < np.abs(W1).max() <= np.float32(limit)
    assert W1.std() == pytest.approx(limit / math.sqrt(3), rel=0.03)
    assert not b1.any()
    assert len(rest) == (2 if units else 0)
    assert not np.array_equal(theta, initial_theta(seed + 1, units))


def test_the_order_of_the_images_is_the_same_and_each_epoch_has_its_own():
    shuffled = """async (engine, seed) => {
        const order = Uint16Array.from({ length: 600 }, (_, i) => i), draw = optimizerRules().uniforms(seed);
        return [0, 1, 2].map(() => (engine.shuffle(order, draw), [...order]));
    }"""
    script = in_node(shuffled, 5)
    order, drawn = list(range(600)), uniforms(5)
    for epoch in range(3):
        engine.shuffle(order, drawn)
        assert script[epoch] == order
        assert sorted(order) == list(range(600))
    assert abs(np.corrcoef(script[0], script[1])[0, 1]) < 0.1


@pytest.mark.parametrize("optimizer", RATES)
def test_keras_takes_the_weights_to_the_same_place(keras, optimizer):
    from utils.training import OPTIMIZERS

    units = 20
    grey, labels, theta = draw(units, seed=len(optimizer))
    settings = settings_of(optimizer, units)
    script, _, _ = both(settings)
    layers = [keras.layers.Dense(units, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((PIXELS,)), *layers])
    model.set_weights(engine.layers(theta.astype(float), units))
    model.compile(OPTIMIZERS[optimizer](np.float64(RATES[optimizer])), "sparse_categorical_crossentropy")
    order, drawn = list(range(IMAGES)), uniforms(2 * settings["seed"] + 1)
    for _ in range(EPOCHS):
        engine.shuffle(order, drawn)
        for start in range(0, IMAGES, BATCH):
            batch = order[start : start + BATCH]
            model.train_on_batch(grey[batch] / LEVELS, labels[batch])
    weights = np.concatenate([weight.ravel() for weight in model.get_weights()])
    np.testing.assert_allclose(script["theta"], weights, atol=CLOSE)


def test_numpys_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(0)
    for units in (0, 6):
        grey, labels, theta = draw(units, seed=1)
        theta, x = theta.astype(float), grey / LEVELS
        g, loss, p = engine.gradient(theta, units, x, labels)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert loss == pytest.approx(-np.log(p[np.arange(IMAGES), labels]).mean())
        for i in rng.integers(0, len(theta), 40):
            step = np.zeros_like(theta)
            step[i] = 1e-5
            up, down = (engine.gradient(theta + way * step, units, x, labels)[1] for way in (1, -1))
            assert g[i] == pytest.approx((up - down) / 2e-5, abs=1e-7)


def test_the_cosine_is_that_of_keras(keras):
    schedule = keras.optimizers.schedules.CosineDecay(0.3, 40)
    for t in (0, 1, 20, 39):
        assert 0.3 * engine.SCHEDULES["cosine"](t, 40) == pytest.approx(float(schedule(t)), abs=1e-7)


def test_the_rules_are_those_of_the_course():
    names = in_node("async () => Object.keys(optimizerRules().RULES)")
    assert names[:6] == list(RATES) == list(engine.OPTIMIZERS) == list(COLORS)
    assert all(hasattr(optimizers, name) or hasattr(beyond_adam, name) for name in names)

"""Tests of utils.optimizers and of the elementwise rules of utils.beyond_adam, which stand in the same table.

Parity with Keras, laws, arrays as hyperparameters, bad arguments, and the loop. What only the rules beyond Adam have is
tested in test_beyond_adam.py.
"""

import array
import dataclasses
import doctest
import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import utils.optimizers
from utils.beyond_adam import Adadelta, Adamax, AdamW, Lion, Nadam, ScheduleFreeAdamW, ScheduleFreeSGD, Yogi
from utils.optimizers import SGD, Adagrad, Adam, Momentum, Nesterov, RMSprop, descend
from utils.surfaces import beale, himmelblau, quadratic, rosenbrock, saddle

MOMENTUM_SETTINGS = [
    {"learning_rate": 0.03, "momentum": 0.7},
    {"learning_rate": 0.1, "momentum": 0.0},
    {"learning_rate": 0.002, "momentum": 0.99},
]
ADAM_SETTINGS = [
    {"learning_rate": 0.03, "beta_1": 0.6, "beta_2": 0.8, "epsilon": 0.01},
    {"learning_rate": 0.002, "beta_1": 0.95, "beta_2": 0.9, "epsilon": 1e-5},
    {"learning_rate": 0.1, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-9},
    # Not 0: there Keras adds g^2 - v to v, which leaves rounding where g^2 would be exact.
    {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.3, "epsilon": 1e-3},
]
#: For each rule: the Keras class (None if Keras has none), the arguments that make it the same rule, and settings to
#: try beside the defaults.
OPTIMIZERS = {
    SGD: ("SGD", {}, [{"learning_rate": 0.1}, {"learning_rate": 0.003}]),
    Momentum: ("SGD", {"nesterov": False}, MOMENTUM_SETTINGS),
    Nesterov: ("SGD", {"nesterov": True}, MOMENTUM_SETTINGS),
    Adagrad: (
        "Adagrad",
        {},
        [
            {"learning_rate": 0.3, "initial_accumulator_value": 0.7, "epsilon": 0.01},
            {"learning_rate": 0.05, "initial_accumulator_value": 0.0, "epsilon": 1e-5},
            {"learning_rate": 0.1, "initial_accumulator_value": 1e-9, "epsilon": 1e-9},
        ],
    ),
    RMSprop: (
        "RMSprop",
        {},
        [
            {"learning_rate": 0.03, "rho": 0.6, "epsilon": 0.01},
            {"learning_rate": 0.002, "rho": 0.99, "epsilon": 1e-5},
            {"learning_rate": 0.1, "rho": 0.0, "epsilon": 1e-9},
        ],
    ),
    Adam: ("Adam", {}, ADAM_SETTINGS),
    AdamW: ("AdamW", {}, [row | {"weight_decay": 0.05 / row["learning_rate"]} for row in ADAM_SETTINGS]),
    Nadam: ("Nadam", {}, ADAM_SETTINGS),
    Adamax: ("Adamax", {}, ADAM_SETTINGS),
    Adadelta: (
        "Adadelta",
        {},
        [
            {"learning_rate": 1.0, "rho": 0.6, "epsilon": 0.01},
            {"learning_rate": 0.5, "rho": 0.99, "epsilon": 1e-5},
            {"learning_rate": 2.0, "rho": 0.0, "epsilon": 1e-9},
        ],
    ),
    Yogi: (None, {}, [row | {"initial_accumulator_value": 0.1} for row in ADAM_SETTINGS]),
    Lion: (
        "Lion",
        {},
        [
            {"learning_rate": 0.03, "beta_1": 0.6, "beta_2": 0.8, "weight_decay": 1.0},
            {"learning_rate": 0.002, "beta_1": 0.95, "beta_2": 0.5, "weight_decay": 30.0},
            {"learning_rate": 0.1, "beta_1": 0.1, "beta_2": 0.0, "weight_decay": 0.1},
        ],
    ),
    ScheduleFreeSGD: (None, {}, [{"learning_rate": 0.1, "beta_1": 0.5}, {"learning_rate": 0.003, "beta_1": 0.0}]),
    ScheduleFreeAdamW: ("ScheduleFreeAdamW", {}, [row for row in ADAM_SETTINGS if row["beta_1"] > 0]),
}
every_rule = pytest.mark.parametrize("rule", OPTIMIZERS, ids=lambda rule: rule.__name__)
#: The share of the largest value by which a path may differ from Keras'. Keras' Nadam takes its 0.96 as a float32.
TOLERANCES = {Nadam: 1e-7}
#: Those that TensorFlow's Keras runs; its ScheduleFreeAdamW is another rule there, as tests/test_beyond_adam.py shows.
IN_KERAS = [rule for rule, row in OPTIMIZERS.items() if row[0] and rule is not ScheduleFreeAdamW]
every_rule_of_keras = pytest.mark.parametrize("rule", IN_KERAS, ids=lambda rule: rule.__name__)
every_setting = pytest.mark.parametrize(
    "optimizer", [rule(**kwargs) for rule in IN_KERAS for kwargs in ({}, *OPTIMIZERS[rule][2])], ids=repr
)


def run(optimizer, gradients, theta0=0.0):
    """Path of an optimizer that is fed the gradients, shape (steps, ...), whatever theta does."""
    path = [np.zeros(gradients.shape[1:]) + theta0]
    state = optimizer.init(path[0])
    for g in gradients:
        theta, state = optimizer.step(path[-1], g, state)
        path.append(theta)
    return np.array(path)


# Parity with Keras


def in_keras(keras, optimizer):
    """Return the same optimizer from Keras, which would round Python floats to float32."""
    name, same_rule, _ = OPTIMIZERS[type(optimizer)]
    hyperparameters = {key: np.float64(value) for key, value in dataclasses.asdict(optimizer).items()}
    return getattr(keras.optimizers, name)(**hyperparameters, **same_rule)


def gradient_sequences(steps=100):
    """Gradients, shape (steps, 6), by name: noise of many sizes, and the gradients seen on the way down surfaces."""
    rng = np.random.default_rng(7)
    noise = rng.standard_normal((steps, 6))
    surfaces = (rosenbrock, beale, himmelblau)
    paths = [descend(SGD(1e-3), surface.gradient, surface.start, steps - 1) for surface in surfaces]
    return {
        "Gaussian": noise,
        "Gaussian with a drift": noise + 2.0,
        "sparse": noise * (rng.random(noise.shape) < 0.1),
        "tiny": 1e-5 * noise,
        "huge": 1e6 * noise,
        "fading": noise * 0.8 ** np.arange(steps)[:, None],
        "from surfaces": np.hstack([s.gradient(path) for s, path in zip(surfaces, paths, strict=True)]),
    }


@every_setting
def test_each_of_100_steps_is_that_of_keras(keras, optimizer):
    sequences = gradient_sequences()
    gradients = np.stack(list(sequences.values()), axis=1)  # the rules are elementwise: one run serves all sequences
    start = np.linspace(-1.0, 1.0, 6) if "weight_decay" in dataclasses.asdict(optimizer) else 0.0
    variable = keras.Variable(np.zeros(gradients.shape[1:]) + start)
    optimizer_in_keras = in_keras(keras, optimizer)
    expected = [variable.numpy()]
    for g in gradients:
        optimizer_in_keras.apply([g], [variable])
        expected.append(variable.numpy())
    expected = np.array(expected)
    path = run(optimizer, gradients, start)
    for i, name in enumerate(sequences):
        scale = np.abs(expected[:, i]).max()
        assert scale > 0
        atol = TOLERANCES.get(type(optimizer), 1e-12)
        np.testing.assert_allclose(path[:, i] / scale, expected[:, i] / scale, rtol=0, atol=atol, err_msg=name)


@every_rule_of_keras
def test_descent_on_a_surface_is_that_of_keras(keras, rule):
    optimizer = rule(**OPTIMIZERS[rule][2][0])
    variable, optimizer_in_keras = keras.Variable(saddle.start), in_keras(keras, optimizer)
    expected = [variable.numpy()]
    for _ in range(100):
        optimizer_in_keras.apply([saddle.gradient(variable.numpy())], [variable])
        expected.append(variable.numpy())
    path = descend(optimizer, saddle.gradient, saddle.start, steps=100)
    np.testing.assert_allclose(path, expected, rtol=0, atol=TOLERANCES.get(rule, 1e-12))


@every_rule_of_keras
def test_names_and_defaults_are_those_of_keras(keras, rule):
    parameters = inspect.signature(getattr(keras.optimizers, OPTIMIZERS[rule][0])).parameters
    for name, default in dataclasses.asdict(rule()).items():
        assert name in parameters
        # Keras' momentum is 0, for there one class is three rules; no weight decay is None there.
        assert default == (0.9 if name == "momentum" else parameters[name].default or 0.0)


# Steps worked out by hand, from theta = 0


@pytest.mark.parametrize(
    ("optimizer", "gradients", "path"),
    [
        (SGD(learning_rate=0.5), [2.0, -4.0], [0.0, -1.0, 1.0]),
        (Momentum(learning_rate=0.5, momentum=0.25), [2.0, 4.0, 0.0], [0.0, -1.0, -3.25, -3.8125]),
        (Nesterov(learning_rate=0.5, momentum=0.25), [2.0, 4.0, 0.0], [0.0, -1.25, -3.8125, -3.953125]),
        (Adagrad(learning_rate=15.0, initial_accumulator_value=6.0, epsilon=1.0), [3.0, 3.0], [0.0, -11.25, -20.25]),
        (RMSprop(learning_rate=15.0, rho=0.75, epsilon=7.0), [6.0, 3.0], [0.0, -22.5, -33.75]),
        (Adam(learning_rate=3.0, beta_1=0.5, beta_2=0.96, epsilon=1.0), [5.0, 1.0], [0.0, -1.5, -2.48]),
    ],
    ids=repr,
)
def test_steps_worked_out_by_hand(optimizer, gradients, path):
    np.testing.assert_allclose(run(optimizer, np.array(gradients)), path, rtol=1e-14)


# Laws

law = settings(max_examples=50, deadline=None)
learning_rates = st.floats(0.001, 1.0)
fractions = st.floats(0.0, 0.99)
epsilons = st.floats(1e-8, 1.0)
linear_rules = st.one_of(
    st.builds(SGD, learning_rates),
    st.builds(Momentum, learning_rates, fractions),
    st.builds(Nesterov, learning_rates, fractions),
    st.builds(ScheduleFreeSGD, learning_rates, fractions),
)
adaptive_rules = st.one_of(
    st.builds(Adagrad, learning_rates, epsilons, epsilons),
    st.builds(RMSprop, learning_rates, fractions, epsilons),
    st.builds(Adam, learning_rates, fractions, fractions, epsilons),
    # Without weight decay, which knows where theta is.
    st.builds(AdamW, learning_rates, st.just(0.0), fractions, fractions, epsilons),
    st.builds(Nadam, learning_rates, fractions, fractions, epsilons),
    st.builds(Adamax, learning_rates, fractions, fractions, epsilons),
    st.builds(Yogi, learning_rates, fractions, fractions, epsilons, epsilons),
    st.builds(ScheduleFreeAdamW, learning_rates, fractions, fractions, epsilons),
)
other_rules = st.one_of(
    st.builds(Adadelta, learning_rates, fractions, epsilons),
    st.builds(Lion, learning_rates, fractions, fractions),
)
all_rules = linear_rules | adaptive_rules | other_rules
hundredths = st.integers(-1000, 1000).map(lambda i: i / 100)
gradients_of_6_steps = arrays(float, (6, 3), elements=hundredths)
nonzero_gradients = arrays(float, (6, 3), elements=hundredths.filter(bool))
powers_of_2 = st.integers(-4, 4).map(lambda k: 2.0**k)  # multiplying by them rounds nothing: laws hold to the last bit


def assert_same(actual, expected):
    """Equal but for rounding, which is measured against the largest number, as in a sum."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max()))


@law
@given(all_rules, gradients_of_6_steps, powers_of_2)
def test_the_way_gone_is_proportional_to_the_learning_rate(optimizer, gradients, factor):
    faster = dataclasses.replace(optimizer, learning_rate=factor * optimizer.learning_rate)
    np.testing.assert_array_equal(run(faster, gradients), factor * run(optimizer, gradients))


@law
@given(all_rules, gradients_of_6_steps, st.permutations(range(3)))
def test_coordinates_do_not_see_one_another(optimizer, gradients, order):
    np.testing.assert_array_equal(run(optimizer, gradients[:, order]), run(optimizer, gradients)[:, order])
    np.testing.assert_array_equal(run(optimizer, gradients[:, :1]), run(optimizer, gradients)[:, :1])


@law
@given(all_rules, gradients_of_6_steps, arrays(float, 3, elements=st.sampled_from([-1.0, 1.0])))
def test_a_mirrored_gradient_gives_the_mirrored_path(optimizer, gradients, signs):
    np.testing.assert_array_equal(run(optimizer, gradients * signs), run(optimizer, gradients) * signs)


@law
@given(all_rules, gradients_of_6_steps, arrays(float, 3, elements=hundredths))
def test_another_starting_point_shifts_the_path(optimizer, gradients, theta0):
    assert_same(run(optimizer, gradients, theta0), theta0 + run(optimizer, gradients))


@law
@given(linear_rules, gradients_of_6_steps, arrays(float, (3, 3), elements=hundredths))
def test_sgd_both_momentums_and_schedule_free_sgd_are_linear_in_the_gradient(optimizer, gradients, matrix):
    """So a turned or stretched gradient gives the path turned or stretched."""
    path = run(optimizer, gradients)
    atol = 1e-12 * (1 + np.abs(path).max() * np.abs(matrix).max())
    np.testing.assert_allclose(run(optimizer, gradients @ matrix), path @ matrix, rtol=0, atol=atol)


@law
@given(st.data(), gradients_of_6_steps, arrays(float, 3, elements=powers_of_2))
def test_adaptive_rules_do_not_see_the_scale_of_a_coordinate(data, gradients, scale):
    """Epsilon, and what accumulators start from, scale along: squared if inside the root, as they are if outside."""
    optimizer = data.draw(adaptive_rules)
    scaled = {"epsilon": optimizer.epsilon * (scale**2 if isinstance(optimizer, (Adagrad, RMSprop)) else scale)}
    if isinstance(optimizer, (Adagrad, Yogi)):
        scaled["initial_accumulator_value"] = optimizer.initial_accumulator_value * scale**2
    path = run(dataclasses.replace(optimizer, **scaled), gradients * scale)
    np.testing.assert_array_equal(path, run(optimizer, gradients))


@law
@given(learning_rates, gradients_of_6_steps, st.sampled_from([Momentum, Nesterov]))
def test_without_momentum_both_momentums_are_sgd(learning_rate, gradients, rule):
    np.testing.assert_array_equal(run(rule(learning_rate, 0.0), gradients), run(SGD(learning_rate), gradients))


@law
@given(learning_rates, fractions, gradients_of_6_steps)
def test_nesterov_is_one_look_ahead_further_than_momentum(learning_rate, momentum, gradients):
    behind = run(Momentum(learning_rate, momentum), gradients)
    velocity = np.diff(behind, axis=0)
    assert_same(run(Nesterov(learning_rate, momentum), gradients)[1:], behind[1:] + momentum * velocity)


@law
@given(learning_rates, fractions, nonzero_gradients)
def test_adam_with_beta_1_of_0_is_rmsprop_up_to_bias_correction(learning_rate, beta_2, gradients):
    adam = Adam(learning_rate, beta_1=0.0, beta_2=beta_2, epsilon=0.0)
    rmsprop = RMSprop(learning_rate, rho=beta_2, epsilon=0.0)
    correction = np.sqrt(1 - beta_2 ** np.arange(1, 7))[:, None]
    assert_same(np.diff(run(adam, gradients), axis=0), correction * np.diff(run(rmsprop, gradients), axis=0))


@law
@given(learning_rates, fractions, fractions, arrays(float, (6, 3), elements=st.sampled_from([-1.0, 1.0])))
def test_adam_on_gradients_of_size_1_is_momentum_up_to_bias_correction(learning_rate, beta_1, beta_2, gradients):
    adam = Adam(learning_rate, beta_1, beta_2, epsilon=0.0)
    momentum = Momentum(learning_rate * (1 - beta_1), beta_1)
    correction = 1 / (1 - beta_1 ** np.arange(1, 7))[:, None]
    assert_same(np.diff(run(adam, gradients), axis=0), correction * np.diff(run(momentum, gradients), axis=0))


@law
@given(learning_rates, nonzero_gradients)
def test_adagrad_is_rmsprop_that_forgets_nothing(learning_rate, gradients):
    """With rho = 1 - 1 / t the average of RMSprop is the mean, which is Adagrad's sum over t."""
    theta, state = np.zeros(3), RMSprop().init(np.zeros(3))
    path = [theta]
    for t, g in enumerate(gradients, start=1):
        theta, state = RMSprop(learning_rate / np.sqrt(t), rho=1 - 1 / t, epsilon=0.0).step(theta, g, state)
        path.append(theta)
    assert_same(run(Adagrad(learning_rate, initial_accumulator_value=0.0, epsilon=0.0), gradients), path)


@law
@given(learning_rates, nonzero_gradients)
def test_without_memory_rmsprop_and_adam_step_by_the_sign(learning_rate, gradients):
    expected = run(SGD(learning_rate), np.sign(gradients))
    assert_same(run(RMSprop(learning_rate, rho=0.0, epsilon=0.0), gradients), expected)
    assert_same(run(Adam(learning_rate, beta_1=0.0, beta_2=0.0, epsilon=0.0), gradients), expected)


@law
@given(learning_rates, fractions, fractions, hundredths.filter(bool))
def test_steps_under_a_constant_gradient(learning_rate, a, b, g):
    t = np.arange(1, 7)
    steps = {
        Momentum(learning_rate, a): learning_rate * abs(g) * (1 - a**t) / (1 - a),
        Nesterov(learning_rate, a): learning_rate * abs(g) * (1 - a ** (t + 1)) / (1 - a),
        Adagrad(learning_rate, 0.0, 0.0): learning_rate / np.sqrt(t),
        RMSprop(learning_rate, a, 0.0): learning_rate / np.sqrt(1 - a**t),
        Adam(learning_rate, a, b, 0.0): learning_rate * np.ones(6),
    }
    for optimizer, expected in steps.items():
        assert_same(np.diff(run(optimizer, np.full(6, g))), -np.sign(g) * expected)


# What the docstrings say


def test_momentum_in_the_convention_of_pytorch_is_the_same_path_until_the_learning_rate_changes():
    gradients = gradient_sequences()["Gaussian"]
    momentum, v, theta, path = 0.8, 0.0, np.zeros(6), [np.zeros(6)]
    for g in gradients:
        v = momentum * v + g
        theta = theta - 0.1 * v
        path.append(theta)
    np.testing.assert_allclose(run(Momentum(0.1, momentum), gradients), path, rtol=0, atol=1e-12)

    before, after = Momentum(0.1, momentum), Momentum(0.01, momentum)
    theta, state = before.step(np.zeros(6), gradients[0], before.init(np.zeros(6)))
    theta, _ = after.step(theta, gradients[1], state)
    in_pytorch = -0.1 * gradients[0] - 0.01 * (momentum * gradients[0] + gradients[1])
    assert np.abs(theta - in_pytorch).max() > 0.01


def test_nesterov_is_the_look_ahead_form():
    learning_rate, momentum = 1e-3, 0.9
    phi, v = rosenbrock.start, np.zeros(2)
    look_ahead, left_behind = [], []
    for _ in range(101):
        look_ahead.append(phi + momentum * v)
        left_behind.append(phi)
        v = momentum * v - learning_rate * rosenbrock.gradient(phi + momentum * v)
        phi = phi + v
    path = descend(Nesterov(learning_rate, momentum), rosenbrock.gradient, rosenbrock.start, steps=100)
    np.testing.assert_allclose(path, look_ahead, rtol=0, atol=1e-12)

    nesterov, theta = Nesterov(learning_rate, momentum), rosenbrock.start
    state = nesterov.init(theta)
    for phi in left_behind:
        np.testing.assert_allclose(theta - momentum * state.v, phi, rtol=0, atol=1e-12)
        theta, state = nesterov.step(theta, rosenbrock.gradient(theta), state)


@pytest.mark.parametrize("sequence", ["Gaussian", "tiny", "sparse"])
def test_adam_is_algorithm_1_once_its_epsilon_is_corrected(sequence):
    learning_rate, beta_1, beta_2, epsilon = 0.1, 0.9, 0.99, 1e-4
    gradients = gradient_sequences()[sequence]
    m, v, theta = np.zeros(6), np.zeros(6), np.zeros(6)  # as Algorithm 1 of Kingma and Ba (2015) has it
    ours, state = theta, Adam().init(theta)
    for t, g in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        theta = theta - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        adam = Adam(learning_rate, beta_1, beta_2, epsilon=epsilon * np.sqrt(1 - beta_2**t))
        ours, state = adam.step(ours, g, state)
        np.testing.assert_allclose(ours, theta, rtol=0, atol=1e-12)
    uncorrected = run(Adam(learning_rate, beta_1, beta_2, epsilon), gradients)
    assert np.abs(uncorrected[-1] - theta).max() > 1e-6


def test_the_examples_in_the_docstrings():
    failed, attempted = doctest.testmod(utils.optimizers)
    assert attempted > 0
    assert failed == 0


# Steps change nothing in place


@every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_changes_none_of_its_arguments_and_keeps_their_type(rule, dtype):
    def freeze(*values):
        for a in values:
            if isinstance(a, np.ndarray):
                a.setflags(write=False)

    optimizer, theta, g = rule(), np.array([1.0, -2.0], dtype), np.array([0.5, 3.0], dtype)
    freeze(theta, g)
    state = optimizer.init(theta)
    for _ in range(3):
        freeze(*state)
        again, state_again = optimizer.step(theta, g, state)
        theta, state = optimizer.step(theta, g, state)
        np.testing.assert_array_equal(theta, again)
        for a, b in zip(state, state_again, strict=True):
            np.testing.assert_array_equal(a, b)
            assert isinstance(a, (int, float)) or a.dtype == dtype
        assert theta.dtype == dtype
        freeze(theta)


@every_rule
def test_hyperparameters_cannot_be_reassigned(rule):
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule().learning_rate = 1.0


def test_the_state_starts_at_0_but_for_adagrad():
    theta = np.array([[3.0, 4.0]])
    assert SGD().init(theta) == ()
    for state in (Momentum().init(theta), Nesterov().init(theta), RMSprop().init(theta)):
        np.testing.assert_array_equal(state[0], [[0.0, 0.0]])
    np.testing.assert_array_equal(Adagrad().init(theta).G, [[0.1, 0.1]])
    m, v, t = Adam().init(theta)
    np.testing.assert_array_equal([m, v], [[[0.0, 0.0]], [[0.0, 0.0]]])
    assert t == 0


# Hyperparameters as arrays

GRID = {
    "learning_rate": [0.01, 0.1, 0.3],
    "momentum": [0.0, 0.5, 0.9],
    "rho": [0.0, 0.5, 0.9],
    "beta_1": [0.0, 0.5, 0.9],
    "beta_2": [0.0, 0.9, 0.999],
    "epsilon": [1e-8, 1e-3, 0.1],
    "initial_accumulator_value": [0.0, 0.1, 1.0],
    "weight_decay": [0.0, 0.1, 1.0],
}


@every_rule
def test_each_run_of_a_grid_is_the_run_on_its_own(rule):
    names = [field.name for field in dataclasses.fields(rule)]
    axes = np.meshgrid(*(GRID[name] for name in names), indexing="ij", sparse=True)
    optimizer = rule(**{name: axis[..., None] for name, axis in zip(names, axes, strict=True)})
    grid = descend(optimizer, saddle.gradient, saddle.start, steps=20)
    assert grid.shape == (21, *(3 for _ in names), 2)
    for index in itertools.product(range(3), repeat=len(names)):
        values = {name: GRID[name][i] for name, i in zip(names, index, strict=True)}
        path = grid[(slice(None), *index)]
        # To the last bit among arrays; Python's own power, which numbers go through, may differ from NumPy's there.
        arrays_of_1 = rule(**{name: np.array([value]) for name, value in values.items()})
        np.testing.assert_array_equal(path, descend(arrays_of_1, saddle.gradient, saddle.start, steps=20))
        alone = descend(rule(**values), saddle.gradient, saddle.start, steps=20)
        np.testing.assert_allclose(path, alone, rtol=1e-12, atol=1e-15)


@every_rule
def test_starting_points_and_learning_rates_make_a_grid(rule):
    starts = np.array([[-1.6, 0.1], [0.5, 0.5], [1.0, -1.0], [0.2, -1.4]])
    learning_rates = np.array([0.01, 0.1, 0.3])
    grid = descend(rule(learning_rates[:, None]), saddle.gradient, starts[:, None], steps=20)
    assert grid.shape == (21, 4, 3, 2)
    for i, j in np.ndindex(4, 3):
        alone = descend(rule(learning_rates[j]), saddle.gradient, starts[i], steps=20)
        np.testing.assert_allclose(grid[:, i, j], alone, rtol=1e-12, atol=1e-15)


def test_two_runs_at_once_as_the_module_says():
    both = descend(SGD(np.array([0.1, 0.2])[:, None]), lambda theta: 2 * theta, np.array([1.0, 5.0]), steps=3)
    np.testing.assert_allclose(both[-1], [[0.8**3, 5 * 0.8**3], [0.6**3, 5 * 0.6**3]], rtol=1e-14)


# Bad arguments

FRACTIONS = ("momentum", "rho", "beta_1", "beta_2")
NOT_NEGATIVE = ("initial_accumulator_value", "epsilon", "weight_decay")
every_hyperparameter = pytest.mark.parametrize(
    ("rule", "name"),
    [(rule, field.name) for rule in OPTIMIZERS for field in dataclasses.fields(rule)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)


def out_of_range(name):
    never = [np.nan, np.inf, -np.inf, -0.1, np.array([0.5, np.nan]), np.array([[0.5], [-0.5]])]
    if name in FRACTIONS:
        return [*never, 1, 1.0, 1.5, -1e-300, np.array([0.5, 1.0])]
    if name in NOT_NEGATIVE:
        return [*never, -1e-300, np.float32(-1)]
    return [*never, 0, 0.0, np.array([0.1, 0.0]), np.float32(0)]


def at_the_border(name):
    if name in FRACTIONS:
        return [0, 0.0, np.nextafter(1.0, 0.0), np.array([0.0, 0.5])]
    if name in NOT_NEGATIVE:
        return [0, 0.0, 1e-300, 1, np.array([0, 5])]
    return [1e-300, 1, 5.0, np.float32(0.5), np.array(0.1), np.array([1, 2])]


@every_hyperparameter
def test_a_hyperparameter_out_of_its_range_is_refused_by_name_and_value(rule, name):
    for value in out_of_range(name):
        with pytest.raises(ValueError, match=f"^{name} must be finite and") as error:
            rule(**{name: value})
        assert str(error.value).endswith(f"got {value!r}")


@every_hyperparameter
def test_a_hyperparameter_that_is_no_number_is_refused_by_name_and_value(rule, name):
    for value in (None, "0.5", True, 0.5j, [0.5], (0.5,), [], np.array([True]), np.array(["0.5"]), np.array([0.5j])):
        with pytest.raises(TypeError, match=f"^{name} must be a real number or a NumPy array") as error:
            rule(**{name: value})
        assert str(error.value).endswith(f"got {value!r}")


@every_hyperparameter
def test_a_hyperparameter_at_the_border_of_its_range_is_allowed(rule, name):
    for value in at_the_border(name):
        assert getattr(rule(**{name: value}), name) is value


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("learning_rate", "greater than 0"),
        ("momentum", "at least 0 and below 1"),
        ("epsilon", "at least 0"),
    ],
)
def test_the_message_says_which_values_are_allowed(name, allowed):
    rule = Momentum if name == "momentum" else Adam
    with pytest.raises(ValueError, match=f"^{name} must be finite and {allowed}, got -1$"):
        rule(**{name: -1})


@every_rule
@pytest.mark.parametrize("theta", [1, [1, 2], np.array([1, 2]), np.array([True]), np.array([1j]), "ab"], ids=repr)
def test_theta_that_is_not_of_floats_is_refused(rule, theta):
    with pytest.raises(TypeError, match=r"^theta must be an array of floats") as error:
        rule().init(theta)
    assert repr(theta) in str(error.value)
    with pytest.raises(TypeError, match=r"^theta0 must be an array of floats") as error:
        descend(rule(), lambda theta: theta, theta, steps=1)
    assert repr(theta) in str(error.value)


@every_rule
@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1), (2, 3)], ids=repr)
def test_a_gradient_of_another_shape_is_refused(rule, shape):
    optimizer, theta = rule(), np.ones(3)
    for call in (
        lambda: optimizer.step(theta, np.ones(shape), optimizer.init(theta)),
        lambda: descend(optimizer, lambda theta: np.ones(shape), theta, steps=1),
    ):
        with pytest.raises(ValueError, match=r"^g must have the shape of theta") as error:
            call()
        assert str(error.value).endswith(f"(3,), got shape {shape}")


def test_a_gradient_that_misses_the_axis_of_the_hyperparameters_is_refused():
    with pytest.raises(ValueError, match=r"^g must have the shape of theta"):
        descend(SGD(np.array([0.1, 0.2])[:, None]), lambda theta: np.ones(3), np.ones(3), steps=1)


NO_GRADIENTS = [
    [1.0, 2.0],
    [[1.0], [2.0, 3.0]],
    (1.0, 2.0),
    array.array("d", [1.0, 2.0]),
    np.array([1.0, 2.0j]),
    np.array([1.0, None]),
    np.array(["1", "2"]),
    np.array([True, False]),
    None,
    "12",
    1j,
    True,
]


def descend_by_sign(theta, g):
    """A reader's own rule, which checks nothing itself."""
    return descend(SignDescent(0.1), lambda theta: g, theta, steps=1)


@pytest.mark.parametrize("g", NO_GRADIENTS, ids=repr)
def test_a_gradient_that_is_no_array_of_real_numbers_is_refused(g):
    theta = np.ones(2)
    calls = [descend_by_sign]
    for rule in OPTIMIZERS:
        # Whole numbers, because a list times a whole number is a longer list.
        optimizer = rule(learning_rate=2)
        calls += [
            lambda theta, g, optimizer=optimizer: optimizer.step(theta, g, optimizer.init(theta)),
            lambda theta, g, optimizer=optimizer: descend(optimizer, lambda theta: g, theta, steps=1),
        ]
    for call in calls:
        with pytest.raises(TypeError, match=r"^g must be an array of real numbers, got ") as error:
            call(theta, g)
        assert repr(g) in str(error.value)


@every_rule
@pytest.mark.parametrize("g", [3, 3.0, np.float32(3), np.int8(3), np.array(3)], ids=repr)
def test_a_number_is_a_gradient_where_theta_is_one(rule, g):
    path = descend(rule(), lambda theta: g, 1.0, steps=2)
    np.testing.assert_allclose(path, descend(rule(), lambda theta: np.float64(3), 1.0, steps=2), rtol=1e-7)


def test_a_gradient_may_be_of_whole_numbers():
    path = descend(SGD(0.5), lambda theta: np.array([1, -2]), np.zeros(2), steps=2)
    np.testing.assert_array_equal(path, [[0, 0], [-0.5, 1], [-1, 2]])


# The loop


@dataclasses.dataclass
class SignDescent:
    learning_rate: float

    def init(self, theta):
        return ()

    def step(self, theta, g, state):
        return theta - self.learning_rate * np.sign(g), state


def in_place(change):
    """A gradient function that changes theta on its way."""

    def gradient(theta):
        change(theta)
        return 2 * theta

    return gradient


@every_rule
@pytest.mark.parametrize(
    "gradient",
    [
        in_place(lambda theta: theta.__isub__(1.0)),
        in_place(lambda theta: theta.__setitem__(0, 0.0)),
        in_place(lambda theta: np.multiply(theta, 2.0, out=theta)),
        in_place(lambda theta: np.clip(theta, 0, 1, out=theta)),
        in_place(lambda theta: theta.sort()),
        in_place(lambda theta: theta.fill(0.0)),
    ],
)
def test_a_gradient_function_that_changes_theta_is_told_so(rule, gradient):
    theta0 = np.array([3.0, 2.0])
    for change_at in (0, 1, 5):
        calls = iter(range(9))

        def later(theta, calls=calls, change_at=change_at):
            return gradient(theta) if next(calls) == change_at else 2 * theta

        with pytest.raises(ValueError, match=r"^theta must not be changed in place: write theta = theta - 1"):
            descend(rule(), later, theta0, steps=7)
        assert next(calls) == change_at + 1
        np.testing.assert_array_equal(theta0, [3.0, 2.0])


def test_a_rule_that_changes_theta_is_told_so():
    class InPlace(SignDescent):
        def step(self, theta, g, state):
            theta -= self.learning_rate * g
            return theta, state

    class InPlaceAtTheStart(SignDescent):
        def init(self, theta):
            theta -= 1.0

    for rule in (InPlace(0.1), InPlaceAtTheStart(0.1)):
        theta0 = np.array([3.0, 2.0])
        with pytest.raises(ValueError, match=r"^theta must not be changed in place"):
            descend(rule, lambda theta: 2 * theta, theta0, steps=3)
        np.testing.assert_array_equal(theta0, [3.0, 2.0])


def test_another_error_of_a_gradient_function_comes_through():
    error = ValueError("no gradient here")

    def gradient(theta):
        raise error

    with pytest.raises(ValueError, match=r"^no gradient here$") as raised:
        descend(SGD(), gradient, np.ones(2), steps=1)
    assert raised.value is error


def test_a_rule_may_change_its_own_state_in_place_and_a_gradient_its_own_memory():
    class Heavy(SignDescent):
        def init(self, theta):
            return np.zeros_like(theta)

        def step(self, theta, g, v):
            v *= 0.9
            v -= self.learning_rate * g
            return theta + v, v

    memory = np.empty(2)
    path = descend(Heavy(0.1), lambda theta: np.multiply(2, theta, out=memory), np.array([3.0, 2.0]), steps=20)
    expected = descend(Momentum(0.1, 0.9), lambda theta: 2 * theta, np.array([3.0, 2.0]), steps=20)
    np.testing.assert_allclose(path, expected, rtol=1e-14)
    path[0] = 7.0  # the path is the caller's


def test_descend_on_a_bowl_is_the_closed_form():
    path = descend(SGD(learning_rate=0.25), quadratic([1.0, 3.0]).gradient, np.array([4.0, -8.0]), steps=5)
    t = np.arange(6)
    np.testing.assert_array_equal(path, np.stack([4 * 0.75**t, -8 * 0.25**t], axis=1))


@pytest.mark.parametrize("steps", [0, 1, 7, np.int64(7)], ids=repr)
def test_the_gradient_is_asked_once_a_step_at_the_point_before_it(steps):
    asked = []

    def gradient(theta):
        asked.append(theta)
        return himmelblau.gradient(theta)

    path = descend(Momentum(), gradient, himmelblau.start, steps)
    assert path.shape == (steps + 1, 2)
    np.testing.assert_array_equal(path[0], himmelblau.start)
    np.testing.assert_array_equal(np.reshape(asked, (steps, 2)), path[:-1])


@every_rule
@pytest.mark.parametrize("theta0", [2.0, np.float64(2.0), np.array(2.0), [2.0, 1.0], np.full((2, 1, 3), 2.0)], ids=repr)
def test_theta_has_any_shape(rule, theta0):
    path = descend(rule(), lambda theta: 2 * theta, theta0, steps=4)
    assert path.shape == (5, *np.shape(theta0))
    assert (np.diff(path, axis=0) < 0).all()


@every_rule
def test_theta0_stays_as_it_was_and_apart_from_the_path(rule):
    theta0 = np.array([1.0, 2.0])
    path = descend(rule(), lambda theta: 2 * theta, theta0, steps=3)
    np.testing.assert_array_equal(theta0, [1.0, 2.0])
    path[0] = 7.0
    np.testing.assert_array_equal(theta0, [1.0, 2.0])


@every_rule
def test_the_path_has_the_type_that_the_arithmetic_has(rule):
    def dtype(optimizer, theta0):
        seen = set()

        def gradient(theta):
            seen.add(theta.dtype)
            return 2 * theta

        path = descend(optimizer, gradient, theta0, steps=3)
        assert seen == {path.dtype}, "theta changes its type on the way"
        return path.dtype

    half, single, double = np.ones(2, np.float16), np.ones(2, np.float32), np.ones(2)
    assert dtype(rule(), half) == np.float16
    assert dtype(rule(), single) == np.float32
    assert dtype(rule(), double) == np.float64
    assert dtype(rule(np.full((3, 1), 0.1)), single) == np.float64
    assert dtype(rule(np.full((3, 1), 0.1, np.float32)), single) == np.float32
    assert dtype(rule(np.full((3, 1), 0.1, np.float32)), double) == np.float64


@every_rule
def test_divergence_goes_on_as_inf_or_nan_without_a_warning(rule):
    path = descend(rule(learning_rate=10.0), lambda theta: theta**3, np.array([1e3, -1e3]), steps=400)
    assert np.isfinite(path[0]).all()
    if rule in (SGD, Momentum, Nesterov):
        assert not np.isfinite(path[-1]).any()
    path = descend(rule(learning_rate=10.0), lambda theta: theta**3, np.array([1e200, 1.0]), steps=3)
    assert path.shape == (4, 2)
    with pytest.warns(RuntimeWarning, match="overflow"):  # the loop's silence ends with the loop
        np.float64(1e200) ** 2


@pytest.mark.parametrize("steps", [-1, 1.5, 2.0, np.nan, True, False, np.True_, "3", None, [3]], ids=repr)
def test_steps_that_are_no_count_are_refused(steps):
    with pytest.raises(ValueError, match=r"^steps must be a whole number, at least 0") as error:
        descend(SGD(), lambda theta: theta, np.ones(2), steps)
    assert str(error.value).endswith(f"got {steps!r}")


@pytest.mark.parametrize("theta0", [np.nan, [1.0, np.nan], np.array([np.inf, 0.0]), [[-np.inf]]], ids=repr)
def test_a_start_that_is_not_finite_is_refused(theta0):
    with pytest.raises(ValueError, match=r"^theta0 must be finite") as error:
        descend(SGD(), lambda theta: theta, theta0, steps=1)
    assert str(error.value).endswith(f"got {np.asarray(theta0)!r}")


def test_descend_runs_any_dataclass_with_init_and_step():
    class Broadcast(SignDescent):
        def init(self, theta):
            np.testing.assert_array_equal(theta, [[2.0], [2.0]])

    path = descend(Broadcast(np.array([[0.5], [0.25]])), lambda theta: theta, np.array([2.0]), steps=2)
    np.testing.assert_array_equal(path[:, :, 0], [[2.0, 2.0], [1.5, 1.75], [1.0, 1.5]])


# A schedule of the learning rate


def test_a_schedule_is_asked_for_the_rate_of_each_step():
    path = descend(SGD(), lambda theta: np.ones_like(theta), np.zeros(1), steps=3, schedule=lambda step: 10.0**step)
    np.testing.assert_array_equal(path[:, 0], [0.0, -1.0, -11.0, -111.0])


@every_rule
def test_a_constant_schedule_is_the_rate_itself_and_the_optimizers_own_is_not_used(rule):
    path = descend(rule(5.0), saddle.gradient, saddle.start, steps=20, schedule=lambda step: 0.1)
    np.testing.assert_array_equal(path, descend(rule(0.1), saddle.gradient, saddle.start, steps=20))


def test_state_goes_on_when_the_rate_changes():
    rates, momentum = [0.1, 0.01, 0.2], Momentum(momentum=0.5)
    path = descend(momentum, saddle.gradient, saddle.start, steps=3, schedule=lambda step: rates[step])
    theta, v = saddle.start, np.zeros(2)
    for rate, expected in zip(rates, path[1:], strict=True):
        v = 0.5 * v - rate * saddle.gradient(theta)
        theta = theta + v
        np.testing.assert_array_equal(theta, expected)
    assert momentum == Momentum(momentum=0.5)


def test_a_schedule_of_many_rates_makes_a_grid():
    rates = np.array([0.01, 0.1])[:, None]
    grid = descend(Adam(), saddle.gradient, saddle.start, steps=9, schedule=lambda step: rates / (1 + step))
    assert grid.shape == (10, 2, 2)
    for i, rate in enumerate(rates):
        alone = descend(
            Adam(), saddle.gradient, saddle.start, steps=9, schedule=lambda step, rate=rate: rate / (1 + step)
        )
        np.testing.assert_allclose(grid[:, i], alone, rtol=1e-14)


def test_a_schedule_may_come_to_0_and_there_sgd_stands_still():
    path = descend(SGD(), lambda theta: 2 * theta, np.ones(2), steps=4, schedule=lambda step: max(0.2 - 0.1 * step, 0))
    assert (path[2:] == path[2]).all()
    assert (np.diff(path[:3], axis=0) < 0).all()


@pytest.mark.parametrize("rate", [-0.1, np.nan, np.inf, np.array([0.1, -1.0])], ids=repr)
def test_a_rate_out_of_range_is_refused_at_the_step_that_has_it(rate):
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.1 if step < 2 else rate

    with pytest.raises(ValueError, match=r"^the learning rate of the schedule must be finite and at least 0") as error:
        descend(SGD(), lambda theta: theta, np.ones(2), steps=5, schedule=schedule)
    assert str(error.value).endswith(f"got {rate!r}")
    assert asked[-1] == 2


@pytest.mark.parametrize("rate", [None, "0.1", [0.1], True], ids=repr)
def test_a_rate_that_is_no_number_is_refused(rate):
    with pytest.raises(TypeError, match=r"^the learning rate of the schedule must be a real number"):
        descend(SGD(), lambda theta: theta, np.ones(2), steps=5, schedule=lambda step: rate)

"""Tests of what only the rules of utils.beyond_adam have; test_optimizers.py runs the laws of all rules for them."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.test_optimizers import (
    OPTIMIZERS,
    assert_same,
    epsilons,
    fractions,
    gradient_sequences,
    gradients_of_6_steps,
    hundredths,
    in_keras,
    law,
    learning_rates,
    nonzero_gradients,
    powers_of_2,
    run,
)
from utils.beyond_adam import (
    Adadelta,
    Adamax,
    AdamW,
    Lion,
    Muon,
    Nadam,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    Yogi,
    orthogonalise,
)
from utils.optimizers import SGD, Adam, descend
from utils.surfaces import rosenbrock, saddle

# Steps worked out by hand


@pytest.mark.parametrize(
    ("optimizer", "start", "gradients", "path"),
    [
        # Without decay this goes to 6.5 and 5.52, as in test_optimizers.py: 0.01 of 8, then of 6.42, goes beside it.
        (AdamW(3.0, 0.01 / 3, beta_1=0.5, beta_2=0.96, epsilon=1.0), 8.0, [5.0, 1.0], [8.0, 6.42, 5.3758]),
        (Adamax(3.0, beta_1=0.5, beta_2=0.25, epsilon=1.0), 0.0, [5.0, 1.0], [0.0, -2.5, -2.5 - 28 / 9]),
        (Adadelta(2.0, rho=0.75, epsilon=9.0), 0.0, [8.0], [0.0, -9.6]),
        (Adadelta(1.0, rho=0.0, epsilon=1.0), 0.0, [np.sqrt(3.0), np.sqrt(7.0)], [0.0, -np.sqrt(0.75), -2.103462]),
        (Yogi(3.0, beta_1=0.5, beta_2=0.75, epsilon=1.0, initial_accumulator_value=0.0), 0.0, [4.0], [0.0, -2.4]),
        (Lion(0.5, beta_1=0.75, beta_2=0.5), 0.0, [8.0, -2.0, -16.0], [0.0, -0.5, -1.0, -0.5]),
        (Lion(0.5, beta_1=0.75, beta_2=0.5, weight_decay=0.25), 8.0, [8.0, -2.0], [8.0, 6.5, 5.1875]),
        (ScheduleFreeSGD(1.0, beta_1=0.5), 0.0, [2.0, 4.0, 2.0], [0.0, -2.0, -5.0, -20 / 3]),
        (ScheduleFreeAdamW(3.0, beta_1=0.5, beta_2=0.96, epsilon=1.0), 0.0, [5.0], [0.0, -2.5]),
    ],
    ids=repr,
)
def test_steps_worked_out_by_hand(optimizer, start, gradients, path):
    np.testing.assert_allclose(run(optimizer, np.array(gradients), start), path, rtol=2e-5)


def test_two_steps_of_nadam_worked_out_by_hand():
    mu = [0.5 * (1 - 0.5 * 0.96**t) for t in (1, 2, 3)]
    first = mu[1] * 2.5 / (1 - mu[0] * mu[1]) + (1 - mu[0]) * 5 / (1 - mu[0])
    second = mu[2] * 1.75 / (1 - mu[0] * mu[1] * mu[2]) + (1 - mu[1]) * 1 / (1 - mu[0] * mu[1])
    steps = [3 * first / (5 + 1), 3 * second / (np.sqrt((0.96 + 0.04) / (1 - 0.96**2)) + 1)]
    path = run(Nadam(3.0, beta_1=0.5, beta_2=0.96, epsilon=1.0), np.array([5.0, 1.0]))
    np.testing.assert_allclose(-np.diff(path), steps, rtol=1e-14)


# Special cases and limits


@law
@given(learning_rates, fractions, fractions, epsilons, gradients_of_6_steps, st.floats(-5, 5))
def test_without_decay_adamw_is_adam(learning_rate, beta_1, beta_2, epsilon, gradients, start):
    ours = AdamW(learning_rate, 0.0, beta_1, beta_2, epsilon)
    adam = Adam(learning_rate, beta_1, beta_2, epsilon)
    np.testing.assert_array_equal(run(ours, gradients, start), run(adam, gradients, start))


@law
@given(learning_rates, st.floats(0, 1), gradients_of_6_steps, st.floats(-5, 5))
def test_decay_takes_a_share_of_theta_whatever_the_gradients_were(learning_rate, weight_decay, gradients, start):
    decay = learning_rate * weight_decay
    theta = np.full(3, start)
    for rule, adam in ((AdamW(learning_rate, weight_decay), Adam(learning_rate)),):
        state, state_of_adam = rule.init(theta), adam.init(theta)
        for g in gradients:
            expected, state_of_adam = adam.step(theta, g, state_of_adam)
            after, state = rule.step(theta, g, state)
            assert_same(after, expected - decay * theta)
            theta = after


@pytest.mark.parametrize("rule", [AdamW, Lion, Muon])
def test_where_no_gradient_comes_decay_alone_acts_at_the_rate_times_its_strength(rule):
    optimizer = rule(learning_rate=0.5, weight_decay=0.2)
    path = run(optimizer, np.zeros((4, 2, 3)), 1.0)
    np.testing.assert_allclose(path[:, 0, 0], 0.9 ** np.arange(5), rtol=1e-14)
    assert np.ptp(path, axis=(1, 2)).max() == 0


def test_decay_is_not_an_l2_penalty_under_adam():
    """A penalty goes through the root: the coordinate with large gradients is hardly held back by it."""
    gradients = np.array([0.1, 10.0]) * np.sign(np.sin(np.arange(400)))[:, None]
    start, strength = np.array([1.0, 1.0]), 0.05

    def left(optimizer, penalty):
        theta, state = start, optimizer.init(start)
        for g in gradients:
            theta, state = optimizer.step(theta, g + penalty * theta, state)
        return theta

    decoupled, penalised = left(AdamW(0.01, strength), 0.0), left(Adam(0.01), strength)
    without = left(Adam(0.01), 0.0)
    assert abs((without - decoupled)[0] - (without - decoupled)[1]) < 0.01
    assert (without - penalised)[0] > 5 * (without - penalised)[1]


@law
@given(learning_rates, fractions, nonzero_gradients)
def test_without_momentum_nadam_is_adam(learning_rate, beta_2, gradients):
    nadam = Nadam(learning_rate, beta_1=0.0, beta_2=beta_2, epsilon=0.0)
    assert_same(run(nadam, gradients), run(Adam(learning_rate, 0.0, beta_2, 0.0), gradients))


def test_the_momentum_of_nadam_grows_from_half_and_its_steps_under_a_constant_gradient_are_the_rate():
    """Each of the two parts of m_hat is a mean corrected for its start, so they add up to less than the gradient."""
    steps = -np.diff(run(Nadam(1.0, 0.9, 0.9, epsilon=0.0), np.full(400, 3.0)))
    assert abs(steps[-1] - 1) < 1e-4
    assert steps.max() > 1.01


@law
@given(learning_rates, fractions, st.floats(0.5, 0.99), hundredths.filter(bool))
def test_adamax_steps_by_the_rate_under_a_constant_gradient(learning_rate, beta_1, beta_2, g):
    steps = np.diff(run(Adamax(learning_rate, beta_1, beta_2, 0.0), np.full(6, g)))
    assert_same(steps, -np.sign(g) * learning_rate * np.ones(6))


def test_the_maximum_of_adamax_remembers_a_large_gradient_and_forgets_it_by_the_share():
    adamax, theta = Adamax(beta_1=0.0, beta_2=0.5, epsilon=0.0), np.zeros(1)
    state, seen = adamax.init(theta), []
    for g in (8.0, 1.0, -1.0, 1.0, -3.0):
        theta, state = adamax.step(theta, np.array([g]), state)
        seen.append(state.u[0])
    assert seen == [8.0, 4.0, 2.0, 1.0, 3.0]


@law
@given(st.floats(0.0, 0.99), epsilons, gradients_of_6_steps, arrays(float, 3, elements=powers_of_2))
def test_epsilon_sets_the_scale_of_adadelta(rho, epsilon, gradients, scale):
    """Gradients and the root of epsilon made s times as large give a path s times as large: no other unit is there."""
    path = run(Adadelta(1.0, rho, epsilon * scale**2), gradients * scale)
    np.testing.assert_array_equal(path, scale * run(Adadelta(1.0, rho, epsilon), gradients))


def test_the_first_step_of_adadelta_is_about_the_root_of_epsilon():
    step = run(Adadelta(1.0, rho=0.95, epsilon=1e-6), np.array([7.0]))[1]
    assert abs(step + np.sqrt(1e-6 / 0.05)) < 1e-9
    assert not run(Adadelta(1.0, epsilon=0.0), np.ones((50, 2))).any()


@law
@given(fractions, st.floats(0.5, 0.99), st.floats(0, 5), gradients_of_6_steps)
def test_the_average_of_yogi_moves_by_a_share_of_the_new_square_towards_it(beta_1, beta_2, value, gradients):
    yogi, theta = Yogi(0.1, beta_1, beta_2, initial_accumulator_value=value), np.zeros(3)
    state = yogi.init(theta)
    assert (state.v == value).all()
    for g in gradients:
        before = state.v
        theta, state = yogi.step(theta, g, state)
        np.testing.assert_allclose(np.abs(state.v - before), (1 - beta_2) * g**2 * (before != g**2), atol=1e-12)
        assert ((state.v - before) * (g**2 - before) >= 0).all()
        assert (state.v >= 0).all()


@law
@given(learning_rates, fractions, fractions, nonzero_gradients)
def test_yogi_that_only_grows_is_adam_without_its_forgetting(learning_rate, beta_1, beta_2, gradients):
    """From 0 and with gradients that double, v adds (1 - beta_2) g^2 each time, and nothing fades."""
    gradients = np.abs(gradients[:1]) * 2.0 ** np.arange(6)[:, None]
    path = run(Yogi(learning_rate, beta_1, beta_2, 0.0, 0.0), gradients)
    t = np.arange(1, 7)[:, None]
    m = np.cumsum(gradients * (1 - beta_1) * beta_1 ** -(t - 1.0) if beta_1 > 0.2 else 0 * gradients, axis=0)
    if beta_1 > 0.2:
        m_hat = m * beta_1 ** (t - 1.0) / (1 - beta_1**t)
        v_hat = (1 - beta_2) * np.cumsum(gradients**2, axis=0) / (1 - beta_2**t)
        assert_same(np.diff(path, axis=0), -learning_rate * m_hat / np.sqrt(v_hat))


@law
@given(learning_rates, fractions, fractions, gradients_of_6_steps, arrays(float, 3, elements=powers_of_2))
def test_lion_sees_signs_only_and_each_step_is_the_rate(learning_rate, beta_1, beta_2, gradients, scale):
    lion = Lion(learning_rate, beta_1, beta_2)
    path = run(lion, gradients)
    np.testing.assert_array_equal(path, run(lion, gradients * scale))
    steps = np.abs(np.diff(path, axis=0))
    assert (np.isclose(steps, learning_rate, rtol=1e-9) | (steps == 0)).all()


@law
@given(learning_rates, fractions, gradients_of_6_steps)
def test_without_momentum_lion_steps_by_the_sign_of_the_gradient(learning_rate, beta_2, gradients):
    expected = run(SGD(learning_rate), np.sign(gradients))
    np.testing.assert_array_equal(run(Lion(learning_rate, 0.0, beta_2), gradients), expected)


# Schedule-Free


@law
@given(learning_rates, gradients_of_6_steps, st.floats(-5, 5))
def test_without_its_mean_schedule_free_sgd_is_sgd(learning_rate, gradients, start):
    path = run(ScheduleFreeSGD(learning_rate, 0.0), gradients, start)
    np.testing.assert_array_equal(path, run(SGD(learning_rate), gradients, start))


@pytest.mark.parametrize("rule", [ScheduleFreeSGD, ScheduleFreeAdamW])
@pytest.mark.parametrize("beta_1", [0.0, 0.5, 0.9, np.array([[0.0], [0.98]])], ids=repr)
def test_x_is_the_mean_of_the_points_z_and_is_found_from_the_path(rule, beta_1):
    optimizer = rule(0.001, beta_1)
    path = descend(optimizer, rosenbrock.gradient, rosenbrock.start, steps=40)
    theta, means, zs = path[0], [path[0]], []
    state = optimizer.init(theta)
    for expected in path[1:]:
        theta, state = optimizer.step(theta, rosenbrock.gradient(theta), state)
        np.testing.assert_allclose(theta, expected, rtol=1e-14)
        means.append(state.x)
        zs.append(state.z)
        np.testing.assert_allclose(state.x, np.mean(zs, axis=0), rtol=1e-12)
        np.testing.assert_allclose(theta, (1 - beta_1) * state.z + beta_1 * state.x, rtol=1e-14)
    before = path.copy()
    np.testing.assert_allclose(optimizer.average(path), means, rtol=1e-11)
    np.testing.assert_array_equal(path, before)


def test_z_of_schedule_free_adamw_takes_adams_steps_without_momentum():
    gradients = gradient_sequences()["Gaussian"]
    optimizer = ScheduleFreeAdamW(0.1, 0.9, beta_2=0.99, epsilon=0.0)
    state, theta, z = optimizer.init(np.zeros(6)), np.zeros(6), []
    for g in gradients:
        theta, state = optimizer.step(theta, g, state)
        z.append(state.z)
    np.testing.assert_allclose(z, run(Adam(0.1, 0.0, 0.99, 0.0), gradients)[1:], rtol=0, atol=1e-12)


# Muon

MUONS = [
    Muon(),
    Muon(0.03, momentum=0.6, weight_decay=1.0, rms_rate=0.5),
    Muon(0.1, momentum=0.0, weight_decay=0.0, rms_rate=1.0),
]


def matrices(n, m, steps=100):
    return np.random.default_rng(n + m).standard_normal((steps, n, m)) + np.linspace(-1, 1, m)


@pytest.mark.parametrize("optimizer", MUONS, ids=repr)
@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3)], ids=repr)
def test_each_of_100_steps_of_muon_is_that_of_keras(keras, optimizer, shape):
    gradients = matrices(*shape) * 10.0 ** np.repeat([0, -6, 6, -3, 3], 20)[:, None, None]
    variable = keras.Variable(np.ones(shape))
    settings = {key: np.float64(value) for key, value in dataclasses.asdict(optimizer).items()}
    in_keras, expected = keras.optimizers.Muon(**settings), [variable.numpy()]
    for g in gradients:
        in_keras.apply([g], [variable])
        expected.append(variable.numpy())
    scale = np.abs(expected).max()
    np.testing.assert_allclose(run(optimizer, gradients, 1.0) / scale, expected / scale, rtol=0, atol=1e-12)


def test_names_and_defaults_of_muon_are_those_of_keras(keras):
    config = keras.optimizers.Muon().get_config()
    ours = dataclasses.asdict(Muon())
    np.testing.assert_allclose([config[name] for name in ours], list(ours.values()), rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (2, 3, 7)], ids=repr)
def test_orthogonalise_brings_singular_values_near_1_and_keeps_directions(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    assert s.max() / s.min() > 1.5
    result = orthogonalise(matrix)
    inner = u.mT @ result @ vt.mT
    values = np.diagonal(inner, axis1=-2, axis2=-1)
    np.testing.assert_allclose(inner, values[..., None] * np.eye(min(shape[-2:])), atol=1e-12)
    assert values.min() > 0.65
    assert values.max() < 1.25
    assert np.abs(result - u @ vt).max() < 0.4


def test_more_steps_lift_smaller_singular_values_and_none_is_a_matrix_over_its_norm():
    matrix = np.diag([1.0, 1e-4])
    np.testing.assert_allclose(orthogonalise(matrix, 0), matrix / (np.linalg.norm(matrix) + 1e-7), rtol=1e-14)
    assert orthogonalise(matrix)[1, 1] < 0.1
    assert 0.65 < orthogonalise(matrix, 12)[1, 1] < 1.25
    once, value = orthogonalise(matrix, 1)[0, 0], 1 / (np.linalg.norm(matrix) + 1e-7)
    np.testing.assert_allclose(once, 3.4445 * value - 4.775 * value**3 + 2.0315 * value**5, rtol=1e-14)


@pytest.mark.parametrize("shape", [(40, 40), (10, 90), (90, 10)], ids=repr)
def test_the_entries_of_a_step_of_muon_have_the_size_that_its_docstring_says(shape):
    step = np.diff(run(Muon(0.01, weight_decay=0.0), matrices(*shape, steps=1)), axis=0)
    assert 0.8 < np.sqrt(np.mean(step**2)) / (0.01 * 0.2) < 1.1


def test_muon_turns_with_its_matrix():
    """Turned rows and columns give a turned path: no coordinate is special, as one is for all elementwise rules."""
    rng = np.random.default_rng(3)
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (4, 6))
    gradients = matrices(4, 6, steps=10)
    path = run(Muon(0.1), gradients)
    np.testing.assert_allclose(run(Muon(0.1), left @ gradients @ right), left @ path @ right, atol=1e-12)
    np.testing.assert_allclose(run(Muon(0.1), gradients.mT), path.mT, atol=1e-12)
    adam = run(Adam(0.1), gradients)
    assert np.abs(run(Adam(0.1), left @ gradients @ right) - left @ adam @ right).max() > 0.01


def test_muon_does_not_see_the_size_of_the_gradient_and_stands_still_at_0():
    gradients = matrices(4, 6, steps=10)
    np.testing.assert_allclose(run(Muon(0.1), 1e3 * gradients), run(Muon(0.1), gradients), rtol=0, atol=1e-6)
    assert not run(Muon(0.1), np.zeros((3, 4, 6))).any()


def test_muon_runs_grids_and_stacks():
    matrix = np.random.default_rng(1).standard_normal((3, 5))
    rates, momenta = np.array([0.01, 0.1, 0.3]), np.array([0.0, 0.9])
    grid = descend(Muon(rates[:, None, None, None], momenta[:, None, None]), lambda a: a - 1, matrix, steps=9)
    assert grid.shape == (10, 3, 2, 3, 5)
    for i, j in np.ndindex(3, 2):
        alone = descend(Muon(rates[i], momenta[j]), lambda a: a - 1, matrix, steps=9)
        np.testing.assert_allclose(grid[:, i, j], alone, rtol=1e-12, atol=1e-14)


def test_each_matrix_of_a_stack_goes_its_own_way():
    gradients = np.random.default_rng(2).standard_normal((5, 9, 2, 3))
    path = run(Muon(0.1), gradients, 1.0)
    for i in range(9):
        np.testing.assert_allclose(path[:, i], run(Muon(0.1), gradients[:, i], 1.0), rtol=1e-12)


@pytest.mark.parametrize("theta", [1.0, np.ones(3)], ids=repr)
def test_muon_refuses_what_is_no_matrix(theta):
    with pytest.raises(ValueError, match=r"^theta must be a matrix, or a stack of them, got shape"):
        Muon().init(theta)


def test_muon_refuses_what_other_rules_refuse():
    for name in ("learning_rate", "rms_rate"):
        for value in (0.0, -1.0, np.nan):
            with pytest.raises(ValueError, match=f"^{name} must be finite and greater than 0"):
                Muon(**{name: value})
    for value in (-0.1, 1.0):
        with pytest.raises(ValueError, match=r"^momentum must be finite and at least 0 and below 1"):
            Muon(momentum=value)
    with pytest.raises(ValueError, match=r"^weight_decay must be finite and at least 0"):
        Muon(weight_decay=-0.1)
    with pytest.raises(TypeError, match=r"^theta must be an array of floats"):
        Muon().init(np.ones((2, 2), int))
    muon, theta = Muon(), np.ones((2, 3))
    for g, error in ((np.ones((3, 2)), ValueError), (np.ones((2, 3)) * 1j, TypeError), (None, TypeError)):
        with pytest.raises(error, match=r"^g must"):
            muon.step(theta, g, muon.init(theta))


def test_hyperparameters_of_muon_cannot_be_reassigned():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Muon().learning_rate = 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_of_muon_changes_nothing_in_place_and_keeps_the_type(dtype):
    theta, g = np.ones((2, 3), dtype), matrices(2, 3, 1)[0].astype(dtype)
    theta.setflags(write=False)
    g.setflags(write=False)
    state = Muon().init(theta)
    state.v.setflags(write=False)
    after, state_after = Muon().step(theta, g, state)
    assert after.dtype == state_after.v.dtype == dtype
    assert not state.v.any()


# Keras' Schedule-Free, on TensorFlow and on JAX


def as_tensorflows_keras(optimizer, gradients, start):
    """Keras' lines as they act where ``variable.value`` is the variable: z has moved before x is recovered with it."""
    y, z, v, path = start, start, 0.0, [start]
    for t, g in enumerate(gradients, start=1):
        v = optimizer.beta_2 * v + (1 - optimizer.beta_2) * g**2
        z = z - optimizer.learning_rate * g / (np.sqrt(v / (1 - optimizer.beta_2**t)) + optimizer.epsilon)
        x = (y - (1 - optimizer.beta_1) * z) / optimizer.beta_1
        x = (1 - 1 / t) * x + z / t
        y = (1 - optimizer.beta_1) * z + optimizer.beta_1 * x
        path.append(y)
    return np.array(path)


@pytest.mark.parametrize("optimizer", [ScheduleFreeAdamW(), ScheduleFreeAdamW(0.03, 0.6, 0.8, 0.01)], ids=repr)
def test_schedule_free_adamw_of_keras_on_tensorflow_is_another_rule(keras, optimizer):
    gradients, start = gradient_sequences()["Gaussian"], np.full(6, 1.5)
    variable, theirs = keras.Variable(start), in_keras(keras, optimizer)
    path = [start]
    for g in gradients:
        theirs.apply([g], [variable])
        path.append(variable.numpy())
    np.testing.assert_allclose(path, as_tensorflows_keras(optimizer, gradients, start), rtol=0, atol=1e-12)
    assert np.abs(path - run(optimizer, gradients, start)).max() > 1e-3


ON_JAX = """
import json, sys
import jax
jax.config.update("jax_enable_x64", True)
import keras
import numpy as np
keras.backend.set_floatx("float64")
name, settings, gradients, start = json.load(sys.stdin)
variable = keras.Variable(np.array(start))
optimizer = getattr(keras.optimizers, name)(**{key: np.float64(value) for key, value in settings.items()})
path = [start]
for g in gradients:
    optimizer.apply([keras.ops.convert_to_tensor(np.array(g))], [variable])
    path.append(np.asarray(variable.value).tolist())
print(json.dumps(path))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer", [Nadam(**OPTIMIZERS[Nadam][2][0]), ScheduleFreeAdamW(**OPTIMIZERS[ScheduleFreeAdamW][2][0])], ids=repr
)
def test_each_of_100_steps_is_that_of_keras_on_jax(optimizer):
    pytest.importorskip("jax", reason="pip install --requirement requirements-frameworks.txt")
    gradients, start = gradient_sequences()["Gaussian with a drift"], np.full(6, 1.5)
    work = [type(optimizer).__name__, dataclasses.asdict(optimizer), gradients.tolist(), start.tolist()]
    result = subprocess.run(
        [sys.executable, "-c", ON_JAX],
        input=json.dumps(work),
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    path = json.loads(result.stdout.splitlines()[-1])
    np.testing.assert_allclose(run(optimizer, gradients, start), path, rtol=0, atol=1e-12)


def test_every_rule_goes_down_a_surface():
    for rule in (AdamW, Nadam, Adamax, Yogi, Lion, ScheduleFreeSGD, ScheduleFreeAdamW):
        path = descend(rule(0.01), saddle.gradient, saddle.start, steps=300)
        assert saddle.value(path[-1]) < 0.5 * saddle.value(saddle.start), rule

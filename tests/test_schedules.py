"""Tests of utils.schedules: every step is that of Keras, or of PyTorch where Keras has none; laws; bad arguments."""

import dataclasses
import importlib

import numpy as np
import pytest

from utils import schedules
from utils.beyond_adam import AdamW
from utils.optimizers import Momentum, descend
from utils.schedules import (
    Constant,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
    ReduceLROnPlateau,
    Warmup,
)
from utils.surfaces import saddle

SETTINGS = [
    ExponentialDecay(0.1, 30, 0.5),
    ExponentialDecay(0.3, 7, 0.9, staircase=True),
    ExponentialDecay(0.3, 7.5, 1.01),
    InverseTimeDecay(0.1, 30, 0.5),
    InverseTimeDecay(0.3, 7, 2.0, staircase=True),
    PolynomialDecay(0.1, 60),
    PolynomialDecay(0.2, 45, 0.05, power=2.0),
    PolynomialDecay(0.2, 80, 0.0, power=0.5),
    PolynomialDecay(0.0, 80, 0.1),
    CosineDecay(0.1, 60),
    CosineDecay(0.2, 45, alpha=0.1),
    CosineDecay(0.0, 45, alpha=0.1, warmup_target=0.3, warmup_steps=20),
    CosineDecay(0.02, 30, warmup_target=0.3, warmup_steps=7),
    CosineDecay(0.02, 30, warmup_target=0.3, warmup_steps=0),
    CosineDecay(0.2, 45, warmup_steps=10),
    CosineDecayRestarts(0.1, 10),
    CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.8, alpha=0.1),
    CosineDecayRestarts(0.1, 9, t_mul=1.5, m_mul=0.5),
    PiecewiseConstantDecay((20, 50), (0.1, 0.03, 0.01)),
    PiecewiseConstantDecay((1, 2, 90), (0.1, 0.3, 0.01, 0.2)),
]


def in_keras(keras, schedule):
    """Return Keras' schedule of the same name and fields, which would round Python floats to float32."""

    def exact(value):
        if isinstance(value, tuple):
            return [exact(each) for each in value]
        return np.float64(value) if isinstance(value, float) else value

    values = {field.name: exact(getattr(schedule, field.name)) for field in dataclasses.fields(schedule)}
    return getattr(keras.optimizers.schedules, type(schedule).__name__)(**values)


@pytest.mark.parametrize("schedule", SETTINGS, ids=repr)
def test_every_step_is_that_of_keras(keras, schedule):
    theirs = in_keras(keras, schedule)
    expected = [float(theirs(step)) for step in range(120)]
    np.testing.assert_allclose([schedule(step) for step in range(120)], expected, rtol=1e-12, atol=1e-16)
    assert np.ptp(expected) > 0.01


def test_names_and_defaults_are_those_of_keras(keras):
    for name in ("ExponentialDecay", "InverseTimeDecay", "PolynomialDecay", "CosineDecay", "CosineDecayRestarts"):
        fields = dataclasses.fields(getattr(schedules, name))
        given = [10.0 for field in fields if field.default is dataclasses.MISSING]
        config = getattr(keras.optimizers.schedules, name)(*given).get_config()
        for field in fields[len(given) :]:
            assert config[field.name] == field.default, (name, field.name)


def test_a_logarithm_puts_a_restart_of_keras_a_step_off(keras):
    ours = CosineDecayRestarts(0.1, 10, t_mul=3.0)
    theirs = in_keras(keras, ours)
    assert ours(1210) == 0.1  # 10 + 30 + 90 + 270 + 810
    assert float(theirs(1210)) < 1e-12
    assert float(theirs(1211)) == pytest.approx(ours(1211), rel=1e-12)


@pytest.mark.parametrize("optimizer", [Momentum(momentum=0.8), AdamW(weight_decay=0.3)], ids=repr)
@pytest.mark.parametrize("schedule", SETTINGS[1::7], ids=repr)
def test_a_rule_under_a_schedule_is_that_of_keras_step_by_step(keras, optimizer, schedule):
    name = "SGD" if isinstance(optimizer, Momentum) else type(optimizer).__name__
    settings = {key: np.float64(value) for key, value in dataclasses.asdict(optimizer).items()}
    theirs = getattr(keras.optimizers, name)(**settings | {"learning_rate": in_keras(keras, schedule)})
    variable = keras.Variable(saddle.start)
    expected = [variable.numpy()]
    for _ in range(100):
        theirs.apply([saddle.gradient(variable.numpy())], [variable])
        expected.append(variable.numpy())
    path = descend(optimizer, saddle.gradient, saddle.start, steps=100, schedule=schedule)
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, with NumPy 2
@pytest.mark.parametrize(
    ("losses", "settings"),
    [
        ([1.0, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95, 0.8, 0.8, 0.8, 0.8], {"patience": 3, "factor": 0.5}),
        ([1.0] * 12, {"patience": 1, "factor": 0.5, "min_lr": 0.02}),
        ([1.0, 0.9, 0.85, 0.81, 0.77, 0.5, 0.45, 0.4], {"patience": 2, "factor": 0.1, "min_delta": 0.06}),
        ([3.0, 2.0, 1.0], {"patience": 1}),
        ([1.0] * 25, {}),
        ([1.0, 0.5, 0.25, 0.25], {"patience": 2, "min_delta": 0.5}),
    ],
)
def test_a_plateau_lowers_the_rate_where_keras_does(keras, losses, settings):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    callback = keras.callbacks.ReduceLROnPlateau(**settings)
    callback.set_model(model)
    callback.on_train_begin()
    plateau, seen = ReduceLROnPlateau(0.1, **settings), []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        seen.append(loss)
        np.testing.assert_allclose(plateau(seen), float(model.optimizer.learning_rate.numpy()), rtol=1e-6)


def test_defaults_of_the_plateau_are_those_of_keras(keras):
    callback, ours = keras.callbacks.ReduceLROnPlateau(), ReduceLROnPlateau(0.1)
    assert (ours.factor, ours.patience, ours.min_lr) == (callback.factor, callback.patience, callback.min_lr)
    assert ours.min_delta == abs(callback.min_delta)


def test_before_any_loss_the_plateau_is_the_rate_and_nan_is_no_improvement():
    plateau = ReduceLROnPlateau(0.5, factor=0.5, patience=2)
    assert [plateau([np.nan] * epochs) for epochs in range(5)] == [0.5, 0.5, 0.25, 0.25, 0.125]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "schedule", [OneCycle(0.1, 100), OneCycle(0.5, 37, 0.5, 10.0, 100.0), OneCycle(1.0, 60, 0.1)], ids=repr
)
def test_one_cycle_is_that_of_torch(schedule):
    torch = pytest.importorskip("torch", reason="pip install --requirement requirements-frameworks.txt")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, cycle_momentum=False, **dataclasses.asdict(schedule))
    rates = [theirs.get_last_lr()[0]]
    for _ in range(schedule.total_steps - 1):
        optimizer.step()
        theirs.step()
        rates += theirs.get_last_lr()
    np.testing.assert_allclose([schedule(step) for step in range(schedule.total_steps)], rates, rtol=1e-12)


def test_defaults_of_one_cycle_are_those_of_torch():
    assert dataclasses.astuple(OneCycle(1.0, 10)) == (1.0, 10, 0.3, 25.0, 1e4)


def test_one_cycle_needs_more_than_one_step_up():
    OneCycle(0.1, 12, 0.125)
    for total_steps, product in ((8, 1.0), (4, 0.5)):
        with pytest.raises(ValueError, match=rf"^pct_start of total_steps must be more than 1, got {product}$"):
            OneCycle(0.1, total_steps, 0.125)


def test_one_cycle_begins_peaks_ends_and_stays_where_its_docstring_says():
    schedule = OneCycle(1.0, 101, pct_start=0.4, div_factor=20.0, final_div_factor=100.0)
    rates = np.array([schedule(step) for step in range(120)])
    assert rates[0] == pytest.approx(0.05)
    assert rates[39] == pytest.approx(1, rel=1e-3)
    np.testing.assert_allclose(rates[100:], 0.0005, rtol=1e-12)
    assert (np.diff(rates[:40]) > 0).all()
    assert (np.diff(rates[41:101]) < 0).all()


def test_warm_up_before_a_cosine_is_that_of_keras(keras):
    ours = Warmup(CosineDecay(0.1, 90), 10)
    theirs = in_keras(keras, CosineDecay(0.0, 90, warmup_target=0.1, warmup_steps=10))
    steps = range(110)
    np.testing.assert_allclose([ours(t) for t in steps], [float(theirs(t)) for t in steps], rtol=1e-12, atol=1e-16)


def test_warm_up_rises_from_0_in_a_line_and_without_steps_is_the_schedule():
    rates = [Warmup(Constant(0.8), 4)(step) for step in range(7)]
    np.testing.assert_allclose(rates, [0.0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8], rtol=1e-14)
    schedule = ExponentialDecay(0.1, 3, 0.5)
    assert [Warmup(schedule, 0)(step) for step in range(9)] == [schedule(step) for step in range(9)]


def test_constant_is_constant():
    assert {Constant(0.3)(step) for step in range(5)} == {0.3}


@pytest.mark.parametrize(
    "schedule",
    [
        ExponentialDecay(np.array([0.1, 0.2]), 10, 0.5),
        InverseTimeDecay(np.array([0.1, 0.2]), 10, 0.5),
        PolynomialDecay(np.array([0.1, 0.2]), 10, 0.0),
        CosineDecay(np.array([0.1, 0.2]), 10),
        CosineDecayRestarts(np.array([0.1, 0.2]), 10),
        OneCycle(np.array([0.1, 0.2]), 20),
        Warmup(Constant(np.array([0.1, 0.2])), 5),
        ReduceLROnPlateau(np.array([0.1, 0.2]), patience=1),
    ],
    ids=repr,
)
def test_rates_may_be_arrays(schedule):
    for step in (0, 1, 4, 12, 30):
        both = schedule([1.0] * step) if isinstance(schedule, ReduceLROnPlateau) else schedule(step)
        assert both.shape == (2,)
        assert both[1] == pytest.approx(2 * both[0], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Constant", (-0.1,), "learning_rate must be finite and at least 0"),
        ("ExponentialDecay", (-0.1, 10, 0.5), "initial_learning_rate must be finite and at least 0"),
        ("ExponentialDecay", (0.1, 0, 0.5), "decay_steps must be finite and greater than 0"),
        ("ExponentialDecay", (0.1, 10, -0.5), "decay_rate must be finite and at least 0"),
        ("InverseTimeDecay", (np.nan, 10, 0.5), "initial_learning_rate must be finite and at least 0"),
        ("InverseTimeDecay", (0.1, -10, 0.5), "decay_steps must be finite and greater than 0"),
        ("InverseTimeDecay", (0.1, 10, -0.5), "decay_rate must be finite and at least 0"),
        ("PolynomialDecay", (-0.1, 10), "initial_learning_rate must be finite and at least 0"),
        ("PolynomialDecay", (0.1, 0), "decay_steps must be finite and greater than 0"),
        ("PolynomialDecay", (0.1, 10, -0.1), "end_learning_rate must be finite and at least 0"),
        ("PolynomialDecay", (0.1, 10, 0.0, 0), "power must be finite and greater than 0"),
        ("CosineDecay", (-0.1, 10), "initial_learning_rate must be finite and at least 0"),
        ("CosineDecay", (0.1, 0), "decay_steps must be finite and greater than 0"),
        ("CosineDecay", (0.1, 10, -1.0), "alpha must be finite and at least 0"),
        ("CosineDecay", (0.1, 10, 0.0, -1.0), "warmup_target must be finite and at least 0"),
        ("CosineDecay", (0.1, 10, 0.0, 1.0, -1), "warmup_steps must be finite and at least 0"),
        ("CosineDecayRestarts", (-0.1, 10), "initial_learning_rate must be finite and at least 0"),
        ("CosineDecayRestarts", (0.1, 0), "first_decay_steps must be finite and greater than 0"),
        ("CosineDecayRestarts", (0.1, 10, 0.9), "t_mul - 1 must be finite and at least 0"),
        ("CosineDecayRestarts", (0.1, 10, 1.0, -1.0), "m_mul must be finite and at least 0"),
        ("CosineDecayRestarts", (0.1, 10, 1.0, 1.0, -1.0), "alpha must be finite and at least 0"),
        ("OneCycle", (-0.1, 100), "max_lr must be finite and at least 0"),
        ("OneCycle", (0.1, 100, 1.0), "pct_start must be finite and at least 0 and below 1"),
        ("OneCycle", (0.1, 100, 0.3, 0.0), "div_factor must be finite and greater than 0"),
        ("OneCycle", (0.1, 100, 0.3, 1.0, 0.0), "final_div_factor must be finite and greater than 0"),
        ("Warmup", (Constant(0.1), -1), "steps must be finite and at least 0"),
        ("PiecewiseConstantDecay", ((1, 2), (0.1, 0.2)), "boundaries must grow, and values be one more"),
        ("PiecewiseConstantDecay", ((1,), (0.1, 0.2, 0.3)), "boundaries must grow, and values be one more"),
        ("PiecewiseConstantDecay", ((2, 2), (0.1, 0.2, 0.3)), "boundaries must grow, and values be one more"),
        ("PiecewiseConstantDecay", ((3, 2), (0.1, 0.2, 0.3)), "boundaries must grow, and values be one more"),
        ("PiecewiseConstantDecay", ((1,), (0.1, -0.2)), "values must be finite and at least 0"),
        ("ReduceLROnPlateau", (-0.1,), "learning_rate must be finite and at least 0"),
        ("ReduceLROnPlateau", (0.1, 1.0), "factor must be finite and at least 0 and below 1"),
        ("ReduceLROnPlateau", (0.1, 0.5, 0), "patience must be finite and greater than 0"),
        ("ReduceLROnPlateau", (0.1, 0.5, 1, -1.0), "min_delta must be finite and at least 0"),
        ("ReduceLROnPlateau", (0.1, 0.5, 1, 0.0, -1.0), "min_lr must be finite and at least 0"),
    ],
)
def test_a_field_out_of_its_range_is_refused_by_name(name, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        getattr(schedules, name)(*arguments)


def test_fields_at_the_border_of_their_range_are_allowed():
    zero = [Constant(0), ExponentialDecay(0, 1, 0), InverseTimeDecay(0, 1, 0), PolynomialDecay(0, 1, 0)]
    zero += [CosineDecay(0, 1, 0, 0, 0), CosineDecayRestarts(0, 1, 1, 0, 0), OneCycle(0, 10), ReduceLROnPlateau(0)]
    zero += [PiecewiseConstantDecay((1,), (0, 0)), Warmup(Constant(0), 0)]
    assert all(schedule(0) == 0 for schedule in zero if not isinstance(schedule, ReduceLROnPlateau))
    ReduceLROnPlateau(0.1, 0.0, 1, 0.0, 0.0)


def test_schedules_cannot_be_changed():
    for schedule in [*SETTINGS, Constant(0.1), Warmup(Constant(0.1), 3), OneCycle(0.1, 10), ReduceLROnPlateau(0.1)]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            schedule.steps = 3


def test_keras_is_not_needed():
    source = importlib.util.find_spec("utils.schedules").loader.get_source("utils.schedules")
    assert "import keras" not in source

"""Nothing is lost when a helper refuses: every public function and method of ``utils``, called with bad input.

What is compared, before and after, is all that the caller holds (arrays, tables, axes, models, optimizers, files) and
all that a session has only once: random numbers, floating-point warnings, figures, the environment, and what the
modules of ``utils`` show. A function that is new in ``utils`` fails here until it has a row.
"""

import importlib
import inspect
import os
import pkgutil
import socket
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ipywidgets
import keras
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import utils
from utils import beyond_adam, data, exercises, optimizers, schedules, surfaces, training
from utils.bench import TrainingBench
from utils.bench.figure import Picture
from utils.bench.panel import Panel
from utils.bench.runs import Run, Trainer
from utils.bench.settings import Settings
from utils.playground import Playground, playground

# What is compared


def state_of(thing, seen=()):
    """Return all that can be changed about a thing, as plain values that can be compared."""
    if thing is None or isinstance(thing, (bool, int, float, complex, str, bytes, type, types.ModuleType)):
        return repr(thing)
    if id(thing) in seen:
        return "itself"
    seen = (*seen, id(thing))

    def inside(parts):
        return [(repr(name), state_of(part, seen)) for name, part in parts]

    kind = type(thing).__name__
    if isinstance(thing, np.ndarray):
        values = [state_of(each, seen) for each in thing.flat] if thing.dtype == object else thing.tobytes()
        return [kind, str(thing.dtype), thing.shape, thing.flags.writeable, values]
    if isinstance(thing, (pd.DataFrame, pd.Series)):
        return [kind, [state_of(part.to_numpy(), seen) for part in (thing, *thing.axes)]]
    if isinstance(thing, Path):
        return [(str(path), path.is_file() and path.read_bytes()) for path in sorted([thing, *thing.rglob("*")])]
    if isinstance(thing, mpl.axes.Axes):
        lines = [(id(line), line.get_xydata(), line.get_label()) for line in thing.lines]
        both = (thing.xaxis, thing.yaxis)
        axes = [(axis.get_scale(), axis.get_label_text(), axis.get_view_interval()) for axis in both]
        return [inside(enumerate(lines + axes)), [id(child) for child in thing.get_children()]]
    if isinstance(thing, (keras.Model, keras.optimizers.Optimizer)):
        compiled = id(getattr(thing, "_compile_loss", None))
        return [kind, compiled, [(id(variable), state_of(variable.numpy(), seen)) for variable in thing.variables]]
    if isinstance(thing, ipywidgets.Widget):
        return [kind, inside(sorted(thing.get_state().items())), inside(getattr(thing, "fields", {}).items())]
    if isinstance(thing, Mapping):
        return [kind, inside(thing.items())]
    if isinstance(thing, (list, tuple, set, frozenset)):
        return [kind, inside(enumerate(thing))]
    if isinstance(thing, types.FunctionType):
        remembered = [cell.cell_contents for cell in thing.__closure__ or ()]
        return [id(thing), inside(enumerate([*remembered, *(thing.__defaults__ or ())]))]
    if hasattr(thing, "__dict__"):
        return [kind, id(thing), inside(vars(thing).items())]
    return repr(thing)


def state_of_session():
    """Return what there is only once, by name."""
    data_types = (Mapping, list, tuple, set, str, float, np.ndarray, surfaces.Surface)
    public = {
        f"{name}.{key}": state_of(value)
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] == "utils"
        for key, value in vars(module).items()
        if not key.startswith("_") and isinstance(value, data_types)
    }
    return public | {
        # Not Python's, of which Keras takes one for every layer that it makes.
        "NumPy's random numbers": state_of(np.random.get_state()),  # noqa: NPY002
        "what NumPy warns of": np.geterr(),
        "how NumPy prints": repr(np.get_printoptions()),
        "the environment": dict(os.environ),
        "the folder": os.getcwd(),
        "where modules are looked for": list(sys.path),
        "how long a server may be silent": socket.getdefaulttimeout(),
        "the look of figures": repr(mpl.rcParams.copy()),
        "the figures of pyplot": plt.get_fignums(),
        "Keras' precision": (keras.config.floatx(), keras.config.epsilon(), keras.config.dtype_policy().name),
    }


class Call(NamedTuple):
    """A call with bad input: what it raises (None if it answers otherwise), its arguments, and what else to watch."""

    raises: type | None
    arguments: tuple
    keywords: dict
    watched: Any = None


def bad(raises, *arguments, **keywords):
    return Call(raises, arguments, keywords)


def check_nothing_is_lost(function, call):
    """Make the call; fail unless it raises what it should and all is as it was."""
    before, session, raised = state_of(call[1:]), state_of_session(), None
    try:
        result = function(*call.arguments, **call.keywords)
        if inspect.isgenerator(result):
            list(result)
    except (Exception, SystemExit) as error:
        raised = error
    assert raised is None if call.raises is None else isinstance(raised, call.raises), repr(raised)
    session_after = state_of_session()
    assert {name: session_after[name] for name in session} == session
    assert state_of(call[1:]) == before


# The rows

THETA, NAN = [1.0, 2.0], float("nan")
RULES = ("SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam")
LATER_RULES = [name for name, thing in vars(beyond_adam).items() if hasattr(thing, "step") and name != "Muon"]
SETTINGS = Settings("Adam", 0.01, 32, 4, 1)
CURVES = training.History(*np.ones((5, 3)), None)


def theta():
    return np.array(THETA)


def square():
    return np.array([THETA, THETA])


def new_built():
    """An optimizer that has its state for the network already."""
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(network().trainable_variables)
    return optimizer


def layers():
    """A table such as ``examine`` returns."""
    return pd.DataFrame(
        {"gradient": [1.0], "update": [1.0], "ratio": [0.1], "units": [3], "silent": [0.0]}, index=["a"]
    )


def in_place(theta):
    theta -= 1.0
    return theta


def axes():
    """Axes in which something is drawn already."""
    ax = plt.figure().subplots()
    ax.plot([1.0, 2.0], label="before")
    ax.set(xlabel="mine", xlim=(0, 5))
    return ax


def surface(value=lambda theta: np.sum(theta**2, axis=-1), box=(-1.0, 1.0, -1.0, 1.0), minima=((0.0, 0.0),)):
    return surfaces.Surface("mine", value, lambda theta: 2 * theta, np.array(minima), box, np.ones(2))


def classes(examples=12):
    x = np.linspace(0, 1, examples * 6, dtype=np.float32).reshape(examples, 6)
    y = np.arange(examples) % 3
    return x[:8], y[:8], x[8:], y[8:]


def network(units=4):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(units), keras.layers.Dense(3, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    return model


def half_precision():
    """A network that wants its loss scaled."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return network()
    finally:
        keras.config.set_dtype_policy("float32")


def new_scaled():
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))


def trained_pair():
    """A model and an optimizer that have come some way."""
    model, optimizer = network(), keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    for variable in optimizer.variables:
        if "learning_rate" not in variable.path:
            variable.assign_add(keras.ops.ones_like(variable))
    return model, optimizer


def subclassed():
    """A model that cannot be cloned."""

    class Mine(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.layer = keras.layers.Dense(units, activation="softmax")

        def call(self, x):
            return self.layer(x)

        def get_config(self):
            raise NotImplementedError

    model = Mine(3)
    model(np.ones((1, 6), np.float32))
    return model


def wrong_data(**parts):
    names = ("x_train", "y_train", "x_val", "y_val")
    return tuple((dict(zip(names, classes(), strict=True)) | parts).values())


def bad_training(pair=trained_pair, data=classes, **wrong):
    """Return a row: ``train`` with a pair, data or other arguments that it cannot use."""
    return lambda *_: bad((TypeError, ValueError), *pair(), data(), **({"epochs": 1, "seed": 0} | wrong))


def attempt():
    """Return an attempt at an exercise that remembers its calls, and goes wrong."""
    seen = []

    def function(*arguments):
        seen.append(arguments)
        raise ArithmeticError("no")

    return function


def study():
    """Results such as those of chapter 09."""
    table = pd.DataFrame({"optimizer": RULES, "accuracy": 0.5, "learning_rate": 0.1, "seed": 0})
    return table.assign(network="dense", scored_on="test")


def bad_sweep(raises, trial=dict, settings=({"a": 1},), content=None, name="results.jsonl"):
    """Return a row: a sweep into a file of that name and content."""

    def row(folder, _):
        if content is not None:
            (folder / name).write_bytes(content)
        return bad(raises, trial, list(settings), folder / name)._replace(watched=folder)

    return row


def without_sources(folder, monkeypatch):
    """Keras' cache, incomplete, with no source to complete it."""

    def fails(names, scratch):
        (scratch / names[0]).write_bytes(b"half")
        yield scratch / names[0]

    monkeypatch.setattr(data, "SOURCES", {"nowhere": fails})
    monkeypatch.setenv("KERAS_HOME", str(folder))
    place = folder / "datasets" / "fashion-mnist"
    place.mkdir(parents=True)
    (place / "notes.txt").write_text("mine")
    return Call(None, (), {}, folder)


def bad_source(raises, **changes):
    """Return a row: files are asked of a source that has none, when ``utils.data`` is changed so."""

    def row(folder, monkeypatch):
        for name, value in changes.items():
            monkeypatch.setattr(data, name, value)
        return bad(raises, ["x"], folder)

    return row


#: For each public name, functions of an empty folder and a monkeypatch that return a call with bad input.
ROWS = {
    "optimizers.check_hyperparameters": [
        lambda *_: bad(ValueError, positive={"a": np.array([1.0, -1.0])}, fraction={"b": 0.5}),
        lambda *_: bad(TypeError, not_negative={"a": [1.0]}),
    ],
    "optimizers.check_theta": [lambda *_: bad(TypeError, [1, 2]), lambda *_: bad(TypeError, np.array([1j]))],
    "optimizers.check_gradient": [
        lambda *_: bad(TypeError, theta(), [1.0, 2.0]),
        lambda *_: bad(ValueError, theta(), np.ones(3)),
    ],
    **{f"optimizers.{rule}": [lambda *_: bad(ValueError, np.array([0.1, -0.1]))] for rule in RULES},
    **{
        f"optimizers.{rule}.init": [lambda *_, rule=rule: bad(TypeError, getattr(optimizers, rule)(), np.array([1, 2]))]
        for rule in RULES
    },
    **{
        f"optimizers.{rule}.step": [
            lambda *_, rule=rule, g=g, raises=raises: bad(
                raises, made := getattr(optimizers, rule)(), theta(), g, made.init(theta())
            )
            for g, raises in (
                ([1.0, 2.0], TypeError),
                (np.array([1j, 2.0]), TypeError),
                (np.ones(3), ValueError),
                (None, TypeError),
            )
        ]
        for rule in RULES
    },
    **{f"beyond_adam.{rule}": [lambda *_: bad(ValueError, np.array([0.1, -0.1]))] for rule in (*LATER_RULES, "Muon")},
    **{
        f"beyond_adam.{rule}.init": [
            lambda *_, rule=rule: bad(TypeError, getattr(beyond_adam, rule)(), np.array([1, 2]))
        ]
        for rule in (*LATER_RULES, "Muon")
    },
    **{
        f"beyond_adam.{rule}.step": [
            lambda *_, rule=rule, g=g, raises=raises: bad(
                raises, made := getattr(beyond_adam, rule)(), theta(), g, made.init(theta())
            )
            for g, raises in (([1.0, 2.0], TypeError), (np.ones(3), ValueError))
        ]
        for rule in LATER_RULES
    },
    "beyond_adam.Muon.step": [
        lambda *_: bad(ValueError, beyond_adam.Muon(), square(), np.ones(3), beyond_adam.Muon().init(square())),
    ],
    "beyond_adam.orthogonalise": [lambda *_: bad(TypeError, square(), "five"), lambda *_: bad(IndexError, theta())],
    **{
        f"beyond_adam.{rule}.average": [lambda *_, rule=rule: bad(TypeError, getattr(beyond_adam, rule)(), None)]
        for rule in ("ScheduleFreeSGD", "ScheduleFreeAdamW")
    },
    **{
        f"schedules.{name}": [lambda *_, values=values: bad(ValueError, *values)]
        for name, values in {
            "Constant": [np.array([0.1, -0.1])],
            "PiecewiseConstantDecay": [(1, 2), (0.1, 0.2)],
            "ExponentialDecay": [np.array([0.1, -0.1]), 10, 0.5],
            "InverseTimeDecay": [np.array([0.1, -0.1]), 10, 0.5],
            "PolynomialDecay": [np.array([0.1, -0.1]), 10],
            "CosineDecay": [np.array([0.1, -0.1]), 10],
            "CosineDecayRestarts": [np.array([0.1, -0.1]), 10],
            "OneCycle": [0.1, 2],
            "Warmup": [schedules.Constant(0.1), -1],
            "ReduceLROnPlateau": [0.1, 1.0],
        }.items()
    },
    "measure.layers.examine": [
        lambda *_: bad(TypeError, "model", *classes()[:2]),
        lambda *_: bad(ValueError, network(), *classes()[:2], "adam"),
        lambda *_: bad(Exception, *trained_pair()[:1], classes()[0][:, :2], classes()[1], new_built()),
    ],
    "measure.layers.plot_layers": [
        lambda *_: bad(ValueError, axes(), layers(), "loss"),
        lambda *_: bad(ValueError, axes(), layers()[:0], "ratio"),
        lambda *_: bad(KeyError, axes(), layers().drop(columns="ratio"), "ratio"),
    ],
    "measure.layers.sentence": [
        lambda *_: bad(ValueError, layers(), "loss"),
        lambda *_: bad(KeyError, layers().drop(columns="ratio"), "ratio"),
    ],
    "measure.landscape.network_surface": [
        lambda *_: bad(TypeError, "model", *classes()[:2]),
        lambda *_: bad(Exception, network(), classes()[0][:, :2], classes()[1]),
    ],
    "measure.landscape.NetworkSurface": [lambda *_: bad(TypeError, theta())],
    "measure.landscape.eigenvalues": [
        lambda *_: bad(ValueError, surface(), theta(), 2),
        lambda *_: bad(AttributeError, surface(), theta(), 1),
    ],
    "measure.landscape.on_a_line": [lambda *_: bad(ValueError, surface(), theta(), 2 * theta(), points=1)],
    "measure.landscape.plane_of": [
        lambda *_: bad(ValueError, np.full((4, 3), NAN)),
        lambda *_: bad(ValueError, theta()),
    ],
    "measure.landscape.plane": [lambda *_: bad(ValueError, surface(), theta(), np.ones((3, 2)), (0, 1, 0, 1))],
    "optimizers.descend": [
        lambda *_: bad(ValueError, optimizers.SGD(), lambda theta: theta, theta(), 3, schedule=lambda step: 0.1 - step),
        lambda *_: bad(ValueError, optimizers.SGD(), in_place, theta(), 3),
        lambda *_: bad(TypeError, optimizers.SGD(2), lambda theta: [1.0, 2.0], theta(), 3),
        lambda *_: bad(TypeError, optimizers.Adam(), lambda theta: theta * 1j, theta(), 3),
        lambda *_: bad(ValueError, optimizers.Adam(), lambda theta: np.ones(3), theta(), 3),
        lambda *_: bad(ValueError, optimizers.SGD(), lambda theta: theta, theta(), -1),
        lambda *_: bad(ValueError, optimizers.SGD(), lambda theta: theta, np.array([NAN, 1.0]), 3),
        lambda *_: bad(TypeError, optimizers.SGD(), lambda theta: theta, [1, 2], 3),
        lambda *_: bad(ZeroDivisionError, optimizers.Momentum(), lambda theta: 1 / 0, theta(), 3),
    ],
    "surfaces.Surface": [lambda *_: bad(TypeError, "mine", box=[0, 1, 0, 1])],
    "surfaces.quadratic": [
        lambda *_: bad(ValueError, [1.0, 0.0]),
        lambda *_: bad(ValueError, np.array([[1.0, 2.0]])),
        lambda *_: bad(ValueError, ["a"]),
    ],
    "surfaces.ravine": [lambda *_: bad(ValueError, 0.5), lambda *_: bad(ValueError, 20.0, angle=NAN)],
    "plotting.drawing": [lambda *_: bad(AttributeError, "figure")],
    "plotting.use_style": [lambda *_: bad(TypeError, "dark")],
    "plotting.look_of": [lambda *_: bad(ValueError, "Adamm"), lambda *_: bad(ValueError, ["Adam"])],
    "plotting.plot_surface": [
        lambda *_: bad(ValueError, axes(), surfaces.quadratic([1.0, 2.0, 3.0])),
        lambda *_: bad(ValueError, axes(), surface(lambda theta: theta[..., 0] * NAN)),
        lambda *_: bad(ValueError, axes(), surface(box=(0.0, np.inf, 0.0, 1.0))),
        lambda *_: bad(ValueError, axes(), surface(minima=((0.0, 0.0, 0.0),))),
        lambda *_: bad(TypeError, axes(), surface(lambda theta: theta)),
        lambda *_: bad(ZeroDivisionError, axes(), surface(lambda theta: 1 / 0)),
        lambda *_: bad(ValueError, axes(), surface(), levels=0),
        lambda *_: bad(ValueError, axes(), surface(), resolution=1),
    ],
    "plotting.plot_path": [
        lambda *_: bad(ValueError, axes(), surface(), np.full((3, 2), NAN)),
        lambda *_: bad(ValueError, axes(), surface(), np.ones((3, 3))),
        lambda *_: bad(ValueError, axes(), surface(), []),
        lambda *_: bad(ValueError, axes(), surface(), np.ones((3, 2)) * 1j),
        lambda *_: bad(ValueError, axes(), surface(), np.ones((3, 2)), optimizer="Adamm"),
        lambda *_: bad(ValueError, axes(), surface(box=None), np.ones((3, 2))),
        lambda *_: bad(AttributeError, axes(), surface(), np.ones((3, 2)), colour="red"),
    ],
    "plotting.plot_values": [
        lambda *_: bad(ValueError, axes(), np.array([NAN, 0.0])),
        lambda *_: bad(ValueError, axes(), np.ones((2, 2))),
        lambda *_: bad(ValueError, axes(), ["a"]),
        lambda *_: bad(ValueError, axes(), [1.0, 2.0], optimizer="Adamm"),
        lambda *_: bad(AttributeError, axes(), [1.0, 2.0], colour="red"),
    ],
    "language.texts": [lambda *_: bad(FileNotFoundError, "kitchen")],
    "language.table": [lambda *_: bad(FileNotFoundError, "kitchen")],
    "language.script": [
        lambda *_: bad(FileNotFoundError, (Path("kitchen.js"),), {}),
        lambda f, _: bad(TypeError, (), {"text": {1, 2}}),
    ],
    "sweep.grid": [lambda *_: bad(TypeError, seed=[0, 1], learning_rate=0.1)],
    "sweep.sweep": [
        bad_sweep(ValueError, settings=[{"a": 1}, {"a": 1}], name="new/results.jsonl"),
        bad_sweep(ValueError, settings=[{"a": object()}]),
        bad_sweep(IsADirectoryError, name=""),
        bad_sweep(ValueError, content=b"my notes"),
        bad_sweep(ValueError, content=b"a,b\n1,2"),
        bad_sweep(ValueError, content=b"\xff\xfe\n"),
        bad_sweep(ValueError, content=b'{"setting": {"b": 1}}\n{"sett'),
        bad_sweep(ValueError, lambda a: {"a": a}, name="new/results.jsonl"),
        bad_sweep(ZeroDivisionError, lambda a: {"b": 1 / 0}, name="new/results.jsonl"),
        bad_sweep(TypeError, lambda a: {"b": {1j}}),
    ],
    "data.ensure_data": [
        lambda *world: without_sources(*world)._replace(raises=data.DataUnavailableError, keywords={"quiet": True}),
    ],
    "data.load_fashion_mnist": [lambda *world: without_sources(*world)._replace(raises=data.DataUnavailableError)],
    "data.main": [lambda *world: without_sources(*world)._replace(raises=SystemExit)],
    "data.cache_folder": [lambda *_: bad(TypeError, "here")],
    "data.from_debian_folder": [bad_source(FileNotFoundError, DEBIAN_FOLDER=Path("nowhere"))],
    "data.from_keras": [bad_source(Exception, KERAS_URL="file:///nowhere/")],
    "data.from_debian_package": [bad_source(FileNotFoundError, shutil=types.SimpleNamespace(which=lambda name: None))],
    "training.train": [
        *(bad_training(**wrong) for wrong in ({"epochs": 0}, {"epochs": 1.5}, {"batch_size": -1}, {"seed": None})),
        bad_training(data=lambda: wrong_data(y_train=np.arange(8) % 4)),
        bad_training(data=lambda: wrong_data(y_train=np.arange(7))),
        bad_training(data=lambda: wrong_data(y_val=np.zeros(4))),
        bad_training(data=lambda: wrong_data(x_train=np.ones((8, 5), np.float32))),
        bad_training(data=lambda: wrong_data(x_val=np.ones((0, 6), np.float32))),
        bad_training(data=lambda: classes()[:3]),
        bad_training(pair=lambda: ("model", trained_pair()[1])),
        bad_training(pair=lambda: (trained_pair()[0], "adam")),
        bad_training(pair=lambda: (network(), trained_pair()[1])),
        bad_training(pair=lambda: (keras.Sequential([keras.layers.Dense(3)]), trained_pair()[1])),
        bad_training(pair=lambda: (half_precision(), keras.optimizers.Adam())),
        bad_training(pair=lambda: (network(), new_scaled()), data=lambda: wrong_data(y_val=np.zeros(4))),
        bad_training(pair=lambda: (network(), keras.optimizers.Adam()), data=lambda: wrong_data(y_val=np.zeros(4))),
        bad_training(data=lambda: (*classes(), None)),
        bad_training(data=lambda: iter(classes())),
        bad_training(on_epoch_end=3),
    ],
    "training.restart": [
        lambda *_: bad((ValueError, NotImplementedError), subclassed(), trained_pair()[1]),
        lambda *_: bad(TypeError, "model", trained_pair()[1]),
        lambda *_: bad(TypeError, trained_pair()[0], keras.optimizers.Adam),
        lambda *_: bad(ValueError, network(units=5), trained_pair()[1]),
    ],
    "comparison.dense": [lambda *_: bad(TypeError, 100)],
    "comparison.convolutional": [lambda *_: bad(TypeError, 100)],
    "comparison.LinearDecay": [lambda *_: bad(TypeError, 0.1)],
    "comparison.trial": [
        lambda *_: bad(KeyError, "deep", "Adam", 0.001, 0),
        lambda *_: bad(KeyError, "dense", "Adamm", 0.001, 0),
    ],
    "comparison.default_learning_rate": [lambda *_: bad(KeyError, "Adamm")],
    "comparison.load_results": [lambda *_: bad(ValueError, "first")],
    "comparison.chosen_learning_rates": [lambda *_: bad(KeyError, study().drop(columns="accuracy"))],
    "comparison.final_scores": [
        lambda *_: bad(TypeError, study(), 0.1),
        lambda *_: bad(KeyError, study(), {"Adam": 0.1}),
    ],
    "comparison.good_range": [
        lambda *_: bad(TypeError, pd.Series(["a", "b"], index=[0.2, 0.1])),
        lambda *_: bad(ValueError, pd.Series([], dtype=float)),
    ],
    "comparison.sign_flip_test": [lambda *_: bad(ValueError, ["a"]), lambda *_: bad(ValueError, [])],
    "comparison.holm": [lambda *_: bad(ValueError, ["a"]), lambda *_: bad(ValueError, np.ones((2, 2)))],
    "comparison.verdicts": [lambda *_: bad(TypeError, pd.DataFrame({"a": ["x", "y"], "b": ["z", "z"]}))],
    "playground.figure.playground": [
        lambda *_: bad(ValueError, "plain"),
        lambda *_: bad(ValueError, "ravine", ["SGD", "Adamm"]),
        lambda *_: bad(ValueError, "ravine", ["SGD", "Adam"], learning_rate={"SGD": 0.1}),
        lambda *_: bad(ValueError, "ravine", ["SGD"], learning_rate={"SGD": -0.1}),
        lambda *_: bad(ValueError, start=[1.0, NAN]),
        lambda *_: bad(ValueError, steps=0),
    ],
    "playground.figure.Playground": [lambda *_: bad(TypeError)],
    "playground.figure.Playground.run": [lambda *_: bad(ValueError, playground(), "Adamm")],
    "playground.grid.grid_surface": [lambda *_: bad(KeyError, {"shape": [2, 2]})],
    "playground.grid.stored_network": [lambda *_: bad(TypeError, 1)],
    "playground.grid.network": [lambda *_: bad(TypeError, 1)],
    "drawing.drawing.draw_it": [
        lambda *_: bad(ValueError, "nothing", [1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y"),
        lambda *_: bad(ValueError, "factor", [2, 1], {"a": [1, 2]}, xlabel="x", ylabel="y"),
    ],
    "drawing.drawing.Drawing": [lambda *_: bad(TypeError)],
    "drawing.drawing.renewed": [lambda *_: bad(TypeError, None)],
    "playground.figure.Playground.surface": [lambda *_: bad(KeyError, Playground({"surface": "ravine"}))],
    "quiz.form.Quiz": [lambda *_: bad(TypeError, "02-sgd")],
    "quiz.form.quiz": [lambda *_: bad(ValueError, "99-nothing")],
    "quiz.form.markup": [lambda *_: bad(TypeError, None)],
    "quiz.form.curve": [
        lambda *_: bad(ValueError, {"optimizer": "SGD", "surface": "plain"}),
        lambda *_: bad(KeyError, {"surface": "ravine"}),
        lambda *_: bad(ValueError, [[1.0], [1.0, 2.0]]),
    ],
    "bench.engine.page_images": [lambda *_: bad(AttributeError, None), lambda *_: bad(AttributeError, classes())],
    "playground.figure.uniforms": [lambda *_: bad(TypeError, "a")],
    "bench.engine.sizes": [lambda *_: bad(None, "many")],
    "bench.engine.layers": [lambda *_: bad(ValueError, np.ones(5), 3)],
    "bench.engine.initial_theta": [lambda *_: bad(TypeError, "a", 3)],
    "bench.engine.shuffle": [lambda *_: bad(TypeError, (1, 2, 3), lambda: 0.5)],
    "bench.engine.gradient": [lambda *_: bad(ValueError, np.ones(5), 3, np.ones((2, 784)), np.ones(2, int))],
    "bench.engine.train_in_page": [
        lambda *_: bad(ValueError, classes(), optimizer="adam"),
        lambda *_: bad(ValueError, classes(), schedule="slower"),
        lambda *_: bad(ValueError, classes(), units=0),
    ],
    "bench.page.runs_of": [lambda *_: bad(TypeError, None)],
    "bench.page.script": [lambda *_: bad(TypeError, 3)],
    "bench.page.html_around": [lambda *_: bad(TypeError, None, "_static/", 1)],
    "bench.settings.checked": [
        lambda *_: bad(ValueError, SETTINGS._replace(optimizer="adam"), 8),
        lambda *_: bad(ValueError, SETTINGS, 8),
    ],
    "bench.figure.labels": [lambda *_: bad(AttributeError, [Run(SETTINGS, 0, None), None])],
    "bench.figure.description": [lambda *_: bad(AttributeError, [Run(SETTINGS, 0, None), None])],
    "bench.figure.make_figure": [
        lambda *_: bad(KeyError, [Run(SETTINGS, 0, CURVES), Run(SETTINGS._replace(optimizer="adam"), 0, CURVES)], 3),
        lambda *_: bad(AttributeError, [Run(SETTINGS, 0, "curves")], 3),
    ],
    "bench.figure.picture": [lambda *_: bad(AttributeError, None)],
    "bench.panel.Panel": [lambda *_: bad(AttributeError, None, {})],
    "bench.panel.Panel.fill": [
        lambda *_: bad(Exception, Panel(SETTINGS, {}), SETTINGS._replace(optimizer="adam", units=1))
    ],
    "bench.panel.Panel.chosen": [lambda *_: bad(TypeError, Panel(SETTINGS, {}), "units")],
    "bench.panel.Panel.enable": [lambda *_: bad(TypeError, Panel(SETTINGS, {}))],
    "bench.panel.Panel.say": [
        lambda *_: bad(KeyError, Panel(SETTINGS, {}), "nonsense"),
        lambda *_: bad(KeyError, Panel(SETTINGS, {}), "failed", number=1),
    ],
    "bench.panel.Panel.show": [lambda *_: bad(AttributeError, Panel(SETTINGS, {}), None)],
    "bench.panel.Panel.draw": [
        lambda *_: bad(AttributeError, Panel(SETTINGS, {}), None, "curves"),
        lambda *_: bad(AttributeError, Panel(SETTINGS, {}), Picture("", 1, 1), None),
    ],
    "bench.runs.Trainer": [lambda *_: bad(TypeError)],
    "bench.runs.Trainer.examples": [lambda *_: bad(TypeError, Trainer(None))],
    "bench.runs.Trainer.classes": [lambda *_: bad(TypeError, Trainer(None))],
    "bench.runs.Trainer.begin": [
        lambda *_: bad(KeyError, Trainer(classes()), SETTINGS._replace(optimizer="adam")),
        lambda *_: bad(ValueError, Trainer(classes()), SETTINGS._replace(units="many")),
    ],
    "bench.runs.Trainer.go": [lambda *_: bad(IndexError, Trainer(classes()), print)],
    "bench.runs.Trainer.stop": [lambda *_: bad(TypeError, Trainer(classes()), 2)],
    "bench.bench.training_bench": [
        lambda *_: bad(ValueError, classes(), batch_size=9),
        lambda *_: bad(ValueError, classes(), optimizer="adam"),
    ],
    "bench.bench.TrainingBench": [lambda *_: bad(Exception, classes(), SETTINGS._replace(optimizer="adam"))],
    "bench.bench.TrainingBench.train": [
        lambda *_: bad(ValueError, bench(), epochs=0),
        lambda *_: bad(ValueError, bench(), units=9, learning_rate="fast"),
        lambda *_: bad(TypeError, bench(), momentum=0.9),
    ],
    "bench.bench.TrainingBench.make_figure": [lambda *_: bad(TypeError, bench(), 3)],
    **{
        f"exercises.{name}": [lambda *_: bad(None, [[1.0], "no"]), lambda *_: bad(None, attempt())]
        for name in exercises.__all__
    },
}

BENCHES = []


def bench():
    """One bench for all, because its network takes a while to compile."""
    if not BENCHES:
        BENCHES.append(TrainingBench(classes(), SETTINGS._replace(batch_size=8)))
    return BENCHES[0]


# The tests


def public():
    """All public functions, classes and methods of ``utils`` by name, and the exercises, which are callable objects.

    Exceptions and named tuples are left out: they only hold what they are given.
    """
    found = {f"exercises.{name}": getattr(exercises, name) for name in exercises.__all__}
    for info in pkgutil.walk_packages(utils.__path__, "utils."):
        if info.name.split(".")[1] == "exercises":
            continue
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
            if own and callable(thing) and not (inspect.isclass(thing) and issubclass(thing, (tuple, Exception))):
                name = f"{info.name.removeprefix('utils.')}.{name}"
                found[name] = thing
                for method, function in vars(thing).items() if inspect.isclass(thing) else ():
                    if not method.startswith("_") and (callable(function) or isinstance(function, property)):
                        found[f"{name}.{method}"] = function.fget if isinstance(function, property) else function
    return found


PUBLIC = public()


@pytest.fixture(autouse=True)
def no_figures_stay():
    yield
    plt.close("all")


def test_every_public_name_has_a_row():
    assert len(PUBLIC) > 80
    assert sorted(ROWS) == sorted(PUBLIC)


@pytest.mark.parametrize(
    ("name", "number"),
    [pytest.param(name, i, id=f"{name}-{i}") for name, calls in ROWS.items() for i in range(len(calls))],
)
def test_a_call_with_bad_input_changes_nothing(name, number, tmp_path, monkeypatch):
    check_nothing_is_lost(PUBLIC[name], ROWS[name][number](tmp_path, monkeypatch))


def change_a_file(folder):
    (folder / "mine.txt").write_text("half")


#: What a helper may do to what it is given, or to the session, and how to make what it is given.
CHANGES = {
    "an array": (lambda array: array.sort(), lambda *_: np.array([2.0, 1.0])),
    "an array's flag": (lambda array: array.setflags(write=False), lambda *_: theta()),
    "a list inside": (lambda given: given["a"].append(1), lambda *_: {"a": []}),
    "a table": (lambda table: table.insert(0, "new", 1), lambda *_: study()),
    "a value of a table": (lambda table: table.__setitem__("seed", 1), lambda *_: study()),
    "axes": (lambda ax: ax.plot([1]), lambda *_: axes()),
    "the label of axes": (lambda ax: ax.set_xlabel("new"), lambda *_: axes()),
    "weights": (lambda model: model.layers[0].bias.assign([1.0, 2.0, 3.0, 4.0]), lambda *_: network()),
    "the steps of an optimizer": (lambda optimizer: optimizer.iterations.assign(7), lambda *_: trained_pair()[1]),
    "the variables of an optimizer": (
        lambda optimizer: optimizer.build(network().trainable_variables),
        lambda *_: keras.optimizers.SGD(momentum=0.9),
    ),
    "a file": (change_a_file, lambda folder, _: folder),
    "a panel": (lambda panel: panel.fields["units"].set_trait("value", "9"), lambda *_: Panel(SETTINGS, {})),
    "what a function remembers": (lambda memory: memory(), lambda *_: (lambda kept: lambda: kept.append(1))([])),
    "random numbers": (lambda _: np.random.seed(1), lambda *_: None),  # noqa: NPY002
    "the figures": (lambda _: plt.figure(), lambda *_: None),
    "the environment": (lambda patch: patch.setenv("KERAS_HOME", "elsewhere"), lambda _, patch: patch),
    "a module": (lambda patch: patch.setattr(training, "EVALUATION_BATCH", [1]), lambda _, patch: patch),
}


@pytest.mark.parametrize(("change", "make"), CHANGES.values(), ids=CHANGES)
def test_what_is_changed_is_noticed(change, make, tmp_path, monkeypatch):
    given = make(tmp_path, monkeypatch)

    def helper(argument):
        change(argument)
        raise ValueError

    with pytest.raises(AssertionError):
        check_nothing_is_lost(helper, bad(ValueError, given))


def test_a_helper_that_raises_something_else_or_nothing_is_noticed():
    for helper in (int, float):
        with pytest.raises(AssertionError):
            check_nothing_is_lost(helper, bad(TypeError, "1" if helper is int else "one"))

"""The page on framework differences, held against the real PyTorch and optax (requirements-frameworks.txt)."""

import ast
import importlib
import inspect
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.programs import do_without
from utils.optimizers import SGD, Adagrad, Adam, RMSprop

# PyTorch for GPUs brings triton. To load it into a process that has TensorFlow already ends in a segmentation fault:
# each carries a compiler of its own. The rules compared here do without; None makes it a package that is not there.
sys.modules.setdefault("triton", None)
# The other mark is for the same PyTorch on a machine without a GPU.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:CUDA initialization")]

PAGE = Path(__file__).resolve().parent.parent / "book" / "framework-differences.ipynb"
STEPS = 100
CHANGE = 50  # the step at which the learning rate changes
SIZES = np.array([1e-5, 3e-4, 1.0, 1e3, 1.0, 1.0])  # of the gradients


# What the page defines and says


def sources(kind):
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def definitions_of_the_page():
    """Every name that the page imports, defines as a class or function, or writes in capitals, by name."""
    names = {}
    for source in sources("code"):
        if "google.colab" in source:
            continue
        for node in ast.parse(source).body:
            defines = isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef)
            is_table = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).isupper()
            if defines or is_table:
                exec(compile(ast.Module([node], []), str(PAGE), "exec"), names)
    return names


page = definitions_of_the_page()


def recipes(framework):
    """The rows of a framework's table: Keras' call, the framework's call, more code or "", and whether it is exact."""
    rows = []
    for source in sources("markdown"):
        _, header, table = source.partition(f"| Keras | {framework} |")
        for line in table.partition("\n\n")[0].splitlines() if header else []:
            if line.startswith("| `"):
                in_keras, theirs, *more = re.findall(r"`([^`]+)`", line)
                rows.append((in_keras, theirs, *(more or [""]), "not exact" not in line))
    return rows


def test_the_page_has_the_variants_and_the_tables():
    variants = {"TorchSGD", "TorchRMSprop", "TorchAdam", "TorchAdagrad", "AMSGrad", "Penalty", "Decoupled"}
    assert variants | {"run"} <= set(page)
    assert len(page["DEFAULTS"]) >= 13
    assert len(recipes("PyTorch")) >= 9
    assert [row[0] for row in recipes("PyTorch")] == [row[0] for row in recipes("optax")]


# The frameworks


def require(name):
    """Import a framework; where it is missing, skip, but fail in CI."""
    try:
        return importlib.import_module(name)
    except ImportError:
        why = f"{name} is not installed: pip install --requirement requirements-frameworks.txt"
        do_without(why)


@pytest.fixture(scope="module")
def torch():
    return require("torch")


@pytest.fixture(scope="module")
def jax():
    """JAX, computing in float64; put back as it was afterwards."""
    jax = require("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module")
def optax(jax):
    return require("optax")


def gradients():
    """Gradients, shape (STEPS, 6): noise of four sizes, sparse noise, and noise with a drift that fades."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(STEPS, len(SIZES))) * SIZES
    noise[:, 4] *= rng.random(STEPS) < 0.2
    noise[:, 5] = (noise[:, 5] + 2.0) * 0.9 ** np.arange(STEPS)
    return noise


def in_torch(torch, make, rates=None, before_step=""):
    """The path of a torch optimizer, ``make(params)``, with these learning rates or its own.

    ``before_step`` is Python that runs between ``loss.backward()`` and ``optimizer.step()``, or does the backward pass.
    """
    theta = torch.nn.Parameter(torch.ones(len(SIZES), dtype=torch.float64))
    params, path = [theta], [theta.detach().numpy().copy()]
    optimizer = make(params)
    for t, g in enumerate(gradients(), start=1):
        lr = optimizer.param_groups[0]["lr"] if rates is None else rates[t - 1]
        if "backward()" not in before_step:
            optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        loss = (theta * torch.tensor(g)).sum()
        if "backward()" not in before_step:
            loss.backward()
        exec(before_step, {"loss": loss, "lr": lr, "optimizer": optimizer, "params": params, "t": t})
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def in_optax(jax, optax, rule):
    """The path of an optax gradient transformation."""

    @jax.jit
    def step(theta, state, g):
        updates, state = rule.update(g, state, theta)
        return optax.apply_updates(theta, updates), state

    theta = jax.numpy.ones(len(SIZES), dtype="float64")
    state, path = rule.init(theta), [np.asarray(theta)]
    for g in gradients():
        theta, state = step(theta, state, g)
        path.append(np.asarray(theta))
    return np.array(path)


def in_keras(keras, optimizer, rates=None):
    """The path of a Keras optimizer."""
    weights = keras.Variable(np.ones(len(SIZES)))
    path = [weights.numpy()]
    for t, g in enumerate(gradients()):
        if rates is not None:
            optimizer.learning_rate = np.float64(rates[t])
        optimizer.apply([g], [weights])
        path.append(weights.numpy())
    return np.array(path)


def assert_same_path(path, expected):
    """Twelve digits of each coordinate's largest value."""
    assert path.shape == expected.shape == (STEPS + 1, len(SIZES))
    assert np.all(np.ptp(expected, axis=0) > 1e-7), "a coordinate that does not move proves nothing"
    scale = np.abs(expected).max(axis=0)
    np.testing.assert_allclose(path / scale, expected / scale, rtol=0, atol=1e-12)


def two_rates(rate):
    """A learning rate that is divided by five in mid-run, for each step."""
    return np.where(np.arange(STEPS) < CHANGE, rate, rate / 5)


def schedule(optax, rate):
    return optax.piecewise_constant_schedule(rate, {CHANGE: 0.2})


def variant(make, rate):
    """The path of a rule of the page, ``make(learning_rate)``, with the learning rate changed in mid-run."""
    return page["run"]([make(rate) for rate in two_rates(rate)], gradients(), np.ones(len(SIZES)))


# Each NumPy variant of the page: its keyword arguments, and the same in the framework

BETAS = {"betas": (0.8, 0.97)}
TORCH = {
    "SGD": ("TorchSGD", {"momentum": 0.8}, "SGD", {"momentum": 0.8}),
    "SGD dampened": ("TorchSGD", {"momentum": 0.8, "dampening": 0.3}, "SGD", {"momentum": 0.8, "dampening": 0.3}),
    "SGD Nesterov": ("TorchSGD", {"momentum": 0.8, "nesterov": True}, "SGD", {"momentum": 0.8, "nesterov": True}),
    "RMSprop": ("TorchRMSprop", {"rho": 0.7, "epsilon": 1e-3}, "RMSprop", {"alpha": 0.7, "eps": 1e-3}),
    "Adagrad": (
        "TorchAdagrad",
        {"initial_accumulator_value": 0.3, "epsilon": 1e-3},
        "Adagrad",
        {"initial_accumulator_value": 0.3, "eps": 1e-3},
    ),
    "Adam": ("TorchAdam", {"beta_1": 0.8, "beta_2": 0.97, "epsilon": 1e-3}, "Adam", {"eps": 1e-3} | BETAS),
    "AMSGrad": (
        "AMSGrad",
        {"beta_1": 0.8, "beta_2": 0.97, "epsilon": 1e-3},
        "Adam",
        {"eps": 1e-3, "amsgrad": True} | BETAS,
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_variant_is_that_of_torch(torch, name):
    ours, settings, theirs, their_settings = TORCH[name]
    path = variant(lambda rate: page[ours](rate, **settings), 0.05)
    make = getattr(torch.optim, theirs)
    assert_same_path(path, in_torch(torch, lambda params: make(params, lr=0.05, **their_settings), two_rates(0.05)))


@pytest.mark.parametrize("name", ["TorchRMSprop", "TorchAdagrad", "TorchAdam"])
def test_variant_with_its_defaults_is_that_of_torch(torch, name):
    path = page["run"]([page[name]()] * STEPS, gradients(), np.ones(len(SIZES)))
    assert_same_path(path, in_torch(torch, getattr(torch.optim, name.removeprefix("Torch"))))


OPTAX = {
    "sgd": ("TorchSGD", {"momentum": 0.8}, {"momentum": 0.8}),
    "sgd, nesterov": ("TorchSGD", {"momentum": 0.8, "nesterov": True}, {"momentum": 0.8, "nesterov": True}),
    "adagrad": (
        "Adagrad",
        {"initial_accumulator_value": 0.3, "epsilon": 1e-3},
        {"initial_accumulator_value": 0.3, "eps": 1e-3},
    ),
    "rmsprop": ("RMSprop", {"rho": 0.7, "epsilon": 1e-3}, {"decay": 0.7, "eps": 1e-3}),
    "rmsprop, outside": (
        "TorchRMSprop",
        {"rho": 0.7, "epsilon": 1e-3},
        {"decay": 0.7, "eps": 1e-3, "eps_in_sqrt": False},
    ),
    "rmsprop, corrected": (
        "TorchAdam",
        {"beta_1": 0.0, "beta_2": 0.7, "epsilon": 1e-3},
        {"decay": 0.7, "eps": 1e-3, "eps_in_sqrt": False, "bias_correction": True},
    ),
    "adam": ("TorchAdam", {"beta_1": 0.8, "beta_2": 0.97, "epsilon": 1e-3}, {"b1": 0.8, "b2": 0.97, "eps": 1e-3}),
    "amsgrad": (
        "AMSGrad",
        {"beta_1": 0.8, "beta_2": 0.97, "epsilon": 1e-3, "correct_first": True},
        {"b1": 0.8, "b2": 0.97, "eps": 1e-3},
    ),
}


@pytest.mark.parametrize("name", OPTAX)
def test_variant_is_that_of_optax(jax, optax, name):
    ours, settings, their_settings = OPTAX[name]
    rule = getattr(optax, name.split(",")[0])(schedule(optax, 0.05), **their_settings)
    assert_same_path(variant(lambda rate: page[ours](rate, **settings), 0.05), in_optax(jax, optax, rule))


# Weight decay


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad"])
def test_weight_decay_is_a_penalty_in_torch(torch, name):
    rule, more = page[f"Torch{name}"], {"momentum": 0.9} if name == "SGD" else {}
    path = variant(lambda rate: page["Penalty"](rule(rate), 0.3), 0.01)
    make = getattr(torch.optim, name)
    expected = in_torch(torch, lambda params: make(params, lr=0.01, weight_decay=0.3, **more), two_rates(0.01))
    assert_same_path(path, expected)


def test_adamw_is_decoupled_in_torch_and_optax(torch, jax, optax):
    path = variant(lambda rate: page["Decoupled"](page["TorchAdam"](rate), 0.3), 0.01)
    assert_same_path(
        path, in_torch(torch, lambda params: torch.optim.AdamW(params, lr=0.01, weight_decay=0.3), two_rates(0.01))
    )
    assert_same_path(path, in_optax(jax, optax, optax.adamw(schedule(optax, 0.01), weight_decay=0.3)))


def test_the_place_in_the_chain_decides_in_optax(jax, optax):
    decay, rate = optax.add_decayed_weights(0.3), optax.scale_by_learning_rate(schedule(optax, 0.01))
    penalty = variant(lambda rate: page["Penalty"](page["TorchAdam"](rate), 0.3), 0.01)
    decoupled = variant(lambda rate: page["Decoupled"](page["TorchAdam"](rate), 0.3), 0.01)
    assert_same_path(penalty, in_optax(jax, optax, optax.chain(decay, optax.scale_by_adam(), rate)))
    assert_same_path(decoupled, in_optax(jax, optax, optax.chain(optax.scale_by_adam(), decay, rate)))


def exactly(make):
    """The Keras optimizer with its floats passed as float64, which Keras would otherwise round to float32."""

    def as_64_bit(value):
        return np.float64(value) if isinstance(value, float) else value

    def made(*args, **kwargs):
        given = inspect.signature(make).bind_partial(*args, **kwargs)
        given.apply_defaults()
        settings = {k: as_64_bit(v) for k, v in given.arguments.items() if k != "kwargs"}
        return make(**settings)

    return made


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam"])
def test_weight_decay_is_decoupled_in_every_keras_optimizer(keras, name):
    rule = {"SGD": SGD, "Adagrad": Adagrad, "RMSprop": RMSprop, "Adam": Adam}[name]
    path = page["run"]([page["Decoupled"](rule(0.01), 0.3)] * STEPS, gradients(), np.ones(len(SIZES)))
    optimizer = exactly(getattr(keras.optimizers, name))(learning_rate=0.01, weight_decay=0.3)
    assert_same_path(path, in_keras(keras, optimizer))


def test_keras_decays_biases_too_unless_they_are_excluded(keras):
    for excluded in (False, True):
        kernel, bias = (keras.Variable(np.ones(2), name=name) for name in ("kernel", "bias"))
        optimizer = keras.optimizers.AdamW(learning_rate=0.01, weight_decay=0.3)
        if excluded:
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.apply([np.zeros(2), np.zeros(2)], [kernel, bias])
        np.testing.assert_allclose(kernel.numpy(), 1 - 0.01 * 0.3, rtol=1e-6)
        np.testing.assert_allclose(bias.numpy(), 1.0 if excluded else 1 - 0.01 * 0.3, rtol=1e-6)


# Clipping, and the weights before the first step


def clippings():
    """The rows of the table on clipping: Keras' argument, PyTorch's code, and optax's call or None."""
    rows = []
    for source in sources("markdown"):
        _, header, table = source.partition("| Keras | in PyTorch, after the backward pass |")
        for line in table.partition("\n\n")[0].splitlines() if header else []:
            if line.startswith("| `"):
                in_keras, in_torch, *in_optax = re.findall(r"`([^`]+)`", line)
                rows.append((in_keras, in_torch, *(in_optax or [None])))
    return rows


def test_the_page_has_the_table_on_clipping():
    assert len(clippings()) == 3


@pytest.mark.parametrize(("argument", "code", "rule"), clippings(), ids=lambda value: str(value)[:40])
def test_clipping_is_that_of_keras(keras, torch, optax, argument, code, rule):
    gradients = [np.array([30.0, 40.0]), np.array([0.3, -0.4]), np.array([2.0, 0.0])]
    weights = [keras.Variable(np.zeros(2)) for _ in gradients]
    optimizer = eval(f"SGD(np.float64(1.0), {argument})", {"SGD": keras.optimizers.SGD, "np": np})
    optimizer.apply(gradients, weights)
    expected = [-each.numpy() for each in weights]
    params = [torch.nn.Parameter(torch.zeros(2, dtype=torch.float64)) for _ in gradients]
    for p, g in zip(params, gradients, strict=True):
        p.grad = torch.tensor(g)
    exec(code, {"torch": torch, "params": params})
    np.testing.assert_allclose([p.grad.numpy() for p in params], expected, rtol=1e-6)
    if rule is not None:
        clip = eval(rule, vars(optax).copy())
        np.testing.assert_allclose(clip.update(gradients, clip.init(gradients))[0], expected, rtol=1e-6)


def test_initial_weights_are_drawn_as_the_page_says(keras, torch):
    for inputs, outputs in ((784, 100), (100, 10)):
        linear, dense = torch.nn.Linear(inputs, outputs), keras.layers.Dense(outputs)
        dense.build((None, inputs))
        drawn = {"Keras": dense.get_weights(), "PyTorch": [each.detach().numpy() for each in linear.parameters()]}
        limits = {"Keras": ((6 / (inputs + outputs)) ** 0.5, 0.0), "PyTorch": (inputs**-0.5, inputs**-0.5)}
        for library, parts in drawn.items():
            for part, limit in zip(parts, limits[library], strict=True):
                share = 0.98 if part.size > 500 else 0.3  # of the limit that the largest of so many draws reaches
                assert share * limit <= np.abs(part).max() <= limit * (1 + 1e-6)
        torch.nn.init.xavier_uniform_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
        assert 0.98 < linear.weight.abs().max().item() / limits["Keras"][0] <= 1 + 1e-6
        assert not linear.bias.any()


# What came after Adam, schedules and checkpoints


def test_muon_of_torch_and_optax_has_another_factor_unless_it_is_told(torch, jax, optax):
    from utils.beyond_adam import Muon

    g = np.random.default_rng(3).standard_normal((30, 20))  # inputs, outputs; a PyTorch layer has it transposed
    for shape, factor in (((30, 20), 1.0), ((20, 30), 1.5**0.5)):
        g = g.reshape(shape)
        rule = Muon(1.0, weight_decay=0.0)
        ours = -rule.step(np.zeros(shape), g, rule.init(np.zeros(shape)))[0]
        bare = ours / (0.2 * 30**0.5)
        for in_torch, in_optax, expected in (("match_rms_adamw", 0.2, ours), (None, None, factor * bare)):
            theta = torch.nn.Parameter(torch.zeros(shape[::-1], dtype=torch.float64))
            theta.grad = torch.tensor(g.T.copy())
            torch.optim.Muon([theta], lr=1.0, weight_decay=0.0, adjust_lr_fn=in_torch).step()
            assert np.linalg.norm(-theta.detach().numpy().T - expected) < 0.02 * np.linalg.norm(expected)  # 16 bits
            muon = optax.contrib.muon(1.0, consistent_rms=in_optax)
            update, _ = muon.update(jax.numpy.asarray(g), muon.init(jax.numpy.zeros(shape)), jax.numpy.zeros(shape))
            np.testing.assert_allclose(-np.asarray(update), expected, atol=1e-5)


def test_only_the_cosine_of_torch_rises_again(keras, torch, jax, optax):
    theta = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([theta], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    in_torch = []
    for _ in range(201):
        in_torch.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    in_optax = optax.cosine_decay_schedule(0.1, 100)
    in_keras = keras.optimizers.schedules.CosineDecay(0.1, 100)
    np.testing.assert_allclose(np.array(in_torch)[[50, 100, 150, 200]], [0.05, 0, 0.05, 0.1], atol=1e-7)
    for cosine in (in_keras, in_optax):
        np.testing.assert_allclose([float(cosine(step)) for step in (50, 100, 150, 200)], [0.05, 0, 0, 0], atol=1e-7)


def test_the_fifth_restart_is_late_in_torch_only_if_its_step_is_given_a_number(torch, optax):
    rates = {}
    for how in ("counts", "is told"):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 10, T_mult=3)
        rates[how] = []
        for step in range(1212):
            if how == "is told":
                scheduler.step(step)
            rates[how].append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if how == "counts":
                scheduler.step()
    lengths = [10 * 3**k for k in range(7)]
    cycles = [{"init_value": 0.1, "peak_value": 0.1, "warmup_steps": 0, "decay_steps": n} for n in lengths]
    rates["optax"] = [float(optax.sgdr_schedule(cycles)(step)) for step in (400, 1209, 1210, 1211)]
    assert all(rates[how][step] > 0.0999 for how in ("counts", "is told") for step in (10, 40, 130, 400))
    assert rates["counts"][1210] > 0.0999 > 1e-6 > rates["is told"][1210]
    assert rates["is told"][1211] > 0.0999
    np.testing.assert_allclose(rates["optax"], [0.1, 0, 0.1, 0.1], atol=1e-5)


def test_what_the_checkpoints_of_torch_and_optax_hold(torch, jax, optax):
    layer = torch.nn.Linear(2, 1)
    groups = [{"params": [layer.weight]}, {"params": [layer.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01, weight_decay=0.3)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert set(layer.state_dict()) == {"weight", "bias"}
    saved = optimizer.state_dict()
    assert set(saved["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    other = torch.optim.AdamW([{"params": [layer.weight]}, {"params": [layer.bias]}], lr=0.1)
    other.load_state_dict(saved)
    assert [(group["lr"], group["weight_decay"]) for group in other.param_groups] == [(0.01, 0.3), (0.01, 0.0)]
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    optimizer.step()
    scheduler.step()
    assert scheduler.state_dict()["last_epoch"] == 1
    rule = optax.adam(optax.cosine_decay_schedule(0.1, 100))
    _, state = rule.update(jax.numpy.ones(2), rule.init(jax.numpy.zeros(2)))
    assert len([1 for leaf in jax.tree.leaves(state) if leaf.shape == (2,)]) == 2
    assert [int(leaf) for leaf in jax.tree.leaves(state) if leaf.shape == ()] == [1, 1]  # Adam's and the schedule's


def test_momentum_of_optax_nadam_does_not_grow_and_epsilon_of_adamax_is_inside_the_maximum(torch, jax, optax):
    """Nadam's second step tells whether its momentum grows, AdaMax' whether it keeps the first epsilon."""
    g = jax.numpy.ones(1)
    rule = optax.nadam(1.0, b1=0.8, b2=0.97, eps=0.0)
    state, steps = rule.init(g), []
    for _ in range(2):
        update, state = rule.update(g, state)
        steps.append(-float(update[0]))
    m = [0.2, 0.36]
    looked_ahead = [0.8 * m[t - 1] / (1 - 0.8 ** (t + 1)) + 0.2 / (1 - 0.8**t) for t in (1, 2)]
    np.testing.assert_allclose(steps, looked_ahead, rtol=1e-6)
    rule = optax.adamax(1.0, b1=0.0, b2=0.9, eps=1.0)
    update, _ = rule.update(g, rule.init(g))
    np.testing.assert_allclose(-float(update[0]), 0.5, rtol=1e-6)  # 1 / max(0, 1 + 1)
    state, big = rule.init(g), 100.0
    _, state = rule.update(big * g, state)
    update, _ = rule.update(g, state)
    np.testing.assert_allclose(-float(update[0]), 1 / (0.9 * (big + 1)), rtol=1e-6)  # epsilon decays with the maximum
    theta = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.Adamax([theta], lr=1.0, betas=(0.0, 0.9), eps=1.0)
    before = 0.0
    for size in (big, 1.0):
        theta.grad = torch.full((1,), size, dtype=torch.float64)
        before = theta.item()
        optimizer.step()
    np.testing.assert_allclose(before - theta.item(), 1 / (0.9 * (big + 1)), rtol=1e-6)
    assert inspect.signature(torch.optim.Adadelta).parameters["lr"].default == 1.0
    assert not hasattr(torch.optim, "Lion")


# RMSprop's own momentum, of which the page says where each framework puts the learning rate


def test_momentum_of_rmsprop_holds_the_learning_rate_in_keras_and_optax_but_not_in_torch(keras, torch, jax, optax):
    rates, epsilon = two_rates(0.01), 1e-12  # so small that its place does not matter from the second digit on
    settings = {"momentum": 0.8, "rho": 0.7, "epsilon": epsilon}
    keras_path = in_keras(keras, exactly(keras.optimizers.RMSprop)(learning_rate=0.01, **settings), rates)
    rule = optax.rmsprop(schedule(optax, 0.01), decay=0.7, eps=epsilon, momentum=0.8)
    assert_same_path(in_optax(jax, optax, rule), keras_path)
    torch_path = in_torch(
        torch, lambda params: torch.optim.RMSprop(params, lr=0.01, alpha=0.7, eps=1e-12, momentum=0.8), rates
    )
    difference = np.abs(torch_path - keras_path)[:, 2]  # of the coordinate with gradients of about 1
    assert difference[: CHANGE + 1].max() < 1e-6
    assert difference[CHANGE + 1] > 1e-3


# The defaults, and the recipes


def default(call, name):
    """The default of an argument, None if it has none or none is set; ``betas[0]`` is the first of a pair."""
    name, index = re.fullmatch(r"(\w+)(?:\[(\d)\])?", name).groups()
    value = inspect.signature(call).parameters[name].default
    value = None if value is inspect.Parameter.empty else value
    return value if index is None else value[int(index)]


@pytest.mark.parametrize("row", page["DEFAULTS"], ids=lambda row: f"{row[0]} {row[1]}")
def test_defaults_are_those_of_the_frameworks(keras, torch, optax, row):
    rule, in_keras, keras_value, in_torch, torch_value, in_optax, optax_value = row
    assert default(getattr(keras.optimizers, rule), in_keras) == keras_value
    assert default(getattr(torch.optim, rule), in_torch) == torch_value
    assert default(getattr(optax, rule.lower()), in_optax) == optax_value


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adam"])
def test_defaults_of_the_variants_are_those_of_torch(name):
    rows = {row[1]: row[4] for row in page["DEFAULTS"] if row[0] == name and row[1] != "momentum"}
    assert {key: getattr(page[f"Torch{name}"](), key) for key in rows} == rows


def keras_path_of(keras, code):
    """The path of a call as it stands in the first column of the last table."""
    names = {name: exactly(getattr(keras.optimizers, name)) for name in ("SGD", "Adagrad", "RMSprop", "Adam", "AdamW")}
    rates = two_rates(0.01) if "schedule" in code else None
    return in_keras(keras, eval(code, names | {"schedule": 0.01}), rates), rates


def torch_path_of(torch, call, before_step, rates):
    make = eval(f"lambda params: {call}", vars(torch.optim).copy())
    return in_torch(torch, make, rates, before_step)


@pytest.mark.parametrize(("code", "recipe", "more", "exact"), recipes("optax"), ids=lambda value: str(value)[:40])
def test_recipe_for_optax_is_keras(keras, jax, optax, code, recipe, more, exact):
    assert exact
    assert not more
    rule = eval(recipe, vars(optax) | {"schedule": schedule(optax, 0.01)})
    assert_same_path(in_optax(jax, optax, rule), keras_path_of(keras, code)[0])


@pytest.mark.parametrize(("code", "recipe", "more", "exact"), recipes("PyTorch"), ids=lambda value: str(value)[:40])
def test_recipe_for_torch_is_keras_or_said_not_to_be(keras, torch, code, recipe, more, exact):
    path, rates = keras_path_of(keras, code)
    if exact:
        assert_same_path(torch_path_of(torch, recipe, more, rates), path)
    else:
        with pytest.raises(AssertionError):
            assert_same_path(torch_path_of(torch, recipe, more, rates), path)


def test_recipe_for_torch_that_is_not_exact_is_off_by_what_the_page_says(keras, torch):
    ((code, recipe, more, _),) = (row for row in recipes("PyTorch") if not row[3])
    (said,) = {float(percent) for source in sources("markdown") for percent in re.findall(r"(\d+) % larger", source)}
    most = 1 + said / 100
    steps_in_keras = np.diff(keras_path_of(keras, code)[0], axis=0)
    steps_in_torch = np.diff(torch_path_of(torch, recipe, more, None), axis=0)
    moved = gradients() != 0  # one step is the gradient over the denominator, so the quotient is the denominators'
    ratio = steps_in_keras[moved] / steps_in_torch[moved]
    assert ratio.max() <= most + 0.005
    assert ratio.min() >= 1 - 1e-6
    assert ratio.max() > 1.3, "the gradients of this test show too little of the difference"


def test_the_recipes_are_needed(keras, torch, jax, optax):
    """Copying the hyperparameters without the recipe gives another path."""
    rates = two_rates(0.01)
    path = in_keras(keras, exactly(keras.optimizers.SGD)(learning_rate=0.01, momentum=0.9), rates)
    others = [
        in_torch(torch, lambda params: torch.optim.SGD(params, lr=0.01, momentum=0.9), rates),
        in_optax(jax, optax, optax.sgd(schedule(optax, 0.01), momentum=0.9)),
    ]
    adam = in_keras(keras, exactly(keras.optimizers.Adam)(learning_rate=0.001))
    naive = in_torch(torch, lambda params: torch.optim.Adam(params, lr=0.001, eps=1e-7))
    for one, other in [(path, others[0]), (path, others[1]), (adam, naive)]:
        with pytest.raises(AssertionError):
            assert_same_path(other, one)

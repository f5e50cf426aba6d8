"""The rules beyond Adam against PyTorch and optax (requirements-frameworks.txt): what their docstrings say of these."""

import dataclasses
import inspect

import numpy as np
import pytest

from tests.test_frameworks import (
    SIZES,
    STEPS,
    assert_same_path,
    gradients,
    in_optax,
    in_torch,
    jax,
    optax,
    schedule,
    torch,
    two_rates,
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
)

__all__ = ["jax", "optax", "torch"]  # fixtures
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:CUDA initialization")]
TINY = 1e-30  # an epsilon that keeps 0 from being divided by 0, and is nothing beside any gradient


def ours(make):
    """The path of ``make(t)``, a rule for each step, counted from 1."""
    theta = np.ones(len(SIZES))
    path, state = [theta], make(1).init(theta)
    for t, g in enumerate(gradients(), start=1):
        theta, state = make(t).step(theta, g, state)
        path.append(theta)
    return np.array(path)


def at_two_rates(rule):
    """A rule for each step, its learning rate divided by five in mid-run."""
    rates = two_rates(rule.learning_rate)
    return lambda t: dataclasses.replace(rule, learning_rate=rates[t - 1])


def of_algorithm_1(rule):
    """The same with the epsilon of Adam's Algorithm 1, which these frameworks use."""
    at = at_two_rates(rule)
    return lambda t: dataclasses.replace(at(t), epsilon=rule.epsilon * np.sqrt(1 - rule.beta_2**t))


ADAMW = AdamW(0.05, weight_decay=0.3, beta_1=0.8, beta_2=0.97, epsilon=1e-3)
NADAM = Nadam(0.05, beta_1=0.8, beta_2=0.97, epsilon=1e-3)
ADAMAX = Adamax(0.05, beta_1=0.8, beta_2=0.97, epsilon=TINY)
ADADELTA = Adadelta(0.7, rho=0.8, epsilon=1e-3)
LION = Lion(0.05, beta_1=0.8, beta_2=0.97, weight_decay=0.3)
BETAS = {"betas": (0.8, 0.97)}
B = {"b1": 0.8, "b2": 0.97}

TORCH = {
    "AdamW": (of_algorithm_1(ADAMW), 0.05, {"weight_decay": 0.3, "eps": 1e-3} | BETAS),
    "Adamax": (at_two_rates(ADAMAX), 0.05, {"eps": TINY} | BETAS),
    "Adadelta": (at_two_rates(ADADELTA), 0.7, {"rho": 0.8, "eps": 1e-3}),
}


@pytest.mark.parametrize("name", TORCH)
def test_rule_is_that_of_torch(torch, name):
    make, rate, settings = TORCH[name]
    theirs = getattr(torch.optim, name)
    assert_same_path(ours(make), in_torch(torch, lambda params: theirs(params, lr=rate, **settings), two_rates(rate)))


def test_nadam_is_that_of_torch_whose_momentum_grows_as_here(torch):
    settings = {"momentum_decay": 1.0, "eps": 1e-3} | BETAS
    path = in_torch(torch, lambda params: torch.optim.NAdam(params, lr=0.05, **settings), two_rates(0.05))
    np.testing.assert_allclose(path, ours(at_two_rates(NADAM)), rtol=0, atol=2e-8)  # the product is a float32 there


def test_the_momentum_of_nadam_grows_250_times_as_slowly_in_torch(torch):
    path = in_torch(torch, lambda params: torch.optim.NAdam(params, lr=0.05, eps=1e-3, **BETAS))
    assert torch.optim.NAdam([torch.nn.Parameter(torch.ones(1))]).defaults["momentum_decay"] == 1 / 250
    assert np.abs(path - ours(lambda t: NADAM))[:, 2:].max() > 0.01


OPTAX = {
    "adamw": (of_algorithm_1(ADAMW), 0.05, {"weight_decay": 0.3, "eps": 1e-3} | B),
    "adamax": (at_two_rates(ADAMAX), 0.05, {"eps": TINY} | B),
    "adadelta": (at_two_rates(ADADELTA), 0.7, {"rho": 0.8, "eps": 1e-3}),
    "lion": (at_two_rates(LION), 0.05, {"weight_decay": 0.3} | B),
}


@pytest.mark.parametrize("name", OPTAX)
def test_rule_is_that_of_optax(jax, optax, name):
    make, rate, settings = OPTAX[name]
    rule = getattr(optax, name)(schedule(optax, rate), **settings)
    assert_same_path(ours(make), in_optax(jax, optax, rule))


def test_yogi_is_that_of_optax_once_its_average_starts_at_0(jax, optax):
    rule = optax.yogi(schedule(optax, 0.05), eps=1e-3, **B)

    def init(theta):
        first, *others = rule.init(theta)
        return (first._replace(mu=jax.numpy.zeros_like(theta)), *others)

    path = ours(at_two_rates(Yogi(0.05, beta_1=0.8, beta_2=0.97, epsilon=1e-3)))
    assert_same_path(path, in_optax(jax, optax, rule._replace(init=init)))


SCHEDULE_FREE = {
    "schedule_free_sgd": (ScheduleFreeSGD(0.05, beta_1=0.8), {"b1": 0.8}),
    "schedule_free_adamw": (ScheduleFreeAdamW(0.05, 0.8, 0.97, 1e-3), {"eps": 1e-3} | B),
}


@pytest.mark.parametrize("name", SCHEDULE_FREE)
def test_schedule_free_is_that_of_optax_at_a_constant_rate_and_so_is_its_mean(jax, optax, name):
    rule, settings = SCHEDULE_FREE[name]
    theirs = getattr(optax.contrib, name)(0.05, **settings)
    path = ours(lambda t: rule)
    assert_same_path(in_optax(jax, optax, theirs), path)

    theta = jax.numpy.ones(len(SIZES), dtype="float64")
    state = theirs.init(theta)
    for g in gradients():
        updates, state = theirs.update(g, state, theta)
        theta = optax.apply_updates(theta, updates)
    mean = optax.contrib.schedule_free_eval_params(state, theta)
    np.testing.assert_allclose(rule.average(path)[-1], mean, rtol=1e-9)


def test_muon_of_torch_is_ours_but_for_its_16_bits(torch):
    rng = np.random.default_rng(3)
    steps = rng.standard_normal((20, 4, 7))
    theta = torch.nn.Parameter(torch.ones(4, 7, dtype=torch.float64))
    theirs = torch.optim.Muon([theta], lr=0.05, weight_decay=0.3, momentum=0.8, adjust_lr_fn="match_rms_adamw")
    rule = Muon(0.05, momentum=0.8, weight_decay=0.3)
    path, state = np.ones((4, 7)), rule.init(np.ones((4, 7)))
    for g in steps:
        theta.grad = torch.tensor(g)
        theirs.step()
        path, state = rule.step(path, g, state)
    theirs_moved, ours_moved = (each - 0.985**STEPS for each in (theta.detach().numpy(), path))
    assert 1e-6 < np.abs(theirs_moved - ours_moved).max() / np.abs(ours_moved).max() < 0.02


def test_the_defaults_that_the_docstrings_name(torch, optax):
    def default(call, *names):
        parameters = inspect.signature(call).parameters
        return [parameters[name].default for name in names]

    assert default(torch.optim.AdamW, "weight_decay") == [0.01]
    assert default(optax.adamw, "weight_decay") == [1e-4]
    assert default(optax.lion, "weight_decay") == [1e-3]
    assert default(torch.optim.Adadelta, "lr", "rho", "eps") == [1.0, 0.9, 1e-6]
    assert default(optax.adadelta, "rho", "eps") == [0.9, 1e-6]

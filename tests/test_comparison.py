"""utils.comparison and benchmarks/comparison.py: the trial, the tests of significance, and the stored results."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

import utils.comparison as comparison
from benchmarks import comparison as study
from utils.comparison import (
    LEARNING_RATES,
    NETWORKS,
    OPTIMIZERS,
    chosen_learning_rates,
    default_learning_rate,
    final_scores,
    good_range,
    holm,
    load_results,
    sign_flip_test,
    trial,
    verdicts,
)
from utils.plotting import COLORS

SMALL = {"examples": 640, "epochs": 1}


@pytest.fixture(scope="module")
def results():
    return load_results()


def test_optimizers_are_the_books_six_and_keras_own():
    assert list(OPTIMIZERS) == list(COLORS)
    made = {name: make().get_config() for name, make in OPTIMIZERS.items()}
    assert [made[name]["momentum"] for name in ("SGD", "Momentum", "Nesterov")] == [0, 0.9, 0.9]
    assert [made[name]["nesterov"] for name in ("SGD", "Momentum", "Nesterov")] == [False, False, True]
    assert {name: default_learning_rate(name) for name in OPTIMIZERS} == {
        name: 0.01 if name in ("SGD", "Momentum", "Nesterov") else 0.001 for name in OPTIMIZERS
    }


@pytest.mark.parametrize(("network", "parameters"), [("dense", 79_510), ("convolutional", 26_368)])
def test_networks_have_the_size_that_the_chapter_says(network, parameters):
    assert NETWORKS[network]().count_params() == parameters


@pytest.fixture
def few_images(monkeypatch):
    """Let trials score on 1,000 images, which is not what they are tested for here: scoring took most of the time."""
    x, y, scored = comparison._images()
    few = {name: (x_scored[:1000], y_scored[:1000]) for name, (x_scored, y_scored) in scored.items()}
    monkeypatch.setattr(comparison, "_images", lambda: (x, y, few))


def test_trial_is_repeatable_and_depends_on_each_argument(few_images):
    first = trial("dense", "Adam", 0.001, 0, **SMALL)
    assert trial("dense", "Adam", 0.001, 0, **SMALL) == first
    others = [
        trial("convolutional", "Adam", 0.001, 0, **SMALL),
        trial("dense", "RMSprop", 0.001, 0, **SMALL),
        trial("dense", "Adam", 0.002, 0, **SMALL),
        trial("dense", "Adam", 0.001, 1, **SMALL),
        trial("dense", "Adam", 0.001, 0, examples=1280, epochs=1),
        trial("dense", "Adam", 0.001, 0, examples=640, epochs=2),
    ]
    assert trial("convolutional", "Adam", 0.001, 0, **SMALL) == others[0]
    assert all(other["train_loss"] != first["train_loss"] for other in others)
    assert json.loads(json.dumps({name: float(value) for name, value in first.items()})) == first


def test_trial_scores_on_the_images_it_is_told():
    on_validation = trial("dense", "SGD", 0.1, 0, "validation", **SMALL)
    on_test = trial("dense", "SGD", 0.1, 0, "test", **SMALL)
    assert on_validation["train_loss"] == on_test["train_loss"]
    assert round(on_validation["accuracy"] * 12_000) == pytest.approx(on_validation["accuracy"] * 12_000, abs=0.07)
    assert round(on_test["accuracy"] * 10_000) == pytest.approx(on_test["accuracy"] * 10_000, abs=0.001)


def test_trial_that_diverges_says_so(few_images):
    diverged = trial("dense", "Momentum", 1e8, 0, **SMALL)
    assert np.isnan(diverged["loss"])
    assert diverged["accuracy"] < 0.2


def test_sign_flip_test_is_exact():
    rng = np.random.default_rng(0)
    for differences in (rng.normal(0.5, 1, size=10), np.array([3, 1, -2.0]), rng.normal(size=7)):
        n = len(differences)
        flips = [[1 - 2 * (number >> bit & 1) for bit in range(n)] for number in range(2**n)]
        extreme = [abs(np.dot(signs, differences)) >= abs(differences.sum()) - 1e-12 for signs in flips]
        assert sign_flip_test(differences) == pytest.approx(np.mean(extreme))
        assert sign_flip_test(-differences) == sign_flip_test(differences)


def test_sign_flip_test_at_its_limits():
    assert sign_flip_test([0.1] * 12) == 2 / 2**12
    assert sign_flip_test([0.0] * 6) == 1
    assert sign_flip_test([1, -1]) == 1


def test_sign_flip_test_gives_false_alarms_as_often_as_it_promises():
    rng = np.random.default_rng(1)
    alarms = np.mean([sign_flip_test(rng.normal(size=8)) <= 0.05 for _ in range(2000)])
    assert 0.03 < alarms < 0.06


def test_holm_on_a_worked_example():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1, 1])
    np.testing.assert_allclose(holm([0.2]), [0.2])


def test_verdicts_name_the_better_first_and_correct_for_every_pair():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.001, size=(12, 3))
    scores = pd.DataFrame(np.array([0.85, 0.88, 0.88]) + noise, columns=["bad", "good", "same"])
    table = verdicts(scores)
    assert len(table) == 3
    assert table.loc[("good", "bad"), "real"]
    assert table.loc[("same", "bad"), "real"]
    assert not table["real"].all()
    assert table.loc[("good", "bad"), "difference"] == pytest.approx(0.03, abs=0.002)
    assert table.loc[("good", "bad"), "p"] >= 3 * 2 / 2**12


def test_chosen_learning_rate_has_the_best_mean_and_is_the_smaller_of_two():
    rows = [("n", "A", rate, score) for rate, score in [(0.1, 0.8), (0.1, 0.9), (0.2, 0.84), (0.2, 0.84), (1, 0.1)]]
    rows += [("n", "B", rate, 0.5) for rate in (0.3, 0.1)]
    table = pd.DataFrame(rows, columns=["network", "optimizer", "learning_rate", "accuracy"])
    assert chosen_learning_rates(table).to_dict() == {("n", "A"): 0.1, ("n", "B"): 0.1}


def test_final_scores_are_those_of_the_test_images_at_the_given_learning_rates():
    columns = ["optimizer", "learning_rate", "seed", "scored_on", "accuracy"]
    rows = [(name, rate, seed, "test", rate + seed) for name in OPTIMIZERS for rate in (0.1, 0.2) for seed in (4, 3)]
    rows += [("SGD", 0.1, 4, "validation", -1)]
    rates = dict.fromkeys(OPTIMIZERS, 0.2) | {"SGD": 0.1}
    scores = final_scores(pd.DataFrame(rows, columns=columns), rates)
    assert list(scores.columns) == list(OPTIMIZERS)
    assert scores["SGD"].to_dict() == {3: 3.1, 4: 4.1}
    assert scores["Adam"].to_dict() == {3: 3.2, 4: 4.2}


def test_good_range_is_one_stretch_around_the_best():
    means = pd.Series({0.01: 0.875, 0.1: 0.5, 1.0: 0.871, 2.0: 0.88, 5.0: np.nan, 10.0: 0.88})
    assert good_range(means) == (1.0, 2.0)
    assert good_range(means, margin=0.5) == (0.01, 2.0)
    assert good_range(pd.Series({0.1: 0.5})) == (0.1, 0.1)


def test_stored_results_are_complete(results):
    seeds = {"first": 0, "second": 1000, "AVX2": 0}
    assert set(results["run"]) == set(seeds)
    for (run, network, optimizer), rows in results.groupby(["run", "network", "optimizer"]):
        tuning, final = (rows[rows["scored_on"] == kind] for kind in ("validation", "test"))
        expected = [] if run == "AVX2" else itertools.product(LEARNING_RATES, [seeds[run] + s for s in range(3)])
        assert sorted(zip(tuning["learning_rate"], tuning["seed"], strict=True)) == sorted(expected)
        source = results[(results["run"] == ("second" if run == "second" else "first"))]
        best = chosen_learning_rates(source[source["scored_on"] == "validation"])[network, optimizer]
        rates = {best, default_learning_rate(optimizer)}
        expected = itertools.product(rates, [seeds[run] + s for s in range(100, 112)])
        assert sorted(zip(final["learning_rate"], final["seed"], strict=True)) == sorted(expected)
    assert results["accuracy"].between(0, 1).all()
    assert not results.duplicated(["run", "network", "optimizer", "learning_rate", "seed", "scored_on"]).any()


def test_no_optimizer_is_best_at_the_edge_of_the_grid(results):
    for run in ("first", "second"):
        tuning = results[(results["run"] == run) & (results["scored_on"] == "validation")]
        chosen = chosen_learning_rates(tuning)
        assert len(chosen) == len(NETWORKS) * len(OPTIMIZERS)
        assert chosen.between(LEARNING_RATES[1], LEARNING_RATES[-2]).all()


def test_study_runs_goes_on_and_is_reported(few_images, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(comparison, "LEARNING_RATES", (0.001, 0.01))
    monkeypatch.setattr(comparison, "NETWORKS", {"dense": comparison.dense})
    monkeypatch.setattr(comparison, "EXAMPLES", {"dense": SMALL["examples"]})
    monkeypatch.setattr(study, "TUNING_SEEDS", range(1))
    monkeypatch.setattr(study, "FINAL_SEEDS", range(100, 102))
    work = tmp_path / "work.jsonl"
    table = study.run(work, jobs=1, seed_base=7, final_only=False)
    assert set(table["seed"]) == {7, 107, 108}
    lines = work.read_bytes()
    again = study.run(work, jobs=1, seed_base=7, final_only=False)
    pd.testing.assert_frame_equal(again, table)
    assert work.read_bytes() == lines
    study.report(table.assign(run="first"))
    assert "test accuracy in % over 2 seeds" in capsys.readouterr().out

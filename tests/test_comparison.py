"""utils.comparison and benchmarks/comparison.py: the trial, the tests of significance, and the stored results."""

import itertools
import json

import keras
import numpy as np
import pandas as pd
import pytest

import utils.comparison as comparison
import utils.training as training
from benchmarks import beyond_adam as later_study
from benchmarks import comparison as study
from utils.beyond_adam import ScheduleFreeAdamW
from utils.comparison import (
    BEYOND_ADAM,
    EXAMPLES,
    HELD_OUT,
    LEARNING_RATES,
    NETWORKS,
    OPTIMIZERS,
    LinearDecay,
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
from utils.plotting import COLORS, LOOKS

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
        trial("dense", "Adam", 0.001, 0, schedule="decay", **SMALL),
    ]
    assert trial("convolutional", "Adam", 0.001, 0, **SMALL) == others[0]
    assert trial("dense", "Adam", 0.001, 0, schedule="decay", **SMALL) == others[-1]
    assert all(other["train_loss"] != first["train_loss"] for other in others)
    assert json.loads(json.dumps({name: float(value) for name, value in first.items()})) == first


def test_trial_scores_on_the_images_it_is_told():
    on_validation = trial("dense", "SGD", 0.1, 0, "validation", **SMALL)
    on_test = trial("dense", "SGD", 0.1, 0, "test", **SMALL)
    assert on_validation["train_loss"] == on_test["train_loss"]
    assert round(on_validation["accuracy"] * 12_000) == pytest.approx(on_validation["accuracy"] * 12_000, abs=0.07)
    assert round(on_test["accuracy"] * 10_000) == pytest.approx(on_test["accuracy"] * 10_000, abs=0.001)


def test_linear_decay_is_keras_own_without_its_power_and_reaches_zero():
    ours, theirs = LinearDecay(), keras.optimizers.schedules.PolynomialDecay(0.3, 7, end_learning_rate=0.0)
    ours.peak.assign(0.3)
    ours.steps.assign(7)
    rates = [float(ours(step)) for step in range(9)]
    np.testing.assert_allclose(rates, [float(theirs(step)) for step in range(9)], rtol=1e-6, atol=1e-8)
    assert rates[7:] == [0, 0]


def test_decay_lasts_as_long_as_the_run_at_any_peak_and_length(few_images):
    for peak, examples, epochs in ((0.5, 640, 2), (0.1, 1250, 1)):  # 40 steps in two equal epochs, or in a ragged one
        trial("dense", "SGD", peak, 0, schedule="decay", examples=examples, epochs=epochs)
        _, rule, decay = comparison._pair("dense", "SGD", "decay", None)
        assert int(rule.iterations.numpy()) == 40
        assert float(decay(0)) == pytest.approx(peak)
        assert float(decay(39)) == pytest.approx(peak / 40, rel=1e-4)
        assert float(decay(40)) == 0


def test_one_program_serves_every_peak_of_the_decay(few_images):
    trial("dense", "SGD", 0.1, 0, schedule="decay", **SMALL)
    programs = training._training.cache_info().misses
    trial("dense", "SGD", 0.2, 0, schedule="decay", **SMALL)
    assert training._training.cache_info().misses == programs


def test_trial_does_not_train_on_the_images_held_out(monkeypatch):
    taken = {}

    def note(model, rule, data, **settings):
        taken["data"] = data
        raise InterruptedError

    monkeypatch.setattr(comparison, "train", note)
    x, y, scored = comparison._images()
    sizes = {("dense", "held-out"): 40_000, ("convolutional", "held-out"): 24_000, ("dense", "validation"): 48_000}
    for (network, scored_on), size in sizes.items():
        with pytest.raises(InterruptedError):
            trial(network, "SGD", 0.1, 0, scored_on)
        assert len(taken["data"][0]) == len(taken["data"][1]) == size <= EXAMPLES[network]
        np.testing.assert_array_equal(taken["data"][1], y[:size])
    held_x, held_y = scored["held-out"]
    assert len(held_x) == len(held_y) == HELD_OUT == len(x) - 40_000
    np.testing.assert_array_equal(held_y, y[40_000:])
    np.testing.assert_array_equal(held_x[:5], x[40_000:40_005])


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
    assert table.loc[("good", "bad"), "firm"]
    assert table.loc[("same", "bad"), "firm"]
    assert not table["firm"].all()
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
    held_out = pd.DataFrame([(name, 0.2, 5, "held-out", 0.5) for name in OPTIMIZERS], columns=columns)
    both = pd.concat([pd.DataFrame(rows, columns=columns), held_out])
    assert final_scores(both, dict.fromkeys(OPTIMIZERS, 0.2), "held-out")["Adam"].to_dict() == {5: 0.5}


def test_good_range_is_one_stretch_around_the_best():
    means = pd.Series({0.01: 0.875, 0.1: 0.5, 1.0: 0.871, 2.0: 0.88, 5.0: np.nan, 10.0: 0.88})
    assert good_range(means) == (1.0, 2.0)
    assert good_range(means, margin=0.5) == (0.01, 2.0)
    assert good_range(pd.Series({0.1: 0.5})) == (0.1, 0.1)


def chosen_in(results, run, schedule):
    """The learning rates that a stored run takes for its final trials."""
    source = "second" if run == "second" else "first"
    tuning = results[(results["run"] == source) & (results["schedule"] == schedule)]
    return chosen_learning_rates(tuning[tuning["scored_on"] == "validation"])


def searched(results):
    """The learning rates at which the search with decay tries each pair, played again with the stored scores."""
    tuning = results[(results["schedule"] == "decay") & (results["scored_on"] == "validation")]
    rates, tried = {}, None
    while rates != (rates := study.windows(chosen_in(results, "first", "constant"), tried, LEARNING_RATES)):
        keys = [(*pair, rate) for pair, some in rates.items() for rate in some]
        tried = tuning.set_index(["network", "optimizer", "learning_rate"]).sort_index().loc[keys].reset_index()
    return rates


def test_search_goes_on_until_the_best_is_inside():
    def tried(**scores):
        rows = [("n", "A", float(rate), score) for rate, score in scores.items()]
        return pd.DataFrame(rows, columns=["network", "optimizer", "learning_rate", "accuracy"])

    grid, begin = (1.0, 2.0, 3.0, 4.0, 5.0), {("n", "A"): 2.0}
    assert study.windows(begin, None, grid) == {("n", "A"): (2.0, 3.0, 4.0)}
    assert study.windows(begin, tried(**{"2": 0.1, "3": 0.2, "4": 0.1}), grid) == {("n", "A"): (2.0, 3.0, 4.0)}
    assert study.windows(begin, tried(**{"2": 0.3, "3": 0.2, "4": 0.1}), grid) == {("n", "A"): (1.0, 2.0, 3.0, 4.0)}
    assert study.windows(begin, tried(**{"2": 0.1, "3": 0.2, "4": 0.3}), grid) == {("n", "A"): (2.0, 3.0, 4.0, 5.0)}
    assert study.windows(begin, tried(**{"1": 0.3, "2": 0.2, "3": 0.1}), grid) == {("n", "A"): (1.0, 2.0, 3.0)}
    assert study.windows({("n", "A"): 5.0}, None, grid) == {("n", "A"): (5.0,)}


def test_stored_results_are_complete(results):
    assert set(results["run"]) == set(study.RUNS)
    columns = ["run", "network", "optimizer", "schedule", "learning_rate", "seed", "scored_on"]
    stored = sorted(results[columns].itertuples(index=False, name=None))
    expected = []
    for run, (base, schedules, scored_on) in study.RUNS.items():
        for network, optimizer, schedule in itertools.product(NETWORKS, OPTIMIZERS, schedules):
            rates = LEARNING_RATES if schedule == "constant" else searched(results)[network, optimizer]
            settings = itertools.product(rates, study.TUNING_SEEDS)
            expected += [(run, network, optimizer, schedule, rate, base + s, "validation") for rate, s in settings]
        for images in scored_on:
            for schedule in study.FINALS[images]:
                for (network, optimizer), best in chosen_in(results, run, schedule).items():
                    rates = {best, default_learning_rate(optimizer)} if images == "test" else {best}
                    settings = itertools.product(rates, study.FINAL_SEEDS[images])
                    expected += [(run, network, optimizer, schedule, rate, base + s, images) for rate, s in settings]
    assert stored == sorted(expected)
    assert results["accuracy"].between(0, 1).all()


def test_final_seeds_took_no_part_in_a_choice():
    chosen_with = set(study.TUNING_SEEDS)
    for seeds in study.FINAL_SEEDS.values():
        assert len(seeds) == 12
        assert not chosen_with & set(seeds)
        chosen_with |= set(seeds)


def test_no_optimizer_is_best_at_the_edge_of_the_grid(results):
    for run, (_, schedules, _) in study.RUNS.items():
        for schedule in schedules:
            chosen = chosen_in(results, run, schedule)
            assert len(chosen) == len(NETWORKS) * len(OPTIMIZERS)
            assert chosen.between(LEARNING_RATES[1], LEARNING_RATES[-2]).all()
    for (network, optimizer), rates in searched(results).items():
        assert min(rates) < chosen_in(results, "first", "decay")[network, optimizer] < max(rates)


def test_study_runs_goes_on_and_is_reported(few_images, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(comparison, "LEARNING_RATES", (0.001, 0.01))
    monkeypatch.setattr(comparison, "NETWORKS", {"dense": comparison.dense})
    monkeypatch.setattr(comparison, "EXAMPLES", {"dense": SMALL["examples"]})
    monkeypatch.setattr(study, "TUNING_SEEDS", range(1))
    monkeypatch.setattr(study, "FINAL_SEEDS", {"test": range(100, 102), "held-out": range(200, 202)})
    monkeypatch.setattr(study, "RUNS", {"first": (7, ("constant", "decay"), ("test", "held-out"))})
    work = tmp_path / "work.jsonl"
    table = study.run_all(work, jobs=1, labels=["first"])
    assert list(table.columns[: len(study.COLUMNS)]) == study.COLUMNS
    assert set(table["seed"]) == {7, 107, 108, 207, 208}
    sizes = table.groupby(["scored_on", "schedule"]).size()
    assert sizes["validation"]["constant"] == 12
    assert 6 <= sizes["validation"]["decay"] <= 12
    assert sizes["held-out"].to_dict() == {"constant": 12, "decay": 12}
    assert set(sizes["test"].index) == {"constant"}
    lines = (tmp_path / "work.first.jsonl").read_bytes()
    again = study.run_all(work, jobs=1, labels=["first"])
    pd.testing.assert_frame_equal(again, table)
    assert (tmp_path / "work.first.jsonl").read_bytes() == lines
    study.report(table)
    printed = capsys.readouterr().out
    assert "accuracy in % on the test images over 2 seeds" in printed
    assert "accuracy in % on the held-out images over 2 seeds" in printed


def test_an_older_processor_is_played_in_a_process_of_its_own(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(study.subprocess, "run", lambda command, env, check: started.append((command, env)))
    monkeypatch.setattr(study, "run", lambda path, jobs, label: pd.DataFrame(columns=study.COLUMNS[1:]))
    study.run_all(tmp_path / "work.jsonl", jobs=2, labels=["AVX2"])
    ((command, environment),) = started
    assert command[command.index("--only") + 1] == "AVX2"
    assert study.OLDER.items() <= environment.items()


# The study of chapter 11


@pytest.fixture(scope="module")
def later():
    return load_results("beyond_adam")


def test_rules_beyond_adam_have_a_look_and_keras_own_classes_but_for_one():
    assert set(BEYOND_ADAM) == {*later_study.ORDER, later_study.CONTROL}
    assert set(later_study.ORDER) < set(LOOKS) - set(COLORS)
    own = [name for name in later_study.ORDER if BEYOND_ADAM[name] is not getattr(keras.optimizers, name)]
    assert own == ["ScheduleFreeAdamW"]
    assert load_results().equals(load_results("comparison"))
    with pytest.raises(ValueError, match="study must be"):
        load_results("second")


@pytest.fixture
def in_64_bits():
    """Let Keras make its own variables, such as the learning rate, as precise as NumPy's numbers."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("in_64_bits")
def test_schedule_free_adamw_to_train_with_is_the_one_of_the_book_and_ends_at_the_mean():
    settings = {"learning_rate": 0.03, "beta_1": 0.8, "beta_2": 0.97, "epsilon": 1e-3}
    rule, theta = ScheduleFreeAdamW(**settings), np.full(5, 1.5)
    optimizer = BEYOND_ADAM["ScheduleFreeAdamW"](**{name: np.float64(value) for name, value in settings.items()})
    variable, state, path = keras.Variable(theta, dtype="float64"), rule.init(theta), [theta]
    for g in np.random.default_rng(0).standard_normal((100, 5)):
        theta, state = rule.step(theta, g, state)
        optimizer.apply([g], [variable])
        path.append(theta)
        np.testing.assert_allclose(variable.numpy(), theta, rtol=0, atol=1e-12)
    optimizer.finalize_variable_values([variable])
    np.testing.assert_allclose(variable.numpy(), rule.average(np.array(path))[-1], rtol=0, atol=1e-12)
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()


def test_trial_scores_the_mean_of_schedule_free_and_takes_a_decay(few_images):
    first = trial("dense", "ScheduleFreeAdamW", 0.01, 0, **SMALL)
    assert trial("dense", "ScheduleFreeAdamW", 0.01, 0, **SMALL) == first
    model, *_ = comparison._pair("dense", "ScheduleFreeAdamW", "constant", None)
    _, _, scored = comparison._images()
    accuracy, loss = comparison._score(model, *scored["validation"])
    assert first["accuracy"] == pytest.approx(accuracy, abs=1e-5)
    assert first["loss"] == pytest.approx(loss, abs=1e-5)
    mild, strong = (trial("dense", "AdamW", 0.001, 0, weight_decay=decay, **SMALL) for decay in (0.0, 500.0))
    assert mild["train_loss"] < strong["train_loss"]


def test_stored_trials_beyond_adam_are_those_that_the_search_asks_for(later, results):
    tuning, final = (later[later["scored_on"] == images] for images in ("validation", "held-out"))
    assert len(tuning) + len(final) == len(later)
    assert set(tuning["seed"]) == set(later_study.TUNING_SEEDS)
    rates = later_study.LOWER_RATES + LEARNING_RATES + later_study.HIGHER_RATES
    of_adam = {schedule: chosen_in(results, "first", schedule)["dense", "Adam"] for schedule in ("constant", "decay")}
    assert set(zip(final["optimizer"], final["schedule"], strict=True)) <= set(later_study.pairs())
    for (name, schedule), trials in final.groupby(["optimizer", "schedule"]):
        tried = tuning[(tuning["optimizer"] == name) & (tuning["schedule"] == schedule)]
        assert sorted(trials["seed"]) == list(later_study.FINAL_SEEDS)
        if name == "AdamW":
            assert set(tried["learning_rate"]) == set(trials["learning_rate"]) == {of_adam[schedule]}
            assert sorted(tried["weight_decay"]) == list(later_study.DECAYS)
            assert set(trials["weight_decay"]) == {tried.set_index("weight_decay")["accuracy"].idxmax()}
        else:
            best = tried.set_index("learning_rate")["accuracy"].idxmax()
            assert set(trials["learning_rate"]) == {best}
            inside = sorted(tried["learning_rate"])
            assert inside[0] < best < inside[-1]
            assert tuple(inside) == rates[rates.index(inside[0]) : rates.index(inside[-1]) + 1]


def test_one_seed_would_have_chosen_the_same_rates_in_chapter_09(results):
    tuning = results[(results["run"] == "first") & (results["network"] == "dense") & (results["seed"] == 0)]
    for schedule in ("constant", "decay"):
        one = chosen_learning_rates(tuning[(tuning["scored_on"] == "validation") & (tuning["schedule"] == schedule)])
        assert one["dense"].to_dict() == chosen_in(results, "first", schedule)["dense"].to_dict()


def test_the_comparisons_are_those_that_were_written_down(later):
    scores, found = later_study.compared(later)
    assert len(found) == len(later_study.pairs()) == 14  # the control is left out, and one question added
    lead = scores["constant", "Lion"] - scores["constant", "Adam"]
    assert found.loc[("constant", "Lion"), "lead"] == pytest.approx(lead.mean())
    assert found.loc[("constant", "Lion"), "ahead"] == (lead > 0).sum()
    assert found["p"].between(14 * 2 / 2**12 - 1e-9, 1).all()


def test_study_beyond_adam_runs_goes_on_and_is_reported(few_images, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(comparison, "LEARNING_RATES", (0.001, 0.01))
    monkeypatch.setattr(comparison, "EXAMPLES", {"dense": SMALL["examples"]})
    monkeypatch.setattr(later_study, "LOWER_RATES", ())
    monkeypatch.setattr(later_study, "HIGHER_RATES", ())
    monkeypatch.setattr(later_study, "DECAYS", (0.004, 0.5))
    only = [("ScheduleFreeAdamW", "constant"), ("AdamW", "constant"), ("Nadam", "constant"), ("Nadam", "decay")]
    table = later_study.run(tmp_path / "work.jsonl", only)
    lines = (tmp_path / "work.jsonl").read_bytes()
    again = later_study.run(tmp_path / "work.jsonl", only)
    pd.testing.assert_frame_equal(again, table)
    assert (tmp_path / "work.jsonl").read_bytes() == lines
    assert table.groupby(["optimizer", "schedule"])["scored_on"].value_counts().unstack()["held-out"].eq(12).all()
    assert table[table["optimizer"] == "ScheduleFreeAdamW"]["after_1"].isna().all()
    later_study.report(table)
    assert "over Adam with decay" in capsys.readouterr().out

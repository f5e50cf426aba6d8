"""The runs of a bench: what is trained, with which seed, and how a run ends."""

import threading

import keras
import numpy as np
import pytest

from utils.bench import settings as on_offer
from utils.bench.runs import Trainer
from utils.bench.settings import Settings
from utils.training import OPTIMIZERS

SETTINGS = Settings("Adam", 0.01, 32, 8, 3)


@pytest.fixture(scope="module")
def used_trainer(data):
    return Trainer(data)


@pytest.fixture
def trainer(used_trainer):
    """A trainer without runs. What is compiled is kept from test to test."""
    used_trainer.runs.clear()
    return used_trainer


def run(trainer, *, on_epoch_end=lambda: None, **settings):
    """Train one run; return it and how it ended."""
    trainer.begin(SETTINGS._replace(**settings))
    ending = trainer.go(on_epoch_end)
    return trainer.runs[-1], ending


def test_the_optimizers_on_offer_are_those_that_can_be_trained():
    assert tuple(OPTIMIZERS) == on_offer.OPTIMIZERS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_is_made_of_keras_with_the_learning_rate(name):
    made = OPTIMIZERS[name](0.02)
    own = {"Momentum": {"momentum": 0.9}, "Nesterov": {"momentum": 0.9, "nesterov": True}}
    expected = getattr(keras.optimizers, "SGD" if name in own else name)(0.02, **own.get(name, {}))
    assert type(made) is type(expected)
    assert made.get_config() | {"name": ""} == expected.get_config() | {"name": ""}


def test_the_same_settings_again_take_the_next_seed(trainer):
    one, two, *_ = [run(trainer, **each)[0] for each in ({}, {}, {"learning_rate": 0.02}, {"epochs": 2})]
    assert [each.seed for each in trainer.runs] == [0, 1, 0, 2]
    assert not np.allclose(one.history.loss, two.history.loss, rtol=1e-3)
    trainer.runs.clear()
    again, _ = run(trainer)
    assert again.seed == 0
    np.testing.assert_allclose(again.history.loss, one.history.loss, rtol=1e-5)


def test_a_run_is_there_from_its_beginning_and_grows_with_every_epoch(trainer):
    seen = []
    finished, ending = run(trainer, on_epoch_end=lambda: seen.append(trainer.runs[-1]))
    assert [len(each.history.loss) for each in seen] == [1, 2, 3]
    assert (finished, ending) == (seen[-1], "finished")
    trainer.begin(SETTINGS)
    assert trainer.runs == [finished, (SETTINGS, 1, None)]


def test_a_run_ends_with_the_epoch_in_which_it_is_stopped(trainer):
    def stop_after(epoch):
        return lambda: len(trainer.runs[-1].history.loss) == epoch and trainer.stop()

    stopped, ending = run(trainer, epochs=500, on_epoch_end=stop_after(2))
    assert (len(stopped.history.loss), ending) == (2, "stopped")
    last, ending = run(trainer, on_epoch_end=stop_after(3))
    assert (len(last.history.loss), ending) == (3, "finished"), "the next one begins afresh; too late is no stop"


def test_a_run_can_be_trained_and_stopped_in_another_thread(trainer):
    trainer.begin(SETTINGS._replace(epochs=500))
    ended, begun = [], threading.Event()
    thread = threading.Thread(target=lambda: ended.append(trainer.go(begun.set)))
    thread.start()
    assert begun.wait(timeout=60)
    trainer.stop()
    thread.join(timeout=60)
    assert ended == ["stopped"]


def test_a_run_that_fails_before_its_first_epoch_is_taken_out_again(trainer, monkeypatch):
    run(trainer)

    def fail(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr("utils.bench.runs.train", fail)
    with pytest.raises(MemoryError, match="no room"):
        run(trainer)
    assert [each.seed for each in trainer.runs] == [0]


def test_it_knows_how_many_examples_and_classes_there_are(trainer):
    assert (trainer.examples, trainer.classes) == (400, 3)

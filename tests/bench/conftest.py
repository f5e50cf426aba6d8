"""What the tests of the bench's parts share: data that a small network learns, and the settings of a run on them."""

import numpy as np
import pytest

SETTINGS = {"optimizer": "Adam", "learning_rate": 0.01, "batch_size": 32, "units": 8, "epochs": 3}


def classification(seed=0, examples=600):
    """Three classes that a small network learns in a few epochs."""
    x = np.random.default_rng(seed).normal(size=(examples, 4, 3)).astype("float32")
    y = x.reshape(examples, 12)[:, :3].argmax(axis=1)
    return x[: examples * 2 // 3], y[: examples * 2 // 3], x[examples * 2 // 3 :], y[examples * 2 // 3 :]


@pytest.fixture(scope="session", name="classification")
def _classification():
    """The function that makes the data, so that its source can be sent to a kernel too."""
    return classification


@pytest.fixture(scope="session")
def data():
    return classification()


@pytest.fixture(scope="session")
def settings():
    """By name, those of the run that a bench opens with."""
    return dict(SETTINGS)

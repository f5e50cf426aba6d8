"""The runs of a bench: a network is trained with the settings of each, and what it measured is kept."""

import threading
from typing import NamedTuple

import keras
import numpy as np

from utils.bench.settings import Settings
from utils.training import OPTIMIZERS, History, restart, train


class Run(NamedTuple):
    """A run: its settings, its seed and, as far as it has come, what it measured."""

    settings: Settings
    seed: int
    history: History | None


class Trainer:
    """Trains one run after another on the same data.

    Attributes
    ----------
    data : tuple
        ``(x_train, y_train, x_val, y_val)``, as for :func:`utils.training.train`.
    runs : list of Run
        All that were begun. One that fails before its first epoch is over is taken out again.
    """

    def __init__(self, data):
        self.data, self.runs = data, []
        self._pairs, self._pair, self._stop = {}, None, threading.Event()

    @property
    def examples(self):
        """The number of training examples."""
        return len(self.data[0])

    @property
    def classes(self):
        """The number of classes of the labels."""
        return int(np.max(self.data[1])) + 1

    def begin(self, settings):
        """Add a run to the list, with new weights. Equal settings, epochs aside, take the next seed.

        Call it in the main thread: the seed is one for the whole kernel, where a cell may be drawing numbers by the
        time that another thread comes to run.

        Parameters
        ----------
        settings : Settings
            Checked ones.
        """
        seed = sum(run.settings._replace(epochs=0) == settings._replace(epochs=0) for run in self.runs)
        key = settings.optimizer, settings.units
        if key not in self._pairs:  # compiling takes longer than training, so a pair is kept
            optimizer = OPTIMIZERS[settings.optimizer](settings.learning_rate)
            self._pairs[key] = self._network(settings.units), optimizer
        model, optimizer = self._pair = self._pairs[key]
        optimizer.learning_rate = settings.learning_rate
        keras.utils.set_random_seed(seed)
        restart(model, optimizer)
        self._stop.clear()
        self.runs.append(Run(settings, seed, None))

    def go(self, on_epoch_end):
        """Train the run that was begun last, to its end or until it diverges or is stopped.

        Parameters
        ----------
        on_epoch_end : callable
            Called without arguments after every epoch, whose results are in ``runs[-1]`` then.

        Returns
        -------
        str
            How it ended: "finished", "stopped" or "diverged".
        """
        settings, seed, _ = self.runs[-1]

        def keep(history):
            self.runs[-1] = Run(settings, seed, history)
            on_epoch_end()
            return self._stop.is_set() or history.diverged_at is not None

        try:
            chosen = {"epochs": settings.epochs, "batch_size": settings.batch_size, "seed": seed}
            history = train(*self._pair, self.data, **chosen, on_epoch_end=keep)
        finally:
            if self.runs[-1].history is None:
                self.runs.pop()
        return "diverged" if history.diverged_at else "stopped" if len(history.loss) < settings.epochs else "finished"

    def stop(self):
        """Let the run under way end with its present epoch; this may be called in another thread."""
        self._stop.set()

    def _network(self, units):
        model = keras.Sequential(
            [
                keras.Input(np.shape(self.data[0])[1:]),
                keras.layers.Flatten(),
                keras.layers.Dense(units, activation="relu"),
                keras.layers.Dense(self.classes, activation="softmax"),
            ]
        )
        model.compile(loss="sparse_categorical_crossentropy")
        return model

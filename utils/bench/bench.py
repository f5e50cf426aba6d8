"""The bench: a panel to choose settings in, runs that are trained with them, and the figure of their curves."""

import threading
import time

from utils.bench.figure import description, make_figure, picture
from utils.bench.panel import TEXT, Panel
from utils.bench.runs import Trainer
from utils.bench.settings import Settings, checked
from utils.plotting import DRAWING, drawing

_REDRAW = 0.3  # seconds between two drawings of a run under way; an epoch may be much shorter


class TrainingBench:
    """What :func:`training_bench` returns.

    Attributes
    ----------
    runs : list of Run
        Those whose curves are in the figure.
    panel : Panel
        The widgets.
    training : bool
        Whether a run is under way; if a click started it, the thread ``worker`` does the training.
    """

    def __init__(self, data, settings):
        self._trainer = Trainer(data)
        self.runs, self.training, self.worker = self._trainer.runs, False, None
        on_click = {"train": self._on_train, "stop": self._on_stop, "clear": self._on_clear}
        self.panel = Panel(settings, on_click)
        self.train()

    def train(self, **settings):
        """Train one run now and add its curves to the figure, as a click on Train does in the background.

        Parameters
        ----------
        **settings
            Those of :func:`training_bench`, which go into the panel. What is not given stays as it is there.

        Returns
        -------
        Run

        Raises
        ------
        ValueError
            If a setting cannot be used.
        RuntimeError
            If a run that a click has started is not over.
        """
        if self.training:
            raise RuntimeError(TEXT["busy"])
        chosen = checked(Settings(**(self.panel.chosen()._asdict() | settings)), self._trainer.examples)
        self.panel.fill(chosen)
        self._begin(chosen)
        self._work()
        return self.runs[-1]

    def make_figure(self):
        """Return the curves as a new matplotlib.figure.Figure."""
        return make_figure(self.runs, self._trainer.classes)

    def _begin(self, settings):
        self._trainer.begin(settings)
        self._enable(training=True)
        self.panel.say("starting", number=len(self.runs))

    def _work(self):
        """Train the last run of the list and show how it goes."""
        drawn = time.monotonic()

        def follow():
            nonlocal drawn
            if time.monotonic() - drawn > _REDRAW:
                self._tell("training")
                self._draw()
                drawn = time.monotonic()

        try:
            self._tell(self._trainer.go(on_epoch_end=follow))
        finally:
            self._draw()
            self._enable(training=False)

    def _work_in_background(self):
        number = len(self.runs)
        try:
            self._work()
        except Exception as error:  # such as too little memory; nobody else would tell the reader
            self.panel.say("failed", number=number, error=error)

    def _on_train(self):
        try:
            settings = checked(self.panel.chosen(), self._trainer.examples)
        except ValueError as error:
            self.panel.show(str(error))
            return
        if not self.training:  # a second click may have been on its way when the button was switched off
            self._begin(settings)
            # In a thread, because a kernel that is busy with one click hears of the next, on Stop, too late.
            self.worker = threading.Thread(target=self._work_in_background, daemon=True)
            self.worker.start()

    def _on_stop(self):
        if self.training:
            self._trainer.stop()
            self.panel.say("stopping", number=len(self.runs))

    def _on_clear(self):
        if not self.training:
            self.runs.clear()
            self._draw()
            self.panel.say("cleared")

    def _enable(self, training):
        self.training = training
        self.panel.enable(training)

    def _tell(self, key):
        """Say how far the last run has come."""
        settings, _, history = self.runs[-1]
        far = {"epoch": len(history.loss), "epochs": settings.epochs, "accuracy": history.val_accuracy[-1]}
        self.panel.say(key, number=len(self.runs), step=history.diverged_at, **far)

    def _draw(self):
        self.panel.draw(picture(self.make_figure()), description(self.runs))

    def _repr_mimebundle_(self, include=None, exclude=None):
        # Front ends with a kernel prefer the panel. `make notebooks` leaves it out, so that nothing dead is stored.
        still = picture(self.make_figure())
        bundle = {
            "text/plain": description(self.runs),
            "image/png": still.png,
            DRAWING: drawing(self.make_figure()),
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.panel.model_id,
            },
        }
        return bundle, {"image/png": {"width": still.width, "height": still.height}}


def training_bench(data, *, optimizer="Adam", learning_rate=0.001, batch_size=32, units=100, epochs=5):
    """Make a panel with which the reader trains a network with one hidden layer, again and again, and sees the curves.

    It opens with one finished run, at the settings given here. Training the same settings again takes the next seed,
    so that the noise between seeds shows. The seeds are set with ``keras.utils.set_random_seed``, as in a chapter.

    To embed it, let it be the last value of a cell, and give the cell's ``mystnb`` metadata a caption and an alt text
    that fit a picture: ``training_bench(data, learning_rate=0.01)``. A later cell may call ``bench.train(...)``.

    Parameters
    ----------
    data : tuple
        ``(x_train, y_train, x_val, y_val)``, as for :func:`utils.training.train`.
    optimizer : str
        One of "SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop" and "Adam". The momentum is 0.9.
    learning_rate : float
        Above 0 and at most 100.
    batch_size, units, epochs : int
        From 1 to, in this order, the number of training examples, 2,000 and 500.

    Returns
    -------
    TrainingBench

    Raises
    ------
    ValueError
        If a setting cannot be used; the message says what is allowed.
    """
    given = Settings(optimizer, learning_rate, batch_size, units, epochs)
    return TrainingBench(data, checked(given, len(data[0])))

"""The bench: its runs, its panel and its figure."""

import base64
import html
import threading
import time
from io import BytesIO
from typing import NamedTuple

import ipywidgets as widgets
import keras
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from utils.language import texts
from utils.plotting import COLORS, INK, look_of
from utils.training import OPTIMIZERS, History, restart, train

#: The least and the largest learning rate that the slider offers, as powers of ten.
SLIDER = (-5, 1)

#: What the bench says to the reader.
TEXT = texts("bench")

# Runs of one optimizer share its colour; these tell them apart, with the marker filled and then, from the seventh, not.
_DASHES = ("-", "--", ":", "-.", (0, (8, 2, 1, 2, 1, 2)), (0, (1, 4)))
_REDRAW = 0.3  # seconds between two drawings of a run under way; an epoch may be much shorter


class Settings(NamedTuple):
    """The hyperparameters of a run."""

    optimizer: str
    learning_rate: float
    batch_size: int
    units: int
    epochs: int


class Run(NamedTuple):
    """A run: its settings, its seed and, as far as it has come, what it measured."""

    settings: Settings
    seed: int
    history: History | None


class TrainingBench:
    """What :func:`training_bench` returns.

    Attributes
    ----------
    runs : list of Run
        Those whose curves are in the figure.
    training : bool
        Whether a run is under way; if a click started it, the thread ``worker`` does the training.
    """

    def __init__(self, data, settings):
        self.data, self.runs = data, []
        self.training, self.worker = False, None
        self._pairs, self._stop = {}, threading.Event()
        self._make_widgets(settings)
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
        chosen = _checked(Settings(**(self._chosen()._asdict() | settings)), len(self.data[0]))
        for name, value in chosen._asdict().items():
            self.fields[name].value = str(value)
        self._work(*self._begin(chosen))
        return self.runs[-1]

    def _begin(self, settings):
        """Add a run to the list; return the model and the optimizer to train."""
        earlier = sum(run.settings._replace(epochs=0) == settings._replace(epochs=0) for run in self.runs)
        key = settings.optimizer, settings.units
        if key not in self._pairs:  # compiling takes longer than training, so a pair is kept
            model = _network(self.data, settings.units)
            self._pairs[key] = model, OPTIMIZERS[settings.optimizer](settings.learning_rate)
        model, optimizer = self._pairs[key]
        optimizer.learning_rate = settings.learning_rate
        # Here and not in the thread: the seed is one for the whole kernel, and a cell may be drawing numbers by then.
        keras.utils.set_random_seed(earlier)
        restart(model, optimizer)
        self.runs.append(Run(settings, earlier, None))
        self._stop.clear()
        self._enable(training=True)
        self._say("starting", number=len(self.runs))
        return model, optimizer

    def _work(self, model, optimizer):
        """Train the last run of the list and show how it goes."""
        settings, seed, _ = self.runs[-1]
        drawn = time.monotonic()

        def follow(history):
            nonlocal drawn
            self.runs[-1] = Run(settings, seed, history)
            if time.monotonic() - drawn > _REDRAW:
                self._tell("training")
                self._draw()
                drawn = time.monotonic()
            return self._stop.is_set() or history.diverged_at is not None

        try:
            chosen = {"epochs": settings.epochs, "batch_size": settings.batch_size, "seed": seed}
            history = train(model, optimizer, self.data, **chosen, on_epoch_end=follow)
            stopped = len(history.loss) < settings.epochs
            self._tell("diverged" if history.diverged_at else "stopped" if stopped else "finished")
        finally:
            if self.runs[-1].history is None:
                self.runs.pop()
            self._draw()
            self._enable(training=False)

    def _work_in_background(self, *pair):
        number = len(self.runs)
        try:
            self._work(*pair)
        except Exception as error:  # such as too little memory; nobody else would tell the reader
            self._say("failed", number=number, error=error)

    def _on_train(self, _):
        try:
            settings = _checked(self._chosen(), len(self.data[0]))
        except ValueError as error:
            self._show(str(error))
            return
        if not self.training:  # a second click may have been on its way when the button was switched off
            # In a thread, because a kernel that is busy with one click hears of the next, on Stop, too late.
            self.worker = threading.Thread(target=self._work_in_background, args=self._begin(settings), daemon=True)
            self.worker.start()

    def _on_stop(self, _):
        if self.training:
            self._stop.set()
            self._say("stopping", number=len(self.runs))

    def _on_clear(self, _):
        if not self.training:
            self.runs.clear()
            self._draw()
            self._say("cleared")

    def _make_widgets(self, settings):
        narrow = {"layout": {"width": "160px"}, "style": {"description_width": "initial"}}
        self.fields = {name: widgets.Text(description=TEXT[name], **narrow) for name in Settings._fields}
        self.fields["optimizer"] = widgets.Dropdown(description=TEXT["optimizer"], options=list(OPTIMIZERS), **narrow)
        for name, value in settings._asdict().items():
            self.fields[name].value = str(value)
        self.fields["learning_rate"].layout.width = "190px"
        rate = {"min": SLIDER[0], "max": SLIDER[1], "step": 0.1, "value": settings.learning_rate}
        self.slider = widgets.FloatLogSlider(description=TEXT["slider"], readout=False, **rate)
        self.slider.observe(self._on_slider, "value")
        self.buttons = {name: widgets.Button(description=TEXT[name]) for name in ("train", "stop", "clear")}
        for name, button in self.buttons.items():
            button.on_click(getattr(self, f"_on_{name}"))
        # HTML, because Colab cannot take a picture in the binary form that an Image has; and it may have a description.
        self.figure, self.status = widgets.HTML(), widgets.HTML()
        optimizer, learning_rate, *numbers = self.fields.values()
        rows = [[optimizer, learning_rate, self.slider], numbers, self.buttons.values()]
        boxes = [widgets.HBox(list(row), layout={"flex_flow": "row wrap"}) for row in rows]
        self.panel = widgets.VBox([*boxes, self.status, self.figure])

    def _on_slider(self, change):
        self.fields["learning_rate"].value = f"{change['new']:.2g}"

    def _chosen(self):
        return Settings(**{name: field.value for name, field in self.fields.items()})

    def _enable(self, training):
        self.training = training
        for name, button in self.buttons.items():
            button.disabled = training != (name == "stop")

    def _tell(self, key):
        """Say how far the last run has come."""
        settings, _, history = self.runs[-1]
        far = {"epoch": len(history.loss), "epochs": settings.epochs, "accuracy": history.val_accuracy[-1]}
        self._say(key, number=len(self.runs), step=history.diverged_at, **far)

    def _say(self, key, **words):
        self._show(TEXT[key].format(**words))

    def _show(self, message):
        self.status.value = f'<div role="status">{html.escape(message)}</div>'

    def _labels(self):
        words = (run.settings._asdict() | {"seed": run.seed} for run in self.runs)
        return [TEXT["run"].format(number=number, **each) for number, each in enumerate(words, start=1)]

    def _description(self):
        return TEXT["still"].format(runs="; ".join(self._labels()) or TEXT["no_runs"])

    def make_figure(self):
        """Return the curves as a new matplotlib.figure.Figure."""
        # Not by pyplot, whose figures belong to the main thread.
        figure = Figure(figsize=(7.2, 3.0 + 0.22 * len(self.runs)), dpi=100, layout="constrained")
        axes = figure.subplots(1, 2)
        for (settings, _, history), label, look in zip(self.runs, self._labels(), self._looks(), strict=True):
            drawn = [] if history is None else [history.loss, history.val_accuracy]
            for ax, values in zip(axes, drawn, strict=False):
                look |= {"label": label, "markevery": max(1, len(values) // 8)}
                ax.plot(range(1, len(values) + 1), values, **look_of(settings.optimizer) | look)
        for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
            ax.set(xlabel=TEXT["epoch"], ylabel=TEXT[name])
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        guessing = np.log(_classes(self.data))  # a loss far above that of guessing would press all others flat
        axes[0].set_ylim(0, min(axes[0].get_ylim()[1], 1.2 * guessing))
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", fontsize=9, labelcolor=INK)
        return figure

    def _picture(self):
        """Return the figure as a PNG in base64, and its size in pixels of the page."""
        figure, file = self.make_figure(), BytesIO()
        figure.savefig(file, dpi=200)
        return base64.b64encode(file.getvalue()).decode(), np.rint(100 * figure.get_size_inches()).astype(int).tolist()

    def _looks(self):
        seen = dict.fromkeys(COLORS, 0)
        for settings, _, _ in self.runs:
            count = seen[settings.optimizer]
            seen[settings.optimizer] += 1
            fill = "full" if count // len(_DASHES) % 2 == 0 else "none"
            yield {"linestyle": _DASHES[count % len(_DASHES)], "fillstyle": fill, "markersize": 6}

    def _draw(self):
        picture, (width, _) = self._picture()
        source = f'src="data:image/png;base64,{picture}" style="width: {width}px; max-width: 100%"'
        self.figure.value = f'<img alt="{html.escape(self._description())}" {source}>'

    def _repr_mimebundle_(self, include=None, exclude=None):
        # Front ends with a kernel prefer the panel. `make notebooks` leaves it out, so that nothing dead is stored.
        picture, (width, height) = self._picture()
        bundle = {
            "text/plain": self._description(),
            "image/png": picture,
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.panel.model_id,
            },
        }
        return bundle, {"image/png": {"width": width, "height": height}}


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
    return TrainingBench(data, _checked(given, len(data[0])))


def _checked(settings, examples):
    """Return the settings, which may be the words typed into the panel, as numbers; or say what is wrong with one."""
    if settings.optimizer not in OPTIMIZERS:
        words = {"name": TEXT["optimizer"], "choices": ", ".join(OPTIMIZERS), "value": settings.optimizer}
        raise ValueError(TEXT["bad_choice"].format(**words))
    return Settings(
        settings.optimizer,
        _number("learning_rate", settings.learning_rate, 100),
        _number("batch_size", settings.batch_size, examples, whole=True),
        _number("units", settings.units, 2_000, whole=True),
        _number("epochs", settings.epochs, 500, whole=True),
    )


def _number(name, value, most, whole=False):
    try:
        number = (int if whole else float)(str(value))
        if not (1 if whole else 1e-30) <= number <= most:
            raise ValueError(name)
    except ValueError:
        key = "bad_whole" if whole else "bad_number"
        raise ValueError(TEXT[key].format(name=TEXT[name], most=most, value=value)) from None
    return number


def _classes(data):
    return int(np.max(data[1])) + 1


def _network(data, units):
    model = keras.Sequential(
        [
            keras.Input(np.shape(data[0])[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(_classes(data), activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy")
    return model

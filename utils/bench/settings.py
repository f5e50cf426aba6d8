"""The settings of a run: what they are, what they may be, and what is said about one that cannot be used."""

from typing import NamedTuple

from utils.language import texts
from utils.plotting import COLORS

#: The names of the optimizers on offer, those of ``utils.training.OPTIMIZERS``.
OPTIMIZERS = tuple(COLORS)

#: The largest value of each number. A batch has at most all training examples.
MOST = {"learning_rate": 100, "units": 2_000, "epochs": 500}

TEXT = texts("bench")


class Settings(NamedTuple):
    """The hyperparameters of a run."""

    optimizer: str
    learning_rate: float
    batch_size: int
    units: int
    epochs: int


def checked(settings, examples):
    """Return the settings, which may be the words typed into a panel, as numbers; or say what is wrong with one.

    Parameters
    ----------
    settings : Settings
    examples : int
        The number of training examples.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        If a setting cannot be used; the message says what is allowed.
    """
    if settings.optimizer not in OPTIMIZERS:
        words = {"name": TEXT["optimizer"], "choices": ", ".join(OPTIMIZERS), "value": settings.optimizer}
        raise ValueError(TEXT["bad_choice"].format(**words))
    return Settings(
        settings.optimizer,
        _number("learning_rate", settings.learning_rate, MOST["learning_rate"]),
        _number("batch_size", settings.batch_size, examples, whole=True),
        _number("units", settings.units, MOST["units"], whole=True),
        _number("epochs", settings.epochs, MOST["epochs"], whole=True),
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

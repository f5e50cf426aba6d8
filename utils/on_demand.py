"""Keras, imported when it is first used: a chapter opens at once, and runs without it up to the cell that needs it."""

import importlib


class _Keras:
    """Stands for the module until one of its names is asked for."""

    def __getattr__(self, name):
        return getattr(_load(), name)

    def __dir__(self):
        return dir(_load())


def _load():
    try:
        return importlib.import_module("keras")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"This cell needs Keras and TensorFlow, and {error.name} is not installed here: "
            "run `%pip install keras tensorflow` in a cell, then restart the kernel."
        ) from None


keras = _Keras()

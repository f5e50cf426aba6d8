"""Keras, imported when it is first used: a chapter opens at once, and runs without it up to the cell that needs it."""

import importlib

OTHER_BACKENDS = {"jax", "openvino", "torch"}


class _Keras:
    """Stands for the module until one of its names is asked for."""

    def __getattr__(self, name):
        return getattr(_load(), name)

    def __dir__(self):
        return dir(_load())


def _load():
    try:
        module = importlib.import_module("keras")
        backend = module.backend.backend()
    except ModuleNotFoundError as error:
        if error.name not in OTHER_BACKENDS:
            raise ModuleNotFoundError(
                f"This cell needs Keras and TensorFlow, and {error.name} is not installed here: "
                "run `%pip install keras tensorflow` in a cell, then restart the kernel."
            ) from None
        backend = error.name
    if backend != "tensorflow":
        raise ValueError(
            f"Keras runs on {backend}: set KERAS_BACKEND=tensorflow, which this book needs, before Keras is imported; "
            "restart the kernel, and begin with `%env KERAS_BACKEND=tensorflow`."
        )
    return module


keras = _Keras()

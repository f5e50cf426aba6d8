"""Keras is imported when it is first used, and with TensorFlow under it: another backend is named in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAYS = "ValueError: Keras runs on {}: set KERAS_BACKEND=tensorflow, which this book needs, before Keras is imported"

# What Python finds in place of Keras, which takes seconds to import, and of a backend that is not installed.
RUNS_ON = "class backend:\n    backend = lambda: {!r}\n\nconfig = 'the real one'\n"
WANTS = "raise ModuleNotFoundError('No module named {0}', name={0!r})\n"


def first_use(keras, folder, statement="from utils.on_demand import keras; print(keras.config)"):
    """Run the statement where ``keras`` is a file of that content; return what it prints and the error's last line."""
    (folder / "keras.py").write_text(keras)
    environ = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, "-c", statement], env=environ, capture_output=True, text=True)
    return done.stdout, done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("backend", ["jax", "torch", "openvino"])
@pytest.mark.parametrize("stand_in", [RUNS_ON, WANTS], ids=["installed", "not installed"])
def test_another_backend_is_named_at_the_first_use(stand_in, backend, tmp_path):
    printed, error = first_use(stand_in.format(backend), tmp_path)
    assert printed == ""
    assert error.startswith(SAYS.format(backend))
    assert error.endswith("restart the kernel, and begin with `%env KERAS_BACKEND=tensorflow`.")


def test_with_tensorflow_it_is_keras(tmp_path):
    assert first_use(RUNS_ON.format("tensorflow"), tmp_path) == ("the real one\n", "")


def test_nothing_is_imported_before_the_first_use(tmp_path):
    imports = "from utils.on_demand import keras; import sys; print('keras' in sys.modules)"
    assert first_use(RUNS_ON.format("jax"), tmp_path, imports) == ("False\n", "")


def test_the_trainer_says_it_when_it_is_imported(tmp_path):
    (tmp_path / "tensorflow.py").touch()
    _, error = first_use(RUNS_ON.format("torch"), tmp_path, "import utils.training")
    assert error.startswith(SAYS.format("torch"))

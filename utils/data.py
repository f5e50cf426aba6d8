"""Fashion-MNIST: its four files, checked and fetched (``python -m utils.data``), and its arrays, split and scaled."""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

CLASS_NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

SHA256 = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
PACKAGE = "dataset-fashion-mnist"
PACKAGE_FOLDER = "usr/share/datasets/fashion-mnist"
DEBIAN_FOLDER = Path("/", PACKAGE_FOLDER)
TIMEOUT = 10  # seconds that a server may be silent before its download counts as failed


class DataUnavailableError(RuntimeError):
    """Fashion-MNIST is not complete in Keras' cache and could not be completed; the message says what to do."""


class FashionMNIST(NamedTuple):
    """The arrays of :func:`load_fashion_mnist`: images in ``x_*``, labels in ``y_*``."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_fashion_mnist():
    """Load Fashion-MNIST from Keras' cache, scale the pixels and hold out a validation set.

    The files are checked first (:func:`ensure_data`), so a missing or damaged one is fetched again before it is read.

    Returns
    -------
    FashionMNIST
        Grey-scale images, float32 in [0, 1]: ``x_train`` (48000, 28, 28), ``x_val`` (12000, 28, 28) and
        ``x_test`` (10000, 28, 28). Labels, uint8 indices into ``CLASS_NAMES``: ``y_train`` (48000,),
        ``y_val`` (12000,) and ``y_test`` (10000,). Train and validation come from the 60,000 training images by
        ``train_test_split(..., test_size=0.2, random_state=42)``; the test set is the published one.

    Raises
    ------
    DataUnavailableError
        If the files are not there and no source has them.
    """
    folder = ensure_data(quiet=True)
    from sklearn.model_selection import train_test_split  # slow to import, and not needed to check or copy files

    x, y, x_test, y_test = (_read(folder / name) for name in SHA256)
    x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=42)
    x_train, x_val, x_test = (images.astype(np.float32) / 255 for images in (x_train, x_val, x_test))
    return FashionMNIST(x_train, y_train, x_val, y_val, x_test, y_test.copy())


def _read(path):
    """Return the array of a file, which holds the number of axes, the length of each, then the values."""
    with gzip.open(path) as file:
        content = file.read()
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def cache_folder():
    """Return the folder in which ``keras.datasets.fashion_mnist`` looks for its files.

    It lies in ``$KERAS_HOME``, or ``~/.keras`` if that is not set; Keras moves to ``/tmp/.keras`` if it cannot write
    there, so this does too. Keras reads ``KERAS_HOME`` once, when it is imported: set it before.
    """
    base = os.path.expanduser(os.environ.get("KERAS_HOME", os.path.join("~", ".keras")))
    with contextlib.suppress(OSError):
        os.makedirs(base, exist_ok=True)
    if not os.access(base, os.W_OK):
        base = os.path.join("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir(), ".keras")
    return Path(base, "datasets", "fashion-mnist")


# Each source yields the path of one file after the other, as it puts them into `scratch`; it raises where it cannot.


def from_debian_folder(names, scratch):
    """Copy the files from where Debian's package installs them."""
    for name in names:
        yield Path(shutil.copyfile(DEBIAN_FOLDER / name, scratch / name))


def from_keras(names, scratch):
    """Download the files as Keras does, but give up on a server that stays silent."""
    import keras

    for name in names:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(TIMEOUT)  # Keras has no argument for it, and would wait for ever
        try:
            with tqdm.external_write_mode():  # Keras draws a bar of its own, one per file
                path = keras.utils.get_file(name, KERAS_URL + name, cache_dir=scratch, cache_subdir="")
        finally:
            socket.setdefaulttimeout(before)
        yield Path(path)


def from_debian_package(names, scratch):
    """Download Debian's package and unpack it into ``scratch``; neither needs root."""
    if shutil.which("apt-get") is None:
        raise FileNotFoundError("there is no apt-get on this computer")
    _run("apt-get", "download", PACKAGE, cwd=scratch)
    (package,) = scratch.glob("*.deb")
    _run("dpkg-deb", "-x", package.name, ".", cwd=scratch)
    for name in names:
        yield scratch / PACKAGE_FOLDER / name


SOURCES = {
    "the folder of Debian's package": from_debian_folder,
    "Keras' download": from_keras,
    "Debian's package through apt-get": from_debian_package,
}


def ensure_data(quiet=False):
    """Make sure that the four files are in Keras' cache and are the published ones, by their SHA-256.

    A file that is not right is renamed to ``….damaged`` and fetched again. Every file arrives under a temporary name
    and gets its own only when its sum is right, so an interrupted run leaves no half-written file.

    Parameters
    ----------
    quiet : bool
        Print nothing if all is well. A file that has to be fetched is always announced.

    Returns
    -------
    pathlib.Path
        The folder of the files, see :func:`cache_folder`.

    Raises
    ------
    DataUnavailableError
        If a file is still missing after every source has been tried, or the folder cannot be written.
    """
    folder = cache_folder()
    missing = [name for name in SHA256 if not _is_right(folder / name)]
    if quiet and not missing:
        return folder
    notes = []
    with tqdm(desc="Fashion-MNIST", total=len(SHA256), initial=len(SHA256) - len(missing), unit="file") as bar:
        try:
            for name in missing:
                if os.path.lexists(folder / name):
                    notes.append(_set_aside(folder / name))
            for label, source in SOURCES.items():
                if missing:
                    bar.set_postfix_str(label)
                    _take(source, label, missing, folder, bar, notes)
        except OSError as error:  # no source is to blame, and none can help
            raise DataUnavailableError(
                f"{', '.join(missing)}: cannot be stored in {folder}: {error.strerror}.\n"
                "Make that folder writable and see that its disk has 100 MB free; or set the environment variable\n"
                "KERAS_HOME to another folder before Python starts. Then run `python -m utils.data` again."
            ) from error
    if missing:
        raise DataUnavailableError(_advice(folder, missing, notes))
    return folder


def _take(source, label, missing, folder, bar, notes):
    """Move what ``source`` has of the ``missing`` files into ``folder``; if it fails, add the reason to ``notes``."""
    folder.mkdir(parents=True, exist_ok=True)
    # Inside `folder`, so that the last step is a rename on one disk: a file is there as a whole or not at all.
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=folder) as scratch:
        try:
            for path in source(tuple(missing), Path(scratch)):
                if not _is_right(path):
                    raise ValueError(f"its {path.name} is not the published file (wrong SHA-256)")
                os.replace(path, folder / path.name)
                missing.remove(path.name)
                bar.update()
        except Exception as error:  # Keras reports a failed download as a plain Exception
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise
            notes.append(f"{label}: {error}")


def _is_right(path):
    """Tell whether the file can be read and has the SHA-256 of its name."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == SHA256[path.name]
    except OSError:
        return False


def _set_aside(path):
    """Rename a file that is not right, without overwriting one set aside earlier; return and print what was done."""
    aside, count = path.with_name(path.name + ".damaged"), 1
    while os.path.lexists(aside):
        count += 1
        aside = path.with_name(f"{path.name}.damaged{count}")
    path.rename(aside)
    note = f"{path.name} was damaged (unreadable or wrong SHA-256); it is now {aside}"
    tqdm.write(note, file=sys.stderr)
    return note


def _run(*command, cwd):
    """Run a command; raise its error output if it fails."""
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace")
        raise RuntimeError(f"`{' '.join(command)}` failed: {' '.join(said.split())}")


def _advice(folder, missing, notes):
    """Return the message for a reader whom no source could help."""
    happened = "".join(f"  - {note}\n" for note in notes)
    return (
        f"Fashion-MNIST is not complete in {folder}: no right copy of {', '.join(missing)}.\n"
        f"What happened:\n{happened}"
        "What you can do (any one of these, then run `python -m utils.data` again):\n"
        "  - connect to the internet, so that Keras can download the files (31 MB);\n"
        f"  - on Debian or Ubuntu, run `sudo apt-get update && sudo apt-get install {PACKAGE}`;\n"
        f"  - copy the files from a computer that has them (there in ~/.keras/datasets/fashion-mnist) to {folder};\n"
        "  - if you have them in another folder already, set the environment variable KERAS_HOME to the one that\n"
        "    holds datasets/fashion-mnist, before Python starts."
    )


def main():
    """Run :func:`ensure_data` and say where the files are; if they are not, say what to do and exit with status 1."""
    try:
        folder = ensure_data()
    except DataUnavailableError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted. Files that were complete are kept; run it again for the others.")
    print(f"Fashion-MNIST is complete in {folder}")


if __name__ == "__main__":
    main()

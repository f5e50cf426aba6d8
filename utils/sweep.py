"""``sweep`` runs many trials, on one process, all cores or a cluster, and loses none when it is interrupted."""

import errno
import itertools
import json
import os
from collections import Counter
from pathlib import Path

import joblib
import pandas as pd
from tqdm import tqdm

#: What every line of a file of results begins with.
_BEGINNING = b'{"setting": '


def grid(**values):
    """Return every combination of the given values, as a list of settings.

    Parameters
    ----------
    **values : sequences
        The values to try, by the name of the argument.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> grid(learning_rate=[0.1, 0.01], seed=[0, 1])[1]
    {'learning_rate': 0.1, 'seed': 1}
    """
    return [dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())]


def sweep(trial, settings, path, *, progress=False):
    """Run ``trial(**setting)`` for every setting, keep each result on disk as it comes, and return them as a table.

    A setting whose result is in the file already is not run again. So after Ctrl-C, a crash or a power cut, the same
    call goes on where the last one stopped; after more seeds are added to ``settings``, it runs just those.

    The trials run in this process. To use all cores or a cluster, change nothing here but wrap the call::

        with joblib.parallel_config("loky", n_jobs=-1):   # or parallel_config("dask"), with a dask Client
            table = sweep(trial, settings, "results.jsonl")

    Parameters
    ----------
    trial : callable
        Takes a setting as keyword arguments, returns a dict of numbers, strings or lists of them. For more than one
        process it must be importable or picklable, and must not rely on what this process has set up.
    settings : list of dict
        The keyword arguments of each trial: numbers, strings, booleans or None.
    path : str or pathlib.Path
        The file of results, one line of JSON for each finished trial. If it is not there, it is made for the first one.
    progress : bool
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row for each setting, in the order given: the setting's columns, then the result's.

    Raises
    ------
    ValueError
        If a setting is given twice or cannot be written as JSON, a result has a name that the setting uses already, or
        the file is no file of results.
    OSError
        If nothing can be written there; no trial has run by then.
    RuntimeError
        If a worker process died, or the file cannot be written because the disk is full or gone. What had finished is
        in the file: the same call goes on from there.
    """
    path = Path(path)
    settings = [{name: _plain(value) for name, value in setting.items()} for setting in settings]
    keys = [_key(setting) for setting in settings]
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise ValueError(f"settings must differ from each other, got {twice[0]} more than once")
    _check_writable(path)
    results = _read(path)
    left = [(key, setting) for key, setting in zip(keys, settings, strict=True) if key not in results]

    parallel = joblib.Parallel(return_as="generator_unordered", pre_dispatch="2 * n_jobs")

    def kept():
        return f"{sum(key in results for key in keys)} of {len(keys)} trials are in {path}: "

    with tqdm(total=len(left), unit="trial", disable=not progress) as bar:
        try:
            for key, result in parallel(joblib.delayed(_run)(trial, *each) for each in left):
                line = json.dumps({"setting": json.loads(key), "result": result}) + "\n"
                try:
                    _append(path, line.encode())
                except OSError as error:
                    raise RuntimeError(
                        f"a result could not be written ({error.strerror}); {kept()}"
                        "make room there, then make the same call again to go on"
                    ) from error
                results[key] = result
                bar.update()
        except joblib.externals.loky.process_executor.TerminatedWorkerError as error:
            raise RuntimeError(
                f"a worker process died, perhaps for lack of memory; {kept()}"
                "make the same call again to go on, with fewer processes if it happens again"
            ) from error
    return pd.DataFrame([setting | results[key] for key, setting in zip(keys, settings, strict=True)])


def _run(trial, key, setting):
    result = {name: _plain(value) for name, value in trial(**setting).items()}
    clash = sorted(set(setting) & set(result))
    if clash:
        raise ValueError(f"the trial returns {clash[0]!r}, which is the name of a setting: choose another")
    return key, result


def _check_writable(path):
    """Raise what writing would raise, before a trial has run for nothing; but make nothing yet."""
    place = next(each for each in (path, *path.parents) if each.exists())
    if place == path:
        path.open("r+b").close()
    elif not place.is_dir() or not os.access(place, os.W_OK):
        number = errno.EACCES if place.is_dir() else errno.ENOTDIR
        raise OSError(number, os.strerror(number), str(path))


def _append(path, line):
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unbuffered: what the disk refused must not be tried once more when the file is closed.
    with path.open("ab", buffering=0) as file:
        while line:  # on a disk that fills up, the system may take a part of a line only
            line = line[file.write(line) :]
        os.fsync(file.fileno())  # a result counts as kept only when a power cut cannot take it back


def _plain(value):
    """Return NumPy's numbers and arrays as Python's, which JSON can hold."""
    return value.tolist() if hasattr(value, "tolist") else value


def _key(setting):
    try:
        return json.dumps(setting, sort_keys=True)
    except TypeError as error:
        raise ValueError(f"a setting must hold numbers, strings, booleans or None, got {setting!r}") from error


def _read(path):
    """Return the finished trials of a file by key; a last line that was cut off in mid-write is taken out of it."""
    if not path.exists():
        return {}
    *lines, last = path.read_bytes().split(b"\n")
    results = {}
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            results[_key(entry["setting"])] = entry["result"]
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"line {number} of {path} is no result of a sweep: move the file away") from error
    if not last.startswith(_BEGINNING[: len(last)]):
        raise ValueError(f"the last line of {path} is no result of a sweep: move the file away")
    if last:
        os.truncate(path, path.stat().st_size - len(last))
    return results

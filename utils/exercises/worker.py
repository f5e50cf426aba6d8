"""What runs in a process of its own: it calls an attempt on all inputs, and watches the time that this takes.

The process reads one job from its standard input and writes one report to its standard output, both as pickles. Then
it ends, so that nothing an attempt has changed can meet the next one.
"""

import contextlib
import copy
import io
import os
import pickle
import re
import sys
import sysconfig
import threading
import time
import traceback
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TICK = 0.05  # seconds between two looks at what the attempt is doing
HEARTBEAT = 0.5  # seconds between two signs of life
MOST_PRINTED = 500  # characters that are kept of what an attempt printed

_LIBRARIES = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_LIBRARIES.add(str(Path(__file__).parent.parent))


@dataclass(frozen=True)
class Odd:
    """Stands for a value that cannot be compared: what kind it is of, and a short text of it."""

    kind: str
    text: str


class Place(NamedTuple):
    """A line of the reader's own code."""

    file: str
    line: int
    function: str


class Outcome(NamedTuple):
    """What one call came to, in a form that travels between processes."""

    result: Any = None
    mutated: bool = False
    error: str = ""
    where: Place | None = None


class Report(NamedTuple):
    """What all calls came to.

    Attributes
    ----------
    outcomes : list of Outcome
    printed : str
        What the first call printed, shortened.
    stuck : bool
        Whether the time was over before the calls.
    where : Place or None
        The line of the reader that was being run then.
    refused : str
        Why the attempt cannot be brought into this process, if it cannot.
    """

    outcomes: list = []  # noqa: RUF012, nobody appends
    printed: str = ""
    stuck: bool = False
    where: Place | None = None
    refused: str = ""


def plain(value, depth=0):
    """Return a value as something that travels and can be compared: numbers, texts, arrays, and tuples of them.

    What is no such thing becomes an ``Odd``. A tensor or a column of a table becomes an array.
    """
    if value is None or isinstance(value, (bool, int, float, complex, str, np.generic, Odd)):
        return value
    if isinstance(value, (tuple, list)):
        if depth > 8:
            return Odd("other", "a list within itself")
        parts = [plain(each, depth + 1) for each in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, (Fraction, Decimal)):
        return float(value)
    kind = type(value).__name__
    if kind in ("generator", "async_generator", "map", "filter", "zip"):
        return Odd("generator", kind)
    if kind == "coroutine":
        value.close()  # else Python complains that nobody awaited it
        return Odd("coroutine", kind)
    if callable(value):
        return Odd("function", getattr(value, "__name__", kind))
    if isinstance(value, (dict, set, frozenset)):
        return Odd("dict" if isinstance(value, dict) else "set", short_repr(value))
    with contextlib.suppress(Exception):
        array = np.asarray(value)
        if array.dtype.kind in "biufc" or (array.dtype.kind == "U" and isinstance(value, np.ndarray)):
            return array
        if array.dtype.kind == "O" and array.ndim and all(isinstance(x, (int, float, np.number)) for x in array.flat):
            return np.array(array.tolist())  # as numpy.frompyfunc gives them
    return Odd("other", short_repr(value))


def short_repr(value):
    """Return a value's own text, at most about a line of it, whatever its class may do instead."""
    try:
        text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))
    except Exception:
        text = f"a {type(value).__name__}"
    return short_text(text)


def call_all(run, attempt, trials, outcomes, printed):
    """Call an attempt on every input, and append what each call came to.

    Parameters
    ----------
    run : callable
        Turns the attempt and the arguments into the result.
    attempt : object
    trials : list of tuple
        The arguments of each call. The attempt gets copies.
    outcomes : list of Outcome
        Is appended to.
    printed : io.StringIO
        Takes what the first call prints; the others would print much the same.
    """
    with np.errstate(all="ignore"):
        for trial in trials:
            sink = io.StringIO() if outcomes else printed
            try:
                given = copy.deepcopy(trial)
                with contextlib.redirect_stdout(sink):
                    result = plain(run(attempt, *given))
            except BaseException as error:  # the reader may raise anything, KeyboardInterrupt and SystemExit included
                outcomes.append(Outcome(error=_message(error), where=own_place(_frames(error.__traceback__))))
            else:
                outcomes.append(Outcome(result, mutated=not same(given, trial)))


def _message(error):
    try:
        return short_text("".join(traceback.format_exception_only(error)).strip())
    except Exception:  # an exception of the reader's own, whose text fails in its turn
        return type(error).__name__


def short_text(text):
    """Return a text in at most about a line."""
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:160]}…"


def _frames(trace):
    return [Place(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(trace)]


def own_place(places):
    """Return the innermost of some places, outermost first, that is the reader's own code, or None."""
    for place in reversed(places):
        generated = place.file.startswith(("<frozen", "<string", "<__array"))  # by dataclass, NamedTuple and NumPy
        if not generated and not any(place.file.startswith(folder) for folder in _LIBRARIES):
            return place
    return None


def same(a, b):
    """Whether arguments are what they were before the call; what cannot be compared counts as untouched."""
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (np.ndarray, int, float)):
        return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")
    return True


def shorten(text):
    """Return the beginning of what an attempt printed."""
    return text if len(text) <= MOST_PRINTED else f"{text[:MOST_PRINTED]}…\n"


def _watch(thread, seconds, outcomes, printed, send):
    """Report and end the process when the attempt has had its time. Importing packages does not count."""
    spent, last, told = 0.0, time.monotonic(), 0.0
    while True:
        time.sleep(TICK)
        now = time.monotonic()
        frame = sys._current_frames().get(thread)
        places = [
            Place(each.f_code.co_filename, line, each.f_code.co_name) for each, line in traceback.walk_stack(frame)
        ]
        if not any(place.file == "<frozen importlib._bootstrap>" for place in places):
            spent += now - last
        last = now
        if spent > seconds:
            send(Report(list(outcomes), shorten(printed.getvalue()), stuck=True, where=own_place(places[::-1])))
            os._exit(0)
        if now - told > HEARTBEAT:
            told = now
            send(None)


def _leave_with_parent(channel):
    """End this process when the notebook's is gone, whatever the attempt is doing."""
    channel.read()
    os._exit(1)


def main():
    """Do one job: read (seconds, pickle of (run, attempt, trials)), send signs of life and a report."""
    jobs, reports = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # what the attempt prints past Python, or asks for, must not meet the pickles
        os.dup2(nowhere, stream)
    lock, outcomes, printed = threading.Lock(), [], io.StringIO()

    def send(report):
        with lock:
            pickle.dump(report, reports)
            reports.flush()

    try:
        seconds, job = pickle.load(jobs)
    except EOFError:  # the notebook ended before it had a job
        return
    threading.Thread(target=_leave_with_parent, args=(jobs,), daemon=True).start()
    arguments = (threading.get_ident(), seconds, outcomes, printed, send)
    threading.Thread(target=_watch, args=arguments, daemon=True).start()
    try:
        call_all(*pickle.loads(job), outcomes, printed)
        send(Report(outcomes, shorten(printed.getvalue())))
    except BaseException as error:
        send(Report(refused=_message(error)))
    os._exit(0)  # without waiting for what the attempt may have started

"""The machinery of the exercises: run an attempt apart from the notebook, compare it, and name the kind of mistake.

The exercises themselves are in the files of the chapters, and everything that is said to the reader in en.json.
"""

import atexit
import contextlib
import copy
import dataclasses
import dis
import inspect
import io
import linecache
import os
import pickle
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from utils.language import texts

TIME_LIMIT = 8  # seconds; an attempt that has not answered by then is stopped
TRIALS = 8  # inputs that an attempt is tried on
MOST_SHOWN = 500  # characters of what an attempt printed


class Verdict(NamedTuple):
    """What a check found: the key of its text in en.json, and the text as the reader sees it."""

    key: str
    text: str


class _Outcome(NamedTuple):
    """What one call of an attempt came to, in a form that travels between processes."""

    result: Any = None
    mutated: bool = False
    error: str = ""
    where: tuple = ()  # file, line and function of the reader's own code where the error arose


@dataclass(frozen=True)
class Exercise:
    """One exercise: call it with an attempt, and it prints what it found.

    Attributes
    ----------
    reference : object
        The right answer: a function if the attempt is to be a function or a class, otherwise the value.
    inputs : callable, optional
        Takes a ``numpy.random.Generator`` and the number of the call, 0 to 7, and returns the arguments of that call:
        new ones every time, so that no answer can be hard-coded.
    mistakes : dict of str to object
        Wrong answers, of the kind of the reference, by the key of the hint that belongs to each. A hint is given when
        the attempt agrees with its wrong answer on every input; the first that does is taken.
    run : callable
        Turns an attempt and the arguments into the result that is compared; by default, calls it. An exercise that
        asks for a class makes an instance here and lets it take steps.
    rtol, atol : float
        The tolerances of the comparison, as in ``numpy.isclose``.
    """

    reference: Any
    inputs: Callable | None = None
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    run: Callable = lambda attempt, *arguments: attempt(*arguments)
    rtol: float = 1e-9
    atol: float = 1e-12

    def __call__(self, attempt):
        """Check an attempt and print the verdict, after what the attempt itself printed."""
        print(self.judge(attempt).text)

    def judge(self, attempt, seed=None):
        """Return the verdict on an attempt.

        Parameters
        ----------
        attempt : object
            What the reader wrote: a function, a class or a value. ``...`` and None count as not tried.
        seed : int, optional
            Of the inputs. By default they are new in every call.

        Returns
        -------
        Verdict
        """
        if attempt is None or attempt is ... or _is_unwritten(attempt):
            return _verdict("not_tried")
        if self.inputs is None:
            return self._judge_value(attempt)
        if not callable(attempt):
            return _verdict("not_callable", got=_short(attempt))
        rng = np.random.default_rng(seed)
        trials = [tuple(self.inputs(rng, number)) for number in range(TRIALS)]
        with contextlib.suppress(ValueError):  # some callables hide their signature; the call itself will tell
            if inspect.isfunction(attempt) and not _takes(attempt, self.reference):
                return _verdict("arguments", wanted=", ".join(inspect.signature(self.reference).parameters))
        try:
            outcomes, printed = _apart(self.run, attempt, trials)
        except TimeoutError:
            return _verdict("too_slow", seconds=TIME_LIMIT)
        except TerminatedWorkerError:
            return _verdict("crashed")
        except pickle.PicklingError as error:
            return _verdict("cannot_travel", error=_short(error))
        verdict = self._judge_outcomes(trials, outcomes)
        return Verdict(verdict.key, f"{printed}{verdict.text}")

    def _judge_value(self, attempt):
        if _agrees(attempt, self.reference, self):
            return _verdict("passed_value")
        if (form := _wrong_form(attempt, self.reference)) is not None:
            return form
        for key, wrong in self.mistakes.items():
            if _agrees(attempt, wrong, self):
                return _verdict(key)
        return _verdict("wrong_value", got=_short(attempt))

    def _judge_outcomes(self, trials, outcomes):
        for outcome in outcomes:
            if outcome.error:
                return _verdict("exception", error=outcome.error, where=_place(outcome.where))
        wanted = [self.run(self.reference, *copy.deepcopy(trial)) for trial in trials]
        if all(outcome.result is None for outcome in outcomes):
            return _verdict("nothing_returned")
        pairs = list(zip(outcomes, wanted, strict=True))
        for outcome, right in pairs:
            if outcome.mutated:
                return _verdict("mutated")
            if (form := _wrong_form(outcome.result, right)) is not None:
                return form
        right = [_agrees(outcome.result, result, self) for outcome, result in pairs]
        if all(right):
            return _verdict("passed", trials=len(trials))
        for key, wrong in self.mistakes.items():
            with np.errstate(all="ignore"):
                answers = [self.run(wrong, *copy.deepcopy(trial)) for trial in trials]
            if all(_agrees(outcome.result, answer, self) for outcome, answer in zip(outcomes, answers, strict=True)):
                return _verdict(key)
        first = right.index(False)
        answers = {"got": _short(outcomes[first].result), "wanted": _short(wanted[first])}
        if not inspect.isfunction(self.reference):  # a rule, which was run on inputs that nobody named
            return _verdict("wrong_run", **answers)
        names = inspect.signature(self.reference).parameters
        given = ", ".join(f"{name} = {_short(value)}" for name, value in zip(names, trials[first], strict=False))
        return _verdict("wrong", given=given, **answers)


def _hints():
    return texts("exercises")


def _verdict(key, **values):
    return Verdict(key, _hints()[key].format(**values))


_MADE_BY_DATACLASS = vars(dataclasses.make_dataclass("Example", ["field"], order=True, frozen=True))


def _is_unwritten(attempt):
    """Whether a function's body, or that of every method of a class, is only ``...``, ``pass`` or a docstring."""
    if inspect.isclass(attempt):
        made = _MADE_BY_DATACLASS if dataclasses.is_dataclass(attempt) else ()
        own = [each for name, each in vars(attempt).items() if inspect.isfunction(each) and name not in made]
        return bool(own) and all(map(_is_unwritten, own))
    if not inspect.isfunction(attempt):
        return False
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "COPY_FREE_VARS", "CACHE"}
    instructions = list(dis.get_instructions(attempt))
    constants = [each.argval for each in instructions if each.opname in ("LOAD_CONST", "RETURN_CONST")]
    return {each.opname for each in instructions} <= idle and all(each in (None, ...) for each in constants)


def _takes(attempt, reference):
    """Whether a call with the reference's arguments, by position, suits the attempt."""
    try:
        inspect.signature(attempt).bind(*inspect.signature(reference).parameters)
    except TypeError:
        return False
    return True


_worker = None


def _apart(run, attempt, trials):
    """Call an attempt on every input, in a process of its own, so that a crash or an endless loop loses nothing.

    Returns
    -------
    outcomes : list of _Outcome
    printed : str
        What the attempt printed, shortened.

    Raises
    ------
    TimeoutError, TerminatedWorkerError, pickle.PicklingError
        If the attempt does not end in time, takes its process down, or cannot be sent to it.
    """
    global _worker
    if _worker is None:
        _worker = ProcessPoolExecutor(max_workers=1, timeout=60)
        atexit.register(_worker.shutdown, kill_workers=True)  # else leaving Python may print warnings
    try:
        return _worker.submit(_call_all, run, attempt, trials).result(timeout=TIME_LIMIT)
    except BaseException:
        _worker.shutdown(kill_workers=True)
        _worker = None
        raise


def _call_all(run, attempt, trials):
    outcomes, printed = [], io.StringIO()  # of the first call; the others would print much the same
    with np.errstate(all="ignore"):
        for trial in trials:
            given = copy.deepcopy(trial)
            sink = io.StringIO() if outcomes else printed
            try:
                with contextlib.redirect_stdout(sink):
                    result = run(attempt, *given)
                pickle.dumps(result)  # a generator, say, cannot go back; better to learn it here
            except (Exception, SystemExit) as error:
                text = "".join(traceback.format_exception_only(error)).strip()
                outcomes.append(_Outcome(error=_short(text), where=_own_frame(error)))
            else:
                outcomes.append(_Outcome(result, mutated=not _same(given, trial)))
    text = printed.getvalue()
    return outcomes, text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…\n"


def _own_frame(error):
    """Return file, line and name of the innermost frame that is the reader's: a notebook's cells are no files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if not os.path.exists(each.filename) and not each.filename.startswith("<frozen")]
    return (own[-1].filename, own[-1].lineno, own[-1].name) if own else ()


def _place(where):
    if not where:
        return ""
    file, line, function = where
    source = linecache.getline(file, line).strip()
    return _hints()["where"].format(line=line, function=function) + (f": {source}" if source else "")


def _same(a, b):
    """Whether arguments are what they were before the call; what cannot be compared counts as untouched."""
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (np.ndarray, int, float)):
        return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")
    return True


def _parts(result):
    """Return a result as a flat list of its parts."""
    if isinstance(result, (tuple, list)):
        return [part for each in result for part in _parts(each)]
    return [result]


def _wrong_form(result, right):
    """Return a verdict if a result can be told to be wrong without looking at its numbers, otherwise None."""
    got, wanted = _parts(result), _parts(right)
    if len(got) != len(wanted):
        return _verdict("parts", got=len(got), wanted=len(wanted))
    for index, (mine, yours) in enumerate(zip(wanted, got, strict=True)):
        which = _hints()["part"].format(number=index + 1) if len(wanted) > 1 else _hints()["whole"]
        if mine is None or yours is None or isinstance(mine, (str, bool)):
            continue
        mine, given = np.asarray(mine), np.asarray(yours)
        if given.dtype.kind not in "biuf":
            return _verdict("type", which=which, got=_short(yours))
        if given.shape != mine.shape:
            return _verdict("shape", which=which, got=given.shape, wanted=mine.shape)
        if mine.dtype.kind == "f" and mine.ndim and given.dtype != mine.dtype:
            return _verdict("dtype", which=which, got=given.dtype, wanted=mine.dtype)
    return None


def _agrees(result, right, exercise):
    got, wanted = _parts(result), _parts(right)
    if len(got) != len(wanted):
        return False
    for yours, mine in zip(got, wanted, strict=True):
        if mine is None or yours is None or isinstance(mine, (str, bool)):
            if type(yours) is not type(mine) or yours != mine:
                return False
            continue
        given, mine = np.asarray(yours), np.asarray(mine)
        if given.dtype.kind not in "biuf" or given.shape != mine.shape:
            return False
        if not np.all(np.isclose(given, mine, rtol=exercise.rtol, atol=exercise.atol, equal_nan=True)):
            return False
    return True


def _short(value):
    """Return a value in at most about a line."""
    if isinstance(value, (float, np.floating, np.ndarray)):
        with np.printoptions(precision=4, threshold=6, edgeitems=2):
            text = str(np.asarray(value)) if np.ndim(value) else f"{value:.6g}"
    elif isinstance(value, (tuple, list)):
        text = f"({', '.join(map(_short, value))})"
    elif callable(value):
        text = getattr(value, "__name__", "a function")
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:160]}…"

"""Run an attempt in a process of its own, so that a crash, an endless loop or a changed NumPy loses nothing."""

import atexit
import contextlib
import functools
import gc
import io
import marshal
import pickle
import queue
import subprocess
import sys
import threading
import types

import cloudpickle
import numpy as np

from utils.exercises.worker import Report, call_all, shorten

TIME_LIMIT = 8  # seconds that an attempt may take for all its calls, the packages that it imports aside
PATIENCE = 4  # seconds without a sign of life on top of these, before the process is ended from outside


class Crashed(Exception):
    """The attempt took its process down."""


class CannotTravel(Exception):
    """The attempt cannot be sent to another process."""


def call_apart(run, attempt, trials):
    """Call an attempt on every input, in a process of its own.

    Parameters
    ----------
    run : callable
        Turns the attempt and the arguments into the result.
    attempt : object
    trials : list of tuple
        The arguments of each call.

    Returns
    -------
    Report

    Raises
    ------
    Crashed
        If the attempt takes its process down.
    CannotTravel
        If it cannot be sent there.
    """
    job = _packed((run, attempt, trials))
    worker = _Worker.next()
    try:
        report = worker.report(job)
    finally:
        worker.end()
    if report.refused:
        raise CannotTravel(report.refused)
    return report


def call_here(run, attempt, trials):
    """Call an attempt on every input in this process: for answers that are known to be harmless, as in tests."""
    outcomes, printed = [], io.StringIO()
    call_all(run, attempt, trials, outcomes, printed)
    return Report(outcomes, shorten(printed.getvalue()))


class _Worker:
    """A process that waits for a job. One is kept in reserve, because Python and NumPy take a moment to start."""

    _spare = None

    def __init__(self):
        program = f"import sys; sys.path[:] = {sys.path!r}; from utils.exercises import worker; worker.main()"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([sys.executable, "-c", program], **pipes)
        self.reports = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @classmethod
    def next(cls):
        """Return the process in reserve, if it is still alive, and start the one after it."""
        worker = cls._spare
        if worker is not None and worker.process.poll() is not None:
            worker.end()
            worker = None
        cls._spare = None
        worker = worker or cls()
        cls._spare = cls()
        return worker

    @classmethod
    def end_spare(cls):
        """End the process in reserve."""
        if cls._spare is not None:
            cls._spare.end()
            cls._spare = None

    def _read(self):
        try:
            while True:
                self.reports.put(pickle.load(self.process.stdout))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self.reports.put(Crashed())

    def report(self, job):
        """Send a job, and return the report on it."""
        try:
            pickle.dump((TIME_LIMIT, job), self.process.stdin)
            self.process.stdin.flush()
        except OSError as error:  # killed while it waited, by the system or somebody else
            raise Crashed from error
        while True:
            try:
                report = self.reports.get(timeout=TIME_LIMIT + PATIENCE)
            except queue.Empty:  # it is in a computation that lets nothing else run, not even the watch
                return Report(stuck=True)
            if isinstance(report, Crashed):
                raise report
            if report is not None:  # a sign of life
                return report

    def end(self):
        """End the process, whatever it is doing, and close what leads to it."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        with contextlib.suppress(OSError):  # what was still to be written has no reader
            self.process.stdin.close()


atexit.register(_Worker.end_spare)


class _Pickler(cloudpickle.Pickler):
    """Sends along what notebooks define: code keeps its cell's name, a cached function the settings of its cache."""

    def reducer_override(self, obj):
        if isinstance(obj, types.CodeType):
            return marshal.loads, (marshal.dumps(obj),)
        if isinstance(obj, functools._lru_cache_wrapper) and not _is_importable(obj):
            parameters = obj.cache_parameters()
            # In two steps, because a function that calls itself holds its own cached form among its globals.
            return _cached, (parameters["maxsize"], parameters["typed"]), obj.__wrapped__, None, None, _fill
        if isinstance(obj, types.FunctionType) and hasattr(obj, "registry") and not _is_importable(obj):
            return _dispatching, (), dict(obj.registry), None, None, _register  # of functools.singledispatch
        if isinstance(obj, np.ufunc) and not _is_importable(obj):  # of numpy.frompyfunc
            return np.frompyfunc, (next(filter(callable, gc.get_referents(obj))), obj.nin, obj.nout)
        return super().reducer_override(obj)


class _Later:
    """Stands for a function that is not there yet."""

    def __call__(self, *arguments, **keywords):
        return self.function(*arguments, **keywords)


def _cached(maxsize, typed):
    return functools.lru_cache(maxsize, typed)(_Later())


def _fill(cached, function):
    cached.__wrapped__.function = function


def _dispatching():
    return functools.singledispatch(_Later())


def _register(dispatching, registry):
    dispatching.__wrapped__.function = registry[object]
    for kind, function in registry.items():
        if kind is not object:
            dispatching.register(kind, function)


def _is_importable(thing):
    if isinstance(thing, np.ufunc):
        return getattr(np, thing.__name__, None) is thing
    module = getattr(thing, "__module__", None)
    return module != "__main__" and getattr(sys.modules.get(module), getattr(thing, "__name__", ""), None) is thing


def _packed(job):
    buffer = io.BytesIO()
    try:
        _Pickler(buffer).dump(job)
    except Exception as error:  # a lock, a file, a generator, …: each kind raises an error of its own
        raise CannotTravel(f"{type(error).__name__}: {error}") from error
    return buffer.getvalue()

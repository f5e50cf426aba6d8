"""Attempts as a notebook's cells define them, in a process of their own: what arrives there, what comes back."""

import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell

from utils.exercises import apart, checks
from utils.exercises.checks import Exercise


def step(theta, v):
    return theta - v, 0.9 * v


EXERCISE = Exercise(
    reference=step,
    inputs=lambda rng, number: (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
    mistakes={"sign": lambda theta, v: (theta + v, 0.9 * v)},
)


@pytest.fixture(scope="module")
def shell():
    """An IPython, whose cells are what a reader's are; ``exercise`` is the one above."""
    shell = InteractiveShell()
    shell.run_cell(
        "import functools, math, threading, time\nfrom dataclasses import dataclass\nfrom typing import NamedTuple\n"
        "import numpy as np"
    ).raise_error()
    before = sys.modules["__main__"]
    sys.modules["__main__"] = shell.user_module  # as in a kernel: what cells define is in __main__
    yield shell
    sys.modules["__main__"] = before


def judged(shell, cell, exercise=EXERCISE):
    shell.run_cell(textwrap.dedent(cell)).raise_error()
    return exercise.judge(shell.user_ns["attempt"], seed=0)


RIGHT = {
    "a named tuple of the notebook's": """
        class State(NamedTuple):
            v: np.ndarray
        class Both(NamedTuple):
            theta: np.ndarray
            v: np.ndarray
        def attempt(theta, v):
            return Both(theta - v, State(0.9 * v).v)
        """,
    "a cache on a helper": """
        @functools.cache
        def helper(n):
            return 0.9 if n < 2 else helper(n - 1)
        def attempt(theta, v):
            return theta - v, helper(5) * v
        """,
    "a cache on the attempt": """
        @functools.lru_cache(maxsize=10)
        def cached(n):
            return n
        @functools.wraps(step := lambda theta, v: (theta - v, cached(0.9) * v))
        def attempt(theta, v):
            return step(theta, v)
        """,
    "a package that takes long to import": """
        def attempt(theta, v):
            import keras, sklearn.linear_model
            return theta - v, 0.9 * v
        """,
    "lists": """
        def attempt(theta, v):
            return [(theta - v).tolist(), (0.9 * v).tolist()]
        """,
    "one array of both": """
        def attempt(theta, v):
            return np.stack([theta - v, 0.9 * v])
        """,
    "a thread and a print": """
        def attempt(theta, v):
            thread = threading.Thread(target=time.sleep, args=(0.001,))
            thread.start()
            thread.join()
            return theta - v, 0.9 * v
        """,
    "a function of NumPy's making": """
        minus = np.frompyfunc(lambda one, other: one - other, 2, 1)
        def attempt(theta, v):
            return minus(theta, v), 0.9 * v
        """,
    "a dispatcher": """
        @functools.singledispatch
        def attempt(theta, v):
            return theta - v, 0.9 * v
        @attempt.register
        def of_list(theta: list, v):
            return attempt(np.array(theta), v)
        """,
    "a lambda": "attempt = lambda theta, v: (theta - v, 0.9 * v)",
    "a method": """
        class Own:
            share = 0.9
            def step(self, theta, v):
                return theta - v, self.share * v
        attempt = Own().step
        """,
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * ("import keras" in cell)) for kind, cell in RIGHT.items()]
)
def test_right_attempts_pass_however_they_are_written(shell, kind):
    assert judged(shell, RIGHT[kind]).key == "passed"


def test_a_cached_attempt_is_run_with_its_cache(shell):
    exercise = Exercise(reference=lambda n: 2 * n, inputs=lambda rng, number: (number,))
    cell = """
        @functools.cache
        def attempt(n):
            return 0 if n == 0 else 2 + attempt(n - 1)
        """
    assert judged(shell, cell, exercise).key == "passed"


def test_what_an_attempt_changes_does_not_meet_the_next(shell):
    cell = """
        def attempt(theta, v):
            np.multiply = np.subtract = None
            np.sqrt = lambda x: 0
            return theta - v, 0.9 * v
        """
    assert judged(shell, cell).key == "passed"
    assert judged(shell, "def attempt(theta, v): return np.subtract(theta, v), np.sqrt(0.81) * v").key == "passed"
    assert np.sqrt(4.0) == 2.0


def test_an_error_is_placed_in_the_readers_line_which_is_shown(shell):
    verdict = judged(
        shell,
        """
        def helper(v):
            return velocity * v

        def attempt(theta, v):
            x = theta
            return x, helper(v)
        """,
    )
    assert verdict.key == "exception"
    assert "in line 2 of its cell, in helper (`return velocity * v`)" in verdict.text
    assert "NameError: name 'velocity' is not defined" in verdict.text
    assert "theta = [[" in verdict.text


def test_an_error_in_generated_code_is_placed_where_the_reader_caused_it(shell):
    verdict = judged(
        shell,
        """
        @dataclass(frozen=True)
        class Point:
            x: float

        def attempt(theta, v):
            point = Point(1.0)
            point.x = 2.0
        """,
    )
    assert verdict.key == "frozen"
    verdict = judged(shell, "def attempt(theta, v):\n    return np.linalg.inv(np.zeros((2, 2)))")
    assert "in line 2 of its cell, in attempt (`return np.linalg.inv(np.zeros((2, 2)))`)" in verdict.text


@pytest.mark.slow
def test_an_endless_loop_is_stopped_with_its_line_and_what_was_printed(shell):
    began = time.monotonic()
    verdict = judged(
        shell,
        """
        def attempt(theta, v):
            print("looking")
            while True:
                theta = theta + 0
        """,
    )
    assert verdict.key == "too_slow"
    assert verdict.text.startswith("looking\nNo answer after 8 seconds")
    assert "in attempt (`" in verdict.text
    assert time.monotonic() - began < 20
    assert judged(shell, RIGHT["a lambda"]).key == "passed"


def test_slow_code_is_told_how_far_it_came(shell, monkeypatch):
    monkeypatch.setattr(apart, "TIME_LIMIT", 2)
    verdict = judged(shell, "def attempt(theta, v):\n    time.sleep(0.8)\n    return theta - v, 0.9 * v")
    assert verdict.key == "slow"
    assert "has answered 2 of 8 inputs" in verdict.text


def test_what_lets_nothing_else_run_is_ended_from_outside(shell, monkeypatch):
    monkeypatch.setattr(apart, "TIME_LIMIT", 1)
    monkeypatch.setattr(apart, "PATIENCE", 2)
    assert judged(shell, "def attempt(theta, v):\n    return 10 ** 10 ** 9").key == "too_slow"


@pytest.mark.parametrize("body", ["import os; os._exit(1)", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"])
def test_a_crash_is_reported_and_the_next_check_works(shell, body):
    assert judged(shell, f"def attempt(theta, v):\n    {body}").key == "crashed"
    assert judged(shell, RIGHT["a lambda"]).key == "passed"


def test_a_spare_process_that_somebody_killed_is_replaced(shell):
    assert judged(shell, RIGHT["a lambda"]).key == "passed"
    apart._Worker._spare.process.kill()
    apart._Worker._spare.process.wait()
    assert judged(shell, RIGHT["a lambda"]).key == "passed"


def test_what_cannot_be_sent_to_the_other_process_is_named():
    lock = threading.Lock()
    verdict = EXERCISE.judge(lambda theta, v: (lock, v))
    assert verdict.key == "cannot_travel"
    assert "lock" in verdict.text


def test_an_attempt_cannot_ask_for_input_nor_disturb_the_reports(shell):
    assert judged(shell, "def attempt(theta, v):\n    return input()").key == "exception"
    cell = "def attempt(theta, v):\n    import os; os.write(1, b'noise'); return theta - v, 0.9 * v"
    assert judged(shell, cell).key == "passed"


def test_the_process_ends_with_the_notebook():
    program = textwrap.dedent(
        """
        import os, sys
        from utils import exercises
        def attempt(theta, g, learning_rate):
            while True: pass
        import threading
        threading.Thread(target=exercises.sgd_step, args=(attempt,), daemon=True).start()
        import time; time.sleep(2)
        import psutil
        print(*[child.pid for child in psutil.Process().children()], flush=True)
        os._exit(0)
        """
    )
    pids = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert len(pids) == 2
    end = time.monotonic() + 10
    while any(psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != "zombie" for pid in pids):
        assert time.monotonic() < end, "a worker outlives its notebook"
        time.sleep(0.1)


def test_isolation_is_the_default():
    assert checks.Exercise.judge.__kwdefaults__ == {"call": apart.call_apart}

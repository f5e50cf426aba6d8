"""Chapter 03's map of 40,000 momentum runs: one broadcast computation, timed beside loops over the same runs.

    python benchmarks/stability_map.py                # every loop does all 40,000 runs; a minute or two
    python benchmarks/stability_map.py --sample 1000  # the loops do 1,000 of them, and their times are scaled up

Each variant returns the same thing, the measured rate of every run, and the maps are compared before any time is
printed. The second loop uses no NumPy at all: for two numbers at a time, plain Python floats are the faster loop.
"""

import argparse
import os
import platform
import resource
import sys
import time
import tracemalloc

import numpy as np

from utils.optimizers import Momentum, descend
from utils.surfaces import ravine

CONDITION_NUMBER, STEPS = 20, 150
LEARNING_RATES = np.linspace(0, 4.2, 201)[1:]
MOMENTA = np.linspace(0, 1, 201)[:-1]
VALLEY = ravine(CONDITION_NUMBER)


def measured_rate(paths):
    """Return the factor per step by which the distance from the minimum shrinks, as in chapter 03.

    Parameters
    ----------
    paths : numpy.ndarray, shape (151, ..., 2)

    Returns
    -------
    numpy.ndarray, shape (...)
    """
    distance = np.linalg.norm(paths, axis=-1)
    late, early = distance[120:151].max(axis=0), distance[20:51].max(axis=0)
    return (late / early) ** (1 / 100)


def broadcast():
    """Compute the whole map at once; return the rates, shape (200, 200)."""
    rule = Momentum(LEARNING_RATES[:, None, None], MOMENTA[None, :, None])
    return measured_rate(descend(rule, VALLEY.gradient, VALLEY.start, STEPS))


def loop_over_descend(settings):
    """Call ``descend`` once per (learning rate, momentum); return the rates, shape (len(settings),)."""
    rates = []
    for learning_rate, momentum in settings:
        path = descend(Momentum(learning_rate, momentum), VALLEY.gradient, VALLEY.start, STEPS)
        rates.append(measured_rate(path))
    return np.array(rates)


def loop_over_floats(settings):
    """Write the rule out in Python floats, without arrays; return the rates, shape (len(settings),)."""
    start_x, start_y = map(float, VALLEY.start)
    flatness = 1 / CONDITION_NUMBER
    rates = []
    for learning_rate, momentum in settings:
        x, y, v_x, v_y = start_x, start_y, 0.0, 0.0
        early = late = 0.0
        for t in range(1, STEPS + 1):
            v_x = momentum * v_x - learning_rate * flatness * x
            v_y = momentum * v_y - learning_rate * y
            x += v_x
            y += v_y
            if 20 <= t <= 50:
                early = max(early, x * x + y * y)
            elif t >= 120:
                late = max(late, x * x + y * y)
        rates.append((late / early) ** (1 / 200))
    return np.array(rates)


def seconds(function, *arguments):
    """Return what ``function`` returns, and the seconds it took."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def peak_memory():
    """Return the peak of the arrays of one ``broadcast()`` and of the process so far, both in MB."""
    tracemalloc.start()
    broadcast()
    _, arrays = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return arrays / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main():
    """Time the variants and print a table; exit with status 1 if their maps differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="let the loops do only this many of the 40,000 runs")
    parser.add_argument("--repeat", type=int, default=5, help="time the broadcast computation this often (default 5)")
    arguments = parser.parse_args()

    runs = LEARNING_RATES.size * MOMENTA.size
    if arguments.sample is not None and not 1 <= arguments.sample <= runs:
        parser.error(f"--sample must be between 1 and {runs}, got {arguments.sample}")
    if arguments.repeat < 1:
        parser.error(f"--repeat must be at least 1, got {arguments.repeat}")

    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"{LEARNING_RATES.size} learning rates x {MOMENTA.size} momenta = {runs:,} runs of {STEPS} steps\n")

    arrays, process = peak_memory()
    timed = [seconds(broadcast) for _ in range(arguments.repeat)]
    rates, times = timed[0][0], [t for _, t in timed]
    best = min(times)
    print(f"one broadcast computation      {best:8.2f} s   best of {len(times)}, slowest {max(times):.2f} s")
    print(f"  peak memory: {arrays:.0f} MB of arrays, {process:.0f} MB for the whole process\n")

    chosen = np.arange(runs)
    if arguments.sample is not None:
        chosen = np.random.default_rng(0).choice(runs, size=arguments.sample, replace=False)
    rows, columns = np.unravel_index(chosen, rates.shape)
    settings = list(zip(LEARNING_RATES[rows].tolist(), MOMENTA[columns].tolist(), strict=True))
    how = f"all {runs:,} runs" if chosen.size == runs else f"SCALED UP from a sample of {chosen.size:,} runs"
    for name, loop in (("loop, one `descend` per run", loop_over_descend), ("loop, plain floats", loop_over_floats)):
        looped, spent = seconds(loop, settings)
        difference = np.max(np.abs(looped / rates[rows, columns] - 1))
        if not difference < 1e-9:
            sys.exit(f"{name}: its map differs from the broadcast one, by up to {difference:.1e} of the rate")
        total = spent * runs / chosen.size
        print(f"{name:30} {total:8.2f} s   {total / best:5.0f} times as long   {how}")
        print(f"  largest difference of a rate: {difference:.0e}")


if __name__ == "__main__":
    main()

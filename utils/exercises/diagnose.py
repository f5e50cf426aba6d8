"""Kinds of mistakes that any exercise may meet: what holds between the wrong results and the right ones, on all inputs.

Each finding is a fact about the results, so it is true of every attempt that gets it. The exercises' own mistakes,
which say more, are looked for first.
"""

import inspect
import itertools

import numpy as np

from utils.exercises.compare import Tolerance, agrees, parts_of, show

TIGHT = Tolerance(1e-9, 1e-300)  # for relations between numbers that may be small
EXACT = Tolerance(0, 0)
LOOSE = Tolerance(2e-5, 1e-12)  # what single precision, or a small term too many, makes of them

#: A wrong number as a function of the right one, by the key of its text.
_RELATIONS = {
    "negated": lambda right: -right,
    "absolute": np.abs,
    "percent": lambda right: 100 * right,
    "hundredth": lambda right: right / 100,
    "upside_down": lambda right: 1 / right,
    "complement_of_it": lambda right: 1 - right,
    "squared": lambda right: right**2,
    "rooted": np.sqrt,
    "logarithm_of_it": np.log,
    "log10_of_it": np.log10,
    "exponential_of_it": np.exp,
}


def diagnose(exercise, trials, results, rights):
    """Return the key and the values of the first finding that holds on all inputs, or None.

    Parameters
    ----------
    exercise : Exercise
    trials : list of tuple
        The arguments of each call.
    results, rights : list
        What the attempt returned, in the right form, and what is right.
    """
    findings = (_swapped_arguments, _swapped_parts, _relation, _whole_number, _nearly, _factor, _about_factor)
    for find in findings:
        with np.errstate(all="ignore"):
            found = find(exercise, trials, results, rights)
        if found is not None:
            return found
    return None


def _pairs(results, rights):
    """Return, for each part, the numbers of all trials in one row: got, and right. None where that cannot be."""
    parts = [parts_of(result, right) for result, right in zip(results, rights, strict=True)]
    rows = []
    for of_part in zip(*parts, strict=True):
        if any(got is None or right is None or isinstance(right, (str, bool)) for got, right in of_part):
            return None
        rows.append(
            (
                np.concatenate([np.ravel(np.asarray(got, float)) for got, _ in of_part]),
                np.concatenate([np.ravel(np.asarray(right, float)) for _, right in of_part]),
            )
        )
    return rows


def _single_numbers(exercise, results, rights):
    """Return the numbers of a function that returns one thing, as ``_pairs`` does; None for all else."""
    rows = None if exercise.is_rule else _pairs(results, rights)
    return rows[0] if rows is not None and len(rows) == 1 else None


def _swapped_arguments(exercise, trials, results, rights):
    """Two arguments stand in each other's place."""
    names = exercise.names
    for one, other in itertools.combinations(range(len(names)), 2):
        swapped = [exercise.exchanged(trial, one, trial, other) for trial in trials]
        swapped = [exercise.exchanged(new, other, trial, one) for new, trial in zip(swapped, trials, strict=True)]
        if _all_agree(exercise, swapped, results):
            return "arguments_swapped", {"one": names[one], "other": names[other]}
    return None


def _all_agree(exercise, trials, results):
    """Whether the results are what the reference returns for other arguments than those that were given."""
    for trial, result in zip(trials, results, strict=True):
        try:
            if not agrees(result, exercise.answer(trial), exercise.tolerance):
                return False
        except Exception:  # the reference need not take everything
            return False
    return True


def _swapped_parts(exercise, trials, results, rights):
    """All parts are right, in another order."""
    if not isinstance(rights[0], tuple) or len(rights[0]) > 4:
        return None
    for order in itertools.permutations(range(len(rights[0]))):
        if list(order) != sorted(order):
            other = [tuple(right[place] for place in order) for right in rights]
            if all(agrees(result, right, exercise.tolerance) for result, right in zip(results, other, strict=True)):
                return "parts_swapped", {}
    return None


def _relation(exercise, trials, results, rights):
    """Every number is the same function of the right one."""
    if (numbers := _single_numbers(exercise, results, rights)) is None or not np.all(np.isfinite(numbers[0])):
        return None
    got, right = numbers
    for key, relation in _RELATIONS.items():
        if key == "complement_of_it" and all(map(_is_whole, rights)):
            continue  # rounding up a number of the wrong sign looks like that
        if np.allclose(got, relation(right), *TIGHT) and not np.allclose(got, right, *TIGHT):
            return key, {}
    return None


def _whole_number(exercise, trials, results, rights):
    """Whole numbers that are all off by the same, or not whole."""
    if (numbers := _single_numbers(exercise, results, rights)) is None or not all(map(_is_whole, rights)):
        return None
    got, right = numbers
    if np.array_equal(np.ceil(got), right):
        return "not_rounded_up", {}
    off = np.unique(got - right)
    if len(off) == 1 and abs(off[0]) == 1:
        return ("one_too_many" if off[0] > 0 else "one_too_few"), {}
    sometimes = {(-1.0, 0.0): "sometimes_one_too_few", (0.0, 1.0): "sometimes_one_too_many"}
    if (key := sometimes.get(tuple(off))) is not None:
        return key, {"count": int(np.sum(got == right)), "all": len(got)}
    return None


def _about_factor(exercise, trials, results, rights):
    """Whole numbers that are, but for rounding, the right ones times the same."""
    if (numbers := _single_numbers(exercise, results, rights)) is None or not all(map(_is_whole, rights)):
        return None
    got, right = numbers
    largest = np.argmax(right)
    if right[largest] < 20 or not np.all(np.isfinite(got)):
        return None
    factor = got[largest] / right[largest]
    if (
        factor > 0
        and abs(factor - 1) > 0.03
        and np.all(np.abs(got - factor * right) <= 1 + factor)
        and np.ptp(right) > 10
    ):
        return "about_factor", {"factor": show(float(factor), 3)}
    return None


def _is_whole(right):
    return isinstance(right, (int, np.integer)) and not isinstance(right, bool)


def _factor(exercise, trials, results, rights):
    """Every number is the right one times, or plus, the same."""
    if (numbers := _single_numbers(exercise, results, rights)) is None:
        return None
    got, right = numbers
    kept = right != 0
    if kept.sum() < 2 or not np.all(np.isfinite(got)) or np.ptp(right[kept]) == 0:
        return None
    factors = got[kept] / right[kept]
    if np.allclose(factors, factors[0], 1e-7, 0) and factors[0] and np.all(got[~kept] == 0):
        return "constant_factor", {"factor": show(float(np.median(factors)))}
    offsets = got - right
    if np.allclose(offsets, offsets[0], 1e-7, 0) and offsets[0] and not all(map(_is_whole, rights)):
        return "constant_offset", {"offset": show(float(np.median(offsets)))}
    return None


def _nearly(exercise, trials, results, rights):
    """Right in the digits of single precision, and not in those of double precision."""
    if all(agrees(result, right, LOOSE) for result, right in zip(results, rights, strict=True)):
        rows = _pairs(results, rights)
        if rows is None:
            return None
        got, right = (np.concatenate(side) for side in zip(*rows, strict=True))
        kept = right != 0
        worst = np.max(np.abs(got[kept] / right[kept] - 1), initial=0)
        return "nearly", {"share": f"{worst:.0e}".replace("e-0", "e-") if worst else show(np.max(np.abs(got - right)))}
    return None


def ignored(exercise, trials, results, varied):
    """Return the names of the arguments without which the attempt would return the same.

    Parameters
    ----------
    trials, results : list
        Of the calls that count.
    varied : dict of (int, int) to object
        What the attempt returned for the first trial with one argument, given by its place, exchanged for that of
        another trial, given by its number. Calls that failed are missing.
    """
    names = []
    for place, name in enumerate(exercise.names):
        calls = [(other, result) for (at, other), result in varied.items() if at == place]
        try:
            matters = [
                not agrees(
                    exercise.answer(exercise.exchanged(trials[0], place, trials[other], place)),
                    exercise.answer(trials[0]),
                    Tolerance(1e-6, 1e-9),
                )
                for other, _ in calls
            ]
            if calls and all(matters) and all(agrees(result, results[0], EXACT) for _, result in calls):
                names.append(name)
        except Exception:  # the reference need not take arguments of different calls together
            continue
    return names


def rounded(exercise, results, rights):
    """Return how many decimals the right numbers have been rounded to, if that is all, else None."""
    rows = _pairs(results, rights)
    if rows is None or all(map(_is_whole, rights)):
        return None
    if all(np.allclose(got, right, *exercise.tolerance) for got, right in rows) or not any(
        got.any() for got, _ in rows
    ):
        return None
    places = range(9)
    return next((n for n in places if all(np.allclose(got, np.round(right, n), 0, 1e-12) for got, right in rows)), None)


def not_finite(results, rights):
    """Whether a result is NaN or infinite where the right one is not."""
    return any(np.any(~np.isfinite(got)) and np.all(np.isfinite(right)) for got, right in _pairs(results, rights) or [])


def wrong_direction(exercise, trials, results, varied):
    """Return the name of a number that moves the result the wrong way, and both its values, or None.

    Parameters
    ----------
    trials, results, varied
        As for ``ignored``.
    """
    if exercise.is_rule:
        return None
    for place, name in enumerate(exercise.names):
        one, other = (trial[place] for trial in trials[:2])
        numbers = [one, other, results[0], varied.get((place, 1))]
        if not all(isinstance(each, (int, float, np.number)) for each in numbers):
            continue
        changed = exercise.exchanged(trials[0], place, trials[1], place)
        try:
            numbers += [exercise.answer(trials[0]), exercise.answer(changed)]
            mine, right = float(numbers[3] - numbers[2]), float(numbers[5] - numbers[4])
        except Exception:  # as above
            continue
        if mine * right < 0:
            return name, show(one), show(other), mine > 0
    return None


def takes_in_another_order(attempt, reference):
    """Whether a function has the reference's arguments, by name, in another order."""
    mine, asked = (list(inspect.signature(each).parameters) for each in (attempt, reference))
    return mine != asked and sorted(mine) == sorted(asked)


def right_parts(results, rights, tolerance):
    """Return which parts are right on all inputs: a bool for each."""
    flags = [
        [agrees(part, right, tolerance) for part, right in parts_of(result, answer)]
        for result, answer in zip(results, rights, strict=True)
    ]
    return [all(of_part) for of_part in zip(*flags, strict=True)]

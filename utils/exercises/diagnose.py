"""Kinds of mistakes that any exercise may meet: what holds between the wrong results and the right ones, on all inputs.

Each finding is a fact about the results, so it is true of every attempt that gets it. The exercises' own mistakes,
which say more, are looked for first.
"""

import inspect
import itertools

import numpy as np

from utils.exercises.compare import Tolerance, WrongForm, agrees, parts_of, show

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
    findings = (
        _swapped_arguments,
        _swapped_parts,
        _nothing_for_a_number,
        _relation,
        _whole_number,
        _nearly,
        _factor,
        _factor_of_the_step,
        _changed_argument,
        _about_factor,
        _roughly,
    )
    for find in findings:
        with np.errstate(all="ignore"):
            found = find(exercise, trials, results, rights)
        if found is not None:
            return found
    return None


def _pairs(results, rights):
    """Return, for each part, the numbers of all trials in one row: got, and right. None where that cannot be.

    Trials without a number, where none is right, are left out.
    """
    parts = [parts_of(result, right) for result, right in zip(results, rights, strict=True)]
    rows = []
    for of_part in zip(*parts, strict=True):
        of_part = [(got, right) for got, right in of_part if got is not None or right is not None]
        if any(got is None or right is None or isinstance(right, (str, bool)) for got, right in of_part):
            return None
        rows.append(
            (
                np.concatenate([np.ravel(np.asarray(got, float)) for got, _ in of_part]),
                np.concatenate([np.ravel(np.asarray(right, float)) for _, right in of_part]),
            )
        )
    return rows


def _wrong_numbers(exercise, results, rights):
    """Return the numbers of the only part of a result that is wrong, as ``_pairs`` does, and its place, from 1.

    The place is 0 if the result has one part. None for a rule, and where several parts are wrong or none has numbers.
    """
    if exercise.is_rule or (rows := _pairs(results, rights)) is None:
        return None
    wrong = [place for place, right in enumerate(right_parts(results, rights, exercise.tolerance), 1) if not right]
    return (*rows[wrong[0] - 1], wrong[0] if len(rows) > 1 else 0) if len(wrong) == 1 else None


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
    if (numbers := _wrong_numbers(exercise, results, rights)) is None or not np.all(np.isfinite(numbers[0])):
        return None
    got, right, part = numbers
    for key, relation in _RELATIONS.items():
        if key == "complement_of_it" and _are_whole(rights, part):
            continue  # rounding up a number of the wrong sign looks like that
        if np.allclose(got, relation(right), *TIGHT) and not np.allclose(got, right, *TIGHT):
            return key, {"part": part}
    return None


def _whole_number(exercise, trials, results, rights):
    """Whole numbers that are all off by the same, or not whole."""
    if (numbers := _wrong_numbers(exercise, results, rights)) is None or not _are_whole(rights, numbers[2]):
        return None
    got, right, part = numbers
    if np.array_equal(np.ceil(got), right):
        return "not_rounded_up", {"part": part}
    off = np.unique(got - right)
    if len(off) == 1 and abs(off[0]) == 1:
        return ("one_too_many" if off[0] > 0 else "one_too_few"), {"part": part}
    sometimes = {(-1.0, 0.0): "sometimes_one_too_few", (0.0, 1.0): "sometimes_one_too_many"}
    if (key := sometimes.get(tuple(off))) is not None:
        return key, {"count": int(np.sum(got == right)), "all": len(got), "part": part}
    return None


def _about_factor(exercise, trials, results, rights):
    """Whole numbers that are, but for rounding, the right ones times the same."""
    if (numbers := _wrong_numbers(exercise, results, rights)) is None or not _are_whole(rights, numbers[2]):
        return None
    got, right, part = numbers
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
        return "about_factor", {"factor": show(float(factor), 3), "part": part}
    return None


def _are_whole(rights, part):
    """Whether a part of the right answers, where there is a number, is always a whole one."""
    numbers = [right[part - 1] if part else right for right in rights if right is not None]
    return all(isinstance(each, (int, np.integer)) and not isinstance(each, bool) for each in numbers)


def _factor(exercise, trials, results, rights):
    """Every number is the right one times, or plus, the same."""
    if (numbers := _wrong_numbers(exercise, results, rights)) is None:
        return None
    got, right, part = numbers
    kept = right != 0
    if kept.sum() < 2 or not np.all(np.isfinite(got)) or np.ptp(right[kept]) == 0:
        return None
    factors = got[kept] / right[kept]
    if np.allclose(factors, factors[0], 1e-7, 0) and factors[0] and np.all(got[~kept] == 0):
        return "constant_factor", {"factor": show(float(np.median(factors))), "part": part}
    offsets = got - right
    if np.allclose(offsets, offsets[0], 1e-7, 0) and offsets[0] and not _are_whole(rights, part):
        return "constant_offset", {"offset": show(float(np.median(offsets))), "part": part}
    return None


def _nothing_for_a_number(exercise, trials, results, rights):
    """Right wherever there is a number, with something else than None where there is none; or None too often."""
    pairs = list(zip(results, rights, strict=True))
    correct = [agrees(result, right, exercise.tolerance) for result, right in pairs]
    if any(right is None for right in rights) and all(
        good for good, right in zip(correct, rights, strict=True) if right is not None
    ):
        instead = {show(result) for result, right in pairs if right is None}
        return ("none_is_asked", {"got": instead.pop()}) if len(instead) == 1 else None
    if all(good or result is None for good, result in zip(correct, results, strict=True)):
        return "none_too_often", {}
    return None


def _factor_of_the_step(exercise, trials, results, rights):
    """Every move, from theta as it is given to theta as it is returned, is the right one times the same."""
    if not exercise.is_rule and exercise.names[0] != "theta":
        return None
    moves = [], []
    for trial, result, right in zip(trials, results, rights, strict=True):
        for side, path in zip(moves, parts_of(result, right)[0], strict=True):
            side.append(np.ravel(np.diff(np.vstack([trial[1] if exercise.is_rule else trial[0], path]), axis=0)))
    got, right = map(np.concatenate, moves)
    factor = np.sum(got * right) / np.sum(right**2)
    near = np.allclose(got, factor * right, 1e-7, 1e-9 * np.max(np.abs(right)))  # a move is a difference
    return (
        ("factor_of_step", {"factor": show(float(factor), 5)})
        if near and not np.isclose(factor, (0, 1)).any()
        else None
    )


#: What may stand in an argument's place, as Python, and what that gives.
_CHANGES = {
    "1 - {}": lambda x: 1 - x,
    "{}**2": lambda x: x**2,
    "{}**0.5": lambda x: x**0.5,
    "-{}": lambda x: -x,
    "1 / {}": lambda x: 1 / x,
    "{} + 1": lambda x: x + 1,
    "{} - 1": lambda x: x - 1,
    "2 * {}": lambda x: 2 * x,
    "{} / 2": lambda x: x / 2,
    "100 * {}": lambda x: 100 * x,
    "{} / 100": lambda x: x / 100,
    "abs({})": np.abs,
    "np.sign({})": np.sign,
}
_WITH_ANOTHER = {
    "{} * {}": lambda x, y: x * y,
    "{} / {}": lambda x, y: x / y,
    "{} + {}": lambda x, y: x + y,
    "{} - {}": lambda x, y: x - y,
}


def _changed_argument(exercise, trials, results, rights):
    """Find what is right for something else in the place of an argument: its square, its sum with another."""
    if exercise.counts:
        return None
    names, given = exercise.names, [trial[0] if exercise.is_rule else trial for trial in trials]
    numbers = [place for place, value in enumerate(given[0]) if isinstance(value, (int, float, np.ndarray))
               and not isinstance(value, bool)]  # fmt: skip
    candidates = [((place,), *change) for place in numbers for change in _CHANGES.items()]
    candidates += [(pair, *change) for pair in itertools.permutations(numbers, 2) for change in _WITH_ANOTHER.items()]
    for places, text, change in candidates:
        place = places[0]
        try:
            new = [change(*(values[at] for at in places)) for values in given]
        except (ArithmeticError, ValueError):  # 1 / 0, or arrays of other shapes
            continue
        if any(np.shape(one) != np.shape(values[place]) for one, values in zip(new, given, strict=True)):
            continue
        changed = [exercise.put(trial, place, value) for trial, value in zip(trials, new, strict=True)]
        if _all_agree(exercise, changed, results):
            return "another_in_place", {"change": text.format(*(names[at] for at in places)), "name": names[place]}
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


def capped(exercise, results, rights):
    """Return the number that an attempt gives wherever more is right, if it is right up to there; else None."""
    if (numbers := _wrong_numbers(exercise, results, rights)) is None or not _are_whole(rights, numbers[2]):
        return None
    got, right, _ = numbers
    wrong = ~np.isclose(got, right, *exercise.tolerance)
    limit = got[wrong][0]
    cut = np.all(got[wrong] == limit) and np.all(right[wrong] > limit) and np.all(got <= limit)
    return show(float(limit)) if cut and 1 < wrong.sum() < len(got) else None


def _roughly(exercise, trials, results, rights):
    """Near the right numbers everywhere."""
    if (numbers := _wrong_numbers(exercise, results, rights)) is None or not np.all(np.isfinite(numbers[0])):
        return None
    got, right, _ = numbers
    share = np.max(np.abs(got - right) / np.abs(right))
    return ("roughly", {"share": f"{100 * share:.1g} %"}) if share < 0.03 else None


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
    if rows is None or all(_are_whole(rights, part) for part in (range(1, len(rows) + 1) if len(rows) > 1 else [0])):
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


def same_parts(result, other, right):
    """Whether two results, of which the first has the form of the right one, are the same."""
    try:
        pairs = zip(parts_of(result, right), parts_of(other, right), strict=True)
    except WrongForm:
        return False
    return all(np.array_equal(one, two) or show(one) == show(two) for (one, _), (two, _) in pairs)


def right_parts(results, rights, tolerance):
    """Return which parts are right on all inputs: a bool for each."""
    flags = [
        [agrees(part, right, tolerance) for part, right in parts_of(result, answer)]
        for result, answer in zip(results, rights, strict=True)
    ]
    return [all(of_part) for of_part in zip(*flags, strict=True)]

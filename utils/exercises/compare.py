"""Compare what an attempt returned with what is right: its form first, then its numbers; and show both to a reader."""

import inspect
from typing import NamedTuple

import numpy as np

from utils.exercises.worker import Odd, short_repr


class WrongForm(Exception):
    """A result that cannot be right, whatever its numbers: the key of the text, and what it names."""

    def __init__(self, key, **values):
        super().__init__(key)
        self.key, self.values = key, values


class Tolerance(NamedTuple):
    """How far a number may be from the right one, as in ``numpy.isclose``."""

    rtol: float = 1e-9
    atol: float = 1e-12


def parts_of(result, right):
    """Return the parts of a result that belong to those of the right answer, as numbers and arrays like them.

    Where an array is asked for, a list of numbers will do, and where several things are asked for, an array of as many
    rows.

    Parameters
    ----------
    result : object
        As ``utils.exercises.worker.plain`` returns it.
    right : number, array, text, bool, None, or tuple of these

    Returns
    -------
    list of (part, right part)

    Raises
    ------
    WrongForm
    """
    wanted = right if isinstance(right, tuple) else (right,)
    given = _split(result, len(wanted)) if isinstance(right, tuple) else [_single(result, right)]
    several = len(wanted) > 1
    return [(_as_asked(one, other, number if several else 0), other)
            for number, (one, other) in enumerate(zip(given, wanted, strict=True), 1)]  # fmt: skip


def _split(result, count):
    """Return a result as its parts, of which there must be as many as are asked for."""
    if isinstance(result, np.ndarray) and result.ndim and len(result) == count:
        return list(result)
    if isinstance(result, (tuple, list)):
        if len(result) == count:
            return list(result)
        flat = _flat(result)  # such as theta, (m, v)
        if len(flat) == count:
            return flat
        raise WrongForm("parts", got=len(result), wanted=count)
    if isinstance(result, Odd):
        raise _odd(result, 0)
    raise WrongForm("parts", got=0 if result is None else 1, wanted=count)


def _flat(result):
    return [part for each in result for part in (_flat(each) if isinstance(each, tuple) else [each])]


def _single(result, right):
    """Return a result that is to be one thing; a tuple of several is none."""
    if isinstance(result, tuple) and not _is_number_list(result, right):
        if len(result) == 1:
            return result[0]
        raise WrongForm("one_part", got=len(result))
    return result


def _is_number_list(result, right):
    return np.ndim(right) > 0 and all(isinstance(each, (int, float, np.number, list, tuple)) for each in result)


def _as_asked(part, right, number):
    """Return a part in the form of the right one, or raise WrongForm. Part 0 is a result that is the only one."""
    if isinstance(part, Odd):
        raise _odd(part, number)
    if right is None or part is None or isinstance(right, (str, bool)):
        return str(part) if isinstance(part, np.str_) else part
    listed = isinstance(part, (list, tuple))
    if isinstance(part, int) and abs(part) >= 2**63:
        part = float(part) if abs(part) < 10**300 else np.inf  # NumPy takes no larger ones
    try:
        given = np.asarray(part)
    except ValueError:  # lists of different lengths
        raise WrongForm("type", part=number, got=short_repr(part)) from None
    if given.dtype.kind not in "biuf":
        raise WrongForm("type", part=number, got=show(part))
    wanted = np.asarray(right)
    if given.shape != wanted.shape:
        raise WrongForm("shape", part=number, got=given.shape, wanted=wanted.shape)
    if wanted.dtype.kind == "f" and wanted.ndim and given.dtype != wanted.dtype:
        if not listed:
            raise WrongForm("dtype", part=number, got=str(given.dtype), wanted=str(wanted.dtype))
        given = given.astype(wanted.dtype)
    return given


def _odd(value, number):
    keys = {
        "function": "function_returned",
        "set": "dict",
        "other": "type",
    }  # the others have texts of their names
    return WrongForm(keys.get(value.kind, value.kind), part=number, got=value.text)


def agrees(result, right, tolerance):
    """Whether a result has the form of the right answer and, within a tolerance, its numbers."""
    try:
        return all(_close(part, other, tolerance) for part, other in parts_of(result, right))
    except WrongForm:
        return False


def _close(part, right, tolerance):
    if right is None or part is None or isinstance(right, (str, bool)):
        return type(part) is type(right) and part == right
    # In double precision: NumPy would compare a half-precision number and a Python one in half precision.
    return bool(np.all(np.isclose(np.asarray(part, float), np.asarray(right, float), *tolerance, equal_nan=True)))


def is_nan(result):
    """Whether a result is an array of which nothing is a number, or consists of such arrays."""
    if isinstance(result, (tuple, list)):
        return len(result) > 0 and all(map(is_nan, result))
    return isinstance(result, np.ndarray) and result.dtype.kind == "f" and bool(np.all(np.isnan(result)))


def where_wrong(part, right, tolerance):
    """Return the index of the first wrong element of a part, an empty tuple if it is a single number."""
    wrong = ~np.isclose(part, right, *tolerance, equal_nan=True)
    return tuple(int(place) for place in np.argwhere(wrong)[0])


def show(value, digits=6):
    """Return a value in at most about a line."""
    if isinstance(value, (bool, int, np.bool_, np.integer)) or value is None:
        return str(value) if not isinstance(value, int) or abs(value) < 10**40 else "a very large number"
    if isinstance(value, (float, np.floating)):
        return f"{value:.{digits}g}"
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            return short_repr(value.tolist() if value.ndim == 0 else value)
        if not value.ndim:
            return show(value[()], digits)
        with np.printoptions(precision=digits - 2, threshold=6, edgeitems=2):
            return " ".join(str(value).split())
    if isinstance(value, (tuple, list)):
        return f"({', '.join(show(each, digits) for each in value)})"
    if isinstance(value, Odd):
        return value.text
    if inspect.isclass(value) or callable(value):
        return getattr(value, "__name__", "a function")
    return short_repr(value)


def show_both(got, wanted):
    """Return two different numbers as texts that differ, with as many digits as that takes."""
    for digits in (6, 9, 12, 17):
        texts = show(got, digits), show(wanted, digits)
        if texts[0] != texts[1]:
            break
    return texts

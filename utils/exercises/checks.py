"""An exercise: it lets an attempt be run apart from the notebook, compares, and names the kind of mistake.

Each chapter's exercises stand in a file of their own beside this one; all that is said to the reader is in en.json.
"""

import contextlib
import copy
import dataclasses
import dis
import functools
import inspect
import linecache
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from utils.exercises import apart
from utils.exercises.compare import Tolerance, WrongForm, agrees, is_nan, parts_of, show, show_both, where_wrong
from utils.exercises.diagnose import (
    capped,
    diagnose,
    ignored,
    not_finite,
    right_parts,
    rounded,
    same_parts,
    takes_in_another_order,
    wrong_direction,
)
from utils.exercises.worker import plain
from utils.language import texts

TRIALS = 8  # inputs that an attempt is tried on
VARIED = (1, 3, 5)  # the calls whose arguments are put into the first one, one at a time
AGAIN = "again"  # the first call once more, the last of all
_USUAL = Tolerance()


class Verdict(NamedTuple):
    """What a check found: the key of its text in en.json, and the text as the reader sees it."""

    key: str
    text: str


def call(attempt, *arguments):
    """Return what an attempt returns."""
    return attempt(*arguments)


@dataclass(frozen=True)
class Exercise:
    """One exercise: call it with an attempt, and it prints what it found.

    Attributes
    ----------
    reference : object
        The right answer: a function if the attempt is to be a function, a frozen dataclass if it is to be the class of
        an update rule, otherwise the value.
    inputs : callable, optional
        Takes a ``numpy.random.Generator`` and the number of the call, 0 to 7, and returns the arguments of that call:
        new ones every time, so that no answer can be hard-coded. Each argument differs between calls 0 and 1. For a
        class, the first argument is the tuple of its settings.
    mistakes : dict of str to object
        Wrong answers, of the kind of the reference, or lists of them, by the key of the hint that belongs to each. A
        hint is given when the attempt agrees with a wrong answer on every input; the first that does is taken.
    run : callable
        Turns an attempt and the arguments into the result that is compared; by default, calls it. An exercise that
        asks for a class makes an instance here and lets it take steps.
    tolerance : Tolerance
        Of the comparison.
    counts : bool
        Whether the reference counts in a loop that may never end for other arguments than those of ``inputs``.
    """

    reference: Any
    inputs: Callable | None = None
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    run: Callable = call
    tolerance: Tolerance = _USUAL
    counts: bool = False

    def __call__(self, attempt):
        """Check an attempt and print the verdict, after what the attempt itself printed."""
        print(self.judge(attempt).text)

    @property
    def is_rule(self):
        """Whether a class is asked for."""
        return inspect.isclass(self.reference)

    @property
    def names(self):
        """The names of the arguments, or of the settings of a rule."""
        if self.is_rule:
            return tuple(each.name for each in dataclasses.fields(self.reference))
        return tuple(inspect.signature(self.reference).parameters)

    def trials(self, seed=None):
        """Return the arguments of all calls, drawn anew or from a seed."""
        rng = np.random.default_rng(seed)
        return [tuple(self.inputs(rng, number)) for number in range(TRIALS)]

    def answer(self, trial):
        """Return what is right for the arguments of a call."""
        return self.run(self.reference, *copy.deepcopy(trial))

    def exchanged(self, trial, place, other, other_place):
        """Return a call's arguments, or a rule's settings, with the one at a place taken from another call."""
        return self.put(trial, place, (other[0] if self.is_rule else other)[other_place])

    def put(self, trial, place, value):
        """Return a call's arguments, or a rule's settings, with a value at a place."""
        old = trial[0] if self.is_rule else trial
        new = (*old[:place], value, *old[place + 1 :])
        return (new, *trial[1:]) if self.is_rule else new

    def judge(self, attempt, seed=None, *, call=apart.call_apart):
        """Return the verdict on an attempt.

        Parameters
        ----------
        attempt : object
            What the reader wrote: a function, a class or a value. ``...`` and None count as not tried.
        seed : int, optional
            Of the inputs. By default they are new in every call.
        call : callable
            How the attempt is run: in a process of its own, or, if it is known to be harmless, in this one.

        Returns
        -------
        Verdict
        """
        if attempt is None or attempt is ... or _is_unwritten(attempt):
            return _verdict("not_tried")
        if self.inputs is None:
            return self._judge_value(plain(attempt))
        if (verdict := self._misfit(attempt)) is not None:
            return verdict
        trials = self.trials(seed)
        # To see which arguments an attempt leaves out. These calls come last, and decide nothing about right and wrong.
        places = [(place, other) for other in VARIED for place in range(len(self.names))]
        varied = [self.exchanged(trials[0], place, trials[other], place) for place, other in places]
        try:
            report = call(self.run, attempt, [*trials, *varied, trials[0]])
        except apart.Crashed:
            return _verdict("crashed")
        except apart.CannotTravel as error:
            return _verdict("cannot_travel", error=error)
        if len(report.outcomes) < TRIALS:
            verdict = self._judge_slow(report)
        else:
            # The time may have been over before all.
            varied = dict(zip([*places, AGAIN], report.outcomes[TRIALS:], strict=False))
            varied = {place: outcome.result for place, outcome in varied.items() if not outcome.error}
            again = varied.pop(AGAIN, report.outcomes[0].result)
            verdict = self._judge_outcomes(trials, report.outcomes[:TRIALS], varied, again)
        newline = "" if report.printed[-1:] in ("", "\n") else "\n"
        return Verdict(verdict.key, f"{report.printed}{newline}{verdict.text}")

    def _misfit(self, attempt):
        """Return a verdict on what cannot be run at all, otherwise None."""
        if self.is_rule:
            if not inspect.isclass(attempt):
                got = "a function" if inspect.isroutine(attempt) else show(attempt)
                return _verdict("not_class", got=got, name=self.reference.__name__.strip("_"))
            for method in ("init", "step"):
                if _is_unwritten(getattr(attempt, method, None)):
                    return _verdict("method_unwritten", method=method)
            return None
        if not callable(attempt):
            return _verdict("not_callable", got=show(plain(attempt)))
        # Some callables hide their signature; the call itself will tell.
        with contextlib.suppress(ValueError, TypeError):
            wanted = ", ".join(self.names)
            if takes_in_another_order(attempt, self.reference):
                return _verdict("argument_order", wanted=wanted)
            if not _takes(attempt, self.names):
                return _verdict("arguments", wanted=wanted)
        return None

    def _judge_slow(self, report):
        for outcome in report.outcomes:
            if outcome.error:
                return self._judge_error(outcome, None)
        done = {"done": len(report.outcomes), "trials": TRIALS, "seconds": apart.TIME_LIMIT}
        return _verdict("slow" if report.outcomes else "too_slow", where=_place(report.where), **done)

    def _judge_value(self, attempt):
        try:
            parts_of(attempt, self.reference)
        except WrongForm as form:
            return _form_verdict(form)
        if agrees(attempt, self.reference, self.tolerance):
            return _verdict("passed_value")
        for key, wrong in self._mistakes():
            if agrees(attempt, wrong, self.tolerance):
                return _verdict(key)
        if isinstance(self.reference, tuple):
            right = right_parts([attempt], [self.reference], self.tolerance)
            if any(right):
                return _verdict(
                    "wrong_values", got=show(attempt), wrong=_listed(right, False), right=_listed(right, True)
                )
        return _verdict("wrong_value", got=show_both(attempt, self.reference)[0])

    def _judge_error(self, outcome, trial):
        if outcome.error.startswith("dataclasses.FrozenInstanceError"):
            return _verdict("frozen")
        given = "" if trial is None or self.is_rule else _text("given_error", given=self._given(trial))
        return _verdict("exception", error=outcome.error, where=_place(outcome.where), given=given)

    def _judge_outcomes(self, trials, outcomes, varied, again):
        for outcome, trial in zip(outcomes, trials, strict=True):
            if outcome.error:
                return self._judge_error(outcome, trial)
        if all(outcome.result is None for outcome in outcomes):
            return _verdict("nothing_returned")
        if any(outcome.mutated for outcome in outcomes):
            return _verdict("mutated")
        results, rights = [outcome.result for outcome in outcomes], [self.answer(trial) for trial in trials]
        try:
            for result, right in zip(results, rights, strict=True):
                parts_of(result, right)
        except WrongForm as form:
            return _form_verdict(form)
        right = [agrees(result, answer, self.tolerance) for result, answer in zip(results, rights, strict=True)]
        if all(right):
            return _verdict("passed", trials=len(trials))
        for key, wrong in self._mistakes():
            if self._is_mistake(wrong, trials, results):
                return _verdict(key)
        shown = self._show_wrong(trials, results, rights, right)
        if not same_parts(results[0], again, rights[0]):
            return _verdict("random_answer", shown=shown)
        if not_finite(results, rights):
            return _verdict("not_finite", shown=shown)
        if self.is_rule and all(
            agrees(result[:1], answer[:1], self.tolerance) for result, answer in zip(results, rights, strict=True)
        ):
            return _verdict("later_steps", shown=shown)
        if (digits := rounded(self, results, rights)) is not None:
            return _verdict("rounded", digits=digits, shown=shown)
        if (limit := capped(self, results, rights)) is not None:
            return _verdict("capped", limit=limit, shown=shown)
        if names := ignored(self, trials, results, varied):
            return _verdict("ignored", names=_joined([f"`{name}`" for name in names]), shown=shown)
        if (found := diagnose(self, trials, results, rights)) is not None:
            key, values = found
            which = _which(values.get("part", 0))
            return _verdict(key, shown=shown, Which=which[0].upper() + which[1:], which=which, **values)
        if (found := wrong_direction(self, trials, results, varied)) is not None:
            name, one, other, rises = found
            return _verdict("rises" if rises else "falls", name=name, one=one, other=other, shown=shown)
        if any(correct := right_parts(results, rights, self.tolerance)):
            return _verdict("some_parts", right=_listed(correct, True), wrong=_listed(correct, False), shown=shown)
        return _verdict("wrong_run" if self.is_rule else "wrong", shown=shown)

    def _mistakes(self):
        """Give each wrong answer with its key."""
        for key, wrong in self.mistakes.items():
            for each in wrong if isinstance(wrong, list) else [wrong]:
                yield key, each

    def _is_mistake(self, wrong, trials, results):
        told = False  # where all is NaN, so are the results of other mistakes
        with np.errstate(all="ignore"):
            for trial, result in zip(trials, results, strict=True):
                try:
                    answer = plain(self.run(wrong, *copy.deepcopy(trial)))
                except (ArithmeticError, ValueError):  # a mistake need not have an answer to everything
                    return False
                if not agrees(result, tuple(answer) if isinstance(answer, list) else answer, self.tolerance):
                    return False
                told = told or not is_nan(answer)
        return told

    def _given(self, trial):
        return ", ".join(f"{name} = {show(value)}" for name, value in zip(self.names, trial, strict=True))

    def _show_wrong(self, trials, results, rights, right):
        """Return a sentence on the first wrong input: which number of the result is wrong there, and by how much."""
        first = right.index(False)
        pairs = parts_of(results[first], rights[first])
        number = next(n for n, (part, answer) in enumerate(pairs) if not agrees(part, answer, self.tolerance))
        part, answer = pairs[number]
        which = _which(number + 1 if len(pairs) > 1 else 0)
        if answer is None or part is None or isinstance(answer, (str, bool)):
            got, wanted, by = show(part), show(answer), ""
        else:
            place = where_wrong(part, answer, self.tolerance)
            got, wanted = (np.asarray(side)[place][()] for side in (part, answer))
            by = "" if not np.isfinite(got) else _text(
                "too_large" if got > wanted else "too_small", by=show(abs(float(got) - float(wanted)), 3)
            )  # fmt: skip
            got, wanted = show_both(got, wanted)
            if self.is_rule:
                step, *coordinate = place
                return _text("shown_run", step=step + 1, element=coordinate[0] + 1, got=got, wanted=wanted, by=by)
            if place:
                which = _text("element", element=", ".join(str(axis + 1) for axis in place), which=which)
        text = _text("shown", given=self._given(trials[first]), which=which, got=got, wanted=wanted, by=by)
        return f"{text} {_text('right_inputs', count=sum(right), all=len(right))}" if any(right) else text


def _text(key, **values):
    return texts("exercises")[key].format(**values)


def _verdict(key, **values):
    return Verdict(key, _text(key, **values))


def _which(number):
    return _text("part", number=number) if number else _text("whole")


def _form_verdict(form):
    values = {
        name: show(value) if not isinstance(value, (int, tuple)) else value for name, value in form.values.items()
    }
    return _verdict(form.key, which=_which(form.values.get("part", 0)), **values)


def _joined(words):
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def _listed(flags, wanted):
    return _joined([str(number) for number, flag in enumerate(flags, 1) if flag is wanted])


_MADE_BY_DATACLASS = vars(dataclasses.make_dataclass("Example", ["field"], order=True, frozen=True))


def _is_unwritten(attempt):
    """Whether a function's body, or that of every method of a class, is only ``...``, ``pass`` or a docstring."""
    if inspect.isclass(attempt):
        made = _MADE_BY_DATACLASS if dataclasses.is_dataclass(attempt) else ()
        own = [each for name, each in vars(attempt).items() if inspect.isfunction(each) and name not in made]
        return bool(own) and all(map(_is_unwritten, own))
    if isinstance(attempt, functools._lru_cache_wrapper):
        attempt = attempt.__wrapped__
    if not inspect.isfunction(attempt):
        return False
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "COPY_FREE_VARS", "CACHE"}
    instructions = list(dis.get_instructions(attempt))
    constants = [each.argval for each in instructions if each.opname in ("LOAD_CONST", "RETURN_CONST")]
    return {each.opname for each in instructions} <= idle and all(each in (None, ...) for each in constants)


def _takes(attempt, names):
    """Whether a call with arguments of these names, by position, suits the attempt."""
    try:
        inspect.signature(attempt).bind(*names)
    except TypeError:
        return False
    return True


def _place(where):
    """Say where something happened: a line of the reader's cell or file, and the line itself where Python has it."""
    if where is None:
        return ""
    source = linecache.getline(where.file, where.line).strip()
    key = "where_file" if os.path.exists(where.file) else "where"
    place = _text(key, line=where.line, function=where.function, file=os.path.basename(where.file))
    return place + (f" (`{source}`)" if source else "")

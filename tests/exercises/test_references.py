"""The inputs of every exercise ask about everything: a reference with any one thing changed does not pass, ever.

Each reference is changed in its source, a number, an operator or a comparison at a time, and each of its arguments is
dropped or frozen. That the check then says "passed" at any seed means that its inputs do not ask about that.
"""

import ast
import contextlib
import copy
import inspect
import itertools
import signal
import sys

import numpy as np
import pytest

from utils import exercises
from utils.exercises import rules
from utils.exercises.apart import call_here
from utils.exercises.checks import Exercise
from utils.exercises.compare import agrees

EXERCISES = {
    name: thing for name, thing in vars(exercises).items() if isinstance(thing, Exercise) and thing.inputs is not None
}
SEEDS = range(50)

#: Changes that make no difference, and why.
ARGUED = {
    ("steps_to_travel", "travelled < distance"): "whether it is reached exactly would depend on how a reader rounds",
    ("lion_step", "learning_rate * direction"): "a sign is its own inverse, so to divide by it is to multiply",
    ("iterations_needed", "0.5"): "a hundredth of it seldom changes how often a whole step is taken",
    ("iterations_needed", "1.5"): "as above",
    ("iterations_needed", "3"): "as above",
    ("uncorrected_peak", "50"): "the search goes on for fifty memories of beta_1, and the longest step comes before",
    ("uncorrected_peak", "1 - beta_1"): "within the number of steps searched, as above",
    (
        "CenteredRMSprop",
        "self.rho * m + (1 - self.rho) * g",
    ): "a minus gives m the other sign, and m**2 counts",
}

OTHER_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
OTHER_COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}


def definitions(tree):
    return {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def used(reference):
    """The module's source as a tree, and the names of its definitions that a reference is made of."""
    tree = ast.parse(inspect.getsource(sys.modules[reference.__module__]))
    known, found, todo = definitions(tree), [], [reference.__name__]
    while todo:
        name = todo.pop()
        if name in known and name not in found:
            found.append(name)
            todo += [node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name)]
    return tree, found


def changed(node):
    """(the changed part's source, how, the node in its place) for each change of a node that is to be seen."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        others = {node.value + 1, node.value - 1, node.value * 1.01} - {node.value}
        for other in sorted(others):
            yield ast.unparse(node), f"{other:g}", ast.Constant(other)
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER_OPERATORS:
        other = copy.copy(node)
        other.op = OTHER_OPERATORS[type(node.op)]()
        yield ast.unparse(node), ast.unparse(other), other
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER_COMPARISONS:
        other = copy.copy(node)
        other.ops = [OTHER_COMPARISONS[type(node.ops[0])]()]
        yield ast.unparse(node), ast.unparse(other), other


def mutants(reference):
    """(what was changed, how, the reference with it) for each change of each part of its source."""
    tree, names = used(reference)
    for name in names:
        places = [node for node in ast.walk(definitions(tree)[name]) if next(changed(node), None)]
        for place, part in enumerate(places):
            for number in range(len(list(changed(part)))):
                new = copy.deepcopy(tree)
                nodes = [node for node in ast.walk(definitions(new)[name]) if next(changed(node), None)]
                what, how, other = list(changed(nodes[place]))[number]

                class Replace(ast.NodeTransformer):
                    def visit(self, node, old=nodes[place], other=other):
                        return other if node is old else self.generic_visit(node)

                code = compile(ast.fix_missing_locations(Replace().visit(new)), "<mutant>", "exec")
                namespace = {"__name__": "mutant"}
                exec(code, namespace)
                yield what, how, namespace[reference.__name__]


class Frozen:
    """A reference one of whose arguments is always the same: a number, or what it was in the first call."""

    def __init__(self, reference, place, value):
        self.reference, self.place, self.value = reference, place, value

    def __call__(self, *arguments):
        if self.value is None:
            self.value = arguments[self.place]
        given, value = list(arguments), self.value
        if isinstance(given[self.place], np.ndarray) and not isinstance(value, np.ndarray):
            value = np.full_like(given[self.place], value)
        given[self.place] = value
        return self.reference(*given)


def frozen(exercise):
    """(the name of an argument, at what, the reference with it frozen) for every argument."""
    for place, name in enumerate(exercise.names):
        for value in (None, 0.0, 1.0, 0.1, 0.9, 1e-7):
            yield name, "as in the first call" if value is None else value, Frozen(exercise.reference, place, value)


@contextlib.contextmanager
def at_most(seconds):
    """Interrupt what runs longer, such as a loop that a change has made endless."""

    def stop(*_):
        raise TimeoutError

    if not hasattr(signal, "SIGALRM"):
        pytest.skip("only Unix can interrupt a loop from outside")
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def passes(exercise, attempt, seed):
    """Whether a check would pass an attempt; as in Exercise.judge, up to the first input that it gets wrong.

    None if it never ends on that input, which the next seed need not wait for again.
    """
    for trial in exercise.trials(seed):
        with np.errstate(all="ignore"), at_most(0.5):
            (outcome,) = call_here(exercise.run, attempt, [trial]).outcomes
        if outcome.error.startswith("TimeoutError"):
            return None
        if outcome.error or not agrees(outcome.result, exercise.answer(trial), exercise.tolerance):
            return False
    return True


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
def test_a_reference_with_a_change_never_passes(name):
    exercise, count = EXERCISES[name], 0
    for what, how, mutant in mutants(exercise.reference):
        if (name, what) in ARGUED:
            continue
        count += 1
        for seed in SEEDS:
            found = passes(exercise, mutant, seed)
            assert not found, f"{what} -> {how} passes at seed {seed}"
            if found is None:
                break
    assert count or not exercise.is_rule, "nothing was changed"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
def test_a_reference_without_one_of_its_arguments_never_passes(name):
    exercise = EXERCISES[name]
    for argument, value, attempt in frozen(exercise):
        for seed in SEEDS:
            if value == "as in the first call":
                attempt.value = None
            found = passes(exercise, attempt, seed)
            assert not found, f"{argument} at {value} passes at seed {seed}"
            if found is None:
                break


@pytest.mark.slow
def test_the_argued_changes_are_there():
    changes = {name: [what for what, *_ in mutants(EXERCISES[name].reference)] for name, _ in ARGUED}
    for name, what in ARGUED:
        assert what in changes[name], (name, what)


def test_every_argument_differs_between_the_first_two_calls():
    for exercise in EXERCISES.values():
        for seed in SEEDS:
            one, other = exercise.trials(seed)[:2]
            pairs = zip(one[0], other[0], strict=True) if exercise.is_rule else zip(one, other, strict=True)
            for name, (a, b) in zip(exercise.names, pairs, strict=True):
                assert callable(a) or not np.array_equal(a, b), name


def test_wrong_rules_differ_in_what_they_say():
    for name in ("AdagradNorm", "CenteredRMSprop"):
        exercise = EXERCISES[name]
        trial = exercise.trials(0)[0]
        with np.errstate(all="ignore"):
            paths = [rules.follow(wrong, *trial) for _, wrong in exercise._mistakes()]
        told = [path for path in paths if not np.isnan(path).all()]  # nothing is concluded from the others
        assert len(told) >= len(paths) - 3
        for one, other in itertools.combinations(told, 2):
            assert not np.allclose(one, other, rtol=1e-9, atol=0, equal_nan=True)

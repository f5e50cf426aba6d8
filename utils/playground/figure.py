"""The playground: a figure in the page whose settings a reader changes, and whose paths follow at once.

The work is done by ``playground.js``, which computes and draws in the reader's browser; no server and no kernel takes
part. The update rules are in ``utils/rules.js``, for it and for the bench. This module checks the settings and writes
the HTML: a still picture, which is all there is where scripts do not run, the settings, and the script. Each output
carries its own copy of the script, because JupyterLab shows any output alone and Colab puts each into a frame of its
own. In a page with several, the first copy to run serves them all.
"""

import base64
import hashlib
import html
import json
import math
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import contourpy
import numpy as np

from utils import beyond_adam, optimizers, schedules, surfaces
from utils.language import script, texts
from utils.playground.grid import network, stored_network
from utils.plotting import COLORS, INK, LOOKS

#: The rules of the book that act on each coordinate alone, which are all but Muon.
RULES = {name: getattr(optimizers, name, None) or getattr(beyond_adam, name) for name in LOOKS if name != "Muon"}

#: Learning rates to start from: round numbers with which 100 steps make a good picture, for each surface.
LEARNING_RATES = {
    "ravine": {"SGD": 1.5, "Momentum": 0.2, "Nesterov": 0.2, "Adagrad": 2.0, "RMSprop": 0.2, "Adam": 0.5},
    "rosenbrock": {"SGD": 0.002, "Momentum": 0.001, "Nesterov": 0.001, "Adagrad": 1.0, "RMSprop": 0.02, "Adam": 0.2},
    "beale": {"SGD": 0.02, "Momentum": 0.005, "Nesterov": 0.005, "Adagrad": 1.0, "RMSprop": 0.05, "Adam": 0.2},
    "himmelblau": {"SGD": 0.01, "Momentum": 0.005, "Nesterov": 0.005, "Adagrad": 1.0, "RMSprop": 0.1, "Adam": 0.5},
    "saddle": {"SGD": 0.2, "Momentum": 0.1, "Nesterov": 0.1, "Adagrad": 0.5, "RMSprop": 0.05, "Adam": 0.1},
    "network": {"SGD": 5.0, "Momentum": 1.0, "Nesterov": 1.0, "Adagrad": 2.0, "RMSprop": 0.2, "Adam": 0.5},
}
#: A rule of the second part starts from the learning rate of one that it is related to, times a factor.
RELATED = {
    "AdamW": ("Adam", 1),
    "Nadam": ("Adam", 1),
    "Adamax": ("Adam", 1),
    "Adadelta": (None, 10),
    "Yogi": ("Adam", 1),
    "Lion": ("Adam", 0.2),
    "ScheduleFreeSGD": ("SGD", 1),
    "ScheduleFreeAdamW": ("Adam", 1),
}

#: What a learning rate becomes in a run of so many steps.
SCHEDULES = {
    "constant": lambda rate, steps: schedules.Constant(rate),
    "step": lambda rate, steps: schedules.PiecewiseConstantDecay(
        (steps // 2, max(3 * steps // 4, steps // 2 + 1)), (rate, 0.1 * rate, 0.01 * rate)
    ),
    "cosine": lambda rate, steps: schedules.CosineDecay(rate, steps),
    "warmup": lambda rate, steps: schedules.Warmup(schedules.CosineDecay(rate, steps - steps // 10), steps // 10),
}

#: What a call may leave out, and then shows as if it did not exist.
DEFAULTS = {"weight_decay": 0.004, "schedule": "constant", "beside": None, "arrows": False}

#: What the settings may be, and how their sliders are spaced. The target has none.
LIMITS = {
    "learning_rate": (1e-4, 10, "fine"),
    "momentum": (0, 0.9999, "share"),
    "rho": (0, 0.9999, "share"),
    "beta_1": (0, 0.9999, "share"),
    "beta_2": (0, 0.9999, "share"),
    "weight_decay": (0, 1, "logarithmic"),
    "condition_number": (1, 1000, "logarithmic"),
    "steps": (1, 500, "linear"),
    "noise": (0, 10, "logarithmic"),
    "seed": (0, 99, "linear"),
    "target": (1e-8, 1000, None),
}

#: Width over height of the map.
ASPECT = 4 / 3


def _polygon(corners, turn, radius=1.15):
    """Return a regular polygon as an SVG path; at a turn of 0 a corner points up."""
    angles = [math.tau * (corner / corners + turn) for corner in range(corners)]
    points = [f"{radius * math.sin(angle):.2f} {-radius * math.cos(angle):.2f}" for angle in angles]
    return f"M{'L'.join(points)}z"


#: Each marker of utils.plotting as an SVG path of about radius 1.
SHAPES = {
    "o": "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
    "s": "M-.9-.9H.9V.9H-.9z",
    "D": "M0-1.25L1.25 0 0 1.25-1.25 0z",
    "^": "M0-1.15L1.15.95H-1.15z",
    "v": "M0 1.15L1.15-.95H-1.15z",
    "*": "M0-1.4L.35-.48 1.33-.43.57.18.82 1.13 0 .6-.82 1.13-.57.18-1.33-.43-.35-.48z",
    "P": "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4z",
    "X": "M0-.57L.57-1.13 1.13-.57.57 0 1.13.57.57 1.13 0 .57-.57 1.13-1.13.57-.57 0-1.13-.57-.57-1.13z",
    "h": _polygon(6, 0),
    ">": "M1.15 0L-.95-1.15V1.15z",
    "p": _polygon(5, 0),
    "<": "M-1.15 0L.95-1.15V1.15z",
    "8": _polygon(8, 1 / 16),
    "H": _polygon(6, 1 / 12),
}
#: The dashes of a line of utils.plotting, in pixels.
DASHES = {"-": [], "--": [7, 4], ":": [2, 3]}


@cache
def _script():
    room = Path(__file__).parent
    files = (room.parent / "rules.js", room.parent / "panel.js", room / "playground.js")
    return script(files, {"text": texts("playground"), "network": stored_network()})


def _surface(name, condition_number):
    if name == "network":
        return network()
    return surfaces.ravine(condition_number) if name == "ravine" else getattr(surfaces, name)


def _uses(name):
    """Return which settings a rule has, besides its learning rate."""
    return [field.name for field in fields(RULES[name]) if field.name in LIMITS and field.name != "learning_rate"]


def _rates(surface):
    """Return the learning rates of all rules to start from."""
    rates = dict(LEARNING_RATES[surface])
    return rates | {
        name: round((rates[related] if related else 1) * factor, 6) for name, (related, factor) in RELATED.items()
    }


def _view(surface):
    """Return the surface's box, widened to the map's shape, so that a circle looks round."""
    left, right, bottom, top = surface.box
    width, height = max(right - left, ASPECT * (top - bottom)), max(top - bottom, (right - left) / ASPECT)
    x, y = (left + right) / 2, (bottom + top) / 2
    return tuple(round(float(edge), 4) for edge in (x - width / 2, x + width / 2, y - height / 2, y + height / 2))


def uniforms(seed):
    """Return a function that draws from between 0 and 1, as in ``rules.js``: Marsaglia's xorshift (2003)."""
    bits = ((seed + 1) * 0x9E3779B1 | 1) & 0xFFFFFFFF

    def draw():
        nonlocal bits
        bits ^= bits << 13 & 0xFFFFFFFF
        bits ^= bits >> 17
        bits ^= bits << 5 & 0xFFFFFFFF
        return (bits - 0.5) / 2**32

    return draw


def _normals(seed, count):
    """Return standard normal numbers, as ``normals`` in playground.js does: Box and Muller (1958)."""
    uniform = uniforms(seed)
    numbers = []
    while len(numbers) < count:
        radius, angle = math.sqrt(-2 * math.log(uniform())), 2 * math.pi * uniform()
        numbers += [radius * math.cos(angle), radius * math.sin(angle)]
    return numbers


def _number(name, value, limits, *, whole=False):
    """Return the value as a plain number, or raise what ``playground`` promises."""
    low, high, *_ = limits
    kind = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
        noun = "whole number" if whole else "number"
        raise ValueError(f"{name} must be a {noun} from {low:g} to {high:g}, got {value!r}")
    return int(value) if whole or float(value).is_integer() else float(value)


@dataclass(frozen=True)
class Playground:
    """What ``playground`` returns: its settings, which a notebook shows as the live figure.

    Attributes
    ----------
    settings : dict
        The arguments of ``playground``, checked and complete.
    """

    settings: dict

    def __repr__(self):
        return f"playground({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"

    @property
    def surface(self):
        """The ``utils.surfaces.Surface`` of the settings."""
        return _surface(self.settings["surface"], self.settings["condition_number"])

    def run(self, optimizer):
        """Follow one optimizer with these settings, as the figure does.

        Parameters
        ----------
        optimizer : str
            The name of a rule, or "B" for the one that runs ``beside`` another.

        Returns
        -------
        path : numpy.ndarray, shape (steps + 1, 2)

        Raises
        ------
        ValueError
            If there is no such rule.
        """
        at = DEFAULTS | self.settings
        if optimizer not in RULES and not (optimizer == "B" and at["beside"]):
            raise ValueError(f"optimizer must be one of {', '.join(RULES)}, got {optimizer!r}")
        rate = at["learning_rate"]
        if optimizer == "B":
            at = at | at["beside"]
            optimizer, rate = at["optimizer"], at["learning_rate"]
        elif isinstance(rate, dict):
            rate = rate.get(optimizer, _rates(at["surface"])[optimizer])
        rule = RULES[optimizer](rate, **{name: at[name] for name in _uses(optimizer)})
        noise = at["noise"] * np.reshape(_normals(at["seed"], 2 * at["steps"]), (-1, 2))
        gradient = self.surface.gradient
        draws = iter(noise)
        return optimizers.descend(
            rule,
            lambda theta: gradient(theta) + next(draws),
            np.array(at["start"], float),
            at["steps"],
            schedule=None if at["schedule"] == "constant" else SCHEDULES[at["schedule"]](rate, at["steps"]),
        )

    def _still(self):
        """Draw the picture that stands in for the figure, as SVG: in whole numbers, the same on every machine."""
        surface = self.surface
        left, right, bottom, top = _view(surface)
        width, height = 1280, round(1280 / ASPECT)

        def places(points):
            x, y = np.transpose(points)
            return np.stack([(x - left) / (right - left) * width, (top - y) / (top - bottom) * height], axis=-1)

        def trace(points):
            """Join the points as an SVG path, up to where it leaves for good; return its last point too."""
            kept, words = np.array([0, 0]), []
            for place in places(points):
                if not np.all(np.abs(place) < 1e5):
                    break
                move = np.rint(place).astype(int) - kept
                if not words or np.abs(move).sum() > 4:
                    kept = kept + move
                    words.append(f"{'' if words else 'm'}{move[0]} {move[1]}")
            return " ".join(words), kept

        x, y = np.linspace(left, right, 97), np.linspace(bottom, top, 73)
        values = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
        contours = contourpy.contour_generator(x, y, values)
        levels = values.max() * np.linspace(0, 1, 16)[1:-1] ** 4
        ground = "".join(f'<path d="{trace(line)[0]}"/>' for level in levels for line in contours.lines(level))
        crosses = "".join(f"M{a - 10:.0f} {b - 10:.0f}l20 20m0-20l-20 20" for a, b in places(surface.minima))
        runs = ""
        for name in self._runs():
            line, (a, b) = trace(self.run(name))
            color, marker, style = LOOKS[self.settings["beside"]["optimizer"] if name == "B" else name]
            dashes = [9, 3, 2, 3] if name == "B" else DASHES[style]
            dash = f' stroke-dasharray="{" ".join(str(2 * part) for part in dashes)}"' if dashes else ""
            fill = f'none" stroke-width=".4" stroke="{color}' if name == "B" else color
            mark = f'<path d="{SHAPES[marker]}" fill="{fill}" transform="translate({a} {b})scale(12)"/>'
            runs += f'<path d="{line}" stroke="{color}"{dash}/>{mark}'
        a, b = places([self.settings["start"]])[0]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width / 2:g}" height="{height / 2:g}" '
            f'viewBox="0 0 {width} {height}" fill="none" stroke-width="4"><g stroke="{INK}"><g stroke-width="2" '
            f'stroke-opacity=".5">{ground}</g><path d="{crosses}"/></g>{runs}'
            f'<circle cx="{a:.0f}" cy="{b:.0f}" r="14" stroke="{INK}" stroke-width="6"/></svg>'
        )

    def _runs(self):
        return [*self.settings["optimizers"], *(["B"] if self.settings.get("beside") else [])]

    def _config(self):
        """Everything the script needs to know, so that Python's tables are the only ones."""
        described = {
            name: {
                "view": _view(surface),
                "start": surface.start.tolist(),
                "minima": surface.minima.round(4).tolist(),
                "learning_rates": _rates(name),
            }
            for name in LEARNING_RATES
            for surface in [_surface(name, 20.0)]
        }
        settings = dict(self.settings)
        rates = settings["learning_rate"]
        home = described[settings["surface"]]  # to which a reader who came back would return
        home["start"] = settings["start"]
        if isinstance(rates, dict):
            home["learning_rates"] = home["learning_rates"] | rates
            offered = {*COLORS, *settings["optimizers"]}
            settings["learning_rate"] = {n: rate for n, rate in home["learning_rates"].items() if n in offered}
        else:
            home["learning_rates"] = dict.fromkeys(RULES, rates)
        config = {
            "key": hashlib.sha256(repr(self).encode()).hexdigest()[:6],
            "surfaces": described,
            "optimizers": {
                name: {
                    "color": LOOKS[name].color,
                    "shape": SHAPES[LOOKS[name].marker],
                    "dash": DASHES[LOOKS[name].linestyle],
                    "uses": _uses(name),
                }
                for name in RULES
            },
            "limits": LIMITS,
            "preset": settings,
            "defaults": DEFAULTS,
        }
        return json.dumps(config, separators=(",", ":"))

    def _repr_html_(self):
        text, names = texts("playground"), ", ".join(self.settings["optimizers"]) or "–"
        words = {"surface": text[self.settings["surface"]], "optimizers": names, "steps": self.settings["steps"]}
        still = base64.b64encode(self._still().encode()).decode()
        # The class keeps Jupyter Book from putting a white card behind the picture on its dark pages.
        return (
            f'<div class="optimizer-playground" data-config="{html.escape(self._config())}">\n'
            f'<img class="dark-light" src="data:image/svg+xml;base64,{still}" width="640" '
            f'height="{round(640 / ASPECT)}" alt="{html.escape(text["map_alt"].format(**words))}">\n'
            f"<p>{html.escape(text['still_caption'].format(**words))}</p>\n"
            "</div>\n"
            f"<script data-playground>\n{_script()}\n</script>"
        )


def _second(beside, chosen, learning_rate, shared):
    """Return the complete settings of the run beside another, or raise what ``playground`` promises."""
    name = beside.get("optimizer") if isinstance(beside, dict) else None
    if name not in chosen:
        raise ValueError(f"beside must be a dict whose optimizer is one of {', '.join(chosen)}, got {beside!r}")
    rate = learning_rate[name] if isinstance(learning_rate, dict) else learning_rate
    whole = {"learning_rate": rate} | {setting: shared[setting] for setting in _uses(name)}
    if unknown := set(beside) - set(whole) - {"optimizer"}:
        raise ValueError(f"beside may hold {', '.join(whole)} of {name}, got {min(unknown)!r}")
    return {"optimizer": name} | {
        setting: _number(f"{setting} of B", beside.get(setting, value), LIMITS[setting])
        for setting, value in whole.items()
    }


def playground(
    surface="ravine",
    optimizers=("SGD", "Momentum"),
    *,
    learning_rate=None,
    momentum=0.9,
    rho=0.9,
    beta_1=0.9,
    beta_2=0.999,
    condition_number=20.0,
    start=None,
    steps=100,
    noise=0.0,
    seed=0,
    target=1e-3,
    weight_decay=0.004,
    schedule="constant",
    beside=None,
    arrows=False,
):
    """Make a figure in which the reader chooses the surface, the optimizers and their settings, and sees the paths.

    The arguments are what it shows at first, and after "Reset". As the last value of a notebook's cell it displays
    itself. The update rules are those of ``utils.optimizers``, with their default epsilon.

    Parameters
    ----------
    surface : {"ravine", "rosenbrock", "beale", "himmelblau", "saddle", "network"}
        A function of ``utils.surfaces``; or the training loss of chapter 08's network, above its lowest, in the plane
        through its weights that its training path lies nearest to.
    optimizers : sequence of str
        Any of "SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop" and "Adam", and of the rules of
        ``utils.beyond_adam`` but "Muon", which needs a matrix. Of a Schedule-Free rule the path is drawn on which it
        takes gradients.
    learning_rate : float or dict of str to float, optional
        One for all, or one for each optimizer by its name; from 0.0001 to 10. By default, one for each that suits the
        surface. Names that are not among ``optimizers`` are for when the reader switches these on.
    momentum : float
        Of Momentum and Nesterov, from 0 to 0.9999.
    rho : float
        The decay of RMSprop and Adadelta, from 0 to 0.9999.
    beta_1, beta_2 : float
        Adam's and of the rules after it, from 0 to 0.9999.
    condition_number : float
        Of the ravine, from 1 to 1000.
    start : pair of float, optional
        The starting point, inside the picture. By default, the surface's own.
    steps : int
        From 1 to 500.
    noise : float
        The standard deviation of the normal noise on each coordinate of the gradient, from 0 to 10. In each step, all
        optimizers get the same noise.
    seed : int
        Of the noise, from 0 to 99.
    target : float
        "Reaches … after 84 steps" is about this loss; from 1e-8 to 1000.
    weight_decay : float
        Of AdamW and Lion, from 0 to 1.
    schedule : {"constant", "step", "cosine", "warmup"}
        What becomes of all learning rates: a tenth after half of the steps and a hundredth after three quarters; half a
        cosine down to 0; or that after a line up in the first tenth of the steps.
    beside : dict, optional
        A second run, "B", of one of the ``optimizers``: its name as "optimizer", and those of its settings that differ,
        "learning_rate" or any other.
    arrows : bool
        Whether arrows show what the next step is made of.

    Returns
    -------
    Playground

    Raises
    ------
    ValueError
        If an argument is none of these. The message says what is allowed.

    Examples
    --------
    >>> figure = playground("ravine", optimizers=("SGD", "Momentum"), learning_rate=0.5, momentum=0.8)
    >>> figure.run("SGD")[:2]
    array([[-8. ,  2. ],
           [-7.8,  1. ]])
    """
    if not isinstance(surface, str) or surface not in LEARNING_RATES:
        raise ValueError(f"surface must be one of {', '.join(LEARNING_RATES)}, got {surface!r}")
    given = [optimizers] if isinstance(optimizers, str) else list(optimizers)
    if unknown := [name for name in given if name not in RULES]:
        raise ValueError(f"optimizers must be some of {', '.join(RULES)}, got {unknown[0]!r}")
    chosen = tuple(name for name in RULES if name in given)
    if learning_rate is None:
        learning_rate = {name: _rates(surface)[name] for name in chosen}
    elif isinstance(learning_rate, dict):
        if not set(chosen) <= set(learning_rate) <= set(RULES):
            names = ", ".join(chosen)
            raise ValueError(f"learning_rate must be a number or hold one for each of {names}, got {learning_rate!r}")
        learning_rate = {
            name: _number(f"learning_rate of {name}", learning_rate[name], LIMITS["learning_rate"])
            for name in RULES
            if name in learning_rate
        }
    else:
        learning_rate = _number("learning_rate", learning_rate, LIMITS["learning_rate"])
    condition_number = _number("condition_number", condition_number, LIMITS["condition_number"])
    shown = _surface(surface, condition_number)
    left, right, bottom, top = _view(shown)
    point = shown.start if start is None else start
    if np.shape(point) != (2,):
        raise ValueError(f"start must be two numbers, got {start!r}")
    start = tuple(
        _number(f"start[{axis}]", value, limits)
        for axis, (value, limits) in enumerate(zip(point, [(left, right), (bottom, top)], strict=True))
    )
    given = {"momentum": momentum, "rho": rho, "beta_1": beta_1, "beta_2": beta_2}
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}")
    if not isinstance(arrows, bool):
        raise ValueError(f"arrows must be True or False, got {arrows!r}")
    decay = _number("weight_decay", weight_decay, LIMITS["weight_decay"])
    if beside is not None:
        beside = _second(beside, chosen, learning_rate, given | {"weight_decay": decay})
    rare = {"weight_decay": decay, "schedule": schedule, "beside": beside, "arrows": arrows}
    return Playground(
        {
            "surface": surface,
            "optimizers": chosen,
            "learning_rate": learning_rate,
            **{name: _number(name, given[name], LIMITS[name]) for name in given},
            "condition_number": condition_number,
            "start": start,
            "steps": _number("steps", steps, LIMITS["steps"], whole=True),
            "noise": _number("noise", noise, LIMITS["noise"]),
            "seed": _number("seed", seed, LIMITS["seed"], whole=True),
            "target": _number("target", target, LIMITS["target"]),
            **{name: value for name, value in rare.items() if value != DEFAULTS[name]},
        }
    )

"""The moving picture on the home page: the six rules race from one point down one valley, drawn as SVG.

The paths are computed by ``utils.optimizers`` each time the book is built. CSS moves the markers: for five seconds,
once, and not at all for readers who ask their system for less motion; they see where the paths end.
"""

from pathlib import Path

import numpy as np
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline

from utils import optimizers
from utils.language import table
from utils.playground import LEARNING_RATES
from utils.plotting import COLORS, INK, MARKERS
from utils.surfaces import ravine

WORDS = table(Path(__file__).parent)
STEPS = 50
SECONDS = 5
WIDTH, HEIGHT = 780, 300
_BUTTON = """<button type="button" class="race-again" hidden>%s</button>
<script>
{
  const button = document.currentScript.previousElementSibling;
  button.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
  button.onclick = () => {
    for (const run of button.closest(".race").getAnimations({ subtree: true })) { run.cancel(); run.play(); }
  };
}
</script>"""
_LETTERS = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}
_SURFACE = ravine()
_LEFT, _TOP = -9.9, 2.6  # the corner of the picture, in the surface's coordinates
_SCALE = WIDTH / 13.6  # pixels per unit, the same both ways, so that a circle looks round


def paths():
    """Return the path of each rule in pixels, an array of shape (STEPS + 1, 2) by name."""
    found = {}
    for name, learning_rate in LEARNING_RATES["ravine"].items():
        rule = getattr(optimizers, name)(learning_rate=learning_rate)
        found[name] = _pixels(optimizers.descend(rule, _SURFACE.gradient, _SURFACE.start, STEPS))
    return found


def marker(name, size):
    """Return the SVG path of an optimizer's marker around the origin, about ``size`` pixels wide."""
    style = MarkerStyle(MARKERS[name])
    outline = style.get_path().transformed(style.get_transform())
    words = []
    for vertices, code in outline.iter_segments():
        if code in _LETTERS:  # filling closes the outline by itself
            points = np.reshape(vertices, (-1, 2)) * size
            words.append(_LETTERS[code] + " ".join(f"{x:.1f} {-y:.1f}" for x, y in points))
    return f'<path d="{"".join(words)}" fill="{COLORS[name]}"/>'


def svg(alt):
    """Return the picture as inline SVG and its style sheet.

    Parameters
    ----------
    alt : str
        What one would see, for those who do not; already escaped for an attribute.
    """
    rules, layers = [], []
    for name, path in paths().items():
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in path)
        run = np.append(0, np.cumsum(np.hypot(*np.diff(path, axis=0).T)))
        frames = "".join(
            f"{100 * step / STEPS:g}%{{stroke-dashoffset:{1 - share:.3f};offset-distance:{100 * share:.1f}%}}"
            for step, share in enumerate(run / run[-1])
        )
        rules.append(f"@keyframes race-{name}{{{frames}}}.race-{name}{{animation-name:race-{name}}}")
        layers.append(f'<path class="race-run race-{name}" d="{line}" pathLength="1" stroke="{COLORS[name]}"/>')
        layers.append(f'<g class="race-run race-{name}" style="offset-path:path(\'{line}\')">{marker(name, 14)}</g>')
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return (
        f"<style>.race-run{{offset-distance:100%;offset-rotate:0deg;stroke-dasharray:1}}"
        f"@media (prefers-reduced-motion:no-preference){{.race-run{{animation:{SECONDS}s linear .3s both}}"
        f"{''.join(rules)}}}</style>"
        f'<svg {size} role="img" aria-label="{alt}" fill="none">{_around(layers)}</svg>'
    )


def still():
    """Return the picture as it is at the end, as SVG without a style sheet."""
    layers = []
    for name, path in paths().items():
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in path)
        end = " ".join(f"{place:.1f}" for place in path[-1])
        layers.append(f'<path d="{line}" stroke="{COLORS[name]}"/>')
        layers.append(f'<g transform="translate({end})">{marker(name, 14)}</g>')
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="none">{_around(layers)}</svg>'


def _around(layers):
    """Return the runs with the valley below them, and the start above."""
    start, minimum = _pixels(np.stack([_SURFACE.start, _SURFACE.minima[0]]))
    # The valley is a bowl whose axes are the coordinates': its contour lines are ellipses.
    axes = _SCALE / np.sqrt(_SURFACE.value(np.eye(2)))
    contours = "".join(
        f'<ellipse cx="{minimum[0]:.1f}" cy="{minimum[1]:.1f}" rx="{rx:.1f}" ry="{ry:.1f}"/>'
        for rx, ry in np.linspace(0.2, 2.9, 12)[:, None] * axes
    )
    return (
        f'<g stroke="{INK}" stroke-opacity=".4">{contours}</g>'
        f'<path d="M{minimum[0]:.1f} {minimum[1]:.1f}m-6-6l12 12m0-12l-12 12" stroke="{INK}" stroke-width="2.5"/>'
        f'<g stroke-width="2.2" stroke-linejoin="round">{"".join(layers)}</g>'
        f'<circle cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="8" stroke="{INK}" stroke-width="2.5"/>'
    )


def legend():
    """Return an HTML list of the six names, each with its marker, and the button that runs the race again."""
    icon = '<svg viewBox="-9 -9 18 18" width="18" height="18" aria-hidden="true">{}</svg>'
    items = "".join(f"<li>{icon.format(marker(name, 14))}{name}</li>" for name in COLORS)
    return f'<ul class="race-legend">{items}</ul>{_BUTTON % WORDS["race_again"]}'


def _pixels(points):
    return (np.asarray(points) - (_LEFT, _TOP)) * (_SCALE, -_SCALE)

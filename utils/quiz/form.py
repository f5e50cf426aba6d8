"""What a quiz displays. It carries its own style and script, so it works alone, as in the frames of Colab."""

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

from utils.language import LANGUAGE, texts
from utils.playground import playground

FOLDER = Path(__file__).with_name("en")  # of the questions; in another language there may be fewer

# The picture of a question, in SVG's units: the area of the curves, and what is left around it for words.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 300, 150, 66, 76, 12, 40
_DASHES = ("", "8 5", "2 4")


@dataclass(frozen=True)
class Quiz:
    """What ``quiz`` returns: the questions, which a notebook shows as a form.

    Attributes
    ----------
    name : str
        The chapter's.
    questions : list of dict
        As in its file.
    """

    name: str
    questions: list

    def __repr__(self):
        return f"quiz({self.name!r})"

    def _repr_html_(self):
        text = texts("quiz")
        forms = []
        for number, question in enumerate(self.questions, 1):
            head = text["number"].format(number=number, count=len(self.questions))
            picture = _picture(question["picture"]) if "picture" in question else ""
            choices, reasons = "", ""
            for answer in question["answers"]:
                kind = "right" if answer.get("right") else "wrong"
                choices += (
                    f'<li><label><input type="radio" name="answer"><span>{markup(answer["text"])}</span></label>\n'
                )
                reasons += f'<li class="{kind}"><strong>{text[kind]}</strong> {markup(answer["why"])}\n'
            forms.append(
                '<form class="quiz" data-lm-suppress-shortcuts="true">\n'
                f"<fieldset><legend><strong>{head}</strong> {markup(question['question'])}</legend>\n{picture}"
                f"<ol>\n{choices}</ol></fieldset>\n"
                f'<button hidden data-choose="{text["choose"]}">{text["check"]}</button>\n<p role="status"></p>\n'
                f"<details><summary>{text['answers']}</summary><ol>\n{reasons}</ol></details>\n</form>\n"
            )
        return f"{''.join(forms)}<style>\n{_part('css')}</style>\n<script>\n{{\n{_part('js')}}}\n</script>"


def quiz(name):
    """Make a chapter's quiz. As the last value of a notebook's cell it displays itself.

    Parameters
    ----------
    name : str
        The chapter's, such as "02-sgd".

    Returns
    -------
    Quiz

    Raises
    ------
    ValueError
        If no chapter of this name has a quiz.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ValueError(f"name must be one of {known}, got {name!r}")
    spoken = path.parent.with_name(LANGUAGE) / path.name
    path = spoken if spoken.is_file() else path
    return Quiz(name, json.loads(path.read_text(encoding="utf-8")))


def markup(text):
    """Return HTML for a text in which `code`, *emphasis*, lower~ed~ and raised^2^ parts are marked so."""
    parts = re.split(r"`([^`]+)`", text)
    for index, part in enumerate(parts):
        part = html.escape(part, quote=False)
        if index % 2:
            part = f"<code>{part}</code>"
        else:
            for mark, tag in ((r"\*", "em"), ("~", "sub"), (r"\^", "sup")):
                part = re.sub(f"{mark}([^ ](?:[^{mark}]*[^ ])?){mark}", rf"<{tag}>\1</{tag}>", part)
        parts[index] = part
    return "".join(parts)


def curve(given):
    """Return the heights of a curve: its numbers, or the losses of the run that it describes.

    Parameters
    ----------
    given : list of float or dict
        A run is given by the "optimizer" and the arguments of ``playground``.
    """
    if isinstance(given, list):
        return np.array(given, float)
    settings = dict(given)
    optimizer = settings.pop("optimizer")
    run = playground(optimizers=optimizer, **settings)
    return run.surface.value(run.run(optimizer))


@cache
def _part(suffix):
    return Path(__file__).with_name(f"quiz.{suffix}").read_text(encoding="utf-8")


def _picture(picture):
    """Draw curves as SVG, in the colour of the text around it and in whole numbers, the same on every machine."""
    curves = {name: curve(given) for name, given in picture["curves"].items()}
    logarithmic, first = picture.get("logarithmic", False), picture.get("first", 0)
    heights = np.concatenate(list(curves.values()))
    last = first + max(map(len, curves.values())) - 1
    if logarithmic:
        subs = (1, 2, 5) if heights.max() < 100 * heights.min() else (1,)
        ticks = LogLocator(subs=subs).tick_values(heights.min(), heights.max())
    else:
        ticks = MaxNLocator(4).tick_values(heights.min(), heights.max())
    # From the last tick below the curves to the first above them
    ticks = ticks[np.sum(ticks <= heights.min()) - 1 : len(ticks) - np.sum(ticks >= heights.max()) + 1]
    scale = np.log10 if logarithmic else np.asarray
    low, high = scale(ticks[[0, -1]])

    def across(x):
        return _LEFT + _WIDTH * (np.asarray(x) - first) / (last - first)

    def down(y):
        return _TOP + _HEIGHT * (high - scale(y)) / (high - low)

    foot = _TOP + _HEIGHT
    lines, words = f"M{_LEFT} {_TOP}V{foot}H{_LEFT + _WIDTH}", ""
    for tick in ticks:
        lines += f"M{_LEFT - 4} {down(tick):.0f}h4"
        words += f'<text x="{_LEFT - 8}" y="{down(tick) + 4:.0f}" text-anchor="end">{tick:.4g}</text>'
    for tick in MaxNLocator(5, integer=True).tick_values(first, last):
        if first <= tick <= last:
            lines += f"M{across(tick):.0f} {foot}v4"
            words += f'<text x="{across(tick):.0f}" y="{foot + 17}" text-anchor="middle">{tick:.0f}</text>'
    middle = f"{_LEFT + _WIDTH / 2:.0f}"
    words += f'<text x="{middle}" y="{foot + 35}" text-anchor="middle">{markup(picture["x"])}</text>'
    words += (
        f'<text transform="translate(12 {_TOP + _HEIGHT // 2})rotate(-90)" text-anchor="middle">'
        f"{markup(picture['y'])}</text>"
    )
    drawn = ""
    for (name, values), dashes in zip(curves.items(), _DASHES, strict=False):
        points = zip(across(first + np.arange(len(values))), down(values), strict=True)
        drawn += f'<path d="M{"L".join(f"{x:.0f} {y:.0f}" for x, y in points)}" stroke-dasharray="{dashes}"/>'
        words += (
            f'<text x="{across(first + len(values) - 1) + 6:.0f}" y="{down(values[-1]) + 4:.0f}">{markup(name)}</text>'
        )
    label = html.escape(picture["alt"])
    size = f"0 0 {_LEFT + _WIDTH + (_RIGHT if any(curves) else 20)} {_TOP + _HEIGHT + _BOTTOM}"
    return (
        f'<svg viewBox="{size}" role="img" aria-label="{label}" fill="none" stroke="currentColor">'
        f'<path d="{lines}" stroke-opacity=".6"/><g stroke-width="2">{drawn}</g><g stroke="none">{words}</g></svg>\n'
    )

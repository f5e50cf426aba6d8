"""The bench in the page: what a stored picture of a bench becomes in the published book. It trains in the browser.

A notebook stores a bench as a picture and a sentence that names its runs. From the two, :func:`html_around` makes a
bench that works without a kernel; the picture stays where no script runs, and on paper. The script is a file of the
site, which a page loads when a reader comes near, and so are the images, fetched when she presses Train.
"""

import html
import json
import re
from pathlib import Path

from utils import language
from utils.bench.engine import IMAGES, LEVELS
from utils.language import texts
from utils.playground import SHAPES
from utils.plotting import COLORS, MARKERS

ROOM = Path(__file__).parent
#: The names of the script and of the images among the static files of the site.
SCRIPT, DATA = "training-bench.js", "fashion-mnist/images.js"

#: What the controls offer. A bench may open with another value, which is then offered too.
CHOICES = {
    "optimizer": list(COLORS),
    "batch_size": [1, 8, 32, 128, 512, IMAGES["train"]],
    "units": [0, 5, 20, 100, 300],
    "epochs": [1, 2, 5, 10, 20],
    "schedule": ["constant", "cosine"],
    "seed": list(range(10)),
}
DEFAULTS = {
    "optimizer": "Adam",
    "learning_rate": 0.001,
    "batch_size": 32,
    "units": 100,
    "epochs": 5,
    "seed": 0,
    "shuffled": True,
    "schedule": "constant",
}
#: Questions, and the runs that answer them: what differs from the defaults. Their texts are in the room's table, and a
#: test computes the numbers in these with ``train_in_page``.
QUESTIONS = {
    "eighth": [{}],
    "sgd": [{"optimizer": "SGD", "learning_rate": 0.01}, {"optimizer": "SGD", "learning_rate": 0.1}],
    "large": [{"learning_rate": 0.1}],
    "units": [{"units": 0}, {"units": 5}],
    "batch": [{"batch_size": 512}, {"batch_size": 512, "learning_rate": 0.01}],
    "falling": [{"learning_rate": 0.005}, {"learning_rate": 0.005, "schedule": "cosine"}],
}

_RUN = re.compile(
    r"\d+: (?P<optimizer>\w+), learning rate (?P<learning_rate>[\d.e+-]+), "
    r"batch (?P<batch_size>\d+), (?P<units>\d+) units, seed \d+"
)
# Keeps room for the controls, so that nothing jumps, and loads the script when the bench is a screen away.
_LOADER = """
(({ previousElementSibling: bench }) => {
  bench.style.paddingBottom = "max(24rem, 45rem - 55vw)";
  new IntersectionObserver(([seen], self) => {
    if (!seen.isIntersecting) return;
    self.disconnect();
    document.head.append(Object.assign(document.createElement("script"), { src: "%s" }));
  }, { rootMargin: "100%%" }).observe(bench);
})(document.currentScript);
"""


def runs_of(description):
    """Return the settings of the runs that a stored bench names, or None if these are not the words of a bench.

    The words are those of ``utils.bench.figure.description``, in English, the language in which notebooks are run.
    """
    found = [run.groupdict() for run in _RUN.finditer(description)]
    if not description.startswith("Training bench: ") or not found:
        return None
    numbers = {"learning_rate": float, "batch_size": int, "units": int}
    return [{name: numbers.get(name, str)(value) for name, value in run.items()} for run in found]


def script():
    """Return the whole script with its texts; comments stay in the sources."""
    sources = [ROOM.parent / "rules.js", ROOM.parent / "panel.js"]
    sources += [ROOM / f"{name}.js" for name in ("engine", "worker", "page")]
    return language.script(sources, {"text": _said(language.script(sources, {}))})


def _said(source):
    """Return those texts of the room that the script says; the others are the panel's."""
    table, words = texts("bench"), set(re.findall(r'(?:text\.|")(\w+)\b', source))
    mine = {key for key in table if key in words and f"page_{key}" not in table}
    return {key: text for key, text in table.items() if key in mine or key.startswith(("schedule_", "page_"))}


def html_around(description, static, data_size):
    """Return the HTML before and after a picture that make it a bench, or None if the words are not those of a bench.

    Parameters
    ----------
    description : str
        The words that are stored beside the picture.
    static : str
        The address of the static files, from the page.
    data_size : int
        Of the file of images, in bytes.
    """
    runs = runs_of(description)
    if runs is None:
        return None
    said = texts("bench")
    parts = {"title": "preset", "question": "question", "answer": "answer"}
    config = {
        "preset": runs[-1],
        "defaults": DEFAULTS,
        "choices": CHOICES,
        "questions": {
            key: {"runs": each} | {part: said[f"{stem}_{key}"] for part, stem in parts.items()}
            for key, each in QUESTIONS.items()
        },
        "looks": {name: {"color": COLORS[name], "shape": SHAPES[MARKERS[name]]} for name in COLORS},
        "file": {"name": DATA, "bytes": data_size, "counts": IMAGES, "levels": LEVELS},
    }
    words = html.escape(json.dumps(config, separators=(",", ":")))
    return (
        f'<div class="training-bench" data-config="{words}">',
        f"</div><script>{_LOADER % (static + SCRIPT)}</script>",
    )

"""Write what notebooks store of scripts anew, after a change of these: ``python -m tools.playgrounds``.

Each stored playground has its settings beside it, as the call that makes it; of a curve to draw, script and texts are
exchanged. So no cell has to be run. Notebooks named on the command line are gone over, or else all.
"""

import ast
import json
import sys
from pathlib import Path

from utils import drawing
from utils.playground import playground

ROOT = Path(__file__).resolve().parent.parent


def figure_of(words):
    """Return the playground that a stored call makes, or None if the words are another thing."""
    try:
        call = ast.parse(words.strip(), mode="eval").body
        if not (isinstance(call, ast.Call) and call.func.id == "playground" and not call.args):
            return None
        return playground(**{keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords})
    except (SyntaxError, AttributeError, ValueError):
        return None


def renewed(notebook):
    """Return a notebook's text with all its playgrounds, and the curves to draw, as they are made now."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data and (figure := figure_of("".join(data.get("text/plain", "")))):
                data["text/html"] = figure._repr_html_().splitlines(keepends=True)
            elif 'class="draw-it"' in "".join(data.get("text/html", "")):
                data["text/html"] = drawing.renewed("".join(data["text/html"])).splitlines(keepends=True)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main():
    """Write those notebooks that change."""
    for path in map(Path, sys.argv[1:] or sorted((ROOT / "book").rglob("*.ipynb"))):
        before = path.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()

"""The language in which the helpers speak to a reader, and the tables of what they say: one a room and language."""

import json
import os
import re
from functools import cache
from pathlib import Path

#: Each room has its table in the file of this name. The environment variable makes it another one: Korean is "ko".
LANGUAGE = os.environ.get("OPTIMIZERS_LANGUAGE") or "en"


@cache
def texts(room):
    """Return all that a room, a folder of ``utils``, says to a reader: a dict of texts by their keys."""
    return table(Path(__file__).parent / room)


def table(folder, language=LANGUAGE):
    """Return the texts of a folder by their keys. What the language has no text for is said in English."""
    said = {}
    for name in ("en", language):
        path = Path(folder, f"{name}.json")
        if name == "en" or path.is_file():
            said |= json.loads(path.read_text(encoding="utf-8"))
    return said


def script(sources, contents):
    """Return JavaScript sources joined to one script, without comments and indents, and with their contents in place.

    Parameters
    ----------
    sources : iterable of pathlib.Path
    contents : dict
        What JSON can hold, by its name: ``"text"`` stands in the script where its sources say ``const text = {};``.
    """
    joined = "\n".join(source.read_text(encoding="utf-8").strip() for source in sources)
    slim = re.sub(r"^ *(?://.*)?\n?", "", joined, flags=re.MULTILINE)
    for name, content in contents.items():
        held = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        slim = slim.replace(f"const {name} = {{}};", f"const {name} = {held};")
    return slim

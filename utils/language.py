"""The language in which the helpers speak to a reader, and the tables of what they say: one a room and language."""

import json
import os
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

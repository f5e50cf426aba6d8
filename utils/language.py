"""The language in which the helpers speak to a reader, and the tables of what they say: one a room and language."""

import json
from functools import cache
from pathlib import Path

#: Each room has its table in the file of this name.
LANGUAGE = "en"


@cache
def texts(room):
    """Return all that a room, a folder of ``utils``, says to a reader: a dict of texts by their keys."""
    return json.loads((Path(__file__).parent / room / f"{LANGUAGE}.json").read_text(encoding="utf-8"))

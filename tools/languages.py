"""Which pages the Korean edition has, and where it lies: for those who build both editions, and those who link them."""

from pathlib import Path

COMPLETE = Path(__file__).resolve().parent.parent / "locale" / "ko" / "complete.txt"
FOLDER = "ko/"  # of the Korean edition, below the English one


def complete():
    """Return the names that ``complete.txt`` lists: nothing of these pages and tables may be missing or stale."""
    lines = COMPLETE.read_text(encoding="utf-8").splitlines() if COMPLETE.is_file() else []
    return [line for line in lines if line and not line.startswith("#")]


def translated_pages():
    """Return the pages that the Korean edition has: none as long as its home page is not among them."""
    pages = [name for name in complete() if not name.startswith(("utils/", "tools", "figures", "README"))]
    return pages if "index" in pages else []

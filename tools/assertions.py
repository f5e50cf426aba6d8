"""How many assertions the notebooks execute, page by page and in all: ``python -m tools.assertions``.

Counted as they stand in the code: ``assert`` statements and calls of ``np.testing``, each once, also within a loop.
"""

import argparse
import ast
import json
import os
import re
from pathlib import Path

from tools.repository import ROOT


def parse(source):
    """Return the syntax tree of a cell's Python, its magics left out."""
    return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))


def asserts(node):
    """Whether this node of a syntax tree is itself an assertion."""
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    return isinstance(node, ast.Assert) or called.startswith("np.testing.assert_")


def assertions(source):
    """Return the assertions of a cell's source, as nodes of its syntax tree."""
    return [node for node in ast.walk(parse(source)) if asserts(node)]


def count(path):
    """Return (assertions, check cells) of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    found = sum(len(assertions("".join(cell["source"]))) for cell in code)
    return found, sum("check" in cell["metadata"].get("tags", []) for cell in code)


def main():
    """Print a table of the notebooks named on the command line, or of all."""
    parser = argparse.ArgumentParser(description="Count the assertions that the notebooks execute.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    notebooks = parser.parse_args().notebooks or sorted((ROOT / "book").rglob("*.ipynb"))
    rows = [(os.path.relpath(path.with_suffix(""), ROOT / "book"), *count(path)) for path in notebooks]
    rows.append(("in all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    width = max(len(name) for name, *_ in rows)
    print(f"{'notebook':{width}}  assertions  check cells")
    for name, found, checks in rows:
        print(f"{name:{width}}  {found:10}  {checks:11}")


if __name__ == "__main__":
    main()

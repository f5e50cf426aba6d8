"""How long the playground takes to redraw, and how many bytes it adds to a page.

Run ``python benchmarks/playground.py`` on an idle machine; whatever else runs delays the drawing many times over.
"""

import gzip
import os
import platform
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from utils.playground import LEARNING_RATES, figure, playground
from utils.plotting import COLORS

REDRAWS = 300

# Reading a pixel back makes the browser finish what it would else put off until the screen's next frame.
MEASURE = """
    redraws => {
        const host = document.querySelector('.optimizer-playground');
        const pens = [...host.shadowRoot.querySelectorAll('canvas')].slice(1).map((canvas) => canvas.getContext('2d'));
        const times = [];
        for (let i = 0; i < redraws; i++) {
            const began = performance.now();
            host.playground.redraw();
            const drawn = performance.now();
            for (const pen of pens) pen.getImageData(0, 0, 1, 1);
            times.push([drawn - began, performance.now() - began]);
        }
        return times;
    }
"""


def measure(page, surface, folder):
    """Return the medians, in milliseconds, of computing and drawing, and of the same with all pixels on the canvas."""
    figure = playground(surface, optimizers=tuple(COLORS), steps=500)
    file = folder / f"{surface}.html"
    file.write_text(
        f"<!doctype html><meta charset=utf-8><main style='width: 720px'>{figure._repr_html_()}</main>", encoding="utf-8"
    )
    page.goto(file.as_uri())
    page.evaluate(MEASURE, 50)  # lets the browser compile the script
    return [statistics.median(column) for column in zip(*page.evaluate(MEASURE, REDRAWS), strict=True)]


def main():
    """Print a table of the times and one of the sizes."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        path = shutil.which("chromium") or playwright.chromium.executable_path
        flags = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
        flags += ["--disable-sync", "--disable-quic"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        print(f"Chromium {browser.version}, {os.cpu_count()} cores, {platform.machine()}; six optimizers, 500 steps")
        print(f"{'surface':12} {'screen':>8} {'redraw':>10} {'with pixels':>12}   median of {REDRAWS}, in ms")
        for scale in (1, 2):
            page = browser.new_page(viewport={"width": 800, "height": 900}, device_scale_factor=scale)
            for surface in LEARNING_RATES:
                redraw, with_pixels = measure(page, surface, Path(name))
                print(f"{surface:12} {scale:7}x {redraw:10.2f} {with_pixels:12.2f}")
        browser.close()
    script, output = figure._script().encode(), playground()._repr_html_().encode()
    for what, content in {"the script": script, "an output, script included": output}.items():
        print(f"{what}: {len(content):,} bytes, gzipped {len(gzip.compress(content, 9)):,}")


if __name__ == "__main__":
    main()

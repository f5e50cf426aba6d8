"""Measure the published site beside the same notebooks in Jupyter Book's default dress.

    .venv/bin/python benchmarks/site.py [--runs 3] [--pages index 02-sgd 08-adam-keras-walkthrough]
    .venv/bin/python benchmarks/site.py --table [--site _build/html]

Both are built now, served by the same small web server, which compresses as web hosts do, and opened in the same
Chromium. Needs Chromium, and npm's ``lighthouse`` (``npm install --global lighthouse``); without the latter its scores
are left out. All figures are medians of the runs. What the default pages load from other sites counts with its bytes
only where these sites can be reached. The second form prints the README's table: every page of ours, on a phone.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PLAIN_CONFIG = """
title: "Optimizers: from SGD to Adam"
only_build_toc_files: true
execute: {execute_notebooks: "off"}
parse:
  myst_enable_extensions: [amsmath, attrs_inline, colon_fence, deflist, dollarmath, linkify, smartquotes]
"""
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
WATCH = """
window.seen = { shift: 0, paint: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName("first-contentful-paint")) seen.paint = entry.startTime;
}).observe({ type: "paint", buffered: true });
"""
SCROLL = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
    scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 50));
  }
}"""


class Compressing(SimpleHTTPRequestHandler):
    """Serves files, texts compressed, several over one connection, as web hosts do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer as GitHub's pages do: compressed, and to be kept for ten minutes."""
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        body, kind = path.read_bytes(), self.guess_type(str(path))
        self.send_response(200)
        if kind.startswith("text/") or kind.endswith(("javascript", "json", "xml")):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Stay silent."""


@contextmanager
def served(folder):
    """Yield the address of a web server for a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressing, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def build(book, config, output):
    """Build a book and return the folder of its pages."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", book, "--config", config]
    command += ["--toc", ROOT / "_toc.yml", "--path-output", output]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{book} does not build:\n{result.stderr[-3000:]}")
    return output / "_build" / "html"


def build_both(folder):
    """Return the folders of both sites: the default's and ours."""
    book, config = folder / "book", folder / "config.yml"
    shutil.copytree(ROOT / "book", book)
    index = (book / "index.md").read_text(encoding="utf-8")
    (book / "index.md").write_text(re.sub(r"```\{race\}.*?```", "", index, flags=re.DOTALL), encoding="utf-8")
    config.write_text(PLAIN_CONFIG, encoding="utf-8")
    return build(book, config, folder / "default"), build(ROOT / "book", ROOT / "_config.yml", folder / "ours")


def open_page(browser, address, page_name):
    """Return what one visit with an empty cache costs."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH)
    page = context.new_page()
    urls, sizes = [], []
    page.on("request", lambda request: urls.append(request.url))
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{address}{page_name}.html", wait_until="load")
    page.wait_for_timeout(1000)
    first = sum(sizes)  # before anybody scrolled
    page.evaluate(SCROLL)
    page.wait_for_timeout(1000)
    seen = page.evaluate("window.seen")
    context.close()
    urls = [url for url in urls if not url.startswith("data:")]
    elsewhere = sum(not url.startswith(address) for url in urls)
    return {
        "bytes at first": first,
        "bytes when read to the end": sum(sizes),
        "requests": len(urls),
        "requests to other sites": elsewhere,
        "layout shift": seen["shift"],
        "first contentful paint (ms)": seen["paint"],
    }


def judge(lighthouse, chromium, address, page_name, form):
    """Return Lighthouse's four scores of a page, for "desktop" or "phone"."""
    flags = "--headless=new --disable-gpu --disable-quic --no-first-run --disable-component-update --disable-sync"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags += " --no-sandbox"
    command = [lighthouse, f"{address}{page_name}.html", "--quiet", "--output=json", f"--chrome-flags={flags}"]
    command += [f"--only-categories={','.join(CATEGORIES)}"] + ["--preset=desktop"] * (form == "desktop")
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"CHROME_PATH": str(chromium)})
    if result.returncode:
        sys.exit(f"lighthouse failed on {page_name}:\n{result.stderr[-2000:]}")
    report = json.loads(result.stdout)["categories"]
    return {f"{form}: {name}": 100 * (report[name]["score"] or 0) for name in CATEGORIES}


def drawn(path):
    """Return how many of a page's compressed bytes are figures that stand in it as drawings or stills."""
    page = path.read_text(encoding="utf-8")
    drawings = r'<div class="drawing.*?</svg></div>|data:image/svg\+xml;base64,[^"]*'
    before, after = (len(gzip.compress(text.encode())) for text in (page, re.sub(drawings, "", page, flags=re.DOTALL)))
    return before - after


def table(playwright, chromium, options):
    """Print the scores of every page on a phone, and what it loads before anybody scrolls, in kilobytes."""
    arguments = ["--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-sync"]
    arguments += ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
    print("| page | Lighthouse, phone | kB at first | of these figures |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        site = options.site or build(ROOT / "book", ROOT / "_config.yml", Path(folder))
        pages = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
        with served(site) as address:
            for path in pages:
                name = path.relative_to(site).with_suffix("").as_posix()
                if name in ("search", "404"):
                    continue
                scores = [
                    judge(options.lighthouse, chromium, address, name, "phone")["phone: performance"]
                    for _ in range(options.runs if options.lighthouse else 0)
                ]
                browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
                first = open_page(browser, address, name)["bytes at first"]
                browser.close()
                score = f"{median(scores):.0f}" if scores else "–"
                print(f"| {name} | {score} | {first / 1000:.0f} | {drawn(path) / 1000:.0f} |", flush=True)


def medians(measured):
    """Return the median of each figure over several runs."""
    return {name: median(run[name] for run in measured) for name in measured[0]}


def main():
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="visits of each page (3)")
    parser.add_argument("--pages", nargs="+", default=["index", "02-sgd", "08-adam-keras-walkthrough"])
    parser.add_argument("--lighthouse", default=shutil.which("lighthouse"), help="npm's program, if not on the PATH")
    parser.add_argument("--table", action="store_true", help="every page of ours, as a table for the README")
    parser.add_argument("--site", type=Path, help="with --table: the built pages, instead of building them")
    options = parser.parse_args()
    if options.table:
        with sync_playwright() as playwright:
            found = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
            table(playwright, found, options)
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        default, ours = build_both(Path(folder))
        chromium = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        arguments = ["--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-sync"]
        arguments += ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
        with served(default) as there, served(ours) as here:
            for name in options.pages:
                runs = {there: [], here: []}
                for address in [there, here] * options.runs:  # in turns, so that a busy machine is busy for both
                    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
                    found = open_page(browser, address, name)
                    browser.close()
                    for form in ("desktop", "phone") if options.lighthouse else ():
                        found |= judge(options.lighthouse, chromium, address, name, form)
                    runs[address].append(found)
                figures = [medians(runs[address]) for address in (there, here)]
                print(f"\n{name:<32}{'default':>12}{'ours':>12}{'ours/default':>14}")
                for what, before in figures[0].items():
                    after = figures[1][what]
                    ratio = f"{after / before:14.3f}" if before else f"{'':>14}"
                    print(f"  {what:<30}{before:12.6g}{after:12.6g}{ratio}", flush=True)


if __name__ == "__main__":
    main()

"""Build the book, warnings being errors: ``python -m tools.build``, which is what ``make book`` runs.

After the English book it builds the pages that there are in Korean, into the folder ``ko`` of the same site.

Beside Jupyter Book 1 there are older versions, and a version 2 that is another program. If this Python has one of
those, it is said here; left to themselves they would stop at an option they do not know, or build half a book.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tools.downloads import put_into_site
from tools.languages import FOLDER, translated_pages

ROOT = Path(__file__).resolve().parent.parent
FIRST, FIRST_TOO_NEW = (1, 0, 4), (2,)


def refusal():
    """Return why the installed Jupyter Book cannot build this book, in one sentence, or None if it can."""
    try:
        found = version("jupyter-book")
    except PackageNotFoundError:
        found = "none"
    if FIRST <= tuple(map(int, re.findall(r"\d+", found))) < FIRST_TOO_NEW:
        return None
    return (
        f"The book needs Jupyter Book 1, from 1.0.4 on, and this Python has {found}: run `make book`, or "
        "`python -m venv .venv`, `.venv/bin/pip install --requirement requirements.txt` and "
        "`.venv/bin/python -m tools.build`."
    )


#: What every page is made with: where one of these is newer than the pages, Sphinx would leave them as they are.
COMMON = (ROOT / "book" / "assets", ROOT / "tools", ROOT / "utils" / "bench", ROOT / "locale" / "ko" / "complete.txt")


def is_outdated(pages, parts=COMMON):
    """Whether style sheet, extension, bench or the list of pages in Korean are newer than the built pages."""
    files = [file for part in parts for file in (part, *part.rglob("*")) if file.is_file() and file.suffix != ".pyc"]
    built = pages / "index.html"
    return built.exists() and max(file.stat().st_mtime for file in files) > built.stat().st_mtime


def build(book, config, toc, output, *, fresh, environment=None, builder=None):
    """Build one edition into ``_build`` below a folder, as a site or by another builder; stop if that fails."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", book, "--config", config, "--toc", toc]
    command += ["--builder", "custom", "--custom-builder", builder] if builder else []
    command += ["--path-output", output, "-W", "-n", "--keep-going"] + ["--all"] * fresh
    if code := subprocess.run(command, cwd=ROOT, env=environment).returncode:
        sys.exit(code)


def write_korean(folder, doctrees, *, everything=False):
    """Write the sources of the Korean edition into a folder, whose pages keep the anchors of the English ones."""
    environment = os.environ | {"OPTIMIZERS_LANGUAGE": "ko"}
    write = [sys.executable, "-m", "tools.korean", "--target", folder, "--doctrees", doctrees]
    subprocess.run([*write, *["--all"] * everything], cwd=ROOT, env=environment, check=True)


def build_korean(output, *, everything=False):
    """Build the Korean edition after the English one, whose anchors it keeps, and put it into the site."""
    site, folder = output / "_build" / "html", output / "_build" / "ko-source"
    write_korean(folder, output / "_build" / ".doctrees", everything=everything)
    korean = output / "_build" / "ko"
    fresh = is_outdated(korean / "_build" / "html")
    files = (folder / "book", folder / "_config.yml", folder / "_toc.yml")
    build(*files, korean, fresh=fresh, environment=os.environ | {"OPTIMIZERS_LANGUAGE": "ko"})
    shutil.rmtree(site / FOLDER, ignore_errors=True)
    shutil.copytree(korean / "_build" / "html", site / FOLDER)
    entries = re.findall(r"<url>.*</url>\n", (site / FOLDER / "sitemap.xml").read_text(encoding="utf-8"))
    (site / FOLDER / "sitemap.xml").unlink()
    whole = (site / "sitemap.xml").read_text(encoding="utf-8").replace("</urlset>", f"{''.join(entries)}</urlset>")
    (site / "sitemap.xml").write_text(whole, encoding="utf-8")


def main():
    """Build the book into ``_build``, or into ``_build`` below the folder that the command line names."""
    parser = argparse.ArgumentParser(description="Build the book in English, and what there is of it in Korean.")
    parser.add_argument("output", nargs="?", default=".", help="the folder in which to make _build")
    parser.add_argument("--all-korean", action="store_true", help="show all pages in Korean, though partly in English")
    parser.add_argument("--only-korean", action="store_true", help="keep the English pages that were built before")
    options = parser.parse_args()
    if reason := refusal():
        sys.exit(reason)
    output = (ROOT / options.output).resolve()
    if not options.only_korean:
        fresh = is_outdated(output / "_build" / "html")
        build("book", "_config.yml", ROOT / "_toc.yml", output, fresh=fresh)
    shutil.rmtree(output / "_build" / "html" / FOLDER, ignore_errors=True)
    if translated_pages() or options.all_korean:
        build_korean(output, everything=options.all_korean)
    put_into_site(output / "_build")


if __name__ == "__main__":
    main()

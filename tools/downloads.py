"""The book as a file: the forms of it that have been built lie in the site, and its home page links them.

The builds of the site and of the files end with this, in whatever order they run, and ``python -m tools.downloads``
does it alone. The directive ``downloads`` holds the line's place in the page; without a file nothing of it is seen.
"""

import html
import re
import shutil
from pathlib import Path

from tools.languages import FOLDER
from utils.language import table

ROOT = Path(__file__).resolve().parent.parent
#: The forms that there may be: how their files end. What a link is called stands in the table, as ``download_<form>``.
FORMS = ("epub", "pdf")
PLACE = '<p class="downloads" hidden></p>'
#: The home pages, seen from the folder of the site.
HOMES = {"en": "index.html", "ko": f"{FOLDER}index.html"}


def name_of(form, language):
    """Return the name of a file, such as optimizers-ko.epub."""
    return f"optimizers{'' if language == 'en' else f'-{language}'}.{form}"


def size_of(path):
    """Return the size of a file in megabytes, as one says it."""
    size = path.stat().st_size / 1e6
    return f"{size:.1f}" if size < 10 else f"{size:.0f}"


def line(language, paths):
    """Return what the home page says of these files, in the form that they are given by: a paragraph of HTML."""
    if not paths:
        return PLACE
    said, up = table(ROOT / "tools", language), "../" * HOMES[language].count("/")
    links = [
        f'<a href="{up}{path.name}" download>{html.escape(said[f"download_{form}"])}</a> ({size_of(path)} MB)'
        for form, path in paths.items()
    ]
    return f'<p class="downloads">{html.escape(said["downloads"])} {" · ".join(links)}</p>'


def put_into_site(folder):
    """Copy the files that lie in a folder into the site below it, and say on its home pages that they are there."""
    site = folder / "html"
    for language, home in HOMES.items():
        if not (site / home).is_file():
            continue
        files = {form: folder / name_of(form, language) for form in FORMS}
        files = {form: path for form, path in files.items() if path.is_file()}
        for path in files.values():
            shutil.copy(path, site)
        page = (site / home).read_text(encoding="utf-8")
        new = re.sub(r'<p class="downloads".*?</p>', lambda _: line(language, files), page)  # noqa: B023, called at once
        if new != page:
            (site / home).write_text(new, encoding="utf-8")


if __name__ == "__main__":
    put_into_site(ROOT / "_build")

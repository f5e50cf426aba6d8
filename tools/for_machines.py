"""Sphinx extension, part of book_site: what a page says of itself to machines, and how a phone may keep the book.

The data are those of schema.org, as JSON-LD: the book is a course, its pages are learning resources, with language,
licence and the time that they state. The manifest lets the book be put on a home screen; it needs a network still.
"""

import json
import re
from pathlib import Path

from docutils import nodes

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
MANIFEST = "manifest.webmanifest"


def minutes(doctree):
    """Return how many minutes a page says that it takes to read, or None if it does not say so."""
    for paragraph in doctree.findall(nodes.paragraph):
        if stated := re.search(r"(\d+) minutes to read", paragraph.astext()):
            return int(stated[1])
    return None


def resource(address, title, text, language, time=None):
    """Return what every page is, the course too."""
    facts = {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "@id": address,
        "url": address,
        "name": title,
        "description": text,
        "inLanguage": language,
        "license": LICENCE,
        "isAccessibleForFree": True,
    }
    return facts | ({"timeRequired": f"PT{time}M"} if time else {})


def course(facts, author, time):
    """Return what the first page is: the course, which is taken by reading it."""
    provider = {"@type": "Organization", "name": author, "url": facts["url"]}
    instance = {"@type": "CourseInstance", "courseMode": "Online", "courseWorkload": f"PT{time}M"}
    return facts | {"@type": "Course", "provider": provider, "hasCourseInstance": [instance]}


def data_of(app, pagename, doctree, address, title, text):
    """Return the data of a page as an element of its head."""
    language, book = app.config.language or "en", app.config.html_baseurl
    if pagename == app.config.root_doc:
        chapters = [name for name in app.env.found_docs if re.match(r"\d\d-", name)]
        time = sum(minutes(app.env.get_doctree(name)) or 0 for name in chapters)
        facts = course(resource(address, title, text, language, time), app.config.author, time)
    else:
        facts = resource(address, title, text, language, minutes(doctree)) | {"isPartOf": {"@id": book}}
    words = json.dumps(facts, ensure_ascii=False).replace("</", "<\\/")
    return f'<script type="application/ld+json">{words}</script>'


def write_manifest(app, exception):
    """Write what a phone asks for when somebody puts the book on its home screen."""
    if exception or app.builder.format != "html":
        return
    name = app.config.html_title
    manifest = {
        "name": name,
        "short_name": name.split(":")[0],
        "lang": app.config.language or "en",
        "start_url": "./index.html",
        "scope": "./",
        "display": "minimal-ui",  # with the browser's way back, which a book without buttons of its own needs
        "background_color": "#fffefc",
        "theme_color": "#fffefc",
        "icons": [{"src": "_static/favicon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }
    words = json.dumps(manifest, indent=1, ensure_ascii=False)
    Path(app.outdir, MANIFEST).write_text(words + "\n", encoding="utf-8")


def setup(app):
    """Register the extension with Sphinx."""
    app.connect("build-finished", write_manifest)

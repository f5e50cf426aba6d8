"""Sphinx extension, part of book_site: what ties the editions of the book in two languages together.

A page of the Korean edition keeps the anchors of its English twin, so that links hold and a reader who changes the
language stays in her place. Each of the two says where the other one is, to readers and to search engines.
"""

import html
import json
import pickle
import re
from pathlib import Path

from docutils import nodes
from languages import FOLDER, translated_pages
from sphinx.transforms import SphinxTransform

from utils.language import LANGUAGE, table

#: What the link to the other edition is called, in the language that it leads to.
SWITCH = {"en": ("ko", "한국어"), "ko": ("en", "English")}

# A reader who changes the language goes to the section that she was reading.
SCRIPT = """
document.addEventListener("click", ({ target }) => {
  const link = target.closest("a.btn-language");
  if (!link) return;
  const sections = [...document.querySelectorAll("article section section[id]")]; // the outermost is the whole page
  link.hash = sections.filter((section) => section.getBoundingClientRect().top < 120).at(-1)?.id ?? "";
});
"""


class KeepAnchors(SphinxTransform):
    """Give the sections of a page the anchors that they have in English."""

    default_priority = 3  # before anything refers to them

    def apply(self):
        """Take them from the page as it was read for the English edition, which is built first."""
        folder = self.app.config.english_doctrees
        if not folder:
            return
        path = Path(folder, f"{self.env.docname}.doctree")
        self.env.note_dependency(str(path))
        english = list(pickle.loads(path.read_bytes()).findall(nodes.section))
        ours = list(self.document.findall(nodes.section))
        if len(english) != len(ours):
            raise ValueError(f"{self.env.docname} has {len(ours)} headings, and {len(english)} in English")
        slugs = getattr(self.document, "myst_slugs", {})
        lines = {key: slugs.pop(key) for key in list(slugs)}
        for section in ours:
            for name in section["ids"]:
                self.document.ids.pop(name, None)
        for section, twin in zip(ours, english, strict=True):
            old = section["ids"][0]
            section["ids"] = list(twin["ids"])
            for name in section["ids"]:
                self.document.ids[name] = section
            for name in section["names"]:
                if self.document.nameids.get(name) == old:
                    self.document.nameids[name] = section["ids"][0]
            if "slug" in section:
                line, _, text = lines[section["slug"]]
                section["slug"] = twin["slug"]
                slugs[twin["slug"]] = (line, twin["ids"][0], text)


def english_base(config):
    """Return the address of the English edition."""
    return config.html_baseurl.removesuffix(FOLDER) if LANGUAGE == "ko" else config.html_baseurl


def addresses(config, pagename):
    """Return the full addresses of a page in both languages."""
    base, page = english_base(config), "" if pagename == config.root_doc else f"{pagename}.html"
    return {"en": base + page, "ko": f"{base}{FOLDER}{page}"}


def add_twin(app, pagename, templatename, context, doctree):
    """Add the link to the same page in the other language, and tell search engines of it."""
    if doctree is None or pagename not in translated_pages():
        return
    found = addresses(app.config, pagename)
    tags = [f'<link rel="alternate" hreflang="{language}" href="{url}">' for language, url in found.items()]
    tags += [f'<link rel="alternate" hreflang="x-default" href="{found["en"]}">']
    context["metatags"] = context.get("metatags", "") + "\n    " + "\n    ".join(tags)
    _, name = SWITCH[LANGUAGE]
    up = "../" * pagename.count("/")
    url = f"{up}{FOLDER}{pagename}.html" if LANGUAGE == "en" else f"{up}../{pagename}.html"
    button = {"type": "link", "url": url, "text": name, "tooltip": name, "label": "language"}
    context["header_buttons"] = [*context.get("header_buttons", []), button]


def point_to_korean_sources(app, pagename, templatename, context, doctree):
    """Let the buttons of the theme open the Korean notebook, and the catalogue where they would open the source."""
    if LANGUAGE == "en":
        return
    for group in context.get("header_buttons", []):
        for button in (group, *group.get("buttons", [])):
            if "colab" in button.get("url", ""):
                button["url"] = button["url"].replace("/blob/main/", "/blob/ko/")
            elif "/edit/main/" in button.get("url", ""):
                button["url"] = re.sub(r"/edit/main/.*", f"/edit/main/locale/ko/{pagename}.po", button["url"])


def finish(page, context, base):
    """Return a finished page whose links to the other edition are relative, and open in the same window."""
    language, name = SWITCH[LANGUAGE]
    link = r'<a href="([^"]*)" target="_blank"\s+class="btn btn-sm btn-language".*?</a>'
    shown = rf'<a href="\1" class="btn btn-sm btn-language" hreflang="{language}" lang="{language}">{name}</a>'
    page = re.sub(link, shown, page, flags=re.DOTALL)
    if LANGUAGE != "en":
        page = say_what_the_theme_says(page, context.get("author", ""))
        up = "../" * (context.get("pagename", "").count("/") + 1)
        page = re.sub(
            rf'(<a [^>]*href="){re.escape(html.escape(base))}((?!{FOLDER})[^"]*)"',
            lambda match: f'{match[1]}{up}{match[2] or "index.html"}" hreflang="en"',
            page,
        )
    return page


def say_what_the_theme_says(page, author):
    """Return a page in which what the theme has in English only is said in the page's own language."""
    folder = Path(__file__).parent
    english, ours = table(folder, "en"), table(folder)
    for key in (key for key in english if key.startswith("theme_")):
        place = rf'(>\s*|(?:title|aria-label|placeholder|data-bs-title)="){re.escape(english[key])}(?=\s*<|")'
        page = re.sub(place, lambda match, key=key: match[1] + html.escape(ours[key]), page)
    return re.sub(
        r'(<p class="component-author">\s*)[^<]*?(\s*</p>)',
        lambda match: match[1] + html.escape(ours["author"].format(name=author)) + match[2],
        page,
    )


def teach_copy_buttons(app, exception):
    """Give the copy buttons their words, of which their own script has only some languages."""
    path = Path(app.outdir, "_static", "copybutton.js")
    if exception or LANGUAGE == "en" or not path.exists():
        return
    said = {key: text for key, text in table(Path(__file__).parent).items() if key.split("_")[0] == "copy"}
    script = path.read_text(encoding="utf-8")
    start = f"const messages = {{\n  '{LANGUAGE}': {json.dumps(said, ensure_ascii=False)},"
    path.write_text(script.replace("const messages = {", start, 1), encoding="utf-8")


def setup(app):
    """Register the extension with Sphinx."""
    app.add_config_value("english_doctrees", "", "env")
    app.add_transform(KeepAnchors)
    app.add_js_file(None, body=SCRIPT)
    app.connect("html-page-context", point_to_korean_sources, priority=905)
    app.connect("html-page-context", add_twin, priority=910)  # after book_site has simplified the buttons
    app.connect("build-finished", teach_copy_buttons)
    return {"parallel_read_safe": True}

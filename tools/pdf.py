"""The book as PDF, on A4: ``python -m tools.pdf``, which is what ``make pdf`` runs after ``make book``.

Chromium prints it, by the site's own print style: all pages of the built site as one document, so that a link from one
chapter to another stays in the file, and each font is in it once. Chapters printed one by one and joined afterwards
would have neither; LaTeX would set the text from a second source, without the site's drawings, stills and folds.

Which sheet a heading stands on is known when all is printed. So the contents are printed again with these numbers,
and take the place of the first ones.
"""

import argparse
import json
import mimetypes
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pikepdf
import yaml
from playwright.sync_api import Error, sync_playwright

from tools import chromium
from tools.downloads import name_of, put_into_site
from tools.korean import site_of
from tools.languages import FOLDER, translated_pages
from tools.repository import current_url
from utils.language import table

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(__file__).parent
#: The site's address while it is printed. Nobody serves it: what is asked of it is read from the site's folder.
PRESS = "http://press.invalid/"
MINUTES = 10  # for a step of Chromium's, on a busy machine


class CannotPrint(RuntimeError):
    """Something is missing, and the message says what to install or to build."""


def parts_of_book(language, only=None):
    """Return the parts of the book, as dicts of a caption and pages, of all pages or of those named.

    The home page comes first, in a part of its own without a caption.
    """
    words = table(TOOLS, language)
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [{"caption": "", "pages": [toc["root"]]}]
    for part in toc["parts"]:
        parts.append({"caption": words[part["caption"]], "pages": [page["file"] for page in part["chapters"]]})
    known = {page for part in parts for page in part["pages"]}
    kept = known if language == "en" else known & set(translated_pages())
    if only is not None:
        kept = kept & {*only, toc["root"]}
    parts = [part | {"pages": [page for page in part["pages"] if page in kept]} for part in parts]
    return [part for part in parts if part["pages"]]


def words_of_book(language):
    """Return what the PDF says beside what stands in the pages: the site's texts, and the authors."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return table(TOOLS, language) | {"author": config["author"]}


def check_fonts():
    """Refuse to print Korean where the system has no font for it: Chromium would print empty boxes."""
    if shutil.which("fc-list"):
        command = ["fc-list", ":lang=ko", "family"]
        if not subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip():
            raise CannotPrint("no font with Hangul found: install one, such as Debian's fonts-noto-cjk")


def serve_from(site):
    """Return what answers Chromium's requests: files of the site, no scripts, and nothing from elsewhere."""

    def answer(route):
        url = urlsplit(route.request.url)
        path = site / unquote(url.path.lstrip("/"))
        if f"{url.scheme}://{url.netloc}/" != PRESS or path.suffix == ".js" or not path.is_file():
            route.abort()
        else:
            route.fulfill(path=path, content_type=mimetypes.guess_type(path.name)[0])

    return answer


def running_heads(headings, contents):
    """Return the style that writes its title over the sheets of each page of the book, and over the contents."""
    titles = {"contents": contents} | {each["sheet"]: each["text"] for each in headings if each["level"] == 1}
    return "".join(
        f"@page {sheet} {{ @top-left {{ content: {json.dumps(title, ensure_ascii=False)}; }} }}\n"
        for sheet, title in titles.items()
    )


def sheets_of_places(pdf):
    """Return the number of the sheet, from 1, on which each named place of a printed document is."""
    number = {page.objgen: index for index, page in enumerate(pdf.pages, 1)}
    return {unquote(name[1:]): number[place[0].objgen] for name, place in pdf.Root.get("/Dests", {}).items()}


def write_numbers(page, sheets):
    """Write into the contents of the document that is open in Chromium on which sheet each heading stands."""
    page.evaluate(
        """(sheets) => {
          for (const slot of document.querySelectorAll(".paper-contents .number")) {
            const id = slot.parentElement.getAttribute("href").slice(1);
            if (!sheets[id]) throw Error(`no sheet is known of ${id}`);
            slot.textContent = sheets[id];
          }
          document.querySelectorAll("article").forEach((article) => { article.hidden = true; });
        }""",
        sheets,
    )


def replace_first_sheets(pdf, front):
    """Put what is drawn on the sheets of another document in the place of what is drawn on the first ones.

    Links, bookmarks and the structure that a screen reader follows stay: both were printed of the same document.
    """
    for old, new in zip(pdf.pages, front.pages, strict=False):
        for key in ("/Contents", "/Resources"):
            old.obj[key] = pdf.copy_foreign(front.make_indirect(new.obj[key]))


def gather_bookmarks(pdf, parts, titles):
    """Gather the bookmarks under the parts of the book, and write their titles, of which Chromium leaves formulas out.

    It has written one for each heading, nested by their levels.
    """
    with pdf.open_outline() as outline:
        titles = iter(titles)

        def rename(items):
            for item in items:
                item.title, item.is_closed = next(titles), True
                rename(item.children)

        rename(outline.root)
        contents, *pages = outline.root
        outline.root[:] = [contents]
        for part in parts:
            own, pages = pages[: len(part["pages"])], pages[len(part["pages"]) :]
            if part["caption"]:
                item = pikepdf.OutlineItem(part["caption"], own[0].destination)
                item.is_closed = True
                item.children.extend(own)
                own = [item]
            outline.root.extend(own)
        if pages or next(titles, None):
            raise ValueError("the document has not one bookmark for each heading")


def describe(pdf, words, language):
    """Write what a catalogue of books wants to know: title, authors, language."""
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = words["title"]
        metadata["dc:creator"] = [words["author"]]
        metadata["dc:language"] = {language}
        metadata["dc:description"] = words["cover_about"]
        metadata["xmp:CreatorTool"] = current_url()
    pdf.Root.Lang = pikepdf.String(language)
    pdf.Root.PageMode = pikepdf.Name.UseOutlines
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)


def print_book(site, target, language="en", only=None):
    """Print the pages of a built site, of one language, all or those named.

    Parameters
    ----------
    site : pathlib.Path
        The folder of the built site, of both languages.
    target : pathlib.Path
        The file to write.

    Returns
    -------
    list of dict
        Of each heading: part, page, level, id, text, and the sheet that it stands on as ``number``.
    """
    folder = site if language == "en" else site / FOLDER
    if not (folder / "index.html").is_file():
        raise CannotPrint(f"{folder} has no built book: run `make book` first")
    if language == "ko":
        check_fonts()
    parts, words = parts_of_book(language, only), words_of_book(language)
    address = site_of(current_url()) + ("" if language == "en" else FOLDER)
    try:
        with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
            browser = chromium.launch(playwright)
            page = browser.new_page(reduced_motion="reduce", color_scheme="light")
            page.set_default_timeout(MINUTES * 60_000)
            page.route("**/*", serve_from(folder))
            page.goto(f"{PRESS}index.html")
            page.emulate_media(media="print")
            script = (TOOLS / "pdf.js").read_text(encoding="utf-8")
            headings = page.evaluate(script, {"parts": parts, "words": words, "base": address})
            page.add_style_tag(
                content=(TOOLS / "pdf.css").read_text(encoding="utf-8")
                + running_heads(headings, words["paper_contents"])
            )
            whole, front = Path(scratch, "whole.pdf"), Path(scratch, "front.pdf")
            page.pdf(path=whole, prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
            with pikepdf.open(whole) as pdf:
                sheets = sheets_of_places(pdf)
                write_numbers(page, sheets)
                page.pdf(path=front, prefer_css_page_size=True, print_background=True, tagged=True)
                browser.close()
                with pikepdf.open(front) as contents:
                    replace_first_sheets(pdf, contents)
                gather_bookmarks(pdf, parts, [words["paper_contents"], *(heading["text"] for heading in headings)])
                describe(pdf, words, language)
                pdf.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    except (FileNotFoundError, Error) as error:
        raise CannotPrint(str(error)) from error
    return [heading | {"number": sheets.get(heading["id"])} for heading in headings]


def main():
    """Print the book into ``_build``, in both languages or in the one named."""
    parser = argparse.ArgumentParser(description="Print the built book as PDF, in English and in Korean.")
    parser.add_argument("--language", choices=["en", "ko"], help="one language instead of both")
    parser.add_argument("--pages", nargs="+", metavar="PAGE", help="the home page and these, such as 02-sgd")
    options = parser.parse_args()
    folder = ROOT / "_build"
    for language in [options.language] if options.language else ["en", "ko"]:
        start, target = time.monotonic(), folder / name_of("pdf", language)
        try:
            print_book(folder / "html", target, language, options.pages)
        except CannotPrint as problem:
            sys.exit(f"The book cannot be printed: {problem}")
        with pikepdf.open(target) as pdf:
            sheets = len(pdf.pages)
        size = target.stat().st_size / 1e6
        print(f"{target}: {sheets} sheets, {size:.1f} MB, printed in {time.monotonic() - start:.0f} s", flush=True)
    put_into_site(folder)


if __name__ == "__main__":
    main()

"""The catalogues of the Korean edition, one ``.po`` a page, refreshed from the English text: ``make catalogues``.

A catalogue holds the messages of a page (see ``tools/blocks.py``) in their order. Refreshed, it keeps what is
translated; what stands for a paragraph that has changed is marked fuzzy, with the old paragraph beside it, and no
edition uses it.
Tables of what helpers and pages say, and the questions of the quizzes, have catalogues too; the tables in Korean are
written from these. The words that all figures show are one catalogue, ``figures.po``, where one word has one
translation. ``python -m tools.catalogues --help`` says more.
"""

import argparse
import hashlib
import json
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import denormalize, read_po, write_po

from tools import drawn_words, proofreading
from tools.blocks import translated, translated_notebook, translated_table
from tools.languages import complete
from utils.plotting import DRAWING

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale" / "ko"
HEADER = 'msgid ""\nmsgstr ""\n"Language: ko\\n"\n"MIME-Version: 1.0\\n"\n'
HEADER += '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'


class Source(NamedTuple):
    """A page or a table: its name, also of its catalogue; the English file; of tables and README the Korean one."""

    name: str
    path: Path
    korean: Path | None = None

    @property
    def catalogue(self):
        """The file of the catalogue."""
        return LOCALE / f"{self.name}.po"

    @property
    def is_page(self):
        """Whether this is a page of the book."""
        return self.path.is_file() and self.path.is_relative_to(ROOT / "book")

    def messages(self):
        """Return the messages with what each is, in order, none twice."""
        found = {}

        def say(message, kind):
            found.setdefault(message, kind)
            return message

        self.translated(say)
        return list(found.items())

    def translated(self, say, **options):
        """Return the text with each message replaced."""
        text = self.path.read_text(encoding="utf-8")
        if self.path.suffix == ".md":
            return translated(text, say, page=True)
        content = json.loads(text)
        new = (
            translated_notebook(content, say, **options)
            if self.path.suffix == ".ipynb"
            else translated_table(content, say)
        )
        return json.dumps(new, indent=2 if self.korean else 1, ensure_ascii=False) + "\n"


class Figures(Source):
    """The words of all figures, as the notebooks below a folder store them: ``path`` is that folder."""

    def messages(self):
        """Return the messages with the pages that show them, in order, none twice."""
        pages = {}
        for path in sorted(self.path.rglob("*.ipynb")):
            name = path.relative_to(self.path).with_suffix("").as_posix()
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                for output in cell.get("outputs", []):
                    for message in drawn_words.messages("".join(output.get("data", {}).get(DRAWING, ""))):
                        pages.setdefault(message, []).append(name)
        return [(message, f"figure of {', '.join(dict.fromkeys(names))}") for message, names in pages.items()]


def sources(root=ROOT):
    """Return the sources by their names: the pages of the book, then the tables."""
    book = root / "book"
    pages = [path for path in sorted(book.rglob("*")) if path.suffix in (".ipynb", ".md")]
    found = [Source(path.relative_to(book).with_suffix("").as_posix(), path) for path in pages]
    tables = [*sorted((root / "utils").glob("*/en.json")), root / "tools" / "en.json"]
    found += [Source(path.parent.relative_to(root).as_posix(), path, path.with_name("ko.json")) for path in tables]
    for path in sorted((root / "utils" / "quiz" / "en").glob("*.json")):
        found.append(Source(f"utils/quiz/{path.stem}", path, path.parent.with_name("ko") / path.name))
    found.append(Figures("figures", book))
    found.append(Source("README", root / "README.md", root / "README.ko.md"))
    return {source.name: source for source in found}


def read(path):
    """Return a catalogue's file as a ``babel.messages.catalog.Catalog``, or an empty one where there is none."""
    if not path.exists():
        return Catalog(locale="ko")
    with path.open("rb") as file:
        catalogue = read_po(file, locale="ko")
    for message in (*catalogue, *catalogue.obsolete.values()):
        # What a stale message said before, which Babel writes, but takes for comments when it reads.
        before = " ".join(line[1:].strip() for line in message.user_comments if line.startswith("|"))
        if before:
            message.user_comments = []
            message.previous_id = [denormalize(before.removeprefix("msgid "))] if message.fuzzy else []
    return catalogue


def translations(catalogue):
    """Return what a catalogue says for each message: what is neither missing nor stale."""
    return {message.id: message.string for message in catalogue if message.id and message.string and not message.fuzzy}


def label(message):
    """Return the short name that stands for a message in a list of translations."""
    return hashlib.sha256(message.encode()).hexdigest()[:6]


def listed(source):
    """Return what is still to be translated of a source, a line for each message: ``[label] text``."""
    found = state(source, proofreading.terms())
    lines = [f"[{label(message)}] {message}" for message in (*found.missing, *found.stale)]
    return "\n".join(lines)


def taken(lines):
    """Return translations by the labels of their messages, from lines such as ``listed`` returns."""
    return dict(re.findall(r"^\[([0-9a-f]{6})\] (.+)$", lines, re.MULTILINE))


def refreshed(source, new=None):
    """Return the text of a source's catalogue as it should stand: today's messages, with all that is translated.

    Parameters
    ----------
    source : Source
    new : dict of str to str, optional
        More translations, by the labels of their messages.
    """
    template = Catalog(locale="ko")
    for message, kind in source.messages():
        template.add(message, auto_comments=[kind])
    catalogue = read(source.catalogue)
    previous = {message.id: message.previous_id for message in catalogue}
    catalogue.update(template)
    for message in catalogue:
        message.previous_id = previous.get(message.id) or message.previous_id
        if message.id and label(message.id) in (new or {}):
            message.string, message.previous_id = new[label(message.id)], []
            message.flags.discard("fuzzy")
        message.flags -= {"python-format", "python-brace-format"}  # which a per cent sign in prose is taken for
    file = BytesIO()
    write_po(file, catalogue, width=0, omit_header=True, include_previous=True)
    return HEADER + file.getvalue().decode()


class State(NamedTuple):
    """How far a translation has come: how many messages, which are missing, which are stale, what is wrong."""

    messages: int
    missing: list
    stale: list
    problems: list


def state(source, terms):
    """Return the State of a source, compared with today's English text."""
    catalogue = read(source.catalogue)
    said = translations(catalogue)
    wanted = source.messages()
    fuzzy = {message.id for message in catalogue if message.id and message.fuzzy}
    problems = [
        f"{message[:60]!r}: {problem}"
        for message, kind in wanted
        if message in said
        for problem in proofreading.problems(message, said[message], terms, kind=kind, page=source.name)
    ]
    open_ = [message for message, _ in wanted if message not in said]
    return State(
        len(wanted),
        [message for message in open_ if message not in fuzzy],
        [message for message in open_ if message in fuzzy],
        problems,
    )


def korean_table(source):
    """Return the text of the table, or of the README, in Korean as its catalogue says it; of a room what is there."""
    said = translations(read(source.catalogue))
    if source.path.suffix == ".md":
        return source.translated(lambda message, _: said.get(message, message)) if said else None
    table = json.loads(source.translated(lambda message, _: said.get(message, message)))
    if isinstance(table, dict):
        english = json.loads(source.path.read_text(encoding="utf-8"))
        table = {key: text for key, text in table.items() if english[key] in said}
    return json.dumps(table, indent=2, ensure_ascii=False) + "\n" if said else None


def write(path, text):
    """Write a file if that changes it, and say so; without a text, remove it."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if text == before:
        return
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(path.relative_to(ROOT))


def main():
    """Refresh the catalogues that there are, and those named; print how far each has come."""
    parser = argparse.ArgumentParser(description="Make and refresh the catalogues of the Korean edition.")
    parser.add_argument("names", nargs="*", help="catalogues to make, such as 02-sgd or utils/quiz/02-sgd")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if something named is not done"
    )
    parser.add_argument(
        "--list", action="store_true", help="print what is to be translated of those named, and no more"
    )
    parser.add_argument("--take", type=Path, help="a file of such a list in Korean: put it into the one that is named")
    options = parser.parse_args()
    known = sources()
    if unknown := set(options.names) - set(known):
        sys.exit(f"no page or table is called {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    if options.list:
        print("\n".join(listed(known[name]) for name in options.names))
        return
    new = taken(options.take.read_text(encoding="utf-8")) if options.take else {}
    if unknown := set(new) - {label(message) for name in options.names for message, _ in known[name].messages()}:
        sys.exit(f"no message of {', '.join(options.names)} has one of the labels {', '.join(sorted(unknown))}")
    if not options.check:
        for source in known.values():
            if source.name in options.names or source.catalogue.exists():
                write(source.catalogue, refreshed(source, new if source.name in options.names else None))
                if source.korean:
                    write(source.korean, korean_table(source))
    terms, done, bad = proofreading.terms(), complete(), False
    print(f"{'':36} messages  missing  stale  to mend")
    for source in known.values():
        found = state(source, terms)
        print(
            f"{source.name:36} {found.messages:8} {len(found.missing):8} {len(found.stale):6} {len(found.problems):8}"
            f"{'  complete' * (source.name in done)}"
        )
        details = [f"  to mend: {problem}" for problem in found.problems]
        if source.name in done or (options.check and source.name in options.names):
            details += [f"  missing: {message}" for message in found.missing]
            details += [f"  stale: {message}" for message in found.stale]
            bad |= bool(details)
        print("".join(f"{line}\n" for line in details), end="")
    sys.exit(options.check and bad)


if __name__ == "__main__":
    main()

"""The sources of the Korean edition, written from the English ones and the catalogues: ``python -m tools.korean``.

Notebooks keep their code and their outputs; nothing is run. Where an output is a quiz, a playground, a curve to draw,
or what a check says of an exercise that nobody has tried, it is made anew in Korean, from the words that are stored
beside it. The drawing of a figure gets Korean words; its picture, which Colab shows, stays as the code drew it. The
folder that is written, ``_build/ko-source``, is built as the English book is, and its notebooks open on Colab.
"""

import argparse
import ast
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import yaml

from tools.blocks import CODE, LINK
from tools.catalogues import LOCALE, read, sources, translations
from tools.drawn_words import translated_drawing
from tools.languages import FOLDER, translated_pages
from tools.playgrounds import figure_of
from tools.repository import badge, current_url, setup_cell, split_url
from utils import drawing
from utils.language import LANGUAGE, table
from utils.plotting import DRAWING
from utils.quiz import quiz

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "_build" / "ko-source"
#: The branch that the workflow ``site`` publishes the notebooks on. Colab opens what lies on GitHub, and nothing else.
BRANCH = "ko"


def words():
    """Return what the site says in Korean."""
    return table(ROOT / "tools", "ko")


def set_up(url):
    """Return the source of the set-up cell, which also tells the helpers which language to speak."""
    korean = setup_cell(url).replace(
        f"# {table(ROOT / 'tools', 'en')['set_up_comment']}", f"# {words()['set_up_comment']}"
    )
    begin, rest = korean.split("\n\n", 1)
    return f'import os\n{begin}\n\nos.environ["OPTIMIZERS_LANGUAGE"] = "ko"\n{rest}'


def korean_badge(url, path):
    """Return the Markdown of the badge that opens the Korean notebook."""
    return badge(url, path).replace("/blob/main/", f"/blob/{BRANCH}/").replace("Open in Colab", words()["colab"])


def site_of(url):
    """Return the address of the English site."""
    owner, name = split_url(url)
    return f"https://{owner.lower()}.github.io/{name}/"


def lead_to_english(markdown, page, pages, url):
    """Return a Markdown text whose links to pages that are not in Korean lead to the English site."""

    def target(match):
        path, hash_, anchor = (match[1] or "").partition("#")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), posixpath.splitext(path)[0]))
        if not path.endswith((".md", ".ipynb")) or "://" in path or name in pages:
            return match[0]
        return f"]({site_of(url)}{name}.html{hash_}{anchor})"

    parts, last = [], 0
    for code in CODE.finditer(markdown):  # in which nothing is a link
        parts += [LINK.sub(target, markdown[last : code.start()]), code[0]]
        last = code.end()
    return "".join([*parts, LINK.sub(target, markdown[last:])])


@cache
def verdicts():
    """Return pairs of what a check says in English, as a pattern, and in Korean, the most exact first."""
    english = json.loads((ROOT / "utils" / "exercises" / "en.json").read_text(encoding="utf-8"))
    korean = table(ROOT / "utils" / "exercises", "ko")
    pairs = []
    for key in sorted(english, key=lambda key: -len(english[key])):
        parts = re.split(r"\{(\w+)[^{}]*\}", english[key])
        seen, pattern = set(), ""
        for index, part in enumerate(parts):
            if index % 2 == 0:
                pattern += re.escape(part)
            else:
                pattern += f"(?P={part})" if part in seen else f"(?P<{part}>.+)"
                seen.add(part)
        pairs.append((re.compile(pattern), korean[key]))
    return pairs


def verdict(text):
    """Return what a check has said, in Korean, or the text itself where it is no verdict."""
    for pattern, korean in verdicts():
        if match := pattern.fullmatch(text.strip()):
            said = re.sub(r"\{(\w+)[^{}]*\}", lambda field: match[field[1]], korean)
            return text.replace(text.strip(), said)
    return text


@cache
def words_of_figures():
    """Return what the figures say in Korean, by what they say in English."""
    return translations(read(LOCALE / "figures.po"))


def rendered(cell):
    """Make those outputs of a cell anew that speak to the reader."""
    source = "".join(cell["source"])
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        plain = "".join(data.get("text/plain", ""))
        if DRAWING in data:
            svg = translated_drawing("".join(data[DRAWING]), lambda words: words_of_figures().get(words, words))
            data[DRAWING] = svg.splitlines(keepends=True)
        if "text/html" in data:
            quiz_name = re.fullmatch(r"quiz\((.*)\)", plain.strip())
            figure = quiz(ast.literal_eval(quiz_name[1])) if quiz_name else figure_of(plain)
            if figure is not None:
                data["text/html"] = figure._repr_html_().splitlines(keepends=True)
            elif 'class="draw-it"' in "".join(data["text/html"]):
                data["text/html"] = drawing.renewed("".join(data["text/html"])).splitlines(keepends=True)
        elif output.get("name") == "stdout" and source.startswith("check."):
            output["text"] = verdict("".join(output["text"])).splitlines(keepends=True)


def page(source, pages, url):
    """Return the text of a page in Korean; what is not translated stays English."""
    said = translations(read(source.catalogue))
    options = {"check": words()["checked"]} if source.path.suffix == ".ipynb" else {}
    text = source.translated(lambda message, _: said.get(message, message), **options)
    if source.path.suffix == ".md":
        return lead_to_english(text, source.name, pages, url)
    notebook = json.loads(text)
    path = f"book/{source.name}.ipynb"
    for cell in notebook["cells"]:
        code = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            code = lead_to_english(code.replace(badge(url, path), korean_badge(url, path)), source.name, pages, url)
        elif code == setup_cell(url):
            code = set_up(url)
        cell["source"] = code.splitlines(keepends=True)
        rendered(cell)
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if "caption" in figure:
            figure["caption"] = lead_to_english(figure["caption"], source.name, pages, url)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def title_of(source):
    """Return the title of a page in English."""
    text = source.path.read_text(encoding="utf-8")
    if source.path.suffix == ".ipynb":
        text = "".join(json.loads(text)["cells"][0]["source"])
    return re.search(r"^# (.+)", text, re.MULTILINE)[1]


def contents(pages, known, url):
    """Return the table of contents in Korean, in which what is not translated leads to the English page."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["caption"] = words().get(part["caption"], part["caption"])
        for index, chapter in enumerate(part["chapters"]):
            if (name := chapter["file"]) not in pages:
                title = words()["not_translated"].format(title=title_of(known[name]))
                part["chapters"][index] = {"url": f"{site_of(url)}{name}.html", "title": title}
    return toc


def configuration(doctrees):
    """Return the settings of the Korean edition: those of the English one, where nothing else is said here."""
    config, said = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")), words()
    config["title"] = said["title"]
    sphinx = config["sphinx"]
    sphinx["local_extensions"] = {name: str(ROOT / path) for name, path in sphinx["local_extensions"].items()}
    sphinx["config"] |= {
        "language": "ko",
        "english_doctrees": str(doctrees),
        "nb_code_prompt_show": said["show_code"],
        "nb_code_prompt_hide": said["hide_code"],
    }
    sphinx["config"]["html_theme_options"] |= {"logo": {"text": said["title"]}, "search_bar_text": said["theme_search"]}
    return config


def write(path, content):
    """Write a file if that changes it: what stays as it is need not be built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def make(target, doctrees, pages):
    """Write the sources of these pages into a folder, in the place of what was there."""
    known, url = sources(), current_url()
    book = target / "book"
    for path in [*book.rglob("*.ipynb"), *book.rglob("*.md")]:
        if path.relative_to(book).with_suffix("").as_posix() not in pages:
            path.unlink()
    for name in pages:
        write(book / known[name].path.relative_to(ROOT / "book"), page(known[name], pages, url))
    for path in sorted((ROOT / "book" / "assets").rglob("*")):
        copy = book / path.relative_to(ROOT / "book")
        if path.is_file() and not (copy.exists() and copy.stat().st_mtime >= path.stat().st_mtime):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    options = {"allow_unicode": True, "sort_keys": False}
    write(target / "_config.yml", yaml.safe_dump(configuration(doctrees), **options))
    write(target / "_toc.yml", yaml.safe_dump(contents(pages, known, url), **options))


def publish(target, remote):
    """Push the notebooks of a folder of sources to the branch that Colab opens, which holds nothing else."""
    notebooks = sorted((target / "book").rglob("*.ipynb"))
    if not notebooks:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in notebooks:
            copy = Path(folder, path.relative_to(target))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        author = ["-c", "user.name=The course", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
        commit = [*author, "commit", "--quiet", "--message", "Korean notebooks, written from the catalogues"]
        for command in (
            ["init", "--quiet"],
            ["add", "--all"],
            commit,
            ["push", "--quiet", "--force", remote, f"HEAD:refs/heads/{BRANCH}"],
        ):
            subprocess.run(["git", *command], cwd=folder, check=True)


def main():
    """Write the sources of the pages that are complete."""
    parser = argparse.ArgumentParser(description="Write the sources of the Korean edition.")
    parser.add_argument("--target", type=Path, default=TARGET, help="the folder to write (default: _build/ko-source)")
    parser.add_argument("--doctrees", type=Path, default="", help="of the English edition, for the anchors")
    parser.add_argument("--all", action="store_true", help="all pages, also those that are partly English")
    parser.add_argument("--publish", metavar="REMOTE", help="push the notebooks to the branch ko of a repository")
    options = parser.parse_args()
    if LANGUAGE != "ko":  # in which the helpers have to speak from the start
        command = [sys.executable, "-m", "tools.korean", *sys.argv[1:]]
        sys.exit(subprocess.run(command, env=os.environ | {"OPTIMIZERS_LANGUAGE": "ko"}, cwd=ROOT).returncode)
    pages = [name for name, source in sources().items() if source.is_page]
    if not options.all:
        pages = [name for name in pages if name in translated_pages()]
    make(options.target, options.doctrees and options.doctrees.resolve(), pages)
    if options.publish:
        publish(options.target, options.publish)
    print(f"{len(pages)} pages of the Korean edition, {FOLDER} below the English one, are in {options.target}")


if __name__ == "__main__":
    main()

"""Build the book as EPUB in both languages, warnings being errors: ``python -m tools.epub``, or ``make epub``.

Sphinx' own builder reads the pages that the site is made of, with the extension ``epub_pages`` in the place of the
site's. The files are ``_build/optimizers.epub`` and ``_build/optimizers-ko.epub``; if the site has been built, it gets
them, and its home pages link them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from tools.build import ROOT, build, refusal, write_korean
from tools.downloads import name_of, put_into_site
from tools.korean import site_of
from tools.languages import FOLDER
from tools.repository import current_url
from utils.language import table

#: What the site has and a file has not: scripts, its theme's settings, formulas that need a style sheet.
LEFT_OUT = ("html_css_files", "html_js_files", "html_theme_options", "html_use_index")


def settings(config, language, source):
    """Return the settings of the EPUB, made of those of the site.

    Parameters
    ----------
    config : dict
        Those of the edition.
    language : {"en", "ko"}
    source : str
        Of the home page, which says in its head what the book is about.
    """
    said, home = table(ROOT / "tools", language), site_of(current_url())
    sphinx = {
        key: value
        for key, value in config["sphinx"]["config"].items()
        if key not in LEFT_OUT and not key.startswith("katex")
    }
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    description = yaml.safe_load(source.split("---")[1])["myst"]["html_meta"]["description"]
    sphinx |= {
        "extensions": ["myst_nb", "jupyter_book", "sphinx_external_toc", "epub_pages"],
        "html_baseurl": home if language == "en" else home + FOLDER,
        "html_context": {"cover_alt": said["cover_alt"]},
        "html_math_renderer": "mathml",
        "html_static_path": [],
        "html_theme_path": [str(ROOT / "tools")],
        "html_use_index": False,
        "version": version,
        "epub_basename": name_of("epub", language).removesuffix(".epub"),
        "epub_contributor": config["author"],  # has to be said, and is taken out again
        "epub_copyright": said["rights"],
        "epub_description": description,
        "epub_exclude_files": ["_static/pygments.css"],
        "epub_identifier": home + name_of("epub", language),
        "epub_scheme": "URL",
        "epub_show_urls": "no",
        "epub_theme": "epub_theme",
        "epub_title": said["title"],
        "epub_tocdepth": 2,
        "epub_tocdup": False,
        "epub_tocscope": "includehidden",
        "epub_uid": "book",
    }
    kept = {key: value for key, value in config.items() if key not in ("logo", "html", "launch_buttons")}
    local = {"epub_pages": str(ROOT / "tools")}
    return kept | {"sphinx": config["sphinx"] | {"local_extensions": local, "config": sphinx}}


def date():
    """Return when the book last changed, in seconds since 1970, or None where there is no history."""
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def make(language, source, output, environment):
    """Build one edition, from its source with the settings of the site beside it, and return the file."""
    folder = output / "_build" / "epub" / language
    config = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
    home = (source / "book" / "index.md").read_text(encoding="utf-8")
    folder.mkdir(parents=True)
    path = folder / "_config.yml"
    path.write_text(yaml.safe_dump(settings(config, language, home), allow_unicode=True), encoding="utf-8")
    build(source / "book", path, source / "_toc.yml", folder, fresh=True, environment=environment, builder="epub")
    return shutil.copy(folder / "_build" / "epub" / name_of("epub", language), output / "_build")


def main():
    """Build both files into ``_build``, or into ``_build`` below the folder that the command line names."""
    parser = argparse.ArgumentParser(description="Build the book as EPUB in English and Korean.")
    parser.add_argument("output", nargs="?", default=".", help="the folder in which _build is made")
    options = parser.parse_args()
    if reason := refusal():
        sys.exit(reason)
    output = (ROOT / options.output).resolve()
    environment = os.environ | ({"SOURCE_DATE_EPOCH": when} if (when := date()) else {})
    folder = output / "_build" / "epub"
    shutil.rmtree(folder, ignore_errors=True)
    paths = [make("en", ROOT, output, environment)]
    write_korean(folder / "ko-source", folder / "en" / "_build" / ".doctrees")
    paths.append(make("ko", folder / "ko-source", output, environment | {"OPTIMIZERS_LANGUAGE": "ko"}))
    put_into_site(output / "_build")
    for path in paths:
        print(f"{path}: {Path(path).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

"""Point the whole course at another repository: ``make repository URL=https://github.com/you/course``.

The address stands once, in _config.yml. Badges, links and set-up cells are copies of it; this script rewrites them all,
and tests/test_book.py holds them to it. With the address that the course has already, it renews the set-up cells, which
is what to do when ``setup_cell`` has changed.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_CONFIG_LINE = re.compile(r"^(  url: )(https://github\.com/\S+)$", re.MULTILINE)
_VALID_URL = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+)")


def split_url(url):
    """Return (owner, name) of a repository's address, for example of https://github.com/you/course.

    Raises
    ------
    ValueError
        If the address has another form.
    """
    match = _VALID_URL.fullmatch(url.removesuffix("/").removesuffix(".git"))
    if not match:
        raise ValueError(f"URL must look like https://github.com/you/course, got {url!r}")
    return match.groups()


def current_url(root=ROOT):
    """Return the address that _config.yml gives."""
    return _CONFIG_LINE.search((root / "_config.yml").read_text(encoding="utf-8"))[2]


def helpers(url):
    """Return the command that installs all that a notebook needs beside Jupyter."""
    return f'pip install "git+{url}" tensorflow'


def setup_cell(url):
    """Return the source of the set-up cell that opens every chapter."""
    return f"""import sys

helpers = '{helpers(url)}'  # once, anywhere but on Colab
if "google.colab" in sys.modules:
    %pip install -q "git+{url}"
try:
    import utils.optimizers
except ImportError as error:
    raise ImportError(f"{{error}}. For the helpers: {{helpers}}") from None"""


def renew_setup_cell(notebook, url):
    """Return the text of a notebook with its set-up cell, if it has one, as ``setup_cell`` writes it."""
    content = json.loads(notebook)
    for cell in content.get("cells", []):
        if cell["cell_type"] == "code":
            if "google.colab" in "".join(cell["source"]):
                cell["source"] = setup_cell(url).splitlines(keepends=True)
                return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            break
    return notebook


def badge(url, path):
    """Return the Markdown of the "Open in Colab" badge of a notebook, ``path`` relative to the repository's root."""
    owner, name = split_url(url)
    colab = "https://colab.research.google.com"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/github/{owner}/{name}/blob/main/{path})"


def rewrite(url, root=ROOT):
    """Replace the current address by ``url`` in every tracked text file below ``root``; return the changed paths.

    Set-up cells are written anew.
    """
    url = url.removesuffix("/").removesuffix(".git")
    old_owner, old_name = split_url(current_url(root))
    owner, name = split_url(url)
    replacements = {
        f"{old_owner}.github.io/{old_name}": f"{owner}.github.io/{name}",
        f"{old_owner}/{old_name}": f"{owner}/{name}",
    }
    changed = []
    for relative in _listed(root):
        path = root / relative
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        new = text
        for before, after in replacements.items():
            new = new.replace(before, after)
        if path.suffix == ".ipynb":
            new = renew_setup_cell(new, url)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(relative)
    return changed


def copy(target, root=ROOT):
    """Commit the work tree as it stands, uncommitted and new files included, to a new repository in ``target``."""
    for relative in _listed(root, "--cached", "--others", "--exclude-standard"):
        if (root / relative).is_file():  # git also lists what was deleted and not yet committed
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / relative, target / relative)
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    commit = [*author, "commit", "--quiet", "--message", "The work tree as it stands"]
    for command in (["init", "--quiet"], ["add", "--all"], commit):
        subprocess.run(["git", *command], cwd=target, check=True)


def _listed(root, *kinds):
    listing = subprocess.run(["git", "ls-files", "-z", *kinds], cwd=root, check=True, capture_output=True, text=True)
    return [name for name in listing.stdout.split("\0") if name]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Point badges, links and set-up cells at a repository.")
    parser.add_argument("url", help="for example https://github.com/you/course")
    try:
        for changed_path in rewrite(parser.parse_args().url):
            print(changed_path)
    except ValueError as error:
        sys.exit(str(error))

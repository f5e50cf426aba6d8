"""The pictures of the EPUB: drawings, stills and stored pictures, on a light ground and with a key of their own."""

import base64
import html
import json
import re

import numpy as np
from bs4 import BeautifulSoup
from PIL import Image

from utils.plotting import INK

#: The ground of every picture, and the ink upon it, darker than the one that has to be read on black as well.
GROUND, DARK = "#ffffff", "#454545"


def stacked(svg):
    """Return a drawing whose panels stand below each other, where they stood in one row."""
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    ends = [float(end) for end in re.search(r'data-panels="([^"]*)"', svg)[1].split()]
    lefts, rights = ends[::2], ends[1::2]
    for panel, left in enumerate(lefts):
        move = f'transform="translate({lefts[0] - left:.1f} {panel * height:.1f})"'
        svg = svg.replace(f'data-panel="{panel}"', move)
    if lefts:
        widest = max(right - left for left, right in zip(lefts, rights, strict=True)) + 2 * lefts[0]
        width, height = widest, len(lefts) * height
    svg = re.sub(r"<path(?![^>]*\sd=)[^>]*/>", "", svg)  # a line of no points
    svg = re.sub(r' data-panels="[^"]*"| (?:width|height)="[\d.]+pt"', "", svg, count=3)
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'
    return re.sub(r'viewBox="[^"]*"', size, svg, count=1)


def key_below(entries, width, height, size):
    """Return a key to colours below a picture, as SVG, and how high it is.

    Parameters
    ----------
    entries : list of (str, str)
        Name, and mark as SVG around the origin, 2 wide.
    width, height, size : float
        Of the picture, and of the letters, in the picture's own units.
    """
    shown, x, y = "", 0, height + size
    for name, mark in entries:
        long = size * (2.6 + 0.62 * len(name))
        if x and x + long > width:
            x, y = 0, y + 1.6 * size
        middle = f"{x + size:.1f} {y - 0.35 * size:.1f}"
        shown += f'<g transform="translate({middle})scale({0.4 * size:.2f})">{mark}</g>'
        shown += f'<text x="{x + 1.8 * size:.1f}" y="{y:.1f}">{html.escape(name)}</text>'
        x += long
    return f'<g stroke="none" fill="{DARK}" font-size="{size:g}">{shown}</g>', y + 0.7 * size - height


def card(svg, entries=()):
    """Return a drawing as a file that needs nothing around it: on a ground, in an ink of its own, with a key."""
    tag, inner = re.match(r"\s*(<svg[^>]*>)(.*)</svg>\s*$", svg, re.DOTALL).groups()
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) ([^"\s]+)"', tag).groups())
    shown = float((re.search(r' width="([\d.]+)"', tag) or (0, width))[1])
    kept = " ".join(re.findall(r'(?:xmlns:xlink|fill|stroke(?:-[a-z]+)?)="[^"]*"', tag))
    key, more = key_below(entries, width, height, width / 36) if entries else ("", 0)
    margin = 8 * width / shown
    box = [-margin, -margin, width + 2 * margin, height + more + 2 * margin]
    scale = shown / width
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(f"{part:g}" for part in box)}" '
        f'width="{box[2] * scale:.0f}" height="{box[3] * scale:.0f}" font-family="sans-serif" {kept}>'
    )
    ground = (
        f'<rect x="{box[0]:g}" y="{box[1]:g}" width="{box[2]:g}" height="{box[3]:g}" fill="{GROUND}" stroke="none"/>'
    )
    below = f'height="{more + margin:g}"'
    if key:  # what the picture draws beyond its edge ends there
        key = ground.replace(f'y="{box[1]:g}"', f'y="{height:g}"').replace(f'height="{box[3]:g}"', below) + key
    picture = f"{opening}{ground}{inner}{key}</svg>\n"
    return picture.replace(INK, DARK).replace("currentColor", DARK)


def on_ground(picture):
    """Return a transparent picture on the ground, its ink darkened."""
    pixels = np.array(picture.convert("RGBA"))
    grey = int(INK[1:3], 16), int(DARK[1:3], 16)
    pixels[np.all(pixels[..., :3] == grey[0], axis=-1), :3] = grey[1]
    seen = Image.fromarray(pixels)
    ground = Image.new("RGBA", seen.size, GROUND)
    ground.alpha_composite(seen)
    return ground.convert("RGB")


def still_of_playground(stored):
    """Return the picture of a stored playground, with its key, and what one sees on it."""
    figure = BeautifulSoup(stored, "html.parser").select_one("div.optimizer-playground")
    config = json.loads(figure["data-config"])
    entries = []
    for name in config["preset"]["optimizers"]:
        look = config["optimizers"][name]
        entries.append((name, f'<path d="{look["shape"]}" fill="{look["color"]}"/>'))
    if beside := config["preset"].get("beside"):
        look = config["optimizers"][beside["optimizer"]]
        hollow = f'fill="none" stroke="{look["color"]}" stroke-width=".4"'
        entries.append((f"{beside['optimizer']} B", f'<path d="{look["shape"]}" {hollow}/>'))
    svg = drawn(figure.img["src"])
    return card(svg, entries), figure.img["alt"]


def drawn(address):
    """Return the SVG that the address of a picture holds."""
    return base64.b64decode(address.partition("base64,")[2]).decode()


def words_inked(svg):
    """Return the picture of a question with what its style sheet says of words."""
    svg = svg.replace("viewbox=", "viewBox=")  # a parser of HTML knows no capitals
    return svg.replace("<text", f'<text fill="{DARK}" font-size="13"')

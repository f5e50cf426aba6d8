"""The words of the figures: which a drawing shows, which of them are for translators, and how others take their place.

A drawing (``utils.plotting.drawing``) keeps its words as text. Words alone are an element placed by its start, its
middle or its end, so that longer ones need no measuring. In a label with a formula every letter has a place of its own:
its message has the formula between dollar signs, and what follows a longer or shorter word moves.
"""

import html
import re
import unicodedata
from collections import defaultdict
from itertools import pairwise

from utils.plotting import LOOKS

#: What is called the same in every language, beside identifiers (``hidden_1``, ``float32``) and numbers (``1e-06``).
NAMES = {*LOOKS, "AMSGrad", "ScheduleFree", "Schedule-Free", "optax"}
LABEL = re.compile(r"(<text\b[^>]*>)(.*?)(</text>)((?:\s*<rect [^>]*>)*)", re.DOTALL)
LETTER = re.compile(r'<tspan x="([^"]+)" y="[^"]+" style="([^"]*)">([^<]*)</tspan>')
SIZE = re.compile(r"font-size: ([\d.]+)px")


def is_for_translators(words):
    """Whether something that a figure says is neither a number, nor a formula, nor a name alone."""
    return any(
        len(word) > 1 and word not in NAMES and not re.search(r"[\d_]", word)
        for word in re.findall(r"\w+(?:[.-]\w+)*", re.sub(r"\$[^$]*\$", " ", words))
    )


def translated_drawing(svg, say):
    """Return a drawing with each of its messages replaced.

    Parameters
    ----------
    svg : str
        As ``utils.plotting.drawing`` returns it.
    say : callable
        Takes a message, and returns what to put in its place.

    Returns
    -------
    str
    """

    def replaced(label):
        opening, inner, closing, roots = label.groups()
        parts = _parts(inner) if "<tspan" in inner else []
        words = "".join(part.message for part in parts) or html.unescape(inner)
        said = say(words) if is_for_translators(words) else words
        if said == words:
            return label[0]
        if not parts:
            return f"{opening}{html.escape(said, quote=False)}{closing}{roots}"
        inner, roots = _set_anew(parts, said, roots)
        return f"{opening}{inner}{closing}{roots}"

    return LABEL.sub(replaced, svg)


def messages(svg):
    """Return what a drawing says that is for translators, in order."""
    found = []
    translated_drawing(svg, lambda words: found.append(words) or words)
    return found


class _Part:
    """Words, or a formula, of a label: its letters, where it begins and ends, and how a message writes it."""

    def __init__(self, letters, is_formula):
        self.letters, self.is_formula = letters, is_formula
        text = html.unescape("".join(letter[3] for letter in letters)).replace("\xa0", " ")
        self.message = f"${text}$" if is_formula else text
        self.begin = float(letters[0][1])
        self.end = float(letters[-1][1]) + width(letters[-1][3], float(SIZE.search(letters[-1][2])[1]))


def _parts(inner):
    """Return the parts of a label with a formula. A word is of upright letters, two of them at least."""
    letters = sorted(LETTER.finditer(inner), key=lambda letter: float(letter[1]))
    largest = max(float(SIZE.search(letter[2])[1]) for letter in letters)
    tokens = [[]]
    for letter in letters:
        if letter[3] == "\xa0":
            tokens += [[letter], []]
        else:
            tokens[-1].append(letter)
    marked = []  # of each letter, whether it belongs to a formula
    for token in tokens:
        upright = [f"font-size: {largest:g}px" in letter[2] and "oblique" not in letter[2] for letter in token]
        text = html.unescape("".join(letter[3] for letter in token))
        is_word = all(upright) and bool(re.fullmatch(r"\W*[^\W\d_]{2,}\W*|\W*", text))
        end = len(token)
        while not is_word and end and (text[end - 1] in ":," or (text[end - 1] == ")" and "(" not in text)):
            end -= 1  # what punctuates the words around it
        marked += [(letter, not is_word and index < end) for index, letter in enumerate(token)]
    parts = []
    for letter, is_formula in marked:
        if not parts or parts[-1][1] != is_formula:
            parts.append(([], is_formula))
        parts[-1][0].append(letter)
    parts = [_Part(*part) for part in parts]
    for part, following in pairwise(parts):
        part.end = following.begin
    return parts


def _set_anew(parts, said, roots):
    """Return the letters of a label with other words between its formulas, and the lines of roots moved with these."""
    style = next(part for part in parts if not part.is_formula).letters[0][2]
    size = float(SIZE.search(style)[1])
    level = re.search(r' y="[^"]+"', next(part for part in parts if not part.is_formula).letters[0][0])[0]
    formulas = defaultdict(list)
    for part in parts:
        if part.is_formula:
            formulas[part.message].append(part)
    new, x = [], parts[0].begin
    for piece in re.split(r"(\$[^$]*\$)", said):
        if piece in formulas:
            part = formulas[piece].pop(0)
            for letter in part.letters:
                place = f'x="{float(letter[1]) + x - part.begin:.2f}"'
                new.append(letter[0].replace(f'x="{letter[1]}"', place, 1))
            for root in re.findall(r'<rect x="([^"]+)"', roots):
                if part.begin <= float(root) < part.end:
                    moved = f'<rect x="{float(root) + x - part.begin:.2f}"'
                    roots = roots.replace(f'<rect x="{root}"', moved, 1)
            x += part.end - part.begin
        elif piece:
            words = piece.strip()
            if words:
                x += width(piece[: len(piece) - len(piece.lstrip())], size)
                words = html.escape(words, quote=False)
                new.append(f'<tspan x="{x:.2f}"{level} style="{style}">{words}</tspan>')
            x += width(piece.lstrip(), size)
    return "\n" + "\n".join(new) + "\n", roots


def width(words, size):
    """Return about how wide words are: Hangul nearly fills its square, other letters are narrower, points more so."""
    return size * sum(
        0.93 if unicodedata.east_asian_width(letter) in "WF" else 0.58 if letter.isalnum() else 0.33 for letter in words
    )

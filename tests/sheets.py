"""Sheets of paper looked at as pictures, for what tests of printed pages and of the printed book share."""

import shutil
import subprocess

import numpy as np
from PIL import Image

from tests.programs import do_without

DPI = 50
WHITE, INK = 250, 170  # grey from 0 to 255: paper is above, words and lines of figures are below
LONGEST_EMPTY_FRAME = 1.5  # inches; bands and lines of height in a figure may be as pale as a frame
LONGEST_BLANK_END = 0.5  # of a sheet: a figure, a table or a question with its picture may want a new one


def need_poppler():
    """Skip a test for want of the programs that look into a PDF, or fail where there should be some."""
    for program in ("pdftoppm", "pdftotext", "pdffonts"):
        if shutil.which(program) is None:
            do_without(f"no {program} found: Debian and Ubuntu have it in poppler-utils")


def pictures_of(pdf, folder):
    """Return each sheet of a PDF as an array of greys."""
    subprocess.run(["pdftoppm", "-r", str(DPI), "-gray", pdf, folder / "sheet"], check=True)
    sheets = []
    for path in sorted(folder.glob("sheet*")):
        with Image.open(path) as picture:
            sheets.append(np.asarray(picture))
    return sheets


def longest_run(flags):
    """How many neighbours are true, at most."""
    ends = np.flatnonzero(np.diff(np.concatenate(([0], flags, [0]))))
    return max(ends[1::2] - ends[::2], default=0)


def empty_frame(sheet):
    """How high the highest part of a sheet is, in inches, that has a ground or a frame and nothing on it."""
    return longest_run((sheet < WHITE).any(axis=1) & ~(sheet < INK).any(axis=1)) / DPI


def blank_end(sheet, top, bottom):
    """Which share of a sheet between its margins, in inches, is left blank below the last thing on it."""
    height = sheet.shape[0] - (top + bottom) * DPI
    return (sheet.shape[0] - bottom * DPI - np.flatnonzero((sheet < WHITE).any(axis=1))[-1]) / height

"""You draw it: before a figure that matters, the reader draws the curve that she expects, in the page or a notebook."""

from utils.drawing.drawing import KINDS, Drawing, draw_it, renewed

__all__ = ["KINDS", "Drawing", "draw_it", "renewed"]

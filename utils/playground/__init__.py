"""The playground: a figure to drag and play, in the published page and in a notebook, without a kernel."""

from utils.playground.figure import LEARNING_RATES, SHAPES, Playground, playground, uniforms

__all__ = ["LEARNING_RATES", "SHAPES", "Playground", "playground", "uniforms"]

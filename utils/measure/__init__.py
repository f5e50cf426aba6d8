"""Measuring a network of one's own: how its layers fare in a step of training, and the surface that it descends on.

Point these at any Keras model. They look, and leave its weights, its optimizer and its random numbers as they were.
"""

from utils.measure.landscape import NetworkSurface, eigenvalues, network_surface, on_a_line, plane, plane_of
from utils.measure.layers import examine, plot_layers, sentence

__all__ = [
    "NetworkSurface",
    "eigenvalues",
    "examine",
    "network_surface",
    "on_a_line",
    "plane",
    "plane_of",
    "plot_layers",
    "sentence",
]

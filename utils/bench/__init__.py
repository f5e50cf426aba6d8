"""The training bench: a panel in which the reader trains one network after another and compares their curves.

Its widgets need a kernel. What is stored in a notebook, and shown where there is no kernel, is its figure as a picture.
"""

from utils.bench.bench import TrainingBench, training_bench

__all__ = ["TrainingBench", "training_bench"]

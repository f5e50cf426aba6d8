"""The training bench: a panel in which the reader trains one network after another and compares their curves.

With a kernel its widgets train by Keras on all the images. What a notebook stores, and shows where there is no kernel,
is the bench's figure as a picture; the published page turns that into a bench which trains in the reader's browser.
"""

from utils.bench.engine import PageRun, page_images, train_in_page

__all__ = ["PageRun", "TrainingBench", "page_images", "train_in_page", "training_bench"]


def __getattr__(name):
    """Import what needs Keras when it is asked for: the published page is built without."""
    if name in ("TrainingBench", "training_bench"):
        from utils.bench import bench

        return getattr(bench, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

# What `make notebooks` keeps of a run: outputs, and nothing that depends on the machine or the time of day.
from nbconvert.preprocessors import CoalesceStreamsPreprocessor, Preprocessor


class WidgetRemover(Preprocessor):
    """Take out the links to widgets, which are dead once the kernel is gone; the picture beside them stays."""

    def preprocess_cell(self, cell, resources, index):
        """Return the cell without them."""
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        return cell, resources


c.ExecutePreprocessor.timeout = 600
c.ExecutePreprocessor.record_timing = False
c.ExecutePreprocessor.store_widget_state = False
c.ExecutePreprocessor.extra_arguments = ["--IPKernelApp.capture_fd_output=False"]  # no log lines of C++ libraries
c.ClearMetadataPreprocessor.enabled = True
c.ClearMetadataPreprocessor.preserve_nb_metadata_mask = {"kernelspec", ("language_info", "name")}
c.ClearMetadataPreprocessor.preserve_cell_metadata_mask = {"tags", "mystnb", "cellView", "jupyter"}
# What a cell prints arrives in pieces that differ from run to run: join them once it has run.
c.NotebookExporter.preprocessors = [CoalesceStreamsPreprocessor, WidgetRemover]
c.CoalesceStreamsPreprocessor.enabled = True

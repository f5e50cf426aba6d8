# What `make notebooks` keeps of a run: outputs, and nothing that depends on the machine or the time of day.
c.ExecutePreprocessor.timeout = 600
c.ExecutePreprocessor.record_timing = False
c.ExecutePreprocessor.extra_arguments = ["--IPKernelApp.capture_fd_output=False"]  # no log lines of C++ libraries
c.ClearMetadataPreprocessor.enabled = True
c.ClearMetadataPreprocessor.preserve_nb_metadata_mask = {"kernelspec", ("language_info", "name")}
c.ClearMetadataPreprocessor.preserve_cell_metadata_mask = {"tags", "mystnb"}
# What a cell prints arrives in pieces that differ from run to run: join them once it has run.
c.NotebookExporter.preprocessors = ["nbconvert.preprocessors.CoalesceStreamsPreprocessor"]
c.CoalesceStreamsPreprocessor.enabled = True

"""From a model, or IR of any level, to a program: pipelines, progress, the files that are left."""

"""Compiles a model, or IR of any level, to a program: pipelines, progress, and the files that are written."""

"""Configuration for running the golden tests with `lit` itself; under pytest, test_lit.py runs the same files."""

import os
import sys

import lit.formats

config = globals()["config"]
config.name = "smalti"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs", "Output"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.test_source_root, "Output")
config.environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

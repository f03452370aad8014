"""Configuration for running the golden tests with `lit`; under pytest, test_lit.py runs the same files.

lit tests/lit                       every golden test, many in each of lit's processes
lit -v tests/lit/passes/cse.mlir    one test, with what failed
lit tests/lit --param external=1    by lit's own shell: each command is a process, as for a user at a terminal
"""

import os
import sys

import lit.formats

config, lit_config = globals()["config"], globals()["lit_config"]
HERE = os.path.dirname(os.path.abspath(__file__))

config.name = "smalti"
config.suffixes = [".mlir"]
config.excludes = ["Inputs", "Output"]
config.test_source_root = HERE
config.test_exec_root = os.path.join(HERE, "Output")

if lit_config.params.get("external", "0") in ("1", "true"):
    config.test_format = lit.formats.ShTest(execute_external=False)
    config.environment["PATH"] = os.pathsep.join(
        [os.path.dirname(sys.executable), os.environ["PATH"]]
    )
else:
    # Imported here, before lit starts its workers: they inherit what has been loaded.
    from smalti.tools.lit_runner.in_process_format import InProcessTest

    config.test_format = InProcessTest()

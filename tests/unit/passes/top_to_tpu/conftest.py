"""Converts a small network, and runs it before and after."""

import numpy as np
import pytest
from smalti.backends.interpreter.top import run_top
from smalti.backends.interpreter.tpu import run_tpu
from smalti.passes.top.calibration_table import table_of, write_table

from .small_networks import IMAGE, WEIGHTS


@pytest.fixture
def convert(piped, network, tmp_path):
    """Return a function from a body to the tpu module, with the errors of its output against the top interpreter's.

    Ranges are those that the interpreter sees on the same input, except those of `without`.
    """

    def run(body, result, type, quantize="int8", without=(), fuse="", inputs=IMAGE):
        text = network(inputs, WEIGHTS + body, result, type)
        shape = [int(size) for size in inputs["image"].split("x")[:-1]]
        x = np.random.default_rng(7).uniform(-1, 1, shape).astype(np.float32)
        module = piped(text)
        ranges = {}

        def observe(name, value):
            if name not in without:
                ranges[name] = [float(value.min()), float(value.max())]

        expected = run_top(module.module, module.ctx.weights, {"image": x}, observe=observe)["out"]
        table = tmp_path / "x.calibration"
        write_table(table_of(ranges), table)
        annotate = (
            f"top-annotate-calibration{{table={table}}}," if ranges and quantize == "int8" else ""
        )
        after = piped(
            text, f"{annotate}convert-top-to-tpu{{target=edge-1c quantize={quantize}}}{fuse}"
        )
        found = run_tpu(after.module, after.ctx.weights, {"image": x})["out"]
        return after, found, expected

    return run

"""Tensors of which cores keep parts are seen as a whole, with the values that they have at level tpu."""

import numpy as np
import pytest
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.debugging.inputs import InputSource
from smalti.compiler.debugging.recording import record
from smalti.dialects import tile

from tests.shared_files import ROOT


@pytest.mark.parametrize("target", ["edge-1c", "default-8c"])
def test_kept_tensors_are_those_of_the_network(target: str):
    model = ROOT / "compiler" / "demo" / "digits_mobilenet.onnx"
    compilation = start_from_model(model, CompileOptions(target, None, "int8", "random:0"))
    compilation.lower_to("isa")
    tiles = compilation.levels["tile"]
    kept = {
        op.tensor.data
        for op in tile.program_of(tiles).buffers
        if isinstance(op, tile.AllocOp) and op.tensor is not None
    }
    assert len(kept) > 20
    inputs = InputSource(seed=3).arrays(tiles)
    expected = record(compilation.levels["tpu"], compilation.ctx, inputs)
    seen = record(tiles, compilation.ctx, inputs)
    assert kept <= set(seen)
    for name in kept & set(expected):
        np.testing.assert_array_equal(seen[name].reshape(expected[name].shape), expected[name])

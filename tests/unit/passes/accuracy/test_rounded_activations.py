"""Activations are rounded as the conversion to level tpu rounds them, in each type of integers."""

import numpy as np
from smalti.backends.interpreter.samples import main_function
from smalti.dialects import top
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.accuracy.rounded_activations import RoundedActivations
from smalti.passes.top_to_tpu.precision.schemes import SCHEMES

WIDE = "tensor<1x4x!quant.calibrated<f32<-8.0:8.0>>>"
NARROW = "tensor<1x4x!tpu.calibrated<f32<0.0:8.0>, threshold = 8.0, i4 = 0.0:3.0>>"
NETWORK = f"""
func.func @main(%x: {WIDE}) -> tensor<1x2xf32> attributes {{smalti.inputs = ["x"], smalti.outputs = ["y"]}} {{
  %r = top.relu "r" %x : ({WIDE}) -> {NARROW}
  %w = top.weight "w" seed = 1 : tensor<4x2xf32>
  %y = top.matmul "y" %r, %w : ({NARROW}, tensor<4x2xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}}
"""
VALUES = np.array([[-1.0, 0.3, 2.95, 7.0]], np.float32)


def test_four_bits_have_the_range_that_calibration_gives_them():
    """A product in 4 bits saturates at 3, with steps of 3 / 15, though the tensor goes to 8."""
    block = main_function(parse_module(NETWORK, make_context())).body.block
    (relu,) = (op for op in block.ops if isinstance(op, top.ReluOp))
    activations = RoundedActivations(block, {}, SCHEMES["w4a4"])
    found = activations.narrowed(relu.output, np.maximum(VALUES, 0), SCHEMES["w4a4"])
    np.testing.assert_allclose(found, [[0, 0.4, 3.0, 3.0]], atol=0.01)
    wide = activations.rounded(relu.output, np.maximum(VALUES, 0))
    np.testing.assert_allclose(wide, np.maximum(VALUES, 0), atol=0.02)

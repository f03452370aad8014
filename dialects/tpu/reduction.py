"""The reductions of `tpu`."""

from __future__ import annotations

from dataclasses import InitVar

import numpy as np
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition

from ...backends.numerics import reduction
from ..ir.field import argument
from ..network.reduction import ReduceBase
from ..network.tensor_op import Arrays
from ..quant.element_type import is_quantized
from . import quantization_rules as rules
from .tpu_op import ClampedOp


@irdl_op_definition
class ReduceOp(ReduceBase, ClampedOp):
    """The reduction `kind` (see top.reduce) over `axes`; with keepdims they stay as axes of size 1.

    Of quantized types, mean and sum round once, to the result's quantization; max and min keep the input's
    quantization; the other kinds take floats only.

    %mean = tpu.reduce "mean" %gather kind = "mean" axes = [2, 3] :
        (tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.reduce"
    element: InitVar[Attribute | None] = argument(default=None)

    def verify_elements(self) -> None:
        self.verify_kind()
        rules.reduction(self.kind.data, self.input, self.output)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,), kind = operands, self.kind.data
        if is_quantized(self.output.type):
            reduced = reduction.reduce_int(kind, x, self.negative_axes, **self.mean_parameters())
        else:
            reduced = self.rounded_and_clamped(reduction.reduce_f32(kind, x, self.negative_axes))
        return reduced.reshape(len(x), *self.output.type.get_shape())

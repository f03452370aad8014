"""Interpolation along one axis in `tpu`."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics.windows import resampling
from ..ir.attribute import Integer, integer
from ..ir.field import operand, prop
from ..network import shape as shapes
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import KeepsLayout
from ..quant.element_type import shape_of
from . import quantization_rules as rules
from .tpu_op import TpuOp


@irdl_op_definition
class ResampleOp(TpuOp):
    """Interpolation along one axis: out[i] = Σ_t weight[i,t] · x[index[i,t]].

    index i32 [out,taps], weight f32 [out,taps]; without `weight` there is one tap and the op is a
    gather, for any type.

    %gather = tpu.resample "gather" %avg, %index axis = 2 :
        (tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>, tensor<4x1xi32>) ->
        tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>
    """

    name = "tpu.resample"
    traits = traits_def(KeepsLayout())
    axis: Integer = prop(converter=integer)
    input: SSAValue = operand()
    index: SSAValue = operand()
    weight: SSAValue | None = operand(default=None)

    def expected_shape(self) -> Shape:
        return shapes.resample_shape(
            shape_of(self.input),
            shape_of(self.index),
            None if self.weight is None else shape_of(self.weight),
            self.axis.value.data,
        )

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.stored_as("index", self.index, "i32")
        if self.weight is not None:
            rules.stored_as("weight", self.weight, "f32")
            rules.floats([("input", self.input)])

    def evaluate(self, operands: Arrays) -> np.ndarray:
        x, index = operands[0], operands[1][0]
        weight = np.ones(index.shape, np.float32) if self.weight is None else operands[2][0]
        return resampling.resample(x, self.axis.value.data - (x.ndim - 1), index, weight)

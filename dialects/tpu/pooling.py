"""The pools of `tpu`."""

from __future__ import annotations

from dataclasses import InitVar

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics.sample_axis import channel_first, channel_last
from ...backends.numerics.windows import pooling
from ..ir.attribute import flag
from ..ir.field import argument, prop
from ..network.pooling import PoolBase
from ..network.tensor_op import Arrays
from ..network.traits import ChannelLast, KeepsOrder
from ..quant.element_type import is_quantized
from . import quantization_rules as rules
from .tpu_op import ClampedOp


class PoolOp(PoolBase, ClampedOp):
    """Base of 2-D pooling, as in top; max_pool keeps the element type, avg_pool requantizes."""

    traits = traits_def(ChannelLast())


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """Largest element of each window; padding never wins; input and result have one element
    type.

    %max = tpu.max_pool "max" %mul kernel = [2, 2] strides = [2, 2] :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>) ->
        tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.max_pool"
    traits = traits_def(ChannelLast(), KeepsOrder(where=lambda op: op.clamp == (None, None)))

    def evaluate(self, operands: Arrays) -> np.ndarray:
        pooled = pooling.max_pool2d(channel_last(operands[0]), **self.window)
        return channel_first(self.clamped(pooled))


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """Mean of each window; with count_include_pad, padding counts as zeros.

    %avg = tpu.avg_pool "avg" %max kernel = [1, 1] :
        (tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>) ->
        tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>
    """

    name = "tpu.avg_pool"
    element: InitVar[Attribute | None] = argument(default=None)
    count_include_pad: UnitAttr | None = prop(converter=flag, default=False)

    def verify_elements(self) -> None:
        rules.mean(self.input, self.output)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        image, include = channel_last(operands[0]), self.count_include_pad is not None
        if is_quantized(self.output.type):
            pooled = pooling.average_pool2d_int(
                image, **self.window, count_include_pad=include, **self.mean_parameters()
            )
        else:
            mean = pooling.average_pool2d_f32(image, **self.window, count_include_pad=include)
            pooled = self.rounded_and_clamped(mean)
        return channel_first(pooled)

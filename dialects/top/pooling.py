"""The pools of `top`."""

from __future__ import annotations

from math import prod

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics.sample_axis import channel_first, channel_last
from ...backends.numerics.windows import pooling
from ..ir.attribute import flag
from ..ir.field import prop
from ..network.pooling import PoolBase
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, RoundsResult
from .top_op import TopOp


class PoolOp(PoolBase, TopOp):
    """Base of 2-D pooling; input [N,C,H,W]; pads [top,left,bottom,right]."""

    traits = traits_def(CanStayFloat(only_before_poles=lambda op: True))

    def unchanged_operand(self) -> SSAValue | None:
        one_pixel = prod(self.kernel.get_values()) == 1 and prod(self.strides.get_values()) == 1
        return self.input if one_pixel and not any(self.pads.get_values()) else None


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """Largest element of each window; padding never wins.

    %y = top.max_pool "pool1" %x kernel = [2, 2] strides = [2, 2] :
        (tensor<1x8x8x8xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.max_pool"

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return channel_first(pooling.max_pool2d(channel_last(operands[0]), **self.window))


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """Mean of each window; with count_include_pad, padding counts as zeros.

    %avg = top.avg_pool "avg" %max count_include_pad kernel = [2, 2] pads = [1, 1, 0, 0] :
        (tensor<1x8x2x2xf32>) -> tensor<1x8x2x2xf32>
    """

    name = "top.avg_pool"
    traits = traits_def(RoundsResult())
    count_include_pad: UnitAttr | None = prop(converter=flag, default=False)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        image, include = channel_last(operands[0]), self.count_include_pad is not None
        mean = pooling.average_pool2d_f32(image, **self.window, count_include_pad=include)
        return channel_first(self.rounded(mean))

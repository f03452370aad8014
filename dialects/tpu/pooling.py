"""The pools of `tpu`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from xdsl.dialects.builtin import LocationAttr, UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def

from ...backends.numerics import pooling
from ...backends.numerics.sample_axis import channel_first, channel_last
from ..ir.attribute import flag
from ..network.pooling import PoolBase
from ..network.tensor_op import Arrays
from ..quant.element_type import is_quantized
from . import quantization_rules as rules
from .tpu_op import ClampedOp, clamp_properties


class PoolOp(PoolBase, ClampedOp):
    """Base of 2-D pooling, as in top; max_pool keeps the type, avg_pool requantizes."""


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """Largest element of each window; padding never wins; input and result have one element
    type.

    %max = tpu.max_pool "max" %mul kernel = [2, 2] strides = [2, 2] :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>) ->
        tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.max_pool"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kernel: Sequence[int],
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        ceil_mode: bool = False,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """Max pooling; the result has the input's element type."""
        properties = {
            **cls.pool_properties(kernel, strides, pads, dilations, ceil_mode),
            **clamp_properties(clamp_low, clamp_high),
        }
        return cls.build_named(name, [input], properties, location)

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
    count_include_pad = opt_prop_def(UnitAttr)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kernel: Sequence[int],
        element: Attribute | None = None,
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        ceil_mode: bool = False,
        count_include_pad: bool = False,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """Average pooling; `element` is the result's (the input's if None)."""
        properties = {
            **cls.pool_properties(kernel, strides, pads, dilations, ceil_mode),
            **clamp_properties(clamp_low, clamp_high),
        }
        properties["count_include_pad"] = flag(count_include_pad)
        return cls.build_named(name, [input], properties, location, element=element)

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

"""The reductions of `tpu`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from xdsl.dialects.builtin import LocationAttr, StringAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics import reduction
from ..ir.attribute import flag, ints
from ..network.reduction import ReduceBase
from ..network.tensor_op import Arrays
from ..quant.element_type import is_quantized
from . import quantization_rules as rules
from .tpu_op import ClampedOp, clamp_properties


@irdl_op_definition
class ReduceOp(ReduceBase, ClampedOp):
    """The reduction `kind` (see top.reduce) over `axes`; with keepdims they stay as axes of size 1.

    Quantized: mean and sum round once, to the result's quantization; max and min keep the input's;
    the other kinds are for floats.

    %mean = tpu.reduce "mean" %gather kind = "mean" axes = [2, 3] :
        (tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.reduce"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kind: str,
        axes: Sequence[int],
        keepdims: bool = True,
        element: Attribute | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A reduction; `element` is the result's (the input's if None)."""
        properties: dict[str, Attribute | None] = {
            "kind": StringAttr(kind),
            "axes": ints(axes),
            "keepdims": flag(keepdims),
            **clamp_properties(clamp_low, clamp_high),
        }
        return cls.build_named(name, [input], properties, location, element=element)

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

"""Converts convolutions of `top` to `tpu`, as products with weights."""

from __future__ import annotations

from typing import Any

from xdsl.ir import SSAValue

from ...dialects import top, tpu
from .precision.given_quantization import constant_of
from .product import convert_in_floats, convert_weighted, is_computed, sums_integers
from .tpu_builder import Conversions, TpuBuilder


def convert_conv2d(builder: TpuBuilder, op: top.Conv2dOp) -> None:
    """Convert a convolution: to integers if weights and bias are constants, unless its readers want floats; else to
    floats.
    """

    def make(
        left: SSAValue, right: SSAValue, bias: SSAValue | None, **options: Any
    ) -> tpu.Conv2dOp:
        return tpu.Conv2dOp(
            op.result_name.data,
            left,
            right,
            bias,
            **op.sliding,
            groups=op.groups.value.data,
            **options,
        )

    weight = constant_of(op.weight)
    floats = op.output in builder.float_results or is_computed(op.bias)
    if weight is not None and not floats and sums_integers(builder, op, op.input, op.weight):
        convert_weighted(builder, op, op.input, weight, op.bias, make)
    else:
        convert_in_floats(builder, op, (op.input, op.weight, op.bias), make)


CONVERSIONS: Conversions = {top.Conv2dOp: convert_conv2d}
"""The conversion of convolutions."""

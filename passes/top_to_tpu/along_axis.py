"""Converts the ops that the device cannot compute to calls of the host."""

from __future__ import annotations

from ...dialects import top, tpu
from .tpu_builder import Conversions, TpuBuilder


def convert_along_axis(builder: TpuBuilder, op: top.AlongAxisOp) -> None:
    """Convert a function along an axis to a call of the host, in floats."""
    made = tpu.HostCallOp(
        op.result_name.data,
        builder.as_float(op.input),
        kind=op.kind.data,
        axis=op.axis.value.data,
        length=op.length.value.data,
        keepdims=op.keepdims is not None,
        largest=op.largest is not None,
        last=op.last is not None,
        exclusive=op.exclusive is not None,
        reverse=op.reverse is not None,
    )
    builder.set_float(op.output, builder.add(made).output)


CONVERSIONS: Conversions = {top.AlongAxisOp: convert_along_axis}
"""The conversion of functions along an axis."""

"""Converts the ops that the device cannot compute to calls of the host."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...dialects import top, tpu
from ...dialects.quant.element_type import shape_of
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


def converted_by_host(builder: TpuBuilder, name: str, form: SSAValue, storage: str) -> SSAValue:
    """Convert the elements of `form` to another storage type, integers or floats, and return the result.

    A scalar gets an axis of length 1 for the conversion and loses it again.
    """
    shape = shape_of(form)
    if not shape:
        one = tpu.ReshapeOp(builder.fresh(f"{name}_given"), form, shape=(1,))
        form = builder.add(one).output
    length = shape_of(form)[-1]
    made = tpu.HostCallOp(
        name if shape else builder.fresh(f"{name}_converted"),
        form,
        kind=f"to_{storage}",
        axis=len(shape_of(form)) - 1,
        length=length,
        keepdims=True,
    )
    result = builder.add(made).output
    if not shape:
        result = builder.add(tpu.ReshapeOp(name, result, shape=())).output
    return result


CONVERSIONS: Conversions = {top.AlongAxisOp: convert_along_axis}
"""The conversion of functions along an axis."""

"""Converts calls of named functions, which no engine computes, to calls of the host."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...dialects import top, tpu
from ...dialects.ir.attribute import plain_values
from ...dialects.quant.element_type import element_of, expressed, is_float
from .tpu_builder import Conversions, TpuBuilder


def convert_call(builder: TpuBuilder, op: top.CallOp) -> None:
    """Convert a call to one of the host, which takes floats in the network's number format, and integers and bools as
    they are. A value that another call gave in its own float type is taken in it.
    """
    made = tpu.HostCallOp(
        op.result_name.data,
        _forms(builder, op),
        function=op.function.data,
        attributes=plain_values(op.given),
        result=op.result.value.data,
    )
    result = builder.add(made).output
    if element_of(result) == builder.float:
        builder.set_float(op.output, result)
    elif element_of(result) == expressed(element_of(op.output)):
        builder.set_given(op.output, result)
    else:
        raise AssertionError(f"a call gives {result.type}, not the network's floats")


def _forms(builder: TpuBuilder, op: top.CallOp) -> list[SSAValue]:
    """Return the operands: all floats as they were given if one is known in no other form."""
    exact = any(is_float(value.type) and builder.is_given(value) for value in op.inputs)
    form_of = builder.as_given if exact else builder.as_float
    return [form_of(value) for value in op.inputs]


CONVERSIONS: Conversions = {top.CallOp: convert_call}
"""The conversion of calls."""

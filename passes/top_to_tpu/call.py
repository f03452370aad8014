"""Converts calls of named functions: gathers of rows to transfers, products of integers to products in f32 where
these are exact, what no engine computes to calls of the host.
"""

from __future__ import annotations

from math import prod

from xdsl.ir import SSAValue

from ...backends.numerics.functions.function import FunctionError, TensorKind
from ...backends.numerics.storage import STORAGE_TYPES
from ...dialects import top, tpu
from ...dialects.ir.attribute import plain_values
from ...dialects.quant.element_type import (
    element_of,
    element_storage,
    expressed,
    is_float,
    is_network_float,
    shape_of,
)
from .dynamic_quantization import convert_dynamic_quantization
from .integer_product import convert_cast_of_sums, convert_integer_product, reads_centered
from .tpu_builder import Conversions, TpuBuilder


def convert_call(builder: TpuBuilder, op: top.CallOp) -> None:
    """Convert a call to one of the host, which takes floats in the network's number format, and integers and bools as
    they are. A value that another call gave in its own float type is taken in it. A gather of rows is a transfer.
    """
    if _gathers_rows(op):
        _convert_gather(builder, op)
        return
    if convert_integer_product(builder, op) or convert_cast_of_sums(builder, op):
        return
    read = not all(reads_centered(builder, use.operation) for use in op.output.uses)
    if convert_dynamic_quantization(builder, op, read=read):
        return
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


def _gathers_rows(op: top.CallOp) -> bool:
    """Tell whether a call takes slices of a tensor that are rows of its elements in memory."""
    if op.function.data != "gather":
        return False
    call = op.call()
    table, _ = call.operands
    axis = call.attribute("axis")
    assert isinstance(axis, int)
    is_whole_bytes = STORAGE_TYPES[table.storage].bits % 8 == 0
    return (
        is_whole_bytes
        and 0 not in table.shape
        and prod(table.shape[: axis % len(table.shape)]) == 1
    )


def _convert_gather(builder: TpuBuilder, op: top.CallOp) -> None:
    """Convert a gather of rows, which keeps the form of its table; a constant table is quantized by the range of its
    elements, unless the rows are read as floats.
    """
    table, indices = op.inputs
    if op.output in builder.float_results or not is_network_float(table.type):
        form = builder.as_float(table)
    elif isinstance(table.owner, top.WeightOp) and builder.is_quantized(table):
        form = builder.as_quantized(table)
    else:
        form = builder.as_kept(table, op.output)
    axis = op.call().attribute("axis")
    assert isinstance(axis, int)
    made = tpu.GatherOp(
        op.result_name.data, form, builder.as_given(indices), axis=axis % len(shape_of(table))
    )
    result = builder.add(made).output
    if is_network_float(table.type) and builder.is_given(table):
        builder.set_given(op.output, result)
    else:
        builder.set_form(op.output, result)


def _forms(builder: TpuBuilder, op: top.CallOp) -> list[SSAValue]:
    """Return the operands: all floats as they were given if one is known in no other form, or if the function does not
    take the network's floats.
    """
    exact = any(is_float(value.type) and builder.is_given(value) for value in op.inputs)
    form_of = builder.as_given if exact or not _takes_floats(builder, op) else builder.as_float
    return [form_of(value) for value in op.inputs]


def _takes_floats(builder: TpuBuilder, op: top.CallOp) -> bool:
    """Tell whether the function of a call takes the network's floats in place of those that it is given."""
    call, storage = op.call(), element_storage(builder.float)
    kinds = [
        TensorKind(kind.shape, storage if is_network_float(value.type) else kind.storage)
        for kind, value in zip(call.operands, op.inputs, strict=True)
    ]
    try:
        call.known.infer(kinds, call.known.complete(dict(call.attributes)))
    except FunctionError:
        return False
    return True


CONVERSIONS: Conversions = {top.CallOp: convert_call}
"""The conversion of calls."""

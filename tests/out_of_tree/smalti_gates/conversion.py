"""From top to tpu: which form of its operands each op takes, and in which it gives its result."""

from __future__ import annotations

from smalti.passes.top_to_tpu.tpu_builder import TpuBuilder, quantized_element

from .dialect import LeakyClampOp, RowScaleOp, TpuLeakyClampOp, TpuRowScaleOp


def convert_leaky_clamp(builder: TpuBuilder, op: LeakyClampOp) -> None:
    """Convert to integers, where bounds and result have the scale of the input; to floats if readers want them."""
    name, shift = op.result_name.data, op.shift.value.data
    if not builder.quantizes or op.output in builder.float_results:
        operands = [builder.as_float(value) for value in op.operands]
        made = TpuLeakyClampOp(name, *operands, shift=shift)
        builder.set_float(op.output, builder.add(made).output)
        return
    x = builder.as_quantized(op.input)
    element = quantized_element(x)
    low, high = (builder.in_element(op, bound, element) for bound in (op.low, op.high))
    made = TpuLeakyClampOp(name, x, low, high, shift=shift)
    builder.set_quantized(op.output, builder.add(made).output)


def convert_row_scale(builder: TpuBuilder, op: RowScaleOp) -> None:
    """Convert to floats, between casts in int8; the cast of the result has the scale that the op's trait gives."""
    made = TpuRowScaleOp(op.result_name.data, builder.as_float(op.input))
    builder.set_float(op.output, builder.add(made).output)

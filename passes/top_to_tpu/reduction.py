"""Converts reductions of `top` to `tpu`."""

from __future__ import annotations

from ...backends.numerics.reduction import INTEGER_KINDS, SELECTING_KINDS
from ...dialects import top, tpu
from .pooling import mean_forms
from .tpu_builder import Conversions, TpuBuilder


def convert_reduce(builder: TpuBuilder, op: top.ReduceOp) -> None:
    """Convert a reduction: means and sums round once, to their result's quantization; max and min keep their input's;
    the others compute in f32.
    """
    kind, element = op.kind.data, None
    if kind in SELECTING_KINDS:
        form = builder.as_kept(op.input, op.output)
    elif kind in INTEGER_KINDS:
        form, element = mean_forms(builder, op)
    else:
        form = builder.as_float(op.input)
    made = tpu.ReduceOp(
        op.result_name.data,
        form,
        kind=kind,
        axes=op.axes.get_values(),
        keepdims=op.keepdims is not None,
        element=element,
    )
    builder.set_form(op.output, builder.add(made).output)


CONVERSIONS: Conversions = {top.ReduceOp: convert_reduce}
"""The conversion of the reductions."""

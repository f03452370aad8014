"""Converts pools of `top` to `tpu`."""

from __future__ import annotations

from typing import Any

from xdsl.ir import SSAValue

from ...backends.numerics.quantization import quantize_multiplier
from ...dialects import top, tpu
from ...dialects.network.window import sliding
from ...dialects.quant import UniformQuantizedType
from .tpu_builder import Conversions, TpuBuilder, not_quantizable, quantized_element


def convert_max_pool(builder: TpuBuilder, op: top.MaxPoolOp) -> None:
    """Convert max_pool, which keeps its input's quantization."""
    form = builder.as_kept(op.input, op.output)
    made = tpu.MaxPoolOp(op.result_name.data, form, **_pool_options(op))
    builder.set_form(op.output, builder.add(made).output)


def convert_avg_pool(builder: TpuBuilder, op: top.AvgPoolOp) -> None:
    """Convert avg_pool, which rounds once, to its result's quantization."""
    form, element = mean_forms(builder, op)
    made = tpu.AvgPoolOp(
        op.result_name.data,
        form,
        element=element,
        count_include_pad=op.count_include_pad is not None,
        **_pool_options(op),
    )
    builder.set_form(op.output, builder.add(made).output)


def mean_forms(
    builder: TpuBuilder, op: top.AvgPoolOp | top.ReduceOp
) -> tuple[SSAValue, UniformQuantizedType | None]:
    """Return the form of the operand, and the result's element type (None: the operand's, a float)."""
    integers = builder.rounds_integers(op.output, op.input)
    if not integers or op.output in builder.float_results:
        return builder.as_float(op.input), None
    form, element = builder.as_quantized(op.input), builder.element(op.output)
    try:
        quantize_multiplier(quantized_element(form).scale / element.scale)
    except ValueError as error:
        raise not_quantizable(op, error) from None
    return form, element


def _pool_options(op: top.PoolOp) -> dict[str, Any]:
    return {
        "kernel": op.kernel.get_values(),
        **sliding(op.strides, op.dilations, op.pads),
        "ceil_mode": op.ceil_mode is not None,
    }


CONVERSIONS: Conversions = {
    top.MaxPoolOp: convert_max_pool,
    top.AvgPoolOp: convert_avg_pool,
}
"""The conversion of each pooling op."""

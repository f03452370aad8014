"""How each op of `top` is said in `tpu`: one function per op, on the forms of its operands that the
builder gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics import resampling
from ...backends.numerics.quantization import quantize_multiplier
from ...backends.numerics.reduction import INTEGER_KINDS, SELECTING_KINDS
from ...dialects import top, tpu
from ...dialects.ir.location import place_of
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import shape_of
from ...dialects.top.evaluation import beside_input, resize_taps
from .along_axis import convert_along_axis
from .movement import MOVEMENT_CONVERSIONS
from .normalization import convert_local_response_norm, convert_normalize, convert_softmax
from .pointwise import POINTWISE_CONVERSIONS
from .product import convert_product
from .tpu_builder import TpuBuilder, not_quantizable, quantized_element

_CHOOSE_ELEMENT = (
    top.Conv2dOp, top.MatmulOp, top.AddOp, top.SubOp, top.MulOp, top.DivOp, top.MinOp, top.MaxOp,
    top.PowerOp, top.ModuloOp, top.PreluOp, top.SelectOp, top.UnaryOp, top.AvgPoolOp,
    top.ReluOp, top.ClipOp, top.ConcatOp,
)  # fmt: skip


def chooses_element(op: object) -> bool:
    """Whether an op's quantized result is rounded to whatever scale is asked for; the others keep
    their input's.
    """
    if isinstance(op, top.ReduceOp):
        return op.kind.data in INTEGER_KINDS and op.kind.data not in SELECTING_KINDS
    return isinstance(op, _CHOOSE_ELEMENT)


def convert_max_pool(builder: TpuBuilder, op: top.MaxPoolOp) -> None:
    """max_pool keeps its input's quantization."""
    made = tpu.MaxPoolOp.make(op.result_name.data, builder.as_kept(op.input), **_pool_options(op))
    builder.set_form(op.output, builder.add(made).output)


def convert_avg_pool(builder: TpuBuilder, op: top.AvgPoolOp) -> None:
    """avg_pool rounds once, to its result's quantization."""
    form, element = _mean_forms(builder, op)
    made = tpu.AvgPoolOp.make(
        op.result_name.data,
        form,
        element=element,
        count_include_pad=op.count_include_pad is not None,
        **_pool_options(op),
    )
    builder.set_form(op.output, builder.add(made).output)


def convert_reduce(builder: TpuBuilder, op: top.ReduceOp) -> None:
    """Means and sums round once, to their result's quantization; max and min keep their input's;
    the other reductions compute in f32.
    """
    kind, element = op.kind.data, None
    if kind in SELECTING_KINDS:
        form = builder.as_kept(op.input, op.output)
    elif kind in INTEGER_KINDS:
        form, element = _mean_forms(builder, op)
    else:
        form = builder.as_float(op.input)
    made = tpu.ReduceOp.make(
        op.result_name.data,
        form,
        kind=kind,
        axes=op.axes.get_values(),
        keepdims=op.keepdims is not None,
        element=element,
    )
    builder.set_form(op.output, builder.add(made).output)


def _mean_forms(
    builder: TpuBuilder, op: top.AvgPoolOp | top.ReduceOp
) -> tuple[SSAValue, UniformQuantizedType | None]:
    """The operand's form and the result's element (None: the operand's, a float)."""
    if not builder.is_quantized(op.input):
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
        "strides": op.strides.get_values(),
        "pads": op.pads.get_values(),
        "dilations": op.dilations.get_values(),
        "ceil_mode": op.ceil_mode is not None,
    }


def convert_resize(builder: TpuBuilder, op: top.ResizeOp) -> None:
    """resize: one resample per axis that changes; on integers where elements are only copied, else
    in f32."""
    name, rank = op.result_name.data, len(shape_of(op.output))
    taps = resize_taps(op)
    axes = [
        axis for axis, each in taps.items() if not _copies_axis(shape_of(op.input)[axis], *each)
    ]
    copies = all(resampling.is_gather(*taps[axis]) for axis in axes)
    form = builder.as_kept(op.input) if copies else builder.as_float(op.input)
    # Axes that shrink first: what follows has less to do.
    axes.sort(key=lambda axis: shape_of(op.output)[axis] / shape_of(op.input)[axis])
    fills = op.extrapolation_value.value.data != 0 and any(
        resampling.extrapolated(weight).any() for _, weight in taps.values()
    )
    for axis in axes:
        last = axis == axes[-1] and not fills
        index, weight = _without_idle_taps(*taps[axis])
        index_form = builder.constant(f"{name}_index{axis}", index)
        weight_form = None if copies else builder.constant(f"{name}_weight{axis}", weight)
        step_name = name if last else builder.fresh(f"{name}_axis{axis}")
        made = tpu.ResampleOp.make(step_name, form, index_form, weight_form, axis=axis)
        form = builder.add(made).output
    if fills:
        # What lies beside the input came out as 0: add the value that it should have.
        beside = np.zeros((1,) * rank, np.bool_)
        for axis, (_, weight) in taps.items():
            beside = beside | beside_input(weight, axis, rank)
        value = np.where(beside, np.float32(op.extrapolation_value.value.data), np.float32(0))
        filled = builder.float_constant(f"{name}_fill", value)
        form = builder.add(tpu.AddOp.make(name, form, filled)).output
    builder.set_form(op.output, form)


def _copies_axis(size: int, index: np.ndarray, weight: np.ndarray) -> bool:
    """Whether each of `size` outputs is the input of its index."""
    if len(index) != size:
        return False
    own = index == np.arange(size)[:, None]
    total = np.where(own, weight, 0).sum(axis=1)
    return bool(np.all(total == 1) and np.all(weight[~own] == 0))


def _without_idle_taps(index: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The taps that some output uses; the first one where none does."""
    used = np.flatnonzero(weight.any(axis=0))
    if not used.size:
        used = np.zeros(1, np.intp)
    return np.ascontiguousarray(index[:, used]), np.ascontiguousarray(weight[:, used])


def convert_cast(builder: TpuBuilder, op: top.CastOp) -> None:
    """Nothing: floats are stored as the number format says, whatever the network casts them to."""
    builder.set_form(op.output, builder.as_kept(op.input))


def convert_weight(builder: TpuBuilder, op: top.WeightOp) -> None:
    """Nothing yet: a constant takes the form that its users ask for, when they do."""


def refuse_batch_norm(builder: TpuBuilder, op: top.BatchNormOp) -> None:
    """DiagnosticError: batch normalizations must have been folded."""
    raise DiagnosticError(
        "top.batch_norm has no counterpart in tpu",
        place_of(op),
        hint="run top-fold-batch-norm before; its scale, bias, mean and variance must be constants",
    )


CONVERSIONS: dict[type[Any], Callable[[TpuBuilder, Any], None]] = {
    top.WeightOp: convert_weight,
    top.Conv2dOp: convert_product,
    top.MatmulOp: convert_product,
    top.BatchNormOp: refuse_batch_norm,
    **POINTWISE_CONVERSIONS,
    top.MaxPoolOp: convert_max_pool,
    top.AvgPoolOp: convert_avg_pool,
    top.ReduceOp: convert_reduce,
    top.ResizeOp: convert_resize,
    top.CastOp: convert_cast,
    top.SoftmaxOp: convert_softmax,
    **MOVEMENT_CONVERSIONS,
    top.NormalizeOp: convert_normalize,
    top.AlongAxisOp: convert_along_axis,
    top.LocalResponseNormOp: convert_local_response_norm,
}
"""For each op of `top`: the function that appends its `tpu` ops and notes the result's form."""

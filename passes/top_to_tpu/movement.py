"""Converts the ops of `top` that move elements to `tpu`: they keep the form of what they move, and a concatenation
gives all of its inputs one quantization.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from ...dialects import top, tpu
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of, shape_of
from ...dialects.tpu.quantization_rules import is_exact, is_representable
from .precision.given_quantization import constant_of
from .tpu_builder import Conversions, TpuBuilder


def convert_reshape(builder: TpuBuilder, op: top.ReshapeOp) -> None:
    """Convert reshape, which keeps its input's form."""
    made = tpu.ReshapeOp(
        op.result_name.data, builder.as_kept(op.input, op.output), shape=shape_of(op.output)
    )
    builder.set_form(op.output, builder.add(made).output)


def convert_transpose(builder: TpuBuilder, op: top.TransposeOp) -> None:
    """Convert transpose, which keeps its input's form."""
    permutation = op.permutation.get_values()
    made = tpu.TransposeOp(
        op.result_name.data, builder.as_kept(op.input, op.output), permutation=permutation
    )
    builder.set_form(op.output, builder.add(made).output)


def convert_concat(builder: TpuBuilder, op: top.ConcatOp) -> None:
    """Convert concat: to floats if its readers want them, so that each input keeps its own scale, unless all have one
    scale. Otherwise, if any input is quantized, all inputs are brought into the result's quantization.
    """
    name = builder.result_name(op)
    inputs = [each for each in op.inputs if 0 not in shape_of(each)]
    if op.output in builder.float_results:
        form_of = builder.as_quantized if builder.have_one_element(inputs) else builder.as_float
        forms = [form_of(each) for each in inputs]
    elif builder.follows_model(op.output) and builder.have_one_element(inputs):
        forms = [builder.as_quantized(each) for each in inputs]
    elif builder.gives_integers(op.output) and any(map(builder.moves_quantized, inputs)):
        element = builder.element(op.output)
        forms = [_in_element(builder, op, each, element) for each in inputs]
    else:
        forms = [builder.as_float(each) for each in inputs]
    made = tpu.ConcatOp(name, forms, axis=op.axis.value.data)
    builder.set_form(op.output, builder.add(made).output)


def _in_element(
    builder: TpuBuilder, op: top.TopOp, value: SSAValue, element: UniformQuantizedType
) -> SSAValue:
    """Return `value` quantized as `element` says."""
    weight = constant_of(value)
    if weight is not None:
        return builder.quantized_constant(weight, builder.array_of(weight), element)
    if not builder.moves_quantized(value):
        name = builder.fresh(f"{builder.name_of(value)}_{element.storage_name}")
        return builder.add(tpu.CastOp(name, builder.as_float(value), element=element)).output
    return builder.requantized(op, value, element)


def convert_slice(builder: TpuBuilder, op: top.SliceOp) -> None:
    """Convert slice, which keeps its input's form. An axis that runs backwards becomes a gather; so does one with steps
    along the channels, because a copy would take single elements there.
    """
    form = builder.as_kept(op.input, op.output)
    starts, sizes, steps = (list(each.get_values()) for each in (op.starts, op.sizes, op.steps))
    gathers: list[tuple[int, np.ndarray]] = []
    for axis, (start, size, step) in enumerate(zip(starts, sizes, steps, strict=True)):
        if step < 0 or (step > 1 and axis == _channel_axis(len(sizes))):
            gathers.append((axis, start + step * np.arange(size)))
            starts[axis], sizes[axis], steps[axis] = 0, shape_of(op.input)[axis], 1
    name = op.result_name.data
    if (tuple(starts), tuple(sizes)) != ((0,) * len(sizes), shape_of(op.input)):
        own = name if not gathers else builder.fresh(f"{name}_part")
        made = tpu.SliceOp(own, form, starts=starts, sizes=sizes, steps=steps)
        form = builder.add(made).output
    for number, (axis, indices) in enumerate(gathers, 1):
        own = name if number == len(gathers) else builder.fresh(f"{name}_axis{axis}")
        form = _gather(builder, own, form, axis, indices)
    builder.set_form(op.output, form)


def _channel_axis(rank: int) -> int:
    """Return the axis of a tensor that most ops lay out along the lanes."""
    return 1 if rank >= 3 else rank - 1


def convert_pad(builder: TpuBuilder, op: top.PadOp) -> None:
    """Convert pad, which keeps its input's form; if its number is outside the input's quantization, the input is
    quantized as the result is. Where only the network itself quantizes, the number must be one of its integers exactly.
    """
    form, number = builder.as_kept(op.input, op.output), op.value.value.data
    element = element_of(form)
    holds = is_exact if builder.follows_model(op.output) else is_representable
    if isinstance(element, UniformQuantizedType) and not holds(number, element):
        wider = builder.element(op.output) if builder.gives_integers(op.output) else None
        if wider is not None and holds(number, wider):
            form = builder.requantized(op, op.input, wider)
        else:
            form = builder.as_float(op.input)
    low, high = op.low.get_values(), op.high.get_values()
    made = tpu.PadOp(op.result_name.data, form, low=low, high=high, value=number)
    builder.set_form(op.output, builder.add(made).output)


def convert_gather(builder: TpuBuilder, op: top.GatherOp) -> None:
    """Convert gather to a resampling with one tap, which keeps its input's form."""
    form = builder.as_kept(op.input, op.output)
    indices = np.asarray(op.indices.get_values())
    result = _gather(builder, op.result_name.data, form, op.axis.value.data, indices)
    builder.set_form(op.output, result)


def _gather(
    builder: TpuBuilder, name: str, form: SSAValue, axis: int, indices: Sequence[int] | np.ndarray
) -> SSAValue:
    index = builder.constant(f"{name}.index", np.asarray(indices, np.int32)[:, None])
    return builder.add(tpu.ResampleOp(name, form, index, axis=axis)).output


CONVERSIONS: Conversions = {
    top.ReshapeOp: convert_reshape,
    top.TransposeOp: convert_transpose,
    top.ConcatOp: convert_concat,
    top.SliceOp: convert_slice,
    top.PadOp: convert_pad,
    top.GatherOp: convert_gather,
}
"""The conversion of each op that moves elements."""

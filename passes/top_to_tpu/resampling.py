"""Converts resizing of `top` to `tpu`: to one resampling along each axis."""

from __future__ import annotations

import numpy as np

from ...backends.numerics.windows import resampling
from ...dialects import top, tpu
from ...dialects.quant.element_type import shape_of
from ...dialects.top.resampling import beside_input
from .tpu_builder import Conversions, TpuBuilder


def convert_resize(builder: TpuBuilder, op: top.ResizeOp) -> None:
    """Convert a resize to one resample per axis that changes: on integers if elements are only copied, else in f32."""
    name, rank = op.result_name.data, len(shape_of(op.output))
    taps = op.taps()
    axes = [
        axis for axis, each in taps.items() if not _copies_axis(shape_of(op.input)[axis], *each)
    ]
    copies = all(resampling.is_gather(*taps[axis]) for axis in axes)
    form = builder.as_kept(op.input, op.output) if copies else builder.as_float(op.input)
    # Axes that shrink come first, so that the others have fewer elements to resample.
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
        made = tpu.ResampleOp(step_name, form, index_form, weight_form, axis=axis)
        form = builder.add(made).output
    if fills:
        # Outputs outside the input came out as 0: add the value that they should have.
        beside = np.zeros((1,) * rank, np.bool_)
        for axis, (_, weight) in taps.items():
            beside = beside | beside_input(weight, axis, rank)
        value = np.where(beside, np.float32(op.extrapolation_value.value.data), np.float32(0))
        filled = builder.float_constant(f"{name}_fill", value)
        form = builder.add(tpu.AddOp(name, form, filled)).output
    builder.set_form(op.output, form)


def _copies_axis(size: int, index: np.ndarray, weight: np.ndarray) -> bool:
    """Tell whether each of `size` outputs is the input of the same index."""
    if len(index) != size:
        return False
    own = index == np.arange(size)[:, None]
    total = np.where(own, weight, 0).sum(axis=1)
    return bool(np.all(total == 1) and np.all(weight[~own] == 0))


def _without_idle_taps(index: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return only the taps that some output uses; the first tap if none is used."""
    used = np.flatnonzero(weight.any(axis=0))
    if not used.size:
        used = np.zeros(1, np.intp)
    return np.ascontiguousarray(index[:, used]), np.ascontiguousarray(weight[:, used])


CONVERSIONS: Conversions = {top.ResizeOp: convert_resize}
"""The conversion of resizing."""

"""Keeps what 8 bits have rounded away from the poles of the ops that read it, and their results in range.

8 bits make 0 of 0.001, and 1 / 0 is infinite where the network and its calibration were finite:

    %d = tpu.cast "d_f32" %d_i8 : ...                       0.001 has become 0
    %b = tpu.clamp "d_bounded" %d clamp_low = 0.001 : ...   the calibration saw nothing below
    %y = tpu.div "y" %x, %b clamp_low = -2.0 clamp_high = 2.0 : ...

Values that floats alone have made are left as they are: they meet a pole only where the network itself does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import Diagnostic
from ...dialects import top, tpu
from ...dialects.ir.attribute import real
from ...dialects.ir.location import place_of
from ...dialects.network.traits import HasPoles
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import element_of, is_quantized
from .precision.given_quantization import constant_of
from .tpu_builder import TpuBuilder

_NUDGE = float(2.0**-100)
"""What is added to numbers of 8 bits on both sides of 0, so that 0 becomes a number without changing any other."""

_MARGIN = 1 / 16
"""How near a pole floats may come, as a part of the distance that the calibration kept."""


def rounded_near_poles(builder: TpuBuilder, op: Operation) -> Mapping[SSAValue, Sequence[float]]:
    """Return the poles of `op` by operand, for the operands that 8 bits have rounded."""
    if not op.results or builder.follows_model(op.results[0]):
        return {}
    return {
        value: points
        for value, points in HasPoles.points_of(op).items()
        if constant_of(value) is None and builder.is_rounded(builder.as_float(value))
    }


def bounded_operand(builder: TpuBuilder, value: SSAValue, points: Sequence[float]) -> SSAValue:
    """Return the float form of `value`, kept away from the poles `points`: no nearer than the calibration came, if the
    poles are outside the calibrated range; without the number 0 if that is a pole inside it.

    What floats have computed from 8 bits may come nearer, by `_MARGIN`: it is right in a sample beyond the calibration.
    """
    form, element = builder.as_float(value), element_of(value)
    low = high = None
    if isinstance(element, CalibratedType):
        nearness = 1.0 if _has_8_bits(form) else _MARGIN
        below = [point for point in points if point <= element.low]
        above = [point for point in points if point >= element.high]
        low = max(below) + (element.low - max(below)) * nearness if below else None
        high = min(above) + (element.high - min(above)) * nearness if above else None
    name = builder.fresh(f"{builder.name_of(value)}_bounded")
    if low is not None or high is not None:
        if 0.0 in points:
            low = _NUDGE if low == 0.0 else low
            high = -_NUDGE if high == 0.0 else high
        made = tpu.ClampOp(name, form, clamp_low=low, clamp_high=high)
        return builder.add(made).output
    if 0.0 in points:
        nudge = builder.float_constant(f"{name}.nudge", np.array(_NUDGE, np.float32))
        return builder.add(tpu.AddOp(name, form, nudge)).output
    return form


def _has_8_bits(form: SSAValue) -> bool:
    """Tell whether a float form is that of stored 8 bits."""
    return isinstance(form.owner, tpu.CastOp) and is_quantized(form.owner.input.type)


def bound_result(builder: TpuBuilder, value: SSAValue) -> None:
    """Clamp the float form of `value`, which an op with poles has made, to its calibrated range."""
    element, form = element_of(value), builder.float_form(value)
    if not isinstance(element, CalibratedType) or form is None:
        return
    made = form.owner
    if isinstance(made, tpu.ClampedOp) and made.clamp == (None, None):
        made.properties["clamp_low"] = real(element.low)
        made.properties["clamp_high"] = real(element.high)
        return
    name = builder.fresh(f"{builder.name_of(value)}_bounded")
    clamp = tpu.ClampOp(name, form, clamp_low=element.low, clamp_high=element.high)
    builder.set_float(value, builder.add(clamp).output)


def doubt(
    builder: TpuBuilder, op: top.TopOp, rounded: Mapping[SSAValue, Sequence[float]]
) -> Diagnostic | None:
    """Return a warning if 8 bits of the operands `rounded` may reach a pole of `op`; None if the calibrated ranges
    exclude that.
    """
    name = op.result_name.data
    without = [value for value in (*rounded, op.output) if not _is_calibrated(value)]
    if without:
        names = ", ".join(f"'{builder.name_of(value)}'" for value in without)
        return Diagnostic(
            "warning",
            f"'{name}' may become infinite or NaN in int8: {names} has no calibrated range",
            place_of(op),
            hint="calibrate the model, so that 8 bits can be kept away from the pole of the op",
        )
    for value, points in rounded.items():
        element = element_of(value)
        assert isinstance(element, CalibratedType)
        inside = [point for point in points if element.low < point < element.high]
        if inside:
            return Diagnostic(
                "warning",
                f"'{name}' has a pole at {inside[0]:g}, within the range of '{builder.name_of(value)}', "
                f"{element.low:g} to {element.high:g}: in int8 its largest results are cut to "
                "the calibrated range",
                place_of(op),
                hint="compute what it reads in floats, or keep it away from the pole, as by a Clip",
            )
    return None


def _is_calibrated(value: SSAValue) -> bool:
    return isinstance(element_of(value), CalibratedType)

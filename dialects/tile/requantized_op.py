"""The base of the computations that rescale integers from the quantization of x to that of out."""

from __future__ import annotations

from typing import ClassVar

from xdsl.irdl import prop_def

from ..ir.attribute import INTEGER, INTS, REALS, integer, ints, values_of
from ..ir.text.assembly import Defaults
from .checks import check_clamp, check_multipliers, check_zero_points
from .core_op import NO_CLAMP, CoreOp, Fields
from .instruction_fields import clamp_fields


class RequantizedOp(CoreOp):
    """Base of the ops x → out with out = clamp(round(v · multiplier · 2^-shift) + zero point of out), where v is what
    the op computes of x − zero point of x.

    With `multiplier` 0 values keep their scale. `zero_points` are those of x and out; `clamp` holds two storage values.
    """

    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    DEFAULTS: ClassVar[Defaults] = {
        "multiplier": integer(0),
        "shift": integer(0),
        "zero_points": ints([0, 0]),
        "clamp": NO_CLAMP,
    }

    def verify_requantization(self, x_storage: str, out_storage: str) -> None:
        """Raise VerifyException if zero points, multiplier, shift or clamp are not ones that requantization takes."""
        check_multipliers([self.multiplier.value.data], self.shift.value.data)
        check_zero_points(self.zero_points, x_storage, out_storage)
        check_clamp(self.clamp)

    def requantization_fields(self) -> Fields:
        """Return the fields of the instruction that say how values are rescaled."""
        zero_in, zero_out = values_of(self.zero_points)
        return {
            "multiplier": self.multiplier.value.data,
            "shift": self.shift.value.data,
            "zero_point_in": zero_in,
            "zero_point_out": zero_out,
            **clamp_fields(self),
        }

"""The base of the computations that rescale integers from the quantization of x to that of out."""

from __future__ import annotations

from ..ir.attribute import Integer, Ints, Reals, integer, ints, reals, values_of
from ..ir.field import prop
from .checks import check_clamp, check_multipliers, check_zero_points
from .core_op import NO_CLAMP, CoreOp, Fields
from .instruction_fields import clamp_fields


class RequantizedOp(CoreOp):
    """Base of the ops x → out with out = clamp(round(v · multiplier · 2^-shift) + zero point of out), where v is what
    the op computes of x − zero point of x.

    With `multiplier` 0 values keep their scale. `zero_points` are those of x and out; `clamp` holds two storage values.
    """

    multiplier: Integer = prop(converter=integer, default=0)
    shift: Integer = prop(converter=integer, default=0)
    zero_points: Ints = prop(converter=ints, default=(0, 0))
    clamp: Reals = prop(converter=reals, default=NO_CLAMP)

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

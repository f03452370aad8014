"""The dialect: leaky clamps at the levels top, tpu and tile, and rows scaled to ±1 at top and tpu."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from smalti.dialects import tile, tpu
from smalti.dialects.ir.attribute import Integer, integer
from smalti.dialects.ir.field import buffer, operand, prop
from smalti.dialects.network.shape import Shape, ShapeError
from smalti.dialects.network.tensor_op import Arrays, TensorOp
from smalti.dialects.network.traits import CanStayFloat, ChannelLast, FixedQuantization, RowMajor
from smalti.dialects.quant.element_type import is_quantized, shape_of
from smalti.dialects.tile.checks import check_rows, check_storage, fail_unless, pitch_of, storage_of
from smalti.dialects.tile.instruction_fields import row_fields
from smalti.dialects.top.top_op import TopOp
from smalti.dialects.tpu import quantization_rules as rules
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def

from .numerics import leaky_clamp, row_scale

MOST_SHIFT = 7
"""Further than this nothing is left of 8 bits."""


class LeakyClampBase(TensorOp):
    """What the leaky clamps of top and tpu share: one pair of bounds for each channel (axis 1), beyond which the
    operand goes on at a slope of 2^-shift.
    """

    shift: Integer = prop(converter=integer)
    input: SSAValue = operand()
    low: SSAValue = operand()
    high: SSAValue = operand()

    def expected_shape(self) -> Shape:
        shape = shape_of(self.input)
        if len(shape) < 2:
            raise ShapeError(f"the input has {len(shape)} axes, and no channels: these are axis 1")
        for name in ("low", "high"):
            if shape_of(getattr(self, name)) != shape[1:2]:
                raise ShapeError(f"{name} must have shape [{shape[1]}], one number a channel")
        return shape

    def verify_shape(self) -> None:
        super().verify_shape()
        shift = self.shift.value.data
        fail_unless(0 <= shift <= MOST_SHIFT, f"shift must be in 0 to {MOST_SHIFT}, got {shift}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        x, *bounds = operands
        ones = (1,) * (x.ndim - 3)
        # [S, channels] beside [S, N, channels, spatial...].
        low, high = (each.reshape(len(each), 1, -1, *ones) for each in bounds)
        return leaky_clamp(x, low, high, self.shift.value.data)


@irdl_op_definition
class LeakyClampOp(LeakyClampBase, TopOp):
    """input between low and high of its channel; beyond a bound, the bound and 2^-shift of the rest.

    %y = gates.leaky_clamp "y" %x, %low, %high shift = 3 :
        (tensor<1x4x2x2xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
    """

    name = "gates.leaky_clamp"
    traits = traits_def(CanStayFloat())


@irdl_op_definition
class TpuLeakyClampOp(LeakyClampBase, tpu.TpuOp):
    """A leaky clamp (see gates.leaky_clamp) of floats, or of integers: all operands and the result have one scale.

    %y = gates.tpu_leaky_clamp "y" %x, %low, %high shift = 3 :
        (tensor<1x4x2x2xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
    """

    name = "gates.tpu_leaky_clamp"
    traits = traits_def(ChannelLast())

    def verify_elements(self) -> None:
        values = [*self.named_operands(), ("result", self.output)]
        if is_quantized(self.input.type):
            rules.activations(values, one_storage=True)
        else:
            rules.floats(values)
        for name, value in values[1:]:
            rules.same_element(name, value, "input", self.input)


@irdl_op_definition
class TileLeakyClampOp(tile.CoreOp):
    """A leaky clamp of rows (last axis) of `columns` channels, whose bounds are those of one row; padding is filled
    with the zero point.

    gates.tile_leaky_clamp core 0 %x, %low, %high -> %y columns = 5 shift = 3 zero_point = -4 :
        memref<9x16xi8, "local">, memref<16xi8, "local">, memref<16xi8, "local"> -> memref<9x16xi8, "local">
    """

    name = "gates.tile_leaky_clamp"
    columns: Integer = prop(converter=integer)
    shift: Integer = prop(converter=integer)
    zero_point: Integer = prop(converter=integer, default=0)
    x: SSAValue = buffer()
    low: SSAValue = buffer()
    high: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        check_rows(self)
        for name in ("low", "high"):
            bound = getattr(self, name)
            check_storage(name, bound, storage_of(self.x))
            pitch = pitch_of(self.x)
            fail_unless(shape_of(bound) == (pitch,), f"{name} must have shape [{pitch}]")
        check_storage("out", self.out, storage_of(self.x))

    def instruction(self) -> tuple[str, dict[str, Any], dict[str, SSAValue]]:
        fields = {
            "type": storage_of(self.x),
            **row_fields(self),
            "shift": self.shift.value.data,
            "zero_point": self.zero_point.value.data,
        }
        return (
            "leaky_clamp",
            fields,
            {"x": self.x, "low": self.low, "high": self.high, "out": self.out},
        )


class RowScaleBase(TensorOp):
    """What the scaled rows of top and tpu share."""

    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        if not shape_of(self.input):
            raise ShapeError("the input has no axes, and so no rows")
        return shape_of(self.input)


@irdl_op_definition
class RowScaleOp(RowScaleBase, TopOp):
    """input / max(|input|) of each row (last axis). The result is within ±1: calibration need not find that out.

    %y = gates.row_scale "y" %x : (tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    """

    name = "gates.row_scale"
    traits = traits_def(FixedQuantization(parameters=lambda op: (1 / 127, 0)))

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return row_scale(operands[0], storage_of(self.output))


@irdl_op_definition
class TpuRowScaleOp(RowScaleBase, tpu.TpuOp):
    """Scaled rows (see gates.row_scale), in floats only.

    %y = gates.tpu_row_scale "y" %x : (tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    """

    name = "gates.tpu_row_scale"
    traits = traits_def(RowMajor())

    def verify_elements(self) -> None:
        rules.floats([("input", self.input), ("result", self.output)])

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return row_scale(operands[0], storage_of(self.output))


GATES = Dialect(
    "gates",
    [LeakyClampOp, TpuLeakyClampOp, TileLeakyClampOp, RowScaleOp, TpuRowScaleOp],
    [],
)

"""The bases of the ops of `tpu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import Attribute, SSAValue

from ...backends.numerics import elementwise
from ..ir.attribute import Real, bounds_of, check_bounds, optional_real
from ..ir.field import prop
from ..network.tensor_op import TensorOp
from ..quant import verify_quantized_shape
from ..quant.element_type import element_of
from ..quant.number_format import NumberFormat, float_clamp
from . import quantization_rules as rules


class TpuOp(TensorOp):
    """Base of the ops of `tpu`: one result, named by the property `name`. Element types are floats or
    !quant.uniform.
    """

    def result_element(self) -> Attribute:
        """Return the element type of a result made without one: that of the first operand."""
        return element_of(self.operands[0])

    def tile_kind(self) -> str:
        """Return the kind of the element-wise tile op that computes this op: the word after the dialect in its name,
        unless a subclass overrides this.
        """
        return self.name.rpartition(".")[2]

    def table_operand(self) -> SSAValue | None:
        """Return the operand whose elements alone decide those of the result, one by one: the other operands are
        constants of one number. Return None for an op that a table cannot replace.
        """
        return None

    def verify_(self) -> None:
        self.verify_shape()
        for _, value in [*self.named_operands(), ("result", self.output)]:
            verify_quantized_shape(value.type)
        self.verify_elements()

    def verify_elements(self) -> None:
        """Raise VerifyException if element types do not fit the op; unless a subclass overrides this, the result must
        have the first operand's.
        """
        rules.same_element("result", self.output, "input", self.operands[0])


class ClampedOp(TpuOp):
    """Base of ops with a fused activation: the result is clamped to the real interval [clamp_low,
    clamp_high].
    """

    clamp_low: Real | None = prop(converter=optional_real, default=None)
    clamp_high: Real | None = prop(converter=optional_real, default=None)

    def verify_(self) -> None:
        super().verify_()
        check_bounds("clamp bounds", *self.clamp)

    @property
    def clamp(self) -> tuple[float | None, float | None]:
        """The bounds as numbers; None for a missing one."""
        return bounds_of(self.clamp_low, self.clamp_high)

    def clamped(self, value: np.ndarray) -> np.ndarray:
        """Clamp a value in storage units that has the result's type."""
        if self.clamp == (None, None):
            return value
        result = NumberFormat.of(self.output.type)
        low, high = result.clamp(self.clamp) if result.is_quantized else self.clamp
        return elementwise.clamp(value, low, high)

    def rounded_and_clamped(self, value: np.ndarray) -> np.ndarray:
        """Clamp a float result and round it once, to its storage type."""
        storage = NumberFormat.of(self.output.type).storage
        return elementwise.store_float(value, storage, float_clamp(self.clamp))

    def mean_parameters(self) -> dict[str, Any]:
        """Return the parameters with which the integer numerics round sums and means to the result's number format."""
        source, result = NumberFormat.of(self.operands[0].type), NumberFormat.of(self.output.type)
        multiplier, shift = source.ratio_to(result)
        return {
            "zero_point_in": source.zero_point,
            "multiplier": multiplier,
            "shift": shift,
            "zero_point_out": result.zero_point,
            "storage": result.storage,
            "clamp": result.clamp(self.clamp),
        }

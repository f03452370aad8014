"""What the normalizations of top and tpu have in common: fields and shapes."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import AttrSizedOperandSegments
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics import normalization, softmax
from ...backends.numerics.normalization import KINDS
from ...backends.numerics.sample_axis import aligned
from ..ir.attribute import Integer, Ints, Real, check_one_of, flag, integer, ints, real, text
from ..ir.field import operand, prop
from ..quant.element_type import shape_of
from . import shape as shapes
from .shape import Shape, ShapeError
from .tensor_op import Arrays, TensorOp


class SoftmaxBase(TensorOp):
    """exp(x − max) / Σ exp(x − max) along `axis` (non-negative); with `log` its logarithm."""

    axis: Integer = prop(converter=integer)
    log: UnitAttr | None = prop(converter=flag, default=False)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        shapes.check_axis(self.axis.value.data, len(shape_of(self.input)))
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        axis = self.axis.value.data - (x.ndim - 1)
        return self.rounded(softmax.softmax(x, axis, log=self.log is not None))


class NormalizeBase(TensorOp):
    """The input divided by a statistic over `axes` (non-negative, ascending), times scale, plus
    bias, which broadcast to the input.

    `kind` mean_variance: (x − mean) / √(mean((x − mean)²) + ε); rms: x / √(mean(x²) + ε); l1:
    x / (Σ|x| + ε); l2: x / √(Σx² + ε).
    """

    kind: StringAttr = prop(converter=text)
    axes: Ints = prop(converter=ints)
    epsilon: Real = prop(converter=real)
    input: SSAValue = operand()
    scale: SSAValue | None = operand(default=None)
    bias: SSAValue | None = operand(default=None)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def expected_shape(self) -> Shape:
        shape = shape_of(self.input)
        if not self.axes.get_values():
            raise ShapeError("there must be at least one axis to normalize over")
        shapes.reduce_shape(shape, self.axes.get_values(), True)
        for name, value in self.named_operands()[1:]:
            if shapes.broadcast_shape(shape, shape_of(value)) != shape:
                raise ShapeError(
                    f"{name} {list(shape_of(value))} does not broadcast to {list(shape)}"
                )
        return shape

    @property
    def negative_axes(self) -> tuple[int, ...]:
        """The axes counted from the end, as the numerics functions take them."""
        rank = len(shape_of(self.input))
        return tuple(axis - rank for axis in self.axes.get_values())

    def verify_fields(self) -> None:
        """Raise VerifyException if the kind is unknown or epsilon is negative."""
        check_one_of("kind", self.kind.data, KINDS)
        if not self.epsilon.value.data >= 0:
            raise VerifyException(f"epsilon must not be negative, got {self.epsilon.value.data}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        given = self.operands_by_name(operands)
        x = given.pop("input")
        broadcast = {name: aligned(value, x.ndim - 1) for name, value in given.items()}
        return self.rounded(
            normalization.normalize(
                self.kind.data, x, self.negative_axes, self.epsilon.value.data, **broadcast
            )
        )


class LocalResponseNormBase(TensorOp):
    """x / (offset + alpha/size · Σ x²)^beta, the sum over the `size` channels (axis 1) around each."""

    size: Integer = prop(converter=integer)
    alpha: Real = prop(converter=real)
    beta: Real = prop(converter=real)
    offset: Real = prop(converter=real)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.channel_shape(shape_of(self.input))

    def verify_fields(self) -> None:
        """Raise VerifyException unless `size` is at least 1."""
        if self.size.value.data < 1:
            raise VerifyException(f"size must be at least 1, got {self.size.value.data}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        return self.rounded(
            normalization.local_response_norm(
                x,
                2,
                size=self.size.value.data,
                alpha=self.alpha.value.data,
                beta=self.beta.value.data,
                bias=self.offset.value.data,
            )
        )

"""The arithmetic of `top`: element-wise ops of two operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from xdsl.irdl import irdl_op_definition, traits_def

from ...backends.numerics import elementwise
from ...backends.numerics.sample_axis import broadcastable
from ..network.arithmetic import BinaryBase
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat, HasPoles, RoundsResult, ScalesOrShifts
from .constant import WeightOp
from .top_op import TopOp


def _is_rhs_computed(op: BinaryOp) -> bool:
    return not isinstance(op.rhs.owner, WeightOp)


def _zero_of_rhs(op: BinaryOp) -> Mapping[str, Sequence[float]]:
    return {"rhs": (0.0,)}


class BinaryOp(BinaryBase, TopOp):
    """Base of the element-wise ops of two operands, with NumPy's broadcasting; they take integers too."""

    traits = traits_def(RoundsResult())

    NEEDS_FLOATS: ClassVar[bool] = False
    NEUTRAL: ClassVar[float | None] = None
    """The number that, as rhs, makes the op give lhs unchanged; None if there is no such number."""
    COMMUTES: ClassVar[bool] = False
    """Whether lhs and rhs may be exchanged."""

    @staticmethod
    def compute(lhs: np.ndarray, rhs: np.ndarray, /) -> np.ndarray:
        """Compute the result for two arrays that broadcast."""
        raise NotImplementedError

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return self.compute(*broadcastable(*operands))

    @staticmethod
    def affine(constant: np.ndarray, is_lhs: bool) -> tuple[np.ndarray, np.ndarray] | None:
        """Return (factor, offset), of the shape of `constant`, such that the op beside a constant gives
        factor · x + offset for the other operand x; None if it does not. `is_lhs`: the constant is lhs.
        """
        return None


@irdl_op_definition
class AddOp(BinaryOp):
    """lhs + rhs.

    %add = top.add "add" %half, %clip :
        (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.add"
    NEUTRAL: ClassVar[float | None] = 0.0
    COMMUTES: ClassVar[bool] = True
    traits = traits_def(CanStayFloat(), ScalesOrShifts())
    compute = staticmethod(elementwise.add)

    @staticmethod
    def affine(constant: np.ndarray, is_lhs: bool) -> tuple[np.ndarray, np.ndarray]:
        return np.ones_like(constant), constant


@irdl_op_definition
class SubOp(BinaryOp):
    """lhs − rhs.

    %sub = top.sub "sub" %add, %one :
        (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.sub"
    NEUTRAL: ClassVar[float | None] = 0.0
    traits = traits_def(CanStayFloat(), ScalesOrShifts())
    compute = staticmethod(elementwise.sub)

    @staticmethod
    def affine(constant: np.ndarray, is_lhs: bool) -> tuple[np.ndarray, np.ndarray]:
        one = np.ones_like(constant)
        return (-one, constant) if is_lhs else (one, -constant)


@irdl_op_definition
class MulOp(BinaryOp):
    """lhs · rhs.

    %mul = top.mul "mul" %sub, %one :
        (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.mul"
    NEUTRAL: ClassVar[float | None] = 1.0
    COMMUTES: ClassVar[bool] = True
    traits = traits_def(CanStayFloat(), ScalesOrShifts())
    compute = staticmethod(elementwise.mul)

    @staticmethod
    def affine(constant: np.ndarray, is_lhs: bool) -> tuple[np.ndarray, np.ndarray]:
        return constant, np.zeros_like(constant)


@irdl_op_definition
class DivOp(BinaryOp):
    """lhs / rhs.

    %div = top.div "div" %mul, %one :
        (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.div"
    NEUTRAL: ClassVar[float | None] = 1.0
    traits = traits_def(
        CanStayFloat(), ScalesOrShifts(), HasPoles(where=_is_rhs_computed, points=_zero_of_rhs)
    )
    compute = staticmethod(elementwise.div)

    @staticmethod
    def affine(constant: np.ndarray, is_lhs: bool) -> tuple[np.ndarray, np.ndarray] | None:
        if is_lhs or np.any(constant == 0):
            return None
        return 1 / constant, np.zeros_like(constant)


@irdl_op_definition
class MinOp(BinaryOp):
    """The smaller of lhs and rhs; NaN if either is NaN.

    %min = top.min "min" %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "top.min"
    traits = traits_def(CanStayFloat())
    compute = staticmethod(elementwise.minimum)


@irdl_op_definition
class MaxOp(BinaryOp):
    """The larger of lhs and rhs; NaN if either is NaN.

    %max = top.max "max" %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "top.max"
    traits = traits_def(CanStayFloat())
    compute = staticmethod(elementwise.maximum)


class FloatBinaryOp(BinaryOp):
    """Base of the element-wise ops of two operands that are defined for floats only."""

    NEEDS_FLOATS: ClassVar[bool] = True


@irdl_op_definition
class PowerOp(FloatBinaryOp):
    """lhs^rhs.

    %power = top.power "power" %min, %max : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "top.power"
    traits = traits_def(HasPoles(points=lambda op: {"lhs": (0.0,)}))
    compute = staticmethod(elementwise.power)


@irdl_op_definition
class ModuloOp(FloatBinaryOp):
    """The remainder of lhs / rhs, with the sign of lhs (like C's fmod).

    %modulo = top.modulo "modulo" %power, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "top.modulo"
    traits = traits_def(HasPoles(where=_is_rhs_computed, points=_zero_of_rhs))
    compute = staticmethod(elementwise.modulo)


@irdl_op_definition
class PreluOp(FloatBinaryOp):
    """lhs where it is not negative, lhs · rhs (the slope) where it is.

    %prelu = top.prelu "prelu" %modulo, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "top.prelu"
    compute = staticmethod(elementwise.prelu)

"""What the element-wise ops of top and tpu have in common: kinds, parameters, operands, shapes."""

from __future__ import annotations

import math

import numpy as np
from xdsl.dialects.builtin import StringAttr, i1
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics import comparison
from ...backends.numerics.comparison import COMPARISONS, LOGIC
from ...backends.numerics.sample_axis import broadcastable
from ...backends.numerics.unary import NOT, UNARY_KINDS
from ..ir.attribute import Real, check_one_of, optional_real, text
from ..ir.field import operand, prop
from ..quant.element_type import element_of, is_bool, shape_of
from . import shape as shapes
from .arithmetic import BinaryBase
from .shape import Shape
from .tensor_op import Arrays, TensorOp


class UnaryBase(TensorOp):
    """A function of each element; `alpha` and `beta` are given if the function `kind` has these parameters."""

    kind: StringAttr = prop(converter=text)
    alpha: Real | None = prop(converter=optional_real, default=None)
    beta: Real | None = prop(converter=optional_real, default=None)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def result_element(self) -> Attribute:
        kind = UNARY_KINDS.get(self.kind.data)
        return i1 if kind is not None and kind.is_predicate else element_of(self.input)

    @property
    def parameters(self) -> tuple[float, float]:
        """alpha and beta, as `unary` of the numerics takes them; 0 for a parameter that is not given."""
        alpha, beta = self.alpha, self.beta
        return (
            0.0 if alpha is None else alpha.value.data,
            0.0 if beta is None else beta.value.data,
        )

    @property
    def gives_bools(self) -> bool:
        """Whether the result's elements are bools, whatever the operand's elements are."""
        kind = UNARY_KINDS.get(self.kind.data)
        return kind is not None and kind.is_predicate

    def verify_kind(self) -> None:
        """Raise VerifyException if the kind is unknown, or if the parameters are not exactly those that it has."""
        check_one_of("kind", self.kind.data, (*UNARY_KINDS, NOT))
        kind = UNARY_KINDS.get(self.kind.data)
        expected = () if kind is None else kind.parameters
        for name, given in (("alpha", self.alpha), ("beta", self.beta)):
            if name in expected and given is None:
                raise VerifyException(f"{self.kind.data} needs {name}")
            if given is None:
                continue
            if name not in expected:
                raise VerifyException(f"{self.kind.data} has no {name}")
            if not math.isfinite(given.value.data):
                raise VerifyException(f"{name} must be finite, got {given.value.data}")
        if self.kind.data == "celu" and self.parameters[0] == 0:
            raise VerifyException("alpha of celu must not be 0")


class CompareBase(BinaryBase):
    """A comparison of two operands of one type, with NumPy's broadcasting; the result is bools."""

    kind: StringAttr = prop(converter=text)

    def result_element(self) -> Attribute:
        return i1

    def verify_comparison(self) -> None:
        """Raise VerifyException if the kind is unknown, or if the result's elements are not bools."""
        check_one_of("kind", self.kind.data, tuple(COMPARISONS))
        if not is_bool(self.output.type.element_type):
            raise VerifyException(f"result must be bools, i1, got {self.output.type.element_type}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return comparison.compare(self.kind.data, *broadcastable(*operands))


class LogicalBase(BinaryBase):
    """An operation on two bools, with NumPy's broadcasting."""

    kind: StringAttr = prop(converter=text)

    def result_element(self) -> Attribute:
        return i1

    def verify_logic(self) -> None:
        """Raise VerifyException if the kind is unknown, or if the operands' elements are not bools."""
        check_one_of("kind", self.kind.data, tuple(LOGIC))
        for name, value in [*self.named_operands(), ("result", self.output)]:
            if not is_bool(element_of(value)):
                raise VerifyException(f"{name} must be bools, i1, got {element_of(value)}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return comparison.combine(self.kind.data, *broadcastable(*operands))


class SelectBase(TensorOp):
    """lhs where `condition` (bools) holds, rhs elsewhere, with NumPy's broadcasting."""

    condition: SSAValue = operand()
    lhs: SSAValue = operand()
    rhs: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shapes.broadcast_shape(
            shape_of(self.condition), shape_of(self.lhs), shape_of(self.rhs)
        )

    def result_element(self) -> Attribute:
        return element_of(self.lhs)

    def verify_condition(self) -> None:
        """Raise VerifyException unless the condition's elements are bools."""
        if not is_bool(element_of(self.condition)):
            raise VerifyException(f"condition must be bools, i1, got {element_of(self.condition)}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return comparison.select(*broadcastable(*operands))

"""The other element-wise ops of `top`: functions of one operand, comparisons, logic, the choice between two operands,
casts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import InitVar
from typing import ClassVar

import numpy as np
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics import elementwise
from ...backends.numerics.comparison import COMPARISONS, LOGIC
from ...backends.numerics.unary import NOT, UNARY_KINDS, unary
from ..ir.attribute import Real, bounds_of, check_bounds, optional_real
from ..ir.field import argument, operand, prop
from ..network.pointwise import CompareBase, LogicalBase, SelectBase, UnaryBase
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import (
    CanStayFloat,
    ComparesElements,
    Converts,
    GivesQuantization,
    HasPoles,
    IsBounded,
    IsNonNegative,
    KeepsFactors,
    RoundsResult,
    TakesAnyElements,
)
from ..quant.element_type import (
    element_of,
    expressed,
    is_bool,
    is_float,
    is_network_float,
    shape_of,
)
from .top_op import TopOp

_NON_NEGATIVE = ("abs", "exp", "hard_sigmoid", "sigmoid", "softplus", "sqrt")
"""The functions of one number that are never negative."""
_BOUNDED = (
    "acos",
    "asin",
    "atan",
    "cos",
    "erf",
    "hard_sigmoid",
    "sigmoid",
    "sign",
    "sin",
    "softsign",
    "tanh",
)
"""The functions of one number whose results have a least and a greatest number."""


@irdl_op_definition
class ReluOp(TopOp):
    """max(input, 0).

    %relu = top.relu "relu" %norm : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.relu"
    traits = traits_def(
        RoundsResult(), GivesQuantization(), CanStayFloat(), KeepsFactors(), IsNonNegative()
    )
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return elementwise.clamp(operands[0], 0.0, None)


@irdl_op_definition
class ClipOp(TopOp):
    """min(max(input, low), high); a missing bound does not limit anything.

    %clip = top.clip "clip" %relu low = 0.0 high = 6.0 :
        (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.clip"
    traits = traits_def(
        RoundsResult(),
        GivesQuantization(),
        CanStayFloat(),
        IsNonNegative(where=lambda op: op.low is not None and op.low.value.data >= 0),
    )
    low: Real | None = prop(converter=optional_real, default=None)
    high: Real | None = prop(converter=optional_real, default=None)
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def verify_(self) -> None:
        super().verify_()
        check_bounds("bounds", *self.bounds)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The bounds as numbers; None for a missing one."""
        return bounds_of(self.low, self.high)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return elementwise.clamp(operands[0], *self.bounds)

    def unchanged_operand(self) -> SSAValue | None:
        return self.input if self.low is None and self.high is None else None


@irdl_op_definition
class UnaryOp(UnaryBase, TopOp):
    """The function `kind` of each element, such as "sigmoid" or "exp".

    `alpha` and `beta` are the parameters of the kinds that have them (backends/numerics/unary.py lists all). The result
    of is_nan and is_inf is bools, and the operand of not is bools; all other kinds are functions of floats.

    %y = top.unary "y" %x kind = "leaky_relu" alpha = 0.1 : (tensor<4xf32>) -> tensor<4xf32>
    """

    name = "top.unary"
    traits = traits_def(
        RoundsResult(),
        CanStayFloat(),
        HasPoles(points=lambda op: {"input": op.poles}),
        IsNonNegative(where=lambda op: op.kind.data in _NON_NEGATIVE),
        IsBounded(where=lambda op: op.kind.data in _BOUNDED),
    )

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        return {kind: _unary_example(kind) for kind in (*UNARY_KINDS, NOT)}

    def result_element(self) -> Attribute:
        return expressed(super().result_element())

    @property
    def poles(self) -> Sequence[float]:
        """The numbers of the input at which, or beyond which, the result is infinite or NaN."""
        kind = UNARY_KINDS.get(self.kind.data)
        return () if kind is None else kind.poles(*self.parameters)

    def _verify_elements(self) -> None:
        self.verify_kind()
        operand, result = element_of(self.input), self.output.type.element_type
        if self.kind.data == NOT:
            if not is_bool(operand) or not is_bool(result):
                raise VerifyException(f"not is for bools, i1, got {operand} and {result}")
            return
        if not self.gives_bools:
            super()._verify_elements()
        elif not is_float(operand) or not is_bool(result):
            raise VerifyException(
                f"{self.kind.data} is of floats and gives bools, i1, got {operand} and {result}"
            )

    def evaluate(self, operands: Arrays) -> np.ndarray:
        if self.kind.data == NOT:
            return np.logical_not(operands[0])
        return unary(operands[0], self.kind.data, *self.parameters)


def _unary_example(kind: str) -> str:
    """Return the text of a function of one operand, with its parameters and the elements that it takes and gives."""
    known = UNARY_KINDS.get(kind)
    given = "".join(f" {name} = 0.75" for name in (() if known is None else known.parameters))
    operand = "i1" if known is None else "f32"
    result = "i1" if known is None or known.is_predicate else "f32"
    return (
        f'%y = top.unary "y" %x kind = "{kind}"{given} : (tensor<4x{operand}>) -> '
        f"tensor<4x{result}>"
    )


@irdl_op_definition
class CompareOp(CompareBase, TopOp):
    """Compares lhs with rhs and gives bools; `kind` is less, less_or_equal, equal or not_equal.

    %y = top.compare "y" %a, %b kind = "less" : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
    """

    name = "top.compare"
    KINDS: ClassVar[Sequence[str]] = tuple(COMPARISONS)
    traits = traits_def(ComparesElements())

    def _verify_elements(self) -> None:
        self.verify_comparison()
        lhs, rhs = expressed(element_of(self.lhs)), expressed(element_of(self.rhs))
        if lhs != rhs:
            raise VerifyException(f"lhs has elements of {lhs}, rhs of {rhs}")


@irdl_op_definition
class LogicalOp(LogicalBase, TopOp):
    """Combines the bools lhs and rhs; `kind` is and, or or xor.

    %both = top.logical "both" %less, %not kind = "and" : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    """

    name = "top.logical"
    KINDS: ClassVar[Sequence[str]] = tuple(LOGIC)

    def _verify_elements(self) -> None:
        self.verify_logic()


@irdl_op_definition
class SelectOp(SelectBase, TopOp):
    """lhs where `condition` (bools) holds, rhs elsewhere, with NumPy's broadcasting.

    %y = top.select "y" %c, %a, %b :
        (tensor<4xi1>, tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "top.select"
    traits = traits_def(RoundsResult(), CanStayFloat(chooses=lambda op: True), TakesAnyElements())

    def result_element(self) -> Attribute:
        return expressed(super().result_element())

    def _verify_elements(self) -> None:
        self.verify_condition()
        result = expressed(self.output.type.element_type)
        for name, value in (("lhs", self.lhs), ("rhs", self.rhs)):
            if expressed(element_of(value)) != result:
                raise VerifyException(
                    f"{name} has elements of {element_of(value)}, the result of {result}"
                )


@irdl_op_definition
class CastOp(TopOp):
    """Rounds the input to the element type of the result, once, half to even; a number that is too large becomes
    infinite. Both are floats that networks compute with; top.call converts others, by the function cast.

    %h = top.cast "h" %x : (tensor<1x8xf32>) -> tensor<1x8xf16>
    """

    name = "top.cast"
    traits = traits_def(Converts())
    element: InitVar[Attribute] = argument()
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def _verify_elements(self) -> None:
        for name, value in (("input", self.input), ("result", self.output)):
            if not is_network_float(value.type):
                raise VerifyException(
                    f"{name} must have elements of f16, bf16 or f32, got {element_of(value)}"
                )

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return self.rounded(operands[0])

    def unchanged_operand(self) -> SSAValue | None:
        return self.input

"""`top-recognize-activations`: merges activations that exporters write as several ops into one.

Before:

    %s = top.unary "s" %x kind = "sigmoid" : (tensor<4xf32>) -> tensor<4xf32>
    %y = top.mul "y" %x, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>

After:

    %y = top.unary "y" %x kind = "swish" alpha = 1.0 : (tensor<4xf32>) -> tensor<4xf32>

Recognized, with their factors in any order and grouping: x·sigmoid(a·x) (swish), x·clip(x + 3, 0, 6)/6 and
x·hard_sigmoid(x) (hard_swish), clip(x + 3, 0, 6)/6 (hard_sigmoid), x·tanh(softplus(x)) (mish), 0.5·x·(1 + erf(x/√2))
(gelu), and 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) (gelu_tanh).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.rewriting import erase_if_unused, take_type
from ...dialects.quant.element_type import shape_of
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of
from .constant import constant_of

_TOLERANCE = 1e-4
"""The relative error that a constant of a pattern may have, because exporters round them."""

Found = tuple[str, dict[str, float], SSAValue]
"""Kind, parameters and operand of the unary op that a product stands for."""


class RecognizeActivation(RewritePattern):
    """A product of a value and a function of it  ⇒  one unary op."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.MulOp | top.DivOp):
            return
        number, factors = self._factors(op.output)
        found = self._match(number, factors)
        if found is None or shape_of(found[2]) != shape_of(op.output):
            return
        kind, parameters, operand = found
        alpha, beta = parameters.get("alpha"), parameters.get("beta")
        made = top.UnaryOp(op.result_name.data, operand, kind=kind, alpha=alpha, beta=beta)
        take_type(made, op.output)
        rewriter.replace(op, made)
        erase_if_unused(rewriter, *(value.owner for value in op.operands))

    def _match(self, number: float, factors: list[SSAValue]) -> Found | None:
        if len(factors) == 1:
            x = self._hard_sigmoid_of(factors[0], number)
            return None if x is None else ("hard_sigmoid", {"alpha": 1 / 6, "beta": 0.5}, x)
        if len(factors) != 2:
            return None
        for x, gate in (factors, factors[::-1]):
            found = self._gated(number, x, gate)
            if found is not None:
                return (*found, x)
        return None

    def _gated(
        self, number: float, x: SSAValue, gate: SSAValue
    ) -> tuple[str, dict[str, float]] | None:
        """Return the kind and parameters of the function that number · x · gate is."""
        if self._hard_sigmoid_of(gate, number) is x:
            return "hard_swish", {}
        op = gate.owner
        if isinstance(op, top.UnaryOp) and _near(number, 1.0):
            alpha = self._multiple(op.input, x)
            if op.kind.data == "sigmoid" and alpha is not None:
                return "swish", {"alpha": alpha}
            inner = op.input.owner
            if (
                isinstance(inner, top.UnaryOp)
                and inner.input is x
                and (op.kind.data, inner.kind.data) == ("tanh", "softplus")
            ):
                return "mish", {}
        return self._gelu(number, x, gate)

    def _gelu(
        self, number: float, x: SSAValue, gate: SSAValue
    ) -> tuple[str, dict[str, float]] | None:
        shifted = self._shifted(gate, 1.0)
        op = None if shifted is None else shifted.owner
        if not isinstance(op, top.UnaryOp) or not _near(number, 0.5):
            return None
        alpha = self._multiple(op.input, x)
        if op.kind.data == "erf" and alpha is not None and _near(alpha, math.sqrt(0.5)):
            return "gelu", {}
        return ("gelu_tanh", {}) if op.kind.data == "tanh" and self._cubic(op.input, x) else None

    def _cubic(self, value: SSAValue, x: SSAValue) -> bool:
        """Tell whether value = √(2/π)·(x + 0.044715·x³)."""
        number, factors = self._factors(value)
        total = factors[0].owner if len(factors) == 1 else None
        if not isinstance(total, top.AddOp) or not _near(number, math.sqrt(2 / math.pi)):
            return False
        for linear, cubic in ((total.lhs, total.rhs), (total.rhs, total.lhs)):
            scale, parts = self._factors(cubic)
            if linear is x and _near(scale, 0.044715) and _is_cube(parts, x):
                return True
        return False

    def _hard_sigmoid_of(self, value: SSAValue, number: float) -> SSAValue | None:
        """Return the x for which number · value is clip(x + 3, 0, 6)/6, or hard_sigmoid(x) with its parameters."""
        op = value.owner
        if isinstance(op, top.ClipOp) and op.low is not None and op.high is not None:
            bounds = op.low.value.data, op.high.value.data
            return (
                self._shifted(op.input, 3.0) if bounds == (0, 6) and _near(number, 1 / 6) else None
            )
        if isinstance(op, top.UnaryOp) and op.kind.data == "hard_sigmoid" and number == 1.0:
            alpha, beta = op.parameters
            return op.input if _near(alpha, 1 / 6) and _near(beta, 0.5) else None
        return None

    def _number(self, value: SSAValue) -> float | None:
        constant = constant_of(value, self.store)
        return float(constant.reshape(())) if constant is not None and constant.size == 1 else None

    def _shifted(self, value: SSAValue, offset: float) -> SSAValue | None:
        """Return the x for which value = x + offset."""
        op = value.owner
        if isinstance(op, top.AddOp):
            for x, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
                if self._number(other) == offset:
                    return x
        return None

    def _multiple(self, value: SSAValue, x: SSAValue) -> float | None:
        """Return the a for which value = a · x."""
        number, factors = (1.0, [x]) if value is x else self._factors(value)
        return number if factors == [x] else None

    def _factors(self, value: SSAValue) -> tuple[float, list[SSAValue]]:
        """Return a number and the values of which `value` is the product."""
        op = value.owner
        if isinstance(op, top.MulOp):
            pairs = [self._factors_below(operand) for operand in (op.lhs, op.rhs)]
            return pairs[0][0] * pairs[1][0], [*pairs[0][1], *pairs[1][1]]
        divisor = self._number(op.rhs) if isinstance(op, top.DivOp) else None
        if isinstance(op, top.DivOp) and divisor:
            number, factors = self._factors_below(op.lhs)
            return number / divisor, factors
        return 1.0, [value]

    def _factors_below(self, value: SSAValue) -> tuple[float, list[SSAValue]]:
        number = self._number(value)
        if number is not None:
            return number, []
        return self._factors(value) if value.has_one_use() else (1.0, [value])


@dataclass(frozen=True)
class RecognizeActivations(SmaltiPass):
    """Merge the ops of activations that are written as several into one."""

    name = "top-recognize-activations"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(RecognizeActivation)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [RecognizeActivation(store_of(ctx))])


def _near(number: float, expected: float) -> bool:
    return math.isclose(number, expected, rel_tol=_TOLERANCE)


def _is_cube(factors: list[SSAValue], x: SSAValue) -> bool:
    if len(factors) == 3:
        return all(factor is x for factor in factors)
    op = factors[0].owner if len(factors) == 1 else None
    power = isinstance(op, top.UnaryOp) and op.kind.data == "power" and op.parameters[0] == 3.0
    return power and isinstance(op, top.UnaryOp) and op.input is x

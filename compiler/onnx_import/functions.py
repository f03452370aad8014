"""Imports functions of one operand: activations, rounding, powers, exponentials, trigonometry, tests.

Most ONNX ops are one `top.unary` of the same meaning; the table at the end says of which kind, and
where ONNX's attributes go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...dialects import top
from .builder import GraphBuilder
from .node import Constant, ImportFunction, Node, Operator, Value, dtype_of_value, shape_of
from .ops.elementwise import legacy_operands, lone_number

_SELU_ALPHA = 1.67326319217681884765625
_SELU_GAMMA = 1.05070102214813232421875
"""The defaults of Selu (ONNX, Selu)."""

Parameters = Callable[[Node], dict[str, float]]
"""The parameters of a kind of `top.unary` from a node's attributes."""


def _unary(kind: str, parameters: Parameters | None = None) -> ImportFunction:
    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        given = {} if parameters is None else parameters(node)
        return [builder.emit(top.UnaryOp, node.output, node.input(0), kind=kind, **given)]

    return lower


def _alpha(default: float) -> Parameters:
    return lambda node: {"alpha": node.real("alpha", default)}


def _selu(node: Node) -> dict[str, float]:
    # Before opset 6 the defaults had fewer digits (ONNX, Selu-1).
    alpha, gamma = (1.6732, 1.0507) if node.opset < 6 else (_SELU_ALPHA, _SELU_GAMMA)
    return {"alpha": node.real("alpha", alpha), "beta": node.real("gamma", gamma)}


def _celu(node: Node) -> dict[str, float]:
    alpha = node.real("alpha", 1.0)
    if alpha == 0:
        raise node.error("alpha must not be 0")
    return {"alpha": alpha}


def _hard_sigmoid(node: Node) -> dict[str, float]:
    return {"alpha": node.real("alpha", 0.2), "beta": node.real("beta", 0.5)}


def _shrink(node: Node) -> dict[str, float]:
    return {"alpha": node.real("lambd", 0.5), "beta": node.real("bias", 0.0)}


def _is_inf(node: Node) -> dict[str, float]:
    return {
        "alpha": float(node.integer("detect_negative", 1)),
        "beta": float(node.integer("detect_positive", 1)),
    }


def _gelu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    approximate = node.string("approximate", "none")
    kinds = {"none": "gelu", "tanh": "gelu_tanh"}
    if approximate not in kinds:
        raise node.error(f"approximate must be none or tanh, it is '{approximate}'")
    return [builder.emit(top.UnaryOp, node.output, node.input(0), kind=kinds[approximate])]


def _prelu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """A slope that is one number makes a leaky relu."""
    value, slope = node.input(0), node.input(1)
    number = lone_number(slope, value)
    if number is not None:
        return [builder.emit(top.UnaryOp, node.output, value, kind="leaky_relu", alpha=number)]
    if node.opset < 7 and len(shape_of(slope)) == 1:
        # One slope per channel; since opset 7 slopes broadcast as elsewhere.
        spatial = (1,) * max(len(shape_of(value)) - 2, 0)
        name = builder.derived(node.output, "slope")
        slope = builder.reshape(slope, (*shape_of(slope), *spatial), name)
    return [builder.emit(top.PreluOp, node.output, value, slope)]


def _pow(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """An exponent that is one number makes a function of one operand."""
    base, exponent = legacy_operands(node, builder)
    number = lone_number(exponent, base)
    if number == 2:
        return [builder.emit(top.MulOp, node.output, base, base)]
    if number is not None:
        kind = {0.5: "sqrt", -1.0: "reciprocal"}.get(number, "power")
        given = {"alpha": number} if kind == "power" else {}
        return [builder.emit(top.UnaryOp, node.output, base, kind=kind, **given)]
    if isinstance(exponent, Constant):
        exponent = Constant(exponent.array.astype(dtype_of_value(base)), exponent.name)
    return [builder.emit(top.PowerOp, node.output, base, exponent)]


OPERATORS = {
    **{
        name: Operator(_unary(kind), "vector")
        for name, kind in (
            ("Abs", "abs"), ("Acos", "acos"), ("Acosh", "acosh"), ("Asin", "asin"),
            ("Asinh", "asinh"), ("Atan", "atan"), ("Atanh", "atanh"), ("Ceil", "ceil"),
            ("Cos", "cos"), ("Cosh", "cosh"), ("Erf", "erf"), ("Exp", "exp"), ("Floor", "floor"),
            ("HardSwish", "hard_swish"), ("IsNaN", "is_nan"), ("Log", "log"), ("Mish", "mish"),
            ("Neg", "neg"), ("Not", "not"), ("Reciprocal", "reciprocal"), ("Round", "round"),
            ("Sigmoid", "sigmoid"), ("Sign", "sign"), ("Sin", "sin"), ("Sinh", "sinh"),
            ("Softplus", "softplus"), ("Softsign", "softsign"), ("Sqrt", "sqrt"), ("Tan", "tan"),
            ("Tanh", "tanh"),
        )
    },
    "Celu": Operator(_unary("celu", _celu), "vector"),
    "Elu": Operator(_unary("elu", _alpha(1.0)), "vector"),
    "Gelu": Operator(_gelu, "vector"),
    "HardSigmoid": Operator(_unary("hard_sigmoid", _hard_sigmoid), "vector"),
    "IsInf": Operator(_unary("is_inf", _is_inf), "vector"),
    "LeakyRelu": Operator(_unary("leaky_relu", _alpha(0.01)), "vector"),
    "PRelu": Operator(_prelu, "vector"),
    "Pow": Operator(_pow, "vector"),
    "Selu": Operator(_unary("selu", _selu), "vector"),
    "Shrink": Operator(_unary("shrink", _shrink), "vector"),
    "Swish": Operator(_unary("swish", _alpha(1.0)), "vector"),
    "ThresholdedRelu": Operator(_unary("thresholded_relu", _alpha(1.0)), "vector"),
}  # fmt: skip
"""The ops of this family."""

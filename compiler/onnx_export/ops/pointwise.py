"""Exports the other element-wise ops: functions of one operand, comparisons, logic, the choice between two, casts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onnx import TensorProto
from xdsl.ir import SSAValue

from ....backends.numerics.unary import NOT
from ....dialects import top
from ....dialects.quant.element_type import element_storage
from ..graph_writer import GraphWriter
from ..schema import element_type

_UNARY: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "abs": ("Abs", {}),
    "neg": ("Neg", {}),
    "sign": ("Sign", {}),
    "floor": ("Floor", {}),
    "ceil": ("Ceil", {}),
    "round": ("Round", {}),
    "reciprocal": ("Reciprocal", {}),
    "sqrt": ("Sqrt", {}),
    "exp": ("Exp", {}),
    "log": ("Log", {}),
    "sin": ("Sin", {}),
    "cos": ("Cos", {}),
    "tan": ("Tan", {}),
    "asin": ("Asin", {}),
    "acos": ("Acos", {}),
    "atan": ("Atan", {}),
    "sinh": ("Sinh", {}),
    "cosh": ("Cosh", {}),
    "tanh": ("Tanh", {}),
    "asinh": ("Asinh", {}),
    "acosh": ("Acosh", {}),
    "atanh": ("Atanh", {}),
    "erf": ("Erf", {}),
    "sigmoid": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": "alpha", "beta": "beta"}),
    "hard_swish": ("HardSwish", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "mish": ("Mish", {}),
    "gelu": ("Gelu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": "alpha"}),
    "elu": ("Elu", {"alpha": "alpha"}),
    "selu": ("Selu", {"alpha": "alpha", "beta": "gamma"}),
    "celu": ("Celu", {"alpha": "alpha"}),
    "thresholded_relu": ("ThresholdedRelu", {"alpha": "alpha"}),
    "shrink": ("Shrink", {"alpha": "lambd", "beta": "bias"}),
}
"""The op of ONNX for a kind of function, and what the attributes are called that its parameters become."""


def unary(
    graph: GraphWriter, kind: str, value: SSAValue | str, alpha: float = 0.0, beta: float = 0.0
) -> str:
    """Append the function `kind` of a tensor, with its parameters, and return the name of its result."""
    if kind in _UNARY:
        name, renamed = _UNARY[kind]
        parameters = {"alpha": alpha, "beta": beta}
        given: dict[str, Any] = {theirs: parameters[ours] for ours, theirs in renamed.items()}
        return graph.node(name, value, **given)
    return _OTHERS[kind](graph, value, alpha, beta)


def _unary(op: top.UnaryOp, graph: GraphWriter) -> str:
    return unary(graph, op.kind.data, op.input, *op.parameters)


def _power(graph: GraphWriter, value: SSAValue | str, alpha: float, beta: float) -> str:
    """Append Pow, whose exponent may have more digits than its base."""
    if graph.element(value) == TensorProto.DOUBLE:
        return graph.node("Pow", value, graph.number(alpha, value, "exponent"))
    return graph.node("Pow", value, graph.float_number(alpha, "exponent"))


def _swish(graph: GraphWriter, value: SSAValue | str, alpha: float, beta: float) -> str:
    """Append x · sigmoid(alpha · x), an op of its own only in newer opsets than most tools know."""
    scaled = graph.tensor(value)
    if alpha != 1.0:
        scaled = graph.node("Mul", scaled, graph.number(alpha, scaled, "alpha"))
    return graph.node("Mul", value, graph.node("Sigmoid", scaled))


def _is_inf(graph: GraphWriter, value: SSAValue | str, alpha: float, beta: float) -> str:
    negative, positive = (int(bool(each)) for each in (alpha, beta))
    return graph.node(
        "IsInf",
        value,
        element=TensorProto.BOOL,
        detect_negative=negative,
        detect_positive=positive,
    )


_OTHERS: Mapping[str, Callable[[GraphWriter, Any, float, float], str]] = {
    NOT: lambda graph, value, *_: graph.node("Not", value),
    "power": _power,
    "swish": _swish,
    "gelu_tanh": lambda graph, value, *_: graph.node("Gelu", value, approximate="tanh"),
    "is_nan": lambda graph, value, *_: graph.node("IsNaN", value, element=TensorProto.BOOL),
    "is_inf": _is_inf,
}


def _clip(op: top.ClipOp, graph: GraphWriter) -> str:
    bounds = [
        None if bound is None else graph.number(bound, op.input, name)
        for name, bound in zip(("low", "high"), op.bounds, strict=True)
    ]
    while bounds and bounds[-1] is None:
        bounds.pop()
    return graph.node("Clip", op.input, *bounds)


def _compare(op: top.CompareOp, graph: GraphWriter) -> str:
    kind = {"less": "Less", "less_or_equal": "LessOrEqual"}.get(op.kind.data, "Equal")
    found = graph.node(kind, op.lhs, op.rhs, element=TensorProto.BOOL)
    return graph.node("Not", found) if op.kind.data == "not_equal" else found


def _logical(op: top.LogicalOp, graph: GraphWriter) -> str:
    return graph.node(op.kind.data.capitalize(), op.lhs, op.rhs)


def _select(op: top.SelectOp, graph: GraphWriter) -> str:
    return graph.node("Where", op.condition, op.lhs, op.rhs, element=graph.element(op.lhs))


def _cast(op: top.CastOp, graph: GraphWriter) -> str:
    element = element_type(element_storage(op.output.type))
    return graph.node("Cast", op.input, element=element, to=element)


EXPORTERS = {
    top.ReluOp: lambda op, graph: graph.node("Relu", op.input),
    top.ClipOp: _clip,
    top.UnaryOp: _unary,
    top.CompareOp: _compare,
    top.LogicalOp: _logical,
    top.SelectOp: _select,
    top.CastOp: _cast,
}
"""The exporters of this family."""

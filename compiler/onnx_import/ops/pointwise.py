"""Imports element-wise ops other than arithmetic: functions of one operand, Relu, Clip, comparisons, operations on
bools, Where, and Cast.

Most functions are one `top.unary` of the same meaning; the table at the end says of which kind, and
where ONNX's attributes go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ml_dtypes
import numpy as np
from xdsl.dialects.builtin import f32

from ....backends.numerics.storage import dtype_of, name_of
from ....dialects import top
from ....dialects.quant.element_type import element_storage, type_of_storage
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import ImportFunction, Operator
from ..graph.value import (
    FLOAT_DTYPES,
    INTEGER_DTYPES,
    NETWORK_DTYPES,
    Constant,
    Value,
    cast_element,
    dtype_of_value,
)
from .arithmetic import legacy_operands

_SELU_ALPHA = 1.67326319217681884765625
_SELU_GAMMA = 1.05070102214813232421875
"""The defaults of Selu (ONNX, Selu)."""

Parameters = Callable[[Node], dict[str, float]]
"""Returns the parameters of a kind of `top.unary` from a node's attributes."""


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


def _relu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [builder.emit(top.ReluOp, node.output, node.input(0))]


def _clip(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Clip; its bounds are attributes up to opset 10, and inputs since."""
    given = dtype_of_value(node.input(0))
    if node.opset >= 11 and given in FLOAT_DTYPES:
        bounds = (node.optional(1), node.optional(2))
        if any(each is not None and not isinstance(each, Constant) for each in bounds):
            return [_clipped_at_run_time(node, builder, *bounds)]
    low, high = _bound(node, "min", 1), _bound(node, "max", 2)
    if given in INTEGER_DTYPES:
        return [_clipped_integers(node, builder, low, high)]
    # A bound at the end of the type's range (the default of the attributes) bounds nothing.
    limits = ml_dtypes.finfo(given)
    low = None if low is not None and low <= float(limits.min) else low
    high = None if high is not None and high >= float(limits.max) else high
    if low is None and high is None:
        return [node.input(0)]
    if low is not None and high is not None and low > high:
        low = high  # ONNX applies the upper bound last, so every element becomes that bound
    return [builder.emit(top.ClipOp, node.output, node.input(0), low=low, high=high)]


def _clipped_at_run_time(
    node: Node, builder: GraphBuilder, low: Value | None, high: Value | None
) -> Value:
    """Clip by bounds that are computed at run time: the greater of value and lower bound, then the lesser."""
    value = node.input(0)
    if low is not None:
        name = node.output if high is None else builder.derived(node.output, "bounded_below")
        value = builder.emit(top.MaxOp, name, value, low)
    return value if high is None else builder.emit(top.MinOp, node.output, value, high)


def _clipped_integers(
    node: Node, builder: GraphBuilder, low: float | None, high: float | None
) -> Value:
    """Clip positions: cast them to f32, which holds them exactly, clip, and cast back."""
    value = node.input(0)
    if low is None and high is None:
        return value
    if low is not None and high is not None and low > high:
        low = high
    floats = in_floats(node, builder, value)
    clipped = builder.emit(
        top.ClipOp, builder.derived(node.output, "clipped"), floats, low=low, high=high
    )
    element = type_of_storage(name_of(dtype_of_value(value)))
    return builder.emit(top.CastOp, node.output, clipped, element=element)


def in_floats(node: Node, builder: GraphBuilder, value: Value) -> Value:
    """Convert integers to f32, which holds positions exactly; return other values as they are.

    Raises UnsupportedNodeError if f32 does not hold a constant.
    """
    if dtype_of_value(value) not in INTEGER_DTYPES:
        return value
    name = builder.derived(node.output, "in_floats")
    if not isinstance(value, Constant):
        return builder.emit(top.CastOp, name, value, element=f32)
    array = value.array.astype(np.float32)
    if not np.array_equal(array.astype(np.float64), value.array):
        raise UnsupportedNodeError(f"f32 does not hold the integers of '{value.name}'")
    return Constant(array, name)


def _bound(node: Node, name: str, index: int) -> float | None:
    if node.opset < 11:
        return node.real(name, 0.0) if node.has(name) else None
    array = node.constant(index, f"bound '{name}'")
    if array is None or array.size == 0:
        return None
    if array.size != 1 or np.isnan(array).any():
        raise node.error(f"the bound '{name}' must be one number, it is {array}")
    return float(array.reshape(()))


def _compare(kind: str, *, swapped: bool = False) -> ImportFunction:
    """Return the import function of a comparison; with `swapped`, of operands the other way round: a > b is b < a."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        lhs, rhs = (in_floats(node, builder, each) for each in legacy_operands(node, builder))
        operands = (rhs, lhs) if swapped else (lhs, rhs)
        return [builder.emit(top.CompareOp, node.output, *operands, kind=kind)]

    return lower


def _logical(kind: str) -> ImportFunction:
    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        operands = legacy_operands(node, builder)
        return [builder.emit(top.LogicalOp, node.output, *operands, kind=kind)]

    return lower


def _where(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    operands = (node.input(index) for index in range(3))
    return [builder.emit(top.SelectOp, node.output, *operands)]


def _cast(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import a Cast at run time (constants are folded). Bools become 1 and 0; numbers other than 0, and NaN, become
    true.
    """
    element = cast_element(node.integer("to", 0))
    value = node.input(0)
    given = dtype_of_value(value)
    if element is None or given not in (*NETWORK_DTYPES, *INTEGER_DTYPES):
        raise UnsupportedNodeError(
            "it casts a run-time tensor between other types than float32, float16, bfloat16, bool, "
            "int32 and int64"
        )
    wanted = dtype_of(element_storage(element))
    if given == wanted:
        return [value]

    def scalar(number: float, dtype: np.dtype, suffix: str) -> Constant:
        return Constant(np.array(number, dtype), builder.derived(node.output, suffix))

    if wanted == np.bool_:
        value = in_floats(node, builder, value)
        zero = scalar(0, dtype_of_value(value), "zero")
        return [builder.emit(top.CompareOp, node.output, value, zero, kind="not_equal")]
    if given == np.bool_:
        number = np.dtype(np.float32) if wanted in INTEGER_DTYPES else wanted
        one, zero = scalar(1, number, "one"), scalar(0, number, "zero")
        if number == wanted:
            return [builder.emit(top.SelectOp, node.output, value, one, zero)]
        name = builder.derived(node.output, "number")
        value = builder.emit(top.SelectOp, name, value, one, zero)
    return [builder.emit(top.CastOp, node.output, value, element=element)]


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
    "Relu": Operator(_relu, "vector"),
    "Clip": Operator(_clip, "vector"),
    "Celu": Operator(_unary("celu", _celu), "vector"),
    "Elu": Operator(_unary("elu", _alpha(1.0)), "vector"),
    "Gelu": Operator(_gelu, "vector"),
    "HardSigmoid": Operator(_unary("hard_sigmoid", _hard_sigmoid), "vector"),
    "IsInf": Operator(_unary("is_inf", _is_inf), "vector"),
    "LeakyRelu": Operator(_unary("leaky_relu", _alpha(0.01)), "vector"),
    "Selu": Operator(_unary("selu", _selu), "vector"),
    "Shrink": Operator(_unary("shrink", _shrink), "vector"),
    "Swish": Operator(_unary("swish", _alpha(1.0)), "vector"),
    "ThresholdedRelu": Operator(_unary("thresholded_relu", _alpha(1.0)), "vector"),
    "Equal": Operator(_compare("equal"), "vector"),
    "Less": Operator(_compare("less"), "vector"),
    "LessOrEqual": Operator(_compare("less_or_equal"), "vector"),
    "Greater": Operator(_compare("less", swapped=True), "vector"),
    "GreaterOrEqual": Operator(_compare("less_or_equal", swapped=True), "vector"),
    "And": Operator(_logical("and"), "vector"),
    "Or": Operator(_logical("or"), "vector"),
    "Xor": Operator(_logical("xor"), "vector"),
    "Where": Operator(_where, "vector"),
    "Cast": Operator(_cast, "vector"),
}  # fmt: skip
"""The ops of this family."""

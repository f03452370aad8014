"""Imports element-wise ops other than arithmetic: functions of one operand, Relu, Clip, comparisons, operations on
bools, Where, and Cast.

Most functions are one `top.unary` of the same meaning; the table at the end says of which kind, and
where ONNX's attributes go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
from xdsl.dialects.builtin import f32, f64
from xdsl.ir import Attribute

from ....backends.numerics.functions.families.conversion import ROUND_MODES, SATURATING
from ....backends.numerics.storage import EXPONENTS, dtype_of, name_of
from ....dialects import top
from ....dialects.quant.element_type import element_storage, type_of_storage
from ..graph.builder import GraphBuilder
from ..graph.call import HOST_FOR_INTEGERS, call, element_wise, is_for_engines, unary
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import ImportFunction, Operator
from ..graph.value import (
    NETWORK_DTYPES,
    SMALL_DTYPES,
    Constant,
    Value,
    dtype_of_value,
    element_of_onnx,
)
from .arithmetic import legacy_operands

_SELU_ALPHA = 1.67326319217681884765625
_SELU_GAMMA = 1.05070102214813232421875
"""The defaults of Selu (ONNX, Selu)."""

Parameters = Callable[[Node], dict[str, float]]
"""Returns the parameters of a kind of `top.unary` from a node's attributes."""


def _unary(kind: str, parameters: Parameters | None = None) -> ImportFunction:
    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        given: dict[str, Any] = {} if parameters is None else parameters(node)
        return [unary(node, builder, kind, node.input(0), **given)]

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


def _shrunk(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Shrink; integers are computed in f64 and rounded toward zero, since the bias has any value."""
    value = node.input(0)
    if dtype_of_value(value).kind not in "iu":
        return [unary(node, builder, "shrink", value, node.output, **_shrink(node))]
    element = type_of_storage(name_of(dtype_of_value(value)))
    wide = in_element(node, builder, value, f64, builder.derived(node.output, "wide"))
    name = builder.derived(node.output, "shrunk")
    shrunk = unary(node, builder, "shrink", wide, name, **_shrink(node))
    return [in_element(node, builder, shrunk, element, node.output)]


def _is_inf(node: Node) -> dict[str, float]:
    return {
        "alpha": float(node.integer("detect_negative", 1)),
        "beta": float(node.integer("detect_positive", 1)),
    }


def _is_nan(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    if dtype_of_value(value) in SMALL_DTYPES:
        value = cast_to(node, builder, value, f32, builder.derived(node.output, "wide"))
    return [unary(node, builder, "is_nan", value)]


def _gelu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    approximate = node.string("approximate", "none")
    kinds = {"none": "gelu", "tanh": "gelu_tanh"}
    if approximate not in kinds:
        raise node.error(f"approximate must be none or tanh, it is '{approximate}'")
    return [unary(node, builder, kinds[approximate], node.input(0))]


def _relu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    if not is_for_engines(value):
        zero = Constant(np.zeros((), dtype_of_value(value)), builder.derived(node.output, "zero"))
        return [call(node, builder, "max", value, zero)]
    return [builder.emit(top.ReluOp, node.output, node.input(0))]


def _clip(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Clip; its bounds are attributes up to opset 10, and inputs since."""
    bounds = _given_bounds(node)
    constant = all(isinstance(bound, Constant) for bound in bounds.values())
    if not constant or not is_for_engines(node.input(0)):
        return [_clipped_at_run_time(node, builder)]
    low, high = _bound(node, "min", 1), _bound(node, "max", 2)
    given = dtype_of_value(node.input(0))
    # A bound at the end of the type's range (the default of the attributes) bounds nothing.
    limits = ml_dtypes.finfo(given)
    low = None if low is not None and low <= float(limits.min) else low
    high = None if high is not None and high >= float(limits.max) else high
    if low is None and high is None:
        return [node.input(0)]
    if low is not None and high is not None and low > high:
        low = high  # ONNX applies the upper bound last, so every element becomes that bound
    return [builder.emit(top.ClipOp, node.output, node.input(0), low=low, high=high)]


def _given_bounds(node: Node) -> dict[str, Value]:
    """Return the bounds that are inputs, by the function that applies them."""
    if node.opset < 11:
        # As attributes, which bound f64 and the floats of engines.
        dtype = dtype_of_value(node.input(0))
        return {
            function: Constant(np.array(node.real(name, 0.0), dtype), f"{node.output}_{name}")
            for function, name in (("max", "min"), ("min", "max"))
            if node.has(name)
        }
    found = {"max": node.optional(1), "min": node.optional(2)}
    return {function: bound for function, bound in found.items() if bound is not None}


def _clipped_at_run_time(node: Node, builder: GraphBuilder) -> Value:
    """Clip integers, or to bounds that are computed at run time: by a maximum and a minimum."""
    total, bounds = node.input(0), _given_bounds(node)
    for function, bound in bounds.items():
        last = function == list(bounds)[-1]
        name = node.output if last else builder.derived(node.output, "above")
        if is_for_engines(total, bound):
            kind = top.MaxOp if function == "max" else top.MinOp
            total = builder.emit(kind, name, total, bound)
        else:
            total = call(node, builder, function, total, bound, name=name)
    return total


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
    """Return the import function of a comparison; with `swapped`, of operands the other way round: a > b is b < a.
    Engines compare floats and bools.
    """

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        lhs, rhs = legacy_operands(node, builder)
        operands = (rhs, lhs) if swapped else (lhs, rhs)
        if any(dtype_of_value(each) not in NETWORK_DTYPES for each in operands):
            return [call(node, builder, kind, *operands)]
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
    """Import a Cast at run time (constants are folded). Engines convert floats and bools: bools become 1 and 0, numbers
    other than 0, and NaN, become true. From and to integers and small floats it is a call.
    """
    element = element_of_onnx(node.integer("to", 0))
    if element is None:
        raise UnsupportedNodeError("it casts to other elements than bools, integers and floats")
    return [cast_to(node, builder, node.input(0), element, node.output)]


def _cast_like(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    element = type_of_storage(name_of(dtype_of_value(node.input(1))))
    return [cast_to(node, builder, node.input(0), element, node.output)]


def cast_to(
    node: Node, builder: GraphBuilder, value: Value, element: Attribute, name: str
) -> Value:
    """Emit the conversion of a value to an element type."""
    given, wanted = dtype_of_value(value), dtype_of(element_storage(element))
    if given == wanted:
        return value
    if given not in NETWORK_DTYPES or wanted not in NETWORK_DTYPES:
        to = element_storage(element)
        return call(node, builder, "cast", value, name=name, to=to, **_rounding(node, to))
    if wanted == np.bool_:
        zero = builder.scalar(0, name, "zero")
        return builder.emit(top.CompareOp, name, value, zero, kind="not_equal")
    if given == np.bool_:
        one, zero = (
            Constant(np.array(number, wanted), builder.derived(name, suffix))
            for number, suffix in ((1, "one"), (0, "zero"))
        )
        return builder.emit(top.SelectOp, name, value, one, zero)
    return builder.emit(top.CastOp, name, value, element=element)


def in_element(
    node: Node, builder: GraphBuilder, value: Value, element: Attribute, name: str
) -> Value:
    """Return a value with another element type under the name `name`; a constant is converted at import, and one that
    has the type is returned as it is.
    """
    dtype = dtype_of(element_storage(element))
    if not isinstance(value, Constant) or value.dtype == dtype:
        return cast_to(node, builder, value, element, name)
    return Constant(value.array.astype(dtype), name)


def _rounding(node: Node, to: str) -> dict[str, Any]:
    """Return the attributes of a cast to small floats that say what happens beyond the range, and between numbers; of a
    node of another op the defaults.
    """
    if node.op_type not in ("Cast", "CastLike") or to not in SATURATING:
        return {}
    given: dict[str, Any] = {"saturate": bool(node.integer("saturate", 1))}
    if to == EXPONENTS:
        given["round_mode"] = node.string("round_mode", "up")
        if given["round_mode"] not in ROUND_MODES:
            raise node.error(
                f"round_mode must be {', '.join(ROUND_MODES)}, it is '{given['round_mode']}'"
            )
    return given


OPERATORS = {
    **{
        name: Operator(_unary(kind), "vector")
        for name, kind in (
            ("Acos", "acos"), ("Acosh", "acosh"), ("Asin", "asin"),
            ("Asinh", "asinh"), ("Atan", "atan"), ("Atanh", "atanh"), ("Ceil", "ceil"),
            ("Cos", "cos"), ("Cosh", "cosh"), ("Erf", "erf"), ("Exp", "exp"), ("Floor", "floor"),
            ("HardSwish", "hard_swish"), ("Log", "log"), ("Mish", "mish"),
            ("Not", "not"), ("Reciprocal", "reciprocal"), ("Round", "round"),
            ("Sigmoid", "sigmoid"), ("Sin", "sin"), ("Sinh", "sinh"),
            ("Softplus", "softplus"), ("Softsign", "softsign"), ("Sqrt", "sqrt"), ("Tan", "tan"),
            ("Tanh", "tanh"),
        )
    },
    **{
        name: Operator(element_wise(kind, _unary(kind)), HOST_FOR_INTEGERS)
        for name, kind in (("Abs", "abs"), ("Neg", "neg"), ("Sign", "sign"))
    },
    "Relu": Operator(_relu, HOST_FOR_INTEGERS),
    "Clip": Operator(_clip, HOST_FOR_INTEGERS),
    "Celu": Operator(_unary("celu", _celu), "vector"),
    "Elu": Operator(_unary("elu", _alpha(1.0)), "vector"),
    "Gelu": Operator(_gelu, "vector"),
    "HardSigmoid": Operator(_unary("hard_sigmoid", _hard_sigmoid), "vector"),
    "IsNaN": Operator(_is_nan, "vector (small floats: host)"),
    "IsInf": Operator(_unary("is_inf", _is_inf), "vector"),
    "LeakyRelu": Operator(_unary("leaky_relu", _alpha(0.01)), "vector"),
    "Selu": Operator(_unary("selu", _selu), "vector"),
    "Shrink": Operator(_shrunk, HOST_FOR_INTEGERS),
    "Swish": Operator(_unary("swish", _alpha(1.0)), "vector"),
    "ThresholdedRelu": Operator(_unary("thresholded_relu", _alpha(1.0)), "vector"),
    "Equal": Operator(_compare("equal"), HOST_FOR_INTEGERS),
    "Less": Operator(_compare("less"), HOST_FOR_INTEGERS),
    "LessOrEqual": Operator(_compare("less_or_equal"), HOST_FOR_INTEGERS),
    "Greater": Operator(_compare("less", swapped=True), HOST_FOR_INTEGERS),
    "GreaterOrEqual": Operator(_compare("less_or_equal", swapped=True), HOST_FOR_INTEGERS),
    "And": Operator(_logical("and"), "vector"),
    "Or": Operator(_logical("or"), "vector"),
    "Xor": Operator(_logical("xor"), "vector"),
    "Where": Operator(_where, "vector"),
    "Cast": Operator(_cast, HOST_FOR_INTEGERS),
    "CastLike": Operator(_cast_like, HOST_FOR_INTEGERS),
}  # fmt: skip
"""The ops of this family."""

"""Imports arithmetic with broadcasting: Add … Mod, Pow, PRelu; Sum, Mean, Min and Max of any number of
operands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....backends.numerics.storage import name_of
from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import HOST_FOR_INTEGERS, call, is_f64, is_for_engines, unary
from ..graph.node import Node
from ..graph.operator import ImportFunction, Operator
from ..graph.value import FLOAT_DTYPES, Constant, Value, dtype_of_value, shape_of


def _binary(kind: type[top.BinaryOp], function: str) -> ImportFunction:
    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        operands = legacy_operands(node, builder)
        if not is_for_engines(*operands):
            return [call(node, builder, function, *operands)]
        return [builder.emit(kind, node.output, *operands)]

    return lower


def legacy_operands(node: Node, builder: GraphBuilder) -> tuple[Value, Value]:
    """Return both operands of an op, shaped so that NumPy's broadcasting does what the op's opset says."""
    lhs, rhs = node.input(0), node.input(1)
    if node.opset < 7:
        rhs = align_legacy_operand(node, builder, rhs, shape_of(lhs))
    return lhs, rhs


def align_legacy_operand(
    node: Node, builder: GraphBuilder, value: Value, shape: Sequence[int]
) -> Value:
    """Return the second operand of an op before opset 7, shaped so that NumPy's broadcasting to `shape` fits it.

    Before opset 7 an op had to ask for broadcasting with the attribute `broadcast`, and `axis` said with which axis of
    the first operand the first axis of the second lines up (by default, the last axes line up).
    """
    own = shape_of(value)
    if own == tuple(shape):
        return value
    if not node.integer("broadcast", 0):
        raise node.error(f"shapes {list(shape)} and {list(own)} differ, and broadcast is not set")
    if not node.has("axis"):
        return value
    axis = node.axis(node.integer("axis", 0), len(shape))
    trailing = len(shape) - axis - len(own)
    if trailing < 0:
        raise node.error(f"{list(own)} does not fit into {list(shape)} from axis {axis} on")
    name = builder.derived(node.output, "operand")
    return builder.reshape(value, (*own, *(1,) * trailing), name)


def _one_after_the_other(kind: type[top.BinaryOp], function: str) -> ImportFunction:
    """Return the import function of an op of any number of operands, which are combined from the left."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        values = [node.input(index) for index in range(len(node.inputs))]
        return [_chain(kind, function, node, builder, node.output, values)]

    return lower


def _chain(
    kind: type[top.BinaryOp],
    function: str,
    node: Node,
    builder: GraphBuilder,
    name: str,
    values: Sequence[Value],
) -> Value:
    """Combine values from the left: for engines, or as calls of `function`."""
    total, *rest = values
    engines = is_for_engines(*values)
    for index, value in enumerate(rest, 1):
        step = name if index == len(rest) else builder.derived(node.output, f"step{index}")
        if engines:
            total = builder.emit(kind, step, total, value)
        else:
            total = call(node, builder, function, total, value, name=step)
    return total


def _mean(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Mean as the sum of the operands divided by their number."""
    count = len(node.inputs)
    if count == 1:
        return [node.input(0)]
    values = [node.input(index) for index in range(count)]
    total = _chain(top.AddOp, "add", node, builder, builder.derived(node.output, "sum"), values)
    if not is_for_engines(total):
        dtype = dtype_of_value(total)
        number = Constant(np.array(count, dtype), builder.derived(node.output, "count"))
        return [call(node, builder, "div", total, number)]
    number = builder.scalar(count, node.output, "count")
    return [builder.emit(top.DivOp, node.output, total, number)]


def _extreme(kind: type[top.BinaryOp], bound: str, function: str) -> ImportFunction:
    """Return the import function of Min or Max; if one operand is a single number, the op becomes a clip.

    Constants that nothing exceeds (minus infinity, of which Max(x, -inf) is x) are left out.
    """
    identity = -np.inf if bound == "low" else np.inf

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        values = [node.input(index) for index in range(len(node.inputs))]
        if not is_for_engines(*values):
            return [_chain(kind, function, node, builder, node.output, values)]
        values = _without(identity, values)
        if len(values) == 1:
            return values
        if len(values) == 2:
            first, second = values
            for value, other in ((first, second), (second, first)):
                number = lone_number(other, value)
                if number is not None and not isinstance(value, Constant):
                    return [builder.emit(top.ClipOp, node.output, value, **{bound: number})]
        return [_chain(kind, function, node, builder, node.output, values)]

    return lower


def _without(number: float, values: list[Value]) -> list[Value]:
    """Return the values but for constants of that number only, if the others have the shape of the result."""
    rest = [
        value
        for value in values
        if not (
            isinstance(value, Constant)
            and dtype_of_value(value) in FLOAT_DTYPES
            and bool((value.array == number).all())
        )
    ]
    if not rest or len(rest) == len(values):
        return values
    try:
        whole, left = (np.broadcast_shapes(*map(shape_of, each)) for each in (values, rest))
    except ValueError:
        return values  # the op that is emitted says so
    return rest if whole == left else values


def _mod(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Mod: the remainder has the sign of the dividend (fmod=1), or else that of the divisor."""
    lhs, rhs = node.input(0), node.input(1)
    fmod = bool(node.integer("fmod", 0))
    if not is_for_engines(lhs, rhs):
        return [call(node, builder, "mod", lhs, rhs, fmod=fmod)]
    if fmod:
        return [builder.emit(top.ModuloOp, node.output, lhs, rhs)]

    def emit(op: type, suffix: str, *operands: Value, **properties: object) -> Value:
        return builder.emit(op, builder.derived(node.output, suffix), *operands, **properties)

    zero = builder.scalar(0, node.output, "zero")
    remainder = emit(top.ModuloOp, "remainder", lhs, rhs)
    # One of both is below zero, and there is a remainder.
    signs = [
        emit(top.CompareOp, f"{name}_is_negative", value, zero, kind="less")
        for name, value in (("remainder", remainder), ("divisor", rhs))
    ]
    differ = emit(top.LogicalOp, "signs_differ", *signs, kind="xor")
    there = emit(top.CompareOp, "is_there", remainder, zero, kind="not_equal")
    moves = emit(top.LogicalOp, "moves", differ, there, kind="and")
    moved = emit(top.AddOp, "moved", remainder, rhs)
    return [builder.emit(top.SelectOp, node.output, moves, moved, remainder)]


def lone_number(value: Value, partner: Value) -> float | None:
    """Return the number in a constant of one element that does not change its partner's shape by broadcasting.

    Returns None for other values.
    """
    if not isinstance(value, Constant) or value.array.size != 1:
        return None
    if value.array.ndim > len(shape_of(partner)) or value.array.dtype.kind not in "fiu":
        return None
    number = float(value.array.reshape(()))
    return number if np.isfinite(number) else None


def _prelu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import PRelu; a slope that is a single number makes it a leaky relu."""
    value, slope = node.input(0), node.input(1)
    number = lone_number(slope, value)
    if number is not None:
        return [unary(node, builder, "leaky_relu", value, alpha=number)]
    if node.opset < 7 and len(shape_of(slope)) == 1:
        # Before opset 7 there is one slope per channel; since then slopes broadcast as in other ops.
        spatial = (1,) * max(len(shape_of(value)) - 2, 0)
        name = builder.derived(node.output, "slope")
        slope = builder.reshape(slope, (*shape_of(slope), *spatial), name)
    if is_f64(value):
        return [call(node, builder, "prelu", value, slope)]
    return [builder.emit(top.PreluOp, node.output, value, slope)]


def _pow(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Pow; an exponent that is a single number makes it a function of one operand."""
    base, exponent = legacy_operands(node, builder)
    if not is_for_engines(base):
        return [call(node, builder, "pow", base, exponent)]
    number = lone_number(exponent, base)
    if number == 2:
        return [builder.emit(top.MulOp, node.output, base, base)]
    if number is not None:
        kind = {0.5: "sqrt", -1.0: "reciprocal"}.get(number, "power")
        given = {"alpha": number} if kind == "power" else {}
        return [builder.emit(top.UnaryOp, node.output, base, kind=kind, **given)]
    if isinstance(exponent, Constant):
        exponent = Constant(exponent.array.astype(dtype_of_value(base)), exponent.name)
    elif dtype_of_value(exponent) != dtype_of_value(base):
        name = builder.derived(node.output, "exponent")
        storage = name_of(dtype_of_value(base))
        exponent = call(node, builder, "cast", exponent, name=name, to=storage)
    return [builder.emit(top.PowerOp, node.output, base, exponent)]


OPERATORS = {
    "Add": Operator(_binary(top.AddOp, "add"), HOST_FOR_INTEGERS),
    "Sub": Operator(_binary(top.SubOp, "sub"), HOST_FOR_INTEGERS),
    "Mul": Operator(_binary(top.MulOp, "mul"), HOST_FOR_INTEGERS),
    "Div": Operator(_binary(top.DivOp, "div"), HOST_FOR_INTEGERS),
    "Sum": Operator(_one_after_the_other(top.AddOp, "add"), HOST_FOR_INTEGERS),
    "Mean": Operator(_mean, "vector"),
    "Min": Operator(_extreme(top.MinOp, "high", "min"), HOST_FOR_INTEGERS),
    "Max": Operator(_extreme(top.MaxOp, "low", "max"), HOST_FOR_INTEGERS),
    "Mod": Operator(_mod, HOST_FOR_INTEGERS),
    "Pow": Operator(_pow, HOST_FOR_INTEGERS),
    "PRelu": Operator(_prelu, "vector"),
}
"""The ops of this family."""

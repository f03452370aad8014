"""Imports LSTM, GRU and RNN as the recurrent layers of `top`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ....backends.numerics.functions.families.recurrence import OPERANDS
from ....backends.numerics.recurrence import (
    ACTIVATIONS,
    CELL,
    DIRECTIONS,
    FUNCTIONS,
    HIDDEN,
    SEQUENCE,
)
from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import call, is_f64
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of

_DEFAULTS: Mapping[str, Sequence[str]] = {
    "lstm": ("Sigmoid", "Tanh", "Tanh"),
    "gru": ("Sigmoid", "Tanh"),
    "rnn": ("Tanh",),
}
"""The activations of a direction, by kind of layer, of a node that gives none."""
_PARAMETERS: Mapping[str, tuple[float, float]] = {
    "leaky_relu": (0.01, 0.0),
    "thresholded_relu": (1.0, 0.0),
    "elu": (1.0, 0.0),
    "hard_sigmoid": (0.2, 0.5),
    "affine": (1.0, 0.0),
}
"""alpha and beta of activations for which the node gives none: those of the ONNX ops of the names. ScaledTanh has none
there.
"""
_RESULTS = (SEQUENCE, HIDDEN, CELL)
_OPS: Mapping[str, type[top.RecurrentOp]] = {
    "LSTM": top.LstmOp,
    "GRU": top.GruOp,
    "RNN": top.RnnOp,
}


def _recurrent(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Import a recurrent layer: an op for each output that is used. With layout 1 the sequences come before the steps
    in what goes in and out.
    """
    op = _OPS[node.op_type]
    fields = _fields(node, op)
    batch_first = node.integer("layout", 0) == 1
    operands = _operands(node, builder, op, batch_first)
    make = _maker(node, builder, op, operands, fields)
    results: list[Value | None] = []
    for index, result in enumerate(_RESULTS[: len(node.proto.output)]):
        name = node.proto.output[index]
        if not name or not node.uses_output(index):
            results.append(None)
            continue
        made = builder.derived(name, "by_step") if batch_first else name
        value = make(made, index)
        if batch_first:
            order = (2, 0, 1, 3) if result == SEQUENCE else (1, 0, 2)
            value = builder.transpose(value, order, name)
        results.append(value)
    return results


def _maker(
    node: Node,
    builder: GraphBuilder,
    op: type[top.RecurrentOp],
    operands: Mapping[str, Value],
    fields: Mapping[str, Any],
) -> Callable[[str, int], Value]:
    """Return what emits a result of a layer, given its name and number: the op or, of f64, a call of the function of
    the same name.
    """
    x = operands["input"]
    if is_f64(x):
        called = _operands_of_f64(builder, op, operands)
        attributes = {**fields, "activations": tuple(fields["activations"].split())}
        return lambda name, index: call(
            node, builder, op.KIND, *called, name=name, result=index, **attributes
        )
    _check_length(node, builder, op, x, fields["direction"])
    given = [operands.get(name) for name, _ in op.get_irdl_definition().operands]
    return lambda name, index: builder.emit(op, name, *given, **fields, result=_RESULTS[index])


def _operands(
    node: Node, builder: GraphBuilder, op: type[top.RecurrentOp], batch_first: bool
) -> dict[str, Value]:
    names = ["input", "weights", "recurrence", "bias", "lengths", HIDDEN, CELL, "peepholes"]
    given = {
        name: value
        for index, name in enumerate(names)
        if (value := node.optional(index)) is not None
    }
    for name in ("input", "weights", "recurrence"):
        if name not in given:
            raise node.error(f"its {name} is missing")
        if len(shape_of(given[name])) != 3:
            raise node.error(f"its {name} must have 3 axes, got {list(shape_of(given[name]))}")
    if batch_first:
        for name in ("input", HIDDEN, CELL):
            if name in given:
                moved = builder.derived(node.label, f"{name}_by_step")
                given[name] = builder.transpose(given[name], (1, 0, 2), moved)
    steps = shape_of(given["input"])[0]
    lengths = given.get("lengths")
    if isinstance(lengths, Constant):
        if np.any(lengths.array < 0) or np.any(lengths.array > steps):
            raise node.error(
                f"sequence_lens must lie between 0 and the {steps} steps, got {lengths.array.tolist()}"
            )
        if np.all(lengths.array == steps):
            del given["lengths"]
    return given


def _operands_of_f64(
    builder: GraphBuilder, op: type[top.RecurrentOp], given: Mapping[str, Value]
) -> list[Value]:
    """Return the operands of the function of a layer of f64, with constants in place of those that are left out."""
    steps, batch, _ = shape_of(given["input"])
    directions, units, hidden = shape_of(given["recurrence"])
    state = np.zeros((directions, batch, hidden))
    defaults = {
        "bias": np.zeros((directions, 2 * units)),
        "lengths": np.full(batch, steps, np.int32),
        HIDDEN: state,
        CELL: state,
        "peepholes": np.zeros((directions, 3 * hidden)),
    }
    return [
        given[name] if name in given else Constant(defaults[name], builder.derived(op.KIND, name))
        for name in ("input", *OPERANDS[op.KIND][1:])
    ]


def _fields(node: Node, op: type[top.RecurrentOp]) -> dict[str, Any]:
    direction = direction_of(node)
    fields: dict[str, Any] = {"direction": direction, **activations_of(node, op.KIND, direction)}
    if node.has("clip"):
        fields["clip"] = node.real("clip", 0.0)
    if node.op_type == "GRU" and node.integer("linear_before_reset", 0):
        fields["linear_before_reset"] = True
    if node.op_type == "LSTM" and node.integer("input_forget", 0):
        fields["input_forget"] = True
    size = node.integer("hidden_size", 0)
    recurrence = node.input(2)
    if size and shape_of(recurrence)[-1:] != (size,):
        raise node.error(f"hidden_size is {size}, but R has shape {list(shape_of(recurrence))}")
    return fields


def direction_of(node: Node) -> str:
    """Return the attribute direction. Raises DiagnosticError if there is no such direction."""
    direction = node.string("direction", "forward")
    if direction not in DIRECTIONS:
        raise node.error(f"direction is '{direction}', expected one of {', '.join(DIRECTIONS)}")
    return direction


def activations_of(node: Node, kind: str, direction: str) -> dict[str, Any]:
    """Return the fields activations, alpha and beta of a layer of a `kind` (lstm, gru, rnn): a node gives a number for
    each activation that has the parameter, in their order. Raises DiagnosticError if they are not right.
    """
    count = FUNCTIONS[kind] * len(DIRECTIONS[direction])
    attribute = node.attribute("activations")
    names = (
        [*_DEFAULTS[kind]] * len(DIRECTIONS[direction])
        if attribute is None
        else [each.decode("utf-8", "replace") for each in attribute.strings]
    )
    if len(names) != count:
        raise node.error(f"{count} activations are needed, it has {len(names)}")
    by_folded_name = {kind.replace("_", ""): kind for kind in ACTIVATIONS}
    kinds: list[str] = []
    for name in names:
        known_as = by_folded_name.get(re.sub("_", "", name).lower())
        if known_as is None:
            known = ", ".join(ACTIVATIONS)
            raise node.error(f"there is no activation '{name}'", f"known are {known}")
        kinds.append(known_as)
    fields: dict[str, Any] = {"activations": " ".join(kinds)}
    for index, parameter in enumerate(("alpha", "beta")):
        if not any(parameter in ACTIVATIONS[kind] for kind in kinds):
            continue
        given = iter(node.reals(f"activation_{parameter}") or [])
        fields[parameter] = numbers = []
        for name in kinds:
            defaults = _PARAMETERS.get(name)
            number = next(given, None) if parameter in ACTIVATIONS[name] else 0.0
            number = defaults[index] if number is None and defaults is not None else number
            if number is None:
                raise node.error(f"its activation {name} needs activation_{parameter}")
            numbers.append(number)
    return fields


def _check_length(
    node: Node, builder: GraphBuilder, op: type[top.RecurrentOp], x: Value, direction: str
) -> None:
    steps = shape_of(x)[0] * len(DIRECTIONS[direction])
    builder.budget.unroll(
        steps * op.MOST_OPS_PER_STEP, f"unrolled, its {steps} steps may become", node.place
    )


OPERATORS = {name: Operator(_recurrent, "matrix") for name in _OPS}
"""The ops of this family."""
